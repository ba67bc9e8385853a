//! One turn of the loop: a frame, or what is done instead.

use std::time::{Duration, Instant};

use super::ladder::{Rung, Severity};
use super::{Because, FrameLoop, NewDevice, NewSwapchain, Program, Report, Stage, Turn, notice};
use crate::frame::{Acquire, Frames, Presented, RecordError, Wait};
use crate::{Bound, Error, Waited};

/// How long a frame that was presented may take before [`FrameLoop::tend`] calls it trouble.
const EXECUTION_PATIENCE: Duration = Duration::from_millis(100);

/// How a frame went.
enum Frame {
    Presented,
    NoArea,
    OutOfDate,
}

impl From<Error> for Because {
    fn from(error: Error) -> Self {
        Self::Vulkan(error)
    }
}

impl FrameLoop {
    /// Draws a frame, if it can be drawn. Never waits longer than the bounds of the [`Settings`](super::Settings) say.
    ///
    /// `now` is the present time; it decides when a rung is climbed.
    pub fn turn<P: Program>(&mut self, program: &mut P, now: Instant) -> Turn {
        if self.gave_up {
            return Turn::GaveUp(Box::new(self.report.clone()));
        }
        // A new swapchain may be out of date again while a window is being resized: two tries, then others have their turn.
        for _ in 0..2 {
            match self.frame(program) {
                Ok(Frame::Presented) => return self.presented(now),
                Ok(Frame::NoArea) => return Turn::NoArea,
                Ok(Frame::OutOfDate) => self.resized(),
                Err(because) => return self.trouble(program, because, now),
            }
        }
        self.trouble(program, Because::OutOfDate, now)
    }

    /// Looks after the frames that were presented, without drawing another: for a program that draws only when something
    /// has changed. A frame that is never executed would otherwise be noticed by the next one only.
    pub fn tend<P: Program>(&mut self, program: &mut P, now: Instant) -> Turn {
        if self.gave_up {
            return Turn::GaveUp(Box::new(self.report.clone()));
        }
        let Stage::Frames(frames) = &mut self.stage else { return Turn::Resting(None) };
        match frames.poll() {
            Ok(Waited::Reached) => {
                self.recovered(now);
                Turn::Resting(None)
            }
            Ok(Waited::TimedOut) => {
                let age = self.presented_at.map(|at| now.saturating_duration_since(at));
                if age.is_none_or(|age| age < EXECUTION_PATIENCE) {
                    return Turn::Resting(Some(super::BACKOFF_STEP));
                }
                self.trouble(program, Because::Fence, now)
            }
            Err(error) => self.trouble(program, Because::Vulkan(error), now),
        }
    }

    fn presented(&mut self, now: Instant) -> Turn {
        self.backoff.succeeded();
        self.climb.pause();
        self.presented_at = Some(now);
        self.recovered(now);
        Turn::Presented
    }

    /// Ends the time of trouble if a frame was seen executed since: that it was submitted proves nothing.
    fn recovered(&mut self, now: Instant) {
        let Stage::Frames(frames) = &self.stage else { return };
        if self.climb.is_climbing() && frames.executed() > self.executed {
            let after = self.troubled_for(now).unwrap_or_default();
            notice::recovered(self.throttle.ended(), after);
            self.climb.recovered();
            self.report.add(self.counted_for(now), "frames were drawn again".into());
        }
    }

    /// How long ago the first trouble of the present report was.
    fn counted_for(&self, now: Instant) -> Duration {
        self.climb.counted_since.map_or(Duration::ZERO, |at| now.saturating_duration_since(at))
    }

