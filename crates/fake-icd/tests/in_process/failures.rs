//! Does every call return every result that the specification allows it, with the side effects of that result?

use crate::rig::{Rig, SOON_NS, Slot, device};
use ash::{ext, khr, vk};

const NO_FENCE: vk::Fence = vk::Fence::null();

fn code<T>(result: Result<T, vk::Result>) -> vk::Result {
    result.err().unwrap_or(vk::Result::SUCCESS)
}

/// Suboptimal or not.
fn shown(result: Result<bool, vk::Result>) -> vk::Result {
    match result {
        Ok(true) => vk::Result::SUBOPTIMAL_KHR,
        other => code(other),
    }
}

/// Makes the call once on a rig, validly, and says what it returned.
fn make(rig: &Rig, call: &str) -> vk::Result {
    let made = wait(rig, call).or_else(|| engine(rig, call)).or_else(|| create(rig, call));
    made.or_else(|| record(rig, call)).unwrap_or_else(|| panic!("this test does not know {call}"))
}

/// The calls that wait, ask or tell.
fn wait(rig: &Rig, call: &str) -> Option<vk::Result> {
    let device = &rig.device;
    // SAFETY: as in `Rig::new`.
    Some(unsafe {
        match call {
            "vkWaitForFences" => code(device.wait_for_fences(&[submitted(rig)], true, 1_000)),
            "vkWaitSemaphores" => {
                let (semaphores, values) = ([timeline(rig)], [0]);
                let info = vk::SemaphoreWaitInfo::default().semaphores(&semaphores).values(&values);
                code(device.wait_semaphores(&info, 1_000))
            }
            "vkGetFenceStatus" => match device.get_fence_status(submitted(rig)) {
                Ok(false) => vk::Result::NOT_READY,
                other => code(other),
            },
            "vkGetSemaphoreCounterValue" => code(device.get_semaphore_counter_value(timeline(rig))),
            "vkSignalSemaphore" => {
                let info = vk::SemaphoreSignalInfo::default().semaphore(timeline(rig)).value(1);
                code(device.signal_semaphore(&info))
            }
            "vkResetFences" => code(device.reset_fences(&[rig.fence()])),
            "vkQueueSubmit" => code(rig.submit(&[], &[], &[], NO_FENCE)),
            "vkQueueWaitIdle" => code(device.queue_wait_idle(rig.queue)),
            "vkDeviceWaitIdle" => code(device.device_wait_idle()),
            "vkGetQueryPoolResults" => {
                let info = vk::QueryPoolCreateInfo::default()
                    .query_type(vk::QueryType::TIMESTAMP)
                    .query_count(1);
                let pool = device.create_query_pool(&info, None).unwrap();
                device.reset_query_pool(pool, 0, 1);
                let partial = vk::QueryResultFlags::PARTIAL;
                code(device.get_query_pool_results(pool, 0, &mut [0_u32], partial))
            }
            _ => return None,
        }
    })
}

/// The calls about surfaces and swapchains.
fn engine(rig: &Rig, call: &str) -> Option<vk::Result> {
    let device = &rig.device;
    // SAFETY: as in `Rig::new`.
    Some(unsafe {
        match call {
            "vkAcquireNextImageKHR" => {
                shown(rig.acquire(rig.semaphore(), NO_FENCE).map(|(_, suboptimal)| suboptimal))
            }
            "vkQueuePresentKHR" => {
                let image = ready(rig);
                shown(rig.present(&[], image))
            }
            "vkWaitForPresentKHR" => {
                let waits = khr::present_wait::Device::new(&rig.instance, device);
                (waits.fp().wait_for_present_khr)(device.handle(), rig.swapchain, 0, 1_000)
            }
            "vkReleaseSwapchainImagesEXT" => {
                let image = [rig.acquire(rig.semaphore(), NO_FENCE).unwrap().0];
                let functions = ext::swapchain_maintenance1::Device::new(&rig.instance, device);
                let info = vk::ReleaseSwapchainImagesInfoEXT::default()
                    .swapchain(rig.swapchain)
                    .image_indices(&image);
                code(functions.release_swapchain_images(&info))
            }
            "vkCreateSwapchainKHR" => code(rig.new_swapchain(rig.surface, rig.swapchain)),
            "vkGetSwapchainImagesKHR" => {
                let get = rig.swapchains.fp().get_swapchain_images_khr;
                let (mut count, mut images) = (3, [vk::Image::null(); 3]);
                get(device.handle(), rig.swapchain, &raw mut count, images.as_mut_ptr())
            }
            _ => return None,
        }
    })
}

