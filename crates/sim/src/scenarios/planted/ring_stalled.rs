//! Which command ring stands still? One that is fatal, one whose host does nothing, is not told, works, or cannot be seen.

use unwedge_trace::{AgentKind, AgentState, MarkKind, ObjectKind};

use super::stage::{MS, Stage, wait};
use crate::world::{Agent, Comparison, Discipline, Object, Program, test};

pub(super) fn plant(stage: &mut Stage, shape: u64) {
    let ring = stage.object(ObjectKind::Ring);
    stage.blame("UW011", shape <= 3, &[ring]);
    let host = stage.device(AgentKind::RingHost, "vkr-ring");
    stage.world.daemon(host);
    stage.takes_part(host);
    if shape == 3 {
        return unnotified(stage, host, ring);
    }
    if shape != 1 {
        stage.shows_by_absence();
    }
    let (written, rounds) = (stage.world.variable(0), stage.rounds());
    let (read, time, count) = (stage.world.variable(0), stage.ms(1, 4), stage.count(rounds));
    stage.world.program(host, |p| {
        count.of(p, |p| {
            p.until(test(written, Comparison::Not, read));
            p.add(read, 1, 0);
            p.compute(time / 2, time);
            p.signal(ring);
        });
        p.until(test(written, Comparison::Not, read));
        match shape {
            1 => p.mark(MarkKind::Log, "ring status: fatal", &[ring]),
            2 => p.state(AgentState::Blocked, "does nothing"),
            4 => p.state(AgentState::Running, ""),
            _ => {}
        }
        p.halt();
    });
    let submit = |p: &mut Program<'_>| {
        p.owe(host, ring);
        p.add(written, 1, 0);
        wait(p, "vn_ring_wait_seqno", ring);
    };
    let agent = stage.victim(rounds, submit, submit);
    stage.waits(agent, &[ring]);
}

/// The host looks at the ring and sleeps until it is notified; the last command comes without a notification.
fn unnotified(stage: &mut Stage, host: Agent, ring: Object) {
    let kind = stage.pick(&[ObjectKind::AutoResetEvent, ObjectKind::Condition]);
    let bell = stage.object_with(kind, Discipline::Tokens(1), 0);
    stage.shows_by_absence();
    let (rounds, time) = (stage.rounds(), stage.ms(1, 4));
    stage.world.program(host, |p| {
        let top = p.mark_here();
        wait(p, "ring idle", bell);
        p.compute(time / 2, time);
        p.signal(ring);
        p.go(top);
    });
    let agent = stage.victim(
        rounds,
        |p| {
            p.owe(host, ring);
            p.signal(bell);
            wait(p, "vn_ring_wait_seqno", ring);
            p.sleep(MS, 2 * MS);
        },
        |p| {
            p.owe(host, ring);
            wait(p, "vn_ring_wait_seqno", ring);
        },
    );
    stage.waits(agent, &[ring]);
}
