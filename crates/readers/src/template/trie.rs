//! Which known sort of line is this, and what are its values?

use super::scan::{begins, number, number_len, plain_text};
use super::token::Item;
use super::{SKIP, SPANS_MAX};

/// Nodes and bytes of literals at most; a trie that is full is emptied.
const NODES_MAX: usize = 1 << 14;
const BYTES_MAX: usize = 1 << 20;

/// A value that was found in a line.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    /// Whose it is, or [`SKIP`].
    pub(crate) slot: u8,
    /// A text, not a number.
    pub(crate) is_text: bool,
    /// A whole number that is not negative; then `number` is it.
    pub(crate) is_whole: bool,
    /// Its first byte, counted from the block's beginning.
    pub(crate) start: u32,
    /// The byte after its last.
    pub(crate) end: u32,
    /// See `is_whole`.
    pub(crate) number: u64,
}

/// The values of a line, in its order.
#[derive(Clone, Debug)]
pub(crate) struct Walk {
    spans: [Span; SPANS_MAX],
    count: usize,
}

impl Default for Walk {
    fn default() -> Self {
        Self { spans: [Span::default(); SPANS_MAX], count: 0 }
    }
}

impl Walk {
    /// The values.
    pub(crate) fn spans(&self) -> &[Span] {
        &self.spans[..self.count]
    }
}

/// A line that was known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Match {
    /// Which sort: what [`Trie::insert`] was given.
    pub(crate) leaf: u32,
    /// Where the line ends, without its newline, counted from the block's beginning.
    pub(crate) end: usize,
}

#[derive(Clone, Debug)]
enum After {
    /// Nothing yet.
    Open,
    Number {
        slot: u8,
        next: u32,
    },
    Text {
        slot: u8,
        next: u32,
    },
    Branch {
        edges: Vec<(u8, u32)>,
        number: Option<(u8, u32)>,
    },
    End {
        leaf: u32,
    },
}

#[derive(Clone, Debug)]
struct Node {
    /// In the pool.
    literal: std::ops::Range<u32>,
    after: After,
}

/// All sorts of line that are known. Lines that begin alike share the way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trie {
    nodes: Vec<Node>,
    pool: Vec<u8>,
}

