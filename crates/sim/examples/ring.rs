//! Can a ring of two slots with feedback wedge? Every interleaving is tried: `cargo run -p unwedge-sim --example ring`.

use unwedge_sim::explore::explore_all;
use unwedge_sim::{Action, Goals, Model};

/// A producer writes into free slots and sleeps when there is none. A consumer reads what is there, frees it (its feedback),
/// and wakes the producer if it sleeps. The order of these steps is what matters.
pub(crate) struct Ring([Act; 4]);

pub(crate) const WRONG: Ring = Ring([Act::Read, Act::Look, Act::Free, Act::Wake]);
pub(crate) const RIGHT: Ring = Ring([Act::Read, Act::Free, Act::Look, Act::Wake]);

/// What can happen. Each is done at once: as finely as the real thing may be interrupted.
#[rustfmt::skip]
#[derive(Clone, Copy)]
pub(crate) enum Act { Write, Sleep, Read, Look, Free, Wake }

/// All that the future depends on. Every state is kept, so it is small.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct State {
    full: u8,
    producer_sleeps: bool,
    /// Which of its four steps the consumer takes next, and what it remembers of those before.
    next: u8,
    read: u8,
    saw_it_sleep: bool,
}

impl Model for Ring {
    type State = State;
    type Action = Act;

    fn init_states(&self) -> Vec<State> {
        vec![State::default()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Act>) {
        actions.extend([Act::Write, Act::Sleep, self.0[usize::from(state.next)]]);
    }

    fn next_state(&self, state: &State, act: &Act) -> Option<State> {
        let mut after = state.clone();
        match act {
            Act::Write if !state.producer_sleeps && state.full < 2 => after.full += 1,
            Act::Sleep if !state.producer_sleeps && state.full == 2 => after.producer_sleeps = true,
            Act::Read if state.full > 0 => after.read = state.full,
            Act::Free => after.full -= state.read,
            Act::Look => after.saw_it_sleep = state.producer_sleeps,
            Act::Wake => after.producer_sleeps &= !state.saw_it_sleep,
            _ => return None,
        }
        after.next = (state.next + u8::from(!matches!(act, Act::Write | Act::Sleep))) % 4;
        Some(after)
    }

    /// Reading is what it is all for: from everywhere it must stay possible to read again.
    fn sort(&self, _: &State, act: &Act) -> Action {
        Action::Step(if matches!(act, Act::Read) { Goals::ONE } else { Goals::NONE })
    }

    fn describe(&self, state: &State, act: &Act) -> String {
        match act {
            Act::Write => format!("the producer writes slot {} of 2", state.full + 1),
            Act::Sleep => "the producer finds both full and sleeps".to_owned(),
            Act::Read => format!("the consumer reads {} of 2", state.full),
            Act::Free => format!("the consumer frees {}", state.read),
            Act::Look => "the consumer looks whether the producer sleeps".to_owned(),
            Act::Wake => "the consumer wakes it if it saw it sleep".to_owned(),
        }
    }
}

pub(crate) fn told(ring: &Ring) -> String {
    explore_all(ring).describe(ring)
}

fn main() {
    print!("{}{}", told(&WRONG), told(&RIGHT));
}
