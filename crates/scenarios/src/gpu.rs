//! Instance, device and queues in one line, with what the driver offers of timelines, names and windows.
//!
//! Objects made through [`Gpu`] (see `objects.rs`) are destroyed with it. A failure to set up that only says "not on this
//! machine" is [`Stop::Skipped`].
use std::ffi::CStr;
use std::sync::{Arc, Mutex};

use ash::{ext, khr, vk};

use crate::Stop;
use crate::objects::Garbage;

/// The most queues that a scenario asks for.
const QUEUES_MAX: u32 = 4;

/// An instance, and the extensions that it was made with.
pub(crate) struct Instance {
    pub(crate) entry: ash::Entry,
    pub(crate) raw: ash::Instance,
    extensions: Vec<&'static CStr>,
}

impl Instance {
    /// Enables those of `wanted` that the implementation has.
    pub(crate) fn new(wanted: &[&'static CStr]) -> Result<Arc<Instance>, Stop> {
        let entry = unsafe { ash::Entry::load() }
            .map_err(|error| Stop::skipped(format!("no Vulkan loader: {error}")))?;
        let offered = unsafe { entry.enumerate_instance_extension_properties(None) }?;
        let extensions = those_offered(wanted, &offered);
        let names: Vec<_> = extensions.iter().map(|name| name.as_ptr()).collect();
        let application = vk::ApplicationInfo::default()
            .application_name(c"unwedge-scenario")
            .api_version(vk::API_VERSION_1_2);
        let create = vk::InstanceCreateInfo::default()
            .application_info(&application)
            .enabled_extension_names(&names);
        let raw = unsafe { entry.create_instance(&create, None) }
            .map_err(|error| Stop::skipped(format!("no Vulkan instance: {error:?}")))?;
        Ok(Arc::new(Instance { entry, raw, extensions }))
    }

    pub(crate) fn has(&self, extension: &CStr) -> bool {
        self.extensions.contains(&extension)
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        unsafe { self.raw.destroy_instance(None) };
    }
}

/// What a scenario wants beside the ordinary.
#[derive(Default)]
pub(crate) struct Wish {
    /// Device extensions; the scenario is skipped where one is missing.
    pub(crate) extensions: &'static [&'static CStr],
    /// Host allocation callbacks for the device.
    pub(crate) allocator: Option<vk::AllocationCallbacks<'static>>,
    /// The fewest queues that will do; 0 and 1 mean one.
    pub(crate) queues_min: usize,
}

/// A device with its queues. A queue's lock is held across calls on it, since Vulkan wants them externally synchronised.
pub(crate) struct Gpu {
    pub(crate) instance: Arc<Instance>,
    pub(crate) physical: vk::PhysicalDevice,
    pub(crate) device: ash::Device,
    pub(crate) queues: Vec<Mutex<vk::Queue>>,
    pub(crate) family: u32,
    /// Whether timeline semaphores are enabled.
    pub(crate) timeline: bool,
    pub(crate) names: Option<ext::debug_utils::Device>,
    pub(crate) garbage: Mutex<Garbage>,
    allocator: Option<vk::AllocationCallbacks<'static>>,
}

impl Gpu {
    pub(crate) fn new() -> Result<Gpu, Stop> {
        Gpu::with(&Wish::default())
    }

    pub(crate) fn with(wish: &Wish) -> Result<Gpu, Stop> {
        Gpu::on(&Instance::new(&[ext::debug_utils::NAME])?, wish)
    }

