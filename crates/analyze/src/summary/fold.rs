//! What do the rows of one batch leave behind?

use unwedge_trace::row::{Batch, NONE, Op, Row};
use unwedge_trace::{NEXT, Outcome};

use super::agent::{Agent, End, StateNow, Value, Wait, WaitPoint};
use super::lane::{Class, Lanes};
use super::object::{Debt, Object, Touch};
use super::table::{Names, Table};
use super::{Stamp, Summary};

/// Log lines without objects that are looked at: the last ones.
const PLAIN_MAX: usize = 64;
/// Pairs of names for one object.
pub(super) const ALIASES_MAX: usize = 1 << 16;

/// The number of [`Outcome::Reached`].
const REACHED: u8 = 0;

impl Summary {
    /// The summary of one batch.
    #[must_use]
    pub fn of(batch: &Batch) -> Self {
        let mut summary = Self {
            agents: Table::of(batch.agents.iter().map(Agent::of).collect()),
            objects: Table::of(batch.objects.iter().map(Object::of).collect()),
            names: Names::of(batch.names.clone()),
            rows: batch.rows.len() as u64,
            first_at: batch.rows.first().map_or(0, |row| row.at),
            ..Self::default()
        };
        let mut last_at = summary.first_at;
        let mut plain = Vec::new();
        for (seq, row) in (0..).zip(&batch.rows) {
            let stamp = Stamp { seq, at: row.at };
            summary.backwards += u64::from(row.at < last_at);
            last_at = row.at;
            summary.latest_at = summary.latest_at.max(row.at);
            match row.op {
                Op::MorePoint => summary.more_point(row),
                Op::MoreObject => summary.marks.add_object(row),
                // Most rows of a trace of calls are these, and only the last ones are kept.
                Op::Mark if row.code == 0 && row.object == NONE => {
                    summary.act(row.agent, stamp);
                    plain.push(seq);
                }
                _ => summary.row(row, stamp),
            }
        }
        summary.last_at = last_at;
        for seq in &plain[plain.len().saturating_sub(PLAIN_MAX)..] {
            let row = usize::try_from(*seq).ok().and_then(|seq| batch.rows.get(seq));
            row.into_iter().for_each(|row| summary.marks.add(row, Stamp { seq: *seq, at: row.at }));
        }
        summary
    }

    fn more_point(&mut self, row: &Row) {
        let Some(point) = self.point(row) else { return };
        let wait = self.agents.get_mut(row.agent).and_then(|agent| agent.wait.as_mut());
        wait.into_iter().for_each(|wait| wait.more.push(point));
    }

    /// Counts a row of the agent, which may show that its wait is over.
    fn act(&mut self, place: u32, stamp: Stamp) {
        self.events += 1;
        let Some(agent) = self.agents.get_mut(place) else { return };
        agent.act(stamp);
        if agent.wait.as_ref().is_some_and(Wait::ends_with_next_event) {
            let end = End { stamp, outcome: REACHED };
            if let Some(wait) = agent.wait.take() {
                complete(agent, place, &wait, end, &mut self.objects, &mut self.lanes, |_| None);
            }
        }
    }

    fn row(&mut self, row: &Row, stamp: Stamp) {
        match row.op {
            Op::Lost => {
                self.events += 1;
                return self.lost = self.lost.saturating_add(row.amount);
            }
            Op::Coverage => {
                self.events += 1;
                self.coverage_told.insert(row.code, (row.amount, row.value));
                return;
            }
            Op::Aliased => {
                self.events += 1;
                return self.alias(row.object, row.object2);
            }
            _ => self.act(row.agent, stamp),
        }
        match row.op {
            Op::WaitBegan => self.wait_began(row, stamp),
            Op::WaitEnded => self.wait_ended(row, stamp),
            Op::Signalled => self.signalled(row, stamp),
            Op::Owed => self.owed(row, stamp),
            Op::Reset => {
                if let Some(object) = self.objects.get_mut(row.object) {
                    object.last_reset = Some(Touch { stamp, by: row.agent, value: None });
                }
            }
            Op::State => self.state(row, stamp),
            Op::Progress => self.progress(row, stamp),
            Op::Mark => self.marks.add(row, stamp),
            _ => {}
        }
    }

    pub(super) fn alias(&mut self, object: u32, same_as: u32) {
        let pair = (object, same_as);
        if self.aliases.len() < ALIASES_MAX && !self.aliases.contains(&pair) {
            self.aliases.push(pair);
        }
    }

    fn point(&self, row: &Row) -> Option<WaitPoint> {
        let object = self.objects.get(row.object)?;
        let value = if row.value == NEXT {
            Value::After(object.signals)
        } else {
            Value::Numbered(row.value)
        };
        Some(WaitPoint { object: row.object, value })
    }

