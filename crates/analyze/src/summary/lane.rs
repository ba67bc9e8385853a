//! How often, how regularly, how long? Counts of what one agent does to one object.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use serde::{Deserialize, Serialize};

use super::Stamp;
use crate::histogram::Histogram;

/// Pairs of agent and object that are followed. Each takes a few hundred bytes.
const LANES_MAX: usize = 1 << 15;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Class {
    Wait,
    Signal,
    Progress,
}

/// Everything of one agent and one object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Lane {
    pub(super) agent: u32,
    /// The object; of progress the text.
    pub(super) object: u32,
    pub(super) class: Class,
    pub(super) count: u64,
    pub(super) first_at: u64,
    pub(super) last_at: u64,
    /// Nanoseconds between one and the next.
    pub(super) gaps: Histogram,
    pub(super) waits: Option<Box<WaitLane>>,
}

/// What waits have beyond that.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct WaitLane {
    pub(super) reached: u64,
    pub(super) timed_out: u64,
    pub(super) failed: u64,
    /// How long those took that were reached, and those that were not. Nanoseconds.
    pub(super) took_reached: Histogram,
    pub(super) took_other: Histogram,
    pub(super) run: Run,
    /// The last wait: its bound in nanoseconds, 0 for none, and its call.
    pub(super) last: Option<(u64, u32)>,
    /// The value that the last wait was for, if the source numbers it.
    #[serde(default)]
    pub(super) last_value: Option<u64>,
}

/// Timed-out waits since one was last reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Run {
    /// The stretch has one that was reached before it.
    pub(super) broken: bool,
    pub(super) polls: u64,
    pub(super) began: Stamp,
    pub(super) ended: Stamp,
}

/// Where the lane of an agent and an object is.
pub(super) type LanePlaces = HashMap<(u32, u32, Class), u32, BuildHasherDefault<Mix>>;

/// Lanes in the order of their first use.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Lanes {
    pub(super) entries: Vec<Lane>,
    /// What happened on lanes that found no place.
    pub(super) untracked: u64,
    #[serde(skip)]
    index: LanePlaces,
}

impl PartialEq for Lanes {
    fn eq(&self, other: &Self) -> bool {
        (&self.entries, self.untracked) == (&other.entries, other.untracked)
    }
}

impl Lanes {
    /// The lane of these, if there is one or room for one.
    pub(super) fn lane(&mut self, agent: u32, object: u32, class: Class) -> Option<&mut Lane> {
        self.refresh();
        if let Some(place) = self.index.get(&(agent, object, class)) {
            return self.entries.get_mut(*place as usize);
        }
        if self.entries.len() >= LANES_MAX {
            self.untracked += 1;
            return None;
        }
        self.index.insert((agent, object, class), u32::try_from(self.entries.len()).ok()?);
        self.entries.push(Lane::new(agent, object, class));
        self.entries.last_mut()
    }

    /// The lane of these, if there is one.
    pub(super) fn existing(&mut self, agent: u32, object: u32, class: Class) -> Option<&mut Lane> {
        self.refresh();
        let place = *self.index.get(&(agent, object, class))?;
        self.entries.get_mut(place as usize)
    }

    /// The places of objects or texts have changed.
    pub(super) fn forget_index(&mut self) {
        self.index.clear();
    }

    fn refresh(&mut self) {
        if self.index.len() != self.entries.len() {
            self.index = self.places();
        }
    }

    /// Where each lane is.
    pub(super) fn places(&self) -> LanePlaces {
        let keys = self.entries.iter().map(|lane| (lane.agent, lane.object, lane.class));
        keys.zip(0..).collect()
    }

    /// Takes in a lane of the stretch that follows.
    pub(super) fn merge(&mut self, later: Lane) {
        let count = later.count;
        match self.lane(later.agent, later.object, later.class) {
            Some(lane) => lane.merge(later),
            // One was counted already.
            None => self.untracked += count.saturating_sub(1),
        }
    }
}

impl Lane {
    fn new(agent: u32, object: u32, class: Class) -> Self {
        let waits = (class == Class::Wait).then(Box::default);
        let gaps = Histogram::new();
        Self { agent, object, class, count: 0, first_at: 0, last_at: 0, gaps, waits }
    }

    /// Counts one at `at`.
    pub(super) fn count(&mut self, at: u64) {
        if self.count == 0 {
            self.first_at = at;
        } else {
            self.gaps.add(at.saturating_sub(self.last_at));
        }
        self.count += 1;
        self.last_at = at;
    }

    fn merge(&mut self, later: Self) {
        if later.count > 0 {
            if self.count == 0 {
                self.first_at = later.first_at;
            } else {
                self.gaps.add(later.first_at.saturating_sub(self.last_at));
            }
            self.last_at = later.last_at;
        }
        self.count += later.count;
        self.gaps.merge(&later.gaps);
        if let (Some(waits), Some(later)) = (&mut self.waits, later.waits) {
            waits.merge(&later);
        }
    }
}

impl WaitLane {
    /// Counts a wait that ended.
    pub(super) fn ended(&mut self, began: Stamp, ended: Stamp, outcome: u8) {
        let took = ended.at.saturating_sub(began.at);
        match outcome {
            0 => {
                self.reached += 1;
                self.took_reached.add(took);
                self.run = Run { broken: true, ..Run::default() };
            }
            1 => {
                self.timed_out += 1;
                self.took_other.add(took);
                if self.run.polls == 0 {
                    self.run.began = began;
                }
                self.run.polls += 1;
                self.run.ended = ended;
            }
            _ => {
                self.failed += 1;
                self.took_other.add(took);
            }
        }
    }

    fn merge(&mut self, later: &Self) {
        self.reached += later.reached;
        self.timed_out += later.timed_out;
        self.failed += later.failed;
        self.took_reached.merge(&later.took_reached);
        self.took_other.merge(&later.took_other);
        if later.run.broken || self.run.polls == 0 {
            let broken = self.run.broken || later.run.broken;
            self.run = Run { broken, ..later.run };
        } else if later.run.polls > 0 {
            self.run.polls += later.run.polls;
            self.run.ended = later.run.ended;
        }
        if later.last.is_some() {
            (self.last, self.last_value) = (later.last, later.last_value);
        }
    }

    pub(super) fn shift(&mut self, rows: u64) {
        if self.run.polls > 0 {
            self.run.began.shift(rows);
            self.run.ended.shift(rows);
        }
    }
}

/// A hash for small numbers that are already spread: multiply and fold.
#[derive(Default)]
pub(super) struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    fn write_isize(&mut self, value: isize) {
        self.write_u64(value.cast_unsigned() as u64);
    }

    fn write_u64(&mut self, value: u64) {
        // The golden ratio's fraction, as Fibonacci hashing takes it (Knuth, TAOCP 6.4).
        self.0 = (self.0.rotate_left(23) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 ^= self.0 >> 29;
    }
}
