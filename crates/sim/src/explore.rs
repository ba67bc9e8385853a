//! Can it wedge? Tries every interleaving of a model, and finds the shortest way into a state from which no way leads on.
//!
//! The rule is: *from every reachable state, progress stays reachable.* In full:
//!
//! - A state is reachable if any actions, faults among them, lead to it from an initial state.
//! - A goal is in reach of a state if steps alone lead from it to a step that brings the goal about. A fault is not counted on: it
//!   may lead in, never out.
//! - A state that is done has all goals in reach, and so has every state from which steps alone lead to one.
//! - A reachable state with a goal out of reach is **wedged**.
//!
//! So a model must offer what its agents may always do, a time-out too, as a step; and what the world does of itself (an interrupt, an
//! arriving packet) is a step if it is sure to come for as long as it takes, and else a fault. In reach means that some order of
//! steps leads there, not that every order does: a scheduler that always picks another agent is not found.
//!
//! States are kept and compared in full, so that "no wedge" is a proof. What comes out depends on the model and the
//! limits alone: the number of threads changes how long it takes.
//!
//! # Examples
//!
//! `examples/ring.rs` has a whole protocol: a ring of two slots whose producer sleeps when it is full.

mod arena;
mod chunk;
mod graph;
mod hasher;
mod judge;
mod path;
mod search;
mod shard;
mod spread;
mod words;

use std::fmt;
use std::ops::ControlFlow;

use crate::model::{Goals, Model};

/// How far to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// States to keep at most. Above 2³¹ − 1 it is that.
    pub states_max: u64,
    /// Bytes to use at most, as [`Counts::bytes`] counts them; up to one batch of states (a few megabytes) is left free for
    /// certainty.
    pub bytes_max: u64,
    /// Threads to work with, this one included; 0 is 1. Changes nothing but the time it takes.
    pub threads: usize,
}

impl Default for Limits {
    /// As many states as fit into a gibibyte; one thread.
    fn default() -> Self {
        Self { states_max: u64::MAX, bytes_max: 1 << 30, threads: 1 }
    }
}

/// How far it has come, for whoever waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// States found.
    pub states: u64,
    /// Actions tried.
    pub transitions: u64,
    /// Actions from the start to the states that are being explored.
    pub depth: u64,
    /// States found but not explored yet.
    pub frontier: u64,
}

/// What was looked at, and what it took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// States found, each once: representatives, where the model has them.
    pub states: u64,
    /// Actions that can happen in the states that were explored.
    pub transitions: u64,
    /// The least number of actions to the farthest state.
    pub depth: u64,
    /// Wedged states. Where a bound was met: those that are for certain.
    pub wedged: u64,
    /// Bytes used at most: states with what [`Model::heap_bytes`] says of them, index, steps, and the batch in hand. The index
    /// is copied a sixteenth a thread at a time as it grows, which comes on top, as do results.
    pub bytes: u64,
}

/// Why it ended before everything was explored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// [`Limits::states_max`].
    States(u64),
    /// [`Limits::bytes_max`].
    Bytes(u64),
    /// The one who watched the progress asked for it.
    Asked,
}

/// What came of it.
#[must_use]
pub struct Exploration<M: Model> {
    /// The answer.
    pub answer: Answer<M>,
    /// What was looked at for it.
    pub counts: Counts,
}

/// Can it wedge?
#[must_use]
pub enum Answer<M: Model> {
    /// Yes, and this is how.
    Wedge(Box<Wedge<M>>),
    /// No: all states that can be reached were explored, and none is wedged.
    NoWedge,
    /// Not known: none of the states that were explored is wedged for certain, but a bound was met before all were.
    OutOfRoom(Bound),
}

