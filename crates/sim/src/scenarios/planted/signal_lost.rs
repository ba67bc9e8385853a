//! Which signal is given and never shows? A fence's, a semaphore's, and that of a call that waits for the queue itself.

use unwedge_trace::{AgentState, ObjectKind};

use super::gpu::{Gpu, frame};
use super::stage::{Stage, wait};
use crate::world::Discipline;

const IDLE: &str = "GPU utilisation 0 %";

pub(super) fn plant(stage: &mut Stage, shape: u64) {
    stage.guest = false;
    match shape {
        1 => fence(stage),
        2 => semaphore(stage),
        _ => call(stage),
    }
}

/// The queue passes the batch, and the fence does not show it.
fn fence(stage: &mut Stage) {
    let (gpu, fence, rounds) = (Gpu::new(stage), stage.object(ObjectKind::Fence), stage.rounds());
    stage.blame("UW004", true, &[fence]);
    gpu.serves(stage, rounds, &[fence], |p| {
        gpu.takes(p);
        gpu.passes(p, &[]);
        gpu.is_seen(p, AgentState::Blocked, IDLE);
    });
    let agent = stage.victim(
        rounds,
        |p| frame(p, &gpu, fence),
        |p| {
            gpu.submit(p, &[fence]);
            wait(p, "vkWaitForFences", fence);
        },
    );
    stage.waits(agent, &[fence]);
}

/// A queue passes the batch that signals a semaphore, and the other queue waits on.
fn semaphore(stage: &mut Stage) {
    let (first, second) = (Gpu::new(stage), Gpu::new(stage));
    let (semaphore, fence) =
        (stage.object(ObjectKind::BinarySemaphore), stage.object(ObjectKind::Fence));
    let rounds = stage.rounds();
    stage.blame("UW004", true, &[semaphore]);
    first.serves(stage, rounds, &[semaphore], |p| {
        first.takes(p);
        first.passes(p, &[]);
    });
    stage.world.program(second.queue, |p| {
        let top = p.mark_here();
        second.takes(p);
        p.wait("batch", &[semaphore.into()]);
        second.passes(p, &[fence]);
        p.go(top);
    });
    stage.waits(second.queue, &[semaphore]);
    let agent = stage.victim(
        rounds,
        |p| {
            first.submit(p, &[semaphore]);
            frame(p, &second, fence);
        },
        |p| {
            first.submit(p, &[semaphore]);
            second.submit(p, &[fence]);
            wait(p, "vkWaitForFences", fence);
        },
    );
    stage.waits(agent, &[fence]);
}

/// The queue has passed everything before the call asks, and the call does not return.
fn call(stage: &mut Stage) {
    // As a condition: who asks after the signal does not see it any more.
    let batches = stage.object_with(ObjectKind::Queue, Discipline::Pulse, 0);
    let (other, fence, rounds) = (Gpu::new(stage), stage.object(ObjectKind::Fence), stage.rounds());
    let gpu = Gpu::with(stage, batches);
    stage.blame("UW004", true, &[batches]);
    other.serves_for_ever(stage, &[fence]);
    gpu.serves(stage, 0, &[], |p| {
        gpu.takes(p);
        gpu.passes(p, &[]);
        gpu.is_seen(p, AgentState::Blocked, IDLE);
    });
    let agent = stage.victim(
        rounds,
        |p| frame(p, &other, fence),
        |p| {
            gpu.submit(p, &[]);
            p.sleep(30_000_000, 60_000_000);
            wait(p, "vkQueueWaitIdle", batches);
        },
    );
    stage.waits(agent, &[batches]);
}
