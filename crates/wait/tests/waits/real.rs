//! Do the waits end as they should on a driver with queues of its own: for what is done, what is stuck, and what comes at last?

use ash::vk;
use unwedge_wait::{
    Acquired, Bound, DeviceIdle, Error, Need, Point, PresentWaited, QueueIdle, Signals, Waited,
    acquire, acquire2, query_results, wait_fences, wait_present, wait_semaphores,
};

use crate::fake::Gpu;

/// Long enough for what has to come, on a busy machine.
const SOON: Bound = Bound::from_secs(30);
/// Long enough to see that nothing comes.
const SHORT: Bound = Bound::from_millis(5);

pub(crate) fn fence(device: &ash::Device) -> vk::Fence {
    // SAFETY: a live device; so in all of this file.
    unsafe { device.create_fence(&vk::FenceCreateInfo::default(), None).unwrap() }
}

pub(crate) fn timeline(device: &ash::Device) -> vk::Semaphore {
    let mut kind =
        vk::SemaphoreTypeCreateInfo::default().semaphore_type(vk::SemaphoreType::TIMELINE);
    let info = vk::SemaphoreCreateInfo::default().push_next(&mut kind);
    // SAFETY: as above.
    unsafe { device.create_semaphore(&info, None).unwrap() }
}

pub(crate) fn signal(device: &ash::Device, point: Point) {
    let info = vk::SemaphoreSignalInfo::default().semaphore(point.semaphore).value(point.value);
    // SAFETY: as above.
    unsafe { device.signal_semaphore(&info).unwrap() }
}

/// Keeps the queue from finishing until the point is reached.
pub(crate) fn hold_up(device: &ash::Device, queue: vk::Queue, point: Point) {
    let (semaphores, values) = ([point.semaphore], [point.value]);
    let mut timeline = vk::TimelineSemaphoreSubmitInfo::default().wait_semaphore_values(&values);
    let batch = vk::SubmitInfo::default()
        .wait_semaphores(&semaphores)
        .wait_dst_stage_mask(&[vk::PipelineStageFlags::ALL_COMMANDS])
        .push_next(&mut timeline);
    // SAFETY: as above.
    unsafe { device.queue_submit(queue, &[batch], vk::Fence::null()).unwrap() }
}

#[test]
fn fences_are_waited_for_all_or_any() {
    let gpu = Gpu::new();
    let fences = [fence(&gpu.device), fence(&gpu.device)];
    // SAFETY: as above.
    unsafe {
        assert_eq!(wait_fences(&gpu.device, &fences, Need::Any, SHORT), Ok(Waited::TimedOut));
        gpu.device.queue_submit(gpu.queues[0], &[], fences[0]).unwrap();
        assert_eq!(wait_fences(&gpu.device, &fences, Need::Any, SOON), Ok(Waited::Reached));
        assert_eq!(wait_fences(&gpu.device, &fences, Need::All, SHORT), Ok(Waited::TimedOut));
        gpu.device.queue_submit(gpu.queues[1], &[], fences[1]).unwrap();
        assert_eq!(wait_fences(&gpu.device, &fences, Need::All, SOON), Ok(Waited::Reached));
    }
}

#[test]
fn timeline_semaphores_are_waited_for_all_or_any() {
    let gpu = Gpu::new();
    let points = [5, 9].map(|value| Point { semaphore: timeline(&gpu.device), value });
    // SAFETY: as above.
    unsafe {
        assert_eq!(wait_semaphores(&gpu.device, &points, Need::Any, SHORT), Ok(Waited::TimedOut));
        signal(&gpu.device, points[1]);
        assert_eq!(wait_semaphores(&gpu.device, &points, Need::Any, SOON), Ok(Waited::Reached));
        assert_eq!(wait_semaphores(&gpu.timeline, &points, Need::All, SHORT), Ok(Waited::TimedOut));
        signal(&gpu.device, points[0]);
        assert_eq!(wait_semaphores(&gpu.timeline, &points, Need::All, SOON), Ok(Waited::Reached));
    }
}

#[test]
fn images_run_out_and_an_old_swapchain_is_out_of_date() {
    let gpu = Gpu::new();
    let signals = || Signals::fence(fence(&gpu.device));
    // SAFETY: as above.
    unsafe {
        let first = acquire(&gpu.swapchains, gpu.swapchain, signals(), SOON).unwrap();
        assert_eq!(first, Acquired::Image { index: 0, suboptimal: false });
        let mask = std::num::NonZeroU32::MIN;
        let second = acquire2(&gpu.swapchains, gpu.swapchain, signals(), mask, SOON).unwrap();
        assert_eq!(second, Acquired::Image { index: 1, suboptimal: false });
        for bound in [Bound::ZERO, SHORT] {
            let unused = signals();
            let third = acquire(&gpu.swapchains, gpu.swapchain, unused, bound);
            assert_eq!(third, Ok(Acquired::TimedOut));
            assert_eq!(gpu.device.get_fence_status(unused.fence), Ok(false), "it is as it was");
        }
        let newer =
            vk::SwapchainCreateInfoKHR::default().min_image_count(2).old_swapchain(gpu.swapchain);
        gpu.swapchains.create_swapchain(&newer, None).unwrap();
        let late = acquire(&gpu.swapchains, gpu.swapchain, signals(), SOON);
        assert_eq!(late, Ok(Acquired::OutOfDate));
    }
}

