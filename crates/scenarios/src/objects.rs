//! Fences, semaphores, submits and waits, without the ceremony: what scenarios are made of.
use std::ffi::CString;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ash::vk;

use crate::gpu::Gpu;
use crate::{Outcome, Stop};

/// A semaphore and a value; the value is ignored where the semaphore is binary.
pub(crate) type Point = (vk::Semaphore, u64);

/// One batch of a submit.
#[derive(Clone, Copy, Default)]
pub(crate) struct Batch<'a> {
    pub(crate) waits: &'a [Point],
    pub(crate) commands: &'a [vk::CommandBuffer],
    pub(crate) signals: &'a [Point],
}

/// What is to be destroyed with the device.
pub(crate) type Garbage = Vec<Box<dyn FnOnce(&ash::Device) + Send>>;

/// Locks, whatever a thread that panicked has left: nothing guarded here can be left half done.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Gpu {
    pub(crate) fn on_drop(&self, destroy: impl FnOnce(&ash::Device) + Send + 'static) {
        lock(&self.garbage).push(Box::new(destroy));
    }

    pub(crate) fn empty_garbage(&self) {
        let garbage = std::mem::take(&mut *lock(&self.garbage));
        garbage.into_iter().rev().for_each(|destroy| destroy(&self.device));
    }

    /// Gives the handle a debug name, where the instance can.
    pub(crate) fn name<H: vk::Handle>(&self, handle: H, name: &str) {
        if let (Some(names), Ok(name)) = (&self.names, CString::new(name)) {
            let name =
                vk::DebugUtilsObjectNameInfoEXT::default().object_handle(handle).object_name(&name);
            let _ = unsafe { names.set_debug_utils_object_name(&name) };
        }
    }

    pub(crate) fn fence(&self, name: &str) -> Result<vk::Fence, Stop> {
        self.fence_with(name, vk::FenceCreateFlags::empty())
    }

    pub(crate) fn fence_with(
        &self,
        name: &str,
        flags: vk::FenceCreateFlags,
    ) -> Result<vk::Fence, Stop> {
        let fence = unsafe {
            self.device.create_fence(&vk::FenceCreateInfo::default().flags(flags), None)
        }?;
        self.on_drop(move |device| unsafe { device.destroy_fence(fence, None) });
        self.name(fence, name);
        Ok(fence)
    }

    pub(crate) fn binary(&self, name: &str) -> Result<vk::Semaphore, Stop> {
        self.semaphore(name, &vk::SemaphoreCreateInfo::default())
    }

    pub(crate) fn timeline(&self, name: &str, value: u64) -> Result<vk::Semaphore, Stop> {
        if !self.timeline {
            return Err(Stop::skipped("the device has no timeline semaphores"));
        }
        let mut kind = vk::SemaphoreTypeCreateInfo::default()
            .semaphore_type(vk::SemaphoreType::TIMELINE)
            .initial_value(value);
        self.semaphore(name, &vk::SemaphoreCreateInfo::default().push_next(&mut kind))
    }

    pub(crate) fn semaphore(
        &self,
        name: &str,
        create: &vk::SemaphoreCreateInfo,
    ) -> Result<vk::Semaphore, Stop> {
        let semaphore = unsafe { self.device.create_semaphore(create, None) }?;
        self.on_drop(move |device| unsafe { device.destroy_semaphore(semaphore, None) });
        self.name(semaphore, name);
        Ok(semaphore)
    }

    /// Submits one batch to the queue of that index.
    pub(crate) fn submit(
        &self,
        queue: usize,
        batch: &Batch,
        fence: vk::Fence,
    ) -> Result<(), vk::Result> {
        let (waits, wait_values): (Vec<_>, Vec<_>) = batch.waits.iter().copied().unzip();
        let (signals, signal_values): (Vec<_>, Vec<_>) = batch.signals.iter().copied().unzip();
        let stages = vec![vk::PipelineStageFlags::ALL_COMMANDS; waits.len()];
        let mut values = vk::TimelineSemaphoreSubmitInfo::default()
            .wait_semaphore_values(&wait_values)
            .signal_semaphore_values(&signal_values);
        let mut submit = vk::SubmitInfo::default()
            .wait_semaphores(&waits)
            .wait_dst_stage_mask(&stages)
            .command_buffers(batch.commands)
            .signal_semaphores(&signals);
        if self.timeline {
            submit = submit.push_next(&mut values);
        }
        let queue = lock(&self.queues[queue]);
        unsafe { self.device.queue_submit(*queue, &[submit], fence) }
    }

    /// Waits for the fence, for ever.
    pub(crate) fn wait(&self, fence: vk::Fence) -> Outcome {
        Ok(unsafe { self.device.wait_for_fences(&[fence], true, u64::MAX) }?)
    }

    pub(crate) fn reset(&self, fence: vk::Fence) -> Outcome {
        Ok(unsafe { self.device.reset_fences(&[fence]) }?)
    }

    /// Waits on the host for the timeline's value, for ever.
    pub(crate) fn wait_value(&self, (semaphore, value): Point) -> Outcome {
        let (semaphores, values) = ([semaphore], [value]);
        let wait = vk::SemaphoreWaitInfo::default().semaphores(&semaphores).values(&values);
        Ok(unsafe { self.device.wait_semaphores(&wait, u64::MAX) }?)
    }

    /// Signals the timeline's value from the host.
    pub(crate) fn signal_value(&self, (semaphore, value): Point) -> Outcome {
        let signal = vk::SemaphoreSignalInfo::default().semaphore(semaphore).value(value);
        Ok(unsafe { self.device.signal_semaphore(&signal) }?)
    }

    pub(crate) fn queue_wait_idle(&self, queue: usize) -> Outcome {
        let queue = lock(&self.queues[queue]);
        Ok(unsafe { self.device.queue_wait_idle(*queue) }?)
    }

    pub(crate) fn device_wait_idle(&self) -> Outcome {
        Ok(unsafe { self.device.device_wait_idle() }?)
    }

    /// `count` frames without a picture: an empty submit, a wait for its fence, a reset.
    pub(crate) fn frames(&self, count: u32, fence: vk::Fence) -> Outcome {
        for _ in 0..count {
            self.submit(0, &Batch::default(), fence)?;
            self.wait(fence)?;
            self.reset(fence)?;
        }
        Ok(())
    }

    /// A pool and one command buffer of it, ready to be recorded.
    pub(crate) fn commands(&self, name: &str) -> Result<vk::CommandBuffer, Stop> {
        let create = vk::CommandPoolCreateInfo::default().queue_family_index(self.family);
        let pool = unsafe { self.device.create_command_pool(&create, None) }?;
        self.on_drop(move |device| unsafe { device.destroy_command_pool(pool, None) });
        let allocate =
            vk::CommandBufferAllocateInfo::default().command_pool(pool).command_buffer_count(1);
        let commands = unsafe { self.device.allocate_command_buffers(&allocate) }?[0];
        self.name(commands, name);
        let begin = vk::CommandBufferBeginInfo::default()
            .flags(vk::CommandBufferUsageFlags::SIMULTANEOUS_USE);
        unsafe { self.device.begin_command_buffer(commands, &begin) }?;
        Ok(commands)
    }
}
