//! How often, how fast, with what luck does an agent wait for and signal an object?

use crate::histogram::Histogram;

/// What one agent did to one object.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) waits: u64,
    pub(super) reached: u64,
    pub(super) timed_out: u64,
    pub(super) failed: u64,
    /// The bound of the last wait that timed out, in nanoseconds; 0 if it is not known.
    pub(super) bound: u64,
    /// Waits that timed out since the last that was met.
    pub(super) dry: u64,
    /// The most waits that timed out in a row before one was met.
    pub(super) dry_longest: u64,
    pub(super) signals: u64,
    /// Nanoseconds between one met wait and the next.
    pub(super) reached_gaps: Histogram,
    /// Nanoseconds between the begin of one wait and that of the next.
    pub(super) wait_gaps: Histogram,
    /// Nanoseconds between one signal and the next.
    pub(super) signal_gaps: Histogram,
    pub(super) first_at: u64,
    pub(super) last_at: u64,
    last_wait: Option<u64>,
    last_reached: Option<u64>,
    last_signal: Option<u64>,
    /// The longest wait that was met. Nanoseconds.
    pub(super) longest: u64,
    /// The last timeline value that it named.
    last_value: Option<u64>,
}

impl Tally {
    /// It began to wait.
    pub(super) fn waits(&mut self, at: u64) {
        self.waits += 1;
        gap(&mut self.wait_gaps, &mut self.last_wait, at);
        self.span(at);
    }

    /// A wait since `began` was met.
    pub(super) fn reached(&mut self, began: u64, at: u64) {
        self.reached += 1;
        self.dry_longest = self.dry_longest.max(self.dry);
        self.dry = 0;
        self.longest = self.longest.max(at.saturating_sub(began));
        gap(&mut self.reached_gaps, &mut self.last_reached, at);
        self.span(at);
    }

    /// A wait with this bound timed out. Nanoseconds.
    pub(super) fn timed_out(&mut self, bound: u64) {
        self.bound = bound;
        self.timed_out += 1;
        self.dry += 1;
    }

    /// It signalled.
    pub(super) fn signals(&mut self, at: u64) {
        self.signals += 1;
        gap(&mut self.signal_gaps, &mut self.last_signal, at);
        self.span(at);
    }

    /// How far a timeline value is from the last one, for want of which it is 0.
    pub(super) fn delta(&mut self, value: u64) -> u32 {
        let before = self.last_value.replace(value).unwrap_or(value);
        // The lower half tells any that are near from each other.
        value.wrapping_sub(before) as u32
    }

    /// Adds what another pair of the same object did.
    pub(super) fn merge(&mut self, other: &Self) {
        let nothing = self.waits + self.signals == 0;
        self.first_at = if nothing { other.first_at } else { self.first_at.min(other.first_at) };
        self.last_at = self.last_at.max(other.last_at);
        self.waits += other.waits;
        self.reached += other.reached;
        self.timed_out += other.timed_out;
        self.failed += other.failed;
        self.signals += other.signals;
        self.longest = self.longest.max(other.longest);
        self.reached_gaps.merge(&other.reached_gaps);
        self.wait_gaps.merge(&other.wait_gaps);
        self.signal_gaps.merge(&other.signal_gaps);
    }

    fn span(&mut self, at: u64) {
        if self.waits + self.signals == 1 {
            self.first_at = at;
        }
        self.last_at = self.last_at.max(at);
    }
}

fn gap(gaps: &mut Histogram, last: &mut Option<u64>, at: u64) {
    if let Some(before) = last.replace(at) {
        gaps.add(at.saturating_sub(before));
    }
}
