//! Threads: polls that are waits and polls that are not, processes that may not run, and locks.

use unwedge_analyze::Verdict;
use unwedge_trace::blackbox::{Call, SLOT_ANY, THREAD_EXITED};

use super::rig::{Batch, DEVICE, MAIN, NOW, Rig, ago, set};
use crate::sources::observations::{EngineSeen, FutexSeen, ProcessState};

const FENCE: u64 = 0x5e;
const OTHER: u64 = 11;

fn idle_rig() -> Rig {
    let mut rig = Rig::new();
    rig.engine(EngineSeen::Idle("0 % busy".to_owned()));
    rig.fence(FENCE);
    rig
}

#[test]
fn dense_polls_are_a_wait() {
    let rig = idle_rig();
    rig.polls(Call::GetFenceStatus, (FENCE, 0), 100_000, (3_000, 1));
    rig.is_wedged("UW002", &["vkGetFenceStatus (polled 100000 times)", "no submit carries it"]);
}

#[test]
fn sparse_polls_are_none() {
    let rig = idle_rig();
    rig.polls(Call::GetFenceStatus, (FENCE, 0), 29, (3_000, 1));
    rig.is_healthy();
    rig.polls(Call::GetFenceStatus, (FENCE, 0), 9, (10, 1));
    rig.is_healthy();
}

#[test]
fn sparse_waits_with_timeouts_are_one() {
    let rig = idle_rig();
    rig.polls(Call::WaitForFences, (FENCE, 0), 10, (20_000, 1));
    set(&rig.slot(MAIN).poll_waited_ns, 19_000_000_000);
    rig.is_wedged("UW002", &["vkWaitForFences (polled 10 times)"]);
    // Between two rounds, in the next one, of a second each.
    rig.wait(MAIN, Call::WaitForFences, &[(FENCE, 0)], 500);
    set(&rig.slot(MAIN).slot_timeout, 1_000_000_000);
    rig.is_wedged("UW002", &["vkWaitForFences (polled 10 times)"]);
}

#[test]
fn polls_that_were_given_up_are_history() {
    let rig = idle_rig();
    // A second of polls, then half a minute of something else.
    rig.polls(Call::GetFenceStatus, (FENCE, 0), 100_000, (30_000, 29_000));
    rig.is_healthy();
    rig.submit(0, &Batch { fence: FENCE, ms_ago: 30_000, ..Batch::default() });
    rig.passed(0, 1, 28_000);
    rig.is_healthy();
    // Waits with timeouts, given up as well.
    rig.polls(Call::WaitForFences, (FENCE, 0), 100, (30_000, 20_000));
    set(&rig.slot(MAIN).poll_waited_ns, 9_900_000_000);
    rig.is_healthy();
    // Given up a moment ago: the thread is seen to sit in another call.
    let mut rig = idle_rig();
    rig.polls(Call::GetFenceStatus, (FENCE, 0), 100_000, (4_000, 2_000));
    rig.is_wedged("UW002", &["vkGetFenceStatus"]);
    rig.seen.threads[0].stuck_ns = Some(1_900_000_000);
    rig.is_healthy();
}

#[test]
fn slow_polls_are_a_wait_all_the_time() {
    // Twenty a second: the time of the 128th is on record, then of the 256th, the 512th, the 768th.
    for (count, noted) in [(40, 32), (200, 128), (255, 128), (400, 256), (760, 512)] {
        let rig = idle_rig();
        rig.polls(Call::GetFenceStatus, (FENCE, 0), count, (count * 50, (count - noted) * 50));
        rig.is_wedged("UW002", &["vkGetFenceStatus"]);
    }
}

#[test]
fn polls_may_become_rarer() {
    let rig = idle_rig();
    // A second of spinning, then one look every 16 ms: the time of every 256th is on record.
    rig.polls(Call::GetFenceStatus, (FENCE, 0), 1_000_100, (20_000, 4_000));
    rig.is_wedged("UW002", &["vkGetFenceStatus"]);
}

