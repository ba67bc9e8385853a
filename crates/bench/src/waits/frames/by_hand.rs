//! How is a correct frame loop written by hand? With raw calls: the fence is reset only when the submit is certain to follow.

use ash::vk;
use unwedge_wait::frame::Parts;

use super::draw::draw;
use super::rig::Rig;
use super::{BOUND, IN_FLIGHT, Loop};
use crate::waits::gpu::told;

struct Slot {
    fence: vk::Fence,
    acquired: vk::Semaphore,
    pool: vk::CommandPool,
    commands: vk::CommandBuffer,
}

struct Image {
    image: vk::Image,
    finished: vk::Semaphore,
}

/// A swapchain and the frames in flight.
pub(super) struct ByHand {
    parts: Parts,
    swapchain: vk::SwapchainKHR,
    slots: Vec<Slot>,
    images: Vec<Image>,
    next: usize,
}

impl ByHand {
    /// In the `window`th window of the rig.
    pub(super) fn new(rig: &Rig, window: usize) -> Result<Self, String> {
        let parts = rig.parts.clone();
        let info = rig.swapchain(window)?;
        // SAFETY: the rig outlives this, and the surface has no other swapchain; so below.
        unsafe {
            let swapchain = parts.swapchain.create_swapchain(&info, None).map_err(told)?;
            let images = parts.swapchain.get_swapchain_images(swapchain).map_err(told)?;
            let image = |image| Ok(Image { image, finished: semaphore(&parts.device)? });
            let images = images.into_iter().map(image).collect::<Result<_, String>>()?;
            let slots = (0..IN_FLIGHT).map(|_| slot(&parts)).collect::<Result<_, String>>()?;
            Ok(Self { parts, swapchain, slots, images, next: 0 })
        }
    }

    /// Once it is done.
    pub(super) fn destroy(mut self) -> Result<(), String> {
        if !self.is_done()? {
            return Err("a frame is still being executed".to_owned());
        }
        let device = &self.parts.device;
        // SAFETY: its batches were executed; the only queue has nothing else to do, and presents are done in its order.
        unsafe {
            for slot in &self.slots {
                device.destroy_fence(slot.fence, None);
                device.destroy_semaphore(slot.acquired, None);
                device.destroy_command_pool(slot.pool, None);
            }
            for image in &self.images {
                device.destroy_semaphore(image.finished, None);
            }
            self.parts.swapchain.destroy_swapchain(self.swapchain, None);
        }
        Ok(())
    }
}

impl Loop for ByHand {
    fn frame(&mut self) -> Result<(), String> {
        let Parts { device, swapchain: functions, queue, .. } = &self.parts;
        let slot = &self.slots[self.next];
        let bound = u64::try_from(BOUND.as_nanos()).map_err(|error| error.to_string())?;
        // SAFETY: the objects are this loop's; after the wait, those of the slot are in no use.
        unsafe {
            device.wait_for_fences(&[slot.fence], true, bound).map_err(told)?;
            let none = vk::Fence::null();
            let (index, _suboptimal) = functions
                .acquire_next_image(self.swapchain, bound, slot.acquired, none)
                .map_err(told)?;
            let image = &self.images[index as usize];

            let once = vk::CommandPoolResetFlags::empty();
            device.reset_command_pool(slot.pool, once).map_err(told)?;
            let begin = vk::CommandBufferBeginInfo::default()
                .flags(vk::CommandBufferUsageFlags::ONE_TIME_SUBMIT);
            device.begin_command_buffer(slot.commands, &begin).map_err(told)?;
            draw(device, slot.commands, image.image);
            device.end_command_buffer(slot.commands).map_err(told)?;

            device.reset_fences(&[slot.fence]).map_err(told)?;
            let (waits, stages) = ([slot.acquired], [vk::PipelineStageFlags::TRANSFER]);
            let (commands, finished) = ([slot.commands], [image.finished]);
            let submit = vk::SubmitInfo::default()
                .wait_semaphores(&waits)
                .wait_dst_stage_mask(&stages)
                .command_buffers(&commands)
                .signal_semaphores(&finished);
            device.queue_submit(*queue, &[submit], slot.fence).map_err(told)?;

            let (swapchains, indices) = ([self.swapchain], [index]);
            let present = vk::PresentInfoKHR::default()
                .wait_semaphores(&finished)
                .swapchains(&swapchains)
                .image_indices(&indices);
            functions.queue_present(*queue, &present).map_err(told)?;
        }
        self.next = (self.next + 1) % self.slots.len();
        Ok(())
    }

    fn is_done(&mut self) -> Result<bool, String> {
        let signalled = |slot: &Slot| {
            // SAFETY: a fence of this loop's.
            unsafe { self.parts.device.get_fence_status(slot.fence) }.map_err(told)
        };
        self.slots.iter().try_fold(true, |done, slot| Ok(done && signalled(slot)?))
    }
}

/// # Safety
/// The device lives.
unsafe fn semaphore(device: &ash::Device) -> Result<vk::Semaphore, String> {
    // SAFETY: as promised by the caller.
    unsafe { device.create_semaphore(&vk::SemaphoreCreateInfo::default(), None) }.map_err(told)
}

/// # Safety
/// The device lives.
unsafe fn slot(parts: &Parts) -> Result<Slot, String> {
    let device = &parts.device;
    let signalled = vk::FenceCreateInfo::default().flags(vk::FenceCreateFlags::SIGNALED);
    let pool = vk::CommandPoolCreateInfo::default()
        .flags(vk::CommandPoolCreateFlags::TRANSIENT)
        .queue_family_index(parts.queue_family);
    // SAFETY: as promised by the caller.
    unsafe {
        let pool = device.create_command_pool(&pool, None).map_err(told)?;
        let commands = vk::CommandBufferAllocateInfo::default()
            .command_pool(pool)
            .level(vk::CommandBufferLevel::PRIMARY)
            .command_buffer_count(1);
        let commands = device.allocate_command_buffers(&commands).map_err(told)?[0];
        let fence = device.create_fence(&signalled, None).map_err(told)?;
        Ok(Slot { fence, acquired: semaphore(device)?, pool, commands })
    }
}
