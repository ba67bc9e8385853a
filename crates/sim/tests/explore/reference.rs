//! What would one find who takes the rule at its word? Sets and recursion, a question at a time.

use std::collections::{BTreeMap, BTreeSet};

use unwedge_sim::explore::{Answer, Rest};
use unwedge_sim::{Action, Goals, Model};

use crate::explored;
use crate::graphs::Graph;

/// Every reachable state and the least number of actions to it; and how many actions were tried.
fn reachable(graph: &Graph) -> (BTreeMap<u32, u64>, u64) {
    let mut depths = BTreeMap::new();
    let mut level: BTreeSet<u32> = graph.begins.iter().copied().collect();
    let mut depth = 0;
    while !level.is_empty() {
        depths.extend(level.iter().map(|state| (*state, depth)));
        let next = level.iter().flat_map(|state| &graph.edges[*state as usize]).map(|edge| edge.to);
        level = next.filter(|state| !depths.contains_key(state)).collect();
        depth += 1;
    }
    let tried = depths.keys().map(|state| graph.edges[*state as usize].len() as u64).sum();
    (depths, tried)
}

/// Whether steps lead from here to a step with the goal, or to a state that is done.
fn reaches(graph: &Graph, state: u32, goal: u32, seen: &mut BTreeSet<u32>) -> bool {
    if graph.is_done(&state) {
        return true;
    }
    seen.insert(state)
        && graph.edges[state as usize].iter().any(|edge| match edge.sort {
            Action::Fault => false,
            Action::Step(Goals(goals)) => goals & goal != 0 || reaches(graph, edge.to, goal, seen),
        })
}

/// The goals that are out of reach.
fn lost(graph: &Graph, state: u32) -> u32 {
    let goals = (0..graph.goals).map(|bit| 1 << bit);
    goals.filter(|goal| !reaches(graph, state, *goal, &mut BTreeSet::new())).sum()
}

/// The least number of steps to a state without any.
fn steps_to_dead_end(graph: &Graph, state: u32) -> Option<usize> {
    let steps = |state: u32| {
        let edges = graph.edges[state as usize].iter();
        edges.filter(|edge| edge.sort != Action::Fault).map(|edge| edge.to)
    };
    let (mut seen, mut level) = (BTreeSet::<u32>::new(), BTreeSet::from([state]));
    for count in 0.. {
        if level.is_empty() {
            break;
        }
        if level.iter().any(|state| steps(*state).next().is_none()) {
            return Some(count);
        }
        seen.extend(&level);
        level = level.into_iter().flat_map(steps).filter(|state| !seen.contains(state)).collect();
    }
    None
}

/// The explorer says the same of the graph; which is this sort of answer.
pub(crate) fn compare(graph: &Graph) -> &'static str {
    let (depths, tried) = reachable(graph);
    let wedged: BTreeMap<u32, u64> = depths
        .iter()
        .filter(|(state, _)| lost(graph, **state) != 0)
        .map(|(state, depth)| (*state, *depth))
        .collect();
    let mut sort = "";
    for threads in [1, 2] {
        let exploration = explored(graph, threads);
        let counts = &exploration.counts;
        assert_eq!(counts.states, depths.len() as u64);
        assert_eq!(counts.transitions, tried);
        assert_eq!(counts.depth, depths.values().copied().max().unwrap_or(0));
        assert_eq!(counts.wedged, wedged.len() as u64);
        sort = match &exploration.answer {
            Answer::NoWedge => {
                assert!(wedged.is_empty());
                "no wedge"
            }
            Answer::OutOfRoom(bound) => panic!("{bound}"),
            Answer::Wedge(wedge) => {
                let last = *wedge.last();
                assert_eq!(Some(&(wedge.path.len() as u64)), wedged.values().min());
                assert_eq!(wedged.get(&last), wedged.values().min());
                assert_eq!(wedge.lost.0, lost(graph, last));
                match &wedge.rest {
                    Rest::DeadEnd { steps } => {
                        assert_eq!(Some(steps.len()), steps_to_dead_end(graph, last));
                        "dead end"
                    }
                    Rest::Livelock { steps, back_to } => {
                        assert_eq!(None, steps_to_dead_end(graph, last));
                        let back = back_to.checked_sub(1).map_or(last, |step| steps[step].after);
                        assert_eq!(steps.last().map(|step| step.after), Some(back));
                        if wedge.lost == graph.goals() { "livelock" } else { "some get on" }
                    }
                }
            }
        };
    }
    sort
}
