//! The wait is a loop of waits of 100 ms each, for ever; the fence is never submitted.
use ash::vk;

use crate::Outcome;
use crate::gpu::Gpu;

const TIMEOUT_NS: u64 = 100_000_000;

pub(crate) fn run() -> Outcome {
    let gpu = Gpu::new()?;
    gpu.frames(5, gpu.fence("frame done")?)?;
    let fence = gpu.fence("upload done")?;
    while unsafe { gpu.device.wait_for_fences(&[fence], true, TIMEOUT_NS) }
        == Err(vk::Result::TIMEOUT)
    {}
    Ok(())
}