    /// A device of an instance that may have others.
    pub(crate) fn on(instance: &Arc<Instance>, wish: &Wish) -> Result<Gpu, Stop> {
        let raw = &instance.raw;
        let physical = unsafe { raw.enumerate_physical_devices() }?;
        let physical = *physical.first().ok_or_else(|| Stop::skipped("no Vulkan device"))?;
        let (family, queues_offered) = working_family(raw, physical)?;
        if (queues_offered as usize) < wish.queues_min {
            return Err(Stop::skipped(format!(
                "needs {} queues of one family, the device has {queues_offered}",
                wish.queues_min
            )));
        }
        let count = queues_offered.min(QUEUES_MAX);
        let timeline = has_timeline(raw, physical);
        let device = create_device(raw, physical, family, count, timeline, wish)?;
        let queues = (0..count)
            .map(|index| Mutex::new(unsafe { device.get_device_queue(family, index) }))
            .collect();
        let names = instance
            .has(ext::debug_utils::NAME)
            .then(|| ext::debug_utils::Device::new(raw, &device));
        let instance = Arc::clone(instance);
        let garbage = Mutex::default();
        Ok(Gpu {
            instance,
            physical,
            device,
            queues,
            family,
            timeline,
            names,
            garbage,
            allocator: wish.allocator,
        })
    }
}

impl Drop for Gpu {
    fn drop(&mut self) {
        unsafe {
            let _ = self.device.device_wait_idle();
            self.empty_garbage();
            self.device.destroy_device(self.allocator.as_ref());
        }
    }
}

fn those_offered(
    wanted: &[&'static CStr],
    offered: &[vk::ExtensionProperties],
) -> Vec<&'static CStr> {
    let is_offered =
        |name: &CStr| offered.iter().any(|have| have.extension_name_as_c_str() == Ok(name));
    wanted.iter().copied().filter(|name| is_offered(name)).collect()
}

/// The first family that computes (and so transfers), preferring one that draws too; and its number of queues.
fn working_family(
    instance: &ash::Instance,
    physical: vk::PhysicalDevice,
) -> Result<(u32, u32), Stop> {
    let families = unsafe { instance.get_physical_device_queue_family_properties(physical) };
    let first_with = |flags| families.iter().position(|family| family.queue_flags.contains(flags));
    let index = first_with(vk::QueueFlags::COMPUTE | vk::QueueFlags::GRAPHICS)
        .or_else(|| first_with(vk::QueueFlags::COMPUTE));
    let index = index.ok_or_else(|| Stop::skipped("no queue family that computes"))?;
    Ok((index as u32, families[index].queue_count))
}

fn has_timeline(instance: &ash::Instance, physical: vk::PhysicalDevice) -> bool {
    let mut timeline = vk::PhysicalDeviceTimelineSemaphoreFeatures::default();
    let mut features = vk::PhysicalDeviceFeatures2::default().push_next(&mut timeline);
    unsafe { instance.get_physical_device_features2(physical, &mut features) };
    timeline.timeline_semaphore == vk::TRUE
}

fn create_device(
    instance: &ash::Instance,
    physical: vk::PhysicalDevice,
    family: u32,
    queue_count: u32,
    timeline: bool,
    wish: &Wish,
) -> Result<ash::Device, Stop> {
    let offered = unsafe { instance.enumerate_device_extension_properties(physical) }?;
    let extensions = those_offered(wish.extensions, &offered);
    if let Some(missing) = wish.extensions.iter().find(|name| !extensions.contains(name)) {
        return Err(Stop::skipped(format!("the device lacks {}", missing.to_string_lossy())));
    }
    let names: Vec<_> = extensions.iter().map(|name| name.as_ptr()).collect();
    let priorities = vec![1.0; queue_count as usize];
    let queues = [vk::DeviceQueueCreateInfo::default()
        .queue_family_index(family)
        .queue_priorities(&priorities)];
    let mut timeline_features =
        vk::PhysicalDeviceTimelineSemaphoreFeatures::default().timeline_semaphore(true);
    let mut create =
        vk::DeviceCreateInfo::default().queue_create_infos(&queues).enabled_extension_names(&names);
    if timeline {
        create = create.push_next(&mut timeline_features);
    }
    Ok(unsafe { instance.create_device(physical, &create, wish.allocator.as_ref()) }?)
}

/// The extensions of windows: what surfaces there can be, here.
pub(crate) const WINDOW_EXTENSIONS: &[&CStr] = &[
    ext::debug_utils::NAME,
    khr::surface::NAME,
    khr::xcb_surface::NAME,
    ext::headless_surface::NAME,
];
