//! Small real Vulkan programs that hang, or do not, each with the finding that `unwedge` must give for it.
//!
//! [`table::TABLE`] is data for the harness: what to run, which fault to inject, which driver it needs, what to expect. The
//! programs themselves are plain Vulkan, one file each in `scenarios/`; nothing in this crate knows the tool or its layer.
//!
//! Invariant: every program ends by itself within `UNWEDGE_SCENARIO_LIMIT_S` seconds (120), with status [`STATUS_LIMIT`].
#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "test programs: nearly every line is a Vulkan call on handles made a few lines above, which live as long as `Gpu`"
)]

mod bench;
mod compute;
mod faulty_allocator;
mod gpu;
mod objects;
mod outcome;
mod scenarios;
mod shader;
pub mod table;
mod threads;
mod watchdog;
mod window;

use std::process::ExitCode;

pub use outcome::{Outcome, Stop};
pub use watchdog::STATUS_LIMIT;

/// The exit status of a scenario that cannot run here (no window system, no second queue), as automake's tests have it.
pub const STATUS_SKIPPED: u8 = 77;

/// Runs the `scenario` command with these arguments (without the program's name).
pub fn command(arguments: &[String]) -> ExitCode {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["--list"] => {
            for scenario in table::TABLE {
                println!("{:28} {}", scenario.name, scenario.about);
            }
            ExitCode::SUCCESS
        }
        ["bench-status", count] => outcome::status(bench::status(count)),
        ["bench-submit", count] => outcome::status(bench::submit(count)),
        [name] => match table::TABLE.iter().find(|scenario| scenario.name == name) {
            Some(scenario) => {
                watchdog::start();
                outcome::status((scenario.run)())
            }
            None => {
                eprintln!("scenario: no scenario is named {name}; see scenario --list");
                ExitCode::from(2)
            }
        },
        _ => {
            eprintln!("usage: scenario NAME | scenario --list");
            ExitCode::from(2)
        }
    }
}
