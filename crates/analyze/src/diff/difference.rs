//! What is the difference of two recordings? The contract of `unwedge diff --json`: fields are added, never renamed.

use serde::Serialize;

use super::matching::How;

/// How alike two recordings are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Likeness {
    /// Event by event the same run.
    Identical,
    /// Event by event the same, at other virtual times.
    Retimed,
    /// Each agent did the same, and each object saw the same; only who came first among them differs.
    Interleaved,
    /// Agents do the same to the same objects; times, scheduling, numbers and how often something was polled differ.
    Alike,
    /// Something else happened.
    Different,
}

/// The difference of A and B.
#[derive(Clone, Debug, Serialize)]
pub struct Difference {
    /// The version of this contract.
    pub unwedge_diff: u32,
    /// Nothing differs but times and what depends on them.
    pub same: bool,
    /// How alike they are.
    pub likeness: Likeness,
    /// The answer in one sentence.
    pub sentence: String,
    /// The two recordings.
    pub sides: [SideSummary; 2],
    /// They are one run, event by event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identical: Option<Identity>,
    /// The first place where they are not, in the order that tells most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub divergence: Option<Divergence>,
    /// How many agents and objects did not do the very same.
    pub differing: Differing,
    /// The first parting of each agent whose steps differ, the most important first.
    pub departures: Vec<Departure>,
    /// Objects that one side signals and the other never does.
    pub never_signalled: Vec<Silence>,
    /// Waits that are not met on one side and are on the other.
    pub never_met: Vec<Unmet>,
    /// Agents of which one side has nothing more, though they wait for nothing.
    pub stopped: Vec<Stop>,
    /// What gets done, side by side.
    pub progress: Vec<Progress>,
    /// Loops that went round more often on one side, as time would have it.
    pub counts: Vec<Count>,
    /// How often and how fast, side by side.
    pub rates: Vec<Rate>,
    /// Signals that are not on record though waits for them are met: nobody is accused of these.
    pub unobserved: Vec<Unobserved>,
    /// Agents of both sides.
    pub agents: Vec<Pairing>,
    /// Objects of both sides.
    pub objects: Vec<Pairing>,
    /// What limits the answer.
    pub notes: Vec<String>,
    /// The change that was tried, as the user names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
    /// The change made no difference to one event.
    pub inert: bool,
}

/// One of the recordings.
#[derive(Clone, Debug, Serialize)]
pub struct SideSummary {
    /// What the user calls it.
    pub name: String,
    /// Events.
    pub events: u64,
    /// Agents and objects.
    pub agents: usize,
    /// Objects.
    pub objects: usize,
    /// From the first event to the last moment, in nanoseconds.
    pub span_ns: u64,
    /// Events that the recording lost.
    pub events_lost: u64,
    /// The hash of the whole, 32 hexadecimal digits.
    pub hash: String,
}

/// Two recordings of one run.
#[derive(Clone, Debug, Serialize)]
pub struct Identity {
    /// Events on each side.
    pub events: u64,
    /// The hash of the whole, 32 hexadecimal digits.
    pub hash: String,
    /// The times are the same, too.
    pub times: bool,
}

/// In which order two recordings part first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// In what one agent did.
    Agent,
    /// Each agent did the same, but an object saw it in another order.
    Object,
    /// Each agent did the same, each object saw the same; only the order among them differs.
    Interleaving,
    /// In what agents and objects are said to be: names, kinds.
    Introduction,
    /// Every event is the same; virtual times differ.
    Time,
}

/// The first event that differs.
#[derive(Clone, Debug, Serialize)]
pub struct Divergence {
    /// In which order it is the first.
    pub order: Order,
    /// Whose events they are, in A's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Which object's, in A's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// The event's number in that order, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
    /// All of that in a sentence.
    pub sentence: String,
    /// The events around it in A.
    pub a: Vec<Line>,
    /// The same in B.
    pub b: Vec<Line>,
}

/// An event or a step, said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// What happened.
    pub text: String,
    /// When, in nanoseconds since the recording's first event.
    pub at_ns: u64,
    /// How often; a loop's first step has its rounds.
    pub times: u64,
    /// The other side has something else here.
    pub differs: bool,
}

/// How many did not do the very same, event by event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Differing {
    /// Agents.
    pub agents: usize,
    /// Of so many on either side.
    pub agents_of: usize,
    /// Objects.
    pub objects: usize,
    /// Of so many on either side.
    pub objects_of: usize,
}

