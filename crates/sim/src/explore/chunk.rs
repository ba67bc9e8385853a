//! What can happen in a few states? One thread's share of a batch: what the states lead to, and which of it are steps.

use std::sync::atomic::{AtomicU32, Ordering};

use super::arena::Arena;
use super::graph::{Graph, Page};
use super::shard::{Found, Inbox, SHARDS, Shard, post};
use crate::model::{Action, Model};

/// Consecutive states of one page, and what they lead to.
pub(super) struct Chunk<M: Model> {
    pub(super) begin: u32,
    pub(super) end: u32,
    /// Lent by the graph.
    pub(super) page: Page,
    actions: Vec<M::Action>,
    /// What the states lead to, by shard.
    pub(super) outboxes: Vec<Inbox<M::State>>,
    /// What the index said of each state that is led to, in order.
    pub(super) found: Vec<AtomicU32>,
    /// Whether a fault leads there.
    faults: Vec<bool>,
    /// For each state: where in `found` it ends, and the goals that its own steps bring about.
    ends: Vec<u32>,
    goals: Vec<u32>,
    targets: Vec<u32>,
}

impl<M: Model> Chunk<M> {
    pub(super) fn new() -> Self {
        Self {
            begin: 0,
            end: 0,
            page: Page::default(),
            actions: Vec::new(),
            outboxes: (0..SHARDS).map(|_| Inbox::new()).collect(),
            found: Vec::new(),
            faults: Vec::new(),
            ends: Vec::new(),
            goals: Vec::new(),
            targets: Vec::new(),
        }
    }

    fn clear(&mut self) {
        self.outboxes.iter_mut().for_each(Vec::clear);
        self.found.clear();
        self.faults.clear();
        self.ends.clear();
        self.goals.clear();
    }

    fn lead_to(&mut self, model: &M, state: M::State, is_fault: bool) {
        post(&mut self.outboxes, self.found.len() as u32, model.representative(state));
        self.found.push(AtomicU32::new(0));
        self.faults.push(is_fault);
    }

    /// Where it all begins: as if one state led there.
    pub(super) fn begin_with(&mut self, model: &M, states: Vec<M::State>) {
        self.clear();
        for state in states {
            self.lead_to(model, state, false);
        }
    }

    /// Tries everything that can happen in its states.
    pub(super) fn expand(&mut self, model: &M, all: u32, known: &Arena<M::State>) {
        self.clear();
        let mut actions = std::mem::take(&mut self.actions);
        for number in self.begin..self.end {
            let state = known.get(number);
            actions.clear();
            model.actions(state, &mut actions);
            let mut goals = if model.is_done(state) { all } else { 0 };
            for action in &actions {
                let Some(next) = model.next_state(state, action) else { continue };
                let sort = model.sort(state, action);
                if let Action::Step(brought) = sort {
                    goals |= brought.0 & all;
                }
                self.lead_to(model, next, sort == Action::Fault);
            }
            self.ends.push(self.found.len() as u32);
            self.goals.push(goals);
        }
        self.actions = actions;
    }

    /// How many of its states lead only to states before this one of those that are led to.
    pub(super) fn states_before(&self, position: usize) -> u32 {
        self.ends.partition_point(|end| *end as usize <= position) as u32
    }

    /// How many states the first `count` of its states lead to.
    pub(super) fn led_to(&self, count: u32) -> u64 {
        let last = (count as usize).checked_sub(1);
        last.and_then(|last| self.ends.get(last)).map_or(0, |end| u64::from(*end))
    }

    /// Writes the steps of its states onto the page, now that all have numbers. Of states before `settled` it is known which
    /// goals they reach, as far as was seen then: a step to one of them may spare us the rest.
    pub(super) fn write(
        &mut self,
        graph: &Graph<M::State>,
        shards: &[Shard<M::State>],
        settled: u32,
        all: u32,
    ) {
        let mut from = 0;
        for ((number, end), goals) in (self.begin..self.end).zip(&self.ends).zip(&self.goals) {
            let range = from..*end as usize;
            from = *end as usize;
            let mut goals = *goals;
            self.targets.clear();
            for (found, is_fault) in self.found[range.clone()].iter().zip(&self.faults[range]) {
                if goals == all {
                    break;
                }
                if *is_fault {
                    continue;
                }
                let target = Found(found.load(Ordering::Relaxed)).settled(shards);
                if target < settled {
                    goals |= graph.goals_of(target);
                }
                self.targets.push(target);
            }
            if goals == all {
                self.targets.clear();
            }
            self.page.close_state(&self.targets);
            graph.reach.get(number).store(goals, Ordering::Relaxed);
        }
    }

    /// Bytes of what it leads to, as far as that is written down.
    pub(super) fn bytes(&self) -> u64 {
        let each = size_of::<M::State>() + 4 + 4 + 4 + 1;
        (self.found.len() * each) as u64
    }
}
