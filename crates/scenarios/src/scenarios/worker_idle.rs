//! Healthy: a worker sits in `vkWaitSemaphores` without a timeout until the main thread has another job for it.
use crate::Outcome;
use crate::gpu::Gpu;
use crate::threads::{sleep_ms, together};

const JOBS: u64 = 5;

pub(crate) fn run() -> Outcome {
    let gpu = Gpu::new()?;
    let jobs = gpu.timeline("jobs", 0)?;
    let worker = || (1..=JOBS).try_for_each(|job| gpu.wait_value((jobs, job)));
    let boss = || {
        for job in 1..JOBS {
            sleep_ms(20);
            gpu.signal_value((jobs, job))?;
        }
        sleep_ms(8_000);
        gpu.signal_value((jobs, JOBS))
    };
    together(&[("worker", &worker), ("boss", &boss)])
}
