//! How is a recording in memory an input like any other?

use unwedge_readers::Complaints;
use unwedge_trace::row::{Batch, BatchBuilder};
use unwedge_trace::{Recording, Timestamp};

use super::{Body, Input, Segments, Tuning};

/// Events of a batch.
const EVENTS_MAX: usize = 4096;

/// One segment with all of it.
struct Recorded {
    recording: Recording,
}

impl Segments for Recorded {
    fn count(&self) -> u64 {
        1
    }

    fn read(&self, _segment: u64, _complaints: &mut Complaints, out: &mut dyn FnMut(&mut Batch)) {
        let mut builder = BatchBuilder::default();
        for events in self.recording.events.chunks(EVENTS_MAX) {
            events.iter().for_each(|event| builder.event(event));
            out(&mut builder.take());
        }
    }

    fn now(&self) -> Option<Timestamp> {
        Some(self.recording.header.now)
    }
}

impl Input {
    /// A recording that is in memory.
    pub(crate) fn of_recording(recording: Recording) -> Self {
        let source = recording.header.source.clone();
        Self {
            source,
            body: Body::Store(Box::new(Recorded { recording })),
            tuning: Tuning::default(),
        }
    }
}
