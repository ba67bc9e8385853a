//! What is waited for and never asked of anybody? A fence, a semaphore, a value, a query.

use unwedge_trace::ObjectKind;

use super::gpu::{Gpu, frame, last_frame};
use super::stage::{Stage, wait};
use crate::world::Discipline;

pub(super) fn plant(stage: &mut Stage, shape: u64) {
    stage.guest = false;
    match shape {
        1 => fresh(stage, ObjectKind::Fence),
        2 => semaphore(stage),
        3 => value(stage),
        _ => fresh(stage, ObjectKind::Query),
    }
    stage.shows_by_absence();
}

/// A fence that was made and given to no submit, or a query that nobody ends.
fn fresh(stage: &mut Stage, kind: ObjectKind) {
    let (gpu, fence, object) =
        (Gpu::new(stage), stage.object(ObjectKind::Fence), stage.object(kind));
    let (rounds, call) = (stage.rounds(), stage.call(kind));
    stage.blame("UW002", true, &[object]);
    gpu.serves_for_ever(stage, &[fence]);
    let agent = stage.victim(rounds, |p| frame(p, &gpu, fence), |p| wait(p, call, object));
    stage.waits(agent, &[object]);
}

/// A batch waits for a semaphore that no batch signals.
fn semaphore(stage: &mut Stage) {
    let (gpu, fence) = (Gpu::new(stage), stage.object(ObjectKind::Fence));
    let (semaphore, rounds) = (stage.object(ObjectKind::BinarySemaphore), stage.rounds());
    stage.blame("UW002", true, &[semaphore]);
    gpu.serves(stage, rounds, &[fence], |p| {
        gpu.takes(p);
        p.wait("batch", &[semaphore.into()]);
    });
    last_frame(stage, &gpu, fence, rounds);
    stage.waits(gpu.queue, &[semaphore]);
}

/// A value beyond the last one that was submitted. A thread could raise it too: only a quiet program can be accused.
fn value(stage: &mut Stage) {
    let gpu = Gpu::new(stage);
    let counter = stage.object_with(ObjectKind::TimelineSemaphore, Discipline::Tokens(u8::MAX), 0);
    let rounds = stage.rounds();
    stage.blame("UW002", true, &[counter]);
    stage.needs_quiet = true;
    gpu.serves_for_ever(stage, &[counter]);
    let agent = stage.victim(
        rounds,
        |p| {
            gpu.submit(p, &[counter]);
            wait(p, "vkWaitSemaphores", counter);
        },
        |p| wait(p, "vkWaitSemaphores", counter),
    );
    stage.waits(agent, &[counter]);
}
