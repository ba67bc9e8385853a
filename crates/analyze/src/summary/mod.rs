//! What of a stretch of a recording matters for the answer? A summary, which merges with those of its neighbours.
//!
//! A summary keeps, for every agent, object and pair of them, the last events of each sort and counts over
//! the rest. Whatever the beginning of a stretch depends on and cannot know (which wait an end belongs to, how many signals
//! came before) is kept open until the summary of the stretch before it arrives. In the end a summary is
//! *distilled*: turned back into a recording of a few events, which has the same report as all of them.
//!
//! ```text
//! rows ──fold──► summary ──merge──► summary ──distil──► recording ──► replay ──► …
//! ```
//!
//! Invariant: however a recording is cut, the merged summary is the same. `tests/summary.rs` cuts everywhere.

mod agent;
mod alias;
mod bounds;
mod debts;
mod distil;
mod fold;
mod lane;
mod marks;
mod merge;
mod object;
mod shape;
mod sound;
mod statistics;
mod table;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use unwedge_trace::row::BatchBuilder;
use unwedge_trace::{Recording, Timestamp};

use crate::graph::Graph;
use crate::liveness::Liveness;
use crate::report::Report;
use crate::story::Scene;
use crate::{Options, assemble, replay};

use agent::Agent;
use alias::Aliases;
use bounds::Beyond;
use lane::Lanes;
use marks::Marks;
use object::Object;
pub(crate) use shape::rhythm;
use table::{Names, Table};

/// When something happened: the number of its row, which orders, and its time in nanoseconds, which is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Stamp {
    seq: u64,
    at: u64,
}

impl Stamp {
    fn shift(&mut self, rows: u64) {
        self.seq += rows;
    }
}

/// What a stretch of a recording leaves behind, of bounded size.
///
/// Summaries of neighbouring stretches merge, and merging is associative: however a recording is cut, the
/// merged summary is the same.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Summary {
    rows: u64,
    /// Rows that are events, and not parts of one.
    events: u64,
    /// The first row's time, the last one's, and the latest of all.
    first_at: u64,
    last_at: u64,
    latest_at: u64,
    /// Rows whose time is before that of the row before them.
    backwards: u64,
    lost: u64,
    /// When events were last lost.
    #[serde(default)]
    lost_at: Option<u64>,
    /// Events of agents, and rows that name objects, for which the tables have no place.
    untracked_agents: u64,
    untracked_objects: u64,
    agents: Table<Agent>,
    objects: Table<Object>,
    names: Names,
    lanes: Lanes,
    marks: Marks,
    /// Totals that the source told, by the number of the kind of object: reached, explained.
    coverage_told: BTreeMap<u8, (u64, u64)>,
    /// Pairs of names for one object, as places.
    aliases: Aliases,
    #[serde(skip)]
    beyond: Beyond,
}

/// The version of a summary's stored form. One of another version is to be made again from the rows.
pub const SUMMARY_VERSION: u32 = 1;

impl Summary {
    /// The summary of a whole recording in memory.
    #[must_use]
    pub fn of_recording(recording: &Recording) -> Self {
        let mut builder = BatchBuilder::default();
        for event in &recording.events {
            builder.event(event);
        }
        Self::of(&builder.take())
    }

    /// Rows taken in.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// About how much memory it takes. Bytes.
    #[must_use]
    pub fn weight(&self) -> usize {
        let (agents, objects) = (self.agents.entries.len(), self.objects.entries.len());
        512 * agents + 640 * objects + 512 * self.lanes.entries.len() + self.beyond.bytes()
    }

    /// Events taken in.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The time of the latest row, in nanoseconds on the recording's clock.
    #[must_use]
    pub fn latest(&self) -> Timestamp {
        Timestamp(self.latest_at)
    }

    /// How many rows have a time before that of the row before them.
    #[must_use]
    pub fn backwards(&self) -> u64 {
        self.backwards
    }

    /// [`crate::patience_ns`] of the time that it covers.
    #[must_use]
    pub fn patience_ns(&self) -> u64 {
        crate::patience_ns(self.latest_at.saturating_sub(self.first_at))
    }

    /// The report at `now`, or at the latest row's time.
    #[must_use]
    pub fn report(&self, source: &str, now: Option<Timestamp>, options: &Options) -> Report {
        self.explained(source, now, options).0
    }
}

impl Summary {
    /// The report, as [`Summary::report`] has it, and the distilled recording that it was drawn from.
    #[must_use]
    pub fn explained(
        &self,
        source: &str,
        now: Option<Timestamp>,
        options: &Options,
    ) -> (Report, Recording) {
        let recording = self.distilled(source, now);
        let state = replay::State::replay(&recording, options.patience_ns);
        let graph = Graph::build(&state);
        let live = Liveness::of(&state, &graph);
        let scene = Scene { state: &state, graph: &graph, live: &live };
        let mut report = assemble::report(source, scene);
        report.statistics = self.statistics(scene);
        drop((state, graph, live));
        (report, recording)
    }
}

/// Two are the same if they would be stored the same.
impl PartialEq for Summary {
    fn eq(&self, other: &Self) -> bool {
        let (one, other) = (self.clone().in_normal_form(), other.clone().in_normal_form());
        let counts = |s: &Self| {
            (
                s.rows,
                s.events,
                s.first_at,
                s.last_at,
                s.latest_at,
                s.backwards,
                s.lost,
                s.untracked_agents,
                s.untracked_objects,
            )
        };
        counts(&one) == counts(&other)
            && one.lost_at == other.lost_at
            && one.agents == other.agents
            && one.objects == other.objects
            && one.names == other.names
            && one.lanes == other.lanes
            && one.marks == other.marks
            && one.coverage_told == other.coverage_told
            && one.aliases == other.aliases
    }
}
