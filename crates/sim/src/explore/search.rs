//! Which states can be reached? Breadth first, batch by batch, in the order of one thread whatever their number.
//!
//! A batch is up to 32 pages of states of one level. Threads expand its chunks, then look up what came of it, each in
//! shards of the index of its own; then numbers are given to what is new, in order, by this thread alone; then threads
//! write down the steps. Batches depend on the model and on the limits, never on the threads.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU32, Ordering};

use super::chunk::Chunk;
use super::graph::{Graph, PAGE};
use super::judge;
use super::shard::{Found, Inbox, STATES_MAX, Shard, shards};
use super::spread::spread;
use super::{Bound, Counts, Limits, Progress};
use crate::model::Model;

const CHUNKS_MAX: u32 = 32;
/// What a batch should lead to, going by the batches before.
const LED_TO: u64 = 1 << 17;
/// Batches of fewer states are not worth waking a thread for.
const SHARED_FROM: u32 = 512;

/// A search under way.
pub(super) struct Search<'m, M: Model> {
    model: &'m M,
    limits: Limits,
    /// All goals.
    all: u32,
    graph: Graph<M::State>,
    shards: Vec<Shard<M::State>>,
    chunks: Vec<Chunk<M>>,
    /// States before this one are explored.
    explored: u32,
    /// Where the level that is being explored ends.
    level_end: u32,
    counts: Counts,
}

impl<'m, M: Model> Search<'m, M> {
    pub(super) fn new(model: &'m M, limits: &Limits) -> Self {
        let limits = Limits { states_max: limits.states_max.min(u64::from(STATES_MAX)), ..*limits };
        Self {
            model,
            limits,
            all: model.goals().0,
            graph: Graph::new(),
            shards: shards(),
            chunks: Vec::new(),
            explored: 0,
            level_end: 0,
            counts: Counts::default(),
        }
    }