#[test]
fn a_present_is_waited_for_by_its_id() {
    let gpu = Gpu::new();
    // SAFETY: as above.
    unsafe {
        let waited = wait_present(&gpu.presents, gpu.swapchain, 4, SHORT);
        assert_eq!(waited, Ok(PresentWaited::TimedOut));
        let signals = Signals::fence(fence(&gpu.device));
        let Ok(Acquired::Image { index, .. }) =
            acquire(&gpu.swapchains, gpu.swapchain, signals, SOON)
        else {
            panic!("no image");
        };
        let (ids, swapchains, images) = ([4], [gpu.swapchain], [index]);
        let mut ids = vk::PresentIdKHR::default().present_ids(&ids);
        let info = vk::PresentInfoKHR::default()
            .swapchains(&swapchains)
            .image_indices(&images)
            .push_next(&mut ids);
        gpu.swapchains.queue_present(gpu.queues[0], &info).unwrap();
        let waited = wait_present(&gpu.presents, gpu.swapchain, 4, SOON);
        assert_eq!(waited, Ok(PresentWaited::Reached { suboptimal: false }));
        let waited = wait_present(&gpu.presents, gpu.swapchain, 5, SHORT);
        assert_eq!(waited, Ok(PresentWaited::TimedOut));
    }
}

#[test]
fn a_stuck_queue_is_not_idle_until_it_runs_again() {
    let gpu = Gpu::new();
    let release = Point { semaphore: timeline(&gpu.device), value: 1 };
    // SAFETY: as above.
    unsafe {
        let mut idle = QueueIdle::new(&gpu.device, gpu.queues[0]).unwrap();
        assert_eq!(idle.wait(SOON), Ok(Waited::Reached));
        hold_up(&gpu.device, gpu.queues[0], release);
        for pending in [1, 2, 3, 4, 4, 4] {
            assert_eq!(idle.wait(SHORT), Ok(Waited::TimedOut));
            assert_eq!(idle.pending(), pending);
        }
        signal(&gpu.device, release);
        assert_eq!(idle.wait(SOON), Ok(Waited::Reached));
        assert_eq!(idle.pending(), 0);
        assert_eq!(idle.wait(SOON), Ok(Waited::Reached));
        assert_eq!(idle.destroy(), 0);
    }
}

#[test]
fn a_device_is_idle_once_all_its_queues_are() {
    let gpu = Gpu::new();
    let release = Point { semaphore: timeline(&gpu.device), value: 1 };
    // SAFETY: as above.
    unsafe {
        let mut idle = DeviceIdle::new(&gpu.device, &gpu.queues).unwrap();
        assert_eq!(idle.wait(SOON), Ok(Waited::Reached));
        hold_up(&gpu.device, gpu.queues[1], release);
        for _ in 0..6 {
            assert_eq!(idle.wait(SHORT), Ok(Waited::TimedOut));
        }
        let mut other = QueueIdle::new(&gpu.device, gpu.queues[0]).unwrap();
        assert_eq!(other.wait(SOON), Ok(Waited::Reached), "the other queue runs");
        signal(&gpu.device, release);
        assert_eq!(idle.wait(SOON), Ok(Waited::Reached));
        assert_eq!(idle.destroy() + other.destroy(), 0);
    }
}

#[test]
fn fences_of_a_queue_that_stays_stuck_are_left() {
    let gpu = Gpu::new();
    let release = Point { semaphore: timeline(&gpu.device), value: 1 };
    hold_up(&gpu.device, gpu.queues[0], release);
    // SAFETY: as above.
    unsafe {
        let mut idle = DeviceIdle::new(&gpu.device, &gpu.queues[..1]).unwrap();
        assert_eq!(idle.wait(SHORT), Ok(Waited::TimedOut));
        assert_eq!(idle.destroy(), 1);
    }
}

