//! A swapchain and what belongs to each of its images, and what becomes of it once there is a newer one.

use ash::vk;

use super::parts::{Images, Parts};
use crate::{Error, create};

/// One image of a swapchain.
#[derive(Debug)]
pub(super) struct Image {
    pub(super) image: vk::Image,
    pub(super) view: vk::ImageView,
    /// Signalled by the image's batch, waited for by its present. One an image and not one a frame: that a present has
    /// waited is known only once the image was acquired again.
    pub(super) finished: vk::Semaphore,
    /// Recorded once, for frames that are dropped: brings an image with undefined content into the layout of a present.
    pub(super) rescue_first: vk::CommandBuffer,
    /// The same for an image that was presented before: leaves everything as it is. A batch that waits for a semaphore
    /// and has no commands hangs one driver, so there is a buffer, though it is empty.
    pub(super) rescue: vk::CommandBuffer,
    /// It was presented before, so that its layout is known.
    pub(super) presented: bool,
}

/// A swapchain and its images.
#[derive(Debug)]
pub(super) struct Swapchain {
    pub(super) handle: vk::SwapchainKHR,
    pub(super) extent: vk::Extent2D,
    pub(super) format: vk::Format,
    pub(super) generation: u64,
    pub(super) images: Vec<Image>,
    /// The images and views once more, as the program sees them.
    raw: (Vec<vk::Image>, Vec<vk::ImageView>),
    rescue_pool: vk::CommandPool,
    /// Nothing can be acquired from it any more.
    pub(super) stale: bool,
    /// A present of one of its images was queued, so that its semaphores may be in use.
    pub(super) queued: bool,
}

impl Swapchain {
    /// Makes a swapchain; `info` has the old one. What the driver has retired stays retired if this fails.
    ///
    /// # Safety
    /// The parts are alive, and `info` is valid for the device.
    pub(super) unsafe fn new(
        parts: &Parts,
        info: &vk::SwapchainCreateInfoKHR<'_>,
        generation: u64,
    ) -> Result<Self, Error> {
        // SAFETY: as promised by the caller.
        let handle = unsafe { parts.swapchain.create_swapchain(info, None) }
            .map_err(|result| Error::of("vkCreateSwapchainKHR", result))?;
        let mut swapchain = Self {
            handle,
            extent: info.image_extent,
            format: info.image_format,
            generation,
            images: Vec::new(),
            raw: (Vec::new(), Vec::new()),
            rescue_pool: vk::CommandPool::null(),
            stale: false,
            queued: false,
        };
        // SAFETY: as promised by the caller; what was made is destroyed if the rest fails, and was never used.
        unsafe {
            if let Err(error) = swapchain.fill(parts) {
                swapchain.destroy(parts);
                return Err(error);
            }
        }
        Ok(swapchain)
    }

    unsafe fn fill(&mut self, parts: &Parts) -> Result<(), Error> {
        // SAFETY: the swapchain was made by this device, which is alive.
        unsafe {
            let images = parts
                .swapchain
                .get_swapchain_images(self.handle)
                .map_err(|result| Error::of("vkGetSwapchainImagesKHR", result))?;
            let flags = vk::CommandPoolCreateFlags::empty();
            self.rescue_pool = create::command_pool(&parts.device, parts.queue_family, flags)?;
            for image in images {
                // What was made of it is destroyed with the swapchain, also if the rest is missing.
                let (image, problem) = self.image(parts, image);
                self.images.push(image);
                problem?;
            }
        }
        self.raw.0 = self.images.iter().map(|image| image.image).collect();
        self.raw.1 = self.images.iter().map(|image| image.view).collect();
        Ok(())
    }

    unsafe fn image(&self, parts: &Parts, image: vk::Image) -> (Image, Result<(), Error>) {
        let mut made = Image {
            image,
            view: vk::ImageView::null(),
            finished: vk::Semaphore::null(),
            rescue_first: vk::CommandBuffer::null(),
            rescue: vk::CommandBuffer::null(),
            presented: false,
        };
        let mut fill = || -> Result<(), Error> {
            // SAFETY: the image is one of this device's, which is alive.
            unsafe {
                made.view = self.view(parts, image)?;
                made.finished = create::semaphore(&parts.device)?;
                [made.rescue_first, made.rescue] =
                    create::command_buffers(&parts.device, self.rescue_pool)?;
                record_rescue(parts, made.rescue_first, Some(image))?;
                record_rescue(parts, made.rescue, None)
            }
        };
        let problem = fill();
        (made, problem)
    }

