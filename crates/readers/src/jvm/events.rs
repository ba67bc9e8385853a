//! How do threads become events?

use std::collections::{BTreeSet, HashMap, HashSet};

use unwedge_trace::{
    AgentId, AgentKind, AgentState, Bound, Event, MarkKind, Mode, ObjectId, ObjectKind, Point,
    Timestamp, What,
};

use super::Verdict;
use super::thread::{Lock, State, Thread, Wanted};
use crate::Sink;

/// The longest bound that Java can express, in nanoseconds: how long a timed wait takes is not said.
const LONGEST_WAIT: u64 = i64::MAX.cast_unsigned();

/// One dump.
pub(super) struct Dump {
    pub(super) now: u64,
    pub(super) pid: u32,
    pub(super) threads: Vec<Thread>,
    pub(super) verdicts: Vec<Verdict>,
    pub(super) left_out: u64,
}

/// A thread's place in the dump.
type Place = usize;

impl Dump {
    /// Puts the events of the dump into `out`, in the order of time.
    pub(super) fn write(self, out: &mut Sink) {
        let owners = Owners::of(&self, out);
        // A finding is told from the agent with the lowest number: rather from who waits for a lock than from who holds it.
        let mut order: Vec<Place> = (0..self.threads.len()).collect();
        order.sort_by_key(|place| owners.lock_of(&self.threads[*place]).is_none());
        let mut agents = vec![AgentId(0); order.len()];
        for (place, id) in order.iter().zip(0..) {
            agents[*place] = AgentId(id);
        }
        let mut writer = Writer {
            at_work: self.threads.iter().any(is_at_work),
            needed: owners.needed(&self),
            dump: &self,
            owners: &owners,
            agents,
            objects: HashMap::new(),
            count: 0,
            waker: None,
            events: Vec::new(),
        };
        for place in order {
            writer.thread(place);
        }
        writer.debts();
        writer.verdicts();
        if self.left_out > 0 {
            writer.event(self.now, AgentId(0), What::Lost { count: self.left_out });
        }
        writer.events.sort_by_key(|event| event.at);
        out.events.append(&mut writer.events);
    }
}

/// Whether it runs Java code, and may be through with a lock that it holds in the next moment.
fn is_at_work(thread: &Thread) -> bool {
    thread.state == State::Runnable
        && thread.wanted.is_none()
        && !thread.native
        && !thread.site.is_empty()
}

/// Who holds what.
struct Owners {
    holders: HashMap<Lock, Place>,
}

impl Owners {
    fn of(dump: &Dump, out: &mut Sink) -> Self {
        let mut holders: HashMap<Lock, Place> = HashMap::new();
        let mut doubtful: BTreeSet<Lock> = BTreeSet::new();
        for (place, thread) in dump.threads.iter().enumerate() {
            for lock in &thread.held {
                if holders.insert(lock.clone(), place).is_some_and(|other| other != place) {
                    doubtful.insert(lock.clone());
                }
            }
        }
        for lock in &doubtful {
            holders.remove(lock);
            // One class may be initialised by several loaders at once.
            if let Lock::Address(address) = lock {
                let text = format!("two threads hold {address:#x}: neither is believed");
                out.complaints.add(0, None, text);
            }
        }
        let mut owners = Self { holders };
        owners.ask_the_jvm(dump, &doubtful, out);
        owners
    }

    /// Takes in what the JVM itself says about the locks of deadlocks: without `-l`, only that names synchronizers' owners.
    fn ask_the_jvm(&mut self, dump: &Dump, doubtful: &BTreeSet<Lock>, out: &mut Sink) {
        let mut names: HashMap<&str, Option<Place>> = HashMap::new();
        for (place, thread) in dump.threads.iter().enumerate() {
            names.entry(&thread.name).and_modify(|known| *known = None).or_insert(Some(place));
        }
        for verdict in &dump.verdicts {
            let Some(Some(place)) = names.get(verdict.holder.as_str()) else { continue };
            let lock = Lock::Address(verdict.lock);
            match self.holders.get(&lock) {
                Some(known) if known != place => out.complaints.add(
                    0,
                    None,
                    format!(
                        "the jvm says that {:#x} is held by another thread than the stacks say",
                        verdict.lock
                    ),
                ),
                Some(_) => {}
                None if doubtful.contains(&lock) => {}
                None => {
                    self.holders.insert(lock, *place);
                }
            }
        }
    }

