//! How does it come to a wedge, and what can still happen in it? Replays the found states on real ones.
//!
//! The graph has representatives; a reader wants one run. So each step is one whose outcome has the next representative, from the
//! state that the steps before really led to.

use std::collections::HashMap;

use super::graph::{Graph, PAGE};
use super::{Rest, Step};
use crate::model::{Action, Model};

/// A graph, and the model that it is of.
pub(super) struct Paths<'g, M: Model> {
    pub(super) model: &'g M,
    pub(super) graph: &'g Graph<M::State>,
}

/// What a representative that is not faithful is told.
const UNFAITHFUL: &str =
    "a representative cannot do what its state can: see unwedge_sim::Model::representative";

impl<M: Model> Paths<'_, M> {
    /// The initial state (its place among the model's) and the steps that lead to a state, as few as can be.
    pub(super) fn to(&self, state: u32) -> (usize, M::State, Vec<Step<M>>) {
        let mut way = vec![state];
        let mut first = state;
        while let Some(parent) = self.parent(first) {
            way.push(parent);
            first = parent;
        }
        let root = self.graph.states.get(first);
        let mut initial = self.model.init_states().into_iter().enumerate();
        let initial = initial.find(|(_, state)| self.model.representative(state.clone()) == *root);
        let Some((start, initial)) = initial else {
            panic!(
                "the model begins elsewhere when asked again: see unwedge_sim::Model::init_states"
            )
        };
        let steps = self.walk(&initial, way.iter().rev().skip(1).copied());
        (start, initial, steps)
    }

    /// The state from whose actions the search first met this one; none for an initial state.
    fn parent(&self, child: u32) -> Option<u32> {
        let pages = self.graph.pages();
        let page = pages.partition_point(|page| page.first_child <= child).checked_sub(1)?;
        let begin = page as u32 * PAGE;
        let mut states = begin..begin + pages[page].explored();
        let child = self.graph.states.get(child);
        states.find(|state| {
            let state = self.graph.states.get(*state);
            outcomes(self.model, state)
                .any(|(_, _, next)| self.model.representative(next) == *child)
        })
    }

    /// Walks from a state through states with these representatives.
    fn walk(&self, from: &M::State, way: impl Iterator<Item = u32>) -> Vec<Step<M>> {
        let mut steps: Vec<Step<M>> = Vec::new();
        for wanted in way {
            let wanted = self.graph.states.get(wanted);
            let state = steps.last().map_or(from, |step| &step.after);
            let fits = |(_, _, next): &(usize, M::Action, M::State)| {
                self.model.representative(next.clone()) == *wanted
            };
            // Where a step of an agent does what a fault does, the fault is not to blame.
            let is_step = |(_, action, _): &(usize, M::Action, M::State)| {
                self.model.sort(state, action) != Action::Fault
            };
            let step =
                outcomes(self.model, state).find(|outcome| is_step(outcome) && fits(outcome));
            let step = step.or_else(|| outcomes(self.model, state).find(fits));
            let Some((choice, action, after)) = step else { panic!("{UNFAITHFUL}") };
            steps.push(Step { choice, action, after });
        }
        steps
    }

    /// What can still happen in a wedge.
    pub(super) fn rest(&self, state: u32, last: &M::State) -> Rest<M> {
        match self.way_to_dead_end(state) {
            Some(way) => Rest::DeadEnd { steps: self.walk(last, way.into_iter()) },
            None => {
                let (way, back_to) = self.round(state);
                Rest::Livelock { steps: self.walk(last, way.into_iter()), back_to }
            }
        }
    }

    /// The shortest way from a wedge to a state in which no step can happen; without the state itself.
    fn way_to_dead_end(&self, from: u32) -> Option<Vec<u32>> {
        // Where each state was first come from, plus one.
        let mut come_from = vec![0u32; self.graph.states.len() as usize];
        let mut queue = vec![from];
        let mut next = 0;
        while let Some(&state) = queue.get(next) {
            let targets = self.graph.targets_of(state);
            if targets.is_empty() {
                let before =
                    |state: &u32| Some(come_from[*state as usize]).filter(|_| *state != from);
                let mut way: Vec<u32> =
                    std::iter::successors(Some(state), |state| before(state).map(|from| from - 1))
                        .collect();
                way.pop();
                way.reverse();
                return Some(way);
            }
            for target in targets {
                let mark = &mut come_from[*target as usize];
                if *mark == 0 && *target != from {
                    *mark = state + 1;
                    queue.push(*target);
                }
            }
            next += 1;
        }
        None
    }

    /// Steps from a wedge without dead ends until a state comes again: the states, and which of them (0 is the wedge) the last
    /// one is.
    fn round(&self, from: u32) -> (Vec<u32>, usize) {
        let mut way = vec![from];
        let mut places = HashMap::from([(from, 0)]);
        loop {
            let targets = self.graph.targets_of(way[way.len() - 1]);
            if let Some((target, place)) =
                targets.iter().find_map(|target| Some((*target, *places.get(target)?)))
            {
                way.push(target);
                return (way.split_off(1), place);
            }
            places.insert(targets[0], way.len());
            way.push(targets[0]);
        }
    }
}

/// What can happen in a state: each action that can happen, its place among all that the model offers, and what comes of it.
fn outcomes<'m, M: Model>(
    model: &'m M,
    state: &'m M::State,
) -> impl Iterator<Item = (usize, M::Action, M::State)> + use<'m, M> {
    let mut actions = Vec::new();
    model.actions(state, &mut actions);
    actions.into_iter().enumerate().filter_map(|(choice, action)| {
        let next = model.next_state(state, &action)?;
        Some((choice, action, next))
    })
}

/// Does what the choices say, from an initial state; `None` if there is no such state or choice.
pub(super) fn follow<M: Model>(
    model: &M,
    start: usize,
    choices: &[usize],
) -> Option<(M::State, Vec<Step<M>>)> {
    let initial = model.init_states().into_iter().nth(start)?;
    let mut steps: Vec<Step<M>> = Vec::new();
    for wanted in choices {
        let state = steps.last().map_or(&initial, |step| &step.after);
        let (choice, action, after) =
            outcomes(model, state).find(|(choice, ..)| choice == wanted)?;
        steps.push(Step { choice, action, after });
    }
    Some((initial, steps))
}
