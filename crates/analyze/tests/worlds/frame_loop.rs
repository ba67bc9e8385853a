//! Is what `frame-loop` plants what is found?

use std::ops::ControlFlow;

use unwedge_analyze::{Options, Report, Summary};
use unwedge_sim::explore::{Answer, Limits, Rest, explore};
use unwedge_sim::scenarios::Size;
use unwedge_sim::world::{Exploration, Replay, Way};
use unwedge_trace::Timestamp;

use super::judge::{run, said, world};

const SEEDS: std::ops::Range<u64> = 1..13;
/// At least 20 s in a wedge: of bounded waits, 2 s each, it takes a few to see that they come to nothing.
const RUN_NS: u64 = 25_000_000_000;

/// Runs it from several seeds; says of each the verdict and, of what was found first, the waiter, its call and the object.
#[track_caller]
fn check(switches: &str, expected: &str) {
    let world = world("frame-loop", Size::Full, switches);
    for seed in SEEDS {
        let mut run = world.run(seed);
        let mut summary = Summary::default();
        while let Some(batch) = run.batch(10_000, RUN_NS) {
            summary.fold(&batch);
        }
        let report = report(&summary, RUN_NS);
        let replay = format!("unwedge sim frame-loop --set {switches} --seed {seed}");
        assert_eq!(told(&report), expected, "{replay}: {report:#?}");
    }
}

fn report(summary: &Summary, now: u64) -> Report {
    let options = Options { patience_ns: summary.patience_ns() };
    summary.report("a simulated world", Some(Timestamp(now)), &options)
}

/// `Wedged UW004: 4100 main in vkWaitForFences for frame`.
fn told(report: &Report) -> String {
    let Some(first) = report.findings.first() else { return said(report) };
    let waiter = first.waiter.as_ref().expect("a waiter");
    let object = first.object.as_ref().and_then(|object| object.label.as_deref());
    // Which frame in flight it is depends on the seed.
    let object = object.unwrap_or_default().trim_end_matches(|c: char| c.is_ascii_digit());
    let (tid, name, call) = (waiter.tid, &waiter.name, &waiter.call);
    format!("{}: {tid} {name} in {call} for {}", said(report), object.trim_end())
}

const HEALTHY: &str = "Progressing";
const RESET: &str = "Wedged UW003: 4100 main in vkWaitForFences for frame";
const LOST: &str = "Wedged UW004: 4100 main in vkWaitForFences for frame";
const STALLED: &str = "Wedged UW006: 4100 main in vkWaitForFences for frame";
const GONE: &str = "Wedged UW007: 4100 main in vkWaitForFences for frame";
const WITHHELD: &str = "Wedged UW010: 4100 main in vkAcquireNextImageKHR for window";
const IN_USE: &str = "Wedged UW003: 4100 main in vkAcquireNextImageKHR for use of image available";

#[test]
fn without_faults_it_is_healthy() {
    check("", HEALTHY);
    check("frames-in-flight=1 images=2", HEALTHY);
    check("frames-in-flight=3 images=4", HEALTHY);
    check("sync=timeline", HEALTHY);
    check("bounded=on reset-after-acquire=on recovery=on", HEALTHY);
    let world = world("frame-loop", Size::Full, "");
    for seed in SEEDS {
        assert_eq!(said(&run(&world, seed, 20_000)), HEALTHY, "seed {seed}");
    }
}

#[test]
fn a_dropped_notification_is_a_lost_signal() {
    check("drop-notification=40", LOST);
    check("drop-notification=40 bounded=on reset-after-acquire=on", LOST);
    check("drop-notification=40 bounded=on reset-after-acquire=on recovery=on", HEALTHY);
}

#[test]
fn a_dropped_notification_of_a_timeline_is_shown_by_the_next_if_there_is_one() {
    let lost = "Wedged UW004: 4100 main in vkWaitSemaphores for frames done";
    check("sync=timeline drop-notification=40 frames-in-flight=1", lost);
    check("sync=timeline drop-notification=40 frames-in-flight=2", HEALTHY);
    check("sync=timeline drop-notification=40+", lost);
}

#[test]
fn an_acquire_that_fails_after_the_reset_leaves_the_fence_unsignalled() {
    for fault in ["acquire-timeout=40", "out-of-date=40"] {
        check(fault, RESET);
        check(&format!("{fault} bounded=on"), RESET);
        check(&format!("{fault} reset-after-acquire=on"), HEALTHY);
        check(&format!("{fault} sync=timeline"), HEALTHY);
    }
}

#[test]
fn a_frame_that_fails_after_the_reset_leaves_the_fence_unsignalled() {
    for fault in ["record-fails=40", "submit-fails=40"] {
        check(fault, RESET);
        check(&format!("{fault} reset-after-acquire=on"), RESET);
        check(&format!("{fault} reset-after-acquire=on bounded=on"), RESET);
    }
}

#[test]
fn after_an_empty_submit_the_semaphore_is_in_use_for_ever() {
    let half = "reset-after-acquire=on after-failed-record=empty-submit";
    for fault in ["record-fails=40", "submit-fails=40"] {
        check(&format!("{fault} {half}"), IN_USE);
        check(&format!("{fault} {half} bounded=on"), IN_USE);
        check(&format!("{fault} {half} bounded=on recovery=on"), HEALTHY);
    }
}

#[test]
fn images_that_are_not_given_back_are_all_with_the_program_in_the_end() {
    let again = "signalled-semaphore=signals-again after-failed-record=empty-submit";
    for half in [again, "after-failed-record=consume"] {
        for images in 2..=4 {
            check(&format!("record-fails=10% images={images} {half}"), WITHHELD);
        }
        check(&format!("record-fails=10% bounded=on reset-after-acquire=on {half}"), WITHHELD);
    }
}

