//! A fence is made and waited for; no submit carries it. Typical cause: an early return between making it and submitting.
use crate::Outcome;
use crate::gpu::Gpu;

pub(crate) fn run() -> Outcome {
    let gpu = Gpu::new()?;
    let frames = gpu.fence("frame done")?;
    gpu.frames(5, frames)?;
    gpu.wait(gpu.fence("upload done")?)
}
