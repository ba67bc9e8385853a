//! `vkQueueWaitIdle` and `vkDeviceWaitIdle` behind each of the three ways in which a queue never becomes idle.
use ash::vk;

use super::{gpu_wait_timeline, queue_self_deadlock, two_queues_deadlock};
use crate::Outcome;
use crate::gpu::{Gpu, Wish};

pub(crate) fn queue_gpu_wait() -> Outcome {
    let gpu = Gpu::new()?;
    gpu_wait_timeline::plant(&gpu, vk::Fence::null())?;
    gpu.queue_wait_idle(0)
}

pub(crate) fn queue_two_queues() -> Outcome {
    let gpu = two_queues()?;
    two_queues_deadlock::plant(&gpu, vk::Fence::null())?;
    gpu.queue_wait_idle(0)
}

pub(crate) fn queue_self() -> Outcome {
    let gpu = Gpu::new()?;
    queue_self_deadlock::plant(&gpu, vk::Fence::null())?;
    gpu.queue_wait_idle(0)
}

pub(crate) fn device_gpu_wait() -> Outcome {
    let gpu = Gpu::new()?;
    gpu_wait_timeline::plant(&gpu, vk::Fence::null())?;
    gpu.device_wait_idle()
}

pub(crate) fn device_two_queues() -> Outcome {
    let gpu = two_queues()?;
    two_queues_deadlock::plant(&gpu, vk::Fence::null())?;
    gpu.device_wait_idle()
}

pub(crate) fn device_self() -> Outcome {
    let gpu = Gpu::new()?;
    queue_self_deadlock::plant(&gpu, vk::Fence::null())?;
    gpu.device_wait_idle()
}

fn two_queues() -> Result<Gpu, crate::Stop> {
    const WISH: &Wish = &two_queues_deadlock::WISH;
    Gpu::with(WISH)
}
