//! How are agents, objects, calls and durations said?

use std::fmt::Write as _;

use unwedge_trace::{AgentId, AgentKind, Bound, Mode, ObjectId, ObjectKind, Point, Timestamp};

use crate::graph::Graph;
use crate::replay::{State, Wait};
use crate::report::{ObjectSummary, Waiter};

/// Longest name or label that is said in full, in characters.
const NAME_CHARS_MAX: usize = 80;
/// Longest line of a log that is said in full, in characters.
const LINE_CHARS_MAX: usize = 240;

/// `7.21 s`, `412 ms`, `2 min 5 s`.
pub(crate) fn duration(ns: u64) -> String {
    let seconds = ns / 1_000_000_000;
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => format!("{} µs", ns / 1_000),
        1_000_000..1_000_000_000 => format!("{} ms", ns / 1_000_000),
        1_000_000_000..60_000_000_000 => {
            format!("{seconds}.{:02} s", ns % 1_000_000_000 / 10_000_000)
        }
        60_000_000_000..3_600_000_000_000 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// What a name holds that can be printed on one line.
pub(crate) fn printable(name: &str) -> String {
    printable_to(name, NAME_CHARS_MAX)
}

/// What a line of a log holds that can be printed on one line.
pub(crate) fn printable_line(line: &str) -> String {
    printable_to(line, LINE_CHARS_MAX)
}

fn printable_to(text: &str, most: usize) -> String {
    let tame = |character: char| if character.is_control() { '?' } else { character };
    let mut out: String = text.chars().take(most).map(tame).collect();
    if text.chars().nth(most).is_some() {
        out.push('…');
    }
    out
}

/// A kind of object with its article: "an event".
pub(crate) fn a_kind(kind: ObjectKind) -> String {
    let name = object_kind(kind);
    let article = if name.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
    format!("{article} {name}")
}

/// Joins names as a sentence does: `a`, `a and b`, `a, b and c`; beyond `most`, the rest is counted.
pub(crate) fn list(names: &[String], most: usize) -> String {
    let shown = &names[..names.len().min(most)];
    match (shown, names.len() - shown.len()) {
        ([], _) => "nothing".to_owned(),
        ([one], 0) => one.clone(),
        ([first @ .., last], 0) => format!("{} and {last}", first.join(", ")),
        (shown, more) => format!("{} and {more} more", shown.join(", ")),
    }
}

/// An agent kind in words.
pub(crate) fn agent_kind(kind: AgentKind) -> &'static str {
    match kind {
        AgentKind::HostThread => "thread",
        AgentKind::GpuQueue => "queue",
        AgentKind::PresentationEngine => "presentation engine",
        AgentKind::GuestThread => "guest thread",
        AgentKind::KernelThread => "kernel thread",
        AgentKind::Task => "task",
        AgentKind::Interrupt => "interrupt",
        AgentKind::RingHost => "ring host",
        AgentKind::Outside => "outside",
    }
}

/// An object kind in words, as sentences say it: a binary semaphore is "semaphore".
#[must_use]
pub fn object_kind(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Fence => "fence",
        ObjectKind::BinarySemaphore => "semaphore",
        ObjectKind::TimelineSemaphore => "timeline semaphore",
        ObjectKind::Event | ObjectKind::AutoResetEvent => "event",
        ObjectKind::CountingSemaphore => "counting semaphore",
        ObjectKind::Timer => "timer",
        ObjectKind::Channel => "channel",
        ObjectKind::Condition => "condition variable",
        ObjectKind::Query => "query",
        ObjectKind::Swapchain => "swapchain",
        ObjectKind::Queue => "queue",
        ObjectKind::Device => "device",
        ObjectKind::Mutex => "mutex",
        ObjectKind::Futex => "futex",
        ObjectKind::Ring => "ring",
        ObjectKind::DmaFence => "dma-fence",
        ObjectKind::Block => "block",
        ObjectKind::Pipe => "pipe",
        ObjectKind::Socket => "socket",
        ObjectKind::Other => "object",
    }
}

