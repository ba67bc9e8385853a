//! How does a triangle reach Vulkan, its window and a GPU? Set-up as every tutorial has it; no wait is in it.

use std::error::Error;
use std::ffi::CStr;

use ash::{khr, vk};
use winit::raw_window_handle::{
    HasDisplayHandle, HasWindowHandle, RawDisplayHandle, RawWindowHandle,
};
use winit::window::Window;

/// Vulkan itself, for one window. Lives as long as the program.
pub struct Vulkan {
    entry: ash::Entry,
    pub instance: ash::Instance,
    pub surfaces: khr::surface::Instance,
}

impl Vulkan {
    pub fn new(window: &Window) -> Result<Self, Box<dyn Error>> {
        // SAFETY: the loader's library is loaded once and stays.
        let entry = unsafe { ash::Entry::load() }?;
        let system = match window.display_handle()?.as_raw() {
            RawDisplayHandle::Xlib(_) => khr::xlib_surface::NAME,
            RawDisplayHandle::Wayland(_) => khr::wayland_surface::NAME,
            other => return Err(format!("no surfaces for {other:?} here").into()),
        };
        let extensions = [khr::surface::NAME, system].map(CStr::as_ptr);
        let application = vk::ApplicationInfo::default().api_version(vk::API_VERSION_1_3);
        let info = vk::InstanceCreateInfo::default()
            .application_info(&application)
            .enabled_extension_names(&extensions);
        // SAFETY: what the structure points to lives until the call is over.
        let instance = unsafe { entry.create_instance(&info, None) }?;
        let surfaces = khr::surface::Instance::new(&entry, &instance);
        Ok(Self { entry, instance, surfaces })
    }

    /// A surface of the window.
    pub fn surface(&self, window: &Window) -> Result<vk::SurfaceKHR, vk::Result> {
        let unavailable = vk::Result::ERROR_INITIALIZATION_FAILED;
        let display = window.display_handle().map_err(|_| unavailable)?.as_raw();
        let handle = window.window_handle().map_err(|_| unavailable)?.as_raw();
        let Self { entry, instance, .. } = self;
        // SAFETY: display and window are alive: they were just borrowed from the window, which outlives its surfaces.
        unsafe {
            match (display, handle) {
                (RawDisplayHandle::Xlib(display), RawWindowHandle::Xlib(window)) => {
                    let display = display.display.map_or(std::ptr::null_mut(), |d| d.as_ptr());
                    let info = vk::XlibSurfaceCreateInfoKHR::default()
                        .dpy(display.cast())
                        .window(window.window);
                    let xlib = khr::xlib_surface::Instance::new(entry, instance);
                    xlib.create_xlib_surface(&info, None)
                }
                (RawDisplayHandle::Wayland(display), RawWindowHandle::Wayland(window)) => {
                    let info = vk::WaylandSurfaceCreateInfoKHR::default()
                        .display(display.display.as_ptr())
                        .surface(window.surface.as_ptr());
                    let wayland = khr::wayland_surface::Instance::new(entry, instance);
                    wayland.create_wayland_surface(&info, None)
                }
                _ => Err(unavailable),
            }
        }
    }

