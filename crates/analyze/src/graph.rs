//! Who depends on whom? From each wait to its points, from each point to those who owe it.
//!
//! A node is true ("can proceed") if the conjunction or disjunction of its inputs is, within its
//! own limits: a *cap* that it cannot exceed (a lost signal, an engine that stands still) and a
//! *floor* below which it cannot fall (a point that is reached, a wait that is young).

pub(crate) mod idle;
pub(crate) mod ring;

use std::collections::HashMap;
use std::ops::Range;

use unwedge_trace::{AgentId, AgentKind, AgentState, MarkKind, Mode, ObjectKind, Point};

use crate::replay::{Agent, Debt, Object, State};

/// How sure it is that something can proceed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// It cannot.
    No,
    /// The evidence does not say.
    Maybe,
    /// It can, as far as the evidence goes.
    Yes,
}

/// Why a node is limited by itself and not by what it depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The agent is gone.
    Exited,
    /// The queue's engine does nothing though a batch is ready.
    Stalled,
    /// The queue's engine works and finishes nothing.
    Busy,
    /// Whether the queue's engine works cannot be seen.
    Opaque,
    /// No breadcrumb tells what the queue has passed.
    NoBreadcrumbs,
    /// Every point of the wait was reached long ago and the call has not returned.
    Unreturned,
    /// Nobody owes the point.
    Nobody,
    /// Whoever used to signal the object is gone.
    CustomaryGone,
    /// The debtor passed what it owed and the object never showed it.
    Lost,
    /// The presentation engine is seen to do nothing with an image it has.
    Withheld,
    /// The presentation engine does not deliver and what it does cannot be seen.
    EngineSilent,
    /// The debtor is outside.
    Outside,
    /// The object is shared with the outside and nobody inside owes the point.
    Shared,
    /// A thread holds the lock and is in no wait.
    Holder,
    /// Nobody knows who holds the lock.
    UnknownHolder,
    /// The agent could run and is not picked.
    Starved,
    /// Every point of the wait is there, and the agent still waits.
    Unwoken,
    /// The debtor took the duty on again and again, got other things done, and never signalled.
    Silent,
    /// The agent polls an object that nobody signals, and nobody gets anything done.
    Polled,
    /// Somebody holds the block and is in no wait.
    Held,
    /// The debtor does not move the head of its ring.
    Ring(ring::Stop),
}

/// What a node stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Subject {
    Agent(AgentId),
    Point(Point),
    Debt(Point, Debt),
}

/// A place in [`Graph::nodes`].
pub(crate) type NodeId = usize;
/// The same, as it is kept: a wait, its point and its debt for each of a hundred thousand threads are no 4 Gi.
type Place = u32;

/// One agent, point or debt and what it depends on.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) subject: Subject,
    /// All of the inputs, or any of them.
    pub(crate) mode: Mode,
    inputs: Range<Place>,
    pub(crate) cap: Level,
    pub(crate) floor: Level,
    pub(crate) reason: Option<Reason>,
}

/// All that open waits depend on.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    pub(crate) nodes: Vec<Node>,
    /// The inputs of all nodes, one node's after another's.
    inputs: Vec<Place>,
    agents: HashMap<AgentId, NodeId>,
    points: HashMap<Point, NodeId>,
    /// Debts by object, value and debtor: one debt may reach the values of many waits.
    debts: HashMap<(Point, AgentId), NodeId>,
}

/// How long a signal may take from the debtor's passing to the object's showing it.
pub(crate) const SIGNAL_LATENCY_NS_MAX: u64 = 50_000_000;
/// More customary signallers than this are a crowd, and a crowd is not accused.
const CUSTOMARY_MAX: usize = 64;
/// Points of a customary signaller's own wait that are looked at.
const POINTS_MAX: usize = 64;

impl Graph {
    /// The graph below every open wait.
    pub(crate) fn build(state: &State<'_>) -> Self {
        let mut graph = Self::default();
        for id in state.agents.keys() {
            if state.wait(*id).is_some() {
                graph.agent(*id);
            }
        }
        // Expanding a node adds the nodes it needs at the end.
        let mut next = 0;
        while let Some(node) = graph.nodes.get(next) {
            match node.subject {
                Subject::Agent(id) => graph.expand_agent(state, next, id),
                Subject::Point(point) => graph.expand_point(state, next, point),
                Subject::Debt(point, debt) => graph.expand_debt(state, next, point, debt),
            }
            next += 1;
        }
        graph
    }

