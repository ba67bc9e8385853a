//! Fences: nobody is to signal it, somebody is and does not, somebody did and it does not show.

use unwedge_trace::blackbox::{
    CRUMBS_NO_TIMELINE, Call, OBJECT_CREATED_SIGNALLED, OBJECT_IMPORTED, SLOT_ANY,
};

use super::rig::{Batch, DEVICE, DEVICE_LOST, MAIN, OUT_OF_DATE, Rig, ago, set};
use crate::sources::observations::EngineSeen;

const FENCE: u64 = 0x5e;

/// A rig whose thread has been waiting for a fence for three seconds.
fn waiting() -> Rig {
    let rig = Rig::new();
    rig.fence(FENCE);
    rig.wait_fence(FENCE);
    rig
}

/// The fence is owed by a batch of five seconds ago.
fn pending(engine: EngineSeen) -> Rig {
    let mut rig = waiting();
    rig.engine(engine);
    rig.submit(0, &Batch { fence: FENCE, ..Batch::default() });
    rig
}

fn working() -> EngineSeen {
    EngineSeen::Working("97 % busy".to_owned())
}

fn idle() -> EngineSeen {
    EngineSeen::Idle("0 % busy".to_owned())
}

#[test]
fn never_armed() {
    let words = ["thread 10 \"main\"", "vkWaitForFences", "fence 0x5e", "since it was created"];
    let finding = waiting().is_wedged("UW002", &words);
    let waiter = finding.waiter.expect("a waiter");
    assert_eq!((waiter.tid, waiter.since_ms), (10, 3_000.0));
}

#[test]
fn never_armed_because_the_submit_failed() {
    let rig = waiting();
    let cells = rig.blackbox().fences().find(DEVICE, FENCE).expect("the fence");
    set(&cells.failed_call, Call::QueueSubmit.word());
    set(&cells.failed_result, -1_i64 as u64);
    set(&cells.failed_at, ago(4_000));
    rig.failed(MAIN, Call::QueueSubmit, -1_i64 as u64, (FENCE, 0), 4_000);
    rig.is_wedged("UW002", &["vkQueueSubmit returned VK_ERROR_OUT_OF_HOST_MEMORY"]);
}

#[test]
fn a_young_wait_is_fine() {
    let rig = waiting();
    rig.wait(MAIN, Call::WaitForFences, &[(FENCE, 0)], 900);
    rig.is_healthy();
}

#[test]
fn created_signalled_is_signalled_until_it_is_reset() {
    let rig = Rig::new();
    let cells = rig.fence(FENCE);
    set(&cells.flags, OBJECT_CREATED_SIGNALLED);
    set(&cells.signalled_at, ago(30_000));
    rig.wait_fence(FENCE);
    rig.is_healthy();
    rig.reset(FENCE, 4_000);
    rig.is_wedged("UW003", &["since it was reset 4.00 s ago", "the submit was skipped"]);
}

#[test]
fn reset_and_not_armed_again() {
    let rig = waiting();
    rig.submit(0, &Batch { fence: FENCE, ..Batch::default() });
    rig.passed(0, 1, 4_500);
    rig.reset(FENCE, 4_000);
    rig.is_wedged("UW003", &["fence 0x5e", "reset 4.00 s ago", "the submit was skipped"]);
    rig.failed(MAIN, Call::AcquireNextImage, OUT_OF_DATE, (0x99, 0), 3_500);
    rig.is_wedged("UW003", &["because vkAcquireNextImageKHR returned VK_ERROR_OUT_OF_DATE_KHR"]);
}

#[test]
fn a_failure_before_the_reset_is_not_the_reason() {
    let rig = waiting();
    rig.submit(0, &Batch { fence: FENCE, ..Batch::default() });
    rig.passed(0, 1, 4_500);
    rig.reset(FENCE, 4_000);
    rig.failed(MAIN, Call::AcquireNextImage, OUT_OF_DATE, (0x99, 0), 9_000);
    rig.is_wedged("UW003", &["the submit was skipped"]);
}

#[test]
fn armed_and_passed() {
    let rig = pending(idle());
    rig.passed(0, 1, 2_000);
    rig.is_wedged("UW004", &["queue 0x91", "finished batch 1", "at least 2.00 s ago"]);
}

#[test]
fn armed_and_passed_a_moment_ago() {
    let rig = pending(idle());
    rig.passed(0, 1, 10);
    rig.is_healthy();
}

