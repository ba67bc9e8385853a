//! Which things of two stretches are one? Tables in the order of first use, looked up by what the source calls a thing.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use unwedge_trace::row::{Key, NONE};

/// Agents that are followed; of more than that only the number is known. Each takes about 500 bytes, and as much
/// again while the report is made.
pub(super) const AGENTS_MAX: usize = 100_000;
/// Objects that are followed.
pub(super) const OBJECTS_MAX: usize = 100_000;
/// Texts before those that nothing names are dropped.
const NAMES_MAX: usize = 1 << 14;
/// The same, in bytes.
const NAME_BYTES: usize = 16 << 20;
/// All texts. What finds no room is left out: it is only said, and judged by nobody. Bytes.
const NAME_BYTES_MAX: usize = 48 << 20;
/// Longest text that is kept. Bytes.
const NAME_LENGTH_MAX: usize = 16 << 10;
/// Keys of one table. Bytes.
const KEY_BYTES_MAX: usize = 24 << 20;

/// Longest name of an agent, and label of an object. Bytes.
const LABEL_LENGTH_MAX: usize = 256;

/// Keeps the beginning of a name.
pub(super) fn cut(name: &mut Box<str>) {
    if name.len() > LABEL_LENGTH_MAX {
        *name = start_of(name, LABEL_LENGTH_MAX).into();
    }
}

/// The beginning of a text, of at most so many bytes.
fn start_of(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Something that a table can hold.
pub(super) trait Keyed {
    fn key(&self) -> &Key;
}

/// Things in the order of their first use, each key once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Table<T> {
    pub(super) entries: Vec<T>,
    /// Made when it is first needed.
    #[serde(skip)]
    index: HashMap<Key, u32>,
    /// Of all keys that the index has.
    #[serde(skip)]
    key_bytes: usize,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), index: HashMap::new(), key_bytes: 0 }
    }
}

impl<T: PartialEq> PartialEq for Table<T> {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
    }
}

impl<T: Keyed> Table<T> {
    pub(super) fn get(&self, place: u32) -> Option<&T> {
        self.entries.get(place as usize)
    }

    pub(super) fn get_mut(&mut self, place: u32) -> Option<&mut T> {
        self.entries.get_mut(place as usize)
    }

    /// The place of the thing with this key, if there is one.
    pub(super) fn place(&mut self, key: &Key) -> Option<u32> {
        if self.index.len() != self.entries.len() {
            self.index = self
                .entries
                .iter()
                .zip(0..)
                .map(|(entry, place)| (entry.key().clone(), place))
                .collect();
            self.key_bytes = self.entries.iter().map(|entry| length(entry.key())).sum();
        }
        self.index.get(key).copied()
    }

    /// Adds a thing whose key is new, unless the table is full.
    pub(super) fn push(&mut self, entry: T, most: usize) -> Option<u32> {
        // What is full stays full, whatever comes: the first ones are those that are followed.
        if self.entries.len() >= most || self.key_bytes > KEY_BYTES_MAX {
            return None;
        }
        self.key_bytes += length(entry.key());
        let place = u32::try_from(self.entries.len()).ok()?;
        self.index.insert(entry.key().clone(), place);
        self.entries.push(entry);
        Some(place)
    }
}

fn length(key: &Key) -> usize {
    match key {
        Key::Number(_) => 0,
        Key::Text(text) => text.len(),
    }
}

/// Texts, each once.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Names {
    texts: Vec<Box<str>>,
    #[serde(skip)]
    index: HashMap<Box<str>, u32>,
    /// How many there may be before the unused ones are dropped.
    #[serde(skip)]
    limit: usize,
    /// Of all texts, and how many there may be before the unused ones are dropped.
    #[serde(skip)]
    bytes: usize,
    #[serde(skip)]
    bytes_limit: usize,
}

impl PartialEq for Names {
    fn eq(&self, other: &Self) -> bool {
        self.texts == other.texts
    }
}

impl Names {
    pub(super) fn get(&self, place: u32) -> &str {
        self.texts.get(place as usize).map_or("", |text| text)
    }

    pub(super) fn intern(&mut self, text: &str) -> u32 {
        if text.is_empty() {
            return NONE;
        }
        if self.index.len() != self.texts.len() {
            self.index = self.texts.iter().cloned().zip(0..).collect();
            self.bytes = self.texts.iter().map(|text| text.len()).sum();
        }
        let text = start_of(text, NAME_LENGTH_MAX);
        if let Some(place) = self.index.get(text) {
            return *place;
        }
        if self.bytes + text.len() > NAME_BYTES_MAX {
            return NONE;
        }
        self.bytes += text.len();
        let place = u32::try_from(self.texts.len()).unwrap_or(NONE);
        self.texts.push(text.into());
        self.index.insert(text.into(), place);
        place
    }

    /// Whether each is there once, and none is longer than those that are kept.
    pub(super) fn is_sound(&self) -> bool {
        let mut seen = std::collections::HashSet::new();
        self.texts.iter().all(|text| text.len() <= NAME_LENGTH_MAX && seen.insert(text))
    }

    /// Whether it is time to drop the texts that nothing names any more.
    pub(super) fn is_crowded(&self) -> bool {
        self.texts.len() > self.limit.max(NAMES_MAX)
            || self.bytes > self.bytes_limit.max(NAME_BYTES)
    }

    /// Sets how many there may be until the next time.
    pub(super) fn allow_twice(mut self) -> Self {
        (self.limit, self.bytes_limit) = (2 * self.texts.len(), 2 * self.bytes);
        self
    }
}
