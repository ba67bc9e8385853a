//! Does `multi-scanout` wedge as the second incident did, do the fixes mend what they are for, and no more than that?
#![allow(clippy::expect_used, reason = "a test may stop at the first surprise")]

use unwedge_sim::explore::{Answer, Rest, explore_all};
use unwedge_sim::scenarios::{self, Size};
use unwedge_sim::world::{Exploration, World};

/// Room for a state of two scanouts.
const BYTES: usize = 40;

#[track_caller]
fn world(switches: &str) -> World {
    let scenario = scenarios::find("multi-scanout").expect("it is there");
    let mut settings = scenario.defaults();
    for switch in switches.split_whitespace() {
        let (name, value) = switch.split_once('=').expect("name=value");
        assert_eq!(settings.set(name, value), Ok(true), "{switch}");
    }
    (scenario.build)(&settings, Size::Small).expect("settings that can be")
}

/// Whether it can wedge; if so, the goals that are out of reach at first, the last step of the shortest way, and whether
/// anything goes on for ever.
#[track_caller]
fn check(switches: &str) -> String {
    let world = world(switches);
    let model = Exploration::<BYTES>::new(&world).expect("there is room for a state");
    let exploration = explore_all(&model);
    let wedge = match &exploration.answer {
        Answer::NoWedge => return "no wedge".to_owned(),
        Answer::OutOfRoom(bound) => panic!("{switches}: {bound} was met"),
        Answer::Wedge(wedge) => wedge,
    };
    let goals = world.goals().enumerate().filter(|(at, _)| wedge.lost.0 & (1 << at) != 0);
    let goals: Vec<_> = goals.map(|(_, goal)| goal).collect();
    let words = exploration.describe(&model);
    let fault = words.lines().rfind(|line| line.contains("fault: ")).expect("a fault struck");
    let rest = match wedge.rest {
        Rest::DeadEnd { .. } => "then nothing can happen",
        Rest::Livelock { .. } => "something goes on",
    };
    let fault = fault.trim_start().split_once("fault: ").map_or("", |(_, fault)| fault);
    format!("no {}; {fault}; {rest}", goals.join(", no "))
}

#[test]
fn without_faults_there_is_no_wedge() {
    assert_eq!(check(""), "no wedge");
    assert_eq!(check("fence-wait=compositor"), "no wedge");
}

#[test]
fn a_client_that_does_not_answer_wedges_every_scanout() {
    insta::assert_snapshot!(check("draw-done=on"), @"no frames of scanout 0; display 1: IOSurface meets a fault: draw-done; then nothing can happen");
    insta::assert_snapshot!(check("client-exit=on"), @"no frames of scanout 0; display 1: IOSurface meets a fault: client-exit; then nothing can happen");
}

#[test]
fn skipping_one_of_two_paths_is_not_enough() {
    insta::assert_snapshot!(check("draw-done=on skip-refresh-block=on"), @"no frames of scanout 0; display 1: IOSurface meets a fault: draw-done; then nothing can happen");
}

#[test]
fn the_timer_that_is_a_no_op_or_only_warns_is_not_enough() {
    assert_ne!(check("draw-done=on gl-block-timer=warns fence-wait=compositor"), "no wedge");
    assert_eq!(check("draw-done=on gl-block-timer=releases"), "no wedge");
}

#[test]
fn an_encoder_that_does_not_call_back_needs_its_own_timer() {
    insta::assert_snapshot!(check("encoder=on"), @"no frames of scanout 0, no service; encoder 1 meets a fault: encoder; then nothing can happen");
    assert_ne!(check("encoder=on gl-block-timer=releases fence-wait=compositor"), "no wedge");
    assert_ne!(check("draw-done=on safety-timer=on fence-wait=compositor"), "no wedge");
    assert_eq!(check("encoder=on safety-timer=on"), "no wedge");
}

#[test]
fn a_fence_filed_astray_wedges_its_scanout_and_not_the_other() {
    insta::assert_snapshot!(check("fence=on"), @"no frames of scanout 1, no service; qemu main meets a fault: fence; something goes on");
    insta::assert_snapshot!(check("fence=on fence-wait=compositor"), @"no frames of scanout 0, no frames of scanout 1, no service; qemu main meets a fault: fence; something goes on");
    assert_ne!(check("fence=on block-deadline=on fence-wait=compositor"), "no wedge");
}

#[test]
fn a_deadline_for_every_hold_leaves_no_wedge_by_a_hold() {
    assert_eq!(check("block-deadline=on draw-done=on encoder=on"), "no wedge");
}

#[test]
fn a_context_for_every_scanout_leaves_no_wedge_by_a_fence() {
    assert_eq!(check("own-context=on fence=on"), "no wedge");
}

/// With both fixes, any one fault at any moment.
#[test]
fn both_fixes_leave_no_wedge() {
    let fixed = "block-deadline=on own-context=on fence-wait=compositor";
    let faults = "draw-done=on client-exit=on encoder=on fence=on";
    assert_eq!(check(&format!("{fixed} {faults}")), "no wedge");
}
