//! Does the check see each broken rule, and only those?

use crate::rig::{Rig, Slot, device, surface};
use ash::{khr, vk};

const NO_FENCE: vk::Fence = vk::Fence::null();
const NO_SEMAPHORE: vk::Semaphore = vk::Semaphore::null();

/// The wrong thing breaks exactly this rule where work is as late as it can be; the right thing breaks none, however early.
pub(crate) fn check(rule: &str, wrong: impl Fn(&Rig), right: impl Fn(&Rig)) {
    let rig = Rig::new("check=quiet,execute=late");
    wrong(&rig);
    assert_eq!(rig.broken(), [rule], "{:#?}", fake_icd::violations(&rig.instance));
    for script in ["check=quiet,execute=late", "check=quiet,execute=early", "check=quiet"] {
        let rig = Rig::new(script);
        right(&rig);
        assert_eq!(fake_icd::violations(&rig.instance), [], "{rule}: {script}");
    }
}

#[test]
fn an_acquire_needs_a_semaphore_without_signal_and_without_work() {
    check(
        "VUID-vkAcquireNextImageKHR-semaphore-01286",
        |rig| {
            let (semaphore, fence) = (rig.semaphore(), rig.fence());
            rig.acquire(semaphore, fence).unwrap();
            rig.wait(fence).unwrap();
            rig.acquire(semaphore, NO_FENCE).unwrap();
        },
        |rig| {
            let (semaphore, fence) = (rig.semaphore(), rig.fence());
            rig.acquire(semaphore, NO_FENCE).unwrap();
            rig.submit(&[semaphore], &[], &[], fence).unwrap();
            rig.wait(fence).unwrap();
            rig.acquire(semaphore, NO_FENCE).unwrap();
        },
    );
    check(
        "VUID-vkAcquireNextImageKHR-semaphore-01779",
        |rig| {
            let semaphore = rig.semaphore();
            rig.acquire(semaphore, NO_FENCE).unwrap();
            rig.submit(&[semaphore], &[], &[], NO_FENCE).unwrap();
            // The wait was submitted, but nobody knows that it is over.
            rig.acquire(semaphore, NO_FENCE).unwrap();
        },
        |rig| {
            let semaphore = rig.semaphore();
            rig.acquire(semaphore, NO_FENCE).unwrap();
            rig.submit(&[semaphore], &[], &[], NO_FENCE).unwrap();
            rig.wait_idle();
            rig.acquire(semaphore, NO_FENCE).unwrap();
        },
    );
}

#[test]
fn an_acquire_signals_something_and_has_a_bound_if_too_many_images_are_held() {
    check(
        "VUID-vkAcquireNextImageKHR-semaphore-01780",
        |rig| assert!(rig.acquire(NO_SEMAPHORE, NO_FENCE).is_ok()),
        |rig| assert!(rig.acquire(NO_SEMAPHORE, rig.fence()).is_ok()),
    );
    let acquire = |rig: &Rig, timeout| {
        // SAFETY: as in `Rig::new`.
        let acquired = unsafe {
            rig.swapchains.acquire_next_image(rig.swapchain, timeout, rig.semaphore(), NO_FENCE)
        };
        acquired.unwrap();
    };
    // Of three images the engine keeps one for itself, so two may be held.
    check(
        "VUID-vkAcquireNextImageKHR-surface-07783",
        |rig| (0..3).for_each(|_| acquire(rig, u64::MAX)),
        |rig| [u64::MAX, u64::MAX, 0].into_iter().for_each(|timeout| acquire(rig, timeout)),
    );
    check(
        "VUID-vkAcquireNextImageKHR-fence-01287",
        |rig| {
            let fence = rig.fence();
            rig.submit(&[], &[], &[], fence).unwrap();
            rig.wait(fence).unwrap();
            rig.acquire(NO_SEMAPHORE, fence).unwrap();
        },
        |rig| assert!(rig.acquire(NO_SEMAPHORE, rig.fence()).is_ok()),
    );
}

