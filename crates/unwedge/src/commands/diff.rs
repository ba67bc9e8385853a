//! `unwedge diff`: are two recordings the same run, and if not, where do they part?

mod reading;

use std::fs::File;
use std::io::{self, Read as _};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use clap::Args;
use unwedge_analyze::diff::{
    Choice, Difference, Finder, Given, Likeness, Options, Search, Side, Times, compare,
};

use crate::error::Error;
use crate::output::Target;
use crate::traces::{self, Input, Progress};
use crate::{report, terminal};
use reading::Reading;

/// Compares two recordings: says whether they are the same run, and if not, where they part.
///
/// Times, process and thread ids and handles are left out of the comparison. Two recordings of one run are bit-identical. Else
/// agents and objects are matched (by id, by name, by order), loops of polls are folded, and each agent's steps are
/// compared: where they part first, which signals one side never sends, which waits are met on one side only.
///
/// The exit status is 0 if they are the same, apart from times and what depends on them; 1 if they differ; 2 on errors.
#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The first recording: the one that is in question. Whatever `unwedge explain` reads, of any size; - for
    /// standard input.
    #[arg(value_name = "A")]
    a: PathBuf,

    /// The second: what it is compared with.
    #[arg(value_name = "B")]
    b: PathBuf,

    #[command(flatten)]
    choice: traces::Choice,

    /// An agent or object of A is this one of B; each is named by its name, id or address.
    #[arg(long = "match", value_name = "A=B", value_parser = pair)]
    matches: Vec<(String, String)>,

    /// The same from a file: a line `A=B` for each; lines that begin with # are remarks.
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,

    /// What was changed between the two, for the answer: "the reciprocal clear".
    #[arg(long, value_name = "TEXT")]
    change: Option<String>,

    /// Times are virtual: compare them, too. That goes without saying where a profile says so.
    #[arg(long)]
    times: bool,

    /// Only the very same run is the same: another interleaving, or other counts of polls, differ.
    #[arg(long)]
    exact: bool,

    /// The recordings are stretches of what happened, so they may begin and end anywhere. This goes without saying for
    /// those of the Vulkan layer, black boxes, ftrace, kernel logs and dumps.
    #[arg(long)]
    partial: bool,

    /// Events that are shown around the first that differs.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(..=100))]
    context: u16,

    /// Write the difference as JSON; to standard output, instead of the text, without FILE.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    json: Option<PathBuf>,

    /// Write the difference as one HTML page.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// Longest map. Bytes.
const MAP_BYTES_MAX: u64 = 16 << 20;
impl Diff {
    /// Compares them.
    ///
    /// # Errors
    /// When one of them, or the map, cannot be read.
    pub(crate) fn execute(&self) -> Result<ExitCode, Error> {
        let json = self.json.as_deref().map(|path| Target::open("--json", path)).transpose()?;
        let html = self.html.as_deref().map(|path| Target::open("--html", path)).transpose()?;
        let given = Given { pairs: self.pairs()? };
        let mut readings = self.open()?;
        let options = Options { context: usize::from(self.context) };
        let [a, b] = sides(&mut readings, &options)?;
        readings.iter().try_for_each(Reading::tell)?;
        let virtual_clock = readings.iter().any(Reading::has_virtual_clock);
        let choice = Choice {
            names: [&self.a, &self.b].map(|path| path.display().to_string()),
            given,
            partial: self.partial || readings.iter().any(Reading::is_stretch),
            times: if self.times || virtual_clock { Times::Compare } else { Times::Ignore },
            change: self.change.clone(),
        };
        let (mut difference, search) = compare(&a, &b, &choice);
        if !search.is_empty() {
            locate(&mut difference, &search, &readings, [&a, &b]);
        }
        let stdout =
            [&json, &html].into_iter().any(|target| matches!(target, Some(Target::Stdout)));
        if !stdout {
            let text = report::difference_text(&difference, terminal::style(&io::stdout()));
            // Whoever closes standard output has read enough.
            let _ = io::Write::write_all(&mut io::stdout(), text.as_bytes());
        }
        if let Some(target) = json {
            target.write("JSON report", report::difference_json(&difference).as_bytes());
        }
        if let Some(target) = html {
            target.write("HTML report", report::difference_html(&difference).as_bytes());
        }
        Ok(ExitCode::from(u8::from(!self.is_same(&difference))))
    }

    fn open(&self) -> Result<[Reading; 2], Error> {
        if [&self.a, &self.b].iter().all(|path| path.as_os_str() == "-") {
            let why = "standard input can be one of the two only".to_owned();
            let hint = "put one of them into a file".into();
            return Err(Error::Input { path: self.b.clone(), why, hint });
        }
        Ok([Reading::open(&self.a, &self.choice)?, Reading::open(&self.b, &self.choice)?])
    }

    fn is_same(&self, difference: &Difference) -> bool {
        if self.exact { difference.likeness == Likeness::Identical } else { difference.same }
    }

