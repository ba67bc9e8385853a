//! Who waits and is right to? Threads without work, without input, without a reason to go on; idle is not wedged.

use unwedge_trace::{AgentKind, ObjectKind};

use super::stage::{MS, Stage, wait};
use crate::world::{Comparison, Discipline, test};

/// Furnishes so many.
pub(super) fn around(stage: &mut Stage, threads: u64) {
    for _ in 0..threads {
        match stage.below(4) {
            0 | 1 => for_input(stage),
            2 => for_any(stage),
            _ => for_work(stage),
        }
    }
}

const INPUTS: &[ObjectKind] = &[
    ObjectKind::Socket,
    ObjectKind::Pipe,
    ObjectKind::Channel,
    ObjectKind::Condition,
    ObjectKind::Event,
    ObjectKind::AutoResetEvent,
    ObjectKind::CountingSemaphore,
    ObjectKind::Futex,
    ObjectKind::Timer,
];

/// Waits for what nobody has signalled yet.
fn for_input(stage: &mut Stage) {
    let kind = stage.pick(INPUTS);
    let (object, agent) = (stage.object(kind), stage.agent(AgentKind::HostThread));
    let (call, begins) = (stage.call(kind), stage.ms(1, 3000));
    stage.world.daemon(agent);
    stage.world.program(agent, |p| {
        p.sleep(begins, begins);
        wait(p, call, object);
    });
}

/// Waits for any of several.
fn for_any(stage: &mut Stage) {
    let agent = stage.agent(AgentKind::HostThread);
    let objects = [ObjectKind::Socket, ObjectKind::Event, ObjectKind::Timer]
        .map(|kind| stage.object(kind).into());
    stage.world.daemon(agent);
    stage.world.program(agent, |p| p.wait_any("epoll_wait", &objects));
}

/// A worker that got some jobs from a thread which lives on and has no more for it.
fn for_work(stage: &mut Stage) {
    let kind = stage.pick(&[
        ObjectKind::TimelineSemaphore,
        ObjectKind::Channel,
        ObjectKind::Condition,
        ObjectKind::CountingSemaphore,
    ]);
    let discipline = match kind {
        ObjectKind::Condition => Discipline::Pulse,
        _ => Discipline::Tokens(u8::MAX),
    };
    let object = stage.object_with(kind, discipline, 0);
    let (worker, giver) = (stage.agent(AgentKind::HostThread), stage.agent(AgentKind::HostThread));
    stage.world.daemon(worker);
    stage.world.daemon(giver);
    let (call, jobs) = (stage.call(kind), 1 + u8::try_from(stage.below(20)).unwrap_or(0));
    let (given, goal) = (stage.world.variable(0), stage.goal);
    stage.lively |= !stage.needs_standstill;
    let standstill = stage.needs_standstill;
    stage.world.program(worker, |p| {
        let top = p.mark_here();
        wait(p, call, object);
        p.compute(MS, 3 * MS);
        p.progress(goal, "job done");
        p.go(top);
    });
    stage.world.program(giver, |p| {
        let top = p.mark_here();
        p.sleep(20 * MS, 40 * MS);
        p.signal(object);
        p.add(given, 1, 0);
        p.go_if(test(given, Comparison::Below, jobs), top);
        let lives = p.mark_here();
        p.sleep(100 * MS, 200 * MS);
        if standstill {
            p.halt();
        }
        p.progress(goal, "looked around");
        p.go(lives);
    });
}
