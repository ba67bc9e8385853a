//! Who takes a block and does not give it back? One holder, several, one of them twice.

use unwedge_trace::ObjectKind;

use super::stage::{MS, Stage, wait};
use crate::world::{Comparison, test};

pub(super) fn plant(stage: &mut Stage, shape: u64) {
    let block = stage.object(ObjectKind::Block);
    stage.blame("UW012", false, &[block]);
    let holders = u8::try_from(shape).unwrap_or(1);
    let held = stage.world.variable(0);
    let goal = stage.goal;
    for holder in 0..holders {
        let (rounds, every) = (stage.rounds(), stage.ms(2, 12));
        let (agent, count) = (stage.thread(), stage.count(rounds));
        let times = if holder == 0 && holders > 1 { 2 } else { 1 };
        let busy = stage.random.below(2) == 0;
        stage.world.daemon(agent);
        stage.world.program(agent, |p| {
            count.of(p, |p| {
                p.hold(block);
                p.compute(every / 2, every);
                p.release(block);
                p.sleep(3 * every, 5 * every);
            });
            for _ in 0..times {
                p.hold(block);
            }
            p.add(held, 1, 0);
            // It forgets it, and has nothing to do or enough.
            let top = p.mark_here();
            p.sleep(100 * MS, 150 * MS);
            if busy {
                p.progress(goal, "looked around");
            } else {
                p.halt();
            }
            p.go(top);
        });
        stage.takes_part(agent);
    }
    let (rounds, call) = (stage.rounds(), stage.call(ObjectKind::Block));
    let agent = stage.victim(
        rounds,
        |p| wait(p, call, block),
        |p| {
            p.until(test(held, Comparison::AtLeast, holders));
            wait(p, call, block);
        },
    );
    stage.waits(agent, &[block]);
}
