//! Is this line the one that followed last time, with another time?
//!
//! A loop writes the same few lines again and again. An echo is such a line: all its bytes except the numbers that
//! change and mean nothing but the time, and the rows that it became. Each remembers which one came after it.

use unwedge_trace::row::Row;

use super::scan::{begins, number, number_len, plain_text};
use super::trie::{Match, Span};
use super::{SKIP, slot_of};

/// Echoes at most, and rows of one.
const ECHOES_MAX: usize = 512;
const ROWS_MAX: usize = 4;
/// Bytes of one.
const BYTES_MAX: usize = 4096;
/// Places to find an echo by its rows.
const PLACES: usize = 1024;
/// Trust at most; a hit adds two, a miss takes one, and at zero no guess is made for [`REST`] lines.
const TRUST_MAX: u32 = 64;
const REST: u32 = 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// A number that means nothing.
    Number,
    /// The number that is the time.
    Time,
    /// A text that means nothing.
    Text,
}

#[derive(Debug)]
struct Echo {
    /// All that stays the same.
    bytes: Vec<u8>,
    /// How many of the bytes come before a part that varies, and that part.
    parts: Vec<(usize, Part)>,
    leaf: u32,
    /// What it became in the block that `epoch` numbers.
    rows: Vec<Row>,
    epoch: u64,
    /// Which one came next.
    next: usize,
}

/// A guess that was right.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hit {
    /// The time's number.
    pub(crate) time: u64,
    /// Where the line ends.
    pub(crate) end: usize,
}

/// Lines that come again and again.
#[derive(Debug)]
pub(crate) struct Echoes {
    list: Vec<Echo>,
    /// Places in the list by the rows' hash, and hashes that were met once.
    places: Vec<(u64, usize)>,
    epoch: u64,
    /// The line before.
    last: usize,
    trust: u32,
    rest: u32,
}

impl Default for Echoes {
    fn default() -> Self {
        Self {
            list: Vec::new(),
            places: vec![(0, usize::MAX); PLACES],
            epoch: 0,
            last: 0,
            trust: TRUST_MAX,
            rest: 0,
        }
    }
}

impl Echoes {
    /// A new block: what lines became in the last one has other places now.
    pub(crate) fn new_block(&mut self) {
        self.epoch += 1;
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.list.clear();
    }

    /// The guess for the line at `at`: its rows (times aside), if it is the one that followed last time.
    #[inline]
    pub(crate) fn guess(&mut self, block: &[u8], at: usize) -> Option<(Hit, &[Row])> {
        if self.trust == 0 {
            self.rest += 1;
            if self.rest < REST {
                return None;
            }
            (self.trust, self.rest) = (TRUST_MAX, 0);
        }
        let next = self.list.get(self.last)?.next;
        let echo = self.list.get(next)?;
        if echo.epoch != self.epoch {
            return None;
        }
        let Some(hit) = echo.find(block, at) else {
            self.trust -= 1;
            return None;
        };
        self.trust = (self.trust + 2).min(TRUST_MAX);
        self.last = next;
        Some((hit, &echo.rows))
    }

    /// Whether lines are worth noting now.
    #[inline]
    pub(crate) fn listens(&self) -> bool {
        self.trust > 0
    }

