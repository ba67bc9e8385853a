//! How does a test get a device, a swapchain and frames without a loader?

use ash::{ext, khr, vk};
use std::time::Duration;

/// Long enough for whatever should happen, on a busy machine.
pub(crate) const SOON_NS: u64 = 5_000_000_000;

/// A device with two queues, a surface, and a swapchain of three images.
pub(crate) struct Rig {
    pub(crate) entry: ash::Entry,
    pub(crate) instance: ash::Instance,
    pub(crate) physical: vk::PhysicalDevice,
    pub(crate) device: ash::Device,
    pub(crate) queue: vk::Queue,
    pub(crate) other_queue: vk::Queue,
    pub(crate) surface: vk::SurfaceKHR,
    pub(crate) swapchains: khr::swapchain::Device,
    pub(crate) swapchain: vk::SwapchainKHR,
    pub(crate) images: Vec<vk::Image>,
    pub(crate) pool: vk::CommandPool,
}

impl Rig {
    /// All of it under a script.
    pub(crate) fn new(script: &str) -> Self {
        let entry = fake_icd::entry();
        let extensions = [khr::surface::NAME, ext::headless_surface::NAME];
        let instance = fake_icd::instance(script, &extensions).unwrap();
        // SAFETY: live handles; so in all functions below, except where a test breaks a rule of the driver's check on purpose.
        unsafe {
            let physical = instance.enumerate_physical_devices().unwrap()[0];
            let (device, queues) = device(&instance, physical).unwrap();
            let surface = surface(&entry, &instance);
            let swapchains = khr::swapchain::Device::new(&instance, &device);
            let info = vk::CommandPoolCreateInfo::default()
                .flags(vk::CommandPoolCreateFlags::RESET_COMMAND_BUFFER);
            let pool = device.create_command_pool(&info, None).unwrap();
            let swapchain = vk::SwapchainKHR::null();
            let [queue, other_queue] = queues;
            let mut rig = Self {
                entry,
                instance,
                physical,
                device,
                queue,
                other_queue,
                surface,
                swapchains,
                swapchain,
                images: Vec::new(),
                pool,
            };
            rig.swapchain = rig.new_swapchain(rig.surface, swapchain).unwrap();
            rig.images = rig.swapchains.get_swapchain_images(rig.swapchain).unwrap();
            rig
        }
    }

    /// A swapchain of three images.
    pub(crate) fn new_swapchain(
        &self,
        surface: vk::SurfaceKHR,
        old: vk::SwapchainKHR,
    ) -> Result<vk::SwapchainKHR, vk::Result> {
        let info = vk::SwapchainCreateInfoKHR::default()
            .surface(surface)
            .min_image_count(3)
            .image_extent(vk::Extent2D { width: 8, height: 8 })
            .image_array_layers(1)
            .old_swapchain(old);
        // SAFETY: as in `new`.
        unsafe { self.swapchains.create_swapchain(&info, None) }
    }

    pub(crate) fn fence(&self) -> vk::Fence {
        // SAFETY: as in `new`.
        unsafe { self.device.create_fence(&vk::FenceCreateInfo::default(), None).unwrap() }
    }

    pub(crate) fn semaphore(&self) -> vk::Semaphore {
        // SAFETY: as in `new`.
        unsafe { self.device.create_semaphore(&vk::SemaphoreCreateInfo::default(), None).unwrap() }
    }

    pub(crate) fn allocate(&self) -> vk::CommandBuffer {
        let info = vk::CommandBufferAllocateInfo::default()
            .command_pool(self.pool)
            .command_buffer_count(1);
        // SAFETY: as in `new`.
        unsafe { self.device.allocate_command_buffers(&info).unwrap()[0] }
    }

    pub(crate) fn begin(&self, buffer: vk::CommandBuffer, flags: vk::CommandBufferUsageFlags) {
        let info = vk::CommandBufferBeginInfo::default().flags(flags);
        // SAFETY: as in `new`.
        unsafe { self.device.begin_command_buffer(buffer, &info).unwrap() };
    }

    /// A command buffer that `record` fills, for any number of submissions one after the other.
    pub(crate) fn recorded(&self, record: impl FnOnce(vk::CommandBuffer)) -> vk::CommandBuffer {
        let buffer = self.allocate();
        self.begin(buffer, vk::CommandBufferUsageFlags::empty());
        record(buffer);
        // SAFETY: as in `new`.
        unsafe { self.device.end_command_buffer(buffer).unwrap() };
        buffer
    }

    /// A command buffer that makes an image ready for its present.
    pub(crate) fn to_present(&self, image: vk::Image, from: vk::ImageLayout) -> vk::CommandBuffer {
        let barrier = vk::ImageMemoryBarrier::default()
            .image(image)
            .old_layout(from)
            .new_layout(vk::ImageLayout::PRESENT_SRC_KHR);
        let stages = vk::PipelineStageFlags::ALL_COMMANDS;
        let none = vk::DependencyFlags::empty();
        self.recorded(|buffer| {
            // SAFETY: as in `new`.
            unsafe {
                self.device.cmd_pipeline_barrier(
                    buffer,
                    stages,
                    stages,
                    none,
                    &[],
                    &[],
                    &[barrier],
                );
            }
        })
    }

