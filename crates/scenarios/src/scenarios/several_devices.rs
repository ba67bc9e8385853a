//! Healthy: two instances of two devices each, used in turn.
use ash::ext;

use crate::gpu::{Gpu, Instance, Wish};
use crate::{Outcome, Stop};

pub(crate) fn run() -> Outcome {
    let mut gpus = Vec::new();
    for _ in 0..2 {
        let instance = Instance::new(&[ext::debug_utils::NAME])?;
        gpus.push(Gpu::on(&instance, &Wish::default())?);
        gpus.push(Gpu::on(&instance, &Wish::default())?);
    }
    let fences =
        gpus.iter().map(|gpu| gpu.fence("frame done")).collect::<Result<Vec<_>, Stop>>()?;
    for _ in 0..100 {
        for (gpu, fence) in gpus.iter().zip(&fences) {
            gpu.frames(2, *fence)?;
        }
    }
    Ok(())
}
