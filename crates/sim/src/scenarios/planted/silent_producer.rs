//! Who runs, again and again, and never signals? An interrupt's callback, a thread that sleeps, one that waits for its timer.

use unwedge_trace::{AgentKind, ObjectKind};

use super::stage::{MS, Stage, wait};
use crate::world::Discipline;

pub(super) fn plant(stage: &mut Stage, shape: u64) {
    let kind = stage.pick(&[ObjectKind::AutoResetEvent, ObjectKind::Channel, ObjectKind::Other]);
    let object = stage.object_with(kind, Discipline::Tokens(1), 0);
    stage.blame("UW013", true, &[object]);
    stage.shows_by_absence();
    let (rounds, call, every) = (stage.rounds(), stage.call(kind), stage.ms(25, 40));
    let producer = match shape {
        1 => stage.device(AgentKind::Interrupt, "vsync"),
        _ => stage.thread(),
    };
    let timer = (shape == 3).then(|| timer(stage, every));
    let count = stage.count(rounds);
    let goal = stage.goal;
    stage.world.daemon(producer);
    stage.world.program(producer, |p| {
        let turn = |p: &mut crate::world::Program<'_>| match timer {
            Some(timer) => wait(p, "timer", timer),
            None => p.sleep(every, every + MS),
        };
        count.of(p, |p| {
            turn(p);
            p.owe(producer, object);
            p.signal(object);
            p.progress(goal, "callback ran");
        });
        let top = p.mark_here();
        turn(p);
        p.owe(producer, object);
        p.compute(MS / 2, MS);
        p.progress(goal, "callback ran");
        p.go(top);
    });
    stage.takes_part(producer);
    let agent = stage.victim(200, |p| wait(p, call, object), |p| wait(p, call, object));
    stage.waits(agent, &[object]);
}

fn timer(stage: &mut Stage, every: u64) -> crate::world::Object {
    let timer = stage.object_with(ObjectKind::Timer, Discipline::Tokens(1), 0);
    let clock = stage.device(AgentKind::Interrupt, "timer");
    stage.world.daemon(clock);
    stage.world.program(clock, |p| {
        let top = p.mark_here();
        p.sleep(every, every);
        p.signal(timer);
        p.go(top);
    });
    timer
}