#[test]
fn a_fence_is_reset_destroyed_or_used_again_only_after_its_work() {
    let pending = |rig: &Rig| {
        let fence = rig.fence();
        rig.submit(&[], &[], &[], fence).unwrap();
        fence
    };
    let reset = |rig: &Rig, fence| {
        // SAFETY: as in `Rig::new`.
        unsafe { rig.device.reset_fences(&[fence]).unwrap() };
    };
    check(
        "VUID-vkResetFences-pFences-01123",
        |rig| reset(rig, pending(rig)),
        |rig| {
            let fence = pending(rig);
            rig.wait(fence).unwrap();
            reset(rig, fence);
        },
    );
    check(
        "VUID-vkDestroyFence-fence-01120",
        // SAFETY: as in `Rig::new`.
        |rig| unsafe { rig.device.destroy_fence(pending(rig), None) },
        |rig| {
            let fence = pending(rig);
            rig.wait(fence).unwrap();
            // SAFETY: as in `Rig::new`.
            unsafe { rig.device.destroy_fence(fence, None) };
        },
    );
    let again = |rig: &Rig, fence| {
        rig.wait(fence).unwrap();
        reset(rig, fence);
        rig.submit(&[], &[], &[], fence).unwrap();
    };
    check(
        "VUID-vkQueueSubmit-fence-00064",
        |rig| rig.submit(&[], &[], &[], pending(rig)).unwrap(),
        |rig| again(rig, pending(rig)),
    );
    check(
        "VUID-vkQueueSubmit-fence-00063",
        |rig| {
            let fence = pending(rig);
            rig.wait(fence).unwrap();
            rig.submit(&[], &[], &[], fence).unwrap();
        },
        |rig| again(rig, pending(rig)),
    );
}

#[test]
fn a_binary_semaphore_has_one_signal_for_each_wait() {
    check(
        "VUID-vkQueueSubmit-pWaitSemaphores-03238",
        |rig| rig.submit(&[rig.semaphore()], &[], &[], NO_FENCE).unwrap(),
        |rig| {
            let semaphore = rig.semaphore();
            rig.submit(&[], &[], &[semaphore], NO_FENCE).unwrap();
            rig.submit(&[semaphore], &[], &[], NO_FENCE).unwrap();
        },
    );
    check(
        "VUID-vkQueueSubmit-pSignalSemaphores-00067",
        |rig| {
            let semaphore = rig.semaphore();
            rig.submit(&[], &[], &[semaphore], NO_FENCE).unwrap();
            rig.submit(&[], &[], &[semaphore], NO_FENCE).unwrap();
        },
        |rig| {
            let semaphore = rig.semaphore();
            rig.submit(&[], &[], &[semaphore], NO_FENCE).unwrap();
            rig.submit(&[semaphore], &[], &[semaphore], NO_FENCE).unwrap();
        },
    );
    check(
        "VUID-vkQueuePresentKHR-pWaitSemaphores-03268",
        |rig| {
            let (image, _) = ready(rig);
            rig.present(&[rig.semaphore()], image).unwrap();
        },
        |rig| {
            let (image, rendered) = ready(rig);
            rig.present(&[rendered], image).unwrap();
            rig.wait_idle();
        },
    );
}

#[test]
fn a_semaphore_that_a_present_may_still_wait_for_is_not_signalled_again() {
    let submit = |rig: &Rig, semaphore| rig.submit(&[], &[], &[semaphore], NO_FENCE).unwrap();
    check(
        "VUID-vkQueueSubmit-pSignalSemaphores-00067",
        |rig| {
            let (image, rendered) = ready(rig);
            rig.present(&[rendered], image).unwrap();
            submit(rig, rendered);
        },
        |rig| {
            let (image, rendered) = ready(rig);
            rig.present(&[rendered], image).unwrap();
            rig.wait_idle();
            submit(rig, rendered);
        },
    );
}

/// An acquired image whose batch, which makes it ready, signals a semaphore.
fn ready(rig: &Rig) -> (u32, vk::Semaphore) {
    let (acquired, rendered) = (rig.semaphore(), rig.semaphore());
    let (image, _) = rig.acquire(acquired, NO_FENCE).unwrap();
    let buffer = rig.to_present(rig.images[image as usize], vk::ImageLayout::UNDEFINED);
    rig.submit(&[acquired], &[buffer], &[rendered], NO_FENCE).unwrap();
    (image, rendered)
}

