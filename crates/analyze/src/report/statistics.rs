//! What was counted over all events? Lists are cut to what a reader can take in, the most important first.

use serde::Serialize;
use unwedge_trace::ObjectKind;

/// Counts over all events.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Statistics {
    /// Events.
    pub events: u64,
    /// From the first to the last moment, in milliseconds.
    pub span_ms: f64,
    /// Agents that have not exited.
    pub agents_alive: u64,
    /// Agents that have.
    pub agents_exited: u64,
    /// Events whose time is before that of the one before them.
    pub backwards: u64,
    /// Everyone whose wait is open at the last moment: who cannot proceed first, then the longest wait first.
    pub wedge_map: Vec<WedgeEntry>,
    /// Open waits that are not listed.
    pub wedge_map_more: u64,
    /// Who made how many of the events.
    pub dominance: Vec<Share>,
    /// Loops of timed-out waits, each a wait in truth.
    pub poll_runs: Vec<PollRun>,
    /// How often what happens, and how regularly.
    pub rates: Vec<Rate>,
    /// Who is ready and not picked.
    pub starved: Vec<Starved>,
    /// Who runs again and again and never signals anything.
    pub silent_producers: Vec<SilentProducer>,
    /// How many successful waits have a signal on record, by kind of object.
    pub coverage: Vec<Coverage>,
}

/// An open wait.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WedgeEntry {
    /// The agent's id in the recording.
    pub agent: u32,
    /// How a report calls it.
    pub name: String,
    /// The call that waits.
    pub call: String,
    /// What it waits for, in words; empty if that is not known.
    pub object: String,
    /// Since when, in milliseconds before the last moment.
    pub since_ms: f64,
    /// How many polls the wait is made of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub polls: Option<u64>,
    /// It is outside the fixpoint of "can proceed".
    pub wedged: bool,
    /// Why it may be idle: it waited here before, so often, and was woken each time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle: Option<String>,
    /// The same in numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub woken: Option<Woken>,
}

/// How an agent's earlier waits for the same object ended.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Woken {
    /// So often it was woken.
    pub times: u64,
    /// The longest that it had to wait for that, in milliseconds.
    pub longest_ms: f64,
}

/// An agent's part of the events.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Share {
    /// The agent's id in the recording.
    pub agent: u32,
    /// How a report calls it.
    pub name: String,
    /// Its events.
    pub events: u64,
    /// Of all events, from 0 to 1.
    pub share: f64,
}

/// A loop of timed-out waits.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PollRun {
    /// The agent's id in the recording.
    pub agent: u32,
    /// How a report calls it.
    pub name: String,
    /// The call.
    pub call: String,
    /// The object.
    pub object: String,
    /// Waits that ended by their bound since one was last reached.
    pub polls: u64,
    /// The bound of the last one, in milliseconds; 0 if it has none.
    pub bound_ms: f64,
    /// When the first of them began, in milliseconds before the last moment.
    pub since_ms: f64,
    /// Signals of the object on record.
    pub signals: u64,
}

/// How often an agent does something to an object.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rate {
    /// The agent's id in the recording.
    pub agent: u32,
    /// How a report calls it.
    pub name: String,
    /// "waits", "signals", "progress".
    pub what: &'static str,
    /// The object; of progress its text.
    pub object: String,
    /// How often.
    pub count: u64,
    /// Mean rate between the first and the last, in hertz.
    pub hz: f64,
    /// Median and 99th percentile of the time from one to the next, in milliseconds.
    pub gap_ms_median: f64,
    /// See [`Rate::gap_ms_median`].
    pub gap_ms_p99: f64,
    /// The shape in words: "60.2 Hz, vsync-like", "every 30 ms, its own time-out".
    pub shape: String,
    /// How the times from one to the next are spread, in ascending order, none empty; at most 24. They are as wide on
    /// a logarithmic scale as the spread lets them be: eight, four, two or one to a decade.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Bucket>,
}

/// So many of some durations lie between these two.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bucket {
    /// From this on, in milliseconds.
    pub from_ms: f64,
    /// Up to this, in milliseconds.
    pub to_ms: f64,
    /// How many.
    pub count: u64,
}

/// Somebody who is ready and not picked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Starved {
    /// The agent's id in the recording.
    pub agent: u32,
    /// How a report calls it.
    pub name: String,
    /// For how long it has been ready, in milliseconds.
    pub ready_ms: f64,
    /// Its processor, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<u32>,
    /// Its priority, higher first, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// Who was active on its processor meanwhile.
    pub instead: Vec<String>,
}

/// Somebody who gets things done and signals nothing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SilentProducer {
    /// The agent's id in the recording.
    pub agent: u32,
    /// How a report calls it.
    pub name: String,
    /// What it does, in its own words.
    pub what: String,
    /// How often it did.
    pub runs: u64,
    /// How often it took on a signal.
    pub owed: u64,
}

/// How much of what wakes waiters a source sees.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Coverage {
    /// The kind of object.
    pub kind: ObjectKind,
    /// Waits that succeeded.
    pub reached: u64,
    /// Those with a signal or debt on record.
    pub explained: u64,
    /// They are so few that nobody is accused, or acquitted, because a signal is not on record.
    pub poor: bool,
}
