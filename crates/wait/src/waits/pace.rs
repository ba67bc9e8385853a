//! How long is left alone what has said "not yet" and will not wait by itself?

use std::thread;
use std::time::Duration;

use crate::Bound;

/// How often is looked before the thread sleeps: what comes at all soon comes within these.
pub(super) const SPINS: u32 = 64;
/// The first sleep between two looks, and the longest.
const SLEEP_MIN: Duration = Duration::from_micros(50);
const SLEEP_MAX: Duration = Duration::from_millis(1);

/// Looks without pause at first, then with sleeps that double up to a millisecond, so that no bound keeps a core busy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    looks: u32,
    sleep: Duration,
}

impl Pace {
    pub(super) const fn new() -> Self {
        Self { looks: 1, sleep: SLEEP_MIN }
    }

    /// Between two looks, and no longer than what is left.
    pub(super) fn rest(&mut self, left: Bound) {
        if self.looks < SPINS {
            std::hint::spin_loop();
        } else {
            thread::sleep(self.sleep.min(left.as_duration()));
            self.sleep = (self.sleep * 2).min(SLEEP_MAX);
        }
        self.looks = self.looks.saturating_add(1);
    }
}
