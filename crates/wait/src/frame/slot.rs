//! One of the frames in flight: which of its fence, its semaphore and its image does somebody still owe?

use ash::vk;

use super::parts::Parts;
use crate::{Error, create};

/// What was begun and has to be brought to an end before the slot can be used for another frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Debt {
    /// This image was acquired. Its semaphore is signalled, or will be, and no batch waits for it.
    Consume(u32),
    /// A batch was submitted that signals the image's semaphore, unless it is silent, and the image was not presented.
    Present(u32),
}

/// What one of the frames in flight has and owes, to look at and to log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SlotState {
    /// Its fence.
    pub fence: vk::Fence,
    /// The semaphore that its acquire signals.
    pub acquired: vk::Semaphore,
    /// A batch that signals the fence was submitted and not seen executed.
    pub pending: bool,
    /// An image that was acquired and not presented, because no submit or no present succeeded. The next wait tries again.
    pub owed: Option<u32>,
}

impl Slot {
    pub(super) fn state(&self) -> SlotState {
        let owed = self.debt.map(|(Debt::Consume(index) | Debt::Present(index))| index);
        SlotState { fence: self.fence, acquired: self.acquired, pending: self.pending, owed }
    }
}

/// The objects of one frame in flight.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) fence: vk::Fence,
    /// What the acquire signals.
    pub(super) acquired: vk::Semaphore,
    pub(super) pool: vk::CommandPool,
    pub(super) commands: vk::CommandBuffer,
    /// A batch that signals the fence was submitted, and it was not seen signalled since. Only then is it waited for: a fence
    /// that nobody owes a signal is never waited for, whatever failed before.
    pub(super) pending: bool,
    /// The swapchain of the pending batch's image, from 1.
    pub(super) generation: u64,
    /// The pending batch signals no semaphore: what is owed is presented once its fence is signalled.
    pub(super) silent: bool,
    pub(super) debt: Option<Debt>,
    /// Semaphores of acquires whose frames were given up with their swapchain. The slot's next batch waits for them.
    pub(super) strays: Vec<vk::Semaphore>,
    /// Those that a batch waits for. They are in use until a batch of this slot was executed.
    pub(super) spent: Vec<vk::Semaphore>,
}

impl Slot {
    /// # Safety
    /// The parts are alive.
    pub(super) unsafe fn new(parts: &Parts) -> Result<Self, Error> {
        let mut slot = Self {
            fence: vk::Fence::null(),
            acquired: vk::Semaphore::null(),
            pool: vk::CommandPool::null(),
            commands: vk::CommandBuffer::null(),
            pending: false,
            generation: 0,
            silent: false,
            debt: None,
            strays: Vec::new(),
            spent: Vec::new(),
        };
        // SAFETY: the device is alive, as promised by the caller; what was made is destroyed if the rest fails.
        unsafe {
            if let Err(error) = slot.fill(parts) {
                slot.destroy(parts);
                return Err(error);
            }
        }
        Ok(slot)
    }

    /// # Safety
    /// What waited for the spent semaphores was executed.
    pub(super) unsafe fn sweep(&mut self, parts: &Parts) {
        for semaphore in self.spent.drain(..) {
            // SAFETY: as promised by the caller.
            unsafe { parts.device.destroy_semaphore(semaphore, None) };
        }
    }

    /// Gives up what the slot owes. Its next acquire gets the fresh semaphore; the old one is left to the next batch.
    pub(super) fn forgive(&mut self, fresh: vk::Semaphore) {
        self.debt = None;
        self.strays.push(std::mem::replace(&mut self.acquired, fresh));
    }

    unsafe fn fill(&mut self, parts: &Parts) -> Result<(), Error> {
        // SAFETY: the device is alive, as promised by the caller.
        unsafe {
            let Parts { device, queue_family, .. } = parts;
            self.fence = create::fence(device)?;
            self.acquired = create::semaphore(device)?;
            let flags = vk::CommandPoolCreateFlags::TRANSIENT;
            self.pool = create::command_pool(device, *queue_family, flags)?;
            [self.commands] = create::command_buffers(device, self.pool)?;
        }
        Ok(())
    }

    /// # Safety
    /// Nothing of the slot is in use: its batch was executed, or the device is lost.
    pub(super) unsafe fn destroy(&self, parts: &Parts) {
        // SAFETY: nothing is in use, as promised by the caller; null handles are ignored.
        unsafe {
            parts.device.destroy_fence(self.fence, None);
            parts.device.destroy_semaphore(self.acquired, None);
            for semaphore in self.strays.iter().chain(&self.spent) {
                parts.device.destroy_semaphore(*semaphore, None);
            }
            parts.device.destroy_command_pool(self.pool, None);
        }
    }
}
