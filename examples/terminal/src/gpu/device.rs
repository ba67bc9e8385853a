//! Which GPU draws, and what is made on it?

use std::ffi::CStr;

use ash::{khr, vk};

use super::{Error, Instance};

/// A device that can draw to the window, and its one queue. Destroys nothing by itself.
pub(super) struct Device {
    pub(super) handle: ash::Device,
    pub(super) swapchains: khr::swapchain::Device,
    pub(super) physical: vk::PhysicalDevice,
    pub(super) memory: vk::PhysicalDeviceMemoryProperties,
    pub(super) queue: vk::Queue,
    pub(super) family: u32,
}

/// A device that would do.
struct Candidate {
    physical: vk::PhysicalDevice,
    family: u32,
    rank: u8,
    name: String,
}

impl Device {
    /// The best device that can present to the surface.
    pub(super) fn new(instance: &Instance, surface: vk::SurfaceKHR) -> Result<Self, Error> {
        // SAFETY: the instance lives.
        let all = unsafe { instance.handle.enumerate_physical_devices() }
            .map_err(|result| Error::call("vkEnumeratePhysicalDevices", result))?;
        let usable = all.into_iter().filter_map(|device| candidate(instance, surface, device));
        let chosen = usable.min_by_key(|candidate| candidate.rank).ok_or(Error::NoDevice)?;
        tracing::info!(device = chosen.name, "drawing on");
        let queues = [vk::DeviceQueueCreateInfo::default()
            .queue_family_index(chosen.family)
            .queue_priorities(&[1.0])];
        let extensions = [khr::swapchain::NAME.as_ptr()];
        let mut features = vk::PhysicalDeviceVulkan13Features::default().dynamic_rendering(true);
        let info = vk::DeviceCreateInfo::default()
            .queue_create_infos(&queues)
            .enabled_extension_names(&extensions)
            .push_next(&mut features);
        // SAFETY: the device was found to have the queue family, the extension and the feature.
        let handle = unsafe { instance.handle.create_device(chosen.physical, &info, None) }
            .map_err(|result| Error::call("vkCreateDevice", result))?;
        // SAFETY: one queue of this family was asked for; the physical device is the instance's.
        let (queue, memory) = unsafe {
            let memory = instance.handle.get_physical_device_memory_properties(chosen.physical);
            (handle.get_device_queue(chosen.family, 0), memory)
        };
        let swapchains = khr::swapchain::Device::new(&instance.handle, &handle);
        let Candidate { physical, family, .. } = chosen;
        Ok(Self { handle, swapchains, physical, memory, queue, family })
    }
}

/// Whether the device has all that is needed: Vulkan 1.3 with dynamic rendering, swapchains, and a queue that draws and presents.
fn candidate(
    instance: &Instance,
    surface: vk::SurfaceKHR,
    physical: vk::PhysicalDevice,
) -> Option<Candidate> {
    let handle = &instance.handle;
    // SAFETY: the physical device is one of this instance's.
    let properties = unsafe { handle.get_physical_device_properties(physical) };
    if properties.api_version < vk::API_VERSION_1_3 {
        return None;
    }
    let mut features = vk::PhysicalDeviceVulkan13Features::default();
    let mut all = vk::PhysicalDeviceFeatures2::default().push_next(&mut features);
    // SAFETY: as above; the chain is one structure that 1.3 has.
    let extensions = unsafe {
        handle.get_physical_device_features2(physical, &mut all);
        handle.enumerate_device_extension_properties(physical).ok()?
    };
    let has_swapchains =
        extensions.iter().any(|one| one.extension_name_as_c_str() == Ok(khr::swapchain::NAME));
    if features.dynamic_rendering == vk::FALSE || !has_swapchains {
        return None;
    }
    let family = family(instance, surface, physical)?;
    let rank = match properties.device_type {
        vk::PhysicalDeviceType::DISCRETE_GPU => 0,
        vk::PhysicalDeviceType::INTEGRATED_GPU => 1,
        vk::PhysicalDeviceType::VIRTUAL_GPU => 2,
        _ => 3,
    };
    let name = properties.device_name_as_c_str().unwrap_or(c"?");
    let name = CStr::to_string_lossy(name).into_owned();
    Some(Candidate { physical, family, rank, name })
}

/// The first queue family that draws and presents to the surface.
fn family(
    instance: &Instance,
    surface: vk::SurfaceKHR,
    physical: vk::PhysicalDevice,
) -> Option<u32> {
    // SAFETY: the physical device is one of this instance's.
    let families = unsafe { instance.handle.get_physical_device_queue_family_properties(physical) };
    (0u32..).zip(families).find_map(|(number, family)| {
        let draws = family.queue_flags.contains(vk::QueueFlags::GRAPHICS);
        // SAFETY: the family is one of the device's, the surface lives.
        let presents = draws
            && unsafe {
                instance.surfaces.get_physical_device_surface_support(physical, number, surface)
            }
            .unwrap_or(false);
        presents.then_some(number)
    })
}