/// Where an agent parts from its like.
#[derive(Clone, Debug, Serialize)]
pub struct Departure {
    /// The agent in A's words.
    pub agent: String,
    /// In B's, where they differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_b: Option<String>,
    /// What happened, in a sentence.
    pub sentence: String,
    /// When in A, in nanoseconds since its first event.
    pub at_ns: u64,
    /// Steps that differ in all.
    pub steps: u64,
    /// The steps around it in A.
    pub a: Vec<Line>,
    /// The same in B.
    pub b: Vec<Line>,
}

/// Which of the two recordings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Which {
    /// The first.
    A,
    /// The second.
    B,
}

impl Which {
    /// `A` or `B`.
    #[must_use]
    pub fn letter(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
        }
    }
}

/// A signal that one side never sends.
#[derive(Clone, Debug, Serialize)]
pub struct Silence {
    /// The object in A's words.
    pub object: String,
    /// The side that never signals it.
    pub side: Which,
    /// How often the other does.
    pub signals: u64,
    /// All of that in a sentence.
    pub sentence: String,
}

/// A wait that is met on one side only.
#[derive(Clone, Debug, Serialize)]
pub struct Unmet {
    /// The waiter in A's words.
    pub agent: String,
    /// The object in A's words.
    pub object: String,
    /// The side on which it is not met.
    pub side: Which,
    /// For how long the last one was open at the end, in nanoseconds; none if they time out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_ns: Option<u64>,
    /// Others that wait for the same in the same way.
    pub also: Vec<String>,
    /// All of that in a sentence.
    pub sentence: String,
}

/// An agent of which one side has nothing more, and the other has.
#[derive(Clone, Debug, Serialize)]
pub struct Stop {
    /// Who, in A's words.
    pub agent: String,
    /// The side on which it stops.
    pub side: Which,
    /// When it did, in nanoseconds since the recording's first event.
    pub at_ns: u64,
    /// All of that in a sentence.
    pub sentence: String,
}

/// Something that gets done.
#[derive(Clone, Debug, Serialize)]
pub struct Progress {
    /// What: "frame swapped".
    pub what: String,
    /// In A.
    pub a: Pace,
    /// In B.
    pub b: Pace,
    /// For how long it was not done at each side's end, in nanoseconds; none if it never was.
    pub silence_ns: [Option<u64>; 2],
    /// All of that in a sentence.
    pub sentence: String,
}

/// A loop that went round in both, at another count.
#[derive(Clone, Debug, Serialize)]
pub struct Count {
    /// Who, in A's words.
    pub agent: String,
    /// The loop's first wait, or its first step.
    pub step: String,
    /// Rounds in all, on each side.
    pub rounds: [u64; 2],
}

/// What an agent does to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// It waits.
    Waits,
    /// It signals.
    Signals,
}

/// How often and how fast on both sides.
#[derive(Clone, Debug, Serialize)]
pub struct Rate {
    /// Who, in A's words.
    pub agent: String,
    /// The object in A's words.
    pub object: String,
    /// What it does.
    pub deed: Deed,
    /// In A.
    pub a: Pace,
    /// In B.
    pub b: Pace,
}

/// How often and how fast.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Pace {
    /// How often.
    pub count: u64,
    /// Of waits: how many were met.
    pub met: u64,
    /// Of waits: how many timed out.
    pub timed_out: u64,
    /// In a second, from the recording's first event to its end.
    pub per_second: f64,
    /// The rhythm in words, if it is steady: "60.2 Hz, vsync-like".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shape: Option<String>,
    /// Half of the gaps are shorter: of waits that were met, if any were. Nanoseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub median_gap_ns: Option<u64>,
    /// A tenth of the gaps are shorter. Nanoseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low_gap_ns: Option<u64>,
    /// A tenth of the gaps are longer. Nanoseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high_gap_ns: Option<u64>,
}

/// An object whose signals are not on record.
#[derive(Clone, Debug, Serialize)]
pub struct Unobserved {
    /// The object in A's words.
    pub object: String,
    /// The sides that do not record them.
    pub sides: Vec<Which>,
    /// All of that in a sentence.
    pub sentence: String,
}

/// A thing of A and its like in B.
#[derive(Clone, Debug, Serialize)]
pub struct Pairing {
    /// In A's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub a: Option<String>,
    /// In B's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub b: Option<String>,
    /// How it was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub how: Option<How>,
    /// Events of it on each side.
    pub events: [u64; 2],
    /// Its events are the very same.
    pub identical: bool,
}
