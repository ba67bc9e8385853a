//! Healthy: for eight seconds there is no Vulkan call at all; "render" waits on a condition variable, as behind a pause menu.
use std::sync::{Condvar, Mutex, PoisonError};

use crate::Outcome;
use crate::gpu::Gpu;
use crate::objects::lock;
use crate::threads::{sleep_ms, together};

pub(crate) fn run() -> Outcome {
    let gpu = Gpu::new()?;
    let (paused, resumed) = (Mutex::new(true), Condvar::new());
    let render = || {
        let fence = gpu.fence("frame done")?;
        gpu.frames(100, fence)?;
        let waited = resumed.wait_while(lock(&paused), |paused| *paused);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
        gpu.frames(100, fence)
    };
    let menu = || {
        sleep_ms(8_000);
        *lock(&paused) = false;
        resumed.notify_all();
        Ok(())
    };
    together(&[("render", &render), ("menu", &menu)])
}
