//! Are these queues done with all that was submitted to them?
//!
//! `vkQueueWaitIdle` and `vkDeviceWaitIdle` have no timeout. A fence submitted behind the work has one.

use ash::vk;

use crate::bound::Deadline;
use crate::{Bound, Error, Need, Waited, create, wait_fences};

/// How many fences of one queue may be pending. A queue that is stuck is not given more with every try.
const PENDING_MAX: usize = 4;

/// Waits for a queue to be done, with a bound.
///
/// Each wait submits an empty batch with a fence of its own and waits for the fence. One that timed out is still pending, may
/// be neither reset nor destroyed, and is kept; there are at most four. With four pending, a wait first waits for one of them. A
/// fence whose signal was lost, though a later one of the same queue came, is destroyed and not used again: its late
/// signal would be taken for another's. If a driver loses four signals in a row, every later wait times out: truthfully, for
/// nothing shows that the queue is done. A new `QueueIdle` then begins again.
///
/// # What it misses
/// It knows of what was submitted before the wait, to this queue. Not of what other threads submit meanwhile; not of presents
/// that have left the queue for the presentation engine, which no fence of a submit covers; not of sparse bindings or anything
/// else on other queues; and not of what the host does, as callbacks or deferred operations.
///
/// # Bad input
/// The fences are its own and of the one device, and what is destroyed cannot be waited for:
///
/// ```compile_fail,E0382
/// # fn check(device: &ash::Device, queue: ash::vk::Queue) -> Result<(), unwedge_wait::Error> {
/// use unwedge_wait::{Bound, QueueIdle};
/// // SAFETY: the queue is one of the device.
/// let mut idle = unsafe { QueueIdle::new(device, queue)? };
/// // SAFETY: the device lives, and nobody else uses the queue.
/// let left = unsafe { idle.destroy() };
/// let waited = unsafe { idle.wait(Bound::from_secs(1))? }; // moved above
/// # Ok(())
/// # }
/// ```
///
/// Nor can a bound be forgotten, or be "for ever":
///
/// ```compile_fail,E0308
/// # fn check(mut idle: unwedge_wait::QueueIdle) {
/// let waited = unsafe { idle.wait(u64::MAX) };
/// # }
/// ```
///
/// Dropping it without [`destroy`](Self::destroy) destroys nothing, because the device may be gone by then.
pub struct QueueIdle {
    device: ash::Device,
    queue: vk::Queue,
    /// Submitted, the oldest first, and not seen signalled.
    pending: Vec<vk::Fence>,
    /// Not pending; it may be signalled from its last use.
    free: Vec<vk::Fence>,
    /// The device was lost: what was submitted counts as done, and nothing is pending any more.
    lost: bool,
}

impl QueueIdle {
    /// Prepares to wait for this queue. Makes a fence, so that the first wait makes none.
    ///
    /// # Errors
    /// [`Error::NullHandle`], and what `vkCreateFence` returns.
    ///
    /// # Safety
    /// The queue is one of this device.
    pub unsafe fn new(device: &ash::Device, queue: vk::Queue) -> Result<Self, Error> {
        if queue == vk::Queue::null() {
            return Err(Error::NullHandle("queue"));
        }
        let (pending, free) = (Vec::with_capacity(PENDING_MAX), Vec::with_capacity(PENDING_MAX));
        let mut idle = Self { device: device.clone(), queue, pending, free, lost: false };
        // SAFETY: as promised by the caller.
        let fence = unsafe { create::fence(device) }?;
        idle.free.push(fence);
        Ok(idle)
    }

    /// Waits until all that was submitted to the queue before this call is done, at most for `bound`.
    ///
    /// A [`Bound::ZERO`] submits the fence and looks once, which is often too early even on an idle queue.
    ///
    /// # Errors
    /// What `vkCreateFence`, `vkResetFences` (as [`Error::ResetFailed`]), `vkQueueSubmit`, `vkGetFenceStatus` and
    /// `vkWaitForFences` return.
    ///
    /// # Safety
    /// Device and queue live, and nobody else submits to the queue or presents on it during this call.
    pub unsafe fn wait(&mut self, bound: Bound) -> Result<Waited, Error> {
        let answer = self.try_wait(bound);
        self.lost |= matches!(answer, Err(Error::DeviceLost { .. }));
        answer
    }

