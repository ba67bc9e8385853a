//! What does an agent leave behind? Its open wait, its last state and progress, and how its time went.

use serde::{Deserialize, Serialize};
use unwedge_trace::row::{AgentEntry, ENDS_WITH_NEXT_EVENT, Key};

use super::Stamp;
use super::table::{Keyed, cut};

/// States of an agent that time is counted for.
pub(super) const STATES: usize = 5;

/// An agent at the end of a stretch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Agent {
    pub(super) entry: AgentEntry,
    /// What it did itself, in rows, and when first and last; meaningless while there is none.
    pub(super) events: u64,
    pub(super) first: Stamp,
    pub(super) last: Stamp,
    /// An end of a wait before any beginning: of a wait from before the stretch.
    pub(super) head_end: Option<End>,
    pub(super) has_begun: bool,
    pub(super) wait: Option<Wait>,
    /// The last wait that was reached.
    pub(super) reached: Option<Stamp>,
    /// The object of its last wait with one point that ended, and when.
    pub(super) last_ended: Option<(u32, Stamp)>,
    pub(super) state: Option<StateNow>,
    /// The first state that was told, and when.
    pub(super) first_state: Option<(u8, u64)>,
    /// Nanoseconds in each state, by its number; without the time since the last one was told.
    pub(super) state_ns: [u64; STATES],
    pub(super) progress: Option<(Stamp, u32)>,
    pub(super) progress_count: u64,
}

/// The end of a wait.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct End {
    pub(super) stamp: Stamp,
    /// The number of the outcome.
    pub(super) outcome: u8,
}

/// A state.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct StateNow {
    /// When it was last told.
    pub(super) stamp: Stamp,
    /// When it was first told of those times that told no other in between.
    pub(super) since: Stamp,
    /// Whether the stretch tells another one before it.
    pub(super) changed: bool,
    pub(super) state: u8,
    pub(super) detail: u32,
    /// As rows hold them: processor plus one, zigzag priority plus one.
    pub(super) cpu: u64,
    pub(super) priority: u64,
}

/// A wait that is open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Wait {
    pub(super) stamp: Stamp,
    pub(super) call: u32,
    pub(super) code: u8,
    pub(super) amount: u64,
    pub(super) point: Option<WaitPoint>,
    /// Points beyond the first.
    pub(super) more: Vec<WaitPoint>,
}

/// A point waited for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct WaitPoint {
    pub(super) object: u32,
    pub(super) value: Value,
}

/// The value of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Value {
    /// As the source numbers it.
    Numbered(u64),
    /// The next signal after so many that were seen in the stretch.
    After(u64),
}

impl Wait {
    pub(super) fn points(&self) -> impl Iterator<Item = &WaitPoint> {
        self.point.iter().chain(&self.more)
    }

    pub(super) fn points_mut(&mut self) -> impl Iterator<Item = &mut WaitPoint> {
        self.point.iter_mut().chain(&mut self.more)
    }

    pub(super) fn ends_with_next_event(&self) -> bool {
        self.code & ENDS_WITH_NEXT_EVENT != 0
    }

    /// The only object that it waits on.
    pub(super) fn only_object(&self) -> Option<u32> {
        self.point.filter(|_| self.more.is_empty()).map(|point| point.object)
    }
}

impl Agent {
    pub(super) fn of(entry: &AgentEntry) -> Self {
        let mut entry = entry.clone();
        cut(&mut entry.name);
        Self {
            entry,
            events: 0,
            first: Stamp::default(),
            last: Stamp::default(),
            head_end: None,
            has_begun: false,
            wait: None,
            reached: None,
            last_ended: None,
            state: None,
            first_state: None,
            state_ns: [0; STATES],
            progress: None,
            progress_count: 0,
        }
    }

    /// Takes in what is said of it later.
    pub(super) fn describe(&mut self, later: &AgentEntry) {
        self.entry.describe(later);
        cut(&mut self.entry.name);
    }

    /// Counts a row that it made.
    pub(super) fn act(&mut self, stamp: Stamp) {
        if self.events == 0 {
            self.first = stamp;
        }
        self.events += 1;
        self.last = stamp;
    }

    /// Takes in a state that is told.
    pub(super) fn tell_state(&mut self, mut told: StateNow) {
        match self.state {
            Some(before) => {
                self.spend(before, told.stamp.at);
                let same = before.state == told.state;
                told.since = if same { before.since } else { told.stamp };
                told.changed = before.changed || !same;
            }
            None => self.first_state = Some((told.state, told.stamp.at)),
        }
        self.state = Some(told);
    }

    fn spend(&mut self, before: StateNow, until: u64) {
        if let Some(total) = self.state_ns.get_mut(usize::from(before.state)) {
            *total = total.saturating_add(until.saturating_sub(before.stamp.at));
        }
    }

    /// Takes in the states of the stretch that follows.
    pub(super) fn merge_states(&mut self, later: &Self) {
        let (Some((first, first_at)), Some(mut last)) = (later.first_state, later.state) else {
            return;
        };
        if let Some(before) = self.state {
            self.spend(before, first_at);
            if !last.changed && before.state == first {
                last.since = before.since;
            }
            last.changed |= before.changed || before.state != first;
        } else {
            self.first_state = later.first_state;
        }
        self.state = Some(last);
        for (total, more) in self.state_ns.iter_mut().zip(later.state_ns) {
            *total = total.saturating_add(more);
        }
    }
}

impl Keyed for Agent {
    fn key(&self) -> &Key {
        &self.entry.key
    }
}
