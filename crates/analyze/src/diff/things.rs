//! Which agent or object is this one of another batch? Things are known by their keys; a side numbers them in the
//! order in which they are first mentioned.

use std::collections::HashMap;

use unwedge_trace::row::{AgentEntry, Batch, Key, NONE, ObjectEntry, Row};

use super::fingerprint::Named;
use super::hash::QuickMap;

/// Agents that are told apart; the rest are taken for one.
const AGENTS_MAX: usize = 1 << 18;
/// Objects that are told apart, likewise.
const OBJECTS_MAX: usize = 1 << 20;
/// Pairs of an agent and an object that it used that are told apart, likewise.
const PAIRS_MAX: usize = 1 << 21;
/// Set in the number of a pair's second part when that is an agent.
const IS_AGENT: u32 = 1 << 31;

/// Everyone and everything on one side.
#[derive(Debug, Default)]
pub(super) struct Things {
    pub(super) agents: Vec<AgentEntry>,
    pub(super) objects: Vec<ObjectEntry>,
    agent_of: HashMap<Key, u32>,
    object_of: HashMap<Key, u32>,
    /// Mentions that found no room.
    pub(super) crowded: bool,
    pairs: Vec<Pair>,
    pair_of: QuickMap<u64, u32>,
    recent: Recent,
    /// By agent: others that it used so far.
    used: Vec<u32>,
    /// By object: agents that used it so far.
    users: Vec<u32>,
    /// By agent and by object: which one this is by its first use in a row, from 1; 0 if it never was.
    pub(super) first_agents: Vec<u32>,
    pub(super) first_objects: Vec<u32>,
    /// How many were used so far.
    firsts: [u32; 2],
}

/// Pairs that were asked for not long ago. Most rows name one of a few.
#[derive(Debug)]
struct Recent(Box<[(u64, u32); RECENT]>);

const RECENT: usize = 1 << 10;

impl Default for Recent {
    fn default() -> Self {
        // No pair has this key: its agent and its object would be none.
        Self(Box::new([(u64::MAX, NONE); RECENT]))
    }
}

impl Recent {
    fn place(key: u64) -> usize {
        // Agents and objects are numbered from 0; the cast takes the lower bits.
        (key ^ (key >> 32).wrapping_mul(37)) as usize % RECENT
    }
}

/// An agent and something that it used.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    pub(super) agent: u32,
    /// An object, or an agent that is marked as one.
    other: u32,
    /// The how-manieth thing that the agent used this is.
    pub(super) in_agent: u32,
    /// The how-manieth agent that used the object this is.
    pub(super) in_object: u32,
    /// Both by their first use in the whole.
    pub(super) in_all: u64,
}

/// What a row without a pair names.
const NOBODY: Pair = Pair { agent: NONE, other: NONE, in_agent: 0, in_object: 0, in_all: 0 };

impl Pair {
    /// The object; none if the agent used an agent.
    pub(super) fn object(&self) -> Option<u32> {
        (self.other & IS_AGENT == 0).then_some(self.other)
    }
}

/// Where a batch's tables lead to.
#[derive(Debug, Default)]
pub(super) struct Places {
    agents: Vec<u32>,
    objects: Vec<u32>,
}

impl Places {
    pub(super) fn agent(&self, place: u32) -> u32 {
        self.agents.get(place as usize).copied().unwrap_or(NONE)
    }

    pub(super) fn object(&self, place: u32) -> u32 {
        self.objects.get(place as usize).copied().unwrap_or(NONE)
    }
}

impl Things {
    /// Takes in a batch's tables.
    pub(super) fn place(&mut self, batch: &Batch, places: &mut Places) {
        places.agents.clear();
        for entry in &batch.agents {
            let place = number(&mut self.agent_of, &entry.key, AGENTS_MAX, &mut self.crowded);
            match self.agents.get_mut(place as usize) {
                None => {
                    self.agents.push(entry.clone());
                    self.used.push(0);
                    self.first_agents.push(0);
                }
                Some(known) if known.key == entry.key => known.describe(entry),
                Some(_) => {}
            }
            places.agents.push(place);
        }
        places.objects.clear();
        for entry in &batch.objects {
            let place = number(&mut self.object_of, &entry.key, OBJECTS_MAX, &mut self.crowded);
            match self.objects.get_mut(place as usize) {
                None => {
                    self.objects.push(entry.clone());
                    self.users.push(0);
                    self.first_objects.push(0);
                }
                Some(known) if known.key == entry.key => known.describe(entry),
                Some(_) => {}
            }
            places.objects.push(place);
        }
    }

