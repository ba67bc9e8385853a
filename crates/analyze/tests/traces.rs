//! What only a trace of signals without numbers, of a scheduler or of polls shows: is it found, and is its healthy twin left in peace?

mod common;

use common::World;
use unwedge_analyze::Verdict::{Inconclusive, Progressing, Wedged};
use unwedge_trace::{AgentKind, AgentState, ObjectKind, Outcome, Point, What};

/// A main thread that waits for what a frame thread used to signal.
struct Frames {
    world: World,
    main: unwedge_trace::AgentId,
    frame: unwedge_trace::AgentId,
}

fn frames() -> Frames {
    let mut world = World::new();
    let main = world.agent(AgentKind::GuestThread, "main", 1);
    let frame = world.agent(AgentKind::GuestThread, "frames", 8);
    let done = world.object(ObjectKind::AutoResetEvent, 0x10e8, "");
    for ago in [99_900, 99_800, 99_700] {
        world.ago(ago).waits(main, "KeWaitForSingleObject", &[Point::next(done)]);
        world.ago(ago - 1).signalled(frame, Point::next(done)).progress(frame, "frame swapped");
        world.ended(main, Outcome::Reached);
    }
    world.ago(99_000).waits(main, "KeWaitForSingleObject", &[Point::next(done)]);
    Frames { world, main, frame }
}

#[test]
fn a_debtor_that_is_ready_and_never_picked_is_starved() {
    let Frames { mut world, frame, .. } = frames();
    let poller = world.agent(AgentKind::GuestThread, "poller", 7);
    let clock = world.object(ObjectKind::AutoResetEvent, 0xbe8c_bb5c, "");
    world.ago(99_000).scheduled(frame, AgentState::Ready, 4, 0);
    world.scheduled(poller, AgentState::Running, 4, 17);
    world.polls(poller, "KeWaitForSingleObject", clock, 300, 30);
    world.progress(poller, "looked around");
    let report = world.expect(Wedged, &["UW008"]);
    insta::assert_snapshot!(report.findings[0].sentence);
}

#[test]
fn among_hundreds_of_sleepers_the_wedge_map_begins_with_who_is_stuck() {
    let Frames { mut world, main, frame } = frames();
    for tid in 100..400 {
        let sleeper = world.ago(99_950).agent(AgentKind::GuestThread, "", tid);
        world.waits(sleeper, "KeDelayExecutionThread", &[]);
    }
    let poller = world.agent(AgentKind::GuestThread, "poller", 7);
    let clock = world.object(ObjectKind::AutoResetEvent, 0xbe8c_bb5c, "");
    world.ago(99_000).scheduled(frame, AgentState::Ready, 4, 0);
    world.scheduled(poller, AgentState::Running, 4, 17);
    world.polls(poller, "KeWaitForSingleObject", clock, 300, 30);
    world.progress(poller, "looked around");
    let statistics = world.expect(Wedged, &["UW008"]).statistics;
    assert_eq!((statistics.wedge_map.len(), statistics.wedge_map_more), (256, 302 - 256));
    let first = &statistics.wedge_map[0];
    assert_eq!((first.agent, first.wedged), (main.0, true));
    assert_eq!(first.woken.map(|woken| (woken.times, woken.longest_ms)), Some((3, 1.0)));
    let gaps = &statistics.rates.iter().find(|rate| rate.what == "waits").unwrap().gaps;
    assert_eq!(gaps.iter().map(|bucket| bucket.count).sum::<u64>(), 299, "{gaps:?}");
}

#[test]
fn what_is_ready_for_a_moment_or_picked_now_and_then_is_not_starved() {
    let Frames { mut world, frame, .. } = frames();
    world.ago(500).scheduled(frame, AgentState::Ready, 4, 0);
    world.expect(Progressing, &[]);
    world.ago(400).scheduled(frame, AgentState::Running, 4, 0);
    world.ago(300).scheduled(frame, AgentState::Ready, 4, 0);
    world.expect(Progressing, &[]);
}

#[test]
fn polls_in_vain_are_a_livelock_only_once_nothing_gets_done() {
    let Frames { mut world, frame, main, .. } = frames();
    world.ended(main, Outcome::Reached);
    let clock = world.object(ObjectKind::AutoResetEvent, 0xbe8c_bb5c, "");
    world.polls(frame, "KeWaitForSingleObject", clock, 300, 30);
    let report = world.expect(Inconclusive, &["UW014"]);
    insta::assert_snapshot!(report.findings[0].sentence);
    world.ago(100).progress(main, "frame swapped");
    world.expect(Progressing, &[]);
}

#[test]
fn a_signal_that_is_there_and_a_waiter_that_sleeps_on_is_a_lost_wake_up() {
    for (kind, verdict) in [(ObjectKind::Event, Wedged), (ObjectKind::AutoResetEvent, Inconclusive)]
    {
        let mut world = World::new();
        let (waiter, other) = (world.thread(1, "waiter"), world.thread(2, "other"));
        let event = world.object(kind, 0x70, "ready");
        world.ago(9_000).waits(waiter, "wait", &[Point::next(event)]);
        world.ago(8_000).signalled(other, Point::next(event));
        let report = world.expect(verdict, &["UW009"]);
        insta::assert_snapshot!(format!("{kind:?}"), report.findings[0].sentence);
        // A third one took it: the waiter waits for the next.
        let third = world.thread(3, "third");
        world.ago(7_990).waits(third, "wait", &[Point::next(event)]).ended(third, Outcome::Reached);
        if kind == ObjectKind::AutoResetEvent {
            world.expect(Progressing, &[]);
        }
        world.ago(7_000).reset(other, event);
        world.expect(Progressing, &[]);
    }
}

