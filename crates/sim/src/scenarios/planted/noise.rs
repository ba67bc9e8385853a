//! Who else lives there and gets on? Frame loops, producers and consumers, users of locks, timers, pollers, threads that end.

use unwedge_trace::{AgentKind, ObjectKind};

use super::gpu::{Gpu, frame};
use super::stage::{MS, Stage, wait};
use crate::world::Discipline;

/// Furnishes so many healthy groups, spread over the processes beside the plant's; with one process they share that.
pub(super) fn around(stage: &mut Stage, groups: u64, programs: u64) {
    for group in 0..groups {
        let alone = programs < 2 && !stage.needs_standstill;
        stage.pid = if alone {
            stage.plant_pid
        } else {
            let other = group % programs.saturating_sub(1).max(1);
            stage.plant_pid + 1000 * (1 + u32::try_from(other).unwrap_or(0))
        };
        stage.lively |= alone;
        let furnish = stage.pick(&[
            frame_loop as fn(&mut Stage),
            hand_over,
            lock_users,
            timer,
            satisfied_poller,
            short_lives,
            block_users,
            pipeline,
            sleeper,
        ]);
        furnish(stage);
    }
    stage.pid = stage.plant_pid;
}

fn host(stage: &mut Stage) -> crate::world::Agent {
    let agent = stage.agent(AgentKind::HostThread);
    stage.world.daemon(agent);
    agent
}

/// Submits, waits, resets, presents.
fn frame_loop(stage: &mut Stage) {
    let (agent, gpu) = (host(stage), Gpu::new(stage));
    let fence = stage.object(ObjectKind::Fence);
    let (every, goal) = (stage.ms(16, 40), stage.goal);
    gpu_serves(stage, &gpu, &[fence]);
    stage.world.program(agent, |p| {
        let top = p.mark_here();
        frame(p, &gpu, fence);
        p.progress(goal, "frame presented");
        p.sleep(every / 2, every);
        p.go(top);
    });
}

fn gpu_serves(stage: &mut Stage, gpu: &Gpu, signals: &[crate::world::Object]) {
    stage.world.program(gpu.queue, |p| {
        let top = p.mark_here();
        gpu.takes(p);
        gpu.passes(p, signals);
        p.go(top);
    });
}

/// One makes, the other takes.
fn hand_over(stage: &mut Stage) {
    let kind = stage.pick(&[
        ObjectKind::Channel,
        ObjectKind::Condition,
        ObjectKind::CountingSemaphore,
        ObjectKind::AutoResetEvent,
        ObjectKind::Pipe,
    ]);
    let (object, call) = (stage.object(kind), stage.call(kind));
    let (maker, taker) = (host(stage), host(stage));
    let (every, goal) = (stage.ms(12, 60), stage.goal);
    stage.world.program(maker, |p| {
        let top = p.mark_here();
        p.compute(every / 2, every);
        p.signal(object);
        p.go(top);
    });
    stage.world.program(taker, |p| {
        let top = p.mark_here();
        wait(p, call, object);
        p.compute(MS, 4 * MS);
        p.progress(goal, "item taken");
        p.go(top);
    });
}

/// Some threads use one lock, in no order.
fn lock_users(stage: &mut Stage) {
    let lock = stage.object(ObjectKind::Mutex);
    let users = 2 + stage.below(3);
    for _ in 0..users {
        let (user, every, goal) = (host(stage), stage.ms(10, 50), stage.goal);
        stage.world.program(user, |p| {
            let top = p.mark_here();
            p.lock("pthread_mutex_lock", lock);
            p.compute(MS, 6 * MS);
            p.unlock(lock);
            p.progress(goal, "entry changed");
            p.sleep(every / 2, every);
            p.go(top);
        });
    }
}

/// A timer goes off, and somebody waits for it each time.
fn timer(stage: &mut Stage) {
    let timer = stage.object_with(ObjectKind::Timer, Discipline::Tokens(1), 0);
    let (clock, agent) = (stage.device(AgentKind::Interrupt, "timer"), host(stage));
    stage.world.daemon(clock);
    let (every, goal) = (stage.ms(15, 100), stage.goal);
    stage.world.program(clock, |p| {
        let top = p.mark_here();
        p.sleep(every, every);
        p.signal(timer);
        p.go(top);
    });
    stage.world.program(agent, |p| {
        let top = p.mark_here();
        wait(p, "read", timer);
        p.compute(MS, 3 * MS);
        p.progress(goal, "tick handled");
        p.go(top);
    });
}

