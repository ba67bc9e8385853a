//! Does each key of the script cause its fault, at its place and nowhere else?

use crate::present::{acquire, present, wait_for_present};
use crate::support::{A_WHILE, A_WHILE_NS, Gpu, SOON_NS, is_stuck, start};
use ash::{khr, vk};
use std::time::{Duration, Instant};

const NO_FENCE: vk::Fence = vk::Fence::null();

#[test]
fn timeline_off_makes_a_device_of_vulkan_1_1() {
    let gpu = Gpu::new("timeline=off");
    let mut timeline = vk::PhysicalDeviceTimelineSemaphoreFeatures::default();
    let mut features = vk::PhysicalDeviceFeatures2::default().push_next(&mut timeline);
    // SAFETY: live handles.
    unsafe {
        gpu.instance.get_physical_device_features2(gpu.physical, &mut features);
        let properties = gpu.instance.get_physical_device_properties(gpu.physical);
        assert_eq!(vk::api_version_minor(properties.api_version), 1);
        let extensions = gpu.instance.enumerate_device_extension_properties(gpu.physical).unwrap();
        let timeline_name = khr::timeline_semaphore::NAME;
        assert!(
            !extensions.iter().any(|found| found.extension_name_as_c_str() == Ok(timeline_name))
        );
        for name in [c"vkWaitSemaphores", c"vkWaitSemaphoresKHR", c"vkQueueSubmit2"] {
            assert!(
                gpu.instance.get_device_proc_addr(gpu.device.handle(), name.as_ptr()).is_none(),
                "{name:?}"
            );
        }
        let fence = gpu.fence();
        gpu.device.queue_submit(gpu.queues[0], &[vk::SubmitInfo::default()], fence).unwrap();
        assert_eq!(gpu.wait_fence(fence, SOON_NS), Ok(()));
    }
    assert_eq!(timeline.timeline_semaphore, vk::FALSE);
    assert_eq!(gpu.timeline(), Err(vk::Result::ERROR_FEATURE_NOT_PRESENT));
}

#[test]
fn queues_sets_their_number() {
    assert_eq!(Gpu::new("queues=2").queues.len(), 2);
}

#[test]
fn drop_fence_loses_one_signal() {
    let gpu = Gpu::new("drop-fence=2");
    let fences = [gpu.fence(), gpu.fence(), gpu.fence()];
    for fence in fences {
        gpu.submit_fence(fence).unwrap();
    }
    assert_eq!(gpu.wait_fence(fences[2], SOON_NS), Ok(()));
    let reached = fences.map(|fence| gpu.wait_fence(fence, 0));
    assert_eq!(reached, [Ok(()), Err(vk::Result::TIMEOUT), Ok(())]);
}

#[test]
fn drop_semaphore_loses_one_timeline_signal() {
    let gpu = Gpu::new("drop-semaphore=1");
    let (timeline, binary) = (gpu.timeline().unwrap(), gpu.binary_semaphore());
    gpu.submit(0, &[], &[], &[(binary, 0), (timeline, 1)], NO_FENCE).unwrap();
    gpu.submit(0, &[(binary, 0)], &[], &[], NO_FENCE).unwrap();
    assert_eq!(gpu.wait_timeline(timeline, 1, A_WHILE_NS), Err(vk::Result::TIMEOUT));
    gpu.submit(0, &[], &[], &[(timeline, 2)], NO_FENCE).unwrap();
    assert_eq!(gpu.wait_timeline(timeline, 2, SOON_NS), Ok(()));
}

#[test]
fn fail_submit_fails_one_call_which_then_does_nothing() {
    for (script, result) in [
        ("fail-submit=1", vk::Result::ERROR_OUT_OF_HOST_MEMORY),
        ("fail-submit=1:-2", vk::Result::ERROR_OUT_OF_DEVICE_MEMORY),
    ] {
        let gpu = Gpu::new(script);
        let fence = gpu.fence();
        assert_eq!(gpu.submit_fence(fence), Err(result));
        assert_eq!(gpu.wait_fence(fence, A_WHILE_NS), Err(vk::Result::TIMEOUT));
        gpu.submit_fence(fence).unwrap();
        assert_eq!(gpu.wait_fence(fence, SOON_NS), Ok(()));
    }
}

