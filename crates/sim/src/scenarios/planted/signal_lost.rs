//! Which signal is given and never shows? A fence's, a semaphore's, and that of a call that waits for the queue itself.

use unwedge_trace::{AgentState, ObjectKind};

use super::gpu::{Gpu, Relay, frame, last_frame};
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
    last_frame(stage, &gpu, fence, rounds);
}

/// A queue passes the batch that signals a semaphore, and the other queue waits on.
fn semaphore(stage: &mut Stage) {
    let relay = Relay::new(stage);
    let first = relay.first;
    stage.blame("UW004", true, &[relay.semaphore]);
    first.serves(stage, relay.rounds, &[relay.semaphore], |p| {
        first.takes(p);
        first.passes(p, &[]);
    });
    relay.ends(stage, |p| first.submit(p, &[relay.semaphore]));
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
