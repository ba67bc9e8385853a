//! Which answers of a frame loop are enough? Every order of the small world is tried, with as many faults as it has images.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::ops::ControlFlow;

use unwedge_sim::explore::{Answer, Limits, Rest, explore};
use unwedge_sim::scenarios::{self, Size};
use unwedge_sim::world::{Exploration, Packed, Step, World};
use unwedge_sim::{Action, Goals, Model};
use unwedge_trace::row::Op;

const BYTES: usize = 40;
const INPUT: u32 = 1;

/// The world, asked about some of its goals only.
struct Asked<'w> {
    world: Exploration<'w, BYTES>,
    goals: Goals,
}

impl Model for Asked<'_> {
    type State = Packed<BYTES>;
    type Action = Step;

    fn init_states(&self) -> Vec<Self::State> {
        self.world.init_states()
    }

    fn actions(&self, state: &Self::State, actions: &mut Vec<Step>) {
        self.world.actions(state, actions);
    }

    fn next_state(&self, state: &Self::State, step: &Step) -> Option<Self::State> {
        self.world.next_state(state, step)
    }

    fn sort(&self, state: &Self::State, step: &Step) -> Action {
        match self.world.sort(state, step) {
            Action::Step(Goals(goals)) => Action::Step(Goals(goals & self.goals.0)),
            fault @ Action::Fault => fault,
        }
    }

    fn goals(&self) -> Goals {
        self.goals
    }

    fn describe(&self, state: &Self::State, step: &Step) -> String {
        self.world.describe(state, step)
    }
}

fn world(switches: &str) -> World {
    world_of(Size::Small, switches)
}

fn world_of(size: Size, switches: &str) -> World {
    let scenario = scenarios::find("frame-loop").expect("it is there");
    let mut settings = scenario.defaults();
    for switch in switches.split_whitespace() {
        let (name, value) = switch.split_once('=').expect("name=value");
        assert_eq!(settings.set(name, value), Ok(true), "{switch}");
    }
    (scenario.build)(&settings, size).expect("switches that go together")
}

/// The answer in words: which goals are lost where it first wedges, and whether things go on there.
fn explored(switches: &str, goals: impl Fn(Goals) -> Goals) -> String {
    let world = world(switches);
    let names: Vec<_> = world.goals().map(str::to_owned).collect();
    let room = world.state_bytes();
    let model = Exploration::new(&world).unwrap_or_else(|| panic!("{room} bytes do not fit"));
    let goals = goals(model.goals());
    let limits = Limits { threads: 2, ..Limits::default() };
    let asked = Asked { world: model, goals };
    match explore(&asked, &limits, &mut |_| ControlFlow::Continue(())).answer {
        Answer::NoWedge => "no wedge".to_owned(),
        Answer::OutOfRoom(bound) => format!("not known: {bound} was met"),
        Answer::Wedge(wedge) => {
            let lost = names.iter().zip(0..).filter(|(_, bit)| wedge.lost.0 >> bit & 1 == 1);
            let lost: Vec<_> = lost.map(|(name, _)| name.as_str()).collect();
            let rest = match wedge.rest {
                Rest::DeadEnd { .. } => "then nothing happens any more",
                Rest::Livelock { .. } => "the rest goes on",
            };
            format!("{} lost, {rest}", lost.join(" and "))
        }
    }
}

#[track_caller]
fn check(switches: &str, expected: &str) {
    assert_eq!(explored(switches, |all| all), expected, "{switches}");
}

/// All of these waits are for ever, so the whole thread stands in one of them in the end.
const DEAD: &str = "frames lost, then nothing happens any more";
/// The thread comes back from its waits in vain, and takes keys in between.
const ALIVE: &str = "frames lost, the rest goes on";
const NONE: &str = "no wedge";

#[test]
fn without_faults_it_does_not_wedge() {
    check("", NONE);
    check("sync=timeline", NONE);
    check("bounded=on reset-after-acquire=on", NONE);
}

#[test]
fn fences_that_are_not_created_signalled_are_waited_for_in_vain() {
    check("created-signalled=off", DEAD);
}

#[test]
fn bounded_waits_alone_make_it_worse() {
    // An acquire that times out comes after the reset.
    check("bounded=on", ALIVE);
}

#[test]
fn a_reset_before_an_acquire_that_fails_wedges_and_one_after_it_does_not() {
    for fault in ["acquire-timeout=on", "out-of-date=on frames-in-flight=1"] {
        check(fault, DEAD);
        check(&format!("{fault} reset-after-acquire=on"), NONE);
        check(&format!("{fault} sync=timeline"), NONE);
    }
}

#[test]
fn of_the_answers_to_a_failed_record_only_those_that_return_the_image_are_enough() {
    for fault in ["record-fails=on", "submit-fails=on frames-in-flight=1"] {
        let check = |after: &str, expected| {
            let more = format!("{fault} reset-after-acquire=on after-failed-record={after}");
            check(&more, expected);
        };
        check("nothing", DEAD);
        check("empty-submit", DEAD);
        check("consume", DEAD);
        check("release", NONE);
        check("submit-and-present", NONE);
    }
}

#[test]
fn an_empty_submit_leaks_the_image_even_where_the_semaphore_may_be_signalled_again() {
    let driver = "record-fails=on frames-in-flight=1 reset-after-acquire=on signalled-semaphore=signals-again";
    check(&format!("{driver} after-failed-record=empty-submit"), DEAD);
    check(&format!("{driver} after-failed-record=submit-and-present"), NONE);
}