impl Trie {
    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.nodes.clear();
        self.pool.clear();
    }

    /// Whether the next sort of line might find no room.
    pub(crate) fn is_full(&self) -> bool {
        self.nodes.len() >= NODES_MAX || self.pool.len() >= BYTES_MAX
    }

    /// Matches the line at `at`, up to its newline or the block's end.
    #[inline]
    pub(crate) fn find(&self, block: &[u8], mut at: usize, walk: &mut Walk) -> Option<Match> {
        walk.count = 0;
        let mut node = self.nodes.first()?;
        loop {
            let literal = self.literal(node);
            let rest = block.get(at..)?;
            if !begins(rest, literal) {
                return None;
            }
            at += literal.len();
            let rest = &rest[literal.len()..];
            let next = match &node.after {
                After::Number { slot, next } => {
                    at += take_number(rest, at, *slot, walk)?;
                    *next
                }
                After::Text { slot, next } => {
                    let len = plain_text(rest)?;
                    let (start, end) = (at, at + len);
                    push(walk, *slot, true, None, start, end)?;
                    at = end;
                    *next
                }
                After::Branch { edges, number } => {
                    let byte = *rest.first()?;
                    match (edges.iter().find(|(first, _)| *first == byte), number) {
                        (Some((_, next)), _) => *next,
                        (None, Some((slot, next))) => {
                            at += take_number(rest, at, *slot, walk)?;
                            *next
                        }
                        (None, None) => return None,
                    }
                }
                After::End { leaf } => {
                    let ended = rest.first().is_none_or(|byte| *byte == b'\n');
                    return ended.then_some(Match { leaf: *leaf, end: at });
                }
                After::Open => return None,
            };
            node = &self.nodes[next as usize];
        }
    }

    fn literal(&self, node: &Node) -> &[u8] {
        &self.pool[node.literal.start as usize..node.literal.end as usize]
    }

    /// Adds a sort of line. None, and nothing learned, if it does not go with what is known.
    pub(crate) fn insert(&mut self, items: &[Item], leaf: u32) -> Option<()> {
        let values = items.iter().filter(|item| !matches!(item, Item::Literal(_))).count();
        if self.is_full() || values > SPANS_MAX {
            return None;
        }
        let mut items = items.iter().peekable();
        let mut literal = take_literal(&mut items);
        if self.nodes.is_empty() {
            self.chain(&literal, &mut items, leaf);
            return Some(());
        }
        let mut place = 0_usize;
        loop {
            let node = self.nodes[place].clone();
            let known = self.literal(&node);
            let common = known.iter().zip(&literal).take_while(|(a, b)| a == b).count();
            if common < known.len() {
                self.split(place, common);
            }
            literal.drain(..common);
            let first = literal.first().copied();
            let step = if first.is_some() { None } else { Some(items.next()) };
            match self.edge(place, first, step, leaf)? {
                Step::To(next, consumed) => {
                    place = next as usize;
                    if consumed {
                        literal = take_literal(&mut items);
                    }
                }
                Step::New(consumed) => {
                    if consumed {
                        literal = take_literal(&mut items);
                    }
                    let next = self.chain(&literal, &mut items, leaf);
                    self.attach(place, first, step, next);
                    return Some(());
                }
                Step::Done => return Some(()),
            }
        }
    }

    /// Where the way goes on from a node whose literal is passed: with a byte, with a value, or to the end.
    fn edge(
        &mut self,
        place: usize,
        first: Option<u8>,
        step: Option<Option<&Item>>,
        leaf: u32,
    ) -> Option<Step> {
        let after = &mut self.nodes[place].after;
        if let (After::Number { slot, next }, Some(_)) = (&*after, first) {
            *after = After::Branch { edges: vec![], number: Some((*slot, *next)) };
        }
        match (after, first, step) {
            (After::Branch { edges, .. }, Some(byte), _) => {
                let known = edges.iter().find(|(first, _)| *first == byte);
                Some(known.map_or(Step::New(false), |(_, next)| Step::To(*next, false)))
            }
            (After::Number { slot, next }, None, Some(Some(Item::Number(wanted))))
            | (After::Text { slot, next }, None, Some(Some(Item::Text(wanted)))) => {
                (slot == wanted).then_some(Step::To(*next, true))
            }
            (After::Branch { number, .. }, None, Some(Some(Item::Number(wanted)))) => {
                match number {
                    Some((slot, next)) => (slot == wanted).then_some(Step::To(*next, true)),
                    None => Some(Step::New(true)),
                }
            }
            (After::End { leaf: known }, None, Some(None)) => {
                *known = leaf;
                Some(Step::Done)
            }
            _ => None,
        }
    }

    fn attach(&mut self, place: usize, first: Option<u8>, step: Option<Option<&Item>>, to: u32) {
        let After::Branch { edges, number } = &mut self.nodes[place].after else { return };
        match (first, step) {
            (Some(byte), _) => edges.push((byte, to)),
            (None, Some(Some(Item::Number(slot)))) => *number = Some((*slot, to)),
            _ => {}
        }
    }

    /// Cuts a node's literal in two.
    fn split(&mut self, place: usize, common: usize) {
        let node = &mut self.nodes[place];
        let middle = node.literal.start + u32::try_from(common).unwrap_or(0);
        let tail = Node {
            literal: middle..node.literal.end,
            after: std::mem::replace(&mut node.after, After::Open),
        };
        node.literal.end = middle;
        let byte = self.pool[middle as usize];
        let to = self.push(tail);
        self.nodes[place].after = After::Branch { edges: vec![(byte, to)], number: None };
    }

    fn push(&mut self, node: Node) -> u32 {
        self.nodes.push(node);
        // The trie is emptied long before.
        u32::try_from(self.nodes.len() - 1).unwrap_or(0)
    }

    /// New nodes for all that is left.
    fn chain<'i>(
        &mut self,
        literal: &[u8],
        items: &mut std::iter::Peekable<impl Iterator<Item = &'i Item>>,
        leaf: u32,
    ) -> u32 {
        let mut literal = literal.to_vec();
        let mut first = None;
        loop {
            let start = u32::try_from(self.pool.len()).unwrap_or(0);
            self.pool.extend_from_slice(&literal);
            let end = u32::try_from(self.pool.len()).unwrap_or(0);
            let next = u32::try_from(self.nodes.len() + 1).unwrap_or(0);
            let item = items.next();
            let after = match item {
                Some(Item::Number(slot)) => After::Number { slot: *slot, next },
                Some(Item::Text(slot)) => After::Text { slot: *slot, next },
                _ => After::End { leaf },
            };
            let place = self.push(Node { literal: start..end, after });
            first = first.or(Some(place));
            if item.is_none() {
                return first.unwrap_or(place);
            }
            literal = take_literal(items);
        }
    }
}

/// Where an insertion goes.
enum Step {
    /// To this node; whether a value was passed.
    To(u32, bool),
    /// To a node that is not there yet; whether a value is passed.
    New(bool),
    /// Everything was there.
    Done,
}

fn take_literal<'i>(items: &mut std::iter::Peekable<impl Iterator<Item = &'i Item>>) -> Vec<u8> {
    let literal = items.next_if(|item| matches!(item, Item::Literal(_)));
    if let Some(Item::Literal(bytes)) = literal { bytes.clone() } else { Vec::new() }
}

#[inline(always)]
fn take_number(rest: &[u8], at: usize, slot: u8, walk: &mut Walk) -> Option<usize> {
    if slot == SKIP {
        let len = number_len(rest)?;
        push(walk, slot, false, None, at, at + len)?;
        return Some(len);
    }
    let found = number(rest)?;
    push(walk, slot, false, found.whole, at, at + found.len)?;
    Some(found.len)
}

#[inline(always)]
fn push(
    walk: &mut Walk,
    slot: u8,
    is_text: bool,
    whole: Option<u64>,
    start: usize,
    end: usize,
) -> Option<()> {
    let span = walk.spans.get_mut(walk.count)?;
    *span = Span {
        slot,
        is_text,
        is_whole: whole.is_some(),
        start: u32::try_from(start).ok()?,
        end: u32::try_from(end).ok()?,
        number: whole.unwrap_or(0),
    };
    walk.count += 1;
    debug_assert!(slot == SKIP || usize::from(slot) < SPANS_MAX);
    Some(())
}
