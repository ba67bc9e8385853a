//! Is this state known already? A sixteenth of the index of states: an open-addressing table of their numbers.
//!
//! A batch of states is looked up at once, each shard by one thread, in the order in which one thread alone would meet
//! them. What is new gets its number afterwards, in that order over all shards: so numbers do not depend on threads.

use std::collections::VecDeque;
use std::hash::Hash;
use std::sync::atomic::{AtomicU32, Ordering};

use super::arena::Arena;
use super::hasher::hash_of;

/// Shards of the index. Fixed: neither the numbers of states nor the bytes used may depend on threads.
pub(super) const SHARDS: usize = 16;
const SHARD_BITS: u32 = 4;

/// Set in what stands for a state that has no number yet; then come its shard and its place among the new ones there.
const FRESH: u32 = 1 << 31;
const PLACE_BITS: u32 = 31 - SHARD_BITS;
/// Numbers of states are below this, which also keeps each plus one apart from [`FRESH`].
pub(super) const STATES_MAX: u32 = FRESH - 1;

/// States looked up together: their misses of the processor's caches overlap.
const TOGETHER: usize = 16;
const UNKNOWN: u32 = u32::MAX;

/// States that a chunk leads to and that belong to one shard, in order.
pub(super) struct Inbox<S> {
    tags: Vec<u32>,
    /// Where among all that its chunk leads to.
    positions: Vec<u32>,
    states: Vec<S>,
}

impl<S> Inbox<S> {
    pub(super) fn new() -> Self {
        Self { tags: Vec::new(), positions: Vec::new(), states: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.tags.len()
    }

    pub(super) fn clear(&mut self) {
        self.tags.clear();
        self.positions.clear();
        self.states.clear();
    }
}

/// Puts a state where its shard finds it.
pub(super) fn post<S: Hash>(inboxes: &mut [Inbox<S>], position: u32, state: S) {
    let hash = hash_of(&state);
    let inbox = &mut inboxes[(hash >> (64 - SHARD_BITS)) as usize];
    inbox.tags.push(hash as u32);
    inbox.positions.push(position);
    inbox.states.push(state);
}

/// A part of the index, and what it does with the batch in hand.
pub(super) struct Shard<S> {
    own: u32,
    /// 0, or 32 bits of the hash above the state's number plus one. A power of two of them.
    table: Vec<u64>,
    used: usize,
    /// What the batch leads to, chunk by chunk.
    pub(super) inboxes: Vec<Inbox<S>>,
    fresh: VecDeque<S>,
    fresh_tags: Vec<u32>,
    /// The numbers that the new states got, as far as they have one.
    numbers: Vec<u32>,
}

/// The shards of an empty index.
pub(super) fn shards<S: Eq>() -> Vec<Shard<S>> {
    let shard = |own| Shard {
        own,
        table: vec![0; TABLE_LEN_MIN],
        used: 0,
        inboxes: Vec::new(),
        fresh: VecDeque::new(),
        fresh_tags: Vec::new(),
        numbers: Vec::new(),
    };
    (0..SHARDS as u32).map(shard).collect()
}

const TABLE_LEN_MIN: usize = 16;

/// Whether a table of this length is too full with so many in it.
fn is_full(used: usize, len: usize) -> bool {
    used > len / 4 * 3
}

fn entry(tag: u32, value: u32) -> u64 {
    u64::from(tag) << 32 | u64::from(value + 1)
}

fn tag_of(entry: u64) -> u32 {
    (entry >> 32) as u32
}

/// What the entry stands for; meaningless for an empty one.
fn value_of(entry: u64) -> u32 {
    (entry as u32).wrapping_sub(1)
}

impl<S: Eq> Shard<S> {
    /// Looks up all that is in the inboxes; says, at its place in its chunk's `found`, what each
    /// state is: a [`Found`].
    pub(super) fn look_up(&mut self, known: &Arena<S>, found: &[&[AtomicU32]]) {
        self.settle();
        let mut inboxes = std::mem::take(&mut self.inboxes);
        for (inbox, found) in inboxes.iter_mut().zip(found) {
            self.look_up_chunk(inbox, known, found);
        }
        self.inboxes = inboxes;
    }

    fn look_up_chunk(&mut self, inbox: &mut Inbox<S>, known: &Arena<S>, found: &[AtomicU32]) {
        let mut states = inbox.states.drain(..);
        for (tags, positions) in inbox.tags.chunks(TOGETHER).zip(inbox.positions.chunks(TOGETHER)) {
            let values = self.guess(tags, states.as_slice(), known);
            for ((tag, position), value) in tags.iter().zip(positions).zip(values) {
                let Some(state) = states.next() else { break };
                let value = match value {
                    UNKNOWN => self.find_or_add(*tag, state, known),
                    number => number,
                };
                found[*position as usize].store(value, Ordering::Relaxed);
            }
        }
        drop(states);
        inbox.clear();
    }

