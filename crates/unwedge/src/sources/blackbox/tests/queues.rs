//! Queues: presents that carry no breadcrumb, circles of batches, and calls that wait for a queue.

use unwedge_trace::blackbox::Call;

use super::rig::{Batch, DEVICE, MAIN, Rig, ago, set};
use crate::sources::observations::EngineSeen;

const FENCE: u64 = 0x5e;
const SWAPCHAIN: u64 = 0x33;

fn idle_rig() -> Rig {
    let mut rig = Rig::new();
    rig.engine(EngineSeen::Idle("0 % busy".to_owned()));
    rig
}

fn present<'a>(waits: &'a [(u64, u64)]) -> Batch<'a> {
    Batch { waits, flags: 0, swapchain: SWAPCHAIN, ..Batch::default() }
}

#[test]
fn a_queue_without_work_is_healthy() {
    let rig = idle_rig();
    rig.submit(0, &Batch::default());
    rig.passed(0, 1, 4_000);
    rig.is_healthy();
}

#[test]
fn a_present_passes_when_its_waits_are_satisfied() {
    let rig = idle_rig();
    rig.binary(0x5a);
    rig.fence(FENCE);
    rig.submit(0, &Batch { signals: &[(0x5a, 0)], ..Batch::default() });
    rig.submit(0, &present(&[(0x5a, 0)]));
    rig.passed(0, 1, 4_000);
    rig.wait(MAIN, Call::QueueWaitIdle, &[(0x91, 2)], 3_000);
    // Nothing is left to do, and the call does not return.
    rig.is_wedged("UW004", &["vkQueueWaitIdle", "has not returned"]);
    rig.submit(0, &Batch { fence: FENCE, ..Batch::default() });
    rig.wait_fence(FENCE);
    rig.is_wedged("UW006", &["owes it with batch 3", "has not executed that batch"]);
}

#[test]
fn a_present_does_not_pass_before_another_queues_work() {
    let rig = idle_rig();
    rig.queue(1, DEVICE, 0x92);
    rig.binary(0x5a);
    rig.submit(1, &Batch { signals: &[(0x5a, 0)], ..Batch::default() });
    rig.submit(0, &present(&[(0x5a, 0)]));
    rig.wait(MAIN, Call::QueueWaitIdle, &[(0x91, 1)], 3_000);
    rig.is_wedged("UW006", &["that batch waits for semaphore 0x5a", "queue 0x92"]);
}

#[test]
fn a_present_does_not_pass_before_the_work_ahead_of_it() {
    let rig = idle_rig();
    rig.submit(0, &Batch::default());
    rig.submit(0, &present(&[]));
    rig.wait(MAIN, Call::QueueWaitIdle, &[(0x91, 2)], 3_000);
    rig.is_wedged("UW006", &["has not executed batch 1"]);
}

#[test]
fn a_present_waits_for_the_semaphore_of_a_failed_acquire() {
    let rig = idle_rig();
    rig.binary(0x5a);
    rig.submit(0, &Batch { ms_ago: 3_000, ..present(&[(0x5a, 0)]) });
    rig.wait(MAIN, Call::QueuePresent, &[(SWAPCHAIN, 1)], 3_000);
    rig.is_wedged("UW002", &["vkQueuePresentKHR", "semaphore 0x5a", "no submit signals it"]);
}

#[test]
fn a_queue_that_waits_for_itself() {
    let rig = idle_rig();
    rig.timeline(0x5a, 0);
    rig.fence(FENCE);
    rig.submit(0, &Batch { waits: &[(0x5a, 1)], fence: FENCE, ..Batch::default() });
    rig.submit(0, &Batch { signals: &[(0x5a, 1)], ..Batch::default() });
    rig.wait_fence(FENCE);
    rig.is_wedged("UW001", &["queue 0x91", "waits for itself", "only its own batch 2"]);
    rig.wait(MAIN, Call::QueueWaitIdle, &[(0x91, 2)], 3_000);
    rig.is_wedged("UW001", &["vkQueueWaitIdle", "waits for itself"]);
}

