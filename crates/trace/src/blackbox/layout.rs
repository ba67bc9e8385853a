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

record! {
    /// The first page.
    HeaderRecord, HeaderCells {
        /// [`MAGIC`](super::MAGIC).
        magic: u64,
        /// [`VERSION`](super::VERSION).
        version: u64,
        /// Size of the file in bytes.
        bytes: u64,
        /// Process id of the patient.
        pid: u64,
        /// Field 22 of `/proc/PID/stat`: with the pid it names the process for good.
        start_ticks: u64,
        /// When the box was opened.
        created_at: u64,
        /// The same moment, in nanoseconds since 1970.
        created_unix_ns: u64,
        /// The program's name, UTF-8, zero-padded.
        exe: [u64; 8],
        /// [`FLAG_CRUMBS`] and its like.
        flags: u64,
        /// Thread slots that were ever used.
        threads_used: u64,
        /// Device records that were ever used.
        devices_used: u64,
        /// Queue records that were ever used.
        queues_used: u64,
        /// Thread id of the layer's own thread.
        helper_tid: u64,
        /// Outsiders add one and wake this word to ask for a sample of the breadcrumbs.
        sample_request: u64,
        /// The last request that was answered.
        sample_done: u64,
        /// When the breadcrumbs were last sampled.
        sampled_at: u64,
        /// Bit n: outsiders ask that device n be failed (mode *fail* only).
        fail_devices: u64,
        /// Threads that found no slot.
        threads_lost: u64,
        /// Fences, semaphores, swapchains, queues and devices that found no room.
        objects_lost: u64,
        /// Batches whose semaphore operations did not fit a record.
        operations_lost: u64,
        /// Waits on fences that succeeded.
        fence_waits_reached: u64,
        /// Those of a fence whose debtor is on record.
        fence_waits_explained: u64,
        /// Waits on timeline semaphores that succeeded.
        semaphore_waits_reached: u64,
        /// Those of a value whose debtor is on record.
        semaphore_waits_explained: u64,
        /// Marks written; the last [`MARKS`] of them are kept.
        marks_head: u64,
        /// For each section: word offset, words of a record, records.
        sections: [[u64; 3]; SECTIONS],
    }
}

/// Breadcrumbs were asked for.
pub const FLAG_CRUMBS: u64 = 1;
/// Faults are injected.
pub const FLAG_INJECT: u64 = 2;
/// The process ended its use of Vulkan in good order.
pub const FLAG_CLOSED: u64 = 4;
/// Waits may be failed from outside.
pub const FLAG_FAIL_MODE: u64 = 8;

/// A thread slot that was never used.
pub const THREAD_FREE: u64 = 0;
/// The thread lives.
pub const THREAD_ALIVE: u64 = 1;
/// The thread has exited.
pub const THREAD_EXITED: u64 = 2;

record! {
    /// One thread of the program: the call it is in, the polls it goes round in, its failures.
    ThreadRecord, ThreadCells {
        /// Thread id.
        tid: u64,
        /// [`THREAD_ALIVE`] and its like.
        state: u64,
        /// The thread's comm when first seen.
        name: [u64; 2],
        /// When first seen.
        started_at: u64,
        /// When it exited.
        exited_at: u64,
        /// Calls begun: names the call in flight; odd while the slot is being written.
        slot_sequence: u64,
        /// [`Call`](super::Call) in flight, or 0.
        slot_call: u64,
        /// Device index plus one.
        slot_device: u64,
        /// When the call began (a coarse clock: up to 10 ms early).
        slot_began_at: u64,
        /// The call's timeout in nanoseconds; all ones is infinite.
        slot_timeout: u64,
        /// [`SLOT_ANY`] and its like.
        slot_flags: u64,
        /// Handles that the call was given.
        slot_count: u64,
        /// The first of them.
        slot_handles: [u64; SLOT_HANDLES],
        /// Their values, where they have any.
        slot_values: [u64; SLOT_HANDLES],
        /// The call of the present run of unsuccessful polls or timed-out waits, or 0.
        poll_call: u64,
        /// Device index plus one.
        poll_device: u64,
        /// The first object of the polls.
        poll_handle: u64,
        /// The value waited for, where there is one.
        poll_value: u64,
        /// When the run began.
        poll_first_at: u64,
        /// A recent moment in the run.
        poll_last_at: u64,
        /// Polls in the run.
        poll_count: u64,
        /// Time spent inside timed waits of the run, in nanoseconds.
        poll_waited_ns: u64,
        /// When the thread last submitted, presented, acquired or had a wait succeed.
        progress_at: u64,
        /// With which call.
        progress_call: u64,
        /// How often.
        progress_count: u64,
        /// Failed calls so far; the last [`FAILURES`] are kept.
        failures_head: u64,
        /// Call, result, time, and up to two handles of each failed call.
        failures: [[u64; 5]; FAILURES],
        /// Finished calls so far; the last [`RING_CALLS`] are kept.
        ring_head: u64,
        /// Room for later.
        spare: [u64; 2],
    }
}

