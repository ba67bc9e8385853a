//! Which functions does a device have? They are asked for once.

use std::ffi::{c_char, c_void, CStr};

use ash::vk;

use crate::result::{value, Failure};

/// `PFN_vkGetDeviceProcAddr`.
pub type GetDeviceProcAddr = Option<
    unsafe extern "system" fn(device: vk::Device, name: *const c_char) -> vk::PFN_vkVoidFunction,
>;

/// A Vulkan device as this library sees it: the addresses of its functions. It owns nothing of the device.
pub struct UwDevice {
    pub(crate) device: ash::Device,
    swapchains: ash::khr::swapchain::Device,
    timelines: ash::khr::timeline_semaphore::Device,
    presents: ash::khr::present_wait::Device,
    presents2: Option<unwedge_wait::PresentWait2>,
    has: Has,
}

/// Which of the functions that a device need not have are there.
struct Has {
    acquire: bool,
    acquire2: bool,
    wait_semaphores: bool,
    wait_semaphores_khr: bool,
    wait_for_present: bool,
}

/// Where timeline semaphores come from.
pub(crate) enum Timelines<'a> {
    Core(&'a ash::Device),
    Extension(&'a ash::khr::timeline_semaphore::Device),
}

/// Every device has these.
const CORE: [&[u8]; 8] = [
    b"vkWaitForFences\0",
    b"vkCreateFence\0",
    b"vkDestroyFence\0",
    b"vkResetFences\0",
    b"vkGetFenceStatus\0",
    b"vkQueueSubmit\0",
    b"vkGetQueryPoolResults\0",
    b"vkDeviceWaitIdle\0",
];

impl UwDevice {
    pub(crate) fn swapchains(&self) -> Result<&ash::khr::swapchain::Device, Failure> {
        let missing = Failure::Missing("vkAcquireNextImageKHR");
        self.has.acquire.then_some(&self.swapchains).ok_or(missing)
    }

    pub(crate) fn swapchains2(&self) -> Result<&ash::khr::swapchain::Device, Failure> {
        let missing = Failure::Missing("vkAcquireNextImage2KHR");
        self.has.acquire2.then_some(&self.swapchains).ok_or(missing)
    }

    pub(crate) fn timelines(&self) -> Result<Timelines<'_>, Failure> {
        if self.has.wait_semaphores {
            return Ok(Timelines::Core(&self.device));
        }
        let extension = Timelines::Extension(&self.timelines);
        let missing = Failure::Missing("vkWaitSemaphores");
        self.has.wait_semaphores_khr.then_some(extension).ok_or(missing)
    }

    pub(crate) fn presents(&self) -> Result<&ash::khr::present_wait::Device, Failure> {
        let missing = Failure::Missing("vkWaitForPresentKHR");
        self.has.wait_for_present.then_some(&self.presents).ok_or(missing)
    }

    pub(crate) fn presents2(&self) -> Result<&unwedge_wait::PresentWait2, Failure> {
        self.presents2.as_ref().ok_or(Failure::Missing("vkWaitForPresent2KHR"))
    }

    /// # Safety
    /// As of [`uw_device_new`].
    unsafe fn new(handle: vk::Device, get: GetDeviceProcAddr) -> Result<Self, Failure> {
        if handle == vk::Device::null() {
            return Err(Failure::NullPointer("device"));
        }
        let get = get.ok_or(Failure::NullPointer("function vkGetDeviceProcAddr"))?;
        let find = |name: &CStr| -> *const c_void {
            // SAFETY: as promised by the caller; the name ends in a zero.
            unsafe { get(handle, name.as_ptr()) }
                .map_or(std::ptr::null(), |found| found as *const c_void)
        };
        let has =
            |name: &[u8]| CStr::from_bytes_with_nul(name).is_ok_and(|name| !find(name).is_null());
        if CORE.iter().any(|name| !has(name)) {
            return Err(Failure::Missing("functions of Vulkan 1.0"));
        }
        // Of an instance, ash uses this one function to look up those of extensions.
        let find_by_instance = |name: &CStr| -> *const c_void {
            let get_device_proc_addr = name.to_bytes() == b"vkGetDeviceProcAddr";
            if get_device_proc_addr {
                get as *const c_void
            } else {
                std::ptr::null()
            }
        };
        // SAFETY: the functions have the types of their names; those that are missing are never called.
        let instance = unsafe { ash::Instance::load_with(find_by_instance, vk::Instance::null()) };
        // SAFETY: as above.
        let device = unsafe { ash::Device::load_with(find, handle) };
        Ok(Self {
            swapchains: ash::khr::swapchain::Device::new(&instance, &device),
            timelines: ash::khr::timeline_semaphore::Device::new(&instance, &device),
            presents: ash::khr::present_wait::Device::new(&instance, &device),
            // SAFETY: the device lives, as promised by the caller.
            presents2: unsafe { unwedge_wait::PresentWait2::load(&instance, &device) },
            has: Has {
                acquire: has(b"vkAcquireNextImageKHR\0"),
                acquire2: has(b"vkAcquireNextImage2KHR\0"),
                wait_semaphores: has(b"vkWaitSemaphores\0"),
                wait_semaphores_khr: has(b"vkWaitSemaphoresKHR\0"),
                wait_for_present: has(b"vkWaitForPresentKHR\0"),
            },
            device,
        })
    }
}

/// Looks up the functions of a device. Null if one of the arguments is null or the device lacks functions of Vulkan 1.0;
/// uw_last_error says which. To be freed with uw_device_free, before or after the VkDevice is destroyed.
///
/// Any number of threads may use it at once, as far as Vulkan lets them use what they wait for.
///
/// # Safety
/// The device lives as long as anything is waited for through it, and the function is that of the loader or of this device.
#[must_use]
#[no_mangle]
pub unsafe extern "C" fn uw_device_new(
    device: vk::Device,
    get_device_proc_addr: GetDeviceProcAddr,
) -> *mut UwDevice {
    value(std::ptr::null_mut(), || {
        // SAFETY: as promised by the caller.
        let device = unsafe { UwDevice::new(device, get_device_proc_addr)? };
        Ok(Box::into_raw(Box::new(device)))
    })
}

/// Frees what uw_device_new gave. Null is left alone. It makes no call to Vulkan.
///
/// # Safety
/// The pointer is null or one that uw_device_new gave, and is not used any more.
#[no_mangle]
pub unsafe extern "C" fn uw_device_free(device: *mut UwDevice) {
    value((), || {
        if !device.is_null() {
            // SAFETY: as promised by the caller.
            drop(unsafe { Box::from_raw(device) });
        }
        Ok(())
    });
}
