//! The physical device: what do the calls say that ask about it?

use crate::features;
use crate::ffi::{Out, OutArray, entries};
use crate::instance::PhysicalDevice;
use crate::limits;
use ash::vk;
use std::ffi::c_void;

entries! {
    "vkGetPhysicalDeviceProperties" => properties,
    "vkGetPhysicalDeviceProperties2" | "vkGetPhysicalDeviceProperties2KHR" => properties2,
    "vkGetPhysicalDeviceFeatures" => features,
    "vkGetPhysicalDeviceFeatures2" | "vkGetPhysicalDeviceFeatures2KHR" => features2,
    "vkGetPhysicalDeviceMemoryProperties" => memory_properties,
    "vkGetPhysicalDeviceMemoryProperties2" | "vkGetPhysicalDeviceMemoryProperties2KHR" => memory_properties2,
    "vkGetPhysicalDeviceQueueFamilyProperties" => queue_families,
    "vkGetPhysicalDeviceQueueFamilyProperties2" | "vkGetPhysicalDeviceQueueFamilyProperties2KHR" => queue_families2,
    "vkGetPhysicalDeviceFormatProperties" => format,
    "vkGetPhysicalDeviceFormatProperties2" | "vkGetPhysicalDeviceFormatProperties2KHR" => format2,
    "vkGetPhysicalDeviceImageFormatProperties" => image_format,
    "vkGetPhysicalDeviceImageFormatProperties2" | "vkGetPhysicalDeviceImageFormatProperties2KHR" => image_format2,
    "vkGetPhysicalDeviceSparseImageFormatProperties" => sparse_formats,
    "vkGetPhysicalDeviceSparseImageFormatProperties2" | "vkGetPhysicalDeviceSparseImageFormatProperties2KHR"
        => sparse_formats2,
    "vkGetPhysicalDeviceExternalSemaphoreProperties" | "vkGetPhysicalDeviceExternalSemaphorePropertiesKHR"
        => external_semaphores,
    "vkGetPhysicalDeviceExternalFenceProperties" | "vkGetPhysicalDeviceExternalFencePropertiesKHR" => external_fences,
    "vkGetPhysicalDeviceExternalBufferProperties" | "vkGetPhysicalDeviceExternalBufferPropertiesKHR"
        => external_buffers,
    "vkGetPhysicalDeviceToolProperties" | "vkGetPhysicalDeviceToolPropertiesEXT" => tools,
}

/// The size of the only heap; nothing keeps a program from allocating more.
const HEAP_BYTES: u64 = 4 << 30;

extern "system" fn properties(
    physical: &PhysicalDevice,
    out: Out<'_, vk::PhysicalDeviceProperties>,
) {
    out.write(limits::properties(&physical.script));
}

extern "system" fn properties2(
    physical: &PhysicalDevice,
    out: &mut vk::PhysicalDeviceProperties2<'_>,
) {
    out.properties = limits::properties(&physical.script);
    // SAFETY: the caller owes a valid chain.
    unsafe { limits::fill_chain(out.p_next) }
}

extern "system" fn features(_physical: &PhysicalDevice, out: Out<'_, vk::PhysicalDeviceFeatures>) {
    out.write(features::basic());
}

extern "system" fn features2(physical: &PhysicalDevice, out: &mut vk::PhysicalDeviceFeatures2<'_>) {
    out.features = features::basic();
    // SAFETY: the caller owes a valid chain.
    unsafe { features::fill_chain(out.p_next, &physical.script) }
}

fn memory() -> vk::PhysicalDeviceMemoryProperties {
    let mut memory = vk::PhysicalDeviceMemoryProperties {
        memory_type_count: 1,
        memory_heap_count: 1,
        ..Default::default()
    };
    memory.memory_types[0] = vk::MemoryType {
        property_flags: vk::MemoryPropertyFlags::DEVICE_LOCAL
            | vk::MemoryPropertyFlags::HOST_VISIBLE
            | vk::MemoryPropertyFlags::HOST_COHERENT
            | vk::MemoryPropertyFlags::HOST_CACHED,
        heap_index: 0,
    };
    memory.memory_heaps[0] =
        vk::MemoryHeap { size: HEAP_BYTES, flags: vk::MemoryHeapFlags::DEVICE_LOCAL };
    memory
}

