//! Do memory, queries and the device's description behave as Vulkan says?

use crate::support::{Gpu, SOON_NS, is_stuck, outcome, start};
use ash::vk;

#[test]
fn the_device_describes_itself() {
    let gpu = Gpu::new("");
    let (mut twelve, mut thirteen) = (
        vk::PhysicalDeviceVulkan12Features::default(),
        vk::PhysicalDeviceVulkan13Features::default(),
    );
    let mut features =
        vk::PhysicalDeviceFeatures2::default().push_next(&mut twelve).push_next(&mut thirteen);
    // SAFETY: live handles.
    unsafe {
        let properties = gpu.instance.get_physical_device_properties(gpu.physical);
        assert_eq!(properties.device_name_as_c_str(), Ok(c"unwedge fake device"));
        gpu.instance.get_physical_device_features2(gpu.physical, &mut features);
    }
    assert_eq!((twelve.timeline_semaphore, thirteen.synchronization2), (vk::TRUE, vk::TRUE));
    assert_eq!(gpu.queues.len(), 4);
}

#[test]
fn a_filled_and_copied_buffer_is_seen_through_its_mapping() {
    let gpu = Gpu::new("");
    let fence = gpu.fence();
    // SAFETY: live handles.
    unsafe {
        let memory = gpu
            .device
            .allocate_memory(&vk::MemoryAllocateInfo::default().allocation_size(4096), None)
            .unwrap();
        let usage = vk::BufferUsageFlags::TRANSFER_SRC | vk::BufferUsageFlags::TRANSFER_DST;
        let buffer_info = vk::BufferCreateInfo::default().size(256).usage(usage);
        let buffers = [0, 256].map(|offset| {
            let buffer = gpu.device.create_buffer(&buffer_info, None).unwrap();
            assert_eq!(gpu.device.get_buffer_memory_requirements(buffer).size, 256);
            gpu.device.bind_buffer_memory(buffer, memory, offset).unwrap();
            buffer
        });
        let commands = gpu.commands(|commands| {
            gpu.device.cmd_fill_buffer(commands, buffers[0], 8, vk::WHOLE_SIZE, 0xFEED_BEEF);
            gpu.device.cmd_update_buffer(commands, buffers[0], 0, &7_u32.to_ne_bytes());
            gpu.device.cmd_copy_buffer(
                commands,
                buffers[0],
                buffers[1],
                &[vk::BufferCopy::default().size(16)],
            );
        });
        gpu.submit(0, &[], &[commands], &[], fence).unwrap();
        gpu.wait_fence(fence, SOON_NS).unwrap();
        let mapped =
            gpu.device.map_memory(memory, 0, vk::WHOLE_SIZE, vk::MemoryMapFlags::empty()).unwrap();
        let words = std::slice::from_raw_parts(mapped.cast::<u32>(), 1024);
        assert_eq!(words[..3], [7, 0, 0xFEED_BEEF]);
        assert_eq!(words[63..69], [0xFEED_BEEF, 7, 0, 0xFEED_BEEF, 0xFEED_BEEF, 0]);
    }
}

#[test]
fn a_query_is_unavailable_until_its_batch_executes() {
    let gpu = Gpu::new("");
    // SAFETY: live handles.
    unsafe {
        let info =
            vk::QueryPoolCreateInfo::default().query_type(vk::QueryType::TIMESTAMP).query_count(2);
        let pool = gpu.device.create_query_pool(&info, None).unwrap();
        let commands = gpu.commands(|buffer| {
            gpu.device.cmd_reset_query_pool(buffer, pool, 0, 2);
            gpu.device.cmd_write_timestamp(buffer, vk::PipelineStageFlags::TOP_OF_PIPE, pool, 0);
            gpu.device.cmd_begin_query(buffer, pool, 1, vk::QueryControlFlags::empty());
            gpu.device.cmd_end_query(buffer, pool, 1);
        });
        let flags = vk::QueryResultFlags::TYPE_64 | vk::QueryResultFlags::WITH_AVAILABILITY;
        let mut results = [[9_u64; 2]; 2];
        assert_eq!(
            gpu.device.get_query_pool_results(pool, 0, &mut results, flags),
            Err(vk::Result::NOT_READY)
        );
        assert_eq!(results, [[9, 0]; 2]);
        let device = gpu.device.clone();
        let waiting = start(move || {
            let mut results = [[9_u64; 2]; 2];
            let wait = flags | vk::QueryResultFlags::WAIT;
            device.get_query_pool_results(pool, 0, &mut results, wait).map(|()| results)
        });
        assert!(is_stuck(&waiting));
        gpu.submit(0, &[], &[commands], &[], vk::Fence::null()).unwrap();
        let [timestamp, occlusion] = outcome(&waiting).unwrap();
        assert!(timestamp[0] > 9 && timestamp[1] == 1);
        assert_eq!(occlusion, [0, 1]);
    }
}

#[test]
fn command_buffers_accept_what_they_do_not_execute() {
    let gpu = Gpu::new("");
    let fence = gpu.fence();
    let commands = gpu.commands(|buffer| {
        let stages = vk::PipelineStageFlags::ALL_COMMANDS;
        let none = vk::DependencyFlags::empty();
        // SAFETY: live handles.
        unsafe {
            gpu.device.cmd_pipeline_barrier(buffer, stages, stages, none, &[], &[], &[]);
            gpu.device.cmd_pipeline_barrier2(buffer, &vk::DependencyInfo::default());
            gpu.device.cmd_dispatch(buffer, 1, 1, 1);
        }
    });
    gpu.submit(0, &[], &[commands], &[], fence).unwrap();
    assert_eq!(gpu.wait_fence(fence, SOON_NS), Ok(()));
}

#[test]
fn a_destroyed_device_ends_its_queue_threads_even_when_they_wait() {
    let gpu = Gpu::new("queues=1");
    let timeline = gpu.timeline().unwrap();
    gpu.submit(0, &[(timeline, 1)], &[], &[], vk::Fence::null()).unwrap();
    // SAFETY: not valid usage, but what a program does whose user closed the window during a hang.
    unsafe {
        gpu.device.destroy_device(None);
        gpu.instance.destroy_instance(None);
    }
}
