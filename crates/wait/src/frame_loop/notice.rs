//! What is told through `tracing`? Nothing without the feature of that name.

use std::time::Duration;

use super::{Because, Report};

/// Where the events say that they come from, for filters.
#[cfg(feature = "tracing")]
const TARGET: &str = "unwedge_wait";

/// A frame was skipped; it is the n-th in this time of trouble.
pub(super) fn skipped(because: &Because, count: u64, since: Duration) {
    #[cfg(feature = "tracing")]
    tracing::warn!(
        target: TARGET,
        because = %because,
        count,
        for_ms = since.as_millis() as u64,
        "frame skipped"
    );
    let _ = (because, count, since);
}

/// A rung of the ladder is climbed.
pub(super) fn climbing(rung: &str, because: &Because) {
    #[cfg(feature = "tracing")]
    tracing::warn!(target: TARGET, because = %because, "recovering: {rung}");
    let _ = (rung, because);
}

/// Frames are drawn and executed again.
pub(super) fn recovered(skipped: u64, after: Duration) {
    #[cfg(feature = "tracing")]
    tracing::info!(target: TARGET, skipped, after_ms = after.as_millis() as u64, "frames are drawn again");
    let _ = (skipped, after);
}

/// The last rung is behind us.
pub(super) fn gave_up(report: &Report) {
    #[cfg(feature = "tracing")]
    tracing::error!(target: TARGET, skipped = report.skipped, "gave up; the program has the report");
    let _ = report;
}