    /// Goes on until everything is explored, or a bound is met; says which.
    pub(super) fn run(
        &mut self,
        progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Option<Bound> {
        let mut cut = self.begin();
        self.level_end = self.graph.states.len();
        while cut.is_none() && self.explored < self.graph.states.len() {
            if self.explored == self.level_end {
                self.counts.depth += 1;
                self.level_end = self.graph.states.len();
            }
            cut = self.batch();
            if progress(&self.progress()).is_break() && cut.is_none() {
                cut = (self.explored < self.graph.states.len()).then_some(Bound::Asked);
            }
        }
        self.count_depth();
        // What was found but not explored may lead anywhere: nobody is to be accused on its account.
        for number in self.explored..self.graph.states.len() {
            self.graph.reach.get(number).store(self.all, Ordering::Relaxed);
        }
        cut
    }

    /// What was found. The index is given back.
    pub(super) fn into_graph(self) -> (Graph<M::State>, Counts) {
        (self.graph, self.counts)
    }

    fn progress(&self) -> Progress {
        Progress {
            states: u64::from(self.graph.states.len()),
            transitions: self.counts.transitions,
            depth: self.counts.depth,
            frontier: u64::from(self.graph.states.len() - self.explored),
        }
    }

    /// States of the level below may be known when the search is cut.
    fn count_depth(&mut self) {
        if self.graph.states.len() > self.level_end {
            self.counts.depth += 1;
        }
        self.counts.states = u64::from(self.graph.states.len());
    }

    /// Explores the next states of this level.
    fn batch(&mut self) -> Option<Bound> {
        let begin = self.explored;
        let end = self.level_end.min(begin.saturating_add(self.batch_len()));
        let first_page = begin / PAGE;
        let count = (end.div_ceil(PAGE) - first_page) as usize;
        while self.chunks.len() < count {
            self.chunks.push(Chunk::new());
        }
        for (page, chunk) in (first_page..).zip(&mut self.chunks[..count]) {
            chunk.begin = begin.max(page * PAGE);
            chunk.end = end.min((page + 1) * PAGE);
        }
        let threads = if end - begin < SHARED_FROM { 1 } else { self.limits.threads };
        let (model, all, known) = (self.model, self.all, &self.graph.states);
        spread(threads, &mut self.chunks[..count], |chunk| chunk.expand(model, all, known));
        match self.look_up(count, threads) {
            Some(cut) => Some(cut),
            None => self.take_in(count, threads),
        }
    }

    /// Takes in the initial states.
    fn begin(&mut self) -> Option<Bound> {
        let mut chunk = Chunk::new();
        chunk.begin_with(self.model, self.model.init_states());
        self.chunks.push(chunk);
        self.look_up(1, 1).or_else(|| self.number(0).map(|_| Bound::States(self.limits.states_max)))
    }

    /// States of a batch: fewer where each leads to many.
    fn batch_len(&self) -> u32 {
        let each = self.counts.transitions / u64::from(self.explored.max(1));
        let wanted = LED_TO / (each + 1);
        wanted.clamp(u64::from(PAGE), u64::from(CHUNKS_MAX * PAGE)) as u32 / PAGE * PAGE
    }

    /// Looks up what the first `count` chunks lead to.
    fn look_up(&mut self, count: usize, threads: usize) -> Option<Bound> {
        for (own, shard) in self.shards.iter_mut().enumerate() {
            shard.inboxes.resize_with(self.chunks.len(), Inbox::new);
            for (inbox, chunk) in shard.inboxes.iter_mut().zip(&mut self.chunks[..count]) {
                std::mem::swap(inbox, &mut chunk.outboxes[own]);
            }
        }
        if self.bytes_at_most(count) > self.limits.bytes_max {
            return Some(Bound::Bytes(self.limits.bytes_max));
        }
        let found: Vec<&[AtomicU32]> =
            self.chunks[..count].iter().map(|chunk| chunk.found.as_slice()).collect();
        let known = &self.graph.states;
        spread(threads, &mut self.shards, |shard| shard.look_up(known, &found));
        None
    }

    /// Numbers what is new of what the first `count` chunks lead to, and writes their steps down.
    fn take_in(&mut self, count: usize, threads: usize) -> Option<Bound> {
        let mut cut = None;
        let mut written = 0;
        for chunk in 0..count {
            let (begin, first_child) = (self.chunks[chunk].begin, self.graph.states.len());
            self.chunks[chunk].page = self.graph.take_page(begin, first_child);
            written += 1;
            if let Some(position) = self.number(chunk) {
                let chunk = &mut self.chunks[chunk];
                chunk.end = begin + chunk.states_before(position);
                cut = Some(Bound::States(self.limits.states_max));
                break;
            }
        }
        let (settled, all) = (self.explored, self.all);
        let (graph, shards) = (&self.graph, &self.shards);
        spread(threads, &mut self.chunks[..written], |chunk| {
            chunk.write(graph, shards, settled, all);
        });
        for chunk in &mut self.chunks[..written] {
            self.graph.put_page(chunk.begin, std::mem::take(&mut chunk.page));
            self.counts.transitions += chunk.led_to(chunk.end - chunk.begin);
            self.explored = chunk.end;
        }
        self.counts.bytes = self.counts.bytes.max(self.bytes(count));
        cut
    }

    /// Gives numbers to what is new of what a chunk leads to, in order. Where they run out, says at which position.
    fn number(&mut self, chunk: usize) -> Option<usize> {
        for (position, found) in self.chunks[chunk].found.iter().enumerate() {
            let found = Found(found.load(Ordering::Relaxed));
            if !found.is_new(&self.shards) {
                continue;
            }
            let number = self.graph.states.len();
            if u64::from(number) >= self.limits.states_max {
                return Some(position);
            }
            if let Some(state) = found.take(&mut self.shards, number) {
                let heap_bytes = self.model.heap_bytes(&state);
                self.graph.add(state, heap_bytes);
            }
        }
        None
    }

    /// Bytes in use while the first `count` chunks are in hand.
    fn bytes(&self, count: usize) -> u64 {
        let tables: u64 = self.shards.iter().map(Shard::bytes).sum();
        let chunks: u64 = self.chunks[..count].iter().map(Chunk::bytes).sum();
        self.graph.bytes() + tables + chunks
    }

    /// Bytes after these chunks, if all that they lead to is new; or those of judging, if they may be more: the index is given
    /// back before.
    fn bytes_at_most(&self, count: usize) -> u64 {
        let chunks = &self.chunks[..count];
        let led_to: u64 = chunks.iter().map(|chunk| chunk.found.len() as u64).sum();
        let explored: u64 = chunks.iter().map(|chunk| u64::from(chunk.end - chunk.begin)).sum();
        let states = u64::from(self.graph.states.len()) + led_to;
        let tables: u64 = self.shards.iter().map(Shard::bytes_at_most).sum();
        let judging = judge::bytes_at_most(states, self.graph.step_count() + led_to);
        let chunks: u64 = chunks.iter().map(Chunk::bytes).sum();
        let written = 4 * (led_to + explored);
        self.graph.bytes_with(led_to) + written + judging.max(tables + chunks)
    }
}
