//! How does a kernel log become events? Each blocked task waits, each holder that is certain owes, the rest are remarks.

use std::collections::{BTreeMap, BTreeSet};

use unwedge_trace::{
    AgentId, AgentKind, AgentState, Bound, Event, MarkKind, Mode, ObjectId, ObjectKind, Point,
    Timestamp, What,
};

use super::frames::{Blocked, Sort, Trace};
use super::held::{Key, Snapshot};
use super::lockdep::Lockdep;
use super::reports::{Log, Owner, Task};
use super::trouble::{About, Troubles};
use crate::Sink;

/// The moment of a log that has no times, so late that a wait of hours fits before it. Nanoseconds.
pub(super) const NO_CLOCK_NS: u64 = 86_400_000_000_000;
/// The agent that stands for the kernel and whoever is not told.
const KERNEL: AgentId = AgentId(0);
/// Tasks named in one remark.
const NAMES_MAX: usize = 4;

/// All that the log told.
pub(super) struct Told<'t> {
    pub(super) log: &'t Log,
    pub(super) held: &'t Snapshot,
    pub(super) troubles: &'t Troubles,
    pub(super) lockdep: &'t [Lockdep],
    pub(super) has_clock: bool,
    /// The time of the last line.
    pub(super) last: u64,
}

/// Puts the events in the sink, in the order of time, and gives the moment at which they were last true.
pub(super) fn tell(told: &Told<'_>, out: &mut Sink) -> u64 {
    let listed = (!told.held.holders.is_empty()).then_some(told.held.at);
    let now = told.log.seen.max(listed).unwrap_or(told.last);
    let mut teller = Teller::new(told);
    teller.waits();
    teller.running();
    teller.rings();
    teller.remarks();
    teller.gaps(now);
    let Teller { mut events, introductions, .. } = teller;
    events.sort_by_key(|event| event.at);
    let first = events.first().map_or(Timestamp(now), |event| event.at);
    out.events
        .extend(introductions.into_iter().map(|(agent, what)| Event::new(first, agent, what)));
    out.events.extend(events);
    let left_out = told.log.left_out + told.troubles.more;
    if left_out > 0 {
        out.event(now, KERNEL, What::Lost { count: left_out });
    }
    now
}

/// A lock that somebody waits for.
struct Lock {
    object: ObjectId,
    /// Since when the first of its waiters waits: whoever holds it, took it before.
    since: u64,
    key: Option<Key>,
    /// Whom the kernel itself names.
    named: Option<u32>,
}

struct Teller<'t> {
    told: &'t Told<'t>,
    events: Vec<Event>,
    introductions: Vec<(AgentId, What)>,
    agents: BTreeMap<u32, AgentId>,
    queues: BTreeMap<String, AgentId>,
    agents_count: u32,
    objects_count: u32,
    keyed: BTreeMap<Key, usize>,
    /// Tasks whose wait is told.
    waiting: BTreeSet<u32>,
    locks: Vec<Lock>,
    /// Objects by label: what lockdep warned of may be waited for.
    labels: BTreeMap<String, ObjectId>,
    /// Somebody waits for a lock whose holder is not known.
    lacks_holder: bool,
}

impl<'t> Teller<'t> {
    fn new(told: &'t Told<'t>) -> Self {
        let mut teller = Self {
            told,
            events: Vec::new(),
            introductions: Vec::new(),
            agents: BTreeMap::new(),
            queues: BTreeMap::new(),
            agents_count: 0,
            objects_count: 0,
            keyed: BTreeMap::new(),
            waiting: BTreeSet::new(),
            locks: Vec::new(),
            labels: BTreeMap::new(),
            lacks_holder: false,
        };
        teller.introduce_agent(AgentKind::Outside, "the kernel", 0, 0);
        teller
    }

    /// Those that are blocked, then those that hold what they wait for, and so on; then the rest.
    fn waits(&mut self) {
        let told = self.told;
        for (pid, task) in &told.log.tasks {
            match task.state {
                0 => {}
                b'R' => self.state(task.seen, *pid, AgentState::Running, "state R"),
                b'X' | b'Z' => self.state(task.seen, *pid, AgentState::Exited, "a zombie"),
                _ if task.hung.is_some() || task.state == b'D' => self.wait(*pid, task, true),
                _ => {}
            }
        }
        let mut locks_told = 0;
        while locks_told < self.locks.len() {
            let owners = self.owners(locks_told);
            locks_told = self.locks.len();
            for pid in owners {
                let sleeps = told.log.tasks.get(&pid).filter(|task| is_asleep(task));
                if let Some(task) = sleeps.filter(|_| !self.waiting.contains(&pid)) {
                    self.wait(pid, task, true);
                }
            }
        }
        for (pid, task) in told.log.tasks.iter().filter(|(_, task)| is_asleep(task)) {
            if !self.waiting.contains(pid) {
                self.wait(*pid, task, false);
            }
        }
    }

