//! `unwedge-bench waits`: what do bounded waits cost beside the calls of Vulkan that they make?

mod calls;
mod compared;
mod gpu;
mod pairs;

use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::figures;
use crate::keep::{Place, Run};
use crate::machine::Machine;
use crate::traces::process::spend;
use compared::Compared;

const USAGE: &str =
    "usage: unwedge-bench waits [--rounds N] [--machine NAME] [--out FOLDER | --no-keep]

Measures the waits of unwedge-wait beside the raw calls, on the first Vulkan device that the loader finds.";

const ABOUT: &str = "Each figure is the median over processes of the difference within one, and in brackets lie the middle half of the
processes. A process is loaded elsewhere than the last, which alone is worth a few nanoseconds to either way. In a process the two
alternate, batch by batch, and take turns to be first. `run.json` has the figures of each.
";

/// A process of its own is done in a second.
const LIMIT: Duration = Duration::from_secs(120);

/// What was asked for.
struct Arguments {
    rounds: usize,
    place: Place,
}

/// Does what the command line says.
pub(crate) fn waits(given: impl Iterator<Item = String>) -> Result<(), String> {
    let mut given = given.peekable();
    if given.next_if(|first| first == "--once").is_some() {
        let compared = calls::once()?;
        println!("{}", compared.iter().map(Compared::json).collect::<Value>());
        return Ok(());
    }
    let arguments = arguments(given)?;
    let machine = Machine::look();
    let mut processes = Vec::new();
    for round in 0..arguments.rounds {
        eprintln!("waits: process {} of {}", round + 1, arguments.rounds);
        processes.push(in_a_process()?);
    }
    let rows = compared::rows(&processes);
    let table = figures::table(["what", "raw", "bounded", "figure", "goal", "verdict"], &rows);
    let command = format!("unwedge-bench waits --rounds {}", arguments.rounds);
    let run = Run { command, about: ABOUT, rows: &rows, table: &table, raw: None };
    arguments.place.finish("-waits", &machine, &run)
}

fn in_a_process() -> Result<Vec<Compared>, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let spent = spend(Command::new(own).args(["waits", "--once"]), LIMIT)?;
    if spent.status != 0 {
        return Err(format!("a process of its own failed: {}", spent.stderr.trim()));
    }
    let said: Value = serde_json::from_str(&spent.stdout).map_err(|error| error.to_string())?;
    let compared = said.as_array().map(|list| list.iter().map(Compared::parse).collect());
    compared.flatten().ok_or_else(|| format!("a process of its own said {}", spent.stdout.trim()))
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut arguments = Arguments { rounds: 25, place: Place::default() };
    while let Some(option) = given.next() {
        let mut value = || given.next().ok_or_else(|| format!("{option} needs a value\n{USAGE}"));
        if arguments.place.takes(&option, &mut value)? {
            continue;
        }
        if option != "--rounds" {
            return Err(USAGE.to_owned());
        }
        let rounds = value()?.parse().ok().filter(|rounds| *rounds > 0);
        arguments.rounds = rounds.ok_or("--rounds needs a positive number")?;
    }
    Ok(arguments)
}
