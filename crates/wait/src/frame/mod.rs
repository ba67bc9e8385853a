//! A frame as types: wait, acquire, record, submit, present, which cannot be taken in the wrong order.
//!
//! ```text
//!   Frames                   if it is dropped: by an early return, by `?`, by a panic
//!     │ wait
//!     ▼
//!   Ready ─────────────────► nothing is owed
//!     │ acquire
//!     ▼
//!   AcquiredFrame ───┐
//!     │ record       ├─────► an empty frame consumes the semaphore, and the image is presented
//!     ▼              │
//!   Recorded ────────┘
//!     │ submit
//!     ▼
//!   Submitted ─────────────► the image is presented
//!     │ present
//!     ▼
//!   Presented
//! ```
//!
//! Three rules make a frame loop that cannot lock itself up, and none is left to the program:
//!
//! - **The fence is reset between a successful acquire and the submit, and nowhere else.** It is waited for only if a batch that signals it
//!   was submitted, so a fence that nobody will signal is never waited for.
//! - **What was acquired is brought to an end.** A frame that is dropped after its acquire submits a small batch, recorded when the
//!   swapchain was made, that waits for the acquire's semaphore and signals the fence, and presents the image: with what it showed before, or, if it was
//!   never presented, with undefined content. An empty submit that only signals the fence would leave the semaphore signalled, with which
//!   no further acquire is allowed, and lose the image to the program.
//! - **A failed reset is fatal.** Nobody knows whether the fence is signalled then.
//!
//! ```
//! # fn draw(_: ash::vk::CommandBuffer, _: &unwedge_wait::frame::Target) -> Result<(), unwedge_wait::Error> { Ok(()) }
//! use unwedge_wait::frame::{Acquire, Frames, Presented, Wait};
//! use unwedge_wait::Bound;
//!
//! const SHORT: Bound = Bound::from_millis(8);
//!
//! /// Draws a frame; `None` if it could not be drawn now.
//! fn frame(frames: &mut Frames) -> Result<Option<Presented>, Box<dyn std::error::Error>> {
//!     let Wait::Ready(ready) = frames.wait(SHORT)? else { return Ok(None) };
//!     let Acquire::Image(acquired) = ready.acquire(SHORT)? else { return Ok(None) };
//!     // If `draw` fails here, the frame is dropped and all is well.
//!     let recorded = acquired.record(|commands, target| draw(commands, target))?;
//!     Ok(Some(recorded.submit()?.present()?))
//! }
//! ```
//!
//! No step can be left out or come twice:
//!
//! ```compile_fail,E0599
//! # fn check(ready: unwedge_wait::frame::Ready<'_>) {
//! let submitted = ready.submit(); // nothing was acquired and recorded
//! # }
//! ```
//!
//! ```compile_fail,E0382
//! # fn check(submitted: unwedge_wait::frame::Submitted<'_>) {
//! let first = submitted.present();
//! let second = submitted.present(); // presented before
//! # }
//! ```
//!
//! # After this error, this is the state
//!
//! Of the frame that met it, once it is dropped. "Owed" images are presented by the next [`wait`](Frames::wait). Every row is a test.
//!
//! | call | result | fence | acquire's semaphore | image | what helps |
//! |---|---|---|---|---|---|
//! | `vkWaitForFences` | timeout | pending | unsignalled | none | the next frame |
//! | `vkWaitForFences` | out of host memory, out of device memory | pending | unsignalled | none | the next frame |
//! | `vkWaitForFences` | device lost | unknown | goes with the device | goes with the device | a new device |
//! | `vkAcquireNextImageKHR` | timeout, not ready | signalled, as before | unsignalled | none | the next frame |
//! | `vkAcquireNextImageKHR` | out of date, full screen exclusive mode lost | signalled, as before | unsignalled | none | a new swapchain |
//! | `vkAcquireNextImageKHR` | surface lost | signalled, as before | unsignalled | none | a new surface and swapchain |
//! | `vkAcquireNextImageKHR` | out of host memory, out of device memory | signalled, as before | unsignalled | none | the next frame |
//! | `vkAcquireNextImageKHR` | suboptimal | pending | consumed by the frame | shown | a new swapchain |
//! | `vkAcquireNextImageKHR` | device lost | unknown | goes with the device | goes with the device | a new device |
//! | `vkResetCommandPool` | out of device memory | pending | consumed by an empty frame | presented as it was | the next frame |
//! | `vkBeginCommandBuffer` | out of host memory, out of device memory | pending | consumed by an empty frame | presented as it was | the next frame |
//! | the program's draw | error, panic | pending | consumed by an empty frame | presented as it was | the next frame |
//! | `vkEndCommandBuffer` | out of host memory, out of device memory | pending | consumed by an empty frame | presented as it was | the next frame |
//! | `vkResetFences` | out of device memory | unknown | goes with the device | goes with the device | a new device |
//! | `vkQueueSubmit` | out of host memory, out of device memory | pending | consumed by an empty frame | presented as it was | the next frame |
//! | `vkQueueSubmit`, twice in a row | out of host memory, out of device memory | reset; not waited for | signalled | owed | the next frame |
//! | `vkQueueSubmit` | device lost | unknown | goes with the device | goes with the device | a new device |
//! | `vkQueuePresentKHR` | suboptimal | pending | consumed by the frame | shown | a new swapchain |
//! | `vkQueuePresentKHR` | out of date, full screen exclusive mode lost | pending | consumed by the frame | back, not shown | a new swapchain |
//! | `vkQueuePresentKHR` | surface lost | pending | consumed by the frame | back, not shown | a new surface and swapchain |
//! | `vkQueuePresentKHR` | out of host memory, out of device memory | pending | consumed by the frame | shown | the next frame |
//! | `vkQueuePresentKHR`, twice in a row | out of host memory, out of device memory | pending | consumed by the frame | owed | the next frame |
//! | `vkQueuePresentKHR` | device lost | unknown | goes with the device | goes with the device | a new device |