#[test]
fn what_is_presented_was_acquired_and_has_the_right_layout() {
    let right = |rig: &Rig| {
        let (image, rendered) = ready(rig);
        rig.present(&[rendered], image).unwrap();
        rig.wait_idle();
    };
    check(
        "VUID-VkPresentInfoKHR-pImageIndices-01430",
        |rig| {
            let (image, rendered) = ready(rig);
            rig.present(&[rendered], image).unwrap();
            rig.present(&[], image).unwrap();
        },
        right,
    );
    check(
        "VUID-VkPresentInfoKHR-pImageIndices-01430",
        |rig| {
            let (image, _) = rig.acquire(rig.semaphore(), NO_FENCE).unwrap();
            rig.present(&[], image).unwrap();
            rig.wait_idle();
        },
        right,
    );
    check(
        "VUID-VkImageMemoryBarrier-oldLayout-01197",
        |rig| {
            let (image, _) = rig.acquire(rig.semaphore(), NO_FENCE).unwrap();
            let wrong = vk::ImageLayout::TRANSFER_DST_OPTIMAL;
            let buffer = rig.to_present(rig.images[image as usize], wrong);
            rig.submit(&[], &[buffer], &[], NO_FENCE).unwrap();
            rig.wait_idle();
        },
        right,
    );
    check(
        "image not acquired",
        |rig| {
            let buffer = rig.to_present(rig.images[0], vk::ImageLayout::UNDEFINED);
            rig.submit(&[], &[buffer], &[], NO_FENCE).unwrap();
            rig.wait_idle();
        },
        right,
    );
}

#[test]
fn a_swapchain_is_destroyed_or_replaced_only_when_that_is_due() {
    let destroy = |rig: &Rig| {
        // SAFETY: as in `Rig::new`.
        unsafe { rig.swapchains.destroy_swapchain(rig.swapchain, None) };
    };
    check(
        "VUID-vkDestroySwapchainKHR-swapchain-01282",
        |rig| {
            ready(rig);
            destroy(rig);
        },
        |rig| {
            ready(rig);
            rig.wait_idle();
            destroy(rig);
        },
    );
    check(
        "VUID-VkSwapchainCreateInfoKHR-oldSwapchain-01933",
        |rig| {
            rig.new_swapchain(rig.surface, rig.swapchain).unwrap();
            let again = rig.new_swapchain(rig.surface, rig.swapchain);
            assert_eq!(again, Err(vk::Result::ERROR_NATIVE_WINDOW_IN_USE_KHR));
        },
        |rig| {
            let second = rig.new_swapchain(rig.surface, rig.swapchain).unwrap();
            rig.new_swapchain(rig.surface, second).unwrap();
        },
    );
    check(
        "VUID-VkSwapchainCreateInfoKHR-oldSwapchain-01933",
        |rig| {
            let other = surface(&rig.entry, &rig.instance);
            rig.new_swapchain(other, rig.swapchain).unwrap();
        },
        |rig| {
            let other = surface(&rig.entry, &rig.instance);
            rig.new_swapchain(other, vk::SwapchainKHR::null()).unwrap();
        },
    );
    check(
        "VUID-vkAcquireNextImageKHR-swapchain-01285",
        |rig| {
            rig.new_swapchain(rig.surface, rig.swapchain).unwrap();
            let acquired = rig.acquire(rig.semaphore(), NO_FENCE);
            assert_eq!(acquired, Err(vk::Result::ERROR_OUT_OF_DATE_KHR));
        },
        |rig| assert!(rig.acquire(rig.semaphore(), NO_FENCE).is_ok()),
    );
}

#[test]
fn a_surface_outlives_its_swapchains() {
    let destroy = |rig: &Rig| {
        let surfaces = khr::surface::Instance::new(&rig.entry, &rig.instance);
        // SAFETY: as in `Rig::new`.
        unsafe { surfaces.destroy_surface(rig.surface, None) };
    };
    check("VUID-vkDestroySurfaceKHR-surface-01266", destroy, |rig| {
        // SAFETY: as in `Rig::new`.
        unsafe { rig.swapchains.destroy_swapchain(rig.swapchain, None) };
        destroy(rig);
    });
    check(
        "stale handle",
        |rig| {
            // SAFETY: as in `Rig::new`.
            unsafe { rig.swapchains.destroy_swapchain(rig.swapchain, None) };
            destroy(rig);
            destroy(rig);
        },
        |_| {},
    );
}

