//! What can a lost event have ended, and who counts as somebody else? Each rule with the case that it must leave alone.

mod common;

use common::{World, point};
use unwedge_analyze::Verdict::{Inconclusive, Progressing, Wedged};
use unwedge_trace::{AgentId, AgentKind, AgentState, ObjectKind, Outcome, Point, What};

/// Two threads that hold a lock each and want the other's, since eight seconds ago.
fn deadlock() -> World {
    let mut world = World::new();
    let (one, other) = (world.thread(1, "one"), world.thread(2, "other"));
    let (a, b) =
        (world.object(ObjectKind::Mutex, 0x10, ""), world.object(ObjectKind::Mutex, 0x20, ""));
    world.ago(8_000).owes(one, Point::next(a), None).owes(other, Point::next(b), None);
    world.ago(7_900).waits(one, "pthread_mutex_lock", &[Point::next(b)]);
    world.waits(other, "pthread_mutex_lock", &[Point::next(a)]);
    world
}

#[test]
fn a_release_may_be_lost_only_after_the_lock_was_taken() {
    let mut world = deadlock();
    world.ago(9_000).lost(5);
    world.expect(Wedged, &["UW001"]);
    world.ago(7_000).lost(5);
    let report = world.expect(Inconclusive, &["UW001"]);
    assert!(report.missing[0].contains("10 events were lost"), "{:?}", report.missing);
}

#[test]
fn an_agent_that_acts_after_its_wait_began_is_not_accused_of_waiting_if_its_end_may_be_lost() {
    let mut world = World::new();
    let (render, queue) = (world.thread(1, "render"), world.queue(0x55d0));
    let fence = world.fence(0x5e, "");
    world.ago(9_000).submit(render, queue, 1, &[point(fence, 1)]);
    world.ago(8_990).waits(render, "vkWaitForFences", &[point(fence, 1)]);
    world.ago(8_950).lost(2);
    world.ago(8_900).passed(queue, 1);
    world.expect(Wedged, &["UW004"]);
    world.ago(8_800).progress(render, "frame presented");
    world.expect(Inconclusive, &["UW004"]);
}

#[test]
fn whoever_holds_a_lock_and_is_never_picked_is_starved() {
    let mut world = World::new();
    let (waiter, holder) = (world.thread(1, "waiter"), world.thread(2, "holder"));
    let hog = world.thread(3, "hog");
    let lock = world.object(ObjectKind::Mutex, 0x10, "");
    world.ago(9_000).owes(holder, Point::next(lock), None);
    world.ago(8_900).waits(waiter, "pthread_mutex_lock", &[Point::next(lock)]);
    world.ago(8_800).scheduled(holder, AgentState::Ready, 0, 0);
    world.expect(Inconclusive, &["UW008"]);
    world.ago(8_700).scheduled(hog, AgentState::Running, 0, 9);
    world.ago(10).progress(hog, "looked around");
    world.expect(Wedged, &["UW008"]);
}

/// A producer that takes its duty on in each turn and does not signal, and then waits for its timer since so many milliseconds.
fn producer(waits_ms: u64) -> World {
    let mut world = World::new();
    let (waiter, producer) = (world.thread(1, "waiter"), world.thread(2, "producer"));
    let event = world.object(ObjectKind::AutoResetEvent, 0x70, "");
    let timer = world.object(ObjectKind::Timer, 0x80, "");
    world.ago(9_500).waits(waiter, "wait", &[Point::next(event)]);
    for ago in (waits_ms..9_000).rev().step_by(50) {
        world.ago(ago).owes(producer, Point::next(event), None).progress(producer, "turn");
    }
    world.ago(waits_ms).waits(producer, "sleep", &[Point::next(timer)]);
    world
}

#[test]
fn a_silent_producer_may_wait_between_its_turns_but_not_for_long() {
    producer(20).expect(Wedged, &["UW013"]);
    producer(5_000).expect(Progressing, &[]);
}

fn thread_of(world: &mut World, pid: u32, tid: u32, name: &str) -> AgentId {
    let agent = world.agent(AgentKind::HostThread, name, tid);
    let kind = AgentKind::HostThread;
    world.event(agent, What::Agent { kind, name: name.to_owned(), pid, tid });
    agent
}

#[test]
fn a_thread_of_another_process_cannot_raise_a_counter_that_is_not_shared() {
    for (pid, verdict) in [(4300, Inconclusive), (77, Wedged)] {
        let mut world = World::new();
        let waiter = thread_of(&mut world, 4300, 1, "waiter");
        let other = thread_of(&mut world, pid, 2, "other");
        let jobs = world.timeline(0x7, "jobs");
        world.ago(7_210).waits(waiter, "vkWaitSemaphores", &[point(jobs, 1)]);
        world.ago(10).progress(other, "frame presented");
        world.expect(verdict, &["UW002"]);
    }
}

#[test]
fn polls_are_in_vain_whatever_another_process_gets_done() {
    for (pid, verdict, codes) in [(4300, Progressing, &[][..]), (77, Inconclusive, &["UW014"])] {
        let mut world = World::new();
        let poller = thread_of(&mut world, 4300, 1, "poller");
        let other = thread_of(&mut world, pid, 2, "other");
        let event = world.object(ObjectKind::AutoResetEvent, 0x70, "");
        world.ago(99_000).progress(poller, "frame swapped");
        world.polls(poller, "wait", event, 300, 30);
        world.ago(10).progress(other, "frame presented");
        world.expect(verdict, codes);
    }
}

#[test]
fn signals_of_which_none_was_ever_seen_are_not_missed() {
    let mut world = World::new();
    let render = world.thread(1, "render");
    let (fence, fresh) = (world.fence(0x5e, ""), world.fence(0x5f, ""));
    for n in 1..=2 {
        world.ago(9_000 - n).waits(render, "vkWaitForFences", &[point(fence, n)]);
        world.ended(render, Outcome::Reached);
    }
    world.ago(7_210).waits(render, "vkWaitForFences", &[point(fresh, 1)]);
    let report = world.expect(Inconclusive, &["UW002"]);
    assert!(report.missing[0].contains("none of them has a signal"), "{:?}", report.missing);
}

#[test]
fn a_fence_that_was_made_signalled_and_reset_was_reset() {
    let mut world = World::new();
    let render = world.thread(1, "render");
    let fence = world.fence(0x5e, "");
    world.ago(9_000).reset(render, fence);
    world.ago(8_900).waits(render, "vkWaitForFences", &[point(fence, 2)]);
    world.expect(Wedged, &["UW003"]);
}
