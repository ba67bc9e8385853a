//! The command `unwedge`: reads the arguments, does what they ask, and says in one line why it cannot.

mod child;
mod clock;
mod commands;
mod duration;
mod environment;
mod error;
mod inject;
mod lines;
mod loader;
mod output;
mod report;
mod rundir;
mod sources;
mod store;
mod terminal;
mod traces;
mod watch;

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser as _};

use commands::{Arguments, STATUS_ERROR, run};

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    match arguments.command.execute() {
        Ok(status) => status,
        Err(error) => {
            terminal::error(&error.to_string(), error.hint().as_deref());
            ExitCode::from(arguments.command.status_failed())
        }
    }
}

/// Prints the help or version that was asked for, or in one line what is wrong with the arguments.
fn usage(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            return ExitCode::from(STATUS_ERROR);
        }
        _ => {}
    }
    let text = error.to_string();
    let mut paragraphs = text.split("\n\n");
    let first = paragraphs.next().unwrap_or_default();
    let lines: Vec<&str> = first.lines().map(str::trim).collect();
    let message = lines.join(" ");
    let tip = text.lines().find_map(|line| line.trim().strip_prefix("tip: "));
    let verb = std::env::args_os().nth(1).and_then(|verb| verb.into_string().ok());
    let verb = verb.filter(|verb| Arguments::command().find_subcommand(verb).is_some());
    let manual =
        verb.as_ref().map_or("unwedge --help".to_owned(), |verb| format!("unwedge {verb} --help"));
    let hint = tip.map_or_else(|| format!("see {manual}"), |tip| format!("{tip}; see {manual}"));
    terminal::error(message.trim_start_matches("error: "), Some(&hint));
    ExitCode::from(if verb.as_deref() == Some("run") { run::STATUS_FAILED } else { STATUS_ERROR })
}
