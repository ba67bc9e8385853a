//! What does a black box say? Decodes a copy of its bytes, and trusts none of them.
//!
//! Every offset and count is checked against the bytes at hand; what does not fit becomes a
//! complaint, and the rest is read. Text is cleaned of control characters.

use super::layout::*;
use super::{MAGIC, VERSION};

/// Why some bytes are no black box.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// Too short for a header.
    #[error("{bytes} bytes are too few for a black box")]
    Short {
        /// How many there are.
        bytes: usize,
    },
    /// Something else, or one whose header is not complete yet.
    #[error("not a black box: it begins with {found:#018x}")]
    Magic {
        /// Its first word.
        found: u64,
    },
    /// Written by another version.
    #[error("the black box has layout version {found}, this program reads version {VERSION}")]
    Version {
        /// Its version.
        found: u64,
    },
}

/// The decoded tables of a black box; entries that are not in use are left out.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The header.
    pub header: HeaderRecord,
    /// Slot index and record of each thread that was seen.
    pub threads: Vec<(usize, ThreadRecord)>,
    /// Finished calls, oldest first, with the slot index of their thread.
    pub calls: Vec<(usize, CallRecord)>,
    /// Index and record of each device.
    pub devices: Vec<(usize, DeviceRecord)>,
    /// Index and record of each queue.
    pub queues: Vec<(usize, QueueRecord)>,
    /// Queue index and record of each batch, in order of (queue, sequence).
    pub batches: Vec<(usize, BatchRecord)>,
    /// Live fences.
    pub fences: Vec<FenceRecord>,
    /// Live semaphores.
    pub semaphores: Vec<SemaphoreRecord>,
    /// Live swapchains.
    pub swapchains: Vec<SwapchainRecord>,
    /// Injected faults, oldest first.
    pub marks: Vec<MarkRecord>,
    /// Calls that were overwritten in the rings.
    pub calls_overwritten: u64,
    /// What was wrong with the bytes.
    pub complaints: Vec<String>,
}

impl Snapshot {
    /// Decodes a copy of a whole black box.
    ///
    /// # Errors
    /// When the bytes are no black box of this version at all.
    pub fn decode(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let words = to_words(bytes);
        let header = decode_header(&words, bytes.len())?;
        let mut reader = Reader { words: &words, header: &header, complaints: Vec::new() };
        let threads = reader.used::<ThreadRecord>(Section::Threads, header.threads_used);
        let threads = threads.into_iter().filter(|(_, t)| t.state != THREAD_FREE).collect();
        let devices = reader.used(Section::Devices, header.devices_used);
        let queues = reader.used(Section::Queues, header.queues_used);
        let (calls, calls_overwritten) = reader.calls(&threads);
        let batches = reader.batches(&queues);
        let fences = reader.live(Section::Fences);
        let semaphores = reader.live(Section::Semaphores);
        let swapchains = reader.live(Section::Swapchains);
        let marks = reader.marks();
        let complaints = reader.complaints;
        Ok(Self {
            threads,
            calls,
            devices,
            queues,
            batches,
            fences,
            semaphores,
            swapchains,
            marks,
            calls_overwritten,
            complaints,
            header,
        })
    }
}

/// Decodes the header alone.
///
/// # Errors
/// As [`Snapshot::decode`].
pub fn header(bytes: &[u8]) -> Result<HeaderRecord, SnapshotError> {
    decode_header(&to_words(&bytes[..bytes.len().min(HEADER_WORDS * 8)]), bytes.len())
}

/// Decodes thread slots from the bytes of their section alone: what a watcher reads many times a
/// second.
#[must_use]
pub fn threads(bytes: &[u8]) -> Vec<(usize, ThreadRecord)> {
    let words = to_words(bytes);
    let records = words.chunks_exact(ThreadRecord::WORDS).map(|mut w| ThreadRecord::take(&mut w));
    records.enumerate().filter(|(_, t)| t.state != THREAD_FREE).collect()
}

/// Bytes from the start of the file to the end of the first `used` thread slots.
#[must_use]
pub fn threads_range(used: u64) -> std::ops::Range<usize> {
    let start = section_offset(Section::Threads as usize) * 8;
    let used = used.min(THREADS as u64) as usize;
    start..start + used * ThreadRecord::WORDS * 8
}

fn to_words(bytes: &[u8]) -> Vec<u64> {
    let words = bytes.chunks_exact(8);
    // Each chunk has eight bytes, so the conversion cannot fail; 0 is what a missing word reads as.
    words.map(|chunk| chunk.try_into().map_or(0, u64::from_ne_bytes)).collect()
}

