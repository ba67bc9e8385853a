//! The waits for fences, semaphores, images and presents.

use std::num::NonZeroU32;

use ash::vk;
use unwedge_wait::{
    acquire, acquire2, wait_fences, wait_idle_for_shutdown_unbounded, wait_present,
    wait_semaphores, Acquired, Need, Point, PresentWaited, Signals, Waited, SEMAPHORES_MAX,
};

use crate::bound::UwBound;
use crate::device::{Timelines, UwDevice};
use crate::result::{answer, given, given_mut, values, Failure, UwResult};

/// A timeline semaphore reaching a value, or a higher one.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct UwPoint {
    /// A timeline semaphore.
    pub semaphore: vk::Semaphore,
    /// The value; zero is always reached.
    pub value: u64,
}

/// How many points uw_wait_semaphores takes at once.
pub const UW_SEMAPHORES_MAX: usize = 32;

const _: () =
    assert!(UW_SEMAPHORES_MAX == SEMAPHORES_MAX, "a header has no names of another crate");

fn need(wait_all: vk::Bool32) -> Need {
    if wait_all == vk::FALSE {
        Need::Any
    } else {
        Need::All
    }
}

/// Waits until all (wait_all is not VK_FALSE) or any of the fences are signalled.
///
/// All of none are reached at once; any of none is UW_RESULT_ERROR_NOTHING. A driver that returns too early is asked again for
/// what is left of the bound.
///
/// # Safety
/// `count` live fences of this device lie behind `fences`, and nobody destroys them during the call.
#[must_use]
#[no_mangle]
pub unsafe extern "C" fn uw_wait_fences(
    device: *const UwDevice,
    count: usize,
    fences: *const vk::Fence,
    wait_all: vk::Bool32,
    bound: UwBound,
) -> UwResult {
    answer(|| {
        // SAFETY: as promised by the caller.
        let (device, fences) =
            unsafe { (given(device, "device")?, values(fences, count, "fences")?) };
        // SAFETY: as promised by the caller.
        let waited = unsafe { wait_fences(&device.device, fences, need(wait_all), bound.bound())? };
        Ok(waited.into())
    })
}

/// Waits until all (wait_all is not VK_FALSE) or any of the points are reached; at most UW_SEMAPHORES_MAX of them.
///
/// All of none are reached at once; any of none is UW_RESULT_ERROR_NOTHING. A driver that returns too early is asked again for
/// what is left of the bound.
///
/// # Safety
/// `count` points lie behind `points`. Their semaphores are live timeline semaphores of this device, and nobody destroys them
/// during the call.
#[must_use]
#[no_mangle]
pub unsafe extern "C" fn uw_wait_semaphores(
    device: *const UwDevice,
    count: usize,
    points: *const UwPoint,
    wait_all: vk::Bool32,
    bound: UwBound,
) -> UwResult {
    answer(|| {
        // SAFETY: as promised by the caller.
        let (device, points) =
            unsafe { (given(device, "device")?, values(points, count, "points")?) };
        if points.len() > UW_SEMAPHORES_MAX {
            return Err(Failure::TooMany("semaphores", UW_SEMAPHORES_MAX));
        }
        let mut room = [Point { semaphore: vk::Semaphore::null(), value: 0 }; UW_SEMAPHORES_MAX];
        for (place, UwPoint { semaphore, value }) in room.iter_mut().zip(points) {
            *place = Point { semaphore: *semaphore, value: *value };
        }
        let (points, need, bound) = (&room[..points.len()], need(wait_all), bound.bound());
        // SAFETY: as promised by the caller.
        let waited: Waited = unsafe {
            match device.timelines()? {
                Timelines::Core(device) => wait_semaphores(device, points, need, bound)?,
                Timelines::Extension(device) => wait_semaphores(device, points, need, bound)?,
            }
        };
        Ok(waited.into())
    })
}

/// Tells the index of an image.
fn acquired(acquired: Acquired, index: &mut u32) -> UwResult {
    match acquired {
        Acquired::Image { index: image, suboptimal } => {
            *index = image;
            if suboptimal {
                UwResult::Suboptimal
            } else {
                UwResult::Reached
            }
        }
        Acquired::TimedOut => UwResult::TimedOut,
        Acquired::OutOfDate => UwResult::OutOfDate,
    }
}