#[test]
fn polls_go_on_through_calls_that_take_a_while() {
    let rig = idle_rig();
    rig.polls(Call::GetFenceStatus, (FENCE, 0), 100_000, (3_000, 1));
    let call = &rig.blackbox().ring(0)[0];
    set(&call.at, ago(1_000));
    set(&call.duration, 5_000_000);
    set(&call.call, Call::CreateComputePipelines.word());
    set(&rig.slot(MAIN).ring_head, 1);
    rig.is_wedged("UW002", &["vkGetFenceStatus"]);
}

#[test]
fn looking_at_a_counter_is_a_wait_only_when_somebody_owes() {
    let rig = idle_rig();
    rig.timeline(0x5a, 4);
    rig.polls(Call::GetSemaphoreCounterValue, (0x5a, 5), 100_000, (3_000, 1));
    rig.is_healthy();
    rig.submit(0, &Batch { signals: &[(0x5a, 5)], ..Batch::default() });
    rig.is_wedged("UW006", &["vkGetSemaphoreCounterValue", "queue 0x91"]);
}

#[test]
fn a_stopped_process_is_never_accused() {
    let mut rig = idle_rig();
    rig.wait_fence(FENCE);
    rig.is_wedged("UW002", &[]);
    rig.seen.process = ProcessState::Stopped;
    rig.is_healthy();
    // Nor are its queues, which may wait for what a stopped thread is about to do.
    let mut rig = idle_rig();
    rig.timeline(0x5a, 0);
    rig.submit(0, &Batch { waits: &[(0x5a, 1)], fence: FENCE, ..Batch::default() });
    rig.wait_fence(FENCE);
    rig.is_wedged("UW002", &[]);
    rig.seen.process = ProcessState::Stopped;
    rig.is_healthy();
    let text = rig.report();
    assert!(text.findings.is_empty());
}

#[test]
fn a_dead_process_is_seen_when_its_box_was_last_written() {
    let mut rig = idle_rig();
    rig.wait_fence(FENCE);
    set(&rig.blackbox().header().sampled_at, ago(500));
    rig.seen.process = ProcessState::Gone;
    rig.seen.threads.clear();
    rig.seen.now = NOW + 3_600_000_000_000;
    let finding = rig.is_wedged("UW002", &["vkWaitForFences"]);
    assert_eq!(finding.waiter.expect("a waiter").since_ms, 2_500.0);
    // It died in the middle of a wait that was not old yet.
    let mut rig = idle_rig();
    rig.wait_fence(FENCE);
    rig.seen.process = ProcessState::Gone;
    rig.is_healthy();
}

#[test]
fn a_process_that_could_not_be_looked_at_is_judged_by_its_box() {
    let mut rig = idle_rig();
    rig.wait_fence(FENCE);
    rig.seen.process = ProcessState::Unknown;
    rig.seen.threads.clear();
    rig.is_wedged("UW002", &["vkWaitForFences"]);
    rig.seen.process = ProcessState::Running;
    rig.is_wedged("UW002", &["vkWaitForFences"]);
}

#[test]
fn a_thread_that_has_exited_waits_for_nothing() {
    let mut rig = idle_rig();
    rig.wait_fence(FENCE);
    rig.exits(MAIN);
    rig.stranger(OTHER, "other");
    rig.is_healthy();
    let rig = idle_rig();
    rig.wait_fence(FENCE);
    set(&rig.slot(MAIN).state, THREAD_EXITED);
    rig.is_healthy();
}

fn lock(owner: Option<u32>) -> FutexSeen {
    FutexSeen {
        address: 0x7f00,
        word: 2,
        operation: 128,
        expected: 2,
        infinite: true,
        owner_tid: owner,
    }
}

