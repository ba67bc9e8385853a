//! Two-phase commit, as Gray and Lamport specify it ("Consensus on Transaction Commit", 2006): one transaction manager, up
//! to 16 resource managers, and messages that are never lost and never taken away.

use super::protocol::Protocol;

#[derive(Clone)]
pub(crate) struct Commit {
    /// Resource managers, up to 16.
    pub(crate) managers: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    /// Two bits for each resource manager: working, prepared, committed, aborted.
    managers: u32,
    /// Which of them the transaction manager knows to be prepared.
    known: u16,
    /// Which of them have said so.
    said: u16,
    /// 0, or what the transaction manager has decided and sent: [`COMMITTED`] or [`ABORTED`].
    decided: u8,
}

const WORKING: u8 = 0;
const PREPARED: u8 = 1;
const COMMITTED: u8 = 2;
const ABORTED: u8 = 3;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Move {
    Hear(u8),
    DecideToCommit,
    DecideToAbort,
    Prepare(u8),
    Abort(u8),
    Obey(u8),
}

impl State {
    fn manager(&self, manager: u8) -> u8 {
        (self.managers >> (2 * manager)) as u8 & 3
    }

    fn set(&mut self, manager: u8, to: u8) {
        self.managers &= !(3 << (2 * manager));
        self.managers |= u32::from(to) << (2 * manager);
    }
}

impl Protocol for Commit {
    type State = State;
    type Move = Move;

    fn begin(&self) -> State {
        State { managers: 0, known: 0, said: 0, decided: 0 }
    }

    fn moves(&self, state: &State, moves: &mut Vec<Move>) {
        if state.decided == 0 {
            if u32::from(state.known) == (1 << self.managers) - 1 {
                moves.push(Move::DecideToCommit);
            }
            moves.push(Move::DecideToAbort);
        }
        for manager in 0..self.managers {
            if state.decided == 0 && state.said & 1 << manager != 0 {
                moves.push(Move::Hear(manager));
            }
            if state.manager(manager) == WORKING {
                moves.extend([Move::Prepare(manager), Move::Abort(manager)]);
            }
            if state.decided != 0 {
                moves.push(Move::Obey(manager));
            }
        }
    }

    fn after(&self, state: &State, what: Move) -> State {
        let mut after = state.clone();
        match what {
            Move::Hear(manager) => after.known |= 1 << manager,
            Move::DecideToCommit => after.decided = COMMITTED,
            Move::DecideToAbort => after.decided = ABORTED,
            Move::Prepare(manager) => {
                after.set(manager, PREPARED);
                after.said |= 1 << manager;
            }
            Move::Abort(manager) => after.set(manager, ABORTED),
            Move::Obey(manager) => after.set(manager, after.decided),
        }
        after
    }

    fn goals_of(&self, _: &State, _: Move) -> u32 {
        0
    }

    fn goals(&self) -> u32 {
        1
    }

    /// All have committed, or all have aborted.
    fn is_done(&self, state: &State) -> bool {
        let all = |what: u8| (0..self.managers).all(|manager| state.manager(manager) == what);
        all(COMMITTED) || all(ABORTED)
    }
}
