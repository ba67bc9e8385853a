//! Semaphores: binary ones whose signal was consumed or never asked for, and counters with a custom.

use unwedge_trace::blackbox::{
    BATCH_CRUMB, BATCH_DROPPED, Call, OBJECT_IMPORTED, SEMAPHORE_BINARY, SEMAPHORE_TIMELINE,
};

use super::rig::{Batch, DEVICE, DEVICE_LOST, MAIN, Rig, ago, set};
use crate::sources::observations::EngineSeen;

const FENCE: u64 = 0x5e;
const SEMAPHORE: u64 = 0x5a;
const OTHER: u64 = 11;

/// The thread waits for the fence of a batch that waits for these semaphores.
fn behind(rig: &Rig, waits: &[(u64, u64)]) {
    rig.fence(FENCE);
    rig.submit(0, &Batch { fence: FENCE, waits, ..Batch::default() });
    rig.wait_fence(FENCE);
}

fn idle_rig() -> Rig {
    let mut rig = Rig::new();
    rig.engine(EngineSeen::Idle("0 % busy".to_owned()));
    rig
}

#[test]
fn binary_whose_first_acquire_failed() {
    let rig = idle_rig();
    rig.binary(SEMAPHORE);
    rig.acquire_failed(SEMAPHORE, 5_500);
    behind(&rig, &[(SEMAPHORE, 0)]);
    let words = ["semaphore 0x5a", "no submit signals it", "vkAcquireNextImageKHR returned"];
    rig.is_wedged("UW002", &words);
}

#[test]
fn binary_whose_acquire_failed_after_good_frames() {
    let rig = idle_rig();
    rig.binary(SEMAPHORE);
    rig.acquire_signals(0x33, SEMAPHORE, 7_000);
    rig.submit(0, &Batch { waits: &[(SEMAPHORE, 0)], ms_ago: 7_000, ..Batch::default() });
    rig.passed(0, 1, 6_900);
    rig.acquire_failed(SEMAPHORE, 5_500);
    behind(&rig, &[(SEMAPHORE, 0)]);
    let words = ["its last signal was consumed", "because vkAcquireNextImageKHR returned"];
    rig.is_wedged("UW003", &words);
}

#[test]
fn binary_that_two_batches_wait_for() {
    let rig = idle_rig();
    rig.binary(SEMAPHORE);
    rig.submit(0, &Batch { signals: &[(SEMAPHORE, 0)], ..Batch::default() });
    rig.submit(0, &Batch { waits: &[(SEMAPHORE, 0)], ..Batch::default() });
    rig.passed(0, 2, 4_500);
    behind(&rig, &[(SEMAPHORE, 0)]);
    rig.is_wedged("UW003", &["batch 3", "semaphore 0x5a", "its last signal was consumed"]);
}

#[test]
fn binary_that_is_signalled_lets_the_batch_begin() {
    let rig = idle_rig();
    rig.binary(SEMAPHORE);
    rig.submit(0, &Batch { signals: &[(SEMAPHORE, 0)], ..Batch::default() });
    rig.passed(0, 1, 4_500);
    behind(&rig, &[(SEMAPHORE, 0)]);
    rig.is_wedged("UW006", &["its waits are satisfied"]);
}

#[test]
fn binary_that_a_stalled_queue_owes() {
    let rig = idle_rig();
    rig.queue(1, DEVICE, 0x92);
    rig.binary(SEMAPHORE);
    rig.submit(1, &Batch { signals: &[(SEMAPHORE, 0)], ..Batch::default() });
    behind(&rig, &[(SEMAPHORE, 0)]);
    rig.is_wedged("UW006", &["semaphore 0x5a", "queue 0x92", "the engine does nothing"]);
}

#[test]
fn binary_whose_signal_was_dropped() {
    let rig = idle_rig();
    rig.queue(1, DEVICE, 0x92);
    rig.binary(SEMAPHORE);
    let flags = BATCH_CRUMB | BATCH_DROPPED;
    rig.submit(1, &Batch { signals: &[(SEMAPHORE, 0)], flags, ..Batch::default() });
    rig.passed(1, 1, 4_000);
    behind(&rig, &[(SEMAPHORE, 0)]);
    rig.is_wedged("UW004", &["semaphore 0x5a", "queue 0x92", "finished batch 1"]);
}

