//! Swapchains: where are the images, and whose turn is it?

use unwedge_trace::blackbox::{
    Call, IMAGE_ENGINE, IMAGE_PRESENTED, IMAGE_PROGRAM, OBJECT_DROPPED, PLATFORM_WAYLAND,
};

use super::rig::{Batch, DEVICE, MAIN, Rig, ago, set};
use crate::sources::observations::EngineSeen;

const SWAPCHAIN: u64 = 0x33;
const ENGINE: u64 = IMAGE_ENGINE;
const PROGRAM: u64 = IMAGE_PROGRAM;

/// The thread acquires from a swapchain whose images are so.
fn acquiring(images: &[u64], minimum: u64) -> Rig {
    let mut rig = Rig::new();
    rig.engine(EngineSeen::Idle("0 % busy".to_owned()));
    rig.swapchain(SWAPCHAIN, images, minimum);
    rig.wait(MAIN, Call::AcquireNextImage, &[(SWAPCHAIN, 21)], 3_000);
    rig
}

#[test]
fn the_program_holds_all_images() {
    let words = ["vkAcquireNextImageKHR", "swapchain 0x33", "the program holds them all"];
    let finding = acquiring(&[PROGRAM, PROGRAM, PROGRAM], 0).is_wedged("UW010", &words);
    let evidence = finding.evidence.join("\n");
    assert!(evidence.contains("of 3 images the program holds 3"), "{evidence}");
}

#[test]
fn the_engine_withholds_them() {
    let words = ["the presentation engine", "holds 3 images and hands out none"];
    acquiring(&[ENGINE, ENGINE, ENGINE], 2).is_wedged("UW010", &words);
    let rig = acquiring(&[ENGINE, PROGRAM, ENGINE], 2);
    let cells = rig.blackbox().swapchains().find(DEVICE, SWAPCHAIN).expect("it");
    set(&cells.flags, OBJECT_DROPPED);
    rig.is_wedged("UW010", &["withholds 2 images on purpose (injected)"]);
}

#[test]
fn an_engine_that_gave_one_lately_is_healthy() {
    let rig = acquiring(&[ENGINE, ENGINE, ENGINE], 2);
    let cells = rig.blackbox().swapchains().find(DEVICE, SWAPCHAIN).expect("it");
    set(&cells.acquired_at, ago(500));
    rig.is_healthy();
}

#[test]
fn the_images_are_queued_behind_a_stuck_queue() {
    let rig = acquiring(&[IMAGE_PRESENTED | 1 << 8 | 2 << 32, PROGRAM], 1);
    rig.submit(0, &Batch::default());
    rig.submit(0, &Batch { flags: 0, swapchain: SWAPCHAIN, ..Batch::default() });
    rig.is_wedged("UW006", &["an image of swapchain 0x33", "batch 2 of queue 0x91", "batch 1"]);
    // Once the work has passed, the present has, and the image is with the engine.
    rig.passed(0, 1, 4_000);
    rig.is_wedged("UW010", &["holds 1 images and hands out none"]);
}

#[test]
fn more_than_the_surface_promises() {
    let rig = acquiring(&[PROGRAM, PROGRAM, ENGINE], 2);
    let words = ["holds 1 of 3 and owes none: minImageCount is 2 and the program has 2"];
    rig.is_wedged("UW010", &words);
}

#[test]
fn as_many_as_the_surface_promises() {
    acquiring(&[PROGRAM, ENGINE, ENGINE], 2)
        .is_wedged("UW010", &["holds 2 images and hands out none"]);
}

#[test]
fn a_wayland_window_may_be_hidden() {
    let rig = acquiring(&[ENGINE, ENGINE, PROGRAM], 2);
    let cells = rig.blackbox().swapchains().find(DEVICE, SWAPCHAIN).expect("it");
    set(&cells.platform, PLATFORM_WAYLAND);
    let report = rig.report();
    assert_ne!(report.verdict, unwedge_analyze::Verdict::Wedged, "{:#?}", report.findings);
}

#[test]
fn a_swapchain_that_nobody_waits_for_is_nobodys_concern() {
    let rig = acquiring(&[PROGRAM, PROGRAM], 1);
    set(&rig.slot(MAIN).slot_call, 0);
    rig.is_healthy();
}

#[test]
fn a_present_that_is_not_shown() {
    let rig = acquiring(&[ENGINE, ENGINE], 1);
    rig.wait(MAIN, Call::WaitForPresent, &[(SWAPCHAIN, 7)], 3_000);
    rig.is_unclear("UW015", &["vkWaitForPresentKHR", "the presentation engine"]);
}
