//! The states of a frame. Each borrows the frames, so that there is one at a time, and each cleans up if it is dropped.

use std::fmt;

use ash::vk;

use super::slot::Debt;
use super::{Frames, Target};
use crate::waits::{self, Acquired, Signals};
use crate::{Bound, Error};

/// How waiting for a frame's turn ended.
#[must_use]
#[derive(Debug)]
pub enum Wait<'f> {
    /// The frame may begin.
    Ready(Ready<'f>),
    /// The batch that used its objects last is still not executed. Nothing was changed.
    TimedOut,
}

/// A frame that may begin. Nothing is owed yet: dropping it changes nothing.
#[must_use]
#[derive(Debug)]
pub struct Ready<'f> {
    frames: &'f mut Frames,
}

/// How acquiring an image ended.
#[must_use]
#[derive(Debug)]
pub enum Acquire<'f> {
    /// The frame has an image.
    Image(AcquiredFrame<'f>),
    /// The presentation engine gave none within the bound. Nothing was changed.
    TimedOut,
    /// The swapchain no longer fits its surface: a new one is needed
    /// ([`rebuild_swapchain`](Frames::rebuild_swapchain)).
    OutOfDate,
}

/// A frame with an image. If it is dropped, the acquire's semaphore is consumed and the image is presented as it is.
#[must_use]
#[derive(Debug)]
pub struct AcquiredFrame<'f> {
    owing: Owing<'f>,
    target: Target,
}

/// A frame whose commands are recorded. If it is dropped, the same happens as for [`AcquiredFrame`]: they are not executed.
#[must_use]
#[derive(Debug)]
pub struct Recorded<'f> {
    owing: Owing<'f>,
    target: Target,
}

/// A frame that was submitted. If it is dropped, it is presented.
#[must_use]
#[derive(Debug)]
pub struct Submitted<'f> {
    owing: Owing<'f>,
    target: Target,
}

/// When a frame is presented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PresentWhen {
    /// As soon as it is submitted, with a semaphore that keeps the present behind it. The GPU is never idle in between.
    #[default]
    Submitted,
    /// Once the fence says that it was executed, without a semaphore. [`Submitted::present`] waits so long for that; what is not
    /// executed by then is presented by a later [`Frames::wait`].
    ///
    /// For a program that has to go on while the GPU does not: some drivers, Mesa's software driver among them, wait *inside*
    /// `vkQueuePresentKHR` until the frame is executed, without a bound. It costs what the program would do meanwhile.
    Executed(Bound),
}

/// How a present ended. In every case but [`Later`](Presented::Later) the image is back with the presentation engine.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presented {
    /// The image is on its way to the screen.
    Shown,
    /// It is, and the swapchain no longer fits its surface well.
    Suboptimal,
    /// It is not: the swapchain no longer fits its surface, and a new one is needed.
    OutOfDate,
    /// Not yet, because the frame is not executed: only with [`PresentWhen::Executed`]. The next [`Frames::wait`] sees to it.
    Later,
}

/// Why nothing was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordError<E> {
    /// Vulkan could not begin or end the command buffer.
    Vulkan(Error),
    /// What draws said no.
    Draw(E),
}

impl<E: fmt::Display> fmt::Display for RecordError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vulkan(error) => error.fmt(f),
            Self::Draw(error) => error.fmt(f),
        }
    }
}

impl<E: std::error::Error + 'static> std::error::Error for RecordError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Vulkan(error) => Some(error),
            Self::Draw(error) => Some(error),
        }
    }
}

/// One more semaphore that the frame's batch waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct After {
    /// A semaphore whose signal is certain to come: it is submitted already, or the host signals it.
    pub semaphore: vk::Semaphore,
    /// The value to wait for, of a timeline semaphore; not looked at for a binary one.
    pub value: u64,
    /// The stages that wait.
    pub stages: vk::PipelineStageFlags,
}

/// How many more semaphores a frame's batch may wait for.
pub(super) const AFTER_MAX: usize = 7;

/// The frames while the present slot owes something, which is settled as far as possible when this is dropped.
#[derive(Debug)]
struct Owing<'f> {
    frames: &'f mut Frames,
}

impl Drop for Owing<'_> {
    fn drop(&mut self) {
        // What fails stays owed, and the next wait says why.
        let _ = self.frames.settle_all(Bound::ZERO);
    }
}

impl<'f> Ready<'f> {
    pub(super) fn new(frames: &'f mut Frames) -> Self {
        Self { frames }
    }

