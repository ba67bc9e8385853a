//! How does the atlas get to the GPU? An image, its descriptor, and the memory that changes are staged in.

use ash::vk;

use super::Error;
use super::device::Device;
use super::memory::{self, Buffer};
use crate::glyphs::{Atlas, Region};

const FORMAT: vk::Format = vk::Format::R8_UNORM;
const RANGE: vk::ImageSubresourceRange = vk::ImageSubresourceRange {
    aspect_mask: vk::ImageAspectFlags::COLOR,
    base_mip_level: 0,
    level_count: 1,
    base_array_layer: 0,
    layer_count: 1,
};

/// The atlas on the device.
pub(super) struct AtlasImage {
    image: vk::Image,
    memory: vk::DeviceMemory,
    view: vk::ImageView,
    pool: vk::DescriptorPool,
    pub(super) set: vk::DescriptorSet,
    /// As large as the atlas, and each region is at the same place in it: overlapping ones have room too.
    staging: Buffer,
    /// Whether a first upload was submitted. Before that its layout is undefined.
    pub(super) written: bool,
}

impl AtlasImage {
    pub(super) fn new(
        device: &Device,
        side: u16,
        layout: vk::DescriptorSetLayout,
    ) -> Result<Self, Error> {
        let bytes = usize::from(side) * usize::from(side);
        let staging = Buffer::new(device, bytes, vk::BufferUsageFlags::TRANSFER_SRC)?;
        let mut atlas = Self {
            image: vk::Image::null(),
            memory: vk::DeviceMemory::null(),
            view: vk::ImageView::null(),
            pool: vk::DescriptorPool::null(),
            set: vk::DescriptorSet::null(),
            staging,
            written: false,
        };
        match atlas.fill(device, side, layout) {
            Ok(()) => Ok(atlas),
            Err(error) => {
                // SAFETY: nothing has used it; null handles are ignored.
                unsafe { atlas.destroy(&device.handle) };
                Err(error)
            }
        }
    }

    fn fill(
        &mut self,
        device: &Device,
        side: u16,
        layout: vk::DescriptorSetLayout,
    ) -> Result<(), Error> {
        let extent = vk::Extent3D { width: side.into(), height: side.into(), depth: 1 };
        let info = vk::ImageCreateInfo::default()
            .image_type(vk::ImageType::TYPE_2D)
            .format(FORMAT)
            .extent(extent)
            .mip_levels(1)
            .array_layers(1)
            .samples(vk::SampleCountFlags::TYPE_1)
            .usage(vk::ImageUsageFlags::TRANSFER_DST | vk::ImageUsageFlags::SAMPLED);
        let handle = &device.handle;
        // SAFETY: the device lives; the format can be sampled on every device.
        self.image = unsafe { handle.create_image(&info, None) }
            .map_err(|result| Error::call("vkCreateImage", result))?;
        // SAFETY: the image was just made.
        let needed = unsafe { handle.get_image_memory_requirements(self.image) };
        self.memory = memory::allocate(device, needed, vk::MemoryPropertyFlags::DEVICE_LOCAL)?;
        // SAFETY: the memory is for this image.
        unsafe { handle.bind_image_memory(self.image, self.memory, 0) }
            .map_err(|result| Error::call("vkBindImageMemory", result))?;
        let info = vk::ImageViewCreateInfo::default()
            .image(self.image)
            .view_type(vk::ImageViewType::TYPE_2D)
            .format(FORMAT)
            .subresource_range(RANGE);
        // SAFETY: the image has memory.
        self.view = unsafe { handle.create_image_view(&info, None) }
            .map_err(|result| Error::call("vkCreateImageView", result))?;
        self.describe(handle, layout)
    }

    fn describe(
        &mut self,
        handle: &ash::Device,
        layout: vk::DescriptorSetLayout,
    ) -> Result<(), Error> {
        let sizes = [vk::DescriptorPoolSize::default()
            .ty(vk::DescriptorType::SAMPLED_IMAGE)
            .descriptor_count(1)];
        let info = vk::DescriptorPoolCreateInfo::default().max_sets(1).pool_sizes(&sizes);
        // SAFETY: the device lives.
        self.pool = unsafe { handle.create_descriptor_pool(&info, None) }
            .map_err(|result| Error::call("vkCreateDescriptorPool", result))?;
        let layouts = [layout];
        let info = vk::DescriptorSetAllocateInfo::default()
            .descriptor_pool(self.pool)
            .set_layouts(&layouts);
        // SAFETY: the pool has room for this one set.
        let sets = unsafe { handle.allocate_descriptor_sets(&info) }
            .map_err(|result| Error::call("vkAllocateDescriptorSets", result))?;
        self.set = sets.first().copied().unwrap_or_default();
        let images = [vk::DescriptorImageInfo::default()
            .image_view(self.view)
            .image_layout(vk::ImageLayout::SHADER_READ_ONLY_OPTIMAL)];
        let write = vk::WriteDescriptorSet::default()
            .dst_set(self.set)
            .descriptor_type(vk::DescriptorType::SAMPLED_IMAGE)
            .image_info(&images);
        // SAFETY: set and view were just made, and no batch uses them yet.
        unsafe { handle.update_descriptor_sets(&[write], &[]) };
        Ok(())
    }