    unsafe fn view(&self, parts: &Parts, image: vk::Image) -> Result<vk::ImageView, Error> {
        let info = vk::ImageViewCreateInfo::default()
            .image(image)
            .view_type(vk::ImageViewType::TYPE_2D)
            .format(self.format)
            .subresource_range(COLOUR);
        // SAFETY: the image is one of this device's, which is alive.
        unsafe { parts.device.create_image_view(&info, None) }
            .map_err(|result| Error::of("vkCreateImageView", result))
    }

    pub(super) fn images(&self) -> Images<'_> {
        Images {
            generation: self.generation,
            extent: self.extent,
            format: self.format,
            images: &self.raw.0,
            views: &self.raw.1,
        }
    }

    /// # Safety
    /// No batch that uses one of the images, and no present, is under way; or the device is lost.
    pub(super) unsafe fn destroy(&self, parts: &Parts) {
        // SAFETY: nothing is in use, as promised by the caller; null handles are ignored.
        unsafe {
            for image in &self.images {
                parts.device.destroy_image_view(image.view, None);
                parts.device.destroy_semaphore(image.finished, None);
            }
            parts.device.destroy_command_pool(self.rescue_pool, None);
            parts.swapchain.destroy_swapchain(self.handle, None);
        }
    }
}

/// The colour of an image that has one level and one layer.
const COLOUR: vk::ImageSubresourceRange = vk::ImageSubresourceRange {
    aspect_mask: vk::ImageAspectFlags::COLOR,
    base_mip_level: 0,
    level_count: 1,
    base_array_layer: 0,
    layer_count: 1,
};

/// Records what a dropped frame submits. An image that was never presented is brought into the layout of a present.
unsafe fn record_rescue(
    parts: &Parts,
    commands: vk::CommandBuffer,
    first_use_of: Option<vk::Image>,
) -> Result<(), Error> {
    let device = &parts.device;
    // An image may be acquired again before the fence of its last batch was looked at.
    let begin =
        vk::CommandBufferBeginInfo::default().flags(vk::CommandBufferUsageFlags::SIMULTANEOUS_USE);
    // SAFETY: the command buffer was just allocated, and is recorded by nobody else.
    unsafe {
        device
            .begin_command_buffer(commands, &begin)
            .map_err(|result| Error::of("vkBeginCommandBuffer", result))?;
        if let Some(image) = first_use_of {
            let barrier = vk::ImageMemoryBarrier::default()
                .old_layout(vk::ImageLayout::UNDEFINED)
                .new_layout(vk::ImageLayout::PRESENT_SRC_KHR)
                .src_queue_family_index(vk::QUEUE_FAMILY_IGNORED)
                .dst_queue_family_index(vk::QUEUE_FAMILY_IGNORED)
                .image(image)
                .subresource_range(COLOUR);
            device.cmd_pipeline_barrier(
                commands,
                vk::PipelineStageFlags::ALL_COMMANDS,
                vk::PipelineStageFlags::BOTTOM_OF_PIPE,
                vk::DependencyFlags::empty(),
                &[],
                &[],
                &[barrier],
            );
        }
        device
            .end_command_buffer(commands)
            .map_err(|result| Error::of("vkEndCommandBuffer", result))
    }
}

/// A swapchain that a newer one has replaced. It is destroyed once nothing can use it any more.
#[derive(Debug)]
pub(super) struct Retired {
    pub(super) swapchain: Swapchain,
    /// One bit for each slot whose batch was pending when it was replaced.
    pub(super) pending: u32,
    /// How many frames of newer swapchains have to be executed until its presents are over as well: Vulkan has no fence for them,
    /// but the queue does its work in order.
    pub(super) frames_left: u32,
}

impl Retired {
    /// The batch of a slot was executed; it drew to the swapchain with this number.
    pub(super) fn reached(&mut self, slot: usize, generation: u64) {
        self.pending &= !(1 << slot);
        if generation > self.swapchain.generation {
            self.frames_left = self.frames_left.saturating_sub(1);
        }
    }

    pub(super) fn is_unused(&self) -> bool {
        self.pending == 0 && self.frames_left == 0
    }

    /// # Safety
    /// As for [`Swapchain::destroy`].
    pub(super) unsafe fn destroy(&self, parts: &Parts) {
        // SAFETY: nothing is in use, as promised by the caller.
        unsafe { self.swapchain.destroy(parts) };
    }
}
