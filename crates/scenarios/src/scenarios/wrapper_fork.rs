//! A launcher: the program that hangs is its child process, which it waits for.
use std::process::Command;

use crate::{Outcome, Stop};

pub(crate) fn run() -> Outcome {
    let program = std::env::current_exe()?;
    let status = Command::new(program).arg("fence-never-submitted").status()?;
    match status.code() {
        Some(0) => Ok(()),
        Some(77) => Err(Stop::skipped("the child was skipped")),
        _ => Err(Stop::failed(format!("the child ended with {status}"))),
    }
}