    /// What a node depends on.
    pub(crate) fn inputs(&self, node: NodeId) -> impl ExactSizeIterator<Item = NodeId> + '_ {
        let Range { start, end } = self.nodes[node].inputs;
        self.inputs[start as usize..end as usize].iter().map(|input| *input as usize)
    }

    /// Says what a node depends on. Each node is told once, when it is expanded.
    fn depend(&mut self, node: NodeId, inputs: impl IntoIterator<Item = NodeId>) {
        let place = |count: usize| Place::try_from(count).unwrap_or(Place::MAX);
        let start = place(self.inputs.len());
        self.inputs.extend(inputs.into_iter().map(place));
        self.nodes[node].inputs = start..place(self.inputs.len());
    }

    pub(crate) fn agent_node(&self, id: AgentId) -> Option<NodeId> {
        self.agents.get(&id).copied()
    }

    fn agent(&mut self, id: AgentId) -> NodeId {
        if let Some(node) = self.agents.get(&id) {
            return *node;
        }
        let node = self.add(Subject::Agent(id));
        self.agents.insert(id, node);
        node
    }

    fn point(&mut self, point: Point) -> NodeId {
        if let Some(node) = self.points.get(&point) {
            return *node;
        }
        let node = self.add(Subject::Point(point));
        self.points.insert(point, node);
        node
    }

    fn debt(&mut self, point: Point, debt: Debt) -> NodeId {
        let key = (Point { value: debt.value, ..point }, debt.debtor);
        if let Some(node) = self.debts.get(&key) {
            return *node;
        }
        let node = self.add(Subject::Debt(key.0, debt));
        self.debts.insert(key, node);
        node
    }

    fn add(&mut self, subject: Subject) -> NodeId {
        self.nodes.push(Node {
            subject,
            mode: Mode::All,
            inputs: 0..0,
            cap: Level::Yes,
            floor: Level::No,
            reason: None,
        });
        self.nodes.len() - 1
    }

    fn limit(&mut self, node: NodeId, cap: Level, reason: Reason) {
        self.nodes[node].cap = cap;
        self.nodes[node].reason = Some(reason);
    }

    fn hold_up(&mut self, node: NodeId, floor: Level, reason: Option<Reason>) {
        self.nodes[node].floor = floor;
        self.nodes[node].reason = reason;
    }

    fn expand_agent(&mut self, state: &State<'_>, node: NodeId, id: AgentId) {
        let Some(agent) = state.agent(id) else { return };
        if agent.exited() {
            return self.limit(node, Level::No, Reason::Exited);
        }
        if let Some(level) = idle::starved(state, id, agent) {
            return self.limit(node, level, Reason::Starved);
        }
        let Some(wait) = &agent.wait else {
            if let (AgentKind::GpuQueue, Some((cap, reason))) =
                (agent.kind, queue_limit(state, id, agent))
            {
                self.limit(node, cap, reason);
            }
            return;
        };
        let inputs: Vec<_> = wait.points.iter().map(|point| self.point(*point)).collect();
        if !inputs.is_empty() {
            self.nodes[node].mode = wait.mode;
        }
        self.depend(node, inputs);
        if !state.is_old(wait.since) {
            self.hold_up(node, Level::Yes, None);
        } else if queues_passed_long_ago(state, &wait.points) {
            self.limit(node, Level::No, Reason::Unreturned);
        } else if let Some(level) = idle::unwoken(state, wait) {
            self.limit(node, level, Reason::Unwoken);
        } else if idle::polls_in_vain(state, agent, wait) {
            self.limit(node, Level::Maybe, Reason::Polled);
        }
    }

    fn expand_point(&mut self, state: &State<'_>, node: NodeId, point: Point) {
        if state.is_reached(point) {
            return self.hold_up(node, Level::Yes, None);
        }
        self.nodes[node].mode = Mode::Any;
        let Some(object) = state.object(point.object) else {
            // Nothing at all is known of it: no ground for an accusation.
            return self.hold_up(node, Level::Maybe, Some(Reason::Shared));
        };
        let mut debts = object.debts_for(point.value);
        if debts.iter().any(|debt| is_lost(state, debt)) {
            debts.retain(|debt| is_lost(state, debt));
        }
        if !debts.is_empty() {
            if object.kind == ObjectKind::Block {
                self.nodes[node].mode = Mode::All;
            }
            let inputs: Vec<_> = debts.into_iter().map(|debt| self.debt(point, debt)).collect();
            self.depend(node, inputs);
        } else if ring::fatal_mark(state, point.object).is_some() {
            self.limit(node, Level::No, Reason::Ring(ring::Stop::Fatal));
        } else if !object.is_known() {
            self.hold_up(node, Level::Maybe, Some(Reason::Shared));
        } else if object.kind == ObjectKind::Mutex {
            self.hold_up(node, Level::Maybe, Some(Reason::UnknownHolder));
        } else {
            self.expand_unowed_point(state, node, point, object);
        }
    }

    /// Nobody owes the point; those who signalled the object before may do so again.
    fn expand_unowed_point(
        &mut self,
        state: &State<'_>,
        node: NodeId,
        point: Point,
        object: &Object<'_>,
    ) {
        if object.shared {
            self.hold_up(node, Level::Maybe, Some(Reason::Shared));
        }
        if has_custom(object) && object.customary.len() > CUSTOMARY_MAX {
            return self.hold_up(node, Level::Yes, None);
        }
        let customary = customary_debtors(state, point, object);
        if customary.is_empty() {
            if !object.shared && (must_be_owed(object.kind) || state.sees_every_signal(object.kind))
            {
                self.limit(node, Level::No, Reason::Nobody);
            } else if !object.shared {
                // It may be what an idle thread waits for, and its signal may be out of sight.
                self.hold_up(node, Level::Yes, None);
            }
            return;
        }
        let agents = customary.iter().filter_map(|id| state.agent(*id));
        if agents.clone().any(|agent| agent.kind == AgentKind::Outside) {
            self.hold_up(node, Level::Maybe, Some(Reason::Shared));
        }
        if agents.clone().all(Agent::exited) && self.nodes[node].floor == Level::No {
            return self.limit(node, Level::No, Reason::CustomaryGone);
        }
        let alive = |id: &&AgentId| state.agent(**id).is_some_and(|agent| !agent.exited());
        let inputs: Vec<_> = customary.iter().filter(alive).map(|id| self.agent(*id)).collect();
        self.depend(node, inputs);
    }

    fn expand_debt(&mut self, state: &State<'_>, node: NodeId, point: Point, debt: Debt) {
        if let Some(halt) = ring::halt(state, point, &debt) {
            return self.expand_halted(node, point, debt, halt);
        }
        let Some(debtor) = state.agent(debt.debtor) else { return };
        let locked =
            matches!(state.object_kind(point.object), ObjectKind::Mutex | ObjectKind::Futex);
        match debtor.kind {
            _ if debtor.exited() => {}
            AgentKind::Outside => return self.limit(node, Level::Maybe, Reason::Outside),
            AgentKind::PresentationEngine if debtor.wait.is_none() => {
                return self.expand_engine(state, node, point, debt, debtor);
            }
            _ if is_lost(state, &debt) => return self.limit(node, Level::No, Reason::Lost),
            _ if debt.after.is_some_and(|after| state.is_reached(after)) => {
                // It was passed a moment ago: the signal is on its way.
                return self.hold_up(node, Level::Yes, None);
            }
            // What keeps it from going on is not what it does, but who runs instead.
            _ if idle::starved(state, debt.debtor, debtor).is_some() => {}
            _ if locked && debtor.wait.is_none() => {
                return self.limit(node, Level::Maybe, Reason::Holder);
            }
            _ if state.object_kind(point.object) == ObjectKind::Block && debtor.wait.is_none() => {
                return self.limit(node, Level::Maybe, Reason::Held);
            }
            _ if idle::is_silent(state, point, &debt) => {
                return self.limit(node, Level::No, Reason::Silent);
            }
            _ => {}
        }
        let mut inputs = vec![self.agent(debt.debtor)];
        inputs.extend(foreign_after(state, &debt).map(|after| self.point(after)));
        self.depend(node, inputs);
    }

    /// A duty behind a ring that stands still: all of them lead to the first one there is on that ring.
    fn expand_halted(
        &mut self,
        node: NodeId,
        point: Point,
        debt: Debt,
        (backlog, level, stop): (&ring::Backlog, Level, ring::Stop),
    ) {
        let first = Point { object: backlog.ring, value: backlog.first.value };
        if (Point { value: debt.value, ..point }) == first {
            return self.limit(node, level, Reason::Ring(stop));
        }
        let next = self.debt(first, backlog.first);
        self.depend(node, [next]);
    }

    /// A presentation engine that is in no wait of its own.
    fn expand_engine(
        &mut self,
        state: &State<'_>,
        node: NodeId,
        point: Point,
        debt: Debt,
        engine: &Agent<'_>,
    ) {
        if let Some(after) = foreign_after(state, &debt) {
            let inputs = [self.agent(debt.debtor), self.point(after)];
            self.depend(node, inputs);
            return;
        }
        let recent = engine.last_activity().is_some_and(|at| !state.is_old(at));
        let swapchain = state.object_kind(point.object) == ObjectKind::Swapchain;
        // One that runs is a live source outside: it gives images when there is a use for them, and
        // a hidden window has none.
        let live = engine.state == Some(AgentState::Running);
        if recent || live || !state.is_old(debt.at) {
            self.hold_up(node, Level::Yes, None);
        } else if swapchain && engine.state == Some(AgentState::Blocked) {
            self.limit(node, Level::No, Reason::Withheld);
        } else {
            self.limit(node, Level::Maybe, Reason::EngineSilent);
        }
    }
}

