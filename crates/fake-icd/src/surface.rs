//! Headless surfaces: who presents on them, and what can be presented?

use crate::ffi::{self, Allocator, Out, OutArray, entries};
use crate::instance::{Instance, PhysicalDevice};
use crate::log::Log;
use crate::world;
use ash::vk::{self, Handle as _};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::c_void;
use std::sync::{Arc, Mutex, PoisonError};

entries! {
    "vkCreateHeadlessSurfaceEXT" => create,
    "vkDestroySurfaceKHR" => destroy,
    "vkGetPhysicalDeviceSurfaceSupportKHR" => support,
    "vkGetPhysicalDeviceSurfaceCapabilitiesKHR" => capabilities,
    "vkGetPhysicalDeviceSurfaceCapabilities2KHR" => capabilities2,
    "vkGetPhysicalDeviceSurfaceFormatsKHR" => formats,
    "vkGetPhysicalDeviceSurfaceFormats2KHR" => formats2,
    "vkGetPhysicalDeviceSurfacePresentModesKHR" => present_modes,
    "vkGetPhysicalDevicePresentRectanglesKHR" => present_rectangles,
}

/// A `VkSurfaceKHR` of this driver. Surfaces that a loader made on its own are unknown, and then nothing is said about them.
struct Surface {
    log: Arc<Log>,
    lost: bool,
    /// The swapchain that is not retired: there is one at most.
    current: Option<vk::SwapchainKHR>,
    /// Those that were not destroyed.
    swapchains: BTreeSet<vk::SwapchainKHR>,
}

/// The surfaces of all instances: they belong to no device. Locked after a device's world, if both are.
static SURFACES: Mutex<BTreeMap<u64, Surface>> = Mutex::new(BTreeMap::new());

/// What becomes of a surface that is known.
fn with<T>(surface: vk::SurfaceKHR, view: impl FnOnce(&mut Surface) -> T) -> Option<T> {
    let mut surfaces = SURFACES.lock().unwrap_or_else(PoisonError::into_inner);
    surfaces.get_mut(&surface.as_raw()).map(view)
}

pub(crate) fn is_lost(surface: vk::SurfaceKHR) -> bool {
    with(surface, |surface| surface.lost).unwrap_or(false)
}

pub(crate) fn lose(surface: vk::SurfaceKHR) {
    with(surface, |surface| surface.lost = true);
}

/// Gives the surface a new swapchain, unless it is lost or has one: "VK_ERROR_NATIVE_WINDOW_IN_USE_KHR".
pub(crate) fn occupy(
    surface: vk::SurfaceKHR,
    swapchain: vk::SwapchainKHR,
) -> Result<(), vk::Result> {
    let occupied = with(surface, |surface| {
        if surface.lost {
            return Err(vk::Result::ERROR_SURFACE_LOST_KHR);
        }
        if surface.current.is_some() {
            return Err(vk::Result::ERROR_NATIVE_WINDOW_IN_USE_KHR);
        }
        surface.current = Some(swapchain);
        surface.swapchains.insert(swapchain);
        Ok(())
    });
    occupied.unwrap_or(Ok(()))
}

/// The swapchain is retired; the surface is free for the next.
pub(crate) fn retire(surface: vk::SurfaceKHR, swapchain: vk::SwapchainKHR) {
    with(surface, |surface| {
        surface.current = surface.current.filter(|&current| current != swapchain);
    });
}

/// The swapchain is destroyed.
pub(crate) fn leave(surface: vk::SurfaceKHR, swapchain: vk::SwapchainKHR) {
    retire(surface, swapchain);
    with(surface, |surface| surface.swapchains.remove(&swapchain));
}

/// Notes the surfaces that are left when an instance is destroyed.
pub(crate) fn left_by(log: &Arc<Log>) {
    let mut surfaces = SURFACES.lock().unwrap_or_else(PoisonError::into_inner);
    surfaces.retain(|&handle, surface| {
        let left = Arc::ptr_eq(&surface.log, log);
        if left {
            log.leak("surface", handle);
        }
        !left
    });
}

