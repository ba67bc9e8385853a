//! How is a pipe, or what comes out of a decompressor, cut into blocks of whole lines?

use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use memchr::{memchr, memrchr};
use unwedge_readers::LINE_BYTES_MAX;

use super::feed::{Block, Feed, Hold};

/// Text that can be read once, from its beginning to its end.
pub(super) struct Stream {
    source: Box<dyn Read + Send>,
    /// Bytes that are read and in no block yet.
    carry: Vec<u8>,
    /// Nothing more comes.
    ended: bool,
    /// Why not, if that is not the proper end.
    trouble: Option<String>,
    stored: Stored,
    /// Bytes of text that came so far.
    came: u64,
}

/// How far the bytes below a stream were read, before they were decompressed.
#[derive(Clone, Debug, Default)]
pub(super) struct Stored {
    /// Read so far.
    pub(super) passed: Arc<AtomicU64>,
    /// All there are, if that is known.
    pub(super) total: Option<u64>,
}

impl Stream {
    /// Reads the beginning, up to `start_bytes`.
    pub(super) fn open(source: Box<dyn Read + Send>, stored: Stored, start_bytes: usize) -> Self {
        let (carry, ended, trouble, came) = Default::default();
        let mut stream = Self { source, carry, ended, trouble, stored, came };
        let mut start = Vec::new();
        stream.fill(&mut start, start_bytes);
        stream.carry = start;
        stream
    }

    /// The beginning.
    pub(super) fn start(&self) -> &[u8] {
        &self.carry
    }

    /// Leaves out the first bytes of the beginning.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.carry.drain(..bytes.min(self.carry.len()));
    }

    /// Why nothing came after the beginning, if that is not the proper end.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Reads until the buffer has so many bytes, or to the end.
    fn fill(&mut self, buffer: &mut Vec<u8>, length: usize) {
        let wanted = length.saturating_sub(buffer.len());
        if self.ended || wanted == 0 {
            return;
        }
        let before = buffer.len();
        let read = self.source.by_ref().take(wanted as u64).read_to_end(buffer);
        self.came += (buffer.len() - before) as u64;
        self.ended = buffer.len() - before < wanted;
        if let Err(error) = read {
            let text = super::compressed::in_words(&error);
            self.trouble = Some(format!("it breaks off after {} bytes: {text}", self.came));
            self.ended = true;
        }
    }
}

/// Blocks of a stream.
pub(super) struct StreamFeed {
    cutter: Mutex<Cutter>,
    block_bytes: usize,
    stored: Stored,
}

struct Cutter {
    stream: Stream,
    number: u64,
    /// What comes next belongs to a line that is left out.
    in_gigantic: bool,
}

impl StreamFeed {
    pub(super) fn new(stream: Stream, block_bytes: usize) -> Self {
        let stored = stream.stored.clone();
        let cutter = Mutex::new(Cutter { stream, number: 0, in_gigantic: false });
        Self { cutter, block_bytes: block_bytes.max(1), stored }
    }

    /// A panic of another worker is passed on by the scope that runs it; the stream stands where it was.
    fn lock(&self) -> MutexGuard<'_, Cutter> {
        self.cutter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Feed for StreamFeed {
    fn claim(&self, hold: &mut Hold, buffer: &mut Vec<u8>) -> Option<Block> {
        let mut cutter = self.lock();
        let block = cutter.cut(buffer, self.block_bytes)?;
        // One at a time: more would make the others wait.
        hold.number = block.number;
        cutter.number += 1;
        Some(block)
    }

    fn passed(&self) -> u64 {
        self.stored.passed.load(Ordering::Relaxed)
    }

    fn total(&self) -> Option<u64> {
        self.stored.total
    }
}

impl Cutter {
    fn cut(&mut self, buffer: &mut Vec<u8>, block_bytes: usize) -> Option<Block> {
        buffer.clear();
        buffer.append(&mut self.stream.carry);
        let skipped = self.skip_gigantic(buffer, block_bytes);
        let (mut wanted, mut searched) = (block_bytes, 0);
        let (lines, then_gigantic) = loop {
            self.stream.fill(buffer, wanted);
            let end = memrchr(b'\n', &buffer[searched..]).map_or(0, |at| searched + at + 1);
            if self.stream.ended {
                break (0..buffer.len(), false);
            }
            if buffer.len() - end > LINE_BYTES_MAX {
                self.in_gigantic = true;
                break (0..end, true);
            }
            if end > 0 {
                self.stream.carry.extend_from_slice(&buffer[end..]);
                break (0..end, false);
            }
            (wanted, searched) = (buffer.len() + block_bytes, buffer.len());
        };
        let trouble = self.stream.trouble.take();
        let bytes = skipped + (buffer.len() - self.stream.carry.len()) as u64;
        let block = Block { number: self.number, lines, then_gigantic, bytes, trouble };
        (bytes > 0 || block.trouble.is_some()).then_some(block)
    }

    /// Drops the rest of a line that is left out, and says how much that was. Bytes.
    fn skip_gigantic(&mut self, buffer: &mut Vec<u8>, block_bytes: usize) -> u64 {
        let mut skipped = 0;
        while self.in_gigantic {
            self.stream.fill(buffer, block_bytes);
            let newline = memchr(b'\n', buffer);
            self.in_gigantic = newline.is_none() && !self.stream.ended;
            let gone = newline.map_or(buffer.len(), |at| at + 1);
            buffer.drain(..gone);
            skipped += gone as u64;
        }
        skipped
    }
}
