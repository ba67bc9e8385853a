//! What do the events leave behind? Who waits, what is owed, what was reached, at the moment of observation.
//!
//! Invariant: any sequence of events leaves a state; identifiers that nobody introduced, ends
//! without beginnings and times that go backwards are taken as they come.

mod aliases;

use std::collections::{BTreeMap, HashMap, btree_map::Entry};

use unwedge_trace::{
    AgentId, AgentKind, AgentState, Bound, Event, MarkKind, Mode, ObjectId, ObjectKind, Outcome,
    Point, Recording, Timestamp, What,
};

use crate::graph::idle::Processor;
use crate::graph::ring::{Backlogs, backlogs};
use aliases::Aliases;

/// Everything that the recording says about its last moment.
#[derive(Debug)]
pub(crate) struct State<'r> {
    /// The moment of observation.
    pub(crate) now: Timestamp,
    /// Waits younger than this are presumed fine.
    pub(crate) patience_ns: u64,
    pub(crate) agents: BTreeMap<AgentId, Agent<'r>>,
    pub(crate) objects: BTreeMap<ObjectId, Object<'r>>,
    /// The object whose points are the batches of a queue.
    pub(crate) queues: BTreeMap<AgentId, ObjectId>,
    /// The queue whose batches are the points of an object.
    pub(crate) queue_owners: BTreeMap<ObjectId, AgentId>,
    pub(crate) marks: Vec<Mark<'r>>,
    pub(crate) events_lost: u64,
    /// When events were last lost.
    lost_at: Option<Timestamp>,
    coverage_told: BTreeMap<ObjectKind, Coverage>,
    coverage_seen: BTreeMap<ObjectKind, Coverage>,
    aliases: Aliases,
    /// Who was seen active on which processor.
    pub(crate) processors: HashMap<u32, Processor>,
    /// When anybody but an interrupt last got something done, by process.
    last_work: HashMap<u32, Timestamp>,
    /// What the hosts of rings have not taken from them.
    pub(crate) rings: Backlogs,
}

/// An agent at the end.
#[derive(Debug)]
pub(crate) struct Agent<'r> {
    pub(crate) kind: AgentKind,
    pub(crate) name: &'r str,
    pub(crate) pid: u32,
    pub(crate) tid: u32,
    /// The wait that is open, if one is.
    pub(crate) wait: Option<Wait<'r>>,
    pub(crate) state: Option<AgentState>,
    pub(crate) state_at: Timestamp,
    pub(crate) state_detail: &'r str,
    /// The processor that it runs or waits on, and its priority, higher first, where the source tells.
    pub(crate) cpu: Option<u32>,
    pub(crate) priority: Option<i32>,
    /// When it last got something done, and what.
    pub(crate) progress: Option<(Timestamp, &'r str)>,
    /// When it last did anything that others could wait for.
    pub(crate) active_at: Option<Timestamp>,
    /// When the oldest of its debts that is still open was taken on.
    pub(crate) oldest_debt: Option<Timestamp>,
    /// Of a queue: its first batch that is not known to have completed, and when it was submitted.
    pub(crate) head: Option<(Point, Timestamp)>,
    /// The failed calls it made, as indexes into [`State::marks`].
    pub(crate) failed: Vec<usize>,
}

/// A wait that is open.
#[derive(Debug)]
pub(crate) struct Wait<'r> {
    pub(crate) call: &'r str,
    pub(crate) points: Vec<Point>,
    pub(crate) mode: Mode,
    pub(crate) bound: Bound,
    pub(crate) since: Timestamp,
}

/// A duty to reach a point.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Debt {
    pub(crate) value: u64,
    pub(crate) debtor: AgentId,
    pub(crate) after: Option<Point>,
    pub(crate) via: Option<AgentId>,
    pub(crate) at: Timestamp,
}

/// The last time that an object was signalled or reset.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Touch {
    pub(crate) by: AgentId,
    pub(crate) at: Timestamp,
    pub(crate) value: u64,
}

