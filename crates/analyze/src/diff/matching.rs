//! Which agent of one recording is which of the other, and which object? And how is that known?

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use serde::Serialize;
use unwedge_trace::row::{AgentEntry, Key, ObjectEntry};
use unwedge_trace::{AgentKind, ObjectKind};

use super::fingerprint::Totals;
use super::side::Side;

/// How a thing of one side was found on the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// The user said so.
    Given,
    /// It has the same id on both sides: a guest's thread id, an address.
    Id,
    /// It has a name that no other of its kind has.
    Name,
    /// Of those with its kind and name, it is the only one that did the same.
    Deeds,
    /// Of those with its kind and name, it came at the same place in order.
    Order,
}

/// What the user says: a name, an id or an address on one side is one on the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// As each side calls it.
    pub pairs: Vec<(String, String)>,
}

/// Who is who.
#[derive(Debug, Default)]
pub(super) struct Matches {
    pub(super) agents: Vec<Match>,
    pub(super) objects: Vec<Match>,
    /// By A's number: B's.
    pub(super) agent_in_b: Vec<Option<u32>>,
    pub(super) object_in_b: Vec<Option<u32>>,
    /// Given pairs of which a side has nothing.
    pub(super) unused: Vec<String>,
}

/// A thing on both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) a: u32,
    pub(super) b: u32,
    pub(super) how: How,
}

/// What is needed to tell things apart, whether they are agents or objects.
#[derive(Clone, Debug)]
struct Thing<'s> {
    number: u32,
    /// Kind and owner: only equals are compared.
    class: (u8, u32),
    name: &'s str,
    id: Option<Id<'s>>,
    deeds: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Id<'s> {
    Number(u64),
    Text(&'s str),
}

/// Pairs the things of both sides.
pub(super) fn matches(a: &Side, b: &Side, totals: [&Totals; 2], given: &Given) -> Matches {
    let mut out = Matches::default();
    let (agents_a, agents_b) = (agents(a, totals[0]), agents(b, totals[1]));
    let said = given.pairs.iter().filter_map(|(left, right)| {
        let find = |side: &Side, text: &str| {
            side.things.agents.iter().position(|entry| answers_agent(entry, text))
        };
        Some((find(a, left)?, find(b, right)?))
    });
    out.agents = pair(agents_a, agents_b, said.collect());
    out.agent_in_b = table(&out.agents, a.things.agents.len());
    let owner = owners(a, b, &out.agent_in_b);
    let objects_a = objects(a, totals[0], &owner.0);
    let objects_b = objects(b, totals[1], &owner.1);
    let said = given.pairs.iter().filter_map(|(left, right)| {
        let find = |side: &Side, text: &str| {
            side.things.objects.iter().position(|entry| answers_object(entry, text))
        };
        Some((find(a, left)?, find(b, right)?))
    });
    out.objects = pair(objects_a, objects_b, said.collect());
    out.object_in_b = table(&out.objects, a.things.objects.len());
    out.unused = unused(a, b, given);
    out
}

fn unused(a: &Side, b: &Side, given: &Given) -> Vec<String> {
    let known = |side: &Side, text: &str| {
        side.things.agents.iter().any(|entry| answers_agent(entry, text))
            || side.things.objects.iter().any(|entry| answers_object(entry, text))
    };
    let missing = |side, name, text: &String| {
        (!known(side, text)).then(|| format!("{name} has no agent or object {text:?}"))
    };
    let of = given
        .pairs
        .iter()
        .flat_map(|(left, right)| [missing(a, "A", left), missing(b, "B", right)]);
    of.flatten().collect()
}

fn table(matches: &[Match], count: usize) -> Vec<Option<u32>> {
    let mut table = vec![None; count];
    for found in matches {
        table[found.a as usize] = Some(found.b);
    }
    table
}

/// Whether the user may have meant this agent.
fn answers_agent(entry: &AgentEntry, text: &str) -> bool {
    *entry.name == *text
        || is_key(&entry.key, text)
        || entry.tid != 0 && number(text) == Some(u64::from(entry.tid))
}

