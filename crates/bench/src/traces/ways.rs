//! In which ways is a trace read? unwedge's, DuckDB's, and counting its lines.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::Kind;
use super::files::{Files, warm};
use super::process::{Spent, spend};

/// None takes longer, at the full size on a slow machine.
const LIMIT: Duration = Duration::from_secs(900);
const SCAN: &str = include_str!("duckdb_scan.py");

/// A way to read a trace.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    Count,
    DuckDb,
    DuckDbTuned,
    Explain,
    Import,
    ExplainStore,
    Diff,
}

/// In the order in which a round takes them: what is explained from a store was imported before.
pub(crate) const WAYS: [Way; 7] = [
    Way::Count,
    Way::DuckDb,
    Way::Explain,
    Way::Import,
    Way::ExplainStore,
    Way::DuckDbTuned,
    Way::Diff,
];

/// The programs.
pub(crate) struct Readers {
    pub(crate) unwedge: PathBuf,
    /// A Python that has DuckDB.
    pub(crate) python: PathBuf,
}

impl Way {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Count => "wc -l",
            Self::DuckDb => "DuckDB",
            Self::DuckDbTuned => "DuckDB, tuned",
            Self::Explain => "explain",
            Self::Import => "import",
            Self::ExplainStore => "explain, from the store",
            Self::Diff => "diff",
        }
    }

    fn command(self, readers: &Readers, files: &Files) -> Result<Command, String> {
        let unwedge = |verb: &str, paths: &[&Path]| {
            let mut command = Command::new(&readers.unwedge);
            command.arg(verb).args(paths);
            command
        };
        let duckdb = |settings: &str| {
            let mut command = Command::new(&readers.python);
            command.args(["-c", SCAN]).arg(&files.trace).arg(settings);
            command
        };
        Ok(match self {
            Self::Count => {
                let mut command = Command::new("wc");
                command.arg("-l").arg(&files.trace);
                command
            }
            Self::DuckDb => duckdb("default"),
            Self::DuckDbTuned => duckdb("tuned"),
            Self::Explain => unwedge("explain", &[&files.trace]),
            Self::Import => unwedge("import", &[&files.trace, &files.store]),
            Self::ExplainStore => unwedge("explain", &[&files.store]),
            Self::Diff => {
                unwedge("diff", &[&files.trace, files.other.as_ref().map_err(Clone::clone)?])
            }
        })
    }

    /// The exit status of a right answer: the hot trace is wedged, the varied one is not, and both files of a kind are the same run.
    fn right(self, kind: Kind) -> i32 {
        match (self, kind) {
            (Self::Explain | Self::ExplainStore, Kind::Hot) => 1,
            _ => 0,
        }
    }

    /// Runs it once, on files that are in memory. An error says why there is no figure.
    pub(crate) fn run(self, readers: &Readers, files: &Files) -> Result<Spent, String> {
        let mut command = self.command(readers, files)?;
        match self {
            Self::Import => files.remove_store(),
            Self::ExplainStore => warm(&files.store),
            _ => {}
        }
        if self != Self::ExplainStore {
            warm(&files.trace);
        }
        if let (Self::Diff, Ok(other)) = (self, &files.other) {
            warm(other);
        }
        let spent = spend(&mut command, LIMIT)?;
        let right = self.right(files.kind);
        if spent.status != right {
            let line = spent.stderr.lines().find(|line| !line.is_empty()).unwrap_or("nothing");
            // Where the traces lie is of no interest, and perhaps a secret.
            let folder = files.trace.parent().map(|folder| format!("{}/", folder.display()));
            let line = line.replace(&folder.unwrap_or_default(), "");
            return Err(format!("ended with {}, not {right}, and said: {line}", spent.status));
        }
        match self.lines_seen(&spent) {
            Some(seen) if seen != Some(files.events) => {
                Err(format!("saw {} lines of {}", seen.unwrap_or(0), files.events))
            }
            _ => Ok(spent),
        }
    }

    /// How many lines it says that it saw, if it is one that does.
    fn lines_seen(self, spent: &Spent) -> Option<Option<u64>> {
        match self {
            Self::Count => {
                Some(spent.stdout.split_whitespace().next().and_then(|n| n.parse().ok()))
            }
            Self::DuckDb | Self::DuckDbTuned => {
                Some(scanned(spent).and_then(|scan| scan["rows"].as_u64()))
            }
            _ => None,
        }
    }
}

/// What the scan says of itself.
pub(crate) fn scanned(spent: &Spent) -> Option<Value> {
    serde_json::from_str(&spent.stdout).ok()
}
