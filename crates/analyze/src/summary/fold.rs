//! What do the rows of one batch leave behind?

use std::collections::VecDeque;

use unwedge_trace::row::{Batch, NONE, Op, Row};
use unwedge_trace::{NEXT, Outcome};

use super::agent::{Agent, End, StateNow, Value, Wait, WaitPoint};
use super::lane::{Class, Lanes};
use super::object::{Debt, Object, Touch};
use super::table::{AGENTS_MAX, Names, OBJECTS_MAX, Table};
use super::{Stamp, Summary};
use crate::graph::ring;

/// Log lines without objects that are looked at: the last ones.
const PLAIN_MAX: usize = 64;

/// Points of one wait that are followed. A wait for more, of which no program is known, counts as a loss: what it lacks
/// might be among the others.
const POINTS_MAX: usize = 4096;

/// The number of [`Outcome::Reached`].
const REACHED: u8 = 0;

/// Where the things of a batch are in a summary's tables.
struct Places<'b> {
    batch: &'b Batch,
    agents: Vec<u32>,
    objects: Vec<u32>,
    /// [`UNASKED`] until a row names it.
    names: Vec<u32>,
}

/// A text that was not looked for yet.
const UNASKED: u32 = NONE - 1;

impl Places<'_> {
    /// The row in terms of the summary's tables, but for its text.
    fn row(&self, row: &Row) -> Row {
        let place =
            |places: &[u32], place: u32| places.get(place as usize).copied().unwrap_or(NONE);
        Row {
            agent: place(&self.agents, row.agent),
            agent2: place(&self.agents, row.agent2),
            object: place(&self.objects, row.object),
            object2: place(&self.objects, row.object2),
            ..*row
        }
    }

    /// The place of the row's text.
    fn name(&mut self, place: u32, names: &mut Names) -> u32 {
        let Some(known) = self.names.get_mut(place as usize) else { return NONE };
        if *known == UNASKED {
            *known = names.intern(self.batch.name(place));
        }
        *known
    }
}

impl Summary {
    /// The summary of one batch.
    #[must_use]
    pub fn of(batch: &Batch) -> Self {
        let mut summary = Self::default();
        summary.fold(batch);
        summary
    }

    /// Takes in the next rows. Places in the tables of different batches have nothing to do with each other.
    pub fn fold(&mut self, batch: &Batch) {
        let mut places = self.places_of(batch);
        if let (0, Some(first)) = (self.rows, batch.rows.first()) {
            (self.first_at, self.last_at) = (first.at, first.at);
        }
        let mut plain = VecDeque::new();
        for (seq, row) in (self.rows..).zip(&batch.rows) {
            let stamp = Stamp { seq, at: row.at };
            self.backwards += u64::from(row.at < self.last_at);
            self.last_at = row.at;
            self.latest_at = self.latest_at.max(row.at);
            // Most rows of a trace of calls are these, and only the last ones are kept.
            if row.op == Op::Mark && row.code == 0 && row.object == NONE {
                self.act(places.agents.get(row.agent as usize).copied().unwrap_or(NONE), stamp);
                if plain.len() == PLAIN_MAX {
                    plain.pop_front();
                }
                plain.push_back((row, stamp));
                continue;
            }
            let named = row.object != NONE;
            let mut row = places.row(row);
            if named {
                self.name_object(row.object);
            }
            match row.op {
                Op::MorePoint => self.more_point(&row),
                Op::MoreObject => self.marks.add_object(&row),
                _ => {
                    row.name = places.name(row.name, &mut self.names);
                    self.row(&row, stamp);
                }
            }
        }
        self.rows += batch.rows.len() as u64;
        for (row, stamp) in plain {
            let name = places.name(row.name, &mut self.names);
            self.marks.add(&Row { name, ..places.row(row) }, stamp, false);
        }
        let Places { agents, objects, .. } = places;
        self.keep_lists_short(&agents, &objects);
        self.keep_names_few();
    }

    /// Finds the things of a batch in the tables, adding those that are new.
    fn places_of<'b>(&mut self, batch: &'b Batch) -> Places<'b> {
        let mut agents = Vec::with_capacity(batch.agents.len());
        for entry in &batch.agents {
            agents.push(match self.agents.place(&entry.key) {
                Some(place) => {
                    let known = self.agents.get_mut(place);
                    known.into_iter().for_each(|known| known.describe(entry));
                    place
                }
                None => self.agents.push(Agent::of(entry), AGENTS_MAX).unwrap_or(NONE),
            });
        }
        let mut objects = Vec::with_capacity(batch.objects.len());
        for entry in &batch.objects {
            objects.push(match self.objects.place(&entry.key) {
                Some(place) => {
                    let known = self.objects.get_mut(place);
                    known.into_iter().for_each(|known| known.describe(entry));
                    place
                }
                None => self.objects.push(Object::of(entry), OBJECTS_MAX).unwrap_or(NONE),
            });
        }
        Places { batch, agents, objects, names: vec![UNASKED; batch.names.len()] }
    }

    /// Counts a row that names an object.
    fn name_object(&mut self, place: u32) {
        match self.objects.get_mut(place) {
            Some(object) => object.named += 1,
            None => self.untracked_objects += 1,
        }
    }

    fn more_point(&mut self, row: &Row) {
        let Some(point) = self.point(row) else { return };
        let wait = self.agents.get_mut(row.agent).and_then(|agent| agent.wait.as_mut());
        if let Some(wait) = wait.filter(|wait| wait.more.len() < POINTS_MAX) {
            wait.more.push(point);
            if wait.more.len() == POINTS_MAX {
                self.lose(1, row.at);
            }
        }
    }

    /// Counts events that were lost at this time.
    fn lose(&mut self, events: u64, at: u64) {
        self.lost = self.lost.saturating_add(events);
        self.lost_at = self.lost_at.max(Some(at));
    }

    /// Counts a row of the agent, which may show that its wait is over.
    fn act(&mut self, place: u32, stamp: Stamp) {
        self.events += 1;
        let Some(agent) = self.agents.get_mut(place) else {
            self.untracked_agents += 1;
            return;
        };
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
                return self.lose(row.amount, row.at);
            }
            Op::Coverage => {
                self.events += 1;
                self.coverage_told.insert(row.code, (row.amount, row.value));
                return;
            }
            Op::Aliased => {
                self.events += 1;
                return self.aliases.add(row.object, row.object2);
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
            Op::Mark => {
                let says_fatal = ring::says_fatal(self.names.get(row.name));
                self.marks.add(row, stamp, says_fatal);
            }
            _ => {}
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
                waits.last_value = Some(row.value).filter(|value| *value != NEXT);
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
        if !reached {
            continue;
        }
        // Which of several points ended the wait for any of them is not known: each may have been taken, and none can be said
        // to be there still.
        if any && only.is_none() {
            if let Value::After(_) = point.value {
                object.taken(end.stamp, place);
                object.taken_perhaps += 1;
            }
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
