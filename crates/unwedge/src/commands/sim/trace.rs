//! Where does the trace of a run go? Into a file, a store, a pipe, or at once into an analysis.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use unwedge_analyze::{Options, Summary};
use unwedge_sim::scenarios::Size;
use unwedge_trace::Timestamp;
use unwedge_trace::jsonl::Header;
use unwedge_trace::row::Batch;

use super::Sim;
use super::aside::Aside;
use super::chosen::Chosen;
use super::world::{End, Told, each_batch};
use crate::commands::explain;
use crate::error::Error;
use crate::output::Outputs;
use crate::store;
use crate::watch::Examination;
use crate::{lines, report, terminal};

/// Runs the world, and writes or explains what it tells.
///
/// # Errors
/// When a file cannot be written.
pub(super) fn execute(sim: &Sim, chosen: &Chosen) -> Result<ExitCode, Error> {
    let outputs = Outputs::open(sim.json.as_deref(), None, None)?;
    if outputs.on_stdout() && sim.out.as_deref() == Some(Path::new("-")) {
        let why = "--out and --json cannot both go to standard output".to_owned();
        return Err(Error::Sim { why, hint: "name a file for one of them".to_owned() });
    }
    let world = chosen.world(Size::Full)?;
    let source = chosen.source(&format!(" --seed {} --events {}", sim.seed, sim.events));
    let mut told = Told::new(&world, sim.seed, sim.events);
    let tables = told.tables();
    let foresee = || Told::new(&world, sim.seed, sim.events).foresee();
    let place = sim.out.as_deref().map(|path| Place::of(path, sim.force)).transpose()?;
    let mut out = place.map(|place| Out::begin(place, &source, &tables, foresee)).transpose()?;
    let explains = sim.out.is_none() || sim.json.is_some();
    let mut summary = explains.then(Summary::default);
    summary.iter_mut().for_each(|summary| summary.fold(&tables));
    let as_lines = matches!(out, Some(Out::Lines { .. }));
    let end = each_batch(told, as_lines, |batch, lines| {
        summary.iter_mut().for_each(|summary| summary.fold(batch));
        out.as_mut().map_or(Ok(true), |out| out.take(batch, lines))
    })?;
    if let Some(out) = out {
        out.finish(&source, end)?;
    }
    let Some(summary) = summary else { return Ok(ExitCode::SUCCESS) };
    let examination = examine(&summary, &source, end);
    Ok(ExitCode::from(say(&examination, &outputs, sim.out.is_none())))
}

/// What `unwedge explain` would find of a trace.
pub(super) fn examine(summary: &Summary, source: &str, end: End) -> Examination {
    let options = Options { patience_ns: end.patience_ns() };
    let (report, recording) = summary.explained(source, Some(Timestamp(end.now)), &options);
    let shows_counts = summary.events() >= explain::COUNTED_EVENTS_MIN;
    Examination { report, recording, shows_counts }
}

/// Prints a report where it was asked for, and says which exit status it gives.
pub(super) fn say(examination: &Examination, outputs: &Outputs, on_stdout: bool) -> u8 {
    if on_stdout && !outputs.on_stdout() {
        let text = if examination.shows_counts { report::trace_text } else { report::text };
        let text = text(&examination.report, terminal::style(&io::stdout()));
        // Whoever closes standard output has read enough.
        let _ = io::stdout().write_all(text.as_bytes());
    }
    outputs.write_last(examination);
    explain::status(&examination.report)
}

/// Writes the trace that is in memory.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn write(
    path: &Path,
    force: bool,
    source: &str,
    batch: &Batch,
    end: End,
) -> Result<(), Error> {
    let tables = Batch { rows: Vec::new(), ..batch.clone() };
    let mut out = Out::begin(Place::of(path, force)?, source, &tables, || end)?;
    let mut lines = Vec::new();
    lines::rows(batch, &mut lines);
    out.take(batch, &lines)?;
    out.finish(source, end)
}

/// Where a trace is to be, and in which form.
pub(super) enum Place {
    Stdout,
    /// JSON Lines; whether the beginning can be written again at the end.
    Lines {
        path: PathBuf,
        file: File,
        is_regular: bool,
    },
    Store {
        path: PathBuf,
        writer: Box<store::Writer>,
    },
}

const OPTION: &str = "--out";
/// Endings of names that promise what is not kept.
const OTHER_FORMS: [(&str, &str); 5] = [
    ("zst", "--out - | zstd > FILE"),
    ("gz", "--out - | gzip > FILE"),
    ("xz", "--out - | xz > FILE"),
    ("parquet", "a store is a folder of Parquet files: name the folder"),
    ("json", "a trace is JSON Lines: name it .jsonl, or use - for standard output"),
];

