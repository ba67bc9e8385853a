//! Is it the same run? A running hash of the whole, of each agent and of each object.
//!
//! Left out of a row: process and thread ids, handles, and the numbers of agents and objects, which are renamed by their
//! first use: in the whole for the whole, in an agent's own rows for the agent, in an object's own rows for the object.
//! So two agents that merely took turns differently have the hashes that they had. Times have a hash of their own.

use unwedge_trace::row::{NONE, Op, Row, agent_kind_code, object_kind_code};

use super::hash::{self, SEEDS, mix};
use super::things::Things;

/// Rows between two marks of a trail at first, a power of two; doubled whenever there are [`MARKS_MAX`].
const STRIDE_FIRST: u64 = 64;
const MARKS_MAX: usize = 4096;

/// A running hash that remembers what it was at times, so that the first difference of two can be narrowed down.
#[derive(Clone, Debug)]
pub(super) struct Trail {
    hash: u64,
    rows: u64,
    stride: u64,
    marks: Vec<Mark>,
    /// Rows that are further parts of an event.
    parts: u64,
}

#[derive(Clone, Copy, Debug)]
struct Mark {
    hash: u64,
    /// The row of the side at which it was made.
    row: u64,
}

/// Rows of a stream, the first and the one behind the last, among which two sides differ first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) from: u64,
    pub(super) to: u64,
    /// The side's row at which the window begins, as far as is known: to put windows in order.
    pub(super) row: u64,
    /// The side's row at which it ends, if that was marked.
    pub(super) until: Option<u64>,
}

impl Default for Trail {
    fn default() -> Self {
        Self { hash: SEEDS[0], rows: 0, stride: STRIDE_FIRST, marks: Vec::new(), parts: 0 }
    }
}

impl Trail {
    /// `row` is the side's number of the row that is mixed in.
    pub(super) fn push(&mut self, word: u64, row: u64) {
        self.hash = mix(self.hash ^ word, SEEDS[1]);
        self.rows += 1;
        // The stride is a power of two: a division for each row would cost more than the rest.
        if self.rows & (self.stride - 1) == 0 {
            self.mark(row);
        }
    }

    fn mark(&mut self, row: u64) {
        self.marks.push(Mark { hash: self.hash, row });
        if self.marks.len() >= MARKS_MAX {
            // Every second one stays: the mark at twice the stride is the second.
            self.marks = self.marks.iter().skip(1).step_by(2).copied().collect();
            self.stride *= 2;
        }
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    pub(super) fn events(&self) -> u64 {
        self.rows - self.parts
    }

    /// Where two trails part; none if they do not.
    pub(super) fn parts_from(&self, other: &Self) -> Option<Window> {
        if self.hash == other.hash && self.rows == other.rows {
            return None;
        }
        let stride = self.stride.max(other.stride);
        let mut marks = self.every(stride);
        let (mut from, mut row) = (0, 0);
        for theirs in other.every(stride) {
            let Some(ours) = marks.next() else { break };
            if ours.hash != theirs.hash {
                return Some(Window { from, to: from + stride, row, until: Some(ours.row) });
            }
            from += stride;
            row = ours.row;
        }
        Some(Window { from, to: from + stride, row, until: marks.next().map(|ours| ours.row) })
    }

    fn every(&self, stride: u64) -> impl Iterator<Item = &Mark> {
        // Strides are doubled from the same first one, so this divides; and a trail has fewer marks than fit a usize.
        let step = usize::try_from(stride / self.stride).unwrap_or(usize::MAX).max(1);
        self.marks.iter().skip(step - 1).step_by(step)
    }
}

/// What a row says, apart from when, and whom and what it names.
pub(super) fn content(row: &Row, name: u64) -> u64 {
    let head = u64::from(row.op as u8) | u64::from(row.code) << 8;
    let hash = mix(name ^ head ^ SEEDS[0], row.value ^ SEEDS[1]);
    mix(hash ^ row.amount.rotate_left(32), row.value2 ^ SEEDS[2])
}

/// Whom and what a row names, by the numbers that the side gives them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named {
    pub(super) agent: u32,
    pub(super) object: u32,
    pub(super) object2: u32,
    pub(super) agent2: u32,
    /// The pairs of the agent with each of these; the first is there for a row without an object, too.
    pub(super) pair: u32,
    pub(super) pair2: u32,
    pub(super) pair_agent2: u32,
}

/// A row's word in the whole, in its agent's own rows and in its object's own rows. What a row says is mixed well already:
/// names need only be spread over its bits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words {
    pub(super) in_all: u64,
    pub(super) in_agent: u64,
    pub(super) in_object: u64,
}

impl Words {
    pub(super) fn new(content: u64, named: &Named, things: &Things) -> Self {
        let pair = things.names(named.pair);
        let mut words = Self {
            in_all: content.wrapping_add(pair.in_all.wrapping_mul(SEEDS[3])),
            in_agent: content.wrapping_add(u64::from(pair.in_agent).wrapping_mul(SEEDS[3])),
            in_object: content.wrapping_add(u64::from(pair.in_object).wrapping_mul(SEEDS[3])),
        };
        for (seed, pair) in [(SEEDS[1], named.pair2), (SEEDS[2], named.pair_agent2)] {
            if pair != NONE {
                let pair = things.names(pair);
                words.in_all = mix(words.in_all ^ seed, pair.in_all ^ SEEDS[0]);
                words.in_agent = mix(words.in_agent ^ seed, u64::from(pair.in_agent) ^ SEEDS[0]);
            }
        }
        words
    }
}