    /// Asks the presentation engine for an image, at most for `bound`.
    ///
    /// # Errors
    /// What `vkAcquireNextImageKHR` returns. No image was acquired and the semaphore is as before.
    pub fn acquire(self, bound: Bound) -> Result<Acquire<'f>, Error> {
        let frames = self.frames;
        let Some(swapchain) = frames.swapchain.as_ref().filter(|swapchain| !swapchain.stale) else {
            return Ok(Acquire::OutOfDate);
        };
        let number = frames.next;
        let signals =
            Signals { semaphore: frames.slots[number].acquired, fence: vk::Fence::null() };
        // SAFETY: swapchain and semaphore are ours. The semaphore is unsignalled and nothing is pending on it: its last signal
        // was consumed by the slot's last batch, whose fence was waited for.
        let acquired =
            unsafe { waits::acquire(&frames.parts.swapchain, swapchain.handle, signals, bound) };
        match acquired {
            Ok(Acquired::Image { index, suboptimal }) => {
                let target = frames.target(index, suboptimal);
                frames.slots[number].debt = Some(Debt::Consume(index));
                Ok(Acquire::Image(AcquiredFrame { owing: Owing { frames }, target }))
            }
            Ok(Acquired::TimedOut) => Ok(Acquire::TimedOut),
            Ok(Acquired::OutOfDate) => Ok(Acquire::OutOfDate),
            Err(error) => Err(frames.failed(error)),
        }
    }
}

impl<'f> AcquiredFrame<'f> {
    /// The image that was acquired.
    #[must_use]
    pub const fn target(&self) -> &Target {
        &self.target
    }

    /// Records the frame. The command buffer is begun and ended here, and its first use of the image is in one of the
    /// [acquire stages](Frames::set_acquire_stages); at its end the image is in `VK_IMAGE_LAYOUT_PRESENT_SRC_KHR`.
    ///
    /// # Errors
    /// What beginning or ending the command buffer returns, or what `draw` returns. The frame is dropped.
    pub fn record<E>(
        self,
        draw: impl FnOnce(vk::CommandBuffer, &Target) -> Result<(), E>,
    ) -> Result<Recorded<'f>, RecordError<E>> {
        let frames = &*self.owing.frames;
        let (device, slot) = (&frames.parts.device, &frames.slots[frames.next]);
        let failed = |call| move |result| RecordError::Vulkan(Error::of(call, result));
        let begin = vk::CommandBufferBeginInfo::default()
            .flags(vk::CommandBufferUsageFlags::ONE_TIME_SUBMIT);
        // SAFETY: the slot's last batch was executed, so its command buffer is not in use.
        unsafe {
            device
                .reset_command_pool(slot.pool, vk::CommandPoolResetFlags::empty())
                .map_err(failed("vkResetCommandPool"))?;
            device
                .begin_command_buffer(slot.commands, &begin)
                .map_err(failed("vkBeginCommandBuffer"))?;
        }
        draw(slot.commands, &self.target).map_err(RecordError::Draw)?;
        // SAFETY: it was begun above.
        unsafe { device.end_command_buffer(slot.commands) }
            .map_err(failed("vkEndCommandBuffer"))?;
        Ok(Recorded { target: self.target, owing: self.owing })
    }
}

impl<'f> Recorded<'f> {
    /// Resets the fence and submits the frame.
    ///
    /// # Errors
    /// [`Error::ResetFailed`] is fatal for the device. After any other error of `vkQueueSubmit` nothing was
    /// executed; the frame is dropped.
    pub fn submit(self) -> Result<Submitted<'f>, Error> {
        self.submit_waiting(&[])
    }

    /// Submits a frame that also waits for other semaphores, for instance those of an upload on another queue. If the frame is
    /// dropped instead, or this fails, nobody waits for them.
    ///
    /// # Errors
    /// [`Error::TooMany`] for more than seven semaphores, otherwise as [`submit`](Recorded::submit).
    ///
    /// # Safety
    /// The semaphores are of this device and live until the frame was executed, and their signals are certain to come: submitted
    /// already, or the host's. Nobody else waits for those that are binary.
    pub unsafe fn submit_after(self, after: &[After]) -> Result<Submitted<'f>, Error> {
        self.submit_waiting(after)
    }

    fn submit_waiting(self, after: &[After]) -> Result<Submitted<'f>, Error> {
        if after.len() > AFTER_MAX {
            return Err(Error::TooMany("semaphores to wait for", AFTER_MAX));
        }
        let commands = self.owing.frames.slots[self.owing.frames.next].commands;
        self.owing.frames.submit(commands, self.target.index, after)?;
        Ok(Submitted { target: self.target, owing: self.owing })
    }
}

impl Submitted<'_> {
    /// The image that is about to be presented.
    #[must_use]
    pub const fn target(&self) -> &Target {
        &self.target
    }

    /// Presents the image.
    ///
    /// # Errors
    /// What `vkQueuePresentKHR` returns. If there was no memory, the image is still ours and is presented by the next
    /// [`wait`](Frames::wait).
    pub fn present(self) -> Result<Presented, Error> {
        self.owing.frames.present_owed()
    }
}

impl Frames {
    fn target(&self, index: u32, suboptimal: bool) -> Target {
        // Only asked for an image that was just acquired from it.
        let Some(swapchain) = &self.swapchain else { unreachable!("no swapchain") };
        let image = &swapchain.images[index as usize];
        Target {
            index,
            image: image.image,
            view: image.view,
            extent: swapchain.extent,
            format: swapchain.format,
            generation: swapchain.generation,
            slot: self.next,
            suboptimal,
            first_use: !image.presented,
        }
    }
}
