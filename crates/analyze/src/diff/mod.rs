//! What is the difference of two recordings? Are they the same run; if not, where do two engines part; and did a change
//! matter at all?
//!
//! ```text
//! batches ──► Side ─┐
//!                   ├─► compare ──► Difference ◄── Search: a second pass, for the first event that differs
//! batches ──► Side ─┘
//! ```
//!
//! A side is made in one pass in bounded memory: hashes ([`fingerprint`](self)) that tell whether two runs are the same, and
//! the steps of each agent with loops folded, that tell where two engines part. Both sides can be read at the same time.

mod align;
mod collapse;
mod common;
mod context;
mod departures;
mod difference;
mod fingerprint;
mod hash;
mod luck;
mod matching;
mod say;
mod side;
mod sketch;
mod step;
mod stuck;
mod tally;
mod things;
mod verdict;

pub use context::{Finder, Search};
pub use difference::{
    Count, Deed, Departure, Difference, Differing, Divergence, Identity, Likeness, Line, Order,
    Pace, Pairing, Progress, Rate, SideSummary, Silence, Stop, Unmet, Unobserved, Which,
};
pub use matching::{Given, How};
pub use say::number;
pub use side::Side;
pub use verdict::{Choice, Times, compare};

/// How recordings are read for a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Events shown on either side of the first that differs.
    pub context: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { context: 3 }
    }
}
