//! Which calls does the driver accept without doing anything?
//!
//! Three functions stand for over a hundred. They rely on the C calling conventions of Linux, where the caller removes the
//! arguments and a callee may ignore any of them.

use crate::ffi::{Allocator, Entry, Out};
use crate::world;
use ash::vk;
use std::ffi::c_void;

/// The address for a call that only has to be accepted.
pub(crate) fn entry(name: &str) -> Option<Entry> {
    let promoted = name.strip_suffix("KHR").or_else(|| name.strip_suffix("EXT")).unwrap_or(name);
    if let Some(object) = promoted.strip_prefix("vkCreate") {
        return OBJECTS.contains(&object).then_some(create as Entry);
    }
    if let Some(object) = promoted.strip_prefix("vkDestroy") {
        return (OBJECTS.contains(&object) || DESTROYED_ONLY.contains(&object))
            .then_some(succeed as Entry);
    }
    if let Some(command) = promoted.strip_prefix("vkCmd") {
        return COMMANDS.contains(&command).then_some(succeed as Entry);
    }
    CALLS.contains(&promoted).then_some(succeed as Entry)
}

/// Makes an object that is nothing but a handle. The parent may be an instance or a device; neither is looked at.
extern "system" fn create(
    _parent: *const c_void,
    _info: *const c_void,
    _allocator: Allocator,
    out: Out<'_, u64>,
) -> vk::Result {
    out.write(vk::Handle::as_raw(world::fresh::<vk::Pipeline>()));
    vk::Result::SUCCESS
}

/// Succeeds. Callers of functions without a result ignore the register that it is in.
extern "system" fn succeed() -> vk::Result {
    vk::Result::SUCCESS
}

/// Objects whose create call has the common form: parent, info, allocator, handle.
const OBJECTS: [&str; 14] = [
    "BufferView",
    "DescriptorPool",
    "DescriptorSetLayout",
    "DescriptorUpdateTemplate",
    "Framebuffer",
    "PipelineCache",
    "PipelineLayout",
    "PrivateDataSlot",
    "RenderPass",
    "RenderPass2",
    "Sampler",
    "SamplerYcbcrConversion",
    "ShaderModule",
    "ValidationCache",
];

/// Objects that are made by calls of another form or name.
const DESTROYED_ONLY: [&str; 2] = ["DeferredOperation", "Pipeline"];

const CALLS: [&str; 13] = [
    "vkTrimCommandPool",
    "vkUnmapMemory",
    "vkFlushMappedMemoryRanges",
    "vkInvalidateMappedMemoryRanges",
    "vkBindImageMemory",
    "vkBindImageMemory2",
    "vkMergePipelineCaches",
    "vkResetDescriptorPool",
    "vkFreeDescriptorSets",
    "vkUpdateDescriptorSets",
    "vkUpdateDescriptorSetWithTemplate",
    "vkSetPrivateData",
    "vkSetDebugUtilsObjectName",
];

/// Commands without an effect that a wait or a mapped pointer could observe.
const COMMANDS: [&str; 51] = [
    "BindDescriptorSets",
    "BindIndexBuffer",
    "BindPipeline",
    "BindVertexBuffers",
    "BindVertexBuffers2",
    "BlitImage2",
    "ClearAttachments",
    "ClearDepthStencilImage",
    "CopyBufferToImage2",
    "CopyImage2",
    "CopyImageToBuffer2",
    "Dispatch",
    "DispatchBase",
    "DispatchIndirect",
    "Draw",
    "DrawIndexed",
    "DrawIndexedIndirect",
    "DrawIndexedIndirectCount",
    "DrawIndirect",
    "DrawIndirectCount",
    "EndRenderPass",
    "EndRenderPass2",
    "EndRendering",
    "NextSubpass",
    "NextSubpass2",
    "PushConstants",
    "ResolveImage2",
    "SetBlendConstants",
    "SetCullMode",
    "SetDepthBias",
    "SetDepthBiasEnable",
    "SetDepthBounds",
    "SetDepthBoundsTestEnable",
    "SetDepthCompareOp",
    "SetDepthTestEnable",
    "SetDepthWriteEnable",
    "SetDeviceMask",
    "SetFrontFace",
    "SetLineWidth",
    "SetPrimitiveRestartEnable",
    "SetPrimitiveTopology",
    "SetRasterizerDiscardEnable",
    "SetScissor",
    "SetScissorWithCount",
    "SetStencilCompareMask",
    "SetStencilOp",
    "SetStencilReference",
    "SetStencilTestEnable",
    "SetStencilWriteMask",
    "SetViewport",
    "SetViewportWithCount",
];
