//! A compute shader that loops until a word of a shared buffer is no longer nought, which it stays.
//!
//! llvmpipe ends any shader's loops after 65,535 turns, so there are so many workgroups that it takes days there too.
use crate::Outcome;
use crate::compute::Kernel;
use crate::gpu::Gpu;
use crate::objects::Batch;
use crate::shader;

const GROUPS: [u32; 3] = [65_535, 4_096, 1];

pub(crate) fn run() -> Outcome {
    let gpu = Gpu::new()?;
    let fence = gpu.fence("simulation done")?;
    gpu.frames(5, fence)?;
    let kernel = Kernel::new(&gpu, &shader::counting_loop()?)?;
    kernel.write(shader::LIMIT, 1);
    kernel.write(shader::STEP, 0);
    let commands = kernel.record("simulation", GROUPS)?;
    gpu.submit(0, &Batch { commands: &[commands], ..Batch::default() }, fence)?;
    gpu.wait(fence)
}