/// Whether the debtor passed what it owed, and the object should long have shown it.
fn is_lost(state: &State<'_>, debt: &Debt) -> bool {
    let kind = state.agent(debt.debtor).map_or(AgentKind::Outside, |debtor| debtor.kind);
    if matches!(kind, AgentKind::Outside | AgentKind::PresentationEngine) {
        return false;
    }
    debt.after
        .and_then(|after| state.reached_at(after))
        .is_some_and(|at| state.now.since(at) >= SIGNAL_LATENCY_NS_MAX)
}

/// What somebody other than the debtor has to reach before the debtor can.
fn foreign_after(state: &State<'_>, debt: &Debt) -> Option<Point> {
    let after = debt.after.filter(|after| !state.is_reached(*after))?;
    let owed = state.object(after.object)?.debts_for(after.value);
    let foreign = !owed.is_empty() && owed.iter().all(|other| other.debtor != debt.debtor);
    foreign.then_some(after)
}

/// Whether somebody must have taken on the signal of such an object before anybody waits for it. Of other kinds
/// a thread may wait for a signal that comes in its own time, or never, and be idle.
fn must_be_owed(kind: ObjectKind) -> bool {
    matches!(
        kind,
        ObjectKind::Fence
            | ObjectKind::BinarySemaphore
            | ObjectKind::TimelineSemaphore
            | ObjectKind::Query
            | ObjectKind::Swapchain
            | ObjectKind::Queue
            | ObjectKind::Device
            | ObjectKind::DmaFence
    )
}

