//! Two queues, each waiting for what the other signals only after its own wait.
use ash::vk;

use crate::Outcome;
use crate::gpu::{Gpu, Wish};
use crate::objects::Batch;

pub(crate) const WISH: Wish = Wish { extensions: &[], allocator: None, queues_min: 2 };

pub(crate) fn run() -> Outcome {
    let gpu = Gpu::with(&WISH)?;
    let fence = gpu.fence("frame done")?;
    gpu.frames(5, fence)?;
    plant(&gpu, fence)?;
    gpu.wait(fence)
}

/// Makes queues 0 and 1 wait for each other.
pub(crate) fn plant(gpu: &Gpu, fence: vk::Fence) -> Outcome {
    let (drawn, copied) = (gpu.timeline("drawn", 0)?, gpu.timeline("copied", 0)?);
    gpu.submit(
        0,
        &Batch { waits: &[(copied, 1)], signals: &[(drawn, 1)], ..Batch::default() },
        fence,
    )?;
    let second = Batch { waits: &[(drawn, 1)], signals: &[(copied, 1)], ..Batch::default() };
    Ok(gpu.submit(1, &second, vk::Fence::null())?)
}
