//! The loop draws, skips and recovers, as the scripted driver lets it.

use std::time::{Duration, Instant};

use ash::vk;
use unwedge_wait::frame::{Parts, Target};
use unwedge_wait::frame_loop::{FrameLoop, NewDevice, NewSwapchain, Program, Settings, Turn};
use unwedge_wait::{Bound, Error, Waited};

use crate::rig::{self, Rig};

/// A program that draws nothing much.
pub struct Window {
    pub rig: Rig,
    pub devices: Vec<NewDevice>,
    pub swapchains: Vec<NewSwapchain>,
}

impl Window {
    pub fn new(script: &str) -> Self {
        Self { rig: Rig::new(script), devices: Vec::new(), swapchains: Vec::new() }
    }
}

impl Program for Window {
    type Error = vk::Result;

    fn device(&mut self, why: NewDevice) -> Result<Parts, vk::Result> {
        self.devices.push(why);
        if self.devices.len() > 1 {
            let rig = &mut self.rig;
            if why != NewDevice::Stalled && why != NewDevice::First {
                // SAFETY: as the reason says.
                unsafe { rig.device.destroy_device(None) };
            }
            rig.device = rig::try_device(&rig.instance)?;
            rig.surface = rig::new_surface(&rig.instance);
            rig.parts = rig::parts(&rig.instance, &rig.device);
        }
        Ok(self.rig.parts.clone())
    }

    fn swapchain(
        &mut self,
        why: NewSwapchain,
    ) -> Result<Option<vk::SwapchainCreateInfoKHR<'static>>, vk::Result> {
        self.swapchains.push(why);
        if why == NewSwapchain::SurfaceLost {
            // SAFETY: its swapchains are destroyed, as the reason says.
            unsafe { self.rig.surfaces.destroy_surface(self.rig.surface, None) };
            self.rig.surface = rig::new_surface(&self.rig.instance);
        }
        Ok(Some(self.rig.swapchain()))
    }

    fn draw(&mut self, commands: vk::CommandBuffer, target: &Target) -> Result<(), vk::Result> {
        crate::dropped::draw(commands, target, &self.rig.device);
        Ok(())
    }

    fn cause(error: &vk::Result) -> Option<Error> {
        let call = "in the program";
        (*error == vk::Result::ERROR_DEVICE_LOST).then_some(Error::DeviceLost { call })
    }
}

#[test]
fn a_healthy_loop_draws_each_turn() {
    let (mut window, mut frames) = (Window::new(""), FrameLoop::new(Settings::default()));
    let now = Instant::now();
    for turn in 0..20 {
        assert_eq!(
            frames.turn(&mut window, now + Duration::from_millis(16 * turn)),
            Turn::Presented
        );
    }
    assert_eq!(window.devices, [NewDevice::First]);
    assert_eq!(window.swapchains, [NewSwapchain::First]);
    assert_eq!(frames.finish(Bound::from_secs(10)), Waited::Reached);
    window.rig.destroy();
}

#[test]
fn a_lost_notification_is_cured_by_fresh_fences_and_a_new_swapchain() {
    let (mut window, mut frames) =
        (Window::new("drop-fence=3"), FrameLoop::new(Settings::default()));
    let (mut now, mut presented) = (Instant::now(), 0);
    for _ in 0..100 {
        match frames.turn(&mut window, now) {
            Turn::Presented => presented += 1,
            Turn::Skipped { retry_in, .. } => now += retry_in,
            other => panic!("{other:?}"),
        }
        now += Duration::from_millis(16);
    }
    assert!(presented > 10, "{presented}");
    assert_eq!(window.devices, [NewDevice::First]);
    assert_eq!(window.swapchains, [NewSwapchain::First, NewSwapchain::Recovery]);
    assert_eq!(frames.finish(Bound::from_secs(10)), Waited::Reached);
    window.rig.destroy();
}
