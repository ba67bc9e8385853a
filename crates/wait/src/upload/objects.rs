//! Which Vulkan objects do uploads own, and in which order are they used?

use std::fmt;

use ash::vk;

use crate::{Bound, Error, Need, QueueIdle, Waited, create, wait_fences};

/// Where uploads are executed. The program keeps owning all of it; the device is a table of functions that is copied.
#[derive(Clone)]
pub struct UploadParts {
    /// The device.
    pub device: ash::Device,
    /// A queue of the device that can do transfers, best the one that renders: then uploads and frames are in order.
    pub queue: vk::Queue,
    /// The family of the queue.
    pub queue_family: u32,
}

impl fmt::Debug for UploadParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { device, queue, queue_family } = self;
        let device = device.handle();
        write!(f, "UploadParts {{ device: {device:?}, queue: {queue:?}, family: {queue_family} }}")
    }
}

/// A fence, and a command pool with one command buffer.
pub(super) struct Objects {
    device: ash::Device,
    queue: vk::Queue,
    pool: vk::CommandPool,
    commands: vk::CommandBuffer,
    fence: vk::Fence,
    /// Whether a batch was submitted of which it is not known that it was executed. A fence is waited for only then.
    pending: bool,
    /// Made when it is first needed, and kept, because its fences may be pending.
    idle: Option<QueueIdle>,
}

impl Objects {
    /// # Safety
    /// The parts belong together and are alive.
    pub(super) unsafe fn new(parts: UploadParts) -> Result<Self, Error> {
        let UploadParts { device, queue, queue_family } = parts;
        if device.handle() == vk::Device::null() {
            return Err(Error::NullHandle("device"));
        }
        if queue == vk::Queue::null() {
            return Err(Error::NullHandle("queue"));
        }
        let flags = vk::CommandPoolCreateFlags::TRANSIENT;
        // SAFETY: as promised by the caller.
        let pool = unsafe { create::command_pool(&device, queue_family, flags) }?;
        // SAFETY: as promised by the caller; the pool was just made.
        let made = unsafe { commands_and_fence(&device, pool) };
        if made.is_err() {
            // SAFETY: nobody has used the pool.
            unsafe { device.destroy_command_pool(pool, None) };
        }
        let (commands, fence) = made?;
        Ok(Self { device, queue, pool, commands, fence, pending: false, idle: None })
    }

    pub(super) fn is_pending(&self) -> bool {
        self.pending
    }

    /// Waits for what was submitted; of nothing, everything is done.
    ///
    /// # Safety
    /// The device is alive.
    pub(super) unsafe fn wait(&mut self, bound: Bound) -> Result<Waited, Error> {
        if !self.pending {
            return Ok(Waited::Reached);
        }
        // SAFETY: the fence is ours, and the device alive as promised.
        let waited = unsafe { wait_fences(&self.device, &[self.fence], Need::All, bound) }?;
        self.pending = !waited.is_reached();
        Ok(waited)
    }

    /// Begins the command buffer, in whatever state a record that failed or panicked has left it.
    ///
    /// # Safety
    /// The device is alive, and nothing is pending.
    pub(super) unsafe fn begin(&self) -> Result<vk::CommandBuffer, Error> {
        debug_assert!(!self.pending);
        // Not the implicit reset of `vkBeginCommandBuffer`, which a buffer that is being recorded does not have
        // (VUID-vkBeginCommandBuffer-commandBuffer-00049).
        let flags = vk::CommandPoolResetFlags::empty();
        // SAFETY: as promised by the caller.
        unsafe { self.device.reset_command_pool(self.pool, flags) }
            .map_err(|result| Error::of("vkResetCommandPool", result))?;
        let info = vk::CommandBufferBeginInfo::default()
            .flags(vk::CommandBufferUsageFlags::ONE_TIME_SUBMIT);
        // SAFETY: as promised by the caller; the buffer was just reset.
        unsafe { self.device.begin_command_buffer(self.commands, &info) }
            .map_err(|result| Error::of("vkBeginCommandBuffer", result))?;
        Ok(self.commands)
    }

    /// Ends the command buffer and submits it. The fence is reset right before: if that or anything earlier fails, it is
    /// as it was.
    ///
    /// # Safety
    /// The device is alive, nobody else uses the queue during the call, and what was recorded is valid.
    pub(super) unsafe fn end_and_submit(&mut self) -> Result<(), Error> {
        // SAFETY: the buffer is being recorded.
        unsafe { self.device.end_command_buffer(self.commands) }
            .map_err(|result| Error::of("vkEndCommandBuffer", result))?;
        // SAFETY: nothing that was submitted with the fence is pending.
        unsafe { self.device.reset_fences(&[self.fence]) }
            .map_err(|result| Error::ResetFailed { result })?;
        let commands = [self.commands];
        let batch = vk::SubmitInfo::default().command_buffers(&commands);
        // SAFETY: as promised by the caller. The fence is unsignalled and nothing is pending on it.
        unsafe { self.device.queue_submit(self.queue, &[batch], self.fence) }
            .map_err(|result| Error::of("vkQueueSubmit", result))?;
        self.pending = true;
        Ok(())
    }

    /// Waits until the queue is idle, then takes a new fence in place of one whose signal was lost: nothing is pending then.
    ///
    /// # Safety
    /// The device is alive, and nobody else uses the queue during the call.
    pub(super) unsafe fn renew(&mut self, bound: Bound) -> Result<Waited, Error> {
        let idle = match &mut self.idle {
            Some(idle) => idle,
            // SAFETY: the queue is one of the device, as `new` was promised.
            None => self.idle.insert(unsafe { QueueIdle::new(&self.device, self.queue) }?),
        };
        // SAFETY: as promised by the caller.
        if unsafe { idle.wait(bound) }? == Waited::TimedOut {
            return Ok(Waited::TimedOut);
        }
        // SAFETY: as promised by the caller.
        let fresh = unsafe { create::fence(&self.device) }?;
        let old = std::mem::replace(&mut self.fence, fresh);
        self.pending = false;
        // SAFETY: the submission with it has been executed, for the queue is idle, so it is not in use.
        unsafe { self.device.destroy_fence(old, None) };
        Ok(Waited::Reached)
    }

    /// Destroys everything that can be, and says how many objects were left: fences of waits for an idle queue, and the fence
    /// and the pool, if they are pending.
    ///
    /// # Safety
    /// The device is alive or lost.
    pub(super) unsafe fn destroy(self) -> usize {
        // SAFETY: as promised by the caller.
        let left = self.idle.map_or(0, |idle| unsafe { idle.destroy() });
        if self.pending {
            return left + 2;
        }
        // SAFETY: as promised by the caller; they are ours, not pending, and nobody has them after this.
        unsafe {
            self.device.destroy_fence(self.fence, None);
            self.device.destroy_command_pool(self.pool, None);
        }
        left
    }

    /// What was submitted is known to be executed no more, though not from its fence.
    pub(super) fn forget_pending(&mut self) {
        self.pending = false;
    }
}

/// # Safety
/// The pool is one of the device, which is alive.
unsafe fn commands_and_fence(
    device: &ash::Device,
    pool: vk::CommandPool,
) -> Result<(vk::CommandBuffer, vk::Fence), Error> {
    // SAFETY: as promised by the caller.
    let ([commands], fence) =
        unsafe { (create::command_buffers(device, pool)?, create::fence(device)?) };
    Ok((commands, fence))
}