extern "system" fn memory_properties(
    _physical: &PhysicalDevice,
    out: Out<'_, vk::PhysicalDeviceMemoryProperties>,
) {
    out.write(memory());
}

extern "system" fn memory_properties2(
    _physical: &PhysicalDevice,
    out: &mut vk::PhysicalDeviceMemoryProperties2<'_>,
) {
    out.memory_properties = memory();
}

fn family(physical: &PhysicalDevice) -> Vec<vk::QueueFamilyProperties> {
    vec![vk::QueueFamilyProperties {
        queue_flags: vk::QueueFlags::GRAPHICS
            | vk::QueueFlags::COMPUTE
            | vk::QueueFlags::TRANSFER
            | vk::QueueFlags::SPARSE_BINDING,
        queue_count: physical.script.queues,
        timestamp_valid_bits: u64::BITS,
        min_image_transfer_granularity: vk::Extent3D { width: 1, height: 1, depth: 1 },
    }]
}

extern "system" fn queue_families(
    physical: &PhysicalDevice,
    count: &mut u32,
    out: OutArray<vk::QueueFamilyProperties>,
) {
    // This call has no way to say that the room was too small.
    let _ = out.enumerate(count, family(physical), |slot, family| *slot = family);
}

extern "system" fn queue_families2(
    physical: &PhysicalDevice,
    count: &mut u32,
    out: OutArray<vk::QueueFamilyProperties2<'_>>,
) {
    let put =
        |slot: &mut vk::QueueFamilyProperties2<'_>, family| slot.queue_family_properties = family;
    let _ = out.enumerate(count, family(physical), put);
}

/// Nothing is rendered, so every format can do everything that its aspect allows.
fn format_features(format: vk::Format) -> vk::FormatProperties {
    use vk::FormatFeatureFlags as Can;
    let always =
        Can::SAMPLED_IMAGE | Can::TRANSFER_SRC | Can::TRANSFER_DST | Can::BLIT_SRC | Can::BLIT_DST;
    let color = always
        | Can::COLOR_ATTACHMENT
        | Can::COLOR_ATTACHMENT_BLEND
        | Can::STORAGE_IMAGE
        | Can::SAMPLED_IMAGE_FILTER_LINEAR;
    let buffer = Can::VERTEX_BUFFER | Can::UNIFORM_TEXEL_BUFFER | Can::STORAGE_TEXEL_BUFFER;
    let depth = vk::Format::D16_UNORM..=vk::Format::D32_SFLOAT_S8_UINT;
    let (tiled, buffer_features) = match format {
        vk::Format::UNDEFINED => (Can::empty(), Can::empty()),
        format if depth.contains(&format) => (always | Can::DEPTH_STENCIL_ATTACHMENT, Can::empty()),
        _ => (color, buffer),
    };
    vk::FormatProperties {
        linear_tiling_features: tiled,
        optimal_tiling_features: tiled,
        buffer_features,
    }
}

extern "system" fn format(
    _physical: &PhysicalDevice,
    format: vk::Format,
    out: Out<'_, vk::FormatProperties>,
) {
    out.write(format_features(format));
}

extern "system" fn format2(
    _physical: &PhysicalDevice,
    format: vk::Format,
    out: &mut vk::FormatProperties2<'_>,
) {
    out.format_properties = format_features(format);
}

fn image_properties(kind: vk::ImageType) -> vk::ImageFormatProperties {
    let side = limits::IMAGE_SIDE_MAX;
    let (height, depth) = match kind {
        vk::ImageType::TYPE_1D => (1, 1),
        vk::ImageType::TYPE_2D => (side, 1),
        _ => (side, side),
    };
    vk::ImageFormatProperties {
        max_extent: vk::Extent3D { width: side, height, depth },
        max_mip_levels: side.ilog2() + 1,
        max_array_layers: if depth > 1 { 1 } else { limits::IMAGE_LAYERS_MAX },
        sample_counts: vk::SampleCountFlags::TYPE_1 | vk::SampleCountFlags::TYPE_4,
        max_resource_size: HEAP_BYTES,
    }
}

