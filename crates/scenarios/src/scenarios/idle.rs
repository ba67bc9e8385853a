//! Healthy: one frame, and then nothing to do for ten seconds.
use crate::Outcome;
use crate::gpu::Gpu;
use crate::threads::sleep_ms;

pub(crate) fn run() -> Outcome {
    let gpu = Gpu::new()?;
    gpu.frames(1, gpu.fence("frame done")?)?;
    sleep_ms(10_000);
    Ok(())
}
