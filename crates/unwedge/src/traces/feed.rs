//! How is an input cut into blocks of whole lines?
//!
//! Workers claim block after block. A regular file has no bottleneck: each worker reads at its own place and finds the
//! lines' borders itself. A stream is read by whoever claims, one at a time, while the others work on what they have.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::atomic::{AtomicU64, Ordering};

use memchr::{memchr, memrchr};
use rustix::fs::{Advice, SeekFrom};
use unwedge_readers::LINE_BYTES_MAX;

/// A stretch of whole lines in the buffer of who claimed it.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// Its place among the blocks, from 0; none is left out.
    pub(super) number: u64,
    /// Where it lies in the buffer. May be empty.
    pub(super) lines: Range<usize>,
    /// Behind it comes a line that is left out because it is longer than [`LINE_BYTES_MAX`].
    pub(super) then_gigantic: bool,
    /// Bytes of text that it accounts for, those left out included.
    pub(super) bytes: u64,
    /// What went wrong with reading: lower case, no full stop.
    pub(super) trouble: Option<String>,
}

/// The blocks that a worker has taken on.
#[derive(Debug)]
pub(super) struct Hold {
    /// Most of them at once.
    most: u64,
    blocks: Range<u64>,
    /// Its place among all that workers take on, from 0; none is left out.
    pub(super) number: u64,
}

impl Hold {
    /// One that takes on as many blocks at once.
    pub(super) fn new(most: u64) -> Self {
        Self { most: most.max(1), blocks: 0..0, number: 0 }
    }

    /// Whether all that was taken on is done.
    pub(super) fn is_done(&self) -> bool {
        self.blocks.is_empty()
    }
}

/// Where blocks come from.
pub(super) trait Feed: Send + Sync {
    /// Puts the next block of `hold` into `buffer`, whatever earlier claims left in it; none at the end. An empty hold is
    /// filled with blocks that follow each other, as far as they can be had without making others wait.
    fn claim(&self, hold: &mut Hold, buffer: &mut Vec<u8>) -> Option<Block>;

    /// Bytes, as they are stored, that were read so far.
    fn passed(&self) -> u64;

    /// Bytes, as they are stored, of the whole, if that is known.
    fn total(&self) -> Option<u64>;
}

/// Read beyond a block's end in the same call: most lines end within it. Bytes.
const TAIL_BYTES: u64 = 4096;
/// Read further when a line does not. Bytes.
const MORE_BYTES: u64 = 64 << 10;

/// A regular file, up to the length that it had when it was opened.
pub(super) struct FileFeed {
    file: File,
    /// Where the text begins and ends.
    text: Range<u64>,
    block_bytes: u64,
    next: AtomicU64,
    passed: AtomicU64,
}

impl FileFeed {
    pub(super) fn new(file: File, text: Range<u64>, block_bytes: usize) -> Self {
        // Only advice: it lets the kernel read further ahead.
        let _ = rustix::fs::fadvise(&file, text.start, None, Advice::Sequential);
        let (next, passed) = Default::default();
        Self { file, text, block_bytes: block_bytes.max(1) as u64, next, passed }
    }

    /// The lines that begin in `place`.
    fn lines(&self, place: &Range<u64>, buffer: &mut Vec<u8>) -> Block {
        let first = place.start == self.text.start;
        // The byte before tells whether a line begins with the first byte.
        let from = if first { place.start } else { place.start - 1 };
        if !first && self.is_hole(from..place.end) {
            return Block::default();
        }
        let mut view =
            View { file: &self.file, from, end: self.text.end, buffer, length: 0, trouble: None };
        view.reach(place.end - from + TAIL_BYTES);
        // A newline as the last byte of the place lets the next line begin in the next place.
        let mut searched = usize_of(place.end - 1 - from).min(view.length);
        let before_last = &view.bytes()[..searched];
        let begin = if first { Some(0) } else { memchr(b'\n', before_last).map(|at| at + 1) };
        let Some(begin) = begin else {
            return Block { trouble: view.trouble, ..Block::default() };
        };
        let last_line = memrchr(b'\n', before_last).map_or(0, |at| at + 1);
        let (end, then_gigantic) = loop {
            if let Some(at) = memchr(b'\n', &view.bytes()[searched..]) {
                break (searched + at + 1, false);
            }
            searched = view.length;
            if searched - last_line > LINE_BYTES_MAX {
                break (last_line, true);
            }
            if !view.reach(searched as u64 + MORE_BYTES) {
                break (searched, false);
            }
        };
        Block { lines: begin..end, then_gigantic, trouble: view.trouble, ..Block::default() }
    }

    /// Whether nothing was ever written there. It reads as zeros, and no line begins in them.
    fn is_hole(&self, place: Range<u64>) -> bool {
        match rustix::fs::seek(&self.file, SeekFrom::Data(place.start)) {
            Ok(data) => data >= place.end,
            // No data up to the end, which may have come nearer meanwhile.
            Err(rustix::io::Errno::NXIO) => {
                self.file.metadata().is_ok_and(|metadata| metadata.len() >= place.end)
            }
            Err(_) => false,
        }
    }
}

impl Feed for FileFeed {
    fn claim(&self, hold: &mut Hold, buffer: &mut Vec<u8>) -> Option<Block> {
        if hold.is_done() {
            let first = self.next.fetch_add(hold.most, Ordering::Relaxed);
            hold.blocks = first..first.saturating_add(hold.most);
            hold.number = first / hold.most;
        }
        let number = hold.blocks.next()?;
        let start = number.checked_mul(self.block_bytes)?.checked_add(self.text.start)?;
        let place = start..start.saturating_add(self.block_bytes).min(self.text.end);
        let bytes = place.end.checked_sub(place.start).filter(|bytes| *bytes > 0)?;
        let block = self.lines(&place, buffer);
        self.passed.fetch_add(bytes, Ordering::Relaxed);
        Some(Block { number, bytes, ..block })
    }

    fn passed(&self) -> u64 {
        self.passed.load(Ordering::Relaxed)
    }

    fn total(&self) -> Option<u64> {
        Some(self.text.end - self.text.start)
    }
}

/// A part of a file, read as far as somebody wants to see.
struct View<'a> {
    file: &'a File,
    from: u64,
    /// Where the file ended when it was opened.
    end: u64,
    buffer: &'a mut Vec<u8>,
    length: usize,
    trouble: Option<String>,
}

impl View<'_> {
    fn bytes(&self) -> &[u8] {
        &self.buffer[..self.length]
    }

    /// Reads up to a length; says whether there is more to see than before.
    fn reach(&mut self, length: u64) -> bool {
        let (before, wanted) = (self.length, usize_of(length.min(self.end - self.from)));
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        while self.length < wanted && self.trouble.is_none() {
            let at = self.from + self.length as u64;
            match self.file.read_at(&mut self.buffer[self.length..wanted], at) {
                Ok(0) => self.trouble = Some("it became shorter while it was read".to_owned()),
                Ok(read) => self.length += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => self.trouble = Some(format!("a part of it cannot be read: {error}")),
            }
        }
        self.length > before
    }
}

/// A length in memory. What does not fit could not be allocated either.
fn usize_of(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}
