//! A frame loop that goes on whatever happens: it skips and tries again, and climbs a ladder of recovery while that does not help.
//!
//! The program calls [`FrameLoop::turn`] from its event loop, between events: no turn waits longer than the bounds of the [`Settings`], a few
//! milliseconds, so keys, resizes and the end of the program are never behind a wait. What could not be drawn is told by
//! [`Turn::Skipped`], with the time after which another turn is worth it: 5 ms, 10 ms, … 100 ms, from the start again after a success.
//!
//! ```text
//!   what happened                    the rungs of the Ladder, two seconds each
//!
//!   a frame cannot be drawn ─────┐
//!   no image can be had ─────────┴─► again, 5 ms … 100 ms apart
//!                                      │
//!                                      ▼
//!   the surface is lost ───────────► a new swapchain; fresh fences and semaphores,
//!                                      │  once the queue is idle
//!   the device is lost ──────────┐     ▼
//!   a fence could not be reset ──┴─► a new device, up to three times,
//!                                      │  through Program::device
//!                                      ▼
//!                                    given up, with a Report of what was tried
//!
//!   a frame is seen executed: the trouble is over, wherever it had led
//! ```
//!
//! | what happened | enters at | leads up to |
//! |---|---|---|
//! | the GPU does not execute a frame, memory is short, the program cannot draw | again | giving up |
//! | the presentation engine gives no image, every swapchain is out of date | again | a new swapchain |
//! | the surface is lost | a new swapchain, with a new surface | giving up |
//! | the device is lost, a fence could not be reset, the device could not be made | a new device | giving up |
//!
//! The trouble is over when a frame is *seen executed* that was submitted after it: that a submit and a present succeed proves nothing. What
//! was climbed counts until there was calm for five times as long as a rung is tried; a new device is worth the lower rungs once more.
//!
//! Trouble is told through `tracing`: the first frame that is skipped at once, then one event in five seconds with the number of frames so far, each rung as it
//! is climbed, and its end.
//!
//! A program that draws only when something has changed calls [`FrameLoop::tend`] after a frame until it [rests](Turn::Resting): a frame that
//! is never executed would otherwise be noticed by the next one only, and the screen would keep the old picture.

mod backoff;
mod ladder;
mod notice;
mod program;
mod report;
mod turn;

use std::time::{Duration, Instant};

pub use backoff::{BACKOFF_MAX, BACKOFF_STEP, Backoff, NOTICE_EVERY, Throttle};
pub use ladder::Ladder;
pub use program::{Because, NewDevice, NewSwapchain, Program, Turn};
pub use report::{Report, Step};

use crate::frame::{Frames, Images, Parts, PresentWhen};
use crate::{Bound, Waited};
use ladder::Climb;

/// How a frame loop waits and recovers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How many frames may be in flight, 1 to [`IN_FLIGHT_MAX`](crate::frame::IN_FLIGHT_MAX).
    pub in_flight: usize,
    /// How long one turn waits for an earlier frame to be executed.
    pub fence: Bound,
    /// How long one turn waits for an image.
    pub acquire: Bound,
    /// How long a rung waits for the queue to be idle.
    pub idle: Bound,
    /// When a frame is presented: at once, or once it is executed. For the latter a program that does not draw all the time
    /// calls [`tend`](FrameLoop::tend) until it rests.
    pub present: PresentWhen,
    /// What is tried while frames fail.
    pub ladder: Ladder,
}

impl Default for Settings {
    /// Two frames in flight; 8 ms for a fence and for an image, half a refresh at 60 Hz, so that a key that comes meanwhile is not
    /// felt to be late; 100 ms for an idle queue.
    fn default() -> Self {
        Self {
            in_flight: 2,
            fence: Bound::from_millis(8),
            acquire: Bound::from_millis(8),
            idle: Bound::from_millis(100),
            present: PresentWhen::Submitted,
            ladder: Ladder::default(),
        }
    }
}

/// What there is to draw with.
#[derive(Debug)]
enum Stage {
    /// Nothing. The device has to be made, for this reason.
    NoDevice(NewDevice),
    /// A device, and no swapchain yet.
    Device(Box<Parts>),
    /// All of it.
    Frames(Box<Frames>),
}

/// The frame loop of one window. It owns the [`Frames`]; the program owns the device and the surface.
#[derive(Debug)]
pub struct FrameLoop {
    settings: Settings,
    stage: Stage,
    /// Why a new swapchain is needed before the next frame.
    swapchain: Option<NewSwapchain>,
    /// The program has not been told of the present swapchain yet.
    untold: bool,
    /// The swapchain was made because the last one was suboptimal: if it is so too, then that is how it is.
    suboptimal: bool,
    backoff: Backoff,
    throttle: Throttle,
    climb: Climb,
    report: Report,
    gave_up: bool,
    /// How many batches were executed when the last trouble was met.
    executed: u64,
    presented_at: Option<Instant>,
}

impl FrameLoop {
    /// A loop that has nothing yet: its first turn asks the program for a device.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            stage: Stage::NoDevice(NewDevice::First),
            swapchain: None,
            untold: false,
            suboptimal: false,
            backoff: Backoff::default(),
            throttle: Throttle::default(),
            climb: Climb::default(),
            report: Report::default(),
            gave_up: false,
            executed: 0,
            presented_at: None,
        }
    }

    /// The window has another size: the next frame is drawn to a swapchain of that size.
    pub fn resized(&mut self) {
        self.swapchain.get_or_insert(NewSwapchain::OutOfDate);
        self.suboptimal = false;
    }

    /// The images of the present swapchain, if there is one.
    #[must_use]
    pub fn images(&self) -> Option<Images<'_>> {
        match &self.stage {
            Stage::Frames(frames) => frames.images(),
            _ => None,
        }
    }

    /// For how long there has been trouble, if there is any.
    #[must_use]
    pub fn troubled_for(&self, now: Instant) -> Option<Duration> {
        self.climb.since.map(|since| now.saturating_duration_since(since))
    }

    /// What was tried since the trouble began, if there is any.
    #[must_use]
    pub fn report(&self) -> Option<&Report> {
        self.climb.is_climbing().then_some(&self.report)
    }

    /// Tries all rungs once more after it was given up.
    pub fn start_over(&mut self) {
        if self.gave_up {
            self.gave_up = false;
            self.climb = Climb::default();
            self.report = Report::default();
        }
    }

    /// Ends: waits for the last frames, within the bound, and destroys what is the loop's. If it times out, all is left as it is, and
    /// the program has to leave its device and surface too.
    pub fn finish(self, bound: Bound) -> Waited {
        match self.stage {
            Stage::Frames(frames) => frames.destroy(bound).unwrap_or(Waited::TimedOut),
            Stage::NoDevice(NewDevice::Stalled) => Waited::TimedOut,
            _ => Waited::Reached,
        }
    }
}
