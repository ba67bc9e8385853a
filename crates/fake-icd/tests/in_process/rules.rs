//! Does the check see each broken rule, and only those?

use crate::rig::{Rig, Slot, surface};
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
pub(crate) fn ready(rig: &Rig) -> (u32, vk::Semaphore) {
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
            std::iter::repeat_with(acquire).take(9).take_while(Result::is_ok).count()
        };
        let shown = usize::from(script.contains("hold"));
        assert_eq!(held, rig.images.len() - shown, "{script}");
    }
}
