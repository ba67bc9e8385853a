//! Who could go on and is not picked? A thread of low priority that others wait for, and one of high priority that never rests.

use unwedge_trace::{AgentState, ObjectKind};

use super::stage::{MS, Stage, wait};
use crate::world::{Comparison, Machine, Object, test};

pub(super) fn plant(stage: &mut Stage, shape: u64) {
    let kind = match shape {
        1 => ObjectKind::AutoResetEvent,
        2 => ObjectKind::Mutex,
        _ => ObjectKind::Condition,
    };
    let object = stage.object(kind);
    let call = stage.call(kind);
    stage.world.machine(Machine { quantum_ns: 50 * MS, ..Machine::default() });
    stage.blame("UW008", true, &[object]);
    let begins = stage.world.variable(0);
    debtor(stage, kind, object, begins);
    let hogs = 1 + stage.below(2);
    for _ in 0..hogs {
        hog(stage, begins);
    }
    let lock = kind == ObjectKind::Mutex;
    let agent = if lock {
        let rounds = stage.rounds();
        stage.victim(
            rounds,
            |p| {
                p.lock(call, object);
                p.unlock(object);
            },
            |p| {
                p.until(test(begins, Comparison::Is, 1));
                p.lock(call, object);
            },
        )
    } else {
        stage.victim(200, |p| wait(p, call, object), |p| wait(p, call, object))
    };
    stage.waits(agent, &[object]);
}

/// Signals, or takes and releases, in each round; then, before it would do so again, others take its processor.
fn debtor(stage: &mut Stage, kind: ObjectKind, object: Object, begins: crate::world::Variable) {
    let (rounds, call) = (stage.rounds(), stage.call(kind));
    let (debtor, count) = (stage.thread(), stage.count(rounds));
    let lock = kind == ObjectKind::Mutex;
    stage.world.on_cpu(debtor, 0, 0);
    stage.world.program(debtor, |p| {
        count.of(p, |p| {
            if lock {
                p.lock(call, object);
                p.compute(2 * MS, 4 * MS);
                p.unlock(object);
            } else {
                p.compute(2 * MS, 4 * MS);
                p.signal(object);
            }
            p.sleep(25 * MS, 30 * MS);
        });
        if lock {
            p.lock(call, object);
        }
        p.set(begins, 1);
        p.compute(200 * MS, 300 * MS);
        p.signal(object);
        p.halt();
    });
    stage.takes_part(debtor);
}

/// Waits until it is asked for, and then computes for ever.
fn hog(stage: &mut Stage, begins: crate::world::Variable) {
    let (hog, priority) = (stage.thread(), 1 + stage.below(16));
    let goal = stage.goal;
    stage.world.on_cpu(hog, 0, i32::try_from(priority).unwrap_or(1));
    stage.world.daemon(hog);
    stage.world.program(hog, |p| {
        p.until(test(begins, Comparison::Is, 1));
        p.state(AgentState::Running, "");
        let top = p.mark_here();
        p.compute(10 * MS, 30 * MS);
        p.progress(goal, "looked around");
        p.go(top);
    });
    stage.takes_part(hog);
}