/// The calls that make objects.
fn create(rig: &Rig, call: &str) -> Option<vk::Result> {
    let device = &rig.device;
    let buffer = vk::BufferCreateInfo::default().size(16);
    // SAFETY: as in `Rig::new`.
    Some(unsafe {
        match call {
            "vkCreateFence" => code(device.create_fence(&Default::default(), None)),
            "vkCreateSemaphore" => code(device.create_semaphore(&Default::default(), None)),
            "vkCreateImageView" => {
                let info = vk::ImageViewCreateInfo::default().image(rig.images[0]);
                code(device.create_image_view(&info, None))
            }
            "vkCreateCommandPool" => code(device.create_command_pool(&Default::default(), None)),
            "vkCreateDevice" => code(crate::rig::device(&rig.instance, rig.physical)),
            "vkAllocateMemory" => code(device.allocate_memory(&memory(), None)),
            "vkMapMemory" => {
                let memory = device.allocate_memory(&memory(), None).unwrap();
                code(device.map_memory(memory, 0, 16, vk::MemoryMapFlags::empty()))
            }
            "vkCreateBuffer" => code(device.create_buffer(&buffer, None)),
            "vkBindBufferMemory" => {
                let buffer = device.create_buffer(&buffer, None).unwrap();
                let memory = device.allocate_memory(&memory(), None).unwrap();
                code(device.bind_buffer_memory(buffer, memory, 0))
            }
            _ => return None,
        }
    })
}

/// The calls about command buffers.
fn record(rig: &Rig, call: &str) -> Option<vk::Result> {
    let device = &rig.device;
    let info =
        vk::CommandBufferAllocateInfo::default().command_pool(rig.pool).command_buffer_count(1);
    // SAFETY: as in `Rig::new`.
    Some(unsafe {
        let begin = |buffer| device.begin_command_buffer(buffer, &Default::default());
        match call {
            "vkAllocateCommandBuffers" => code(device.allocate_command_buffers(&info)),
            "vkResetCommandPool" => {
                code(device.reset_command_pool(rig.pool, vk::CommandPoolResetFlags::empty()))
            }
            "vkBeginCommandBuffer" => code(begin(rig.allocate())),
            "vkEndCommandBuffer" => {
                let buffer = rig.allocate();
                begin(buffer).unwrap();
                code(device.end_command_buffer(buffer))
            }
            "vkResetCommandBuffer" => {
                let flags = vk::CommandBufferResetFlags::empty();
                code(device.reset_command_buffer(rig.allocate(), flags))
            }
            _ => return None,
        }
    })
}

fn memory() -> vk::MemoryAllocateInfo<'static> {
    vk::MemoryAllocateInfo::default().allocation_size(16)
}

fn submitted(rig: &Rig) -> vk::Fence {
    let fence = rig.fence();
    rig.submit(&[], &[], &[], fence).unwrap();
    fence
}

fn timeline(rig: &Rig) -> vk::Semaphore {
    let mut kind =
        vk::SemaphoreTypeCreateInfo::default().semaphore_type(vk::SemaphoreType::TIMELINE);
    let info = vk::SemaphoreCreateInfo::default().push_next(&mut kind);
    // SAFETY: as in `Rig::new`.
    unsafe { rig.device.create_semaphore(&info, None).unwrap() }
}

