//! Does the presentation engine do with images what each result of a present or an acquire says?

use crate::rig::{Rig, Slot, surface};
use ash::vk;

const NO_FENCE: vk::Fence = vk::Fence::null();
const REFUSALS: [&str; 3] = ["OUT_OF_DATE", "SURFACE_LOST", "FULL_SCREEN_EXCLUSIVE_MODE_LOST"];

/// An acquired image whose batch signals a semaphore.
fn rendered(rig: &Rig) -> (u32, vk::Semaphore) {
    let (acquired, rendered) = (rig.semaphore(), rig.semaphore());
    let (image, _) = rig.acquire(acquired, NO_FENCE).unwrap();
    let buffer = rig.to_present(rig.images[image as usize], vk::ImageLayout::UNDEFINED);
    rig.submit(&[acquired], &[buffer], &[rendered], NO_FENCE).unwrap();
    (image, rendered)
}

/// How many images can still be acquired at once.
fn available(rig: &Rig) -> usize {
    let acquire = || rig.acquire(rig.semaphore(), NO_FENCE);
    std::iter::repeat_with(acquire).take(9).take_while(Result::is_ok).count()
}

#[test]
fn a_refused_present_executes_its_waits_and_gives_the_image_back() {
    for result in REFUSALS {
        let script =
            format!("check=quiet,execute=late,sticky=off,fail=vkQueuePresentKHR:1:{result}");
        let rig = Rig::new(&script);
        let (image, semaphore) = rendered(&rig);
        assert!(rig.present(&[semaphore], image).is_err());
        rig.wait_idle();
        // The semaphore was waited for, so it may be signalled again; and all images are with the engine.
        rig.submit(&[], &[], &[semaphore], NO_FENCE).unwrap();
        assert_eq!(available(&rig), 3, "{result}");
        assert_eq!(fake_icd::violations(&rig.instance), [], "{result}");
    }
}

#[test]
fn a_present_without_memory_leaves_image_and_semaphore_as_they_are() {
    for result in ["OUT_OF_HOST_MEMORY", "OUT_OF_DEVICE_MEMORY"] {
        let script = format!("check=quiet,execute=late,fail=vkQueuePresentKHR:1:{result}");
        let rig = Rig::new(&script);
        let (image, semaphore) = rendered(&rig);
        assert!(rig.present(&[semaphore], image).is_err());
        rig.wait_idle();
        rig.present(&[semaphore], image).unwrap();
        rig.wait_idle();
        assert_eq!(available(&rig), 3, "{result}");
        assert_eq!(fake_icd::violations(&rig.instance), [], "{result}");
    }
}

#[test]
fn an_acquire_that_fails_takes_no_image_and_signals_nothing() {
    let mut results = vec!["TIMEOUT", "NOT_READY", "OUT_OF_HOST_MEMORY", "OUT_OF_DEVICE_MEMORY"];
    results.extend(REFUSALS);
    for result in results {
        let script =
            format!("check=quiet,execute=late,sticky=off,fail=vkAcquireNextImageKHR:1:{result}");
        let rig = Rig::new(&script);
        let (semaphore, fence) = (rig.semaphore(), rig.fence());
        assert!(rig.acquire(semaphore, fence).is_err());
        rig.acquire(semaphore, fence).unwrap();
        assert_eq!(available(&rig), 2, "{result}");
        assert_eq!(fake_icd::violations(&rig.instance), [], "{result}");
    }
}

#[test]
fn a_suboptimal_acquire_or_present_is_a_success() {
    let rig = Rig::new(
        "check=quiet,execute=late,fail=vkAcquireNextImageKHR:1:SUBOPTIMAL,fail=vkQueuePresentKHR:1:SUBOPTIMAL",
    );
    let (acquired, semaphore) = (rig.semaphore(), rig.semaphore());
    let (image, suboptimal) = rig.acquire(acquired, NO_FENCE).unwrap();
    assert!(suboptimal);
    let buffer = rig.to_present(rig.images[image as usize], vk::ImageLayout::UNDEFINED);
    rig.submit(&[acquired], &[buffer], &[semaphore], NO_FENCE).unwrap();
    assert_eq!(rig.present(&[semaphore], image), Ok(true));
    rig.wait_idle();
    assert_eq!(available(&rig), 3);
    assert_eq!(fake_icd::violations(&rig.instance), []);
}

#[test]
fn out_of_date_lasts_until_there_is_a_new_swapchain() {
    for call in ["vkAcquireNextImageKHR", "vkQueuePresentKHR"] {
        let mut rig = Rig::new(&format!("check=quiet,execute=late,fail={call}:1:OUT_OF_DATE"));
        let out_of_date = Err(vk::Result::ERROR_OUT_OF_DATE_KHR);
        if call == "vkQueuePresentKHR" {
            let (image, semaphore) = rendered(&rig);
            let presented = rig.present(&[semaphore], image);
            assert_eq!(presented, Err(vk::Result::ERROR_OUT_OF_DATE_KHR));
        }
        (0..2).for_each(|_| assert_eq!(rig.acquire(rig.semaphore(), NO_FENCE), out_of_date));
        rig.swapchain = rig.new_swapchain(rig.surface, rig.swapchain).unwrap();
        assert_eq!(available(&rig), 3, "{call}");
    }
}