/// An object at the end.
#[derive(Debug)]
pub(crate) struct Object<'r> {
    pub(crate) kind: ObjectKind,
    pub(crate) handle: u64,
    pub(crate) label: &'r str,
    pub(crate) shared: bool,
    pub(crate) introduced_at: Timestamp,
    /// The name that its kind and handle, and the one that its label, were taken from.
    described_as: Option<ObjectId>,
    labelled_as: Option<ObjectId>,
    /// Values reached, each higher than the one before, and when.
    reached: Vec<(u64, Timestamp)>,
    /// Debts on values that are not reached.
    debts: BTreeMap<u64, Vec<Debt>>,
    pub(crate) last_debt: Option<Debt>,
    pub(crate) last_signal: Option<Touch>,
    pub(crate) last_reset: Option<Touch>,
    /// Who signalled it, or had it signalled, and when last.
    pub(crate) customary: BTreeMap<AgentId, Timestamp>,
    /// What was said about it, as indexes into [`State::marks`].
    pub(crate) marks: Vec<usize>,
}

/// A remark of the recording.
#[derive(Debug)]
pub(crate) struct Mark<'r> {
    pub(crate) at: Timestamp,
    pub(crate) by: AgentId,
    pub(crate) kind: MarkKind,
    pub(crate) text: &'r str,
    pub(crate) objects: Vec<ObjectId>,
}

/// How many of the waits that succeeded have a signal or a debtor on record.
#[derive(Clone, Copy, Debug, Default)]
struct Coverage {
    reached: u64,
    explained: u64,
}

/// Debts looked at for one point: enough for every queue of a device, few enough to stay linear.
const DEBTS_PER_POINT_MAX: usize = 64;
/// As many that succeeded with none explained show that signals come unseen; the signal of one may be older than the recording.
const UNEXPLAINED_WAITS_MIN: u64 = 2;
/// Successful waits on a kind of object below which their coverage tells nothing.
const COVERAGE_WAITS_MIN: u64 = 20;

impl<'r> State<'r> {
    /// Replays the whole recording.
    pub(crate) fn replay(recording: &'r Recording, patience_ns: u64) -> Self {
        let mut state = Self {
            now: recording.header.now,
            patience_ns,
            agents: BTreeMap::new(),
            objects: BTreeMap::new(),
            queues: BTreeMap::new(),
            queue_owners: BTreeMap::new(),
            marks: Vec::new(),
            events_lost: 0,
            lost_at: None,
            coverage_told: BTreeMap::new(),
            coverage_seen: BTreeMap::new(),
            aliases: Aliases::of(&recording.events),
            processors: HashMap::new(),
            last_work: HashMap::new(),
            rings: Backlogs::new(),
        };
        // Introductions first: a source may tell what a thing is after what it did.
        for event in &recording.events {
            state.introduce(event);
        }
        for event in &recording.events {
            state.apply(event);
        }
        state.sum_up_debts();
        state.rings = backlogs(&state.objects);
        state.processors = Processor::all(&state.agents);
        let worked = state.agents.values().filter(|agent| agent.kind != AgentKind::Interrupt);
        for (pid, at) in worked.filter_map(|agent| Some((agent.pid, agent.progress?.0))) {
            let last = state.last_work.entry(pid).or_insert(at);
            *last = at.max(*last);
        }
        state
    }

