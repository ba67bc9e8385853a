//! Who is wedged, and why? Pure functions from events to a report.
//!
//! ```text
//! events ──► replay ──► graph ──► liveness ──► findings ──► report
//! ```
//!
//! Invariant: nothing here reads a clock, a file, the environment or a process, and nothing asks
//! which source an event came from, except to print it. Time arrives in events. Any sequence of
//! events has a report; none panics.
#![forbid(unsafe_code)]
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod assemble;
pub mod diff;
mod evidence;
mod findings;
mod graph;
pub mod histogram;
mod liveness;
mod notes;
mod picture;
mod replay;
pub mod report;
mod story;
mod summary;
mod words;

use unwedge_trace::Recording;

pub use findings::{FindingKind, catalogue};
pub use report::{Finding, Report, Verdict};
pub use summary::{SUMMARY_VERSION, Summary};
pub use words::object_kind;

/// How patient the analysis is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Waits younger than this are presumed fine, and so is a queue that finished something since.
    /// Nanoseconds.
    pub patience_ns: u64,
}

impl Default for Options {
    /// Two seconds: what GPU drivers allow a batch before they reset (Windows' TDR delay).
    fn default() -> Self {
        Self { patience_ns: 2_000_000_000 }
    }
}

/// How young a wait may be at the end of a recording and still be presumed fine, where nobody says: a second, and at most a
/// quarter of the time that the recording covers. Nanoseconds, both.
#[must_use]
pub fn patience_ns(covers_ns: u64) -> u64 {
    (covers_ns / 4).min(1_000_000_000)
}

/// Says whether the recorded program is wedged at the recording's last moment, and if so, on what.
#[must_use]
pub fn analyze(recording: &Recording, options: &Options) -> Report {
    let summary = Summary::of_recording(recording);
    summary.report(&recording.header.source, Some(recording.header.now), options)
}
