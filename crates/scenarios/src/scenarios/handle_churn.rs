//! Healthy: a hundred thousand fences and as many semaphores, each destroyed right after it was made.
//!
//! Ends after five seconds where a handle costs a call into the kernel (NVIDIA: 0.2 ms each).
use std::time::{Duration, Instant};

use ash::vk;

use crate::Outcome;
use crate::gpu::Gpu;

const LONGEST: Duration = Duration::from_secs(5);

pub(crate) fn run() -> Outcome {
    let gpu = Gpu::new()?;
    let device = &gpu.device;
    let begin = Instant::now();
    for _ in 0..100_000 {
        unsafe {
            device.destroy_fence(device.create_fence(&vk::FenceCreateInfo::default(), None)?, None);
            device.destroy_semaphore(
                device.create_semaphore(&vk::SemaphoreCreateInfo::default(), None)?,
                None,
            );
        }
        if begin.elapsed() > LONGEST {
            break;
        }
    }
    gpu.frames(1, gpu.fence("frame done")?)
}
