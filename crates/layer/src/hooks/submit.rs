//! Work is handed to a queue: filed as batches, given a breadcrumb, forwarded in one piece.

use std::sync::atomic::Ordering;

use ash::vk::{self, Handle};
use unwedge_trace::blackbox::{
    BATCH_CRUMB, BATCH_DROPPED, BATCH_HELD, BATCH_SPARSE, BATCH_SUBMIT, Call, Fault,
    OBJECT_DROPPED, SEMAPHORE_TIMELINE,
};

use super::{NOTHING_BELOW, waits};
use crate::crumbs::{self, slice};
use crate::device::{self, Device};
use crate::inject::{self, Strike, Target};
use crate::submit::delay::{self, Late};
use crate::submit::edit::{Change, Edited1, Edited2, Values};
use crate::submit::{Batch, Recorder};
use crate::{fail, memory, thread};

pub(super) unsafe extern "system" fn queue_submit(
    handle: vk::Queue,
    count: u32,
    submits: *const vk::SubmitInfo<'_>,
    fence: vk::Fence,
) -> vk::Result {
    // SAFETY: the program's arguments; counts and arrays agree; copies live to the end of the call.
    unsafe {
        let Some(device) = device::of(handle.as_raw()) else { return NOTHING_BELOW };
        let Some(next) = device.next.queue_submit else { return NOTHING_BELOW };
        let Some(submit) = Submit::new(device, handle, Call::QueueSubmit, fence) else {
            return next(handle, count, submits, fence);
        };
        // A submit of a fence alone has no info that could carry a breadcrumb; it gets an empty one.
        let empty = [vk::SubmitInfo::default()];
        let infos = slice(submits, count);
        let infos = if infos.is_empty() && fence != vk::Fence::null() { &empty } else { infos };
        let mut copies = Copies::default();
        for (place, info) in infos.iter().enumerate() {
            let last = place + 1 == infos.len();
            let values = Values::of(info.p_next);
            let value = |list: &[u64], at: usize| list.get(at).copied().unwrap_or(0);
            let operations =
                |list: *const vk::Semaphore, count| slice::<vk::Semaphore>(list, count);
            let waits = operations(info.p_wait_semaphores, info.wait_semaphore_count);
            let signals = operations(info.p_signal_semaphores, info.signal_semaphore_count);
            let pair = |list, at, s: &vk::Semaphore| (s.as_raw(), value(list, at));
            let change = submit.info(
                last,
                info.command_buffer_count,
                waits.iter().enumerate().map(|(at, s)| pair(values.waits, at, s)),
                signals.iter().enumerate().map(|(at, s)| pair(values.signals, at, s)),
            );
            let mut copy = *info;
            if let Some(edit) = Edited1::apply(&mut copy, &change) {
                submit.carries(&change);
                copies.put(infos, place, copy, edit);
            }
        }
        let (count, submits) = copies.instead_of(count, submits);
        submit.forward(|fence| next(handle, count, submits, fence))
    }
}

pub(super) unsafe extern "system" fn queue_submit2(
    handle: vk::Queue,
    count: u32,
    submits: *const vk::SubmitInfo2<'_>,
    fence: vk::Fence,
) -> vk::Result {
    // SAFETY: as above.
    unsafe {
        let Some(device) = device::of(handle.as_raw()) else { return NOTHING_BELOW };
        let Some(next) = device.next.queue_submit2 else { return NOTHING_BELOW };
        let Some(submit) = Submit::new(device, handle, Call::QueueSubmit2, fence) else {
            return next(handle, count, submits, fence);
        };
        let empty = [vk::SubmitInfo2::default()];
        let infos = slice(submits, count);
        let infos = if infos.is_empty() && fence != vk::Fence::null() { &empty } else { infos };
        let mut copies = Copies::default();
        for (place, info) in infos.iter().enumerate() {
            let pair = |s: &vk::SemaphoreSubmitInfo<'_>| (s.semaphore.as_raw(), s.value);
            let change = submit.info(
                place + 1 == infos.len(),
                info.command_buffer_info_count,
                slice(info.p_wait_semaphore_infos, info.wait_semaphore_info_count).iter().map(pair),
                slice(info.p_signal_semaphore_infos, info.signal_semaphore_info_count)
                    .iter()
                    .map(pair),
            );
            let mut copy = *info;
            if let Some(edit) = Edited2::apply(&mut copy, &change) {
                submit.carries(&change);
                copies.put(infos, place, copy, edit);
            }
        }
        let (count, submits) = copies.instead_of(count, submits);
        submit.forward(|fence| next(handle, count, submits, fence))
    }
}