fn answers_object(entry: &ObjectEntry, text: &str) -> bool {
    *entry.label == *text
        || is_key(&entry.key, text)
        || entry.handle != 0 && number(text) == Some(entry.handle)
}

fn is_key(key: &Key, text: &str) -> bool {
    match key {
        Key::Text(key) => **key == *text,
        Key::Number(key) => number(text) == Some(*key),
    }
}

fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

fn agents<'s>(side: &'s Side, totals: &Totals) -> Vec<Thing<'s>> {
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let thing = |(place, entry): (usize, &'s AgentEntry)| Thing {
        number: number(place),
        class: (unwedge_trace::row::agent_kind_code(entry.kind), 0),
        name: &entry.name,
        id: agent_id(entry),
        deeds: totals.agents[place],
    };
    side.things.agents.iter().enumerate().map(thing).collect()
}

/// What of an agent is the same in every run; a host's process and thread ids are not.
fn agent_id(entry: &AgentEntry) -> Option<Id<'_>> {
    match (entry.kind, &entry.key) {
        (AgentKind::GuestThread | AgentKind::Task, _) if entry.tid != 0 => {
            Some(Id::Number(u64::from(entry.tid)))
        }
        (AgentKind::HostThread | AgentKind::KernelThread, _) => None,
        (AgentKind::GpuQueue | AgentKind::PresentationEngine, Key::Number(_)) => None,
        (_, Key::Text(key)) => Some(Id::Text(key)),
        (_, Key::Number(key)) => Some(Id::Number(*key)),
    }
}

/// For each object, the pair of its first user, in numbers that both sides share; [`u32::MAX`] where they share none.
fn owners(a: &Side, b: &Side, agent_in_b: &[Option<u32>]) -> (Vec<u32>, Vec<u32>) {
    let mut first_b = first_users(b);
    let mut first_a = first_users(a);
    for owner in &mut first_a {
        *owner = agent_in_b.get(*owner as usize).copied().flatten().unwrap_or(u32::MAX);
    }
    let known: HashSet<u32> = agent_in_b.iter().flatten().copied().collect();
    for owner in first_b.iter_mut().filter(|owner| !known.contains(owner)) {
        *owner = u32::MAX;
    }
    (first_a, first_b)
}

fn first_users(side: &Side) -> Vec<u32> {
    let mut first = vec![u32::MAX; side.things.objects.len()];
    for pair in side.things.pairs() {
        if let Some(object) = pair.object().and_then(|object| first.get_mut(object as usize))
            && *object == u32::MAX
        {
            *object = pair.agent;
        }
    }
    first
}

fn objects<'s>(side: &'s Side, totals: &Totals, owner: &[u32]) -> Vec<Thing<'s>> {
    let thing = |(place, entry): (usize, &'s ObjectEntry)| Thing {
        number: u32::try_from(place).unwrap_or(u32::MAX),
        class: (unwedge_trace::row::object_kind_code(entry.kind), owner[place]),
        name: &entry.label,
        id: object_id(entry),
        deeds: totals.objects[place],
    };
    side.things.objects.iter().enumerate().map(thing).collect()
}

/// What of an object can be the same in every run. Two handles that a machine gave out agree by chance alone, and then so
/// do the objects, or they do not agree.
fn object_id(entry: &ObjectEntry) -> Option<Id<'_>> {
    match (&entry.key, entry.kind) {
        _ if entry.handle != 0 => Some(Id::Number(entry.handle)),
        (_, ObjectKind::Queue | ObjectKind::Device) => None,
        (Key::Text(key), _) => Some(Id::Text(key)),
        (Key::Number(_), _) => None,
    }
}