#[test]
fn pending_on_an_engine_that_works() {
    pending(working()).is_unclear("UW005", &["batch 1", "the engine is working", "97 % busy"]);
}

#[test]
fn pending_on_an_engine_that_does_nothing() {
    pending(idle()).is_wedged("UW006", &["the engine does nothing", "0 % busy", "for 5.00 s"]);
}

#[test]
fn pending_on_an_engine_that_cannot_be_seen() {
    let unknown = EngineSeen::Unknown("no counters".to_owned());
    pending(unknown).is_unclear("UW005", &["not observable here", "no counters"]);
    let mut rig = pending(working());
    rig.seen.engines.clear();
    rig.is_unclear("UW005", &["its engine was not looked at"]);
}

#[test]
fn pending_without_breadcrumbs() {
    let rig = pending(idle());
    set(&rig.blackbox().devices()[0].crumbs, CRUMBS_NO_TIMELINE);
    rig.is_unclear("UW005", &["or finished with its signal lost"]);
    let rig = pending(idle());
    set(&rig.blackbox().batch(0, 1).flags, 0);
    rig.is_unclear("UW005", &["or finished with its signal lost"]);
}

#[test]
fn pending_on_a_queue_that_gets_on() {
    let rig = pending(idle());
    rig.submit(0, &Batch { fence: FENCE, ..Batch::default() });
    rig.passed(0, 1, 300);
    rig.is_healthy();
}

#[test]
fn pending_on_a_lost_device() {
    let rig = pending(idle());
    let device = &rig.blackbox().devices()[0];
    set(&device.lost_at, ago(2_000));
    set(&device.lost_call, Call::QueueSubmit.word());
    rig.failed(MAIN, Call::QueueSubmit, DEVICE_LOST, (0, 0), 2_000);
    let words = ["its device was lost 2.00 s ago", "vkQueueSubmit returned VK_ERROR_DEVICE_LOST"];
    rig.is_wedged("UW007", &words);
}

#[test]
fn any_of_several_is_enough() {
    let rig = pending(idle());
    rig.fence(0x60);
    rig.submit(0, &Batch { fence: 0x60, ..Batch::default() });
    rig.passed(0, 1, 300);
    // Batch 1 passed a moment ago, and the fence of batch 1 shows it soon.
    rig.wait(MAIN, Call::WaitForFences, &[(0x99, 0), (FENCE, 0)], 3_000);
    set(&rig.slot(MAIN).slot_flags, SLOT_ANY);
    set(&rig.blackbox().queues()[0].reached_at, ago(20));
    rig.is_healthy();
}

#[test]
fn all_of_several_needs_the_one_that_nobody_owes() {
    let rig = pending(working());
    rig.passed(0, 1, 20);
    rig.fence(0x60);
    rig.wait(MAIN, Call::WaitForFences, &[(FENCE, 0), (0x60, 0)], 3_000);
    rig.is_wedged("UW002", &["fence 0x60", "one of 2, all of which it needs"]);
}

#[test]
fn imported_or_unknown_ones_accuse_nobody() {
    let rig = waiting();
    let cells = rig.blackbox().fences().find(DEVICE, FENCE).expect("the fence");
    set(&cells.flags, OBJECT_IMPORTED);
    rig.is_unclear("UW015", &["fence 0x5e"]);
    rig.wait_fence(0x77);
    rig.is_unclear("UW015", &["fence 0x77"]);
}

#[test]
fn lost_objects_forbid_to_accuse_and_to_acquit() {
    let rig = waiting();
    set(&rig.blackbox().header().objects_lost, 3);
    rig.is_unclear("UW002", &[]);
    assert_eq!(rig.report().events_lost, 3);
    let rig = pending(idle());
    rig.passed(0, 1, 10);
    set(&rig.blackbox().header().objects_lost, 3);
    let report = rig.report();
    assert_eq!(report.verdict, unwedge_analyze::Verdict::Inconclusive);
}

#[test]
fn poorly_explained_waits_forbid_it_too() {
    let rig = waiting();
    set(&rig.blackbox().header().fence_waits_reached, 1_000);
    set(&rig.blackbox().header().fence_waits_explained, 900);
    rig.is_unclear("UW002", &[]);
    set(&rig.blackbox().header().fence_waits_explained, 1_000);
    rig.is_wedged("UW002", &[]);
    // Two counters that are read at different moments.
    set(&rig.blackbox().header().fence_waits_explained, 1_001);
    rig.is_wedged("UW002", &[]);
}
