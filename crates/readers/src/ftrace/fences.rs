//! Which fence was promised by which timeline, which is signalled, and who waits for it?
//!
//! A context of fences is one timeline of work: it is an object, its sequence numbers are the values, and the queue
//! behind it is an agent. The GPU scheduler's jobs are the same: in new kernels a job names its fence's context and
//! number; in old ones its entity is the context, and the job's id is the number.

use std::collections::{HashMap, HashSet};

use unwedge_trace::{
    AgentId, AgentKind, AgentState, Bound, ObjectId, ObjectKind, Outcome, Point, What,
};

use super::World;
use super::fields::{between, decimal, hexadecimal};
use super::line::Line;
use super::tasks::{Numbers, Waits};
use crate::Sink;

/// Contexts that are told apart.
const CONTEXTS_MAX: usize = 1 << 16;
/// Jobs that an old kernel named by an address and that are not done.
const JOBS_MAX: usize = 1 << 16;
/// Drivers that are remembered.
const DRIVERS_MAX: usize = 64;

/// What a source calls a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Name {
    /// Its number; the kernel never gives one twice.
    Context(u64),
    /// The address of the scheduler's entity: old kernels tell no number.
    Entity(u64),
}

/// One context.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) object: ObjectId,
    /// The queue behind it, once it is known.
    pub(super) queue: Option<AgentId>,
    driver: Box<str>,
    /// The highest numbers seen, promised, signalled, made.
    seen: u64,
    promised: Option<u64>,
    signalled: Option<u64>,
    made: Option<u64>,
    /// The queue was told to be idle.
    idle: bool,
    /// What the queue was told to wait for.
    pub(super) waits: Option<Point>,
}

/// A job of an old kernel that is not done.
#[derive(Debug)]
struct Job {
    name: Name,
    ring: Box<str>,
    id: u64,
}

/// Every context, and the jobs of old kernels by the address of their fence.
#[derive(Debug, Default)]
pub(super) struct Fences {
    contexts: HashMap<Name, Context>,
    jobs: HashMap<u64, Job>,
    /// The same jobs by ring and id.
    by_id: HashMap<(Box<str>, u64), Name>,
    /// Drivers that say when a fence is handed to the device.
    emitting: HashSet<Box<str>>,
    /// How often a context or a job found no room.
    pub(super) left_out: u64,
}

/// Who is behind a context, as the event has it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Behind<'a> {
    pub(super) driver: &'a str,
    pub(super) timeline: &'a str,
}

impl Fences {
    /// The context, introduced if it is new or if it is known now who is behind it.
    pub(super) fn of(
        &mut self,
        at: u64,
        name: Name,
        behind: Behind<'_>,
        numbers: &mut Numbers,
        out: &mut Sink,
    ) -> Option<&mut Context> {
        if self.contexts.len() >= CONTEXTS_MAX && !self.contexts.contains_key(&name) {
            self.left_out += 1;
            return None;
        }
        let mut new = false;
        let context = self.contexts.entry(name).or_insert_with(|| {
            new = true;
            Context::new(numbers.object())
        });
        let known = !behind.timeline.is_empty();
        if new || (known && context.queue.is_none()) {
            if known {
                let queue = numbers.agent();
                let title = format!("{} {}", behind.driver, behind.timeline).trim().to_owned();
                let kind = AgentKind::GpuQueue;
                out.event(at, queue, What::Agent { kind, name: title, pid: 0, tid: 0 });
                context.queue = Some(queue);
                context.driver = behind.driver.into();
            }
            context.introduce(at, name, behind.timeline, out);
        }
        Some(context)
    }

    /// Remembers a job of an old kernel by the address of its fence, and by its ring and id.
    pub(super) fn remember(&mut self, fence: u64, name: Name, ring: &str, id: u64) {
        if self.jobs.len() >= JOBS_MAX {
            self.left_out += 1;
            return;
        }
        let before = self.jobs.insert(fence, Job { name, ring: ring.into(), id });
        if let Some(before) = before {
            self.by_id.remove(&(before.ring, before.id));
        }
        self.by_id.insert((ring.into(), id), name);
    }

    /// The context and number of the job with this fence.
    pub(super) fn job(&self, fence: u64) -> Option<(Name, u64)> {
        self.jobs.get(&fence).map(|job| (job.name, job.id))
    }

    /// The same, and forgets it.
    pub(super) fn job_done(&mut self, fence: u64) -> Option<(Name, u64)> {
        let job = self.jobs.remove(&fence)?;
        self.by_id.remove(&(job.ring, job.id));
        Some((job.name, job.id))
    }

    /// The context of the job with this id on a ring.
    pub(super) fn job_by_id(&self, ring: &str, id: u64) -> Option<Name> {
        self.by_id.get(&(ring.into(), id)).copied()
    }
}

impl Context {
    fn new(object: ObjectId) -> Self {
        Self {
            object,
            queue: None,
            driver: "".into(),
            seen: 0,
            promised: None,
            signalled: None,
            made: None,
            idle: false,
            waits: None,
        }
    }

    fn introduce(&self, at: u64, name: Name, timeline: &str, out: &mut Sink) {
        let (handle, label) = match name {
            Name::Context(number) => (number, format!("{timeline} context {number}")),
            Name::Entity(address) => (address, format!("{timeline} jobs")),
        };
        // Nobody in this trace is known to signal it: it may be anybody.
        let shared = self.queue.is_none();
        let (object, label) = (self.object, label.trim().to_owned());
        let what = What::Object { object, kind: ObjectKind::DmaFence, handle, label, shared };
        out.event(at, super::TRACER, what);
    }