    /// A task's wait. Of one that merely sleeps and holds up nobody, what for is not told: it may be idle.
    fn wait(&mut self, pid: u32, task: &'t Task, is_needed: bool) {
        self.waiting.insert(pid);
        if let Some(hung) = task.hung.filter(|hung| self.told.log.went_on(hung)) {
            let text = format!(
                "was reported as blocked for more than {} s, and not again with those reported later",
                hung.seconds
            );
            return self.mark(hung.reported, pid, MarkKind::Log, text, Vec::new());
        }
        let blocked = task.trace.blocked();
        let since = task.hung.map_or(task.seen, |hung| hung.since);
        let (at, detail) = match task.hung {
            Some(hung) => {
                (hung.reported, format!("reported as blocked for more than {} s", hung.seconds))
            }
            None => (task.seen, format!("state {}", char::from(task.state))),
        };
        self.state(at, pid, AgentState::Blocked, &detail);
        let points = if is_needed {
            let owner = self.told.log.owners.get(&pid).filter(|owner| owner.at >= since);
            vec![Point::next(self.awaited(pid, task, since, blocked.as_ref(), owner))]
        } else {
            Vec::new()
        };
        let what = What::WaitBegan {
            call: call(task, blocked.as_ref()),
            points,
            mode: Mode::All,
            bound: Bound::Infinite,
        };
        self.event(since, pid, what);
    }

    /// The object that a task waits for.
    fn awaited(
        &mut self,
        pid: u32,
        task: &'t Task,
        since: u64,
        blocked: Option<&Blocked<'_>>,
        owner: Option<&Owner>,
    ) -> ObjectId {
        let entry = self.told.held.awaited(pid, &task.trace);
        let entry = entry.filter(|_| self.told.held.at >= since);
        let named = owner.filter(|owner| !owner.is_read).and_then(|owner| owner.pid);
        let sort = match (blocked.map(|blocked| blocked.sort), owner.map(|owner| owner.lock)) {
            (Some(Sort::Thing(..)) | None, Some("semaphore")) => Sort::Semaphore,
            (Some(Sort::Thing(..)) | None, Some(_)) => Sort::Lock,
            (Some(sort), _) => sort,
            (None, None) => Sort::Thing(ObjectKind::Other, "what for is not told"),
        };
        let object = match sort {
            Sort::Thing(kind, what) => self.introduce_object(kind, 0, what, true),
            Sort::Semaphore => {
                let object =
                    self.introduce_object(ObjectKind::CountingSemaphore, 0, "", named.is_none());
                self.locks.push(Lock { object, since, key: None, named });
                object
            }
            Sort::Lock => {
                let key = entry.and_then(|entry| entry.key());
                let label = entry.map_or("", |entry| &entry.name);
                let lock = self.lock(key, label, since);
                self.locks[lock].named = self.locks[lock].named.or(named);
                self.locks[lock].object
            }
        };
        if let Some(owner) = owner {
            let text = self.says(owner);
            self.mark(owner.at, pid, MarkKind::Log, text, vec![object]);
        }
        object
    }

    /// The place of a lock among [`Self::locks`]; a lock that nothing identifies is its waiter's own.
    fn lock(&mut self, key: Option<Key>, label: &str, since: u64) -> usize {
        if let Some(place) = key.as_ref().and_then(|key| self.keyed.get(key)) {
            let lock = &mut self.locks[*place];
            lock.since = lock.since.min(since);
            return *place;
        }
        let handle = match &key {
            Some(Key::Address(address)) => *address,
            Some(Key::Name(_)) | None => 0,
        };
        let object = self.introduce_object(ObjectKind::Mutex, handle, label, false);
        let place = self.locks.len();
        if let Some(key) = &key {
            self.keyed.insert(key.clone(), place);
        }
        self.locks.push(Lock { object, since, key, named: None });
        place
    }

    /// What the kernel says of an owner.
    fn says(&self, owner: &Owner) -> String {
        let lock = owner.lock;
        let Some(pid) = owner.pid else {
            return format!("the kernel finds no owner of the {lock}");
        };
        let name = self.name(pid);
        if owner.is_read {
            format!(
                "the kernel names {name} as the last reader of the {lock}, and there may be others"
            )
        } else {
            format!("the kernel names {name} as the likely owner of the {lock}")
        }
    }

