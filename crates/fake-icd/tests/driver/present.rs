//! Do swapchains hand out images, block and recover as Vulkan says?

use crate::support::{A_WHILE_NS, Gpu, SOON_NS, is_stuck, outcome, start};
use ash::{khr, vk};

/// Acquires with a semaphore of its own and returns the image's index.
pub(crate) fn acquire(
    gpu: &Gpu,
    swapchain: vk::SwapchainKHR,
    timeout_ns: u64,
) -> Result<u32, vk::Result> {
    let (semaphore, fence) = (gpu.binary_semaphore(), vk::Fence::null());
    // SAFETY: live handles.
    unsafe {
        gpu.swapchains
            .acquire_next_image(swapchain, timeout_ns, semaphore, fence)
            .map(|(index, _)| index)
    }
}

/// Presents an image, with an id.
pub(crate) fn present(
    gpu: &Gpu,
    swapchain: vk::SwapchainKHR,
    image: u32,
    id: u64,
) -> Result<bool, vk::Result> {
    let (swapchains, images, ids) = ([swapchain], [image], [id]);
    let mut ids = vk::PresentIdKHR::default().present_ids(&ids);
    let info = vk::PresentInfoKHR::default()
        .swapchains(&swapchains)
        .image_indices(&images)
        .push_next(&mut ids);
    // SAFETY: live handles.
    unsafe { gpu.swapchains.queue_present(gpu.queues[0], &info) }
}

pub(crate) fn wait_for_present(
    gpu: &Gpu,
    swapchain: vk::SwapchainKHR,
    id: u64,
    timeout_ns: u64,
) -> Result<(), vk::Result> {
    let waits = khr::present_wait::Device::new(&gpu.instance, &gpu.device);
    // SAFETY: live handles.
    unsafe { waits.wait_for_present(swapchain, id, timeout_ns) }
}

#[test]
fn an_acquire_without_an_image_waits_as_long_as_it_was_told() {
    let gpu = Gpu::new("");
    let swapchain = gpu.swapchain(2, vk::SwapchainKHR::null());
    // SAFETY: live handles.
    let images = unsafe { gpu.swapchains.get_swapchain_images(swapchain) };
    assert_eq!(images.unwrap().len(), 2);
    let images = [acquire(&gpu, swapchain, 0), acquire(&gpu, swapchain, 0)];
    assert_eq!(images, [Ok(0), Ok(1)]);
    assert_eq!(acquire(&gpu, swapchain, 0), Err(vk::Result::NOT_READY));
    assert_eq!(acquire(&gpu, swapchain, A_WHILE_NS), Err(vk::Result::TIMEOUT));
    let other = gpu.clone();
    let blocked = start(move || acquire(&other, swapchain, u64::MAX));
    assert!(is_stuck(&blocked));
    present(&gpu, swapchain, 1, 1).unwrap();
    assert_eq!(outcome(&blocked), Ok(1));
}

#[test]
fn an_acquire_signals_its_semaphore_and_its_fence() {
    let gpu = Gpu::new("");
    let swapchain = gpu.swapchain(3, vk::SwapchainKHR::null());
    let (semaphore, acquired, rendered) = (gpu.binary_semaphore(), gpu.fence(), gpu.fence());
    gpu.submit(0, &[(semaphore, 0)], &[], &[], rendered).unwrap();
    // SAFETY: live handles.
    unsafe { gpu.swapchains.acquire_next_image(swapchain, 0, semaphore, acquired).unwrap() };
    assert_eq!(gpu.wait_fence(acquired, 0), Ok(()));
    assert_eq!(gpu.wait_fence(rendered, SOON_NS), Ok(()));
}

#[test]
fn an_image_is_presented_after_the_semaphores_of_its_present() {
    let gpu = Gpu::new("");
    let swapchain = gpu.swapchain(1, vk::SwapchainKHR::null());
    let image = acquire(&gpu, swapchain, 0).unwrap();
    let semaphore = gpu.binary_semaphore();
    let (semaphores, swapchains, images) = ([semaphore], [swapchain], [image]);
    let info = vk::PresentInfoKHR::default()
        .wait_semaphores(&semaphores)
        .swapchains(&swapchains)
        .image_indices(&images);
    // SAFETY: live handles.
    unsafe { gpu.swapchains.queue_present(gpu.queues[0], &info).unwrap() };
    assert_eq!(acquire(&gpu, swapchain, A_WHILE_NS), Err(vk::Result::TIMEOUT));
    gpu.submit(1, &[], &[], &[(semaphore, 0)], vk::Fence::null()).unwrap();
    assert_eq!(acquire(&gpu, swapchain, SOON_NS), Ok(0));
}

#[test]
fn a_present_is_waited_for_by_its_id() {
    let gpu = Gpu::new("");
    let swapchain = gpu.swapchain(3, vk::SwapchainKHR::null());
    let image = acquire(&gpu, swapchain, 0).unwrap();
    present(&gpu, swapchain, image, 4).unwrap();
    assert_eq!(wait_for_present(&gpu, swapchain, 4, SOON_NS), Ok(()));
    assert_eq!(wait_for_present(&gpu, swapchain, 5, A_WHILE_NS), Err(vk::Result::TIMEOUT));
}

#[test]
fn a_new_swapchain_ends_the_waits_on_the_old_one() {
    let gpu = Gpu::new("");
    let old = gpu.swapchain(1, vk::SwapchainKHR::null());
    acquire(&gpu, old, 0).unwrap();
    let other = gpu.clone();
    let blocked = start(move || acquire(&other, old, u64::MAX));
    assert!(is_stuck(&blocked));
    let new = gpu.swapchain(1, old);
    assert_eq!(outcome(&blocked), Err(vk::Result::ERROR_OUT_OF_DATE_KHR));
    assert_eq!(acquire(&gpu, new, 0), Ok(0));
}

#[test]
fn a_headless_surface_says_what_it_can_do() {
    let gpu = Gpu::new("");
    let (surface, surfaces) = (gpu.surface, gpu.surfaces());
    // SAFETY: live handles.
    unsafe {
        let capabilities =
            surfaces.get_physical_device_surface_capabilities(gpu.physical, surface).unwrap();
        assert_eq!(capabilities.min_image_count, 2);
        assert_eq!(
            surfaces.get_physical_device_surface_support(gpu.physical, 0, surface),
            Ok(true)
        );
        assert_eq!(
            surfaces.get_physical_device_surface_formats(gpu.physical, surface).unwrap().len(),
            3
        );
        let modes =
            surfaces.get_physical_device_surface_present_modes(gpu.physical, surface).unwrap();
        assert!(modes.contains(&vk::PresentModeKHR::FIFO));
    }
}
