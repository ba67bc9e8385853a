//! Swapchains: who has which image, acquires and presents.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ash::vk::{self, Handle};
use unwedge_trace::blackbox::{
    ARMED_ACQUIRE, BATCH_PRESENT, Call, Fault, IMAGE_ENGINE, IMAGE_PRESENTED, IMAGE_PROGRAM,
    OBJECT_DROPPED, SEMAPHORE_BINARY, SwapchainCells,
};

use super::NOTHING_BELOW;
use crate::crumbs::slice;
use crate::device::{self, Device};
use crate::ffi::PresentWait2;
use crate::inject::{self, Target};
use crate::submit::{Batch, Recorder, delay};
use crate::{clock, fail, instance, memory, thread};

fn set(cell: &AtomicU64, word: u64) {
    cell.store(word, Ordering::Relaxed);
}

fn get(cell: &AtomicU64) -> u64 {
    cell.load(Ordering::Relaxed)
}

pub(super) unsafe extern "system" fn create_swapchain(
    handle: vk::Device,
    info: *const vk::SwapchainCreateInfoKHR<'_>,
    allocator: *const vk::AllocationCallbacks<'_>,
    swapchain: *mut vk::SwapchainKHR,
) -> vk::Result {
    // SAFETY: the program's arguments; the result is valid on success.
    unsafe {
        let Some(device) = device::of(handle.as_raw()) else { return NOTHING_BELOW };
        let Some(next) = device.next.create_swapchain else { return NOTHING_BELOW };
        let old = (*info).old_swapchain.as_raw();
        let objects = std::iter::once((old, 0)).filter(|(old, _)| *old != 0);
        let slot = thread::begin(Call::CreateSwapchain, device.number, u64::MAX, false, objects);
        let result = next(handle, info, allocator, swapchain);
        slot.end(result, 0);
        device.check_lost(result, Call::CreateSwapchain);
        if result == vk::Result::SUCCESS {
            add_swapchain(device, *swapchain, &*info);
        }
        result
    }
}

pub(super) unsafe extern "system" fn create_shared_swapchains(
    handle: vk::Device,
    count: u32,
    infos: *const vk::SwapchainCreateInfoKHR<'_>,
    allocator: *const vk::AllocationCallbacks<'_>,
    swapchains: *mut vk::SwapchainKHR,
) -> vk::Result {
    // SAFETY: the program's arguments; the results are valid on success.
    unsafe {
        let Some(device) = device::of(handle.as_raw()) else { return NOTHING_BELOW };
        let Some(next) = device.next.create_shared_swapchains else { return NOTHING_BELOW };
        let none = std::iter::empty();
        let slot =
            thread::begin(Call::CreateSharedSwapchains, device.number, u64::MAX, false, none);
        let result = next(handle, count, infos, allocator, swapchains);
        slot.end(result, 0);
        if result == vk::Result::SUCCESS {
            for (info, swapchain) in slice(infos, count).iter().zip(slice(swapchains, count)) {
                add_swapchain(device, *swapchain, info);
            }
        }
        result
    }
}

/// # Safety
/// `swapchain` is a live swapchain of `device`.
unsafe fn add_swapchain(
    device: &Device,
    swapchain: vk::SwapchainKHR,
    info: &vk::SwapchainCreateInfoKHR<'_>,
) {
    let mut images = 0;
    if let Some(count) = device.next.get_swapchain_images {
        // SAFETY: asks for the number only.
        let _ = unsafe { count(device.handle, swapchain, &raw mut images, std::ptr::null_mut()) };
    }
    let surface = instance::surface(info.surface);
    let blackbox = memory::blackbox();
    let added = blackbox.swapchains().insert(device.number, swapchain.as_raw(), |cells| {
        let zero = [
            &cells.flags,
            &cells.acquires,
            &cells.presents,
            &cells.acquired_at,
            &cells.presented_at,
        ];
        zero.into_iter().chain(&cells.image_states).chain(&cells.label).for_each(|c| set(c, 0));
        set(&cells.created_at, clock::coarse());
        set(&cells.images, u64::from(images));
        set(&cells.images_min, surface.images_min);
        set(&cells.platform, surface.platform);
        set(&cells.window, surface.window);
        set(&cells.present_mode, info.present_mode.as_raw() as u64);
    });
    if added.is_none() {
        blackbox.header().objects_lost.fetch_add(1, Ordering::Relaxed);
    }
}