mod parts;
mod renew;
mod settle;
mod slot;
mod steps;
mod swapchain;

use ash::vk;

pub use parts::{Images, Parts, Target};
pub use slot::SlotState;
pub use steps::{
    Acquire, AcquiredFrame, After, PresentWhen, Presented, Ready, RecordError, Recorded, Submitted,
    Wait,
};

use crate::waits::{self, QueueIdle};
use crate::{Bound, Error, Waited};
use slot::Slot;
use swapchain::{Retired, Swapchain};

/// The most frames that may be in flight. Two or three are usual: more only add delay.
pub const IN_FLIGHT_MAX: usize = 8;

/// How many older swapchains are kept until nothing can use them; more than this many in flight means that the queue
/// stands still, and then no new one is made.
const RETIRED_MAX: usize = 16;

/// The stages in which a frame first uses its image, unless
/// [`set_acquire_stages`](Frames::set_acquire_stages) says otherwise: drawing to it, clearing it, copying to it.
const ACQUIRE_STAGES: vk::PipelineStageFlags = vk::PipelineStageFlags::from_raw(
    vk::PipelineStageFlags::COLOR_ATTACHMENT_OUTPUT.as_raw()
        | vk::PipelineStageFlags::TRANSFER.as_raw(),
);

/// The frames of a window: its swapchain, and for each frame in flight a fence, a semaphore and a command buffer.
///
/// The device, the queue and the surface stay the program's. Dropping `Frames` never waits: what is not in use is destroyed, and
/// if a frame is still being executed, all is left as it is ([`destroy`](Frames::destroy) waits for it, within a bound).
pub struct Frames {
    parts: Parts,
    slots: Vec<Slot>,
    /// The slot of the next frame.
    next: usize,
    swapchain: Option<Swapchain>,
    retired: Vec<Retired>,
    /// Swapchains that were destroyed since the program asked.
    gone: Vec<u64>,
    /// The number that the next swapchain gets.
    generation_next: u64,
    idle: Option<QueueIdle>,
    acquire_stages: vk::PipelineStageFlags,
    present_when: PresentWhen,
    /// Why nothing of this can be used any more.
    broken: Option<Error>,
    executed: u64,
}

