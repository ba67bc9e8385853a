//! How do frames start over, and how do they end? All of it within a bound.

use super::Frames;
use super::slot::Debt;
use crate::{Bound, Error, Waited, create};

impl Frames {
    /// Starts over with fresh fences and semaphores, once the queue is idle: the cure for a fence whose signal was lost.
    ///
    /// If the queue has done all its work within the bound, so has every frame, whatever its fence says. After
    /// that nothing is pending, and a new swapchain is needed: [`Ready::acquire`](super::Ready::acquire) says
    /// [`OutOfDate`](super::Acquire::OutOfDate). If not, no fence and no semaphore was replaced, and only a new device helps.
    ///
    /// # Errors
    /// What submitting to the queue and making the objects returns. What was replaced until then is as good as
    /// what was not.
    pub fn renew(&mut self, bound: Bound) -> Result<Waited, Error> {
        self.check()?;
        // What is owed may be settled still; if not, it goes with the swapchain.
        let _ = self.settle_all(Bound::ZERO);
        self.check()?;
        if !self.wait_idle(bound)?.is_reached() {
            return Ok(Waited::TimedOut);
        }
        // From here on the swapchain is of no use, whatever fails.
        if let Some(swapchain) = &mut self.swapchain {
            swapchain.stale = true;
        }
        self.forgive_debts()?;
        if self.drain()? && !self.wait_idle(bound)?.is_reached() {
            return Ok(Waited::TimedOut);
        }
        for number in 0..self.slots.len() {
            self.renew_slot(number)?;
        }
        Ok(Waited::Reached)
    }

    fn renew_slot(&mut self, number: usize) -> Result<(), Error> {
        // SAFETY: the device lives, as promised when this was made.
        let fence =
            unsafe { create::fence(&self.parts.device) }.map_err(|error| self.failed(error))?;
        let slot = &mut self.slots[number];
        let old = std::mem::replace(&mut slot.fence, fence);
        let (pending, generation) = (std::mem::take(&mut slot.pending), slot.generation);
        // SAFETY: the queue was idle: no batch uses the fence any more, though it may never have shown so.
        unsafe { self.parts.device.destroy_fence(old, None) };
        if pending {
            self.reached(number, generation);
        }
        // SAFETY: the queue was idle.
        unsafe { self.slots[number].sweep(&self.parts) };
        // SAFETY: as for the fence.
        let semaphore =
            unsafe { create::semaphore(&self.parts.device) }.map_err(|error| self.failed(error))?;
        let old = std::mem::replace(&mut self.slots[number].acquired, semaphore);
        // SAFETY: the batch that waited for it, if there was one, was executed.
        unsafe { self.parts.device.destroy_semaphore(old, None) };
        Ok(())
    }

    /// Destroys every swapchain, once the queue is idle, so that their surface can be destroyed. What
    /// [`renew`](Frames::renew) does is done as well. If it times out, nothing was changed, and the surface has to be left.
    ///
    /// # Errors
    /// As [`renew`](Frames::renew).
    pub fn drop_swapchains(&mut self, bound: Bound) -> Result<Waited, Error> {
        if !self.renew(bound)?.is_reached() {
            return Ok(Waited::TimedOut);
        }
        if let Some(swapchain) = self.swapchain.take() {
            self.retire(swapchain);
        }
        self.destroy_retired();
        Ok(Waited::Reached)
    }

    /// Waits, within the bound, until nothing of this is in use, and destroys it. If the bound is over first, all is left as it is,
    /// because what is in use must not be destroyed.
    ///
    /// What is on a lost device is in use no longer and is destroyed at once.
    ///
    /// # Errors
    /// What submitting to the queue returns; all is left as it is.
    pub fn destroy(mut self, bound: Bound) -> Result<Waited, Error> {
        let _ = self.settle_all(Bound::ZERO);
        let waited = match self.broken {
            Some(Error::DeviceLost { .. }) => Ok(Waited::Reached),
            _ => self.wait_all(bound),
        };
        match waited {
            Ok(Waited::Reached) | Err(Error::DeviceLost { .. }) => {
                self.destroy_all();
                Ok(Waited::Reached)
            }
            Ok(Waited::TimedOut) | Err(_) => {
                self.idle = None;
                waited
            }
        }
    }

    /// Leaves everything as it is: for a device that still executes something and never seems to end. The memory is not given back
    /// before the process ends.
    pub fn abandon(mut self) {
        self.idle = None;
    }

    /// Waits for everything of this, also for what was acquired and never used.
    fn wait_all(&mut self, bound: Bound) -> Result<Waited, Error> {
        let slot = &mut self.slots[self.next];
        if let Some(Debt::Consume(_)) = slot.debt {
            slot.forgive(ash::vk::Semaphore::null());
        }
        self.drain()?;
        self.wait_idle(bound)
    }

    pub(super) fn wait_idle(&mut self, bound: Bound) -> Result<Waited, Error> {
        let Some(idle) = &mut self.idle else { unreachable!("it ended") };
        // SAFETY: device and queue live, and nobody else uses the queue, as promised when this was made.
        unsafe { idle.wait(bound) }.map_err(|error| self.failed(error))
    }

    fn destroy_retired(&mut self) {
        for retired in self.retired.drain(..) {
            // SAFETY: nothing is in use: the queue was idle, or the device is lost.
            unsafe { retired.destroy(&self.parts) };
            self.gone.push(retired.swapchain.generation);
        }
    }

    fn destroy_all(&mut self) {
        self.destroy_retired();
        // SAFETY: nothing is in use: the queue was idle, or the device is lost.
        unsafe {
            if let Some(swapchain) = self.swapchain.take() {
                swapchain.destroy(&self.parts);
            }
            for slot in self.slots.drain(..) {
                slot.destroy(&self.parts);
            }
            if let Some(idle) = self.idle.take() {
                // On an idle queue and on a lost device there is nothing that it has to leave.
                let _ = idle.destroy();
            }
        }
    }

    /// Whether every batch was executed, without waiting for any.
    fn is_at_rest(&mut self) -> bool {
        self.slots.iter().all(|slot| slot.debt.is_none() && slot.strays.is_empty())
            && (0..self.slots.len())
                .all(|slot| matches!(self.reach(slot, Bound::ZERO), Ok(Waited::Reached)))
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        if self.idle.is_none() {
            return;
        }
        let at_rest = self.is_at_rest();
        if at_rest || matches!(self.broken, Some(Error::DeviceLost { .. })) {
            self.destroy_all();
        }
    }
}
