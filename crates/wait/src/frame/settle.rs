//! How does a slot get rid of what it owes: a submit of its frame or of nothing, and a present?

use ash::vk;

use super::Frames;
use super::slot::Debt;
use super::steps::{AFTER_MAX, After, PresentWhen, Presented};
use crate::{Bound, Error, Waited, create};

/// How many semaphores of frames that were given up a batch consumes at most; they are rare.
const STRAYS_MAX: usize = 8;

/// Those, the acquire's semaphore, and those of [`After`].
const WAITS_MAX: usize = STRAYS_MAX + 1 + AFTER_MAX;

impl Frames {
    /// Whether an image waits for its batch, which signals no semaphore, to be executed.
    pub(super) fn is_behind(&self) -> bool {
        self.slots.iter().any(|slot| slot.debt.is_some() && slot.pending && slot.silent)
    }

    /// Brings to an end what any slot owes. What fails stays owed, and so does what is not executed within the bound, and what is of
    /// a swapchain that nothing is asked of any more: it goes with it.
    pub(super) fn settle_all(&mut self, bound: Bound) -> Result<Waited, Error> {
        if self.swapchain.as_ref().is_none_or(|swapchain| swapchain.stale) {
            return Ok(Waited::Reached);
        }
        for number in 0..self.slots.len() {
            if self.slots[number].debt.is_some() {
                self.check()?;
                if !self.settle(number, bound)?.is_reached() {
                    return Ok(Waited::TimedOut);
                }
            }
        }
        Ok(Waited::Reached)
    }

    /// A frame that was dropped still consumes the semaphore of its acquire, and gives its image back by presenting it.
    #[cold]
    fn settle(&mut self, number: usize, bound: Bound) -> Result<Waited, Error> {
        if let Some(Debt::Consume(index)) = self.slots[number].debt {
            debug_assert_eq!(number, self.next, "only the present frame has an image");
            let Some(swapchain) = &self.swapchain else { return Ok(Waited::Reached) };
            let image = &swapchain.images[index as usize];
            let commands = if image.presented { image.rescue } else { image.rescue_first };
            self.submit(commands, index, &[])?;
        }
        if let Some(Debt::Present(index)) = self.slots[number].debt {
            // A swapchain that is out of date is marked as such, and the next acquire says so.
            let _ = match self.present(number, index, bound)? {
                Presented::Later => return Ok(Waited::TimedOut),
                presented => presented,
            };
        }
        Ok(Waited::Reached)
    }

    /// Submits the commands of the next slot, whose image was acquired, and goes on to the slot after it.
    pub(super) fn submit(
        &mut self,
        commands: vk::CommandBuffer,
        index: u32,
        after: &[After],
    ) -> Result<(), Error> {
        let Some(swapchain) = &self.swapchain else { unreachable!("no swapchain") };
        let (generation, number) = (swapchain.generation, self.next);
        let slot = &self.slots[number];
        let device = &self.parts.device;
        // Only now: a fence that is reset and not submitted is never signalled.
        // SAFETY: nothing is pending on the fence.
        if let Err(result) = unsafe { device.reset_fences(&[slot.fence]) } {
            return Err(self.failed(Error::ResetFailed { result }));
        }

        let strays = slot.strays.len().min(STRAYS_MAX);
        let silent = matches!(self.present_when, PresentWhen::Executed(_));
        let finished = [swapchain.images[index as usize].finished];
        let signals = if silent { &[][..] } else { &finished };
        // SAFETY: the objects are ours and free; what `after` names the caller vouches for.
        let submitted = unsafe {
            if after.is_empty() && strays == 0 {
                // Clearing room for all that there may be takes longer than the rest.
                self.queue::<1>(number, commands, &[], 0, signals)
            } else {
                self.queue::<WAITS_MAX>(number, commands, after, strays, signals)
            }
        };
        if let Err(result) = submitted {
            return Err(self.failed(Error::of("vkQueueSubmit", result)));
        }
        let slot = &mut self.slots[number];
        slot.spent.extend(slot.strays.drain(..strays));
        (slot.pending, slot.silent) = (true, silent);
        slot.generation = generation;
        slot.debt = Some(Debt::Present(index));
        self.next = (number + 1) % self.slots.len();
        Ok(())
    }

    /// Submits a batch that waits for the slot's acquire, for `after`, and for some of the slot's strays: at most `MAX` in all.
    ///
    /// # Safety
    /// The objects are free, and what is waited for is certain to be signalled.
    unsafe fn queue<const MAX: usize>(
        &self,
        number: usize,
        commands: vk::CommandBuffer,
        after: &[After],
        strays: usize,
        signals: &[vk::Semaphore],
    ) -> Result<(), vk::Result> {
        let slot = &self.slots[number];
        let mut semaphores = [slot.acquired; MAX];
        let mut stages = [self.acquire_stages; MAX];
        let mut values = [0; MAX];
        let mut count = 1;
        for one in after {
            (semaphores[count], stages[count], values[count]) =
                (one.semaphore, one.stages, one.value);
            count += 1;
        }
        for stray in &slot.strays[..strays] {
            (semaphores[count], stages[count]) = (*stray, vk::PipelineStageFlags::BOTTOM_OF_PIPE);
            count += 1;
        }
        let commands = [commands];
        let mut submit = vk::SubmitInfo::default()
            .wait_semaphores(&semaphores[..count])
            .wait_dst_stage_mask(&stages[..count])
            .command_buffers(&commands)
            .signal_semaphores(signals);
        let mut timeline = vk::TimelineSemaphoreSubmitInfo::default()
            .wait_semaphore_values(&values[..count])
            .signal_semaphore_values(&[0][..signals.len()]);
        // Binary semaphores need no values, and may be all that the device has.
        if values[..count].iter().any(|value| *value != 0) {
            submit = submit.push_next(&mut timeline);
        }
        // SAFETY: as promised by the caller.
        unsafe { self.parts.device.queue_submit(self.parts.queue, &[submit], slot.fence) }
    }

