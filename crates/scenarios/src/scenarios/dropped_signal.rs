//! Healthy loops, one for each kind of object; each hangs only when the injected fault drops one of its signals.
use ash::vk;

use crate::Outcome;
use crate::gpu::Gpu;
use crate::objects::Batch;

const FRAMES: u32 = 60;

pub(crate) fn fence() -> Outcome {
    let gpu = Gpu::new()?;
    gpu.frames(FRAMES, gpu.fence("frame done")?)
}

pub(crate) fn timeline() -> Outcome {
    let gpu = Gpu::new()?;
    let frames = gpu.timeline("frames", 0)?;
    for value in 1..=u64::from(FRAMES) {
        gpu.submit(
            0,
            &Batch { signals: &[(frames, value)], ..Batch::default() },
            vk::Fence::null(),
        )?;
        gpu.wait_value((frames, value))?;
    }
    Ok(())
}

/// One submit hands over to the next through a binary semaphore. Where its signal is lost, Mesa waits in the second
/// `vkQueueSubmit`, other drivers in the wait for the fence.
pub(crate) fn binary() -> Outcome {
    let gpu = Gpu::new()?;
    let (copied, fence) = (gpu.binary("copied")?, gpu.fence("frame done")?);
    for _ in 0..FRAMES {
        gpu.submit(0, &Batch { signals: &[(copied, 0)], ..Batch::default() }, vk::Fence::null())?;
        gpu.submit(0, &Batch { waits: &[(copied, 0)], ..Batch::default() }, fence)?;
        gpu.wait(fence)?;
        gpu.reset(fence)?;
    }
    Ok(())
}