/// The wait in flight needs any one of its objects, not all.
pub const SLOT_ANY: u64 = 1;

record! {
    /// A finished call, in the ring of its thread.
    CallRecord, CallCells {
        /// When it began.
        at: u64,
        /// Nanoseconds it took; 0 where it was not measured.
        duration: u64,
        /// Which [`Call`](super::Call).
        call: u64,
        /// Device index plus one.
        device: u64,
        /// The first handle it was given.
        handle: u64,
        /// A batch number, a value, an image: whatever the call is about.
        value: u64,
        /// `VkResult`, as a sign-extended word.
        result: u64,
        /// Polls that this entry stands for.
        count: u64,
    }
}

record! {
    /// A `VkDevice`.
    DeviceRecord, DeviceCells {
        /// [`LIVE`] and its like.
        state: u64,
        /// Handle.
        handle: u64,
        /// When it was made.
        created_at: u64,
        /// [`CRUMBS_ON`] and its like.
        crumbs: u64,
        /// When a call first returned `VK_ERROR_DEVICE_LOST`; 0 if none did.
        lost_at: u64,
        /// Which call did.
        lost_call: u64,
        /// `VkPhysicalDeviceType`.
        device_type: u64,
        /// PCI vendor id.
        vendor: u64,
        /// The device's name, UTF-8.
        name: [u64; 8],
        /// `VkDriverId`, 0 if unknown.
        driver: u64,
        /// Thread that made it.
        created_tid: u64,
        /// Room for later.
        spare: [u64; 6],
    }
}

/// Breadcrumbs are left in every submit.
pub const CRUMBS_ON: u64 = 1;
/// They were switched off.
pub const CRUMBS_OFF: u64 = 2;
/// The device lacks timeline semaphores.
pub const CRUMBS_NO_TIMELINE: u64 = 3;
/// The program's own feature structures could not be extended safely.
pub const CRUMBS_UNKNOWN_CHAIN: u64 = 4;

record! {
    /// A `VkQueue`. Batches are numbered from 1 in submission order.
    QueueRecord, QueueCells {
        /// [`LIVE`] and its like.
        state: u64,
        /// Handle.
        handle: u64,
        /// Device index plus one.
        device: u64,
        /// Queue family.
        family: u64,
        /// Index in the family.
        index: u64,
        /// The last batch submitted.
        submitted: u64,
        /// The last batch known to have passed: breadcrumb, fence, or wait.
        reached: u64,
        /// When that was last seen to change.
        reached_at: u64,
        /// When the breadcrumb was last read.
        sampled_at: u64,
        /// The last batch that carries a breadcrumb.
        crumbed: u64,
        /// The debug name.
        label: [u64; LABEL_WORDS],
        /// Room for later.
        spare: u64,
    }
}

/// `vkQueueSubmit` or `vkQueueSubmit2`.
pub const BATCH_SUBMIT: u64 = 1;
/// `vkQueueBindSparse`.
pub const BATCH_SPARSE: u64 = 2;
/// `vkQueuePresentKHR`: waits, then hands an image to the presentation engine.
pub const BATCH_PRESENT: u64 = 3;

/// The batch carries a breadcrumb.
pub const BATCH_CRUMB: u64 = 1;
/// Some of its semaphore operations did not fit the record.
pub const BATCH_TRUNCATED: u64 = 2;
/// An injected fault keeps it from executing.
pub const BATCH_HELD: u64 = 4;
/// An injected fault took a signal away.
pub const BATCH_DROPPED: u64 = 8;

