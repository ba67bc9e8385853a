//! When is the next frame drawn? When something has changed, not more often than the screen is refreshed, and after a frame that
//! could not be drawn when the frame loop says. Pure: the time is told.

use std::time::{Duration, Instant};

use unwedge_wait::frame_loop::Turn;

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Draw.
    Draw,
    /// Look after the frames that were drawn.
    Tend,
    /// Nothing before this time.
    Until(Instant),
    /// Nothing until something happens.
    Rest,
}

/// What is known of frames.
#[derive(Debug)]
pub(crate) struct Pace {
    /// The shortest time between two frames.
    interval: Duration,
    /// What is to be seen is not what was drawn last.
    changed: bool,
    /// No frame before this time.
    not_before: Option<Instant>,
    tend_at: Option<Instant>,
    /// The window has no area, or there will be no more frames.
    at_rest: bool,
    ended: bool,
}

impl Pace {
    pub(crate) fn new(interval: Duration) -> Self {
        Self {
            interval,
            changed: true,
            not_before: None,
            tend_at: None,
            at_rest: false,
            ended: false,
        }
    }

    /// Something else is to be seen.
    pub(crate) fn change(&mut self) {
        self.changed = true;
    }

    /// The window has another size, or is shown.
    pub(crate) fn window_changed(&mut self) {
        self.changed = true;
        self.at_rest = false;
    }

    /// What is to be done at this time.
    pub(crate) fn next(&self, now: Instant) -> Next {
        if self.ended || self.at_rest {
            return Next::Rest;
        }
        if self.changed {
            return match self.not_before {
                Some(at) if now < at => Next::Until(at),
                _ => Next::Draw,
            };
        }
        match self.tend_at {
            Some(at) if now < at => Next::Until(at),
            Some(_) => Next::Tend,
            None => Next::Rest,
        }
    }

    /// What came of it.
    pub(crate) fn took(&mut self, turn: &Turn, now: Instant) {
        match turn {
            Turn::Presented => {
                self.changed = false;
                self.not_before = Some(now + self.interval);
                self.tend_at = Some(now + self.interval);
            }
            Turn::Skipped { retry_in, .. } => {
                self.changed = true;
                self.not_before = Some(now + *retry_in);
            }
            Turn::Resting(again) => self.tend_at = again.map(|after| now + after),
            Turn::NoArea => self.at_rest = true,
            Turn::GaveUp(_) => self.ended = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unwedge_wait::frame_loop::Because;

    const MILLI: Duration = Duration::from_millis(1);
    const INTERVAL: Duration = Duration::from_millis(16);

    #[test]
    fn a_change_is_drawn_at_once_and_the_next_one_a_refresh_later() {
        let now = Instant::now();
        let mut pace = Pace::new(INTERVAL);
        assert_eq!(pace.next(now), Next::Draw);
        pace.took(&Turn::Presented, now);
        pace.change();
        assert_eq!(pace.next(now), Next::Until(now + INTERVAL));
        assert_eq!(pace.next(now + INTERVAL), Next::Draw);
    }

    #[test]
    fn without_a_change_the_last_frame_is_tended_and_then_all_is_at_rest() {
        let now = Instant::now();
        let mut pace = Pace::new(INTERVAL);
        pace.took(&Turn::Presented, now);
        assert_eq!(pace.next(now + MILLI), Next::Until(now + INTERVAL));
        assert_eq!(pace.next(now + INTERVAL), Next::Tend);
        pace.took(&Turn::Resting(Some(MILLI)), now + INTERVAL);
        assert_eq!(pace.next(now + INTERVAL), Next::Until(now + INTERVAL + MILLI));
        pace.took(&Turn::Resting(None), now + INTERVAL + MILLI);
        assert_eq!(pace.next(now + Duration::from_secs(60)), Next::Rest);
    }

    #[test]
    fn a_skipped_frame_is_tried_again_when_the_loop_says_and_not_earlier() {
        let now = Instant::now();
        let mut pace = Pace::new(INTERVAL);
        let skipped = Turn::Skipped { retry_in: 5 * MILLI, because: Because::Fence };
        pace.took(&skipped, now);
        pace.change();
        assert_eq!(pace.next(now + MILLI), Next::Until(now + 5 * MILLI));
        assert_eq!(pace.next(now + 5 * MILLI), Next::Draw);
    }

    #[test]
    fn a_minimised_window_rests_until_it_has_an_area() {
        let now = Instant::now();
        let mut pace = Pace::new(INTERVAL);
        pace.took(&Turn::NoArea, now);
        pace.change();
        assert_eq!(pace.next(now), Next::Rest);
        pace.window_changed();
        assert_eq!(pace.next(now), Next::Draw);
    }

    #[test]
    fn after_giving_up_nothing_is_drawn_any_more() {
        let now = Instant::now();
        let mut pace = Pace::new(INTERVAL);
        pace.took(&Turn::GaveUp(Box::default()), now);
        pace.window_changed();
        assert_eq!(pace.next(now), Next::Rest);
    }
}