    fn try_wait(&mut self, bound: Bound) -> Result<Waited, Error> {
        let Some(left) = make_room(std::slice::from_mut(self), bound)? else {
            return Ok(Waited::TimedOut);
        };
        let fence = self.arm()?;
        // SAFETY: the fence was submitted just now; device and queue live, as the callers promised.
        let waited = unsafe { wait_fences(&self.device, &[fence], Need::All, left)? };
        if waited.is_reached() {
            self.reached()?;
        }
        Ok(waited)
    }

    /// How many fences are pending after waits that timed out.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Destroys the fences that are not pending, and says how many it had to leave because they are.
    ///
    /// Those go with the device, if it is ever destroyed. On a device that was seen to be lost nothing is pending any more.
    ///
    /// # Safety
    /// The device lives.
    #[must_use = "fences that are left keep the device from being destroyed"]
    pub unsafe fn destroy(mut self) -> usize {
        if matches!(self.sweep(), Err(Error::DeviceLost { .. })) {
            self.lost = true;
        }
        let done = if self.lost { std::mem::take(&mut self.pending) } else { Vec::new() };
        for fence in self.free.drain(..).chain(done) {
            // SAFETY: the device lives, as the caller promised; the fence is ours and nothing is pending on it.
            unsafe { self.device.destroy_fence(fence, None) };
        }
        self.pending.len()
    }

    /// Sorts out which of the pending fences are reached: a fence that is means that all before it are done too.
    fn sweep(&mut self) -> Result<(), Error> {
        let mut done = 0;
        let mut signalled = [false; PENDING_MAX];
        for (index, &fence) in self.pending.iter().enumerate() {
            // SAFETY: the device lives, as the callers promised; the fence is ours.
            signalled[index] = unsafe { self.device.get_fence_status(fence) }
                .map_err(|result| Error::of("vkGetFenceStatus", result))?;
            if signalled[index] {
                done = index + 1;
            }
        }
        for (fence, signalled) in self.pending.drain(..done).zip(signalled) {
            if signalled {
                self.free.push(fence);
            } else {
                // SAFETY: a later fence of the queue is signalled, so the submit of this one is done; it is ours.
                unsafe { self.device.destroy_fence(fence, None) };
            }
        }
        Ok(())
    }

    /// Submits a fence behind all work of the queue; there must be room for it.
    fn arm(&mut self) -> Result<vk::Fence, Error> {
        if let Some(&fence) = self.free.last() {
            // SAFETY: the device lives, as the callers promised; nothing is pending on the fence, which is ours.
            unsafe { self.device.reset_fences(&[fence]) }
                .map_err(|result| Error::ResetFailed { result })?;
        } else {
            // SAFETY: the device lives, as the callers promised.
            let fence = unsafe { create::fence(&self.device) }?;
            self.free.push(fence);
        }
        let fence = self.free[self.free.len() - 1];
        // SAFETY: the queue is of this device and used by nobody else, as the callers promised; the fence is unsignalled.
        unsafe { self.device.queue_submit(self.queue, &[], fence) }
            .map_err(|result| Error::of("vkQueueSubmit", result))?;
        self.free.pop();
        self.pending.push(fence);
        Ok(fence)
    }

    /// The newest fence was seen signalled.
    fn reached(&mut self) -> Result<(), Error> {
        if self.pending.len() > 1 {
            return self.sweep();
        }
        self.free.append(&mut self.pending);
        Ok(())
    }
}

/// Waits until each queue has room for one more fence; gives what is left of the bound, or `None` if one has no room by then.
fn make_room(queues: &mut [QueueIdle], bound: Bound) -> Result<Option<Bound>, Error> {
    let mut deadline = None;
    for queue in queues {
        if queue.pending.is_empty() {
            continue;
        }
        queue.sweep()?;
        if queue.pending.len() < PENDING_MAX {
            continue;
        }
        let deadline = *deadline.get_or_insert_with(|| Deadline::after(bound));
        // SAFETY: the fences are ours; device and queue live, as the callers promised.
        let waited =
            unsafe { wait_fences(&queue.device, &queue.pending, Need::Any, deadline.left())? };
        queue.sweep()?;
        if !waited.is_reached() || queue.pending.len() == PENDING_MAX {
            return Ok(None);
        }
    }
    Ok(Some(deadline.map_or(bound, Deadline::left)))
}

