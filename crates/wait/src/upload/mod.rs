//! What has to reach the GPU once, and how does it get there if a wait times out, a submit fails, or the device is lost?

mod objects;
mod outcome;

use std::collections::BTreeSet;
use std::fmt;

use ash::vk;
use objects::Objects;
pub use objects::UploadParts;
pub use outcome::{UploadError, Uploaded};

use crate::{Bound, Error, Waited};

/// Items that have to reach the GPU: glyphs of an atlas, textures, ranges of a buffer. What an item is, the program says;
/// here is kept which of them are *dirty*.
///
/// An item is [marked](Uploads::mark) when it has changed. A [pump](Uploads::pump), once in each frame, has the program record all that
/// is marked as one batch, and submits it. The items of a batch in flight stay dirty until its fence is reached. At most one
/// batch is in flight. So nothing is lost, and nothing is done twice:
///
/// | what happens | dirty | then |
/// |---|---|---|
/// | the wait for the batch in flight times out | all of it | the next pump waits for the same batch; nothing is submitted |
/// | the wait fails for lack of memory | all of it | as after a time-out |
/// | an item is marked while it is in flight | it, for the next batch | once the batch is reached, it is recorded once more |
/// | the program cannot record, or panics | all of it | nothing is in flight; the next pump records again |
/// | the command pool cannot be reset, or the command buffer not begun or ended | all of it | the same |
/// | the submit fails for lack of memory | all of it | the same: the fence is unsignalled, but it is waited for only if something was submitted |
/// | the fence cannot be reset ([`Error::ResetFailed`]) | all of it | every pump says so, until the device is forgotten |
/// | the device is lost | all of it | the same |
/// | the batch was executed, but its fence never shows it | all of it | [`Uploads::renew`]: once the queue is known to be idle, it counts as done |
/// | the device is forgotten | all of it | the next pump after [`Uploads::adopt_device`] records it for the new device |
///
/// A pump that has nothing to do calls no Vulkan function.
///
/// # Order
///
/// Who samples an upload must wait for it, and who uploads must wait for those that still sample what was there. If uploads and
/// frames use one queue, both are barriers in the batch, and the host waits for neither. Of an image that fragment shaders sample:
///
/// 1. before the copies, a barrier from `FRAGMENT_SHADER`, reading, to `TRANSFER`, writing, with the layout from
///    `SHADER_READ_ONLY_OPTIMAL` to `TRANSFER_DST_OPTIMAL`: frames submitted earlier have read what they need;
/// 2. after the copies, the same the other way: frames submitted later see them.
///
/// A barrier's reach is not limited to its own batch: it covers all that was submitted to the queue before, and all that will be. So
/// after [`Uploaded::Submitted`], and not before, a frame may use the items. With a queue of their own, uploads would need semaphores and perhaps
/// transfers of ownership; this type has none of that.
///
/// The layout of an image changes when a batch is executed, not when it is recorded: one that was recorded and not submitted changed
/// nothing. Remember which layout an image has only after [`Uploaded::Submitted`].
///
/// # Staging memory
///
/// The batch in flight reads its staging memory, and its destinations must not be destroyed. While the program records, nothing is in
/// flight: whatever staging memory earlier batches used is free. At other times it is free once [`Uploads::in_flight`] is empty. Staging
/// memory that is in use must not be written, so an item that changes while it is in flight is only marked; the next batch takes its new state.
///
/// # A device that is lost, and one that stands still
///
/// After either the program makes a new device, and calls [`Uploads::forget_device`], which gives it the old fence and command pool, and
/// [`Uploads::adopt_device`]. What has become of the old device decides about the rest (the frame loop's
/// [`NewDevice`](crate::frame_loop::NewDevice) says which it is):
///
/// - It is *lost*: nothing is executed any more. Destroy what was [`Forgotten`], then the device.
/// - It is *idle*: the batch was executed, whatever its fence says. The same.
/// - It *stands still*: the batch may still be executed, now or in an hour. Destroy nothing that it uses: not its fence and pool, its staging
///   memory, its destinations, nor the device. Drop what was [`Forgotten`], which leaves it as it is; it is the price of going on.
///
/// On the new device everything is gone, also what had been uploaded long ago. Mark it again.
///
/// # End
///
/// [`Uploads::destroy`] destroys the fence and the pool. Dropping does not: like other Vulkan handles they are then left, for nobody knows whether the
/// device is still there. Nothing here waits without being told for how long.
///
/// ```no_run
/// use ash::vk;
/// use unwedge_wait::{Bound, UploadError, UploadParts, Uploaded, Uploads};
///
/// # struct Atlas { staging: vk::Buffer, image: vk::Image }
/// # impl Atlas {
/// #     fn stage(&mut self, glyphs: &[u32]) -> Result<Vec<vk::BufferImageCopy>, std::io::Error> { Ok(vec![]) }
/// #     unsafe fn for_writing(&self, _: &ash::Device, _: vk::CommandBuffer) {}
/// #     unsafe fn for_sampling(&self, _: &ash::Device, _: vk::CommandBuffer) {}
/// # }
/// # fn example(device: ash::Device, queue: vk::Queue, mut atlas: Atlas) -> Result<(), Box<dyn std::error::Error>> {
/// let parts = UploadParts { device: device.clone(), queue, queue_family: 0 };
/// // SAFETY: the device outlives the uploads, and this thread alone uses the queue.
/// let mut glyphs = unsafe { Uploads::<u32>::new(parts) }?;
///
/// glyphs.mark('a' as u32);
/// // In each frame, before it is recorded:
/// let uploaded = glyphs.pump(Bound::from_millis(1), |commands, glyphs| {
///     // Nothing is in flight here, so all of the staging memory is free.
///     let regions = atlas.stage(glyphs)?;
///     // SAFETY: the staging memory and the image live for as long as the device.
///     unsafe {
///         atlas.for_writing(&device, commands); // a barrier
///         let layout = vk::ImageLayout::TRANSFER_DST_OPTIMAL;
///         device.cmd_copy_buffer_to_image(commands, atlas.staging, atlas.image, layout, &regions);
///         atlas.for_sampling(&device, commands); // a barrier
///     }
///     Ok::<(), std::io::Error>(())
/// });
/// match uploaded {
///     Ok(Uploaded::Clean | Uploaded::Submitted) => { /* draw with all glyphs */ }
///     Ok(Uploaded::TimedOut) => { /* draw with those that are there; the rest comes */ }
///     Err(UploadError::Vulkan(error)) if error.is_fatal_for_device() => { /* make a new device */ }
///     Err(error) => eprintln!("{error}"), // the next frame tries again
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "dropped, it leaves its Vulkan objects: destroy it"]
pub struct Uploads<T> {
    objects: Option<Objects>,
    /// What is wrong with the device for good.
    broken: Option<Error>,
    /// Marked, and not part of the batch.
    waiting: BTreeSet<T>,
    /// What is being recorded, or in flight. Empty in between.
    batch: Vec<T>,
}

