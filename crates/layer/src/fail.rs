//! May a watcher fail this process's waits? Only in the mode *fail*: then blocking calls are cut into
//! slices, and once the watcher fails a device, its calls return `VK_ERROR_DEVICE_LOST` for good.
//!
//! Returning `VK_TIMEOUT` from an infinite wait would send some callers into a loop and let others
//! read garbage, so a lost device it is.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use ash::vk;

use crate::config::config;
use crate::device::Device;
use crate::memory;
use crate::submit::delay;

/// Length of a slice, in nanoseconds.
const SLICE: u64 = 50_000_000;

/// The longest that a call waits for the work of a device whose loss is injected.
const SETTLE: Duration = Duration::from_secs(1);

/// The mode is *fail*.
#[inline]
pub(crate) fn enabled() -> bool {
    config().fail
}

/// The device was failed, by a watcher or by an injected fault, and stays lost.
#[inline]
pub(crate) fn is_lost(device: &Device) -> bool {
    if device.lost.load(Ordering::Relaxed) {
        return true;
    }
    if !enabled() || device.number == 0 {
        return false;
    }
    let asked = memory::blackbox().header().fail_devices.load(Ordering::Relaxed);
    let failed = asked & (1_u64 << ((device.number - 1) % 64)) != 0;
    if failed {
        device.lost.store(true, Ordering::Relaxed);
    }
    failed
}

/// A watcher failed the device: work is left on it that never ends, and to destroy what that work
/// uses would hang the program again (Mesa's semaphores wait for their waiters). It is kept.
#[inline]
pub(crate) fn keeps_objects(device: &Device) -> bool {
    enabled() && device.lost.load(Ordering::Relaxed)
}

/// A wait with a timeout. In the mode *fail* it is cut into slices, so that it can be ended.
#[inline]
pub(crate) fn wait(device: &Device, timeout: u64, call: impl Fn(u64) -> vk::Result) -> vk::Result {
    if is_lost(device) {
        return vk::Result::ERROR_DEVICE_LOST;
    }
    if !enabled() {
        return call(timeout);
    }
    let mut left = timeout;
    loop {
        let slice = left.min(SLICE);
        let result = call(slice);
        if is_lost(device) {
            return vk::Result::ERROR_DEVICE_LOST;
        }
        if left != u64::MAX {
            left -= slice;
        }
        if !matches!(result, vk::Result::TIMEOUT | vk::Result::NOT_READY) || left == 0 {
            return result;
        }
    }
}

/// Waits in slices until every queue's breadcrumb reaches its last batch, or the device is failed.
/// Idle calls have no timeout of their own, so this goes before them in the mode *fail*.
pub(crate) fn idle(device: &Device, only: Option<vk::Queue>) -> Result<(), vk::Result> {
    if is_lost(device) {
        return Err(vk::Result::ERROR_DEVICE_LOST);
    }
    if !enabled() {
        return Ok(());
    }
    passed(device, only, |semaphore_wait| wait(device, u64::MAX, semaphore_wait))
}

/// A batch waits for this semaphore, which nobody is to signal while the device lives.
pub(crate) fn remember_held(device: &Device, semaphore: vk::Semaphore) {
    device.held.lock().unwrap_or_else(PoisonError::into_inner).push(semaphore);
}

/// Lets the work end that a device has, whose loss is only injected. Vulkan takes all work of a lost
/// device for complete, so the program may destroy what that work uses at once; the driver below
/// knows of no loss and is still at it. So what was held is let go. Bounded, for another fault may
/// keep the work from ending.
pub(crate) fn settle(device: &Device) {
    // Taken out first: no lock is held across a call.
    let held = std::mem::take(&mut *device.held.lock().unwrap_or_else(PoisonError::into_inner));
    for semaphore in held {
        delay::let_go(device, semaphore);
    }
    let until = Instant::now() + SETTLE;
    let _ = passed(device, None, |semaphore_wait| {
        let left = until.saturating_duration_since(Instant::now());
        semaphore_wait(u64::try_from(left.as_nanos()).unwrap_or(0))
    });
}

/// Waits for the last breadcrumb of each queue, or of one; the caller says how a wait is bounded.
fn passed(
    device: &Device,
    only: Option<vk::Queue>,
    bounded: impl Fn(&dyn Fn(u64) -> vk::Result) -> vk::Result,
) -> Result<(), vk::Result> {
    let Some(wait_semaphores) = device.next.wait_semaphores else { return Ok(()) };
    for queue in device.live_queues() {
        let handle = queue.handle.load(Ordering::Relaxed);
        let other = only.is_some_and(|only| ash::vk::Handle::as_raw(only) != handle);
        let crumb = queue.crumb.load(Ordering::Relaxed);
        let Some(cells) = queue.cells() else { continue };
        if other || crumb == 0 {
            continue;
        }
        let semaphore: vk::Semaphore = ash::vk::Handle::from_raw(crumb);
        let value = cells.crumbed.load(Ordering::Relaxed);
        let info = vk::SemaphoreWaitInfo::default()
            .semaphores(std::slice::from_ref(&semaphore))
            .values(std::slice::from_ref(&value));
        let result = bounded(&|slice| {
            // SAFETY: the crumb lives as long as the device; the structure outlives the call.
            unsafe { wait_semaphores(device.handle, &raw const info, slice) }
        });
        if result != vk::Result::SUCCESS {
            return Err(result);
        }
    }
    Ok(())
}