    /// The agent, or what is assumed of one that was never introduced.
    pub(crate) fn agent(&self, id: AgentId) -> Option<&Agent<'r>> {
        self.agents.get(&id)
    }

    pub(crate) fn object(&self, id: ObjectId) -> Option<&Object<'r>> {
        self.objects.get(&id)
    }

    pub(crate) fn object_kind(&self, id: ObjectId) -> ObjectKind {
        self.object(id).map_or(ObjectKind::Other, |object| object.kind)
    }

    /// The wait of an agent that is alive.
    pub(crate) fn wait(&self, id: AgentId) -> Option<&Wait<'r>> {
        let agent = self.agent(id)?;
        agent.wait.as_ref().filter(|_| !agent.exited())
    }

    /// The wait of an agent that is alive, if it is no longer presumed fine.
    pub(crate) fn old_wait(&self, id: AgentId) -> Option<&Wait<'r>> {
        self.wait(id).filter(|wait| self.is_old(wait.since))
    }

    /// Whether `at` is further back than the patience.
    pub(crate) fn is_old(&self, at: Timestamp) -> bool {
        self.now.since(at) >= self.patience_ns
    }

    pub(crate) fn is_reached(&self, point: Point) -> bool {
        self.reached_at(point).is_some()
    }

    /// When the point was reached. A counter has always reached 0.
    pub(crate) fn reached_at(&self, point: Point) -> Option<Timestamp> {
        let object = self.object(point.object)?;
        let counts = matches!(
            object.kind,
            ObjectKind::TimelineSemaphore | ObjectKind::Queue | ObjectKind::Ring
        );
        if counts && point.value == 0 {
            return Some(object.introduced_at);
        }
        object.reached_at(point.value)
    }

    /// Whether events were lost after this moment: then what has not happened since may have.
    pub(crate) fn lost_since(&self, at: Timestamp) -> bool {
        self.lost_at.is_some_and(|lost| lost > at)
    }

    /// When anybody of the agent's process last got something done, interrupts aside. Whoever has no process may be of any.
    pub(crate) fn last_work(&self, agent: &Agent<'_>) -> Option<Timestamp> {
        let of = |pid: u32| self.last_work.get(&pid).copied();
        if agent.pid == 0 {
            self.last_work.values().copied().max()
        } else {
            of(agent.pid).max(of(0))
        }
    }

    /// Whether a source that counts its successful waits misses the signals of this kind of object.
    pub(crate) fn poorly_covered(&self, kind: ObjectKind) -> Option<(u64, u64)> {
        let told = self.coverage_told.get(&kind).or_else(|| self.coverage_seen.get(&kind))?;
        let poor = told.reached >= COVERAGE_WAITS_MIN
            && u128::from(told.explained) * 100 < u128::from(told.reached) * 99;
        poor.then_some((told.explained, told.reached))
    }

    /// How many waits on this kind of object succeeded, if there are some and none of them is explained.
    pub(crate) fn never_explained(&self, kind: ObjectKind) -> Option<u64> {
        let told = self.coverage_told.get(&kind).or_else(|| self.coverage_seen.get(&kind))?;
        (told.reached >= UNEXPLAINED_WAITS_MIN && told.explained == 0).then_some(told.reached)
    }

    /// Whether the source says that it sees every signal of this kind of object, though it counts no waits.
    pub(crate) fn sees_every_signal(&self, kind: ObjectKind) -> bool {
        self.coverage_told.get(&kind).is_some_and(|told| told.reached == 0)
    }

    fn introduce(&mut self, event: &'r Event) {
        match &event.what {
            What::Agent { kind, name, pid, tid } => {
                let agent = self.agents.entry(event.agent).or_default();
                (agent.kind, agent.name, agent.pid, agent.tid) = (*kind, name, *pid, *tid);
            }
            What::Object { object, kind, handle, label, shared } => {
                let about = (*kind, *handle, label.as_str(), *shared);
                self.introduce_object(event.at, *object, about);
            }
            _ => {}
        }
    }

    fn apply(&mut self, event: &'r Event) {
        let (at, by) = (event.at, event.agent);
        // Losses and totals are the source's, not an agent's.
        match &event.what {
            What::Lost { count } => {
                self.lost_at = self.lost_at.max(Some(at));
                self.events_lost = self.events_lost.saturating_add(*count);
                return;
            }
            What::Coverage { kind, reached, explained } => {
                let told = Coverage { reached: *reached, explained: *explained };
                self.coverage_told.insert(*kind, told);
                return;
            }
            What::Aliased { .. } | What::Object { .. } => return,
            _ => {}
        }
        let agent = self.agents.entry(by).or_default();
        match &event.what {
            What::State { state, detail, cpu, priority } => {
                (agent.state, agent.state_at, agent.state_detail) = (Some(*state), at, detail);
                (agent.cpu, agent.priority) = (cpu.or(agent.cpu), priority.or(agent.priority));
            }
            What::Progress { what } => {
                agent.progress = Some((at, what));
                agent.active_at = Some(at);
            }
            What::WaitBegan { call, points, mode, bound } => {
                let points = points.iter().map(|point| self.aliases.point(*point)).collect();
                agent.wait = Some(Wait { call, points, mode: *mode, bound: *bound, since: at });
            }
            What::WaitEnded { outcome } => self.end_wait(at, by, *outcome),
            What::Owed { point, after, via } => self.owe(at, by, *point, *after, *via),
            What::Signalled { point } => self.signal(at, by, *point),
            What::Reset { object } => {
                self.object_mut(*object, at).last_reset = Some(Touch { by, at, value: 0 });
            }
            What::Mark { kind, text, objects } => self.mark(at, by, *kind, text, objects),
            What::Agent { .. } | What::Object { .. } | What::Aliased { .. } => {}
            What::Lost { .. } | What::Coverage { .. } => {}
        }
    }

    fn object_mut(&mut self, id: ObjectId, at: Timestamp) -> &mut Object<'r> {
        match self.objects.entry(self.aliases.object(id)) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Object::unknown(at)),
        }
    }

    fn introduce_object(
        &mut self,
        at: Timestamp,
        id: ObjectId,
        about: (ObjectKind, u64, &'r str, bool),
    ) {
        let (kind, handle, label, shared) = about;
        let object = self.object_mut(id, at);
        // Of several names for one object the first describes it, in whatever order they come.
        if object.described_as.is_none_or(|known| id <= known) {
            (object.kind, object.handle, object.described_as) = (kind, handle, Some(id));
        }
        if !label.is_empty() && object.labelled_as.is_none_or(|known| id <= known) {
            (object.label, object.labelled_as) = (label, Some(id));
        }
        object.shared |= shared;
    }

    fn end_wait(&mut self, at: Timestamp, by: AgentId, outcome: Outcome) {
        let Some(agent) = self.agents.get_mut(&by) else { return };
        let Some(wait) = agent.wait.take() else { return };
        if outcome != Outcome::Reached {
            return;
        }
        agent.active_at = agent.active_at.max(Some(at));
        if wait.mode == Mode::Any && wait.points.len() > 1 {
            return;
        }
        for point in wait.points {
            let object = self.object_mut(point.object, at);
            let kind = object.kind;
            let explained = object.explains(point.value);
            object.reach(point.value, at);
            let seen = self.coverage_seen.entry(kind).or_default();
            seen.reached += 1;
            seen.explained += u64::from(explained);
        }
    }

    fn owe(
        &mut self,
        at: Timestamp,
        by: AgentId,
        point: Point,
        after: Option<Point>,
        via: Option<AgentId>,
    ) {
        let point = self.aliases.point(point);
        let after = after.map(|after| self.aliases.point(after));
        if let Some(via) = via {
            let submitter = self.agents.entry(via).or_default();
            submitter.active_at = submitter.active_at.max(Some(at));
        }
        let debt = Debt { value: point.value, debtor: by, after, via, at };
        let object = self.object_mut(point.object, at);
        let queue = object.kind == ObjectKind::Queue;
        object.last_debt = Some(debt);
        if let Some(via) = via {
            object.customary.insert(via, at);
        }
        if object.reached_at(point.value).is_none() {
            let debts = object.debts.entry(point.value);
            debts.or_insert_with(|| Vec::with_capacity(1)).push(debt);
        }
        if queue {
            self.own_queue(by, point.object);
        }
    }

    fn signal(&mut self, at: Timestamp, by: AgentId, point: Point) {
        let point = self.aliases.point(point);
        // The world outside is nobody in particular: what it did once makes no custom.
        let outside = self.agents.get(&by).is_none_or(|agent| agent.kind == AgentKind::Outside);
        let object = self.object_mut(point.object, at);
        object.last_signal = Some(Touch { by, at, value: point.value });
        if !outside {
            object.customary.insert(by, at);
        }
        object.reach(point.value, at);
        let queue = object.kind == ObjectKind::Queue;
        if let Some(agent) = self.agents.get_mut(&by) {
            agent.active_at = agent.active_at.max(Some(at));
        }
        if queue {
            self.own_queue(by, point.object);
        }
    }

    fn own_queue(&mut self, agent: AgentId, object: ObjectId) {
        if self.agent(agent).is_some_and(|agent| agent.kind == AgentKind::GpuQueue) {
            self.queues.entry(agent).or_insert(object);
            self.queue_owners.entry(object).or_insert(agent);
        }
    }

    fn mark(
        &mut self,
        at: Timestamp,
        by: AgentId,
        kind: MarkKind,
        text: &'r str,
        objects: &[ObjectId],
    ) {
        let index = self.marks.len();
        for object in objects {
            self.object_mut(*object, at).marks.push(index);
        }
        if let (MarkKind::FailedCall, Some(agent)) = (kind, self.agents.get_mut(&by)) {
            agent.failed.push(index);
        }
        let objects = objects.iter().map(|object| self.aliases.object(*object)).collect();
        self.marks.push(Mark { at, by, kind, text, objects });
    }

    /// Notes on every debtor since when it owes, and on every queue which batch is its next.
    fn sum_up_debts(&mut self) {
        let mut open = Vec::new();
        for (id, object) in &self.objects {
            let batches = object.kind == ObjectKind::Queue;
            for debt in object.debts.values().flatten() {
                let passed = debt.after.is_some_and(|after| self.is_reached(after));
                if !passed {
                    let head = batches.then_some(Point { object: *id, value: debt.value });
                    open.push((*debt, head));
                }
            }
        }
        for (debt, head) in open {
            let Some(agent) = self.agents.get_mut(&debt.debtor) else { continue };
            agent.oldest_debt = Some(agent.oldest_debt.map_or(debt.at, |at| at.min(debt.at)));
            if let (None, Some(head)) = (agent.head, head) {
                agent.head = Some((head, debt.at));
            }
        }
    }
}

