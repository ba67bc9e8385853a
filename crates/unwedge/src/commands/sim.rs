//! `unwedge sim`: runs a world that wedges on purpose, shows it, or tries every order of what can happen in it.

mod aside;
mod chosen;
mod explore;
mod list;
mod live;
mod replay;
mod trace;
mod way;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::error::Error;
use chosen::Chosen;

/// What the source of a simulated trace begins with.
pub(crate) const SOURCE: &str = "unwedge sim ";

/// Runs a world that wedges on purpose, shows it, or tries every order of what can happen in it.
///
/// A world is made of agents, objects and faults; its time is its own, and one seed is one run, to the last byte.
/// --list names the scenarios; with NAME it tells the story of one and all that can be set of it with --set.
///
/// Without more, the world is run and its trace explained, as `unwedge explain` would. --out writes the trace instead.
/// --live shows the world as it runs. --explore tries every order and every fault of a small instance: it finds the
/// shortest way into a wedge, or proves that there is none; --replay goes that way again.
///
/// The exit status is 0 if nothing was found, 1 if something was, 2 on errors, 3 if it cannot be known.
#[derive(Debug, Args)]
#[command(after_long_help = list::switches_of_all(), after_help = "The switches of each scenario: unwedge sim --help, or unwedge sim NAME --list.")]
pub(crate) struct Sim {
    /// The scenario.
    #[arg(value_name = "NAME")]
    name: Option<String>,

    /// List the scenarios; with NAME, tell all about one.
    #[arg(long, conflicts_with_all = ["set", "seed", "events", "out", "json"])]
    list: bool,

    /// Set a switch of the scenario. May be given several times.
    #[arg(long, value_name = "SWITCH=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,

    /// The seed that all chance comes from.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// Run until so many events were told, or nothing is left to happen; then the world is watched for ten seconds
    /// more.
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    events: u64,

    /// Show the world as it runs, on the whole terminal, until q is pressed; then say what came of it.
    #[arg(long, conflicts_with_all = ["list", "events", "out", "explore", "exploring", "replay"])]
    live: bool,

    #[command(flatten)]
    showing: live::Showing,

    /// Try every order and every fault of a small instance: print the shortest way into a wedge, or that there is none.
    #[arg(long, conflicts_with_all = ["list", "seed", "events"])]
    explore: bool,

    #[command(flatten)]
    exploring: explore::Exploring,

    /// Take the steps again that --explore --replay-out has written.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["name", "list", "set", "seed", "events", "explore", "exploring"])]
    replay: Option<PathBuf>,

    /// Write the trace: as JSON Lines if FILE ends in .jsonl, is a file already, or is - for standard output; else as
    /// a store, a folder that is read many times as fast.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Replace a store that is there already.
    #[arg(long, requires = "out")]
    force: bool,

    /// Write the answer as JSON; to standard output, instead of the text, without FILE.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    json: Option<PathBuf>,
}

impl Sim {
    /// Does what is asked.
    ///
    /// # Errors
    /// When there is no such world, or a file cannot be read or written.
    pub(crate) fn execute(&self) -> Result<ExitCode, Error> {
        if self.list {
            return list::print(self.name.as_deref());
        }
        if let Some(path) = &self.replay {
            return replay::execute(self, path);
        }
        let chosen = Chosen::new(self.name.as_deref(), &self.set)?;
        if self.live {
            return live::execute(self, &chosen);
        }
        if self.explore {
            return explore::execute(self, &chosen);
        }
        trace::execute(self, &chosen)
    }
}

/// `drop-notification=40`.
fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((switch, value)) if !switch.trim().is_empty() => {
            Ok((switch.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("it is not of the form SWITCH=VALUE".to_owned()),
    }
}
