//! Which agents, objects and texts does a store name, and by which ids?
//!
//! A batch names them by places in tables of its own. Here is one table for all batches, in the order of first use;
//! what a later batch says of a thing is added to what is known, as within a batch.

use indexmap::{IndexMap, IndexSet};
use unwedge_trace::row::{AgentEntry, Batch, Key, NONE, ObjectEntry};
use unwedge_trace::{AgentKind, ObjectKind};

use super::{ENTRIES_MAX, NAMES_MAX, TEXT_BYTES_MAX};

/// What is known of an agent beside its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Agent {
    pub(super) introduced: bool,
    pub(super) kind: AgentKind,
    pub(super) name: Box<str>,
    pub(super) pid: u32,
    pub(super) tid: u32,
}

/// What is known of an object beside its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) introduced: bool,
    pub(super) kind: ObjectKind,
    pub(super) handle: u64,
    pub(super) label: Box<str>,
    pub(super) shared: bool,
}

impl Agent {
    fn is(&self, entry: &AgentEntry) -> bool {
        (self.introduced, self.kind, self.pid, self.tid)
            == (entry.introduced, entry.kind, entry.pid, entry.tid)
            && self.name == entry.name
    }
}

impl Object {
    fn is(&self, entry: &ObjectEntry) -> bool {
        (self.introduced, self.kind, self.handle) == (entry.introduced, entry.kind, entry.handle)
            && (entry.label.is_empty() || self.label == entry.label)
    }
}

/// The key of the agent that stands for those without room.
pub(super) const OTHERS: &str = "agents for which the store had no room";

/// All agents, objects and texts so far.
#[derive(Clone, Debug)]
pub(crate) struct Tables {
    pub(super) agents: IndexMap<Key, Agent>,
    pub(super) objects: IndexMap<Key, Object>,
    pub(super) names: IndexSet<Box<str>>,
    text_bytes: usize,
    /// Room for agents, and for objects.
    pub(super) entries_max: usize,
    /// Different texts for which there was no room, each time that a batch had one.
    pub(super) texts_dropped: u64,
}

/// For each place in a batch's tables, the id; [`NONE`] where there was no room.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    /// Of agents.
    pub(crate) agents: Vec<u32>,
    /// Of objects.
    pub(crate) objects: Vec<u32>,
    /// Of texts.
    pub(crate) names: Vec<u32>,
}

impl Default for Tables {
    fn default() -> Self {
        let (agents, objects, names) = (IndexMap::new(), IndexMap::new(), IndexSet::new());
        let (entries_max, text_bytes, texts_dropped) = (ENTRIES_MAX, 0, 0);
        Self { agents, objects, names, text_bytes, entries_max, texts_dropped }
    }
}

impl Tables {
    /// Takes in what a batch's tables say.
    pub(crate) fn adopt(&mut self, batch: &Batch) -> Ids {
        Ids {
            agents: batch.agents.iter().map(|agent| self.agent(agent)).collect(),
            objects: batch.objects.iter().map(|object| self.object(object)).collect(),
            names: batch.names.iter().map(|name| self.name(name)).collect(),
        }
    }

    /// Agents so far.
    pub(crate) fn agents(&self) -> usize {
        self.agents.len()
    }

    /// Objects so far.
    pub(crate) fn objects(&self) -> usize {
        self.objects.len()
    }

    /// Texts so far.
    pub(crate) fn names(&self) -> usize {
        self.names.len()
    }

    /// The agent with an id; one of which nothing is known where the table has none.
    pub(crate) fn agent_entry(&self, id: u32) -> AgentEntry {
        let Some((key, agent)) = self.agents.get_index(id as usize) else {
            return AgentEntry::unknown(Key::Text(format!("agent {id} of the store").into()));
        };
        let Agent { introduced, kind, name, pid, tid } = agent.clone();
        AgentEntry { key: key.clone(), introduced, kind, name, pid, tid }
    }

