//! What does the guest do? It makes what it needs, submits, waits for its fence, and loses patience or does not.

use unwedge_trace::{AgentKind, MarkKind, ObjectKind};

use super::{Command, IDLE, MS, RESOURCE, Relax, Rig, SLOT, Thread, US, device, is};
use crate::scenarios::Size;
use crate::world::{Comparison, Label, Operand, Program, Target, Variable, WorldBuilder, test};

/// How long a wait has slept at each of its warnings, in nanoseconds beyond the warning before, and how often it has gone round, in
/// rounds to the first warning. After the last it aborts: after 3.5, 14, 35 and 895 seconds in all.
const WARNINGS: [(u64, u32); 4] =
    [(3_500 * MS, 1), (10_500 * MS, 2), (21_000 * MS, 3), (860_000 * MS, 16)];
/// Rounds to the first warning: while it waits for the ring, and for anything else.
const RING_ROUNDS: u32 = 4096;
const ROUNDS: u32 = 1024;
/// What a thread asks after, in nanoseconds: the first sleep of a wait.
const ASK_NS: u64 = 160 * US;

/// Where a thread goes when it cannot go on.
struct Ends {
    /// It found the ring fatal when it submitted: it has the mutex.
    fatal_submit: Label,
    fatal_wait: Label,
    /// The renderer does not report itself alive any more.
    expired: Label,
    aborting: Label,
    connection_lost: Label,
}

pub(super) fn write(world: &mut WorldBuilder, rig: &Rig, thread: &Thread) {
    let full = rig.set.size == Size::Full;
    let command = world.variable_named("a command", Command::Submit(thread.number).code());
    world.program(thread.agent, |p| {
        let [fatal_submit, fatal_wait, expired, aborting, connection_lost] =
            [(); 5].map(|()| p.label());
        let ends = Ends { fatal_submit, fatal_wait, expired, aborting, connection_lost };
        if thread.feedback && rig.set.makes {
            make(p, rig, thread, SLOT, command);
        }
        let top = p.mark_here();
        match (full, thread.number) {
            (true, 0) => begin_frame(p, rig, thread, &ends),
            (true, 1) => begin_upload(p, rig, thread, command),
            (true, _) => p.sleep(5 * MS, 40 * MS),
            _ => {}
        }
        submit(p, rig, thread, command.into(), true, &ends);
        p.set(command, Command::Submit(thread.number).code());
        wait_for_it(p, rig, thread, &ends);
        p.progress(thread.goal, &format!("{} done", WORK[usize::from(thread.number) % WORK.len()]));
        if full && thread.number == 0 {
            p.compute(700 * US, 1_100 * US);
        }
        p.go(top);
        write_ends(p, rig, thread, &ends);
    });
}

/// What each thread gets done.
const WORK: [&str; 3] = ["frame", "upload", "readback"];

/// A call whose reply is waited for, some recording, now and then work for the loader.
fn begin_frame(p: &mut Program<'_>, rig: &Rig, thread: &Thread, ends: &Ends) {
    submit(p, rig, thread, Command::Call.code().into(), false, ends);
    wait_for_reply(p, rig, thread, ends);
    p.compute(600 * US, 1_400 * US);
    if let Some(uploads) = rig.uploads {
        let (wants, none) = (p.label(), p.label());
        p.choose(&[(1, wants), (9, none)]);
        p.here(wants);
        p.signal(uploads);
        p.here(none);
    }
}

/// Waits to be wanted, and makes a resource that stays.
fn begin_upload(p: &mut Program<'_>, rig: &Rig, thread: &Thread, command: Variable) {
    if let Some(uploads) = rig.uploads {
        p.wait("recv", &[uploads.into()]);
    }
    make(p, rig, thread, RESOURCE, command);
    p.compute(200 * US, 900 * US);
}