#[test]
fn binary_that_the_presentation_engine_owes() {
    let rig = idle_rig();
    rig.binary(SEMAPHORE);
    rig.acquire_signals(0x33, SEMAPHORE, 100);
    behind(&rig, &[(SEMAPHORE, 0)]);
    rig.is_healthy();
    set(&rig.blackbox().semaphores().find(DEVICE, SEMAPHORE).expect("it").armed_at, ago(5_500));
    rig.is_unclear("UW015", &["semaphore 0x5a", "the presentation engine"]);
}

#[test]
fn binary_whose_signaller_left_the_ring_is_signalled() {
    let rig = idle_rig();
    rig.binary(SEMAPHORE);
    rig.submit(0, &Batch { signals: &[(SEMAPHORE, 0)], ms_ago: 9_000, ..Batch::default() });
    for _ in 0..130 {
        rig.submit(0, &Batch { ms_ago: 8_000, ..Batch::default() });
    }
    rig.passed(0, 131, 6_000);
    behind(&rig, &[(SEMAPHORE, 0)]);
    rig.is_wedged("UW006", &["its waits are satisfied"]);
}

#[test]
fn imported_semaphores_are_outside() {
    let rig = idle_rig();
    set(&rig.binary(SEMAPHORE).flags, OBJECT_IMPORTED);
    behind(&rig, &[(SEMAPHORE, 0)]);
    rig.is_unclear("UW015", &["semaphore 0x5a"]);
}

/// The thread waits for a counter to reach 5; it stands at 3.
fn counter(rig: &Rig) {
    rig.timeline(SEMAPHORE, 0);
    rig.wait(MAIN, Call::WaitSemaphores, &[(SEMAPHORE, 5)], 3_000);
}

#[test]
fn counter_that_nobody_raises() {
    let rig = idle_rig();
    counter(&rig);
    let words = ["timeline semaphore 0x5a to reach 5", "its value is 0", "no pending signal"];
    rig.is_wedged("UW002", &words);
}

#[test]
fn counter_with_a_host_signaller_that_lives() {
    let mut rig = idle_rig();
    rig.thread(OTHER, "loader");
    counter(&rig);
    rig.host_signal(OTHER, SEMAPHORE, 3, 4_000);
    rig.is_healthy();
}

#[test]
fn counter_whose_host_signaller_exited() {
    let mut rig = idle_rig();
    rig.thread(OTHER, "loader");
    counter(&rig);
    rig.host_signal(OTHER, SEMAPHORE, 3, 4_000);
    rig.exits(OTHER);
    rig.is_wedged("UW007", &["thread 11 \"loader\"", "exited"]);
}

#[test]
fn counter_with_a_submitter() {
    let mut rig = idle_rig();
    rig.thread(OTHER, "renderer");
    counter(&rig);
    rig.submit(0, &Batch { tid: OTHER, signals: &[(SEMAPHORE, 3)], ..Batch::default() });
    rig.passed(0, 1, 4_000);
    let cells = rig.blackbox().semaphores().find(DEVICE, SEMAPHORE).expect("it");
    set(&cells.value, 3);
    set(&cells.value_at, ago(4_000));
    rig.is_healthy();
    rig.exits(OTHER);
    rig.is_wedged("UW007", &["thread 11 \"renderer\"", "exited"]);
}

#[test]
fn counter_that_a_pending_batch_raises_further() {
    let rig = idle_rig();
    counter(&rig);
    rig.submit(0, &Batch { signals: &[(SEMAPHORE, 8)], ..Batch::default() });
    rig.is_wedged("UW006", &["queue 0x91", "owes it with batch 1"]);
    rig.passed(0, 1, 2_000);
    rig.is_wedged("UW004", &["timeline semaphore 0x5a", "finished batch 1"]);
}

#[test]
fn two_threads_that_wait_for_each_other() {
    let mut rig = idle_rig();
    rig.thread(OTHER, "pong");
    counter(&rig);
    rig.host_signal(OTHER, SEMAPHORE, 3, 4_000);
    rig.timeline(0x5b, 0);
    rig.host_signal(MAIN, 0x5b, 3, 4_000);
    rig.wait(OTHER, Call::WaitSemaphores, &[(0x5b, 4)], 3_000);
    rig.is_wedged("UW001", &["thread 10 \"main\"", "thread 11 \"pong\"", "wait for each other"]);
}