    /// The object with an id, likewise.
    pub(crate) fn object_entry(&self, id: u32) -> ObjectEntry {
        let Some((key, object)) = self.objects.get_index(id as usize) else {
            return ObjectEntry::unknown(Key::Text(format!("object {id} of the store").into()));
        };
        let Object { introduced, kind, handle, label, shared } = object.clone();
        ObjectEntry { key: key.clone(), introduced, kind, handle, label, shared }
    }

    /// The text with an id.
    pub(crate) fn text(&self, id: u32) -> Option<&str> {
        self.names.get_index(id as usize).map(|text| &**text)
    }

    fn room(&mut self, bytes: usize) -> bool {
        let fits = bytes <= TEXT_BYTES_MAX - self.text_bytes;
        self.text_bytes += if fits { bytes } else { 0 };
        fits
    }

    pub(super) fn agent(&mut self, entry: &AgentEntry) -> u32 {
        let known = self.agents.get_full(&entry.key);
        let place = known.map(|(place, _, _)| place);
        // Every batch says again what it knows: nothing is new in most.
        if known.is_some_and(|(_, _, known)| !entry.introduced || known.is(entry)) {
            return place.map_or(NONE, id);
        }
        // What a batch leaves open, such as a name that only the first line of an agent has, stays as it was.
        let mut told = place.map_or_else(|| entry.clone(), |place| self.agent_entry(id(place)));
        told.describe(entry);
        if known.is_some_and(|(_, _, known)| known.is(&told)) {
            return place.map_or(NONE, id);
        }
        let is_others = matches!(&entry.key, Key::Text(key) if &**key == OTHERS);
        let full = place.is_none() && self.agents.len() >= self.entries_max && !is_others;
        if full || !self.room(key_bytes(&entry.key) + entry.name.len()) {
            return place.map_or(NONE, id);
        }
        let AgentEntry { key, introduced, kind, name, pid, tid } = told;
        id(self.agents.insert_full(key, Agent { introduced, kind, name, pid, tid }).0)
    }

    pub(super) fn object(&mut self, entry: &ObjectEntry) -> u32 {
        let place = self.objects.get_index_of(&entry.key);
        let known = place.and_then(|place| self.objects.get_index_mut(place));
        if let Some((_, known)) = known {
            known.shared |= entry.shared;
            if !entry.introduced || known.is(entry) {
                return place.map_or(NONE, id);
            }
        }
        let full = place.is_none() && self.objects.len() >= self.entries_max;
        if full || !self.room(key_bytes(&entry.key) + entry.label.len()) {
            return place.map_or(NONE, id);
        }
        let ObjectEntry { key, introduced, kind, handle, mut label, mut shared } = entry.clone();
        if let Some(known) = self.objects.get(&entry.key) {
            shared |= known.shared;
            if label.is_empty() {
                label = known.label.clone();
            }
        }
        id(self.objects.insert_full(key, Object { introduced, kind, handle, label, shared }).0)
    }

    pub(super) fn name(&mut self, name: &str) -> u32 {
        if let Some(place) = self.names.get_index_of(name) {
            return id(place);
        }
        if self.names.len() >= NAMES_MAX || !self.room(name.len()) {
            self.texts_dropped += 1;
            return NONE;
        }
        id(self.names.insert_full(name.into()).0)
    }
}

/// Places are below [`ENTRIES_MAX`].
fn id(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(NONE)
}

fn key_bytes(key: &Key) -> usize {
    match key {
        Key::Number(_) => 0,
        Key::Text(text) => text.len(),
    }
}

#[cfg(test)]
mod tests {
    use unwedge_trace::AgentKind;

    use super::*;

    #[test]
    fn an_agent_keeps_the_name_that_only_an_earlier_batch_has() {
        let mut tables = Tables::default();
        let mut entry = AgentEntry::unknown(Key::Number(7));
        entry.introduce(AgentKind::GuestThread, "display_poll", 0, 7);
        let place = tables.agent(&entry);
        entry.name = "".into();
        assert_eq!(tables.agent(&entry), place);
        assert_eq!(&*tables.agent_entry(place).name, "display_poll");
        let bytes = tables.text_bytes;
        tables.agent(&entry);
        assert_eq!(tables.text_bytes, bytes, "what is known takes no room again");
    }
}
