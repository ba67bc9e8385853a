//! Are these fences signalled?

use ash::vk;

use crate::{Bound, Error, Need, Waited};

const CALL: &str = "vkWaitForFences";

/// Waits until all or any of the `fences` are signalled, at most for `bound`.
///
/// An empty slice is [`Waited::Reached`] for [`Need::All`] and [`Error::Nothing`] for [`Need::Any`]. A driver that
/// returns before the bound is over, without an answer, is asked again for what is left of it.
///
/// # Errors
/// [`Error::NullHandle`], [`Error::Nothing`], and what `vkWaitForFences` returns.
///
/// # Safety
/// The fences are fences of this device, and nobody destroys them during the call.
pub unsafe fn wait_fences(
    device: &ash::Device,
    fences: &[vk::Fence],
    need: Need,
    bound: Bound,
) -> Result<Waited, Error> {
    if fences.is_empty() {
        return if need == Need::All { Ok(Waited::Reached) } else { Err(Error::Nothing) };
    }
    if fences.contains(&vk::Fence::null()) {
        return Err(Error::NullHandle("fence"));
    }
    let all = need == Need::All;
    // SAFETY: as promised by the caller.
    let wait = |bound: Bound| match unsafe { device.wait_for_fences(fences, all, bound.as_nanos()) }
    {
        Ok(()) => Ok(Waited::Reached),
        Err(vk::Result::TIMEOUT) => Ok(Waited::TimedOut),
        Err(result) => Err(Error::of(CALL, result)),
    };
    crate::waits::patiently(wait, bound)
}
