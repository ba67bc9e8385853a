//! Which tasks are there, what is each doing, and which call is it in?
//!
//! Invariant: the table is bounded; tasks that find no room are counted and not followed.

use std::collections::HashMap;

use unwedge_trace::{AgentId, AgentKind, AgentState, Bound, Mode, Outcome, Point, What};

use crate::Sink;

/// Tasks followed at one time; a kernel allows four million, a busy machine has some ten thousand.
const TASKS_MAX: usize = 1 << 18;
/// How often it is told of a running task that it still runs. Nanoseconds.
const SEEN_AGAIN_NS: u64 = 100_000_000;
/// Processors that are watched; the largest machines have some thousand.
const CPUS_MAX: usize = 1 << 13;
/// Waits of one task inside one another that are kept.
const INNER_MAX: usize = 8;
/// What the tracer writes for a name that it has forgotten.
const NAME_FORGOTTEN: &str = "<...>";

/// Gives out the numbers of agents and objects.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    agents: u32,
    objects: u32,
}

impl Numbers {
    /// The number of one more agent; the first one is the tracer's own.
    pub(super) fn agent(&mut self) -> AgentId {
        self.agents = self.agents.saturating_add(1);
        AgentId(self.agents)
    }

    /// The number of one more object.
    pub(super) fn object(&mut self) -> unwedge_trace::ObjectId {
        self.objects = self.objects.saturating_add(1);
        unwedge_trace::ObjectId(self.objects)
    }
}

/// A wait, as it is told.
#[derive(Clone, Debug)]
pub(super) struct Waits {
    pub(super) call: String,
    pub(super) points: Vec<Point>,
    pub(super) bound: Bound,
}

impl Waits {
    fn tell(&self, at: u64, agent: AgentId, out: &mut Sink) {
        let Self { call, points, bound } = self.clone();
        out.event(at, agent, What::WaitBegan { call, points, mode: Mode::All, bound });
    }
}

/// A system call that a task is in.
#[derive(Debug)]
pub(super) struct Call {
    /// As the kernel names it, without `sys_`.
    pub(super) name: &'static str,
    /// When it was entered.
    pub(super) began: u64,
    /// The wait that it is, if it may wait.
    pub(super) waits: Option<Waits>,
    /// What it does to a futex.
    pub(super) futex: Option<super::futex::Use>,
    /// Who woke the task last while it was in the call.
    pub(super) woken_by: Option<AgentId>,
    /// Whether the task was seen to sleep in it.
    pub(super) slept: bool,
}

/// A task that is followed.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) agent: AgentId,
    name: Box<str>,
    /// The id of its process; 0 while it is not known.
    pub(super) process: u32,
    pub(super) state: Option<AgentState>,
    /// When that was told.
    told_at: u64,
    priority: Option<i32>,
    /// It was seen to begin its end.
    exits: bool,
    pub(super) call: Option<Call>,
    /// Waits inside the kernel, each within the one before, within the call or without one.
    inner: Vec<Waits>,
    /// The lock that it spins for, and since when.
    pub(super) spins: Option<(u64, u64)>,
    /// The lock that it asked for last, and whether only to read.
    pub(super) asked_for: Option<(u64, bool)>,
    /// The address of the lock that the kernel refused it a moment ago, for its owners form a circle.
    pub(super) refused: Option<u64>,
}

/// Every task that is followed, by its thread id.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    by_tid: HashMap<u32, Task>,
    /// Who runs on each processor, since the first switch of tasks was seen.
    running: HashMap<u32, u32>,
    /// How often a task found no room.
    pub(super) left_out: u64,
}

/// A task as an event names it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named<'a> {
    pub(super) name: &'a str,
    pub(super) tid: u32,
    pub(super) process: Option<u32>,
}

impl Tasks {
    pub(super) fn get_mut(&mut self, tid: u32) -> Option<&mut Task> {
        self.by_tid.get_mut(&tid)
    }

    pub(super) fn agent(&self, tid: u32) -> Option<AgentId> {
        self.by_tid.get(&tid).map(|task| task.agent)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Task)> {
        self.by_tid.iter().map(|(tid, task)| (*tid, task))
    }

    /// The task, introduced if it is new or if more is known of it now. The idle task is nobody.
    pub(super) fn of(
        &mut self,
        at: u64,
        named: Named<'_>,
        numbers: &mut Numbers,
        out: &mut Sink,
    ) -> Option<&mut Task> {
        if named.tid == 0 {
            return None;
        }
        if self.by_tid.len() >= TASKS_MAX && !self.by_tid.contains_key(&named.tid) {
            self.left_out += 1;
            return None;
        }
        let name = if named.name == NAME_FORGOTTEN { "" } else { named.name };
        let mut news = false;
        let task = self.by_tid.entry(named.tid).or_insert_with(|| {
            news = true;
            Task::new(numbers.agent(), name)
        });
        // trace-cmd's latency form cuts names, so the beginning of the known name is that name.
        if !task.name.starts_with(name) {
            task.name = name.into();
            news = true;
        }
        if let Some(process) = named.process.filter(|process| *process != task.process) {
            task.process = process;
            news = true;
        }
        if news {
            task.introduce(at, named.tid, out);
        }
        Some(task)
    }

    /// A processor was given to the task with this id.
    pub(super) fn switched(&mut self, cpu: u32, tid: u32) {
        if self.running.len() < CPUS_MAX || self.running.contains_key(&cpu) {
            self.running.insert(cpu, tid);
        }
    }