impl Frames {
    /// Makes a swapchain as `info` says and what `in_flight` frames need, 1 to [`IN_FLIGHT_MAX`]. Whatever `info` has as the old
    /// swapchain is passed on.
    ///
    /// # Errors
    /// [`Error::Nothing`] for no frames, [`Error::TooMany`] for too many, and what making the objects returns.
    ///
    /// # Safety
    /// Until the frames are destroyed or abandoned: the device lives; `VK_KHR_swapchain` is enabled on it; the queue is
    /// of the named family and can present to the surface; the surface lives; nobody uses the queue during
    /// a call of these types, as Vulkan asks of every queue. `info` is valid for the device and has images of one layer with a
    /// colour format.
    pub unsafe fn new(
        parts: Parts,
        in_flight: usize,
        info: &vk::SwapchainCreateInfoKHR<'_>,
    ) -> Result<Self, Error> {
        match in_flight {
            0 => return Err(Error::Nothing),
            1..=IN_FLIGHT_MAX => {}
            _ => return Err(Error::TooMany("frames in flight", IN_FLIGHT_MAX)),
        }
        // SAFETY: as promised by the caller.
        let idle = Some(unsafe { QueueIdle::new(&parts.device, parts.queue) }?);
        let mut frames = Self {
            parts,
            slots: Vec::with_capacity(in_flight),
            next: 0,
            swapchain: None,
            retired: Vec::new(),
            gone: Vec::new(),
            generation_next: 1,
            idle,
            acquire_stages: ACQUIRE_STAGES,
            present_when: PresentWhen::Submitted,
            broken: None,
            executed: 0,
        };
        for _ in 0..in_flight {
            // SAFETY: as promised by the caller. What was made before is destroyed with `frames`.
            frames.slots.push(unsafe { Slot::new(&frames.parts) }?);
        }
        let generation = frames.generation_next;
        // SAFETY: as promised by the caller.
        frames.swapchain = Some(unsafe { Swapchain::new(&frames.parts, info, generation) }?);
        frames.generation_next += 1;
        Ok(frames)
    }