pub(super) unsafe extern "system" fn queue_bind_sparse(
    handle: vk::Queue,
    count: u32,
    binds: *const vk::BindSparseInfo<'_>,
    fence: vk::Fence,
) -> vk::Result {
    // SAFETY: as above.
    unsafe {
        let Some(device) = device::of(handle.as_raw()) else { return NOTHING_BELOW };
        let Some(next) = device.next.queue_bind_sparse else { return NOTHING_BELOW };
        if fail::is_lost(device) {
            return vk::Result::ERROR_DEVICE_LOST;
        }
        let recorder = Recorder::new(device, handle);
        let infos = slice(binds, count);
        if let Some(recorder) = &recorder {
            for (place, info) in infos.iter().enumerate() {
                // Sparse binds carry no breadcrumb: they pass when a later batch has.
                let values = Values::of(info.p_next);
                let pairs = |list: &'static [vk::Semaphore], values: &'static [u64]| {
                    list.iter()
                        .enumerate()
                        .map(move |(at, s)| (s.as_raw(), values.get(at).copied().unwrap_or(0)))
                };
                recorder.batch(Batch {
                    kind: BATCH_SPARSE,
                    waits: pairs(
                        slice(info.p_wait_semaphores, info.wait_semaphore_count),
                        values.waits,
                    ),
                    signals: pairs(
                        slice(info.p_signal_semaphores, info.signal_semaphore_count),
                        values.signals,
                    ),
                    fence: if place + 1 == infos.len() { fence.as_raw() } else { 0 },
                    command_buffers: 0,
                    swapchain: 0,
                });
            }
        }
        let objects = std::iter::once((handle.as_raw(), 0));
        let slot = thread::begin(Call::QueueBindSparse, device.number, u64::MAX, false, objects);
        let guard = delay::queue_guard();
        let result = next(handle, count, binds, fence);
        drop(guard);
        device.check_lost(result, Call::QueueBindSparse);
        if let (true, Some(recorder)) = (was_refused(result), &recorder) {
            recorder.undo(Call::QueueBindSparse, result);
        }
        slot.end_progress(result, 0);
        result
    }
}

/// The infos of a submit of which some were changed, with what the changed ones point to.
struct Copies<I, E> {
    infos: Vec<I>,
    edits: Vec<E>,
}

impl<I, E> Default for Copies<I, E> {
    fn default() -> Self {
        Self { infos: Vec::new(), edits: Vec::new() }
    }
}

impl<I: Copy, E> Copies<I, E> {
    fn put(&mut self, all: &[I], place: usize, copy: I, edit: E) {
        if self.infos.is_empty() {
            self.infos = all.to_vec();
        }
        self.infos[place] = copy;
        self.edits.push(edit);
    }

    /// What to hand on: the copies, or the program's own array where nothing was changed.
    fn instead_of(&self, count: u32, infos: *const I) -> (u32, *const I) {
        if self.infos.is_empty() {
            (count, infos)
        } else {
            (self.infos.len() as u32, self.infos.as_ptr())
        }
    }
}

/// One submit call of either version.
struct Submit<'d> {
    device: &'d Device,
    handle: vk::Queue,
    call: Call,
    fence: vk::Fence,
    recorder: Recorder<'d>,
    /// What comes late, and when.
    late: std::cell::RefCell<Vec<(std::time::Duration, Late)>>,
    drop_fence: Option<Strike>,
    /// This submit does not begin to execute.
    held: std::cell::Cell<bool>,
}

impl<'d> Submit<'d> {
    fn new(device: &'d Device, handle: vk::Queue, call: Call, fence: vk::Fence) -> Option<Self> {
        let recorder = Recorder::new(device, handle)?;
        let drop_fence =
            (fence != vk::Fence::null()).then(|| strike_signal(Target::Fence)).flatten();
        Some(Self {
            device,
            handle,
            call,
            fence,
            recorder,
            late: std::cell::RefCell::default(),
            drop_fence,
            held: std::cell::Cell::new(false),
        })
    }

    /// Files one info; says what to change in it.
    fn info(
        &self,
        last: bool,
        command_buffers: u32,
        waits: impl Iterator<Item = (u64, u64)>,
        signals: impl Iterator<Item = (u64, u64)> + Clone,
    ) -> Change {
        let sequence = self.recorder.batch(Batch {
            kind: BATCH_SUBMIT,
            waits,
            signals: signals.clone(),
            fence: if last { self.fence.as_raw() } else { 0 },
            command_buffers: u64::from(command_buffers),
            swapchain: 0,
        });
        let mut change = Change::default();
        if inject::enabled() {
            self.inject(&mut change, sequence, signals);
        }
        let crumb = self.recorder.queue.crumb.load(Ordering::Relaxed);
        if last && crumb != 0 {
            change.add_signal = Some((vk::Semaphore::from_raw(crumb), sequence));
        }
        change
    }

    /// The change was made: a breadcrumb is in place.
    fn carries(&self, change: &Change) {
        if let Some((_, sequence)) = change.add_signal {
            self.recorder.flag(sequence, BATCH_CRUMB);
            self.recorder.cells.crumbed.store(sequence, Ordering::Relaxed);
        }
    }

