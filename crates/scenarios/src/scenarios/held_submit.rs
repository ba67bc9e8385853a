//! A healthy loop of submits with a little work; hangs only when the injected fault keeps one submit from executing.
use std::time::Duration;

use crate::Outcome;
use crate::compute::Kernel;
use crate::gpu::Gpu;
use crate::objects::Batch;
use crate::shader;

const FRAMES: u32 = 60;

pub(crate) fn run() -> Outcome {
    let gpu = Gpu::new()?;
    let kernel = Kernel::new(&gpu, &shader::counting_loop()?)?;
    let work = kernel.work(Duration::from_millis(2))?;
    let fence = gpu.fence("frame done")?;
    for _ in 0..FRAMES {
        gpu.submit(0, &Batch { commands: &[work], ..Batch::default() }, fence)?;
        gpu.wait(fence)?;
        gpu.reset(fence)?;
    }
    Ok(())
}
