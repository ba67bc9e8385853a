//! What other shapes are there? Small protocols with one thing in each that matters.

use std::hash::{Hash, Hasher};

use unwedge_sim::{Action, Goals, Model};

/// A token goes from station to station.
pub(crate) struct Token {
    pub(crate) stations: u8,
    pub(crate) can_be_lost: bool,
}

impl Model for Token {
    /// Where the token is; at no station once lost.
    type State = Option<u8>;
    /// Whether it is lost.
    type Action = bool;

    fn init_states(&self) -> Vec<Option<u8>> {
        vec![Some(0)]
    }

    fn actions(&self, at: &Option<u8>, actions: &mut Vec<bool>) {
        if at.is_some() {
            actions.push(false);
        }
        if self.can_be_lost {
            actions.push(true);
        }
    }

    fn next_state(&self, at: &Option<u8>, lost: &bool) -> Option<Option<u8>> {
        let at = (*at)?;
        // Station 3 holds it fast.
        let held = *lost && at == 3;
        (!held).then_some((!lost).then_some((at + 1) % self.stations))
    }

    fn sort(&self, at: &Option<u8>, lost: &bool) -> Action {
        match (lost, at) {
            (true, _) => Action::Fault,
            (_, Some(0)) => Action::Step(Goals::ONE),
            _ => Action::Step(Goals::NONE),
        }
    }

    fn describe(&self, at: &Option<u8>, lost: &bool) -> String {
        let at = at.map_or("?".to_owned(), |at| at.to_string());
        if *lost { format!("the token of {at} is lost") } else { format!("{at} passes it on") }
    }
}

/// Two agents meet in a corridor, each on one of two sides. On different sides, they pass. On the same side, both step aside at
/// once.
pub(crate) struct Polite;

impl Model for Polite {
    /// The side of each.
    type State = [bool; 2];
    type Action = &'static str;

    fn init_states(&self) -> Vec<[bool; 2]> {
        vec![[false, true]]
    }

    fn actions(&self, sides: &[bool; 2], actions: &mut Vec<&'static str>) {
        if sides[0] == sides[1] {
            actions.push("both step aside");
        } else {
            actions.extend(["they pass", "the first changes sides"]);
        }
    }

    fn next_state(&self, sides: &[bool; 2], action: &&'static str) -> Option<[bool; 2]> {
        match *action {
            "both step aside" => Some([!sides[0], !sides[1]]),
            "they pass" => Some(*sides),
            _ => Some([!sides[0], sides[1]]),
        }
    }

    fn sort(&self, _: &[bool; 2], action: &&'static str) -> Action {
        Action::Step(if *action == "they pass" { Goals::ONE } else { Goals::NONE })
    }

    fn describe(&self, _: &[bool; 2], action: &&'static str) -> String {
        (*action).to_owned()
    }
}

/// Two screens show frames; the second stops for good when its block is taken.
pub(crate) struct Screens {
    /// Goals that are told apart: with one, either screen is progress.
    pub(crate) goals: u32,
}

impl Model for Screens {
    /// Whether the second screen is blocked.
    type State = bool;
    type Action = &'static str;

    fn init_states(&self) -> Vec<bool> {
        vec![false]
    }

    fn actions(&self, _: &bool, actions: &mut Vec<&'static str>) {
        actions.extend(["screen 0 shows a frame", "screen 1 shows a frame", "screen 1 is blocked"]);
    }

    fn next_state(&self, blocked: &bool, action: &&'static str) -> Option<bool> {
        match *action {
            "screen 0 shows a frame" => Some(*blocked),
            "screen 1 shows a frame" => (!blocked).then_some(false),
            _ => (!blocked).then_some(true),
        }
    }

    fn sort(&self, _: &bool, action: &&'static str) -> Action {
        Action::Step(match *action {
            "screen 0 shows a frame" => Goals::ONE,
            "screen 1 shows a frame" => Goals(1 << (self.goals - 1)),
            _ => Goals::NONE,
        })
    }

    fn goals(&self) -> Goals {
        Goals::first(self.goals)
    }

    fn describe(&self, _: &bool, action: &&'static str) -> String {
        (*action).to_owned()
    }
}

/// Counters that go up one by one to their ends, which is progress while it lasts.
pub(crate) struct Counters {
    pub(crate) ends: Vec<u8>,
    /// Whether it does not matter which is which; their ends are one then.
    pub(crate) alike: bool,
}

impl Model for Counters {
    type State = [u8; 5];
    type Action = usize;

    fn init_states(&self) -> Vec<[u8; 5]> {
        vec![[0; 5]]
    }

    fn actions(&self, _: &[u8; 5], actions: &mut Vec<usize>) {
        actions.extend(0..self.ends.len());
    }

    fn next_state(&self, counts: &[u8; 5], counter: &usize) -> Option<[u8; 5]> {
        let mut after = *counts;
        after[*counter] += 1;
        (after[*counter] <= self.ends[*counter]).then_some(after)
    }

    fn sort(&self, _: &[u8; 5], _: &usize) -> Action {
        Action::Step(Goals::ONE)
    }

    fn representative(&self, mut counts: [u8; 5]) -> [u8; 5] {
        if self.alike {
            counts.sort_unstable();
        }
        counts
    }

    fn describe(&self, _: &[u8; 5], counter: &usize) -> String {
        format!("counter {counter} goes up")
    }
}

/// A way of so many states, all of which have the same hash.
pub(crate) struct Colliding {
    pub(crate) count: u16,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Unhashed(u16);

impl Hash for Unhashed {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl Model for Colliding {
    type State = Unhashed;
    type Action = ();

    fn init_states(&self) -> Vec<Unhashed> {
        vec![Unhashed(0)]
    }

    fn actions(&self, _: &Unhashed, actions: &mut Vec<()>) {
        actions.push(());
    }

    fn next_state(&self, state: &Unhashed, (): &()) -> Option<Unhashed> {
        (state.0 + 1 < self.count).then_some(Unhashed(state.0 + 1))
    }

    fn sort(&self, _: &Unhashed, (): &()) -> Action {
        Action::Step(Goals::ONE)
    }

    fn describe(&self, state: &Unhashed, (): &()) -> String {
        format!("{} goes on", state.0)
    }
}
