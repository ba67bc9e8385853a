//! What is owed by somebody who is not observed? A shared counter, a shared fence, and what somebody outside says that it owes.

use unwedge_trace::{AgentKind, ObjectKind};

use super::gpu::{Gpu, frame};
use super::stage::{Stage, wait};
use crate::world::Discipline;

pub(super) fn plant(stage: &mut Stage, shape: u64) {
    stage.guest = false;
    let kind = match shape {
        1 => ObjectKind::TimelineSemaphore,
        2 => ObjectKind::Fence,
        _ => ObjectKind::BinarySemaphore,
    };
    let object = stage.object_with(kind, Discipline::Tokens(1), 0);
    stage.blame("UW015", false, &[object]);
    stage.world.shared(object);
    let (gpu, fence, rounds) = (Gpu::new(stage), stage.object(ObjectKind::Fence), stage.rounds());
    if shape == 3 {
        let outside = stage.device(AgentKind::Outside, "");
        let agent = behind_queue(stage, &gpu, (object, fence), |p| p.owe(outside, object));
        stage.waits(agent, &[fence]);
        stage.waits(gpu.queue, &[object]);
        return;
    }
    gpu.serves_for_ever(stage, &[fence]);
    let call = stage.call(kind);
    let agent = stage.victim(rounds, |p| frame(p, &gpu, fence), |p| wait(p, call, object));
    stage.waits(agent, &[object]);
}

/// A batch waits for what was imported.
fn behind_queue(
    stage: &mut Stage,
    gpu: &Gpu,
    (imported, fence): (crate::world::Object, crate::world::Object),
    imports: impl FnOnce(&mut crate::world::Program<'_>),
) -> crate::world::Agent {
    let rounds = stage.rounds();
    gpu.serves(stage, rounds, &[fence], |p| {
        gpu.takes(p);
        p.wait("batch", &[imported.into()]);
    });
    stage.victim(
        rounds,
        |p| frame(p, gpu, fence),
        |p| {
            imports(p);
            gpu.submit(p, &[fence]);
            wait(p, "vkWaitForFences", fence);
        },
    )
}
