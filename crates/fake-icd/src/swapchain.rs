//! Swapchains on headless surfaces: who has each image, and when does it come back?
//!
//! The presentation engine is imaginary: an image comes back as soon as its present was executed on the queue, in that
//! order, unless the script withholds it.

use crate::device::Device;
use crate::ffi::{self, Allocator, Out, OutArray, entries};
use crate::memory::Image;
use crate::payload::Point;
use crate::queue::{Job, Queue, Work};
use crate::submit;
use crate::world::{self, Deadline, World, result_of};
use ash::vk::{self, Handle as _};
use std::collections::VecDeque;

entries! {
    "vkCreateSwapchainKHR" => create,
    "vkDestroySwapchainKHR" => destroy,
    "vkGetSwapchainImagesKHR" => images,
    "vkAcquireNextImageKHR" => acquire,
    "vkAcquireNextImage2KHR" => acquire2,
    "vkQueuePresentKHR" => present,
    "vkWaitForPresentKHR" => wait_for_present,
    "vkReleaseSwapchainImagesEXT" => release_images,
    "vkGetDeviceGroupPresentCapabilitiesKHR" => group_capabilities,
    "vkGetDeviceGroupSurfacePresentModesKHR" => group_modes,
}

/// How many images a swapchain has if the program names no number; otherwise it has exactly as many as asked.
const IMAGES_DEFAULT: u32 = 3;

/// A `VkSwapchainKHR`.
pub(crate) struct Swapchain {
    images: Vec<vk::Image>,
    /// Indices of the images that the presentation engine would give, the next one first.
    available: VecDeque<u32>,
    /// The surface has changed, or a newer swapchain has replaced this one.
    out_of_date: bool,
    last_present_id: u64,
}

/// An image on its way through a queue to the presentation engine.
pub(crate) struct Presented {
    swapchain: vk::SwapchainKHR,
    image: u32,
    id: u64,
    /// The script keeps the image from being shown and from coming back.
    withheld: bool,
}

impl Presented {
    /// The engine has shown the image and is done with it.
    pub(crate) fn give_back(self, world: &mut World) {
        if self.withheld {
            return;
        }
        if let Some(swapchain) = world.swapchains.get_mut(&self.swapchain.as_raw()) {
            swapchain.available.push_back(self.image);
            swapchain.last_present_id = swapchain.last_present_id.max(self.id);
        }
    }
}

extern "system" fn create(
    device: &Device,
    info: &vk::SwapchainCreateInfoKHR<'_>,
    _allocator: Allocator,
    out: Out<'_, vk::SwapchainKHR>,
) -> vk::Result {
    if device.is_lost() {
        return vk::Result::ERROR_DEVICE_LOST;
    }
    let count = match info.min_image_count {
        0 => IMAGES_DEFAULT,
        wanted => wanted,
    };
    let vk::Extent2D { width, height } = info.image_extent;
    let extent = vk::Extent3D { width, height, depth: 1 };
    // Whoever is blocked in an acquire of the old swapchain learns that it is out of date.
    let swapchain = world::change(|world| {
        if let Some(old) = world.swapchains.get_mut(&info.old_swapchain.as_raw()) {
            old.out_of_date = true;
        }
        let images = (0..count)
            .map(|_| {
                world::insert(&mut world.images, Image::new(extent, info.image_array_layers, 1))
            })
            .collect();
        let swapchain = Swapchain {
            images,
            available: (0..count).collect(),
            out_of_date: false,
            last_present_id: 0,
        };
        world::insert(&mut world.swapchains, swapchain)
    });
    out.write(swapchain);
    vk::Result::SUCCESS
}

extern "system" fn destroy(_device: &Device, swapchain: vk::SwapchainKHR, _allocator: Allocator) {
    world::change(|world| {
        let swapchain = world.swapchains.remove(&swapchain.as_raw());
        for image in swapchain.into_iter().flat_map(|swapchain| swapchain.images) {
            world.images.remove(&image.as_raw());
        }
    });
}

extern "system" fn images(
    _device: &Device,
    swapchain: vk::SwapchainKHR,
    count: &mut u32,
    out: OutArray<vk::Image>,
) -> vk::Result {
    match world::find(&mut world::lock().swapchains, swapchain) {
        Ok(swapchain) => {
            out.enumerate(count, swapchain.images.clone(), |slot, image| *slot = image)
        }
        Err(unknown) => unknown,
    }
}

extern "system" fn acquire(
    device: &Device,
    swapchain: vk::SwapchainKHR,
    timeout_ns: u64,
    semaphore: vk::Semaphore,
    fence: vk::Fence,
    out: Out<'_, u32>,
) -> vk::Result {
    let scripted = device.acquire_calls.next_is(device.script.acquire_out_of_date);
    if scripted {
        // From now on, as with a window that was resized; until the program makes a new swapchain.
        let outdate = |world: &mut World| {
            world::find(&mut world.swapchains, swapchain)
                .map(|swapchain| swapchain.out_of_date = true)
        };
        if let Err(unknown) = world::change(outdate) {
            return unknown;
        }
    }
    let outcome = world::wait(Deadline::after(timeout_ns), |world| {
        if device.is_lost() {
            return Some(Err(vk::Result::ERROR_DEVICE_LOST));
        }
        try_acquire(world, swapchain, semaphore, fence).transpose()
    });
    match outcome {
        Some(Ok(index)) => {
            device.acquired_images.next();
            out.write(index);
            // The semaphore and the fence were signalled within the wait; now tell those who wait for them.
            world::change(|_| ());
            vk::Result::SUCCESS
        }
        Some(Err(result)) => result,
        None if timeout_ns == 0 => vk::Result::NOT_READY,
        None => vk::Result::TIMEOUT,
    }
}