    fn wait_began(&mut self, row: &Row, stamp: Stamp) {
        let point = self.point(row);
        if let Some(point) = point
            && let Some(lane) = self.lanes.lane(row.agent, point.object, Class::Wait)
        {
            lane.count(stamp.at);
            if let Some(waits) = &mut lane.waits {
                waits.last = Some((if row.code & 3 == 1 { row.amount } else { 0 }, row.name));
            }
        }
        let Some(agent) = self.agents.get_mut(row.agent) else { return };
        agent.has_begun = true;
        let (call, code, amount) = (row.name, row.code, row.amount);
        agent.wait = Some(Wait { stamp, call, code, amount, point, more: Vec::new() });
    }

    fn wait_ended(&mut self, row: &Row, stamp: Stamp) {
        let Some(agent) = self.agents.get_mut(row.agent) else { return };
        let end = End { stamp, outcome: row.code };
        match agent.wait.take() {
            Some(wait) => {
                complete(agent, row.agent, &wait, end, &mut self.objects, &mut self.lanes, |_| {
                    None
                });
            }
            None if !agent.has_begun => {
                agent.head_end.get_or_insert(end);
            }
            None => {}
        }
    }

    fn signalled(&mut self, row: &Row, stamp: Stamp) {
        let Some(object) = self.objects.get_mut(row.object) else { return };
        if row.value == NEXT {
            object.signal_next(stamp, row.agent);
        } else {
            object.signal_value(stamp, row.agent, row.value);
        }
        if let Some(lane) = self.lanes.lane(row.agent, row.object, Class::Signal) {
            lane.count(stamp.at);
        }
    }

    fn owed(&mut self, row: &Row, stamp: Stamp) {
        let via = (row.agent2 != NONE).then_some(row.agent2);
        let Some(object) = self.objects.get_mut(row.object) else { return };
        if row.value == NEXT {
            return object.owe_next(stamp, row.agent, via);
        }
        let after = (row.object2 != NONE).then_some((row.object2, row.value2));
        object.owe_value(Debt { stamp, value: row.value, debtor: row.agent, after, via });
    }

    fn state(&mut self, row: &Row, stamp: Stamp) {
        let Some(agent) = self.agents.get_mut(row.agent) else { return };
        agent.tell_state(StateNow {
            stamp,
            since: stamp,
            changed: false,
            state: row.code,
            detail: row.name,
            cpu: row.amount,
            priority: row.value,
        });
    }

    fn progress(&mut self, row: &Row, stamp: Stamp) {
        if let Some(agent) = self.agents.get_mut(row.agent) {
            agent.progress = Some((stamp, row.name));
            agent.progress_count += 1;
        }
        if let Some(lane) = self.lanes.lane(row.agent, row.name, Class::Progress) {
            lane.count(stamp.at);
        }
    }
}

/// Ends a wait: what it tells of its objects, its agent and the lane of both. `first_signal_later` gives an object's first
/// signal in the stretch that has the end, if the wait began in the one before.
pub(super) fn complete(
    agent: &mut Agent,
    place: u32,
    wait: &Wait,
    end: End,
    objects: &mut Table<Object>,
    lanes: &mut Lanes,
    first_signal_later: impl Fn(u32) -> Option<Stamp>,
) {
    let reached = end.outcome == Outcome::Reached as u8;
    if reached {
        agent.reached = Some(end.stamp);
    }
    let only = wait.only_object();
    if let Some(object) = only {
        agent.last_ended = Some((object, end.stamp));
        if let Some(waits) =
            lanes.existing(place, object, Class::Wait).and_then(|lane| lane.waits.as_mut())
        {
            waits.ended(wait.stamp, end.stamp, end.outcome);
        }
    }
    let any = wait.code & 4 != 0;
    for point in wait.points() {
        let Some(object) = objects.get_mut(point.object) else { continue };
        match end.outcome {
            0 => {}
            1 => object.waits.timed_out += 1,
            _ => object.waits.failed += 1,
        }
        // Which of several points ended the wait for any of them is not known.
        if !reached || (any && only.is_none()) {
            continue;
        }
        match point.value {
            Value::Numbered(value) => object.waited_for_value(end.stamp, place, value),
            Value::After(signals) => {
                let later = first_signal_later(point.object);
                let woken = object.signals > signals || later.is_some_and(|at| at < end.stamp);
                object.waits.reached += 1;
                object.waits.woken += u64::from(woken);
                object.taken(end.stamp, place);
            }
        }
    }
}