impl<T: Ord> Uploads<T> {
    /// Uploads through a queue, with nothing dirty.
    ///
    /// # Errors
    /// [`Error::NullHandle`], and what `vkCreateCommandPool`, `vkAllocateCommandBuffers` and `vkCreateFence` return. Nothing is left
    /// then.
    ///
    /// # Safety
    /// The queue is one of the device and of that family. The device stays alive until this is destroyed or dropped, or the device
    /// forgotten. No other thread uses the queue during a call of this type's functions. What a pump's closure records
    /// is valid, and what it refers to stays alive for as long as the batch is in flight.
    pub unsafe fn new(parts: UploadParts) -> Result<Self, Error> {
        // SAFETY: as promised by the caller.
        let objects = unsafe { Objects::new(parts) }?;
        Ok(Self {
            objects: Some(objects),
            broken: None,
            waiting: BTreeSet::new(),
            batch: Vec::new(),
        })
    }

    /// Makes an item dirty: it goes into the next batch, also if it is in flight. False if it was to go there already.
    pub fn mark(&mut self, item: T) -> bool {
        self.waiting.insert(item)
    }

    /// Waits for the batch in flight, then has everything that is marked recorded, and submits it.
    ///
    /// `record` is given a command buffer that was begun and will be ended here, and the items, in their order. It is called
    /// only if there are any and if nothing is in flight, and records all of them: if there is no room for all, it fails, and
    /// says so. [`Bound::ZERO`] only looks whether the batch was reached.
    ///
    /// # Errors
    /// See the table of [`Uploads`]. Nothing is lost by an error.
    pub fn pump<E>(
        &mut self,
        bound: Bound,
        record: impl FnOnce(vk::CommandBuffer, &[T]) -> Result<(), E>,
    ) -> Result<Uploaded, UploadError<E>> {
        if self.objects.is_none() {
            return Err(UploadError::NoDevice);
        }
        if self.wait(bound)? == Waited::TimedOut {
            return Ok(Uploaded::TimedOut);
        }
        if self.waiting.is_empty() {
            return Ok(Uploaded::Clean);
        }
        let started = self.start(record);
        if let Err(UploadError::Vulkan(error)) = &started {
            self.note(*error);
        }
        started.map(|()| Uploaded::Submitted)
    }

