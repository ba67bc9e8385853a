//! Swapchains: may this image be acquired, presented or released now, and in which layout is it?

use super::submission::Plan;
use super::{Object, fence_to_signal, known};
use crate::device::Device;
use crate::present::present_fences;
use crate::surface;
use crate::swapchain::Swapchain;
use crate::watched::{Uses, Watched};
use crate::world::World;
use ash::vk::{self, Handle as _};

/// The swapchain of a call, if it lives.
fn swapchain<'a>(
    device: &Device,
    world: &'a World,
    call: &str,
    handle: vk::SwapchainKHR,
) -> Option<&'a Swapchain> {
    known(device, world, call, Object::Swapchain, handle.as_raw());
    world.swapchains.get(&handle.as_raw())
}

/// A swapchain is about to be made.
pub(crate) fn create_swapchain(
    device: &Device,
    world: &World,
    info: &vk::SwapchainCreateInfoKHR<'_>,
) {
    const CALL: &str = "vkCreateSwapchainKHR";
    let old = info.old_swapchain;
    if old.is_null() || !device.log.checks() {
        return;
    }
    let Some(found) = swapchain(device, world, CALL, old) else { return };
    let rule = "VUID-VkSwapchainCreateInfoKHR-oldSwapchain-01933";
    if found.retired {
        let what = format!("{CALL}: swapchain {:#x} is retired already", old.as_raw());
        device.log.violation(rule, what);
    }
    if found.surface != info.surface {
        let what = format!("{CALL}: swapchain {:#x} is of another surface", old.as_raw());
        device.log.violation(rule, what);
    }
}

/// An image is about to be acquired.
pub(crate) fn acquire(
    device: &Device,
    world: &World,
    handle: vk::SwapchainKHR,
    timeout_ns: u64,
    semaphore: vk::Semaphore,
    fence: vk::Fence,
) {
    const CALL: &str = "vkAcquireNextImageKHR";
    if !device.log.checks() || device.is_lost() {
        return;
    }
    let log = &device.log;
    if semaphore.is_null() && fence.is_null() {
        let what = format!("{CALL}: neither a semaphore nor a fence");
        log.violation("VUID-vkAcquireNextImageKHR-semaphore-01780", what);
    }
    if let Some(found) = swapchain(device, world, CALL, handle) {
        if found.retired {
            let what = format!("{CALL}: swapchain {:#x} is retired", handle.as_raw());
            log.violation("VUID-vkAcquireNextImageKHR-swapchain-01285", what);
        }
        // "Forward progress is guaranteed" as long as the engine has as many images as it needs for itself.
        let may_hold = found.images.len().saturating_sub(surface::IMAGES_MIN as usize);
        if timeout_ns == u64::MAX && found.held.len() > may_hold {
            let held = found.held.len();
            let what = format!("{CALL}: {held} images are held, and the wait is without a bound");
            log.violation("VUID-vkAcquireNextImageKHR-surface-07783", what);
        }
    }
    acquire_semaphore(device, world, semaphore);
    let rule = "VUID-vkAcquireNextImageKHR-fence-01287";
    fence_to_signal(device, world, CALL, fence, (rule, rule));
}

fn acquire_semaphore(device: &Device, world: &World, semaphore: vk::Semaphore) {
    const CALL: &str = "vkAcquireNextImageKHR";
    let handle = semaphore.as_raw();
    if semaphore.is_null() || !known(device, world, CALL, Object::Semaphore, handle) {
        return;
    }
    let Some(found) = world.semaphores.get(&handle) else { return };
    if found.current().is_signalled() && !found.is_shared {
        let what = format!("{CALL}: semaphore {handle:#x} is signalled");
        device.log.violation("VUID-vkAcquireNextImageKHR-semaphore-01286", what);
    }
    let waits_or_signals =
        |uses: &Uses| uses.signals.contains(&handle) || uses.waits.contains(&handle) && !uses.begun;
    if let Some(user) = world.watched.user(waits_or_signals) {
        let what =
            format!("{CALL}: {user}, which waits for or signals semaphore {handle:#x}, is pending");
        device.log.violation("VUID-vkAcquireNextImageKHR-semaphore-01779", what);
    }
}

/// An image was acquired, and the engine will signal.
pub(crate) fn acquired(
    device: &Device,
    watched: &mut Watched,
    job: u64,
    semaphore: vk::Semaphore,
    fence: vk::Fence,
) {
    if device.log.checks() {
        watched.submitted(Uses {
            job,
            name: "an acquire".to_owned(),
            is_acquire: true,
            fence: fence.as_raw(),
            signals: vec![semaphore.as_raw()],
            ..Uses::default()
        });
    }
}

