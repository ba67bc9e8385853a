//! The loop draws, skips and recovers, as the scripted driver lets it: whole stories, one a test.

use std::time::{Duration, Instant};

use unwedge_wait::frame_loop::{
    BACKOFF_MAX, BACKOFF_STEP, Because, FrameLoop, Ladder, NewDevice, NewSwapchain, Settings, Turn,
};
use unwedge_wait::{Bound, Waited};

use crate::window::Window;

/// The loop never waits for real here: what is not there at once is late.
pub fn settings() -> Settings {
    let zero = Bound::ZERO;
    Settings { fence: zero, acquire: zero, idle: zero, ..Settings::default() }
}

/// What became of so many turns, in a time of the test's own.
pub struct Story {
    window: Window,
    frames: FrameLoop,
    now: Instant,
    presented: u64,
    skipped: Vec<(Duration, Because)>,
    gave_up: Option<String>,
}

impl Story {
    pub fn new(script: &str, settings: Settings) -> Self {
        let script = format!("queues=1,check=quiet,execute=early,{script}");
        Self {
            window: Window::new(&script),
            frames: FrameLoop::new(settings),
            now: Instant::now(),
            presented: 0,
            skipped: Vec::new(),
            gave_up: None,
        }
    }

    /// Takes turns for so long.
    pub fn go_on(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end && self.gave_up.is_none() {
            match self.frames.turn(&mut self.window, self.now) {
                Turn::Presented => self.presented += 1,
                Turn::Skipped { retry_in, because } => {
                    self.now += retry_in;
                    self.skipped.push((retry_in, because));
                }
                Turn::GaveUp(report) => self.gave_up = Some(report.to_string()),
                other => panic!("{other:?}"),
            }
            self.now += Duration::from_millis(16);
        }
    }

    pub fn end(self, waited: Waited) {
        assert_eq!(self.frames.finish(Bound::ZERO), waited);
        assert_eq!(fake_icd::violations(&self.window.rig.instance), []);
        if waited == Waited::Reached {
            self.window.rig.destroy();
        }
    }
}

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn a_healthy_loop_draws_each_turn() {
    let mut story = Story::new("", settings());
    story.go_on(Duration::from_millis(320));
    assert_eq!((story.presented, story.skipped.len()), (20, 0));
    assert_eq!(story.window.devices, [NewDevice::First]);
    assert_eq!(story.window.swapchains, [NewSwapchain::First]);
    story.end(Waited::Reached);
}

#[test]
fn a_lost_notification_is_cured_by_fresh_fences_and_a_new_swapchain() {
    let mut story = Story::new("drop-fence=3", settings());
    story.go_on(Duration::from_secs(5));
    assert!(story.presented > 100, "{}", story.presented);
    assert!(story.skipped.iter().all(|(_, because)| *because == Because::Fence));
    assert_eq!(story.window.devices, [NewDevice::First]);
    assert_eq!(story.window.swapchains, [NewSwapchain::First, NewSwapchain::Recovery]);
    assert_eq!(story.frames.troubled_for(story.now), None);
    story.end(Waited::Reached);
}

#[test]
fn retries_back_off_and_start_over_after_a_success() {
    let fail = "fail=vkAcquireNextImageKHR:2:TIMEOUT,fail=vkAcquireNextImageKHR:3:TIMEOUT,\
                fail=vkAcquireNextImageKHR:5:TIMEOUT";
    let mut story = Story::new(fail, settings());
    story.go_on(Duration::from_millis(300));
    let pauses: Vec<_> = story.skipped.iter().map(|(pause, _)| *pause).collect();
    assert_eq!(pauses, [BACKOFF_STEP, 2 * BACKOFF_STEP, BACKOFF_STEP]);
    story.end(Waited::Reached);
}

#[test]
fn withheld_images_are_waited_for_and_never_cost_the_device() {
    let mut story = Story::new("fail=vkAcquireNextImageKHR:4+:TIMEOUT", settings());
    story.go_on(MINUTE);
    assert_eq!(story.gave_up, None, "a hidden window is no reason to give up");
    assert!(story.skipped.iter().all(|(_, because)| *because == Because::Acquire));
    assert_eq!(story.skipped.last().map(|(pause, _)| *pause), Some(BACKOFF_MAX));
    assert_eq!(story.window.devices, [NewDevice::First]);
    assert_eq!(story.window.swapchains, [NewSwapchain::First, NewSwapchain::Recovery]);
    story.end(Waited::Reached);
}