record! {
    /// One `VkSubmitInfo`, `VkBindSparseInfo` or present, in its queue's ring.
    BatchRecord, BatchCells {
        /// Its number; 0 while it is being written.
        sequence: u64,
        /// [`BATCH_SUBMIT`] and its like.
        kind: u64,
        /// When it was submitted.
        at: u64,
        /// By which thread.
        tid: u64,
        /// The fence it signals, or 0.
        fence: u64,
        /// [`BATCH_CRUMB`] and its like.
        flags: u64,
        /// Semaphores it waits for.
        wait_count: u64,
        /// Semaphores it signals.
        signal_count: u64,
        /// Command buffers in it.
        command_buffers: u64,
        /// Semaphore and value (or ordinal) of each wait.
        waits: [[u64; 2]; BATCH_OPS],
        /// Semaphore and value (or ordinal) of each signal.
        signals: [[u64; 2]; BATCH_OPS],
        /// Swapchain of a present, or 0.
        swapchain: u64,
        /// Room for later.
        spare: [u64; 6],
    }
}

/// A table entry that was never used.
pub const EMPTY: u64 = 0;
/// A table entry whose object was destroyed.
pub const DESTROYED: u64 = 1;
/// A table entry that is being filled.
pub const RESERVED: u64 = 2;
/// A table entry in use.
pub const LIVE: u64 = 3;

/// The object was created signalled.
pub const OBJECT_CREATED_SIGNALLED: u64 = 1;
/// Its payload was imported.
pub const OBJECT_IMPORTED: u64 = 2;
/// Its payload was exported.
pub const OBJECT_EXPORTED: u64 = 4;
/// An injected fault took its last signal away.
pub const OBJECT_DROPPED: u64 = 8;
/// It is signalled by something that the layer does not follow.
pub const OBJECT_FOREIGN: u64 = 16;

/// Nobody owes it a signal.
pub const ARMED_NONE: u64 = 0;
/// A batch owes it.
pub const ARMED_QUEUE: u64 = 1;
/// The presentation engine owes it.
pub const ARMED_ACQUIRE: u64 = 2;
/// Something outside owes it.
pub const ARMED_OUTSIDE: u64 = 3;

record! {
    /// A `VkFence`.
    FenceRecord, FenceCells {
        /// [`LIVE`] and its like.
        state: u64,
        /// Handle.
        handle: u64,
        /// Device index plus one.
        device: u64,
        /// [`OBJECT_IMPORTED`] and its like.
        flags: u64,
        /// When it was made.
        created_at: u64,
        /// Who owes its present signal: [`ARMED_QUEUE`] and its like.
        armed_by: u64,
        /// Queue index plus one; or the swapchain's handle.
        armed_queue: u64,
        /// Batch.
        armed_batch: u64,
        /// When.
        armed_at: u64,
        /// By which thread.
        armed_tid: u64,
        /// When the program last saw it signalled; 0 if never since its reset.
        signalled_at: u64,
        /// When it was last reset.
        reset_at: u64,
        /// By which thread.
        reset_tid: u64,
        /// Times it was given to a submit or an acquire.
        arms: u64,
        /// Times it was reset.
        resets: u64,
        /// The last call that failed and was to arm it.
        failed_call: u64,
        /// Its result.
        failed_result: u64,
        /// When.
        failed_at: u64,
        /// The debug name.
        label: [u64; LABEL_WORDS],
        /// Room for later.
        spare: u64,
    }
}

/// A binary semaphore.
pub const SEMAPHORE_BINARY: u64 = 1;
/// A timeline semaphore.
pub const SEMAPHORE_TIMELINE: u64 = 2;

record! {
    /// A `VkSemaphore`.
    SemaphoreRecord, SemaphoreCells {
        /// [`LIVE`] and its like.
        state: u64,
        /// Handle.
        handle: u64,
        /// Device index plus one.
        device: u64,
        /// [`OBJECT_IMPORTED`] and its like.
        flags: u64,
        /// When it was made.
        created_at: u64,
        /// [`SEMAPHORE_BINARY`] or [`SEMAPHORE_TIMELINE`].
        kind: u64,
        /// Binary: signal operations handed out so far.
        signal_operations: u64,
        /// Binary: wait operations handed out so far.
        wait_operations: u64,
        /// Who owes the last signal: [`ARMED_QUEUE`] and its like.
        armed_by: u64,
        /// Queue index plus one; or the swapchain's handle.
        armed_queue: u64,
        /// Batch.
        armed_batch: u64,
        /// When.
        armed_at: u64,
        /// By which thread.
        armed_tid: u64,
        /// Timeline: the highest value known to be reached.
        value: u64,
        /// When it was.
        value_at: u64,
        /// The last two different threads that signalled it from the host.
        host_tids: [u64; 2],
        /// With which value.
        host_values: [u64; 2],
        /// When.
        host_at: [u64; 2],
        /// The last two different threads that submitted a signal of it.
        submit_tids: [u64; 2],
        /// The last call that failed and was to signal it.
        failed_call: u64,
        /// Its result.
        failed_result: u64,
        /// When.
        failed_at: u64,
        /// The debug name.
        label: [u64; LABEL_WORDS],
        /// Timeline: the value it was created with.
        initial: u64,
    }
}