    fn inject(
        &self,
        change: &mut Change,
        sequence: u64,
        signals: impl Iterator<Item = (u64, u64)>,
    ) {
        if let Some(strike) = inject::strike(Fault::HoldSubmit, Target::Submit) {
            self.hold(change, sequence, &strike);
        }
        for (place, (semaphore, value)) in signals.enumerate() {
            let cells = memory::blackbox().semaphores().find(self.device.number, semaphore);
            let timeline =
                cells.is_some_and(|cells| cells.kind.load(Ordering::Relaxed) == SEMAPHORE_TIMELINE);
            let target = if timeline { Target::Timeline } else { Target::Binary };
            let Some(strike) = strike_signal(target) else { continue };
            strike.mark(self.device.number, self.call, semaphore);
            self.recorder.flag(sequence, BATCH_DROPPED);
            if let Some(cells) = cells {
                cells.flags.fetch_or(OBJECT_DROPPED, Ordering::Relaxed);
            }
            change.drop_signals.push(place);
            if let Some(delay) = strike.duration {
                let semaphore = vk::Semaphore::from_raw(semaphore);
                let late = if timeline {
                    Late::Timeline(semaphore, value)
                } else {
                    Late::Binary(semaphore)
                };
                self.late.borrow_mut().push((delay, late));
            }
        }
        let last = self.fence != vk::Fence::null()
            && memory::blackbox()
                .fences()
                .find(self.device.number, self.fence.as_raw())
                .is_some_and(|cells| cells.armed_batch.load(Ordering::Relaxed) == sequence);
        if let (Some(strike), true) = (&self.drop_fence, last) {
            self.without_fence(sequence, strike);
        }
    }

    fn without_fence(&self, sequence: u64, strike: &Strike) {
        strike.mark(self.device.number, self.call, self.fence.as_raw());
        self.recorder.flag(sequence, BATCH_DROPPED);
        let fences = memory::blackbox().fences();
        if let Some(cells) = fences.find(self.device.number, self.fence.as_raw()) {
            cells.flags.fetch_or(OBJECT_DROPPED, Ordering::Relaxed);
        }
        if let Some(delay) = strike.duration {
            self.late.borrow_mut().push((delay, Late::Fence(self.fence)));
        }
    }

    /// Makes the batch wait for a semaphore of the layer's that nobody signals, or not yet.
    fn hold(&self, change: &mut Change, sequence: u64, strike: &Strike) {
        strike.mark(self.device.number, self.call, self.handle.as_raw());
        self.recorder.flag(sequence, BATCH_HELD);
        let semaphore = vk::Semaphore::from_raw(crumbs::new_timeline(self.device));
        if semaphore == vk::Semaphore::null() {
            // Without timeline semaphores the submit is not handed on at all.
            self.held.set(true);
            return;
        }
        change.add_wait = Some((semaphore, 1));
        match strike.duration {
            Some(delay) => {
                let late = Late::Timeline(semaphore, 1);
                delay::schedule(self.device, self.handle, 0, delay, late);
            }
            None => fail::remember_held(self.device, semaphore),
        }
    }

    /// Calls below and settles the books.
    fn forward(self, next: impl FnOnce(vk::Fence) -> vk::Result) -> vk::Result {
        let sequence = self.recorder.next_sequence() - 1;
        let objects = std::iter::once((self.handle.as_raw(), sequence));
        let (at, device) = (self.recorder.at, self.device.number);
        let slot = thread::begin_at(at, self.call, device, u64::MAX, false, objects);
        waits::lose(self.device, self.call, Target::Submit);
        let fence = if self.drop_fence.is_some() { vk::Fence::null() } else { self.fence };
        let result = if fail::is_lost(self.device) {
            vk::Result::ERROR_DEVICE_LOST
        } else if let Some(strike) = inject::strike(Fault::FailSubmit, Target::Submit) {
            strike.mark(self.device.number, self.call, self.handle.as_raw());
            vk::Result::ERROR_OUT_OF_DEVICE_MEMORY
        } else if self.held.get() {
            vk::Result::SUCCESS
        } else {
            let guard = delay::queue_guard();
            let result = next(fence);
            drop(guard);
            result
        };
        self.device.check_lost(result, self.call);
        if result == vk::Result::SUCCESS {
            for (delay, late) in self.late.into_inner() {
                delay::schedule(self.device, self.handle, sequence, delay, late);
            }
        } else if was_refused(result) {
            self.recorder.undo(self.call, result);
        }
        slot.end_progress(result, sequence);
        result
    }
}

/// A submit that failed put nothing on the queue. One that found its device lost is kept: what it
/// was to signal is owed by a queue that is gone.
fn was_refused(result: vk::Result) -> bool {
    result != vk::Result::SUCCESS && result != vk::Result::ERROR_DEVICE_LOST
}

/// A fault that takes a signal away, for good or for a while.
fn strike_signal(target: Target) -> Option<Strike> {
    inject::strike(Fault::DropSignal, target).or_else(|| inject::strike(Fault::DelaySignal, target))
}
