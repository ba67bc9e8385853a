//! Instances and the one physical device: what do they offer before a device is made?

use crate::device;
use crate::ffi::{Allocator, LoaderWord, Out, OutArray, entries, put_text};
use crate::in_process;
use crate::log::{self, Log};
use crate::script::Script;
use crate::surface;
use ash::{ext, khr, vk};
use std::ffi::{CStr, c_char};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

entries! {
    "vkCreateInstance" => create,
    "vkDestroyInstance" => destroy,
    "vkEnumerateInstanceVersion" => version,
    "vkEnumerateInstanceExtensionProperties" => instance_extensions,
    "vkEnumerateInstanceLayerProperties" => instance_layers,
    "vkEnumeratePhysicalDevices" => physical_devices,
    "vkEnumeratePhysicalDeviceGroups" | "vkEnumeratePhysicalDeviceGroupsKHR" => physical_device_groups,
    "vkEnumerateDeviceExtensionProperties" => device_extensions,
    "vkEnumerateDeviceLayerProperties" => device_layers,
    "vkCreateDevice" => device::create,
}

/// A `VkInstance`. Never freed, because its devices are not.
#[repr(C)]
pub(crate) struct Instance {
    _loader: LoaderWord,
    pub(crate) physical: PhysicalDevice,
}

impl Instance {
    pub(crate) fn script(&self) -> &Script {
        &self.physical.script
    }
}

/// A `VkPhysicalDevice`.
#[repr(C)]
pub(crate) struct PhysicalDevice {
    _loader: LoaderWord,
    pub(crate) script: Arc<Script>,
    pub(crate) log: Arc<Log>,
}

type Extension = (&'static CStr, u32);

const INSTANCE_EXTENSIONS: [Extension; 7] = [
    (khr::surface::NAME, khr::surface::SPEC_VERSION),
    (ext::headless_surface::NAME, ext::headless_surface::SPEC_VERSION),
    (
        khr::get_physical_device_properties2::NAME,
        khr::get_physical_device_properties2::SPEC_VERSION,
    ),
    (
        khr::external_semaphore_capabilities::NAME,
        khr::external_semaphore_capabilities::SPEC_VERSION,
    ),
    (khr::external_fence_capabilities::NAME, khr::external_fence_capabilities::SPEC_VERSION),
    (khr::get_surface_capabilities2::NAME, khr::get_surface_capabilities2::SPEC_VERSION),
    (ext::surface_maintenance1::NAME, ext::surface_maintenance1::SPEC_VERSION),
];

const DEVICE_EXTENSIONS: [Extension; 12] = [
    (khr::swapchain::NAME, khr::swapchain::SPEC_VERSION),
    (khr::timeline_semaphore::NAME, khr::timeline_semaphore::SPEC_VERSION),
    (khr::synchronization2::NAME, khr::synchronization2::SPEC_VERSION),
    (khr::external_semaphore::NAME, khr::external_semaphore::SPEC_VERSION),
    (khr::external_semaphore_fd::NAME, khr::external_semaphore_fd::SPEC_VERSION),
    (khr::external_fence::NAME, khr::external_fence::SPEC_VERSION),
    (khr::external_fence_fd::NAME, khr::external_fence_fd::SPEC_VERSION),
    (khr::present_id::NAME, khr::present_id::SPEC_VERSION),
    (khr::present_wait::NAME, khr::present_wait::SPEC_VERSION),
    (khr::deferred_host_operations::NAME, khr::deferred_host_operations::SPEC_VERSION),
    (ext::swapchain_maintenance1::NAME, ext::swapchain_maintenance1::SPEC_VERSION),
    (ext::host_query_reset::NAME, ext::host_query_reset::SPEC_VERSION),
];

fn properties(extensions: &[Extension]) -> Vec<vk::ExtensionProperties> {
    let describe = |&(name, spec_version): &Extension| {
        let mut properties = vk::ExtensionProperties { spec_version, ..Default::default() };
        put_text(&mut properties.extension_name, &name.to_string_lossy());
        properties
    };
    extensions.iter().map(describe).collect()
}

extern "system" fn create(
    info: &vk::InstanceCreateInfo<'_>,
    _allocator: Allocator,
    out: Out<'_, &'static Instance>,
) -> vk::Result {
    // SAFETY: the caller owes a valid chain.
    let given = unsafe { in_process::script_in(info.p_next) };
    match given.map_or_else(Script::from_environment, Script::from_link) {
        Ok(script) => {
            let log = Arc::new(Log::new(script.check));
            let physical = PhysicalDevice {
                _loader: LoaderWord::new(),
                script: Arc::new(script),
                log: Arc::clone(&log),
            };
            let instance = Instance { _loader: LoaderWord::new(), physical };
            let instance: &'static Instance = Box::leak(Box::new(instance));
            log::keep(std::ptr::from_ref(instance).addr() as u64, log);
            out.write(instance);
            vk::Result::SUCCESS
        }
        Err(problem) => {
            // A test with a misspelt script must fail, and its author must see why.
            eprintln!("fake-icd: {problem}");
            vk::Result::ERROR_INITIALIZATION_FAILED
        }
    }
}

extern "system" fn destroy(instance: Option<&Instance>, _allocator: Allocator) {
    let Some(instance) = instance else { return };
    let log = &instance.physical.log;
    for _ in 0..log.devices.load(Relaxed) {
        log.leak("device", 0);
    }
    surface::left_by(log);
}

extern "system" fn version(out: Out<'_, u32>) -> vk::Result {
    out.write(vk::API_VERSION_1_3);
    vk::Result::SUCCESS
}

extern "system" fn instance_extensions(
    _layer: *const c_char,
    count: &mut u32,
    out: OutArray<vk::ExtensionProperties>,
) -> vk::Result {
    out.enumerate(count, properties(&INSTANCE_EXTENSIONS), |slot, extension| *slot = extension)
}

extern "system" fn instance_layers(
    count: &mut u32,
    _out: OutArray<vk::LayerProperties>,
) -> vk::Result {
    *count = 0;
    vk::Result::SUCCESS
}

extern "system" fn physical_devices(
    instance: &'static Instance,
    count: &mut u32,
    out: OutArray<*const PhysicalDevice>,
) -> vk::Result {
    out.enumerate(count, vec![&raw const instance.physical], |slot, physical| *slot = physical)
}

extern "system" fn physical_device_groups(
    instance: &'static Instance,
    count: &mut u32,
    out: OutArray<vk::PhysicalDeviceGroupProperties<'_>>,
) -> vk::Result {
    let physical = (&raw const instance.physical).expose_provenance() as u64;
    let physical: vk::PhysicalDevice = vk::Handle::from_raw(physical);
    out.enumerate(count, vec![physical], |group, physical| {
        group.physical_device_count = 1;
        group.physical_devices[0] = physical;
        group.subset_allocation = vk::FALSE;
    })
}

extern "system" fn device_extensions(
    physical: &PhysicalDevice,
    _layer: *const c_char,
    count: &mut u32,
    out: OutArray<vk::ExtensionProperties>,
) -> vk::Result {
    let mut offered = DEVICE_EXTENSIONS.to_vec();
    offered.retain(|(name, _)| physical.script.timeline || *name != khr::timeline_semaphore::NAME);
    out.enumerate(count, properties(&offered), |slot, extension| *slot = extension)
}

extern "system" fn device_layers(
    _physical: &PhysicalDevice,
    count: &mut u32,
    _out: OutArray<vk::LayerProperties>,
) -> vk::Result {
    *count = 0;
    vk::Result::SUCCESS
}
