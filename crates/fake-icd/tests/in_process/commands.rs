//! Does the check follow command buffers, and do commands do their work once, when their batch executes?

use crate::rig::Rig;
use crate::rules::check;
use ash::vk;

const NO_FENCE: vk::Fence = vk::Fence::null();
const ONCE: vk::CommandBufferUsageFlags = vk::CommandBufferUsageFlags::ONE_TIME_SUBMIT;
const OFTEN: vk::CommandBufferUsageFlags = vk::CommandBufferUsageFlags::empty();

/// A command buffer that was submitted and is not known to be done.
fn pending(rig: &Rig) -> vk::CommandBuffer {
    let buffer = rig.recorded(|_| {});
    rig.submit(&[], &[buffer], &[], NO_FENCE).unwrap();
    buffer
}

fn idle(rig: &Rig) -> vk::CommandBuffer {
    let buffer = pending(rig);
    rig.wait_idle();
    buffer
}

fn reset_pool(rig: &Rig) {
    let flags = vk::CommandPoolResetFlags::empty();
    // SAFETY: as in `Rig::new`.
    unsafe { rig.device.reset_command_pool(rig.pool, flags).unwrap() };
}

#[test]
fn a_pending_command_buffer_is_not_touched() {
    let rule = "VUID-vkBeginCommandBuffer-commandBuffer-00049";
    check(rule, |rig| rig.begin(pending(rig), OFTEN), |rig| rig.begin(idle(rig), OFTEN));
    let reset = |rig: &Rig, buffer| {
        let flags = vk::CommandBufferResetFlags::empty();
        // SAFETY: as in `Rig::new`.
        unsafe { rig.device.reset_command_buffer(buffer, flags).unwrap() };
    };
    let rule = "VUID-vkResetCommandBuffer-commandBuffer-00045";
    check(rule, |rig| reset(rig, pending(rig)), |rig| reset(rig, idle(rig)));
    // SAFETY: as in `Rig::new`.
    let free = |rig: &Rig, buffer| unsafe { rig.device.free_command_buffers(rig.pool, &[buffer]) };
    let rule = "VUID-vkFreeCommandBuffers-pCommandBuffers-00047";
    check(rule, |rig| free(rig, pending(rig)), |rig| free(rig, idle(rig)));
    let rule = "VUID-vkResetCommandPool-commandPool-00040";
    let reset_all = |rig: &Rig, _| reset_pool(rig);
    check(rule, |rig| reset_all(rig, pending(rig)), |rig| reset_all(rig, idle(rig)));
    // SAFETY: as in `Rig::new`.
    let destroy = |rig: &Rig, _| unsafe { rig.device.destroy_command_pool(rig.pool, None) };
    let rule = "VUID-vkDestroyCommandPool-commandPool-00041";
    check(rule, |rig| destroy(rig, pending(rig)), |rig| destroy(rig, idle(rig)));
}

#[test]
fn a_command_buffer_is_recorded_then_submitted() {
    // SAFETY: as in `Rig::new`.
    let end = |rig: &Rig, buffer| unsafe { rig.device.end_command_buffer(buffer).unwrap() };
    check(
        "VUID-vkEndCommandBuffer-commandBuffer-00059",
        |rig| end(rig, rig.recorded(|_| {})),
        |rig| assert_ne!(rig.recorded(|_| {}), vk::CommandBuffer::null()),
    );
    check(
        "VUID-vkBeginCommandBuffer-commandBuffer-00049",
        |rig| {
            let buffer = rig.allocate();
            (0..2).for_each(|_| rig.begin(buffer, OFTEN));
        },
        |rig| rig.begin(rig.recorded(|_| {}), OFTEN),
    );
    let submit = |rig: &Rig, buffer| rig.submit(&[], &[buffer], &[], NO_FENCE).unwrap();
    check(
        "VUID-vkQueueSubmit-pCommandBuffers-00070",
        |rig| submit(rig, rig.allocate()),
        |rig| submit(rig, rig.recorded(|_| {})),
    );
    check(
        "VUID-vkQueueSubmit-pCommandBuffers-00071",
        |rig| submit(rig, pending(rig)),
        |rig| submit(rig, idle(rig)),
    );
    let twice = |rig: &Rig, flags| {
        let buffer = rig.allocate();
        rig.begin(buffer, flags);
        end(rig, buffer);
        for _ in 0..2 {
            submit(rig, buffer);
            rig.wait_idle();
        }
    };
    let rule = "VUID-vkQueueSubmit-pCommandBuffers-00070";
    check(rule, |rig| twice(rig, ONCE), |rig| twice(rig, OFTEN));
}