/// The presentation engine has the image.
pub const IMAGE_ENGINE: u64 = 0;
/// The program has it.
pub const IMAGE_PROGRAM: u64 = 1;
/// It was presented by a batch: the queue's index plus one is in bits 8 to 31, the batch above.
pub const IMAGE_PRESENTED: u64 = 2;

record! {
    /// A `VkSwapchainKHR`.
    SwapchainRecord, SwapchainCells {
        /// [`LIVE`] and its like.
        state: u64,
        /// Handle.
        handle: u64,
        /// Device index plus one.
        device: u64,
        /// [`OBJECT_DROPPED`] when images are withheld on purpose.
        flags: u64,
        /// When it was made.
        created_at: u64,
        /// Images it has.
        images: u64,
        /// `minImageCount` of the surface's capabilities; 0 if unknown.
        images_min: u64,
        /// Acquires that succeeded.
        acquires: u64,
        /// Presents.
        presents: u64,
        /// When an image was last acquired.
        acquired_at: u64,
        /// When one was last presented.
        presented_at: u64,
        /// [`IMAGE_ENGINE`] and its like, for each image.
        image_states: [u64; SWAPCHAIN_IMAGES],
        /// The debug name.
        label: [u64; LABEL_WORDS],
        /// `VkPresentModeKHR`.
        present_mode: u64,
        /// Kind of its surface: [`PLATFORM_XCB`] and its like; 0 if unknown.
        platform: u64,
        /// The window's id where the platform has ids; 0 otherwise.
        window: u64,
    }
}

/// X11 through XCB.
pub const PLATFORM_XCB: u64 = 1;
/// X11 through Xlib.
pub const PLATFORM_XLIB: u64 = 2;
/// Wayland.
pub const PLATFORM_WAYLAND: u64 = 3;
/// No window at all.
pub const PLATFORM_HEADLESS: u64 = 4;
/// A display driven directly.
pub const PLATFORM_DISPLAY: u64 = 5;

record! {
    /// A fault that was injected.
    MarkRecord, MarkCells {
        /// When.
        at: u64,
        /// Its number in the fault table of the command ([`Fault`]).
        fault: u64,
        /// The call it struck.
        call: u64,
        /// The object it struck.
        handle: u64,
        /// Which occurrence that was.
        ordinal: u64,
        /// On which thread.
        tid: u64,
        /// Device index plus one.
        device: u64,
        /// Room for later.
        spare: u64,
    }
}

/// The faults, as numbers and as the names a user gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Fault {
    /// A fence's or a semaphore's signal never comes.
    DropSignal = 1,
    /// It comes late.
    DelaySignal = 2,
    /// An acquire times out.
    AcquireTimeout = 3,
    /// An acquire or a present returns `VK_ERROR_OUT_OF_DATE_KHR`.
    OutOfDate = 4,
    /// An acquire or a present returns `VK_SUBOPTIMAL_KHR`.
    Suboptimal = 5,
    /// The device is lost, and stays lost.
    DeviceLost = 6,
    /// A submit does not begin to execute.
    HoldSubmit = 7,
    /// The presentation engine gives no image any more.
    WithholdImages = 8,
    /// A submit fails and does nothing.
    FailSubmit = 9,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 9] = [
        Self::DropSignal,
        Self::DelaySignal,
        Self::AcquireTimeout,
        Self::OutOfDate,
        Self::Suboptimal,
        Self::DeviceLost,
        Self::HoldSubmit,
        Self::WithholdImages,
        Self::FailSubmit,
    ];

    /// The name in `--inject`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DropSignal => "drop-signal",
            Self::DelaySignal => "delay-signal",
            Self::AcquireTimeout => "acquire-timeout",
            Self::OutOfDate => "out-of-date",
            Self::Suboptimal => "suboptimal",
            Self::DeviceLost => "device-lost",
            Self::HoldSubmit => "hold-submit",
            Self::WithholdImages => "withhold-images",
            Self::FailSubmit => "fail-submit",
        }
    }

    /// The fault with this number.
    #[must_use]
    pub fn from_word(word: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| *fault as u64 == word)
    }
}

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