    /// Who is who, from both options.
    fn pairs(&self) -> Result<Vec<(String, String)>, Error> {
        let mut pairs = self.matches.clone();
        let Some(path) = &self.map else { return Ok(pairs) };
        let bad = |why: String| Error::Input {
            path: path.clone(),
            why,
            hint: "a map has a line A=B for each agent or object".into(),
        };
        let file = File::open(path).map_err(|error| bad(error.to_string()))?;
        let mut text = String::new();
        let read = file.take(MAP_BYTES_MAX).read_to_string(&mut text);
        read.map_err(|error| bad(error.to_string()))?;
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            pairs.push(pair(line).map_err(|why| bad(format!("line {number}: {why}")))?);
        }
        Ok(pairs)
    }
}

/// `0x10e8=0x2f40`.
fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((a, b)) if !a.trim().is_empty() && !b.trim().is_empty() => {
            Ok((a.trim().to_owned(), b.trim().to_owned()))
        }
        _ => Err(format!("{text:?} is not of the form A=B")),
    }
}

/// Processors that there are.
fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Reads both at the same time. First only as much as it takes to see that they are not one run: if they are, that is
/// all that there is to say, and it takes half the time.
fn sides(readings: &mut [Reading; 2], options: &Options) -> Result<[Side; 2], Error> {
    if readings.iter().all(Reading::lies_ready) {
        let [a, b] = read_both(readings, || Side::of_hashes(options))?;
        if a.is_one_run_with(&b) {
            return Ok([a, b]);
        }
    }
    read_both(readings, || Side::new(options))
}

/// Reads both to their ends, or until they are seen to differ if that is all that their sides can tell.
fn read_both(
    readings: &mut [Reading; 2],
    fresh: impl Fn() -> Side + Sync,
) -> Result<[Side; 2], Error> {
    // Beside the two threads that take what is read.
    let ahead = processors().saturating_sub(2) / 2;
    let race = Race::default();
    let read = |place: usize, reading: &mut Reading, progress: Progress| {
        let mut side = fresh();
        reading.read(ahead, &progress, |batch| {
            side.fold(batch);
            if side.is_of_hashes() {
                race.at(place, side.checks())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        side.finish(reading.ended.now.map(|now| now.0));
        Ok::<Side, Error>(side)
    };
    let [a, b] = readings;
    let [bar_a, bar_b] = Progress::pair_on_terminal(["reading A", "reading B"]);
    let (a, b) = both(|| read(0, a, bar_a), || read(1, b, bar_b));
    Ok([a?, b?])
}

/// Two sides that are read at the same time, to see as soon as possible whether they differ.
#[derive(Default)]
struct Race(Mutex<Known>);

#[derive(Default)]
struct Known {
    checks: [Vec<u64>; 2],
    differ: bool,
}

impl Race {
    /// A side has come so far; it ends when the two are known to differ.
    fn at(&self, place: usize, checks: &[u64]) -> ControlFlow<()> {
        // A panic of the other thread leaves the lists whole.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known.checks[place].len();
        known.checks[place].extend_from_slice(&checks[before..]);
        let [a, b] = &known.checks;
        known.differ |= a.iter().zip(b).skip(before).any(|(a, b)| a != b);
        if known.differ { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Looks for the first event that differs, in a second pass, which ends there.
fn locate(
    difference: &mut Difference,
    search: &Search,
    readings: &[Reading; 2],
    [a, b]: [&Side; 2],
) {
    let again = |reading: &Reading, letter: &str| {
        let why = match reading.again() {
            Ok(Some(input)) => return Ok(input),
            Ok(None) => "it came through a pipe and is too long to be kept; name a file".to_owned(),
            Err(error) => error.to_string(),
        };
        Err(format!(
            "which event is the first that differs is not told, for {letter} cannot be read again: {why}"
        ))
    };
    let (input_a, input_b) = match (again(&readings[0], "A"), again(&readings[1], "B")) {
        (Ok(input_a), Ok(input_b)) => (input_a, input_b),
        (Err(note), _) | (_, Err(note)) => return difference.notes.push(note),
    };
    let find = |input: Input, finder: &mut Finder<'_>, progress: Progress| {
        input.until(processors(), &progress, |batch| {
            finder.fold(batch);
            if finder.is_done() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
    };
    // One after the other: how far A had to be read says how far B must be.
    let mut in_a = search.in_a(a);
    find(input_a, &mut in_a, Progress::on_terminal("searching A"));
    let mut in_b = search.in_b(b, &in_a);
    find(input_b, &mut in_b, Progress::on_terminal("searching B"));
    difference.locate(&in_a, &in_b);
}

/// Does two things, each on a thread of its own.
fn both<X: Send, Y>(one: impl FnOnce() -> X + Send, other: impl FnOnce() -> Y) -> (X, Y) {
    let place = Mutex::new(None);
    let second = std::thread::scope(|scope| {
        scope.spawn(|| {
            let first = one();
            if let Ok(mut place) = place.lock() {
                *place = Some(first);
            }
        });
        other()
    });
    // The scope ends when its thread has, and passes a panic of it on.
    let first = place.into_inner().unwrap_or_else(PoisonError::into_inner);
    let Some(first) = first else { unreachable!("the thread has left its result") };
    (first, second)
}
