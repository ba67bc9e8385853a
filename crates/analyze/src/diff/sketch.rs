//! What did each agent of one side do? Its steps with loops folded, and what it did to each object, in bounded memory.

use unwedge_trace::row::{
    Batch, ENDS_WITH_NEXT_EVENT, NONE, Op, Row, outcome_from_code, state_from_code,
};
use unwedge_trace::{AgentState, NEXT, ObjectKind, Outcome};

use super::collapse::{Collapser, Sequence};
use super::fingerprint::Named;
use super::hash::QuickMap;
use super::step::{Step, Steps};
use super::tally::Tally;
use super::things::Things;

/// Items that a side keeps of all its agents; an item is 16 bytes.
const ITEMS_MAX: usize = 4 << 20;
/// Sorts of progress that are counted.
const PROGRESS_MAX: usize = 256;
/// Points of a wait that are followed to its end; of more, the rest is not counted as waited for.
const POINTS_MAX: usize = 8;

/// An agent as one side saw it.
#[derive(Debug, Default)]
pub(super) struct Doings {
    pub(super) last_at: u64,
    /// The last state that its scheduler told, as its code.
    pub(super) state: Option<u8>,
    pub(super) steps: u64,
    pub(super) exited: bool,
    pub(super) sequence: Sequence,
    collapser: Collapser,
    pub(super) open: Option<Open>,
}

/// A wait that has not ended.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) since: u64,
    /// A place in the side's texts.
    pub(super) call: u32,
    /// What for, as pairs of the agent; nothing if that is unknown.
    pub(super) pairs: Vec<u32>,
    pub(super) bounded: bool,
    /// Nanoseconds; 0 if there is none, or it is not told.
    bound_ns: u64,
    ends_with_next_event: bool,
}

/// Everything that is kept of a side beside its hashes.
#[derive(Debug, Default)]
pub(super) struct Sketch {
    pub(super) agents: Vec<Doings>,
    pub(super) steps: Steps,
    /// What gets done, by the place of its text: each as signals.
    pub(super) progress: QuickMap<u32, Tally>,
    tallies: Vec<Tally>,
    /// By pair: a place in `tallies`, plus one.
    tally_of: Vec<u32>,
    texts: Vec<u32>,
    items: usize,
    /// Steps were dropped for want of room.
    pub(super) full: bool,
    spare: Vec<u32>,
}

impl Sketch {
    /// Prepares for the rows of a batch.
    pub(super) fn begin(&mut self, batch: &Batch, things: &Things) {
        self.steps.place_texts(batch, &mut self.texts);
        self.agents.resize_with(things.agents.len(), Doings::default);
    }

    pub(super) fn tally(&self, pair: u32) -> Option<&Tally> {
        let place = self.tally_of.get(pair as usize)?.checked_sub(1)?;
        self.tallies.get(place as usize)
    }

    pub(super) fn row(&mut self, row: &Row, named: &Named, things: &Things) {
        if named.agent as usize >= self.agents.len() {
            return;
        }
        let agent = &mut self.agents[named.agent as usize];
        agent.last_at = agent.last_at.max(row.at);
        let waits_for = agent.open.as_ref().and_then(|open| open.pairs.first());
        let waits_for = waits_for.and_then(|pair| things.get(*pair)?.object()).unwrap_or(NONE);
        let timed_out = self.wait(row, named);
        let Some(mut step) = Step::of(row, named, waits_for) else {
            if timed_out {
                self.agents[named.agent as usize].collapser.timed_out();
            }
            return;
        };
        step.delta = self.delta(row, named, things);
        if step.has_text() {
            step.text = self.texts.get(row.name as usize).copied().unwrap_or(NONE);
        }
        self.step(&step, row.at, named.agent);
    }

    fn step(&mut self, step: &Step, at: u64, agent: u32) {
        let agent = &mut self.agents[agent as usize];
        agent.steps += 1;
        agent.exited |= step.op == Op::State;
        // What a loop leads one to expect need not be looked up.
        let expected = agent.collapser.expected();
        let expected = expected.filter(|number| self.steps.steps[*number as usize] == *step);
        let number = expected.unwrap_or_else(|| self.steps.number(step));
        if expected.is_none() && self.items >= ITEMS_MAX {
            self.full = true;
            return;
        }
        let before = agent.collapser.sequence.items.len();
        agent.collapser.push(number, at);
        self.items += agent.collapser.sequence.items.len() - before;
    }