    /// Where a batch's tables lead to, for one that was taken in before.
    pub(super) fn find(&self, batch: &Batch, places: &mut Places) {
        places.agents.clear();
        let agents = batch.agents.iter().map(|entry| self.agent_of.get(&entry.key).copied());
        places.agents.extend(agents.map(|place| place.unwrap_or(last_place(AGENTS_MAX))));
        places.objects.clear();
        let objects = batch.objects.iter().map(|entry| self.object_of.get(&entry.key).copied());
        places.objects.extend(objects.map(|place| place.unwrap_or(last_place(OBJECTS_MAX))));
    }

    /// The pair of an agent and an object, or of an agent and nothing if that is [`NONE`].
    #[inline]
    pub(super) fn pair(&mut self, agent: u32, object: u32) -> u32 {
        let key = u64::from(agent) << 32 | u64::from(object);
        let (known, pair) = self.recent.0[Recent::place(key)];
        if known == key && pair != NONE { pair } else { self.find_pair(agent, object) }
    }

    /// The pair of an agent and another agent, [`NONE`] if there is none.
    pub(super) fn pair_of_agents(&mut self, agent: u32, other: u32) -> u32 {
        if other == NONE { NONE } else { self.pair(agent, other | IS_AGENT) }
    }

    #[cold]
    fn find_pair(&mut self, agent: u32, other: u32) -> u32 {
        let key = u64::from(agent) << 32 | u64::from(other);
        let pair = match self.pair_of.get(&key) {
            Some(pair) => *pair,
            None if self.pairs.len() >= PAIRS_MAX => {
                self.crowded = true;
                return NONE;
            }
            None => self.new_pair(agent, other),
        };
        self.recent.0[Recent::place(key)] = (key, pair);
        pair
    }

    fn new_pair(&mut self, agent: u32, other: u32) -> u32 {
        let count = |counts: &mut Vec<u32>, place: u32| {
            counts.get_mut(place as usize).map_or(0, |count| {
                *count += 1;
                *count
            })
        };
        let in_agent = if other == NONE { 0 } else { count(&mut self.used, agent) };
        let in_object = if other & IS_AGENT == 0 { count(&mut self.users, other) } else { 0 };
        let first = |firsts: &mut Vec<u32>, place: u32, all: &mut u32| {
            firsts.get_mut(place as usize).map_or(0, |first| {
                if *first == 0 {
                    *all += 1;
                    *first = *all;
                }
                *first
            })
        };
        let [agents, objects] = &mut self.firsts;
        let first_agent = first(&mut self.first_agents, agent, agents);
        let first_other = match other {
            NONE => 0,
            other if other & IS_AGENT == 0 => first(&mut self.first_objects, other, objects),
            other => first(&mut self.first_agents, other & !IS_AGENT, agents),
        };
        let in_all = u64::from(first_agent) << 32 | u64::from(first_other);
        // PAIRS_MAX fits.
        let place = u32::try_from(self.pairs.len()).unwrap_or(NONE);
        self.pairs.push(Pair { agent, other, in_agent, in_object, in_all });
        self.pair_of.insert(u64::from(agent) << 32 | u64::from(other), place);
        place
    }

    /// Whom a row names, for a row that was seen before.
    pub(super) fn named(&self, row: &Row, places: &Places) -> Named {
        let (agent, agent2) = (places.agent(row.agent), places.agent(row.agent2));
        let (object, object2) = (places.object(row.object), places.object(row.object2));
        let pair = |other: u32| {
            let key = u64::from(agent) << 32 | u64::from(other);
            self.pair_of.get(&key).copied().unwrap_or(NONE)
        };
        let pair_agent2 = if agent2 == NONE { NONE } else { pair(agent2 | IS_AGENT) };
        let pair2 = if object2 == NONE { NONE } else { pair(object2) };
        let pair = pair(object);
        Named { agent, object, object2, agent2, pair, pair2, pair_agent2 }
    }

    /// The pairs in the order of their first use.
    pub(super) fn pairs(&self) -> &[Pair] {
        &self.pairs
    }

    pub(super) fn get(&self, pair: u32) -> Option<&Pair> {
        self.pairs.get(pair as usize)
    }

    /// How a pair's two are called, here and there.
    #[inline]
    pub(super) fn names(&self, pair: u32) -> &Pair {
        self.pairs.get(pair as usize).unwrap_or(&NOBODY)
    }
}

fn number(places: &mut HashMap<Key, u32>, key: &Key, most: usize, crowded: &mut bool) -> u32 {
    if let Some(place) = places.get(key) {
        return *place;
    }
    if places.len() >= most {
        *crowded = true;
        return last_place(most);
    }
    let place = u32::try_from(places.len()).unwrap_or(NONE);
    places.insert(key.clone(), place);
    place
}

fn last_place(most: usize) -> u32 {
    // Neither bound exceeds a u32.
    u32::try_from(most - 1).unwrap_or(NONE)
}