/// Whether those who signalled such an object before are expected to do so again.
fn has_custom(object: &Object<'_>) -> bool {
    !matches!(
        object.kind,
        ObjectKind::Fence
            | ObjectKind::BinarySemaphore
            | ObjectKind::Query
            | ObjectKind::Swapchain
            | ObjectKind::Queue
            | ObjectKind::Device
    )
}

/// Those who signalled the object before and may do so again; none of them waits for it.
fn customary_debtors(state: &State<'_>, point: Point, object: &Object<'_>) -> Vec<AgentId> {
    if !has_custom(object) {
        return Vec::new();
    }
    let waits_too = |id: AgentId| {
        state.wait(id).is_some_and(|wait| {
            let mut points = wait.points.iter().take(POINTS_MAX);
            (wait.mode == Mode::All || wait.points.len() == 1)
                && points.any(|other| other.object == point.object && other.value >= point.value)
        })
    };
    let is_queue =
        |id: AgentId| state.agent(id).is_some_and(|agent| agent.kind == AgentKind::GpuQueue);
    object.customary.keys().copied().filter(|id| !is_queue(*id) && !waits_too(*id)).collect()
}

/// What limits a queue that waits for nothing.
fn queue_limit(state: &State<'_>, id: AgentId, queue: &Agent<'_>) -> Option<(Level, Reason)> {
    let pending = queue.head.map(|(_, at)| at).or(queue.oldest_debt)?;
    let active = queue.last_activity().is_some_and(|at| !state.is_old(at));
    if active || !state.is_old(pending) {
        return None;
    }
    if lacks_breadcrumbs(state, id) {
        return Some((Level::Maybe, Reason::NoBreadcrumbs));
    }
    Some(match queue.state {
        Some(AgentState::Blocked) => (Level::No, Reason::Stalled),
        Some(AgentState::Running | AgentState::Ready) => (Level::Maybe, Reason::Busy),
        Some(AgentState::Exited | AgentState::Unknown) | None => (Level::Maybe, Reason::Opaque),
    })
}

/// Whether the recording says that it cannot tell what the queue has passed.
fn lacks_breadcrumbs(state: &State<'_>, queue: AgentId) -> bool {
    let Some(object) = state.queues.get(&queue).and_then(|id| state.object(*id)) else {
        return false;
    };
    object.marks.iter().filter_map(|index| state.marks.get(*index)).any(|mark| {
        mark.kind == MarkKind::Unobserved && mark.text.to_lowercase().contains("breadcrumb")
    })
}

/// Whether the wait is for batches only, and the GPU passed them all more than the patience ago.
fn queues_passed_long_ago(state: &State<'_>, points: &[Point]) -> bool {
    !points.is_empty()
        && points.iter().all(|point| {
            state.object_kind(point.object) == ObjectKind::Queue
                && state.reached_at(*point).is_some_and(|at| state.is_old(at))
        })
}