#[test]
fn two_queues_that_wait_for_each_other() {
    let rig = idle_rig();
    rig.queue(1, DEVICE, 0x92);
    rig.timeline(0x5a, 0);
    rig.timeline(0x5b, 0);
    rig.fence(FENCE);
    rig.submit(0, &Batch { waits: &[(0x5a, 1)], signals: &[(0x5b, 1)], ..Batch::default() });
    let waits = &[(0x5b, 1)];
    rig.submit(1, &Batch { waits, signals: &[(0x5a, 1)], fence: FENCE, ..Batch::default() });
    rig.wait_fence(FENCE);
    rig.is_wedged("UW001", &["queue 0x91", "queue 0x92", "wait for each other"]);
    rig.wait(MAIN, Call::DeviceWaitIdle, &[(0x91, 1), (0x92, 1)], 3_000);
    rig.is_wedged("UW001", &["vkDeviceWaitIdle", "wait for each other"]);
}

#[test]
fn a_chain_of_queues_leads_to_the_last() {
    let rig = idle_rig();
    rig.queue(1, DEVICE, 0x92);
    rig.timeline(0x5a, 0);
    rig.fence(FENCE);
    rig.submit(0, &Batch { waits: &[(0x5a, 1)], fence: FENCE, ..Batch::default() });
    rig.submit(1, &Batch { signals: &[(0x5a, 1)], ..Batch::default() });
    rig.wait_fence(FENCE);
    rig.is_wedged("UW006", &["queue 0x91", "timeline semaphore 0x5a to reach 1", "queue 0x92"]);
    // What a batch that has passed signals is taken to be signalled.
    rig.passed(1, 1, 2_000);
    rig.is_wedged("UW006", &["queue 0x91", "its waits are satisfied"]);
}

#[test]
fn idle_calls_without_work_do_not_wait() {
    let rig = idle_rig();
    rig.wait(MAIN, Call::QueueWaitIdle, &[(0x91, 0)], 3_000);
    rig.is_healthy();
    rig.wait(MAIN, Call::DeviceWaitIdle, &[], 3_000);
    rig.is_healthy();
}

#[test]
fn a_submit_that_does_not_return() {
    let rig = idle_rig();
    rig.binary(0x5a);
    rig.submit(0, &Batch { waits: &[(0x5a, 0)], ms_ago: 3_000, ..Batch::default() });
    rig.wait(MAIN, Call::QueueSubmit, &[(0x91, 1)], 3_000);
    rig.is_wedged("UW002", &["vkQueueSubmit", "semaphore 0x5a"]);
    let rig = idle_rig();
    rig.wait(MAIN, Call::QueueSubmit, &[(0x91, 1)], 3_000);
    rig.is_unclear("UW015", &["vkQueueSubmit"]);
}

#[test]
fn calls_that_work_are_no_waits() {
    let rig = idle_rig();
    for call in [Call::CreateGraphicsPipelines, Call::CreateSwapchain, Call::DestroyDevice] {
        rig.wait(MAIN, call, &[(0x44, 0)], 30_000);
        rig.is_healthy();
    }
}

#[test]
fn a_query_that_no_work_will_end() {
    let rig = idle_rig();
    rig.wait(MAIN, Call::GetQueryPoolResults, &[(0x71, 4)], 3_000);
    rig.is_wedged("UW002", &["vkGetQueryPoolResults", "query 3", "no submit ends"]);
    rig.submit(0, &Batch::default());
    rig.is_wedged("UW006", &["query 3", "queue 0x91"]);
}

#[test]
fn a_copy_taken_between_two_writes_has_no_batch_of_the_future() {
    let rig = idle_rig();
    rig.fence(FENCE);
    rig.submit(0, &Batch { fence: FENCE, ms_ago: 0, ..Batch::default() });
    // The fence says that it is armed, the queue's counter was copied a moment before.
    set(&rig.blackbox().queues()[0].submitted, 0);
    rig.wait(MAIN, Call::WaitForFences, &[(FENCE, 0)], 0);
    rig.is_healthy();
    set(&rig.blackbox().queues()[0].reached_at, ago(0) + 5_000_000_000);
    rig.is_healthy();
}
