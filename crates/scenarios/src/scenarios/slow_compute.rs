//! Healthy: twenty submits of about 0.4 s each are queued at once, and the host waits eight seconds for the last.
use std::time::Duration;

use ash::vk;

use crate::Outcome;
use crate::compute::Kernel;
use crate::gpu::Gpu;
use crate::objects::Batch;
use crate::shader;

const SUBMITS: u32 = 20;

pub(crate) fn run() -> Outcome {
    let gpu = Gpu::new()?;
    let kernel = Kernel::new(&gpu, &shader::counting_loop()?)?;
    let work = kernel.work(Duration::from_millis(400))?;
    let batch = Batch { commands: &[work], ..Batch::default() };
    for _ in 1..SUBMITS {
        gpu.submit(0, &batch, vk::Fence::null())?;
    }
    let fence = gpu.fence("last frame done")?;
    gpu.submit(0, &batch, fence)?;
    gpu.wait(fence)
}
