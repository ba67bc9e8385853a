//! Which image may be drawn to next?

use std::num::NonZeroU32;

use ash::vk;

use crate::{Bound, Error};

/// What an acquire signals once the image may be written. At least one of the two must not be null.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signals {
    /// A binary semaphore, unsignalled and with nothing pending; or null.
    pub semaphore: vk::Semaphore,
    /// A fence, unsignalled and with nothing pending; or null.
    pub fence: vk::Fence,
}

impl Signals {
    /// Signals this semaphore alone.
    #[must_use]
    pub const fn semaphore(semaphore: vk::Semaphore) -> Self {
        Self { semaphore, fence: vk::Fence::null() }
    }

    /// Signals this fence alone.
    #[must_use]
    pub const fn fence(fence: vk::Fence) -> Self {
        Self { semaphore: vk::Semaphore::null(), fence }
    }

    fn check(self) -> Result<(), Error> {
        if self == Self::default() {
            return Err(Error::NullHandle("semaphore and of the fence that an acquire signals"));
        }
        Ok(())
    }
}

/// How did an acquire end?
#[must_use = "an image that was acquired has to be presented, and one that was not must not be drawn to"]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Acquired {
    /// This image now belongs to the program, which has to present it. Semaphore and fence are signalled, or will be.
    Image {
        /// Its place in what `vkGetSwapchainImagesKHR` lists.
        index: u32,
        /// It can be presented, but the swapchain does not quite match its surface any more.
        suboptimal: bool,
    },
    /// No image was free within the bound. Semaphore and fence are as they were.
    TimedOut,
    /// The swapchain can present no more (`VK_ERROR_OUT_OF_DATE_KHR`, or the exclusive use of the full screen was lost): it has
    /// to be made again. Semaphore and fence are as they were.
    OutOfDate,
}

/// Acquires an image of a swapchain, waiting for one at most for `bound`.
///
/// This is one call and never repeated: a driver that returns before the bound is over, without an answer, has
/// [timed out](Acquired::TimedOut). Of everything but [`Acquired::Image`], errors too, the semaphore and the fence are
/// unaffected: a fence that the frame is to signal must not be reset before an image is there.
///
/// An image that is acquired may still be read by the presentation engine. That it is not any more is what `signals` tells, and
/// no bound of this function covers that wait.
///
/// # Errors
/// [`Error::NullHandle`] for a swapchain that is null, or if nothing is to be signalled
/// (`VUID-vkAcquireNextImageKHR-semaphore-01780`); and what `vkAcquireNextImageKHR` returns.
///
/// # Safety
/// Swapchain, semaphore and fence are of this device and live, and nobody else uses them during the call. The swapchain is not
/// retired. Semaphore and fence are unsignalled and nothing is pending on them. None of this can be told from a handle: a
/// swapchain that is destroyed, or a fence of another device, is undefined behaviour. The frame of this crate owns these
/// objects, so that it cannot come to that.
pub unsafe fn acquire(
    swapchains: &ash::khr::swapchain::Device,
    swapchain: vk::SwapchainKHR,
    signals: Signals,
    bound: Bound,
) -> Result<Acquired, Error> {
    if swapchain == vk::SwapchainKHR::null() {
        return Err(Error::NullHandle("swapchain"));
    }
    signals.check()?;
    let Signals { semaphore, fence } = signals;
    // SAFETY: as promised by the caller.
    let result =
        unsafe { swapchains.acquire_next_image(swapchain, bound.as_nanos(), semaphore, fence) };
    sort("vkAcquireNextImageKHR", result)
}

/// As [`acquire`], for a group of physical devices: `device_mask` says which of them will use the image.
///
/// # Errors
/// As of [`acquire`], of `vkAcquireNextImage2KHR`.
///
/// # Safety
/// As of [`acquire`]. The mask has no bits beyond the devices of the group (`VUID-VkAcquireNextImageInfoKHR-deviceMask-01290`),
/// and the device has Vulkan 1.1 or `VK_KHR_device_group`.
pub unsafe fn acquire2(
    swapchains: &ash::khr::swapchain::Device,
    swapchain: vk::SwapchainKHR,
    signals: Signals,
    device_mask: NonZeroU32,
    bound: Bound,
) -> Result<Acquired, Error> {
    if swapchain == vk::SwapchainKHR::null() {
        return Err(Error::NullHandle("swapchain"));
    }
    signals.check()?;
    let asked = vk::AcquireNextImageInfoKHR::default()
        .swapchain(swapchain)
        .timeout(bound.as_nanos())
        .semaphore(signals.semaphore)
        .fence(signals.fence)
        .device_mask(device_mask.get());
    // SAFETY: as promised by the caller.
    let result = unsafe { swapchains.acquire_next_image2(&asked) };
    sort("vkAcquireNextImage2KHR", result)
}

fn sort(call: &'static str, result: Result<(u32, bool), vk::Result>) -> Result<Acquired, Error> {
    match result {
        Ok((index, suboptimal)) => Ok(Acquired::Image { index, suboptimal }),
        // The second is what a bound of zero gives.
        Err(vk::Result::TIMEOUT | vk::Result::NOT_READY) => Ok(Acquired::TimedOut),
        Err(
            vk::Result::ERROR_OUT_OF_DATE_KHR
            | vk::Result::ERROR_FULL_SCREEN_EXCLUSIVE_MODE_LOST_EXT,
        ) => Ok(Acquired::OutOfDate),
        Err(result) => Err(Error::of(call, result)),
    }
}
