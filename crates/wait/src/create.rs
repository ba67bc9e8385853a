//! How are the few Vulkan objects made that this crate owns?

use ash::vk;

use crate::Error;

/// An unsignalled fence.
///
/// # Safety
/// The device lives.
pub(crate) unsafe fn fence(device: &ash::Device) -> Result<vk::Fence, Error> {
    // SAFETY: as promised by the caller.
    unsafe { device.create_fence(&vk::FenceCreateInfo::default(), None) }
        .map_err(|result| Error::of("vkCreateFence", result))
}

/// A binary semaphore.
///
/// # Safety
/// The device lives.
pub(crate) unsafe fn semaphore(device: &ash::Device) -> Result<vk::Semaphore, Error> {
    // SAFETY: as promised by the caller.
    unsafe { device.create_semaphore(&vk::SemaphoreCreateInfo::default(), None) }
        .map_err(|result| Error::of("vkCreateSemaphore", result))
}

/// A pool for command buffers of this family's queues.
///
/// # Safety
/// The device lives and has queues of the family.
pub(crate) unsafe fn command_pool(
    device: &ash::Device,
    queue_family: u32,
    flags: vk::CommandPoolCreateFlags,
) -> Result<vk::CommandPool, Error> {
    let info = vk::CommandPoolCreateInfo::default().flags(flags).queue_family_index(queue_family);
    // SAFETY: as promised by the caller.
    unsafe { device.create_command_pool(&info, None) }
        .map_err(|result| Error::of("vkCreateCommandPool", result))
}

/// So many primary command buffers.
///
/// # Safety
/// The device lives and the pool is one of its.
pub(crate) unsafe fn command_buffers<const COUNT: usize>(
    device: &ash::Device,
    pool: vk::CommandPool,
) -> Result<[vk::CommandBuffer; COUNT], Error> {
    let mut buffers = [vk::CommandBuffer::null(); COUNT];
    let info = vk::CommandBufferAllocateInfo::default()
        .command_pool(pool)
        .level(vk::CommandBufferLevel::PRIMARY)
        // One or two.
        .command_buffer_count(COUNT as u32);
    // Not through ash's own way, which returns a vector.
    let allocate = device.fp_v1_0().allocate_command_buffers;
    // SAFETY: as promised by the caller, and there is room for as many as are asked for.
    unsafe { allocate(device.handle(), &info, buffers.as_mut_ptr()) }
        .result()
        .map_err(|result| Error::of("vkAllocateCommandBuffers", result))?;
    Ok(buffers)
}