/// Acquires an image: one call, never repeated. The index is written, and the image the program's to present, if this is
/// UW_RESULT_REACHED or UW_RESULT_SUBOPTIMAL. Of everything else semaphore and fence are unaffected: so a fence that the frame is
/// to signal is reset after the acquire, not before.
///
/// Semaphore or fence may be VK_NULL_HANDLE, but not both.
///
/// # Safety
/// Swapchain, semaphore and fence are of this device and live, and nobody else uses them during the call. The swapchain is not
/// retired. Semaphore and fence are unsignalled, with nothing pending.
#[must_use]
#[no_mangle]
pub unsafe extern "C" fn uw_acquire(
    device: *const UwDevice,
    swapchain: vk::SwapchainKHR,
    semaphore: vk::Semaphore,
    fence: vk::Fence,
    bound: UwBound,
    index: *mut u32,
) -> UwResult {
    answer(|| {
        // SAFETY: as promised by the caller.
        let (device, index) =
            unsafe { (given(device, "device")?, given_mut(index, "image index")?) };
        let signals = Signals { semaphore, fence };
        // SAFETY: as promised by the caller.
        let image = unsafe { acquire(device.swapchains()?, swapchain, signals, bound.bound())? };
        Ok(acquired(image, index))
    })
}

/// As uw_acquire, for a group of physical devices; a device_mask of zero is UW_RESULT_ERROR_NOTHING.
///
/// # Safety
/// As of uw_acquire; the mask has no bits beyond the devices of the group.
#[must_use]
#[no_mangle]
pub unsafe extern "C" fn uw_acquire2(
    device: *const UwDevice,
    swapchain: vk::SwapchainKHR,
    semaphore: vk::Semaphore,
    fence: vk::Fence,
    device_mask: u32,
    bound: UwBound,
    index: *mut u32,
) -> UwResult {
    answer(|| {
        // SAFETY: as promised by the caller.
        let (device, index) =
            unsafe { (given(device, "device")?, given_mut(index, "image index")?) };
        let signals = Signals { semaphore, fence };
        let mask = NonZeroU32::new(device_mask).ok_or(Failure::Zero("device mask"))?;
        let bound = bound.bound();
        // SAFETY: as promised by the caller.
        let image = unsafe { acquire2(device.swapchains2()?, swapchain, signals, mask, bound)? };
        Ok(acquired(image, index))
    })
}

fn presented(waited: PresentWaited) -> UwResult {
    match waited {
        PresentWaited::Reached { suboptimal: false } => UwResult::Reached,
        PresentWaited::Reached { suboptimal: true } => UwResult::Suboptimal,
        PresentWaited::TimedOut => UwResult::TimedOut,
        PresentWaited::OutOfDate => UwResult::OutOfDate,
    }
}

/// Waits until the present with this id (VkPresentIdKHR), or a later one, was shown. Zero, which is what a present without an id
/// has, is UW_RESULT_ERROR_NOTHING. A compositor may hold the present of a hidden window for as long as it likes.
///
/// # Safety
/// The swapchain is a live one of this device, not retired, and nobody destroys it during the call. The device has the feature
/// presentWait.
#[must_use]
#[no_mangle]
pub unsafe extern "C" fn uw_wait_present(
    device: *const UwDevice,
    swapchain: vk::SwapchainKHR,
    present_id: u64,
    bound: UwBound,
) -> UwResult {
    answer(|| {
        // SAFETY: as promised by the caller.
        let presents = unsafe { given(device, "device")? }.presents()?;
        // SAFETY: as promised by the caller.
        let waited = unsafe { wait_present(presents, swapchain, present_id, bound.bound())? };
        Ok(presented(waited))
    })
}

/// As uw_wait_present, through VK_KHR_present_wait2, for an id of VkPresentId2KHR.
///
/// # Safety
/// As of uw_wait_present; the device has the feature presentWait2 and the swapchain was made for it.
#[must_use]
#[no_mangle]
pub unsafe extern "C" fn uw_wait_present2(
    device: *const UwDevice,
    swapchain: vk::SwapchainKHR,
    present_id: u64,
    bound: UwBound,
) -> UwResult {
    answer(|| {
        // SAFETY: as promised by the caller.
        let presents = unsafe { given(device, "device")? }.presents2()?;
        // SAFETY: as promised by the caller.
        let waited = unsafe { wait_present(presents, swapchain, present_id, bound.bound())? };
        Ok(presented(waited))
    })
}

/// Waits until the device is idle, for as long as that takes: the one wait without a bound, for the end of a program.
///
/// # Safety
/// The device lives, and nobody uses any of its queues during the call.
#[must_use]
#[no_mangle]
pub unsafe extern "C" fn uw_wait_idle_for_shutdown_unbounded(device: *const UwDevice) -> UwResult {
    answer(|| {
        // SAFETY: as promised by the caller.
        unsafe { wait_idle_for_shutdown_unbounded(&given(device, "device")?.device)? };
        Ok(UwResult::Reached)
    })
}
