//! Fences, semaphores and events come and go, are reset, signalled, imported, exported and named.

use std::ffi::{CStr, c_int};
use std::sync::atomic::{AtomicU64, Ordering};

use ash::vk::{self, Handle};
use unwedge_trace::blackbox::{
    ARMED_NONE, ARMED_OUTSIDE, Call, LABEL_WORDS, OBJECT_CREATED_SIGNALLED, OBJECT_DROPPED,
    OBJECT_EXPORTED, OBJECT_FOREIGN, OBJECT_IMPORTED, SEMAPHORE_BINARY, SEMAPHORE_TIMELINE,
    SemaphoreCells, store_words, text_to_words,
};

use super::NOTHING_BELOW;
use crate::device::{self, Device};
use crate::{chain, clock, crumbs, fail, memory, thread};

fn set(cell: &AtomicU64, word: u64) {
    cell.store(word, Ordering::Relaxed);
}

pub(super) unsafe extern "system" fn create_fence(
    handle: vk::Device,
    info: *const vk::FenceCreateInfo<'_>,
    allocator: *const vk::AllocationCallbacks<'_>,
    fence: *mut vk::Fence,
) -> vk::Result {
    // SAFETY: the program's arguments; the result is valid on success.
    unsafe {
        let Some(device) = device::of(handle.as_raw()) else { return NOTHING_BELOW };
        let Some(next) = device.next.create_fence else { return NOTHING_BELOW };
        let result = next(handle, info, allocator, fence);
        if result == vk::Result::SUCCESS {
            let signalled = (*info).flags.contains(vk::FenceCreateFlags::SIGNALED);
            let exported = chain::find::<vk::ExportFenceCreateInfo<'static>>((*info).p_next);
            add_fence(device, (*fence).as_raw(), signalled, exported.is_some());
        }
        result
    }
}

fn add_fence(device: &Device, handle: u64, signalled: bool, exported: bool) {
    let blackbox = memory::blackbox();
    let now = clock::coarse();
    let added = blackbox.fences().insert(device.number, handle, |cells| {
        let flags = if signalled { OBJECT_CREATED_SIGNALLED } else { 0 };
        set(&cells.flags, flags | if exported { OBJECT_EXPORTED } else { 0 });
        set(&cells.created_at, now);
        set(&cells.signalled_at, if signalled { now } else { 0 });
        let zero = [
            &cells.armed_by,
            &cells.armed_queue,
            &cells.armed_batch,
            &cells.armed_at,
            &cells.armed_tid,
            &cells.reset_at,
            &cells.reset_tid,
            &cells.arms,
            &cells.resets,
            &cells.failed_call,
            &cells.failed_result,
            &cells.failed_at,
        ];
        zero.into_iter().chain(&cells.label).for_each(|cell| set(cell, 0));
    });
    if added.is_none() {
        blackbox.header().objects_lost.fetch_add(1, Ordering::Relaxed);
    }
}

pub(super) unsafe extern "system" fn destroy_fence(
    handle: vk::Device,
    fence: vk::Fence,
    allocator: *const vk::AllocationCallbacks<'_>,
) {
    // SAFETY: the program's arguments, passed on.
    unsafe {
        let Some(device) = device::of(handle.as_raw()) else { return };
        // First out of the table: another thread may get the same handle as soon as it is free.
        memory::blackbox().fences().remove(device.number, fence.as_raw());
        if let Some(next) = device.next.destroy_fence
            && !fail::keeps_objects(device)
        {
            next(handle, fence, allocator);
        }
    }
}

pub(super) unsafe extern "system" fn reset_fences(
    handle: vk::Device,
    count: u32,
    fences: *const vk::Fence,
) -> vk::Result {
    // SAFETY: the program's arguments; count and array agree.
    unsafe {
        let Some(device) = device::of(handle.as_raw()) else { return NOTHING_BELOW };
        let Some(next) = device.next.reset_fences else { return NOTHING_BELOW };
        let result = next(handle, count, fences);
        let now = clock::coarse();
        let tid = thread::tid();
        if result == vk::Result::SUCCESS {
            for fence in crumbs::slice(fences, count) {
                reset_fence(device, fence.as_raw(), now, tid);
            }
        } else {
            device.check_lost(result, Call::ResetFences);
            thread::note(Call::ResetFences, device.number, (*fences).as_raw(), 0, result);
        }
        result
    }
}

fn reset_fence(device: &Device, fence: u64, now: u64, tid: u64) {
    let Some(cells) = memory::blackbox().fences().find(device.number, fence) else { return };
    set(&cells.signalled_at, 0);
    set(&cells.armed_by, ARMED_NONE);
    set(&cells.reset_at, now);
    set(&cells.reset_tid, tid);
    set(&cells.resets, cells.resets.load(Ordering::Relaxed) + 1);
    set(&cells.failed_call, 0);
    cells.flags.fetch_and(!OBJECT_DROPPED, Ordering::Relaxed);
}

