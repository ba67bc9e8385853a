//! Who takes which locks in which order? Agents take theirs one by one, give all back, and begin again.

use unwedge_sim::{Action, Goals, Model};

pub(crate) struct Locks {
    /// For each agent the locks that it takes, in order.
    pub(crate) orders: Vec<Vec<usize>>,
    /// Whether all have the same order, so that it does not matter which is which.
    pub(crate) alike: bool,
}

impl Locks {
    fn is_free(&self, taken: &[u8], lock: usize) -> bool {
        let held = |(order, count): (&Vec<usize>, &u8)| order[..*count as usize].contains(&lock);
        !self.orders.iter().zip(taken).any(held)
    }
}

impl Model for Locks {
    /// For each agent, how many of its locks it has.
    type State = Vec<u8>;
    /// The agent that does what it does next.
    type Action = usize;

    fn init_states(&self) -> Vec<Vec<u8>> {
        vec![vec![0; self.orders.len()]]
    }

    fn actions(&self, _: &Vec<u8>, actions: &mut Vec<usize>) {
        actions.extend(0..self.orders.len());
    }

    fn next_state(&self, taken: &Vec<u8>, agent: &usize) -> Option<Vec<u8>> {
        let mut after = taken.clone();
        match self.orders[*agent].get(taken[*agent] as usize) {
            Some(lock) if !self.is_free(taken, *lock) => return None,
            Some(_) => after[*agent] += 1,
            None => after[*agent] = 0,
        }
        Some(after)
    }

    fn sort(&self, taken: &Vec<u8>, agent: &usize) -> Action {
        let gives_back = taken[*agent] as usize == self.orders[*agent].len();
        Action::Step(if gives_back { Goals::ONE } else { Goals::NONE })
    }

    fn representative(&self, mut taken: Vec<u8>) -> Vec<u8> {
        if self.alike {
            taken.sort_unstable();
        }
        taken
    }

    fn heap_bytes(&self, taken: &Vec<u8>) -> usize {
        taken.len()
    }

    fn describe(&self, taken: &Vec<u8>, agent: &usize) -> String {
        match self.orders[*agent].get(taken[*agent] as usize) {
            Some(lock) => format!("agent {agent} takes lock {lock}"),
            None => format!("agent {agent} gives its locks back"),
        }
    }
}