    fn frame<P: Program>(&mut self, program: &mut P) -> Result<Frame, Because> {
        if !self.have_frames(program)? {
            return Ok(Frame::NoArea);
        }
        let Stage::Frames(frames) = &mut self.stage else { return Ok(Frame::NoArea) };
        // While the GPU is stuck nothing else is tried, so that nothing piles up behind it.
        match frames.wait(self.settings.fence)? {
            Wait::Ready(_) => {}
            Wait::TimedOut => return Err(Because::Fence),
        }
        if !self.have_swapchain(program)? {
            return Ok(Frame::NoArea);
        }
        let Stage::Frames(frames) = &mut self.stage else { return Ok(Frame::NoArea) };
        match program.prepare().map_err(cause::<P>)? {
            Waited::Reached => {}
            Waited::TimedOut => return Err(Because::Prepare),
        }
        let Wait::Ready(ready) = frames.wait(self.settings.fence)? else {
            return Err(Because::Fence);
        };
        let acquired = match ready.acquire(self.settings.acquire)? {
            Acquire::Image(acquired) => acquired,
            Acquire::TimedOut => return Err(Because::Acquire),
            Acquire::OutOfDate => return Ok(Frame::OutOfDate),
        };
        let suboptimal = acquired.target().suboptimal;
        let recorded = acquired.record(|commands, target| program.draw(commands, target)).map_err(
            |error| match error {
                RecordError::Vulkan(error) => Because::Vulkan(error),
                RecordError::Draw(error) => cause::<P>(error),
            },
        )?;
        let presented = recorded.submit()?.present()?;
        for generation in frames.take_gone() {
            program.swapchain_gone(generation);
        }
        if presented == Presented::OutOfDate {
            return Ok(Frame::OutOfDate);
        }
        self.suits(!suboptimal && presented == Presented::Shown);
        Ok(Frame::Presented)
    }

    /// The first suboptimal swapchain is replaced; if the next is suboptimal too, then a better one is not to be had.
    fn suits(&mut self, optimal: bool) {
        if optimal {
            self.suboptimal = false;
        } else if !self.suboptimal {
            self.suboptimal = true;
            self.swapchain.get_or_insert(NewSwapchain::OutOfDate);
        }
    }

    /// Sees to it that there are a device and frames. Not so if the window has no area.
    fn have_frames<P: Program>(&mut self, program: &mut P) -> Result<bool, Because> {
        self.make_device(program)?;
        if let Stage::Frames(_) = self.stage {
            return Ok(true);
        }
        let why = match self.swapchain {
            Some(NewSwapchain::SurfaceLost) => NewSwapchain::SurfaceLost,
            _ => NewSwapchain::First,
        };
        let info = program.swapchain(why).map_err(cause::<P>)?;
        self.swapchain = None;
        let Some(info) = info else { return Ok(false) };
        let Stage::Device(parts) = &self.stage else { return Ok(false) };
        // SAFETY: the program vouches for what it made, as `Program` asks.
        let frames = unsafe { Frames::new((**parts).clone(), self.settings.in_flight, &info) }?;
        (self.executed, self.untold) = (0, true);
        self.stage = Stage::Frames(Box::new(frames));
        Ok(true)
    }

    fn make_device<P: Program>(&mut self, program: &mut P) -> Result<(), Because> {
        if let Stage::NoDevice(why) = self.stage {
            // Whatever comes of it, the old one was seen to.
            self.stage = Stage::NoDevice(NewDevice::First);
            self.stage = Stage::Device(Box::new(program.device(why).map_err(cause::<P>)?));
        }
        Ok(())
    }

    /// Sees to it that the swapchain is as it should be, and that the program knows it.
    fn have_swapchain<P: Program>(&mut self, program: &mut P) -> Result<bool, Because> {
        let Stage::Frames(frames) = &mut self.stage else { return Ok(false) };
        if let Some(why) = self.swapchain {
            if why == NewSwapchain::SurfaceLost
                && !frames.drop_swapchains(self.settings.idle)?.is_reached()
            {
                return Err(Because::Fence);
            }
            for generation in frames.take_gone() {
                program.swapchain_gone(generation);
            }
            let info = program.swapchain(why).map_err(cause::<P>)?;
            // The lost surface is replaced, whatever happens to its first swapchain.
            if why == NewSwapchain::SurfaceLost {
                self.swapchain = Some(NewSwapchain::OutOfDate);
            }
            let Some(info) = info else { return Ok(false) };
            // SAFETY: the program vouches for what it made, as `Program` asks.
            unsafe { frames.rebuild_swapchain(&info) }?;
            (self.swapchain, self.untold) = (None, true);
        }
        if self.untold
            && let Some(images) = frames.images()
        {
            program.swapchain_made(&images).map_err(cause::<P>)?;
            self.untold = false;
        }
        Ok(true)
    }

