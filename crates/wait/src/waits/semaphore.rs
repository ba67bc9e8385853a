//! Have these timeline semaphores reached these values?

use ash::vk;

use crate::{Bound, Error, Need, Waited};

/// How many points one call of [`wait_semaphores`] takes. They stand on the stack; a wait allocates nothing.
pub const SEMAPHORES_MAX: usize = 32;

const CALL: &str = "vkWaitSemaphores";

/// A timeline semaphore reaching a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Point {
    /// The semaphore, which must be a timeline semaphore.
    pub semaphore: vk::Semaphore,
    /// It is reached once the semaphore has this value or a higher one. Zero is always reached.
    pub value: u64,
}

mod sealed {
    use ash::vk;

    pub trait Sealed {
        /// # Safety
        /// What `vkWaitSemaphores` asks for.
        unsafe fn wait(
            &self,
            wait: &vk::SemaphoreWaitInfo<'_>,
            nanos: u64,
        ) -> Result<(), vk::Result>;
    }

    impl Sealed for ash::Device {
        #[inline]
        unsafe fn wait(
            &self,
            wait: &vk::SemaphoreWaitInfo<'_>,
            nanos: u64,
        ) -> Result<(), vk::Result> {
            // SAFETY: as promised by the caller.
            unsafe { self.wait_semaphores(wait, nanos) }
        }
    }

    impl Sealed for ash::khr::timeline_semaphore::Device {
        #[inline]
        unsafe fn wait(
            &self,
            wait: &vk::SemaphoreWaitInfo<'_>,
            nanos: u64,
        ) -> Result<(), vk::Result> {
            // SAFETY: as promised by the caller.
            unsafe { self.wait_semaphores(wait, nanos) }
        }
    }
}

/// Where timeline semaphores come from: [`ash::Device`] since Vulkan 1.2, or [`ash::khr::timeline_semaphore::Device`]
/// with the extension. Nothing else implements it.
pub trait Timeline: sealed::Sealed {}

impl Timeline for ash::Device {}
impl Timeline for ash::khr::timeline_semaphore::Device {}

/// Waits until all or any of the `points` are reached, at most for `bound`.
///
/// An empty slice is [`Waited::Reached`] for [`Need::All`] and [`Error::Nothing`] for [`Need::Any`]. A driver that
/// returns before the bound is over, without an answer, is asked again for what is left of it.
///
/// It misses nothing of the semaphores that it is given, but a value says only that those operations are done that were to
/// signal it: what the program has not tied to it, a present above all, may still be under way.
///
/// # Errors
/// [`Error::NullHandle`], [`Error::Nothing`], [`Error::TooMany`] for more than [`SEMAPHORES_MAX`] points, and what
/// `vkWaitSemaphores` returns.
///
/// # Safety
/// The semaphores are timeline semaphores of this device (`VUID-VkSemaphoreWaitInfo-pSemaphores-03256`), nobody destroys them
/// during the call, and the device has the feature `timelineSemaphore`. A binary semaphore, or one of another device, cannot
/// be told from its handle.
#[inline]
pub unsafe fn wait_semaphores(
    timeline: &impl Timeline,
    points: &[Point],
    need: Need,
    bound: Bound,
) -> Result<Waited, Error> {
    if points.is_empty() {
        return if need == Need::All { Ok(Waited::Reached) } else { Err(Error::Nothing) };
    }
    if points.len() > SEMAPHORES_MAX {
        return Err(Error::TooMany("semaphores", SEMAPHORES_MAX));
    }
    // SAFETY: as promised by the caller.
    unsafe {
        match points {
            // What most programs wait for. Clearing room for all of them would take two thirds of this function's own time.
            [_] => wait_up_to::<1>(timeline, points, need, bound),
            _ => wait_up_to::<SEMAPHORES_MAX>(timeline, points, need, bound),
        }
    }
}

/// Waits for at most `MAX` points.
///
/// # Safety
/// As of [`wait_semaphores`].
unsafe fn wait_up_to<const MAX: usize>(
    timeline: &impl Timeline,
    points: &[Point],
    need: Need,
    bound: Bound,
) -> Result<Waited, Error> {
    let mut semaphores = [vk::Semaphore::null(); MAX];
    let mut values = [0; MAX];
    for (index, point) in points.iter().enumerate() {
        if point.semaphore == vk::Semaphore::null() {
            return Err(Error::NullHandle("semaphore"));
        }
        semaphores[index] = point.semaphore;
        values[index] = point.value;
    }
    let flags = match need {
        Need::All => vk::SemaphoreWaitFlags::empty(),
        Need::Any => vk::SemaphoreWaitFlags::ANY,
    };
    let asked = vk::SemaphoreWaitInfo::default()
        .flags(flags)
        .semaphores(&semaphores[..points.len()])
        .values(&values[..points.len()]);
    // SAFETY: as promised by the caller; the arrays live until the wait is over.
    match unsafe { timeline.wait(&asked, Bound::ZERO.as_nanos()) } {
        Ok(()) => Ok(Waited::Reached),
        Err(result) => {
            // SAFETY: as promised by the caller; the arrays live until the wait is over.
            let wait = |bound: Bound| unsafe { timeline.wait(&asked, bound.as_nanos()) };
            super::not_at_once(CALL, result, bound, wait)
        }
    }
}