extern "system" fn image_format(
    _physical: &PhysicalDevice,
    format: vk::Format,
    kind: vk::ImageType,
    _tiling: vk::ImageTiling,
    _usage: vk::ImageUsageFlags,
    _flags: vk::ImageCreateFlags,
    out: Out<'_, vk::ImageFormatProperties>,
) -> vk::Result {
    if format == vk::Format::UNDEFINED {
        out.write(vk::ImageFormatProperties::default());
        return vk::Result::ERROR_FORMAT_NOT_SUPPORTED;
    }
    out.write(image_properties(kind));
    vk::Result::SUCCESS
}

extern "system" fn image_format2(
    _physical: &PhysicalDevice,
    info: &vk::PhysicalDeviceImageFormatInfo2<'_>,
    out: &mut vk::ImageFormatProperties2<'_>,
) -> vk::Result {
    if info.format == vk::Format::UNDEFINED {
        out.image_format_properties = vk::ImageFormatProperties::default();
        return vk::Result::ERROR_FORMAT_NOT_SUPPORTED;
    }
    out.image_format_properties = image_properties(info.ty);
    vk::Result::SUCCESS
}

/// Sparse binding without residency: no format has blocks.
extern "system" fn sparse_formats(
    _physical: &PhysicalDevice,
    _format: vk::Format,
    _kind: vk::ImageType,
    _samples: vk::SampleCountFlags,
    _usage: vk::ImageUsageFlags,
    _tiling: vk::ImageTiling,
    count: &mut u32,
) {
    *count = 0;
}

extern "system" fn sparse_formats2(
    _physical: &PhysicalDevice,
    _info: *const c_void,
    count: &mut u32,
) {
    *count = 0;
}

extern "system" fn external_semaphores(
    _physical: &PhysicalDevice,
    info: &vk::PhysicalDeviceExternalSemaphoreInfo<'_>,
    out: &mut vk::ExternalSemaphoreProperties<'_>,
) {
    use vk::{ExternalSemaphoreFeatureFlags as Can, ExternalSemaphoreHandleTypeFlags as Handle};
    // SAFETY: the caller owes a valid chain.
    let wanted = unsafe { crate::ffi::find::<vk::SemaphoreTypeCreateInfo<'_>>(info.p_next) };
    let timeline =
        wanted.is_some_and(|wanted| wanted.semaphore_type == vk::SemaphoreType::TIMELINE);
    // A sync file is one signal, which a timeline cannot be.
    let supported = match info.handle_type {
        Handle::OPAQUE_FD => true,
        Handle::SYNC_FD => !timeline,
        _ => false,
    };
    let types = if supported { info.handle_type } else { Handle::empty() };
    out.export_from_imported_handle_types = types;
    out.compatible_handle_types = types;
    out.external_semaphore_features =
        if supported { Can::EXPORTABLE | Can::IMPORTABLE } else { Can::empty() };
}

extern "system" fn external_fences(
    _physical: &PhysicalDevice,
    info: &vk::PhysicalDeviceExternalFenceInfo<'_>,
    out: &mut vk::ExternalFenceProperties<'_>,
) {
    use vk::{ExternalFenceFeatureFlags as Can, ExternalFenceHandleTypeFlags as Handle};
    let supported = matches!(info.handle_type, Handle::OPAQUE_FD | Handle::SYNC_FD);
    let types = if supported { info.handle_type } else { Handle::empty() };
    out.export_from_imported_handle_types = types;
    out.compatible_handle_types = types;
    out.external_fence_features =
        if supported { Can::EXPORTABLE | Can::IMPORTABLE } else { Can::empty() };
}

extern "system" fn external_buffers(
    _physical: &PhysicalDevice,
    _info: *const c_void,
    out: &mut vk::ExternalBufferProperties<'_>,
) {
    out.external_memory_properties = vk::ExternalMemoryProperties::default();
}

extern "system" fn tools(_physical: &PhysicalDevice, count: &mut u32) -> vk::Result {
    *count = 0;
    vk::Result::SUCCESS
}