/// Polls with a bound, in vain mostly, and gets its signal now and then.
fn satisfied_poller(stage: &mut Stage) {
    let event = stage.object_with(ObjectKind::AutoResetEvent, Discipline::Tokens(1), 0);
    let (poller, signaller) = (host(stage), host(stage));
    let (bound, every, goal) = (stage.ms(20, 40), stage.ms(90, 400), stage.goal);
    stage.world.program(poller, |p| {
        let (top, late) = (p.mark_here(), p.label());
        p.wait_for("WaitForSingleObject", &[event.into()], false, bound, late);
        p.progress(goal, "message handled");
        p.here(late);
        p.go(top);
    });
    stage.world.program(signaller, |p| {
        let top = p.mark_here();
        p.sleep(every / 2, every);
        p.signal(event);
        p.go(top);
    });
}

/// Threads that do a piece of work and end; one of them before the other.
fn short_lives(stage: &mut Stage) {
    let lock = stage.object(ObjectKind::Mutex);
    for _ in 0..3 {
        let (agent, goal) = (host(stage), stage.goal);
        let (begins, works) = (stage.ms(1, 4000), stage.ms(5, 400));
        stage.world.program(agent, |p| {
            p.sleep(begins, begins);
            p.lock("pthread_mutex_lock", lock);
            p.compute(MS, 2 * MS);
            p.unlock(lock);
            p.compute(works / 2, works);
            p.progress(goal, "job done");
        });
    }
}

/// Two take a block for a moment, and a third waits until it is free.
fn block_users(stage: &mut Stage) {
    let block = stage.object(ObjectKind::Block);
    for _ in 0..2 {
        let (holder, every) = (host(stage), stage.ms(20, 80));
        stage.world.program(holder, |p| {
            let top = p.mark_here();
            p.hold(block);
            p.compute(MS, 6 * MS);
            p.release(block);
            p.sleep(every / 2, every);
            p.go(top);
        });
    }
    let (agent, every, goal) = (host(stage), stage.ms(10, 40), stage.goal);
    let call = stage.call(ObjectKind::Block);
    stage.world.program(agent, |p| {
        let top = p.mark_here();
        wait(p, call, block);
        p.progress(goal, "rendered");
        p.sleep(every / 2, every);
        p.go(top);
    });
}

/// Two queues, one behind the other.
fn pipeline(stage: &mut Stage) {
    let (first, second, agent) = (Gpu::new(stage), Gpu::new(stage), host(stage));
    let semaphore = stage.object(ObjectKind::BinarySemaphore);
    let counter = stage.object_with(ObjectKind::TimelineSemaphore, Discipline::Tokens(u8::MAX), 0);
    let (every, goal) = (stage.ms(10, 40), stage.goal);
    gpu_serves(stage, &first, &[semaphore]);
    stage.world.program(second.queue, |p| {
        let top = p.mark_here();
        second.takes(p);
        p.wait("batch", &[semaphore.into()]);
        second.passes(p, &[counter]);
        p.go(top);
    });
    stage.world.program(agent, |p| {
        let top = p.mark_here();
        first.submit(p, &[semaphore]);
        second.submit(p, &[counter]);
        wait(p, "vkWaitSemaphores", counter);
        p.progress(goal, "image encoded");
        p.sleep(every / 2, every);
        p.go(top);
    });
}

/// Sleeps in a call that waits for nothing.
fn sleeper(stage: &mut Stage) {
    let (agent, every, goal) = (host(stage), stage.ms(20, 200), stage.goal);
    stage.world.program(agent, |p| {
        let (top, late) = (p.mark_here(), p.label());
        p.wait_for("nanosleep", &[], true, every, late);
        p.here(late);
        p.compute(MS, 3 * MS);
        p.progress(goal, "looked around");
        p.go(top);
    });
}