/// Waits for several queues of a device to be done, with one bound for all of them.
///
/// In place of `vkDeviceWaitIdle`, for the queues that it is given: Vulkan does not tell which there are. It misses what
/// [`QueueIdle`] misses, and whatever goes to a queue that it was not given.
pub struct DeviceIdle {
    queues: Vec<QueueIdle>,
    /// Room for a fence of each queue, so that a wait allocates nothing.
    fences: Vec<vk::Fence>,
}

impl DeviceIdle {
    /// Prepares to wait for these queues. Without queues there is nothing to wait for, and each wait is reached at once.
    ///
    /// # Errors
    /// As of [`QueueIdle::new`].
    ///
    /// # Safety
    /// The queues are of this device.
    pub unsafe fn new(device: &ash::Device, queues: &[vk::Queue]) -> Result<Self, Error> {
        let fences = Vec::with_capacity(queues.len());
        let mut idle = Self { queues: Vec::with_capacity(queues.len()), fences };
        for &queue in queues {
            // SAFETY: as promised by the caller.
            match unsafe { QueueIdle::new(device, queue) } {
                Ok(queue) => idle.queues.push(queue),
                Err(error) => {
                    // SAFETY: the device lives, as the caller promised; nothing was submitted.
                    let left = unsafe { idle.destroy() };
                    debug_assert_eq!(left, 0, "nothing was submitted");
                    return Err(error);
                }
            }
        }
        Ok(idle)
    }

    /// Waits until all that was submitted to these queues before this call is done, at most for `bound` in all.
    ///
    /// # Errors
    /// As of [`QueueIdle::wait`].
    ///
    /// # Safety
    /// Device and queues live, and nobody else submits to them or presents on them during this call.
    pub unsafe fn wait(&mut self, bound: Bound) -> Result<Waited, Error> {
        let answer = self.try_wait(bound);
        if let Err(Error::DeviceLost { .. }) = answer {
            self.queues.iter_mut().for_each(|queue| queue.lost = true);
        }
        answer
    }

    /// The fences go to all queues first and are then waited for at once.
    fn try_wait(&mut self, bound: Bound) -> Result<Waited, Error> {
        let Some(left) = make_room(&mut self.queues, bound)? else { return Ok(Waited::TimedOut) };
        self.fences.clear();
        for queue in &mut self.queues {
            self.fences.push(queue.arm()?);
        }
        let Some(first) = self.queues.first() else { return Ok(Waited::Reached) };
        // SAFETY: the fences were submitted just now; device and queues live, as the callers promised.
        let waited = unsafe { wait_fences(&first.device, &self.fences, Need::All, left)? };
        if waited.is_reached() {
            self.queues.iter_mut().try_for_each(QueueIdle::reached)?;
        }
        Ok(waited)
    }

    /// As [`QueueIdle::destroy`], for all queues.
    ///
    /// # Safety
    /// The device lives.
    #[must_use = "fences that are left keep the device from being destroyed"]
    pub unsafe fn destroy(self) -> usize {
        // SAFETY: as promised by the caller.
        self.queues.into_iter().map(|queue| unsafe { queue.destroy() }).sum()
    }
}

/// Waits until the device is idle, **for as long as that takes**: the one wait of this crate without a bound.
///
/// For the end of a program that has nothing left to do, where a device that never becomes idle would otherwise be destroyed
/// under its own work. A program that can leave its device behind had better wait with [`DeviceIdle`] and end its
/// process: the system takes back what is left.
///
/// # Errors
/// What `vkDeviceWaitIdle` returns.
///
/// # Safety
/// The device lives, and nobody uses any of its queues during the call.
pub unsafe fn wait_idle_for_shutdown_unbounded(device: &ash::Device) -> Result<(), Error> {
    // SAFETY: as promised by the caller.
    unsafe { device.device_wait_idle() }.map_err(|result| Error::of("vkDeviceWaitIdle", result))
}