#[test]
fn released_images_were_acquired_and_are_not_in_use() {
    let release = |rig: &Rig, image| {
        let functions = ash::ext::swapchain_maintenance1::Device::new(&rig.instance, &rig.device);
        let images = [image];
        let info = vk::ReleaseSwapchainImagesInfoEXT::default()
            .swapchain(rig.swapchain)
            .image_indices(&images);
        // SAFETY: as in `Rig::new`.
        unsafe { functions.release_swapchain_images(&info).unwrap() };
    };
    let right = |rig: &Rig| {
        let (image, _) = ready(rig);
        rig.wait_idle();
        release(rig, image);
    };
    check("VUID-VkReleaseSwapchainImagesInfoEXT-pImageIndices-07785", |rig| release(rig, 0), right);
    check(
        "VUID-VkReleaseSwapchainImagesInfoEXT-pImageIndices-07786",
        |rig| release(rig, ready(rig).0),
        right,
    );
}

#[test]
fn destroyed_objects_are_not_in_use() {
    let in_use = |rig: &Rig| {
        let (semaphore, image) = (rig.semaphore(), rig.images[0]);
        let info = vk::ImageViewCreateInfo::default().image(image);
        // SAFETY: as in `Rig::new`.
        unsafe {
            let view = rig.device.create_image_view(&info, None).unwrap();
            let attachments = [vk::RenderingAttachmentInfo::default().image_view(view)];
            let rendering = vk::RenderingInfo::default().color_attachments(&attachments);
            let buffer = rig.recorded(|buffer| rig.device.cmd_begin_rendering(buffer, &rendering));
            rig.submit(&[], &[buffer], &[semaphore], NO_FENCE).unwrap();
            (semaphore, view)
        }
    };
    let idle = |rig: &Rig| {
        let used = in_use(rig);
        rig.wait_idle();
        used
    };
    // SAFETY: as in `Rig::new`.
    let semaphore = |rig: &Rig, used| unsafe { rig.device.destroy_semaphore(used, None) };
    check(
        "VUID-vkDestroySemaphore-semaphore-01137",
        |rig| semaphore(rig, in_use(rig).0),
        |rig| semaphore(rig, idle(rig).0),
    );
    // SAFETY: as in `Rig::new`.
    let view = |rig: &Rig, used| unsafe { rig.device.destroy_image_view(used, None) };
    check(
        "VUID-vkDestroyImageView-imageView-01026",
        |rig| view(rig, in_use(rig).1),
        |rig| view(rig, idle(rig).1),
    );
}

#[test]
fn a_buffer_and_its_memory_outlive_the_commands_that_use_them() {
    let filled = |rig: &Rig| {
        let info = vk::BufferCreateInfo::default().size(64);
        let memory = vk::MemoryAllocateInfo::default().allocation_size(64);
        // SAFETY: as in `Rig::new`.
        unsafe {
            let buffer = rig.device.create_buffer(&info, None).unwrap();
            let memory = rig.device.allocate_memory(&memory, None).unwrap();
            rig.device.bind_buffer_memory(buffer, memory, 0).unwrap();
            let commands =
                rig.recorded(|commands| rig.device.cmd_fill_buffer(commands, buffer, 0, 64, 7));
            rig.submit(&[], &[commands], &[], NO_FENCE).unwrap();
            (buffer, memory)
        }
    };
    let idle = |rig: &Rig| {
        let used = filled(rig);
        rig.wait_idle();
        used
    };
    // SAFETY: as in `Rig::new`.
    let destroy = |rig: &Rig, buffer| unsafe { rig.device.destroy_buffer(buffer, None) };
    check(
        "VUID-vkDestroyBuffer-buffer-00922",
        |rig| destroy(rig, filled(rig).0),
        |rig| destroy(rig, idle(rig).0),
    );
    // SAFETY: as in `Rig::new`.
    let free = |rig: &Rig, memory| unsafe { rig.device.free_memory(memory, None) };
    check(
        "VUID-vkFreeMemory-memory-00677",
        |rig| free(rig, filled(rig).1),
        |rig| free(rig, idle(rig).1),
    );
}

