//! A frame loop that retries a wait for its fence until it succeeds, and so for ever once the device is lost. Needs the
//! injected loss.
use ash::vk;

use crate::Outcome;
use crate::gpu::Gpu;
use crate::objects::Batch;

const TIMEOUT_NS: u64 = 1_000_000_000;

pub(crate) fn run() -> Outcome {
    let gpu = Gpu::new()?;
    let fence = gpu.fence("frame done")?;
    for _ in 0..60 {
        let _ = gpu.submit(0, &Batch::default(), fence);
        // The mistake: anything but success is taken for "not yet".
        while unsafe { gpu.device.wait_for_fences(&[fence], true, TIMEOUT_NS) }
            != Ok::<(), vk::Result>(())
        {}
        gpu.reset(fence)?;
    }
    Ok(())
}
