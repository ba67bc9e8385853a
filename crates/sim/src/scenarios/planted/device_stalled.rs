//! Which engine does nothing though a batch is there?

use unwedge_trace::{AgentState, ObjectKind};

use super::device_busy::long;
use super::gpu::{Gpu, frame};
use super::stage::{Stage, wait};

const IDLE: &str = "GPU utilisation 0 %";

pub(super) fn plant(stage: &mut Stage, shape: u64) {
    match shape {
        1 => long(stage, "UW006", true, Some((AgentState::Blocked, IDLE))),
        _ => behind(stage),
    }
}

/// A batch of another queue waits for what the one that stands still owes.
fn behind(stage: &mut Stage) {
    stage.guest = false;
    let (first, second) = (Gpu::new(stage), Gpu::new(stage));
    let (semaphore, fence) =
        (stage.object(ObjectKind::BinarySemaphore), stage.object(ObjectKind::Fence));
    let rounds = stage.rounds();
    stage.blame("UW006", true, &[semaphore]);
    first.serves(stage, rounds, &[semaphore], |p| {
        first.takes(p);
        first.is_seen(p, AgentState::Blocked, IDLE);
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
