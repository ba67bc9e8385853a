//! Swapchains on headless surfaces: who has each image, and when does it come back?
//!
//! How they come back is in [`crate::present`].

use crate::calls::Which;
use crate::check::{self, Object};
use crate::device::Device;
use crate::ffi::{self, Allocator, Out, OutArray, entries};
use crate::memory::Image;
use crate::payload::Point;
use crate::queue::{Job, Work};
use crate::script::Execute;
use crate::surface;
use crate::world::{self, Deadline, World, result_of};
use ash::vk::{self, Handle as _};
use std::collections::{BTreeSet, VecDeque};

entries! {
    "vkCreateSwapchainKHR" => create,
    "vkDestroySwapchainKHR" => destroy,
    "vkGetSwapchainImagesKHR" => images,
    "vkAcquireNextImageKHR" => acquire,
    "vkAcquireNextImage2KHR" => acquire2,
    "vkReleaseSwapchainImagesEXT" | "vkReleaseSwapchainImagesKHR" => release_images,
    "vkGetDeviceGroupPresentCapabilitiesKHR" => group_capabilities,
    "vkGetDeviceGroupSurfacePresentModesKHR" => group_modes,
}

/// How many images a swapchain has if the program names no number; otherwise it has exactly as many as asked.
const IMAGES_DEFAULT: u32 = 3;

/// A `VkSwapchainKHR`.
pub(crate) struct Swapchain {
    pub(crate) images: Vec<vk::Image>,
    pub(crate) surface: vk::SurfaceKHR,
    /// Indices of the images that the presentation engine would give, the next one first.
    pub(crate) available: VecDeque<u32>,
    /// Those that the program has acquired and neither presented nor released.
    pub(crate) held: BTreeSet<u32>,
    /// The image that an engine shows which holds it until the next one comes.
    pub(crate) shown: Option<u32>,
    /// The surface has changed, or a newer swapchain has replaced this one.
    out_of_date: bool,
    /// It was the old swapchain of a creation.
    pub(crate) retired: bool,
    pub(crate) last_present_id: u64,
}

impl Swapchain {
    /// Whether the presentation engine has this image.
    pub(crate) fn engine_has(&self, image: vk::Image) -> bool {
        let index = self.images.iter().position(|&own| own == image);
        let index = index.and_then(|index| u32::try_from(index).ok());
        index.is_some_and(|index| self.available.contains(&index) || self.shown == Some(index))
    }

    /// What a call for an image gets instead of one.
    pub(crate) fn refusal(&self) -> Option<vk::Result> {
        if surface::is_lost(self.surface) {
            return Some(vk::Result::ERROR_SURFACE_LOST_KHR);
        }
        self.out_of_date.then_some(vk::Result::ERROR_OUT_OF_DATE_KHR)
    }
}

extern "system" fn create(
    device: &Device,
    info: &vk::SwapchainCreateInfoKHR<'_>,
    _allocator: Allocator,
    out: Out<'_, vk::SwapchainKHR>,
) -> vk::Result {
    check::create_swapchain(device, &device.lock(), info);
    // Whoever is blocked in an acquire of the old swapchain learns that it is out of date. "oldSwapchain is retired, even if
    // creation of the new swapchain fails": so says the specification.
    device.change(|world| {
        if let Some(old) = world.swapchains.get_mut(&info.old_swapchain.as_raw()) {
            old.out_of_date = true;
            old.retired = true;
            surface::retire(old.surface, info.old_swapchain);
        }
    });
    if let Some(result) = device.fails(Which::CreateSwapchain) {
        if result == vk::Result::ERROR_SURFACE_LOST_KHR && device.script.sticky {
            surface::lose(info.surface);
        }
        return result;
    }
    if device.is_lost() {
        return vk::Result::ERROR_DEVICE_LOST;
    }
    let swapchain = world::fresh::<vk::SwapchainKHR>();
    if let Err(refusal) = surface::occupy(info.surface, swapchain) {
        return refusal;
    }
    device.change(|world| {
        let made = make(world, info, swapchain);
        world.swapchains.insert(swapchain.as_raw(), made);
    });
    out.write(swapchain);
    vk::Result::SUCCESS
}

fn make(
    world: &mut World,
    info: &vk::SwapchainCreateInfoKHR<'_>,
    handle: vk::SwapchainKHR,
) -> Swapchain {
    let count = match info.min_image_count {
        0 => IMAGES_DEFAULT,
        wanted => wanted,
    };
    let vk::Extent2D { width, height } = info.image_extent;
    let extent = vk::Extent3D { width, height, depth: 1 };
    let mut image = || {
        let mut image = Image::new(extent, info.image_array_layers, 1);
        image.swapchain = handle.as_raw();
        world::insert(&mut world.images, image)
    };
    Swapchain {
        images: (0..count).map(|_| image()).collect(),
        surface: info.surface,
        available: (0..count).collect(),
        held: BTreeSet::new(),
        shown: None,
        out_of_date: false,
        retired: false,
        last_present_id: 0,
    }
}

extern "system" fn destroy(device: &Device, swapchain: vk::SwapchainKHR, _allocator: Allocator) {
    device.change(|world| {
        check::destroy(
            device,
            world,
            "vkDestroySwapchainKHR",
            Object::Swapchain,
            swapchain.as_raw(),
        );
        let Some(gone) = world.swapchains.remove(&swapchain.as_raw()) else { return };
        surface::leave(gone.surface, swapchain);
        for image in gone.images {
            world.images.remove(&image.as_raw());
            check::image_is_gone(device, world, image);
        }
    });
}

