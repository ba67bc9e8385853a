//! The event model: who waits on what, who owes it, and what became of it.
//!
//! Four kinds of thing and no fifth. An *agent* can wait or signal. An *object* is waited on. A
//! *point* is an object reaching a value. An *event* happens at a time, by an agent.

#[cfg(feature = "jsonl")]
use serde::{Deserialize, Serialize};

/// Whatever can wait or signal; dense, unique within one recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "jsonl", derive(Serialize, Deserialize), serde(transparent))]
pub struct AgentId(pub u32);

/// What is waited on; dense, unique within one recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "jsonl", derive(Serialize, Deserialize), serde(transparent))]
pub struct ObjectId(pub u32);

/// Nanoseconds on the recording's clock (`CLOCK_MONOTONIC` for the Vulkan layer).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "jsonl", derive(Serialize, Deserialize), serde(transparent))]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// Nanoseconds from `earlier` to `self`; zero when `earlier` is the later one.
    #[must_use]
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Milliseconds from `earlier` to `self`, as a report prints them.
    #[must_use]
    pub fn ms_since(self, earlier: Self) -> f64 {
        self.since(earlier) as f64 / 1e6
    }
}

/// What an agent is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "jsonl", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
pub enum AgentKind {
    /// A thread of a process on the host.
    HostThread,
    /// A GPU queue: executes batches in submission order.
    GpuQueue,
    /// The presentation engine behind one swapchain.
    PresentationEngine,
    /// A thread of an emulated or virtual machine.
    GuestThread,
    /// A thread of the kernel.
    KernelThread,
    /// A task that a runtime schedules onto threads: a goroutine, a virtual thread.
    Task,
    /// An interrupt, or a callback that one causes.
    Interrupt,
    /// The host side of a command ring: takes commands in their order, and moves the head.
    RingHost,
    /// Whatever is beyond the observed world: another process, a device, an importer.
    Outside,
}

/// What kind of thing is waited on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "jsonl", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
pub enum ObjectKind {
    /// `VkFence`; its n-th point is its n-th signal.
    Fence,
    /// Binary `VkSemaphore`; its n-th point is its n-th signal.
    BinarySemaphore,
    /// Timeline `VkSemaphore`; a point is a counter value.
    TimelineSemaphore,
    /// `VkEvent`, or an event that stays signalled until it is reset (NT's notification event).
    Event,
    /// An event that one wait consumes (NT's synchronization event).
    AutoResetEvent,
    /// A counting semaphore: each signal is a token, each wait takes one.
    CountingSemaphore,
    /// A timer; it signals by itself.
    Timer,
    /// A channel of messages.
    Channel,
    /// A condition variable: a signal that finds nobody waiting is gone.
    Condition,
    /// A query of a `VkQueryPool` becoming available.
    Query,
    /// `VkSwapchainKHR`; its n-th point is the n-th image it hands out.
    Swapchain,
    /// `VkQueue`; its n-th point is the completion of its n-th batch.
    Queue,
    /// `VkDevice` as a whole.
    Device,
    /// A lock with one owner.
    Mutex,
    /// A futex word whose protocol is unknown.
    Futex,
    /// A command ring: a point is its head reaching a tail, in bytes or commands since it was made. Who submits makes the
    /// ring's host owe the new tail; the host signals where the head has got to.
    Ring,
    /// A kernel `dma_fence`.
    DmaFence,
    /// A counted block.
    Block,
    /// A pipe.
    Pipe,
    /// A socket.
    Socket,
    /// Anything else.
    Other,
}

/// The value of a point that is the object's next signal, whatever its number: for sources that see
/// signals but do not number them.
pub const NEXT: u64 = u64::MAX;

/// An object reaching a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "jsonl", derive(Serialize, Deserialize))]
pub struct Point {
    /// The object.
    pub object: ObjectId,
    /// A timeline value, the ordinal of a signal, or [`NEXT`] (in text: `"next"`).
    #[cfg_attr(feature = "jsonl", serde(with = "next_or_number"))]
    pub value: u64,
}

impl Point {
    /// The object's next signal.
    #[must_use]
    pub fn next(object: ObjectId) -> Self {
        Self { object, value: NEXT }
    }
}

/// A point's value in text.
#[cfg(feature = "jsonl")]
mod next_or_number {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Value {
        Number(u64),
        Text(String),
    }

    // The signature is serde's.
    #[allow(clippy::trivially_copy_pass_by_ref)]
    pub(super) fn serialize<S: Serializer>(value: &u64, to: S) -> Result<S::Ok, S::Error> {
        if *value == super::NEXT { to.serialize_str("next") } else { to.serialize_u64(*value) }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
        match Value::deserialize(from)? {
            Value::Number(value) => Ok(value),
            Value::Text(text) if text == "next" => Ok(super::NEXT),
            Value::Text(text) => {
                Err(D::Error::custom(format!("a value is a number or \"next\", not {text:?}")))
            }
        }
    }
}

/// Whether a wait needs all of its points or any one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "jsonl", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
pub enum Mode {
    /// Every point.
    #[default]
    All,
    /// One point is enough.
    Any,
}

