//! Presents: which images go to the engine, when do they come back, and who learns that they were shown?
//!
//! The presentation engine is imaginary: an image comes back as soon as its present was executed on the queue, in that
//! order, unless the script withholds it or has the engine hold what it shows.

use crate::calls::Which;
use crate::check;
use crate::device::Device;
use crate::ffi::{self, entries};
use crate::payload::Point;
use crate::queue::{Job, Queue, Work};
use crate::submit;
use crate::swapchain::{fail_acquire, stick};
use crate::world::{self, Deadline, World};
use ash::vk::{self, Handle as _};

entries! {
    "vkQueuePresentKHR" => present,
    "vkWaitForPresentKHR" => wait_for_present,
}

/// An image on its way through a queue to the presentation engine.
pub(crate) struct Presented {
    pub(crate) swapchain: vk::SwapchainKHR,
    pub(crate) image: u32,
    id: u64,
    /// The script keeps the image from being shown and from coming back.
    withheld: bool,
    /// The engine refused it, so it comes back without being shown.
    refused: bool,
    /// The program had acquired it.
    was_held: bool,
}

impl Presented {
    /// The engine has shown the image and is done with it.
    pub(crate) fn give_back(self, device: &Device, world: &mut World) {
        check::presented(device, world, self.swapchain, self.image);
        let Some(swapchain) = world.swapchains.get_mut(&self.swapchain.as_raw()) else { return };
        if self.withheld || !self.was_held {
            return;
        }
        let back = match device.script.engine_holds && !self.refused {
            true => swapchain.shown.replace(self.image),
            false => Some(self.image),
        };
        swapchain.available.extend(back);
        if !self.refused {
            swapchain.last_present_id = swapchain.last_present_id.max(self.id);
        }
    }
}

extern "system" fn present(queue: &Queue, info: &vk::PresentInfoKHR<'_>) -> vk::Result {
    let device = queue.device;
    // SAFETY: the caller owes a valid structure, with `swapchain_count` swapchains and as many images.
    let (semaphores, swapchains, images) = unsafe {
        (
            ffi::slice(info.p_wait_semaphores, info.wait_semaphore_count),
            ffi::slice(info.p_swapchains, info.swapchain_count),
            ffi::slice(info.p_image_indices, info.swapchain_count),
        )
    };
    let plan = check::present(device, &device.lock(), semaphores, swapchains, images, info);
    let scripted = device.fails(Which::QueuePresent);
    let lost = device.is_lost().then_some(vk::Result::ERROR_DEVICE_LOST);
    if let Some(result) = scripted.filter(|&result| !is_enqueued(result)).or(lost) {
        return report_present(info, swapchains.iter().map(|_| result));
    }
    let refused = scripted.is_some_and(|result| result != vk::Result::SUBOPTIMAL_KHR);
    if let Some(result) = scripted {
        swapchains.iter().for_each(|&swapchain| stick(device, swapchain, result));
    }
    let withhold_after = device.script.withhold_after;
    let withheld = withhold_after.is_some_and(|after| device.acquired_images.so_far() >= after);
    let ids = present_ids(info).iter().copied().chain(std::iter::repeat(0));
    let mut world = device.lock();
    let mut results = Vec::with_capacity(swapchains.len());
    let mut presented = Vec::with_capacity(swapchains.len());
    for ((&handle, &image), id) in swapchains.iter().zip(images).zip(ids) {
        let found = world.swapchains.get_mut(&handle.as_raw());
        let was_held = found.is_some_and(|found| found.held.remove(&image));
        let refusal = match world.swapchains.get(&handle.as_raw()) {
            // A swapchain that was replaced still presents what was acquired from it; that is as out of date as can be.
            Some(found) => found.refusal(),
            None => Some(vk::Result::ERROR_OUT_OF_DATE_KHR),
        };
        results.push(scripted.or(refusal).unwrap_or(vk::Result::SUCCESS));
        let refused = refused || refusal.is_some();
        presented.push(Presented { swapchain: handle, image, id, withheld, refused, was_held });
    }
    let job = match present_job(&mut world, semaphores, Work::Present(presented), withheld, info) {
        Ok(job) => job,
        Err(unknown) => return unknown,
    };
    let jobs = vec![job];
    plan.accept(device, &mut world, &jobs);
    drop(world);
    // Even a present that is out of date executes its waits.
    queue.push(jobs);
    report_present(info, results.into_iter())
}

