//! What does an object leave behind? Who signalled it, who owes it, what it reached, and how its waits went.

use serde::{Deserialize, Serialize};
use unwedge_trace::ObjectKind;
use unwedge_trace::row::{Key, ObjectEntry};

use super::Stamp;
use super::debts::Debts;
use super::table::{Keyed, cut};

/// Signallers and holders of one object that are followed: more are a crowd, and a crowd is not accused.
const PARTIES_MAX: usize = 65;
/// Values of which it is known when they were reached.
const REACHED_MAX: usize = 64;
/// Values waited for without a signal or debt on record that are remembered one by one.
const UNEXPLAINED_MAX: usize = 1024;

/// An object at the end of a stretch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Object {
    pub(super) entry: ObjectEntry,
    /// Rows that name it before all else.
    pub(super) named: u64,
    /// Signals without a number.
    pub(super) signals: u64,
    pub(super) first_signal: Option<Stamp>,
    pub(super) last_signal: Option<Touch>,
    pub(super) last_reset: Option<Touch>,
    /// The last wait on it that was reached, alone or for any of several.
    pub(super) last_taken: Option<Touch>,
    /// Waits for any of several that were reached: each may have taken what is here.
    #[serde(default)]
    pub(super) taken_perhaps: u64,
    /// Values reached, each higher than the one before it: the last ones.
    pub(super) reached: Vec<Reached>,
    /// Debts on numbered values that are not reached, in the order in which they were taken on.
    pub(super) debts: Debts,
    pub(super) last_debt: Option<Debt>,
    /// The highest value that a signal or a debt names.
    pub(super) known: Option<u64>,
    /// Who signalled it or had it signalled.
    pub(super) customary: Vec<Custom>,
    /// Who took on its next signal.
    pub(super) holders: Vec<Holder>,
    pub(super) waits: Waits,
}

/// Waits on an object that ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Waits {
    /// For its next signal: those that were reached, and of these those with a signal on record while they waited.
    pub(super) reached: u64,
    pub(super) woken: u64,
    /// For a numbered value: those that were reached.
    pub(super) numbered: u64,
    /// Of these, the values that no signal or debt on record explains yet, in ascending order; and the number of those that are not listed.
    pub(super) unexplained: Vec<u64>,
    pub(super) unexplained_more: u64,
    /// The highest value that nothing explains yet; 0 without one.
    #[serde(default)]
    pub(super) wondered: u64,
    pub(super) timed_out: u64,
    pub(super) failed: u64,
}

/// Who did something to it last.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Touch {
    pub(super) stamp: Stamp,
    pub(super) by: u32,
    /// The numbered value, if there was one.
    pub(super) value: Option<u64>,
}

/// A value that was reached.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Reached {
    pub(super) stamp: Stamp,
    pub(super) value: u64,
    pub(super) by: u32,
    /// A wait tells of it, no signal.
    pub(super) by_wait: bool,
}

/// A duty to reach a numbered value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Debt {
    pub(super) stamp: Stamp,
    pub(super) value: u64,
    pub(super) debtor: u32,
    pub(super) after: Option<(u32, u64)>,
    pub(super) via: Option<u32>,
}

/// Somebody who signals the object.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Custom {
    pub(super) agent: u32,
    /// It had it signalled by a debtor.
    pub(super) via: bool,
    /// When it last did.
    pub(super) stamp: Stamp,
    pub(super) count: u64,
}

/// Somebody who took on the next signal. With a lock that is its holder, and takes and releases pair like brackets.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Holder {
    pub(super) agent: u32,
    /// Releases before any take: of takes before the stretch.
    pub(super) closes: u64,
    /// Takes without a release.
    pub(super) opens: u64,
    /// Since when it holds it without a break, while it does.
    pub(super) since: Stamp,
    /// When it last took it on, if it ever did.
    pub(super) last: Stamp,
    /// How often it took it on.
    pub(super) takes: u64,
    pub(super) via: Option<u32>,
}

impl Object {
    pub(super) fn of(entry: &ObjectEntry) -> Self {
        let mut entry = entry.clone();
        cut(&mut entry.label);
        Self {
            entry,
            named: 0,
            signals: 0,
            first_signal: None,
            last_signal: None,
            last_reset: None,
            last_taken: None,
            taken_perhaps: 0,
            reached: Vec::new(),
            debts: Debts::default(),
            last_debt: None,
            known: None,
            customary: Vec::new(),
            holders: Vec::new(),
            waits: Waits::default(),
        }
    }

    /// Takes in what is said of it later.
    pub(super) fn describe(&mut self, later: &ObjectEntry) {
        self.entry.describe(later);
        cut(&mut self.entry.label);
    }

    /// The next signal, without a number.
    pub(super) fn signal_next(&mut self, stamp: Stamp, by: u32) {
        self.signals += 1;
        self.signalled(stamp, by, None);
        if let Some(holder) = self.holders.iter_mut().find(|holder| holder.agent == by) {
            holder.close(1);
        } else if self.holders.len() < PARTIES_MAX {
            push(&mut self.holders, Holder { closes: 1, ..Holder::new(by) });
        }
    }