/// Has a resource made over the second channel, which the next submit names.
fn make(p: &mut Program<'_>, rig: &Rig, thread: &Thread, what: u8, command: Variable) {
    p.set(thread.made, 0);
    p.set(thread.want, what);
    let answered = rig.set.vtest || rig.set.checked;
    if answered {
        p.owe(rig.server, thread.answer);
    }
    p.signal(rig.requests);
    if answered {
        let call = if rig.set.vtest { "vtest_read" } else { "ioctl VIRTGPU_WAIT" };
        p.wait(call, &[thread.answer.into()]);
    }
    p.set(command, Command::SubmitNaming(thread.number).code());
    if rig.set.checked {
        let made = p.label();
        p.go_if(is(thread.made, 1), made);
        p.set(command, Command::Submit(thread.number).code());
        let (call, error) = match (what == SLOT, is_timeline(rig, thread)) {
            (true, true) => ("vkCreateSemaphore", "VK_ERROR_OUT_OF_HOST_MEMORY"),
            (true, false) => ("vkCreateFence", "VK_ERROR_OUT_OF_HOST_MEMORY"),
            (false, _) => ("vkAllocateMemory", "VK_ERROR_OUT_OF_DEVICE_MEMORY"),
        };
        if what == SLOT {
            p.set(thread.asks, 1);
        }
        p.mark(MarkKind::FailedCall, &format!("{call} returned {error}"), &[]);
        p.here(made);
    }
}

/// Puts a command into the ring, and notifies the host if it says that it is idle.
fn submit(
    p: &mut Program<'_>,
    rig: &Rig,
    thread: &Thread,
    command: Operand,
    has_work: bool,
    ends: &Ends,
) {
    let memory = &rig.memory;
    let quiet = p.label();
    p.lock("mtx_lock", rig.ring_mutex);
    if asks(rig, thread) {
        p.set(thread.later, 0);
    }
    p.owe(rig.host, rig.ring);
    count_later(p, rig, thread);
    if has_work {
        p.owe(thread.queue, thread.batches);
        p.owe_after(thread.queue, thread.done, thread.batches);
        if device::tells_of_ring(rig, thread) {
            p.set(thread.job, 1);
        }
    }
    for (number, slot) in (0..rig.set.slots).zip(&memory.slots) {
        let next = p.label();
        p.go_if(test(memory.position, Comparison::Not, number), next);
        p.set(*slot, command);
        p.here(next);
    }
    p.add(memory.position, 1, rig.set.slots);
    p.set(memory.tail_buffer, 1);
    if rig.set.guest_barrier {
        p.until(is(memory.tail_buffer, 0));
    }
    if rig.set.makes {
        p.go_if(is(memory.fatal, 1), ends.fatal_submit);
    }
    p.go_if(test(memory.status, Comparison::Not, IDLE), quiet);
    if rig.set.vtest {
        p.go_if(is(memory.closed, 1), ends.connection_lost);
    }
    if rig.set.makes {
        p.set(memory.notice, 1);
    }
    p.signal(rig.requests);
    p.here(quiet);
    // What unlocks a mutex is seen after what was stored before.
    p.until(is(memory.tail_buffer, 0));
    p.unlock(rig.ring_mutex);
}

/// Whether the thread waits for a timeline semaphore, and not for a fence.
fn is_timeline(rig: &Rig, thread: &Thread) -> bool {
    rig.set.size == Size::Full && thread.number == 1
}

/// Whether the thread or its queue ever waits for the ring's head.
fn asks(rig: &Rig, thread: &Thread) -> bool {
    let calls = rig.set.size == Size::Full && thread.number == 0;
    calls || !thread.feedback || rig.set.checked || device::tells_of_ring(rig, thread)
}

/// One more command is behind the last ones of all others.
fn count_later(p: &mut Program<'_>, rig: &Rig, thread: &Thread) {
    // More than there are places cannot be in the ring before it has moved on.
    let most = rig.set.slots - 1;
    let others = rig.threads.iter().filter(|other| other.number != thread.number);
    for other in others.filter(|other| asks(rig, other)) {
        let enough = p.label();
        p.go_if(is(other.later, most), enough);
        p.add(other.later, 1, 0);
        p.here(enough);
    }
}

fn wait_for_it(p: &mut Program<'_>, rig: &Rig, thread: &Thread, ends: &Ends) {
    let [asking, done] = [(); 2].map(|()| p.label());
    let timeline = is_timeline(rig, thread);
    if thread.feedback {
        if rig.set.checked {
            p.go_if(is(thread.asks, 1), asking);
        }
        let (call, reason) = if timeline {
            ("vkWaitSemaphores", ("semaphore", ROUNDS))
        } else {
            ("vkWaitForFences", ("fence", ROUNDS))
        };
        relax(p, rig, call, thread.done.into(), reason, ends);
        p.go(done);
    }
    if !thread.feedback || rig.set.checked {
        p.here(asking);
        if rig.set.size == Size::Full {
            p.sleep(ASK_NS, 2 * ASK_NS);
        }
        submit(p, rig, thread, Command::Call.code().into(), false, ends);
        wait_for_reply(p, rig, thread, ends);
        let not_yet = if timeline { Comparison::Not } else { Comparison::Is };
        p.go_if(test(thread.done, not_yet, 0), asking);
    }
    p.here(done);
    if !timeline {
        p.reset(thread.done);
    }
}

