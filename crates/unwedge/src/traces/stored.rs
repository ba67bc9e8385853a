//! How is a store an input like any other? Its segments lie ready, and some have a summary of their rows.

use std::path::Path;

use serde::{Deserialize, Serialize};
use unwedge_analyze::{SUMMARY_VERSION, Summary};
use unwedge_readers::Complaints;
use unwedge_trace::Timestamp;
use unwedge_trace::row::Batch;

use super::{Body, Ended, Input, Progress, Refusal, Segments, Tuning};
use crate::store::{Reader, Segment, Summarise};

/// The segments of a store, behind one with nothing but introductions.
struct Stored(Reader);

impl Stored {
    fn segment(&self, number: u64) -> Option<&Segment> {
        self.0.segments().get(usize::try_from(number).ok()?.checked_sub(1)?)
    }
}

impl Segments for Stored {
    fn count(&self) -> u64 {
        self.0.segments().len() as u64 + 1
    }

    fn read(&self, number: u64, complaints: &mut Complaints, out: &mut dyn FnMut(&mut Batch)) {
        let Some(segment) = self.segment(number) else {
            for complaint in self.0.complaints() {
                complaints.add(0, None, complaint.as_str());
            }
            return out(&mut self.0.introductions());
        };
        for batch in segment.batches() {
            match batch {
                Ok(mut batch) => out(&mut batch),
                Err(complaint) => complaints.add(0, None, complaint),
            }
        }
    }

    fn summary(&self, number: u64) -> Option<Summary> {
        let segment = self.segment(number)?;
        let left: Left<Summary> = serde_json::from_slice(&segment.summary()?).ok()?;
        let sound = left.version == SUMMARY_VERSION && left.summary.is_sound(segment.rows());
        sound.then_some(left.summary)
    }

    fn now(&self) -> Option<Timestamp> {
        self.0.header().now
    }

    fn patience_ns(&self) -> Option<u64> {
        self.0.header().patience_ns
    }
}

/// Opens a folder.
pub(super) fn open(folder: &Path, tuning: Tuning) -> Result<Input, Refusal> {
    if !Reader::is_store(folder) {
        let hint = "name a file in it, or a store that unwedge import made";
        return Err(Refusal::new("it is a folder, and no store of events", hint));
    }
    let hint = "a store is made by unwedge import IN OUT";
    let reader = Reader::open(folder).map_err(|error| Refusal::new(error.to_string(), hint))?;
    let source = reader.header().source.clone();
    Ok(Input { source, body: Body::Store(Box::new(Stored(reader))), tuning })
}

/// The largest summary that is left in a segment: a few per cent of the rows of one that is full. Bytes in memory, and as
/// it is left.
const WEIGHT_MAX: usize = 8 << 20;
const BYTES_MAX: usize = 4 << 20;

/// What is left in a segment.
#[derive(Serialize, Deserialize)]
struct Left<S> {
    version: u32,
    summary: S,
}

/// Leaves in each segment of a new store what an analysis needs of it.
#[derive(Default)]
pub(crate) struct Summaries(Summary);

impl Summarise for Summaries {
    fn fold(&mut self, batch: &Batch) {
        self.0.fold(batch);
    }

    fn finish_segment(&mut self) -> Vec<u8> {
        let summary = std::mem::take(&mut self.0);
        // Without a summary the rows are read instead, which then takes no longer.
        if summary.weight() > WEIGHT_MAX {
            return Vec::new();
        }
        let left = Left { version: SUMMARY_VERSION, summary };
        let bytes = serde_json::to_vec(&left).unwrap_or_default();
        if bytes.len() > BYTES_MAX { Vec::new() } else { bytes }
    }
}

impl Input {
    /// The summary of the whole input: where a store's segments have theirs, no row is read.
    pub(crate) fn summarise(self, progress: &Progress) -> (Summary, Ended) {
        let mut summary = Summary::default();
        if let Body::Store(store) = &self.body {
            let left: Option<Vec<Summary>> =
                (1..store.count()).map(|number| store.summary(number)).collect();
            if let Some(left) = left {
                let (source, now) = (self.source, store.now());
                let patience_ns = store.patience_ns();
                let mut ended = Ended { source, now, patience_ns, ..Ended::default() };
                store.read(0, &mut ended.complaints, &mut |batch| summary.fold(batch));
                left.into_iter().for_each(|left| summary.merge(left));
                ended.rows = summary.rows();
                return (summary, ended);
            }
        }
        let (fresh, weigh, fold) = (Summary::default, Summary::weight, Summary::fold);
        let ended = self.fold(progress, fresh, weigh, fold, |part| summary.merge(part));
        (summary, ended)
    }
}