/// Whether a present with this result is enqueued all the same: "the set of queue operations are still considered to be enqueued"
/// if the engine rejects it, but nothing is affected if memory runs out.
fn is_enqueued(result: vk::Result) -> bool {
    matches!(
        result,
        vk::Result::SUBOPTIMAL_KHR
            | vk::Result::ERROR_OUT_OF_DATE_KHR
            | vk::Result::ERROR_SURFACE_LOST_KHR
            | vk::Result::ERROR_FULL_SCREEN_EXCLUSIVE_MODE_LOST_EXT
    )
}

fn present_job(
    world: &mut World,
    semaphores: &[vk::Semaphore],
    work: Work,
    withheld: bool,
    info: &vk::PresentInfoKHR<'_>,
) -> Result<Job, vk::Result> {
    let waits = submit::wait_points(world, semaphores.iter().map(|&semaphore| (semaphore, 0)))?;
    let fences = present_fence_points(world, info)?;
    let signals = if withheld { Vec::new() } else { fences };
    Ok(Job::new(waits, work, signals))
}

/// The result of the call is the worst of its swapchains'.
fn report_present(
    info: &vk::PresentInfoKHR<'_>,
    results: impl Iterator<Item = vk::Result>,
) -> vk::Result {
    let mut worst = vk::Result::SUCCESS;
    for (index, result) in results.enumerate() {
        if !info.p_results.is_null() {
            // SAFETY: the caller owes room for as many results as swapchains.
            unsafe { info.p_results.add(index).write(result) };
        }
        let worse = if result.as_raw() < 0 || worst.as_raw() < 0 {
            worst.min(result)
        } else {
            worst.max(result)
        };
        worst = worse;
    }
    worst
}

/// The ids of `VK_KHR_present_id`, or none.
fn present_ids<'a>(info: &'a vk::PresentInfoKHR<'_>) -> &'a [u64] {
    // SAFETY: the caller owes a valid chain.
    unsafe {
        ffi::find::<vk::PresentIdKHR<'_>>(info.p_next)
            .map_or(&[][..], |ids| ffi::slice(ids.p_present_ids, ids.swapchain_count))
    }
}

/// The fences of `VK_EXT_swapchain_maintenance1`.
pub(crate) fn present_fences<'a>(
    info: &'a vk::PresentInfoKHR<'_>,
) -> impl Iterator<Item = &'a vk::Fence> {
    // SAFETY: the caller owes a valid chain.
    let fences = unsafe {
        ffi::find::<vk::SwapchainPresentFenceInfoEXT<'_>>(info.p_next)
            .map_or(&[][..], |fences| ffi::slice(fences.p_fences, fences.swapchain_count))
    };
    fences.iter().filter(|fence| !fence.is_null())
}

/// The same as signals of the present.
fn present_fence_points(
    world: &mut World,
    info: &vk::PresentInfoKHR<'_>,
) -> Result<Vec<Point>, vk::Result> {
    present_fences(info)
        .map(|&fence| {
            let payload = world::find(&mut world.fences, fence)?.current();
            Ok(Point { payload, value: 1 })
        })
        .collect()
}

extern "system" fn wait_for_present(
    device: &Device,
    swapchain: vk::SwapchainKHR,
    id: u64,
    timeout_ns: u64,
) -> vk::Result {
    let scripted = device.fails(Which::WaitForPresent);
    if let Some(result) = scripted.filter(|&result| result != vk::Result::SUBOPTIMAL_KHR) {
        return fail_acquire(device, swapchain, timeout_ns, result);
    }
    let reached = scripted.unwrap_or(vk::Result::SUCCESS);
    let outcome = device.wait_until(Deadline::after(timeout_ns), |world| {
        if device.is_lost() {
            return Some(vk::Result::ERROR_DEVICE_LOST);
        }
        match world.swapchains.get(&swapchain.as_raw()) {
            Some(swapchain) if swapchain.last_present_id >= id => Some(reached),
            Some(swapchain) => swapchain.refusal(),
            None => Some(vk::Result::ERROR_OUT_OF_DATE_KHR),
        }
    });
    outcome.unwrap_or(vk::Result::TIMEOUT)
}