/// How long a wait may take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "jsonl", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
pub enum Bound {
    /// For ever.
    #[default]
    Infinite,
    /// At most so many nanoseconds.
    Ns(u64),
    /// A loop of bounded waits or polls on one object, which together are one unbounded wait.
    Polls(u64),
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "jsonl", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
pub enum Outcome {
    /// The points were reached.
    Reached,
    /// The bound was met first.
    TimedOut,
    /// The call failed.
    Failed,
}

/// What an agent is doing, as its scheduler or engine sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "jsonl", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
pub enum AgentState {
    /// It runs; of a queue: its engine works.
    Running,
    /// It could run and is not picked.
    Ready,
    /// It does nothing; of a queue: its engine is idle though a batch is pending; of a ring's host: it neither executes nor
    /// waits for what a command needs. A detail "in CALL" says that it may wait in a call that is not observed.
    Blocked,
    /// It is gone: exited, crashed, closed; of a queue: its device is lost.
    Exited,
    /// The source cannot see it.
    Unknown,
}

/// What a mark tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "jsonl", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
pub enum MarkKind {
    /// A line of a log, or any remark.
    Log,
    /// A call that failed; the text names call and result.
    FailedCall,
    /// A fault that was injected on purpose.
    Injected,
    /// Something that the source cannot observe and that an answer may need.
    Unobserved,
    /// A warning of the source's own: a lock order that could deadlock, an engine that was reset.
    Warning,
}

/// What happened. Points are shared out as one list: arrays that must agree are one array.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "jsonl", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
pub enum What {
    /// Introduces the event's agent.
    #[cfg_attr(feature = "jsonl", serde(rename = "is_agent"))]
    Agent {
        /// What it is.
        kind: AgentKind,
        /// Its name: a thread's comm, a queue's debug name. May be empty.
        name: String,
        /// Process id; 0 when it has none.
        pid: u32,
        /// Thread id; 0 when it has none.
        tid: u32,
    },
    /// Introduces an object.
    #[cfg_attr(feature = "jsonl", serde(rename = "is_object"))]
    Object {
        /// Which object.
        object: ObjectId,
        /// What it is.
        kind: ObjectKind,
        /// The handle as the program sees it.
        handle: u64,
        /// The debug name. May be empty.
        label: String,
        /// It came from, or went to, outside: who signals it may be out of sight.
        shared: bool,
    },
    /// The agent began to wait.
    WaitBegan {
        /// The call that waits, as the field names it.
        call: String,
        /// What for.
        points: Vec<Point>,
        /// All or any.
        mode: Mode,
        /// For how long.
        bound: Bound,
    },
    /// The agent's wait ended.
    WaitEnded {
        /// How.
        outcome: Outcome,
    },
    /// The agent has taken on the duty to reach the point.
    Owed {
        /// The point.
        point: Point,
        /// The debtor reaches `point` as soon as this one is reached.
        after: Option<Point>,
        /// Who made the agent owe it (the thread that submitted).
        via: Option<AgentId>,
    },
    /// The point was reached; by whom is the event's agent.
    Signalled {
        /// The point.
        point: Point,
    },
    /// The object was reset by the agent: its next point is not reached.
    Reset {
        /// The object.
        object: ObjectId,
    },
    /// Two names are one object.
    Aliased {
        /// One name.
        object: ObjectId,
        /// The other.
        same_as: ObjectId,
    },
    /// What the agent is doing.
    State {
        /// Its state from here on.
        state: AgentState,
        /// How the source knows, for a reader: "in futex", "GPU utilisation 0 %". May be empty.
        detail: String,
        /// The processor that it runs or waits on, if the source tells.
        #[cfg_attr(feature = "jsonl", serde(default, skip_serializing_if = "Option::is_none"))]
        cpu: Option<u32>,
        /// Its priority as the source's scheduler counts it, higher first, if the source tells.
        #[cfg_attr(feature = "jsonl", serde(default, skip_serializing_if = "Option::is_none"))]
        priority: Option<i32>,
    },
    /// The agent got something done: a frame presented, a flip, a batch finished.
    Progress {
        /// What.
        what: String,
    },
    /// A remark, a failed call, an injected fault.
    Mark {
        /// Which.
        kind: MarkKind,
        /// A sentence part, without a full stop.
        text: String,
        /// The objects it is about.
        objects: Vec<ObjectId>,
    },
    /// So many events were dropped here.
    Lost {
        /// How many.
        count: u64,
    },
    /// A count over all waits on a kind of object that succeeded so far, and those of them whose
    /// signal is on record: a source that keeps totals instead of every event says so here.
    Coverage {
        /// The kind of object.
        kind: ObjectKind,
        /// Waits that succeeded.
        reached: u64,
        /// Those with a signal, a debtor or a host signal on record.
        explained: u64,
    },
}

/// What happened, when, by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "jsonl", derive(Serialize, Deserialize))]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub agent: AgentId,
    /// What.
    #[cfg_attr(feature = "jsonl", serde(flatten))]
    pub what: What,
}

impl Event {
    /// An event of `agent` at `at`.
    #[must_use]
    pub fn new(at: Timestamp, agent: AgentId, what: What) -> Self {
        Self { at, agent, what }
    }
}
