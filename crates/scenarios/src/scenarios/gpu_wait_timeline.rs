//! A submit waits on the GPU for a timeline value that nobody signals; the host waits for the submit's fence.
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

/// Makes queue 0 wait for ever.
pub(crate) fn plant(gpu: &Gpu, fence: vk::Fence) -> Outcome {
    let upload = gpu.timeline("upload", 0)?;
    Ok(gpu.submit(0, &Batch { waits: &[(upload, 1)], ..Batch::default() }, fence)?)
}
