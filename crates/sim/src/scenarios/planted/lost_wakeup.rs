//! Which signal came when nobody waited, and should have stayed? That of an event, of an auto-reset event, of a semaphore.

use unwedge_trace::ObjectKind;

use super::stage::{MS, Stage, wait};
use crate::world::{Comparison, Discipline, test};

pub(super) fn plant(stage: &mut Stage, shape: u64) {
    let kind = match shape {
        1 => ObjectKind::Event,
        2 => ObjectKind::AutoResetEvent,
        _ => ObjectKind::CountingSemaphore,
    };
    // What goes wrong inside: a signal that finds nobody waiting is forgotten.
    let object = stage.object_with(kind, Discipline::Pulse, 0);
    let (call, rounds) = (stage.call(kind), stage.rounds());
    // Of a token somebody out of sight may have been quicker; an event stays until it is reset.
    stage.blame("UW009", kind == ObjectKind::Event, &[object]);
    stage.shows_by_absence();
    let asked = stage.world.variable(0);
    let again = kind != ObjectKind::Event;
    let signals = 1 + stage.below(2);
    let (signaller, count) = (stage.thread(), stage.count(rounds));
    let goal = stage.goal;
    stage.world.program(signaller, |p| {
        count.of(p, |p| {
            p.compute(28 * MS, 40 * MS);
            if again {
                p.signal(object);
            }
            p.progress(goal, "item made");
        });
        p.until(test(asked, Comparison::Is, 1));
        for _ in 0..signals {
            p.signal(object);
        }
        p.set(asked, 2);
        // It is alive and well, and has nothing to signal.
        let top = p.mark_here();
        p.sleep(50 * MS, 90 * MS);
        p.progress(goal, "looked around");
        p.go(top);
    });
    stage.takes_part(signaller);
    stage.lively = true;
    let agent = stage.victim(
        rounds,
        |p| {
            if again {
                wait(p, call, object);
            } else {
                p.sleep(10 * MS, 20 * MS);
            }
        },
        |p| {
            p.set(asked, 1);
            p.until(test(asked, Comparison::Is, 2));
            p.compute(MS, 2 * MS);
            wait(p, call, object);
        },
    );
    stage.waits(agent, &[object]);
}