    /// Lets the holders of the locks from a place on owe them, and gives those holders.
    fn owners(&mut self, from: usize) -> Vec<u32> {
        let told = self.told;
        let trace_of = |pid: u32| -> Option<&Trace> {
            let task = told.log.tasks.get(&pid)?;
            (!task.is_torn && task.state != 0).then_some(&task.trace)
        };
        let mut owners = Vec::new();
        for lock in self.locks.split_off(from) {
            let listed = lock.key.as_ref().and_then(|key| told.held.owner(key, trace_of));
            let owner = match (listed, lock.named) {
                // A list is sure where it says "held"; what it only leaves over is less than what the kernel names.
                (Some((pid, false)), _) | (_, Some(pid)) | (Some((pid, true)), None) => Some(pid),
                (None, None) => None,
            };
            if let Some(pid) = owner {
                let point = Point::next(lock.object);
                self.event(lock.since, pid, What::Owed { point, after: None, via: None });
                owners.push(pid);
                if listed == Some((pid, true)) {
                    let text = "is the only task left that lists it and is not seen to wait for it";
                    self.mark(told.held.at, pid, MarkKind::Log, text.to_owned(), vec![lock.object]);
                }
            } else {
                self.lacks_holder = true;
                let all = lock.key.as_ref().map(|key| told.held.candidates(key, trace_of));
                self.candidates(lock.object, &all.unwrap_or_default());
            }
            self.locks.push(lock);
        }
        owners
    }

    fn candidates(&mut self, object: ObjectId, all: &[u32]) {
        let names: Vec<String> = all.iter().take(NAMES_MAX).map(|pid| self.name(*pid)).collect();
        if !names.is_empty() {
            let more = all.len().saturating_sub(NAMES_MAX);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let text = format!("may be held by {}{more}", names.join(", "));
            self.kernel_mark(self.told.held.at, MarkKind::Log, text, vec![object]);
        }
    }

    fn running(&mut self) {
        let told = self.told;
        for running in &told.troubles.running {
            let state = if running.is_starved { AgentState::Ready } else { AgentState::Running };
            let what = What::State {
                state,
                detail: running.detail.clone(),
                cpu: running.processor,
                priority: None,
            };
            let (agent, at) = match running.pid {
                0 => self.starved(&running.name, running.at),
                pid => (self.agent_named(pid, &running.name), running.at),
            };
            self.events.push(Event::new(Timestamp(at), agent, what));
        }
    }

    /// The kernel thread of a name, whose pid the warning does not tell, and a time after its dump.
    fn starved(&mut self, name: &str, at: u64) -> (AgentId, u64) {
        let mut tasks = self.told.log.tasks.iter().filter(|(_, task)| task.name == name);
        match (tasks.next(), tasks.next()) {
            (Some((pid, task)), None) => (self.agent_named(*pid, name), at.max(task.seen)),
            _ => (self.queue_like(AgentKind::KernelThread, name), at),
        }
    }

    fn rings(&mut self) {
        let told = self.told;
        for (name, ring) in &told.troubles.rings {
            let agent = self.queue_like(AgentKind::GpuQueue, name);
            let object =
                self.introduce_object(ObjectKind::DmaFence, 0, &format!("ring {name}"), false);
            let mut event =
                |at: u64, what| self.events.push(Event::new(Timestamp(at), agent, what));
            let signalled = Point { object, value: ring.signalled };
            let emitted = Point { object, value: ring.emitted };
            event(ring.at, What::Signalled { point: signalled });
            event(ring.at, What::Owed { point: emitted, after: None, via: None });
            if let Some(at) = ring.recovered {
                // A reset completes the fences of the ring, with an error.
                event(at, What::Signalled { point: emitted });
            } else {
                let detail = "its job timed out".to_owned();
                let state = AgentState::Unknown;
                event(ring.at, What::State { state, detail, cpu: None, priority: None });
            }
        }
    }

    fn remarks(&mut self) {
        let told = self.told;
        for remark in &told.troubles.remarks {
            let text = remark.text.clone();
            match &remark.about {
                About::Kernel => self.kernel_mark(remark.at, MarkKind::Warning, text, Vec::new()),
                About::Queue(name) => {
                    let agent = self.queue_like(AgentKind::GpuQueue, name);
                    let what = What::Mark { kind: MarkKind::FailedCall, text, objects: Vec::new() };
                    self.events.push(Event::new(Timestamp(remark.at), agent, what));
                }
            }
        }
        for warning in told.lockdep {
            let objects =
                warning.locks().filter_map(|name| self.labels.get(name).copied()).collect();
            self.kernel_mark(warning.at, MarkKind::Warning, warning.says(), objects);
        }
    }