#[test]
fn a_command_buffer_is_reset_alone_only_if_its_pool_lets_it() {
    let from_pool = |rig: &Rig, flags| {
        let info = vk::CommandPoolCreateInfo::default().flags(flags);
        // SAFETY: as in `Rig::new`.
        unsafe {
            let pool = rig.device.create_command_pool(&info, None).unwrap();
            let info =
                vk::CommandBufferAllocateInfo::default().command_pool(pool).command_buffer_count(1);
            rig.device.allocate_command_buffers(&info).unwrap()[0]
        }
    };
    let begin_twice = |rig: &Rig, flags| {
        let buffer = from_pool(rig, flags);
        rig.begin(buffer, OFTEN);
        // SAFETY: as in `Rig::new`.
        unsafe { rig.device.end_command_buffer(buffer).unwrap() };
        rig.begin(buffer, OFTEN);
    };
    let (never, alone) =
        (vk::CommandPoolCreateFlags::empty(), vk::CommandPoolCreateFlags::RESET_COMMAND_BUFFER);
    let rule = "VUID-vkBeginCommandBuffer-commandBuffer-00050";
    check(rule, |rig| begin_twice(rig, never), |rig| begin_twice(rig, alone));
    let reset = |rig: &Rig, flags| {
        let buffer = from_pool(rig, flags);
        let flags = vk::CommandBufferResetFlags::empty();
        // SAFETY: as in `Rig::new`.
        unsafe { rig.device.reset_command_buffer(buffer, flags).unwrap() };
    };
    let rule = "VUID-vkResetCommandBuffer-commandBuffer-00046";
    check(rule, |rig| reset(rig, never), |rig| reset(rig, alone));
}

#[test]
fn a_freed_command_buffer_is_stale() {
    check(
        "stale handle",
        |rig| {
            let buffer = rig.recorded(|_| {});
            // SAFETY: as in `Rig::new`.
            unsafe { rig.device.free_command_buffers(rig.pool, &[buffer]) };
            rig.submit(&[], &[buffer], &[], NO_FENCE).unwrap();
        },
        |_| {},
    );
}

/// A mapped buffer of eight words.
struct Words {
    buffer: vk::Buffer,
    start: *const u32,
}

impl Words {
    fn new(rig: &Rig) -> Self {
        let info = vk::BufferCreateInfo::default().size(32);
        let memory = vk::MemoryAllocateInfo::default().allocation_size(32);
        let flags = vk::MemoryMapFlags::empty();
        // SAFETY: as in `Rig::new`.
        unsafe {
            let buffer = rig.device.create_buffer(&info, None).unwrap();
            let memory = rig.device.allocate_memory(&memory, None).unwrap();
            rig.device.bind_buffer_memory(buffer, memory, 0).unwrap();
            let start = rig.device.map_memory(memory, 0, vk::WHOLE_SIZE, flags).unwrap();
            Self { buffer, start: start.cast() }
        }
    }

    fn read(&self) -> [u32; 8] {
        // SAFETY: eight words are mapped there.
        unsafe { self.start.cast::<[u32; 8]>().read_volatile() }
    }
}

#[test]
fn buffers_are_written_when_the_batch_executes_and_not_before() {
    for script in ["execute=late", "execute=early", "execute=threads"] {
        let rig = Rig::new(script);
        let (from, to, fence) = (Words::new(&rig), Words::new(&rig), rig.fence());
        let buffer = rig.recorded(|buffer| {
            let region = vk::BufferCopy::default().src_offset(4).dst_offset(8).size(12);
            // SAFETY: as in `Rig::new`.
            unsafe {
                rig.device.cmd_fill_buffer(buffer, from.buffer, 0, vk::WHOLE_SIZE, 3);
                rig.device.cmd_update_buffer(buffer, from.buffer, 8, &9_u32.to_ne_bytes());
                rig.device.cmd_copy_buffer(buffer, from.buffer, to.buffer, &[region]);
            }
        });
        rig.submit(&[], &[buffer], &[], fence).unwrap();
        if script == "execute=late" {
            assert_eq!((from.read(), to.read()), ([0; 8], [0; 8]));
        }
        rig.wait(fence).unwrap();
        assert_eq!(from.read(), [3, 3, 9, 3, 3, 3, 3, 3], "{script}");
        assert_eq!(to.read(), [0, 0, 3, 9, 3, 0, 0, 0], "{script}");
    }
}

#[test]
fn a_submission_that_loses_the_device_may_have_executed_or_not() {
    for (script, word) in [("drops", 0), ("executes", 5)] {
        for execute in ["early", "late"] {
            let rig = Rig::new(&format!(
                "fail=vkQueueSubmit:1:DEVICE_LOST,lost-submit={script},execute={execute}"
            ));
            let words = Words::new(&rig);
            let buffer = rig.recorded(|buffer| {
                // SAFETY: as in `Rig::new`.
                unsafe { rig.device.cmd_fill_buffer(buffer, words.buffer, 0, 4, 5) };
            });
            let submitted = rig.submit(&[], &[buffer], &[], NO_FENCE);
            assert_eq!(submitted, Err(vk::Result::ERROR_DEVICE_LOST));
            assert_eq!(words.read()[0], word, "{script}");
            // SAFETY: as in `Rig::new`.
            let idle = unsafe { rig.device.device_wait_idle() };
            assert_eq!(idle, Err(vk::Result::ERROR_DEVICE_LOST));
        }
    }
}
