//! How far did the GPU really get? Each queue has a timeline semaphore of the layer's; the last
//! submit info of every submit signals it with the batch's number.
//!
//! A signal operation's first scope holds everything before it in submission order (Vulkan
//! specification, "Queue Forward Progress" and "Semaphore Signaling"), so the counter is a lower
//! bound of what the queue has finished, read without any wait.

use std::ffi::{CStr, c_void};

use ash::vk::{self, Handle};
use unwedge_trace::blackbox::{CRUMBS_NO_TIMELINE, CRUMBS_OFF, CRUMBS_ON, CRUMBS_UNKNOWN_CHAIN};

use crate::chain::{self, Prefix};
use crate::config::config;
use crate::device::Device;
use crate::instance::Instance;

const EXTENSION: &CStr = c"VK_KHR_timeline_semaphore";

/// Creates a device with timeline semaphores where it can have them; says whether it has.
///
/// # Safety
/// `info` is valid for `vkCreateDevice` on `physical`; `create` is the next `vkCreateDevice`.
pub(crate) unsafe fn create_device(
    instance: &Instance,
    physical: vk::PhysicalDevice,
    info: &vk::DeviceCreateInfo<'_>,
    create: impl Fn(&vk::DeviceCreateInfo<'_>) -> vk::Result,
) -> (vk::Result, u64) {
    // Faults need no breadcrumbs but hold-submit and the fail mode need the feature.
    if !config().crumbs && config().inject.is_empty() && !config().fail {
        return (create(info), CRUMBS_OFF);
    }
    // SAFETY: the caller's promise.
    let support = unsafe { support(instance, physical, info) };
    let Some(extension) = support else { return (create(info), CRUMBS_NO_TIMELINE) };
    // SAFETY: as above.
    let Some(features) = (unsafe { Features::with_timeline(info.p_next) }) else {
        return (create(info), CRUMBS_UNKNOWN_CHAIN);
    };
    let mut changed = *info;
    changed.p_next = features.chain();
    let mut names: Vec<*const std::ffi::c_char> = Vec::new();
    if extension {
        // SAFETY: count and array of a valid creation structure agree.
        unsafe {
            names.extend(slice(info.pp_enabled_extension_names, info.enabled_extension_count))
        };
        names.push(EXTENSION.as_ptr());
        changed.pp_enabled_extension_names = names.as_ptr();
        changed.enabled_extension_count = names.len() as u32;
    }
    let result = create(&changed);
    if result == vk::Result::SUCCESS {
        let state = if config().crumbs { CRUMBS_ON } else { CRUMBS_OFF };
        return (result, state);
    }
    // Perhaps it was our change that it refused.
    (create(info), CRUMBS_NO_TIMELINE)
}

/// Whether the device can have timeline semaphores; with true when the extension must be added.
unsafe fn support(
    instance: &Instance,
    physical: vk::PhysicalDevice,
    info: &vk::DeviceCreateInfo<'_>,
) -> Option<bool> {
    // SAFETY: `physical` is live; the functions have these types; arrays agree with their counts.
    unsafe {
        let get_properties = instance.next.get_properties?;
        let mut properties = vk::PhysicalDeviceProperties::default();
        get_properties(physical, &raw mut properties);
        // Core since 1.2, where the feature is mandatory; so it is where the extension is there.
        if properties.api_version.min(instance.api_version) >= vk::API_VERSION_1_2 {
            return Some(false);
        }
        let enabled = slice(info.pp_enabled_extension_names, info.enabled_extension_count);
        if enabled.iter().any(|name| CStr::from_ptr(*name) == EXTENSION) {
            return Some(false);
        }
        let enumerate = instance.next.enumerate_device_extensions?;
        let mut count = 0;
        let none = std::ptr::null_mut();
        if enumerate(physical, std::ptr::null(), &raw mut count, none) != vk::Result::SUCCESS {
            return None;
        }
        let mut found = vec![vk::ExtensionProperties::default(); count as usize];
        let result = enumerate(physical, std::ptr::null(), &raw mut count, found.as_mut_ptr());
        (result.as_raw() >= 0
            && found.iter().any(|e| e.extension_name_as_c_str().is_ok_and(|n| n == EXTENSION)))
        .then_some(true)
    }
}

/// A feature chain in which timeline semaphores are enabled.
enum Features {
    /// The program enabled them itself.
    Already(*const c_void),
    /// The program has no structure that speaks of them: ours stands before its chain.
    Added(Box<vk::PhysicalDeviceTimelineSemaphoreFeatures<'static>>),
    /// The program's own structure says no: copies stand in for the chain up to it.
    Replaced12(Box<vk::PhysicalDeviceVulkan12Features<'static>>, Prefix, *const c_void),
    /// As above.
    ReplacedTimeline(
        Box<vk::PhysicalDeviceTimelineSemaphoreFeatures<'static>>,
        Prefix,
        *const c_void,
    ),
}

impl Features {
    /// # Safety
    /// `chain` is valid, and outlives the result.
    unsafe fn with_timeline(chain: *const c_void) -> Option<Self> {
        // SAFETY: the caller's promise; found structures are valid while the chain is.
        unsafe {
            if let Some(found) = chain::find::<vk::PhysicalDeviceVulkan12Features<'static>>(chain) {
                if (*found).timeline_semaphore == vk::TRUE {
                    return Some(Self::Already(chain));
                }
                let mut copy = Box::new(*found);
                copy.timeline_semaphore = vk::TRUE;
                let new = std::ptr::from_ref(&*copy).cast();
                let (prefix, chain) = Prefix::replacing(chain, found.cast(), new)?;
                return Some(Self::Replaced12(copy, prefix, chain));
            }
            type Timeline = vk::PhysicalDeviceTimelineSemaphoreFeatures<'static>;
            if let Some(found) = chain::find::<Timeline>(chain) {
                if (*found).timeline_semaphore == vk::TRUE {
                    return Some(Self::Already(chain));
                }
                let mut copy = Box::new(*found);
                copy.timeline_semaphore = vk::TRUE;
                let new = std::ptr::from_ref(&*copy).cast();
                let (prefix, chain) = Prefix::replacing(chain, found.cast(), new)?;
                return Some(Self::ReplacedTimeline(copy, prefix, chain));
            }
            let mut ours = Box::new(Timeline::default().timeline_semaphore(true));
            ours.p_next = chain.cast_mut();
            Some(Self::Added(ours))
        }
    }

    fn chain(&self) -> *const c_void {
        match self {
            Self::Already(chain) => *chain,
            Self::Added(ours) => std::ptr::from_ref(&**ours).cast(),
            Self::Replaced12(copy, prefix, chain) => {
                debug_assert!(prefix.len() > 0 || *chain == std::ptr::from_ref(&**copy).cast());
                *chain
            }
            Self::ReplacedTimeline(copy, prefix, chain) => {
                debug_assert!(prefix.len() > 0 || *chain == std::ptr::from_ref(&**copy).cast());
                *chain
            }
        }
    }
}

/// A timeline semaphore of the layer's own, or 0 where the device has none to give.
pub(crate) fn semaphore(device: &Device) -> u64 {
    if device.crumbs { new_timeline(device) } else { 0 }
}

/// A timeline semaphore at 0, or 0.
pub(crate) fn new_timeline(device: &Device) -> u64 {
    let Some(create) = device.next.create_semaphore else { return 0 };
    let mut kind = vk::SemaphoreTypeCreateInfo::default()
        .semaphore_type(vk::SemaphoreType::TIMELINE)
        .initial_value(0);
    let info = vk::SemaphoreCreateInfo::default().push_next(&mut kind);
    let mut semaphore = vk::Semaphore::null();
    // SAFETY: the structures live during the call; the feature is enabled.
    let result =
        unsafe { create(device.handle, &raw const info, std::ptr::null(), &raw mut semaphore) };
    if result == vk::Result::SUCCESS { semaphore.as_raw() } else { 0 }
}

/// A Vulkan array as a slice; empty where the pointer is null.
///
/// # Safety
/// `first` points to `count` values, or is null.
pub(crate) unsafe fn slice<'a, T>(first: *const T, count: u32) -> &'a [T] {
    if first.is_null() || count == 0 {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts(first, count as usize) }
}

#[cfg(test)]
mod tests;
