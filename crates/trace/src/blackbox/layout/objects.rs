//! What is known of fences, semaphores and swapchains.

use super::{Cells, LABEL_WORDS, SWAPCHAIN_IMAGES, Words};

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
