//! `unwedge completions` and `unwedge man`: what packages ship beside the command.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::Arguments;

/// Prints the completions for a shell.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the manual page, of the command or of one of its verbs.
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// The verb.
    verb: Option<String>,
}

impl Completions {
    /// Prints them.
    pub(crate) fn execute(&self) -> ExitCode {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Arguments::command(), "unwedge", &mut script);
        print(&script)
    }
}

impl Man {
    /// Prints it.
    pub(crate) fn execute(&self) -> ExitCode {
        let mut command = Arguments::command();
        command.build();
        let command = match self.verb.as_deref() {
            None => command,
            Some(verb) => match command.find_subcommand(verb) {
                Some(found) => found.clone().name(format!("unwedge-{verb}").leak() as &'static str),
                None => {
                    crate::terminal::error(
                        &format!("there is no verb {verb:?}"),
                        Some("see unwedge --help"),
                    );
                    return ExitCode::from(super::STATUS_ERROR);
                }
            },
        };
        let mut page = Vec::new();
        // Rendering into memory cannot fail.
        let _ = clap_mangen::Man::new(command).render(&mut page);
        print(&page)
    }
}

fn print(bytes: &[u8]) -> ExitCode {
    // Whoever closes standard output has read enough.
    let _ = std::io::stdout().write_all(bytes);
    ExitCode::SUCCESS
}