pub(super) unsafe extern "system" fn destroy_swapchain(
    handle: vk::Device,
    swapchain: vk::SwapchainKHR,
    allocator: *const vk::AllocationCallbacks<'_>,
) {
    // SAFETY: the program's arguments, passed on.
    unsafe {
        let Some(device) = device::of(handle.as_raw()) else { return };
        let objects = std::iter::once((swapchain.as_raw(), 0)).filter(|(handle, _)| *handle != 0);
        let slot = thread::begin(Call::DestroySwapchain, device.number, u64::MAX, false, objects);
        if let Some(next) = device.next.destroy_swapchain
            && !fail::keeps_objects(device)
        {
            next(handle, swapchain, allocator);
        }
        memory::blackbox().swapchains().remove(device.number, swapchain.as_raw());
        slot.end(vk::Result::SUCCESS, 0);
    }
}

/// What an acquire is to signal.
struct Acquire<'d> {
    device: &'d Device,
    call: Call,
    swapchain: vk::SwapchainKHR,
    timeout: u64,
    semaphore: vk::Semaphore,
    fence: vk::Fence,
}

pub(super) unsafe extern "system" fn acquire_next_image(
    handle: vk::Device,
    swapchain: vk::SwapchainKHR,
    timeout: u64,
    semaphore: vk::Semaphore,
    fence: vk::Fence,
    index: *mut u32,
) -> vk::Result {
    // SAFETY: the program's arguments, passed on.
    unsafe {
        let Some(device) = device::of(handle.as_raw()) else { return NOTHING_BELOW };
        let Some(next) = device.next.acquire_next_image else { return NOTHING_BELOW };
        let call = Call::AcquireNextImage;
        let acquire = Acquire { device, call, swapchain, timeout, semaphore, fence };
        acquire.run(index, |timeout| next(handle, swapchain, timeout, semaphore, fence, index))
    }
}

pub(super) unsafe extern "system" fn acquire_next_image2(
    handle: vk::Device,
    info: *const vk::AcquireNextImageInfoKHR<'_>,
    index: *mut u32,
) -> vk::Result {
    // SAFETY: the program's arguments, passed on.
    unsafe {
        let Some(device) = device::of(handle.as_raw()) else { return NOTHING_BELOW };
        let Some(next) = device.next.acquire_next_image2 else { return NOTHING_BELOW };
        let vk::AcquireNextImageInfoKHR { swapchain, timeout, semaphore, fence, .. } = *info;
        let call = Call::AcquireNextImage2;
        let acquire = Acquire { device, call, swapchain, timeout, semaphore, fence };
        acquire.run(index, |timeout| {
            let mut copy = *info;
            copy.timeout = timeout;
            next(handle, &raw const copy, index)
        })
    }
}

