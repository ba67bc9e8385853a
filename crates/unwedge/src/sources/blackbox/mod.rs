//! What happened, as far as a black box tells? A snapshot and a look at the process become events.
//!
//! A black box keeps the present state of every object and only the recent past of every thread, so
//! the events are made such that replaying them gives that state: an object's last signal, reset and
//! debt, the batches that a queue has not passed, the calls in flight. Points are numbered so that a
//! higher one is always reached later: a fence's by the times it was armed, a binary semaphore's by
//! its signal operations, a queue's by its batches.
//!
//! Invariant: nothing is guessed. What cannot be known becomes a mark "unobserved".

mod history;
mod names;
mod objects;
mod queues;
mod swapchains;
#[cfg(test)]
mod tests;
mod threads;

use std::collections::BTreeMap;

use unwedge_trace::blackbox::{
    BatchRecord, FenceRecord, SemaphoreRecord, Snapshot, SwapchainRecord, words_to_text,
};
use unwedge_trace::{
    AgentId, AgentKind, AgentState, Event, MarkKind, ObjectId, ObjectKind, Point, Recording,
    Timestamp, What,
};

use super::observations::{Observations, ProcessState, ThreadSeen};

/// The events that a snapshot and a look at its process stand for.
pub(crate) fn recording(snapshot: &Snapshot, seen: &Observations) -> Recording {
    let mut build = Build::new(snapshot, seen);
    build.world();
    build.introduce_threads();
    build.queues();
    build.fences();
    build.semaphores();
    build.swapchains();
    // Finished calls come before the ones in flight: the coarse clock gives both the same time.
    build.history();
    build.threads();
    build.remarks();
    build.events.sort_by_key(|event| event.at);
    let header = &snapshot.header;
    let source = match words_to_text(&header.exe) {
        exe if exe.is_empty() => format!("vulkan layer of process {}", header.pid),
        exe => format!("vulkan layer of {exe}, process {}", header.pid),
    };
    Recording::new(&source, Timestamp(build.now), build.events)
}

/// Whatever is outside the process.
const OUTSIDE: AgentId = AgentId(0);

/// What makes an object one object: kind, device (index plus one) and handle.
type Key = (ObjectKind, u64, u64);

struct Build<'s> {
    box_: &'s Snapshot,
    seen: &'s Observations,
    now: u64,
    events: Vec<Event>,
    agents: u32,
    threads: BTreeMap<u64, AgentId>,
    queues: BTreeMap<usize, queues::Queue>,
    engines: BTreeMap<(u64, u64), AgentId>,
    objects: BTreeMap<Key, ObjectId>,
    fences: BTreeMap<(u64, u64), &'s FenceRecord>,
    semaphores: BTreeMap<(u64, u64), &'s SemaphoreRecord>,
    swapchains: BTreeMap<(u64, u64), &'s SwapchainRecord>,
    signals: BTreeMap<(u64, u64), Vec<Signal<'s>>>,
}

/// A signal operation on record, by device and semaphore, in the order of queues and batches.
#[derive(Clone, Copy)]
struct Signal<'s> {
    queue: usize,
    batch: &'s BatchRecord,
    value: u64,
}

fn signals(box_: &Snapshot) -> BTreeMap<(u64, u64), Vec<Signal<'_>>> {
    let devices: BTreeMap<usize, u64> = box_.queues.iter().map(|(i, q)| (*i, q.device)).collect();
    let mut signals: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (queue, batch) in &box_.batches {
        let Some(device) = devices.get(queue) else { continue };
        let count = usize::try_from(batch.signal_count).unwrap_or(usize::MAX);
        for [handle, value] in batch.signals.iter().take(count) {
            let signal = Signal { queue: *queue, batch, value: *value };
            signals.entry((*device, *handle)).or_default().push(signal);
        }
    }
    signals
}