#[test]
fn a_queue_that_stands_still_is_left_and_given_up_with_a_report() {
    let mut story = Story::new("stall=3", settings());
    story.go_on(MINUTE);
    let report = story.gave_up.take().expect("every device stands still");
    let steps: Vec<_> = report.lines().skip(1).map(|line| line[13..].trim()).collect();
    let round = [
        "the GPU has not executed an earlier frame",
        "tried a new swapchain",
        "the queue is not idle",
        "the GPU has not executed an earlier frame",
        "tried a new device; the old one is stalled",
        "frames were drawn again",
    ];
    assert_eq!(steps[..12], [round, round].concat(), "{report}");
    assert_eq!(steps.last(), Some(&"gave up"));
    let Turn::GaveUp(_) = story.frames.turn(&mut story.window, story.now) else {
        panic!("it does not begin again by itself");
    };
    assert_eq!(story.window.left, 3, "what is in use is never destroyed");
    story.end(Waited::TimedOut);
}

#[test]
fn a_program_may_start_over_after_it_was_given_up() {
    let ladder = Ladder { swapchains: 0, devices: 0, ..Ladder::default() };
    let mut story = Story::new("drop-fence=3", Settings { ladder, ..settings() });
    story.go_on(MINUTE);
    assert!(story.gave_up.take().is_some());
    story.frames.start_over();
    story.go_on(Duration::from_secs(1));
    assert_eq!(story.gave_up, None, "it tries again");
    assert!(story.frames.troubled_for(story.now).is_some());
    story.end(Waited::Reached);
}

#[test]
fn a_lost_device_is_made_again_at_once() {
    let mut story = Story::new("lost-at=5", settings());
    story.go_on(Duration::from_millis(200));
    assert_eq!(story.window.devices[..2], [NewDevice::First, NewDevice::Lost]);
    assert!(story.presented > 5);
    story.end(Waited::Reached);
}

#[test]
fn a_program_that_draws_seldom_learns_of_a_wedge_by_tending() {
    let mut story = Story::new("drop-fence=1", settings());
    let start = story.now;
    assert_eq!(story.frames.turn(&mut story.window, start), Turn::Presented);
    let soon = story.frames.tend(&mut story.window, start + Duration::from_millis(10));
    assert_eq!(soon, Turn::Resting(Some(BACKOFF_STEP)), "it may still be executed");
    let mut now = start + Duration::from_millis(200);
    let mut draw_again = 0;
    while now < start + Duration::from_secs(4) {
        match story.frames.tend(&mut story.window, now) {
            Turn::Skipped { retry_in, because } => {
                assert_eq!(because, Because::Fence);
                (now, draw_again) = (now + retry_in, draw_again + 1);
            }
            Turn::Resting(None) => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(draw_again > 10, "it is told that what it drew is not on the screen");
    assert_eq!(story.frames.turn(&mut story.window, now), Turn::Presented);
    story.end(Waited::Reached);
}

#[test]
fn resizing_while_the_gpu_is_stuck_makes_no_swapchains() {
    let mut story = Story::new("stall=2", Settings { ladder: Ladder::retry_only(), ..settings() });
    for _ in 0..200 {
        story.frames.resized();
        story.go_on(Duration::from_millis(16));
    }
    assert!(story.window.swapchains.len() < 8, "{:?}", story.window.swapchains);
    story.end(Waited::TimedOut);
}

#[test]
fn every_resize_gets_its_swapchain_and_the_old_ones_go() {
    let mut story = Story::new("engine=hold", settings());
    for _ in 0..200 {
        story.frames.resized();
        story.go_on(Duration::from_millis(16));
    }
    assert_eq!(story.presented, 200);
    story.end(Waited::Reached);
}

#[test]
fn a_swapchain_that_is_always_suboptimal_is_replaced_once() {
    let mut story = Story::new("fail=vkQueuePresentKHR:1+:SUBOPTIMAL", settings());
    story.go_on(Duration::from_millis(320));
    assert_eq!(story.presented, 20);
    assert_eq!(story.window.swapchains, [NewSwapchain::First, NewSwapchain::OutOfDate]);
    story.end(Waited::Reached);
}