/// The driver drops a notification though the queue goes on, as in the incident that this crate is for.
#[test]
fn a_lost_notification_times_out_and_the_next_wait_is_reached() {
    let gpu = Gpu::scripted("drop-fence=1");
    // SAFETY: as above.
    unsafe {
        let mut idle = QueueIdle::new(&gpu.device, gpu.queues[0]).unwrap();
        assert_eq!(idle.wait(SHORT), Ok(Waited::TimedOut));
        assert_eq!(idle.pending(), 1);
        assert_eq!(idle.wait(SOON), Ok(Waited::Reached));
        assert_eq!((idle.pending(), idle.destroy()), (0, 0));
    }
}

#[test]
fn a_lost_device_ends_every_wait_with_an_error() {
    let gpu = Gpu::scripted("lost-at=1");
    let fences = [fence(&gpu.device)];
    let point = Point { semaphore: timeline(&gpu.device), value: 1 };
    let lost = |call| Error::DeviceLost { call };
    // SAFETY: as above.
    unsafe {
        let mut idle = QueueIdle::new(&gpu.device, gpu.queues[0]).unwrap();
        let batch = [vk::SubmitInfo::default()];
        gpu.device.queue_submit(gpu.queues[0], &batch, fences[0]).unwrap();
        let waited = wait_fences(&gpu.device, &fences, Need::All, SOON);
        assert_eq!(waited, Err(lost("vkWaitForFences")));
        let waited = wait_semaphores(&gpu.device, &[point], Need::All, SOON);
        assert_eq!(waited, Err(lost("vkWaitSemaphores")));
        let signals = Signals::fence(fence(&gpu.device));
        let acquired = acquire(&gpu.swapchains, gpu.swapchain, signals, SOON);
        assert_eq!(acquired, Err(lost("vkAcquireNextImageKHR")));
        let waited = wait_present(&gpu.presents, gpu.swapchain, 1, SOON);
        assert_eq!(waited, Err(lost("vkWaitForPresentKHR")));
        assert_eq!(idle.wait(SOON), Err(lost("vkQueueSubmit")));
        assert_eq!(idle.destroy(), 0);
    }
}

/// Submits commands that reset two queries and write timestamps to the first `written` of them.
fn write_timestamps(gpu: &Gpu, pool: vk::QueryPool, written: u32) {
    // SAFETY: as above.
    unsafe {
        let commands = gpu.device.create_command_pool(&Default::default(), None).unwrap();
        let info =
            vk::CommandBufferAllocateInfo::default().command_pool(commands).command_buffer_count(1);
        let buffer = gpu.device.allocate_command_buffers(&info).unwrap()[0];
        gpu.device.begin_command_buffer(buffer, &Default::default()).unwrap();
        gpu.device.cmd_reset_query_pool(buffer, pool, 0, 2);
        for query in 0..written {
            gpu.device.cmd_write_timestamp(
                buffer,
                vk::PipelineStageFlags::TOP_OF_PIPE,
                pool,
                query,
            );
        }
        gpu.device.end_command_buffer(buffer).unwrap();
        let batch = [vk::SubmitInfo::default().command_buffers(std::slice::from_ref(&buffer))];
        gpu.device.queue_submit(gpu.queues[0], &batch, vk::Fence::null()).unwrap();
    }
}

#[test]
fn results_of_queries_are_read_once_all_are_there() {
    let gpu = Gpu::new();
    let info =
        vk::QueryPoolCreateInfo::default().query_type(vk::QueryType::TIMESTAMP).query_count(2);
    // SAFETY: as above.
    unsafe {
        let pool = gpu.device.create_query_pool(&info, None).unwrap();
        let none = vk::QueryResultFlags::empty();
        let mut results = [0_u64; 2];
        write_timestamps(&gpu, pool, 1);
        // With the bit that waits for ever, this would: it is left out.
        let flags = vk::QueryResultFlags::WAIT;
        let waited = query_results(&gpu.device, pool, 0, &mut results, flags, SHORT);
        assert_eq!(waited, Ok(Waited::TimedOut), "the second was never written");
        let mut first = [[0_u64; 2]];
        let flags = vk::QueryResultFlags::WITH_AVAILABILITY;
        let waited = query_results(&gpu.device, pool, 0, &mut first, flags, SOON);
        assert_eq!(waited, Ok(Waited::Reached));
        assert_eq!(first[0][1], 1, "available");
        write_timestamps(&gpu, pool, 2);
        let waited = query_results(&gpu.device, pool, 0, &mut results, none, SOON);
        assert_eq!(waited, Ok(Waited::Reached));
        assert!(results[0] > 0 && results[1] >= results[0], "{results:?}");
        let mut narrow = [0_u32; 1];
        let waited = query_results(&gpu.device, pool, 1, &mut narrow, none, SOON);
        assert_eq!((waited, u64::from(narrow[0])), (Ok(Waited::Reached), results[1] & 0xffff_ffff));
    }
}