impl<'s> Build<'s> {
    fn new(box_: &'s Snapshot, seen: &'s Observations) -> Self {
        // A process that is gone was last observed when its box was last written.
        let now = if seen.process == ProcessState::Gone { last_word(box_) } else { seen.now };
        Self {
            box_,
            seen,
            now,
            events: Vec::new(),
            agents: 1,
            threads: BTreeMap::new(),
            queues: BTreeMap::new(),
            engines: BTreeMap::new(),
            objects: BTreeMap::new(),
            fences: box_.fences.iter().map(|f| ((f.device, f.handle), f)).collect(),
            semaphores: box_.semaphores.iter().map(|s| ((s.device, s.handle), s)).collect(),
            swapchains: box_.swapchains.iter().map(|s| ((s.device, s.handle), s)).collect(),
            signals: signals(box_),
        }
    }

    /// A living process, as opposed to a box that was left behind or a process that is stopped.
    fn runs(&self) -> bool {
        self.seen.process == ProcessState::Running
    }

    fn put(&mut self, at: u64, agent: AgentId, what: What) {
        // What was written while the snapshot was taken may be newer than the look.
        self.events.push(Event::new(Timestamp(at.min(self.now)), agent, what));
    }

    fn new_agent(&mut self, at: u64, kind: AgentKind, name: String, tid: u64) -> AgentId {
        let agent = AgentId(self.agents);
        self.agents += 1;
        let pid = u32::try_from(self.box_.header.pid).unwrap_or(0);
        let tid = u32::try_from(tid).unwrap_or(0);
        self.put(at, agent, What::Agent { kind, name, pid, tid });
        agent
    }

    /// The object of this key; introduces it the first time.
    fn object(&mut self, key: Key, at: u64, label: &str, shared: bool) -> ObjectId {
        if let Some(object) = self.objects.get(&key) {
            return *object;
        }
        let object = ObjectId(u32::try_from(self.objects.len()).unwrap_or(u32::MAX));
        self.objects.insert(key, object);
        let (kind, _, handle) = key;
        let label = label.to_owned();
        self.put(at, OUTSIDE, What::Object { object, kind, handle, label, shared });
        object
    }

    fn mark(
        &mut self,
        at: u64,
        agent: AgentId,
        kind: MarkKind,
        text: String,
        objects: Vec<ObjectId>,
    ) {
        self.put(at, agent, What::Mark { kind, text, objects });
    }

    fn world(&mut self) {
        let name = "outside the process".to_owned();
        let created = self.box_.header.created_at;
        self.put(created, OUTSIDE, What::Agent { kind: AgentKind::Outside, name, pid: 0, tid: 0 });
        let header = &self.box_.header;
        let lost = header
            .objects_lost
            .saturating_add(header.threads_lost)
            .saturating_add(header.operations_lost);
        if lost > 0 {
            self.put(created, OUTSIDE, What::Lost { count: lost });
        }
        let coverage = [
            (ObjectKind::Fence, header.fence_waits_reached, header.fence_waits_explained),
            (
                ObjectKind::TimelineSemaphore,
                header.semaphore_waits_reached,
                header.semaphore_waits_explained,
            ),
        ];
        for (kind, reached, explained) in coverage {
            if reached > 0 {
                // Two counters that are not read at one moment may be off by the calls in between.
                let explained = explained.min(reached);
                self.put(created, OUTSIDE, What::Coverage { kind, reached, explained });
            }
        }
    }

    /// The agent of a thread, also of one that has lost its slot to another.
    fn thread(&mut self, tid: u64) -> AgentId {
        if let Some(agent) = self.threads.get(&tid) {
            return *agent;
        }
        let name = self.thread_seen(tid).map(|t| t.name.clone()).unwrap_or_default();
        let created = self.box_.header.created_at;
        let agent = self.new_agent(created, AgentKind::HostThread, name, tid);
        self.threads.insert(tid, agent);
        if self.runs() && !self.seen.threads.is_empty() && self.thread_seen(tid).is_none() {
            let detail = "no thread of this id is left".to_owned();
            self.put(
                self.now,
                agent,
                What::State { state: AgentState::Exited, detail, cpu: None, priority: None },
            );
        }
        agent
    }