    /// What a swapchain of this surface is to be; `None` while the window has no area.
    pub fn swapchain_info(
        &self,
        gpu: &Gpu,
        surface: vk::SurfaceKHR,
        window: &Window,
    ) -> Result<Option<vk::SwapchainCreateInfoKHR<'static>>, vk::Result> {
        // SAFETY: the surface lives, and the GPU was chosen because it can present to it.
        let can = unsafe {
            self.surfaces.get_physical_device_surface_capabilities(gpu.physical, surface)
        }?;
        let mut extent = can.current_extent;
        if extent.width == u32::MAX {
            // On Wayland the surface is as large as what is drawn to it.
            let size = window.inner_size();
            extent = vk::Extent2D { width: size.width, height: size.height };
        }
        if extent.width == 0 || extent.height == 0 {
            return Ok(None);
        }
        let most = if can.max_image_count == 0 { u32::MAX } else { can.max_image_count };
        Ok(Some(
            vk::SwapchainCreateInfoKHR::default()
                .surface(surface)
                .min_image_count((can.min_image_count + 1).min(most))
                .image_format(gpu.format.format)
                .image_color_space(gpu.format.color_space)
                .image_extent(extent)
                .image_array_layers(1)
                .image_usage(vk::ImageUsageFlags::COLOR_ATTACHMENT)
                .image_sharing_mode(vk::SharingMode::EXCLUSIVE)
                .pre_transform(can.current_transform)
                .composite_alpha(vk::CompositeAlphaFlagsKHR::OPAQUE)
                .present_mode(vk::PresentModeKHR::FIFO)
                .clipped(true),
        ))
    }
}

/// A device with its one queue. Nothing is destroyed when it is dropped: [`Gpu::destroy`] does that.
pub struct Gpu {
    pub device: ash::Device,
    pub swapchains: khr::swapchain::Device,
    pub queue: vk::Queue,
    pub family: u32,
    pub format: vk::SurfaceFormatKHR,
    physical: vk::PhysicalDevice,
}

impl Gpu {
    /// The first device that draws and presents to this surface.
    pub fn new(vulkan: &Vulkan, surface: vk::SurfaceKHR) -> Result<Self, vk::Result> {
        let instance = &vulkan.instance;
        // SAFETY: the instance and the surface live, and so does what the structures point to until the calls are over.
        unsafe {
            let all = instance.enumerate_physical_devices()?;
            let (physical, family) = all
                .into_iter()
                .find_map(|device| Some((device, family(vulkan, device, surface)?)))
                .ok_or(vk::Result::ERROR_INITIALIZATION_FAILED)?;
            let formats = vulkan.surfaces.get_physical_device_surface_formats(physical, surface)?;
            let format = *formats.first().ok_or(vk::Result::ERROR_FORMAT_NOT_SUPPORTED)?;
            let queues = [vk::DeviceQueueCreateInfo::default()
                .queue_family_index(family)
                .queue_priorities(&[1.0])];
            let extensions = [khr::swapchain::NAME.as_ptr()];
            let mut features =
                vk::PhysicalDeviceVulkan13Features::default().dynamic_rendering(true);
            let info = vk::DeviceCreateInfo::default()
                .queue_create_infos(&queues)
                .enabled_extension_names(&extensions)
                .push_next(&mut features);
            let device = instance.create_device(physical, &info, None)?;
            let swapchains = khr::swapchain::Device::new(instance, &device);
            let queue = device.get_device_queue(family, 0);
            Ok(Self { device, swapchains, queue, family, format, physical })
        }
    }

    /// # Safety
    /// Nothing made from it is left, and nothing is being executed, or it is lost.
    pub unsafe fn destroy(self) {
        // SAFETY: as promised by the caller.
        unsafe { self.device.destroy_device(None) };
    }
}

/// The first queue family that draws and presents to the surface, if the device has Vulkan 1.3, for dynamic rendering.
unsafe fn family(
    vulkan: &Vulkan,
    physical: vk::PhysicalDevice,
    surface: vk::SurfaceKHR,
) -> Option<u32> {
    // SAFETY: the caller's device is one of the instance's; the surface lives.
    unsafe {
        let properties = vulkan.instance.get_physical_device_properties(physical);
        if properties.api_version < vk::API_VERSION_1_3 {
            return None;
        }
        let families = vulkan.instance.get_physical_device_queue_family_properties(physical);
        (0_u32..).zip(families).find_map(|(number, family)| {
            let presents =
                vulkan.surfaces.get_physical_device_surface_support(physical, number, surface);
            let draws = family.queue_flags.contains(vk::QueueFlags::GRAPHICS);
            (draws && presents == Ok(true)).then_some(number)
        })
    }
}
