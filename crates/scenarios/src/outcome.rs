//! How a scenario ends when it does not hang: done, skipped here, or failed.
use std::fmt;
use std::process::ExitCode;

use ash::vk;

use crate::STATUS_SKIPPED;

/// Why a scenario stopped before its end.
#[derive(Debug)]
pub enum Stop {
    /// This machine or driver lacks what the scenario needs; the reason follows "skipped: ".
    Skipped(String),
    /// Something that was to succeed failed.
    Failed(String),
}

/// What a scenario's `run` gives: status 0, 77 or 1.
pub type Outcome = Result<(), Stop>;

impl Stop {
    pub(crate) fn skipped(reason: impl fmt::Display) -> Stop {
        Stop::Skipped(reason.to_string())
    }

    pub(crate) fn failed(reason: impl fmt::Display) -> Stop {
        Stop::Failed(reason.to_string())
    }
}

impl From<vk::Result> for Stop {
    fn from(result: vk::Result) -> Stop {
        Stop::Failed(format!("{result:?}"))
    }
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Stop {
        Stop::Failed(error.to_string())
    }
}

pub(crate) fn status(outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Skipped(reason)) => {
            println!("skipped: {reason}");
            ExitCode::from(STATUS_SKIPPED)
        }
        Err(Stop::Failed(reason)) => {
            eprintln!("scenario: {reason}");
            ExitCode::FAILURE
        }
    }
}
