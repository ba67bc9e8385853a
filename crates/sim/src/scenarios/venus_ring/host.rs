//! What does the host of the ring do? It reads commands, and parks when there have been none for a while.

use unwedge_trace::{MarkKind, ObjectKind};

use super::{BUSY, Command, IDLE, MS, Rig, US, device, is};
use crate::scenarios::Size;
use crate::world::{Comparison, Label, Program, Variable, WorldBuilder, test};

/// A host that found nothing looks again after so many nanoseconds, and parks after so many looks: a millisecond.
const LOOK_NS: u64 = 50 * US;
const LOOKS: u8 = 20;
/// A bounded park, in nanoseconds.
const PARK_NS: u64 = 2 * MS;

pub(super) fn write(world: &mut WorldBuilder, rig: &Rig) {
    if let Some(renderer) = rig.renderer {
        let socket = world.object(ObjectKind::Socket, 0x4, "requests of the proxy");
        world.program(renderer, |p| p.wait("recvmsg", &[socket.into()]));
    }
    // Where it reads next.
    let position = world.variable_named("where it reads", 0);
    let looks = world.variable(0);
    let unread = test(rig.memory.tail, Comparison::Not, position);
    world.program(rig.host, |p| {
        let (top, idle, work) = (p.mark_here(), p.label(), p.label());
        p.go_if(unread, work);
        match rig.set.size {
            Size::Full => {
                p.sleep(LOOK_NS, LOOK_NS);
                p.add(looks, 1, 0);
                p.go_if(is(looks, LOOKS), idle);
                p.go(top);
            }
            // How long it looks for is a matter of time: any number of times.
            Size::Small => p.choose(&[(1, top), (1, idle)]),
        }
        p.here(idle);
        park(p, rig, position);
        p.set(looks, 0);
        p.go(top);
        p.here(work);
        p.set(looks, 0);
        dispatch(p, rig, position);
        p.go(top);
    });
}

/// Says that it is idle, looks at the tail once more, and sleeps if that is where it was.
fn park(p: &mut Program<'_>, rig: &Rig, position: Variable) {
    let awake = p.label();
    if rig.set.pending_flag {
        p.reset(rig.notify);
    }
    store_status(p, rig, true);
    if rig.set.host_barrier {
        p.until(is(rig.memory.status_buffer, 0));
    }
    p.go_if(test(rig.memory.tail, Comparison::Not, position), awake);
    match rig.set.size {
        Size::Full => p.compute(US / 2, 6 * US),
        // Between the look and the sleep others may do something.
        Size::Small => {
            let asleep = p.label();
            p.choose(&[(1, asleep)]);
            p.here(asleep);
        }
    }
    if rig.set.bounded_park {
        p.wait_for("cnd_timedwait", &[rig.notify.into()], false, PARK_NS, awake);
    } else {
        p.wait("cnd_wait", &[rig.notify.into()]);
    }
    p.here(awake);
    store_status(p, rig, false);
}

/// Stores keep their order: this one waits for the one before.
fn store_status(p: &mut Program<'_>, rig: &Rig, idle: bool) {
    p.until(is(rig.memory.status_buffer, 0));
    p.set(rig.memory.status_buffer, if idle { IDLE } else { BUSY });
}

/// Executes the next command and moves the head.
fn dispatch(p: &mut Program<'_>, rig: &Rig, position: Variable) {
    let [executed, fatal, dies, top] = [(); 4].map(|()| p.label());
    for (number, slot) in (0..rig.set.slots).zip(&rig.memory.slots) {
        let elsewhere = p.label();
        p.go_if(test(position, Comparison::Not, number), elsewhere);
        execute(p, rig, *slot, executed, fatal);
        p.here(elsewhere);
    }
    p.here(executed);
    if rig.set.size == Size::Full {
        p.compute(2 * US, 30 * US);
    }
    p.may_fail(rig.faults.host_dies, dies);
    p.add(position, 1, rig.set.slots);
    p.signal(rig.ring);
    p.go(top);
    p.here(dies);
    p.set(rig.memory.host_gone, 1);
    if let Some(renderer) = rig.renderer {
        p.end(renderer);
    }
    p.exit();
    p.here(fatal);
    p.set(rig.memory.fatal, 1);
    p.mark(MarkKind::Warning, "ring status: fatal", &[rig.ring]);
    p.exit();
    p.here(top);
}

/// Executes the command in a slot.
fn execute(p: &mut Program<'_>, rig: &Rig, slot: Variable, executed: Label, fatal: Label) {
    for thread in &rig.threads {
        let [other, submits, names] = [(); 3].map(|()| p.label());
        p.go_if(is(slot, Command::Submit(thread.number).code()), submits);
        if rig.set.makes {
            p.go_if(is(slot, Command::SubmitNaming(thread.number).code()), names);
        }
        p.go(other);
        if rig.set.makes {
            p.here(names);
            if rig.set.roundtrip {
                p.until(is(thread.want, 0));
            }
            p.go_if(is(thread.made, 0), fatal);
        }
        p.here(submits);
        p.set(slot, 0);
        if !device::tells_of_ring(rig, thread) {
            p.set(thread.job, 1);
        }
        p.go(executed);
        p.here(other);
    }
    p.set(slot, 0);
    p.go(executed);
}