    /// Waits for the batch in flight and starts no other. With none in flight it is reached.
    ///
    /// # Errors
    /// What `vkWaitForFences` returns; the batch stays in flight. What is wrong with the device for good is said again.
    pub fn wait(&mut self, bound: Bound) -> Result<Waited, Error> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        let Some(objects) = &mut self.objects else { return Ok(Waited::Reached) };
        // SAFETY: the device is alive, as `new` and `adopt_device` were promised.
        let waited = unsafe { objects.wait(bound) };
        match waited {
            Ok(Waited::Reached) => self.batch.clear(),
            Ok(Waited::TimedOut) => {}
            Err(error) => self.note(error),
        }
        waited
    }

    /// The items of the batch in flight, in their order. As long as there are any, their staging memory is in use.
    #[must_use]
    pub fn in_flight(&self) -> &[T] {
        &self.batch
    }

    /// The items that go into the next batch, in their order. One that was marked again while in flight is here too.
    pub fn waiting(&self) -> impl Iterator<Item = &T> {
        self.waiting.iter()
    }

    /// Whether everything that was marked is known to be on the GPU.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.waiting.is_empty() && self.batch.is_empty()
    }

    /// Waits, at most for `bound`, until the queue is idle, and if it is, gives up a fence whose signal was lost: the batch in
    /// flight counts as done, and is not submitted again. Without a batch in flight, it is reached at once.
    ///
    /// A driver that drops a notification leaves a batch that was executed and a fence that never shows it: every pump times out. The wait
    /// for the idle queue, a [`QueueIdle`](crate::QueueIdle), has a fence of its own, submitted later; it cannot be signalled unless all that was
    /// submitted to the queue before was executed. If that times out too, nothing was changed: either the queue does stand still, or the
    /// driver lost that signal as well. Then only a new device helps.
    ///
    /// # Errors
    /// As of [`QueueIdle::wait`](crate::QueueIdle::wait), and what `vkCreateFence` returns: the batch stays in flight. What is wrong with the
    /// device for good is said again.
    pub fn renew(&mut self, bound: Bound) -> Result<Waited, Error> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        let Some(objects) = self.objects.as_mut().filter(|objects| objects.is_pending()) else {
            return Ok(Waited::Reached);
        };
        // SAFETY: the device is alive and the queue ours for the call, as `new` and `adopt_device` were promised.
        let waited = unsafe { objects.renew(bound) };
        match waited {
            Ok(Waited::Reached) => self.batch.clear(),
            Ok(Waited::TimedOut) => {}
            Err(error) => self.note(error),
        }
        waited
    }

    /// Lets go of the device: what was in flight is dirty again. Returns what was made on it, if there was one.
    ///
    /// Whether to destroy that is for the program to say: see [`Uploads`] on devices that are lost and that stand still.
    pub fn forget_device(&mut self) -> Option<Forgotten> {
        self.waiting.extend(self.batch.drain(..));
        self.broken = None;
        self.objects.take().map(|objects| Forgotten { objects })
    }

    /// Uploads through another device from now on; the old one is [forgotten](Uploads::forget_device), if it was not before.
    ///
    /// What had reached the old device is not marked by this. The program marks what the new one has to have.
    ///
    /// # Errors
    /// As [`Uploads::new`]. Then the old device, if there is one, is still the one.
    ///
    /// # Safety
    /// As for [`Uploads::new`].
    pub unsafe fn adopt_device(&mut self, parts: UploadParts) -> Result<Option<Forgotten>, Error> {
        // SAFETY: as promised by the caller.
        let objects = unsafe { Objects::new(parts) }?;
        let old = self.forget_device();
        self.objects = Some(objects);
        Ok(old)
    }

    /// Destroys the fence and the command pool, unless a batch is in flight. Does not wait: see [`Uploads::wait`]. Returns how
    /// many Vulkan objects it had to leave, which keep the device from being destroyed.
    ///
    /// Of a device that is lost nothing is in flight any more.
    #[must_use = "objects that are left keep the device from being destroyed"]
    pub fn destroy(mut self) -> usize {
        // An error here is one more reason to leave them, if something is pending.
        let _ = self.wait(Bound::ZERO);
        let Some(mut objects) = self.objects.take() else { return 0 };
        if matches!(self.broken, Some(Error::DeviceLost { .. })) {
            objects.forget_pending();
        }
        // SAFETY: the device is alive or lost, as promised to `new` and `adopt_device`.
        unsafe { objects.destroy() }
    }

    /// Records and submits what is marked. It stays so, or is so again, unless all of that succeeds.
    fn start<E>(
        &mut self,
        record: impl FnOnce(vk::CommandBuffer, &[T]) -> Result<(), E>,
    ) -> Result<(), UploadError<E>> {
        let Some(objects) = &mut self.objects else { return Err(UploadError::NoDevice) };
        // SAFETY: the device is alive, as promised; the caller has seen that nothing is pending.
        let commands = unsafe { objects.begin() }?;
        self.batch.extend(std::mem::take(&mut self.waiting));
        let batch = Taken { batch: &mut self.batch, waiting: &mut self.waiting };
        record(commands, batch.batch).map_err(UploadError::Record)?;
        // SAFETY: as promised to `new`.
        unsafe { objects.end_and_submit() }?;
        // Submitted: the batch stays what it is.
        std::mem::forget(batch);
        Ok(())
    }

    /// Remembers what is wrong with the device for good.
    fn note(&mut self, error: Error) {
        if error.is_fatal_for_device() {
            self.broken = Some(error);
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Uploads<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Uploads")
            .field("waiting", &self.waiting)
            .field("in_flight", &self.batch)
            .field("broken", &self.broken)
            .finish_non_exhaustive()
    }
}

