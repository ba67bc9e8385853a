//! What does a bounded wait for what is there already cost more than the raw call?

use std::hint::black_box;

use ash::vk;
use unwedge_wait::{Bound, Need, Point, Waited, wait_fences, wait_semaphores};

use super::compared::{Compared, Kind};
use super::gpu::{Gpu, told};
use super::pairs::{Pairs, batch};

/// Calls of a batch. It takes less than a tenth of a millisecond, so that what disturbs one seldom disturbs many.
const CALLS: u32 = 500;
/// Batches of each way.
const ROUNDS: usize = 501;
/// As long as a program waits that expects its GPU to answer.
const BOUND: Bound = Bound::from_secs(2);

/// Every comparison, in this process.
pub(crate) fn once() -> Result<Vec<Compared>, String> {
    let gpu = Gpu::first()?;
    Ok([fences(&gpu)?, semaphores(&gpu)?].concat())
}

/// Each against the raw call that waits as long, and against the one that only looks, which is cheaper in some drivers.
fn fences(gpu: &Gpu) -> Result<Vec<Compared>, String> {
    let create = vk::FenceCreateInfo::default().flags(vk::FenceCreateFlags::SIGNALED);
    // SAFETY: the device is alive, and outlives the fence.
    let fence = unsafe { gpu.device.create_fence(&create, None) }.map_err(told)?;
    let fences = [fence];
    let raw = |bound: Bound| {
        let fences = &fences;
        move || {
            // SAFETY: a fence of this device, which is alive.
            let waited = unsafe {
                black_box(&gpu.device).wait_for_fences(
                    black_box(fences),
                    black_box(true),
                    black_box(bound.as_nanos()),
                )
            };
            waited.is_ok()
        }
    };
    let ours = || {
        let (device, fences) = (black_box(&gpu.device), black_box(&fences));
        // SAFETY: a fence of this device, which is alive.
        let waited = unsafe { wait_fences(device, fences, black_box(Need::All), black_box(BOUND)) };
        matches!(waited, Ok(Waited::Reached))
    };
    let mut compared = Vec::new();
    for (told, bound) in [("of 2 s", BOUND), ("that only looks", Bound::ZERO)] {
        let pairs = Pairs::measure(ROUNDS, || batch(CALLS, raw(bound)), || batch(CALLS, ours));
        let what = format!("signalled fence, raw call {told}, {}", gpu.name);
        compared.push(pairs.map(|pairs| Compared::of(Kind::Call, what, &pairs)));
    }
    // SAFETY: nothing was submitted with it.
    unsafe { gpu.device.destroy_fence(fence, None) };
    compared.into_iter().collect()
}

/// As for fences; both ways say anew in each call what is waited for.
fn semaphores(gpu: &Gpu) -> Result<Vec<Compared>, String> {
    const VALUE: u64 = 7;
    let mut timeline = vk::SemaphoreTypeCreateInfo::default()
        .semaphore_type(vk::SemaphoreType::TIMELINE)
        .initial_value(VALUE);
    let create = vk::SemaphoreCreateInfo::default().push_next(&mut timeline);
    // SAFETY: the device is alive, has timeline semaphores, and outlives this one.
    let semaphore = unsafe { gpu.device.create_semaphore(&create, None) }.map_err(told)?;
    let raw = |bound: Bound| {
        move || {
            let (semaphores, values) = (black_box([semaphore]), black_box([VALUE]));
            let wait = vk::SemaphoreWaitInfo::default().semaphores(&semaphores).values(&values);
            let device = black_box(&gpu.device);
            // SAFETY: a semaphore of this device, which is alive.
            unsafe { device.wait_semaphores(&wait, black_box(bound.as_nanos())) }.is_ok()
        }
    };
    let ours = || {
        let (device, points) =
            (black_box(&gpu.device), black_box([Point { semaphore, value: VALUE }]));
        // SAFETY: a semaphore of this device, which is alive.
        let waited =
            unsafe { wait_semaphores(device, &points, black_box(Need::All), black_box(BOUND)) };
        matches!(waited, Ok(Waited::Reached))
    };
    let mut compared = Vec::new();
    for (told, bound) in [("of 2 s", BOUND), ("that only looks", Bound::ZERO)] {
        let pairs = Pairs::measure(ROUNDS, || batch(CALLS, raw(bound)), || batch(CALLS, ours));
        let what = format!("reached timeline semaphore, raw call {told}, {}", gpu.name);
        compared.push(pairs.map(|pairs| Compared::of(Kind::Call, what, &pairs)));
    }
    // SAFETY: nothing was submitted with it.
    unsafe { gpu.device.destroy_semaphore(semaphore, None) };
    compared.into_iter().collect()
}
