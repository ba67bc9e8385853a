//! What does the loop ask of the program, and what does it tell it?

use std::fmt;
use std::time::Duration;

use ash::vk;

use super::report::Report;
use crate::frame::{Images, Parts, Target};
use crate::{Error, Waited};

/// A program that draws. The loop calls these when it is time for them; none of them should wait.
///
/// # Safety
/// The loop gives to Vulkan what these return, so it has to be true: the parts and the swapchain are as
/// [`Frames::new`](crate::frame::Frames::new) asks, the device and the surface live until the loop has ended or says in [`NewDevice`] and
/// [`NewSwapchain`] that they may go, and nobody uses the queue during a turn but from within these.
pub unsafe trait Program {
    /// What can go wrong in the program's own code.
    type Error: fmt::Display;

    /// Makes the device, with all that the program needs on it: pipelines, textures, buffers. Called for the first frame, and again
    /// when only a new device helps. `why` says what to do with the old one.
    ///
    /// # Errors
    /// Whatever keeps it from being made; it is tried again as the [`Ladder`](super::Ladder) says.
    fn device(&mut self, why: NewDevice) -> Result<Parts, Self::Error>;

    /// What the next swapchain is to be; `old_swapchain` is filled in by the loop. `None` while the window has no
    /// area, as a minimised one.
    ///
    /// # Errors
    /// Whatever keeps the program from knowing.
    fn swapchain(
        &mut self,
        why: NewSwapchain,
    ) -> Result<Option<vk::SwapchainCreateInfoKHR<'static>>, Self::Error>;

    /// There is a new swapchain, for instance to make framebuffers of its views.
    ///
    /// # Errors
    /// Whatever keeps the program from using it; the frame is skipped, and it is called again.
    fn swapchain_made(&mut self, images: &Images<'_>) -> Result<(), Self::Error> {
        let _ = images;
        Ok(())
    }

    /// Nothing uses the swapchain with this number any more: what was made of its views can be destroyed.
    fn swapchain_gone(&mut self, generation: u64) {
        let _ = generation;
    }

    /// Brings to the GPU what the frame needs, before it has an image: [`Uploads::pump`](crate::Uploads::pump). If that timed
    /// out, the frame is skipped and this is called again.
    ///
    /// # Errors
    /// Whatever keeps it from being brought there; the frame is skipped.
    fn prepare(&mut self) -> Result<Waited, Self::Error> {
        Ok(Waited::Reached)
    }

    /// Records the frame, as [`AcquiredFrame::record`](crate::frame::AcquiredFrame::record) says.
    ///
    /// # Errors
    /// Whatever keeps it from being drawn; the frame is skipped.
    fn draw(&mut self, commands: vk::CommandBuffer, target: &Target) -> Result<(), Self::Error>;

    /// What of Vulkan is behind an error of the program, so that a device that it found lost is made again.
    fn cause(error: &Self::Error) -> Option<Error> {
        let _ = error;
        None
    }
}

/// Why a device is needed, and what is to become of the old one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewDevice {
    /// There is no old one: it is the first, or the last attempt failed.
    First,
    /// The old one is lost. Vulkan allows to destroy everything that was made from it, then itself.
    Lost,
    /// The old one does not draw, but has nothing left to do: it can be destroyed as usual.
    Idle,
    /// The old one still executes something, or says so. Vulkan forbids to destroy what is in use: leave it, its surface, and all that was
    /// made from it, until the process ends. The window needs another surface then. A driver may refuse to make a swapchain for it
    /// (`VK_ERROR_NATIVE_WINDOW_IN_USE_KHR`), because the old surface still has one: then another window is needed as well.
    Stalled,
}

impl NewDevice {
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::First => "not there",
            Self::Lost => "lost",
            Self::Idle => "idle",
            Self::Stalled => "stalled",
        }
    }
}

/// Why a swapchain is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewSwapchain {
    /// The device is new.
    First,
    /// The window has changed, or the old one no longer fits it.
    OutOfDate,
    /// The surface is lost and its swapchains are destroyed: destroy it and make another one first.
    SurfaceLost,
    /// No frame could be drawn with the old one.
    Recovery,
}

/// Why a frame was not drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Because {
    /// The GPU has not executed an earlier frame.
    Fence,
    /// The presentation engine gave no image.
    Acquire,
    /// The swapchain was out of date, and so was the new one.
    OutOfDate,
    /// What [`Program::prepare`] brings to the GPU has not arrived.
    Prepare,
    /// Vulkan failed.
    Vulkan(Error),
    /// The program failed; the text says how.
    Program(String),
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fence => f.write_str("the GPU has not executed an earlier frame"),
            Self::Acquire => f.write_str("the presentation engine gives no image"),
            Self::OutOfDate => f.write_str("the swapchain is out of date as soon as it is made"),
            Self::Prepare => f.write_str("an upload has not arrived"),
            Self::Vulkan(error) => error.fmt(f),
            Self::Program(what) => f.write_str(what),
        }
    }
}

/// What became of a turn.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// A frame is on its way to the screen.
    Presented,
    /// The window has no area; there is nothing to do before that changes.
    NoArea,
    /// Nothing was drawn. What should be on the screen is still to be drawn: take another turn after this time.
    Skipped {
        /// 5 ms, and 5 ms more each time, up to 100 ms.
        retry_in: Duration,
        /// Why.
        because: Because,
    },
    /// Only from [`FrameLoop::tend`](super::FrameLoop::tend): all frames are executed, or the last one still is. Look again after this
    /// time, if there is one.
    Resting(Option<Duration>),
    /// The last rung is behind us. Every turn says so, until [`FrameLoop::start_over`](super::FrameLoop::start_over).
    GaveUp(Box<Report>),
}
