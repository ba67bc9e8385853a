//! How does the layer write a black box? Typed views over shared memory, and a table that never blocks.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};

use super::layout::*;
use super::{MAGIC, VERSION};

/// Typed views over the memory of one black box.
#[derive(Clone, Copy)]
pub struct Blackbox<'m> {
    words: *const AtomicU64,
    memory: PhantomData<&'m [AtomicU64]>,
}

// SAFETY: the views hand out shared references to atomics only.
unsafe impl Send for Blackbox<'_> {}
// SAFETY: as above.
unsafe impl Sync for Blackbox<'_> {}

impl<'m> Blackbox<'m> {
    /// Views over memory that was formatted, or is about to be.
    ///
    /// # Safety
    /// `memory` points to [`BYTES`] bytes, aligned to 8, readable, writable and mapped for `'m`, and
    /// nobody in this process forms a non-atomic reference to them.
    #[must_use]
    pub unsafe fn over(memory: *mut u8) -> Self {
        Self { words: memory.cast::<AtomicU64>().cast_const(), memory: PhantomData }
    }

    /// Writes the header over zeroed memory; the magic comes last, so that a reader sees all or
    /// nothing.
    pub fn format(&self, pid: u32, start_ticks: u64, at: u64, unix_ns: u64, exe: &str) {
        let header = self.header();
        let set = |cell: &AtomicU64, word| cell.store(word, Ordering::Relaxed);
        set(&header.version, VERSION);
        set(&header.bytes, BYTES as u64);
        set(&header.pid, u64::from(pid));
        set(&header.start_ticks, start_ticks);
        set(&header.created_at, at);
        set(&header.created_unix_ns, unix_ns);
        store_words(&header.exe, &text_to_words::<8>(exe));
        for (index, (count, words)) in SHAPES.iter().enumerate() {
            let entry = [section_offset(index) as u64, *words as u64, *count as u64];
            store_words(&header.sections[index], &entry);
        }
        header.magic.store(MAGIC, Ordering::Release);
    }

    /// The header.
    #[must_use]
    pub fn header(&self) -> &'m HeaderCells {
        // SAFETY: the memory is at least a header page long (contract of `over`).
        unsafe { &*self.words.cast() }
    }

    /// The thread slots.
    #[must_use]
    pub fn threads(&self) -> &'m [ThreadCells] {
        self.section(Section::Threads)
    }

    /// The ring of thread slot `thread`.
    #[must_use]
    pub fn ring(&self, thread: usize) -> &'m [CallCells] {
        &self.section::<CallCells>(Section::Rings)[thread * RING_CALLS..][..RING_CALLS]
    }

    /// The devices.
    #[must_use]
    pub fn devices(&self) -> &'m [DeviceCells] {
        self.section(Section::Devices)
    }

    /// The queues.
    #[must_use]
    pub fn queues(&self) -> &'m [QueueCells] {
        self.section(Section::Queues)
    }

    /// The place of batch `sequence` of queue `queue`.
    #[must_use]
    pub fn batch(&self, queue: usize, sequence: u64) -> &'m BatchCells {
        let place = (sequence % QUEUE_BATCHES as u64) as usize;
        &self.section::<BatchCells>(Section::Batches)[queue * QUEUE_BATCHES + place]
    }

    /// The fences.
    #[must_use]
    pub fn fences(&self) -> Table<'m, FenceCells> {
        Table { entries: self.section(Section::Fences) }
    }

    /// The semaphores.
    #[must_use]
    pub fn semaphores(&self) -> Table<'m, SemaphoreCells> {
        Table { entries: self.section(Section::Semaphores) }
    }

    /// The swapchains.
    #[must_use]
    pub fn swapchains(&self) -> Table<'m, SwapchainCells> {
        Table { entries: self.section(Section::Swapchains) }
    }

    /// The injected faults.
    #[must_use]
    pub fn marks(&self) -> &'m [MarkCells] {
        self.section(Section::Marks)
    }

    fn section<C: Cells>(&self, section: Section) -> &'m [C] {
        let index = section as usize;
        debug_assert_eq!(size_of::<C>(), SHAPES[index].1 * 8);
        // SAFETY: the section lies within BYTES by construction of `section_offset`, and `C` is made
        // of atomics alone.
        unsafe {
            let first = self.words.add(section_offset(index)).cast::<C>();
            std::slice::from_raw_parts(first, SHAPES[index].0)
        }
    }
}

