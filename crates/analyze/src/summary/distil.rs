//! Which few events have the same report as all of them?
//!
//! A distilled recording has the last event of each sort of every agent and object, in their order. Two things are
//! added that no single event says: a run of timed-out polls becomes the wait that it is, and signals
//! without numbers are numbered.

use unwedge_trace::jsonl::Header;
use unwedge_trace::row::{
    Key, mark_from_code, object_kind_code, object_kind_from_code, priority_from_value,
    state_from_code, wait_from_code,
};
use unwedge_trace::{
    AgentId, AgentState, Bound, Event, MarkKind, Mode, ObjectId, ObjectKind, Outcome, Point,
    Recording, Timestamp, What,
};

use super::agent::{Agent, StateNow, Value, Wait};
use super::lane::{Class, Lane, LanePlaces};
use super::object::{Custom, Debt, Holder, Object, Touch};
use super::{Stamp, Summary};

/// Successful waits on an object without a signal of it on record that show that its signals are out of sight.
const UNSEEN_WAITS_MIN: u64 = 20;
/// Such objects that are named.
const UNSEEN_MAX: usize = 8;
/// Timed-out waits in a row that make a wait of them.
pub(super) const POLLS_MIN: u64 = 8;

impl Summary {
    /// A short recording with the same report at `now`, or at the latest row's time.
    #[must_use]
    pub fn distilled(&self, source: &str, now: Option<Timestamp>) -> Recording {
        let now = now.unwrap_or(Timestamp(self.latest_at));
        let (ids, lanes, events) = (Ids::of(self), self.lanes.places(), Vec::new());
        let mut distillery = Distillery { summary: self, ids, lanes, events, now };
        distillery.introductions();
        distillery.totals();
        for (agent, place) in self.agents.entries.iter().zip(0..) {
            distillery.agent(agent, place);
        }
        for (object, place) in self.objects.entries.iter().zip(0..) {
            distillery.object(object, place);
        }
        distillery.marks();
        let mut events = distillery.events;
        events.sort_by_key(|(seq, _)| *seq);
        let events = events.into_iter().map(|(_, event)| event).collect();
        Recording { header: Header::new(source, now), events, extra: Vec::new() }
    }
}

/// What agents and objects are called: by the source's own numbers where it has some.
pub(super) struct Ids {
    agents_by_key: bool,
    objects_by_key: bool,
}

impl Ids {
    pub(super) fn of(summary: &Summary) -> Self {
        let small =
            |key: &Key| matches!(key, Key::Number(number) if *number <= u64::from(u32::MAX));
        Self {
            agents_by_key: summary.agents.entries.iter().all(|agent| small(&agent.entry.key)),
            objects_by_key: summary.objects.entries.iter().all(|object| small(&object.entry.key)),
        }
    }
}

impl Ids {
    pub(super) fn agent(&self, summary: &Summary, place: u32) -> AgentId {
        let agent = summary.agents.get(place);
        AgentId(agent.map_or(place, |agent| id(self.agents_by_key, &agent.entry.key, place)))
    }

    pub(super) fn object(&self, summary: &Summary, place: u32) -> ObjectId {
        let object = summary.objects.get(place);
        ObjectId(object.map_or(place, |object| id(self.objects_by_key, &object.entry.key, place)))
    }
}

fn id(by_key: bool, key: &Key, place: u32) -> u32 {
    match key {
        Key::Number(number) if by_key => u32::try_from(*number).unwrap_or(place),
        _ => place,
    }
}

struct Distillery<'s> {
    summary: &'s Summary,
    ids: Ids,
    lanes: LanePlaces,
    events: Vec<(u64, Event)>,
    now: Timestamp,
}

