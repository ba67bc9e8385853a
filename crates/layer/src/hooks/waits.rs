//! Host waits and polls: each is in the slot while it blocks, and what it saw goes to the tables.

use std::ffi::c_void;
use std::sync::atomic::Ordering;

use ash::vk::{self, Handle};
use unwedge_trace::blackbox::{
    ARMED_NONE, ARMED_QUEUE, Call, Fault, OBJECT_CREATED_SIGNALLED, SEMAPHORE_TIMELINE,
};

use super::{NOTHING_BELOW, objects};
use crate::crumbs::slice;
use crate::device::{self, Device};
use crate::inject::{self, Target};
use crate::{clock, fail, memory, thread};

pub(super) unsafe extern "system" fn wait_for_fences(
    handle: vk::Device,
    count: u32,
    fences: *const vk::Fence,
    all: vk::Bool32,
    timeout: u64,
) -> vk::Result {
    // SAFETY: the program's arguments; count and array agree.
    unsafe {
        let Some(device) = device::of(handle.as_raw()) else { return NOTHING_BELOW };
        let Some(next) = device.next.wait_for_fences else { return NOTHING_BELOW };
        let list = slice(fences, count);
        let objects = list.iter().map(|fence| (fence.as_raw(), 0));
        let any = all == vk::FALSE && count > 1;
        let slot = thread::begin(Call::WaitForFences, device.number, timeout, any, objects);
        lose(device, Call::WaitForFences, Target::Wait);
        let result =
            fail::wait(device, timeout, |timeout| next(handle, count, fences, all, timeout));
        if result == vk::Result::SUCCESS && !any {
            list.iter().for_each(|fence| seen_signalled(device, fence.as_raw(), true));
        }
        device.check_lost(result, Call::WaitForFences);
        slot.end_wait(result, 0);
        result
    }
}

/// An injected fault may lose the device at this call.
pub(super) fn lose(device: &Device, call: Call, target: Target) {
    if let Some(strike) = inject::strike(Fault::DeviceLost, target) {
        device.lost.store(true, Ordering::Relaxed);
        strike.mark(device.number, call, device.handle.as_raw());
        fail::settle(device);
    }
}

/// The program saw that a fence is signalled, so its batch has passed.
#[inline]
fn seen_signalled(device: &Device, fence: u64, waited: bool) {
    let blackbox = memory::blackbox();
    let Some(cells) = blackbox.fences().find(device.number, fence) else { return };
    let armed_by = cells.armed_by.load(Ordering::Relaxed);
    let known = cells.signalled_at.load(Ordering::Relaxed) != 0;
    if waited {
        let explained = known
            || armed_by != ARMED_NONE
            || cells.flags.load(Ordering::Relaxed) & OBJECT_CREATED_SIGNALLED != 0;
        blackbox.header().fence_waits_reached.fetch_add(1, Ordering::Relaxed);
        blackbox.header().fence_waits_explained.fetch_add(u64::from(explained), Ordering::Relaxed);
    }
    if known {
        return;
    }
    let now = clock::coarse();
    cells.signalled_at.store(now, Ordering::Relaxed);
    let queue = cells.armed_queue.load(Ordering::Relaxed);
    if armed_by == ARMED_QUEUE
        && let Some(queue) = blackbox.queues().get((queue as usize).wrapping_sub(1))
    {
        device::passed(queue, cells.armed_batch.load(Ordering::Relaxed), now);
    }
}

pub(super) unsafe extern "system" fn get_fence_status(
    handle: vk::Device,
    fence: vk::Fence,
) -> vk::Result {
    // SAFETY: the program's arguments, passed on.
    unsafe {
        let Some(device) = device::of(handle.as_raw()) else { return NOTHING_BELOW };
        let Some(next) = device.next.get_fence_status else { return NOTHING_BELOW };
        let lost = fail::is_lost(device);
        let result = if lost { vk::Result::ERROR_DEVICE_LOST } else { next(handle, fence) };
        match result {
            vk::Result::NOT_READY => {
                thread::poll_missed(Call::GetFenceStatus, device.number, fence.as_raw(), 0);
            }
            vk::Result::SUCCESS => {
                seen_signalled(device, fence.as_raw(), false);
                thread::poll_hit(Call::GetFenceStatus);
            }
            _ => {
                device.check_lost(result, Call::GetFenceStatus);
                thread::poll_missed(Call::GetFenceStatus, device.number, fence.as_raw(), 0);
            }
        }
        result
    }
}

