//! How does a store become events again? With the ids of the store, and all introductions first.

use std::collections::HashSet;

use unwedge_trace::row::{Batch, ENDS_WITH_NEXT_EVENT, NONE, Op, Row};
use unwedge_trace::{AgentId, Event, Outcome, Timestamp, What};

use super::read::Reader;
use super::tables::{Ids, Tables};

/// Shows every event to `take`, and what cannot be read to `complain`.
///
/// # Errors
/// The first of `take`, which ends it.
pub(crate) fn each_event<E>(
    reader: &Reader,
    complain: &mut dyn FnMut(&str),
    take: &mut dyn FnMut(&Event) -> Result<(), E>,
) -> Result<(), E> {
    reader.complaints().iter().for_each(|complaint| complain(complaint));
    let known = reader.introductions();
    let mut ids = Numbers::default();
    // The places in this batch's tables are the ids.
    ids.tables.adopt(&known);
    for event in known.introductions(reader.began()) {
        take(&event)?;
    }
    for segment in reader.segments() {
        for batch in segment.batches() {
            match batch {
                Ok(batch) => ids.events(batch, take)?,
                Err(complaint) => complain(&complaint),
            }
        }
    }
    Ok(())
}

/// What is known of the events so far.
#[derive(Default)]
struct Numbers {
    tables: Tables,
    /// Agents in a wait that ends with their next event.
    ending: HashSet<u32>,
}

impl Numbers {
    fn events<E>(
        &mut self,
        mut batch: Batch,
        take: &mut dyn FnMut(&Event) -> Result<(), E>,
    ) -> Result<(), E> {
        let ids = self.tables.adopt(&batch);
        let mut all = std::mem::take(&mut batch.rows);
        all.iter_mut().for_each(|row| renumber(row, &ids));
        let mut rows = all.as_slice();
        while let Some((first, rest)) = rows.split_first() {
            let more = |row: &&Row| matches!(row.op, Op::MorePoint | Op::MoreObject);
            let count = rest.iter().take_while(more).count();
            self.end_wait(first, take)?;
            if let Some(event) = batch.event(first, &rest[..count]) {
                take(&event)?;
            }
            rows = &rest[count..];
        }
        Ok(())
    }

    /// Events say of every wait how it ended; some sources leave that to the agent's next event.
    fn end_wait<E>(
        &mut self,
        row: &Row,
        take: &mut dyn FnMut(&Event) -> Result<(), E>,
    ) -> Result<(), E> {
        if !self.ending.is_empty() && self.ending.remove(&row.agent) && row.op != Op::WaitEnded {
            let ended = What::WaitEnded { outcome: Outcome::Reached };
            take(&Event::new(Timestamp(row.at), AgentId(row.agent), ended))?;
        }
        if row.op == Op::WaitBegan && row.code & ENDS_WITH_NEXT_EVENT != 0 {
            self.ending.insert(row.agent);
        }
        Ok(())
    }
}

fn renumber(row: &mut Row, ids: &Ids) {
    let id = |ids: &[u32], place: u32| ids.get(place as usize).copied().unwrap_or(NONE);
    row.agent = id(&ids.agents, row.agent);
    row.object = id(&ids.objects, row.object);
    row.object2 = id(&ids.objects, row.object2);
    row.agent2 = id(&ids.agents, row.agent2);
}
