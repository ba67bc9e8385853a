//! What is known of devices, queues and the batches on them.

use super::{BATCH_OPS, Cells, LABEL_WORDS, Words};

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
