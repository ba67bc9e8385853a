//! How does a test get a device of the fake driver, and how does it watch a call that may never return?

use ash::{ext, khr, vk};
use std::ffi::CStr;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Long enough for whatever should happen, on a busy machine.
pub(crate) const SOON_NS: u64 = 5_000_000_000;

/// Long enough to believe that nothing happens.
pub(crate) const A_WHILE: Duration = Duration::from_millis(60);
pub(crate) const A_WHILE_NS: u64 = 60_000_000;

/// The environment belongs to the process; scripts take turns.
static ENVIRONMENT: Mutex<()> = Mutex::new(());

/// A device with all its queues. Never destroyed, because some tests leave threads stuck in it.
#[derive(Clone)]
pub(crate) struct Gpu {
    entry: ash::Entry,
    pub(crate) instance: ash::Instance,
    pub(crate) physical: vk::PhysicalDevice,
    pub(crate) device: ash::Device,
    pub(crate) queues: Vec<vk::Queue>,
    pub(crate) swapchains: khr::swapchain::Device,
    pub(crate) surface: vk::SurfaceKHR,
}

impl Gpu {
    /// A device under the given script.
    pub(crate) fn new(script: &str) -> Self {
        let (entry, instance) = create_instance(script);
        // SAFETY: live handles, which is all that the driver relies on; so in all functions below.
        unsafe {
            let physical = instance.enumerate_physical_devices().unwrap()[0];
            let family = instance.get_physical_device_queue_family_properties(physical)[0];
            let device = create_device(&instance, physical, family.queue_count);
            let queues =
                (0..family.queue_count).map(|index| device.get_device_queue(0, index)).collect();
            let swapchains = khr::swapchain::Device::new(&instance, &device);
            let headless = ext::headless_surface::Instance::new(&entry, &instance);
            let surface = headless.create_headless_surface(&Default::default(), None).unwrap();
            Self { entry, instance, physical, device, queues, swapchains, surface }
        }
    }

    pub(crate) fn fence(&self) -> vk::Fence {
        // SAFETY: live handles.
        unsafe { self.device.create_fence(&vk::FenceCreateInfo::default(), None).unwrap() }
    }

    pub(crate) fn binary_semaphore(&self) -> vk::Semaphore {
        // SAFETY: live handles.
        unsafe { self.device.create_semaphore(&vk::SemaphoreCreateInfo::default(), None).unwrap() }
    }

    pub(crate) fn timeline(&self) -> Result<vk::Semaphore, vk::Result> {
        let mut kind =
            vk::SemaphoreTypeCreateInfo::default().semaphore_type(vk::SemaphoreType::TIMELINE);
        let info = vk::SemaphoreCreateInfo::default().push_next(&mut kind);
        // SAFETY: live handles.
        unsafe { self.device.create_semaphore(&info, None) }
    }

    /// Submits one batch through `vkQueueSubmit2`.
    pub(crate) fn submit(
        &self,
        queue: usize,
        waits: &[(vk::Semaphore, u64)],
        commands: &[vk::CommandBuffer],
        signals: &[(vk::Semaphore, u64)],
        fence: vk::Fence,
    ) -> Result<(), vk::Result> {
        let (waits, signals) = (points(waits), points(signals));
        let commands: Vec<_> = commands
            .iter()
            .map(|&buffer| vk::CommandBufferSubmitInfo::default().command_buffer(buffer))
            .collect();
        let info = vk::SubmitInfo2::default()
            .wait_semaphore_infos(&waits)
            .command_buffer_infos(&commands)
            .signal_semaphore_infos(&signals);
        // SAFETY: live handles.
        unsafe { self.device.queue_submit2(self.queues[queue], &[info], fence) }
    }

    /// Submits an empty batch with a fence to the first queue.
    pub(crate) fn submit_fence(&self, fence: vk::Fence) -> Result<(), vk::Result> {
        self.submit(0, &[], &[], &[], fence)
    }

    pub(crate) fn wait_fence(&self, fence: vk::Fence, timeout_ns: u64) -> Result<(), vk::Result> {
        // SAFETY: live handles.
        unsafe { self.device.wait_for_fences(&[fence], true, timeout_ns) }
    }

    pub(crate) fn wait_timeline(
        &self,
        semaphore: vk::Semaphore,
        value: u64,
        timeout_ns: u64,
    ) -> Result<(), vk::Result> {
        let (semaphores, values) = ([semaphore], [value]);
        let info = vk::SemaphoreWaitInfo::default().semaphores(&semaphores).values(&values);
        // SAFETY: live handles.
        unsafe { self.device.wait_semaphores(&info, timeout_ns) }
    }

    pub(crate) fn signal_timeline(&self, semaphore: vk::Semaphore, value: u64) {
        let info = vk::SemaphoreSignalInfo::default().semaphore(semaphore).value(value);
        // SAFETY: live handles.
        unsafe { self.device.signal_semaphore(&info).unwrap() }
    }

    /// A command buffer that `record` fills.
    pub(crate) fn commands(&self, record: impl FnOnce(vk::CommandBuffer)) -> vk::CommandBuffer {
        // SAFETY: live handles.
        unsafe {
            let pool = self
                .device
                .create_command_pool(&vk::CommandPoolCreateInfo::default(), None)
                .unwrap();
            let info =
                vk::CommandBufferAllocateInfo::default().command_pool(pool).command_buffer_count(1);
            let buffer = self.device.allocate_command_buffers(&info).unwrap()[0];
            self.device
                .begin_command_buffer(buffer, &vk::CommandBufferBeginInfo::default())
                .unwrap();
            record(buffer);
            self.device.end_command_buffer(buffer).unwrap();
            buffer
        }
    }