/// An acquired image in the layout of presents, with nothing left to wait for.
fn ready(rig: &Rig) -> u32 {
    let acquired = rig.semaphore();
    let (image, _) = rig.acquire(acquired, NO_FENCE).unwrap();
    let buffer = rig.to_present(rig.images[image as usize], vk::ImageLayout::UNDEFINED);
    rig.submit(&[acquired], &[buffer], &[], NO_FENCE).unwrap();
    image
}

#[test]
fn every_call_returns_every_result_that_it_may_and_breaks_no_rule() {
    let mut results = 0;
    for call in fake_icd::CALLS {
        let name = call.name();
        let clean = Rig::new("check=quiet,execute=late");
        let before = fake_icd::count(&clean.instance, name).unwrap();
        assert_eq!(make(&clean, name), vk::Result::SUCCESS, "{name}");
        let ordinal = fake_icd::count(&clean.instance, name).unwrap();
        assert!(ordinal > before, "{name} is not counted");
        for result in call.results().chain(fake_icd::ANYWHERE.iter().copied()) {
            let wanted = fake_icd::result_name(result);
            let script = format!("check=quiet,execute=late,fail={name}:{ordinal}:{wanted}");
            let rig = Rig::new(&script);
            assert_eq!(make(&rig, name), result, "{script}");
            assert_eq!(fake_icd::failures_met(&rig.instance), 1, "{script}");
            assert_eq!(fake_icd::violations(&rig.instance), [], "{script}");
            results += 1;
        }
    }
    assert_eq!(results, 133);
}

#[test]
fn a_failure_may_go_on_and_several_may_be_given() {
    let script = "fail=vkQueueSubmit:1:OUT_OF_DEVICE_MEMORY,fail=QueueSubmit2:3+:UNKNOWN";
    let rig = Rig::new(script);
    let results: Vec<_> = (0..4).map(|_| code(rig.submit(&[], &[], &[], NO_FENCE))).collect();
    let unknown = vk::Result::ERROR_UNKNOWN;
    let memory = vk::Result::ERROR_OUT_OF_DEVICE_MEMORY;
    assert_eq!(results, [memory, vk::Result::SUCCESS, unknown, unknown]);
}

#[test]
fn a_failure_is_counted_over_all_devices_of_its_instance() {
    let rig = Rig::new("fail=vkQueueSubmit:2:DEVICE_LOST");
    let submit = |device: &ash::Device, queue| {
        // SAFETY: as in `Rig::new`.
        code(unsafe { device.queue_submit(queue, &[], NO_FENCE) })
    };
    assert_eq!(submit(&rig.device, rig.queue), vk::Result::SUCCESS);
    assert_eq!(submit(&rig.device, rig.queue), vk::Result::ERROR_DEVICE_LOST);
    assert_eq!(submit(&rig.device, rig.other_queue), vk::Result::ERROR_DEVICE_LOST);
    // SAFETY: as in `Rig::new`.
    let (second, queues) = unsafe { device(&rig.instance, rig.physical).unwrap() };
    (0..4).for_each(|_| assert_eq!(submit(&second, queues[0]), vk::Result::SUCCESS));
}

#[test]
fn a_lost_device_ends_every_wait_one_way_or_the_other() {
    for (script, expected) in
        [("", vk::Result::ERROR_DEVICE_LOST), (",lost-waits=succeed", vk::Result::SUCCESS)]
    {
        let rig = Rig::new(&format!("fail=vkQueueSubmit:1:DEVICE_LOST{script}"));
        let fence = rig.fence();
        assert!(rig.submit(&[], &[], &[], fence).is_err());
        // SAFETY: as in `Rig::new`.
        unsafe {
            assert_eq!(code(rig.wait(fence)), expected);
            assert_eq!(code(rig.device.get_fence_status(fence)), expected);
            assert_eq!(code(rig.device.device_wait_idle()), expected);
        }
        assert_eq!(rig.submit(&[], &[], &[], fence), Err(vk::Result::ERROR_DEVICE_LOST));
    }
}

