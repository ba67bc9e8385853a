//! How does a frame loop come to wait for ever? Acquire, record, submit and present, with their failures and what a program
//! does about them.

mod device;
mod main_thread;
mod others;
mod parts;

use super::{Scenario, Size};
use crate::switch::{Settings, Switch};
use crate::world::{World, WorldBuilder};
use parts::{Faults, Parts, Setup};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "frame-loop",
    about: "a terminal's frame loop on a driver that drops notifications, with every answer to it",
    story: STORY,
    switches: SWITCHES,
    build,
};

const STORY: &str = "\
A terminal that renders with Vulkan stayed in vkWaitForFences, twice in a day: the driver had dropped the notification of a \
fence whose work was done. Its thread also takes the keys, so the whole window was dead.

The answer was to bound every wait, to reset the fence only after a successful acquire, and, where recording fails between \
reset and submit, to signal the fence with an empty submit. Each of these is a switch here, off as it was before.

The empty submit is half an answer. The image stays with the program, and the semaphore of its acquire stays signalled, with \
which no other acquire may be called (VUID-vkAcquireNextImageKHR-semaphore-01286). The whole answer consumes the semaphore and \
gives the image back: after-failed-record=submit-and-present, or release.

In the small world there are two images, at most two frames in flight and at most two faults; there are uploads only if one \
of them may time out.";

const SWITCHES: &[Switch] = &[
    Switch::number("frames-in-flight", 2, (1, 3), "frames that are recorded ahead"),
    Switch::number("images", 3, (2, 4), "images of the swapchain; always 2 in the small world"),
    Switch::choice(
        "sync",
        "fence",
        &["fence", "timeline"],
        "what tells that a frame is done: a fence for each in flight, or one timeline semaphore",
    ),
    Switch::flag(
        "created-signalled",
        true,
        "the fences are created signalled, for the first frames",
    ),
    Switch::flag(
        "uploads",
        true,
        "glyphs are uploaded to an atlas, on a queue and with a fence of its own",
    ),
    Switch::flag(
        "bounded",
        false,
        "waits are bounded, 2 s for fences and 100 ms for acquires, and a frame that cannot be drawn is skipped",
    ),
    Switch::flag(
        "reset-after-acquire",
        false,
        "the fence is reset after a successful acquire, not before it",
    ),
    Switch::choice(
        "after-failed-record",
        "nothing",
        &["nothing", "empty-submit", "consume", "release", "submit-and-present"],
        "what follows where recording or submitting failed after the reset: nothing; an empty submit that signals the fence; one \
         that also consumes the acquire's semaphore; the same, and the image is released; or it is presented",
    ),
    Switch::choice(
        "signalled-semaphore",
        "waits",
        &["waits", "signals-again"],
        "what the driver does if an acquire is called with a semaphore that is still signalled, which Vulkan forbids: it waits until it \
         is consumed, or signals it again",
    ),
    Switch::flag(
        "recovery",
        false,
        "after a second time-out in a row the swapchain is rebuilt, with fresh fences and semaphores, or the device, if it is lost or \
         stands still; needs bounded=on",
    ),
    Switch::fault("acquire-timeout", "an acquire times out"),
    Switch::fault(
        "out-of-date",
        "an acquire says that the swapchain is out of date, and it is rebuilt",
    ),
    Switch::fault("record-fails", "recording fails, after the acquire"),
    Switch::fault("submit-fails", "a submit fails and leaves all as it was"),
    Switch::fault(
        "drop-notification",
        "the driver drops the notification of a frame whose work is done",
    ),
    Switch::fault(
        "upload-timeout",
        "the driver drops the notification of an atlas upload, which so times out",
    ),
    Switch::fault("stall", "the queue does not execute a batch though nothing holds it up"),
    Switch::fault("device-lost", "the device is lost in a batch; waits do not tell, submits do"),
    Switch::fault(
        "withhold-images",
        "the presentation engine keeps the images from here on, as for a hidden window",
    ),
];

fn build(settings: &Settings, size: Size) -> Result<World, String> {
    let setup = Setup::of(settings, size);
    if setup.recovery && !setup.bounded {
        return Err(
            "recovery=on needs bounded=on: nothing recovers from a wait that does not return"
                .to_owned(),
        );
    }
    let mut world = WorldBuilder::new();
    let parts = Parts::add(&mut world, &setup);
    let faults = Faults::add(&mut world, settings);
    // Each failure may leak an image, so it takes as many as there are images to lose them all.
    world.faults_max(setup.images);
    world.program(parts.main, |p| main_thread::write(p, &parts, &faults, &setup));
    device::write(&mut world, &parts, &faults, &setup);
    if size == Size::Full {
        others::add(&mut world);
    }
    Ok(world.build())
}