    /// A swapchain with this many images on the headless surface, in the old one's place.
    pub(crate) fn swapchain(&self, images: u32, old: vk::SwapchainKHR) -> vk::SwapchainKHR {
        // SAFETY: live handles.
        unsafe {
            let info = vk::SwapchainCreateInfoKHR::default()
                .surface(self.surface)
                .min_image_count(images)
                .image_format(vk::Format::B8G8R8A8_UNORM)
                .image_extent(vk::Extent2D { width: 64, height: 64 })
                .image_array_layers(1)
                .image_usage(vk::ImageUsageFlags::COLOR_ATTACHMENT)
                .pre_transform(vk::SurfaceTransformFlagsKHR::IDENTITY)
                .composite_alpha(vk::CompositeAlphaFlagsKHR::OPAQUE)
                .present_mode(vk::PresentModeKHR::FIFO)
                .old_swapchain(old);
            self.swapchains.create_swapchain(&info, None).unwrap()
        }
    }

    pub(crate) fn surfaces(&self) -> khr::surface::Instance {
        khr::surface::Instance::new(&self.entry, &self.instance)
    }
}

fn points(points: &[(vk::Semaphore, u64)]) -> Vec<vk::SemaphoreSubmitInfo<'static>> {
    let info =
        |&(semaphore, value)| vk::SemaphoreSubmitInfo::default().semaphore(semaphore).value(value);
    points.iter().map(info).collect()
}

fn create_instance(script: &str) -> (ash::Entry, ash::Instance) {
    let _turn = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    let manifest = write_manifest(folder.path());
    let application = vk::ApplicationInfo::default().api_version(vk::API_VERSION_1_3);
    let extensions = [khr::surface::NAME, ext::headless_surface::NAME].map(CStr::as_ptr);
    let info = vk::InstanceCreateInfo::default()
        .application_info(&application)
        .enabled_extension_names(&extensions);
    // SAFETY: only the loader and the driver read these variables, while an instance is created, so in turn.
    unsafe {
        std::env::set_var("VK_DRIVER_FILES", &manifest);
        std::env::set_var("VK_ICD_FILENAMES", &manifest);
        std::env::set_var("UNWEDGE_FAKE_ICD", script);
        let entry = ash::Entry::load().expect("the Vulkan loader is installed");
        let instance =
            entry.create_instance(&info, None).expect("the driver was built and is loaded");
        (entry, instance)
    }
}

/// # Safety
///
/// The physical device belongs to the instance.
unsafe fn create_device(
    instance: &ash::Instance,
    physical: vk::PhysicalDevice,
    queues: u32,
) -> ash::Device {
    let priorities = vec![1.0; queues as usize];
    let request = [vk::DeviceQueueCreateInfo::default().queue_priorities(&priorities)];
    let extensions = [
        khr::swapchain::NAME,
        khr::synchronization2::NAME,
        khr::external_semaphore_fd::NAME,
        khr::present_id::NAME,
        khr::present_wait::NAME,
        khr::deferred_host_operations::NAME,
    ]
    .map(CStr::as_ptr);
    let mut timeline = vk::PhysicalDeviceTimelineSemaphoreFeatures::default();
    let mut synchronization2 = vk::PhysicalDeviceSynchronization2Features::default();
    let mut present_id = vk::PhysicalDevicePresentIdFeaturesKHR::default();
    let mut present_wait = vk::PhysicalDevicePresentWaitFeaturesKHR::default();
    let mut supported = vk::PhysicalDeviceFeatures2::default()
        .push_next(&mut timeline)
        .push_next(&mut synchronization2)
        .push_next(&mut present_id)
        .push_next(&mut present_wait);
    // SAFETY: the caller's promise.
    unsafe {
        instance.get_physical_device_features2(physical, &mut supported);
        let info = vk::DeviceCreateInfo::default()
            .queue_create_infos(&request)
            .enabled_extension_names(&extensions)
            .push_next(&mut supported);
        instance.create_device(physical, &info, None).unwrap()
    }
}

fn write_manifest(folder: &Path) -> PathBuf {
    let path = folder.join("fake_icd.json");
    let text =
        include_str!("../../fake_icd.json.in").replace("@PATH@", &library().display().to_string());
    std::fs::write(&path, text).unwrap();
    path
}

/// The newest library that cargo built next to this test; a plain build and a test build put it in different places.
fn library() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let dependencies = test.parent().unwrap();
    let built = |folder: &Path| {
        let path = folder.join("libfake_icd.so");
        let time = std::fs::metadata(&path).and_then(|found| found.modified()).ok()?;
        Some((time, path))
    };
    let newest = [dependencies, dependencies.parent().unwrap()].into_iter().filter_map(built).max();
    newest.expect("run `cargo build -p unwedge-fake-icd` first").1
}

/// Starts a call that may never return.
pub(crate) fn start<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> Receiver<T> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(call()));
    receiver
}

/// Whether a started call is still under way after a while.
pub(crate) fn is_stuck<T>(call: &Receiver<T>) -> bool {
    matches!(call.recv_timeout(A_WHILE), Err(mpsc::RecvTimeoutError::Timeout))
}

/// What a started call returns soon.
pub(crate) fn outcome<T>(call: &Receiver<T>) -> T {
    call.recv_timeout(Duration::from_nanos(SOON_NS)).expect("the call returns")
}
