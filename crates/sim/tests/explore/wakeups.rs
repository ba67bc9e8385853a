//! Can a wake-up get lost? A sleeper looks whether there is work and goes to sleep if not; a giver gives work and wakes.

use unwedge_sim::{Action, Goals, Model};

pub(crate) struct Sleeper {
    /// Whether falling asleep and looking once more are one, as a futex has it.
    pub(crate) looks_again: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum At {
    Looks,
    SawNothing,
    Asleep,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct State {
    sleeper: At,
    work: bool,
    /// The giver has given work and is yet to wake the sleeper.
    wakes: bool,
}

#[derive(Clone, Copy)]
pub(crate) enum Act {
    Give,
    Wake,
    Look,
    Sleep,
}

impl Model for Sleeper {
    type State = State;
    type Action = Act;

    fn init_states(&self) -> Vec<State> {
        vec![State { sleeper: At::Looks, work: false, wakes: false }]
    }

    fn actions(&self, _: &State, actions: &mut Vec<Act>) {
        actions.extend([Act::Give, Act::Wake, Act::Look, Act::Sleep]);
    }

    fn next_state(&self, state: &State, act: &Act) -> Option<State> {
        let State { sleeper, work, wakes } = *state;
        let can = match act {
            Act::Give => !work && !wakes,
            Act::Wake => wakes,
            Act::Look => sleeper == At::Looks,
            Act::Sleep => sleeper == At::SawNothing,
        };
        can.then_some(match act {
            Act::Give => State { work: true, wakes: true, ..*state },
            Act::Wake if sleeper == At::Asleep => State { sleeper: At::Looks, work, wakes: false },
            Act::Wake => State { wakes: false, ..*state },
            Act::Look if work => State { work: false, ..*state },
            Act::Look => State { sleeper: At::SawNothing, ..*state },
            Act::Sleep if self.looks_again && work => State { sleeper: At::Looks, ..*state },
            Act::Sleep => State { sleeper: At::Asleep, ..*state },
        })
    }

    fn sort(&self, state: &State, act: &Act) -> Action {
        let works = matches!(act, Act::Look) && state.work;
        Action::Step(if works { Goals::ONE } else { Goals::NONE })
    }

    fn describe(&self, state: &State, act: &Act) -> String {
        let words = match act {
            Act::Give => "giver: gives work",
            Act::Wake if state.sleeper == At::Asleep => "giver: wakes the sleeper",
            Act::Wake => "giver: wakes nobody",
            Act::Look if state.work => "sleeper: does the work",
            Act::Look => "sleeper: sees no work",
            Act::Sleep => "sleeper: sleeps",
        };
        words.to_owned()
    }
}
