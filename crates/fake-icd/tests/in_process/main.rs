//! Can the driver be used without a loader, by many threads at once, each with a script of its own?
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may stop at the first surprise"
)]

mod commands;
mod engine;
mod failures;
mod lives;
mod rig;
mod rules;

use ash::{ext, khr, vk};

/// The result of the first submission to a new device under a script, with its fence waited for if it was accepted.
fn first_submission(script: &str) -> Result<(), vk::Result> {
    let instance = fake_icd::instance(script, &[]).unwrap();
    let priorities = [1.0];
    let requests = [vk::DeviceQueueCreateInfo::default().queue_priorities(&priorities)];
    let info = vk::DeviceCreateInfo::default().queue_create_infos(&requests);
    // SAFETY: live handles, destroyed after their last use.
    unsafe {
        let physical = instance.enumerate_physical_devices().unwrap()[0];
        let device = instance.create_device(physical, &info, None).unwrap();
        let fence = device.create_fence(&vk::FenceCreateInfo::default(), None).unwrap();
        let submitted = device.queue_submit(device.get_device_queue(0, 0), &[], fence);
        let outcome =
            submitted.and_then(|()| device.wait_for_fences(&[fence], true, 5_000_000_000));
        device.destroy_fence(fence, None);
        device.destroy_device(None);
        instance.destroy_instance(None);
        outcome
    }
}

#[test]
fn every_instance_has_its_own_script_in_any_number_of_threads() {
    let scripts = [
        ("", Ok(())),
        ("fail-submit=1", Err(vk::Result::ERROR_OUT_OF_HOST_MEMORY)),
        ("fail-submit=1:-4", Err(vk::Result::ERROR_DEVICE_LOST)),
        ("queues=1,fail-submit=2", Ok(())),
    ];
    std::thread::scope(|scope| {
        for (script, expected) in scripts {
            scope.spawn(move || {
                (0..25).for_each(|_| assert_eq!(first_submission(script), expected, "{script}"));
            });
        }
    });
}

#[test]
fn a_surface_and_a_swapchain_need_no_loader() {
    let entry = fake_icd::entry();
    let instance =
        fake_icd::instance("", &[khr::surface::NAME, ext::headless_surface::NAME]).unwrap();
    // SAFETY: live handles.
    unsafe {
        let headless = ext::headless_surface::Instance::new(&entry, &instance);
        let surface = headless.create_headless_surface(&Default::default(), None).unwrap();
        let surfaces = khr::surface::Instance::new(&entry, &instance);
        let physical = instance.enumerate_physical_devices().unwrap()[0];
        let formats = surfaces.get_physical_device_surface_formats(physical, surface).unwrap();
        assert!(!formats.is_empty());
        surfaces.destroy_surface(surface, None);
    }
}

#[test]
fn a_script_with_a_mistake_makes_no_instance() {
    let refused = fake_icd::instance("colour=red", &[]).err();
    assert_eq!(refused, Some(vk::Result::ERROR_INITIALIZATION_FAILED));
}
