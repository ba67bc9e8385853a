//! Which instances are there, and what lies below each of them?

use std::collections::HashMap;
use std::ffi::{CStr, c_char};
use std::sync::{Mutex, PoisonError, RwLock};

use ash::vk::{self, Handle};
use unwedge_trace::blackbox::{
    PLATFORM_DISPLAY, PLATFORM_HEADLESS, PLATFORM_WAYLAND, PLATFORM_XCB, PLATFORM_XLIB,
};

use crate::dispatch::next_functions;
use crate::ffi::{self, InstanceLink, LinkInfo, Void};
use crate::{device, memory};

/// What the layer keeps of a `VkInstance`.
#[derive(Clone, Copy)]
pub(crate) struct Instance {
    pub(crate) handle: vk::Instance,
    pub(crate) get: ffi::GetInstanceProcAddr,
    pub(crate) next: Next,
    /// The version that the program asked for; at least 1.0.
    pub(crate) api_version: u32,
}

/// By the loader's dispatch pointer, which physical devices share with their instance.
static INSTANCES: RwLock<Option<HashMap<usize, Instance>>> = RwLock::new(None);

/// The loader's dispatch pointer of a dispatchable handle.
///
/// # Safety
/// `handle` is a live dispatchable handle.
#[inline]
pub(crate) unsafe fn key(handle: u64) -> usize {
    // SAFETY: every dispatchable object begins with the loader's dispatch pointer.
    unsafe { *(handle as usize as *const usize) }
}

/// The instance of an instance or physical device.
///
/// # Safety
/// `handle` is a live `VkInstance` or `VkPhysicalDevice`.
pub(crate) unsafe fn of(handle: u64) -> Option<Instance> {
    // SAFETY: the caller's promise.
    let key = unsafe { key(handle) };
    let instances = INSTANCES.read().unwrap_or_else(PoisonError::into_inner);
    instances.as_ref().and_then(|map| map.get(&key)).copied()
}

next_functions! {
    /// An instance's functions below that the layer calls, resolved while the instance is created:
    /// once it is, the loader's table gives the top of the chain, which would call the layer again.
    from(ffi::GetInstanceProcAddr, vk::Instance);
    destroy_instance: vk::PFN_vkDestroyInstance = c"vkDestroyInstance",
    get_properties: vk::PFN_vkGetPhysicalDeviceProperties = c"vkGetPhysicalDeviceProperties",
    enumerate_device_extensions: vk::PFN_vkEnumerateDeviceExtensionProperties =
        c"vkEnumerateDeviceExtensionProperties",
    create_xcb_surface: vk::PFN_vkCreateXcbSurfaceKHR = c"vkCreateXcbSurfaceKHR",
    create_xlib_surface: vk::PFN_vkCreateXlibSurfaceKHR = c"vkCreateXlibSurfaceKHR",
    create_wayland_surface: vk::PFN_vkCreateWaylandSurfaceKHR = c"vkCreateWaylandSurfaceKHR",
    create_headless_surface: vk::PFN_vkCreateHeadlessSurfaceEXT = c"vkCreateHeadlessSurfaceEXT",
    create_display_surface: vk::PFN_vkCreateDisplayPlaneSurfaceKHR =
        c"vkCreateDisplayPlaneSurfaceKHR",
    get_surface_capabilities: vk::PFN_vkGetPhysicalDeviceSurfaceCapabilitiesKHR =
        c"vkGetPhysicalDeviceSurfaceCapabilitiesKHR",
    get_surface_capabilities2: vk::PFN_vkGetPhysicalDeviceSurfaceCapabilities2KHR =
        c"vkGetPhysicalDeviceSurfaceCapabilities2KHR",
}

pub(crate) unsafe extern "system" fn create_instance(
    info: *const vk::InstanceCreateInfo<'_>,
    allocator: *const vk::AllocationCallbacks<'_>,
    instance: *mut vk::Instance,
) -> vk::Result {
    memory::ensure();
    // SAFETY: the loader passes a valid creation structure with its own link in the chain.
    unsafe {
        let taken = take_link::<InstanceLink>((*info).p_next, ffi::LOADER_INSTANCE_CREATE_INFO);
        let Some((link, _)) = taken else {
            return vk::Result::ERROR_INITIALIZATION_FAILED;
        };
        let get = (*link).get_instance_proc_addr;
        let Some(create) = get(vk::Instance::null(), c"vkCreateInstance".as_ptr()) else {
            return vk::Result::ERROR_INITIALIZATION_FAILED;
        };
        let create =
            std::mem::transmute::<unsafe extern "system" fn(), vk::PFN_vkCreateInstance>(create);
        let result = create(info, allocator, instance);
        if result == vk::Result::SUCCESS {
            let asked = (*info).p_application_info.as_ref().map_or(0, |info| info.api_version);
            let api_version = asked.max(vk::API_VERSION_1_0);
            let handle = *instance;
            let entry = Instance { handle, get, next: Next::load(get, handle), api_version };
            let mut instances = INSTANCES.write().unwrap_or_else(PoisonError::into_inner);
            instances.get_or_insert_default().insert(key(handle.as_raw()), entry);
        }
        result
    }
}

