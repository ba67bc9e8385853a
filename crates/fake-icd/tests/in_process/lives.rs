//! Does the check see objects that are destroyed while they are in use, stale ones, foreign ones, and those that are left?

use crate::rig::{Rig, device};
use crate::rules::{check, ready};
use ash::vk;

const NO_FENCE: vk::Fence = vk::Fence::null();

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
fn a_query_pool_outlives_the_commands_that_use_it() {
    let used = |rig: &Rig| {
        let info =
            vk::QueryPoolCreateInfo::default().query_type(vk::QueryType::TIMESTAMP).query_count(1);
        // SAFETY: as in `Rig::new`.
        unsafe {
            let pool = rig.device.create_query_pool(&info, None).unwrap();
            let buffer = rig.recorded(|buffer| rig.device.cmd_reset_query_pool(buffer, pool, 0, 1));
            rig.submit(&[], &[buffer], &[], NO_FENCE).unwrap();
            pool
        }
    };
    // SAFETY: as in `Rig::new`.
    let destroy = |rig: &Rig, pool| unsafe { rig.device.destroy_query_pool(pool, None) };
    check(
        "VUID-vkDestroyQueryPool-queryPool-00793",
        |rig| destroy(rig, used(rig)),
        |rig| {
            let pool = used(rig);
            rig.wait_idle();
            destroy(rig, pool);
        },
    );
}

#[test]
fn an_image_is_destroyed_after_its_commands_and_never_if_a_swapchain_has_it() {
    let used = |rig: &Rig| {
        let info = vk::ImageCreateInfo::default()
            .extent(vk::Extent3D { width: 1, height: 1, depth: 1 })
            .array_layers(1)
            .mip_levels(1);
        // SAFETY: as in `Rig::new`.
        let image = unsafe { rig.device.create_image(&info, None).unwrap() };
        let buffer = rig.to_present(image, vk::ImageLayout::UNDEFINED);
        rig.submit(&[], &[buffer], &[], NO_FENCE).unwrap();
        image
    };
    // SAFETY: as in `Rig::new`.
    let destroy = |rig: &Rig, image| unsafe { rig.device.destroy_image(image, None) };
    let right = |rig: &Rig| {
        let image = used(rig);
        rig.wait_idle();
        destroy(rig, image);
    };
    check("VUID-vkDestroyImage-image-01000", |rig| destroy(rig, used(rig)), right);
    let of_swapchain = |rig: &Rig| destroy(rig, rig.images[0]);
    check("VUID-vkDestroyImage-image-04882", of_swapchain, right);
}

#[test]
fn the_fence_of_a_present_is_unsignalled_and_unused() {
    let present = |rig: &Rig, fence| {
        let (image, rendered) = ready(rig);
        let (waits, swapchains, images, fences) = ([rendered], [rig.swapchain], [image], [fence]);
        let mut fences = vk::SwapchainPresentFenceInfoEXT::default().fences(&fences);
        let info = vk::PresentInfoKHR::default()
            .wait_semaphores(&waits)
            .swapchains(&swapchains)
            .image_indices(&images)
            .push_next(&mut fences);
        // SAFETY: as in `Rig::new`.
        unsafe { rig.swapchains.queue_present(rig.queue, &info).unwrap() };
    };
    let submitted = |rig: &Rig| {
        let fence = rig.fence();
        rig.submit(&[], &[], &[], fence).unwrap();
        fence
    };
    let right = |rig: &Rig| {
        let fence = rig.fence();
        present(rig, fence);
        rig.wait(fence).unwrap();
    };
    check(
        "VUID-VkSwapchainPresentFenceInfoEXT-pFences-07758",
        |rig| {
            let fence = submitted(rig);
            rig.wait(fence).unwrap();
            present(rig, fence);
        },
        right,
    );
    let pending = |rig: &Rig| present(rig, submitted(rig));
    check("VUID-VkSwapchainPresentFenceInfoEXT-pFences-07759", pending, right);
}

#[test]
fn an_acquire_whose_signal_nobody_took_keeps_nothing_from_being_destroyed() {
    let rig = Rig::new("check=quiet,execute=late");
    let semaphore = rig.semaphore();
    rig.acquire(semaphore, NO_FENCE).unwrap();
    rig.wait_idle();
    // SAFETY: as in `Rig::new`.
    unsafe {
        rig.device.destroy_semaphore(semaphore, None);
        rig.swapchains.destroy_swapchain(rig.swapchain, None);
        rig.device.destroy_device(None);
    }
    assert_eq!(fake_icd::violations(&rig.instance), []);
}

#[test]
#[ignore = "the next test runs it in a process of its own, which it ends"]
fn abort_at_the_first_broken_rule() {
    let rig = Rig::new("check=abort");
    rig.submit(&[rig.semaphore()], &[], &[], NO_FENCE).unwrap();
}

#[test]
fn an_abort_says_which_rule_was_broken() {
    let mut test = std::process::Command::new(std::env::current_exe().unwrap());
    let ended = test
        .args(["--ignored", "--exact", "--nocapture", "lives::abort_at_the_first_broken_rule"])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&ended.stderr);
    assert!(!ended.status.success());
    assert!(told.contains("VUID-vkQueueSubmit-pWaitSemaphores-03238"), "{told}");
}
