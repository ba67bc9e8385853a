//! How does a store get its summaries while it is written? From a thread of its own, for both take their time.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use unwedge_trace::row::Batch;

use crate::store::Summarise;
use crate::traces::Summaries;

/// Batches that wait for the thread.
const AHEAD: usize = 8;

/// Makes the summaries of a store, aside.
pub(super) struct Aside {
    /// Batches; none where a segment ends.
    batches: SyncSender<Option<Batch>>,
    summaries: Receiver<Vec<u8>>,
}

impl Aside {
    pub(super) fn new() -> Self {
        let (batches, taken) = sync_channel::<Option<Batch>>(AHEAD);
        let (made, summaries) = sync_channel(1);
        // It ends when nobody sends any more.
        std::thread::spawn(move || {
            let mut summary = Summaries::default();
            for batch in taken {
                match batch {
                    Some(batch) => summary.fold(&batch),
                    None if made.send(summary.finish_segment()).is_err() => return,
                    None => {}
                }
            }
        });
        Self { batches, summaries }
    }
}

impl Summarise for Aside {
    fn fold(&mut self, batch: &Batch) {
        // Were the thread gone, the segment would be left without a summary, and read row by row.
        let _ = self.batches.send(Some(batch.clone()));
    }

    fn finish_segment(&mut self) -> Vec<u8> {
        let _ = self.batches.send(None);
        // It answers as soon as it has folded what is there; were it gone, there would be no answer to wait for.
        self.summaries.iter().next().unwrap_or_default()
    }
}
