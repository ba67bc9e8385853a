//! The host waits for a value of a timeline semaphore that nobody signals, though its earlier values came.
use crate::Outcome;
use crate::gpu::Gpu;
use crate::objects::Batch;

pub(crate) fn run() -> Outcome {
    let gpu = Gpu::new()?;
    let timeline = gpu.timeline("frames", 0)?;
    for value in 1..=5 {
        gpu.submit(
            0,
            &Batch { signals: &[(timeline, value)], ..Batch::default() },
            ash::vk::Fence::null(),
        )?;
        gpu.wait_value((timeline, value))?;
    }
    gpu.wait_value((timeline, 6))
}
