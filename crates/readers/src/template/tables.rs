//! Which place has an agent, an object or a text in the batch that is being filled?

use std::collections::HashMap;

use unwedge_trace::row::{AgentEntry, Batch, Key, NONE, ObjectEntry, Row};

use super::scan::begins;
use super::slot_of;

/// Places remembered beside the maps, to be found without hashing in earnest.
const RECENT: usize = 1024;

/// A [`Key`] that is borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyRef<'a> {
    /// A number.
    Number(u64),
    /// A text.
    Text(&'a str),
}

impl KeyRef<'_> {
    fn owned(self) -> Key {
        match self {
            KeyRef::Number(number) => Key::Number(number),
            KeyRef::Text(text) => Key::Text(text.into()),
        }
    }
}

/// Finds the place of a key.
#[derive(Debug)]
struct Places {
    /// A number and its place plus one.
    recent: Vec<(u64, u32)>,
    numbers: HashMap<u64, u32>,
    texts: HashMap<Box<str>, u32>,
}

impl Places {
    fn new() -> Self {
        Self { recent: vec![(0, 0); RECENT], numbers: HashMap::new(), texts: HashMap::new() }
    }

    /// The key's place, or `next` if it is new; whether it is new.
    #[inline]
    fn of(&mut self, key: KeyRef<'_>, next: usize) -> (u32, bool) {
        let fresh = u32::try_from(next).unwrap_or(NONE);
        match key {
            KeyRef::Number(number) => {
                let recent = &mut self.recent[slot_of(number, RECENT)];
                if recent.1 != 0 && recent.0 == number {
                    return (recent.1 - 1, false);
                }
                let place = rare_place(&mut self.numbers, number, fresh);
                *recent = (number, place.saturating_add(1));
                (place, place == fresh)
            }
            KeyRef::Text(text) => {
                if let Some(place) = self.texts.get(text) {
                    return (*place, false);
                }
                self.texts.insert(text.into(), fresh);
                (fresh, true)
            }
        }
    }
}

#[cold]
#[inline(never)]
fn rare_place(numbers: &mut HashMap<u64, u32>, number: u64, fresh: u32) -> u32 {
    *numbers.entry(number).or_insert(fresh)
}

/// How surely it is known what a thing is: what is said later counts if it is as sure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sure {
    /// Nobody said.
    Not,
    /// By what this sort of line is about.
    FromUse,
    /// A line says so.
    Told,
}

/// A batch and what finds its places.
pub(crate) struct Tables<'b> {
    batch: &'b mut Batch,
    agents: Places,
    objects: Places,
    names: HashMap<Box<str>, u32>,
    recent_names: Vec<u32>,
    sure: Vec<Sure>,
    /// Changes of the tables: new entries, and what was said of old ones.
    changes: u64,
}

impl<'b> Tables<'b> {
    /// Of an empty batch.
    pub(crate) fn new(batch: &'b mut Batch) -> Self {
        Self {
            batch,
            agents: Places::new(),
            objects: Places::new(),
            names: HashMap::new(),
            recent_names: vec![NONE; RECENT],
            sure: Vec::new(),
            changes: 0,
        }
    }

    /// The rows so far.
    pub(crate) fn rows(&mut self) -> &mut Vec<Row> {
        &mut self.batch.rows
    }

    /// How often the tables were changed.
    pub(crate) fn changes(&self) -> u64 {
        self.changes
    }

    /// The place of an agent; a new one is as `make` says.
    #[inline]
    pub(crate) fn agent(&mut self, key: KeyRef<'_>, make: impl FnOnce(Key) -> AgentEntry) -> u32 {
        let (place, new) = self.agents.of(key, self.batch.agents.len());
        if new {
            self.batch.agents.push(make(key.owned()));
            self.changes += 1;
        }
        place
    }

    /// The place of an object; a new one is as `make` says.
    #[inline]
    pub(crate) fn object(&mut self, key: KeyRef<'_>, make: impl FnOnce(Key) -> ObjectEntry) -> u32 {
        let (place, new) = self.objects.of(key, self.batch.objects.len());
        if new {
            self.batch.objects.push(make(key.owned()));
            self.sure.push(Sure::Not);
            self.changes += 1;
        }
        place
    }

    /// An agent's name.
    pub(crate) fn agent_name(&self, place: u32) -> Option<&str> {
        self.batch.agents.get(place as usize).map(|agent| &*agent.name)
    }

    /// An agent's entry, to change it.
    pub(crate) fn agent_entry(&mut self, place: u32) -> Option<&mut AgentEntry> {
        self.changes += 1;
        self.batch.agents.get_mut(place as usize)
    }

    /// An object's entry, to change it, if nobody was surer of it.
    #[inline]
    pub(crate) fn object_entry(&mut self, place: u32, sure: Sure) -> Option<&mut ObjectEntry> {
        let known = self.sure.get_mut(place as usize)?;
        if *known > sure || (*known == sure && sure != Sure::Told) {
            return None;
        }
        *known = sure;
        self.changes += 1;
        self.batch.objects.get_mut(place as usize)
    }

    /// The place of a text; [`NONE`] for an empty one.
    #[inline]
    pub(crate) fn name(&mut self, text: &str) -> u32 {
        self.plain_name(text.as_bytes())
    }

    /// The place of a text that is known to be UTF-8.
    #[inline]
    pub(crate) fn plain_name(&mut self, text: &[u8]) -> u32 {
        if text.is_empty() {
            return NONE;
        }
        let slot = slot_of(brief(text), RECENT);
        let place = self.recent_names[slot];
        if self
            .batch
            .names
            .get(place as usize)
            .is_some_and(|name| name.len() == text.len() && begins(text, name.as_bytes()))
        {
            return place;
        }
        let place = self.place_of_name(&String::from_utf8_lossy(text));
        self.recent_names[slot] = place;
        place
    }

    #[cold]
    fn place_of_name(&mut self, text: &str) -> u32 {
        self.names.get(text).copied().unwrap_or_else(|| {
            self.changes += 1;
            let place = u32::try_from(self.batch.names.len()).unwrap_or(NONE);
            self.batch.names.push(text.into());
            self.names.insert(text.into(), place);
            place
        })
    }
}

/// A number that few texts share: from the first and last bytes and the length.
#[inline]
fn brief(text: &[u8]) -> u64 {
    let len = text.len() as u64;
    match (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        (Some(first), Some(last)) => {
            u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(23) ^ len
        }
        _ => text.iter().fold(len, |sum, byte| sum << 8 | u64::from(*byte)),
    }
}
