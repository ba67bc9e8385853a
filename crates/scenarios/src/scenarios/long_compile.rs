//! Healthy: a shader so large that `vkCreateComputePipelines` alone takes several seconds; its size is found by doubling.
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::compute;
use crate::gpu::Gpu;
use crate::shader;

const LONG_ENOUGH: Duration = Duration::from_secs(3);
const STEPS_MAX: u32 = 1 << 20;

pub(crate) fn run() -> Outcome {
    let gpu = Gpu::new()?;
    let mut steps = 1 << 12;
    loop {
        let spirv = shader::long_chain(steps)?;
        let begin = Instant::now();
        compute::compile(&gpu, &spirv)?;
        if begin.elapsed() >= LONG_ENOUGH || steps >= STEPS_MAX {
            return gpu.frames(1, gpu.fence("frame done")?);
        }
        steps *= 2;
    }
}
