//! The wait is a loop of `vkGetFenceStatus` with short naps; the fence is never submitted.
use crate::Outcome;
use crate::gpu::Gpu;
use crate::threads::sleep_ms;

pub(crate) fn run() -> Outcome {
    let gpu = Gpu::new()?;
    gpu.frames(5, gpu.fence("frame done")?)?;
    let fence = gpu.fence("upload done")?;
    while !unsafe { gpu.device.get_fence_status(fence) }? {
        sleep_ms(1);
    }
    Ok(())
}
