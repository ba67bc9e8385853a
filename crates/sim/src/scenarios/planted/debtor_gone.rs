//! Who is gone and owed something? A thread with a lock, with a duty, with a custom, and a lost device.

use unwedge_trace::{AgentState, MarkKind, ObjectKind};

use super::gpu::{Gpu, frame};
use super::stage::{MS, Stage, wait};

pub(super) fn plant(stage: &mut Stage, shape: u64) {
    match shape {
        1 => with_lock(stage),
        2 => with_duty(stage),
        3 => device(stage),
        _ => with_custom(stage),
    }
}

/// A thread exits with a lock in its hands.
fn with_lock(stage: &mut Stage) {
    let (lock, gone) = (stage.object(ObjectKind::Mutex), stage.world.variable(0));
    stage.blame("UW007", true, &[lock]);
    let (rounds, call, work) = (stage.rounds(), stage.call(ObjectKind::Mutex), stage.ms(1, 5));
    let (owner, count) = (stage.thread(), stage.count(rounds));
    stage.world.program(owner, |p| {
        count.of(p, |p| {
            p.lock(call, lock);
            p.compute(work / 2, work);
            p.unlock(lock);
            p.sleep(work, 2 * work);
        });
        p.lock(call, lock);
        p.set(gone, 1);
        p.compute(work / 2, work);
        p.exit();
    });
    stage.takes_part(owner);
    stage.last_lock(call, lock, gone);
}

/// A thread says that it owes a signal, and exits.
fn with_duty(stage: &mut Stage) {
    let kind = stage.pick(&[ObjectKind::AutoResetEvent, ObjectKind::Channel, ObjectKind::Other]);
    signaller(stage, kind, true);
}

/// The only thread that ever signalled it exits.
fn with_custom(stage: &mut Stage) {
    let kind =
        stage.pick(&[ObjectKind::AutoResetEvent, ObjectKind::Channel, ObjectKind::Condition]);
    signaller(stage, kind, false);
    stage.shows_by_absence();
}

fn signaller(stage: &mut Stage, kind: ObjectKind, owes: bool) {
    let discipline = if kind == ObjectKind::Condition {
        crate::world::Discipline::Pulse
    } else {
        crate::world::Discipline::Tokens(1)
    };
    let object = stage.object_with(kind, discipline, 0);
    stage.blame("UW007", true, &[object]);
    let (rounds, call) = (stage.rounds(), stage.call(kind));
    let (debtor, count) = (stage.thread(), stage.count(rounds));
    stage.world.program(debtor, |p| {
        count.of(p, |p| {
            if owes {
                p.owe(debtor, object);
            }
            p.sleep(25 * MS, 30 * MS);
            p.signal(object);
        });
        if owes {
            p.owe(debtor, object);
        }
        p.sleep(25 * MS, 30 * MS);
        p.exit();
    });
    stage.takes_part(debtor);
    // However many rounds it does: one more than there are signals.
    let agent = stage.victim(200, |p| wait(p, call, object), |p| wait(p, call, object));
    stage.waits(agent, &[object]);
}

/// The device is lost while a batch is pending.
fn device(stage: &mut Stage) {
    stage.guest = false;
    let (gpu, fence, rounds) = (Gpu::new(stage), stage.object(ObjectKind::Fence), stage.rounds());
    stage.blame("UW007", true, &[fence]);
    gpu.serves(stage, rounds, &[fence], |p| {
        gpu.takes(p);
        p.compute(2 * MS, 4 * MS);
        p.state(AgentState::Exited, "device lost");
    });
    let agent = stage.victim(
        rounds,
        |p| frame(p, &gpu, fence),
        |p| {
            gpu.submit(p, &[fence]);
            p.sleep(10 * MS, 20 * MS);
            let text = "vkQueueSubmit returned VK_ERROR_DEVICE_LOST";
            p.mark(MarkKind::FailedCall, text, &[gpu.batches]);
            wait(p, "vkWaitForFences", fence);
        },
    );
    stage.waits(agent, &[fence]);
}
