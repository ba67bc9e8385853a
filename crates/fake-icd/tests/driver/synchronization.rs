//! Do fences, semaphores and events, on their own and between queues, behave as Vulkan says?

use crate::support::{A_WHILE_NS, Gpu, SOON_NS, is_stuck, outcome, start};
use ash::{khr, vk};
use std::os::fd::{FromRawFd as _, IntoRawFd as _, OwnedFd};
use std::time::Instant;

#[test]
fn a_fence_is_signalled_by_its_submission_and_only_by_it() {
    let gpu = Gpu::new("");
    let fence = gpu.fence();
    assert_eq!(gpu.wait_fence(fence, 0), Err(vk::Result::TIMEOUT));
    assert_eq!(gpu.wait_fence(fence, A_WHILE_NS), Err(vk::Result::TIMEOUT));
    gpu.submit_fence(fence).unwrap();
    assert_eq!(gpu.wait_fence(fence, SOON_NS), Ok(()));
    // SAFETY: live handles.
    unsafe {
        assert_eq!(gpu.device.get_fence_status(fence), Ok(true));
        gpu.device.reset_fences(&[fence]).unwrap();
        assert_eq!(gpu.device.get_fence_status(fence), Ok(false));
        gpu.device.queue_submit(gpu.queues[0], &[], fence).unwrap();
        assert_eq!(gpu.wait_fence(fence, SOON_NS), Ok(()));
    }
}

#[test]
fn a_wait_for_any_fence_needs_one_of_them() {
    let gpu = Gpu::new("");
    let fences = [gpu.fence(), gpu.fence()];
    gpu.submit_fence(fences[1]).unwrap();
    // SAFETY: live handles.
    unsafe {
        assert_eq!(gpu.device.wait_for_fences(&fences, false, SOON_NS), Ok(()));
        assert_eq!(gpu.device.wait_for_fences(&fences, true, A_WHILE_NS), Err(vk::Result::TIMEOUT));
    }
}

#[test]
fn a_queue_may_wait_for_a_timeline_before_another_queue_signals_it() {
    let gpu = Gpu::new("");
    let timeline = gpu.timeline().unwrap();
    let (early, late) = (gpu.fence(), gpu.fence());
    gpu.submit(0, &[(timeline, 7)], &[], &[(timeline, 8)], early).unwrap();
    assert_eq!(gpu.wait_fence(early, A_WHILE_NS), Err(vk::Result::TIMEOUT));
    gpu.submit(1, &[], &[], &[(timeline, 7)], late).unwrap();
    assert_eq!(gpu.wait_fence(early, SOON_NS), Ok(()));
    assert_eq!(gpu.wait_timeline(timeline, 8, SOON_NS), Ok(()));
    // SAFETY: live handles.
    let value = unsafe { gpu.device.get_semaphore_counter_value(timeline) };
    assert_eq!(value, Ok(8));
}

#[test]
fn the_first_submit_call_carries_timeline_values_in_its_chain() {
    let gpu = Gpu::new("");
    let timeline = gpu.timeline().unwrap();
    let semaphores = [timeline];
    let mut values = vk::TimelineSemaphoreSubmitInfo::default()
        .wait_semaphore_values(&[3])
        .signal_semaphore_values(&[4]);
    let info = vk::SubmitInfo::default()
        .wait_semaphores(&semaphores)
        .wait_dst_stage_mask(&[vk::PipelineStageFlags::ALL_COMMANDS])
        .signal_semaphores(&semaphores)
        .push_next(&mut values);
    // SAFETY: live handles.
    unsafe { gpu.device.queue_submit(gpu.queues[0], &[info], vk::Fence::null()).unwrap() };
    assert_eq!(gpu.wait_timeline(timeline, 4, A_WHILE_NS), Err(vk::Result::TIMEOUT));
    gpu.signal_timeline(timeline, 3);
    assert_eq!(gpu.wait_timeline(timeline, 4, SOON_NS), Ok(()));
}

#[test]
fn a_wait_takes_the_signal_of_a_binary_semaphore_away() {
    let gpu = Gpu::new("");
    let semaphore = gpu.binary_semaphore();
    let (first, second) = (gpu.fence(), gpu.fence());
    gpu.submit(0, &[], &[], &[(semaphore, 0)], vk::Fence::null()).unwrap();
    gpu.submit(1, &[(semaphore, 0)], &[], &[], first).unwrap();
    assert_eq!(gpu.wait_fence(first, SOON_NS), Ok(()));
    gpu.submit(2, &[(semaphore, 0)], &[], &[], second).unwrap();
    assert_eq!(gpu.wait_fence(second, A_WHILE_NS), Err(vk::Result::TIMEOUT));
    gpu.submit(0, &[], &[], &[(semaphore, 0)], vk::Fence::null()).unwrap();
    assert_eq!(gpu.wait_fence(second, SOON_NS), Ok(()));
}

#[test]
fn sparse_binding_waits_and_signals_like_any_batch() {
    let gpu = Gpu::new("");
    let (semaphore, fence) = (gpu.binary_semaphore(), gpu.fence());
    let waits = [semaphore];
    let info = vk::BindSparseInfo::default().wait_semaphores(&waits);
    // SAFETY: live handles.
    unsafe { gpu.device.queue_bind_sparse(gpu.queues[0], &[info], fence).unwrap() };
    assert_eq!(gpu.wait_fence(fence, A_WHILE_NS), Err(vk::Result::TIMEOUT));
    gpu.submit(1, &[], &[], &[(semaphore, 0)], vk::Fence::null()).unwrap();
    assert_eq!(gpu.wait_fence(fence, SOON_NS), Ok(()));
}

