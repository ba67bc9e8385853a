//! Does a block do what a list of holds would, whatever is asked of it in whatever order? Runs of chance, from a seed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use unwedge_wait::{Block, Bound, Hold, Holder, Overstay, Released, Waited};

use crate::POLICIES;

/// Runs for each policy, and steps in each.
const RUNS: u64 = 400;
const STEPS: usize = 120;

/// Numbers that look like chance: splitmix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// A hold, as the model has it.
struct Held {
    since: u64,
    bound: u64,
}

/// A block and the list that it must agree with. Time is a number of milliseconds.
struct Run {
    block: Block,
    policy: Overstay,
    start: Instant,
    now: u64,
    /// Holds that ended neither by release nor by force, by their names, which are numbers that grow.
    model: BTreeMap<u64, Held>,
    /// What holders still have in hand, ended by force or not.
    hands: Vec<(u64, Hold)>,
    next: u64,
}

impl Run {
    fn new(policy: Overstay) -> Self {
        // The model's time is ahead of the clock's, so that `wait_free`, which reads the clock, finds nobody over.
        let start = Instant::now() + Duration::from_secs(3_600);
        let block = Block::new("block", policy);
        Self { block, policy, start, now: 0, model: BTreeMap::new(), hands: Vec::new(), next: 0 }
    }

    fn now(&self) -> Instant {
        self.start + Duration::from_millis(self.now)
    }

    fn over(&self) -> Vec<u64> {
        let over = |held: &Held| self.now - held.since >= held.bound;
        self.model.iter().filter(|(_, held)| over(held)).map(|(name, _)| *name).collect()
    }

    fn enforce(&mut self) -> Vec<u64> {
        let over = self.over();
        if self.policy == Overstay::Release {
            self.model.retain(|name, _| !over.contains(name));
        }
        over
    }

    fn hold(&mut self, random: &mut Random) {
        let (name, bound) = (self.next, random.below(50) + 1);
        self.next += 1;
        let block = self.block.clone();
        let hold = block.hold_at(name.to_string(), Bound::from_millis(bound), self.now());
        self.model.insert(name, Held { since: self.now, bound });
        self.hands.push((name, hold));
    }

    /// Somebody's hold ends: by its release, by a drop, or never.
    fn let_go(&mut self, random: &mut Random) {
        if self.hands.is_empty() {
            return;
        }
        let at = usize::try_from(random.below(self.hands.len() as u64)).unwrap();
        let (name, hold) = self.hands.swap_remove(at);
        assert_eq!(hold.is_held(), self.model.contains_key(&name));
        match random.below(8) {
            0 => std::mem::forget(hold),
            1..4 => {
                drop(hold);
                self.model.remove(&name);
            }
            _ => {
                let was_held = self.model.remove(&name).is_some();
                let expected = if was_held { Released::Now } else { Released::Already };
                assert_eq!(hold.release_at(self.now()), expected);
            }
        }
    }

    fn step(&mut self, random: &mut Random) {
        match random.below(9) {
            0..3 => self.hold(random),
            3..5 => self.let_go(random),
            5 => self.now += random.below(30),
            6 => {
                let expected = self.enforce();
                assert_eq!(names(&self.block.enforce(self.now())), expected);
            }
            7 => {
                self.enforce();
                assert_eq!(self.block.is_held(self.now()), !self.model.is_empty());
            }
            _ => {
                let free = self.model.is_empty();
                let expected = if free { Waited::Reached } else { Waited::TimedOut };
                assert_eq!(self.block.wait_free(Bound::ZERO), expected);
            }
        }
        self.compare();
    }

    fn compare(&self) {
        assert_eq!(names(&self.block.overstayers(self.now())), self.over());
        let expected: Vec<_> = self
            .model
            .iter()
            .map(|(name, held)| Holder {
                name: name.to_string().into(),
                held_for: Duration::from_millis(self.now - held.since),
                bound: Bound::from_millis(held.bound),
            })
            .collect();
        assert_eq!(self.block.holders(self.now()), expected);
        for (name, hold) in &self.hands {
            assert_eq!(hold.is_held(), self.model.contains_key(name), "hold {name}");
        }
    }
}

fn names(holders: &[Holder]) -> Vec<u64> {
    holders.iter().map(|holder| holder.name.parse().unwrap()).collect()
}

#[test]
fn any_order_of_holds_releases_and_looks_agrees_with_a_list() {
    for policy in POLICIES {
        for seed in 0..RUNS {
            let replay = std::panic::catch_unwind(|| {
                let (mut run, mut random) = (Run::new(policy), Random(seed));
                for _ in 0..STEPS {
                    run.step(&mut random);
                }
            });
            assert!(replay.is_ok(), "{policy:?} disagrees with the list; seed {seed}");
        }
    }
}