#[test]
fn a_failed_reset_leaves_fences_as_the_script_says() {
    for (script, signalled) in [("resets", false), ("keeps", true)] {
        let rig = Rig::new(&format!("fail=vkResetFences:1,failed-reset={script}"));
        let fence = submitted(&rig);
        rig.wait(fence).unwrap();
        // SAFETY: as in `Rig::new`.
        unsafe {
            let reset = rig.device.reset_fences(&[fence]);
            assert_eq!(reset, Err(vk::Result::ERROR_OUT_OF_DEVICE_MEMORY));
            assert_eq!(rig.device.get_fence_status(fence), Ok(signalled), "{script}");
        }
    }
}

#[test]
fn a_submission_without_memory_touches_nothing() {
    let rig = Rig::new("check=quiet,execute=late,fail=vkQueueSubmit:1");
    let (acquired, fence) = (rig.semaphore(), rig.fence());
    let (image, _) = rig.acquire(acquired, NO_FENCE).unwrap();
    let buffer = rig.to_present(rig.images[image as usize], vk::ImageLayout::UNDEFINED);
    assert!(rig.submit(&[acquired], &[buffer], &[], fence).is_err());
    rig.submit(&[acquired], &[buffer], &[], fence).unwrap();
    rig.wait(fence).unwrap();
    assert_eq!(fake_icd::violations(&rig.instance), []);
}

#[test]
fn after_a_failed_end_the_command_buffer_is_invalid() {
    let rig = Rig::new("check=quiet,fail=vkEndCommandBuffer:1");
    let buffer = rig.allocate();
    rig.begin(buffer, vk::CommandBufferUsageFlags::empty());
    // SAFETY: as in `Rig::new`.
    assert!(unsafe { rig.device.end_command_buffer(buffer) }.is_err());
    rig.submit(&[], &[buffer], &[], NO_FENCE).unwrap();
    assert_eq!(rig.broken(), ["VUID-vkQueueSubmit-pCommandBuffers-00070"]);
}

#[test]
fn a_scripted_time_out_takes_its_time_unless_it_is_early() {
    let begun = std::time::Instant::now();
    let rig = Rig::new("fail=vkWaitForFences:1:TIMEOUT,fail=vkWaitForFences:2:TIMEOUT");
    let fence = submitted(&rig);
    let wait = |rig: &Rig, fence, timeout| {
        // SAFETY: as in `Rig::new`.
        code(unsafe { rig.device.wait_for_fences(&[fence], true, timeout) })
    };
    for timeout in [3_000_000, 0] {
        assert_eq!(wait(&rig, fence, timeout), vk::Result::TIMEOUT);
    }
    assert!(begun.elapsed() >= std::time::Duration::from_millis(3));
    assert_eq!(wait(&rig, fence, SOON_NS), vk::Result::SUCCESS);
    let rig = Rig::new("timeouts=early,fail=vkWaitForFences:1:TIMEOUT");
    assert_eq!(wait(&rig, rig.fence(), u64::MAX), vk::Result::TIMEOUT);
}

#[test]
fn frames_go_on_after_a_notification_was_dropped_and_its_fence_replaced() {
    let rig = Rig::new("check=quiet,execute=late,drop-fence=3");
    let mut slot = Slot::new(&rig);
    let rendered: Vec<_> = rig.images.iter().map(|_| rig.semaphore()).collect();
    (0..2).for_each(|_| slot.frame(&rig, &rendered));
    // SAFETY: as in `Rig::new`.
    unsafe {
        let waited = rig.device.wait_for_fences(&[slot.fence], true, 1_000_000);
        assert_eq!(waited, Err(vk::Result::TIMEOUT));
        rig.wait_idle();
        rig.device.destroy_fence(slot.fence, None);
    }
    slot.fence = submitted(&rig);
    (0..5).for_each(|_| slot.frame(&rig, &rendered));
    assert_eq!(fake_icd::violations(&rig.instance), []);
}