impl State<'_> {
    /// `thread 4312 "render"`, `queue 0x55d0 "graphics"`.
    pub(crate) fn say_agent(&self, id: AgentId) -> String {
        let Some(agent) = self.agent(id) else { return format!("agent #{}", id.0) };
        let mut name = printable(agent.name);
        let mut text = match agent.kind {
            AgentKind::Outside if !name.is_empty() => return name,
            AgentKind::Outside => return "somebody outside".to_owned(),
            AgentKind::PresentationEngine => "the presentation engine".to_owned(),
            kind => agent_kind(kind).to_owned(),
        };
        let number = match (agent.kind, self.queues.get(&id).and_then(|id| self.object(*id))) {
            (AgentKind::GpuQueue, Some(object)) => {
                if !object.label.is_empty() {
                    name = printable(object.label);
                }
                Some(format!("{:#x}", object.handle))
            }
            (AgentKind::GpuQueue, None) => name.is_empty().then(|| format!("#{}", id.0)),
            (AgentKind::PresentationEngine, _) => None,
            (AgentKind::Interrupt, _) if agent.tid == 0 => None,
            _ if agent.tid == 0 => name.is_empty().then(|| format!("#{}", id.0)),
            _ => Some(agent.tid.to_string()),
        };
        // A queue that is named after its handle is not said twice.
        let queue = agent.kind == AgentKind::GpuQueue;
        if queue && number.as_deref().is_some_and(|number| name.ends_with(number)) {
            name.clear();
        }
        if let Some(number) = number {
            // Writing to a String cannot fail, here and below.
            let _ = write!(text, " {number}");
        }
        if !name.is_empty() {
            let _ = write!(text, " \"{name}\"");
        }
        text
    }

    /// `fence 0x5e "frame 2"`.
    pub(crate) fn say_object(&self, id: ObjectId) -> String {
        let Some(object) = self.object(id) else { return format!("object #{}", id.0) };
        let mut text = format!("{} {:#x}", object_kind(object.kind), object.handle);
        if !object.label.is_empty() {
            let _ = write!(text, " \"{}\"", printable(object.label));
        }
        text
    }

    /// What is waited for: `timeline semaphore 0x7 to reach 5`, `an image of swapchain 0x9`.
    pub(crate) fn say_point(&self, point: Point) -> String {
        let object = self.say_object(point.object);
        match self.object_kind(point.object) {
            // The first signal of a fence is its signal, with or without a number.
            ObjectKind::DmaFence if point.value <= 1 => object,
            ObjectKind::TimelineSemaphore | ObjectKind::Ring | ObjectKind::DmaFence => {
                format!("{object} to reach {}", point.value)
            }
            ObjectKind::Swapchain => format!("an image of {object}"),
            ObjectKind::Queue => format!("batch {} of {object}", point.value),
            _ => object,
        }
    }

    /// That the point is reached: `batch 8 of queue 0x9 has completed`, `ring 0x1 has reached 300`.
    pub(crate) fn say_done(&self, point: Point) -> String {
        match self.object_kind(point.object) {
            ObjectKind::TimelineSemaphore | ObjectKind::Ring => {
                format!("{} has reached {}", self.say_object(point.object), point.value)
            }
            _ => format!("{} has completed", self.say_point(point)),
        }
    }

    /// `thread 4312 "render" waits in vkWaitForFences`, `batch 12 of queue 0x55 waits`.
    pub(crate) fn say_waits(&self, agent: AgentId, wait: &Wait<'_>, point: Point) -> String {
        let call = printable(wait.call);
        let name = self.say_agent(agent);
        let more = match (wait.points.len(), wait.mode) {
            (0 | 1, _) => String::new(),
            (count, Mode::All) => format!(" (one of {count}, all of which it needs)"),
            (count, Mode::Any) => format!(" (one of {count}, any of which would do)"),
        };
        let what = self.say_point(point);
        let polls = match wait.bound {
            Bound::Polls(count) => format!(" (polled {count} times)"),
            Bound::Infinite | Bound::Ns(_) => String::new(),
        };
        if self.is_batch(agent, wait) {
            format!("{call} of {name} waits for {what}{more}")
        } else {
            format!("{name} waits in {call}{polls} for {what}{more}")
        }
    }

    /// Whether the "call" that waits is a batch of a queue.
    pub(crate) fn is_batch(&self, agent: AgentId, wait: &Wait<'_>) -> bool {
        self.agent(agent).is_some_and(|agent| agent.kind == AgentKind::GpuQueue)
            && wait.call.starts_with("batch")
    }

    /// How long ago, without the word "ago".
    pub(crate) fn say_since(&self, at: Timestamp) -> String {
        duration(self.now.since(at))
    }

    pub(crate) fn summarise_object(&self, point: Point) -> ObjectSummary {
        let object = self.object(point.object);
        let kind = self.object_kind(point.object);
        let label = object.map(|object| printable(object.label)).filter(|label| !label.is_empty());
        let says = matches!(
            kind,
            ObjectKind::TimelineSemaphore
                | ObjectKind::Queue
                | ObjectKind::Ring
                | ObjectKind::DmaFence
                | ObjectKind::Other
        );
        let handle = object.map_or(0, |object| object.handle);
        ObjectSummary {
            kind,
            handle: format!("{handle:#x}"),
            label,
            value: says.then_some(point.value),
        }
    }

    pub(crate) fn summarise_waiter(&self, id: AgentId) -> Option<Waiter> {
        let (agent, wait) = (self.agent(id)?, self.wait(id)?);
        Some(Waiter {
            agent: id.0,
            pid: agent.pid,
            tid: agent.tid,
            name: printable(agent.name),
            call: printable(wait.call),
            since_ms: self.now.ms_since(wait.since),
            stack: Vec::new(),
        })
    }

    /// What an agent does at the end, in one word.
    pub(crate) fn say_state(&self, id: AgentId, graph: &Graph) -> &'static str {
        use unwedge_trace::AgentState::{Blocked, Exited, Ready, Running, Unknown};
        let Some(agent) = self.agent(id) else { return "unknown" };
        let queue = agent.kind == AgentKind::GpuQueue;
        match (agent.state, &agent.wait) {
            (Some(Exited), _) if queue => "lost",
            (Some(Exited), _) => "exited",
            (_, Some(_)) => "waiting",
            _ if queue && agent.head.is_none() && agent.oldest_debt.is_none() => "idle",
            (Some(Running), _) => "running",
            (Some(Ready), _) => "ready",
            (Some(Blocked), _) if queue && graph.agent_node(id).is_some() => "stalled",
            (Some(Blocked), _) => "blocked",
            (Some(Unknown) | None, _) => "unknown",
        }
    }
}