impl Default for Agent<'_> {
    /// An agent that nobody introduced is beyond the observed world.
    fn default() -> Self {
        Self {
            kind: AgentKind::Outside,
            name: "",
            pid: 0,
            tid: 0,
            wait: None,
            state: None,
            state_at: Timestamp(0),
            state_detail: "",
            cpu: None,
            priority: None,
            progress: None,
            active_at: None,
            oldest_debt: None,
            head: None,
            failed: Vec::new(),
        }
    }
}

impl Agent<'_> {
    pub(crate) fn exited(&self) -> bool {
        self.state == Some(AgentState::Exited)
    }

    /// When it was last seen to get on: progress told, a signal given, a wait ended.
    pub(crate) fn last_activity(&self) -> Option<Timestamp> {
        self.active_at
    }
}

impl Object<'_> {
    fn unknown(at: Timestamp) -> Self {
        Self {
            kind: ObjectKind::Other,
            handle: 0,
            label: "",
            shared: false,
            introduced_at: at,
            described_as: None,
            labelled_as: None,
            reached: Vec::new(),
            debts: BTreeMap::new(),
            last_debt: None,
            last_signal: None,
            last_reset: None,
            customary: BTreeMap::new(),
            marks: Vec::new(),
        }
    }

    /// Whether the recording says what it is.
    pub(crate) fn is_known(&self) -> bool {
        self.described_as.is_some()
    }

    /// The highest value reached, and when.
    pub(crate) fn value(&self) -> Option<(u64, Timestamp)> {
        self.reached.last().copied()
    }

    fn reached_at(&self, value: u64) -> Option<Timestamp> {
        let place = self.reached.partition_point(|(reached, _)| *reached < value);
        self.reached.get(place).map(|(_, at)| *at)
    }

    /// Reaching a value reaches every lower one, whatever the kind: a point is an n-th signal.
    fn reach(&mut self, value: u64, at: Timestamp) {
        if self.value().is_some_and(|(reached, _)| reached >= value) {
            return;
        }
        self.reached.push((value, at));
        while self.debts.first_entry().is_some_and(|debt| *debt.key() <= value) {
            self.debts.pop_first();
        }
    }

    /// Whether a signal or a debtor for `value` is on record.
    fn explains(&self, value: u64) -> bool {
        self.reached_at(value).is_some()
            || self.debts.last_key_value().is_some_and(|(owed, _)| *owed >= value)
    }

    /// The debts on values that are not reached, the lowest value first.
    pub(crate) fn open_debts(&self) -> impl Iterator<Item = &Debt> {
        self.debts.values().flatten()
    }

    /// Whether the debtor took on the value more than once.
    pub(crate) fn was_owed_again(&self, debt: &Debt) -> bool {
        let debts = self.debts.get(&debt.value).map_or(&[][..], Vec::as_slice);
        debts.iter().filter(|other| other.debtor == debt.debtor).count() > 1
    }

    /// The debts that would reach `value`, one for each debtor, its first.
    pub(crate) fn debts_for(&self, value: u64) -> Vec<Debt> {
        let mut debts: Vec<Debt> = Vec::new();
        for debt in self.debts.range(value..).flat_map(|(_, debts)| debts).take(DEBTS_PER_POINT_MAX)
        {
            if debts.iter().all(|known| known.debtor != debt.debtor) {
                debts.push(*debt);
            }
        }
        debts
    }
}
