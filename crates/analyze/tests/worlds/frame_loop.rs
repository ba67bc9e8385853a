//! Is what `frame-loop` plants what is found?

use unwedge_sim::scenarios::Size;

use super::judge::{run, said, world};

#[track_caller]
fn check(switches: &str, expected: &str) {
    let report = run(&world("frame-loop", Size::Full, switches), 1, 5_000);
    assert_eq!(said(&report), expected, "{switches}: {report:#?}");
}

#[test]
fn without_faults_it_is_healthy() {
    check("", "Progressing");
}

#[test]
fn a_dropped_notification_is_a_lost_signal() {
    check("drop-notification=40", "Wedged UW004");
}

#[test]
fn an_acquire_that_times_out_after_the_reset_leaves_the_fence_unsignalled() {
    check("acquire-timeout=40", "Wedged UW003");
    check("acquire-timeout=40 reset-after-acquire=on", "Progressing");
}
