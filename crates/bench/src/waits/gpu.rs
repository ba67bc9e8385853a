//! Which device are waits measured on? The first that the loader finds, with a queue that computes.

use ash::vk;

/// An instance and a device of it, which end with it.
pub(crate) struct Gpu {
    pub(crate) device: ash::Device,
    pub(crate) name: String,
    instance: ash::Instance,
    // Behind the others: it unloads what they call.
    _entry: ash::Entry,
}

impl Gpu {
    /// A device with timeline semaphores of Vulkan 1.2, or why there is none.
    pub(crate) fn first() -> Result<Self, String> {
        // SAFETY: the loader's library is what it says it is.
        let entry = unsafe { ash::Entry::load() }.map_err(|error| error.to_string())?;
        let application = vk::ApplicationInfo::default().api_version(vk::API_VERSION_1_2);
        let create = vk::InstanceCreateInfo::default().application_info(&application);
        // SAFETY: no allocator, and nothing in the chain.
        let instance = unsafe { entry.create_instance(&create, None) }.map_err(told)?;
        match device(&instance) {
            Ok((device, name)) => Ok(Self { device, name, instance, _entry: entry }),
            Err(why) => {
                // SAFETY: nothing of it is left.
                unsafe { instance.destroy_instance(None) };
                Err(why)
            }
        }
    }
}

impl Drop for Gpu {
    fn drop(&mut self) {
        // SAFETY: nothing was submitted, and who made objects has destroyed them.
        unsafe {
            self.device.destroy_device(None);
            self.instance.destroy_instance(None);
        }
    }
}

fn device(instance: &ash::Instance) -> Result<(ash::Device, String), String> {
    // SAFETY: the instance is alive.
    let devices = unsafe { instance.enumerate_physical_devices() }.map_err(told)?;
    let physical = *devices.first().ok_or("there is no Vulkan device")?;
    // SAFETY: a device of this instance, here and below.
    let properties = unsafe { instance.get_physical_device_properties(physical) };
    if properties.api_version < vk::API_VERSION_1_2 {
        return Err("the device has no Vulkan 1.2".to_owned());
    }
    let family = family(instance, physical, vk::QueueFlags::COMPUTE)?;
    let queues =
        [vk::DeviceQueueCreateInfo::default().queue_family_index(family).queue_priorities(&[1.0])];
    // Every device of Vulkan 1.2 has them.
    let mut timeline =
        vk::PhysicalDeviceTimelineSemaphoreFeatures::default().timeline_semaphore(true);
    let create =
        vk::DeviceCreateInfo::default().queue_create_infos(&queues).push_next(&mut timeline);
    // SAFETY: the family is one of the device, and the feature one that it must have.
    let device = unsafe { instance.create_device(physical, &create, None) }.map_err(told)?;
    let name = properties.device_name_as_c_str().unwrap_or_default().to_string_lossy();
    Ok((device, name.into_owned()))
}

/// The first family of queues that can do something.
pub(crate) fn family(
    instance: &ash::Instance,
    physical: vk::PhysicalDevice,
    what: vk::QueueFlags,
) -> Result<u32, String> {
    // SAFETY: the instance lives, and the device is one of its.
    let families = unsafe { instance.get_physical_device_queue_family_properties(physical) };
    let place = families.iter().position(|family| family.queue_flags.contains(what));
    let place = place.ok_or_else(|| format!("no queue of the device can do {what:?}"))?;
    u32::try_from(place).map_err(|error| error.to_string())
}

/// A failed call of Vulkan, as this program tells it.
pub(crate) fn told(result: vk::Result) -> String {
    format!("Vulkan: {result:?}")
}