pub(crate) unsafe extern "system" fn destroy_instance(
    instance: vk::Instance,
    allocator: *const vk::AllocationCallbacks<'_>,
) {
    if instance == vk::Instance::null() {
        return;
    }
    // SAFETY: `instance` is live until the call below destroys it.
    unsafe {
        let Some(entry) = of(instance.as_raw()) else { return };
        let key = key(instance.as_raw());
        if let Some(map) = INSTANCES.write().unwrap_or_else(PoisonError::into_inner).as_mut() {
            map.remove(&key);
        }
        if let Some(destroy) = entry.next.destroy_instance {
            destroy(instance, allocator);
        }
    }
}

/// Finds the loader's link of this kind, and moves it on for the layer below. Gives the link and
/// the place that was moved.
///
/// # Safety
/// `chain` is the loader's chain; `L` begins with a pointer to the next `L`.
pub(crate) unsafe fn take_link<L>(
    chain: *const std::ffi::c_void,
    s_type: i32,
) -> Option<(*mut L, *mut LinkInfo<L>)> {
    let mut at = chain.cast::<LinkInfo<L>>().cast_mut();
    // SAFETY: every structure of a chain begins with type and next pointer; those of `s_type` with
    // function LAYER_LINK_INFO hold a link, which is the loader's memory and ours to move.
    unsafe {
        while !at.is_null() {
            if (*at).s_type == s_type && (*at).function == ffi::LAYER_LINK_INFO {
                let link = (*at).link;
                if link.is_null() {
                    return None;
                }
                (*at).link = *link.cast::<*mut L>();
                return Some((link, at));
            }
            at = (*at).p_next.cast_mut().cast();
        }
    }
    None
}

/// A layer has no device extensions of its own.
pub(crate) unsafe extern "system" fn enumerate_device_extension_properties(
    physical: vk::PhysicalDevice,
    layer: *const c_char,
    count: *mut u32,
    properties: *mut vk::ExtensionProperties,
) -> vk::Result {
    // SAFETY: the program passes valid pointers; `layer` is null or a C string.
    unsafe {
        if !layer.is_null() && CStr::from_ptr(layer) == crate::LAYER_NAME {
            *count = 0;
            return vk::Result::SUCCESS;
        }
        let below =
            of(physical.as_raw()).and_then(|instance| instance.next.enumerate_device_extensions);
        below.map_or(vk::Result::ERROR_INITIALIZATION_FAILED, |f| {
            f(physical, layer, count, properties)
        })
    }
}

/// What is known of a `VkSurfaceKHR`.
#[derive(Clone, Copy, Default)]
pub(crate) struct Surface {
    /// `PLATFORM_XCB` and its like.
    pub(crate) platform: u64,
    /// The window's id on X11.
    pub(crate) window: u64,
    /// `minImageCount`, once the program asked for it.
    pub(crate) images_min: u64,
}

static SURFACES: Mutex<Option<HashMap<u64, Surface>>> = Mutex::new(None);

/// Changes what is known of a surface.
pub(crate) fn surface_update(surface: vk::SurfaceKHR, change: impl FnOnce(&mut Surface)) {
    let mut surfaces = SURFACES.lock().unwrap_or_else(PoisonError::into_inner);
    change(surfaces.get_or_insert_default().entry(surface.as_raw()).or_default());
}

/// What is known of a surface.
pub(crate) fn surface(surface: vk::SurfaceKHR) -> Surface {
    let surfaces = SURFACES.lock().unwrap_or_else(PoisonError::into_inner);
    surfaces.as_ref().and_then(|map| map.get(&surface.as_raw())).copied().unwrap_or_default()
}

macro_rules! surface_hook {
    ($hook:ident, $info:ty, $platform:expr, $window:expr) => {
        unsafe extern "system" fn $hook(
            instance: vk::Instance,
            info: *const $info,
            allocator: *const vk::AllocationCallbacks<'_>,
            surface: *mut vk::SurfaceKHR,
        ) -> vk::Result {
            // SAFETY: the program's arguments are passed on as they are, and read where they are
            // valid by the specification.
            unsafe {
                let Some(next) = of(instance.as_raw()).and_then(|i| i.next.$hook) else {
                    return vk::Result::ERROR_EXTENSION_NOT_PRESENT;
                };
                let result = next(instance, info, allocator, surface);
                if result == vk::Result::SUCCESS {
                    let window: fn(&$info) -> u64 = $window;
                    let window = window(&*info);
                    surface_update(*surface, |s| {
                        *s = Surface { platform: $platform, window, images_min: 0 }
                    });
                }
                result
            }
        }
    };
}