impl Distillery<'_> {
    fn agent_id(&self, place: u32) -> AgentId {
        self.ids.agent(self.summary, place)
    }

    fn object_id(&self, place: u32) -> ObjectId {
        self.ids.object(self.summary, place)
    }

    fn put(&mut self, stamp: Stamp, agent: u32, what: What) {
        let agent = self.agent_id(agent);
        self.events.push((stamp.seq, Event::new(Timestamp(stamp.at), agent, what)));
    }

    fn text(&self, place: u32) -> String {
        self.summary.names.get(place).to_owned()
    }

    /// What things are, and what is one thing under two names, before anything else.
    fn introductions(&mut self) {
        let start = Stamp { seq: 0, at: self.summary.first_at };
        for (agent, place) in self.summary.agents.entries.iter().zip(0..) {
            if agent.entry.introduced {
                let (kind, name) = (agent.entry.kind, agent.entry.name.to_string());
                self.put(
                    start,
                    place,
                    What::Agent { kind, name, pid: agent.entry.pid, tid: agent.entry.tid },
                );
            }
        }
        for (object, place) in self.summary.objects.entries.iter().zip(0..) {
            if object.entry.introduced {
                let (kind, handle) = (object.entry.kind, object.entry.handle);
                let (label, shared) = (object.entry.label.to_string(), object.entry.shared);
                let object = self.object_id(place);
                self.put(start, 0, What::Object { object, kind, handle, label, shared });
            }
        }
        for (object, same_as) in self.summary.aliases.iter() {
            let (object, same_as) = (self.object_id(object), self.object_id(same_as));
            self.put(start, 0, What::Aliased { object, same_as });
        }
    }

    /// Losses and coverage.
    fn totals(&mut self) {
        let start = Stamp { seq: 0, at: self.summary.first_at };
        let summary = self.summary;
        let untracked = summary.untracked_agents + summary.untracked_objects;
        let count = summary.lost.saturating_add(untracked);
        if count > 0 {
            // Of whom there is no room for, it is not known when.
            let known = summary.lost_at.filter(|_| untracked == 0);
            let at = known.unwrap_or(summary.latest_at);
            self.put(Stamp { at, ..start }, 0, What::Lost { count });
        }
        for (kind, reached, explained) in summary.coverage() {
            self.put(start, 0, What::Coverage { kind, reached, explained });
        }
        let unseen = summary.objects.entries.iter().zip(0_u32..).filter(|(object, _)| {
            let (reached, explained) = object.waits.coverage(object.entry.kind, object.signals);
            explained == 0 && reached >= UNSEEN_WAITS_MIN
        });
        for (object, place) in unseen.take(UNSEEN_MAX) {
            let (name, reached) =
                (crate::words::object_kind(object.entry.kind), object.waits.reached);
            let text = format!(
                "who signals {name} {:#x}: {reached} waits on it succeeded and no signal of it is on record",
                object.entry.handle
            );
            let objects = vec![self.object_id(place)];
            self.put(start, 0, What::Mark { kind: MarkKind::Unobserved, text, objects });
        }
    }

    fn agent(&mut self, agent: &Agent, place: u32) {
        if let Some(state) = agent.state {
            self.state(place, state);
        }
        if let Some((stamp, text)) = agent.progress {
            let what = self.text(text);
            self.put(stamp, place, What::Progress { what });
        }
        if let Some(stamp) = agent.reached {
            self.reached_wait(stamp, place, Vec::new());
        }
        if let Some((lane, stamp)) = self.summary.poll_run(&self.lanes, agent, place, self.now) {
            self.polls(place, lane, stamp);
        } else if let Some(wait) = &agent.wait {
            self.wait(place, wait);
        }
    }

    fn state(&mut self, place: u32, state: StateNow) {
        let what = What::State {
            state: state_from_code(state.state),
            detail: self.text(state.detail),
            cpu: state.cpu.checked_sub(1).and_then(|cpu| u32::try_from(cpu).ok()),
            priority: priority_from_value(state.priority),
        };
        // Of one that runs it matters when it was last seen to, of every other since when it does not.
        let running = state_from_code(state.state) == AgentState::Running;
        let at = if running { state.stamp.at } else { state.since.at };
        self.put(Stamp { seq: state.stamp.seq, at }, place, what);
    }

    /// A wait that began and ended: it shows that the agent got on, or that a value was reached.
    fn reached_wait(&mut self, stamp: Stamp, place: u32, points: Vec<Point>) {
        let (call, mode, bound) = (String::new(), Mode::All, Bound::Infinite);
        self.put(stamp, place, What::WaitBegan { call, points, mode, bound });
        self.put(stamp, place, What::WaitEnded { outcome: Outcome::Reached });
    }

    fn wait(&mut self, place: u32, wait: &Wait) {
        let (bound, mode) = wait_from_code(wait.code, wait.amount);
        let points = wait.points().map(|point| Point {
            object: self.object_id(point.object),
            value: self.summary.resolve(point.object, point.value),
        });
        let points = points.collect();
        self.put(
            wait.stamp,
            place,
            What::WaitBegan { call: self.text(wait.call), points, mode, bound },
        );
    }

    fn polls(&mut self, place: u32, lane: &Lane, stamp: Stamp) {
        let Some(waits) = &lane.waits else { return };
        let next = self.summary.objects.get(lane.object).map_or(1, |object| object.signals + 1);
        let value = waits.last_value.unwrap_or(next);
        let call = self.text(waits.last.map_or(unwedge_trace::row::NONE, |(_, call)| call));
        let points = vec![Point { object: self.object_id(lane.object), value }];
        let (mode, bound) = (Mode::All, Bound::Polls(waits.run.polls));
        let stamp = Stamp { seq: stamp.seq, at: waits.run.began.at };
        self.put(stamp, place, What::WaitBegan { call, points, mode, bound });
    }

    fn object(&mut self, object: &Object, place: u32) {
        let id = self.object_id(place);
        let point = |value| Point { object: id, value };
        let next = point(object.signals + 1);
        for custom in &object.customary {
            self.custom(object, custom, point(0));
        }
        for reached in &object.reached {
            let reached_point = point(reached.value);
            if reached.by_wait {
                self.reached_wait(reached.stamp, reached.by, vec![reached_point]);
            } else {
                self.put(reached.stamp, reached.by, What::Signalled { point: reached_point });
            }
        }
        if let Some(Touch { stamp, by, value }) = object.last_signal {
            let told = |known: &super::object::Reached| known.stamp == stamp && !known.by_wait;
            if !object.reached.iter().any(told) {
                let point = point(value.unwrap_or(object.signals));
                self.put(stamp, by, What::Signalled { point });
            }
        }
        if let Some(Touch { stamp, by, .. }) = object.last_reset {
            self.put(stamp, by, What::Reset { object: next.object });
        }
        for debt in object.debts.iter() {
            self.debt(next.object, debt);
        }
        if let Some(debt) =
            object.last_debt.filter(|last| object.debts.iter().all(|debt| debt != last))
        {
            self.debt(next.object, &debt);
        }
        for holder in object.debtors() {
            let via = holder.via.map(|via| self.agent_id(via));
            let owed = What::Owed { point: next, after: None, via };
            if holder.last != holder.since {
                self.put(holder.last, holder.agent, owed.clone());
            }
            self.put(holder.since, holder.agent, owed);
        }
    }

    /// Somebody who signals the object, unless another event says so.
    fn custom(&mut self, object: &Object, custom: &Custom, point: Point) {
        let said = if custom.via {
            let mut debts = object.debts.iter().chain(&object.last_debt);
            let mut holders = object.debtors();
            debts.any(|debt| debt.via == Some(custom.agent))
                || holders.any(|holder| holder.via == Some(custom.agent))
        } else {
            object.last_signal.is_some_and(|last| last.by == custom.agent)
        };
        if said {
            return;
        }
        if custom.via {
            let debtor = object.last_debt.map_or(custom.agent, |debt| debt.debtor);
            // A value that is reached already, or will be in a moment: nothing is owed any more.
            let value = object.reached.first().map_or(0, |reached| reached.value.min(1));
            let via = Some(self.agent_id(custom.agent));
            let point = Point { value, ..point };
            self.put(custom.stamp, debtor, What::Owed { point, after: None, via });
        } else {
            self.put(custom.stamp, custom.agent, What::Signalled { point });
        }
    }

    fn debt(&mut self, object: ObjectId, debt: &Debt) {
        let after =
            debt.after.map(|(object, value)| Point { object: self.object_id(object), value });
        let via = debt.via.map(|via| self.agent_id(via));
        let point = Point { object, value: debt.value };
        self.put(debt.stamp, debt.debtor, What::Owed { point, after, via });
    }

    fn marks(&mut self) {
        for mark in self.summary.marks.iter() {
            let (kind, text) = (mark_from_code(mark.code), self.text(mark.text));
            let objects = mark.objects.iter().map(|object| self.object_id(*object)).collect();
            self.put(mark.stamp, mark.by, What::Mark { kind, text, objects });
        }
    }
}