    /// Waits until the frame may begin: until the batch that used its objects last was executed.
    ///
    /// If nothing is pending, there is nothing to wait for. An image that an earlier frame could not present is presented first.
    ///
    /// # Errors
    /// What `vkWaitForFences` returns, and what presenting an owed image returns; nothing is changed by them, and the
    /// next wait tries again. A frame set that is broken (its device is lost, or a reset failed) says so each time.
    pub fn wait(&mut self, bound: Bound) -> Result<Wait<'_>, Error> {
        self.check()?;
        let (number, behind) = (self.next, self.is_behind());
        if !self.settle_all(bound)?.is_reached() {
            return Ok(Wait::TimedOut);
        }
        // If a younger batch was just seen executed, then so was this one: its fence has nothing left to wait for.
        let bound = if behind { Bound::ZERO } else { bound };
        if self.reach(number, bound)?.is_reached() {
            Ok(Wait::Ready(Ready::new(self)))
        } else {
            Ok(Wait::TimedOut)
        }
    }

    /// Whether every frame was executed, without waiting for any.
    ///
    /// # Errors
    /// As [`wait`](Frames::wait).
    pub fn poll(&mut self) -> Result<Waited, Error> {
        self.check()?;
        if !self.settle_all(Bound::ZERO)?.is_reached() {
            return Ok(Waited::TimedOut);
        }
        for number in 0..self.slots.len() {
            if !self.reach(number, Bound::ZERO)?.is_reached() {
                return Ok(Waited::TimedOut);
            }
        }
        Ok(Waited::Reached)
    }

    /// Waits for the batch of a slot, if it has one.
    fn reach(&mut self, number: usize, bound: Bound) -> Result<Waited, Error> {
        let slot = &self.slots[number];
        if !slot.pending {
            return Ok(Waited::Reached);
        }
        // SAFETY: the fence is ours and the device lives, as promised when this was made.
        let waited = unsafe { waits::wait_for_work(&self.parts.device, slot.fence, bound) }
            .map_err(|error| self.failed(error))?;
        if waited.is_reached() {
            let slot = &mut self.slots[number];
            slot.pending = false;
            let generation = slot.generation;
            self.executed += 1;
            self.reached(number, generation);
        }
        Ok(waited)
    }

    /// A slot's batch was executed: older swapchains may be free now.
    fn reached(&mut self, number: usize, generation: u64) {
        // SAFETY: the batch that waited for them was executed, or one after it.
        unsafe { self.slots[number].sweep(&self.parts) };
        if self.retired.is_empty() {
            return;
        }
        for retired in &mut self.retired {
            retired.reached(number, generation);
        }
        self.collect();
    }

    /// Destroys the older swapchains that nothing uses any more.
    fn collect(&mut self) {
        let Self { retired, parts, gone, .. } = self;
        retired.retain(|retired| {
            if retired.is_unused() {
                // SAFETY: its batches were executed; so were frames of a newer swapchain after its presents, if it had any.
                unsafe { retired.destroy(parts) };
                gone.push(retired.swapchain.generation);
            }
            !retired.is_unused()
        });
    }

    /// Makes a new swapchain and retires the present one, which is destroyed once nothing uses it. Never waits.
    ///
    /// `info.old_swapchain` is set by this call. If it fails, there is nothing to acquire from until a later call succeeds:
    /// [`Ready::acquire`] says [`Acquire::OutOfDate`].
    ///
    /// # Errors
    /// [`Error::TooMany`] if so many older swapchains are in use that the queue must be standing still, and what
    /// making the objects returns.
    ///
    /// # Safety
    /// `info` is valid for the device; its surface is the one of the present swapchain, or that one was
    /// destroyed by [`drop_swapchains`](Frames::drop_swapchains).
    pub unsafe fn rebuild_swapchain(
        &mut self,
        info: &vk::SwapchainCreateInfoKHR<'_>,
    ) -> Result<(), Error> {
        self.check()?;
        // What cannot be presented now is given up with the swapchain that it is of.
        let _ = self.settle_all(Bound::ZERO);
        self.check()?;
        if self.retired.len() >= RETIRED_MAX {
            return Err(Error::TooMany("retired swapchains in use", RETIRED_MAX));
        }
        self.forgive_debts()?;
        let old = self.swapchain.take();
        let mut info = *info;
        info.old_swapchain = old.as_ref().map_or(vk::SwapchainKHR::null(), |old| old.handle);
        // SAFETY: as promised by the caller; the old swapchain is ours and not yet retired.
        let new = unsafe { Swapchain::new(&self.parts, &info, self.generation_next) };
        if let Some(old) = old {
            self.retire(old);
        }
        match new {
            Ok(new) => {
                self.generation_next += 1;
                self.swapchain = Some(new);
                Ok(())
            }
            Err(error) => Err(self.failed(error)),
        }
    }

    fn retire(&mut self, swapchain: Swapchain) {
        let mut pending = 0;
        for (number, slot) in self.slots.iter().enumerate() {
            pending |= u32::from(slot.pending) << number;
        }
        // At most IN_FLIGHT_MAX and one more; none if no present of it can be under way.
        let frames_left = if swapchain.queued {
            u32::try_from(self.slots.len() + 1).unwrap_or(u32::MAX)
        } else {
            0
        };
        self.retired.push(Retired { swapchain, pending, frames_left });
        self.collect();
    }

    /// The images of the present swapchain; none if the last attempt to make one failed.
    #[must_use]
    pub fn images(&self) -> Option<Images<'_>> {
        self.swapchain.as_ref().map(Swapchain::images)
    }

    /// The numbers of swapchains that were destroyed since this was asked last. What the program made of their images and views
    /// (framebuffers, for instance) is in use no longer.
    pub fn take_gone(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.gone)
    }

    /// How many batches were seen executed: the only proof that frames do reach the screen.
    #[must_use]
    pub const fn executed(&self) -> u64 {
        self.executed
    }

    /// How many frames may be in flight.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.slots.len()
    }

    /// The stages that wait until the image is really free: those in which a frame first touches it. The default is colour
    /// attachment output and transfer; a barrier that changes the image's layout has to begin with one of these stages.
    pub fn set_acquire_stages(&mut self, stages: vk::PipelineStageFlags) {
        self.acquire_stages = stages;
    }

    /// What each of the frames in flight has and owes.
    pub fn slots(&self) -> impl ExactSizeIterator<Item = SlotState> + '_ {
        self.slots.iter().map(Slot::state)
    }

    /// When frames are presented from now on. The default is [`PresentWhen::Submitted`].
    pub fn set_present_when(&mut self, when: PresentWhen) {
        self.present_when = when;
    }

    /// Why nothing of this can be used any more, if that is so: the device has to be made again.
    #[must_use]
    pub const fn broken(&self) -> Option<Error> {
        self.broken
    }

    fn check(&self) -> Result<(), Error> {
        self.broken.map_or(Ok(()), Err)
    }

    /// Remembers errors that are for good.
    fn failed(&mut self, error: Error) -> Error {
        if error.is_fatal_for_device() {
            self.broken = Some(error);
        }
        error
    }
}

impl std::fmt::Debug for Frames {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Frames")
            .field("parts", &self.parts)
            .field("slots", &self.slots)
            .field("next", &self.next)
            .field("swapchain", &self.swapchain)
            .field("retired", &self.retired)
            .field("broken", &self.broken)
            .finish_non_exhaustive()
    }
}
