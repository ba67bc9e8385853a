//! Which queue is still at it? One whose engine works, one of which nobody knows, one that leaves no breadcrumbs.

use unwedge_trace::{AgentState, MarkKind, ObjectKind};

use super::gpu::{Gpu, frame, last_frame};
use super::stage::{Stage, wait};

pub(super) fn plant(stage: &mut Stage, shape: u64) {
    match shape {
        1 => long(stage, "UW005", false, Some((AgentState::Running, "GPU utilisation 100 %"))),
        2 => long(stage, "UW005", false, None),
        _ => without_breadcrumbs(stage),
    }
}

/// A batch begins and does not end; this is what can be seen of the engine.
pub(super) fn long(
    stage: &mut Stage,
    code: &'static str,
    conclusive: bool,
    seen: Option<(AgentState, &str)>,
) {
    stage.guest = false;
    let (gpu, fence, rounds) = (Gpu::new(stage), stage.object(ObjectKind::Fence), stage.rounds());
    stage.blame(code, conclusive, &[fence]);
    gpu.serves(stage, rounds, &[fence], |p| {
        gpu.takes(p);
        if let Some((state, detail)) = seen {
            gpu.is_seen(p, state, detail);
        }
    });
    last_frame(stage, &gpu, fence, rounds);
}

/// The engine works, and nothing tells which batches it has passed.
fn without_breadcrumbs(stage: &mut Stage) {
    stage.guest = false;
    let (gpu, fence, rounds) = (Gpu::new(stage), stage.object(ObjectKind::Fence), stage.rounds());
    let told = stage.world.variable(0);
    stage.blame("UW005", false, &[fence]);
    let (time, count) = (stage.ms(2, 8), stage.count(rounds));
    stage.world.program(gpu.queue, |p| {
        count.of(p, |p| {
            gpu.takes(p);
            p.compute(time / 2, time);
            p.signal(fence);
        });
        gpu.takes(p);
        gpu.is_seen(p, AgentState::Running, "GPU utilisation 97 %");
    });
    stage.takes_part(gpu.queue);
    let agent = stage.victim(
        rounds,
        |p| {
            let again = p.label();
            p.go_if(crate::world::test(told, crate::world::Comparison::Is, 1), again);
            p.set(told, 1);
            p.mark(MarkKind::Unobserved, "this queue leaves no breadcrumbs", &[gpu.batches]);
            p.here(again);
            frame(p, &gpu, fence);
        },
        |p| {
            gpu.submit(p, &[fence]);
            wait(p, "vkWaitForFences", fence);
        },
    );
    stage.waits(agent, &[fence]);
}
