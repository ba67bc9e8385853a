//! When is it worth trying again, and when worth saying so again?

use std::time::{Duration, Instant};

/// The first pause after a frame that could not be drawn, and what each further one adds.
pub const BACKOFF_STEP: Duration = Duration::from_millis(5);

/// The longest pause.
pub const BACKOFF_MAX: Duration = Duration::from_millis(100);

/// How often at most the same trouble is told.
pub const NOTICE_EVERY: Duration = Duration::from_secs(5);

/// Pauses that grow: 5 ms, 10 ms, … 100 ms, and from the start again after a success.
#[derive(Clone, Copy, Debug, Default)]
pub struct Backoff {
    pause: Duration,
}

impl Backoff {
    /// How long to leave it alone after one more failure.
    #[must_use]
    pub fn failed(&mut self) -> Duration {
        self.pause = (self.pause + BACKOFF_STEP).min(BACKOFF_MAX);
        self.pause
    }

    /// It worked.
    pub fn succeeded(&mut self) {
        self.pause = Duration::ZERO;
    }
}

/// Tells the first of many like events at once, then one in five seconds, with how many there were.
#[derive(Clone, Copy, Debug, Default)]
pub struct Throttle {
    count: u64,
    told: Option<Instant>,
}

impl Throttle {
    /// One more event. Returns how many there were so far if it is time to tell.
    #[must_use]
    pub fn happened(&mut self, now: Instant) -> Option<u64> {
        self.count += 1;
        let due = self.told.is_none_or(|told| now.saturating_duration_since(told) >= NOTICE_EVERY);
        if due {
            self.told = Some(now);
        }
        due.then_some(self.count)
    }

    /// It is over. Returns how many there were.
    pub fn ended(&mut self) -> u64 {
        std::mem::take(self).count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_by_five_milliseconds_to_a_hundred() {
        let mut backoff = Backoff::default();
        let pauses: Vec<_> = (0..25).map(|_| backoff.failed().as_millis()).collect();
        assert_eq!(&pauses[..4], [5, 10, 15, 20]);
        assert_eq!(&pauses[18..], [95, 100, 100, 100, 100, 100, 100]);
        backoff.succeeded();
        assert_eq!(backoff.failed(), BACKOFF_STEP);
    }

    #[test]
    fn the_first_event_is_told_at_once_and_then_one_in_five_seconds_with_the_count() {
        let (mut throttle, start) = (Throttle::default(), Instant::now());
        let told: Vec<_> = (0..120)
            .filter_map(|tenth| throttle.happened(start + Duration::from_millis(100 * tenth)))
            .collect();
        assert_eq!(told, [1, 51, 101]);
        assert_eq!(throttle.ended(), 120);
        assert_eq!(throttle.happened(start + Duration::from_secs(12)), Some(1));
    }
}
