//! What is the swapchain to be like? Of the window's size, with a format that blends as the eye expects, and never blocking.

use ash::vk;

use super::device::Device;
use super::{Error, Instance};

/// The format in which text is blended as it is on most screens: without conversion from linear light.
const FORMATS: [vk::Format; 2] = [vk::Format::B8G8R8A8_UNORM, vk::Format::R8G8B8A8_UNORM];

/// The swapchain that fits the surface, for a window of this size where the surface has none of its own (Wayland). None if it has no area.
pub(super) fn describe(
    instance: &Instance,
    device: &Device,
    surface: vk::SurfaceKHR,
    window: (u32, u32),
) -> Result<Option<vk::SwapchainCreateInfoKHR<'static>>, Error> {
    let (surfaces, physical) = (&instance.surfaces, device.physical);
    // SAFETY: instance, device and surface live, and the device can present to the surface.
    let (can, formats, modes) = unsafe {
        (
            surfaces
                .get_physical_device_surface_capabilities(physical, surface)
                .map_err(|r| Error::call("vkGetPhysicalDeviceSurfaceCapabilitiesKHR", r))?,
            surfaces
                .get_physical_device_surface_formats(physical, surface)
                .map_err(|r| Error::call("vkGetPhysicalDeviceSurfaceFormatsKHR", r))?,
            surfaces
                .get_physical_device_surface_present_modes(physical, surface)
                .map_err(|r| Error::call("vkGetPhysicalDeviceSurfacePresentModesKHR", r))?,
        )
    };
    let extent = extent(&can, window);
    if extent.width == 0 || extent.height == 0 {
        return Ok(None);
    }
    let format = format(&formats).ok_or(Error::NoDevice)?;
    Ok(Some(
        vk::SwapchainCreateInfoKHR::default()
            .surface(surface)
            .min_image_count(image_count(&can))
            .image_format(format.format)
            .image_color_space(format.color_space)
            .image_extent(extent)
            .image_array_layers(1)
            .image_usage(vk::ImageUsageFlags::COLOR_ATTACHMENT)
            .pre_transform(can.current_transform)
            .composite_alpha(opaque(can.supported_composite_alpha))
            .present_mode(present_mode(&modes))
            .clipped(true),
    ))
}

/// The format that its swapchains have.
pub(super) fn format_of(
    instance: &Instance,
    device: &Device,
    surface: vk::SurfaceKHR,
) -> Result<vk::Format, Error> {
    // SAFETY: instance, device and surface live, and the device can present to the surface.
    let formats =
        unsafe { instance.surfaces.get_physical_device_surface_formats(device.physical, surface) };
    let formats = formats.map_err(|r| Error::call("vkGetPhysicalDeviceSurfaceFormatsKHR", r))?;
    format(&formats).map(|format| format.format).ok_or(Error::NoDevice)
}

/// The surface's size, or the window's where the swapchain decides it.
fn extent(can: &vk::SurfaceCapabilitiesKHR, (width, height): (u32, u32)) -> vk::Extent2D {
    if can.current_extent.width != u32::MAX {
        return can.current_extent;
    }
    let (least, most) = (can.min_image_extent, can.max_image_extent);
    vk::Extent2D {
        width: width.clamp(least.width, most.width),
        height: height.clamp(least.height, most.height),
    }
}

fn format(formats: &[vk::SurfaceFormatKHR]) -> Option<vk::SurfaceFormatKHR> {
    let known = |wanted: &vk::Format| formats.iter().find(|format| format.format == *wanted);
    FORMATS.iter().find_map(known).or(formats.first()).copied()
}

/// One more than the least, so that there is one to draw to while the others are on their way.
fn image_count(can: &vk::SurfaceCapabilitiesKHR) -> u32 {
    let most = if can.max_image_count == 0 { u32::MAX } else { can.max_image_count };
    (can.min_image_count + 1).min(most)
}

fn opaque(can: vk::CompositeAlphaFlagsKHR) -> vk::CompositeAlphaFlagsKHR {
    let opaque = vk::CompositeAlphaFlagsKHR::OPAQUE;
    if can.contains(opaque) { opaque } else { vk::CompositeAlphaFlagsKHR::INHERIT }
}

/// Mailbox: its presents never block, whereas those of FIFO do on some Wayland drivers while the window is hidden, without a bound that
/// a program could set. How many frames there are is for the terminal to say, and it draws only what changed.
fn present_mode(modes: &[vk::PresentModeKHR]) -> vk::PresentModeKHR {
    let mailbox = vk::PresentModeKHR::MAILBOX;
    if modes.contains(&mailbox) { mailbox } else { vk::PresentModeKHR::FIFO }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_decides_only_where_the_surface_does_not() {
        let size = |width, height| vk::Extent2D { width, height };
        let mut can = vk::SurfaceCapabilitiesKHR {
            current_extent: size(640, 480),
            min_image_extent: size(1, 1),
            max_image_extent: size(4096, 4096),
            ..Default::default()
        };
        assert_eq!(extent(&can, (100, 100)), size(640, 480));
        can.current_extent = size(u32::MAX, u32::MAX);
        assert_eq!(extent(&can, (100, 5000)), size(100, 4096));
    }

    #[test]
    fn images_and_modes_are_what_the_surface_offers() {
        let can = |min_image_count, max_image_count| vk::SurfaceCapabilitiesKHR {
            min_image_count,
            max_image_count,
            ..Default::default()
        };
        assert_eq!(image_count(&can(3, 0)), 4);
        assert_eq!(image_count(&can(2, 2)), 2);
        assert_eq!(present_mode(&[vk::PresentModeKHR::FIFO]), vk::PresentModeKHR::FIFO);
        let both = [vk::PresentModeKHR::FIFO, vk::PresentModeKHR::MAILBOX];
        assert_eq!(present_mode(&both), vk::PresentModeKHR::MAILBOX);
    }
}
