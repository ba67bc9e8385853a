//! Where do reports go besides the terminal? `--json`, `--html` and `--trace`.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use unwedge_trace::jsonl;

use crate::error::Error;
use crate::watch::Examination;
use crate::{report, terminal};

/// The files that were asked for.
#[derive(Debug, Default)]
pub(crate) struct Outputs {
    json: Option<Target>,
    html: Option<Target>,
    trace: Option<Target>,
}

/// A place for a report.
#[derive(Debug)]
pub(crate) enum Target {
    Stdout,
    File(PathBuf),
}

impl Outputs {
    /// Checks that each file can be written, before anything else happens.
    ///
    /// # Errors
    /// Names the first that cannot.
    pub(crate) fn open(
        json: Option<&Path>,
        html: Option<&Path>,
        trace: Option<&Path>,
    ) -> Result<Self, Error> {
        Ok(Self {
            json: json.map(|path| Target::open("--json", path)).transpose()?,
            html: html.map(|path| Target::open("--html", path)).transpose()?,
            trace: trace.map(|path| Target::open("--trace", path)).transpose()?,
        })
    }

    /// Whether anything was asked for.
    pub(crate) fn any(&self) -> bool {
        self.json.is_some() || self.html.is_some() || self.trace.is_some()
    }

    /// Whether standard output is one of the places.
    pub(crate) fn on_stdout(&self) -> bool {
        let all = [&self.json, &self.html, &self.trace];
        all.into_iter().any(|target| matches!(target, Some(Target::Stdout)))
    }

    /// Writes what goes into files, at once: the program may take the machine down with it.
    pub(crate) fn write_now(&self, examination: &Examination) {
        self.write(examination, false);
    }

    /// Writes everything.
    pub(crate) fn write_last(&self, examination: &Examination) {
        self.write(examination, true);
    }

    fn write(&self, examination: &Examination, last: bool) {
        let Examination { report, recording, shows_counts } = examination;
        let wanted = |target: &Target| last || matches!(target, Target::File(_));
        if let Some(target) = self.json.as_ref().filter(|target| wanted(target)) {
            let mut text = report::json(report);
            if !text.ends_with('\n') {
                text.push('\n');
            }
            target.write("JSON report", text.as_bytes());
        }
        if let Some(target) = self.html.as_ref().filter(|target| wanted(target)) {
            let html = if *shows_counts { report::trace_html } else { report::html };
            target.write("HTML report", html(report, recording).as_bytes());
        }
        if let Some(target) = self.trace.as_ref().filter(|target| wanted(target)) {
            let mut lines = Vec::new();
            // Writing into memory cannot fail.
            let _ = jsonl::write(recording, &mut lines);
            target.write("recording", &lines);
        }
    }
}

impl Target {
    /// Checks that it can be written.
    ///
    /// # Errors
    /// When it cannot.
    pub(crate) fn open(option: &'static str, path: &Path) -> Result<Self, Error> {
        if path == Path::new("-") {
            return Ok(Self::Stdout);
        }
        let executable = path
            .metadata()
            .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0);
        if executable {
            return Err(Error::OutputIsProgram { option, path: path.to_owned() });
        }
        let opened = OpenOptions::new().create(true).append(true).open(path);
        opened.map_err(|source| Error::Output { option, path: path.to_owned(), source })?;
        Ok(Self::File(path.to_owned()))
    }

    /// Writes it; a failure is a warning.
    pub(crate) fn write(&self, what: &str, bytes: &[u8]) {
        let written = match self {
            Self::Stdout => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(bytes).and_then(|()| stdout.flush())
            }
            Self::File(path) => std::fs::write(path, bytes),
        };
        let Err(error) = written else { return };
        let place = match self {
            Self::Stdout => "standard output".to_owned(),
            Self::File(path) => path.display().to_string(),
        };
        if error.kind() != io::ErrorKind::BrokenPipe {
            terminal::warn(&format!("the {what} was not written to {place}: {error}"), None);
        }
    }
}