    /// Presents what was just submitted.
    pub(super) fn present_owed(&mut self) -> Result<Presented, Error> {
        let number = (self.next + self.slots.len() - 1) % self.slots.len();
        match self.slots[number].debt {
            Some(Debt::Present(index)) => {
                let bound = match self.present_when {
                    PresentWhen::Submitted => Bound::ZERO,
                    PresentWhen::Executed(bound) => bound,
                };
                self.present(number, index, bound)
            }
            _ => unreachable!("nothing was submitted"),
        }
    }

    fn present(&mut self, number: usize, index: u32, bound: Bound) -> Result<Presented, Error> {
        let silent = self.slots[number].silent;
        // What the host has seen executed needs no semaphore.
        if silent && !self.reach(number, bound)?.is_reached() {
            return Ok(Presented::Later);
        }
        let Some(swapchain) = &mut self.swapchain else { unreachable!("no swapchain") };
        let image = &mut swapchain.images[index as usize];
        let (finished, handles, indices) = ([image.finished], [swapchain.handle], [index]);
        let info = vk::PresentInfoKHR::default()
            .wait_semaphores(if silent { &[] } else { &finished })
            .swapchains(&handles)
            .image_indices(&indices);
        // SAFETY: the image was acquired, and a batch that signals the semaphore was submitted or, without one, executed.
        let result = unsafe { self.parts.swapchain.queue_present(self.parts.queue, &info) };
        let outcome = match result {
            Ok(suboptimal) => Ok(if suboptimal { Presented::Suboptimal } else { Presented::Shown }),
            Err(
                vk::Result::ERROR_OUT_OF_DATE_KHR
                | vk::Result::ERROR_FULL_SCREEN_EXCLUSIVE_MODE_LOST_EXT,
            ) => Ok(Presented::OutOfDate),
            Err(result) => Err(Error::of("vkQueuePresentKHR", result)),
        };
        // Even a present that is rejected waits for its semaphore first.
        swapchain.queued |=
            !matches!(outcome, Err(Error::OutOfMemory { .. } | Error::DeviceLost { .. }));
        match outcome {
            // Nothing was queued: the image is ours, its semaphore is or will be signalled, and it can be tried again.
            Err(error @ (Error::OutOfMemory { .. } | Error::DeviceLost { .. })) => {
                return Err(self.failed(error));
            }
            // "Rejected" presents wait for their semaphores all the same. Of results that the specification does not list
            // nobody knows, so nothing is asked of this swapchain again.
            Ok(Presented::OutOfDate) | Err(_) => swapchain.stale = true,
            Ok(_) => image.presented = true,
        }
        self.slots[number].debt = None;
        outcome
    }

    /// Gives the debts up, with the swapchain that they are of. A semaphore that nobody consumed is left to the slot's next batch.
    pub(super) fn forgive_debts(&mut self) -> Result<(), Error> {
        if let Some(Debt::Consume(_)) = self.slots[self.next].debt {
            // SAFETY: the device lives, as promised when this was made.
            let fresh = unsafe { create::semaphore(&self.parts.device) }
                .map_err(|error| self.failed(error))?;
            self.slots[self.next].forgive(fresh);
        }
        for slot in &mut self.slots {
            slot.debt = None;
        }
        Ok(())
    }

    /// Consumes what the debts have left, so that an idle queue means that nothing is in use. Returns whether there was anything.
    pub(super) fn drain(&mut self) -> Result<bool, Error> {
        let mut drained = false;
        for number in 0..self.slots.len() {
            let slot = &mut self.slots[number];
            if slot.strays.is_empty() {
                continue;
            }
            let stages = vec![vk::PipelineStageFlags::ALL_COMMANDS; slot.strays.len()];
            // One driver hangs on a batch that waits and has no commands.
            let commands = self.swapchain.as_ref().and_then(|swapchain| swapchain.images.first());
            let commands = commands.map(|image| image.rescue);
            let submit = vk::SubmitInfo::default()
                .wait_semaphores(&slot.strays)
                .wait_dst_stage_mask(&stages)
                .command_buffers(commands.as_slice());
            let device = &self.parts.device;
            // SAFETY: an acquire signals each of the semaphores, and nobody else waits for them.
            let submitted =
                unsafe { device.queue_submit(self.parts.queue, &[submit], vk::Fence::null()) };
            if let Err(result) = submitted {
                return Err(self.failed(Error::of("vkQueueSubmit", result)));
            }
            slot.spent.append(&mut slot.strays);
            drained = true;
        }
        Ok(drained)
    }
}
