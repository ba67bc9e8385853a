//! Are these fences signalled?

use ash::vk;

use crate::{Bound, Error, Need, Waited};

const CALL: &str = "vkWaitForFences";

/// Waits until all or any of the `fences` are signalled, at most for `bound`.
///
/// An empty slice is [`Waited::Reached`] for [`Need::All`] and [`Error::Nothing`] for [`Need::Any`]. A driver that
/// returns before the bound is over, without an answer, is asked again for what is left of it.
///
/// A fence says that the batch is done that it was submitted with, and all that was submitted to the same queue before. It misses
/// presents, and the work of other queues. One that was never submitted, or reset since, times out for ever; so does one whose
/// notification the driver dropped, though its work is done.
///
/// ```compile_fail,E0308
/// # fn check(device: &ash::Device, fence: ash::vk::Fence) {
/// use unwedge_wait::{Need, wait_fences};
/// // "For ever" cannot be written: a bound is no number.
/// let waited = unsafe { wait_fences(device, &[fence], Need::All, u64::MAX) };
/// # }
/// ```
///
/// # Errors
/// [`Error::NullHandle`], [`Error::Nothing`], [`Error::TooMany`] for more than 32 bits can count, and what `vkWaitForFences`
/// returns.
///
/// # Safety
/// The fences are fences of this device, and nobody destroys them during the call. A fence of another device, or one that is
/// destroyed, cannot be told from its handle: Vulkan leaves undefined what happens then. [`QueueIdle`](crate::QueueIdle)
/// and the frames of this crate own their fences, so that it cannot come to that.
#[inline]
pub unsafe fn wait_fences(
    device: &ash::Device,
    fences: &[vk::Fence],
    need: Need,
    bound: Bound,
) -> Result<Waited, Error> {
    let many = u32::try_from(fences.len()).is_err();
    if fences.is_empty() || many || fences.contains(&vk::Fence::null()) {
        return wrong(fences, need);
    }
    // What is signalled already costs this call and little more: the rest is elsewhere, so that this can be part of the caller.
    // SAFETY: as promised by the caller.
    match unsafe { device.wait_for_fences(fences, need == Need::All, Bound::ZERO.as_nanos()) } {
        Ok(()) => Ok(Waited::Reached),
        Err(result) => {
            let all = need == Need::All;
            // SAFETY: as promised by the caller.
            let wait =
                |bound: Bound| unsafe { device.wait_for_fences(fences, all, bound.as_nanos()) };
            super::not_at_once(CALL, result, bound, wait)
        }
    }
}

/// What is answered without asking Vulkan.
#[cold]
#[inline(never)]
fn wrong(fences: &[vk::Fence], need: Need) -> Result<Waited, Error> {
    match need {
        Need::All if fences.is_empty() => Ok(Waited::Reached),
        Need::Any if fences.is_empty() => Err(Error::Nothing),
        _ if fences.contains(&vk::Fence::null()) => Err(Error::NullHandle("fence")),
        _ => Err(Error::TooMany("fences", u32::MAX as usize)),
    }
}

/// As [`wait_fences`], for one fence that is likely not to be signalled yet: it waits at once instead of looking first, which a
/// look at the clock pays for.
///
/// # Safety
/// As of [`wait_fences`].
pub(crate) unsafe fn wait_for_work(
    device: &ash::Device,
    fence: vk::Fence,
    bound: Bound,
) -> Result<Waited, Error> {
    // SAFETY: as promised by the caller.
    let wait = |bound: Bound| unsafe { device.wait_for_fences(&[fence], true, bound.as_nanos()) };
    super::until(&|bound| super::answer(CALL, wait(bound)), bound)
}
