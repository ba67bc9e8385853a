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

/// A state that a chunk leads to.
pub(super) struct Posted<S> {
    /// The low half of its hash.
    tag: u32,
    /// Where among all that its chunk leads to.
    position: u32,
    state: S,
}

/// What a chunk leads to and belongs to one shard, in order.
pub(super) type Inbox<S> = Vec<Posted<S>>;

/// Puts a state where its shard finds it.
pub(super) fn post<S: Hash>(inboxes: &mut [Inbox<S>], position: u32, state: S) {
    let hash = hash_of(&state);
    let posted = Posted { tag: hash as u32, position, state };
    inboxes[(hash >> (64 - SHARD_BITS)) as usize].push(posted);
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
    /// Where in the table each new state is.
    fresh_slots: Vec<u32>,
    /// The numbers that the new states got, as far as they have one.
    numbers: Vec<u32>,
}

/// The shards of an empty index.
pub(super) fn shards<S: Eq>() -> Vec<Shard<S>> {
    let shard = |own| Shard {
        own,
        table: empty_table(TABLE_LEN_MIN),
        used: 0,
        inboxes: Vec::new(),
        fresh: VecDeque::new(),
        fresh_slots: Vec::new(),
        numbers: Vec::new(),
    };
    (0..SHARDS as u32).map(shard).collect()
}

const TABLE_LEN_MIN: usize = 16;
/// Entries in a page of memory.
const PAGE_LEN: usize = 512;

/// An empty table whose memory is there. A page that is read before it is written to is mapped twice, and the second time stops
/// every thread of the process for it.
fn empty_table(len: usize) -> Vec<u64> {
    let mut table = vec![0; len];
    table.iter_mut().step_by(PAGE_LEN).for_each(|entry| *entry = std::hint::black_box(0));
    table
}

/// Whether a table of this length is too full with so many in it.
#[inline]
fn is_full(used: usize, len: usize) -> bool {
    used > len / 4 * 3
}

#[inline]
fn entry(tag: u32, value: u32) -> u64 {
    u64::from(tag) << 32 | u64::from(value + 1)
}

#[inline]
fn tag_of(entry: u64) -> u32 {
    (entry >> 32) as u32
}

/// What the entry stands for; meaningless for an empty one.
#[inline]
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
        let mut posted = inbox.drain(..);
        while !posted.as_slice().is_empty() {
            for value in self.guess(posted.as_slice(), known) {
                let Some(Posted { tag, position, state }) = posted.next() else { break };
                let value = match value {
                    UNKNOWN => self.find_or_add(tag, state, known),
                    number => number,
                };
                found[position as usize].store(value, Ordering::Relaxed);
            }
        }
    }

    /// The numbers of those of the next states that are found at the first look. First all entries are loaded, then all states.
    fn guess(&self, posted: &[Posted<S>], known: &Arena<S>) -> [u32; TOGETHER] {
        let mask = self.table.len() - 1;
        let mut entries = [0u64; TOGETHER];
        for (entry, posted) in entries.iter_mut().zip(posted) {
            *entry = self.table[posted.tag as usize & mask];
        }
        let mut values = [UNKNOWN; TOGETHER];
        for ((value, entry), posted) in values.iter_mut().zip(entries).zip(posted) {
            let number = value_of(entry);
            if tag_of(entry) == posted.tag && number < FRESH && *known.get(number) == posted.state {
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
                    &self.fresh[Found(value).place()]
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
        self.fresh_slots.push(slot as u32);
        self.table[slot] = entry(tag, value);
        self.used += 1;
        if is_full(self.used, self.table.len()) {
            self.grow();
        }
        value
    }

    fn grow(&mut self) {
        let len = self.table.len() * 2;
        let old = std::mem::replace(&mut self.table, empty_table(len));
        for entry in old.into_iter().filter(|entry| *entry != 0) {
            let mut slot = tag_of(entry) as usize & (len - 1);
            while self.table[slot] != 0 {
                slot = (slot + 1) & (len - 1);
            }
            self.table[slot] = entry;
            let value = Found(value_of(entry));
            if value.number().is_none() {
                self.fresh_slots[value.place()] = slot as u32;
            }
        }
    }

    /// Writes the numbers that the last batch's new states got into the table.
    fn settle(&mut self) {
        for (slot, number) in self.fresh_slots.iter().zip(&self.numbers) {
            let there = &mut self.table[*slot as usize];
            *there = entry(tag_of(*there), *number);
        }
        self.fresh.clear();
        self.fresh_slots.clear();
        self.numbers.clear();
    }

    /// Bytes of the table.
    pub(super) fn bytes(&self) -> u64 {
        8 * self.table.len() as u64
    }

    /// Bytes of the table after the inboxes, if all that is in them is new.
    pub(super) fn bytes_at_most(&self) -> u64 {
        let used = self.used + self.inboxes.iter().map(Vec::len).sum::<usize>();
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
    #[inline]
    pub(super) fn number(self) -> Option<u32> {
        (self.0 < FRESH).then_some(self.0)
    }

    #[inline]
    fn shard(self) -> usize {
        (self.0 >> PLACE_BITS) as usize & (SHARDS - 1)
    }

    #[inline]
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
