//! Is every wedge that the events prove found, and said well?

mod common;

use common::{Queue, World, point};
use unwedge_analyze::Verdict::{Progressing, Wedged};
use unwedge_trace::{
    AgentId, AgentKind, AgentState, Bound, MarkKind, Mode, ObjectId, ObjectKind, Outcome,
};

const WAIT_FENCES: &str = "vkWaitForFences";
const WAIT_SEMAPHORES: &str = "vkWaitSemaphores";

/// A thread, a queue and a fence.
fn frame() -> (World, AgentId, Queue, ObjectId) {
    let mut world = World::new();
    let render = world.thread(4312, "render");
    let queue = world.queue(0x55d0);
    let fence = world.fence(0x5e, "frame 2");
    (world, render, queue, fence)
}

#[test]
fn a_fence_that_no_submit_carries_is_never_submitted() {
    let (mut world, render, _, fence) = frame();
    world.ago(7210).waits(render, WAIT_FENCES, &[point(fence, 1)]);
    insta::assert_snapshot!(world.sentence(Wedged, "UW002"), @r#"thread 4312 "render" waits in vkWaitForFences for fence 0x5e "frame 2"; no submit carries it since it was created"#);
}

#[test]
fn a_failed_submit_that_names_the_fence_is_said() {
    let (mut world, render, _, fence) = frame();
    world.ago(7300).failed(render, "vkQueueSubmit2 returned VK_ERROR_OUT_OF_HOST_MEMORY", &[fence]);
    world.ago(7210).waits(render, WAIT_FENCES, &[point(fence, 1)]);
    insta::assert_snapshot!(world.sentence(Wedged, "UW002"), @r#"thread 4312 "render" waits in vkWaitForFences for fence 0x5e "frame 2"; no submit carries it since it was created; vkQueueSubmit2 returned VK_ERROR_OUT_OF_HOST_MEMORY"#);
}

#[test]
fn a_timeline_value_that_nobody_signals_is_never_submitted() {
    let (mut world, render, queue, _) = frame();
    let jobs = world.timeline(0x7, "jobs");
    world.ago(9000).submit(render, queue, 1, &[point(jobs, 4)]);
    world.ago(8990).passed(queue, 1).signalled(queue.agent, point(jobs, 4));
    world.ago(7210).waits(render, WAIT_SEMAPHORES, &[point(jobs, 5)]);
    insta::assert_snapshot!(world.sentence(Wedged, "UW002"), @r#"thread 4312 "render" waits in vkWaitSemaphores for timeline semaphore 0x7 "jobs" to reach 5; its value is 4 and no pending signal would raise it to 5"#);
}

#[test]
fn a_query_that_nothing_ends_is_never_submitted() {
    let (mut world, render, ..) = frame();
    let query = world.object(ObjectKind::Query, 0x9, "occlusion");
    world.ago(3000).waits(render, "vkGetQueryPoolResults", &[point(query, 1)]);
    insta::assert_snapshot!(world.sentence(Wedged, "UW002"), @r#"thread 4312 "render" waits in vkGetQueryPoolResults for query 0x9 "occlusion"; no submit ends or writes it"#);
}

#[test]
fn a_batch_that_waits_for_one_signal_too_many_is_told_through_the_queue() {
    let (mut world, render, queue, fence) = frame();
    let acquired = world.binary(0xa1, "acquired");
    world.ago(9000).submit(render, queue, 1, &[point(acquired, 1)]);
    world.ago(8990).passed(queue, 1).signalled(queue.agent, point(acquired, 1));
    world.ago(7300).submit(render, queue, 2, &[point(fence, 1)]);
    world.waits(queue.agent, "batch 2", &[point(acquired, 2)]);
    world.ago(7210).waits(render, WAIT_FENCES, &[point(fence, 1)]);
    insta::assert_snapshot!(world.sentence(Wedged, "UW002"), @r#"thread 4312 "render" waits in vkWaitForFences for fence 0x5e "frame 2"; queue 0x55d0 owes it with batch 2, which waits for semaphore 0xa1 "acquired"; it was signalled once and this wait needs one more"#);
}

#[test]
fn a_fence_reset_before_a_failed_acquire_names_the_acquire() {
    let (mut world, render, queue, fence) = frame();
    world.ago(9000).submit(render, queue, 1, &[point(fence, 1)]);
    world.ago(8990).passed(queue, 1).signalled(queue.agent, point(fence, 1));
    world.ago(5030).reset(render, fence);
    world.ago(5020).failed(render, "vkAcquireNextImageKHR returned VK_ERROR_OUT_OF_DATE_KHR", &[]);
    world.ago(5000).waits(render, WAIT_FENCES, &[point(fence, 2)]);
    let report = world.expect(Wedged, &["UW003"]);
    insta::assert_snapshot!(report.findings[0].sentence, @r#"thread 4312 "render" waits in vkWaitForFences for fence 0x5e "frame 2"; no submit carries it since it was reset 5.03 s ago, because vkAcquireNextImageKHR returned VK_ERROR_OUT_OF_DATE_KHR"#);
    insta::assert_snapshot!(report.findings[0].evidence.join("\n"), @r#"
    9.00 s ago: thread 4312 "render" submitted batch 1 of queue 0x55d0, which signals fence 0x5e "frame 2"
    8.99 s ago: queue 0x55d0 signalled fence 0x5e "frame 2"
    5.03 s ago: thread 4312 "render" reset fence 0x5e "frame 2"
    5.02 s ago: thread 4312 "render": vkAcquireNextImageKHR returned VK_ERROR_OUT_OF_DATE_KHR
    5.00 s ago: thread 4312 "render" began to wait in vkWaitForFences for fence 0x5e "frame 2"
    "#);
}

#[test]
fn a_failed_call_that_names_the_fence_goes_before_a_later_one() {
    let (mut world, render, _, fence) = frame();
    world.ago(9000).signalled(render, point(fence, 0));
    world.ago(5030).reset(render, fence);
    world.ago(5020).failed(render, "vkQueueSubmit returned VK_ERROR_DEVICE_LOST", &[fence]);
    world.ago(5010).failed(render, "vkQueuePresentKHR returned VK_SUBOPTIMAL_KHR", &[]);
    world.ago(5000).waits(render, WAIT_FENCES, &[point(fence, 1)]);
    let sentence = world.sentence(Wedged, "UW003");
    assert!(
        sentence.ends_with("because vkQueueSubmit returned VK_ERROR_DEVICE_LOST"),
        "{sentence}"
    );
}

#[test]
fn a_fence_reset_without_a_failure_was_not_submitted() {
    let (mut world, render, _, fence) = frame();
    world.ago(9000).signalled(render, point(fence, 0));
    world.ago(5030).reset(render, fence);
    world.ago(5000).waits(render, WAIT_FENCES, &[point(fence, 1)]);
    insta::assert_snapshot!(world.sentence(Wedged, "UW003"), @r#"thread 4312 "render" waits in vkWaitForFences for fence 0x5e "frame 2"; no submit carries it since it was reset 5.03 s ago: the submit was skipped"#);
}

#[test]
fn a_consumed_binary_semaphore_is_not_signalled_again() {
    let (mut world, render, queue, fence) = frame();
    let acquired = world.binary(0xa1, "acquired");
    world.ago(9000).signalled(render, point(acquired, 1));
    world.ago(8000).reset(queue.agent, acquired);
    world.ago(7300).submit(render, queue, 2, &[point(fence, 1)]);
    world.waits(queue.agent, "batch 2", &[point(acquired, 2)]);
    world.ago(7210).waits(render, WAIT_FENCES, &[point(fence, 1)]);
    insta::assert_snapshot!(world.sentence(Wedged, "UW003"), @r#"thread 4312 "render" waits in vkWaitForFences for fence 0x5e "frame 2"; queue 0x55d0 owes it with batch 2, which waits for semaphore 0xa1 "acquired"; its last signal was consumed 8.00 s ago and no submit signals it again: the submit was skipped"#);
}

#[test]
fn a_semaphore_that_a_failed_acquire_did_not_signal_names_the_acquire() {
    let (mut world, render, queue, fence) = frame();
    let acquired = world.binary(0xa1, "acquired");
    world.ago(9000).signalled(render, point(acquired, 1));
    world.ago(8000).reset(queue.agent, acquired);
    world.ago(7400).failed(render, "vkAcquireNextImageKHR returned VK_NOT_READY", &[]);
    world.ago(7300).submit(render, queue, 2, &[point(fence, 1)]);
    world.waits(queue.agent, "batch 2", &[point(acquired, 2)]);
    world.ago(7210).waits(render, WAIT_FENCES, &[point(fence, 1)]);
    let sentence = world.sentence(Wedged, "UW003");
    assert!(
        sentence.ends_with(", because vkAcquireNextImageKHR returned VK_NOT_READY"),
        "{sentence}"
    );
}

#[test]
fn introductions_may_come_last() {
    let (mut world, render, queue, fence) = frame();
    let introductions = std::mem::take(&mut world.events);
    world.ago(7300).submit(render, queue, 41, &[point(fence, 1)]);
    world.ago(7200).passed(queue, 41);
    world.ago(7210).waits(render, WAIT_FENCES, &[point(fence, 1)]);
    world.events.extend(introductions);
    world.expect(Wedged, &["UW004"]);
}

#[test]
fn a_fence_whose_batch_the_gpu_passed_lost_its_signal() {
    let (mut world, render, queue, fence) = frame();
    world.ago(7300).submit(render, queue, 41, &[point(fence, 1)]);
    world.ago(7200).passed(queue, 41);
    world.ago(7210).waits(render, WAIT_FENCES, &[point(fence, 1)]);
    let report = world.expect(Wedged, &["UW004"]);
    insta::assert_snapshot!(report.findings[0].sentence, @r#"thread 4312 "render" waits in vkWaitForFences for fence 0x5e "frame 2"; queue 0x55d0 finished batch 41, which signals it, at least 7.20 s ago, but the signal never showed"#);
    insta::assert_snapshot!(report.findings[0].evidence.join("\n"), @r#"
    7.30 s ago: thread 4312 "render" submitted batch 41 of queue 0x55d0, which signals fence 0x5e "frame 2"
    7.21 s ago: thread 4312 "render" began to wait in vkWaitForFences for fence 0x5e "frame 2"
    7.20 s ago: GPU passed batch 41 of queue 0x55d0
    "#);
}

#[test]
fn a_lost_signal_is_the_root_of_another_queues_wait() {
    let (mut world, render, queue, fence) = frame();
    let other = world.queue(0x66d0);
    let copied = world.timeline(0x7, "copied");
    world.ago(7400).submit(render, other, 3, &[point(copied, 3)]);
    world.ago(7300).submit(render, queue, 9, &[point(fence, 1)]);
    world.ago(7290).passed(other, 3).waits(queue.agent, "batch 9", &[point(copied, 3)]);
    world.ago(7210).waits(render, WAIT_FENCES, &[point(fence, 1)]);
    insta::assert_snapshot!(world.sentence(Wedged, "UW004"), @r#"thread 4312 "render" waits in vkWaitForFences for fence 0x5e "frame 2"; queue 0x55d0 owes it with batch 9, which waits for timeline semaphore 0x7 "copied" to reach 3; queue 0x66d0 finished batch 3, which signals it, at least 7.29 s ago, but the signal never showed"#);
}

#[test]
fn a_queue_behind_its_own_lost_signal_does_not_wait_for_itself() {
    let (mut world, render, queue, _) = frame();
    let done = world.timeline(0x7, "done");
    world.ago(7400).submit(render, queue, 1, &[point(done, 5)]);
    world.ago(7300).submit(render, queue, 2, &[point(done, 7)]);
    world.ago(7290).passed(queue, 1).waits(queue.agent, "batch 2", &[point(done, 5)]);
    world.ago(7210).waits(render, WAIT_SEMAPHORES, &[point(done, 5)]);
    world.expect(Wedged, &["UW004"]);
}

#[test]
fn an_injected_fault_is_named() {
    let (mut world, render, queue, fence) = frame();
    world.ago(7300).submit(render, queue, 41, &[point(fence, 1)]);
    world.mark(render, MarkKind::Injected, "drop-signal fence 1", &[fence]);
    world.ago(7200).passed(queue, 41);
    world.ago(7210).waits(render, WAIT_FENCES, &[point(fence, 1)]);
    let report = world.expect(Wedged, &["UW004"]);
    assert_eq!(report.injected, ["drop-signal fence 1"]);
    assert!(
        report.findings[0].sentence.ends_with(" (injected: drop-signal fence 1)"),
        "{report:#?}"
    );
    let evidence = report.findings[0].evidence.join("\n");
    assert!(
        evidence.contains("injected on fence 0x5e \"frame 2\": drop-signal fence 1"),
        "{evidence}"
    );
}

#[test]
fn a_queue_idle_that_does_not_return_though_all_batches_are_passed() {
    let (mut world, render, queue, _) = frame();
    world.ago(7300).submit(render, queue, 41, &[]);
    world.ago(7000).passed(queue, 41);
    world.ago(7210).waits(render, "vkQueueWaitIdle", &[queue.batch(41)]);
    insta::assert_snapshot!(world.sentence(Wedged, "UW004"), @r#"thread 4312 "render" waits in vkQueueWaitIdle for batch 41 of queue 0x55d0; the GPU passed it at least 7.00 s ago, but vkQueueWaitIdle has not returned"#);
}

#[test]
fn an_idle_engine_with_a_ready_batch_is_stalled() {
    let (mut world, render, queue, fence) = frame();
    world.ago(7300).submit(render, queue, 12, &[point(fence, 1)]);
    world.ago(7210).waits(render, WAIT_FENCES, &[point(fence, 1)]);
    world.ago(0).state(queue.agent, AgentState::Blocked, "GPU utilisation 0 %");
    insta::assert_snapshot!(world.sentence(Wedged, "UW006"), @r#"thread 4312 "render" waits in vkWaitForFences for fence 0x5e "frame 2"; queue 0x55d0 owes it with batch 12, and has not executed that batch for 7.30 s, though its waits are satisfied: the engine does nothing (GPU utilisation 0 %)"#);
}

#[test]
fn a_lost_device_is_gone() {
    let (mut world, render, queue, fence) = frame();
    world.ago(7300).submit(render, queue, 12, &[point(fence, 1)]);
    world.ago(7250).failed(render, "vkQueueSubmit2 returned VK_ERROR_DEVICE_LOST", &[queue.object]);
    world.state(queue.agent, AgentState::Exited, "");
    world.ago(7210).waits(render, WAIT_FENCES, &[point(fence, 1)]);
    insta::assert_snapshot!(world.sentence(Wedged, "UW007"), @r#"thread 4312 "render" waits in vkWaitForFences for fence 0x5e "frame 2"; queue 0x55d0 owes it with batch 12, and its device was lost 7.25 s ago: vkQueueSubmit2 returned VK_ERROR_DEVICE_LOST"#);
}

#[test]
fn a_worker_that_exited_was_the_only_one_to_signal() {
    let (mut world, render, ..) = frame();
    let worker = world.thread(4313, "loader");
    let loaded = world.timeline(0x7, "loaded");
    world.ago(9000).signalled(worker, point(loaded, 1));
    world.ago(8000).state(worker, AgentState::Exited, "");
    world.ago(7210).waits(render, WAIT_SEMAPHORES, &[point(loaded, 2)]);
    insta::assert_snapshot!(world.sentence(Wedged, "UW007"), @r#"thread 4312 "render" waits in vkWaitSemaphores for timeline semaphore 0x7 "loaded" to reach 2; nobody owes it, and only thread 4313 "loader" ever signalled it and has exited"#);
}

#[test]
fn two_threads_that_wait_for_each_others_signal_are_deadlocked() {
    let (mut world, render, ..) = frame();
    let worker = world.thread(4313, "loader");
    let (ask, answer) = (world.timeline(0x7, "ask"), world.timeline(0x8, "answer"));
    world.ago(9000).signalled(render, point(ask, 1)).signalled(worker, point(answer, 1));
    world.ago(7300).waits(worker, WAIT_SEMAPHORES, &[point(ask, 2)]);
    world.ago(7210).waits(render, WAIT_SEMAPHORES, &[point(answer, 2)]);
    insta::assert_snapshot!(world.sentence(Wedged, "UW001"), @r#"thread 4313 "loader" and thread 4312 "render" wait for each other: thread 4313 "loader" waits in vkWaitSemaphores for timeline semaphore 0x7 "ask" to reach 2, which thread 4312 "render" used to signal; thread 4312 "render" waits in vkWaitSemaphores for timeline semaphore 0x8 "answer" to reach 2, which thread 4313 "loader" used to signal"#);
}

#[test]
fn two_queues_that_wait_for_each_other_are_deadlocked() {
    let (mut world, render, queue, fence) = frame();
    let other = world.queue(0x66d0);
    let (one, two) = (world.timeline(0x7, ""), world.timeline(0x8, ""));
    world.ago(7400).submit(render, queue, 3, &[point(one, 1), point(fence, 1)]);
    world.waits(queue.agent, "batch 3", &[point(two, 1)]);
    world.submit(render, other, 5, &[point(two, 1)]);
    world.waits(other.agent, "batch 5", &[point(one, 1)]);
    world.ago(7210).waits(render, WAIT_FENCES, &[point(fence, 1)]);
    insta::assert_snapshot!(world.sentence(Wedged, "UW001"), @r#"thread 4312 "render" waits in vkWaitForFences for fence 0x5e "frame 2"; queue 0x55d0 and queue 0x66d0 wait for each other: batch 3 of queue 0x55d0 waits for timeline semaphore 0x8 to reach 1, which queue 0x66d0 owes with batch 5; batch 5 of queue 0x66d0 waits for timeline semaphore 0x7 to reach 1, which queue 0x55d0 owes with batch 3"#);
}

#[test]
fn a_queue_that_waits_for_its_own_later_batch_waits_for_itself() {
    let (mut world, render, queue, fence) = frame();
    let later = world.timeline(0x7, "later");
    world.ago(7400).submit(render, queue, 12, &[point(fence, 1)]);
    world.waits(queue.agent, "batch 12", &[point(later, 1)]);
    world.submit(render, queue, 13, &[point(later, 1)]);
    world.ago(7210).waits(render, WAIT_FENCES, &[point(fence, 1)]);
    insta::assert_snapshot!(world.sentence(Wedged, "UW001"), @r#"thread 4312 "render" waits in vkWaitForFences for fence 0x5e "frame 2"; queue 0x55d0 waits for itself: batch 12 of queue 0x55d0 waits for timeline semaphore 0x7 "later" to reach 1, which only its own batch 13 would signal"#);
}

#[test]
fn all_threads_in_waits_that_only_a_thread_could_end_are_a_closed_circle() {
    let (mut world, render, ..) = frame();
    let worker = world.thread(4313, "loader");
    let main = world.thread(4311, "main");
    let (ask, answer) = (world.timeline(0x7, "ask"), world.timeline(0x8, "answer"));
    world.ago(7300).waits(worker, WAIT_SEMAPHORES, &[point(ask, 1)]);
    world.ago(7210).waits(render, WAIT_SEMAPHORES, &[point(answer, 1)]);
    world.ago(7200).state(main, AgentState::Blocked, "joins thread 4312");
    insta::assert_snapshot!(world.sentence(Wedged, "UW001"), @r#"thread 4313 "loader" waits in vkWaitSemaphores for timeline semaphore 0x7 "ask" to reach 1 and thread 4312 "render" waits in vkWaitSemaphores for timeline semaphore 0x8 "answer" to reach 1; no queue owes these values, and every thread that could signal is itself waiting"#);
}

#[test]
fn with_a_thread_outside_the_circle_each_value_is_never_submitted() {
    let (mut world, render, ..) = frame();
    let worker = world.thread(4313, "loader");
    world.thread(4311, "main");
    let (ask, answer) = (world.timeline(0x7, "ask"), world.timeline(0x8, "answer"));
    world.ago(7300).waits(worker, WAIT_SEMAPHORES, &[point(ask, 1)]);
    world.ago(7210).waits(render, WAIT_SEMAPHORES, &[point(answer, 1)]);
    world.expect(Wedged, &["UW002", "UW002"]);
}

#[test]
fn mutexes_taken_in_two_orders_are_a_deadlock() {
    let (mut world, render, ..) = frame();
    let worker = world.thread(4313, "loader");
    let (a, b) =
        (world.object(ObjectKind::Mutex, 0x10, "a"), world.object(ObjectKind::Mutex, 0x20, "b"));
    world.ago(7400).owes(render, point(a, 1), None).owes(worker, point(b, 1), None);
    world.ago(7300).waits(render, "pthread_mutex_lock", &[point(b, 1)]);
    world.ago(7200).waits(worker, "pthread_mutex_lock", &[point(a, 1)]);
    insta::assert_snapshot!(world.sentence(Wedged, "UW001"), @r#"thread 4312 "render" and thread 4313 "loader" wait for each other: thread 4312 "render" waits in pthread_mutex_lock for mutex 0x20 "b", which thread 4313 "loader" holds; thread 4313 "loader" waits in pthread_mutex_lock for mutex 0x10 "a", which thread 4312 "render" holds"#);
}

#[test]
fn a_mutex_whose_owner_is_wedged_joins_the_owners_finding() {
    let (mut world, render, _, fence) = frame();
    let ui = world.thread(4311, "ui");
    let lock = world.object(ObjectKind::Mutex, 0x10, "");
    world.ago(7400).owes(render, point(lock, 1), None);
    world.ago(7300).waits(render, WAIT_FENCES, &[point(fence, 1)]);
    world.ago(7200).waits(ui, "pthread_mutex_lock", &[point(lock, 1)]);
    let report = world.expect(Wedged, &["UW002"]);
    assert_eq!(report.findings[0].also_waiting[0].tid, 4311);
}

#[test]
fn a_swapchain_without_an_owed_image_has_them_all_acquired() {
    let (mut world, render, ..) = frame();
    let swapchain = world.object(ObjectKind::Swapchain, 0x90, "window");
    world.ago(7300).mark(render, MarkKind::Log, "3 of 3 images are acquired", &[swapchain]);
    world.ago(7210).waits(render, "vkAcquireNextImageKHR", &[point(swapchain, 4)]);
    let report = world.expect(Wedged, &["UW010"]);
    insta::assert_snapshot!(report.findings[0].sentence, @r#"thread 4312 "render" waits in vkAcquireNextImageKHR for an image of swapchain 0x90 "window"; no image is with the presentation engine: the program holds them all"#);
    let evidence = report.findings[0].evidence.join("\n");
    assert!(evidence.contains("3 of 3 images are acquired"), "{evidence}");
}

#[test]
fn an_engine_that_sits_on_its_images_withholds_them() {
    let (mut world, render, ..) = frame();
    let swapchain = world.object(ObjectKind::Swapchain, 0x90, "window");
    let engine = world.engine();
    world.ago(7300).owes(engine, point(swapchain, 4), None);
    world.ago(7210).waits(render, "vkAcquireNextImageKHR", &[point(swapchain, 4)]);
    world.ago(0).state(engine, AgentState::Blocked, "fault");
    insta::assert_snapshot!(world.sentence(Wedged, "UW010"), @r#"thread 4312 "render" waits in vkAcquireNextImageKHR for an image of swapchain 0x90 "window"; the presentation engine withholds the images (fault)"#);
}

#[test]
fn an_engine_that_waits_for_a_batch_leads_to_the_queues_root() {
    let (mut world, render, queue, _) = frame();
    let swapchain = world.object(ObjectKind::Swapchain, 0x90, "window");
    let engine = world.engine();
    let drawn = world.timeline(0x7, "drawn");
    world.ago(7400).submit(render, queue, 8, &[]).waits(queue.agent, "batch 8", &[point(drawn, 1)]);
    world.ago(7300).owes(engine, point(swapchain, 4), Some(queue.batch(8)));
    world.ago(7210).waits(render, "vkAcquireNextImageKHR", &[point(swapchain, 4)]);
    insta::assert_snapshot!(world.sentence(Wedged, "UW002"), @r#"thread 4312 "render" waits in vkAcquireNextImageKHR for an image of swapchain 0x90 "window"; the presentation engine owes it once batch 8 of queue 0x55d0 has completed; that batch waits for timeline semaphore 0x7 "drawn" to reach 1; its value is 0 and no pending signal would raise it to 1"#);
}

#[test]
fn polls_are_a_wait() {
    let (mut world, render, _, fence) = frame();
    let polls = Bound::Polls(48_213);
    world.ago(7210).waits_as(render, "vkGetFenceStatus", &[point(fence, 1)], Mode::All, polls);
    insta::assert_snapshot!(world.sentence(Wedged, "UW002"), @r#"thread 4312 "render" waits in vkGetFenceStatus (polled 48213 times) for fence 0x5e "frame 2"; no submit carries it since it was created"#);
}

#[test]
fn one_reached_point_of_any_is_enough() {
    let (mut world, render, queue, fence) = frame();
    let other = world.fence(0x5f, "");
    world.ago(9000).submit(render, queue, 1, &[point(other, 1)]);
    world.ago(8000).passed(queue, 1).signalled(queue.agent, point(other, 1));
    let points = [point(fence, 1), point(other, 1)];
    world.ago(7210).waits_as(render, WAIT_FENCES, &points, Mode::Any, Bound::Infinite);
    world.expect(Progressing, &[]);
}

#[test]
fn several_fences_of_one_wait_are_one_finding() {
    let (mut world, render, _, fence) = frame();
    let (b, c) = (world.fence(0x5f, ""), world.fence(0x60, ""));
    let points = [point(fence, 1), point(b, 1), point(c, 1)];
    world.ago(7210).waits(render, WAIT_FENCES, &points);
    insta::assert_snapshot!(world.sentence(Wedged, "UW002"), @r#"thread 4312 "render" waits in vkWaitForFences for fence 0x5e "frame 2" (one of 3, all of which it needs); no submit carries it since it was created; and 2 more of its points alike"#);
}

#[test]
fn two_roots_are_two_findings_the_one_with_more_threads_first() {
    let (mut world, render, queue, fence) = frame();
    let (a, b) = (world.thread(4313, "a"), world.thread(4314, "b"));
    let lost = world.fence(0x5f, "");
    world.ago(9100).submit(render, queue, 1, &[point(lost, 1)]).ago(9090).passed(queue, 1);
    world.ago(9000).waits(render, WAIT_FENCES, &[point(fence, 1)]);
    world.ago(8000).waits(a, WAIT_FENCES, &[point(lost, 1)]);
    world.ago(7000).waits(b, WAIT_FENCES, &[point(lost, 1)]);
    let report = world.expect(Wedged, &["UW004", "UW002"]);
    assert_eq!(report.findings[0].waiter.as_ref().unwrap().tid, 4313);
    assert_eq!(report.findings[0].also_waiting.len(), 1);
}

#[test]
fn an_alias_joins_what_two_sources_call_by_two_names() {
    let (mut world, render, queue, fence) = frame();
    let kernel = world.object(ObjectKind::DmaFence, 0x99, "");
    world.event(render, unwedge_trace::What::Aliased { object: kernel, same_as: fence });
    world.ago(7300).submit(render, queue, 41, &[point(kernel, 1)]);
    world.ago(7200).passed(queue, 41);
    world.ago(7210).waits(render, WAIT_FENCES, &[point(fence, 1)]);
    world.expect(Wedged, &["UW004"]);
}

#[test]
fn a_wait_after_one_that_ended_counts_by_itself() {
    let (mut world, render, queue, fence) = frame();
    world.ago(9000).submit(render, queue, 1, &[point(fence, 1)]);
    world.waits(render, WAIT_FENCES, &[point(fence, 1)]);
    world.ago(8900).passed(queue, 1).ended(render, Outcome::Reached).reset(render, fence);
    world.ago(8000).waits(render, WAIT_FENCES, &[point(fence, 2)]);
    world.expect(Wedged, &["UW003"]);
}

#[test]
fn the_outside_that_closed_is_gone() {
    let (mut world, render, _, _) = frame();
    let outside = world.agent(AgentKind::Outside, "the compositor", 0);
    let fence = world.shared(ObjectKind::Fence, 0x77, "release");
    world.ago(8000).owes(outside, point(fence, 1), None);
    world.ago(7500).state(outside, AgentState::Exited, "connection closed");
    world.ago(7210).waits(render, WAIT_FENCES, &[point(fence, 1)]);
    insta::assert_snapshot!(world.sentence(Wedged, "UW007"), @r#"thread 4312 "render" waits in vkWaitForFences for fence 0x77 "release"; the compositor owes it, and it exited 7.50 s ago"#);
}