pub(super) unsafe extern "system" fn create_semaphore(
    handle: vk::Device,
    info: *const vk::SemaphoreCreateInfo<'_>,
    allocator: *const vk::AllocationCallbacks<'_>,
    semaphore: *mut vk::Semaphore,
) -> vk::Result {
    // SAFETY: the program's arguments; the result is valid on success.
    unsafe {
        let Some(device) = device::of(handle.as_raw()) else { return NOTHING_BELOW };
        let Some(next) = device.next.create_semaphore else { return NOTHING_BELOW };
        let result = next(handle, info, allocator, semaphore);
        if result == vk::Result::SUCCESS {
            let kind = chain::find::<vk::SemaphoreTypeCreateInfo<'static>>((*info).p_next);
            let timeline = kind.filter(|k| (**k).semaphore_type == vk::SemaphoreType::TIMELINE);
            let initial = timeline.map(|k| (*k).initial_value);
            let exported = chain::find::<vk::ExportSemaphoreCreateInfo<'static>>((*info).p_next);
            add_semaphore(device, (*semaphore).as_raw(), initial, exported.is_some());
        }
        result
    }
}

fn add_semaphore(device: &Device, handle: u64, timeline: Option<u64>, exported: bool) {
    let blackbox = memory::blackbox();
    let now = clock::coarse();
    let added = blackbox.semaphores().insert(device.number, handle, |cells| {
        let zero = [
            &cells.signal_operations,
            &cells.wait_operations,
            &cells.armed_by,
            &cells.armed_queue,
            &cells.armed_batch,
            &cells.armed_at,
            &cells.armed_tid,
            &cells.failed_call,
            &cells.failed_result,
            &cells.failed_at,
        ];
        let arrays = [&cells.host_tids, &cells.host_values, &cells.host_at, &cells.submit_tids];
        zero.into_iter()
            .chain(arrays.into_iter().flatten())
            .chain(&cells.label)
            .for_each(|cell| set(cell, 0));
        set(&cells.kind, if timeline.is_some() { SEMAPHORE_TIMELINE } else { SEMAPHORE_BINARY });
        set(&cells.flags, if exported { OBJECT_EXPORTED } else { 0 });
        set(&cells.created_at, now);
        set(&cells.initial, timeline.unwrap_or(0));
        set(&cells.value, timeline.unwrap_or(0));
        set(&cells.value_at, now);
    });
    if added.is_none() {
        blackbox.header().objects_lost.fetch_add(1, Ordering::Relaxed);
    }
}

pub(super) unsafe extern "system" fn destroy_semaphore(
    handle: vk::Device,
    semaphore: vk::Semaphore,
    allocator: *const vk::AllocationCallbacks<'_>,
) {
    // SAFETY: the program's arguments, passed on.
    unsafe {
        let Some(device) = device::of(handle.as_raw()) else { return };
        memory::blackbox().semaphores().remove(device.number, semaphore.as_raw());
        if let Some(next) = device.next.destroy_semaphore
            && !fail::keeps_objects(device)
        {
            next(handle, semaphore, allocator);
        }
    }
}

pub(super) unsafe extern "system" fn signal_semaphore(
    handle: vk::Device,
    info: *const vk::SemaphoreSignalInfo<'_>,
) -> vk::Result {
    // SAFETY: the program's arguments.
    unsafe {
        let Some(device) = device::of(handle.as_raw()) else { return NOTHING_BELOW };
        let Some(next) = device.next.signal_semaphore else { return NOTHING_BELOW };
        let result = next(handle, info);
        let (semaphore, value) = ((*info).semaphore.as_raw(), (*info).value);
        thread::note(Call::SignalSemaphore, device.number, semaphore, value, result);
        device.check_lost(result, Call::SignalSemaphore);
        let found = memory::blackbox().semaphores().find(device.number, semaphore);
        if let (vk::Result::SUCCESS, Some(cells)) = (result, found) {
            raise(cells, value);
            signalled_by_host(cells, value);
        }
        result
    }
}

/// A timeline semaphore is known to have reached `value`.
pub(super) fn raise(cells: &SemaphoreCells, value: u64) {
    if value > cells.value.load(Ordering::Relaxed) {
        cells.value.fetch_max(value, Ordering::AcqRel);
        set(&cells.value_at, clock::coarse());
    }
}