#[test]
fn a_timeline_needs_no_empty_submit_and_leaks_the_image_all_the_same() {
    let timeline = "sync=timeline frames-in-flight=1 record-fails=on";
    check(timeline, DEAD);
    check(&format!("{timeline} after-failed-record=submit-and-present"), NONE);
}

#[test]
fn a_dropped_notification_needs_bounded_waits_for_input_and_recovery_for_frames() {
    check("drop-notification=on", DEAD);
    check("drop-notification=on bounded=on reset-after-acquire=on", ALIVE);
    check("drop-notification=on bounded=on reset-after-acquire=on recovery=on", NONE);
}

#[test]
fn a_timeline_shows_what_was_dropped_with_its_next_value_unless_all_in_flight_are_dropped() {
    // Two faults may strike: with three frames in flight, which the small world has not, even this would heal.
    check("sync=timeline drop-notification=on frames-in-flight=2", DEAD);
    check("sync=timeline drop-notification=on frames-in-flight=1", DEAD);
    check("sync=timeline drop-notification=on frames-in-flight=1 bounded=on recovery=on", NONE);
}

#[test]
fn an_upload_that_times_out_costs_its_glyphs_only_and_recovery_brings_them_back() {
    let base = "upload-timeout=on frames-in-flight=1";
    let all = "frames and input and glyphs lost, then nothing happens any more";
    check(base, all);
    let bounded = "bounded=on reset-after-acquire=on";
    check(&format!("{base} {bounded}"), "glyphs lost, the rest goes on");
    check(&format!("{base} {bounded} recovery=on"), NONE);
}

#[test]
fn a_device_that_is_lost_or_stalls_needs_a_new_one() {
    for fault in ["stall=on frames-in-flight=1", "device-lost=on frames-in-flight=1"] {
        check(fault, DEAD);
        check(&format!("{fault} bounded=on reset-after-acquire=on"), ALIVE);
        check(&format!("{fault} bounded=on reset-after-acquire=on recovery=on"), NONE);
    }
}

#[test]
fn recovery_heals_what_an_empty_submit_leaves_behind() {
    let half = "record-fails=on frames-in-flight=1 reset-after-acquire=on \
                after-failed-record=empty-submit bounded=on";
    check(half, ALIVE);
    check(&format!("{half} recovery=on"), NONE);
}

#[test]
fn images_that_are_withheld_cannot_be_had_by_any_answer() {
    let withheld = "withhold-images=on frames-in-flight=1";
    check(withheld, DEAD);
    check(&format!("{withheld} bounded=on reset-after-acquire=on recovery=on"), ALIVE);
}

#[test]
fn bounded_waits_keep_input_alive_whatever_strikes() {
    let faults = [
        "drop-notification",
        "acquire-timeout",
        "out-of-date",
        "record-fails",
        "submit-fails",
        "stall",
        "device-lost",
        "withhold-images",
        "upload-timeout",
    ];
    let input = |_| Goals(1 << INPUT);
    for fault in faults {
        let one = format!("{fault}=on frames-in-flight=1");
        assert_eq!(explored(&format!("{one} bounded=on"), input), NONE, "{fault}");
    }
    let starved = "input lost, then nothing happens any more";
    assert_eq!(explored("drop-notification=on frames-in-flight=1", input), starved);
}

#[test]
fn recovery_without_bounded_waits_is_refused() {
    let scenario = scenarios::find("frame-loop").expect("it is there");
    let mut settings = scenario.defaults();
    assert_eq!(settings.set("recovery", "on"), Ok(true));
    let error = (scenario.build)(&settings, Size::Small).expect_err("no wait comes back");
    assert!(error.starts_with("recovery=on needs bounded=on"), "{error}");
}

#[test]
fn with_every_answer_no_two_failures_wedge_it() {
    let failures = "drop-notification=on acquire-timeout=on out-of-date=on record-fails=on \
                    submit-fails=on stall=on device-lost=on frames-in-flight=1";
    let answers = "bounded=on reset-after-acquire=on after-failed-record=submit-and-present";
    check(&format!("{failures} {answers} recovery=on"), NONE);
    check(&format!("{failures} {answers}"), ALIVE);
}

/// How often each thing was got done by the terminal in the second ten seconds of a run.
fn later(switches: &str) -> (usize, usize) {
    let mut run = world_of(Size::Full, switches).run(1);
    let mut counts = (0, 0);
    while let Some(batch) = run.batch(10_000, 20_000_000_000) {
        let late = batch.rows.iter().filter(|row| row.at > 10_000_000_000);
        for row in late.filter(|row| row.op == Op::Progress) {
            counts.0 += usize::from(batch.name(row.name) == "frame presented");
            counts.1 += usize::from(batch.name(row.name) == "key handled");
        }
    }
    counts
}

#[test]
fn a_run_shows_what_each_answer_achieves() {
    let (frames, keys) = later("");
    assert!((580..=610).contains(&frames) && keys > 50, "{frames} {keys}");
    assert_eq!(later("drop-notification=40"), (0, 0));
    let bounded = "drop-notification=40 bounded=on reset-after-acquire=on";
    let (frames, keys) = later(bounded);
    assert!(frames == 0 && keys > 2, "{frames} {keys}");
    let (frames, keys) = later(&format!("{bounded} recovery=on"));
    assert!((580..=610).contains(&frames) && keys > 50, "{frames} {keys}");
}
