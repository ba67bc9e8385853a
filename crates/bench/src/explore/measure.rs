//! `unwedge-bench explore`: which explorations are measured, and how often?

use std::process::Command;

use serde_json::{Value, json};

use super::once::{Kind, LIMIT, WAYS, Way, once};
use super::rows;
use crate::keep::{self, Place, Run};
use crate::machine::Machine;
use crate::traces::process::{Spent, spend};

const USAGE: &str = "usage: unwedge-bench explore [--rounds N] [--machine NAME] [--out FOLDER | --no-keep]

Explores two protocols of three sizes each with unwedge's explorer and with stateright, on two threads, each in
a process of its own, alternating.";

/// Smallest first; the last of each protocol is the one with goals.
const CASES: [(Kind, [u8; 3]); 2] = [(Kind::Commit, [6, 7, 8]), (Kind::Table, [10, 12, 14])];

struct Arguments {
    rounds: usize,
    place: Place,
}

/// A protocol of one size, and what each way took to explore it.
pub(crate) struct Case {
    pub(crate) kind: Kind,
    pub(crate) size: u8,
    pub(crate) rounds: Vec<[Explored; WAYS.len()]>,
}

/// One exploration.
pub(crate) struct Explored {
    pub(crate) states: f64,
    pub(crate) transitions: f64,
    /// Without the start of the process.
    pub(crate) seconds: f64,
    /// As the explorer counts them; only ours does.
    pub(crate) bytes: Option<f64>,
    pub(crate) spent: Spent,
}

impl Case {
    /// One way in each round.
    pub(crate) fn of(&self, way: Way) -> impl Iterator<Item = &Explored> {
        let place = WAYS.iter().position(|other| *other == way).unwrap_or_default();
        self.rounds.iter().map(move |round| &round[place])
    }

    fn json(&self) -> Value {
        let ways = WAYS.map(|way| {
            let rounds = self.of(way).map(|explored| {
                json!({ "seconds": explored.seconds, "bytes": explored.bytes, "process": explored.spent.json() })
            });
            (way.word().to_owned(), rounds.collect::<Value>())
        });
        let first = self.rounds.first().map(|round| &round[0]);
        json!({
            "protocol": self.kind.said(self.size),
            "states": first.map(|explored| explored.states),
            "transitions": first.map(|explored| explored.transitions),
            "ways": ways.into_iter().collect::<serde_json::Map<_, _>>(),
        })
    }
}

/// Does what the command line says.
pub(crate) fn explore(given: impl Iterator<Item = String>) -> Result<(), String> {
    let given: Vec<String> = given.collect();
    if let Some(("--once", rest)) = given.split_first().map(|(first, rest)| (first.as_str(), rest))
    {
        return once(rest);
    }
    let arguments = arguments(given.into_iter())?;
    let mut machine = Machine::look_without_device();
    machine.facts.push(("stateright", stateright_version().to_owned()));
    let mut cases = Vec::new();
    for (kind, sizes) in CASES {
        for size in sizes {
            cases.push(measure(kind, size, arguments.rounds)?);
        }
    }
    finish(&arguments, &machine, &cases)
}

/// The version that this was built with.
fn stateright_version() -> &'static str {
    let locked = include_str!("../../../../Cargo.lock");
    let entry = locked.split_once("name = \"stateright\"\nversion = \"");
    entry.and_then(|(_, rest)| rest.split('"').next()).unwrap_or("unknown")
}

fn measure(kind: Kind, size: u8, count: usize) -> Result<Case, String> {
    let mut rounds = Vec::new();
    for round in 0..count {
        eprintln!("{}, round {} of {count}", kind.said(size), round + 1);
        let mut explored = Vec::new();
        for way in WAYS {
            explored.push(run(way, kind, size)?);
        }
        let first = (explored[0].states, explored[0].transitions);
        if explored.iter().any(|other| (other.states, other.transitions) != first) {
            return Err(format!("not all ways saw the same states of {}", kind.said(size)));
        }
        // Cannot fail: there is one for each way.
        rounds.extend(<[Explored; WAYS.len()]>::try_from(explored).ok());
    }
    Ok(Case { kind, size, rounds })
}

fn run(way: Way, kind: Kind, size: u8) -> Result<Explored, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(own);
    command.args(["explore", "--once", way.word(), kind.word(), &size.to_string()]);
    let spent = spend(&mut command, LIMIT)?;
    if spent.status != 0 {
        return Err(format!("{} failed: {}", way.name(), spent.stderr.trim()));
    }
    let said: Value = serde_json::from_str(&spent.stdout).map_err(|error| error.to_string())?;
    let number = |name: &str| said[name].as_f64();
    let missing = || format!("{} did not say what it did", way.name());
    Ok(Explored {
        states: number("states").ok_or_else(missing)?,
        transitions: number("transitions").ok_or_else(missing)?,
        seconds: number("seconds").ok_or_else(missing)?,
        bytes: number("bytes"),
        spent,
    })
}

fn finish(arguments: &Arguments, machine: &Machine, cases: &[Case]) -> Result<(), String> {
    let goals = rows::goals(cases);
    let table = [rows::measured(cases), rows::goals_table(&goals)].join("\n");
    let run = Run {
        command: format!("unwedge-bench explore --rounds {}", arguments.rounds),
        about: rows::ABOUT,
        rows: &goals,
        table: &table,
        raw: Some(cases.iter().map(Case::json).collect()),
    };
    arguments.place.finish("-explore", machine, &run)
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut arguments = Arguments { rounds: 3, place: Place::default() };
    while let Some(option) = given.next() {
        let mut value = || given.next().ok_or_else(|| format!("{option} needs a value\n{USAGE}"));
        if arguments.place.takes(&option, &mut value)? {
            continue;
        }
        match option.as_str() {
            "--rounds" => arguments.rounds = keep::positive(&option, &value()?)?,
            _ => return Err(USAGE.to_owned()),
        }
    }
    Ok(arguments)
}