    /// The numbers of those states that are found at the first look. First all entries are loaded, then all states.
    fn guess(&self, tags: &[u32], states: &[S], known: &Arena<S>) -> [u32; TOGETHER] {
        let mask = self.table.len() - 1;
        let mut entries = [0u64; TOGETHER];
        for (entry, tag) in entries.iter_mut().zip(tags) {
            *entry = self.table[*tag as usize & mask];
        }
        let mut values = [UNKNOWN; TOGETHER];
        for (((value, entry), tag), state) in values.iter_mut().zip(entries).zip(tags).zip(states) {
            let number = value_of(entry);
            if tag_of(entry) == *tag && number < FRESH && known.get(number) == state {
                *value = number;
            }
        }
        values
    }

    fn find_or_add(&mut self, tag: u32, state: S, known: &Arena<S>) -> u32 {
        let mask = self.table.len() - 1;
        let mut slot = tag as usize & mask;
        loop {
            let there = self.table[slot];
            if there == 0 {
                return self.add(slot, tag, state);
            }
            let value = value_of(there);
            if tag_of(there) == tag {
                let other = if value < FRESH {
                    known.get(value)
                } else {
                    &self.fresh[(value & ((1 << PLACE_BITS) - 1)) as usize]
                };
                if *other == state {
                    return value;
                }
            }
            slot = (slot + 1) & mask;
        }
    }

    fn add(&mut self, slot: usize, tag: u32, state: S) -> u32 {
        let place = self.fresh.len() as u32;
        assert!(place < (1 << PLACE_BITS) - 1, "a state leads to more states than can be counted");
        let value = FRESH | self.own << PLACE_BITS | place;
        self.fresh.push_back(state);
        self.fresh_tags.push(tag);
        self.table[slot] = entry(tag, value);
        self.used += 1;
        if is_full(self.used, self.table.len()) {
            self.grow();
        }
        value
    }

    fn grow(&mut self) {
        let len = self.table.len() * 2;
        let old = std::mem::replace(&mut self.table, vec![0; len]);
        for entry in old.into_iter().filter(|entry| *entry != 0) {
            let mut slot = tag_of(entry) as usize & (len - 1);
            while self.table[slot] != 0 {
                slot = (slot + 1) & (len - 1);
            }
            self.table[slot] = entry;
        }
    }

    /// Writes the numbers that the last batch's new states got into the table.
    fn settle(&mut self) {
        let mask = self.table.len() - 1;
        for ((place, tag), number) in (0..).zip(&self.fresh_tags).zip(&self.numbers) {
            let pending = entry(*tag, FRESH | self.own << PLACE_BITS | place);
            let mut slot = *tag as usize & mask;
            while self.table[slot] != pending {
                slot = (slot + 1) & mask;
            }
            self.table[slot] = entry(*tag, *number);
        }
        self.fresh.clear();
        self.fresh_tags.clear();
        self.numbers.clear();
    }

    /// Bytes of the table.
    pub(super) fn bytes(&self) -> u64 {
        8 * self.table.len() as u64
    }

    /// Bytes of the table after the inboxes, if all that is in them is new.
    pub(super) fn bytes_at_most(&self) -> u64 {
        let used = self.used + self.inboxes.iter().map(Inbox::len).sum::<usize>();
        let mut len = self.table.len();
        while is_full(used, len) {
            len *= 2;
        }
        8 * len as u64
    }
}

/// What a lookup said of a state: its number, or that it had none yet.
#[derive(Clone, Copy)]
pub(super) struct Found(pub(super) u32);

impl Found {
    /// The number, if the state was known before this batch.
    pub(super) fn number(self) -> Option<u32> {
        (self.0 < FRESH).then_some(self.0)
    }

    fn shard(self) -> usize {
        (self.0 >> PLACE_BITS) as usize & (SHARDS - 1)
    }

    fn place(self) -> usize {
        self.0 as usize & ((1 << PLACE_BITS) - 1)
    }

    /// The number, when all of the batch have one.
    pub(super) fn settled<S>(self, shards: &[Shard<S>]) -> u32 {
        self.number().unwrap_or_else(|| shards[self.shard()].numbers[self.place()])
    }

    /// Whether nobody has met the state before; to be asked of all in order, each new one being taken at once.
    pub(super) fn is_new<S>(self, shards: &[Shard<S>]) -> bool {
        self.number().is_none() && self.place() == shards[self.shard()].numbers.len()
    }

    /// Takes a new state out of its shard, under its number.
    pub(super) fn take<S>(self, shards: &mut [Shard<S>], number: u32) -> Option<S> {
        let shard = &mut shards[self.shard()];
        shard.numbers.push(number);
        shard.fresh.pop_front()
    }
}
