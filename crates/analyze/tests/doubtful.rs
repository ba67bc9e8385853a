//! Is nobody accused, and nobody acquitted, where the evidence does not suffice?

mod common;

use common::{Queue, World, point};
use unwedge_analyze::Verdict::{Inconclusive, Progressing, Wedged};
use unwedge_trace::{
    AgentId, AgentKind, AgentState, Bound, MarkKind, Mode, ObjectId, ObjectKind, Outcome, What,
};

const WAIT_FENCES: &str = "vkWaitForFences";
const WAIT_SEMAPHORES: &str = "vkWaitSemaphores";

/// A thread that waits for a fence of batch 12, which nothing holds up.
fn pending() -> (World, AgentId, Queue, ObjectId) {
    let mut world = World::new();
    let render = world.thread(4312, "render");
    let queue = world.queue(0x55d0);
    let fence = world.fence(0x5e, "frame 2");
    world.ago(7300).submit(render, queue, 12, &[point(fence, 1)]);
    world.ago(7210).waits(render, WAIT_FENCES, &[point(fence, 1)]);
    (world, render, queue, fence)
}

#[test]
fn a_working_engine_is_busy_and_not_accused() {
    let (mut world, _, queue, _) = pending();
    world.ago(0).state(queue.agent, AgentState::Running, "GPU utilisation 100 %");
    insta::assert_snapshot!(world.sentence(Inconclusive, "UW005"), @r#"thread 4312 "render" waits in vkWaitForFences for fence 0x5e "frame 2"; queue 0x55d0 owes it with batch 12, and still executes that batch after 7.30 s; its waits are satisfied and the engine is working (GPU utilisation 100 %)"#);
}

#[test]
fn an_engine_that_cannot_be_seen_is_said_to_be_so() {
    let (mut world, _, queue, _) = pending();
    world.ago(0).state(queue.agent, AgentState::Unknown, "");
    let report = world.expect(Inconclusive, &["UW005"]);
    insta::assert_snapshot!(report.findings[0].sentence, @r#"thread 4312 "render" waits in vkWaitForFences for fence 0x5e "frame 2"; queue 0x55d0 owes it with batch 12, and has not finished that batch after 7.30 s; whether its engine works is not observable here"#);
    insta::assert_snapshot!(report.missing.join("\n"), @"whether the engine of queue 0x55d0 works");
}

#[test]
fn without_breadcrumbs_busy_and_lost_are_not_told_apart() {
    let (mut world, render, queue, _) = pending();
    world.ago(0).state(queue.agent, AgentState::Running, "");
    world.mark(render, MarkKind::Unobserved, "queue 0x55d0 leaves no breadcrumbs", &[queue.object]);
    let report = world.expect(Inconclusive, &["UW005"]);
    insta::assert_snapshot!(report.findings[0].sentence, @r#"thread 4312 "render" waits in vkWaitForFences for fence 0x5e "frame 2"; queue 0x55d0 owes it with batch 12, and is still executing that batch after 7.30 s, or finished with its signal lost: no breadcrumbs tell the two apart"#);
    assert!(report.missing.iter().any(|text| text == "queue 0x55d0 leaves no breadcrumbs"));
}

#[test]
fn an_idle_engine_without_breadcrumbs_is_not_accused_of_stalling() {
    let (mut world, render, queue, _) = pending();
    world.ago(0).state(queue.agent, AgentState::Blocked, "GPU utilisation 0 %");
    world.mark(render, MarkKind::Unobserved, "queue 0x55d0 leaves no breadcrumbs", &[queue.object]);
    insta::assert_snapshot!(world.sentence(Inconclusive, "UW005"), @r#"thread 4312 "render" waits in vkWaitForFences for fence 0x5e "frame 2"; queue 0x55d0 owes it with batch 12, and is stuck at that batch with an idle engine (GPU utilisation 0 %) after 7.30 s, or finished with its signal lost: no breadcrumbs tell the two apart"#);
}

#[test]
fn a_busy_queue_at_an_earlier_batch_names_both() {
    let (mut world, render, queue, _) = pending();
    let later = world.fence(0x5f, "");
    world.ago(7100).submit(render, queue, 13, &[point(later, 1)]);
    let worker = world.thread(4313, "loader");
    world.ago(7000).waits(worker, WAIT_FENCES, &[point(later, 1)]);
    world.ago(0).state(queue.agent, AgentState::Running, "GPU utilisation 100 %");
    let report = world.expect(Inconclusive, &["UW005"]);
    assert_eq!(report.findings[0].also_waiting[0].tid, 4313);
}

#[test]
fn an_engine_of_a_hidden_window_is_not_accused() {
    let mut world = World::new();
    let render = world.thread(4312, "render");
    let swapchain = world.object(ObjectKind::Swapchain, 0x90, "window");
    let engine = world.engine();
    world.ago(7300).owes(engine, point(swapchain, 4), None);
    world.state(engine, AgentState::Unknown, "Wayland");
    world.ago(7210).waits(render, "vkAcquireNextImageKHR", &[point(swapchain, 4)]);
    insta::assert_snapshot!(world.sentence(Inconclusive, "UW010"), @r#"thread 4312 "render" waits in vkAcquireNextImageKHR for an image of swapchain 0x90 "window"; the presentation engine holds every image (Wayland), and whether it will give one back is not observable here: a hidden window may get none"#);
}

#[test]
fn a_fence_that_the_presentation_engine_owes_is_beyond_sight() {
    let mut world = World::new();
    let render = world.thread(4312, "render");
    let fence = world.fence(0x5e, "acquired");
    let engine = world.engine();
    world.ago(7300).owes(engine, point(fence, 1), None);
    world.ago(7210).waits(render, WAIT_FENCES, &[point(fence, 1)]);
    insta::assert_snapshot!(world.sentence(Inconclusive, "UW015"), @r#"thread 4312 "render" waits in vkWaitForFences for fence 0x5e "acquired"; the presentation engine owes it and has not delivered: the chain leaves what is observed"#);
}

#[test]
fn a_debtor_outside_is_named_and_not_accused() {
    let mut world = World::new();
    let render = world.thread(4312, "render");
    let outside = world.agent(AgentKind::Outside, "", 0);
    let fence = world.fence(0x5e, "imported");
    world.ago(7300).owes(outside, point(fence, 1), None);
    world.ago(7210).waits(render, WAIT_FENCES, &[point(fence, 1)]);
    insta::assert_snapshot!(world.sentence(Inconclusive, "UW015"), @r#"thread 4312 "render" waits in vkWaitForFences for fence 0x5e "imported"; somebody outside owes it and has not delivered: the chain leaves what is observed"#);
}

#[test]
fn a_shared_semaphore_that_nobody_inside_owes_is_beyond_sight() {
    let mut world = World::new();
    let render = world.thread(4312, "render");
    let shared = world.shared(ObjectKind::TimelineSemaphore, 0x7, "from the encoder");
    world.ago(7210).waits(render, WAIT_SEMAPHORES, &[point(shared, 9)]);
    insta::assert_snapshot!(world.sentence(Inconclusive, "UW015"), @r#"thread 4312 "render" waits in vkWaitSemaphores for timeline semaphore 0x7 "from the encoder" to reach 9; it is shared with the outside, and nobody inside owes it: the chain leaves what is observed"#);
}

#[test]
fn a_shared_semaphore_that_a_queue_inside_owes_has_that_debtor() {
    let (mut world, render, queue, _) = pending();
    let shared = world.shared(ObjectKind::TimelineSemaphore, 0x7, "");
    let worker = world.thread(4313, "loader");
    world.ago(7200).submit(render, queue, 13, &[point(shared, 1)]);
    world.ago(7100).waits(worker, WAIT_SEMAPHORES, &[point(shared, 1)]);
    world.ago(0).state(queue.agent, AgentState::Blocked, "GPU utilisation 0 %");
    world.expect(Wedged, &["UW006"]);
}

#[test]
fn a_mutex_with_a_live_owner_names_the_owner() {
    let mut world = World::new();
    let ui = world.thread(4311, "ui");
    let worker = world.thread(4313, "loader");
    let lock = world.object(ObjectKind::Mutex, 0x10, "");
    world.ago(8000).owes(worker, point(lock, 1), None);
    world.ago(7210).waits(ui, "pthread_mutex_lock", &[point(lock, 1)]);
    world.state(ui, AgentState::Blocked, "in futex");
    world.ago(0).state(worker, AgentState::Blocked, "in read");
    insta::assert_snapshot!(world.sentence(Inconclusive, "UW016"), @r#"thread 4311 "ui" waits in pthread_mutex_lock for mutex 0x10; thread 4313 "loader" has held it for 8.00 s and is in no observed wait (in read), and nothing observed is waited for"#);
}

#[test]
fn a_mutex_without_a_known_owner_accuses_nobody() {
    let mut world = World::new();
    let ui = world.thread(4311, "ui");
    let lock = world.object(ObjectKind::Mutex, 0x10, "");
    world.ago(7210).waits(ui, "pthread_mutex_lock", &[point(lock, 1)]);
    insta::assert_snapshot!(world.sentence(Inconclusive, "UW016"), @r#"thread 4311 "ui" waits in pthread_mutex_lock for mutex 0x10; who holds it is not known, and nothing observed is waited for"#);
}

#[test]
fn not_a_wait_is_told_only_where_nothing_else_is_found() {
    let (mut world, render, _, _) = pending();
    let never = world.fence(0x60, "");
    let (ui, other) = (world.thread(4311, "ui"), world.thread(4313, "other"));
    let lock = world.object(ObjectKind::Mutex, 0x10, "");
    world.ago(7200).waits(ui, "pthread_mutex_lock", &[point(lock, 1)]);
    world.waits(other, WAIT_FENCES, &[point(never, 1)]);
    world.ago(1000).ended(render, Outcome::Reached);
    world.expect(Wedged, &["UW002"]);
}

#[test]
fn an_object_that_was_never_introduced_is_not_accused() {
    let mut world = World::new();
    let render = world.thread(4312, "render");
    world.ago(7210).waits(render, WAIT_FENCES, &[point(ObjectId(99), 1)]);
    insta::assert_snapshot!(world.sentence(Inconclusive, "UW015"), @r#"thread 4312 "render" waits in vkWaitForFences for object #99; nothing is known of that object: the chain leaves what is observed"#);
}

#[test]
fn a_queue_idle_behind_an_earlier_batch_names_it() {
    let mut world = World::new();
    let render = world.thread(4312, "render");
    let queue = world.queue(0x55d0);
    world.ago(7300).submit(render, queue, 12, &[]).submit(render, queue, 13, &[]);
    world.ago(7210).waits(render, "vkQueueWaitIdle", &[queue.batch(13)]);
    world.ago(0).state(queue.agent, AgentState::Running, "");
    insta::assert_snapshot!(world.sentence(Inconclusive, "UW005"), @r#"thread 4312 "render" waits in vkQueueWaitIdle for batch 13 of queue 0x55d0; the queue still executes batch 12 after 7.30 s; its waits are satisfied and the engine is working"#);
}

#[test]
fn lost_events_turn_an_absence_into_doubt() {
    let mut world = World::new();
    let render = world.thread(4312, "render");
    let fence = world.fence(0x5e, "");
    world.ago(8000).lost(142);
    world.ago(7210).waits(render, WAIT_FENCES, &[point(fence, 1)]);
    let report = world.expect(Inconclusive, &["UW002"]);
    insta::assert_snapshot!(report.missing.join("\n"), @"142 events were lost, and what is looked for may be among them");
}

#[test]
fn lost_events_do_not_weaken_what_was_seen() {
    let (mut world, _, queue, _) = pending();
    world.ago(7200).lost(142).passed(queue, 12);
    world.expect(Wedged, &["UW004"]);
}

#[test]
fn lost_events_forbid_acquittal_of_an_old_wait() {
    let mut world = World::new();
    let main = world.thread(4311, "main");
    let worker = world.thread(4313, "worker");
    let jobs = world.timeline(0x7, "jobs");
    world.ago(9000).signalled(main, point(jobs, 4)).lost(1);
    world.ago(7210).waits(worker, WAIT_SEMAPHORES, &[point(jobs, 5)]);
    world.expect(Inconclusive, &[]);
}

#[test]
fn lost_events_without_an_old_wait_are_no_hang() {
    let mut world = World::new();
    world.thread(4311, "main");
    world.ago(9000).lost(1);
    world.expect(Progressing, &[]);
}

#[test]
fn an_unobserved_kind_of_signal_is_not_accused() {
    let mut world = World::new();
    let render = world.thread(4312, "render");
    let fence = world.fence(0x5e, "");
    world.event(render, What::Coverage { kind: ObjectKind::Fence, reached: 1000, explained: 900 });
    world.ago(7210).waits(render, WAIT_FENCES, &[point(fence, 1)]);
    let report = world.expect(Inconclusive, &["UW002"]);
    insta::assert_snapshot!(report.missing.join("\n"), @"who signals a fence: of 1000 waits on one that succeeded only 900 have a signal on record");
}

#[test]
fn coverage_is_counted_where_the_source_does_not_tell_it() {
    let mut world = World::new();
    let render = world.thread(4312, "render");
    let fence = world.fence(0x5e, "");
    for n in 1..=20 {
        world.ago(9000 - n).waits(render, WAIT_FENCES, &[point(fence, n)]);
        world.ended(render, Outcome::Reached);
    }
    world.ago(7210).waits(render, WAIT_FENCES, &[point(fence, 21)]);
    world.expect(Inconclusive, &["UW002"]);
}

#[test]
fn a_value_that_a_live_thread_may_yet_signal_is_doubted() {
    let mut world = World::new();
    let main = world.thread(4311, "main");
    let worker = world.thread(4313, "worker");
    let jobs = world.timeline(0x7, "jobs");
    world.ago(7210).waits(worker, WAIT_SEMAPHORES, &[point(jobs, 1)]);
    world.ago(10).progress(main, "frame presented");
    world.expect(Inconclusive, &["UW002"]);
}

#[test]
fn a_value_that_only_another_wait_tells_of_makes_nobody_unwoken() {
    let mut world = World::new();
    let (waiter, other) = (world.thread(1, "waiter"), world.thread(2, "other"));
    let event = world.object(ObjectKind::Event, 0x70, "ready");
    world.ago(9000).waits(other, "wait", &[point(event, 1)]).ended(other, Outcome::Reached);
    world.ago(8000).waits(waiter, "wait", &[point(event, 1)]);
    let report = world.expect(Progressing, &[]);
    assert!(report.agents.iter().all(|agent| !agent.wedged), "{report:#?}");
}

/// A signal that a wait for any of several may have taken, and a thread that waits for the next one.
#[track_caller]
fn check_taken_perhaps(kind: ObjectKind) {
    let mut world = World::new();
    let worker = world.thread(4313, "worker");
    let idle = world.thread(4312, "idle");
    let (work, stop) =
        (world.object(kind, 0x10, "work"), world.object(ObjectKind::AutoResetEvent, 0x20, "stop"));
    let next = unwedge_trace::Point::next;
    world.ago(9000).signalled(idle, next(work));
    let points = [next(work), next(stop)];
    world.ago(8900).waits_as(worker, "wait", &points, Mode::Any, Bound::Infinite);
    world.ago(8890).event(worker, What::WaitEnded { outcome: Outcome::Reached });
    world.ago(8000).waits(worker, "wait", &[next(work)]);
    world.expect(Progressing, &[]);
}

#[test]
fn what_a_wait_for_any_of_several_may_have_taken_is_not_said_to_be_there() {
    check_taken_perhaps(ObjectKind::AutoResetEvent);
    check_taken_perhaps(ObjectKind::CountingSemaphore);
    check_taken_perhaps(ObjectKind::Timer);
}