/// Keeps the last two different threads that signalled from the host.
fn signalled_by_host(cells: &SemaphoreCells, value: u64) {
    let tid = thread::tid();
    let place = usize::from(cells.host_tids[0].load(Ordering::Relaxed) != tid);
    if place == 1 {
        for list in [&cells.host_tids, &cells.host_values, &cells.host_at] {
            set(&list[1], list[0].load(Ordering::Relaxed));
        }
    }
    set(&cells.host_tids[0], tid);
    set(&cells.host_values[0], value);
    set(&cells.host_at[0], clock::coarse());
}

macro_rules! event_hook {
    ($hook:ident, $call:ident, $next:ident) => {
        pub(super) unsafe extern "system" fn $hook(
            handle: vk::Device,
            event: vk::Event,
        ) -> vk::Result {
            // SAFETY: the program's arguments, passed on.
            unsafe {
                let Some(device) = device::of(handle.as_raw()) else { return NOTHING_BELOW };
                let Some(next) = device.next.$next else { return NOTHING_BELOW };
                let result = next(handle, event);
                thread::note(Call::$call, device.number, event.as_raw(), 0, result);
                result
            }
        }
    };
}

event_hook!(set_event, SetEvent, set_event);
event_hook!(reset_event, ResetEvent, reset_event);

fn flag_fence(device: &Device, fence: vk::Fence, flag: u64) {
    if let Some(cells) = memory::blackbox().fences().find(device.number, fence.as_raw()) {
        cells.flags.fetch_or(flag, Ordering::Relaxed);
        if flag == OBJECT_IMPORTED {
            set(&cells.armed_by, ARMED_OUTSIDE);
            set(&cells.armed_at, clock::coarse());
            set(&cells.armed_tid, thread::tid());
        }
    }
}

fn flag_semaphore(device: &Device, semaphore: vk::Semaphore, flag: u64) {
    if let Some(cells) = memory::blackbox().semaphores().find(device.number, semaphore.as_raw()) {
        cells.flags.fetch_or(flag, Ordering::Relaxed);
    }
}

pub(super) unsafe extern "system" fn import_fence_fd(
    handle: vk::Device,
    info: *const vk::ImportFenceFdInfoKHR<'_>,
) -> vk::Result {
    // SAFETY: the program's arguments.
    unsafe {
        let Some(device) = device::of(handle.as_raw()) else { return NOTHING_BELOW };
        let Some(next) = device.next.import_fence_fd else { return NOTHING_BELOW };
        let result = next(handle, info);
        let fence = (*info).fence;
        thread::note(Call::ImportFenceFd, device.number, fence.as_raw(), 0, result);
        if result == vk::Result::SUCCESS {
            flag_fence(device, fence, OBJECT_IMPORTED);
        }
        result
    }
}

pub(super) unsafe extern "system" fn get_fence_fd(
    handle: vk::Device,
    info: *const vk::FenceGetFdInfoKHR<'_>,
    fd: *mut c_int,
) -> vk::Result {
    // SAFETY: the program's arguments.
    unsafe {
        let Some(device) = device::of(handle.as_raw()) else { return NOTHING_BELOW };
        let Some(next) = device.next.get_fence_fd else { return NOTHING_BELOW };
        let result = next(handle, info, fd);
        thread::note(Call::GetFenceFd, device.number, (*info).fence.as_raw(), 0, result);
        if result == vk::Result::SUCCESS {
            flag_fence(device, (*info).fence, OBJECT_EXPORTED);
        }
        result
    }
}

pub(super) unsafe extern "system" fn import_semaphore_fd(
    handle: vk::Device,
    info: *const vk::ImportSemaphoreFdInfoKHR<'_>,
) -> vk::Result {
    // SAFETY: the program's arguments.
    unsafe {
        let Some(device) = device::of(handle.as_raw()) else { return NOTHING_BELOW };
        let Some(next) = device.next.import_semaphore_fd else { return NOTHING_BELOW };
        let result = next(handle, info);
        let semaphore = (*info).semaphore;
        thread::note(Call::ImportSemaphoreFd, device.number, semaphore.as_raw(), 0, result);
        if result == vk::Result::SUCCESS {
            flag_semaphore(device, semaphore, OBJECT_IMPORTED);
        }
        result
    }
}

pub(super) unsafe extern "system" fn get_semaphore_fd(
    handle: vk::Device,
    info: *const vk::SemaphoreGetFdInfoKHR<'_>,
    fd: *mut c_int,
) -> vk::Result {
    // SAFETY: the program's arguments.
    unsafe {
        let Some(device) = device::of(handle.as_raw()) else { return NOTHING_BELOW };
        let Some(next) = device.next.get_semaphore_fd else { return NOTHING_BELOW };
        let result = next(handle, info, fd);
        thread::note(Call::GetSemaphoreFd, device.number, (*info).semaphore.as_raw(), 0, result);
        if result == vk::Result::SUCCESS {
            flag_semaphore(device, (*info).semaphore, OBJECT_EXPORTED);
        }
        result
    }
}