impl Summary {
    /// What a wait for the next signal waits for, as a number: one that is reached if its signal is there and nobody took it.
    fn resolve(&self, object: u32, value: Value) -> u64 {
        let signals = match value {
            Value::Numbered(value) => return value,
            Value::After(signals) => signals,
        };
        let Some(object) = self.objects.get(object) else { return 1 };
        let next = object.signals + 1;
        if object.has_token(signals) { object.signals } else { next }
    }

    /// The run of polls that the agent is in, and where it stands in the order of the rows.
    pub(super) fn poll_run(
        &self,
        lanes: &LanePlaces,
        agent: &Agent,
        place: u32,
        now: Timestamp,
    ) -> Option<(&Lane, Stamp)> {
        let (object, ended) = match &agent.wait {
            Some(wait) => (wait.only_object()?, wait.stamp),
            None => agent.last_ended?,
        };
        let lane = self.lanes.entries.get(*lanes.get(&(place, object, Class::Wait))? as usize)?;
        let run = lane.waits.as_ref()?.run;
        if run.polls < POLLS_MIN || run.ended.seq > ended.seq {
            return None;
        }
        // Without an open wait it goes on only if the next one was about to begin.
        let period = run.ended.at.saturating_sub(run.began.at) / run.polls;
        let goes_on = agent.wait.is_some() || now.0.saturating_sub(ended.at) <= 4 * period;
        goes_on.then_some((lane, ended))
    }