#[test]
fn a_lock_whose_owner_is_known() {
    let mut rig = idle_rig();
    rig.stranger(OTHER, "worker");
    rig.futex(MAIN, lock(Some(OTHER as u32)));
    rig.is_unclear("UW016", &["futex", "mutex 0x7f00", "thread 11 \"worker\"", "held it"]);
    // The owner itself is stuck: that is the finding.
    let mut rig = idle_rig();
    rig.thread(OTHER, "worker");
    rig.futex(MAIN, lock(Some(OTHER as u32)));
    rig.wait(OTHER, Call::WaitForFences, &[(FENCE, 0)], 3_000);
    let finding = rig.is_wedged("UW002", &["thread 11 \"worker\"", "fence 0x5e"]);
    assert_eq!(finding.also_waiting.len(), 1, "main waits for the lock, so for the fence");
}

#[test]
fn a_lock_whose_owner_is_not_known_or_gone() {
    let mut rig = idle_rig();
    // A condition variable of Rust's that was notified twice looks just like this: an idle worker.
    rig.futex(MAIN, lock(None));
    rig.is_healthy();
    rig.futex(MAIN, lock(Some(4_000)));
    rig.is_unclear("UW016", &["who holds it is not known"]);
}

#[test]
fn locks_in_a_circle() {
    let mut rig = idle_rig();
    rig.futex(MAIN, lock(Some(MAIN as u32)));
    rig.is_wedged("UW001", &["thread 10 \"main\" waits for itself"]);
    let mut rig = idle_rig();
    rig.thread(OTHER, "other");
    rig.futex(MAIN, lock(Some(OTHER as u32)));
    rig.futex(OTHER, FutexSeen { address: 0x7f40, ..lock(Some(MAIN as u32)) });
    rig.is_wedged("UW001", &["wait for each other", "mutex 0x7f00", "mutex 0x7f40"]);
}

#[test]
fn other_futexes_are_no_locks() {
    for futex in [
        FutexSeen { expected: 7, word: 7, ..lock(None) },
        FutexSeen { expected: 0, word: 0, ..lock(None) },
        FutexSeen { expected: 2, word: 0, ..lock(None) },
        FutexSeen { infinite: false, ..lock(None) },
    ] {
        let mut rig = idle_rig();
        rig.futex(MAIN, futex);
        rig.is_healthy();
    }
}

#[test]
fn a_lock_of_a_moment_is_fine() {
    let mut rig = idle_rig();
    rig.futex(MAIN, lock(None));
    rig.seen.threads[0].stuck_ns = Some(300_000_000);
    rig.is_healthy();
    rig.seen.threads[0].stuck_ns = None;
    rig.is_healthy();
}

#[test]
fn more_objects_than_a_slot_holds_accuse_nobody() {
    let rig = idle_rig();
    let fences: Vec<_> = (0..12).map(|place| (0x100 + place * 8, 0)).collect();
    fences.iter().for_each(|(fence, _)| _ = rig.fence(*fence));
    rig.wait(MAIN, Call::WaitForFences, &fences, 3_000);
    set(&rig.slot(MAIN).slot_flags, SLOT_ANY);
    assert_ne!(rig.report().verdict, Verdict::Wedged);
    // All of them are needed, and of those on record nobody owes any.
    set(&rig.slot(MAIN).slot_flags, 0);
    rig.is_wedged("UW002", &["fence 0x100"]);
}

#[test]
fn an_event_is_set_by_who_set_it_before_on_this_device() {
    let mut rig = idle_rig();
    rig.thread(OTHER, "setter");
    rig.submit(0, &Batch::default());
    rig.polls(Call::GetEventStatus, (0xe7, 1), 100_000, (3_000, 1));
    rig.is_wedged("UW006", &["vkGetEventStatus", "event 0xe7"]);
    rig.passed(0, 1, 2_000);
    rig.is_healthy();
    let call = &rig.blackbox().ring(1)[0];
    set(&call.at, ago(4_000));
    set(&call.call, Call::SetEvent.word());
    set(&call.handle, 0xe7);
    set(&call.device, DEVICE + 1);
    set(&rig.slot(OTHER).ring_head, 1);
    rig.is_healthy();
}