#[test]
fn a_semaphore_that_is_consumed_and_an_image_that_is_given_back_are_the_whole_answer() {
    for after in ["submit-and-present", "release"] {
        for fault in ["record-fails=20%", "submit-fails=20%"] {
            check(&format!("{fault} after-failed-record={after}"), HEALTHY);
            check(&format!("{fault} after-failed-record={after} sync=timeline"), HEALTHY);
        }
    }
}

#[test]
fn an_upload_whose_notification_is_dropped_holds_up_the_whole_thread() {
    let lost = "Wedged UW004: 4100 main in vkWaitForFences for atlas upload";
    check("upload-timeout=1", lost);
    check("upload-timeout=1 bounded=on reset-after-acquire=on", lost);
    check("upload-timeout=1 bounded=on reset-after-acquire=on recovery=on", HEALTHY);
}

#[test]
fn a_queue_that_does_nothing_is_stalled() {
    check("stall=40", STALLED);
    check("stall=40 bounded=on reset-after-acquire=on", STALLED);
    check("stall=40 bounded=on reset-after-acquire=on recovery=on", HEALTHY);
}

#[test]
fn a_lost_device_is_a_debtor_that_is_gone() {
    check("device-lost=40", GONE);
    check("device-lost=40 bounded=on reset-after-acquire=on", GONE);
    check("device-lost=40 bounded=on reset-after-acquire=on recovery=on", HEALTHY);
}

#[test]
fn an_engine_that_keeps_the_images_withholds_them() {
    check("withhold-images=40", WITHHELD);
    check("withhold-images=40 bounded=on reset-after-acquire=on", WITHHELD);
    // The acquire that times out comes after the reset.
    check("withhold-images=40 bounded=on", RESET);
}

#[test]
fn a_fence_that_was_never_submitted_is_said_to_be() {
    check("created-signalled=off", "Wedged UW002: 4100 main in vkWaitForFences for frame");
}

/// How often everybody has a turn after the wedge: enough to see that bounded waits come to nothing.
const ROUNDS: usize = 400;
/// How long it is watched after the last thing that happened in it.
const SILENCE_NS: u64 = 10_000_000_000;

/// The shortest wedge of the small world, gone into by everybody in turn, and what is said of it.
fn wedge(switches: &str) -> String {
    let world = world("frame-loop", Size::Small, switches);
    let model = Exploration::<40>::new(&world).expect("it fits");
    let limits = Limits { threads: 2, ..Limits::default() };
    let wedge = match explore(&model, &limits, &mut |_| ControlFlow::Continue(())).answer {
        Answer::Wedge(wedge) => wedge,
        Answer::NoWedge => return "no wedge".to_owned(),
        Answer::OutOfRoom(bound) => return format!("not known: {bound} was met"),
    };
    let mut replay = Replay::new(&world);
    for step in &wedge.path {
        replay.take(step.action).expect("a step of the path");
    }
    let goes_on = (0..ROUNDS).all(|_| replay.turn());
    assert_eq!(goes_on, matches!(wedge.rest, Rest::Livelock { .. }), "{switches}");
    // What goes on is looked at while it waits, where it spends its time.
    let waits = |replay: &Replay<'_>| replay.steps().iter().any(|step| step.way == Way::TimeOut);
    while goes_on && !waits(&replay) {
        replay.turn();
    }
    let now = replay.now() + if goes_on { 0 } else { SILENCE_NS };
    told(&report(&Summary::of(&replay.finish()), now))
}

#[track_caller]
fn check_wedge(switches: &str, expected: &str) {
    let switches = format!("frames-in-flight=1 {switches}");
    assert_eq!(wedge(&switches), expected, "{switches}");
}

#[test]
fn the_shortest_wedge_of_each_failure_is_told_for_what_it_is() {
    check_wedge("created-signalled=off", "Wedged UW002: 4100 main in vkWaitForFences for frame");
    check_wedge("drop-notification=on", LOST);
    check_wedge("acquire-timeout=on", RESET);
    check_wedge("out-of-date=on", RESET);
    check_wedge("record-fails=on", RESET);
    check_wedge("submit-fails=on", RESET);
    check_wedge("record-fails=on after-failed-record=empty-submit", IN_USE);
    check_wedge("record-fails=on after-failed-record=consume", WITHHELD);
    let again = "after-failed-record=empty-submit signalled-semaphore=signals-again";
    check_wedge(&format!("record-fails=on {again}"), WITHHELD);
    check_wedge("stall=on", STALLED);
    check_wedge("device-lost=on", GONE);
    check_wedge("withhold-images=on", WITHHELD);
    let atlas = "Wedged UW004: 4100 main in vkWaitForFences for atlas upload";
    check_wedge("upload-timeout=on", atlas);
    check_wedge(
        "sync=timeline drop-notification=on",
        "Wedged UW004: 4100 main in vkWaitSemaphores for frames done",
    );
}

#[test]
fn a_wedge_that_goes_on_with_bounded_waits_is_told_as_well() {
    check_wedge("bounded=on", RESET);
    check_wedge("bounded=on reset-after-acquire=on drop-notification=on", LOST);
    check_wedge(
        "bounded=on reset-after-acquire=on record-fails=on after-failed-record=empty-submit",
        IN_USE,
    );
    check_wedge("bounded=on reset-after-acquire=on stall=on", STALLED);
}