    /// The number with the upper half that its 32 bits lack: the one nearest to those seen.
    pub(super) fn widen(&mut self, number: u64) -> u64 {
        let low = number & 0xffff_ffff;
        let value = if number > low {
            number
        } else {
            let same = (self.seen & !0xffff_ffff) | low;
            match same.abs_diff(self.seen) {
                0..=0x8000_0000 => same,
                _ if same < self.seen => same.saturating_add(1 << 32),
                _ => same.checked_sub(1 << 32).unwrap_or(same),
            }
        };
        self.seen = self.seen.max(value);
        value
    }

    /// The queue takes on to reach the value.
    pub(super) fn promise(&mut self, at: u64, value: u64, via: Option<AgentId>, out: &mut Sink) {
        let done = self.signalled.is_some_and(|signalled| signalled >= value);
        let again = self.promised.is_some_and(|promised| promised >= value);
        if let (Some(queue), false) = (self.queue, done || again) {
            self.promised = Some(value);
            let point = self.point(value);
            out.event(at, queue, What::Owed { point, after: None, via });
            if self.idle {
                self.say(at, AgentState::Ready, "a job is queued".to_owned(), out);
            }
        }
    }

    /// Says what the queue is doing.
    pub(super) fn say(&mut self, at: u64, state: AgentState, detail: String, out: &mut Sink) {
        self.idle = state == AgentState::Blocked;
        if let Some(queue) = self.queue {
            out.event(at, queue, What::State { state, detail, cpu: None, priority: None });
        }
    }

    /// The value is reached.
    pub(super) fn signal(&mut self, at: u64, value: u64, out: &mut Sink) {
        if self.signalled.is_some_and(|signalled| signalled >= value) {
            return;
        }
        self.signalled = Some(value);
        let by = self.queue.unwrap_or(super::TRACER);
        out.event(at, by, What::Signalled { point: self.point(value) });
    }

    pub(super) fn point(&self, value: u64) -> Point {
        // The highest number means "the next one" in the model.
        Point { object: self.object, value: value.min(u64::MAX - 1) }
    }

    /// Whether everything that was promised is reached.
    pub(super) fn is_done(&self) -> bool {
        self.promised <= self.signalled
    }
}

/// What a `dma_fence_*` event tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Init,
    Emit,
    Signaled,
    WaitStart,
    WaitEnd,
}

/// A `dma_fence_*`: `driver=… timeline=… context=… seqno=…`.
pub(super) fn step(
    world: &mut World,
    line: &Line<'_>,
    args: &str,
    step: Step,
    out: &mut Sink,
) -> Option<()> {
    let behind = Behind {
        driver: between(args, "driver=", " timeline=")?,
        timeline: between(args, " timeline=", " context=").unwrap_or("unnamed"),
    };
    let (name, number) = (Name::Context(decimal(args, "context=")?), decimal(args, "seqno=")?);
    let via = if step == Step::Emit && !line.interrupt { world.current(line, out) } else { None };
    let World { fences, numbers, .. } = world;
    let at = line.at;
    let Some(context) = fences.of(at, name, behind, numbers, out) else { return Some(()) };
    let value = context.widen(number);
    if step == Step::Emit && fences.emitting.len() < DRIVERS_MAX {
        fences.emitting.insert(behind.driver.into());
    }
    let Fences { contexts, emitting, .. } = fences;
    let context = contexts.get_mut(&name)?;
    match step {
        Step::Init => context.made = context.made.max(Some(value)),
        Step::Emit => context.promise(at, value, via, out),
        Step::Signaled => context.signal(at, value, out),
        Step::WaitStart | Step::WaitEnd => {
            // Whoever made a fence must signal it. Only where its driver tells of what it hands to the device, and
            // this fence was made before our eyes and not handed over, is nobody known to owe it.
            let withheld = context.made >= Some(value) && emitting.contains(&context.driver);
            if !withheld {
                context.promise(at, value, None, out);
            }
            let reached = context.signalled >= Some(value) || context.signalled.is_none();
            let points = vec![context.point(value)];
            wait(world, line, points, (step, reached), out)?;
        }
    }
    Some(())
}

fn wait(
    world: &mut World,
    line: &Line<'_>,
    points: Vec<Point>,
    (step, reached): (Step, bool),
    out: &mut Sink,
) -> Option<()> {
    let Some(task) = world.task(line, out) else { return Some(()) };
    if step == Step::WaitStart {
        let call = "dma_fence_wait".to_owned();
        task.begin_inner(line.at, Waits { call, points, bound: Bound::Infinite }, out);
    } else {
        // The event does not say how the wait ended.
        let outcome = if reached { Outcome::Reached } else { Outcome::TimedOut };
        task.end_inner(line.at, &points, outcome, out);
    }
    Some(())
}

/// `5:17`, a context and a number in it.
pub(super) fn pair(text: &str) -> Option<(Name, u64)> {
    let (context, number) = text.split_once(':')?;
    Some((Name::Context(context.parse().ok()?), number.parse().ok()?))
}

/// An address as `%p` prints it.
pub(super) fn address(text: &str) -> Option<u64> {
    hexadecimal(text)
}