    /// The lock that a thread waits for without bound, if what it waits for is one.
    fn lock_of(&self, thread: &Thread) -> Option<Lock> {
        if thread.state == State::TimedWaiting {
            return None;
        }
        match thread.wanted.as_ref()? {
            Wanted::Monitor(lock) | Wanted::Initialised(lock) => Some(lock.clone()),
            // Without a state, nothing says that it has no bound.
            Wanted::Parked(lock) if thread.state == State::Waiting => {
                let known = self.holders.contains_key(lock);
                (known || is_lock_class(&thread.class)).then(|| lock.clone())
            }
            Wanted::Parked(_) | Wanted::Notified(_) => None,
        }
    }

    /// The threads that hold what others wait for.
    fn needed(&self, dump: &Dump) -> HashSet<Place> {
        let wanted = dump.threads.iter().filter_map(|thread| self.lock_of(thread));
        wanted.filter_map(|lock| self.holders.get(&lock).copied()).collect()
    }
}

/// Whether such a synchronizer is a lock, so that somebody holds it while others wait.
fn is_lock_class(class: &str) -> bool {
    class.contains("ReentrantLock$") || class.contains("ReentrantReadWriteLock$")
}

struct Writer<'a> {
    dump: &'a Dump,
    owners: &'a Owners,
    /// The agents of the threads.
    agents: Vec<AgentId>,
    /// Some thread ran Java code and may hold any lock whose holder is not known.
    at_work: bool,
    /// Those who hold what others wait for.
    needed: HashSet<Place>,
    objects: HashMap<Lock, ObjectId>,
    count: u32,
    /// Whoever wakes those who wait for nobody in particular.
    waker: Option<AgentId>,
    events: Vec<Event>,
}