impl Acquire<'_> {
    /// # Safety
    /// `index` is valid after a successful `next`.
    unsafe fn run(&self, index: *mut u32, next: impl Fn(u64) -> vk::Result) -> vk::Result {
        let (device, handle) = (self.device, self.swapchain.as_raw());
        let cells = memory::blackbox().swapchains().find(device.number, handle);
        let ordinal = cells.map_or(0, |cells| get(&cells.acquires) + 1);
        let objects = std::iter::once((handle, ordinal));
        let slot = thread::begin(self.call, device.number, self.timeout, false, objects);
        super::waits::lose(device, self.call, Target::Acquire);
        let result = match self.injected(cells) {
            Some(result) => result,
            None => fail::wait(device, self.timeout, next),
        };
        let result = self.suboptimal(result);
        match result {
            // SAFETY: the caller's promise.
            vk::Result::SUCCESS | vk::Result::SUBOPTIMAL_KHR => unsafe {
                self.acquired(cells, *index)
            },
            _ => self.failed(result),
        }
        device.check_lost(result, self.call);
        slot.end_wait(result, ordinal);
        result
    }

    fn suboptimal(&self, result: vk::Result) -> vk::Result {
        if result == vk::Result::SUCCESS
            && let Some(strike) = inject::strike(Fault::Suboptimal, Target::Acquire)
        {
            strike.mark(self.device.number, self.call, self.swapchain.as_raw());
            return vk::Result::SUBOPTIMAL_KHR;
        }
        result
    }

    /// The result of an injected fault that keeps the call from the driver.
    fn injected(&self, cells: Option<&SwapchainCells>) -> Option<vk::Result> {
        if !inject::enabled() {
            return None;
        }
        let mark = |strike: inject::Strike| {
            strike.mark(self.device.number, self.call, self.swapchain.as_raw());
        };
        if let Some(strike) = inject::strike(Fault::AcquireTimeout, Target::Acquire) {
            mark(strike);
            let polled = self.timeout == 0;
            return Some(if polled { vk::Result::NOT_READY } else { vk::Result::TIMEOUT });
        }
        if let Some(strike) = inject::strike(Fault::OutOfDate, Target::Acquire) {
            mark(strike);
            return Some(vk::Result::ERROR_OUT_OF_DATE_KHR);
        }
        let cells = cells?;
        if let Some(strike) = inject::strike(Fault::WithholdImages, Target::Acquire) {
            mark(strike);
            cells.flags.fetch_or(OBJECT_DROPPED, Ordering::Relaxed);
        }
        (get(&cells.flags) & OBJECT_DROPPED != 0).then(|| self.withheld())
    }

    /// No image comes: sleeps out the timeout, in slices so that the mode *fail* can end it.
    fn withheld(&self) -> vk::Result {
        let nothing = |slice: u64| {
            std::thread::sleep(Duration::from_nanos(slice));
            if self.timeout == 0 { vk::Result::NOT_READY } else { vk::Result::TIMEOUT }
        };
        fail::wait(self.device, self.timeout, nothing)
    }

    fn acquired(&self, cells: Option<&SwapchainCells>, image: u32) {
        let now = clock::coarse();
        let blackbox = memory::blackbox();
        if let Some(cells) = cells {
            set(&cells.acquires, get(&cells.acquires) + 1);
            set(&cells.acquired_at, now);
            if let Some(state) = cells.image_states.get(image as usize) {
                set(state, IMAGE_PROGRAM);
            }
        }
        let tid = thread::tid();
        let found = blackbox.semaphores().find(self.device.number, self.semaphore.as_raw());
        if let Some(cells) = found.filter(|cells| get(&cells.kind) == SEMAPHORE_BINARY) {
            cells.signal_operations.fetch_add(1, Ordering::Relaxed);
            set(&cells.armed_queue, self.swapchain.as_raw());
            set(&cells.armed_at, now);
            set(&cells.armed_tid, tid);
            set(&cells.failed_call, 0);
            set(&cells.armed_by, ARMED_ACQUIRE);
        }
        if let Some(cells) = blackbox.fences().find(self.device.number, self.fence.as_raw()) {
            set(&cells.armed_queue, self.swapchain.as_raw());
            set(&cells.armed_at, now);
            set(&cells.armed_tid, tid);
            set(&cells.signalled_at, 0);
            set(&cells.failed_call, 0);
            set(&cells.arms, get(&cells.arms) + 1);
            set(&cells.armed_by, ARMED_ACQUIRE);
        }
    }

    /// Whoever waits for what this acquire was to signal will want to know that it failed.
    fn failed(&self, result: vk::Result) {
        let blackbox = memory::blackbox();
        // The same clock as resets have, or their order would be lost.
        let now = clock::coarse();
        let keep = |call: &AtomicU64, raw: &AtomicU64, at: &AtomicU64| {
            set(raw, result.as_raw() as i64 as u64);
            set(at, now);
            set(call, self.call.word());
        };
        if let Some(s) = blackbox.semaphores().find(self.device.number, self.semaphore.as_raw()) {
            keep(&s.failed_call, &s.failed_result, &s.failed_at);
        }
        if let Some(f) = blackbox.fences().find(self.device.number, self.fence.as_raw()) {
            keep(&f.failed_call, &f.failed_result, &f.failed_at);
        }
        if result.as_raw() >= 0 {
            // A time-out is no error, yet it arms nothing: it is kept like one.
            thread::failed(self.call, result, self.semaphore.as_raw(), self.fence.as_raw());
        }
    }
}

pub(super) unsafe extern "system" fn queue_present(
    handle: vk::Queue,
    info: *const vk::PresentInfoKHR<'_>,
) -> vk::Result {
    // SAFETY: the program's arguments; counts and arrays agree.
    unsafe {
        let Some(device) = device::of(handle.as_raw()) else { return NOTHING_BELOW };
        let Some(next) = device.next.queue_present else { return NOTHING_BELOW };
        let swapchains = slice((*info).p_swapchains, (*info).swapchain_count);
        let images = slice((*info).p_image_indices, (*info).swapchain_count);
        let waits = slice((*info).p_wait_semaphores, (*info).wait_semaphore_count);
        let sequence = Recorder::new(device, handle).map_or(0, |recorder| {
            recorder.batch(Batch {
                kind: BATCH_PRESENT,
                waits: waits.iter().map(|semaphore| (semaphore.as_raw(), 0)),
                signals: std::iter::empty(),
                fence: 0,
                command_buffers: 0,
                swapchain: swapchains.first().map_or(0, |s| s.as_raw()),
            })
        });
        let queue = device.queue(handle).map_or(0, |q| q.index.load(Ordering::Relaxed) as u64 + 1);
        let state = IMAGE_PRESENTED | queue << 8 | sequence << 32;
        let each = || swapchains.iter().zip(images.iter().copied());
        each().for_each(|(swapchain, image)| give_back(device, *swapchain, image, state));
        let objects = swapchains.iter().map(|swapchain| (swapchain.as_raw(), sequence));
        let slot = thread::begin(Call::QueuePresent, device.number, u64::MAX, false, objects);
        super::waits::lose(device, Call::QueuePresent, Target::Present);
        let result = if fail::is_lost(device) {
            vk::Result::ERROR_DEVICE_LOST
        } else {
            let guard = delay::queue_guard();
            let result = next(handle, info);
            drop(guard);
            overridden(device, result, swapchains)
        };
        device.check_lost(result, Call::QueuePresent);
        slot.end_progress(result, sequence);
        result
    }
}