    /// Something went wrong: what is done about it?
    fn trouble<P: Program>(&mut self, program: &mut P, because: Because, now: Instant) -> Turn {
        let severity = self.severity(&because);
        let rung = self.climb.trouble(&self.settings.ladder, severity, now);
        let at = self.counted_for(now);
        if at.is_zero() {
            self.report = Report::default();
        }
        self.report.skipped += 1;
        self.report.add(at, because.to_string());
        if let Some(count) = self.throttle.happened(now) {
            notice::skipped(&because, count, self.troubled_for(now).unwrap_or_default());
        }
        if let Stage::Frames(frames) = &self.stage {
            self.executed = frames.executed();
        }
        match rung {
            Rung::Retry => {}
            Rung::Swapchain => self.renew_swapchain(&because, at),
            Rung::Device => self.renew_device(program, &because, at),
            Rung::GiveUp => {
                self.gave_up = true;
                self.report.add(at, "gave up".into());
                notice::gave_up(&self.report);
                return Turn::GaveUp(Box::new(self.report.clone()));
            }
        }
        Turn::Skipped { retry_in: self.backoff.failed(), because }
    }

    fn severity(&self, because: &Because) -> Severity {
        match because {
            Because::Acquire | Because::OutOfDate => Severity::Images,
            Because::Vulkan(Error::SurfaceLost { .. }) => Severity::Surface,
            _ if matches!(self.stage, Stage::NoDevice(_)) => Severity::Device,
            Because::Vulkan(error) if error.is_fatal_for_device() => Severity::Device,
            _ => Severity::Frame,
        }
    }

    /// The second rung.
    fn renew_swapchain(&mut self, because: &Because, at: Duration) {
        notice::climbing("a new swapchain", because);
        self.report.add(at, "tried a new swapchain".into());
        if let Because::Vulkan(Error::SurfaceLost { .. }) = because {
            self.swapchain = Some(NewSwapchain::SurfaceLost);
            return;
        }
        self.swapchain.get_or_insert(NewSwapchain::Recovery);
        let Stage::Frames(frames) = &mut self.stage else { return };
        match frames.renew(self.settings.idle) {
            Ok(Waited::Reached) => {
                self.report.add(at, "the queue was idle: fresh fences and semaphores".into());
            }
            Ok(Waited::TimedOut) => self.report.add(at, "the queue is not idle".into()),
            Err(error) => self.report.add(at, error.to_string()),
        }
    }

    /// The third rung.
    fn renew_device<P: Program>(&mut self, program: &mut P, because: &Because, at: Duration) {
        notice::climbing("a new device", because);
        let old = std::mem::replace(&mut self.stage, Stage::NoDevice(NewDevice::Lost));
        let why = match old {
            Stage::Frames(frames) => end(*frames, is_lost(because), self.settings.idle),
            Stage::Device(_) if is_lost(because) => NewDevice::Lost,
            Stage::Device(_) => NewDevice::Idle,
            Stage::NoDevice(why) => why,
        };
        self.stage = Stage::NoDevice(why);
        // A new device does not mend a lost surface.
        let surface_lost = matches!(because, Because::Vulkan(Error::SurfaceLost { .. }))
            || self.swapchain == Some(NewSwapchain::SurfaceLost);
        self.swapchain = surface_lost.then_some(NewSwapchain::SurfaceLost);
        self.report.add(at, format!("tried a new device; the old one is {}", why.text()));
        if let Err(because) = self.make_device(program) {
            self.report.add(at, because.to_string());
        }
    }
}

fn is_lost(because: &Because) -> bool {
    matches!(because, Because::Vulkan(Error::DeviceLost { .. }))
}

/// Ends the frames of a device that is to be made again, and says what may be done with it.
fn end(frames: Frames, lost: bool, idle: Bound) -> NewDevice {
    let lost = lost || matches!(frames.broken(), Some(Error::DeviceLost { .. }));
    match frames.destroy(idle) {
        Ok(Waited::Reached) if lost => NewDevice::Lost,
        Ok(Waited::Reached) => NewDevice::Idle,
        _ => NewDevice::Stalled,
    }
}

fn cause<P: Program>(error: P::Error) -> Because {
    P::cause(&error).map_or_else(|| Because::Program(error.to_string()), Because::Vulkan)
}
