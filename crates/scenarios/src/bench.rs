//! What one call costs, with and without the layer: run it both ways and compare.
//!
//! Prints one line of JSON with the median over several batches, in nanoseconds a call.
use std::time::Instant;

use ash::vk;

use crate::gpu::Gpu;
use crate::{Outcome, Stop};

/// Measured batches; an odd number, so that the median is one of them.
const BATCHES: usize = 11;

/// `vkGetFenceStatus` on a fence that is not signalled and on one that is: `calls` a batch.
pub(crate) fn status(calls: &str) -> Outcome {
    let calls = parse(calls)?;
    let gpu = Gpu::new()?;
    let unsignalled = gpu.fence("unsignalled")?;
    let signalled = gpu.fence_with("signalled", vk::FenceCreateFlags::SIGNALED)?;
    let poll = |fence| {
        move |gpu: &Gpu| {
            unsafe { gpu.device.get_fence_status(fence) }.map(|_| ()).map_err(Stop::from)
        }
    };
    let unsignalled_ns = median_ns(&gpu, calls, poll(unsignalled))?;
    let signalled_ns = median_ns(&gpu, calls, poll(signalled))?;
    let sizes = format!(r#""calls":{calls},"batches":{BATCHES}"#);
    println!(
        r#"{{"bench":"status",{sizes},"unsignalled_ns":{unsignalled_ns:.1},"signalled_ns":{signalled_ns:.1}}}"#
    );
    Ok(())
}

/// An empty submit, the wait for its fence and the fence's reset: `rounds` a batch.
pub(crate) fn submit(rounds: &str) -> Outcome {
    let rounds = parse(rounds)?;
    let gpu = Gpu::new()?;
    let fence = gpu.fence("frame done")?;
    let round_ns = median_ns(&gpu, rounds, |gpu: &Gpu| gpu.frames(1, fence))?;
    println!(
        r#"{{"bench":"submit","rounds":{rounds},"batches":{BATCHES},"round_ns":{round_ns:.1}}}"#
    );
    Ok(())
}

fn parse(count: &str) -> Result<u32, Stop> {
    let parsed = count.parse().ok().filter(|count| *count > 0);
    parsed.ok_or_else(|| Stop::failed(format!("not a positive number: {count}")))
}

/// The median over the batches of the time of one call, after a batch of warm-up.
fn median_ns(gpu: &Gpu, calls: u32, call: impl Fn(&Gpu) -> Outcome) -> Result<f64, Stop> {
    let batch = || -> Result<f64, Stop> {
        let begin = Instant::now();
        for _ in 0..calls {
            call(gpu)?;
        }
        Ok(begin.elapsed().as_nanos() as f64 / f64::from(calls))
    };
    batch()?;
    let mut batches = (0..BATCHES).map(|_| batch()).collect::<Result<Vec<f64>, Stop>>()?;
    batches.sort_by(f64::total_cmp);
    Ok(batches[BATCHES / 2])
}