#[test]
fn a_lost_surface_stays_lost() {
    let mut rig = Rig::new("check=quiet,fail=vkAcquireNextImageKHR:1:SURFACE_LOST");
    let lost = vk::Result::ERROR_SURFACE_LOST_KHR;
    (0..2).for_each(|_| assert_eq!(rig.acquire(rig.semaphore(), NO_FENCE), Err(lost)));
    assert_eq!(rig.new_swapchain(rig.surface, rig.swapchain), Err(lost));
    rig.surface = surface(&rig.entry, &rig.instance);
    rig.swapchain = rig.new_swapchain(rig.surface, vk::SwapchainKHR::null()).unwrap();
    assert_eq!(available(&rig), 3);
    assert_eq!(fake_icd::violations(&rig.instance), []);
}

#[test]
fn a_failed_creation_retires_the_old_swapchain_all_the_same() {
    let mut rig = Rig::new("check=quiet,fail=vkCreateSwapchainKHR:2");
    assert!(rig.new_swapchain(rig.surface, rig.swapchain).is_err());
    let acquired = rig.acquire(rig.semaphore(), NO_FENCE);
    assert_eq!(acquired, Err(vk::Result::ERROR_OUT_OF_DATE_KHR));
    assert_eq!(rig.broken(), ["VUID-vkAcquireNextImageKHR-swapchain-01285"]);
    rig.swapchain = rig.new_swapchain(rig.surface, vk::SwapchainKHR::null()).unwrap();
    assert_eq!(available(&rig), 3);
}

#[test]
fn a_surface_has_one_swapchain_that_is_not_retired() {
    let rig = Rig::new("check=quiet");
    let in_use = Err(vk::Result::ERROR_NATIVE_WINDOW_IN_USE_KHR);
    let null = vk::SwapchainKHR::null();
    assert_eq!(rig.new_swapchain(rig.surface, null), in_use);
    let second = rig.new_swapchain(rig.surface, rig.swapchain).unwrap();
    assert_eq!(rig.new_swapchain(rig.surface, null), in_use);
    // SAFETY: as in `Rig::new`.
    unsafe { rig.swapchains.destroy_swapchain(second, None) };
    rig.new_swapchain(rig.surface, null).unwrap();
    assert_eq!(fake_icd::violations(&rig.instance), []);
}

#[test]
fn an_engine_that_holds_keeps_the_shown_image_until_the_next_present() {
    for (script, after_one) in [("engine=free", 3), ("engine=hold", 2)] {
        let rig = Rig::new(&format!("check=quiet,execute=late,{script}"));
        let (image, semaphore) = rendered(&rig);
        rig.present(&[semaphore], image).unwrap();
        rig.wait_idle();
        assert_eq!(available(&rig), after_one, "{script}");
    }
    let rig = Rig::new("check=quiet,execute=late,engine=hold");
    let order: Vec<_> = (0..5)
        .map(|_| {
            let (image, semaphore) = rendered(&rig);
            rig.present(&[semaphore], image).unwrap();
            rig.wait_idle();
            image
        })
        .collect();
    assert_eq!(order, [0, 1, 2, 0, 1]);
}

#[test]
#[ignore = "a measurement: cargo test -p unwedge-fake-icd -- --ignored --nocapture measure_a_short_run"]
fn measure_a_short_run_from_instance_to_instance() {
    for script in ["execute=threads", "execute=early", "execute=late", "execute=late,check=quiet"] {
        let runs = 500;
        let begun = std::time::Instant::now();
        for _ in 0..runs {
            short_run(script);
        }
        let each = begun.elapsed() / runs;
        println!("{script}: {each:?} for one instance, device, swapchain and 12 frames");
    }
}

fn short_run(script: &str) {
    let rig = Rig::new(script);
    let slots = [Slot::new(&rig), Slot::new(&rig)];
    let rendered: Vec<_> = rig.images.iter().map(|_| rig.semaphore()).collect();
    (0..12).for_each(|frame| slots[frame % 2].frame(&rig, &rendered));
    for slot in &slots {
        rig.wait(slot.fence).unwrap();
    }
    rig.wait_idle();
    // SAFETY: as in `Rig::new`.
    unsafe {
        rig.swapchains.destroy_swapchain(rig.swapchain, None);
        rig.device.destroy_device(None);
        rig.instance.destroy_instance(None);
    }
}
