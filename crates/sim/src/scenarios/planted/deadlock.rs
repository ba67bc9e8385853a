//! How do agents come to wait for each other? Locks in two orders, a lock taken twice, batches that wait for later ones.

use unwedge_trace::ObjectKind;

use super::gpu::{Gpu, frame};
use super::stage::{Stage, wait};
use crate::world::{Comparison, Object, Program, test};

pub(super) fn plant(stage: &mut Stage, shape: u64) {
    match shape {
        1 => locks(stage),
        2 => twice(stage),
        3 => queues(stage),
        4 => one_queue(stage),
        _ => each_other(stage),
    }
}

/// Two to four threads hold a lock each, and each wants the next one's.
fn locks(stage: &mut Stage) {
    let count = 2 + stage.below(3);
    let locks: Vec<Object> = (0..count).map(|_| stage.object(ObjectKind::Mutex)).collect();
    stage.blame("UW001", true, &locks);
    let (arrived, all) = (stage.world.variable(0), u8::try_from(count).unwrap_or(4));
    let call = stage.call(ObjectKind::Mutex);
    for (place, lock) in locks.iter().copied().enumerate() {
        let next = locks[(place + 1) % count];
        let round = move |p: &mut Program<'_>| {
            p.lock(call, lock);
            p.unlock(lock);
        };
        let strike = move |p: &mut Program<'_>| {
            p.lock(call, lock);
            p.add(arrived, 1, 0);
            p.until(test(arrived, Comparison::AtLeast, all));
            p.lock(call, next);
        };
        let rounds = stage.rounds();
        let agent = if place == 0 {
            stage.victim(rounds, round, strike)
        } else {
            bystander(stage, rounds, round, strike)
        };
        stage.waits(agent, &[next]);
    }
}

/// A thread behind which nobody stands.
fn bystander(
    stage: &mut Stage,
    rounds: u8,
    body: impl FnOnce(&mut Program<'_>),
    strike: impl FnOnce(&mut Program<'_>),
) -> crate::world::Agent {
    let (agent, rounds, work) = (stage.thread(), stage.count(rounds), stage.ms(2, 12));
    let goal = stage.goal;
    stage.world.program(agent, |p| {
        rounds.of(p, |p| {
            body(p);
            p.compute(work / 2, work);
            p.progress(goal, "round done");
        });
        strike(p);
    });
    agent
}

/// A thread takes a lock that it holds.
fn twice(stage: &mut Stage) {
    let lock = stage.object(ObjectKind::Mutex);
    stage.blame("UW001", true, &[lock]);
    let (rounds, call) = (stage.rounds(), stage.call(ObjectKind::Mutex));
    let agent = stage.victim(
        rounds,
        |p| {
            p.lock(call, lock);
            p.unlock(lock);
        },
        |p| {
            p.lock(call, lock);
            p.lock(call, lock);
        },
    );
    stage.waits(agent, &[lock]);
}

/// Two queues, each with a batch that waits for what a batch of the other would signal.
fn queues(stage: &mut Stage) {
    let (one, other) = (Gpu::new(stage), Gpu::new(stage));
    let of_one = stage.object(ObjectKind::BinarySemaphore);
    let of_other = stage.object(ObjectKind::BinarySemaphore);
    let (fence, rounds) = (stage.object(ObjectKind::Fence), stage.rounds());
    stage.blame("UW001", true, &[of_one, of_other]);
    one.serves(stage, rounds, &[fence], |p| {
        one.takes(p);
        p.wait("batch", &[of_other.into()]);
    });
    other.serves(stage, 0, &[], |p| {
        other.takes(p);
        p.wait("batch", &[of_one.into()]);
    });
    let agent = stage.victim(
        rounds,
        |p| frame(p, &one, fence),
        |p| {
            one.submit(p, &[of_one, fence]);
            other.submit(p, &[of_other]);
            wait(p, "vkWaitForFences", fence);
        },
    );
    stage.waits(agent, &[fence]);
    stage.waits(one.queue, &[of_other]);
    stage.waits(other.queue, &[of_one]);
}

/// A queue whose batch waits for what only a later one of its own would signal.
fn one_queue(stage: &mut Stage) {
    let gpu = Gpu::new(stage);
    let semaphore = stage.object(ObjectKind::BinarySemaphore);
    let (fence, rounds) = (stage.object(ObjectKind::Fence), stage.rounds());
    stage.blame("UW001", true, &[semaphore]);
    gpu.serves(stage, rounds, &[fence], |p| {
        gpu.takes(p);
        p.wait("batch", &[semaphore.into()]);
    });
    let agent = stage.victim(
        rounds,
        |p| frame(p, &gpu, fence),
        |p| {
            gpu.submit(p, &[fence]);
            gpu.submit(p, &[semaphore]);
            wait(p, "vkWaitForFences", fence);
        },
    );
    stage.waits(agent, &[fence]);
    stage.waits(gpu.queue, &[semaphore]);
}

/// Two threads that used to signal each other, and each waits for the other's signal now.
fn each_other(stage: &mut Stage) {
    let (there, back) = (stage.object(ObjectKind::Channel), stage.object(ObjectKind::Channel));
    stage.blame("UW001", true, &[there, back]);
    stage.shows_by_absence();
    let (rounds, call) = (stage.rounds(), stage.call(ObjectKind::Channel));
    let agent = stage.victim(
        rounds,
        |p| {
            p.signal(there);
            wait(p, call, back);
        },
        |p| wait(p, call, back),
    );
    let other = stage.thread();
    stage.world.daemon(other);
    stage.world.program(other, |p| {
        let top = p.mark_here();
        wait(p, call, there);
        p.signal(back);
        p.go(top);
    });
    stage.waits(agent, &[back]);
    stage.waits(other, &[there]);
}