pub(super) unsafe extern "system" fn wait_semaphores(
    handle: vk::Device,
    info: *const vk::SemaphoreWaitInfo<'_>,
    timeout: u64,
) -> vk::Result {
    // SAFETY: the program's arguments; counts and arrays agree.
    unsafe {
        let Some(device) = device::of(handle.as_raw()) else { return NOTHING_BELOW };
        let Some(next) = device.next.wait_semaphores else { return NOTHING_BELOW };
        let count = (*info).semaphore_count;
        let semaphores = slice((*info).p_semaphores, count);
        let values = slice((*info).p_values, count);
        let points = || semaphores.iter().map(|s| s.as_raw()).zip(values.iter().copied());
        let any = count > 1 && (*info).flags.contains(vk::SemaphoreWaitFlags::ANY);
        let slot = thread::begin(Call::WaitSemaphores, device.number, timeout, any, points());
        lose(device, Call::WaitSemaphores, Target::Wait);
        let result = fail::wait(device, timeout, |timeout| next(handle, info, timeout));
        if result == vk::Result::SUCCESS && !any {
            points().for_each(|(semaphore, value)| seen_reached(device, semaphore, value));
        }
        device.check_lost(result, Call::WaitSemaphores);
        slot.end_wait(result, values.first().copied().unwrap_or(0));
        result
    }
}

/// The program saw that a timeline semaphore has reached a value.
fn seen_reached(device: &Device, semaphore: u64, value: u64) {
    let blackbox = memory::blackbox();
    let Some(cells) = blackbox.semaphores().find(device.number, semaphore) else { return };
    if cells.kind.load(Ordering::Relaxed) != SEMAPHORE_TIMELINE {
        return;
    }
    let word = |cell: &std::sync::atomic::AtomicU64| cell.load(Ordering::Relaxed);
    let explained = value <= word(&cells.value)
        || word(&cells.submit_tids[0]) != 0
        || word(&cells.host_tids[0]) != 0;
    blackbox.header().semaphore_waits_reached.fetch_add(1, Ordering::Relaxed);
    blackbox.header().semaphore_waits_explained.fetch_add(u64::from(explained), Ordering::Relaxed);
    objects::raise(cells, value);
}

pub(super) unsafe extern "system" fn get_semaphore_counter_value(
    handle: vk::Device,
    semaphore: vk::Semaphore,
    value: *mut u64,
) -> vk::Result {
    // SAFETY: the program's arguments; the value is valid on success.
    unsafe {
        let Some(device) = device::of(handle.as_raw()) else { return NOTHING_BELOW };
        let Some(next) = device.next.get_semaphore_counter_value else { return NOTHING_BELOW };
        if fail::is_lost(device) {
            return vk::Result::ERROR_DEVICE_LOST;
        }
        let result = next(handle, semaphore, value);
        if result == vk::Result::SUCCESS {
            let semaphores = memory::blackbox().semaphores();
            if let Some(cells) = semaphores.find(device.number, semaphore.as_raw()) {
                objects::raise(cells, *value);
            }
            // Which value the program hopes for is its secret: any higher one than this.
            let hoped = (*value).saturating_add(1);
            let call = Call::GetSemaphoreCounterValue;
            thread::poll_missed(call, device.number, semaphore.as_raw(), hoped);
        } else {
            device.check_lost(result, Call::GetSemaphoreCounterValue);
        }
        result
    }
}

pub(super) unsafe extern "system" fn get_event_status(
    handle: vk::Device,
    event: vk::Event,
) -> vk::Result {
    // SAFETY: the program's arguments, passed on.
    unsafe {
        let Some(device) = device::of(handle.as_raw()) else { return NOTHING_BELOW };
        let Some(next) = device.next.get_event_status else { return NOTHING_BELOW };
        let result = next(handle, event);
        match result {
            vk::Result::EVENT_RESET => {
                thread::poll_missed(Call::GetEventStatus, device.number, event.as_raw(), 1);
            }
            vk::Result::EVENT_SET => thread::poll_hit(Call::GetEventStatus),
            _ => device.check_lost(result, Call::GetEventStatus),
        }
        result
    }
}