    pub(super) fn signal_value(&mut self, stamp: Stamp, by: u32, value: u64) {
        self.signalled(stamp, by, Some(value));
        self.know(value);
        self.reach(Reached { stamp, value, by, by_wait: false });
    }

    fn signalled(&mut self, stamp: Stamp, by: u32, value: Option<u64>) {
        self.first_signal.get_or_insert(stamp);
        self.last_signal = Some(Touch { stamp, by, value });
        self.custom(Custom { agent: by, via: false, stamp, count: 1 });
    }

    /// Counts somebody who signals it.
    pub(super) fn custom(&mut self, more: Custom) {
        let same = |known: &&mut Custom| known.agent == more.agent && known.via == more.via;
        if let Some(known) = self.customary.iter_mut().find(same) {
            known.stamp = known.stamp.max(more.stamp);
            known.count += more.count;
        } else if self.customary.len() < PARTIES_MAX {
            push(&mut self.customary, more);
        }
    }

    pub(super) fn owe_next(&mut self, stamp: Stamp, by: u32, via: Option<u32>) {
        if let Some(holder) = self.holders.iter_mut().find(|holder| holder.agent == by) {
            holder.open(stamp, via);
        } else if self.holders.len() < PARTIES_MAX {
            let mut holder = Holder::new(by);
            holder.open(stamp, via);
            push(&mut self.holders, holder);
        }
        if let Some(via) = via {
            self.custom(Custom { agent: via, via: true, stamp, count: 1 });
        }
    }

    pub(super) fn owe_value(&mut self, debt: Debt) {
        self.last_debt = Some(debt);
        self.know(debt.value);
        if let Some(via) = debt.via {
            self.custom(Custom { agent: via, via: true, stamp: debt.stamp, count: 1 });
        }
        if self.highest().is_none_or(|value| value < debt.value) {
            self.debts.push(debt);
        }
    }

    /// A signal or a debt names the value.
    fn know(&mut self, value: u64) {
        if self.known.is_none_or(|known| known < value) {
            self.known = Some(value);
            self.waits.explain(value);
        }
    }

    /// The highest value reached.
    pub(super) fn highest(&self) -> Option<u64> {
        self.reached.last().map(|reached| reached.value)
    }

    /// Takes in a value that was reached, at its place in the order of the rows: what comes later and is not higher told nothing.
    pub(super) fn reach(&mut self, new: Reached) {
        let place = self.reached.partition_point(|known| known.stamp.seq <= new.stamp.seq);
        if place > 0 && self.reached[place - 1].value >= new.value {
            return;
        }
        let beaten = self.reached[place..].partition_point(|known| known.value <= new.value);
        self.reached.splice(place..place + beaten, [new]);
        if self.reached.len() > REACHED_MAX {
            self.reached.remove(0);
        }
        if let Some(highest) = self.highest() {
            self.debts.reached(highest);
        }
    }

    /// A wait on it was reached, and took what was there or may have.
    pub(super) fn taken(&mut self, stamp: Stamp, by: u32) {
        if self.last_taken.is_none_or(|known| known.stamp < stamp) {
            self.last_taken = Some(Touch { stamp, by, value: None });
        }
    }

    /// A wait for a numbered value was reached.
    pub(super) fn waited_for_value(&mut self, stamp: Stamp, by: u32, value: u64) {
        self.waits.numbered += 1;
        if self.known.is_none_or(|known| known < value) {
            self.waits.wonder(value);
        }
        self.reach(Reached { stamp, value, by, by_wait: true });
    }

    /// Takes in the same object's later stretch, whose places and numbers are already this one's.
    pub(super) fn merge(&mut self, later: Self) {
        self.describe(&later.entry);
        self.named += later.named;
        self.signals += later.signals;
        self.taken_perhaps = self.taken_perhaps.saturating_add(later.taken_perhaps);
        self.first_signal = self.first_signal.or(later.first_signal);
        self.last_signal = later.last_signal.or(self.last_signal);
        self.last_reset = later.last_reset.or(self.last_reset);
        if let Some(taken) = later.last_taken {
            self.taken(taken.stamp, taken.by);
        }
        self.waits.merge(&later.waits, self.known);
        if let Some(known) = later.known {
            self.know(known);
        }
        for reached in later.reached {
            self.reach(reached);
        }
        let highest = self.highest();
        let open = |debt: &&Debt| highest.is_none_or(|highest| debt.value > highest);
        later.debts.iter().filter(open).for_each(|debt| self.debts.push(*debt));
        self.last_debt = later.last_debt.or(self.last_debt);
        for custom in later.customary {
            self.custom(custom);
        }
        for holder in later.holders {
            if let Some(known) = self.holders.iter_mut().find(|known| known.agent == holder.agent) {
                known.merge(&holder);
            } else if self.holders.len() < PARTIES_MAX {
                push(&mut self.holders, holder);
            }
        }
    }
}