#[test]
fn waiting_for_an_idle_queue_lasts_until_its_work_is_done() {
    let gpu = Gpu::new("");
    let timeline = gpu.timeline().unwrap();
    gpu.submit(0, &[(timeline, 1)], &[], &[], vk::Fence::null()).unwrap();
    let (device, queue, other) = (gpu.device.clone(), gpu.queues[0], gpu.queues[1]);
    // SAFETY: live handles.
    let idle = start(move || unsafe { device.queue_wait_idle(queue) });
    let device = gpu.device.clone();
    // SAFETY: live handles.
    let all_idle = start(move || unsafe { device.device_wait_idle() });
    // SAFETY: live handles.
    unsafe { gpu.device.queue_wait_idle(other).unwrap() };
    assert!(is_stuck(&idle) && is_stuck(&all_idle));
    gpu.signal_timeline(timeline, 1);
    assert_eq!((outcome(&idle), outcome(&all_idle)), (Ok(()), Ok(())));
}

#[test]
fn a_queue_waits_for_an_event_that_the_host_sets() {
    let gpu = Gpu::new("");
    let fence = gpu.fence();
    // SAFETY: live handles.
    unsafe {
        let event = gpu.device.create_event(&vk::EventCreateInfo::default(), None).unwrap();
        let stages = vk::PipelineStageFlags::HOST;
        let commands = gpu.commands(|buffer| {
            gpu.device.cmd_wait_events(buffer, &[event], stages, stages, &[], &[], &[]);
            gpu.device.cmd_reset_event(buffer, event, vk::PipelineStageFlags::ALL_COMMANDS);
        });
        gpu.submit(0, &[], &[commands], &[], fence).unwrap();
        assert_eq!(gpu.wait_fence(fence, A_WHILE_NS), Err(vk::Result::TIMEOUT));
        gpu.device.set_event(event).unwrap();
        assert_eq!(gpu.wait_fence(fence, SOON_NS), Ok(()));
        assert_eq!(gpu.device.get_event_status(event), Ok(false));
    }
}

#[test]
fn an_exported_semaphore_shares_its_signals_with_the_imported_one() {
    let gpu = Gpu::new("");
    let (exporter, importer) = (gpu.timeline().unwrap(), gpu.timeline().unwrap());
    let fd = export(&gpu, exporter);
    import(&gpu, importer, fd);
    let fence = gpu.fence();
    gpu.submit(0, &[(importer, 5)], &[], &[], fence).unwrap();
    assert_eq!(gpu.wait_fence(fence, A_WHILE_NS), Err(vk::Result::TIMEOUT));
    gpu.submit(1, &[], &[], &[(exporter, 5)], vk::Fence::null()).unwrap();
    assert_eq!(gpu.wait_fence(fence, SOON_NS), Ok(()));
}

#[test]
fn nobody_signals_a_semaphore_from_a_foreign_descriptor() {
    let gpu = Gpu::new("");
    let semaphore = gpu.binary_semaphore();
    import(&gpu, semaphore, std::fs::File::open("/dev/null").unwrap().into());
    let fence = gpu.fence();
    gpu.submit(0, &[(semaphore, 0)], &[], &[], fence).unwrap();
    assert_eq!(gpu.wait_fence(fence, A_WHILE_NS), Err(vk::Result::TIMEOUT));
}

fn export(gpu: &Gpu, semaphore: vk::Semaphore) -> OwnedFd {
    let files = khr::external_semaphore_fd::Device::new(&gpu.instance, &gpu.device);
    let info = vk::SemaphoreGetFdInfoKHR::default()
        .semaphore(semaphore)
        .handle_type(vk::ExternalSemaphoreHandleTypeFlags::OPAQUE_FD);
    // SAFETY: a live handle; the descriptor is new and ours.
    unsafe { OwnedFd::from_raw_fd(files.get_semaphore_fd(&info).unwrap()) }
}

fn import(gpu: &Gpu, semaphore: vk::Semaphore, fd: OwnedFd) {
    let files = khr::external_semaphore_fd::Device::new(&gpu.instance, &gpu.device);
    let info = vk::ImportSemaphoreFdInfoKHR::default()
        .semaphore(semaphore)
        .handle_type(vk::ExternalSemaphoreHandleTypeFlags::OPAQUE_FD)
        .fd(fd.into_raw_fd());
    // SAFETY: a live handle; the import takes the descriptor.
    unsafe { files.import_semaphore_fd(&info).unwrap() }
}

#[test]
#[ignore = "a measurement: cargo test -p unwedge-fake-icd --release -- --ignored --nocapture"]
fn measure_an_empty_submit_and_wait() {
    let gpu = Gpu::new("");
    let fence = gpu.fence();
    let rounds = 20_000;
    let begun = Instant::now();
    for _ in 0..rounds {
        gpu.submit_fence(fence).unwrap();
        gpu.wait_fence(fence, SOON_NS).unwrap();
        // SAFETY: live handles.
        unsafe { gpu.device.reset_fences(&[fence]).unwrap() };
    }
    println!("{:?} a round", begun.elapsed() / rounds);
}