    /// The task is seen on a processor. Where switches are recorded this is news only if one of them was not.
    pub(super) fn seen(
        &mut self,
        at: u64,
        named: Named<'_>,
        cpu: u32,
        numbers: &mut Numbers,
        out: &mut Sink,
    ) {
        let Some(before) = self.running.get(&cpu).copied() else { return };
        if before != named.tid {
            self.switched(cpu, named.tid);
            let before = self.by_tid.get_mut(&before);
            if let Some(task) = before.filter(|task| task.state == Some(AgentState::Running)) {
                let detail = "left its processor unseen".to_owned();
                task.tell(at, AgentState::Unknown, detail, None, None, out);
            }
        }
        if let Some(task) = self.of(at, named, numbers, out) {
            task.seen(at, cpu, out);
        }
    }

    /// A task with this id begins: one that had it before is another.
    pub(super) fn born(
        &mut self,
        at: u64,
        named: Named<'_>,
        numbers: &mut Numbers,
        out: &mut Sink,
    ) -> Option<&mut Task> {
        if self.by_tid.get(&named.tid).is_some_and(|task| task.exits) {
            self.by_tid.remove(&named.tid);
        }
        self.of(at, named, numbers, out)
    }

    /// The task has a new name for certain.
    pub(super) fn rename(&mut self, at: u64, tid: u32, name: &str, out: &mut Sink) {
        if let Some(task) = self.by_tid.get_mut(&tid) {
            task.name = name.into();
            task.introduce(at, tid, out);
        }
    }

    /// The task will never run again.
    pub(super) fn gone(&mut self, at: u64, tid: u32, detail: &str, out: &mut Sink) {
        if let Some(mut task) = self.by_tid.remove(&tid) {
            task.tell(at, AgentState::Exited, detail.to_owned(), None, None, out);
        }
    }
}

impl Task {
    fn new(agent: AgentId, name: &str) -> Self {
        Self {
            agent,
            name: name.into(),
            process: 0,
            state: None,
            told_at: 0,
            priority: None,
            exits: false,
            call: None,
            inner: Vec::new(),
            spins: None,
            asked_for: None,
            refused: None,
        }
    }

    fn introduce(&self, at: u64, tid: u32, out: &mut Sink) {
        let (kind, name) = (AgentKind::HostThread, self.name.to_string());
        out.event(at, self.agent, What::Agent { kind, name, pid: self.process, tid });
    }

    /// Says what the task is doing, unless that was said already.
    pub(super) fn tell(
        &mut self,
        at: u64,
        state: AgentState,
        detail: String,
        cpu: Option<u32>,
        priority: Option<i32>,
        out: &mut Sink,
    ) {
        let again = matches!(state, AgentState::Ready | AgentState::Exited);
        if again && self.state == Some(state) {
            return;
        }
        (self.state, self.told_at) = (Some(state), at);
        self.priority = priority.or(self.priority);
        let priority = self.priority;
        out.event(at, self.agent, What::State { state, detail, cpu, priority });
    }

    /// It is seen on a processor: news if that was not told, or not lately.
    fn seen(&mut self, at: u64, cpu: u32, out: &mut Sink) {
        let lately = at.saturating_sub(self.told_at) < SEEN_AGAIN_NS;
        match self.state {
            Some(AgentState::Exited) => {}
            Some(AgentState::Running) if lately => {}
            _ => self.tell(at, AgentState::Running, String::new(), Some(cpu), None, out),
        }
    }

    /// It begins its end, and may still run and sleep on the way.
    pub(super) fn exit(&mut self, at: u64, out: &mut Sink) {
        self.exits = true;
        self.tell(at, AgentState::Exited, "exits".to_owned(), None, None, out);
    }

    /// It enters a call.
    pub(super) fn enter(&mut self, call: Call, out: &mut Sink) {
        // The end of the call before was not recorded, and how it ended is not known.
        if let Some(before) = self.call.take() {
            self.leave(call.began, &before, Outcome::Failed, out);
        }
        if let Some(waits) = &call.waits {
            waits.tell(call.began, self.agent, out);
        }
        self.call = Some(call);
    }

    /// It leaves `call`, which was taken from it.
    pub(super) fn leave(&mut self, at: u64, call: &Call, outcome: Outcome, out: &mut Sink) {
        if call.waits.is_some() || !self.inner.is_empty() {
            self.inner.clear();
            out.event(at, self.agent, What::WaitEnded { outcome });
        }
    }

    /// The call of the innermost wait inside the kernel.
    pub(super) fn inner_call(&self) -> Option<&str> {
        self.inner.last().map(|waits| waits.call.as_str())
    }

    /// It waits inside the kernel, which says more than the call around it.
    pub(super) fn begin_inner(&mut self, at: u64, waits: Waits, out: &mut Sink) {
        waits.tell(at, self.agent, out);
        if self.inner.len() < INNER_MAX {
            self.inner.push(waits);
        }
    }

    /// The wait for these points inside the kernel ends; what is around it goes on.
    pub(super) fn end_inner(
        &mut self,
        at: u64,
        points: &[Point],
        outcome: Outcome,
        out: &mut Sink,
    ) {
        let Some(place) = self.inner.iter().rposition(|waits| waits.points == points) else {
            return;
        };
        // Further in than that nothing can be open any more.
        self.inner.truncate(place);
        out.event(at, self.agent, What::WaitEnded { outcome });
        let around = self.call.as_ref().and_then(|call| call.waits.as_ref());
        if let Some(waits) = self.inner.last().or(around) {
            waits.tell(at, self.agent, out);
        }
    }
}