impl Writer<'_> {
    fn event(&mut self, at: u64, agent: AgentId, what: What) {
        self.events.push(Event::new(Timestamp(at), agent, what));
    }

    fn thread(&mut self, place: Place) {
        let dump = self.dump;
        let (thread, agent) = (&dump.threads[place], self.agents[place]);
        let (name, pid, tid) = (thread.name.clone(), dump.pid, thread.tid);
        let kind = if thread.is_virtual { AgentKind::Task } else { AgentKind::HostThread };
        self.event(0, agent, What::Agent { kind, name, pid, tid });
        let site = &thread.site;
        let waits = thread.wanted.is_some()
            || matches!(thread.state, State::Blocked | State::Waiting | State::TimedWaiting);
        let (state, detail) = match thread.state {
            _ if waits => (AgentState::Blocked, format!("stands at {site}")),
            State::Runnable if is_at_work(thread) => {
                (AgentState::Running, format!("runs at {site}"))
            }
            // It may run in native code, or wait there: a read of a socket is "runnable" too.
            State::Runnable if !site.is_empty() => {
                (AgentState::Unknown, format!("is in native code, called at {site}"))
            }
            _ => (AgentState::Unknown, String::new()),
        };
        let state = What::State { state, detail, cpu: None, priority: None };
        self.event(dump.now, agent, state);
        if waits {
            self.wait(place);
        }
    }

    fn wait(&mut self, place: Place) {
        let (thread, agent) = (&self.dump.threads[place], self.agents[place]);
        let lock = self.owners.lock_of(thread).filter(|lock| !self.is_passing(thread, lock));
        let object = match lock {
            Some(lock) => Some(self.lock(agent, thread, &lock)),
            None if self.needed.contains(&place) => self.condition(agent, thread),
            None => None,
        };
        let bound = match thread.state {
            State::TimedWaiting => Bound::Ns(LONGEST_WAIT),
            _ => Bound::Infinite,
        };
        let call = match &thread.wanted {
            Some(Wanted::Monitor(_)) => "synchronized".to_owned(),
            Some(Wanted::Initialised(_)) => "class initialisation".to_owned(),
            _ if thread.call.is_empty() => "a wait".to_owned(),
            _ => thread.call.clone(),
        };
        let points = object.map(Point::next).into_iter().collect();
        let wait = What::WaitBegan { call, points, mode: Mode::All, bound };
        self.event(thread.since, agent, wait);
    }

    /// Whether the wait for a lock is no evidence: one dump shows it, and its holder at work, or no holder and others at
    /// work.
    fn is_passing(&self, thread: &Thread, lock: &Lock) -> bool {
        let holder = self.owners.holders.get(lock).map(|place| &self.dump.threads[*place]);
        let stands = thread.seen_before && holder.is_none_or(|holder| holder.seen_before);
        !stands && holder.map_or(self.at_work, is_at_work)
    }

    fn introduce(
        &mut self,
        agent: AgentId,
        kind: ObjectKind,
        handle: u64,
        label: &str,
    ) -> ObjectId {
        let object = ObjectId(self.count);
        self.count += 1;
        let label = label.to_owned();
        self.event(0, agent, What::Object { object, kind, handle, label, shared: false });
        object
    }

    fn lock(&mut self, agent: AgentId, thread: &Thread, lock: &Lock) -> ObjectId {
        if let Some(object) = self.objects.get(lock) {
            return *object;
        }
        let (handle, label) = match lock {
            Lock::Address(address) => (*address, thread.class.as_str()),
            Lock::Named(name) => (0, name.as_str()),
        };
        let object = self.introduce(agent, ObjectKind::Mutex, handle, label);
        self.objects.insert(lock.clone(), object);
        if !self.owners.holders.contains_key(lock) {
            let text = match thread.wanted {
                Some(Wanted::Parked(_)) => {
                    "who holds it; a dump of jstack -l says so, unless they only read"
                }
                _ => "who holds it; no thread of this dump does",
            };
            let kind = MarkKind::Unobserved;
            let text = text.to_owned();
            self.event(self.dump.now, agent, What::Mark { kind, text, objects: vec![object] });
        }
        object
    }

    /// What the holder of a lock that others need waits for, to be woken by nobody knows whom.
    fn condition(&mut self, agent: AgentId, thread: &Thread) -> Option<ObjectId> {
        if thread.state == State::TimedWaiting {
            return None;
        }
        let (handle, label) = match &thread.wanted {
            Some(Wanted::Notified(Some(Lock::Named(name))) | Wanted::Parked(Lock::Named(name))) => {
                (0, name.as_str())
            }
            Some(
                Wanted::Notified(Some(Lock::Address(address)))
                | Wanted::Parked(Lock::Address(address)),
            ) => (*address, thread.class.as_str()),
            _ => (0, thread.class.as_str()),
        };
        let object = self.introduce(agent, ObjectKind::Condition, handle, label);
        let waker = self.waker();
        let owed = What::Owed { point: Point::next(object), after: None, via: None };
        self.event(self.dump.now, waker, owed);
        Some(object)
    }

    /// The agent outside that owes what nobody in the dump is known to owe.
    fn waker(&mut self) -> AgentId {
        let next = AgentId(u32::try_from(self.agents.len()).unwrap_or(u32::MAX));
        if self.waker.is_none() {
            let name = "whoever is to wake it".to_owned();
            self.event(0, next, What::Agent { kind: AgentKind::Outside, name, pid: 0, tid: 0 });
        }
        *self.waker.get_or_insert(next)
    }

    /// Who holds the locks that are waited for.
    fn debts(&mut self) {
        let mut locks: Vec<(ObjectId, Place)> = Vec::new();
        for (lock, object) in &self.objects {
            locks.extend(self.owners.holders.get(lock).map(|holder| (*object, *holder)));
        }
        locks.sort_unstable();
        for (object, holder) in locks {
            let since = self.dump.threads[holder].since;
            let owed = What::Owed { point: Point::next(object), after: None, via: None };
            self.event(since, self.agents[holder], owed);
        }
    }

    /// What the JVM found itself, as remarks on the locks.
    fn verdicts(&mut self) {
        for verdict in &self.dump.verdicts {
            let lock = Lock::Address(verdict.lock);
            let Some(object) = self.objects.get(&lock).copied() else { continue };
            let Some(holder) = self.owners.holders.get(&lock) else { continue };
            let kind = MarkKind::Log;
            let text =
                format!("the JVM says that it is part of a deadlock, held by {}", verdict.holder);
            let mark = What::Mark { kind, text, objects: vec![object] };
            self.event(self.dump.now, self.agents[*holder], mark);
        }
    }
}
