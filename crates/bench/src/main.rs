//! What does the layer cost? The same calls, frames and programs with and without it, alternating, in one run.
//!
//! Prints a table of figures, goals and verdicts and keeps the run in `bench/runs/DATE-MACHINE/`. Figures are medians over
//! rounds, and each is compared with the bare one of its own round: what else the machine does, it does to both.

mod bounded;
mod calls;
mod display;
mod explore;
mod figures;
mod keep;
mod machine;
mod programs;
mod terminal;
mod traces;
mod waits;
mod worlds;

use std::path::PathBuf;
use std::process::ExitCode;

use figures::Row;
use keep::Place;

const USAGE: &str =
    "usage: unwedge-bench [--rounds N] [--only PART]... [--machine NAME] [--out FOLDER | --no-keep]

Measures what unwedge costs, beside other layers where they are installed, and prints a table with
goals and verdicts. The run is kept in bench/runs/DATE-MACHINE, or in FOLDER. The parts are calls,
vkcube, memory, watcher and report.

       unwedge-bench traces      what it takes to read large traces
       unwedge-bench generate    writes one
       unwedge-bench explore     how many states of a protocol are explored in a second
       unwedge-bench terminal    from key to screen, beside other terminals
       unwedge-bench waits       what bounded waits cost beside the raw calls
       unwedge-bench worlds      how fast worlds are written down and explored";

/// How the figures of this program's own parts came about.
const ABOUT: &str = "Each figure is the median over rounds of a comparison within one round, where the ways alternate. `run.json`
has the rounds. \"unwedge\" is `unwedge run`, watcher included; other tools' layers are
measured where they are installed and have no goal here.
";

const PARTS: [&str; 5] = ["calls", "vkcube", "memory", "watcher", "report"];

/// What was asked for.
struct Arguments {
    rounds: usize,
    /// Parts to measure; all of them where none is named.
    only: Vec<String>,
    place: Place,
}

/// The programs that are measured, which lie beside this one.
struct Tools {
    unwedge: PathBuf,
    scenario: PathBuf,
}

fn main() -> ExitCode {
    let mut given = std::env::args().skip(1).peekable();
    let verbs = ["explore", "generate", "terminal", "traces", "waits", "worlds"];
    let verb = given.next_if(|first| verbs.contains(&first.as_str()));
    let done = match verb.as_deref() {
        Some("explore") => explore::explore(given),
        Some("generate") => traces::generate(given),
        Some("terminal") => terminal::terminal(given),
        Some("waits") => waits::waits(given),
        Some("worlds") => worlds::worlds(given),
        Some(_) => traces::traces(given),
        None => arguments(given).and_then(|arguments| bench(&arguments)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("unwedge-bench: {problem}");
            ExitCode::from(2)
        }
    }
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut arguments = Arguments { rounds: 15, only: Vec::new(), place: Place::default() };
    while let Some(option) = given.next() {
        let mut value = || given.next().ok_or_else(|| format!("{option} needs a value\n{USAGE}"));
        if arguments.place.takes(&option, &mut value)? {
            continue;
        }
        match option.as_str() {
            "--rounds" => arguments.rounds = keep::positive(&option, &value()?)?,
            "--only" => {
                let part = value()?;
                if !PARTS.contains(&part.as_str()) {
                    return Err(format!("there is no part {part}\n{USAGE}"));
                }
                arguments.only.push(part);
            }
            _ => return Err(USAGE.to_owned()),
        }
    }
    Ok(arguments)
}

fn bench(arguments: &Arguments) -> Result<(), String> {
    let tools = Tools::find()?;
    let machine = machine::Machine::look();
    let display = display::Display::get();
    let asked =
        |part: &str| arguments.only.is_empty() || arguments.only.iter().any(|only| only == part);
    let mut rows = Vec::new();
    for part in PARTS.into_iter().filter(|part| asked(part)) {
        rows.extend(match part {
            "calls" => calls::measure(&tools, arguments.rounds)?,
            "vkcube" => programs::frames(&tools, &display, arguments.rounds * 2)?,
            "memory" => programs::memory(&tools)?,
            "watcher" => programs::watcher(&tools, &display)?,
            _ => programs::latency(&tools, 3)?,
        });
    }
    let headings = ["what", "bare", "with", "figure", "goal", "verdict"];
    let table = figures::table(headings, &rows);
    let command = format!("make bench (unwedge-bench --rounds {})", arguments.rounds);
    let run = keep::Run { command, about: ABOUT, rows: &rows, table: &table, raw: None };
    arguments.place.finish("", &machine, &run)
}

impl Tools {
    fn find() -> Result<Self, String> {
        let own = std::env::current_exe().map_err(|error| error.to_string())?;
        let beside = |name: &str| {
            let path = own.with_file_name(name);
            let missing =
                format!("{} is not there: run make bench, which builds it", path.display());
            path.is_file().then_some(path).ok_or(missing)
        };
        beside("libVkLayer_unwedge.so")?;
        Ok(Self { unwedge: beside("unwedge")?, scenario: beside("scenario")? })
    }
}

/// Rows of figures, or why there are none.
type Measured = Result<Vec<Row>, String>;