#[test]
fn counter_that_the_gpu_waits_for() {
    let mut rig = idle_rig();
    rig.thread(OTHER, "loader");
    rig.timeline(SEMAPHORE, 0);
    behind(&rig, &[(SEMAPHORE, 5)]);
    rig.is_wedged("UW002", &["batch 1", "timeline semaphore 0x5a to reach 5"]);
    rig.host_signal(OTHER, SEMAPHORE, 3, 4_000);
    rig.is_healthy();
    rig.host_signal(OTHER, SEMAPHORE, 5, 10);
    // Now the batch may begin, and the engine has had ten milliseconds.
    set(&rig.blackbox().queues()[0].reached_at, ago(10));
    rig.is_wedged("UW006", &["its waits are satisfied"]);
}

#[test]
fn handles_of_two_devices_are_two_objects() {
    let rig = idle_rig();
    rig.device(2, 0xd2);
    rig.queue(1, 2, 0x92);
    rig.fence(FENCE);
    rig.fence_of(2, FENCE);
    rig.timeline(SEMAPHORE, 0);
    rig.semaphore_of(2, SEMAPHORE, SEMAPHORE_TIMELINE, 0);
    // Device 2 has its work done and signals its own counter, of the same handle.
    rig.submit(1, &Batch { fence: FENCE, signals: &[(SEMAPHORE, 5)], ..Batch::default() });
    rig.wait_fence(FENCE);
    rig.is_wedged("UW002", &["fence 0x5e", "no submit carries it"]);
    rig.wait(MAIN, Call::WaitSemaphores, &[(SEMAPHORE, 5)], 3_000);
    rig.is_wedged("UW002", &["timeline semaphore 0x5a", "no pending signal"]);
    set(&rig.slot(MAIN).slot_device, 2);
    rig.is_unclear("UW005", &["queue 0x92"]);
}

#[test]
fn a_handle_that_is_used_again_is_another_object() {
    for kind in [SEMAPHORE_BINARY, SEMAPHORE_TIMELINE] {
        let rig = idle_rig();
        rig.semaphore_of(DEVICE, SEMAPHORE, kind, 0);
        let signals = &[(SEMAPHORE, 5)];
        rig.submit(0, &Batch { signals, ms_ago: 9_000, ..Batch::default() });
        rig.failed(MAIN, Call::QueueSubmit, DEVICE_LOST, (SEMAPHORE, 0), 8_000);
        rig.passed(0, 1, 8_900);
        rig.blackbox().semaphores().remove(DEVICE, SEMAPHORE);
        let cells = rig.semaphore_of(DEVICE, SEMAPHORE, kind, 0);
        set(&cells.created_at, ago(7_000));
        set(&cells.signal_operations, 0);
        set(&cells.submit_tids[0], 0);
        behind(&rig, &[(SEMAPHORE, 5)]);
        let finding = rig.is_wedged("UW002", &["batch 2", "semaphore 0x5a"]);
        assert!(!finding.sentence.contains("vkQueueSubmit"), "{}", finding.sentence);
    }
}

#[test]
fn a_failure_on_one_device_is_not_told_of_another() {
    let rig = idle_rig();
    rig.device(2, 0xd2);
    rig.fence(FENCE);
    let other = rig.fence_of(2, FENCE);
    set(&other.failed_call, Call::QueueSubmit.word());
    set(&other.failed_result, -1_i64 as u64);
    set(&other.failed_at, ago(4_000));
    rig.failed(MAIN, Call::QueueSubmit, -1_i64 as u64, (FENCE, 0), 4_000);
    rig.wait_fence(FENCE);
    let finding = rig.is_wedged("UW002", &["fence 0x5e"]);
    assert!(!finding.sentence.contains("vkQueueSubmit"), "{}", finding.sentence);
    set(&rig.slot(MAIN).slot_device, 2);
    rig.is_wedged("UW002", &["vkQueueSubmit returned VK_ERROR_OUT_OF_HOST_MEMORY"]);
}
