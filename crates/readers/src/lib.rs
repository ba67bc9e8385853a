//! What do the bytes of a trace, a log or a dump say? Each format's reader turns them into events.
//!
//! Two sorts of reader. A [`BlockReader`] understands any stretch of whole lines by itself, so that blocks of
//! a large trace can be read by several threads. A [`LineReader`] needs the lines before, and is fed one
//! after the other. [`FORMATS`] has a line for each format; [`detect`] finds it from the content.
//!
//! Invariant: nothing here reads a clock, a file, the environment or a process. Any bytes give events and
//! complaints; none panics, and memory stays within bounds whatever they say.
#![forbid(unsafe_code)]
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod complaints;
pub mod ftrace;
pub mod go;
pub mod jsonl;
pub mod jvm;
pub mod kernel;
pub mod profile;
pub mod qemu;
mod template;

use unwedge_trace::row::Batch;
use unwedge_trace::{AgentId, Event, Timestamp, What};

pub use complaints::Complaints;
pub use profile::Profile;

/// Longest line that a reader looks at; longer ones are skipped with a complaint. Bytes.
pub const LINE_BYTES_MAX: usize = 1 << 20;

/// Reads any stretch of whole lines without knowing those before it.
pub trait BlockReader: Send + Sync {
    /// A place for what one thread learns about the input, to be faster with the next block. What is read does
    /// not depend on it.
    fn scratch(&self) -> Box<dyn std::any::Any + Send> {
        Box::new(())
    }

    /// Adds the rows of the lines of `block` to `out`, which was empty, and says how many lines there were.
    /// Complaints count lines from 1 at the beginning of the block. The last line may lack its newline.
    fn read(
        &self,
        block: &[u8],
        scratch: &mut (dyn std::any::Any + Send),
        out: &mut Batch,
        complaints: &mut Complaints,
    ) -> u64;

    /// The moment of the last observation, if the input's header says so; else it is that of the last event.
    fn now(&self) -> Option<Timestamp> {
        None
    }

    /// How young a wait may be at the end and still be presumed fine, in nanoseconds, if whoever recorded it says so.
    fn patience_ns(&self) -> Option<u64> {
        None
    }

    /// Whether times are not the host's but a guest's or a simulation's own: two runs that do the same have the same.
    fn has_virtual_clock(&self) -> bool {
        false
    }

    /// Who recorded it, if the input's header says so.
    fn source(&self) -> Option<&str> {
        None
    }
}

/// Reads line after line.
pub trait LineReader: Send {
    /// Takes a line without its newline; [`Sink::line`] is its number.
    fn line(&mut self, line: &[u8], out: &mut Sink);

    /// There are no more lines.
    fn finish(&mut self, out: &mut Sink);

    /// The moment of the last observation, if it is not that of the last event.
    fn now(&self) -> Option<Timestamp> {
        None
    }

    /// Whether it is all of one moment, so that even a wait that has just begun may be judged.
    fn is_of_one_moment(&self) -> bool {
        false
    }
}

/// Where a [`LineReader`] puts what it read.
#[derive(Debug, Default)]
pub struct Sink {
    /// The number of the line that is being read, from 1.
    pub line: u64,
    /// Events not yet taken away.
    pub events: Vec<Event>,
    /// What could not be read.
    pub complaints: Complaints,
}

impl Sink {
    /// Adds an event; `at` is in nanoseconds.
    pub fn event(&mut self, at: u64, agent: AgentId, what: What) {
        self.events.push(Event::new(Timestamp(at), agent, what));
    }

    /// Says what is wrong with this line: lower case, no full stop. `column` counts bytes from 1.
    pub fn complain(&mut self, column: Option<usize>, text: impl Into<String>) {
        self.complaints.add(self.line, column, text);
    }
}

/// How a format is read.
pub enum Reading {
    /// Block by block, by several threads.
    Blocks(Box<dyn BlockReader>),
    /// Line by line.
    Lines(Box<dyn LineReader>),
}

/// A format that can be read.
pub struct Format {
    /// As `--format` takes it: `ftrace`.
    pub name: &'static str,
    /// For a reader: "ftrace text or trace-cmd report".
    pub title: &'static str,
    /// Whether the first bytes of an input, up to 64 KiB, are of this format.
    pub detect: fn(&[u8]) -> bool,
    /// Opens it, given its first bytes.
    ///
    /// # Errors
    /// When the beginning says that the rest cannot be read: lower case, no full stop.
    pub open: fn(&[u8]) -> Result<Reading, String>,
}

/// Every format, the surest to be recognised first.
pub const FORMATS: &[Format] = &[
    jsonl::FORMAT,
    profile::GUEST_KERNEL,
    go::FORMAT,
    jvm::FORMAT,
    qemu::FORMAT,
    ftrace::FORMAT,
    kernel::FORMAT,
];

/// The format of an input from its first bytes.
#[must_use]
pub fn detect(start: &[u8]) -> Option<&'static Format> {
    FORMATS.iter().find(|format| (format.detect)(start))
}

/// The format with this name.
#[must_use]
pub fn format(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}
