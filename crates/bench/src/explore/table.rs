//! Philosophers at a round table, up to 32: each takes two forks one by one and gives them back one by one. The last takes
//! its right one first, so that they never starve.

use super::protocol::Protocol;

#[derive(Clone)]
pub(crate) struct Table {
    /// Philosophers, up to 32.
    pub(crate) philosophers: u8,
}

/// What a philosopher has, of the fork that it takes first and the other: neither, the first, both, the other.
const NEITHER: u8 = 0;
const FIRST: u8 = 1;
const BOTH: u8 = 2;
const OTHER: u8 = 3;

impl Table {
    fn philosopher(state: u64, philosopher: u8) -> u8 {
        (state >> (2 * philosopher)) as u8 & 3
    }

    /// The fork that it takes first. Its left fork has its own number, its right one the next.
    fn forks(&self, philosopher: u8) -> [u8; 2] {
        let right = (philosopher + 1) % self.philosophers;
        if right == 0 { [right, philosopher] } else { [philosopher, right] }
    }

    fn has(&self, state: u64, philosopher: u8, fork: u8) -> bool {
        let [first, other] = self.forks(philosopher);
        match Self::philosopher(state, philosopher) {
            FIRST => fork == first,
            BOTH => fork == first || fork == other,
            OTHER => fork == other,
            _ => false,
        }
    }

    fn is_free(&self, state: u64, fork: u8) -> bool {
        let left = (fork + self.philosophers - 1) % self.philosophers;
        !self.has(state, fork, fork) && !self.has(state, left, fork)
    }
}

impl Protocol for Table {
    /// Two bits for each philosopher.
    type State = u64;
    /// The philosopher that does what it does next.
    type Move = u8;

    fn begin(&self) -> u64 {
        0
    }

    fn moves(&self, state: &u64, moves: &mut Vec<u8>) {
        for philosopher in 0..self.philosophers {
            let [first, other] = self.forks(philosopher);
            let can = match Self::philosopher(*state, philosopher) {
                NEITHER => self.is_free(*state, first),
                FIRST => self.is_free(*state, other),
                _ => true,
            };
            if can {
                moves.push(philosopher);
            }
        }
    }

    fn after(&self, state: &u64, philosopher: u8) -> u64 {
        let next = (Self::philosopher(*state, philosopher) + 1) % 4;
        state & !(3 << (2 * philosopher)) | u64::from(next) << (2 * philosopher)
    }

    /// To eat: each philosopher must always be able to get there.
    fn goals_of(&self, state: &u64, philosopher: u8) -> u32 {
        u32::from(Self::philosopher(*state, philosopher) == FIRST) << philosopher
    }

    fn goals(&self) -> u32 {
        (1 << self.philosophers) - 1
    }

    fn is_done(&self, _: &u64) -> bool {
        false
    }
}
