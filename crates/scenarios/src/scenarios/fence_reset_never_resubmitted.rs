//! A fence worked, was reset, and is waited for again without a submit in between.
use crate::Outcome;
use crate::gpu::Gpu;

pub(crate) fn run() -> Outcome {
    let gpu = Gpu::new()?;
    let fence = gpu.fence("frame done")?;
    gpu.frames(5, fence)?;
    gpu.wait(fence)
}