/// The hashes of one side.
#[derive(Debug, Default)]
pub(super) struct Fingerprint {
    pub(super) all: Trail,
    /// A second hash of the whole, from another seed: together they are 128 bits.
    second: u64,
    /// Of the times alone.
    pub(super) times: Trail,
    pub(super) agents: Vec<Trail>,
    pub(super) objects: Vec<Trail>,
    /// Events that the recording lost.
    pub(super) lost: u64,
    /// The first and the last moment. Nanoseconds.
    pub(super) begin: u64,
    pub(super) end: u64,
    /// What the hash of the whole was after every so many rows.
    checks: Vec<u64>,
}

/// Rows between two looks at whether two sides are still the same.
const CHECK_ROWS: u64 = 1 << 16;

impl Fingerprint {
    pub(super) fn grow(&mut self, things: &Things) {
        self.agents.resize_with(things.agents.len(), Trail::default);
        self.objects.resize_with(things.objects.len(), Trail::default);
    }

    pub(super) fn row(&mut self, row: &Row, named: &Named, content: u64, things: &Things) {
        let number = self.all.rows();
        if number == 0 {
            self.begin = row.at;
        }
        (self.begin, self.end) = (self.begin.min(row.at), self.end.max(row.at));
        let part = u64::from(matches!(row.op, Op::MorePoint | Op::MoreObject));
        let words = Words::new(content, named, things);
        self.all.push(words.in_all, number);
        self.all.parts += part;
        self.second = mix(self.second ^ words.in_all ^ SEEDS[2], SEEDS[0]);
        self.times.push(row.at, number);
        if let Some(agent) = self.agents.get_mut(named.agent as usize) {
            agent.push(words.in_agent, number);
            agent.parts += part;
        }
        if let Some(object) = self.objects.get_mut(named.object as usize) {
            object.push(words.in_object, number);
        }
        if row.op == Op::Lost {
            self.lost = self.lost.saturating_add(row.amount);
        }
        if self.all.rows() & (CHECK_ROWS - 1) == 0 {
            self.checks.push(self.all.hash);
        }
    }

    /// What the hash of the whole was after every so many rows: where two sides have another number, they differ.
    pub(super) fn checks(&self) -> &[u64] {
        &self.checks
    }

    /// The hashes at the end, with what agents and objects are.
    pub(super) fn totals(&self, things: &Things) -> Totals {
        let is_agent: Vec<u64> = things
            .agents
            .iter()
            .map(|entry| match entry.introduced {
                true => {
                    let kind = u64::from(agent_kind_code(entry.kind)) + 1;
                    mix(hash::text(&entry.name) ^ kind, SEEDS[3])
                }
                false => 0,
            })
            .collect();
        let is_object: Vec<u64> = things
            .objects
            .iter()
            .map(|entry| match entry.introduced {
                true => {
                    let kind = u64::from(object_kind_code(entry.kind)) + 1;
                    let kind = kind | u64::from(entry.shared) << 8;
                    mix(hash::text(&entry.label) ^ kind, SEEDS[2])
                }
                false => 0,
            })
            .collect();
        let with = |hash: u64, what: u64| mix(hash ^ what, SEEDS[1]);
        let of = |trails: &[Trail], what: &[u64]| -> Vec<u64> {
            let both = trails.iter().zip(what);
            both.map(|(trail, what)| with(with(trail.hash, trail.rows), *what)).collect()
        };
        let mut agents = of(&self.agents, &is_agent);
        let objects = of(&self.objects, &is_object);
        // What an agent used is part of what it did.
        for pair in things.pairs() {
            let what = pair.object().and_then(|object| is_object.get(object as usize));
            if let (Some(agent), Some(what)) = (agents.get_mut(pair.agent as usize), what) {
                *agent = with(*agent, *what);
            }
        }
        // A sum, since the tables of two sides may be in another order; the numbers of the first use are not.
        let numbered =
            |(what, number): (&u64, &u32)| mix(*what ^ SEEDS[0], u64::from(*number) ^ SEEDS[1]);
        let of_agents = is_agent.iter().zip(&things.first_agents).map(numbered);
        let of_objects = is_object.iter().zip(&things.first_objects).map(numbered);
        let is = of_agents.chain(of_objects).fold(0, u64::wrapping_add);
        let upper = with(with(self.all.hash, self.all.rows), is);
        let lower = mix(self.second ^ is, SEEDS[0]);
        let hash = u128::from(upper) << 64 | u128::from(lower);
        let times = with(self.times.hash, self.times.rows);
        Totals { hash, times, events: self.all.events(), agents, objects }
    }
}

/// The hashes of one side at its end.
#[derive(Clone, Debug)]
pub(super) struct Totals {
    pub(super) hash: u128,
    pub(super) times: u64,
    pub(super) events: u64,
    pub(super) agents: Vec<u64>,
    pub(super) objects: Vec<u64>,
}
