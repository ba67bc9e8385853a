//! The Vulkan layer `VK_LAYER_UNWEDGE_watch`: records what it lists and otherwise vanishes.
//!
//! It hooks the calls that wait, poll or signal, files them in the process's black box
//! (`unwedge_trace::blackbox`), and forwards everything. Someone outside explains.
//!
//! Invariants: no lock is held across a call to the driver, and no wait is added on the program's
//! threads, unless faults are injected or the mode *fail* was asked for; memory is bounded; nothing
//! here can keep the program from running.

#![allow(non_snake_case, reason = "the file name of a layer follows the loader's custom")]

mod chain;
mod clock;
mod config;
mod crumbs;
mod device;
mod dispatch;
mod fail;
mod ffi;
mod helper;
mod hooks;
mod inject;
mod instance;
mod memory;
mod submit;
mod thread;

use std::ffi::{CStr, c_char};

use ash::vk::{self, Handle};

use ffi::{NegotiateLayerInterface, Void};

/// The layer's name, as the loader knows it.
pub(crate) const LAYER_NAME: &CStr = c"VK_LAYER_UNWEDGE_watch";

/// The loader's first call: agrees on interface version 2.
///
/// # Safety
/// `interface` is null or a valid `VkNegotiateLayerInterface`.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn vkNegotiateLoaderLayerInterfaceVersion(
    interface: *mut NegotiateLayerInterface,
) -> vk::Result {
    // SAFETY: the loader's structure.
    let Some(interface) = (unsafe { interface.as_mut() }) else {
        return vk::Result::ERROR_INITIALIZATION_FAILED;
    };
    interface.version = interface.version.min(2);
    interface.get_instance_proc_addr = Some(get_instance_proc_addr);
    interface.get_device_proc_addr = Some(get_device_proc_addr);
    interface.get_physical_device_proc_addr = None;
    vk::Result::SUCCESS
}

unsafe extern "system" fn get_instance_proc_addr(
    instance: vk::Instance,
    name: *const c_char,
) -> Void {
    // SAFETY: the loader passes a C string, and an instance that is null or live.
    unsafe {
        let name = CStr::from_ptr(name);
        if name == c"vkGetInstanceProcAddr" {
            return as_void(get_instance_proc_addr);
        }
        if name == c"vkGetDeviceProcAddr" {
            return as_void_device(get_device_proc_addr);
        }
        let ours = instance::hook(name);
        // Loaders differ in whether they ask for these with an instance; they are always there.
        if ours.is_some() && (instance == vk::Instance::null() || instance::is_core(name)) {
            return ours;
        }
        let below =
            instance::of(instance.as_raw()).and_then(|entry| (entry.get)(instance, name.as_ptr()));
        // What the layers below do not have is not ours to offer.
        below.map(|below| ours.or_else(|| hooks::hook(name)).unwrap_or(below))
    }
}

unsafe extern "system" fn get_device_proc_addr(device: vk::Device, name: *const c_char) -> Void {
    // SAFETY: the loader or the program passes a C string and a live device.
    unsafe {
        let name = CStr::from_ptr(name);
        if name == c"vkGetDeviceProcAddr" {
            return as_void_device(get_device_proc_addr);
        }
        let known = device::of(device.as_raw())?;
        let below = (known.get)(device, name.as_ptr());
        below.map(|below| hooks::hook(name).unwrap_or(below))
    }
}

fn as_void(function: ffi::GetInstanceProcAddr) -> Void {
    // SAFETY: every function pointer may be passed around as a `PFN_vkVoidFunction`.
    Some(unsafe {
        std::mem::transmute::<ffi::GetInstanceProcAddr, unsafe extern "system" fn()>(function)
    })
}

fn as_void_device(function: ffi::GetDeviceProcAddr) -> Void {
    // SAFETY: as above.
    Some(unsafe {
        std::mem::transmute::<ffi::GetDeviceProcAddr, unsafe extern "system" fn()>(function)
    })
}
