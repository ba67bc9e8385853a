//! `unwedge-bench terminal`: how long from a key to the screen, and how long for a frame, beside other terminals?

mod answer;
mod contenders;
mod measure;
mod rows;
mod running;
mod screen;

use std::path::{Path, PathBuf};

use crate::figures;
use crate::keep::{self, Place, Run};
use crate::machine::Machine;

const USAGE: &str = "usage: unwedge-bench terminal [--rounds N] [--program FILE] [--machine NAME] [--out FOLDER | --no-keep]

Measures examples/terminal (FILE, or unwedge-terminal beside this program) and the terminals of Debian that are installed, all on
one X server in memory (Xvfb).";

const ABOUT: &str = "Keys are pressed through XTEST, one after the other, and the window's pixels are looked at whenever the server says that
they changed, until they are those that the answer to the key leaves in the end. The terminals run at once, each in a window of 800 × 600
pixels without any configuration, and take turns. In each runs the same program, which answers a key with two letters, with a whole
screen of coloured letters, or with a long text. Processor time is that of the terminal and of the X server, and of looking.
";

/// What was asked for.
struct Arguments {
    rounds: usize,
    /// The terminal of this project.
    program: Option<PathBuf>,
    place: Place,
}

/// Does what the command line says.
pub(crate) fn terminal(given: impl Iterator<Item = String>) -> Result<(), String> {
    let mut given = given.peekable();
    if given.next_if(|first| first == "--answer").is_some() {
        let report = given.next().ok_or("--answer needs a file")?;
        return answer::answer(Path::new(&report));
    }
    let arguments = arguments(given)?;
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let program = arguments.program.unwrap_or_else(|| own.with_file_name("unwedge-terminal"));
    let machine = Machine::look();
    let measured = measure::measure(program, arguments.rounds)?;
    let rows = rows::rows(&measured);
    let headings = ["what", "median, 95 of 100", "processor time", "figure", "goal", "verdict"];
    let table = figures::table(headings, &rows);
    let command = format!("unwedge-bench terminal --rounds {}", arguments.rounds);
    let run = Run { command, about: ABOUT, rows: &rows, table: &table, raw: None };
    arguments.place.finish("-terminal", &machine, &run)
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut arguments = Arguments { rounds: 10, program: None, place: Place::default() };
    while let Some(option) = given.next() {
        let mut value = || given.next().ok_or_else(|| format!("{option} needs a value\n{USAGE}"));
        if arguments.place.takes(&option, &mut value)? {
            continue;
        }
        match option.as_str() {
            "--rounds" => arguments.rounds = keep::positive(&option, &value()?)?,
            "--program" => arguments.program = Some(value()?.into()),
            _ => return Err(USAGE.to_owned()),
        }
    }
    Ok(arguments)
}
