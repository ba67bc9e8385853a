//! How do goroutines become events?

use std::collections::HashMap;

use unwedge_trace::{
    AgentId, AgentKind, AgentState, Bound, Event, MarkKind, Mode, ObjectId, ObjectKind, Point,
    Timestamp, What,
};

use super::header::Status;
use super::{Goroutine, NOW, Proof};
use crate::Sink;

/// A minute in nanoseconds.
const MINUTE: u64 = 60_000_000_000;
/// The longest sleep that Go can express, in nanoseconds: how long one takes is not said.
const LONGEST_SLEEP: u64 = i64::MAX.cast_unsigned();

/// Puts the events of a dump into `out`, in the order of time, and says when the dump was.
pub(super) fn write(goroutines: &[Goroutine], left_out: u64, out: &mut Sink) -> u64 {
    let longest = goroutines.iter().map(since).max().unwrap_or(0);
    let mut writer = Writer {
        now: NOW.max(longest),
        at_work: goroutines.iter().any(Goroutine::is_at_work),
        objects: HashMap::new(),
        said: false,
        events: Vec::new(),
    };
    for (goroutine, id) in goroutines.iter().zip(0..) {
        writer.goroutine(AgentId(id), goroutine);
    }
    if left_out > 0 {
        writer.event(writer.now, AgentId(0), What::Lost { count: left_out });
    }
    writer.events.sort_by_key(|event| event.at);
    out.events.append(&mut writer.events);
    writer.now
}

/// For how long it has waited, in nanoseconds.
fn since(goroutine: &Goroutine) -> u64 {
    u64::from(goroutine.header.minutes) * MINUTE
}

/// What two goroutines must have in common to wait for one object.
#[derive(PartialEq, Eq, Hash)]
enum Identity {
    Address(u64),
    /// No address is known: those that wait at one place are told as one.
    Place(String),
}

/// What is waited for, as far as the dump tells.
struct Awaited {
    kind: ObjectKind,
    label: &'static str,
}

struct Writer<'a> {
    now: u64,
    /// Some goroutine was at work and may hold any lock.
    at_work: bool,
    objects: HashMap<(Option<Proof>, &'a str, Identity), ObjectId>,
    /// It was said that the holders of locks are not known.
    said: bool,
    events: Vec<Event>,
}

impl<'a> Writer<'a> {
    fn event(&mut self, at: u64, agent: AgentId, what: What) {
        self.events.push(Event::new(Timestamp(at), agent, what));
    }

    fn goroutine(&mut self, agent: AgentId, goroutine: &'a Goroutine) {
        let (header, stack) = (&goroutine.header, &goroutine.stack);
        let name = stack.start.clone();
        let tid = u32::try_from(header.id).unwrap_or(0);
        let is_agent = What::Agent { kind: AgentKind::Task, name, pid: 0, tid };
        self.event(0, agent, is_agent);
        let waits = match &header.status {
            Status::Running => return self.state(agent, AgentState::Running, "running"),
            Status::Runnable => return self.state(agent, AgentState::Ready, "runnable"),
            Status::Syscall => {
                return self.state(agent, AgentState::Unknown, "in a system call");
            }
            Status::Idle(name) => return self.state(agent, AgentState::Blocked, name),
            status => status,
        };
        if !stack.site.is_empty() {
            self.state(agent, AgentState::Blocked, &format!("stands at {}", stack.site));
        }
        let call = match (waits, &stack.sync) {
            (Status::Semaphore, Some(method)) => method.clone(),
            (waits, _) => waits.name().to_owned(),
        };
        let bound = match waits {
            Status::Sleep => Bound::Ns(LONGEST_SLEEP),
            _ => Bound::Infinite,
        };
        // A lock that is waited for less than a minute may be held by whoever was at work just then.
        let passing = self.at_work && header.minutes == 0 && goroutine.proof().is_none();
        let what = awaited(goroutine, &call).filter(|_| !passing);
        let object = what.map(|what| self.object(agent, goroutine, &what));
        let points = object.map(Point::next).into_iter().collect();
        let wait = What::WaitBegan { call, points, mode: Mode::All, bound };
        self.event(self.now - since(goroutine), agent, wait);
    }

