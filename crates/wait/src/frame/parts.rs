//! What does a window's frame run on, and what is drawn to?

use ash::vk;

/// What the frames of a window run on. The program makes these and keeps owning them; the clones of the function tables
/// are made once.
#[derive(Clone)]
pub struct Parts {
    /// The functions of the device.
    pub device: ash::Device,
    /// The functions of `VK_KHR_swapchain`, which is enabled on the device.
    pub swapchain: ash::khr::swapchain::Device,
    /// The queue that executes the frames and presents them.
    pub queue: vk::Queue,
    /// The queue's family, which can present to the surface.
    pub queue_family: u32,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts")
            .field("device", &self.device.handle())
            .field("queue", &self.queue)
            .field("queue_family", &self.queue_family)
            .finish_non_exhaustive()
    }
}

/// The image of one frame, and what belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its number in the swapchain.
    pub index: u32,
    /// The image. It has to be in `VK_IMAGE_LAYOUT_PRESENT_SRC_KHR` at the end of what is recorded.
    pub image: vk::Image,
    /// A view of it: two-dimensional, all of its colour, in the swapchain's format.
    pub view: vk::ImageView,
    /// Its size in pixels.
    pub extent: vk::Extent2D,
    /// Its format.
    pub format: vk::Format,
    /// Which swapchain it is of. Each that [`Frames`](super::Frames) makes has a number of its own, from 1.
    pub generation: u64,
    /// Which of the frames in flight this is, from 0. What the program keeps for each of them is free to be written
    /// again: the frame before that used it has been executed.
    pub slot: usize,
    /// The swapchain no longer fits the surface (`VK_SUBOPTIMAL_KHR`), but can be presented to.
    pub suboptimal: bool,
    /// Nothing was ever presented from this image, so its layout is undefined.
    pub first_use: bool,
}

/// The images of a swapchain.
#[derive(Clone, Copy, Debug)]
pub struct Images<'a> {
    /// Which swapchain this is, from 1.
    pub generation: u64,
    /// The size of each in pixels.
    pub extent: vk::Extent2D,
    /// The format of each.
    pub format: vk::Format,
    /// The images, by their number.
    pub images: &'a [vk::Image],
    /// A view of each, by their number.
    pub views: &'a [vk::ImageView],
}