/// A batch that is being made. Dropped, by an error or by a panic, it puts the items back.
struct Taken<'a, T: Ord> {
    batch: &'a mut Vec<T>,
    waiting: &'a mut BTreeSet<T>,
}

impl<T: Ord> Drop for Taken<'_, T> {
    fn drop(&mut self) {
        self.waiting.extend(self.batch.drain(..));
    }
}

/// The fence and the command pool of a device that was forgotten. Dropped, they are left as they are, which is right for a
/// device that stands still.
#[must_use = "of a lost device these are to be destroyed; of one that stands still, drop them"]
pub struct Forgotten {
    objects: Objects,
}

impl Forgotten {
    /// Whether a batch was in flight when the device was forgotten.
    #[must_use]
    pub fn was_in_flight(&self) -> bool {
        self.objects.is_pending()
    }

    /// Destroys them, and says how many it had to leave: fences of [`Uploads::renew`] that are pending on a device that is not
    /// lost.
    ///
    /// # Safety
    /// The device has not been destroyed. If a batch [was in flight](Forgotten::was_in_flight), the device is lost, or the batch is known
    /// to have been executed.
    #[must_use = "objects that are left keep the device from being destroyed"]
    pub unsafe fn destroy(mut self) -> usize {
        self.objects.forget_pending();
        // SAFETY: as promised by the caller.
        unsafe { self.objects.destroy() }
    }
}

impl fmt::Debug for Forgotten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forgotten")
            .field("was_in_flight", &self.was_in_flight())
            .finish_non_exhaustive()
    }
}