/// Fences made by display events are signalled by the display: nothing that the layer follows.
fn add_foreign_fence(device: &Device, fence: vk::Fence) {
    add_fence(device, fence.as_raw(), false, false);
    flag_fence(device, fence, OBJECT_FOREIGN | OBJECT_IMPORTED);
}

pub(super) unsafe extern "system" fn register_device_event(
    handle: vk::Device,
    info: *const vk::DeviceEventInfoEXT<'_>,
    allocator: *const vk::AllocationCallbacks<'_>,
    fence: *mut vk::Fence,
) -> vk::Result {
    // SAFETY: the program's arguments; the result is valid on success.
    unsafe {
        let Some(device) = device::of(handle.as_raw()) else { return NOTHING_BELOW };
        let Some(next) = device.next.register_device_event else { return NOTHING_BELOW };
        let result = next(handle, info, allocator, fence);
        if result == vk::Result::SUCCESS {
            add_foreign_fence(device, *fence);
        }
        result
    }
}

pub(super) unsafe extern "system" fn register_display_event(
    handle: vk::Device,
    display: vk::DisplayKHR,
    info: *const vk::DisplayEventInfoEXT<'_>,
    allocator: *const vk::AllocationCallbacks<'_>,
    fence: *mut vk::Fence,
) -> vk::Result {
    // SAFETY: the program's arguments; the result is valid on success.
    unsafe {
        let Some(device) = device::of(handle.as_raw()) else { return NOTHING_BELOW };
        let Some(next) = device.next.register_display_event else { return NOTHING_BELOW };
        let result = next(handle, display, info, allocator, fence);
        if result == vk::Result::SUCCESS {
            add_foreign_fence(device, *fence);
        }
        result
    }
}

/// # Safety
/// `name` is null or a C string.
unsafe fn label(device: &Device, kind: vk::ObjectType, handle: u64, name: *const std::ffi::c_char) {
    // SAFETY: the caller's promise.
    let name = if name.is_null() { c"" } else { unsafe { CStr::from_ptr(name) } };
    let words = text_to_words::<LABEL_WORDS>(&name.to_string_lossy());
    let blackbox = memory::blackbox();
    let cells = match kind {
        vk::ObjectType::FENCE => {
            blackbox.fences().find(device.number, handle).map(|cells| &cells.label)
        }
        vk::ObjectType::SEMAPHORE => {
            blackbox.semaphores().find(device.number, handle).map(|cells| &cells.label)
        }
        vk::ObjectType::SWAPCHAIN_KHR => {
            blackbox.swapchains().find(device.number, handle).map(|cells| &cells.label)
        }
        vk::ObjectType::QUEUE => device
            .live_queues()
            .find(|queue| queue.handle.load(Ordering::Relaxed) == handle)
            .and_then(device::Queue::cells)
            .map(|cells| &cells.label),
        _ => None,
    };
    if let Some(cells) = cells {
        store_words(cells, &words);
    }
}

pub(super) unsafe extern "system" fn set_debug_utils_object_name(
    handle: vk::Device,
    info: *const vk::DebugUtilsObjectNameInfoEXT<'_>,
) -> vk::Result {
    // SAFETY: the program's arguments.
    unsafe {
        let Some(device) = device::of(handle.as_raw()) else { return NOTHING_BELOW };
        label(device, (*info).object_type, (*info).object_handle, (*info).p_object_name);
        device.next.set_debug_utils_object_name.map_or(vk::Result::SUCCESS, |f| f(handle, info))
    }
}

pub(super) unsafe extern "system" fn debug_marker_set_object_name(
    handle: vk::Device,
    info: *const vk::DebugMarkerObjectNameInfoEXT<'_>,
) -> vk::Result {
    // SAFETY: the program's arguments.
    unsafe {
        let Some(device) = device::of(handle.as_raw()) else { return NOTHING_BELOW };
        // VkDebugReportObjectTypeEXT has other numbers than VkObjectType for swapchains only.
        let kind = match (*info).object_type {
            vk::DebugReportObjectTypeEXT::SWAPCHAIN_KHR => vk::ObjectType::SWAPCHAIN_KHR,
            other => vk::ObjectType::from_raw(other.as_raw()),
        };
        label(device, kind, (*info).object, (*info).p_object_name);
        device.next.debug_marker_set_object_name.map_or(vk::Result::SUCCESS, |f| f(handle, info))
    }
}
