//! Which words stand where in a black box? Each record is defined once, for writer and reader.
//!
//! A record `X` is plain numbers for the reader; `XCells` is the same as atomics for the writer.
//! Times are nanoseconds of `CLOCK_MONOTONIC`. Indexes into another section are stored plus one, so
//! that 0 means "none". Handles are Vulkan's, as the program sees them.

use std::sync::atomic::{AtomicU64, Ordering};

/// A type that is made of 64-bit words, and its twin made of atomics.
pub trait Words: Sized {
    /// The same words as atomics.
    type Cells;
    /// Takes the value off the front of `words`; missing words read as 0.
    fn take(words: &mut &[u64]) -> Self;
}

impl Words for u64 {
    type Cells = AtomicU64;

    fn take(words: &mut &[u64]) -> Self {
        let Some((first, rest)) = words.split_first() else { return 0 };
        *words = rest;
        *first
    }
}

impl<T: Words, const N: usize> Words for [T; N] {
    type Cells = [T::Cells; N];

    fn take(words: &mut &[u64]) -> Self {
        std::array::from_fn(|_| T::take(words))
    }
}

macro_rules! record {
    (
        $(#[$about:meta])*
        $name:ident, $cells:ident {
            $($(#[$field_about:meta])* $field:ident: $type:ty,)*
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name {
            $($(#[$field_about])* pub $field: $type,)*
        }

        #[doc = concat!("[`", stringify!($name), "`] as the writer sees it.")]
        #[repr(C)]
        #[allow(missing_docs, reason = "the fields are documented on the plain record")]
        pub struct $cells {
            $(pub $field: <$type as Words>::Cells,)*
        }

        impl $name {
            /// Size of the record in the file, in words.
            pub const WORDS: usize = size_of::<$cells>() / 8;
        }

        impl Words for $name {
            type Cells = $cells;

            fn take(words: &mut &[u64]) -> Self {
                Self { $($field: <$type>::take(words),)* }
            }
        }

        // SAFETY: `repr(C)` and made of `AtomicU64` alone, so any bytes are a value.
        unsafe impl Cells for $cells {}
    };
}

mod device;
mod faults;
mod objects;
mod process;

pub use device::*;
pub use faults::*;
pub use objects::*;
pub use process::*;

/// A record of atomics that may be laid over zeroed shared memory.
///
/// # Safety
/// The type must consist of `AtomicU64` alone, without padding.
pub unsafe trait Cells {}

// SAFETY: it is the word itself.
unsafe impl Cells for AtomicU64 {}

/// Number of sections.
pub const SECTIONS: usize = 9;

/// The sections, by their place in [`HeaderRecord::sections`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Section {
    /// [`ThreadRecord`]s.
    Threads = 0,
    /// [`CallRecord`]s: [`RING_CALLS`] for each thread.
    Rings = 1,
    /// [`DeviceRecord`]s.
    Devices = 2,
    /// [`QueueRecord`]s.
    Queues = 3,
    /// [`BatchRecord`]s: [`QUEUE_BATCHES`] for each queue, batch `n` at `n % QUEUE_BATCHES`.
    Batches = 4,
    /// [`FenceRecord`]s.
    Fences = 5,
    /// [`SemaphoreRecord`]s.
    Semaphores = 6,
    /// [`SwapchainRecord`]s.
    Swapchains = 7,
    /// [`MarkRecord`]s.
    Marks = 8,
}

/// Threads that a black box has room for; the slots of exited ones are used again.
pub const THREADS: usize = 256;
/// Finished calls kept for each thread.
pub const RING_CALLS: usize = 256;
/// Devices.
pub const DEVICES: usize = 32;
/// Queues, over all devices.
pub const QUEUES: usize = 64;
/// Batches kept for each queue.
pub const QUEUE_BATCHES: usize = 128;
/// Semaphore operations kept for each batch and direction.
pub const BATCH_OPS: usize = 8;
/// Fences alive at one time.
pub const FENCES: usize = 8192;
/// Semaphores alive at one time.
pub const SEMAPHORES: usize = 8192;
/// Swapchains alive at one time.
pub const SWAPCHAINS: usize = 64;
/// Images kept for each swapchain.
pub const SWAPCHAIN_IMAGES: usize = 16;
/// Injected faults on record.
pub const MARKS: usize = 64;
/// Handles kept of a call in flight.
pub const SLOT_HANDLES: usize = 8;
/// Failed calls kept for each thread.
pub const FAILURES: usize = 4;
/// Words of a label: 40 bytes of UTF-8, cut, zero-padded.
pub const LABEL_WORDS: usize = 5;

/// Words of the header page.
pub const HEADER_WORDS: usize = 512;

/// Records and words of a record, for each section, in order.
pub const SHAPES: [(usize, usize); SECTIONS] = [
    (THREADS, ThreadRecord::WORDS),
    (THREADS * RING_CALLS, CallRecord::WORDS),
    (DEVICES, DeviceRecord::WORDS),
    (QUEUES, QueueRecord::WORDS),
    (QUEUES * QUEUE_BATCHES, BatchRecord::WORDS),
    (FENCES, FenceRecord::WORDS),
    (SEMAPHORES, SemaphoreRecord::WORDS),
    (SWAPCHAINS, SwapchainRecord::WORDS),
    (MARKS, MarkRecord::WORDS),
];

/// Word offset of a section in a file of this version. Sections begin on a page.
#[must_use]
pub const fn section_offset(section: usize) -> usize {
    let mut offset = HEADER_WORDS;
    let mut index = 0;
    while index < section {
        let words = SHAPES[index].0 * SHAPES[index].1;
        offset += words.div_ceil(512) * 512;
        index += 1;
    }
    offset
}

/// Size of a black box in bytes. The file is sparse: pages that nothing was written to take none.
pub const BYTES: usize = section_offset(SECTIONS) * 8;

/// UTF-8 text as words, cut to fit at a character boundary.
#[must_use]
pub fn text_to_words<const N: usize>(text: &str) -> [u64; N] {
    let mut end = text.len().min(N * 8);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut chunks = text.as_bytes()[..end].chunks(8);
    std::array::from_fn(|_| {
        let mut word = [0; 8];
        let chunk = chunks.next().unwrap_or_default();
        word[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(word)
    })
}

/// The text in these words, whatever they hold: control characters and broken UTF-8 are replaced.
#[must_use]
pub fn words_to_text(words: &[u64]) -> String {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let text = String::from_utf8_lossy(&bytes[..end]);
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Stores words one by one; for fields that are arrays.
pub fn store_words(cells: &[AtomicU64], words: &[u64]) {
    for (cell, word) in cells.iter().zip(words) {
        cell.store(*word, Ordering::Relaxed);
    }
}
