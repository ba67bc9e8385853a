//! `unwedge explain`: explains a black box, or a recording, that is there already.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use unwedge_analyze::{Options, Verdict, analyze};
use unwedge_trace::blackbox::MAGIC;
use unwedge_trace::jsonl;

use crate::error::Error;
use crate::output::Outputs;
use crate::sources::observations::ProcessState;
use crate::watch::{Examination, Patient};
use crate::{clock, duration, report, terminal};

/// Explains a black box that a process has left, or is writing, or a recording.
///
/// A black box is a file PID-START.blackbox, as `unwedge run --keep` leaves it and as every program
/// writes it that is started with UNWEDGE_WATCH=1 after `unwedge layer install`. The process of a live
/// one is looked at twice, a second apart, and is not disturbed.
///
/// The exit status is 0 if nothing was found, 1 if something was, 2 on errors, 3 if the evidence is not
/// enough.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The black box, or a recording in JSON Lines; - for a recording on standard input.
    #[arg(value_name = "PATH")]
    path: PathBuf,

    /// Leave waits in peace that are younger than this. By default 1s for a process that lives, and nothing for
    /// one that has ended.
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    deadline: Option<String>,

    /// Write the report as JSON; to standard output, instead of the text, without FILE.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    json: Option<PathBuf>,

    /// Write the report as one HTML page.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// Write the events that the report was drawn from, as JSON Lines.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
}

/// Patience with a living process. Nanoseconds.
const PATIENCE_LIVE: u64 = 1_000_000_000;
/// Looks at a living process, and the time between them: together a second.
const LOOKS: u32 = 4;
const BETWEEN_LOOKS: Duration = Duration::from_millis(250);

impl Explain {
    /// Explains it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn execute(&self) -> Result<ExitCode, Error> {
        let option = "--deadline";
        let deadline = self.deadline.as_deref().map(duration::parse).transpose();
        let deadline = deadline.map_err(|source| Error::Duration { option, source })?;
        let outputs =
            Outputs::open(self.json.as_deref(), self.html.as_deref(), self.trace.as_deref())?;
        let examination = self.examination(deadline)?;
        if !outputs.on_stdout() {
            let text = report::text(&examination.report, terminal::style(&io::stdout()));
            // Whoever closes standard output has read enough.
            let _ = io::Write::write_all(&mut io::stdout(), text.as_bytes());
        }
        outputs.write_last(&examination);
        Ok(ExitCode::from(match examination.report.verdict {
            _ if !examination.report.findings.is_empty() => 1,
            Verdict::Wedged => 1,
            Verdict::Inconclusive => 3,
            Verdict::Progressing => 0,
        }))
    }

    fn examination(&self, deadline: Option<u64>) -> Result<Examination, Error> {
        if self.path == Path::new("-") {
            return self.recording(&mut BufReader::new(io::stdin()), deadline);
        }
        let file = File::open(&self.path).map_err(|error| self.unreadable(&error))?;
        let mut input = BufReader::new(file);
        let start = input.fill_buf().map_err(|error| self.unreadable(&error))?;
        if start.starts_with(&MAGIC.to_ne_bytes()) {
            return self.black_box(deadline);
        }
        match start.first() {
            None => Err(self.bad("it is empty")),
            Some(b'{') => self.recording(&mut input, deadline),
            Some(_) => Err(self.bad("neither a black box nor a recording in JSON Lines")),
        }
    }

    fn recording(
        &self,
        input: &mut impl BufRead,
        deadline: Option<u64>,
    ) -> Result<Examination, Error> {
        // A bound on what a stream may make us keep in memory.
        let mut input = BoundedLines { input: input.take(RECORDING_BYTES_MAX), length: 0 };
        let read = jsonl::read(&mut input).map_err(|error| self.bad(&error.to_string()));
        let (recording, complaints) = read?;
        for complaint in complaints {
            terminal::note(&format!("{}: {complaint}", self.path.display()));
        }
        let report = analyze(&recording, &Options { patience_ns: deadline.unwrap_or(0) });
        Ok(Examination { report, recording })
    }

    fn black_box(&self, deadline: Option<u64>) -> Result<Examination, Error> {
        let bad = |error: crate::sources::boxfile::BoxError| self.bad(&error.to_string());
        let mut patient = Patient::open(&self.path).map_err(bad)?;
        match patient.state() {
            ProcessState::Gone => patient.autopsy(deadline.unwrap_or(0)).map_err(bad),
            ProcessState::Running | ProcessState::Stopped | ProcessState::Unknown => {
                let mut now = clock::now();
                patient.glance_at_locks(now);
                for _ in 0..LOOKS {
                    patient.sample(now);
                    std::thread::sleep(BETWEEN_LOOKS);
                    now = clock::now();
                }
                patient.refresh();
                patient.examine(now, deadline.unwrap_or(PATIENCE_LIVE)).map_err(bad)
            }
        }
    }

    fn bad(&self, why: &str) -> Error {
        let hint =
            "a black box is left by unwedge run --keep, a recording by unwedge run --trace FILE";
        Error::Input { path: self.path.clone(), why: why.to_owned(), hint }
    }

    fn unreadable(&self, error: &io::Error) -> Error {
        let hint = match error.kind() {
            io::ErrorKind::IsADirectory => "name a file in it: a black box is PID-START.blackbox",
            io::ErrorKind::PermissionDenied => "it is another user's: be that user, or use sudo",
            _ => return self.bad(&error.to_string()),
        };
        Error::Input { path: self.path.clone(), why: error.to_string(), hint }
    }
}

/// Gives up in a line without an end, which would otherwise be read into memory whole.
struct BoundedLines<R> {
    input: R,
    /// Bytes of the line so far.
    length: usize,
}

impl<R: BufRead> io::Read for BoundedLines<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(bytes)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for BoundedLines<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.length > LINE_BYTES_MAX {
            return Err(io::Error::other("it has a line that is longer than any of a recording"));
        }
        self.input.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        // What was filled is there still: nothing is read here.
        let consumed = self.input.fill_buf().ok().and_then(|bytes| bytes.get(..amount));
        let newline = consumed.and_then(|bytes| bytes.iter().rposition(|byte| *byte == b'\n'));
        self.length = newline.map_or(self.length + amount, |newline| amount - newline - 1);
        self.input.consume(amount);
    }
}

/// Longest recording that is read into memory. Bytes.
const RECORDING_BYTES_MAX: u64 = 4 << 30;
/// Longest line of one. Bytes.
const LINE_BYTES_MAX: usize = 16 << 20;
