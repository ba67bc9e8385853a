//! `unwedge diff`: are two recordings the same run, and if not, where do they part?

use std::fs::{self, File};
use std::io::{self, BufReader, Read as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;

use clap::Args;
use unwedge_analyze::diff::{
    Choice, Difference, Finder, Given, Likeness, Options, Side, Times, compare,
};
use unwedge_trace::row::{Batch, BatchBuilder};
use unwedge_trace::{Recording, jsonl};

use crate::error::Error;
use crate::output::Target;
use crate::{report, terminal};

/// Compares two recordings: says whether they are the same run, and if not, where they part.
///
/// Times, process and thread ids and handles are left out of the comparison. Two recordings of one run are bit-identical. Else
/// agents and objects are matched (by id, by name, by order), loops of polls are folded, and each agent's steps are
/// compared: where they part first, which signals one side never sends, which waits are met on one side only.
///
/// The exit status is 0 if they are the same, apart from times and what depends on them; 1 if they differ; 2 on errors.
#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The first recording: the one that is in question.
    #[arg(value_name = "A")]
    a: PathBuf,

    /// The second: what it is compared with.
    #[arg(value_name = "B")]
    b: PathBuf,

    /// An agent or object of A is this one of B; each is named by its name, id or address.
    #[arg(long = "match", value_name = "A=B", value_parser = pair)]
    matches: Vec<(String, String)>,

    /// The same from a file: a line `A=B` for each; lines that begin with # are remarks.
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,

    /// What was changed between the two, for the answer: "the reciprocal clear".
    #[arg(long, value_name = "TEXT")]
    change: Option<String>,

    /// Times are virtual: compare them, too.
    #[arg(long)]
    times: bool,

    /// Only the very same run is the same: another interleaving, or other counts of polls, differ.
    #[arg(long)]
    exact: bool,

    /// The recordings are stretches of what happened, so they may begin and end anywhere. This goes without saying for
    /// those of the Vulkan layer.
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
/// Longest recording that is read into memory. Bytes.
const RECORDING_BYTES_MAX: u64 = 4 << 30;
/// Events of a batch.
const BATCH_EVENTS: usize = 4096;

impl Diff {
    /// Compares them.
    ///
    /// # Errors
    /// When one of them, or the map, cannot be read.
    pub(crate) fn execute(&self) -> Result<ExitCode, Error> {
        let json = self.json.as_deref().map(|path| Target::open("--json", path)).transpose()?;
        let html = self.html.as_deref().map(|path| Target::open("--html", path)).transpose()?;
        let given = Given { pairs: self.pairs()? };
        let readings = [Reading::open(&self.a)?, Reading::open(&self.b)?];
        let times = if self.times { Times::Compare } else { Times::Ignore };
        let options = Options { times, context: usize::from(self.context) };
        let [a, b] = sides(&readings, &options);
        let choice = Choice {
            names: [self.a.display().to_string(), self.b.display().to_string()],
            given,
            partial: self.partial || readings.iter().any(|reading| reading.partial),
            change: self.change.clone(),
        };
        let (mut difference, search) = compare(&a, &b, &choice);
        if !search.is_empty() {
            let (mut in_a, mut in_b) = (search.in_a(&a), search.in_b(&b));
            both(|| find(&readings[0], &mut in_a), || find(&readings[1], &mut in_b));
            difference.locate(&in_a, &in_b);
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

/// Reads both at the same time.
fn sides(readings: &[Reading; 2], options: &Options) -> [Side; 2] {
    let read = |reading: &Reading| {
        let mut side = Side::new(options);
        reading.each(&mut |batch| {
            side.fold(batch);
            ControlFlow::Continue(())
        });
        side.finish(Some(reading.recording.header.now.0));
        side
    };
    let (a, b) = both(|| read(&readings[0]), || read(&readings[1]));
    [a, b]
}

fn find(reading: &Reading, finder: &mut Finder<'_>) {
    reading.each(&mut |batch| {
        finder.fold(batch);
        if finder.is_done() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
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
    let first = place.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(first) = first else { unreachable!("the thread has left its result") };
    (first, second)
}

/// A recording that can be read as often as need be.
struct Reading {
    recording: Recording,
    /// It is a stretch of what happened.
    partial: bool,
}

impl Reading {
    fn open(path: &Path) -> Result<Self, Error> {
        let bad = |why: String| Error::Input {
            path: path.to_owned(),
            why,
            hint: "a recording is left by unwedge run --trace FILE".into(),
        };
        let metadata = fs::metadata(path).map_err(|error| bad(error.to_string()))?;
        if metadata.is_dir() {
            return Err(bad("it is a folder".to_owned()));
        }
        let file = File::open(path).map_err(|error| bad(error.to_string()))?;
        let mut input = BufReader::new(file.take(RECORDING_BYTES_MAX));
        let read = jsonl::read(&mut input).map_err(|error| bad(error.to_string()));
        let (recording, complaints) = read?;
        for complaint in complaints {
            terminal::note(&format!("{}: {complaint}", path.display()));
        }
        let partial = recording.header.source.starts_with("vulkan layer");
        Ok(Self { recording, partial })
    }

    /// Passes its batches on until there are no more, or no more are wanted.
    fn each(&self, out: &mut dyn FnMut(&Batch) -> ControlFlow<()>) {
        let mut builder = BatchBuilder::default();
        for events in self.recording.events.chunks(BATCH_EVENTS) {
            events.iter().for_each(|event| builder.event(event));
            if out(&builder.take()).is_break() {
                return;
            }
        }
    }
}