    /// Records the copies of changed regions. Frames before this one may still read the atlas, those after it will: the barriers
    /// see to both, as all of them are on one queue.
    ///
    /// # Safety
    /// The command buffer is being recorded, and no earlier upload is pending.
    pub(super) unsafe fn record_upload(
        &self,
        handle: &ash::Device,
        commands: vk::CommandBuffer,
        atlas: &Atlas,
        regions: &[Region],
    ) {
        let copies: Vec<_> = regions.iter().map(|region| self.stage(atlas, *region)).collect();
        let read = vk::ImageLayout::SHADER_READ_ONLY_OPTIMAL;
        let write = vk::ImageLayout::TRANSFER_DST_OPTIMAL;
        let before = if self.written { read } else { vk::ImageLayout::UNDEFINED };
        let barrier = vk::ImageMemoryBarrier::default()
            .image(self.image)
            .subresource_range(RANGE)
            .src_queue_family_index(vk::QUEUE_FAMILY_IGNORED)
            .dst_queue_family_index(vk::QUEUE_FAMILY_IGNORED);
        let to_write = barrier
            .old_layout(before)
            .new_layout(write)
            .src_access_mask(vk::AccessFlags::SHADER_READ)
            .dst_access_mask(vk::AccessFlags::TRANSFER_WRITE);
        let to_read = barrier
            .old_layout(write)
            .new_layout(read)
            .src_access_mask(vk::AccessFlags::TRANSFER_WRITE)
            .dst_access_mask(vk::AccessFlags::SHADER_READ);
        let (shader, transfer) =
            (vk::PipelineStageFlags::FRAGMENT_SHADER, vk::PipelineStageFlags::TRANSFER);
        let none = vk::DependencyFlags::empty();
        // SAFETY: the command buffer is being recorded, as the caller promises; image and buffer live as long as the
        // device; each copy is inside both.
        unsafe {
            handle.cmd_pipeline_barrier(commands, shader, transfer, none, &[], &[], &[to_write]);
            let staging = self.staging.handle;
            handle.cmd_copy_buffer_to_image(commands, staging, self.image, write, &copies);
            handle.cmd_pipeline_barrier(commands, transfer, shader, none, &[], &[], &[to_read]);
        }
    }

    /// Copies a region into the staging memory, and says how it gets from there into the image.
    fn stage(&self, atlas: &Atlas, region: Region) -> vk::BufferImageCopy {
        let Region { x, y, width, height } = region;
        let side = usize::from(atlas.side());
        let first = usize::from(y) * side + usize::from(x);
        for (row, pixels) in atlas.rows(region).enumerate() {
            // SAFETY: no upload is pending, so the device does not read the staging memory.
            unsafe { self.staging.write(first + row * side, pixels) };
        }
        vk::BufferImageCopy::default()
            .buffer_offset(first as u64)
            .buffer_row_length(atlas.side().into())
            .image_subresource(vk::ImageSubresourceLayers {
                aspect_mask: vk::ImageAspectFlags::COLOR,
                mip_level: 0,
                base_array_layer: 0,
                layer_count: 1,
            })
            .image_offset(vk::Offset3D { x: x.into(), y: y.into(), z: 0 })
            .image_extent(vk::Extent3D { width: width.into(), height: height.into(), depth: 1 })
    }

    /// # Safety
    /// The device is done with it.
    pub(super) unsafe fn destroy(self, device: &ash::Device) {
        // SAFETY: as promised by the caller; null handles are ignored.
        unsafe {
            device.destroy_descriptor_pool(self.pool, None);
            device.destroy_image_view(self.view, None);
            device.destroy_image(self.image, None);
            device.free_memory(self.memory, None);
            self.staging.destroy(device);
        }
    }
}