/// A way into a wedge.
#[derive(Clone)]
pub struct Wedge<M: Model> {
    /// Which of the model's initial states it begins with, from 0.
    pub start: usize,
    /// That state.
    pub initial: M::State,
    /// The steps and faults that lead into the wedge: as few as can be, and of those the first that a breadth-first search in the
    /// model's order meets. None if it begins wedged.
    pub path: Vec<Step<M>>,
    /// The goals that are out of reach from here on. Others go on being reached.
    pub lost: Goals,
    /// What can still happen.
    pub rest: Rest<M>,
    /// The bound that was met, if not everything was explored. The wedge is one all the same: a state that was not
    /// explored counts as one that gets on. But a shorter one may have been missed.
    pub cut: Option<Bound>,
}

/// Something that happens.
#[derive(Clone)]
pub struct Step<M: Model> {
    /// The place of the action among those that the model offers in the state before, from 0: what [`follow`] takes.
    pub choice: usize,
    /// The action.
    pub action: M::Action,
    /// The state after it.
    pub after: M::State,
}

/// What can still happen in a wedge without further faults.
#[derive(Clone)]
pub enum Rest<M: Model> {
    /// After these steps nothing can happen any more; they are the fewest, none if nothing can in the wedge itself.
    DeadEnd {
        /// The steps.
        steps: Vec<Step<M>>,
    },
    /// Steps go on for ever: no state without any can be reached.
    Livelock {
        /// Steps that come round.
        steps: Vec<Step<M>>,
        /// After how many of them (0: in the wedge itself) the state was, up to names, what it is after the last.
        back_to: usize,
    },
}

impl<M: Model> Wedge<M> {
    /// The wedged state.
    #[must_use]
    pub fn last(&self) -> &M::State {
        self.path.last().map_or(&self.initial, |step| &step.after)
    }

    /// The choices of the path: what a replay needs, beside the start and the model.
    #[must_use]
    pub fn choices(&self) -> Vec<usize> {
        self.path.iter().map(|step| step.choice).collect()
    }
}

/// Explores all that can be reached.
///
/// `progress` is called after each batch of states (a few milliseconds' worth); breaking ends the search.
///
/// # Panics
///
/// If the model does, or if its [`Model::representative`] is not faithful.
pub fn explore<M: Model>(
    model: &M,
    limits: &Limits,
    progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Exploration<M> {
    let mut search = search::Search::new(model, limits);
    let cut = search.run(progress);
    let (graph, mut counts) = search.into_graph();
    let all = model.goals().0;
    let judging_bytes = judge::judge(&graph, all);
    counts.bytes = counts.bytes.max(graph.bytes() + judging_bytes);
    let mut wedged = (0..graph.states.len()).filter(|state| graph.goals_of(*state) != all);
    let first = wedged.next();
    counts.wedged = wedged.count() as u64 + u64::from(first.is_some());
    let answer = match (first, cut) {
        (Some(first), _) => {
            let paths = path::Paths { model, graph: &graph };
            let (start, initial, path) = paths.to(first);
            let last = path.last().map_or(&initial, |step| &step.after);
            let rest = paths.rest(first, last);
            let lost = Goals(all & !graph.goals_of(first));
            Answer::Wedge(Box::new(Wedge { start, initial, path, lost, rest, cut }))
        }
        (None, None) => Answer::NoWedge,
        (None, Some(bound)) => Answer::OutOfRoom(bound),
    };
    Exploration { answer, counts }
}

/// Explores all that can be reached, within [`Limits::default`].
///
/// # Panics
///
/// As [`explore`] does.
pub fn explore_all<M: Model>(model: &M) -> Exploration<M> {
    explore(model, &Limits::default(), &mut |_| ControlFlow::Continue(()))
}

/// Does again what was done: from initial state number `start`, the action at each of these places among those that the model
/// offers. `None` if there is no such state, or if an action cannot happen: then it is not the model of that replay.
#[must_use]
pub fn follow<M: Model>(
    model: &M,
    start: usize,
    choices: &[usize],
) -> Option<(M::State, Vec<Step<M>>)> {
    path::follow(model, start, choices)
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::States(max) => write!(f, "the bound of {max} states"),
            Self::Bytes(max) => write!(f, "the bound of {max} bytes"),
            Self::Asked => f.write_str("the wish to stop"),
        }
    }
}
