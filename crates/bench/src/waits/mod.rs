//! `unwedge-bench waits`: what do bounded waits cost beside the calls of Vulkan that they make?

mod calls;
mod compared;
mod frames;
mod gpu;
mod pairs;

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::display::Display;
use crate::figures::{self, Row};
use crate::keep::{self, Place, Run};
use crate::machine::Machine;
use crate::traces::process::spend;
use compared::Compared;

const USAGE: &str =
    "usage: unwedge-bench waits [--rounds N] [--machine NAME] [--out FOLDER | --no-keep]

Measures the waits and frames of unwedge-wait beside the raw calls, on the first Vulkan device that the loader finds.";

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
        println!("{}", Once::measure()?.json());
        return Ok(());
    }
    let arguments = arguments(given)?;
    let machine = Machine::look();
    let display = Display::get();
    let (mut processes, mut skipped) = (Vec::new(), Vec::new());
    for round in 0..arguments.rounds {
        eprintln!("waits: process {} of {}", round + 1, arguments.rounds);
        let once = in_a_process(display.name.as_deref().ok())?;
        processes.push(once.compared);
        skipped = once.skipped;
    }
    let mut rows = compared::rows(&processes);
    rows.extend(skipped.iter().map(|(what, why)| Row::skipped(what, why)));
    let table = figures::table(
        ["what", "by hand", "with unwedge-wait", "figure", "goal", "verdict"],
        &rows,
    );
    let command = format!("unwedge-bench waits --rounds {}", arguments.rounds);
    let run = Run { command, about: ABOUT, rows: &rows, table: &table, raw: None };
    arguments.place.finish("-waits", &machine, &run)
}

/// What one process measures.
#[derive(Default)]
struct Once {
    compared: Vec<Compared>,
    /// What it could not, and why.
    skipped: Vec<(String, String)>,
}

impl Once {
    fn measure() -> Result<Self, String> {
        let mut once = Self { compared: calls::once()?, skipped: Vec::new() };
        once.compared.extend(frames::on_nothing()?);
        match frames::on_the_device() {
            Ok(compared) => once.compared.extend(compared),
            Err(why) => once.skipped.push(("frames on the device".to_owned(), why)),
        }
        Ok(once)
    }

    fn json(&self) -> Value {
        let compared = self.compared.iter().map(Compared::json).collect::<Value>();
        json!({ "compared": compared, "skipped": self.skipped })
    }

    /// What [`Self::json`] made.
    fn parse(value: &Value) -> Option<Self> {
        let compared = value["compared"].as_array()?.iter().map(Compared::parse);
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let skipped = value["skipped"].as_array()?.iter();
        let skipped = skipped.map(|pair| Some((text(&pair[0])?, text(&pair[1])?)));
        Some(Self {
            compared: compared.collect::<Option<_>>()?,
            skipped: skipped.collect::<Option<_>>()?,
        })
    }
}

fn in_a_process(display: Option<&str>) -> Result<Once, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(own);
    command.args(["waits", "--once"]).env_remove("DISPLAY");
    command.envs(display.map(|name| ("DISPLAY", name)));
    let spent = spend(&mut command, LIMIT)?;
    if spent.status != 0 {
        return Err(format!("a process of its own failed: {}", spent.stderr.trim()));
    }
    let said: Value = serde_json::from_str(&spent.stdout).map_err(|error| error.to_string())?;
    let problem = || format!("a process of its own said {}", spent.stdout.trim());
    Once::parse(&said).ok_or_else(problem)
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
        arguments.rounds = keep::positive(&option, &value()?)?;
    }
    Ok(arguments)
}
