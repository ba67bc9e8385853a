//! How is one protocol given to both explorers? Its rules once, and each explorer's trait on top of them.

use std::fmt::Debug;
use std::hash::Hash;

use stateright::Property;
use unwedge_sim::{Action, Goals, Model};

/// A protocol's rules.
pub(crate) trait Protocol: Clone + Send + Sync + 'static {
    type State: Clone + Debug + Eq + Hash + Send + Sync;
    type Move: Copy + Debug + PartialEq + Send + Sync;

    fn begin(&self) -> Self::State;
    fn moves(&self, state: &Self::State, moves: &mut Vec<Self::Move>);
    fn after(&self, state: &Self::State, what: Self::Move) -> Self::State;
    /// The goals that a move brings about, of [`Self::goals`].
    fn goals_of(&self, state: &Self::State, what: Self::Move) -> u32;
    fn goals(&self) -> u32;
    fn is_done(&self, state: &Self::State) -> bool;
}

/// As our explorer wants it.
pub(crate) struct Ours<P>(pub(crate) P);

impl<P: Protocol> Model for Ours<P> {
    type State = P::State;
    type Action = P::Move;

    fn init_states(&self) -> Vec<P::State> {
        vec![self.0.begin()]
    }

    fn actions(&self, state: &P::State, actions: &mut Vec<P::Move>) {
        self.0.moves(state, actions);
    }

    fn next_state(&self, state: &P::State, action: &P::Move) -> Option<P::State> {
        Some(self.0.after(state, *action))
    }

    fn sort(&self, state: &P::State, action: &P::Move) -> Action {
        Action::Step(Goals(self.0.goals_of(state, *action)))
    }

    fn goals(&self) -> Goals {
        Goals(self.0.goals())
    }

    fn is_done(&self, state: &P::State) -> bool {
        self.0.is_done(state)
    }

    fn describe(&self, _: &P::State, action: &P::Move) -> String {
        format!("{action:?}")
    }
}

/// As stateright wants it. Its property holds everywhere, so that it looks at every state, and costs nothing.
#[derive(Clone)]
pub(crate) struct Theirs<P>(pub(crate) P);

impl<P: Protocol> stateright::Model for Theirs<P> {
    type State = P::State;
    type Action = P::Move;

    fn init_states(&self) -> Vec<P::State> {
        vec![self.0.begin()]
    }

    fn actions(&self, state: &P::State, actions: &mut Vec<P::Move>) {
        self.0.moves(state, actions);
    }

    fn next_state(&self, state: &P::State, action: P::Move) -> Option<P::State> {
        Some(self.0.after(state, action))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always("true", |_, _| true)]
    }
}