surface_hook!(create_xcb_surface, vk::XcbSurfaceCreateInfoKHR<'_>, PLATFORM_XCB, |info| u64::from(
    info.window
));
surface_hook!(create_xlib_surface, vk::XlibSurfaceCreateInfoKHR<'_>, PLATFORM_XLIB, |info| info
    .window
    as _);
surface_hook!(create_wayland_surface, vk::WaylandSurfaceCreateInfoKHR<'_>, PLATFORM_WAYLAND, |_| 0);
surface_hook!(
    create_headless_surface,
    vk::HeadlessSurfaceCreateInfoEXT<'_>,
    PLATFORM_HEADLESS,
    |_| 0
);
surface_hook!(create_display_surface, vk::DisplaySurfaceCreateInfoKHR<'_>, PLATFORM_DISPLAY, |_| 0);

unsafe extern "system" fn get_surface_capabilities(
    physical: vk::PhysicalDevice,
    surface: vk::SurfaceKHR,
    capabilities: *mut vk::SurfaceCapabilitiesKHR,
) -> vk::Result {
    // SAFETY: the program's arguments, passed on; the result is valid on success.
    unsafe {
        let next =
            of(physical.as_raw()).and_then(|instance| instance.next.get_surface_capabilities);
        let Some(next) = next else { return vk::Result::ERROR_EXTENSION_NOT_PRESENT };
        let result = next(physical, surface, capabilities);
        if result == vk::Result::SUCCESS {
            let minimum = u64::from((*capabilities).min_image_count);
            surface_update(surface, |known| known.images_min = minimum);
        }
        result
    }
}

unsafe extern "system" fn get_surface_capabilities2(
    physical: vk::PhysicalDevice,
    info: *const vk::PhysicalDeviceSurfaceInfo2KHR<'_>,
    capabilities: *mut vk::SurfaceCapabilities2KHR<'_>,
) -> vk::Result {
    // SAFETY: as above.
    unsafe {
        let next =
            of(physical.as_raw()).and_then(|instance| instance.next.get_surface_capabilities2);
        let Some(next) = next else { return vk::Result::ERROR_EXTENSION_NOT_PRESENT };
        let result = next(physical, info, capabilities);
        if result == vk::Result::SUCCESS {
            let minimum = u64::from((*capabilities).surface_capabilities.min_image_count);
            surface_update((*info).surface, |known| known.images_min = minimum);
        }
        result
    }
}

/// Hooked functions that every instance has, whatever its extensions.
pub(crate) fn is_core(name: &CStr) -> bool {
    let core = [
        c"vkCreateInstance",
        c"vkDestroyInstance",
        c"vkCreateDevice",
        c"vkEnumerateDeviceExtensionProperties",
    ];
    core.contains(&name)
}

/// The instance-level functions that the layer hooks.
pub(crate) fn hook(name: &CStr) -> Void {
    macro_rules! table {
        ($($entry:literal => $function:path: $type:ty,)*) => {
            $(if name == $entry {
                // SAFETY: every function pointer may be passed around as a `PFN_vkVoidFunction`.
                return Some(unsafe { std::mem::transmute::<$type, unsafe extern "system" fn()>($function) });
            })*
        };
    }
    table! {
        c"vkCreateInstance" => create_instance: vk::PFN_vkCreateInstance,
        c"vkDestroyInstance" => destroy_instance: vk::PFN_vkDestroyInstance,
        c"vkCreateDevice" => device::create_device: vk::PFN_vkCreateDevice,
        c"vkEnumerateDeviceExtensionProperties" => enumerate_device_extension_properties:
            vk::PFN_vkEnumerateDeviceExtensionProperties,
        c"vkCreateXcbSurfaceKHR" => create_xcb_surface: vk::PFN_vkCreateXcbSurfaceKHR,
        c"vkCreateXlibSurfaceKHR" => create_xlib_surface: vk::PFN_vkCreateXlibSurfaceKHR,
        c"vkCreateWaylandSurfaceKHR" => create_wayland_surface: vk::PFN_vkCreateWaylandSurfaceKHR,
        c"vkCreateHeadlessSurfaceEXT" => create_headless_surface: vk::PFN_vkCreateHeadlessSurfaceEXT,
        c"vkCreateDisplayPlaneSurfaceKHR" => create_display_surface:
            vk::PFN_vkCreateDisplayPlaneSurfaceKHR,
        c"vkGetPhysicalDeviceSurfaceCapabilitiesKHR" => get_surface_capabilities:
            vk::PFN_vkGetPhysicalDeviceSurfaceCapabilitiesKHR,
        c"vkGetPhysicalDeviceSurfaceCapabilities2KHR" => get_surface_capabilities2:
            vk::PFN_vkGetPhysicalDeviceSurfaceCapabilities2KHR,
    }
    None
}
