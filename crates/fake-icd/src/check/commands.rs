//! Command pools and buffers: may they be recorded, reset or freed now?

use super::{Object, destroy};
use crate::command::{CommandBuffer, State};
use crate::device::Device;
use crate::world::World;
use ash::vk::{self, Handle as _};

/// The pending work that executes this command buffer.
fn user(world: &World, address: usize) -> Option<&str> {
    world.watched.user(|uses| uses.command_buffers.contains(&address))
}

fn pending(device: &Device, world: &World, call: &str, address: usize, rule: &'static str) {
    if let Some(user) = user(world, address) {
        let what =
            format!("{call}: {user}, which executes command buffer {address:#x}, is pending");
        device.log.violation(rule, what);
    }
}

fn freed(buffer: &CommandBuffer, call: &str) -> bool {
    let freed = buffer.recording().state == State::Freed;
    if freed {
        let what = format!("{call}: command buffer {:#x} was freed", buffer.address());
        buffer.device.log.violation("stale handle", what);
    }
    freed
}

/// A command buffer is about to begin.
pub(crate) fn begin(buffer: &CommandBuffer) {
    const CALL: &str = "vkBeginCommandBuffer";
    let device = buffer.device;
    if !device.log.checks() || freed(buffer, CALL) {
        return;
    }
    let rule = "VUID-vkBeginCommandBuffer-commandBuffer-00049";
    pending(device, &device.lock(), CALL, buffer.address(), rule);
    let (state, resettable) = {
        let recording = buffer.recording();
        (recording.state, recording.resettable)
    };
    let address = buffer.address();
    if state == State::Recording {
        let what = format!("{CALL}: command buffer {address:#x} is being recorded");
        device.log.violation(rule, what);
    } else if state != State::Initial && !resettable {
        let rule = "VUID-vkBeginCommandBuffer-commandBuffer-00050";
        let what = format!("{CALL}: command buffer {address:#x} cannot be reset alone");
        device.log.violation(rule, what);
    }
}

/// A command buffer is about to end.
pub(crate) fn end(buffer: &CommandBuffer) {
    const CALL: &str = "vkEndCommandBuffer";
    let device = buffer.device;
    if !device.log.checks() || freed(buffer, CALL) {
        return;
    }
    let state = buffer.recording().state;
    if state != State::Recording {
        let what = format!("{CALL}: command buffer {:#x} is not being recorded", buffer.address());
        device.log.violation("VUID-vkEndCommandBuffer-commandBuffer-00059", what);
    }
}

/// A command buffer is about to be reset.
pub(crate) fn reset_command_buffer(buffer: &CommandBuffer) {
    const CALL: &str = "vkResetCommandBuffer";
    let device = buffer.device;
    if !device.log.checks() || freed(buffer, CALL) {
        return;
    }
    let rule = "VUID-vkResetCommandBuffer-commandBuffer-00045";
    pending(device, &device.lock(), CALL, buffer.address(), rule);
    let resettable = buffer.recording().resettable;
    if !resettable {
        let rule = "VUID-vkResetCommandBuffer-commandBuffer-00046";
        let what = format!("{CALL}: the pool of {:#x} does not allow it", buffer.address());
        device.log.violation(rule, what);
    }
}

/// Command buffers are about to be freed.
pub(crate) fn free_command_buffers(device: &Device, world: &World, addresses: &[usize]) {
    let rule = "VUID-vkFreeCommandBuffers-pCommandBuffers-00047";
    for &address in addresses {
        pending(device, world, "vkFreeCommandBuffers", address, rule);
    }
}

fn pool(device: &Device, world: &World, call: &str, pool: vk::CommandPool, rule: &'static str) {
    let buffers = world.command_pools.get(&pool.as_raw());
    for &address in buffers.iter().flat_map(|pool| pool.buffers.keys()) {
        pending(device, world, call, address, rule);
    }
}

/// All command buffers of a pool are about to be reset.
pub(crate) fn reset_command_pool(device: &Device, world: &World, handle: vk::CommandPool) {
    const CALL: &str = "vkResetCommandPool";
    super::known(device, world, CALL, Object::CommandPool, handle.as_raw());
    pool(device, world, CALL, handle, "VUID-vkResetCommandPool-commandPool-00040");
}

/// A pool is about to be destroyed.
pub(crate) fn destroy_command_pool(device: &Device, world: &mut World, handle: vk::CommandPool) {
    const CALL: &str = "vkDestroyCommandPool";
    pool(device, world, CALL, handle, Object::CommandPool.rule());
    destroy(device, world, CALL, Object::CommandPool, handle.as_raw());
}
