//! How is a line of JSON that looks like one seen before read without parsing it?
//!
//! Most lines of a trace differ from earlier ones in a few numbers and names. What stays is compared as it
//! stands, what varies is taken out by its place: a [`Trie`] holds all known lines, and an [`Echoes`] the very
//! lines that come again and again with new times. A line that neither knows goes to the format's own parser, and
//! may then be learned.
//!
//! Invariant: what is read does not depend on what was learned. So only what is plain is taken here: whole or decimal
//! numbers, and strings of printable ASCII without escapes. A line is learned only after the parser accepted it.

mod echo;
mod scan;
mod tables;
mod token;
mod trie;

pub(crate) use echo::Echoes;
pub(crate) use tables::{KeyRef, Sure, Tables};
pub(crate) use token::{Class, Found, INDEX, STEP, tokens};
pub(crate) use trie::{Match, Span, Trie, Walk};

/// Most values that vary in one line; a line with more is always parsed.
pub(crate) const SPANS_MAX: usize = 32;
/// The slot of a value that nobody wants.
pub(crate) const SKIP: u8 = u8::MAX;

/// The place in `names` of the one that `key` most likely belongs to, in a table of `size` (a power of two) places.
pub(crate) fn slot_of(key: u64, size: usize) -> usize {
    // Fibonacci hashing: the golden ratio's bits spread neighbouring numbers.
    let spread = (key ^ key >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    usize::try_from(spread).unwrap_or(0) & (size - 1)
}