/// Pairs things in rounds; what one round has paired the next leaves alone. `given` are places in both lists.
fn pair(a: Vec<Thing<'_>>, b: Vec<Thing<'_>>, given: Vec<(usize, usize)>) -> Vec<Match> {
    let mut pairing = Pairing { a, b, out: Vec::new() };
    pairing.take(How::Given, &given);
    pairing.alone(How::Id, |thing| thing.id.map(|id| (thing.class, id)), compatible);
    pairing.alone(
        How::Name,
        |thing| (!thing.name.is_empty()).then_some((thing.class.0, thing.name)),
        |_, _| true,
    );
    // An address may be another thing's in another run; what a thing did, if it alone did that, says more.
    let deeds = |thing: &Thing<'_>| Some((thing.class.0, thing.deeds));
    pairing.alone(How::Deeds, deeds, compatible);
    pairing.alone(How::Id, |thing| thing.id.map(|id| (thing.class.0, id)), compatible);
    pairing.in_order(How::Deeds, |thing| Some((thing.class.0, thing.name, thing.deeds)));
    pairing.in_order(How::Order, |thing| Some((thing.class, thing.name)));
    pairing.in_order(How::Order, |thing| Some((thing.class.0, thing.name)));
    pairing.out.sort_by_key(|found| found.a);
    pairing.out
}

/// Two names that may be one thing's: a thing that one side does not name is named as it pleases on the other.
fn compatible(a: &Thing<'_>, b: &Thing<'_>) -> bool {
    a.name == b.name || a.name.is_empty() || b.name.is_empty()
}

struct Pairing<'s> {
    a: Vec<Thing<'s>>,
    b: Vec<Thing<'s>>,
    out: Vec<Match>,
}

impl<'s> Pairing<'s> {
    /// Pairs things whose key no other of their side has.
    fn alone<K: Eq + Hash>(
        &mut self,
        how: How,
        key: impl Fn(&Thing<'s>) -> Option<K>,
        same: impl Fn(&Thing<'s>, &Thing<'s>) -> bool,
    ) {
        let (mut a, mut b) = (groups(&self.a, &key), groups(&self.b, &key));
        a.retain(|_, places| places.len() == 1);
        b.retain(|_, places| places.len() == 1);
        let both = a.iter().filter_map(|(key, places)| Some((places[0], b.get(key)?[0])));
        let both = both.filter(|(x, y)| same(&self.a[*x], &self.b[*y]));
        let pairs: Vec<_> = both.collect();
        self.take(how, &pairs);
    }

    /// Pairs the n-th with the n-th of those that share a key.
    fn in_order<K: Eq + Hash>(&mut self, how: How, key: impl Fn(&Thing<'s>) -> Option<K>) {
        let (a, b) = (groups(&self.a, &key), groups(&self.b, &key));
        let both = a.iter().filter_map(|(key, places)| Some((places, b.get(key)?)));
        let pairs: Vec<_> =
            both.flat_map(|(x, y)| x.iter().copied().zip(y.iter().copied())).collect();
        self.take(how, &pairs);
    }

    fn take(&mut self, how: How, pairs: &[(usize, usize)]) {
        let (mut from_a, mut from_b) = (HashSet::new(), HashSet::new());
        for (a, b) in pairs {
            if !from_a.contains(a) && !from_b.contains(b) {
                self.out.push(Match { a: self.a[*a].number, b: self.b[*b].number, how });
                from_a.insert(*a);
                from_b.insert(*b);
            }
        }
        retain(&mut self.a, &from_a);
        retain(&mut self.b, &from_b);
    }
}

fn retain(things: &mut Vec<Thing<'_>>, taken: &HashSet<usize>) {
    let mut place = 0;
    things.retain(|_| {
        place += 1;
        !taken.contains(&(place - 1))
    });
}

fn groups<'s, K: Eq + Hash>(
    things: &[Thing<'s>],
    key: impl Fn(&Thing<'s>) -> Option<K>,
) -> HashMap<K, Vec<usize>> {
    let mut groups: HashMap<K, Vec<usize>> = HashMap::new();
    for (place, thing) in things.iter().enumerate() {
        if let Some(key) = key(thing) {
            groups.entry(key).or_default().push(place);
        }
    }
    groups
}
