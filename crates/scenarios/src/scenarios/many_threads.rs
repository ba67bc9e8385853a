//! Healthy: eight threads, each with its own instance and device.
use crate::Outcome;
use crate::gpu::Gpu;
use crate::threads::{Role, sleep_ms, together};

const NAMES: [&str; 8] = [
    "render-0", "render-1", "render-2", "render-3", "render-4", "render-5", "render-6", "render-7",
];

pub(crate) fn run() -> Outcome {
    let render = || {
        let gpu = Gpu::new()?;
        let fence = gpu.fence("frame done")?;
        (0..100).try_for_each(|_| {
            sleep_ms(5);
            gpu.frames(2, fence)
        })
    };
    together(&NAMES.map(|name| -> Role { (name, &render) }))
}