#[test]
fn a_signal_before_the_wait_counts_where_it_stays() {
    for (kind, codes) in [(ObjectKind::Event, &["UW009"][..]), (ObjectKind::Condition, &[])] {
        let mut world = World::new();
        let (waiter, other) = (world.thread(1, "waiter"), world.thread(2, "other"));
        let object = world.object(kind, 0x70, "");
        world.ago(9_000).signalled(other, Point::next(object));
        world.ago(8_000).waits(waiter, "wait", &[Point::next(object)]);
        let verdict = if codes.is_empty() { Progressing } else { Wedged };
        world.expect(verdict, codes);
    }
}

#[test]
fn a_producer_that_runs_and_never_signals_is_silent() {
    let mut world = World::new();
    let waiter = world.agent(AgentKind::GuestThread, "waiter", 7);
    let vsync = world.agent(AgentKind::Interrupt, "vsync", 0);
    let event = world.object(ObjectKind::AutoResetEvent, 0xbe8c_bb5c, "");
    world.ago(20_000).waits(waiter, "KeWaitForSingleObject", &[Point::next(event)]);
    for ago in (0..600).rev() {
        world
            .ago(1_000 + ago * 16)
            .owes(vsync, Point::next(event), None)
            .progress(vsync, "callback ran");
    }
    let report = world.expect(Wedged, &["UW013"]);
    insta::assert_snapshot!(report.findings[0].sentence);
    world.ago(900).signalled(vsync, Point::next(event)).ended(waiter, Outcome::Reached);
    world.ago(800).waits(waiter, "KeWaitForSingleObject", &[Point::next(event)]);
    world.expect(Progressing, &[]);
}

#[test]
fn every_holder_of_a_block_is_named() {
    let mut world = World::new();
    let render = world.thread(1, "render");
    let (spice, blit) = (world.thread(2, "spice_gl_refresh"), world.thread(3, "iosurface blit"));
    let block = world.object(ObjectKind::Block, 0x1, "renderer_blocked");
    world.ago(9_500).owes(spice, Point::next(block), None);
    world.ago(9_000).owes(blit, Point::next(block), None);
    world.ago(8_000).waits(render, "virtio_gpu_process_cmdq", &[Point::next(block)]);
    let report = world.expect(Inconclusive, &["UW012"]);
    insta::assert_snapshot!(report.findings[0].sentence);
    world.ago(7_000).signalled(spice, Point::next(block));
    let report = world.expect(Inconclusive, &["UW012"]);
    assert!(report.findings[0].sentence.contains("blit"), "{}", report.findings[0].sentence);
}

#[test]
fn locks_without_numbers_make_a_deadlock_and_may_be_taken_twice() {
    let mut world = World::new();
    let (one, other) = (world.thread(1, "one"), world.thread(2, "other"));
    let (left, right) =
        (world.object(ObjectKind::Mutex, 0xa, ""), world.object(ObjectKind::Mutex, 0xb, ""));
    let next = Point::next;
    world
        .ago(9_900)
        .owes(one, next(left), None)
        .owes(one, next(left), None)
        .signalled(one, next(left));
    world.owes(other, next(right), None);
    world.ago(9_000).waits(one, "lock", &[next(right)]).waits(other, "lock", &[next(left)]);
    world.expect(Wedged, &["UW001"]);
    // Its second release lets the other go on.
    world.ago(8_000).signalled(one, next(left));
    let report = world.report();
    assert_ne!(report.verdict, Wedged, "{report:#?}");
}

#[test]
fn an_idle_worker_is_idle_however_long_it_waits() {
    for kind in
        [ObjectKind::Event, ObjectKind::CountingSemaphore, ObjectKind::Futex, ObjectKind::Channel]
    {
        let mut world = World::new();
        let worker = world.thread(1, "worker");
        let quit = world.object(kind, 0x70, "quit");
        world.ago(90_000).waits(worker, "wait", &[Point::next(quit)]);
        let report = world.report();
        assert_ne!(report.verdict, Wedged, "{kind:?}");
        assert!(report.findings.is_empty() || kind == ObjectKind::Futex, "{kind:?}: {report:#?}");
    }
}

#[test]
fn a_source_that_sees_every_signal_may_say_that_nobody_will_signal() {
    let mut world = World::new();
    let task = world.agent(AgentKind::Task, "main.worker", 7);
    let channel = world.object(ObjectKind::Channel, 0xc000, "");
    world.ago(90_000).waits(task, "chan receive", &[Point::next(channel)]);
    world.event(task, What::Coverage { kind: ObjectKind::Channel, reached: 0, explained: 0 });
    world.expect(Wedged, &["UW002"]);
}