    fn state(&mut self, agent: AgentId, state: AgentState, detail: &str) {
        let detail = detail.to_owned();
        self.event(self.now, agent, What::State { state, detail, cpu: None, priority: None });
    }

    fn object(&mut self, agent: AgentId, goroutine: &'a Goroutine, what: &Awaited) -> ObjectId {
        let stack = &goroutine.stack;
        let proof = goroutine.proof();
        let address = stack.address();
        let (sort, identity) = match address {
            Some(address) => ("", Identity::Address(address)),
            None => (what.label, Identity::Place(stack.site.clone())),
        };
        let next = ObjectId(u32::try_from(self.objects.len()).unwrap_or(u32::MAX));
        let object = *self.objects.entry((proof, sort, identity)).or_insert(next);
        if object == next {
            let label = match (address, what.label) {
                (None, "") if !stack.site.is_empty() => format!("at {}", stack.site),
                (None, what) if !stack.site.is_empty() => format!("{what}, at {}", stack.site),
                (_, what) => what.to_owned(),
            };
            let handle = address.unwrap_or(0);
            let is_object = What::Object { object, kind: what.kind, handle, label, shared: false };
            self.event(0, agent, is_object);
            if let Some(proof) = proof {
                // With the proof every signal that can still come is on record: none.
                let all_seen = What::Coverage { kind: what.kind, reached: 0, explained: 0 };
                self.event(self.now, agent, all_seen);
                self.mark(agent, MarkKind::Log, says(proof), vec![object]);
            } else if !std::mem::replace(&mut self.said, true) {
                let text = "who holds a lock: a dump of goroutines does not say";
                self.mark(agent, MarkKind::Unobserved, text, Vec::new());
            }
        }
        object
    }

    fn mark(&mut self, agent: AgentId, kind: MarkKind, text: &str, objects: Vec<ObjectId>) {
        self.event(self.now, agent, What::Mark { kind, text: text.to_owned(), objects });
    }
}

/// What the proof says, as a remark on the object.
fn says(proof: Proof) -> &'static str {
    match proof {
        Proof::AllAsleep => {
            "the Go runtime found all goroutines asleep: nobody is left to end this wait"
        }
        Proof::Bubble => {
            "the Go runtime found all goroutines of the test's bubble blocked: nobody is left to end this wait"
        }
        Proof::Leaked => "the garbage collector found that nothing that could still run reaches it",
        Proof::NilChannel => "the channel is nil: nothing is ever sent or received on it",
    }
}

/// What a goroutine waits for, where that can be said at all: without a proof only locks, because somebody holds them.
fn awaited(goroutine: &Goroutine, call: &str) -> Option<Awaited> {
    use ObjectKind::{Channel, Condition, CountingSemaphore, Mutex};
    let is_lock = call.starts_with("sync.Mutex.") || call.starts_with("sync.RWMutex.");
    let what = |kind, label| Some(Awaited { kind, label });
    if goroutine.proof().is_none() {
        return match call {
            _ if !is_lock => None,
            _ if call.starts_with("sync.RW") => what(Mutex, "sync.RWMutex"),
            _ => what(Mutex, "sync.Mutex"),
        };
    }
    // Nobody holds a lock for certain, so what is left of it is the semaphore that is waited for.
    match &goroutine.header.status {
        Status::Receive | Status::Send => what(Channel, ""),
        Status::NilReceive | Status::NilSend => what(Channel, "nil"),
        Status::Select => what(Channel, "any of a select"),
        Status::SelectNothing => what(Channel, "select without cases"),
        Status::Semaphore | Status::Sync(_) => match call {
            "sync.Cond.Wait" => what(Condition, "sync.Cond"),
            "sync.WaitGroup.Wait" => what(CountingSemaphore, "of a sync.WaitGroup"),
            _ if call.starts_with("sync.RW") => what(CountingSemaphore, "of a sync.RWMutex"),
            _ if is_lock => what(CountingSemaphore, "of a sync.Mutex"),
            _ => what(CountingSemaphore, "of the runtime"),
        },
        _ => None,
    }
}