#[test]
fn handles_live_and_belong_to_the_device() {
    check(
        "stale handle",
        |rig| {
            let fence = rig.fence();
            // SAFETY: as in `Rig::new`.
            unsafe { rig.device.destroy_fence(fence, None) };
            assert_eq!(rig.wait(fence), Err(vk::Result::ERROR_UNKNOWN));
        },
        |rig| {
            let fence = rig.fence();
            // SAFETY: as in `Rig::new`.
            unsafe { rig.device.destroy_fence(fence, None) };
        },
    );
    check(
        "foreign handle",
        |rig| {
            // SAFETY: as in `Rig::new`.
            unsafe {
                let (other, _) = device(&rig.instance, rig.physical).unwrap();
                let fence = other.create_fence(&Default::default(), None).unwrap();
                assert!(rig.device.reset_fences(&[fence]).is_err());
            }
        },
        |rig| {
            // SAFETY: as in `Rig::new`.
            unsafe {
                let (other, _) = device(&rig.instance, rig.physical).unwrap();
                let fence = other.create_fence(&Default::default(), None).unwrap();
                other.reset_fences(&[fence]).unwrap();
            }
        },
    );
}

#[test]
fn a_device_is_destroyed_after_its_work() {
    // SAFETY: as in `Rig::new`.
    let destroy = |rig: &Rig| unsafe { rig.device.destroy_device(None) };
    check(
        "device in use",
        |rig| {
            rig.submit(&[], &[], &[], NO_FENCE).unwrap();
            destroy(rig);
        },
        |rig| {
            rig.submit(&[], &[], &[], NO_FENCE).unwrap();
            rig.wait_idle();
            destroy(rig);
        },
    );
}

#[test]
fn what_is_left_when_a_device_or_an_instance_goes_is_a_leak_and_no_violation() {
    let rig = Rig::new("check=quiet,execute=late");
    let (fence, view) = (rig.fence(), vk::ImageViewCreateInfo::default().image(rig.images[0]));
    // SAFETY: as in `Rig::new`.
    unsafe {
        rig.device.create_image_view(&view, None).unwrap();
        rig.device.destroy_fence(fence, None);
        rig.device.destroy_command_pool(rig.pool, None);
        device(&rig.instance, rig.physical).unwrap();
        rig.device.destroy_device(None);
        rig.instance.destroy_instance(None);
    }
    let leaks = fake_icd::leaks(&rig.instance);
    let kinds: Vec<_> = leaks.iter().map(|leak| leak.kind).collect();
    assert_eq!(kinds, ["image view", "swapchain", "device", "surface"]);
    assert_eq!(rig.broken(), Vec::<&str>::new());
}

#[test]
fn on_a_lost_device_everything_may_be_destroyed_at_once() {
    let rig = Rig::new("check=quiet,execute=late,lost-at=2");
    let (image, rendered) = ready(&rig);
    rig.present(&[rendered], image).unwrap();
    let fence = rig.fence();
    rig.submit(&[], &[], &[], fence).unwrap();
    assert_eq!(rig.wait(fence), Err(vk::Result::ERROR_DEVICE_LOST));
    // SAFETY: as in `Rig::new`.
    unsafe {
        rig.device.destroy_fence(fence, None);
        rig.device.destroy_semaphore(rendered, None);
        rig.swapchains.destroy_swapchain(rig.swapchain, None);
        rig.device.destroy_command_pool(rig.pool, None);
        rig.device.destroy_device(None);
    }
    assert_eq!(fake_icd::violations(&rig.instance), []);
}

#[test]
fn frames_as_they_should_be_break_no_rule() {
    for script in ["execute=late", "execute=early", "execute=threads", "execute=late,engine=hold"] {
        let rig = Rig::new(&format!("check=quiet,{script}"));
        let slots = [Slot::new(&rig), Slot::new(&rig)];
        let rendered: Vec<_> = rig.images.iter().map(|_| rig.semaphore()).collect();
        (0..20).for_each(|frame| slots[frame % 2].frame(&rig, &rendered));
        rig.wait_idle();
        assert_eq!(fake_icd::violations(&rig.instance), [], "{script}");
        assert_eq!(fake_icd::count(&rig.instance, "vkQueuePresentKHR"), Some(20));
        // SAFETY: as in `Rig::new`.
        let held = unsafe {
            let acquire = || {
                let (semaphore, fence) = (rig.semaphore(), NO_FENCE);
                rig.swapchains.acquire_next_image(rig.swapchain, 0, semaphore, fence)
            };
            std::iter::repeat_with(acquire).take_while(Result::is_ok).count()
        };
        let shown = usize::from(script.contains("hold"));
        assert_eq!(held, rig.images.len() - shown, "{script}");
    }
}