    /// Keeps the books of waits and signals; whether a wait timed out.
    fn wait(&mut self, row: &Row, named: &Named) -> bool {
        if let Some(open) = &self.agents[named.agent as usize].open
            && open.ends_with_next_event
            && row.op != Op::MorePoint
        {
            self.end_wait(named.agent, Outcome::Reached, row.at);
        }
        match row.op {
            Op::WaitBegan => self.begin_wait(row, named),
            Op::MorePoint if named.object != NONE => {
                let open = &mut self.agents[named.agent as usize].open;
                if let Some(open) = open.as_mut().filter(|open| open.pairs.len() < POINTS_MAX) {
                    open.pairs.push(named.pair);
                    if let Some(tally) = self.tally_mut(named.pair) {
                        tally.waits(row.at);
                    }
                }
            }
            Op::WaitEnded => {
                let outcome = outcome_from_code(row.code);
                self.end_wait(named.agent, outcome, row.at);
                return outcome == Outcome::TimedOut;
            }
            Op::Signalled if named.object != NONE => {
                if let Some(tally) = self.tally_mut(named.pair) {
                    tally.signals(row.at);
                }
            }
            Op::State => {
                let agent = &mut self.agents[named.agent as usize];
                agent.state = Some(row.code);
                // Who is gone waits no more.
                if state_from_code(row.code) == AgentState::Exited {
                    agent.open = None;
                }
            }
            Op::Progress => {
                let text = self.texts.get(row.name as usize).copied().unwrap_or(NONE);
                if self.progress.len() < PROGRESS_MAX || self.progress.contains_key(&text) {
                    self.progress.entry(text).or_default().signals(row.at);
                }
            }
            _ => {}
        }
        false
    }

    fn begin_wait(&mut self, row: &Row, named: &Named) {
        let mut pairs = std::mem::take(&mut self.spare);
        pairs.clear();
        if named.object != NONE && named.pair != NONE {
            pairs.push(named.pair);
            if let Some(tally) = self.tally_mut(named.pair) {
                tally.waits(row.at);
            }
        }
        let call = self.texts.get(row.name as usize).copied().unwrap_or(NONE);
        self.agents[named.agent as usize].open = Some(Open {
            since: row.at,
            call,
            pairs,
            bounded: row.code & 3 == 1,
            bound_ns: if row.code & 3 == 1 { row.amount } else { 0 },
            ends_with_next_event: row.code & ENDS_WITH_NEXT_EVENT != 0,
        });
    }

    fn end_wait(&mut self, agent: u32, outcome: Outcome, at: u64) {
        let Some(open) = self.agents[agent as usize].open.take() else { return };
        for pair in &open.pairs {
            let Some(tally) = self.tally_mut(*pair) else { continue };
            match outcome {
                Outcome::Reached => tally.reached(open.since, at),
                Outcome::TimedOut => tally.timed_out(open.bound_ns),
                Outcome::Failed => tally.failed += 1,
            }
        }
        self.spare = open.pairs;
    }

    fn delta(&mut self, row: &Row, named: &Named, things: &Things) -> u32 {
        let object = things.objects.get(named.object as usize);
        let timeline = object.is_some_and(|object| object.kind == ObjectKind::TimelineSemaphore);
        if !timeline || row.value == NEXT {
            return 0;
        }
        self.tally_mut(named.pair).map_or(0, |tally| tally.delta(row.value))
    }

    fn tally_mut(&mut self, pair: u32) -> Option<&mut Tally> {
        if pair == NONE {
            return None;
        }
        let pair = pair as usize;
        if pair >= self.tally_of.len() {
            self.tally_of.resize(pair + 1, 0);
        }
        if self.tally_of[pair] == 0 {
            self.tallies.push(Tally::default());
            // There are no more tallies than pairs, whose number fits.
            self.tally_of[pair] = u32::try_from(self.tallies.len()).unwrap_or(NONE);
        }
        self.tallies.get_mut(self.tally_of[pair] as usize - 1)
    }

    /// There are no more rows.
    pub(super) fn finish(&mut self) {
        for agent in &mut self.agents {
            agent.sequence = std::mem::take(&mut agent.collapser).finish();
        }
    }
}
