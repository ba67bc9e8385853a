//! Pipelines, deferred operations, descriptor sets: what has a dummy handle but a behaviour of its own?

use crate::device::Device;
use crate::ffi::{Allocator, Array, Out, OutArray, entries};
use crate::world::{self, Deadline};
use ash::vk;
use std::ffi::c_void;

entries! {
    "vkCreateGraphicsPipelines" => create,
    "vkCreateComputePipelines" => create,
    "vkCreateDeferredOperationKHR" => create_operation,
    "vkDeferredOperationJoinKHR" => join,
    "vkGetDeferredOperationResultKHR" => operation_result,
    "vkGetDeferredOperationMaxConcurrencyKHR" => operation_concurrency,
    "vkAllocateDescriptorSets" => allocate_sets,
    "vkGetDescriptorSetLayoutSupport" | "vkGetDescriptorSetLayoutSupportKHR" => layout_support,
    "vkGetPipelineCacheData" => cache_data,
    "vkGetRenderAreaGranularity" => granularity,
    "vkGetPrivateData" | "vkGetPrivateDataEXT" => private_data,
    "vkGetDeviceGroupPeerMemoryFeatures" | "vkGetDeviceGroupPeerMemoryFeaturesKHR" => peer_memory,
}

/// Makes pipelines of either kind, as slowly as the script says; the create infos are not looked at.
extern "system" fn create(
    device: &Device,
    _cache: vk::PipelineCache,
    count: u32,
    _infos: Array<c_void>,
    _allocator: Allocator,
    out: OutArray<vk::Pipeline>,
) -> vk::Result {
    if !device.script.pipeline.is_zero() {
        std::thread::sleep(device.script.pipeline);
    }
    out.fill((0..count).map(|_| world::fresh()));
    vk::Result::SUCCESS
}

extern "system" fn create_operation(
    _device: &Device,
    _allocator: Allocator,
    out: Out<'_, vk::DeferredOperationKHR>,
) -> vk::Result {
    out.write(world::fresh());
    vk::Result::SUCCESS
}

/// No call of this driver is ever deferred, so there is nothing to join unless the script says so.
extern "system" fn join(device: &Device, _operation: vk::DeferredOperationKHR) -> vk::Result {
    device.wait(Deadline::Never, |_| !device.script.hang_join)
}

extern "system" fn operation_result(
    device: &Device,
    _operation: vk::DeferredOperationKHR,
) -> vk::Result {
    if device.script.hang_join { vk::Result::NOT_READY } else { vk::Result::SUCCESS }
}

extern "system" fn operation_concurrency(
    device: &Device,
    _operation: vk::DeferredOperationKHR,
) -> u32 {
    u32::from(device.script.hang_join)
}

extern "system" fn allocate_sets(
    _device: &Device,
    info: &vk::DescriptorSetAllocateInfo<'_>,
    out: OutArray<vk::DescriptorSet>,
) -> vk::Result {
    out.fill((0..info.descriptor_set_count).map(|_| world::fresh()));
    vk::Result::SUCCESS
}

extern "system" fn layout_support(
    _device: &Device,
    _info: *const c_void,
    out: &mut vk::DescriptorSetLayoutSupport<'_>,
) {
    out.supported = vk::TRUE;
}

extern "system" fn cache_data(
    _device: &Device,
    _cache: vk::PipelineCache,
    size: &mut usize,
) -> vk::Result {
    *size = 0;
    vk::Result::SUCCESS
}

extern "system" fn granularity(
    _device: &Device,
    _pass: vk::RenderPass,
    out: Out<'_, vk::Extent2D>,
) {
    out.write(vk::Extent2D { width: 1, height: 1 });
}

/// What was set is forgotten, and what was not set is zero.
extern "system" fn private_data(
    _device: &Device,
    _kind: vk::ObjectType,
    _object: u64,
    _slot: vk::PrivateDataSlot,
    out: Out<'_, u64>,
) {
    out.write(0);
}

extern "system" fn peer_memory(
    _device: &Device,
    _heap: u32,
    _local: u32,
    _remote: u32,
    out: Out<'_, vk::PeerMemoryFeatureFlags>,
) {
    out.write(vk::PeerMemoryFeatureFlags::empty());
}
