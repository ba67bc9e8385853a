//! Is what `venus-ring` plants what is found?

use std::ops::ControlFlow;

use unwedge_analyze::{Options, Report, Summary};
use unwedge_sim::explore::{Answer, Limits, Rest, explore};
use unwedge_sim::scenarios::Size;
use unwedge_sim::world::Exploration;
use unwedge_trace::row::{Op, Row, mark_code};
use unwedge_trace::{MarkKind, Timestamp};

use super::judge::{replay, said, world};

/// How long a world runs that is to wedge, in nanoseconds; a frame takes less than 4 ms.
const RUN_NS: u64 = 25_000_000_000;
/// How long one runs that is to be healthy.
const HEALTHY_NS: u64 = 5_000_000_000;
/// Room for a state of the small world.
const BYTES: usize = 64;

/// What is said of the world after so many nanoseconds, when the last frame was done, and what failed last.
fn watch(switches: &str, seed: u64, until: u64) -> (Report, u64, String) {
    let mut run = world("venus-ring", Size::Full, switches).run(seed);
    let mut summary = Summary::default();
    let (mut last_frame, mut failed) = (0, String::new());
    while let Some(batch) = run.batch(10_000, until) {
        let name = |row: &Row| &*batch.names[row.name as usize];
        for row in &batch.rows {
            match row.op {
                Op::Progress if name(row) == "frame done" => last_frame = row.at,
                Op::Mark if row.code == mark_code(MarkKind::FailedCall) => {
                    name(row).clone_into(&mut failed);
                }
                _ => {}
            }
        }
        summary.fold(&batch);
    }
    let options = Options { patience_ns: 1_000_000_000 };
    let report = summary.report("a simulated world", Some(Timestamp(until)), &options);
    (report, last_frame, failed)
}

/// It is healthy, and frames are done to the end.
#[track_caller]
fn check_healthy(switches: &str) {
    let (report, last_frame, _) = watch(switches, 2, HEALTHY_NS);
    assert_eq!(said(&report), "Progressing", "{switches}: {report:#?}");
    assert!(
        last_frame > HEALTHY_NS - 100_000_000,
        "{switches}: the last frame was at {last_frame}"
    );
}

/// The process takes itself down with these last words, and nobody hangs any more.
#[track_caller]
fn check_dies(switches: &str, words: &str) {
    let (report, last_frame, failed) = watch(switches, 2, RUN_NS);
    assert_eq!(said(&report), "Progressing", "{switches}: {report:#?}");
    assert!(last_frame < RUN_NS / 2, "{switches}: the last frame was at {last_frame}");
    assert_eq!(failed, words, "{switches}");
}

/// The verdict and the first finding: code, who waits, and for what.
#[track_caller]
fn check(switches: &str, expected: &str) {
    for seed in 2..4 {
        check_at(seed, switches, expected);
    }
}

#[track_caller]
fn check_at(seed: u64, switches: &str, expected: &str) {
    let (report, ..) = watch(switches, seed, RUN_NS);
    let first = report.findings.first().map(|finding| {
        let (waiter, object) = (finding.waiter.as_ref(), finding.object.as_ref());
        let waiter = waiter.map_or("", |waiter| &waiter.name);
        let label = object.and_then(|object| object.label.as_deref()).unwrap_or_default();
        format!(" {waiter}: {label}")
    });
    let told = said(&report) + &first.unwrap_or_default();
    assert_eq!(told, expected, "{switches} seed {seed}: {report:#?}");
}

/// What is said of the shortest wedge of the small world, once nothing can happen any more.
#[track_caller]
fn check_shortest(switches: &str, expected: &str) {
    let world = world("venus-ring", Size::Small, &format!("threads=1 {switches}"));
    let model = Exploration::<BYTES>::new(&world).expect("a state fits");
    let found = explore(&model, &Limits::default(), &mut |_| ControlFlow::Continue(()));
    let Answer::Wedge(wedge) = found.answer else { panic!("{switches}: no wedge") };
    let mut steps: Vec<_> = wedge.path.iter().map(|step| step.action).collect();
    if let Rest::DeadEnd { steps: rest } = &wedge.rest {
        steps.extend(rest.iter().map(|step| step.action));
    }
    let (words, report) = replay(&world, &steps);
    assert_eq!(said(&report), expected, "{switches}: {words:#?} {report:#?}");
}