#[test]
fn stall_stops_one_queue_without_using_the_processor() {
    let gpu = Gpu::new("stall=2,queues=2");
    let (before, at, after, elsewhere) = (gpu.fence(), gpu.fence(), gpu.fence(), gpu.fence());
    for fence in [before, at, after] {
        gpu.submit_fence(fence).unwrap();
    }
    gpu.submit(1, &[], &[], &[], elsewhere).unwrap();
    assert_eq!(gpu.wait_fence(before, SOON_NS), Ok(()));
    assert_eq!(gpu.wait_fence(elsewhere, SOON_NS), Ok(()));
    assert_eq!(gpu.wait_fence(at, A_WHILE_NS), Err(vk::Result::TIMEOUT));
    assert_eq!(gpu.wait_fence(after, 0), Err(vk::Result::TIMEOUT));
    // SAFETY: live handles.
    let idle = start(move || unsafe { gpu.device.device_wait_idle() });
    assert!(is_stuck(&idle));
}

#[test]
fn busy_burns_the_processor_until_the_device_is_destroyed() {
    let gpu = Gpu::new("busy=1,queues=7");
    let fence = gpu.fence();
    // No other test has a seventh queue, so its thread is known by its name.
    gpu.submit(6, &[], &[], &[], fence).unwrap();
    let before = ticks_of("fake-queue-6");
    assert_eq!(gpu.wait_fence(fence, 10 * A_WHILE_NS), Err(vk::Result::TIMEOUT));
    assert!(ticks_of("fake-queue-6") > before);
    // SAFETY: not valid usage, but the driver allows it, and the core is free again.
    unsafe { gpu.device.destroy_device(None) };
}

/// The processor time of the threads of a name, in clock ticks.
fn ticks_of(name: &str) -> u64 {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let stats =
        tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("stat")).ok());
    let ours = stats.filter(|stat| stat.contains(&format!("({name})")));
    // Fields 14 and 15 of proc(5) are user and system time; what follows the name begins with field 3.
    let ticks = |stat: String| -> u64 {
        let fields = stat.rsplit_once(") ").unwrap().1.split(' ');
        fields.skip(11).take(2).map(|field| field.parse::<u64>().unwrap()).sum()
    };
    ours.map(ticks).sum()
}

#[test]
fn lost_at_loses_the_device_and_ends_every_wait() {
    let gpu = Gpu::new("lost-at=2");
    let timeline = gpu.timeline().unwrap();
    let other = gpu.clone();
    let waiting = start(move || other.wait_timeline(timeline, 1, u64::MAX));
    let (first, second) = (gpu.fence(), gpu.fence());
    gpu.submit_fence(first).unwrap();
    assert_eq!(gpu.wait_fence(first, SOON_NS), Ok(()));
    gpu.submit_fence(second).unwrap();
    let lost = Err(vk::Result::ERROR_DEVICE_LOST);
    assert_eq!(gpu.wait_fence(second, SOON_NS), lost);
    assert_eq!(crate::support::outcome(&waiting), lost);
    assert_eq!(gpu.submit_fence(first), lost);
    // SAFETY: live handles.
    assert_eq!(unsafe { gpu.device.device_wait_idle() }, lost);
}

#[test]
fn acquire_out_of_date_lasts_until_the_swapchain_is_replaced() {
    let gpu = Gpu::new("acquire-out-of-date=2");
    let old = gpu.swapchain(3, vk::SwapchainKHR::null());
    assert_eq!(acquire(&gpu, old, 0), Ok(0));
    let out_of_date = Err(vk::Result::ERROR_OUT_OF_DATE_KHR);
    assert_eq!([acquire(&gpu, old, 0), acquire(&gpu, old, 0)], [out_of_date; 2]);
    assert_eq!(present(&gpu, old, 0, 1), Err(vk::Result::ERROR_OUT_OF_DATE_KHR));
    let new = gpu.swapchain(3, old);
    assert_eq!(acquire(&gpu, new, 0), Ok(0));
}