extern "system" fn images(
    device: &Device,
    swapchain: vk::SwapchainKHR,
    count: &mut u32,
    out: OutArray<vk::Image>,
) -> vk::Result {
    let mut world = device.lock();
    check::known(device, &world, "vkGetSwapchainImagesKHR", Object::Swapchain, swapchain.as_raw());
    let images = match world::find(&mut world.swapchains, swapchain) {
        Ok(swapchain) => swapchain.images.clone(),
        Err(unknown) => return unknown,
    };
    drop(world);
    match device.fails(Which::GetSwapchainImages) {
        // A call that only asks for the number cannot be incomplete.
        Some(vk::Result::INCOMPLETE) if !out.is_null() => *count = count.saturating_sub(1),
        Some(vk::Result::INCOMPLETE) | None => {}
        Some(error) => return error,
    }
    out.enumerate(count, images, |slot, image| *slot = image)
}

extern "system" fn acquire(
    device: &Device,
    swapchain: vk::SwapchainKHR,
    timeout_ns: u64,
    semaphore: vk::Semaphore,
    fence: vk::Fence,
    out: Out<'_, u32>,
) -> vk::Result {
    check::acquire(device, &device.lock(), swapchain, timeout_ns, semaphore, fence);
    let scripted = device.fails(Which::AcquireNextImage);
    if let Some(result) = scripted.filter(|&result| result != vk::Result::SUBOPTIMAL_KHR) {
        return fail_acquire(device, swapchain, timeout_ns, result);
    }
    if device.acquire_calls.next_is(device.script.acquire_out_of_date) {
        // From now on, as with a window that was resized; until the program makes a new swapchain.
        device.change(|world| outdate(world, swapchain));
    }
    let outcome = device.wait_until(Deadline::after(timeout_ns), |world| {
        if device.is_lost() {
            return Some(Err(vk::Result::ERROR_DEVICE_LOST));
        }
        try_acquire(device, world, swapchain, semaphore, fence).transpose()
    });
    match outcome {
        Some(Ok(index)) => {
            device.acquired_images.next();
            out.write(index);
            // The semaphore and the fence were signalled within the wait; now tell those who wait for them.
            device.change(|_| ());
            scripted.unwrap_or(vk::Result::SUCCESS)
        }
        Some(Err(result)) => result,
        None if timeout_ns == 0 => vk::Result::NOT_READY,
        None => vk::Result::TIMEOUT,
    }
}

/// A scripted result without an image. A surface that changed stays changed.
pub(crate) fn fail_acquire(
    device: &Device,
    swapchain: vk::SwapchainKHR,
    timeout_ns: u64,
    result: vk::Result,
) -> vk::Result {
    if result == vk::Result::TIMEOUT {
        device.time_out(timeout_ns);
    }
    stick(device, swapchain, result);
    result
}

/// What a scripted result of the presentation engine leaves behind.
pub(crate) fn stick(device: &Device, swapchain: vk::SwapchainKHR, result: vk::Result) {
    if !device.script.sticky {
        return;
    }
    match result {
        vk::Result::ERROR_OUT_OF_DATE_KHR => device.change(|world| outdate(world, swapchain)),
        vk::Result::ERROR_SURFACE_LOST_KHR => {
            let world = device.lock();
            let found = world.swapchains.get(&swapchain.as_raw());
            found.into_iter().for_each(|found| surface::lose(found.surface));
        }
        _ => {}
    }
}

fn outdate(world: &mut World, swapchain: vk::SwapchainKHR) {
    if let Some(swapchain) = world.swapchains.get_mut(&swapchain.as_raw()) {
        swapchain.out_of_date = true;
    }
}

/// Takes an available image and signals. With the work left to waits, the signal is work too; otherwise it is there at once, since
/// the imaginary engine never still reads the image.
fn try_acquire(
    device: &Device,
    world: &mut World,
    handle: vk::SwapchainKHR,
    semaphore: vk::Semaphore,
    fence: vk::Fence,
) -> Result<Option<u32>, vk::Result> {
    let swapchain =
        world.swapchains.get_mut(&handle.as_raw()).ok_or(vk::Result::ERROR_OUT_OF_DATE_KHR)?;
    if let Some(refusal) = swapchain.refusal() {
        return Err(refusal);
    }
    let Some(index) = swapchain.available.pop_front() else {
        return Ok(None);
    };
    swapchain.held.insert(index);
    let mut signals = Vec::with_capacity(2);
    if !semaphore.is_null() {
        let semaphore = world::find(&mut world.semaphores, semaphore)?;
        semaphore.will_be_signalled = true;
        signals.push(Point { payload: semaphore.current(), value: 1 });
    }
    if !fence.is_null() {
        let payload = world::find(&mut world.fences, fence)?.current();
        signals.push(Point { payload, value: 1 });
    }
    match world.jobs.last_mut() {
        Some(engine) if device.script.execute == Execute::Late => {
            let job = Job::new(Vec::new(), Work::Nothing, signals);
            check::acquired(device, &mut world.watched, job.id, semaphore, fence);
            engine.push_back(job);
        }
        _ => signals.iter().for_each(Point::signal),
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

extern "system" fn release_images(
    device: &Device,
    info: &vk::ReleaseSwapchainImagesInfoEXT<'_>,
) -> vk::Result {
    // SAFETY: the caller owes `image_index_count` indices.
    let indices = unsafe { ffi::slice(info.p_image_indices, info.image_index_count) };
    check::release(device, &device.lock(), info.swapchain, indices);
    if let Some(result) = device.fails(Which::ReleaseSwapchainImages) {
        stick(device, info.swapchain, result);
        return result;
    }
    result_of(device.change(|world| {
        world::find(&mut world.swapchains, info.swapchain).map(|swapchain| {
            for index in indices {
                if swapchain.held.remove(index) {
                    swapchain.available.push_back(*index);
                }
            }
        })
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
