//! The waits for idle queues, which own fences.

use ash::vk;
use unwedge_wait::{DeviceIdle, QueueIdle};

use crate::bound::UwBound;
use crate::device::UwDevice;
use crate::result::{answer, given, given_mut, value, values, UwResult};

/// Waits for one queue to be done. It owns up to four fences. One thread uses it at a time.
pub struct UwQueueIdle(QueueIdle);

/// Waits for several queues to be done, as UwQueueIdle does for one.
pub struct UwDeviceIdle(DeviceIdle);

/// Prepares to wait for a queue. On success `idle` leads to what is to be freed with uw_queue_idle_free before the device is
/// destroyed; otherwise it is null.
///
/// # Safety
/// The queue is one of this device, which lives until then. There is room for a pointer behind `idle`.
#[must_use]
#[no_mangle]
pub unsafe extern "C" fn uw_queue_idle_new(
    device: *const UwDevice,
    queue: vk::Queue,
    idle: *mut *mut UwQueueIdle,
) -> UwResult {
    answer(|| {
        // SAFETY: as promised by the caller.
        let idle = unsafe { given_mut(idle, "place for the result")? };
        *idle = std::ptr::null_mut();
        // SAFETY: as promised by the caller.
        let made = unsafe { QueueIdle::new(&given(device, "device")?.device, queue)? };
        *idle = Box::into_raw(Box::new(UwQueueIdle(made)));
        Ok(UwResult::Reached)
    })
}

/// Waits until all that was submitted to the queue before this call is done. It submits an empty batch with a fence and waits for
/// that. It misses what other threads submit meanwhile, presents that have left the queue, sparse bindings and all else on other
/// queues, and what the host does.
///
/// A bound of zero is often too short even for an idle queue.
///
/// # Safety
/// Device and queue live, and nobody else submits to the queue or presents on it during this call.
#[must_use]
#[no_mangle]
pub unsafe extern "C" fn uw_queue_idle_wait(idle: *mut UwQueueIdle, bound: UwBound) -> UwResult {
    answer(|| {
        // SAFETY: as promised by the caller.
        let waited = unsafe { given_mut(idle, "queue idle")?.0.wait(bound.bound())? };
        Ok(waited.into())
    })
}

/// Destroys the fences that are not pending, and says how many are left because they are: the device cannot be destroyed
/// before those are reached. Null is left alone.
///
/// # Safety
/// The pointer is null or one that uw_queue_idle_new gave, and is not used any more. The device lives.
#[must_use]
#[no_mangle]
pub unsafe extern "C" fn uw_queue_idle_free(idle: *mut UwQueueIdle) -> usize {
    value(0, || {
        if idle.is_null() {
            return Ok(0);
        }
        // SAFETY: as promised by the caller.
        Ok(unsafe { Box::from_raw(idle).0.destroy() })
    })
}

/// Prepares to wait for several queues of a device. On success `idle` leads to what is to be freed with uw_device_idle_free before
/// the device is destroyed; otherwise it is null. Without queues each wait is reached at once.
///
/// # Safety
/// `count` queues of this device, which lives until then, lie behind `queues`. There is room for a pointer behind `idle`.
#[must_use]
#[no_mangle]
pub unsafe extern "C" fn uw_device_idle_new(
    device: *const UwDevice,
    count: usize,
    queues: *const vk::Queue,
    idle: *mut *mut UwDeviceIdle,
) -> UwResult {
    answer(|| {
        // SAFETY: as promised by the caller.
        let idle = unsafe { given_mut(idle, "place for the result")? };
        *idle = std::ptr::null_mut();
        // SAFETY: as promised by the caller.
        let (device, queues) =
            unsafe { (given(device, "device")?, values(queues, count, "queues")?) };
        // SAFETY: as promised by the caller.
        let made = unsafe { DeviceIdle::new(&device.device, queues)? };
        *idle = Box::into_raw(Box::new(UwDeviceIdle(made)));
        Ok(UwResult::Reached)
    })
}

/// As uw_queue_idle_wait, for all of the queues, with one bound for all.
///
/// # Safety
/// Device and queues live, and nobody else submits to them or presents on them during this call.
#[must_use]
#[no_mangle]
pub unsafe extern "C" fn uw_device_idle_wait(idle: *mut UwDeviceIdle, bound: UwBound) -> UwResult {
    answer(|| {
        // SAFETY: as promised by the caller.
        let waited = unsafe { given_mut(idle, "device idle")?.0.wait(bound.bound())? };
        Ok(waited.into())
    })
}

/// As uw_queue_idle_free, for all of the queues.
///
/// # Safety
/// The pointer is null or one that uw_device_idle_new gave, and is not used any more. The device lives.
#[must_use]
#[no_mangle]
pub unsafe extern "C" fn uw_device_idle_free(idle: *mut UwDeviceIdle) -> usize {
    value(0, || {
        if idle.is_null() {
            return Ok(0);
        }
        // SAFETY: as promised by the caller.
        Ok(unsafe { Box::from_raw(idle).0.destroy() })
    })
}
