//! How does a test get a device of the fake driver, in this process and without a loader?

use std::ffi::{CStr, c_char};

use ash::{ext, khr, vk};
// For its functions, which are exported to loaders.
use fake_icd as _;

unsafe extern "system" {
    fn vk_icdGetInstanceProcAddr(
        instance: vk::Instance,
        name: *const c_char,
    ) -> vk::PFN_vkVoidFunction;
}

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
    pub(crate) fn new() -> Self {
        // SAFETY: the function is the driver's; the handles that follow are live.
        unsafe {
            let get_instance_proc_addr = vk_icdGetInstanceProcAddr;
            let entry = ash::Entry::from_static_fn(ash::StaticFn { get_instance_proc_addr });
            let application = vk::ApplicationInfo::default().api_version(vk::API_VERSION_1_3);
            let info = vk::InstanceCreateInfo::default().application_info(&application);
            let instance = entry.create_instance(&info, None).unwrap();
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
