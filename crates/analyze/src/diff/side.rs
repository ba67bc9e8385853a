//! What is remembered of one recording, so that it can be compared with another? Made in one pass, in the order of the
//! rows, in bounded memory.

use unwedge_trace::row::{Batch, NONE, Row};

use super::Options;
use super::fingerprint::{Fingerprint, Named, Totals, content};
use super::hash;
use super::sketch::Sketch;
use super::things::{Places, Things};

/// One of the two recordings.
#[derive(Debug, Default)]
pub struct Side {
    options: Options,
    pub(super) things: Things,
    pub(super) print: Fingerprint,
    pub(super) sketch: Sketch,
    places: Places,
    names: Vec<u64>,
    depth: Depth,
}

/// How much is remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Depth {
    /// Enough to say in what two runs differ.
    #[default]
    Steps,
    /// Enough to say whether they are the same.
    Hashes,
}

impl Side {
    /// One of which nothing was read yet. Both sides must have the same options.
    #[must_use]
    pub fn new(options: &Options) -> Self {
        Self { options: *options, ..Self::default() }
    }

    /// One that can tell only whether two runs are the same, in less time. Of two that are not, nothing more can be said:
    /// [`Side::is_one_run_with`].
    #[must_use]
    pub fn of_hashes(options: &Options) -> Self {
        Self { depth: Depth::Hashes, ..Self::new(options) }
    }

    /// Whether it can tell only that.
    #[must_use]
    pub fn is_of_hashes(&self) -> bool {
        self.depth == Depth::Hashes
    }

    /// Whether two sides that were read to their ends are one run, event by event.
    #[must_use]
    pub fn is_one_run_with(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.totals(), other.totals());
        ours.hash == theirs.hash && ours.events == theirs.events
    }

    /// Hashes at the same places of every recording, as far as this one was read. Where two sides have another, they
    /// are not one run, whatever follows.
    #[must_use]
    pub fn checks(&self) -> &[u64] {
        self.print.checks()
    }

    /// Reads on.
    pub fn fold(&mut self, batch: &Batch) {
        self.things.place(batch, &mut self.places);
        self.print.grow(&self.things);
        hash_names(batch, &mut self.names);
        let steps = self.depth == Depth::Steps;
        if steps {
            self.sketch.begin(batch, &self.things);
        }
        for row in &batch.rows {
            let named = named(row, &mut self.things, &self.places);
            let content = content(row, name(&self.names, row.name));
            self.print.row(row, &named, content, &self.things);
            if steps {
                self.sketch.row(row, &named, &self.things);
            }
        }
    }

    /// The recording ends here; `now` is the moment of its last observation in nanoseconds, if that is not the last
    /// event's.
    pub fn finish(&mut self, now: Option<u64>) {
        self.print.end = self.print.end.max(now.unwrap_or(0));
        self.sketch.finish();
    }

    /// Events so far.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.print.all.events()
    }

    pub(super) fn options(&self) -> Options {
        self.options
    }

    pub(super) fn totals(&self) -> Totals {
        self.print.totals(&self.things)
    }

    /// What had to be left out for want of room: lower case, no full stop.
    pub(super) fn complaints(&self) -> Vec<&'static str> {
        let crowded = self.things.crowded.then_some(
            "more agents or objects than can be told apart; those beyond the first million are taken for one",
        );
        let steps =
            self.sketch.steps.crowded.then_some(
                "more kinds of steps than can be told apart; the rest are taken for one",
            );
        let full = self.sketch.full.then_some(
            "more steps that do not repeat than can be kept; the sequences are compared to that point only",
        );
        [crowded, steps, full].into_iter().flatten().collect()
    }
}

pub(super) fn hash_names(batch: &Batch, names: &mut Vec<u64>) {
    names.clear();
    names.extend(batch.names.iter().map(|name| hash::text(name)));
}

/// The hash of the name at a place; 0 for none.
pub(super) fn name(names: &[u64], place: u32) -> u64 {
    names.get(place as usize).copied().unwrap_or(0)
}

/// Whom a row names, in the numbers of the side. The order of the pairs is part of the fingerprint.
pub(super) fn named(row: &Row, things: &mut Things, places: &Places) -> Named {
    let (agent, agent2) = (places.agent(row.agent), places.agent(row.agent2));
    let (object, object2) = (places.object(row.object), places.object(row.object2));
    let pair = things.pair(agent, object);
    let pair2 = if object2 == NONE { NONE } else { things.pair(agent, object2) };
    let pair_agent2 = things.pair_of_agents(agent, agent2);
    Named { agent, object, object2, agent2, pair, pair2, pair_agent2 }
}