    fn thread_seen(&self, tid: u64) -> Option<&'s ThreadSeen> {
        self.seen.threads.iter().find(|thread| u64::from(thread.tid) == tid)
    }

    /// Batches of a queue that it is not known to have passed, in order.
    fn pending(&self, queue: usize, passed: u64) -> Vec<&'s BatchRecord> {
        let after =
            |(index, batch): &(usize, BatchRecord)| (*index, batch.sequence) <= (queue, passed);
        let rest = &self.box_.batches[self.box_.batches.partition_point(after)..];
        rest.iter().take_while(|(index, _)| *index == queue).map(|(_, batch)| batch).collect()
    }

    fn point(&self, key: Key, value: u64) -> Option<Point> {
        self.objects.get(&key).map(|object| Point { object: *object, value })
    }

    fn remarks(&mut self) {
        let box_ = self.box_;
        for complaint in &box_.complaints {
            let text = format!("the black box is damaged: {complaint}");
            self.mark(self.now, OUTSIDE, MarkKind::Unobserved, text, Vec::new());
        }
        if self.seen.process == ProcessState::Stopped {
            let text = "the process is stopped by a signal or a debugger".to_owned();
            self.mark(self.now, OUTSIDE, MarkKind::Log, text, Vec::new());
        }
        for mark in &box_.marks {
            let objects = self.objects_of_handle(mark.device, mark.handle, mark.at);
            let agent = self.thread(mark.tid);
            let text = names::fault(mark);
            self.mark(mark.at, agent, MarkKind::Injected, text, objects);
        }
    }

    /// Every known object that had this handle then: handles of different kinds may be equal, and a
    /// handle may be used again. Without a device, none where several devices have one.
    fn objects_of_handle(&self, device: u64, handle: u64, at: u64) -> Vec<ObjectId> {
        let same = |key: &&Key| {
            key.2 == handle && (device == 0 || key.1 == device) && self.created_at(key) <= at
        };
        let keys: Vec<&Key> = self.objects.keys().filter(same).collect();
        let of_one = keys.windows(2).all(|pair| pair[0].1 == pair[1].1);
        let keys = keys.into_iter().filter(|_| of_one && handle != 0);
        keys.map(|key| self.objects[key]).collect()
    }

    fn created_at(&self, key: &Key) -> u64 {
        let (kind, place) = (key.0, (key.1, key.2));
        let created = match kind {
            ObjectKind::Fence => self.fences.get(&place).map(|fence| fence.created_at),
            ObjectKind::BinarySemaphore | ObjectKind::TimelineSemaphore => {
                self.semaphores.get(&place).map(|semaphore| semaphore.created_at)
            }
            ObjectKind::Swapchain => self.swapchains.get(&place).map(|s| s.created_at),
            _ => None,
        };
        created.unwrap_or(0)
    }
}

/// The latest moment that a box speaks of.
fn last_word(box_: &Snapshot) -> u64 {
    let threads = box_.threads.iter().flat_map(|(_, t)| {
        [t.started_at, t.exited_at, t.slot_began_at, t.poll_last_at, t.progress_at]
    });
    let calls = box_.calls.iter().map(|(_, call)| call.at.saturating_add(call.duration));
    let queues = box_.queues.iter().flat_map(|(_, q)| [q.reached_at, q.sampled_at]);
    let batches = box_.batches.iter().map(|(_, batch)| batch.at);
    let header = [box_.header.created_at, box_.header.sampled_at];
    threads.chain(calls).chain(queues).chain(batches).chain(header).max().unwrap_or(0)
}

fn label(words: &[u64]) -> String {
    words_to_text(words)
}
