//! What was handed to a queue? Every submit info becomes a batch of the black box, before the driver
//! sees it: a submit that hangs is on record.

pub(crate) mod delay;
pub(crate) mod edit;

use std::sync::atomic::{AtomicU64, Ordering};

use ash::vk::{self, Handle};
use unwedge_trace::blackbox::{
    ARMED_NONE, ARMED_QUEUE, BATCH_OPS, BATCH_TRUNCATED, BatchCells, Call, QUEUE_BATCHES,
    QueueCells, SEMAPHORE_BINARY, SemaphoreCells,
};

use crate::device::{self, Device, Queue};
use crate::{clock, memory, thread};

fn set(cell: &AtomicU64, word: u64) {
    cell.store(word, Ordering::Relaxed);
}

fn get(cell: &AtomicU64) -> u64 {
    cell.load(Ordering::Relaxed)
}

/// One submit info, as far as the black box keeps it.
pub(crate) struct Batch<W, S> {
    /// `BATCH_SUBMIT` and its like.
    pub(crate) kind: u64,
    /// Semaphore and value of each wait; the value of a binary one is not looked at.
    pub(crate) waits: W,
    /// The same of each signal.
    pub(crate) signals: S,
    pub(crate) fence: u64,
    pub(crate) command_buffers: u64,
    pub(crate) swapchain: u64,
}

/// Files batches of one queue during one call. Vulkan keeps other threads off the queue meanwhile.
pub(crate) struct Recorder<'d> {
    pub(crate) device: &'d Device,
    pub(crate) queue: &'d Queue,
    pub(crate) cells: &'static QueueCells,
    index: usize,
    first: u64,
    /// When the call began.
    pub(crate) at: u64,
    tid: u64,
}

impl<'d> Recorder<'d> {
    /// A recorder for a queue that the layer follows.
    pub(crate) fn new(device: &'d Device, queue: vk::Queue) -> Option<Self> {
        let queue = device.queue(queue)?;
        let cells = queue.cells()?;
        Some(Self {
            device,
            queue,
            cells,
            index: queue.index.load(Ordering::Relaxed),
            first: get(&cells.submitted) + 1,
            at: clock::coarse(),
            tid: thread::tid(),
        })
    }

    /// The number that the next batch gets.
    pub(crate) fn next_sequence(&self) -> u64 {
        get(&self.cells.submitted) + 1
    }

    /// Files a batch; gives its number.
    pub(crate) fn batch<W, S>(&self, batch: Batch<W, S>) -> u64
    where
        W: Iterator<Item = (u64, u64)>,
        S: Iterator<Item = (u64, u64)>,
    {
        let sequence = self.next_sequence();
        let cells = memory::blackbox().batch(self.index, sequence);
        self.make_room(sequence);
        cells.sequence.store(0, Ordering::Release);
        set(&cells.kind, batch.kind);
        set(&cells.at, self.at);
        set(&cells.tid, self.tid);
        set(&cells.fence, batch.fence);
        set(&cells.flags, 0);
        set(&cells.command_buffers, batch.command_buffers);
        set(&cells.swapchain, batch.swapchain);
        self.operations(cells, batch.waits, batch.signals, sequence);
        if batch.fence != 0 {
            self.arm_fence(batch.fence, sequence);
        }
        cells.sequence.store(sequence, Ordering::Release);
        self.cells.submitted.store(sequence, Ordering::Release);
        sequence
    }

