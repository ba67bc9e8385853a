//! A driver without timeline semaphores, so without breadcrumbs, stalls on a submit: whether the device is busy or the signal
//! was lost cannot be told. The fake driver stalls; on any other this ends by itself.
use crate::Outcome;
use crate::gpu::Gpu;

pub(crate) fn run() -> Outcome {
    let gpu = Gpu::new()?;
    gpu.frames(10, gpu.fence("frame done")?)
}
