//! `unwedge-bench traces`: how long do explain, import and diff take, beside what else reads such files?

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::files::Files;
use super::hot::EVENTS;
use super::process::Spent;
use super::ways::{Readers, WAYS, Way, scanned};
use super::{Kind, rows};
use crate::keep::{Place, Run};
use crate::machine::{Machine, said};

const USAGE: &str = "usage: unwedge-bench traces [--events N] [--scales] [--rounds N] [--only hot|varied] [--dir FOLDER]
                           [--python PROGRAM] [--machine NAME] [--out FOLDER | --no-keep]

Writes traces of an emulator's guest kernel and measures, whole processes and alternating, what unwedge,
DuckDB and wc take to read them. --events: lines of a trace, 6569182 by default (1.6 GB); the incident's are
65691821 (16 GB). --scales: a hundredth, a tenth and all of --events. --dir keeps the traces there for the
next time; else they are taken away. --python: a Python that has DuckDB.";

/// From so many lines on a round takes minutes, and one has to do.
const EVENTS_OF_ONE_ROUND: u64 = 30_000_000;

struct Arguments {
    events: u64,
    scales: bool,
    rounds: Option<usize>,
    kinds: Vec<Kind>,
    folder: Option<PathBuf>,
    python: Option<PathBuf>,
    place: Place,
}

/// What came of all ways on the files of one kind and size.
pub(crate) struct Case {
    pub(crate) kind: Kind,
    pub(crate) events: u64,
    pub(crate) bytes: u64,
    pub(crate) store_bytes: u64,
    /// The rounds of each way, or why there are none.
    pub(crate) ways: Vec<(Way, Result<Vec<Spent>, String>)>,
}

impl Case {
    pub(crate) fn rounds(&self, way: Way) -> Result<&[Spent], &str> {
        let found = self.ways.iter().find(|(other, _)| *other == way);
        found.map_or(Err("not measured"), |(_, rounds)| match rounds {
            Ok(rounds) => Ok(rounds),
            Err(why) => Err(why),
        })
    }

    fn json(&self) -> Value {
        let ways = self.ways.iter().map(|(way, rounds)| {
            let rounds = match rounds {
                Ok(rounds) => rounds.iter().map(Spent::json).collect(),
                Err(why) => json!({ "missing": why }),
            };
            (way.name().to_owned(), rounds)
        });
        json!({
            "trace": self.kind.name(),
            "events": self.events,
            "bytes": self.bytes,
            "store_bytes": self.store_bytes,
            "ways": ways.collect::<serde_json::Map<_, _>>(),
        })
    }
}

/// Does what the command line says.
pub(crate) fn traces(given: impl Iterator<Item = String>) -> Result<(), String> {
    let arguments = arguments(given)?;
    let readers = Readers::find(arguments.python.clone())?;
    let machine = Machine::look_without_device();
    let temporary = tempfile::Builder::new().prefix("unwedge-bench-traces-").tempdir();
    let temporary = temporary.map_err(|error| error.to_string())?;
    let folder = arguments.folder.as_deref().unwrap_or(temporary.path());
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let sizes = match arguments.scales {
        true => vec![arguments.events / 100, arguments.events / 10, arguments.events],
        false => vec![arguments.events],
    };
    let mut cases = Vec::new();
    for events in sizes {
        for kind in &arguments.kinds {
            let files = Files::get(folder, *kind, events)?;
            cases.push(measure(&readers, &files, arguments.rounds));
            files.remove_store();
            if arguments.folder.is_none() {
                files.remove();
            }
        }
    }
    finish(&arguments, machine, &cases)
}

/// All ways, alternating. One that gave no figure is not tried again.
fn measure(readers: &Readers, files: &Files, rounds: Option<usize>) -> Case {
    let few = files.events >= EVENTS_OF_ONE_ROUND;
    let rounds = rounds.unwrap_or(if few { 1 } else { 3 });
    let mut ways: Vec<(Way, Result<Vec<Spent>, String>)> =
        WAYS.into_iter().map(|way| (way, Ok(Vec::new()))).collect();
    for round in 0..rounds {
        for (way, done) in &mut ways {
            let Ok(so_far) = done else { continue };
            eprintln!(
                "{}, {} events, round {} of {rounds}: {}",
                files.kind.name(),
                files.events,
                round + 1,
                way.name()
            );
            match way.run(readers, files) {
                Ok(spent) => so_far.push(spent),
                Err(why) => {
                    eprintln!("  {why}");
                    *done = Err(why);
                }
            }
        }
    }
    let (kind, events, bytes) = (files.kind, files.events, files.bytes);
    Case { kind, events, bytes, store_bytes: files.store_bytes(), ways }
}

fn finish(arguments: &Arguments, mut machine: Machine, cases: &[Case]) -> Result<(), String> {
    let scans = cases.iter().filter_map(|case| scanned(case.rounds(Way::DuckDb).ok()?.first()?));
    let mut duckdb = scans.map(|scan| {
        let version = scan["version"].as_str().unwrap_or("unknown").to_owned();
        format!("{version}, {} threads", scan["threads"])
    });
    machine.facts.push(("DuckDB", duckdb.next().unwrap_or_else(|| "none".to_owned())));
    machine.facts.push(("wc", said("wc", &["--version"])));
    let goals = rows::goals(cases);
    let tables = [rows::measured(cases), rows::goals_table(&goals)].join("\n");
    let table = tables + &rows::missing(cases);
    let scales = if arguments.scales { " --scales" } else { "" };
    let run = Run {
        command: format!("unwedge-bench traces --events {}{scales}", arguments.events),
        about: rows::ABOUT,
        rows: &goals,
        table: &table,
        raw: Some(cases.iter().map(Case::json).collect()),
    };
    arguments.place.finish("-traces", &machine, &run)
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut arguments = Arguments {
        events: EVENTS / 10,
        scales: false,
        rounds: None,
        kinds: vec![Kind::Hot, Kind::Varied],
        folder: None,
        python: None,
        place: Place::default(),
    };
    while let Some(option) = given.next() {
        let mut value = || given.next().ok_or_else(|| format!("{option} needs a value\n{USAGE}"));
        if arguments.place.takes(&option, &mut value)? {
            continue;
        }
        let number = |text: String| {
            let number = text.parse::<u64>().ok().filter(|number| *number > 0);
            number.ok_or_else(|| format!("{text} is not a positive number"))
        };
        match option.as_str() {
            "--events" => arguments.events = number(value()?)?,
            "--scales" => arguments.scales = true,
            "--rounds" => arguments.rounds = Some(number(value()?)? as usize),
            "--only" => arguments.kinds = vec![Kind::from_name(&value()?).ok_or(USAGE)?],
            "--dir" => arguments.folder = Some(value()?.into()),
            "--python" => arguments.python = Some(value()?.into()),
            _ => return Err(USAGE.to_owned()),
        }
    }
    Ok(arguments)
}

impl Readers {
    /// unwedge lies beside this program; its Python two folders above, where make bench puts it.
    fn find(python: Option<PathBuf>) -> Result<Self, String> {
        let own = std::env::current_exe().map_err(|error| error.to_string())?;
        let unwedge = own.with_file_name("unwedge");
        if !unwedge.is_file() {
            return Err(format!(
                "{} is not there: run make bench, which builds it",
                unwedge.display()
            ));
        }
        let beside = || {
            let target = own.parent().and_then(Path::parent)?;
            Some(target.join("python/bin/python")).filter(|python| python.exists())
        };
        let python = python.or_else(beside).unwrap_or_else(|| "python3".into());
        Ok(Self { unwedge, python })
    }
}
