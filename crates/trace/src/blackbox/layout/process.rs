//! What is known of the process and its threads: the header, slots, finished calls.

use super::{Cells, FAILURES, SECTIONS, SLOT_HANDLES, Words};

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