    /// The place of a batch is used again after QUEUE_BATCHES more. If the old one there may still
    /// be pending, looks how far the queue is; if it is, its operations are lost.
    fn make_room(&self, sequence: u64) {
        let Some(old) = sequence.checked_sub(QUEUE_BATCHES as u64).filter(|old| *old > 0) else {
            return;
        };
        if old <= get(&self.cells.reached) {
            return;
        }
        let crumb = self.queue.crumb.load(Ordering::Relaxed);
        if let (Some(read), true) = (self.device.next.get_semaphore_counter_value, crumb != 0) {
            let mut value = 0;
            // SAFETY: the crumb lives as long as the device; the call does not block.
            let result =
                unsafe { read(self.device.handle, vk::Semaphore::from_raw(crumb), &raw mut value) };
            if result == vk::Result::SUCCESS {
                device::passed(self.cells, value, self.at);
            }
        }
        if old > get(&self.cells.reached) {
            memory::blackbox().header().operations_lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn operations(
        &self,
        cells: &BatchCells,
        waits: impl Iterator<Item = (u64, u64)>,
        signals: impl Iterator<Item = (u64, u64)>,
        sequence: u64,
    ) {
        let semaphores = memory::blackbox().semaphores();
        let mut count = 0;
        for (handle, value) in waits {
            let found = semaphores.find(self.device.number, handle);
            let value = match found {
                Some(s) if get(&s.kind) == SEMAPHORE_BINARY => {
                    s.wait_operations.fetch_add(1, Ordering::Relaxed) + 1
                }
                _ => value,
            };
            keep(&cells.waits, count, handle, value);
            count += 1;
        }
        set(&cells.wait_count, count as u64);
        let mut signalled = 0;
        for (handle, value) in signals {
            let found = semaphores.find(self.device.number, handle);
            let value = found.map_or(value, |s| self.arm_semaphore(s, value, sequence));
            keep(&cells.signals, signalled, handle, value);
            signalled += 1;
        }
        set(&cells.signal_count, signalled as u64);
        if count.max(signalled) > BATCH_OPS {
            self.flag(sequence, BATCH_TRUNCATED);
            memory::blackbox().header().operations_lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn arm_semaphore(&self, cells: &SemaphoreCells, value: u64, sequence: u64) -> u64 {
        set(&cells.armed_by, ARMED_QUEUE);
        set(&cells.armed_queue, self.index as u64 + 1);
        set(&cells.armed_batch, sequence);
        set(&cells.armed_at, self.at);
        set(&cells.armed_tid, self.tid);
        if get(&cells.submit_tids[0]) != self.tid {
            set(&cells.submit_tids[1], get(&cells.submit_tids[0]));
            set(&cells.submit_tids[0], self.tid);
        }
        if get(&cells.kind) == SEMAPHORE_BINARY {
            set(&cells.failed_call, 0);
            return cells.signal_operations.fetch_add(1, Ordering::Relaxed) + 1;
        }
        value
    }

    fn arm_fence(&self, fence: u64, sequence: u64) {
        let Some(cells) = memory::blackbox().fences().find(self.device.number, fence) else {
            return;
        };
        set(&cells.armed_queue, self.index as u64 + 1);
        set(&cells.armed_batch, sequence);
        set(&cells.armed_at, self.at);
        set(&cells.armed_tid, self.tid);
        set(&cells.arms, get(&cells.arms) + 1);
        set(&cells.signalled_at, 0);
        set(&cells.failed_call, 0);
        cells.armed_by.store(ARMED_QUEUE, Ordering::Release);
    }

    /// Adds a flag to a batch that was just filed.
    pub(crate) fn flag(&self, sequence: u64, flag: u64) {
        memory::blackbox().batch(self.index, sequence).flags.fetch_or(flag, Ordering::Relaxed);
    }

    /// The call failed, so none of its batches is on the queue: takes them back, and keeps the
    /// failure beside every object that they were to signal.
    pub(crate) fn undo(&self, call: Call, result: vk::Result) {
        let last = get(&self.cells.submitted);
        let failed = |call_cell: &AtomicU64, result_cell: &AtomicU64, at: &AtomicU64| {
            set(result_cell, result.as_raw() as i64 as u64);
            set(at, clock::coarse());
            set(call_cell, call.word());
        };
        let blackbox = memory::blackbox();
        let (mut fence_named, mut semaphore_named) = (0, 0);
        for sequence in (self.first..=last).rev() {
            let cells = blackbox.batch(self.index, sequence);
            for [handle, _] in kept(&cells.waits, &cells.wait_count) {
                if let Some(s) = blackbox.semaphores().find(self.device.number, handle)
                    && get(&s.kind) == SEMAPHORE_BINARY
                {
                    s.wait_operations.fetch_sub(1, Ordering::Relaxed);
                }
            }
            for [handle, _] in kept(&cells.signals, &cells.signal_count) {
                semaphore_named = handle;
                let Some(s) = blackbox.semaphores().find(self.device.number, handle) else {
                    continue;
                };
                if get(&s.kind) == SEMAPHORE_BINARY {
                    s.signal_operations.fetch_sub(1, Ordering::Relaxed);
                }
                set(&s.armed_by, ARMED_NONE);
                failed(&s.failed_call, &s.failed_result, &s.failed_at);
            }
            let fence = get(&cells.fence);
            if let Some(f) = blackbox.fences().find(self.device.number, fence) {
                fence_named = fence;
                set(&f.armed_by, ARMED_NONE);
                set(&f.arms, get(&f.arms).saturating_sub(1));
                failed(&f.failed_call, &f.failed_result, &f.failed_at);
            }
            cells.sequence.store(0, Ordering::Release);
        }
        self.cells.submitted.store(self.first - 1, Ordering::Release);
        thread::failed(call, result, fence_named, semaphore_named);
    }
}

fn keep(list: &[[AtomicU64; 2]; BATCH_OPS], place: usize, handle: u64, value: u64) {
    if let Some([handle_cell, value_cell]) = list.get(place) {
        set(handle_cell, handle);
        set(value_cell, value);
    }
}

fn kept(list: &[[AtomicU64; 2]; BATCH_OPS], count: &AtomicU64) -> impl Iterator<Item = [u64; 2]> {
    list.iter().take(get(count) as usize).map(|[handle, value]| [get(handle), get(value)])
}
