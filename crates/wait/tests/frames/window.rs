//! A program with a window, as small as one can be, that does what the loop asks of it.

use ash::vk;
use unwedge_wait::Error;
use unwedge_wait::frame::{Parts, Target};
use unwedge_wait::frame_loop::{NewDevice, NewSwapchain, Program};

use crate::rig::{self, Rig};

/// What the program itself does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mistake {
    /// The n-th draw returns an error.
    Error(u64),
    /// The n-th draw panics.
    Panic(u64),
}

pub struct Window {
    pub rig: Rig,
    pub mistakes: Vec<Mistake>,
    pub draws: u64,
    pub devices: Vec<NewDevice>,
    pub swapchains: Vec<NewSwapchain>,
    /// Devices that had to be left.
    pub left: usize,
}

impl Window {
    pub fn new(script: &str) -> Self {
        Self {
            rig: Rig::new(script),
            mistakes: Vec::new(),
            draws: 0,
            devices: Vec::new(),
            swapchains: Vec::new(),
            left: 0,
        }
    }

    fn leave_device(&mut self) {
        self.left += 1;
        self.rig.device = None;
        self.rig.surface = rig::new_surface(&self.rig.instance);
    }

    fn destroy_device(&mut self) {
        if let Some(device) = self.rig.device.take() {
            // SAFETY: the loop said that nothing uses it.
            unsafe { device.destroy_device(None) };
        }
    }
}

// SAFETY: what it returns is true, and lives as long as the loop says.
unsafe impl Program for Window {
    type Error = vk::Result;

    fn device(&mut self, why: NewDevice) -> Result<Parts, vk::Result> {
        self.devices.push(why);
        match why {
            NewDevice::First => {}
            NewDevice::Lost | NewDevice::Idle => self.destroy_device(),
            NewDevice::Stalled => self.leave_device(),
        }
        let device = match self.rig.device.take() {
            Some(first) => first,
            None => rig::try_device(&self.rig.instance)?,
        };
        let parts = rig::parts(&self.rig.instance, &device);
        self.rig.device = Some(device);
        Ok(parts)
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
        Ok(Some(rig::swapchain(self.rig.surface)))
    }

    fn draw(&mut self, commands: vk::CommandBuffer, target: &Target) -> Result<(), vk::Result> {
        self.draws += 1;
        if self.mistakes.contains(&Mistake::Panic(self.draws)) {
            // As a panic, but nobody prints it.
            std::panic::resume_unwind(Box::new("the program panics"));
        }
        let device = self.rig.device.as_ref().expect("a device");
        crate::dropped::draw(commands, target, device);
        if self.mistakes.contains(&Mistake::Error(self.draws)) {
            return Err(vk::Result::ERROR_OUT_OF_POOL_MEMORY);
        }
        Ok(())
    }

    fn cause(error: &vk::Result) -> Option<Error> {
        let call = "in the program";
        (*error == vk::Result::ERROR_DEVICE_LOST).then_some(Error::DeviceLost { call })
    }
}