    /// Waits that succeeded and those that are explained, by kind: what the source told, else what was seen.
    pub(super) fn coverage(&self) -> Vec<(ObjectKind, u64, u64)> {
        let mut seen = std::collections::BTreeMap::new();
        for object in &self.objects.entries {
            let (reached, explained) = object.waits.coverage(object.entry.kind, object.signals);
            let total: &mut (u64, u64) =
                seen.entry(object_kind_code(object.entry.kind)).or_default();
            *total = (total.0 + reached, total.1 + explained);
        }
        seen.retain(|_, (reached, _)| *reached > 0);
        seen.extend(self.coverage_told.iter().map(|(kind, told)| (*kind, *told)));
        let told = |(kind, (reached, explained))| (object_kind_from_code(kind), reached, explained);
        seen.into_iter().map(told).collect()
    }
}

impl Object {
    /// Those who took on its next signal and have not given it.
    pub(super) fn debtors(&self) -> impl Iterator<Item = &Holder> {
        let locks = matches!(self.entry.kind, ObjectKind::Mutex | ObjectKind::Block);
        // Whoever signals what is no lock reaches its next signal for everybody.
        let last = self.last_signal.map_or(Stamp::default(), |signal| signal.stamp);
        self.holders.iter().filter(move |holder| {
            holder.opens > 0 && (locks || self.signals == 0 || holder.last > last)
        })
    }

    /// Whether a signal is there for a wait that began after so many.
    fn has_token(&self, signals: u64) -> bool {
        let Some(last) = self.last_signal.filter(|_| self.signals > 0) else { return false };
        let reset = self.last_reset.is_some_and(|reset| reset.stamp > last.stamp);
        let taken = self.last_taken.is_some_and(|taken| taken.stamp > last.stamp);
        match self.entry.kind {
            ObjectKind::Event => !reset,
            // There are timers that one wait consumes, and nothing says which they are.
            ObjectKind::AutoResetEvent | ObjectKind::Timer => !reset && !taken,
            ObjectKind::CountingSemaphore => {
                self.signals > self.waits.reached.saturating_add(self.taken_perhaps)
            }
            // A lock is free or held, and somebody else may have it by now.
            ObjectKind::Mutex | ObjectKind::Block => false,
            // What has no memory: the signal was for somebody who waited then.
            ObjectKind::Futex | ObjectKind::Condition | ObjectKind::Channel | ObjectKind::Pipe => {
                false
            }
            ObjectKind::Socket | ObjectKind::Other => false,
            _ => self.signals > signals,
        }
    }
}