pub(super) unsafe extern "system" fn get_query_pool_results(
    handle: vk::Device,
    pool: vk::QueryPool,
    first: u32,
    count: u32,
    size: usize,
    results: *mut c_void,
    stride: vk::DeviceSize,
    flags: vk::QueryResultFlags,
) -> vk::Result {
    // SAFETY: the program's arguments, passed on.
    unsafe {
        let Some(device) = device::of(handle.as_raw()) else { return NOTHING_BELOW };
        let Some(next) = device.next.get_query_pool_results else { return NOTHING_BELOW };
        if fail::is_lost(device) {
            return vk::Result::ERROR_DEVICE_LOST;
        }
        let call = Call::GetQueryPoolResults;
        if !flags.contains(vk::QueryResultFlags::WAIT) {
            let result = next(handle, pool, first, count, size, results, stride, flags);
            match result {
                vk::Result::NOT_READY => {
                    thread::poll_missed(call, device.number, pool.as_raw(), u64::from(first) + 1);
                }
                _ => thread::poll_hit(call),
            }
            return result;
        }
        let objects =
            (first..first.saturating_add(count)).map(|q| (pool.as_raw(), u64::from(q) + 1));
        let slot = thread::begin(call, device.number, u64::MAX, false, objects.take(64));
        let result = next(handle, pool, first, count, size, results, stride, flags);
        device.check_lost(result, call);
        slot.end_progress(result, u64::from(first));
        result
    }
}

pub(super) unsafe extern "system" fn queue_wait_idle(queue: vk::Queue) -> vk::Result {
    // SAFETY: the program's queue.
    unsafe {
        let Some(device) = device::of(queue.as_raw()) else { return NOTHING_BELOW };
        let Some(next) = device.next.queue_wait_idle else { return NOTHING_BELOW };
        let known = device.queue(queue);
        let submitted = known
            .and_then(device::Queue::cells)
            .map_or(0, |cells| cells.submitted.load(Ordering::Relaxed));
        let objects = std::iter::once((queue.as_raw(), submitted));
        let slot = thread::begin(Call::QueueWaitIdle, device.number, u64::MAX, false, objects);
        lose(device, Call::QueueWaitIdle, Target::Wait);
        let result = match fail::idle(device, Some(queue)) {
            Ok(()) => next(queue),
            Err(lost) => lost,
        };
        if let (vk::Result::SUCCESS, Some(queue)) = (result, known) {
            queue.passed(submitted);
        }
        device.check_lost(result, Call::QueueWaitIdle);
        slot.end_progress(result, submitted);
        result
    }
}

pub(super) unsafe extern "system" fn device_wait_idle(handle: vk::Device) -> vk::Result {
    // SAFETY: the program's device.
    unsafe {
        let Some(device) = device::of(handle.as_raw()) else { return NOTHING_BELOW };
        let Some(next) = device.next.device_wait_idle else { return NOTHING_BELOW };
        let submitted = |queue: &device::Queue| {
            queue.cells().map_or(0, |cells| cells.submitted.load(Ordering::Relaxed))
        };
        let objects = device
            .live_queues()
            .map(|queue| (queue.handle.load(Ordering::Relaxed), submitted(queue)))
            .filter(|(_, submitted)| *submitted > 0);
        let slot = thread::begin(Call::DeviceWaitIdle, device.number, u64::MAX, false, objects);
        // Vulkan keeps other threads from submitting meanwhile.
        let before = device.live_queues().map(submitted).collect::<Vec<_>>();
        lose(device, Call::DeviceWaitIdle, Target::Wait);
        let result = match fail::idle(device, None) {
            Ok(()) => next(handle),
            Err(lost) => lost,
        };
        if result == vk::Result::SUCCESS {
            device.live_queues().zip(before).for_each(|(queue, number)| queue.passed(number));
        }
        device.check_lost(result, Call::DeviceWaitIdle);
        slot.end_progress(result, 0);
        result
    }
}
