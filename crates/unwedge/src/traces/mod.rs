//! How does an input of any size become events: which format it is in, who reads it, and in what order?
//!
//! ```text
//! path ──► Source ──► Choice ──► Input ──► fold or each
//!          bytes      format     blocks, read by as many threads as there are processors, joined in order
//! ```
//!
//! However large the input, memory holds a few blocks for each thread and what the caller keeps.

mod compressed;
mod feed;
mod fold;
mod format;
mod kept;
mod open;
mod pieces;
mod progress;
mod recorded;
mod stored;
mod stream;
#[cfg(test)]
mod tests;
mod window;

use std::borrow::Cow;
use std::path::Path;

use unwedge_analyze::Summary;
use unwedge_readers::{Complaints, Reading};
use unwedge_trace::Timestamp;
use unwedge_trace::row::Batch;

pub(crate) use format::{Choice, known};
pub(crate) use kept::Kept;
pub(crate) use open::Source;
pub(crate) use progress::Progress;
pub(crate) use stored::Summaries;

use crate::error::Error;
use crate::terminal;
use feed::Feed;

/// What to do when it is no input at all.
pub(crate) const HINT: &str =
    "a black box is left by unwedge run --keep, a recording by unwedge run --trace FILE";

/// An input, and who reads it.
pub(crate) struct Input {
    source: String,
    body: Body,
    tuning: Tuning,
}

enum Body {
    Text {
        feed: Box<dyn Feed>,
        reading: Reading,
    },
    /// What `unwedge import` made: batches lie ready.
    Store(Box<dyn Segments>),
}

/// Batches that lie ready in segments, any of which can be read by any thread.
pub(crate) trait Segments: Send + Sync {
    /// Segments there are.
    fn count(&self) -> u64;

    /// Passes on the rows of a segment, in order. What cannot be read becomes a complaint.
    fn read(&self, segment: u64, complaints: &mut Complaints, out: &mut dyn FnMut(&mut Batch));

    /// The summary of a segment's rows, if one was left with them.
    fn summary(&self, _segment: u64) -> Option<Summary> {
        None
    }

    /// The moment of the last observation, if it is not that of the last event.
    fn now(&self) -> Option<Timestamp>;

    /// How young a wait may be then and still be presumed fine, in nanoseconds, if the store says so.
    fn patience_ns(&self) -> Option<u64> {
        None
    }
}

/// How work is divided. The result does not depend on it.
#[derive(Clone, Copy, Debug)]
struct Tuning {
    threads: usize,
    /// What a thread reads at once.
    block_bytes: usize,
    /// Blocks that follow each other and that one thread folds into one value: the fewer values, the less there is to merge.
    run_blocks: u64,
    /// What a reader makes one batch of. Each has its own tables: at 256 KiB a varied trace takes a sixth more
    /// processor time than at 4 MiB.
    stretch_bytes: usize,
}

/// Most threads that read one input: each takes memory, and more are held up by the joining of what they find.
const THREADS_MAX: usize = 16;

impl Default for Tuning {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            threads: threads.min(THREADS_MAX),
            block_bytes: 4 << 20,
            run_blocks: 1,
            stretch_bytes: 4 << 20,
        }
    }
}

/// Runs of a file at least: as many threads as there may be find work, and the last ones end at about the same time.
const RUNS_MIN: u64 = 32;
/// Blocks of a run at most.
const RUN_BLOCKS_MAX: u64 = 32;
/// Blocks of a stream, which have no runs: whoever claims one holds up the others while it is read. Bytes.
const STREAM_BLOCK_BYTES: usize = 8 << 20;

impl Tuning {
    /// For a file of so many bytes, or a stream.
    fn of(file_bytes: Option<u64>) -> Self {
        let mut tuning = Self::default();
        match file_bytes {
            Some(bytes) => {
                let blocks = bytes / tuning.block_bytes as u64;
                tuning.run_blocks = (blocks / RUNS_MIN).clamp(1, RUN_BLOCKS_MAX);
            }
            None => tuning.block_bytes = STREAM_BLOCK_BYTES,
        }
        tuning
    }
}

