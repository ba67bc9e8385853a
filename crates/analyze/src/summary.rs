//! What of a stretch of a recording matters for the answer? A summary, which merges with those of its neighbours.

use serde::{Deserialize, Serialize};
use unwedge_trace::Timestamp;
use unwedge_trace::row::Batch;

use crate::Options;
use crate::report::Report;

/// What a stretch of a recording leaves behind, of bounded size.
///
/// Summaries of neighbouring stretches merge, and merging is associative: however a recording is cut, the
/// merged summary is the same, to the byte.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    rows: u64,
}

impl Summary {
    /// Takes in the next rows; places in the tables of different batches have nothing to do with each other.
    pub fn fold(&mut self, batch: &Batch) {
        self.rows += batch.rows.len() as u64;
    }

    /// Takes in the summary of the stretch that follows.
    pub fn merge(&mut self, later: Self) {
        self.rows += later.rows;
    }

    /// Rows taken in.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The report at `now`, or at the last row's time.
    #[must_use]
    pub fn report(&self, source: &str, now: Option<Timestamp>, options: &Options) -> Report {
        let now = now.unwrap_or_default();
        crate::analyze(&unwedge_trace::Recording::new(source, now, Vec::new()), options)
    }
}
