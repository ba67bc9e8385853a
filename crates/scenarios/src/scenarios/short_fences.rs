//! Healthy: fifty thousand submits, each with its wait and its reset.
use crate::Outcome;
use crate::gpu::Gpu;

pub(crate) fn run() -> Outcome {
    let gpu = Gpu::new()?;
    gpu.frames(50_000, gpu.fence("frame done")?)
}