/// Takes an available image and signals at once, since the imaginary engine never still reads it.
fn try_acquire(
    world: &mut World,
    swapchain: vk::SwapchainKHR,
    semaphore: vk::Semaphore,
    fence: vk::Fence,
) -> Result<Option<u32>, vk::Result> {
    let swapchain = match world.swapchains.get_mut(&swapchain.as_raw()) {
        Some(swapchain) if !swapchain.out_of_date => swapchain,
        _ => return Err(vk::Result::ERROR_OUT_OF_DATE_KHR),
    };
    let Some(index) = swapchain.available.pop_front() else {
        return Ok(None);
    };
    if !semaphore.is_null() {
        world::find(&mut world.semaphores, semaphore)?.current().signal(1);
    }
    if !fence.is_null() {
        world::find(&mut world.fences, fence)?.current().signal(1);
    }
    Ok(Some(index))
}

extern "system" fn acquire2(
    device: &Device,
    info: &vk::AcquireNextImageInfoKHR<'_>,
    out: Out<'_, u32>,
) -> vk::Result {
    acquire(device, info.swapchain, info.timeout, info.semaphore, info.fence, out)
}

extern "system" fn present(queue: &Queue, info: &vk::PresentInfoKHR<'_>) -> vk::Result {
    if queue.device.is_lost() {
        return vk::Result::ERROR_DEVICE_LOST;
    }
    // SAFETY: the caller owes a valid structure, with `swapchain_count` swapchains and as many images.
    let (semaphores, swapchains, images) = unsafe {
        (
            ffi::slice(info.p_wait_semaphores, info.wait_semaphore_count),
            ffi::slice(info.p_swapchains, info.swapchain_count),
            ffi::slice(info.p_image_indices, info.swapchain_count),
        )
    };
    let device = queue.device;
    let withhold_after = device.script.withhold_after;
    let withheld = withhold_after.is_some_and(|after| device.acquired_images.so_far() >= after);
    let ids = present_ids(info).iter().chain(std::iter::repeat(&0));
    let presented = swapchains.iter().zip(images).zip(ids);
    let presented =
        presented.map(|((&swapchain, &image), &id)| Presented { swapchain, image, id, withheld });
    let work = Work::Present(presented.collect());
    let job = present_job(&mut world::lock(), semaphores, work, withheld, info);
    match job {
        // Even a present that is out of date executes its waits.
        Ok(job) => queue.push(vec![job]),
        Err(unknown) => return unknown,
    }
    let world = world::lock();
    let result = |swapchain: &vk::SwapchainKHR| match world.swapchains.get(&swapchain.as_raw()) {
        Some(swapchain) if !swapchain.out_of_date => vk::Result::SUCCESS,
        _ => vk::Result::ERROR_OUT_OF_DATE_KHR,
    };
    report_present(info, swapchains.iter().map(result))
}

fn present_job(
    world: &mut World,
    semaphores: &[vk::Semaphore],
    work: Work,
    withheld: bool,
    info: &vk::PresentInfoKHR<'_>,
) -> Result<Job, vk::Result> {
    let waits = submit::wait_points(world, semaphores.iter().map(|&semaphore| (semaphore, 0)))?;
    let fences = present_fences(world, info)?;
    let signals = if withheld { Vec::new() } else { fences };
    Ok(Job { waits, work, signals })
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
        worst = worst.min(result);
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

/// The fences of `VK_EXT_swapchain_maintenance1`, as signals of the present.
fn present_fences(
    world: &mut World,
    info: &vk::PresentInfoKHR<'_>,
) -> Result<Vec<Point>, vk::Result> {
    // SAFETY: the caller owes a valid chain.
    let fences = unsafe {
        ffi::find::<vk::SwapchainPresentFenceInfoEXT<'_>>(info.p_next)
            .map_or(&[][..], |fences| ffi::slice(fences.p_fences, fences.swapchain_count))
    };
    let given = fences.iter().filter(|fence| !fence.is_null());
    given
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
    let outcome = world::wait(Deadline::after(timeout_ns), |world| {
        if device.is_lost() {
            return Some(vk::Result::ERROR_DEVICE_LOST);
        }
        match world.swapchains.get(&swapchain.as_raw()) {
            Some(swapchain) if swapchain.last_present_id >= id => Some(vk::Result::SUCCESS),
            Some(_) => None,
            None => Some(vk::Result::ERROR_OUT_OF_DATE_KHR),
        }
    });
    outcome.unwrap_or(vk::Result::TIMEOUT)
}

extern "system" fn release_images(
    _device: &Device,
    info: &vk::ReleaseSwapchainImagesInfoEXT<'_>,
) -> vk::Result {
    // SAFETY: the caller owes `image_index_count` indices.
    let indices = unsafe { ffi::slice(info.p_image_indices, info.image_index_count) };
    result_of(world::change(|world| {
        world::find(&mut world.swapchains, info.swapchain)
            .map(|swapchain| swapchain.available.extend(indices))
    }))
}

extern "system" fn group_capabilities(
    _device: &Device,
    out: &mut vk::DeviceGroupPresentCapabilitiesKHR<'_>,
) -> vk::Result {
    out.present_mask = [0; vk::MAX_DEVICE_GROUP_SIZE];
    out.present_mask[0] = 1;
    out.modes = vk::DeviceGroupPresentModeFlagsKHR::LOCAL;
    vk::Result::SUCCESS
}

extern "system" fn group_modes(
    _device: &Device,
    _surface: vk::SurfaceKHR,
    out: Out<'_, vk::DeviceGroupPresentModeFlagsKHR>,
) -> vk::Result {
    out.write(vk::DeviceGroupPresentModeFlagsKHR::LOCAL);
    vk::Result::SUCCESS
}
