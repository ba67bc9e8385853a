//! Healthy: polls `vkGetFenceStatus` of real work, which always ends.
use std::time::Duration;

use crate::Outcome;
use crate::compute::Kernel;
use crate::gpu::Gpu;
use crate::objects::Batch;
use crate::shader;
use crate::threads::sleep_ms;

pub(crate) fn run() -> Outcome {
    let gpu = Gpu::new()?;
    let kernel = Kernel::new(&gpu, &shader::counting_loop()?)?;
    let work = kernel.work(Duration::from_millis(100))?;
    let fence = gpu.fence("frame done")?;
    for _ in 0..50 {
        gpu.submit(0, &Batch { commands: &[work], ..Batch::default() }, fence)?;
        while !unsafe { gpu.device.get_fence_status(fence) }? {
            sleep_ms(1);
        }
        gpu.reset(fence)?;
    }
    Ok(())
}