    pub(crate) fn submit(
        &self,
        waits: &[vk::Semaphore],
        buffers: &[vk::CommandBuffer],
        signals: &[vk::Semaphore],
        fence: vk::Fence,
    ) -> Result<(), vk::Result> {
        let stages = vec![vk::PipelineStageFlags::ALL_COMMANDS; waits.len()];
        let info = vk::SubmitInfo::default()
            .wait_semaphores(waits)
            .wait_dst_stage_mask(&stages)
            .command_buffers(buffers)
            .signal_semaphores(signals);
        // SAFETY: as in `new`.
        unsafe { self.device.queue_submit(self.queue, &[info], fence) }
    }

    pub(crate) fn wait(&self, fence: vk::Fence) -> Result<(), vk::Result> {
        // SAFETY: as in `new`.
        unsafe { self.device.wait_for_fences(&[fence], true, SOON_NS) }
    }

    /// Waits for all work, but not for ever: Vulkan has no bound for that, so a thread that is left behind waits.
    pub(crate) fn wait_idle(&self) {
        let (tell, told) = std::sync::mpsc::channel();
        let device = self.device.clone();
        // SAFETY: as in `new`.
        std::thread::spawn(move || tell.send(unsafe { device.device_wait_idle() }));
        told.recv_timeout(Duration::from_nanos(SOON_NS)).expect("the work ends").unwrap();
    }

    pub(crate) fn acquire(
        &self,
        semaphore: vk::Semaphore,
        fence: vk::Fence,
    ) -> Result<(u32, bool), vk::Result> {
        // SAFETY: as in `new`.
        unsafe { self.swapchains.acquire_next_image(self.swapchain, 0, semaphore, fence) }
    }

    pub(crate) fn present(&self, waits: &[vk::Semaphore], image: u32) -> Result<bool, vk::Result> {
        let (swapchains, images) = ([self.swapchain], [image]);
        let info = vk::PresentInfoKHR::default()
            .wait_semaphores(waits)
            .swapchains(&swapchains)
            .image_indices(&images);
        // SAFETY: as in `new`.
        unsafe { self.swapchains.queue_present(self.queue, &info) }
    }

    /// The names of the rules that were broken so far.
    pub(crate) fn broken(&self) -> Vec<&'static str> {
        fake_icd::violations(&self.instance).iter().map(|violation| violation.rule).collect()
    }
}

/// What a frame needs, once for each frame in flight.
pub(crate) struct Slot {
    pub(crate) acquired: vk::Semaphore,
    pub(crate) fence: vk::Fence,
    commands: vk::CommandBuffer,
}

impl Slot {
    /// With a fence that was signalled by an empty submission.
    pub(crate) fn new(rig: &Rig) -> Self {
        let fence = rig.fence();
        rig.submit(&[], &[], &[], fence).unwrap();
        Self { acquired: rig.semaphore(), fence, commands: rig.allocate() }
    }

    /// A frame as it should be: wait, acquire, reset, record, submit, present. The semaphore of the present belongs to the image.
    pub(crate) fn frame(&self, rig: &Rig, rendered: &[vk::Semaphore]) {
        rig.wait(self.fence).unwrap();
        // SAFETY: as in `Rig::new`.
        let (image, _) = unsafe {
            let acquire = |timeout| {
                rig.swapchains.acquire_next_image(
                    rig.swapchain,
                    timeout,
                    self.acquired,
                    vk::Fence::null(),
                )
            };
            acquire(SOON_NS).unwrap()
        };
        let barrier = vk::ImageMemoryBarrier::default()
            .image(rig.images[image as usize])
            .old_layout(vk::ImageLayout::UNDEFINED)
            .new_layout(vk::ImageLayout::PRESENT_SRC_KHR);
        let stages = vk::PipelineStageFlags::ALL_COMMANDS;
        let none = vk::DependencyFlags::empty();
        rig.begin(self.commands, vk::CommandBufferUsageFlags::ONE_TIME_SUBMIT);
        // SAFETY: as in `Rig::new`.
        unsafe {
            let buffer = self.commands;
            rig.device.cmd_pipeline_barrier(buffer, stages, stages, none, &[], &[], &[barrier]);
            rig.device.end_command_buffer(self.commands).unwrap();
            rig.device.reset_fences(&[self.fence]).unwrap();
        }
        let rendered = [rendered[image as usize]];
        rig.submit(&[self.acquired], &[self.commands], &rendered, self.fence).unwrap();
        rig.present(&rendered, image).unwrap();
    }
}

/// # Safety
///
/// The physical device belongs to the instance.
pub(crate) unsafe fn device(
    instance: &ash::Instance,
    physical: vk::PhysicalDevice,
) -> Result<(ash::Device, [vk::Queue; 2]), vk::Result> {
    let priorities = [1.0; 2];
    let requests = [vk::DeviceQueueCreateInfo::default().queue_priorities(&priorities)];
    let mut twelve = vk::PhysicalDeviceVulkan12Features::default().timeline_semaphore(true);
    let info = vk::DeviceCreateInfo::default().queue_create_infos(&requests).push_next(&mut twelve);
    // SAFETY: the caller's promise.
    unsafe {
        let device = instance.create_device(physical, &info, None)?;
        let queues = [0, 1].map(|index| device.get_device_queue(0, index));
        Ok((device, queues))
    }
}

pub(crate) fn surface(entry: &ash::Entry, instance: &ash::Instance) -> vk::SurfaceKHR {
    let headless = ext::headless_surface::Instance::new(entry, instance);
    // SAFETY: as in `Rig::new`.
    unsafe { headless.create_headless_surface(&Default::default(), None).unwrap() }
}
