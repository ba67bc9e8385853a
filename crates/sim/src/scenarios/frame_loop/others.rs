//! Who else is there and has nothing to do with it? Idle threads of the terminal, and a program that plays a film.

use unwedge_trace::{AgentKind, ObjectKind};

use super::parts::{MS, US};
use crate::world::{Comparison, WorldBuilder, test};

/// Adds them.
pub(super) fn add(world: &mut WorldBuilder) {
    let work = world.object(ObjectKind::Condition, 0x7f10, "work");
    for number in 1..=2 {
        let worker =
            world.agent(AgentKind::HostThread, &format!("worker {number}"), 4100, 4100 + number);
        world.program(worker, |p| p.wait("pthread_cond_wait", &[work.into()]));
    }
    let child = world.object(ObjectKind::Pipe, 0x7f20, "shell");
    let reader = world.agent(AgentKind::HostThread, "pty reader", 4100, 4103);
    world.program(reader, |p| p.wait("read", &[child.into()]));
    player(world);
}

/// Another program, on another device.
fn player(world: &mut WorldBuilder) {
    let frames = world.goal("film");
    let thread = world.agent(AgentKind::HostThread, "player", 5200, 5200);
    let queue = world.agent(AgentKind::GpuQueue, "player's", 0, 0);
    world.daemon(queue);
    let fence = world.object(ObjectKind::Fence, 0x1f0, "film");
    let batches = world.object(ObjectKind::Queue, 0x191, "player's");
    let job = world.variable(0);
    world.program(thread, |p| {
        let top = p.mark_here();
        p.compute(2 * MS, 4 * MS);
        p.owe(queue, batches);
        p.owe_after(queue, fence, batches);
        p.set(job, 1);
        p.wait("vkWaitForFences", &[fence.into()]);
        p.reset(fence);
        p.progress(frames, "frame shown");
        p.sleep(25 * MS, 35 * MS);
        p.go(top);
    });
    world.program(queue, |p| {
        let top = p.mark_here();
        p.until(test(job, Comparison::Is, 1));
        p.set(job, 0);
        p.compute(800 * US, 3 * MS);
        p.signal(batches);
        p.signal(fence);
        p.go(top);
    });
}
