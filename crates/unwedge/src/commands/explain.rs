//! `unwedge explain`: explains a black box, a recording, or a foreign trace, log or dump, that is there already.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use unwedge_analyze::{Options, Report, Verdict};
use unwedge_trace::blackbox::MAGIC;

use crate::error::Error;
use crate::output::Outputs;
use crate::sources::observations::ProcessState;
use crate::traces::{self, Choice, Input, Progress, Source};
use crate::watch::{Examination, Patient};
use crate::{clock, duration, report, terminal};

/// Explains a black box that a process has left, or is writing, or a trace, a log or a dump.
///
/// A black box is a file PID-START.blackbox, as `unwedge run --keep` leaves it and as every program
/// writes it that is started with UNWEDGE_WATCH=1 after `unwedge layer install`. The process of a live
/// one is looked at twice, a second apart, and is not disturbed.
///
/// Anything else is a trace of any size, in one of the formats that --format lists; which, its content says. It may be
/// compressed by zstd or gzip. What cannot be read of it is said, and the rest is explained.
///
/// The exit status is 0 if nothing was found, 1 if something was, 2 on errors, 3 if the evidence is not
/// enough.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The black box, trace, log or dump; - for a trace on standard input.
    #[arg(value_name = "PATH")]
    path: PathBuf,

    #[command(flatten)]
    choice: Choice,

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

/// Fewer events of a recording of ours are read rather than counted.
pub(super) const COUNTED_EVENTS_MIN: u64 = 10_000;
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
            let text = if examination.shows_counts { report::trace_text } else { report::text };
            let text = text(&examination.report, terminal::style(&io::stdout()));
            // Whoever closes standard output has read enough.
            let _ = io::Write::write_all(&mut io::stdout(), text.as_bytes());
        }
        outputs.write_last(&examination);
        Ok(ExitCode::from(status(&examination.report)))
    }

    fn examination(&self, deadline: Option<u64>) -> Result<Examination, Error> {
        if is_black_box(&self.path) {
            return black_box(&self.path, deadline);
        }
        let source = Source::at(&self.path)?;
        self.trace(Input::of(source, &self.choice)?, deadline)
    }

    /// Whatever is read event by event, of any size.
    fn trace(&self, input: Input, deadline: Option<u64>) -> Result<Examination, Error> {
        let (summary, ended) = input.summarise(&Progress::on_terminal("reading"));
        ended.tell(&self.path);
        ended.refuse_nothing(&self.path)?;
        let patience = || ended.patience_ns.unwrap_or_else(|| summary.patience_ns());
        let options = Options { patience_ns: deadline.unwrap_or_else(patience) };
        let (mut report, recording) = summary.explained(&ended.source, ended.now, &options);
        // Who waits may be told in what is gone.
        if ended.torn && report.verdict == Verdict::Progressing {
            report.verdict = Verdict::Inconclusive;
            report.missing.push("what was in the parts of the store that cannot be read".into());
        }
        let is_ours = ended.is_ours || ended.source.starts_with(super::sim::SOURCE);
        let shows_counts = !is_ours || summary.events() >= COUNTED_EVENTS_MIN;
        Ok(Examination { report, recording, shows_counts })
    }
}

/// The exit status that says what a report says.
pub(super) fn status(report: &Report) -> u8 {
    match report.verdict {
        _ if !report.findings.is_empty() => 1,
        Verdict::Wedged => 1,
        Verdict::Inconclusive => 3,
        Verdict::Progressing => 0,
    }
}

/// Examines a black box; the process of a live one is looked at for a second.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn black_box(path: &Path, deadline: Option<u64>) -> Result<Examination, Error> {
    let bad = |error: crate::sources::boxfile::BoxError| Error::Input {
        path: path.to_owned(),
        why: error.to_string(),
        hint: traces::HINT.into(),
    };
    let mut patient = Patient::open(path).map_err(bad)?;
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

/// Whether a black box is there; what is no regular file is none, and is not opened to find out.
pub(crate) fn is_black_box(path: &Path) -> bool {
    let mut start = [0; size_of::<u64>()];
    path.is_file()
        && File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok()
        && start == MAGIC.to_ne_bytes()
}