/// Most objects have one of everything: room is made for one before it is made for more.
fn push<T>(list: &mut Vec<T>, one: T) {
    if list.is_empty() {
        list.reserve_exact(1);
    }
    list.push(one);
}

impl Holder {
    fn new(agent: u32) -> Self {
        let never = Stamp::default();
        Self { agent, closes: 0, opens: 0, since: never, last: never, takes: 0, via: None }
    }

    fn open(&mut self, stamp: Stamp, via: Option<u32>) {
        if self.opens == 0 {
            self.since = stamp;
        }
        (self.opens, self.takes) = (self.opens + 1, self.takes + 1);
        (self.last, self.via) = (stamp, via);
    }

    fn close(&mut self, times: u64) {
        let closed = times.min(self.opens);
        self.opens -= closed;
        self.closes += times - closed;
        if self.opens == 0 {
            self.since = Stamp::default();
        }
    }

    fn merge(&mut self, later: &Self) {
        self.close(later.closes);
        if self.opens == 0 {
            self.since = later.since;
        }
        self.opens += later.opens;
        self.takes += later.takes;
        if later.takes > 0 {
            (self.last, self.via) = (later.last, later.via);
        }
    }
}

impl Object {
    /// What it takes beyond what every object takes. Bytes.
    pub(super) fn bytes_beyond(&self) -> usize {
        self.reached.len() * size_of::<Reached>()
            + self.debts.len() * size_of::<Debt>()
            + self.customary.len() * size_of::<Custom>()
            + self.holders.len() * size_of::<Holder>()
            + self.waits.unexplained.len() * size_of::<u64>()
    }

    /// Keeps the first ones of each list, the last ones of the values reached; says how many it dropped.
    pub(super) fn shed(&mut self, most: usize) -> u64 {
        fn cut<T>(list: &mut Vec<T>, most: usize) -> usize {
            let dropped = list.len().saturating_sub(most);
            list.truncate(most);
            list.shrink_to_fit();
            dropped
        }
        let mut dropped = self.reached.len().saturating_sub(most);
        self.reached.drain(..dropped);
        self.reached.shrink_to_fit();
        dropped += self.debts.len().saturating_sub(most);
        self.debts.truncate(most);
        dropped += cut(&mut self.customary, most) + cut(&mut self.holders, most);
        self.waits.unexplained_more += cut(&mut self.waits.unexplained, most) as u64;
        dropped as u64
    }
}

impl Waits {
    /// A value that nothing explains yet was reached.
    fn wonder(&mut self, value: u64) {
        self.wondered = self.wondered.max(value);
        let place = self.unexplained.partition_point(|known| *known <= value);
        self.unexplained.insert(place, value);
        if self.unexplained.len() > UNEXPLAINED_MAX {
            // The highest are the last to be explained.
            self.unexplained.pop();
            self.unexplained_more += 1;
        }
    }

    /// Every value up to this one has a signal or a debt.
    fn explain(&mut self, known: u64) {
        let explained = self.unexplained.partition_point(|value| *value <= known);
        self.unexplained.drain(..explained);
        if self.wondered <= known {
            (self.wondered, self.unexplained_more) = (0, 0);
        }
    }

    fn merge(&mut self, later: &Self, known: Option<u64>) {
        self.reached += later.reached;
        self.woken += later.woken;
        self.numbered += later.numbered;
        self.timed_out += later.timed_out;
        self.failed += later.failed;
        if known.is_none_or(|known| known < later.wondered) {
            self.unexplained_more += later.unexplained_more;
            self.wondered = self.wondered.max(later.wondered);
        }
        for value in
            later.unexplained.iter().filter(|value| known.is_none_or(|known| known < **value))
        {
            self.wonder(*value);
        }
    }

    /// Waits that were reached, and those that a signal or a debt on record explains, on an object of this kind with so many
    /// signals.
    pub(super) fn coverage(&self, kind: ObjectKind, signals: u64) -> (u64, u64) {
        let at_once = self.reached.saturating_sub(self.woken);
        let explained_at_once = match kind {
            // It signals by itself.
            ObjectKind::Timer => at_once,
            _ if signals == 0 => 0,
            // One signal lets each wait pass until a reset.
            ObjectKind::Event | ObjectKind::Fence | ObjectKind::DmaFence => at_once,
            // One wait takes what one signal brought.
            _ => at_once.min(signals.saturating_sub(self.woken)),
        };
        let unexplained = self.unexplained.len() as u64 + self.unexplained_more;
        let explained = self.woken + explained_at_once + self.numbered.saturating_sub(unexplained);
        (self.reached + self.numbered, explained)
    }
}

impl Keyed for Object {
    fn key(&self) -> &Key {
        &self.entry.key
    }
}