fn decode_header(words: &[u64], bytes: usize) -> Result<HeaderRecord, SnapshotError> {
    if words.len() < HeaderRecord::WORDS {
        return Err(SnapshotError::Short { bytes });
    }
    let header = HeaderRecord::take(&mut &words[..]);
    if header.magic != MAGIC {
        return Err(SnapshotError::Magic { found: header.magic });
    }
    if header.version != VERSION {
        return Err(SnapshotError::Version { found: header.version });
    }
    Ok(header)
}

struct Reader<'w> {
    words: &'w [u64],
    header: &'w HeaderRecord,
    complaints: Vec<String>,
}

impl Reader<'_> {
    /// All records of a section that are within the bytes at hand.
    fn all<R: Words>(&mut self, section: Section) -> Vec<R> {
        self.records(section, |_| true)
    }

    /// Those of a table whose first word says that they are in use: tables are mostly empty.
    fn live<R: Words>(&mut self, section: Section) -> Vec<R> {
        self.records(section, |state| state == LIVE)
    }

    fn records<R: Words>(&mut self, section: Section, keep: impl Fn(u64) -> bool) -> Vec<R> {
        let (offset, words, count) = self.place(section);
        let mut records = Vec::new();
        for index in 0..count {
            let Some(mut record) =
                self.words.get(offset + index * words..offset + (index + 1) * words)
            else {
                self.complaints.push(format!(
                    "the file ends inside section {section:?}: {index} of {count} records read"
                ));
                break;
            };
            if record.first().is_some_and(|first| keep(*first)) {
                records.push(R::take(&mut record));
            }
        }
        records
    }

    /// The first `used` records of a section, with their index.
    fn used<R: Words>(&mut self, section: Section, used: u64) -> Vec<(usize, R)> {
        let count = SHAPES[section as usize].0;
        if used > count as u64 {
            self.complaints.push(format!("section {section:?} claims {used} of {count} records"));
        }
        let used = usize::try_from(used).unwrap_or(usize::MAX).min(count);
        self.all(section).into_iter().enumerate().take(used).collect()
    }

    /// Where a section is. The layout of this version is the only one accepted; a header that says
    /// otherwise is complained about, not followed.
    fn place(&mut self, section: Section) -> (usize, usize, usize) {
        let index = section as usize;
        let (count, words) = SHAPES[index];
        let offset = section_offset(index);
        if self.header.sections[index] != [offset as u64, words as u64, count as u64] {
            self.complaints.push(format!("the header misplaces section {section:?}"));
        }
        (offset, words, count)
    }

    fn calls(&mut self, threads: &Vec<(usize, ThreadRecord)>) -> (Vec<(usize, CallRecord)>, u64) {
        let (offset, words, _) = self.place(Section::Rings);
        let (mut calls, mut overwritten) = (Vec::new(), 0);
        for (slot, thread) in threads {
            let first = thread.ring_head.saturating_sub(RING_CALLS as u64);
            overwritten = u64::saturating_add(overwritten, first);
            for number in first..thread.ring_head {
                let place = slot * RING_CALLS + (number % RING_CALLS as u64) as usize;
                let start = offset + place * words;
                let Some(mut record) = self.words.get(start..start + words) else { continue };
                let call = CallRecord::take(&mut record);
                if call.at != 0 {
                    calls.push((*slot, call));
                }
            }
        }
        calls.sort_by_key(|(_, call)| call.at);
        (calls, overwritten)
    }

    fn batches(&mut self, queues: &[(usize, QueueRecord)]) -> Vec<(usize, BatchRecord)> {
        let (offset, words, _) = self.place(Section::Batches);
        let mut batches = Vec::new();
        for (queue, record) in queues {
            for place in 0..QUEUE_BATCHES {
                let start = offset + (queue * QUEUE_BATCHES + place) * words;
                let Some(mut words) = self.words.get(start..start + words) else { continue };
                let batch = BatchRecord::take(&mut words);
                let fits = batch.sequence % QUEUE_BATCHES as u64 == place as u64;
                if batch.sequence != 0 && fits && batch.sequence <= record.submitted {
                    batches.push((*queue, batch));
                } else if batch.sequence > record.submitted && fits {
                    // Written, and the queue's counter not yet: it will be there in the next copy.
                } else if batch.sequence != 0 && !fits {
                    self.complaints.push(format!("queue {queue} has a batch in the wrong place"));
                }
            }
        }
        batches.sort_by_key(|(queue, batch)| (*queue, batch.sequence));
        batches
    }

    fn marks(&mut self) -> Vec<MarkRecord> {
        let mut marks = self.all::<MarkRecord>(Section::Marks);
        marks.retain(|mark| mark.at != 0);
        marks.sort_by_key(|mark| mark.at);
        marks
    }
}
