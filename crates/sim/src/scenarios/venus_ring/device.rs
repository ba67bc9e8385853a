//! What is there beside the ring? The second channel, which makes resources and carries notifications, and the queues.

use unwedge_trace::MarkKind;

use super::{MS, Rig, SLOT, Thread, US, is};
use crate::scenarios::Size;
use crate::world::{Comparison, Label, Program, Target, Variable, WorldBuilder, test};

/// Whether the queue tells that it waits for the ring to bring what was submitted to it. One whose thread asks need not: that one waits for
/// the ring itself.
pub(super) fn tells_of_ring(rig: &Rig, thread: &Thread) -> bool {
    thread.feedback && !rig.set.checked
}

/// Executes what the host gives it, and writes the feedback slot.
pub(super) fn write_queue(world: &mut WorldBuilder, rig: &Rig, thread: &Thread) {
    world.program(thread.queue, |p| {
        let (top, sure) = (p.mark_here(), p.label());
        p.until(is(thread.job, 1));
        if tells_of_ring(rig, thread) {
            p.wait("vkQueueSubmit", &[Target::within(rig.ring, thread.later)]);
        }
        p.set(thread.job, 0);
        if rig.set.size == Size::Full {
            p.compute(1_200 * US, 2_200 * US);
        }
        p.signal(thread.batches);
        if thread.feedback {
            p.go_if(is(thread.asks, 1), sure);
            p.may_fail(rig.faults.lose_feedback, top);
        }
        p.here(sure);
        p.signal(thread.done);
        p.go(top);
    });
}

pub(super) fn write_server(world: &mut WorldBuilder, rig: &Rig) {
    // The ring's own memory is the first.
    let held = world.variable(1);
    world.program(rig.server, |p| {
        let top = p.mark_here();
        // What else such a process looks out for is not told, and so neither is its sleep.
        p.until(is(rig.requests, 1));
        p.reset(rig.requests);
        if rig.set.size == Size::Full {
            p.compute(US, 3 * US);
        }
        for thread in rig.threads.iter().filter(|_| rig.set.makes) {
            let next = p.label();
            p.go_if(is(thread.want, 0), next);
            make(p, rig, thread, held, next);
            p.here(next);
        }
        if rig.set.makes {
            p.go_if(is(rig.memory.notice, 0), top);
            p.set(rig.memory.notice, 0);
        }
        p.may_fail(rig.faults.drop_notify, top);
        p.signal(rig.notify);
        p.go(top);
    });
}

/// Makes what the thread wants, or does not.
fn make(p: &mut Program<'_>, rig: &Rig, thread: &Thread, held: Variable, next: Label) {
    let [failed, exportable] = [(); 2].map(|()| p.label());
    if rig.set.size == Size::Full {
        p.compute(20 * US, MS);
    }
    p.go_if(test(thread.want, Comparison::Not, SLOT), exportable);
    p.may_fail(rig.faults.creation_fails, failed);
    p.here(exportable);
    if rig.set.limit > 0 {
        p.go_if(test(held, Comparison::AtLeast, rig.set.limit), failed);
        p.add(held, 1, 0);
    }
    p.set(thread.made, 1);
    answer(p, rig, thread);
    p.go(next);
    p.here(failed);
    if rig.set.vtest && !rig.set.checked {
        p.mark(MarkKind::Log, "vtest_resource_create_blob failed (-22)", &[]);
        p.set(rig.memory.closed, 1);
        p.exit();
    } else {
        p.set(thread.made, 0);
        answer(p, rig, thread);
        p.go(next);
    }
}

fn answer(p: &mut Program<'_>, rig: &Rig, thread: &Thread) {
    p.set(thread.want, 0);
    if rig.set.vtest || rig.set.checked {
        p.signal(thread.answer);
    }
}
