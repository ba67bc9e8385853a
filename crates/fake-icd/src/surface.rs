//! Headless surfaces: what can be presented on them?

use crate::ffi::{self, Out, OutArray, entries};
use crate::instance::PhysicalDevice;
use ash::vk;
use std::ffi::c_void;

entries! {
    "vkGetPhysicalDeviceSurfaceSupportKHR" => support,
    "vkGetPhysicalDeviceSurfaceCapabilitiesKHR" => capabilities,
    "vkGetPhysicalDeviceSurfaceCapabilities2KHR" => capabilities2,
    "vkGetPhysicalDeviceSurfaceFormatsKHR" => formats,
    "vkGetPhysicalDeviceSurfaceFormats2KHR" => formats2,
    "vkGetPhysicalDeviceSurfacePresentModesKHR" => present_modes,
    "vkGetPhysicalDevicePresentRectanglesKHR" => present_rectangles,
}

const IMAGES_MIN: u32 = 2;
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