impl Place {
    /// Opens the file, or begins the store.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn of(path: &Path, force: bool) -> Result<Self, Error> {
        if path == Path::new("-") {
            return Ok(Self::Stdout);
        }
        let is_lines = path.extension().is_some_and(|ending| ending == "jsonl");
        let there = path.metadata().ok();
        let is_file = there.as_ref().is_some_and(|metadata| !metadata.is_dir());
        if is_lines || is_file {
            let program = |metadata: &std::fs::Metadata| {
                metadata.is_file() && metadata.permissions().mode() & 0o111 != 0
            };
            if there.as_ref().is_some_and(program) {
                return Err(Error::OutputIsProgram { option: OPTION, path: path.to_owned() });
            }
            let opened = OpenOptions::new().write(true).create(true).truncate(true).open(path);
            let file = opened.map_err(|error| failed(path, error))?;
            let is_regular = file.metadata().is_ok_and(|metadata| metadata.is_file());
            return Ok(Self::Lines { path: path.to_owned(), file, is_regular });
        }
        let ending = path.extension().unwrap_or_default();
        if let Some((_, hint)) = OTHER_FORMS.iter().find(|(other, _)| ending == *other) {
            let why = format!("{OPTION}: {} would become a store, a folder", path.display());
            return Err(Error::Sim { why, hint: (*hint).to_owned() });
        }
        let writer = store::Writer::create(path, force)?;
        let writer = writer.with_summaries(Box::new(Aside::new()));
        Ok(Self::Store { path: path.to_owned(), writer: Box::new(writer) })
    }
}

fn failed(path: &Path, source: io::Error) -> Error {
    Error::Output { option: OPTION, path: path.to_owned(), source }
}

/// Takes a trace.
pub(super) enum Out {
    Lines {
        path: PathBuf,
        to: Box<dyn Write>,
        /// Where the end of the header can be written when it is known.
        patch: Option<(File, u64)>,
        bytes: u64,
    },
    Store {
        path: PathBuf,
        writer: Box<store::Writer>,
    },
}

impl Out {
    /// Begins a trace. `foresee` says how it will end, where that has to be known at the beginning.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn begin(
        place: Place,
        source: &str,
        tables: &Batch,
        foresee: impl FnOnce() -> End,
    ) -> Result<Self, Error> {
        let (path, mut to, again): (_, Box<dyn Write>, _) = match place {
            Place::Store { path, mut writer } => {
                writer.push(tables)?;
                return Ok(Self::Store { path, writer });
            }
            Place::Stdout => (PathBuf::from("-"), Box::new(io::stdout()), None),
            Place::Lines { path, file, is_regular } => {
                let again = if is_regular { file.try_clone().ok() } else { None };
                (path, Box::new(file), again)
            }
        };
        let end = if again.is_none() { foresee() } else { End::default() };
        let (mut beginning, at) = header(source, end);
        lines::introductions(tables, Timestamp(0), &mut beginning);
        goes_on(&path, to.write_all(&beginning))?;
        let (patch, bytes) = (again.map(|file| (file, at)), beginning.len() as u64);
        Ok(Self::Lines { path, to, patch, bytes })
    }

    /// Takes in rows, which are these lines; false if whoever reads has read enough.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(super) fn take(&mut self, batch: &Batch, lines: &[u8]) -> Result<bool, Error> {
        match self {
            Self::Store { writer, .. } => {
                writer.push(batch)?;
                Ok(true)
            }
            Self::Lines { path, to, bytes, .. } => {
                *bytes += lines.len() as u64;
                goes_on(path, to.write_all(lines))
            }
        }
    }

    /// Ends the trace, and says how large it is.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn finish(self, source: &str, end: End) -> Result<(), Error> {
        let (path, bytes) = match self {
            Self::Store { path, writer } => {
                let writer = writer.with_patience(Some(end.patience_ns()));
                let written = writer.finish(source, Some(Timestamp(end.now)))?;
                (path, written.bytes)
            }
            Self::Lines { path, mut to, patch, bytes } => {
                let patched = to.flush().and_then(|()| match patch {
                    Some((file, at)) => file.write_all_at(header_end(end).as_bytes(), at),
                    None => Ok(()),
                });
                goes_on(&path, patched)?;
                (path, bytes)
            }
        };
        if path != Path::new("-") {
            let (events, place) = (report::many(end.events, "event"), path.display());
            let seconds = report::duration(end.now as f64 / 1e6);
            let bytes = report::many(bytes, "byte");
            terminal::note(&format!("{place}: {events} in {seconds} of the world's time, {bytes}"));
        }
        Ok(())
    }
}

/// Whoever closes the pipe has read enough.
fn goes_on(path: &Path, written: io::Result<()>) -> Result<bool, Error> {
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(failed(path, error)),
    }
}

/// What a header without an end ends in.
const NO_END: &[u8] = b"0,\"patience_ns\":0}";

/// The header line, with room for any end, and where in it that is.
fn header(source: &str, end: End) -> (Vec<u8>, u64) {
    let header = Header::new(source, Timestamp(0)).with_patience(0);
    // A header has string keys only and no type that refuses to serialise.
    let mut line = serde_json::to_vec(&header).unwrap_or_default();
    line.truncate(line.len().saturating_sub(NO_END.len()));
    let at = line.len() as u64;
    line.extend_from_slice(header_end(end).as_bytes());
    (line, at)
}

/// The end of the header line, of one length whatever the end.
fn header_end(end: End) -> String {
    format!("{:>20},\"patience_ns\":{:>10}}}\n", end.now, end.patience_ns())
}
