//! Who holds a lock and does something that nobody observes? One that computes, one in a system call, and one unknown.

use unwedge_trace::{AgentState, ObjectKind};

use super::stage::{Stage, wait};
use crate::world::Discipline;

pub(super) fn plant(stage: &mut Stage, shape: u64) {
    if shape == 3 {
        return unknown(stage);
    }
    let (lock, held) = (stage.object(ObjectKind::Mutex), stage.world.variable(0));
    stage.blame("UW016", false, &[lock]);
    let (rounds, call, work) = (stage.rounds(), stage.call(ObjectKind::Mutex), stage.ms(1, 5));
    let (owner, count) = (stage.thread(), stage.count(rounds));
    stage.world.daemon(owner);
    stage.world.program(owner, |p| {
        count.of(p, |p| {
            p.lock(call, lock);
            p.compute(work / 2, work);
            p.unlock(lock);
            p.sleep(work, 2 * work);
        });
        p.lock(call, lock);
        p.set(held, 1);
        if shape == 2 {
            p.state(AgentState::Blocked, "in read");
        } else {
            p.state(AgentState::Running, "");
        }
        p.halt();
    });
    stage.takes_part(owner);
    stage.last_lock(call, lock, held);
}

/// Nobody on record has taken the lock.
fn unknown(stage: &mut Stage) {
    let lock = stage.object_with(ObjectKind::Mutex, Discipline::Latch, 0);
    stage.blame("UW016", false, &[lock]);
    let (rounds, call) = (stage.rounds(), stage.call(ObjectKind::Mutex));
    let agent = stage.victim(rounds, |_| {}, |p| wait(p, call, lock));
    stage.waits(agent, &[lock]);
}