    /// What the log cannot show and an answer may need.
    fn gaps(&mut self, now: u64) {
        let told = self.told;
        let mut gaps = Vec::new();
        if !told.has_clock {
            gaps.push("the log has no times: ages count from its end".to_owned());
        }
        let torn = told.log.tasks.values().filter(|task| task.is_torn).count();
        if torn > 0 {
            gaps.push(format!(
                "the traces of {torn} tasks are mixed with other output and were left out"
            ));
        }
        if self.lacks_holder && told.held.holders.is_empty() {
            gaps.push(
                "the log lists no held locks: a kernel with lockdep lists them (SysRq-d)"
                    .to_owned(),
            );
        } else if self.lacks_holder && told.held.hides_locks() {
            let hidden = told.held.holders.iter();
            let hidden = hidden.filter(|(_, holder)| holder.entries.len() < holder.announced);
            let names: Vec<String> =
                hidden.take(NAMES_MAX).map(|(pid, _)| self.name(*pid)).collect();
            gaps.push(format!("the locks of running tasks are not listed: {}", names.join(", ")));
        }
        for gap in gaps {
            self.kernel_mark(now, MarkKind::Unobserved, gap, Vec::new());
        }
    }

    /// `syz-executor:1234`, as the kernel writes a task.
    fn name(&self, pid: u32) -> String {
        let name = self.told.log.tasks.get(&pid).map_or("", |task| &task.name);
        format!("{name}:{pid}")
    }

    fn state(&mut self, at: u64, pid: u32, state: AgentState, detail: &str) {
        self.event(
            at,
            pid,
            What::State { state, detail: detail.to_owned(), cpu: None, priority: None },
        );
    }

    fn mark(&mut self, at: u64, pid: u32, kind: MarkKind, text: String, objects: Vec<ObjectId>) {
        self.event(at, pid, What::Mark { kind, text, objects });
    }

    fn kernel_mark(&mut self, at: u64, kind: MarkKind, text: String, objects: Vec<ObjectId>) {
        self.events.push(Event::new(Timestamp(at), KERNEL, What::Mark { kind, text, objects }));
    }

    fn event(&mut self, at: u64, pid: u32, what: What) {
        let agent = self.agent_named(pid, "");
        self.events.push(Event::new(Timestamp(at), agent, what));
    }

    fn agent_named(&mut self, pid: u32, name: &str) -> AgentId {
        if let Some(agent) = self.agents.get(&pid) {
            return *agent;
        }
        let task = self.told.log.tasks.get(&pid);
        let kernel = task.is_some_and(|task| task.is_kernel);
        let kind = if kernel { AgentKind::KernelThread } else { AgentKind::HostThread };
        let (name, tgid) = task.map_or((name, 0), |task| (&task.name, task.tgid));
        let agent = self.introduce_agent(kind, name, tgid, pid);
        self.agents.insert(pid, agent);
        agent
    }

    /// An agent that has a name and no number.
    fn queue_like(&mut self, kind: AgentKind, name: &str) -> AgentId {
        if let Some(agent) = self.queues.get(name) {
            return *agent;
        }
        let agent = self.introduce_agent(kind, name, 0, 0);
        self.queues.insert(name.to_owned(), agent);
        agent
    }

    fn introduce_agent(&mut self, kind: AgentKind, name: &str, pid: u32, tid: u32) -> AgentId {
        let agent = AgentId(self.agents_count);
        self.agents_count += 1;
        self.introductions.push((agent, What::Agent { kind, name: name.to_owned(), pid, tid }));
        agent
    }

    fn introduce_object(
        &mut self,
        kind: ObjectKind,
        handle: u64,
        label: &str,
        shared: bool,
    ) -> ObjectId {
        let object = ObjectId(self.objects_count);
        self.objects_count += 1;
        let label = label.to_owned();
        if kind == ObjectKind::Mutex && !label.is_empty() {
            self.labels.entry(label.clone()).or_insert(object);
        }
        self.introductions.push((KERNEL, What::Object { object, kind, handle, label, shared }));
        object
    }
}

/// Whether a task sleeps and nobody complains of it.
fn is_asleep(task: &Task) -> bool {
    task.hung.is_none() && !matches!(task.state, 0 | b'R' | b'D' | b'X' | b'Z')
}

/// `__mutex_lock from rtnl_lock`.
fn call(task: &Task, blocked: Option<&Blocked<'_>>) -> String {
    match blocked {
        Some(Blocked { call, from: Some(from), .. }) => format!("{call} from {from}"),
        Some(Blocked { call, from: None, .. }) => (*call).to_owned(),
        None if task.state == b'D' => "an uninterruptible sleep".to_owned(),
        None => "a sleep".to_owned(),
    }
}
