//! How is the same frame loop written with `unwedge_wait::frame`?

use std::convert::Infallible;

use unwedge_wait::Bound;
use unwedge_wait::frame::{Acquire, Frames, Wait};

use super::draw::draw;
use super::rig::Rig;
use super::{BOUND, IN_FLIGHT, Loop};

/// The frames, and the device's functions to draw with.
pub(super) struct Typed {
    device: ash::Device,
    frames: Frames,
    bound: Bound,
}

impl Typed {
    /// In the `window`th window of the rig.
    pub(super) fn new(rig: &Rig, window: usize) -> Result<Self, String> {
        let info = rig.swapchain(window)?;
        // SAFETY: the rig outlives this, and the surface has no other swapchain.
        let frames = unsafe { Frames::new(rig.parts.clone(), IN_FLIGHT, &info) }.map_err(said)?;
        let bound = Bound::try_from(BOUND).map_err(|error| error.to_string())?;
        Ok(Self { device: rig.parts.device.clone(), frames, bound })
    }

    /// Once it is done.
    pub(super) fn destroy(mut self) -> Result<(), String> {
        if self.is_done()? { Ok(()) } else { Err("a frame is still being executed".to_owned()) }
    }
}

impl Loop for Typed {
    fn frame(&mut self) -> Result<(), String> {
        let Wait::Ready(ready) = self.frames.wait(self.bound).map_err(said)? else {
            return Err("a frame was not executed in time".to_owned());
        };
        let Acquire::Image(frame) = ready.acquire(self.bound).map_err(said)? else {
            return Err("there was no image in time".to_owned());
        };
        let recorded = frame.record(|commands, target| {
            // SAFETY: the command buffer was begun for this, and the swapchain's images can be copied to.
            unsafe { draw(&self.device, commands, target.image) };
            Ok::<(), Infallible>(())
        });
        let submitted = recorded.map_err(|error| error.to_string())?.submit().map_err(said)?;
        submitted.present().map(|_| ()).map_err(said)
    }

    fn is_done(&mut self) -> Result<bool, String> {
        self.frames.poll().map(unwedge_wait::Waited::is_reached).map_err(said)
    }
}

fn said(error: unwedge_wait::Error) -> String {
    error.to_string()
}
