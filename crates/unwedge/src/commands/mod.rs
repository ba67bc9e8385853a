//! What can be asked of the command? One file a verb.

pub(crate) mod diff;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod generate;
pub(crate) mod help;
pub(crate) mod import;
pub(crate) mod layer;
pub(crate) mod run;
pub(crate) mod sim;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::error::Error;

/// The debugger for hangs of Vulkan programs: which thread waits on what, who owes the signal, and why
/// it never came.
#[derive(Debug, Parser)]
#[command(
    name = "unwedge",
    version,
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = "A finding's page: unwedge help UW002. Faults to inject: unwedge help inject."
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(run::Run),
    Explain(explain::Explain),
    Diff(diff::Diff),
    Import(import::Import),
    Export(export::Export),
    Sim(sim::Sim),
    Help(help::Help),
    Layer(layer::Layer),
    Completions(generate::Completions),
    Man(generate::Man),
}

impl Command {
    /// Does it.
    ///
    /// # Errors
    /// Whatever keeps it from being done; the exit status for that is [`Command::status_failed`].
    pub(crate) fn execute(&self) -> Result<ExitCode, Error> {
        match self {
            Self::Run(run) => run.execute(),
            Self::Explain(explain) => explain.execute(),
            Self::Diff(diff) => diff.execute(),
            Self::Import(import) => import.execute(),
            Self::Export(export) => export.execute(),
            Self::Sim(sim) => sim.execute(),
            Self::Help(help) => help.execute(),
            Self::Layer(layer) => layer.execute(),
            Self::Completions(completions) => Ok(completions.execute()),
            Self::Man(man) => Ok(man.execute()),
        }
    }

    /// The exit status when the command itself fails.
    pub(crate) fn status_failed(&self) -> u8 {
        match self {
            Self::Run(_) => run::STATUS_FAILED,
            _ => STATUS_ERROR,
        }
    }
}

/// Exit status of every verb but `run` when it fails.
pub(crate) const STATUS_ERROR: u8 = 2;