    /// Notes what a known line became. `time` is the slot of the time; every row has the line's time, and the line
    /// did nothing else.
    pub(crate) fn note(
        &mut self,
        block: &[u8],
        start: usize,
        (matched, spans, time): (Match, &[Span], u8),
        rows: &[Row],
    ) {
        if rows.len() > ROWS_MAX || matched.end - start > BYTES_MAX {
            return;
        }
        let hash = hash(matched.leaf, rows);
        let (seen, place) = self.places[slot_of(hash, PLACES)];
        let known = self.list.get(place).is_some_and(|echo| {
            echo.epoch == self.epoch && echo.leaf == matched.leaf && same(&echo.rows, rows)
        });
        if seen == hash && known {
            self.follow(place);
        } else if let Some(old) = self.of_an_older_block(block, start, matched.leaf) {
            let echo = &mut self.list[old];
            (echo.epoch, echo.rows) = (self.epoch, rows.to_vec());
            self.places[slot_of(hash, PLACES)] = (hash, old);
            self.follow(old);
        } else if seen == hash {
            let Some(echo) = Echo::new(block, start, (matched, spans, time), rows, self.epoch)
            else {
                return;
            };
            if self.list.len() >= ECHOES_MAX {
                self.clear();
            }
            let new = self.list.len();
            self.list.push(echo);
            self.places[slot_of(hash, PLACES)] = (hash, new);
            self.follow(new);
        } else {
            self.places[slot_of(hash, PLACES)] = (hash, usize::MAX);
        }
    }

    /// The guess, if it is this line and was last used in another block.
    fn of_an_older_block(&self, block: &[u8], start: usize, leaf: u32) -> Option<usize> {
        let next = self.list.get(self.last)?.next;
        let echo = self.list.get(next)?;
        let stale = echo.epoch != self.epoch && echo.leaf == leaf;
        (stale && echo.find(block, start).is_some()).then_some(next)
    }

    fn follow(&mut self, place: usize) {
        if let Some(last) = self.list.get_mut(self.last) {
            last.next = place;
        }
        self.last = place;
    }
}

impl Echo {
    fn new(
        block: &[u8],
        start: usize,
        (matched, spans, time): (Match, &[Span], u8),
        rows: &[Row],
        epoch: u64,
    ) -> Option<Self> {
        let (mut bytes, mut parts, mut at, mut before) = (Vec::new(), Vec::new(), start, 0);
        for span in spans {
            let part = match (span.slot, span.is_text) {
                (SKIP, true) => Part::Text,
                (SKIP, false) => Part::Number,
                (slot, false) if slot == time => Part::Time,
                _ => continue,
            };
            bytes.extend_from_slice(block.get(at..span.start as usize)?);
            parts.push((bytes.len() - before, part));
            before = bytes.len();
            at = span.end as usize;
        }
        bytes.extend_from_slice(block.get(at..matched.end)?);
        let timed = parts.iter().filter(|(_, part)| *part == Part::Time).count() == 1;
        let rows = rows.to_vec();
        timed.then_some(Self { bytes, parts, leaf: matched.leaf, rows, epoch, next: 0 })
    }

    #[inline]
    fn find(&self, block: &[u8], mut at: usize) -> Option<Hit> {
        let mut bytes = self.bytes.as_slice();
        let mut time = 0;
        for (count, part) in &self.parts {
            let (before, rest) = bytes.split_at_checked(*count)?;
            let line = block.get(at..)?;
            if !begins(line, before) {
                return None;
            }
            bytes = rest;
            let varying = &line[before.len()..];
            at += before.len();
            at += match part {
                Part::Number => number_len(varying)?,
                Part::Time => {
                    let found = number(varying)?;
                    time = found.whole?;
                    found.len
                }
                Part::Text => plain_text(varying)?,
            };
        }
        if !begins(block.get(at..)?, bytes) {
            return None;
        }
        let end = at + bytes.len();
        let ended = block.get(end).is_none_or(|byte| *byte == b'\n');
        ended.then_some(Hit { time, end })
    }
}

fn same(a: &[Row], b: &[Row]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| Row { at: b.at, ..*a } == *b)
}

fn hash(leaf: u32, rows: &[Row]) -> u64 {
    let mut hash = u64::from(leaf);
    let mut mix =
        |word: u64| hash = (hash.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for row in rows {
        mix(u64::from(row.agent) << 32 | u64::from(row.object));
        mix(u64::from(row.name) << 32 | u64::from(row.object2));
        mix(row.value ^ row.amount.rotate_left(32));
        mix(u64::from(row.op as u8) << 8 | u64::from(row.code));
    }
    hash ^ hash >> 29
}