/// Images are about to be presented.
pub(crate) fn present(
    device: &Device,
    world: &World,
    semaphores: &[vk::Semaphore],
    swapchains: &[vk::SwapchainKHR],
    images: &[u32],
    info: &vk::PresentInfoKHR<'_>,
) -> Plan {
    const CALL: &str = "vkQueuePresentKHR";
    let mut plan = Plan::default();
    if !device.log.checks() || device.is_lost() {
        return plan;
    }
    let mut uses = Uses { is_present: true, ..Uses::default() };
    for &semaphore in semaphores {
        let rule = "VUID-vkQueuePresentKHR-pWaitSemaphores-03268";
        plan.wait(device, world, CALL, semaphore, rule);
        uses.waits.push(semaphore.as_raw());
    }
    for (&handle, &image) in swapchains.iter().zip(images) {
        let found = swapchain(device, world, CALL, handle);
        if found.is_some_and(|found| !found.held.contains(&image)) {
            let what = format!(
                "{CALL}: image {image} of swapchain {:#x} is not acquired",
                handle.as_raw()
            );
            device.log.violation("VUID-VkPresentInfoKHR-pImageIndices-01430", what);
        }
        let image = found.and_then(|found| found.images.get(image as usize));
        uses.objects.extend(image.map(|image| image.as_raw()));
        uses.objects.insert(handle.as_raw());
    }
    for &fence in present_fences(info) {
        let rules = (
            "VUID-VkSwapchainPresentFenceInfoEXT-pFences-07758",
            "VUID-VkSwapchainPresentFenceInfoEXT-pFences-07759",
        );
        fence_to_signal(device, world, CALL, fence, rules);
        uses.objects.insert(fence.as_raw());
        uses.fence = fence.as_raw();
    }
    plan.uses.push(uses);
    plan
}

/// A present is executed: its image must be ready for the engine.
pub(crate) fn presented(device: &Device, world: &World, handle: vk::SwapchainKHR, index: u32) {
    if !device.log.checks() {
        return;
    }
    let found = world.swapchains.get(&handle.as_raw());
    let image = found.and_then(|found| found.images.get(index as usize));
    let layout = image.and_then(|image| world.images.get(&image.as_raw())?.layout);
    let presentable = [vk::ImageLayout::PRESENT_SRC_KHR, vk::ImageLayout::SHARED_PRESENT_KHR];
    if let Some(layout) = layout.filter(|layout| !presentable.contains(layout)) {
        let what =
            format!("vkQueuePresentKHR: image {index} has the layout {}", layout_name(layout));
        device.log.violation("VUID-VkPresentInfoKHR-pImageIndices-01430", what);
    }
}

/// Images are about to be released without being presented.
pub(crate) fn release(device: &Device, world: &World, handle: vk::SwapchainKHR, indices: &[u32]) {
    const CALL: &str = "vkReleaseSwapchainImagesEXT";
    if !device.log.checks() {
        return;
    }
    let Some(found) = swapchain(device, world, CALL, handle) else { return };
    for index in indices {
        if !found.held.contains(index) {
            let what = format!("{CALL}: image {index} is not acquired");
            device.log.violation("VUID-VkReleaseSwapchainImagesInfoEXT-pImageIndices-07785", what);
        }
        let image = found.images.get(*index as usize).map_or(0, |image| image.as_raw());
        if let Some(user) = world.watched.user(|uses| uses.objects.contains(&image)) {
            let what = format!("{CALL}: {user}, which uses image {index}, is pending");
            device.log.violation("VUID-VkReleaseSwapchainImagesInfoEXT-pImageIndices-07786", what);
        }
    }
}

/// A barrier is executed.
pub(crate) fn transition(
    device: &Device,
    world: &World,
    image: vk::Image,
    from: vk::ImageLayout,
    to: vk::ImageLayout,
) {
    let Some(found) = world.images.get(&image.as_raw()).filter(|image| image.swapchain != 0) else {
        return;
    };
    let swapchain = world.swapchains.get(&found.swapchain);
    if swapchain.is_some_and(|swapchain| swapchain.engine_has(image)) {
        let what = format!("a barrier changes image {:#x}, which the engine has", image.as_raw());
        device.log.violation("image not acquired", what);
    }
    let Some(now) = found.layout else { return };
    if from != vk::ImageLayout::UNDEFINED && from != now {
        let what = format!(
            "a barrier from {} to {} meets image {:#x} in {}",
            layout_name(from),
            layout_name(to),
            image.as_raw(),
            layout_name(now)
        );
        device.log.violation("VUID-VkImageMemoryBarrier-oldLayout-01197", what);
    }
}

/// An image went away with its swapchain.
pub(crate) fn image_is_gone(device: &Device, world: &mut World, image: vk::Image) {
    if device.log.checks() {
        world.watched.destroyed(image.as_raw());
    }
}

/// A layout as the specification calls it, without its prefix.
fn layout_name(layout: vk::ImageLayout) -> String {
    match layout {
        vk::ImageLayout::UNDEFINED => "UNDEFINED".to_owned(),
        vk::ImageLayout::GENERAL => "GENERAL".to_owned(),
        vk::ImageLayout::COLOR_ATTACHMENT_OPTIMAL => "COLOR_ATTACHMENT_OPTIMAL".to_owned(),
        vk::ImageLayout::TRANSFER_SRC_OPTIMAL => "TRANSFER_SRC_OPTIMAL".to_owned(),
        vk::ImageLayout::TRANSFER_DST_OPTIMAL => "TRANSFER_DST_OPTIMAL".to_owned(),
        vk::ImageLayout::PRESENT_SRC_KHR => "PRESENT_SRC".to_owned(),
        other => format!("layout {}", other.as_raw()),
    }
}