#[test]
fn without_faults_it_is_healthy_however_many_threads_submit() {
    for threads in 1..=3 {
        check_healthy(&format!("threads={threads}"));
    }
    check_healthy("threads=3 fence-feedback=off semaphore-feedback=off");
    check_healthy("channel=vtest creation-checked=on");
}

#[test]
fn a_missing_barrier_leaves_the_host_asleep_on_its_work() {
    check("barrier=off", "Wedged UW011 vkcube: frame");
    check("barrier=off threads=1", "Wedged UW011 vkcube: frame");
    check("barrier=off fence-feedback=off threads=1", "Wedged UW011 vkcube: vkr-shmem");
    check_shortest("barrier=off", "Wedged UW011");
}

#[test]
fn a_barrier_on_one_side_is_not_enough() {
    for side in ["guest", "host"] {
        check_at(3, &format!("barrier={side} threads=1"), "Wedged UW011 vkcube: frame");
        check_shortest(&format!("barrier={side}"), "Wedged UW011");
    }
}

#[test]
fn a_notification_that_never_arrives_is_told_as_the_missing_one_that_it_is() {
    check("drop-notify=200", "Wedged UW011 vkcube: vkr-shmem");
    check_healthy("drop-notify=200 bounded-park=on");
    check_shortest("drop-notify=on", "Wedged UW011");
}

#[test]
fn a_notification_before_the_sleep_that_is_not_noted_is_a_lost_wake_up() {
    check("pending-flag=off", "Wedged UW009 vkcube: frame");
    check_shortest("pending-flag=off", "Wedged UW009");
}

#[test]
fn feedback_that_is_lost_is_a_lost_signal() {
    check("lose-feedback=300 threads=1", "Wedged UW004 vkcube: frame");
    check_healthy("lose-feedback=300 threads=1 fence-feedback=off");
    check_shortest("lose-feedback=on", "Wedged UW004");
}

#[test]
fn a_channel_that_closes_leaves_the_guest_reading() {
    check("channel=vtest creation-fails=on", "Wedged UW007 vkcube: answer to a creation");
    check_healthy("channel=vtest creation-fails=on creation-checked=on");
    check_shortest("channel=vtest creation-fails=on", "Wedged UW007");
}

#[test]
fn feedback_of_semaphores_fails_as_that_of_fences_does() {
    let fails = "channel=vtest creation-fails=on";
    let lost = "lost connection to rendering server";
    check_dies(&format!("{fails} fence-feedback=off"), lost);
    check_healthy(&format!("{fails} fence-feedback=off semaphore-feedback=off"));
}

#[test]
fn a_command_that_names_what_was_not_made_ends_the_ring() {
    check("creation-fails=on", "Wedged UW011 vkcube: frame");
    check_healthy("creation-fails=on creation-checked=on");
    check("host-limit=1", "Wedged UW011 vkcube: frame");
    check_healthy("host-limit=1 creation-checked=on");
    for switches in ["creation-fails=on", "host-limit=1", "roundtrip=off"] {
        check_shortest(switches, "Wedged UW011");
    }
}

#[test]
fn who_submits_to_a_ring_that_has_ended_takes_the_process_down() {
    check_dies("host-limit=20", "vn_ring_submit abort on fatal");
    check_dies("roundtrip=off", "vn_ring_submit abort on fatal");
    check_dies("creation-fails=on threads=1 relax=abort", "aborting on ring fatal error");
}

#[test]
fn a_renderer_that_dies_is_gone() {
    check("host-dies=2001 threads=1", "Wedged UW007 vkcube: vkr-shmem");
    check_dies("host-dies=2001 relax=abort", "aborting on expired ring alive status");
    check_dies("host-dies=2001 relax=lost", "vkQueueSubmit returned VK_ERROR_DEVICE_LOST");
    check_shortest("host-dies=on", "Wedged UW007");
}