fn wait_for_reply(p: &mut Program<'_>, rig: &Rig, thread: &Thread, ends: &Ends) {
    let reply = Target::within(rig.ring, thread.later);
    relax(p, rig, "vn_ring_wait_seqno", reply, ("ring seqno", RING_ROUNDS), ends);
}

/// Waits, warns, and gives up if that is what the guest does.
fn relax(
    p: &mut Program<'_>,
    rig: &Rig,
    call: &str,
    what: Target,
    (reason, rounds): (&str, u32),
    ends: &Ends,
) {
    let over = p.label();
    let full = rig.set.size == Size::Full;
    let warnings = match (rig.set.relax, full) {
        (Relax::Wait, true) => &WARNINGS[..1],
        (Relax::Wait, false) => &[],
        (_, true) => &WARNINGS[..],
        (_, false) => &WARNINGS[..1],
    };
    for (ns, times) in warnings {
        let late = p.label();
        p.wait_for(call, &[what], false, *ns, late);
        p.go(over);
        p.here(late);
        let warning = format!("stuck in {reason} wait with iter at {}", rounds * times);
        p.mark(MarkKind::Log, &warning, &[rig.ring]);
        if rig.set.relax != Relax::Wait {
            p.go_if(is(rig.memory.fatal, 1), ends.fatal_wait);
            p.go_if(is(rig.memory.host_gone, 1), ends.expired);
        }
    }
    if rig.set.relax == Relax::Wait {
        p.wait(call, &[what]);
    } else {
        p.go(ends.aborting);
    }
    p.here(over);
}

/// The last words of a thread, and of its process.
fn write_ends(p: &mut Program<'_>, rig: &Rig, thread: &Thread, ends: &Ends) {
    let die = p.label();
    let lost = rig.set.relax == Relax::Lost;
    let words = [
        (ends.fatal_submit, "vn_ring_submit abort on fatal"),
        (ends.fatal_wait, "aborting on ring fatal error"),
        (ends.expired, "aborting on expired ring alive status"),
        (ends.aborting, "aborting"),
        (ends.connection_lost, "lost connection to rendering server"),
    ];
    for (place, (label, text)) in words.into_iter().enumerate() {
        p.here(label);
        if lost {
            // Found while it submitted: it has the mutex.
            if matches!(place, 0 | 4) {
                p.until(is(rig.memory.tail_buffer, 0));
                p.unlock(rig.ring_mutex);
            }
            p.mark(
                MarkKind::FailedCall,
                "vkQueueSubmit returned VK_ERROR_DEVICE_LOST",
                &[rig.ring],
            );
        } else {
            p.mark(MarkKind::FailedCall, text, &[rig.ring]);
        }
        p.go(die);
    }
    p.here(die);
    // An abort ends the process, and so does a main thread that returns.
    if !lost || thread.number == 0 {
        let others = rig.threads.iter().filter(|other| other.number != thread.number);
        others.for_each(|other| p.end(other.agent));
        // The renderer lets go of all that the process had.
        rig.threads.iter().for_each(|thread| p.end(thread.queue));
        [rig.host].into_iter().chain(rig.renderer).for_each(|agent| p.end(agent));
    }
    p.exit();
}

/// Threads that have nothing to do.
pub(super) fn write_idle_threads(world: &mut WorldBuilder) {
    for (name, tid, call, kind, label) in [
        ("audio", 4125, "pthread_cond_wait", ObjectKind::Condition, "samples wanted"),
        ("worker 1", 4126, "futex", ObjectKind::Futex, "jobs"),
        ("worker 2", 4127, "futex", ObjectKind::Futex, "jobs"),
    ] {
        let agent = world.agent(AgentKind::GuestThread, name, 4117, tid);
        let object = world.object(kind, 0x55d0_f000 + u64::from(tid), label);
        world.daemon(agent);
        world.program(agent, |p| p.wait(call, &[object.into()]));
    }
}