#[test]
fn withhold_after_keeps_what_is_presented() {
    let gpu = Gpu::new("withhold-after=2");
    let swapchain = gpu.swapchain(2, vk::SwapchainKHR::null());
    let image = acquire(&gpu, swapchain, 0).unwrap();
    present(&gpu, swapchain, image, 1).unwrap();
    assert_eq!(wait_for_present(&gpu, swapchain, 1, SOON_NS), Ok(()));
    for id in [2, 3] {
        let image = acquire(&gpu, swapchain, SOON_NS).unwrap();
        present(&gpu, swapchain, image, id).unwrap();
    }
    assert_eq!(wait_for_present(&gpu, swapchain, 2, A_WHILE_NS), Err(vk::Result::TIMEOUT));
    let blocked = start(move || acquire(&gpu, swapchain, u64::MAX));
    assert!(is_stuck(&blocked));
}

#[test]
fn exec_ms_is_how_long_a_batch_with_commands_takes() {
    let gpu = Gpu::new("exec-ms=60");
    let (empty, full) = (gpu.fence(), gpu.fence());
    let commands = gpu.commands(|_| ());
    let begun = Instant::now();
    gpu.submit_fence(empty).unwrap();
    gpu.submit(0, &[], &[commands], &[], full).unwrap();
    assert_eq!(gpu.wait_fence(full, SOON_NS), Ok(()));
    assert!(begun.elapsed() >= Duration::from_millis(60));
}

/// `void main() {}` in SPIR-V, for layers that look at it.
#[rustfmt::skip]
const EMPTY_SHADER: [u32; 35] = [
    0x0723_0203, 0x0001_0000, 0, 5, 0, // header: five identifiers
    0x0002_0011, 1, // capability Shader
    0x0003_000E, 0, 1, // memory model Logical GLSL450
    0x0005_000F, 5, 1, 0x6E69_616D, 0, // entry point GLCompute %1 "main"
    0x0006_0010, 1, 17, 1, 1, 1, // local size of %1 is 1 1 1
    0x0002_0013, 2, // %2 is void
    0x0003_0021, 3, 2, // %3 is a function to %2
    0x0005_0036, 2, 1, 0, 3, // %1 is a function of type %3
    0x0002_00F8, 4, // label %4
    0x0001_00FD, // return
    0x0001_0038, // end
];

#[test]
fn pipeline_ms_is_how_long_a_pipeline_takes() {
    let gpu = Gpu::new("hang-pipeline=1,pipeline-ms=60");
    // SAFETY: live handles.
    let (module, layout) = unsafe {
        let code = vk::ShaderModuleCreateInfo::default().code(&EMPTY_SHADER);
        let layout = vk::PipelineLayoutCreateInfo::default();
        (
            gpu.device.create_shader_module(&code, None).unwrap(),
            gpu.device.create_pipeline_layout(&layout, None).unwrap(),
        )
    };
    let stage = vk::PipelineShaderStageCreateInfo::default()
        .stage(vk::ShaderStageFlags::COMPUTE)
        .module(module)
        .name(c"main");
    let infos = [vk::ComputePipelineCreateInfo::default().stage(stage).layout(layout)];
    let cache = vk::PipelineCache::null();
    let begun = Instant::now();
    // SAFETY: live handles.
    let made = unsafe { gpu.device.create_compute_pipelines(cache, &infos, None) };
    assert_eq!(made.map(|pipelines| pipelines.len()), Ok(1));
    assert!(begun.elapsed() >= A_WHILE);
}

#[test]
fn hang_join_never_joins() {
    for (script, hangs) in [("", false), ("hang-join=1", true)] {
        let gpu = Gpu::new(script);
        let operations = khr::deferred_host_operations::Device::new(&gpu.instance, &gpu.device);
        // SAFETY: live handles.
        let join = start(move || unsafe {
            let operation = operations.create_deferred_operation(None).unwrap();
            operations.deferred_operation_join(operation)
        });
        assert_eq!(is_stuck(&join), hangs, "{script}");
    }
}