/// The program hands an image on.
fn give_back(device: &Device, swapchain: vk::SwapchainKHR, image: u32, state: u64) {
    let found = memory::blackbox().swapchains().find(device.number, swapchain.as_raw());
    let Some(cells) = found else { return };
    if let Some(cell) = cells.image_states.get(image as usize) {
        set(cell, state);
    }
    if state != IMAGE_ENGINE {
        set(&cells.presents, get(&cells.presents) + 1);
        set(&cells.presented_at, clock::coarse());
    }
}

/// The result that an injected fault puts in the place of the driver's.
fn overridden(device: &Device, result: vk::Result, swapchains: &[vk::SwapchainKHR]) -> vk::Result {
    let faults = [
        (Fault::OutOfDate, vk::Result::ERROR_OUT_OF_DATE_KHR),
        (Fault::Suboptimal, vk::Result::SUBOPTIMAL_KHR),
    ];
    for (fault, instead) in faults {
        if let Some(strike) = inject::strike(fault, Target::Present) {
            let handle = swapchains.first().map_or(0, |s| s.as_raw());
            strike.mark(device.number, Call::QueuePresent, handle);
            return instead;
        }
    }
    result
}

pub(super) unsafe extern "system" fn release_swapchain_images(
    handle: vk::Device,
    info: *const vk::ReleaseSwapchainImagesInfoEXT<'_>,
) -> vk::Result {
    // SAFETY: the program's arguments; count and array agree.
    unsafe {
        let Some(device) = device::of(handle.as_raw()) else { return NOTHING_BELOW };
        let Some(next) = device.next.release_swapchain_images else { return NOTHING_BELOW };
        let result = next(handle, info);
        if result == vk::Result::SUCCESS {
            for image in slice((*info).p_image_indices, (*info).image_index_count) {
                give_back(device, (*info).swapchain, *image, IMAGE_ENGINE);
            }
        }
        let swapchain = (*info).swapchain.as_raw();
        thread::note(Call::ReleaseSwapchainImages, device.number, swapchain, 0, result);
        result
    }
}

pub(super) unsafe extern "system" fn wait_for_present(
    handle: vk::Device,
    swapchain: vk::SwapchainKHR,
    present: u64,
    timeout: u64,
) -> vk::Result {
    // SAFETY: the program's arguments, passed on.
    unsafe {
        let Some(device) = device::of(handle.as_raw()) else { return NOTHING_BELOW };
        let Some(next) = device.next.wait_for_present else { return NOTHING_BELOW };
        let objects = std::iter::once((swapchain.as_raw(), present));
        let slot = thread::begin(Call::WaitForPresent, device.number, timeout, false, objects);
        let result =
            fail::wait(device, timeout, |timeout| next(handle, swapchain, present, timeout));
        device.check_lost(result, Call::WaitForPresent);
        slot.end_wait(result, present);
        result
    }
}

pub(super) unsafe extern "system" fn wait_for_present2(
    handle: vk::Device,
    swapchain: vk::SwapchainKHR,
    info: *const PresentWait2,
) -> vk::Result {
    // SAFETY: the program's arguments, passed on.
    unsafe {
        let Some(device) = device::of(handle.as_raw()) else { return NOTHING_BELOW };
        let Some(next) = device.next.wait_for_present2 else { return NOTHING_BELOW };
        let PresentWait2 { s_type, p_next, present_id, timeout } = *info;
        let objects = std::iter::once((swapchain.as_raw(), present_id));
        let slot = thread::begin(Call::WaitForPresent2, device.number, timeout, false, objects);
        let result = fail::wait(device, timeout, |timeout| {
            let copy = PresentWait2 { s_type, p_next, present_id, timeout };
            next(handle, swapchain, &raw const copy)
        });
        device.check_lost(result, Call::WaitForPresent2);
        slot.end_wait(result, present_id);
        result
    }
}