extern "system" fn create(
    instance: &Instance,
    _info: *const c_void,
    _allocator: Allocator,
    out: Out<'_, vk::SurfaceKHR>,
) -> vk::Result {
    let log = Arc::clone(&instance.physical.log);
    let surface = Surface { log, lost: false, current: None, swapchains: BTreeSet::new() };
    let mut surfaces = SURFACES.lock().unwrap_or_else(PoisonError::into_inner);
    out.write(world::insert(&mut surfaces, surface));
    vk::Result::SUCCESS
}

extern "system" fn destroy(instance: &Instance, handle: vk::SurfaceKHR, _allocator: Allocator) {
    if handle.is_null() {
        return;
    }
    let gone = SURFACES.lock().unwrap_or_else(PoisonError::into_inner).remove(&handle.as_raw());
    let log = &instance.physical.log;
    match gone {
        None => log.violation(
            "stale handle",
            format!("vkDestroySurfaceKHR: surface {:#x} is not one", handle.as_raw()),
        ),
        Some(surface) if !surface.swapchains.is_empty() => log.violation(
            "VUID-vkDestroySurfaceKHR-surface-01266",
            format!("vkDestroySurfaceKHR: surface {:#x} has swapchains", handle.as_raw()),
        ),
        Some(_) => {}
    }
}

/// How many images an engine may keep for itself, and one more.
pub(crate) const IMAGES_MIN: u32 = 2;
const IMAGES_MAX: u32 = 8;
const EXTENT_MAX: u32 = 16384;

/// A headless surface has whatever size the swapchain says.
const EXTENT_UNDEFINED: vk::Extent2D = vk::Extent2D { width: u32::MAX, height: u32::MAX };

const MODES: [vk::PresentModeKHR; 3] =
    [vk::PresentModeKHR::FIFO, vk::PresentModeKHR::MAILBOX, vk::PresentModeKHR::IMMEDIATE];

fn supported_formats() -> Vec<vk::SurfaceFormatKHR> {
    [vk::Format::B8G8R8A8_UNORM, vk::Format::B8G8R8A8_SRGB, vk::Format::R8G8B8A8_UNORM]
        .map(|format| vk::SurfaceFormatKHR {
            format,
            color_space: vk::ColorSpaceKHR::SRGB_NONLINEAR,
        })
        .to_vec()
}

fn supported_capabilities() -> vk::SurfaceCapabilitiesKHR {
    vk::SurfaceCapabilitiesKHR {
        min_image_count: IMAGES_MIN,
        max_image_count: IMAGES_MAX,
        current_extent: EXTENT_UNDEFINED,
        min_image_extent: vk::Extent2D { width: 1, height: 1 },
        max_image_extent: vk::Extent2D { width: EXTENT_MAX, height: EXTENT_MAX },
        max_image_array_layers: 1,
        supported_transforms: vk::SurfaceTransformFlagsKHR::IDENTITY,
        current_transform: vk::SurfaceTransformFlagsKHR::IDENTITY,
        supported_composite_alpha: vk::CompositeAlphaFlagsKHR::OPAQUE,
        supported_usage_flags: vk::ImageUsageFlags::COLOR_ATTACHMENT
            | vk::ImageUsageFlags::TRANSFER_SRC
            | vk::ImageUsageFlags::TRANSFER_DST
            | vk::ImageUsageFlags::SAMPLED
            | vk::ImageUsageFlags::STORAGE,
    }
}

extern "system" fn support(
    _physical: &PhysicalDevice,
    _family: u32,
    _surface: vk::SurfaceKHR,
    out: Out<'_, vk::Bool32>,
) -> vk::Result {
    out.write(vk::TRUE);
    vk::Result::SUCCESS
}

extern "system" fn capabilities(
    _physical: &PhysicalDevice,
    _surface: vk::SurfaceKHR,
    out: Out<'_, vk::SurfaceCapabilitiesKHR>,
) -> vk::Result {
    out.write(supported_capabilities());
    vk::Result::SUCCESS
}

