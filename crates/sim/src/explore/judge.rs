//! From which states does progress stay in reach? Backwards from the steps that bring it, over steps alone.
//!
//! A state begins with the goals that its own steps bring about (all goals, if it is done); then every state is given the
//! goals of those that its steps lead to, until nothing changes. That least fixpoint is one and the same in whatever order it is
//! reached. A few sweeps from the last state to the first settle most: in breadth-first order most steps lead to later
//! states. For what they leave, steps are turned around and followed back, each once for a goal: so the work is linear.

use std::sync::atomic::Ordering;

use super::graph::{Graph, PAGE};

/// Sweeps before steps are turned around.
const SWEEPS: u32 = 3;

/// Bytes that judging takes at most, beside the graph.
pub(super) fn bytes_at_most(states: u64, steps: u64) -> u64 {
    // Where the steps into each state begin, and a list of states to go on from.
    8 * (states + 1) + 4 * steps + 4 * states
}

/// Completes what is known of each state's goals. Returns the bytes that it took.
pub(super) fn judge<S>(graph: &Graph<S>, all: u32) -> u64 {
    judge_after(SWEEPS, graph, all)
}

fn judge_after<S>(sweeps: u32, graph: &Graph<S>, all: u32) -> u64 {
    for _ in 0..sweeps {
        if !sweep(graph, all) {
            return 0;
        }
    }
    let back = Back::new(graph, all);
    for goal in (0..u32::BITS).map(|bit| 1 << bit).filter(|goal| goal & all != 0) {
        back.follow(graph, goal);
    }
    bytes_at_most(u64::from(graph.states.len()), back.sources.len() as u64)
}

/// Gives each state what the states have that it leads to, once; says whether anything changed.
fn sweep<S>(graph: &Graph<S>, all: u32) -> bool {
    let mut changed = false;
    for (number, page) in graph.pages().iter().enumerate().rev() {
        for place in (0..page.explored()).rev() {
            let state = number as u32 * PAGE + place;
            let own = graph.goals_of(state);
            if own == all {
                continue;
            }
            let targets = page.targets_of(place).iter();
            let goals = targets.fold(own, |goals, target| goals | graph.goals_of(*target));
            if goals != own {
                graph.reach.get(state).store(goals, Ordering::Relaxed);
                changed = true;
            }
        }
    }
    changed
}

/// The steps from undecided states, turned around.
struct Back {
    /// Where the steps into each state begin.
    begins: Vec<u64>,
    sources: Vec<u32>,
}

impl Back {
    fn new<S>(graph: &Graph<S>, all: u32) -> Self {
        let count = graph.states.len();
        let undecided = || (0..count).filter(|state| graph.goals_of(*state) != all);
        let mut begins = vec![0u64; count as usize + 1];
        for target in undecided().flat_map(|state| graph.targets_of(state)) {
            begins[*target as usize] += 1;
        }
        let mut sum = 0;
        for begin in &mut begins {
            sum += *begin;
            *begin = sum;
        }
        // Each begins where the one before ended, once all are filled in from behind.
        let mut sources = vec![0; sum as usize];
        for state in undecided() {
            for target in graph.targets_of(state) {
                let begin = &mut begins[*target as usize];
                *begin -= 1;
                sources[*begin as usize] = state;
            }
        }
        Self { begins, sources }
    }

    fn sources_of(&self, state: u32) -> &[u32] {
        let state = state as usize;
        &self.sources[self.begins[state] as usize..self.begins[state + 1] as usize]
    }

    /// Gives the goal to every state that can reach one that has it.
    fn follow<S>(&self, graph: &Graph<S>, goal: u32) {
        let has = |state: u32| graph.goals_of(state) & goal != 0;
        let mut next: Vec<u32> = Vec::new();
        for first in (0..graph.states.len()).filter(|state| has(*state)) {
            next.push(first);
            while let Some(state) = next.pop() {
                for source in self.sources_of(state).iter().filter(|source| !has(**source)) {
                    graph.reach.get(*source).fetch_or(goal, Ordering::Relaxed);
                    next.push(*source);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: u32 = 3 * PAGE / 2;
    const ALL: u32 = 7;

    /// A graph in which a goal is far from some states in either direction, and out of reach of others.
    fn graph(seed: u32) -> Graph<u32> {
        let mut graph = Graph::new();
        let random = |state: u32, salt: u32| {
            let mixed = (state ^ seed << 12).wrapping_mul(0x9e37_79b9).wrapping_add(salt);
            (mixed ^ mixed >> 15).wrapping_mul(0x85eb_ca6b) >> 7
        };
        for state in 0..STATES {
            graph.add(state, 0);
            let goals = (0..3).filter(|goal| random(state, *goal) % 97 == 0);
            let goals = goals.fold(0, |goals, goal| goals | 1 << goal);
            graph.reach.get(state).store(goals, Ordering::Relaxed);
        }
        for begin in (0..STATES).step_by(PAGE as usize) {
            let mut page = graph.take_page(begin, 0);
            for state in begin..STATES.min(begin + PAGE) {
                let count = random(state, 7) % 4;
                let targets: Vec<u32> =
                    (0..count).map(|n| random(state, 11 + n) % STATES).collect();
                page.close_state(&targets);
            }
            graph.put_page(begin, page);
        }
        graph
    }

    #[test]
    fn it_is_the_same_however_many_sweeps_come_first() {
        let (mut full, mut lacking) = (0, 0);
        for seed in 0..50 {
            let judged = |sweeps| {
                let graph = graph(seed);
                judge_after(sweeps, &graph, ALL);
                (0..STATES).map(|state| graph.goals_of(state)).collect::<Vec<_>>()
            };
            // So many sweeps as there are states settle everything.
            let settled = judged(STATES);
            full += settled.iter().filter(|goals| **goals == ALL).count();
            lacking += settled.iter().filter(|goals| **goals != ALL).count();
            for sweeps in 0..4 {
                assert!(judged(sweeps) == settled, "{sweeps} sweeps");
            }
        }
        assert!(full > 5000 && lacking > 5000, "{full} and {lacking}");
    }
}
