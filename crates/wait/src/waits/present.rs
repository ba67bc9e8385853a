//! Has this image been shown?

use std::ffi::c_void;
use std::mem;

use ash::vk;

use crate::{Bound, Error};

/// How did a wait for a present end?
#[must_use = "a present that timed out may still be shown"]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PresentWaited {
    /// It was shown, or another was shown in its place.
    Reached {
        /// The swapchain does not quite match its surface any more.
        suboptimal: bool,
    },
    /// Neither happened within the bound. Nothing was changed: the same wait may be tried again.
    TimedOut,
    /// The swapchain can present no more: whether this image was shown will not be told.
    OutOfDate,
}

mod sealed {
    use ash::vk;

    pub trait Sealed {
        const CALL: &'static str;

        /// # Safety
        /// What the function that it calls asks for.
        unsafe fn wait(
            &self,
            swapchain: vk::SwapchainKHR,
            present_id: u64,
            nanos: u64,
        ) -> Result<(), vk::Result>;
    }
}

/// Where waits for presents come from: `VK_KHR_present_wait` ([`ash::khr::present_wait::Device`]) or `VK_KHR_present_wait2`
/// ([`PresentWait2`]). Nothing else implements it.
pub trait PresentWait: sealed::Sealed {}

impl sealed::Sealed for ash::khr::present_wait::Device {
    const CALL: &'static str = "vkWaitForPresentKHR";

    unsafe fn wait(
        &self,
        swapchain: vk::SwapchainKHR,
        present_id: u64,
        nanos: u64,
    ) -> Result<(), vk::Result> {
        // SAFETY: as promised by the caller.
        unsafe { self.wait_for_present(swapchain, present_id, nanos) }
    }
}

impl PresentWait for ash::khr::present_wait::Device {}

/// The function of `VK_KHR_present_wait2`, which is younger than ash 0.38.
#[derive(Clone, Copy)]
pub struct PresentWait2 {
    device: vk::Device,
    wait: WaitForPresent2,
}

type WaitForPresent2 =
    unsafe extern "system" fn(vk::Device, vk::SwapchainKHR, *const PresentWait2Asked) -> vk::Result;

/// `VkPresentWait2InfoKHR`.
#[repr(C)]
struct PresentWait2Asked {
    s_type: vk::StructureType,
    p_next: *const c_void,
    present_id: u64,
    timeout: u64,
}

impl PresentWait2 {
    /// `VK_STRUCTURE_TYPE_PRESENT_WAIT_2_INFO_KHR`, of extension 481.
    const STRUCTURE: vk::StructureType = vk::StructureType::from_raw(1_000_480_002);

    /// Asks the device for the function; `None` if the extension is not enabled.
    ///
    /// # Safety
    /// The device is a live one of this instance.
    #[must_use]
    pub unsafe fn load(instance: &ash::Instance, device: &ash::Device) -> Option<Self> {
        let name = c"vkWaitForPresent2KHR".as_ptr();
        // SAFETY: as promised by the caller.
        let wait = unsafe { instance.get_device_proc_addr(device.handle(), name) }?;
        // SAFETY: a function of this name has this type.
        let wait = unsafe { mem::transmute::<unsafe extern "system" fn(), WaitForPresent2>(wait) };
        Some(Self { device: device.handle(), wait })
    }
}

impl sealed::Sealed for PresentWait2 {
    const CALL: &'static str = "vkWaitForPresent2KHR";

    unsafe fn wait(
        &self,
        swapchain: vk::SwapchainKHR,
        present_id: u64,
        timeout: u64,
    ) -> Result<(), vk::Result> {
        let s_type = Self::STRUCTURE;
        let asked = PresentWait2Asked { s_type, p_next: std::ptr::null(), present_id, timeout };
        // SAFETY: as promised by the caller; the structure lives until the call is over.
        unsafe { (self.wait)(self.device, swapchain, &raw const asked) }.result()
    }
}

impl PresentWait for PresentWait2 {}

/// Waits until the present with this id, or a later one, was shown, at most for `bound`.
///
/// The id is the one that `VkPresentIdKHR` (for [`PresentWait2`], `VkPresentId2KHR`) gave to the present. Zero is what a present
/// without an id has, so that nothing can be said of it: [`Error::Nothing`].
///
/// What it misses: the image need not be visible to anybody, and a compositor may hold the present of a hidden window for as
/// long as it likes. A timeout here is therefore no sign of a fault.
///
/// # Errors
/// [`Error::NullHandle`], [`Error::Nothing`], and what `vkWaitForPresentKHR` or `vkWaitForPresent2KHR` returns.
///
/// # Safety
/// The swapchain is of this device, not retired, and nobody destroys it during the call. A present with this id was queued on it
/// (else nobody owes it, and the wait times out), and the device has the feature `presentWait` or `presentWait2`.
pub unsafe fn wait_present<P: PresentWait>(
    presents: &P,
    swapchain: vk::SwapchainKHR,
    present_id: u64,
    bound: Bound,
) -> Result<PresentWaited, Error> {
    if swapchain == vk::SwapchainKHR::null() {
        return Err(Error::NullHandle("swapchain"));
    }
    if present_id == 0 {
        return Err(Error::Nothing);
    }
    // SAFETY: as promised by the caller.
    let wait =
        |bound: Bound| match unsafe { presents.wait(swapchain, present_id, bound.as_nanos()) } {
            Ok(()) => Ok(PresentWaited::Reached { suboptimal: false }),
            Err(vk::Result::SUBOPTIMAL_KHR) => Ok(PresentWaited::Reached { suboptimal: true }),
            Err(vk::Result::TIMEOUT) => Ok(PresentWaited::TimedOut),
            Err(
                vk::Result::ERROR_OUT_OF_DATE_KHR
                | vk::Result::ERROR_FULL_SCREEN_EXCLUSIVE_MODE_LOST_EXT,
            ) => Ok(PresentWaited::OutOfDate),
            Err(result) => Err(Error::of(P::CALL, result)),
        };
    super::patiently(wait, bound)
}