extern "system" fn capabilities2(
    _physical: &PhysicalDevice,
    info: &vk::PhysicalDeviceSurfaceInfo2KHR<'_>,
    out: &mut vk::SurfaceCapabilities2KHR<'_>,
) -> vk::Result {
    out.surface_capabilities = supported_capabilities();
    // SAFETY: the caller owes valid chains; the tag says which type a link has.
    unsafe {
        let asked = ffi::find::<vk::SurfacePresentModeEXT<'_>>(info.p_next);
        let asked = asked.map_or(vk::PresentModeKHR::FIFO, |asked| asked.present_mode);
        ffi::for_each(out.p_next, |tag, link| match tag {
            vk::StructureType::SURFACE_PRESENT_MODE_COMPATIBILITY_EXT => {
                put_compatible_mode(link, asked)
            }
            vk::StructureType::SURFACE_PRESENT_SCALING_CAPABILITIES_EXT => put_no_scaling(link),
            _ => {}
        });
    }
    vk::Result::SUCCESS
}

/// A swapchain cannot change its mode: each is compatible with itself alone.
///
/// # Safety
///
/// The link is a writable structure of the type that its tag says.
unsafe fn put_compatible_mode(link: *mut c_void, mode: vk::PresentModeKHR) {
    // SAFETY: the caller's promise, and room for as many modes as the structure says.
    unsafe {
        let modes = &mut *link.cast::<vk::SurfacePresentModeCompatibilityEXT<'_>>();
        if !modes.p_present_modes.is_null() && modes.present_mode_count > 0 {
            modes.p_present_modes.write(mode);
        }
        modes.present_mode_count = 1;
    }
}

/// # Safety
///
/// The link is a writable structure of the type that its tag says.
unsafe fn put_no_scaling(link: *mut c_void) {
    // SAFETY: the caller's promise.
    let scaling = unsafe { &mut *link.cast::<vk::SurfacePresentScalingCapabilitiesEXT<'_>>() };
    let own = supported_capabilities();
    scaling.supported_present_scaling = vk::PresentScalingFlagsEXT::empty();
    scaling.supported_present_gravity_x = vk::PresentGravityFlagsEXT::empty();
    scaling.supported_present_gravity_y = vk::PresentGravityFlagsEXT::empty();
    scaling.min_scaled_image_extent = own.min_image_extent;
    scaling.max_scaled_image_extent = own.max_image_extent;
}

extern "system" fn formats(
    _physical: &PhysicalDevice,
    _surface: vk::SurfaceKHR,
    count: &mut u32,
    out: OutArray<vk::SurfaceFormatKHR>,
) -> vk::Result {
    out.enumerate(count, supported_formats(), |slot, format| *slot = format)
}

extern "system" fn formats2(
    _physical: &PhysicalDevice,
    _info: &vk::PhysicalDeviceSurfaceInfo2KHR<'_>,
    count: &mut u32,
    out: OutArray<vk::SurfaceFormat2KHR<'_>>,
) -> vk::Result {
    out.enumerate(count, supported_formats(), |slot, format| slot.surface_format = format)
}

extern "system" fn present_modes(
    _physical: &PhysicalDevice,
    _surface: vk::SurfaceKHR,
    count: &mut u32,
    out: OutArray<vk::PresentModeKHR>,
) -> vk::Result {
    out.enumerate(count, MODES.to_vec(), |slot, mode| *slot = mode)
}

extern "system" fn present_rectangles(
    _physical: &PhysicalDevice,
    _surface: vk::SurfaceKHR,
    count: &mut u32,
    out: OutArray<vk::Rect2D>,
) -> vk::Result {
    let all = vk::Extent2D { width: EXTENT_MAX, height: EXTENT_MAX };
    out.enumerate(
        count,
        vec![vk::Rect2D { offset: vk::Offset2D::default(), extent: all }],
        |slot, whole| *slot = whole,
    )
}
