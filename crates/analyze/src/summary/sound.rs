//! Can a summary that lay in a file be one of so many rows? Whoever wrote it may have written anything.

use std::collections::HashSet;

use super::agent::{Agent, Wait};
use super::lane::Lane;
use super::object::Object;
use super::{Stamp, Summary};

/// More points, debts or parties of one thing than any summary of ours has.
const LIST_MAX: usize = 8192;

impl Summary {
    /// Whether nothing in it is more than so many rows can leave behind. It may still lie about what they said; but its
    /// numbers can be added up, and its lists gone through.
    #[must_use]
    pub fn is_sound(&self, rows: u64) -> bool {
        let most = |counts: &[u64]| counts.iter().all(|count| *count <= rows);
        let agents = &self.agents.entries;
        let objects = &self.objects.entries;
        self.rows == rows
            && most(&[self.events, self.backwards, self.lanes.untracked])
            && all_differ(agents.iter().map(|agent| &agent.entry.key))
            && all_differ(objects.iter().map(|object| &object.entry.key))
            && agents.iter().all(|agent| agent.is_sound(rows))
            && objects.iter().all(|object| object.is_sound(rows))
            && self.lanes.entries.iter().all(|lane| lane.is_sound(rows))
            && all_differ(
                self.lanes.entries.iter().map(|lane| (lane.agent, lane.object, lane.class)),
            )
            && self.marks.iter().all(|mark| fits(&mark.stamp, rows))
            && most(&[self.untracked_agents, self.untracked_objects])
            && self.names.is_sound()
    }
}

/// A thing twice would be looked for again and again.
fn all_differ<T: std::hash::Hash + Eq>(mut things: impl Iterator<Item = T>) -> bool {
    let mut seen = HashSet::new();
    things.all(|thing| seen.insert(thing))
}

fn fits(stamp: &Stamp, rows: u64) -> bool {
    stamp.seq <= rows
}

impl Agent {
    fn is_sound(&self, rows: u64) -> bool {
        let points = self.wait.iter().flat_map(Wait::points);
        let signals = points.filter_map(|point| match point.value {
            super::agent::Value::After(signals) => Some(signals),
            super::agent::Value::Numbered(_) => None,
        });
        self.events <= rows
            && self.progress_count <= rows
            && self.wait.as_ref().is_none_or(|wait| wait.more.len() <= LIST_MAX)
            && signals.into_iter().all(|signals| signals <= rows)
            && self.clone().stamps().all(|stamp| fits(stamp, rows))
    }
}

impl Object {
    fn is_sound(&self, rows: u64) -> bool {
        let waits = &self.waits;
        let counts = [self.named, self.signals, waits.reached, waits.woken, waits.numbered];
        let more = [waits.unexplained_more, waits.timed_out, waits.failed];
        let lists = [self.debts.len(), self.customary.len(), self.holders.len()];
        let holders = self.holders.iter();
        let customary = self.customary.iter().map(|custom| custom.count);
        let mut stamps = true;
        self.clone().stamps(|stamp| stamps &= fits(stamp, rows));
        stamps
            && lists.iter().all(|length| *length <= LIST_MAX)
            && self.reached.len().max(waits.unexplained.len()) <= LIST_MAX
            && counts.iter().chain(&more).all(|count| *count <= rows)
            && customary.into_iter().all(|count| count <= rows)
            && holders.flat_map(|one| [one.closes, one.opens, one.takes]).all(|count| count <= rows)
            && self.reached.is_sorted_by_key(|reached| reached.stamp.seq)
            && waits.unexplained.is_sorted()
    }
}

impl Lane {
    fn is_sound(&self, rows: u64) -> bool {
        let waits = self.waits.as_ref();
        self.count <= rows
            && self.gaps.is_sound(rows)
            && waits.is_none_or(|waits| {
                waits.reached.max(waits.timed_out).max(waits.failed).max(waits.run.polls) <= rows
                    && waits.took_reached.is_sound(rows)
                    && waits.took_other.is_sound(rows)
                    && fits(&waits.run.began, rows)
                    && fits(&waits.run.ended, rows)
            })
    }

    /// Memory of its histograms. Bytes.
    pub(super) fn bytes_beyond(&self) -> usize {
        let waits = self.waits.as_ref();
        let took = waits.map_or(0, |waits| waits.took_reached.bytes() + waits.took_other.bytes());
        self.gaps.bytes() + took
    }

    /// Makes its histograms coarse.
    pub(super) fn coarsen(&mut self) {
        self.gaps.coarsen();
        if let Some(waits) = &mut self.waits {
            waits.took_reached.coarsen();
            waits.took_other.coarsen();
        }
    }
}
