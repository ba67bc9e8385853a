//! `unwedge-bench worlds`: how fast does a world tell of itself, and how fast is one explored? Whole processes.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::figures::{Goal, Row, median};
use crate::keep::{self, Place, Run};
use crate::machine::Machine;
use crate::traces::process::{Spent, spend};
use crate::{Tools, figures};

const USAGE: &str = "usage: unwedge-bench worlds [--rounds N] [--events M] [--machine NAME] [--out FOLDER | --no-keep]

Writes traces of worlds with unwedge sim, as JSON Lines into memory (/dev/shm), into a folder for temporary files, and as a
store, and explores small instances of them.";

const ABOUT: &str = "Each figure is the median over rounds of whole processes, start and end included. What goes to
/dev/null and to memory shows what the command takes; a file on disk has the kernel's page cache in it.
";

/// Worlds that are written: the hot one of incident 3, and one of many sorts of events.
const WRITTEN: [&str; 2] = ["guest-kernel", "frame-loop"];

/// Small instances with fixes and faults on, so that all of each is explored.
const EXPLORED: [(&str, &[&str]); 3] = [
    (
        "frame-loop",
        &["drop-notification=on", "bounded=on", "reset-after-acquire=on", "recovery=on"],
    ),
    ("venus-ring", &["threads=2"]),
    ("multi-scanout", &["draw-done=on", "encoder=on", "block-deadline=on"]),
];

const LIMIT: Duration = Duration::from_secs(300);
const EVENTS_MIN: f64 = 5e6;
const STATES_MIN: f64 = 2e6;

struct Arguments {
    rounds: usize,
    events: u64,
    place: Place,
}

/// Does what the command line says.
pub(crate) fn worlds(given: impl Iterator<Item = String>) -> Result<(), String> {
    let arguments = arguments(given)?;
    let tools = Tools::find()?;
    let machine = Machine::look_without_device();
    let mut rows = Vec::new();
    for name in WRITTEN {
        rows.extend(write(&tools, name, &arguments)?);
    }
    for (name, switches) in EXPLORED {
        rows.push(explore(&tools, name, switches, arguments.rounds)?);
    }
    let headings = ["what", "", "measured", "figure", "goal", "verdict"];
    let table = figures::table(headings, &rows);
    let command =
        format!("unwedge-bench worlds --rounds {} --events {}", arguments.rounds, arguments.events);
    let run = Run { command, about: ABOUT, rows: &rows, table: &table, raw: None };
    arguments.place.finish("-worlds", &machine, &run)
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut arguments = Arguments { rounds: 3, events: 20_000_000, place: Place::default() };
    while let Some(option) = given.next() {
        let mut value = || given.next().ok_or_else(|| format!("{option} needs a value\n{USAGE}"));
        if arguments.place.takes(&option, &mut value)? {
            continue;
        }
        match option.as_str() {
            "--rounds" => arguments.rounds = keep::positive(&option, &value()?)?,
            "--events" => arguments.events = keep::positive(&option, &value()?)? as u64,
            _ => return Err(USAGE.to_owned()),
        }
    }
    Ok(arguments)
}

/// A world's trace, in each form.
fn write(tools: &Tools, name: &str, arguments: &Arguments) -> Result<Vec<Row>, String> {
    let disk = tempfile::tempdir().map_err(|error| error.to_string())?;
    let memory = tempfile::tempdir_in("/dev/shm").map_err(|error| error.to_string())?;
    let places = [
        ("JSON Lines, into memory", memory.path().join("trace.jsonl"), Some(EVENTS_MIN)),
        ("JSON Lines, onto a disk", disk.path().join("trace.jsonl"), None),
        ("a store, onto a disk", disk.path().join("store"), Some(EVENTS_MIN)),
    ];
    let mut rows = Vec::new();
    for (form, place, least) in places {
        let mut rates = Vec::new();
        let mut spent = Vec::new();
        for _ in 0..arguments.rounds {
            remove(&place)?;
            let mut command = Command::new(&tools.unwedge);
            command.args(["sim", name, "--events", &arguments.events.to_string(), "--out"]);
            let one = succeeded(spend(command.arg(&place), LIMIT)?, 0)?;
            rates.push(arguments.events as f64 / one.wall.as_secs_f64());
            spent.push(one);
        }
        remove(&place)?;
        let goal = least.map(|least| Goal::AtLeast(least, "≥ 5 M/s"));
        rows.push(row(format!("{name}: events a second, {form}"), &rates, &spent, goal));
    }
    Ok(rows)
}

fn remove(place: &Path) -> Result<(), String> {
    let removed = if place.is_dir() {
        std::fs::remove_dir_all(place)
    } else if place.exists() {
        std::fs::remove_file(place)
    } else {
        Ok(())
    };
    removed.map_err(|error| format!("{}: {error}", place.display()))
}

/// All of a small instance.
fn explore(tools: &Tools, name: &str, switches: &[&str], rounds: usize) -> Result<Row, String> {
    let (mut rates, mut spent, mut states) = (Vec::new(), Vec::new(), 0.0);
    for _ in 0..rounds {
        let mut command = Command::new(&tools.unwedge);
        command.args(["sim", name, "--explore", "--json"]);
        for switch in switches {
            command.args(["--set", switch]);
        }
        let one = succeeded(spend(&mut command, LIMIT)?, 0)?;
        let said: Value = serde_json::from_str(&one.stdout).map_err(|error| error.to_string())?;
        states = said["counts"]["states"].as_f64().ok_or("no states are told")?;
        rates.push(states / one.wall.as_secs_f64());
        spent.push(one);
    }
    let what = format!("{name} {}: states a second, of {states}", switches.join(" "));
    Ok(row(what, &rates, &spent, Some(Goal::AtLeast(STATES_MIN, "≥ 2 M/s"))))
}

fn succeeded(spent: Spent, status: i32) -> Result<Spent, String> {
    if spent.status == status {
        return Ok(spent);
    }
    Err(format!("unwedge ended with {}: {}", spent.status, spent.stderr.trim()))
}

fn row(what: String, rates: &[f64], spent: &[Spent], goal: Option<Goal>) -> Row {
    let rate = median(rates);
    let cpu: Vec<f64> = spent.iter().map(|one| one.cpu.as_secs_f64()).collect();
    let peak = spent.iter().map(|one| one.peak_bytes).max().unwrap_or(0);
    Row {
        what,
        bare: String::new(),
        with: format!("{:.2} s of CPU, {} MiB", median(&cpu), peak >> 20),
        figure: Some((rate, format!("{:.2} M/s", rate / 1e6))),
        goal,
        rounds: json!(spent.iter().map(Spent::json).collect::<Vec<_>>()),
    }
}
