//! What is a protocol, to the explorer? Its states, what can happen in each, and what counts as getting on.
//!
//! The shape is the one that stateright made known: initial states, the actions of a state, the state after an action.
//! What differs is the question. Not "is this always so?" but "from every state that can be reached, can it still get
//! on?": a wedge is a state from which no progress can be reached any more.

use std::hash::Hash;

/// A set of goals, one bit each: the sorts of progress that a model tells apart.
///
/// A model with two screens has two: else a screen that stands still would hide behind one that moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Goals(pub u32);

impl Goals {
    /// No progress.
    pub const NONE: Self = Self(0);
    /// The only goal of a model that has one.
    pub const ONE: Self = Self(1);

    /// The first `count` goals.
    #[must_use]
    pub fn first(count: u32) -> Self {
        Self(if count >= 32 { u32::MAX } else { (1 << count) - 1 })
    }
}

/// What an action is to the question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Something that an agent does; with the goals that it brings about.
    Step(Goals),
    /// Something that goes wrong. A fault may lead into a wedge, but none may be counted on to lead out.
    Fault,
}

/// A protocol. Actions of different agents interleave in every way; what an action does, it does at once.
///
/// The explorer keeps every state, so a state should be small and flat: a few bytes.
pub trait Model: Sync {
    /// All that the future depends on, and nothing else.
    type State: Clone + Eq + Hash + Send + Sync;
    /// Something that can happen.
    type Action: Clone + Send;

    /// Where it starts.
    fn init_states(&self) -> Vec<Self::State>;

    /// Puts what can happen in a state into `actions`, which is empty; always in the same order.
    fn actions(&self, state: &Self::State, actions: &mut Vec<Self::Action>);

    /// The state after an action; `None` if it cannot happen after all.
    fn next_state(&self, state: &Self::State, action: &Self::Action) -> Option<Self::State>;

    /// What the action is to the question; asked only of actions that can happen.
    fn sort(&self, state: &Self::State, action: &Self::Action) -> Action;

    /// All goals that must stay within reach.
    fn goals(&self) -> Goals {
        Goals::ONE
    }

    /// It ended well in this state: nothing needs to happen any more. Idle is not wedged.
    fn is_done(&self, _state: &Self::State) -> bool {
        false
    }

    /// One state for all that differ only by names which do not matter: which of several equal agents is which.
    /// It must be a state that behaves as the given one does, up to those names. Goals are no such names: agents that have
    /// goals of their own are not alike.
    fn representative(&self, state: Self::State) -> Self::State {
        state
    }

    /// Bytes that a state points at, beside its own size, so that bounds hold; nothing for a flat state.
    fn heap_bytes(&self, _state: &Self::State) -> usize {
        0
    }

    /// An action in words: who does what.
    fn describe(&self, state: &Self::State, action: &Self::Action) -> String;
}
