//! What is drawn in each frame? One colour: little work for a device, and a barrier before and after as in every frame.

use ash::vk;

const COLOUR: vk::ImageSubresourceRange = vk::ImageSubresourceRange {
    aspect_mask: vk::ImageAspectFlags::COLOR,
    base_mip_level: 0,
    level_count: 1,
    base_array_layer: 0,
    layer_count: 1,
};

/// Clears the image and leaves it in the layout of a present.
///
/// # Safety
/// The command buffer is being recorded, and the image is one of the device's that can be copied to.
pub(super) unsafe fn draw(device: &ash::Device, commands: vk::CommandBuffer, image: vk::Image) {
    let clear = vk::ClearColorValue { float32: [0.1, 0.2, 0.3, 1.0] };
    let to_clear = (vk::ImageLayout::UNDEFINED, vk::ImageLayout::TRANSFER_DST_OPTIMAL);
    let to_present = (vk::ImageLayout::TRANSFER_DST_OPTIMAL, vk::ImageLayout::PRESENT_SRC_KHR);
    let transfer = vk::PipelineStageFlags::TRANSFER;
    let written = vk::AccessFlags::TRANSFER_WRITE;
    let none = vk::AccessFlags::empty();
    // SAFETY: as promised by the caller.
    unsafe {
        change(device, commands, image, to_clear, (transfer, none), (transfer, written));
        device.cmd_clear_color_image(commands, image, to_clear.1, &clear, &[COLOUR]);
        let end = vk::PipelineStageFlags::BOTTOM_OF_PIPE;
        change(device, commands, image, to_present, (transfer, written), (end, none));
    }
}

/// # Safety
/// As for [`draw`].
unsafe fn change(
    device: &ash::Device,
    commands: vk::CommandBuffer,
    image: vk::Image,
    layouts: (vk::ImageLayout, vk::ImageLayout),
    before: (vk::PipelineStageFlags, vk::AccessFlags),
    after: (vk::PipelineStageFlags, vk::AccessFlags),
) {
    let barrier = vk::ImageMemoryBarrier::default()
        .old_layout(layouts.0)
        .new_layout(layouts.1)
        .src_access_mask(before.1)
        .dst_access_mask(after.1)
        .src_queue_family_index(vk::QUEUE_FAMILY_IGNORED)
        .dst_queue_family_index(vk::QUEUE_FAMILY_IGNORED)
        .image(image)
        .subresource_range(COLOUR);
    let none = vk::DependencyFlags::empty();
    // SAFETY: as promised by the caller.
    unsafe {
        device.cmd_pipeline_barrier(commands, before.0, after.0, none, &[], &[], &[barrier]);
    }
}
