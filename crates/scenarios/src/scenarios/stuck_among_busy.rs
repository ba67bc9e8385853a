//! One thread waits for a fence that is never submitted, while three others submit and wait happily for ever.
use crate::Outcome;
use crate::gpu::Gpu;
use crate::threads::{sleep_ms, together};

pub(crate) fn run() -> Outcome {
    let gpu = Gpu::new()?;
    let never = gpu.fence("upload done")?;
    let stuck = || {
        gpu.frames(5, gpu.fence("first frames")?)?;
        gpu.wait(never)
    };
    let busy = || {
        let fence = gpu.fence("frame done")?;
        loop {
            gpu.frames(1, fence)?;
            sleep_ms(1);
        }
    };
    together(&[("stuck", &stuck), ("busy-0", &busy), ("busy-1", &busy), ("busy-2", &busy)])
}