/// What became of an input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ended {
    /// The moment of the last observation, if it is not that of the last event.
    pub(crate) now: Option<Timestamp>,
    /// What could not be read.
    pub(crate) complaints: Complaints,
    /// Lines of text.
    pub(crate) lines: u64,
    /// Bytes of text, decompressed.
    pub(crate) bytes: u64,
    /// Rows that were made of it.
    pub(crate) rows: u64,
    /// Who recorded it, or the format's title.
    pub(crate) source: String,
    /// Rows are missing that were there once: a part of a store is gone or damaged.
    pub(crate) torn: bool,
    /// It is a recording in a form of ours, by whoever made it for the purpose.
    pub(crate) is_ours: bool,
    /// How young a wait may be at its end and still be presumed fine, in nanoseconds, if it says so: 0 where it is a dump of
    /// one moment, or was recorded because it was time to judge.
    pub(crate) patience_ns: Option<u64>,
    /// Times are the guest's or the simulation's own, as its profile says: two runs that do the same have the same.
    pub(crate) has_virtual_clock: bool,
}

impl Ended {
    /// Says what could not be read.
    pub(crate) fn tell(&self, path: &Path) {
        for complaint in self.complaints.first() {
            terminal::note(&format!("{}: {complaint}", path.display()));
        }
        if self.complaints.more() > 0 {
            let more = format!("and {} more lines could not be read", self.complaints.more());
            terminal::note(&format!("{}: {more}", path.display()));
        }
    }

    /// Refuses an input that has something, and nothing that could be read.
    ///
    /// # Errors
    /// That it is one.
    pub(crate) fn refuse_nothing(&self, path: &Path) -> Result<(), Error> {
        if self.rows > 0 || self.complaints.count() < self.lines.max(1) {
            return Ok(());
        }
        let why = format!("nothing in it could be read as {}", self.source);
        Err(Error::Input { path: path.to_owned(), why, hint: known().into() })
    }
}

/// Why an input is not read.
#[derive(Debug)]
pub(crate) struct Refusal {
    why: Cow<'static, str>,
    hint: Cow<'static, str>,
}

impl Refusal {
    fn new(why: impl Into<Cow<'static, str>>, hint: impl Into<Cow<'static, str>>) -> Self {
        Self { why: why.into(), hint: hint.into() }
    }

    fn of(self, path: &Path) -> Error {
        let hint = self.hint.replace("FILE |", &format!("{} |", path.display()));
        Error::Input { path: path.to_owned(), why: self.why.into_owned(), hint: hint.into() }
    }
}

impl Source {
    /// Opens a path; `-` is standard input.
    ///
    /// # Errors
    /// When it cannot be read, or is in a form that is none of ours.
    pub(crate) fn at(path: &Path) -> Result<Self, Error> {
        Self::open(path).map_err(|refusal| refusal.of(path))
    }
}

impl Input {
    /// Opens a path; `-` is standard input.
    ///
    /// # Errors
    /// When it cannot be read, or its format is not known.
    pub(crate) fn open(path: &Path, choice: &Choice) -> Result<Self, Error> {
        Self::of(Source::at(path)?, choice)
    }

    /// Finds out who reads it.
    ///
    /// # Errors
    /// When its format is not known.
    pub(crate) fn of(source: Source, choice: &Choice) -> Result<Self, Error> {
        let (path, tuning) = (source.path.clone(), Tuning::of(source.file_bytes()));
        let input = || {
            if source.is_folder() {
                return stored::open(&source.path, tuning);
            }
            let (title, reading) = choice.reading(source.start())?;
            let feed = source.into_feed(tuning.block_bytes);
            Ok(Self { source: title, body: Body::Text { feed, reading }, tuning })
        };
        input().map_err(|refusal: Refusal| refusal.of(&path))
    }
}
