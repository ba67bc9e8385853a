//! How does a test get a device of the fake driver, in this process and without a loader?

use std::ffi::CStr;

use ash::{ext, khr, vk};

/// A device with two queues, a swapchain on a surface without a window, and whatever the waits need.
pub(crate) struct Gpu {
    pub(crate) device: ash::Device,
    pub(crate) timeline: khr::timeline_semaphore::Device,
    pub(crate) swapchains: khr::swapchain::Device,
    pub(crate) presents: khr::present_wait::Device,
    pub(crate) queues: [vk::Queue; 2],
    pub(crate) swapchain: vk::SwapchainKHR,
}

impl Gpu {
    /// A device that does nothing wrong.
    pub(crate) fn new() -> Self {
        Self::scripted("")
    }

    /// A device that does wrong what the script says.
    pub(crate) fn scripted(script: &str) -> Self {
        let entry = fake_icd::entry();
        let extensions = [khr::surface::NAME, ext::headless_surface::NAME];
        let instance = fake_icd::instance(script, &extensions).unwrap();
        // SAFETY: the handles are live.
        unsafe {
            let physical = instance.enumerate_physical_devices().unwrap()[0];
            let device = device(
                &instance,
                physical,
                &[khr::swapchain::NAME, khr::present_id::NAME, khr::present_wait::NAME],
            );
            let surfaces = ext::headless_surface::Instance::new(&entry, &instance);
            let surface = surfaces.create_headless_surface(&Default::default(), None).unwrap();
            let swapchains = khr::swapchain::Device::new(&instance, &device);
            let swapchain = vk::SwapchainCreateInfoKHR::default()
                .surface(surface)
                .min_image_count(2)
                .image_format(vk::Format::B8G8R8A8_UNORM)
                .image_extent(vk::Extent2D { width: 64, height: 64 })
                .image_array_layers(1)
                .image_usage(vk::ImageUsageFlags::COLOR_ATTACHMENT)
                .present_mode(vk::PresentModeKHR::FIFO);
            Self {
                timeline: khr::timeline_semaphore::Device::new(&instance, &device),
                presents: khr::present_wait::Device::new(&instance, &device),
                queues: [0, 1].map(|index| device.get_device_queue(0, index)),
                swapchain: swapchains.create_swapchain(&swapchain, None).unwrap(),
                swapchains,
                device,
            }
        }
    }
}

/// A device with up to two queues of the first family, and timeline semaphores.
///
/// # Safety
/// The physical device is one of the instance, which lives.
pub(crate) unsafe fn device(
    instance: &ash::Instance,
    physical: vk::PhysicalDevice,
    extensions: &[&CStr],
) -> ash::Device {
    // SAFETY: as promised by the caller.
    unsafe {
        let families = instance.get_physical_device_queue_family_properties(physical);
        let priorities = vec![1.0; families[0].queue_count.min(2) as usize];
        let request = [vk::DeviceQueueCreateInfo::default().queue_priorities(&priorities)];
        let extensions: Vec<_> = extensions.iter().map(|name| name.as_ptr()).collect();
        let mut timeline =
            vk::PhysicalDeviceTimelineSemaphoreFeatures::default().timeline_semaphore(true);
        let info = vk::DeviceCreateInfo::default()
            .queue_create_infos(&request)
            .enabled_extension_names(&extensions)
            .push_next(&mut timeline);
        instance.create_device(physical, &info, None).unwrap()
    }
}
