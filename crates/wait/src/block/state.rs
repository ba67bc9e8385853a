//! Who holds a block at a given moment, and whose time is over? Time is an argument here: nothing reads a clock.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::Bound;

/// What becomes of a hold whose time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Overstay {
    /// The holder is named, and holds on. For blocks without which something would be used while it changes.
    Name,
    /// The holder is named, and its hold ends when the owner looks next. The holder may then still be at work: choose it
    /// where that costs less than waiting, as a torn picture costs less than a frozen one.
    Release,
}

/// Somebody who holds a block, or held it until just now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The name that was given with the hold.
    pub name: Arc<str>,
    /// For how long it has been held.
    pub held_for: Duration,
    /// For how long it was to be held at most.
    pub bound: Bound,
}

impl Holder {
    /// By how much the hold is over its bound; `None` as long as it is within it. A bound that is just used up is over,
    /// by nothing.
    #[must_use]
    pub fn over_by(&self) -> Option<Duration> {
        self.held_for.checked_sub(self.bound.as_duration())
    }

    /// Whether the hold's time is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over_by().is_some()
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, held_for, bound } = self;
        write!(f, "\"{name}\" has held it for {held_for:?} of {bound}")?;
        match self.over_by() {
            Some(over) => write!(f, ", {over:?} too long"),
            None => Ok(()),
        }
    }
}

/// One hold.
struct Entry {
    id: u64,
    name: Arc<str>,
    since: Instant,
    bound: Bound,
    /// Whether it was already said that it is over: that is said once.
    told: bool,
}

impl Entry {
    fn holder(&self, now: Instant) -> Holder {
        let held_for = now.saturating_duration_since(self.since);
        Holder { name: Arc::clone(&self.name), held_for, bound: self.bound }
    }

    /// What is left of its bound; zero if that is over.
    fn left(&self, now: Instant) -> Duration {
        self.bound.as_duration().saturating_sub(now.saturating_duration_since(self.since))
    }

    fn is_over(&self, now: Instant) -> bool {
        self.left(now).is_zero()
    }
}

/// The holds of one block, oldest first.
#[derive(Default)]
pub(super) struct State {
    holds: Vec<Entry>,
    /// The next hold's. None is given twice, so a hold that was released by force cannot end another's. Counting
    /// to the end of 64 bits takes centuries.
    next: u64,
    /// Threads that sleep until there are no holds.
    pub(super) waiting: usize,
}

/// What a look at a block found.
pub(super) struct Look {
    /// Everybody whose time is over.
    pub(super) over: Vec<Holder>,
    /// Those of them of whom that had not been said yet.
    pub(super) news: Vec<Holder>,
}

impl State {
    pub(super) fn hold(&mut self, name: Arc<str>, bound: Bound, now: Instant) -> u64 {
        let id = self.next;
        self.next += 1;
        self.holds.push(Entry { id, name, since: now, bound, told: false });
        id
    }

    /// Ends a hold. `None` if it had ended before; else, whether its holder had overstayed without anybody noticing.
    pub(super) fn release(&mut self, id: u64, now: Instant) -> Option<Option<Holder>> {
        let at = self.holds.iter().position(|entry| entry.id == id)?;
        let entry = self.holds.remove(at);
        Some((entry.is_over(now) && !entry.told).then(|| entry.holder(now)))
    }

    pub(super) fn has(&self, id: u64) -> bool {
        self.holds.iter().any(|entry| entry.id == id)
    }

    pub(super) fn is_free(&self) -> bool {
        self.holds.is_empty()
    }

    pub(super) fn holders(&self, now: Instant) -> Vec<Holder> {
        self.holds.iter().map(|entry| entry.holder(now)).collect()
    }

    /// Looks whose time is over; ends their holds if `release`.
    pub(super) fn look(&mut self, now: Instant, release: bool) -> Look {
        let mut look = Look { over: Vec::new(), news: Vec::new() };
        self.holds.retain_mut(|entry| {
            if !entry.is_over(now) {
                return true;
            }
            let holder = entry.holder(now);
            if !std::mem::replace(&mut entry.told, true) {
                look.news.push(holder.clone());
            }
            look.over.push(holder);
            !release
        });
        look
    }

    /// How long it takes until the next hold is over of which that was not said yet.
    pub(super) fn next_over(&self, now: Instant) -> Option<Duration> {
        self.holds.iter().filter(|entry| !entry.told).map(|entry| entry.left(now)).min()
    }
}
