//! What does an analysis answer? The report: its fields are the JSON contract, added to, never renamed.

mod statistics;

use serde::Serialize;
use unwedge_trace::{AgentKind, ObjectKind};

pub use statistics::{
    Bucket, Coverage, PollRun, Rate, Share, SilentProducer, Starved, Statistics, WedgeEntry, Woken,
};

/// The version of the report's format.
pub const VERSION: u32 = 1;

/// Three answers, never two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every waiting agent can proceed, as far as the evidence goes, and none of it is missing.
    Progressing,
    /// Some agents are outside the least fixpoint of "can proceed".
    Wedged,
    /// The evidence allows neither accusation nor acquittal; `missing` says what it lacks.
    Inconclusive,
}

/// The whole answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// [`VERSION`].
    pub unwedge_report: u32,
    /// The verdict over all agents.
    pub verdict: Verdict,
    /// Most important first.
    pub findings: Vec<Finding>,
    /// Everyone who was seen.
    pub agents: Vec<AgentSummary>,
    /// Events that the source had to drop.
    pub events_lost: u64,
    /// Where the events came from.
    pub source: String,
    /// What would have to be known for a firmer answer; empty unless inconclusive.
    pub missing: Vec<String>,
    /// Faults that were injected on purpose, in order.
    pub injected: Vec<String>,
    /// Remarks that accuse nobody: what is progressing, what is idle.
    pub notes: Vec<String>,
    /// What was counted over all events.
    pub statistics: Statistics,
    /// The wait graph, for a picture.
    pub graph: Graph,
}

/// One root of the wedge, as one plain sentence with its evidence.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// `UWnnn`.
    pub code: &'static str,
    /// Its short name.
    pub name: &'static str,
    /// Who waits on what, who owes it, why it does not come.
    pub sentence: String,
    /// The evidence suffices for "wedged"; else it accuses nobody.
    pub conclusive: bool,
    /// The agent that a user would notice: the host thread at the head of the chain.
    pub waiter: Option<Waiter>,
    /// What it waits on.
    pub object: Option<ObjectSummary>,
    /// Alternates agent and object, from the waiter down to the root.
    pub chain: Vec<Link>,
    /// Each with the time or sequence number of its event.
    pub evidence: Vec<String>,
    /// What to do.
    pub remedy: String,
    /// Other agents that wait, in the end, for the same root.
    pub also_waiting: Vec<Waiter>,
}

/// A waiting agent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Waiter {
    /// Its id in the recording.
    pub agent: u32,
    /// Process id, 0 if none.
    pub pid: u32,
    /// Thread id, 0 if none.
    pub tid: u32,
    /// Its name.
    pub name: String,
    /// The call it is in.
    pub call: String,
    /// How long it has been waiting, in milliseconds.
    pub since_ms: f64,
    /// Its stack, innermost first, where one could be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stack: Vec<String>,
}

/// An object, for a reader.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ObjectSummary {
    /// What it is.
    pub kind: ObjectKind,
    /// Its handle in hexadecimal.
    pub handle: String,
    /// Its debug name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The value waited for, where it says something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<u64>,
}

/// A link of a chain.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Link {
    /// An agent.
    Agent {
        /// Its id in the recording.
        agent: u32,
        /// What it is.
        kind: AgentKind,
        /// How a report calls it: `thread 4312 "render"`, `queue 0x55…`.
        name: String,
    },
    /// An object.
    Object {
        /// The object.
        object: ObjectSummary,
    },
}

/// An agent in the report's list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AgentSummary {
    /// Its id in the recording.
    pub agent: u32,
    /// What it is.
    pub kind: AgentKind,
    /// Its name.
    pub name: String,
    /// Process id, 0 if none.
    pub pid: u32,
    /// Thread id, 0 if none.
    pub tid: u32,
    /// "waiting", "running", "idle", "exited", … as the last event tells.
    pub state: String,
    /// The call it waits in, if it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// For how long, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<f64>,
    /// It is outside the fixpoint.
    pub wedged: bool,
}

/// The wait graph as nodes and arrows.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Graph {
    /// Agents and objects.
    pub nodes: Vec<Node>,
    /// From waiter to what it waits on, and from there to who owes it.
    pub edges: Vec<Edge>,
}

/// A node of the picture.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Node {
    /// Unique in the graph: `a3` for an agent, `o7:12` for an object's point.
    pub id: String,
    /// "agent" or "object".
    pub role: &'static str,
    /// The kind, in words: "host thread", "fence".
    pub kind: String,
    /// First line of its box.
    pub title: String,
    /// Second line: a call, a state, a value. May be empty.
    pub detail: String,
    /// It is part of the wedge.
    pub wedged: bool,
    /// It is a root.
    pub root: bool,
}

/// An arrow of the picture.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Edge {
    /// Node id.
    pub from: String,
    /// Node id.
    pub to: String,
    /// "waits on", "owed by", "used to be signalled by".
    pub label: String,
}
