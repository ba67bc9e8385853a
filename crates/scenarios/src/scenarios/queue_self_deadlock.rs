//! One queue: an earlier batch waits for a value that a later batch of the same queue would signal, but batches begin in order.
use ash::vk;

use crate::Outcome;
use crate::gpu::Gpu;
use crate::objects::Batch;

pub(crate) fn run() -> Outcome {
    let gpu = Gpu::new()?;
    let fence = gpu.fence("frame done")?;
    gpu.frames(5, fence)?;
    plant(&gpu, fence)?;
    gpu.wait(fence)
}

/// Makes queue 0 wait for itself.
pub(crate) fn plant(gpu: &Gpu, fence: vk::Fence) -> Outcome {
    let copied = gpu.timeline("copied", 0)?;
    gpu.submit(0, &Batch { waits: &[(copied, 1)], ..Batch::default() }, fence)?;
    Ok(gpu.submit(0, &Batch { signals: &[(copied, 1)], ..Batch::default() }, vk::Fence::null())?)
}