/// A record that stands in a [`Table`].
pub trait Entry: Cells {
    /// The word that holds [`LIVE`] and its like.
    fn state(&self) -> &AtomicU64;
    /// The handle.
    fn handle(&self) -> &AtomicU64;
    /// The device's index plus one.
    fn device(&self) -> &AtomicU64;
}

macro_rules! entry {
    ($cells:ty) => {
        impl Entry for $cells {
            fn state(&self) -> &AtomicU64 {
                &self.state
            }
            fn handle(&self) -> &AtomicU64 {
                &self.handle
            }
            fn device(&self) -> &AtomicU64 {
                &self.device
            }
        }
    };
}

entry!(FenceCells);
entry!(SemaphoreCells);
entry!(SwapchainCells);

/// An open-addressing hash table in shared memory: handle and device to record, without locks.
///
/// Vulkan makes creation and destruction of one handle exclusive, so two threads never insert the
/// same key; different keys race for an entry with one compare-and-swap. Probing is bounded by
/// [`Table::PROBES`]: a table too full around a key refuses it, and the caller counts the loss.
pub struct Table<'m, C> {
    entries: &'m [C],
}

impl<C> Clone for Table<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Table<'_, C> {}

impl<'m, C: Entry> Table<'m, C> {
    /// Entries looked at, at most.
    pub const PROBES: usize = 32;

    /// The entry of a live object.
    #[must_use]
    pub fn find(&self, device: u64, handle: u64) -> Option<&'m C> {
        for entry in self.window(device, handle) {
            match entry.state().load(Ordering::Acquire) {
                EMPTY => return None,
                LIVE if entry.handle().load(Ordering::Relaxed) == handle
                    && entry.device().load(Ordering::Relaxed) == device =>
                {
                    return Some(entry);
                }
                _ => {}
            }
        }
        None
    }

    /// Makes an entry; `fill` writes all fields but state, handle and device, old ones included.
    /// `None` when there is no room near the key.
    pub fn insert(&self, device: u64, handle: u64, fill: impl FnOnce(&C)) -> Option<&'m C> {
        let entry = self.window(device, handle).find(|entry| {
            let state = entry.state().load(Ordering::Relaxed);
            (state == EMPTY || state == DESTROYED)
                && entry
                    .state()
                    .compare_exchange(state, RESERVED, Ordering::AcqRel, Ordering::Relaxed)
                    .is_ok()
        })?;
        entry.handle().store(handle, Ordering::Relaxed);
        entry.device().store(device, Ordering::Relaxed);
        fill(entry);
        entry.state().store(LIVE, Ordering::Release);
        Some(entry)
    }

    /// Forgets an object.
    pub fn remove(&self, device: u64, handle: u64) {
        if let Some(entry) = self.find(device, handle) {
            entry.state().store(DESTROYED, Ordering::Release);
        }
    }

    /// Every live entry of a device.
    pub fn of_device(&self, device: u64) -> impl Iterator<Item = &'m C> {
        self.entries.iter().filter(move |entry| {
            entry.state().load(Ordering::Acquire) == LIVE
                && entry.device().load(Ordering::Relaxed) == device
        })
    }

    fn window(&self, device: u64, handle: u64) -> impl Iterator<Item = &'m C> {
        let entries = self.entries;
        let home = place(device, handle, entries.len());
        (0..Self::PROBES.min(entries.len()))
            .map(move |step| &entries[(home + step) % entries.len()])
    }
}

/// Fibonacci hashing; the low bits of handles are mostly zero.
fn place(device: u64, handle: u64, length: usize) -> usize {
    let mixed = (handle ^ device.rotate_right(8)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((mixed >> 32) as usize) % length
}

/// Zeroes a record that is being filled.
pub fn clear<C: Cells>(cells: &C) {
    let words = size_of::<C>() / 8;
    // SAFETY: `Cells` are made of atomics alone, so they can be seen as an array of them.
    let all =
        unsafe { std::slice::from_raw_parts(std::ptr::from_ref(cells).cast::<AtomicU64>(), words) };
    for cell in all {
        cell.store(0, Ordering::Relaxed);
    }
}
