//! What is the device called, and how large may things be?

use crate::ffi::{self, put_text};
use crate::script::Script;
use ash::vk;
use std::ffi::c_void;

/// The largest side of an image.
pub(crate) const IMAGE_SIDE_MAX: u32 = 16384;

/// The largest number of layers of an image.
pub(crate) const IMAGE_LAYERS_MAX: u32 = 2048;

const DEVICE_NAME: &str = "unwedge fake device";

/// What no program should run into: descriptors, bindings, components.
const PLENTY: u32 = 1 << 16;

/// The vendor of a driver without hardware: Khronos's number for Mesa's software drivers.
const VENDOR: u32 = 0x10005;

/// Identifies device and driver, the same in every process, so that payloads could be shared.
const UUID: [u8; vk::UUID_SIZE] = *b"unwedge-fake-icd";

/// The properties of Vulkan 1.0.
pub(crate) fn properties(script: &Script) -> vk::PhysicalDeviceProperties {
    let mut properties = vk::PhysicalDeviceProperties {
        api_version: script.api_version(),
        driver_version: 1,
        vendor_id: VENDOR,
        device_id: 1,
        device_type: vk::PhysicalDeviceType::CPU,
        pipeline_cache_uuid: UUID,
        limits: limits(),
        ..Default::default()
    };
    put_text(&mut properties.device_name, DEVICE_NAME);
    properties
}

fn limits() -> vk::PhysicalDeviceLimits {
    vk::PhysicalDeviceLimits {
        max_memory_allocation_count: u32::MAX,
        max_sampler_allocation_count: PLENTY,
        buffer_image_granularity: 1,
        sparse_address_space_size: 1 << 40,
        max_push_constants_size: 256,
        max_compute_shared_memory_size: 1 << 16,
        max_compute_work_group_count: [u32::MAX; 3],
        max_compute_work_group_invocations: 1024,
        max_compute_work_group_size: [1024, 1024, 64],
        max_draw_indexed_index_value: u32::MAX,
        max_draw_indirect_count: u32::MAX,
        max_sampler_lod_bias: 16.0,
        max_sampler_anisotropy: 16.0,
        max_sample_mask_words: 1,
        timestamp_compute_and_graphics: vk::TRUE,
        // One tick a nanosecond: the clock is CLOCK_MONOTONIC.
        timestamp_period: 1.0,
        discrete_queue_priorities: 2,
        point_size_range: [1.0, 64.0],
        line_width_range: [1.0, 1.0],
        point_size_granularity: 1.0,
        strict_lines: vk::TRUE,
        standard_sample_locations: vk::TRUE,
        optimal_buffer_copy_offset_alignment: 1,
        optimal_buffer_copy_row_pitch_alignment: 1,
        non_coherent_atom_size: 64,
        min_memory_map_alignment: 64,
        min_texel_buffer_offset_alignment: 16,
        min_uniform_buffer_offset_alignment: 16,
        min_storage_buffer_offset_alignment: 16,
        ..stage_limits(descriptor_limits(image_limits()))
    }
}

fn image_limits() -> vk::PhysicalDeviceLimits {
    let samples = vk::SampleCountFlags::TYPE_1 | vk::SampleCountFlags::TYPE_4;
    vk::PhysicalDeviceLimits {
        max_image_dimension1_d: IMAGE_SIDE_MAX,
        max_image_dimension2_d: IMAGE_SIDE_MAX,
        max_image_dimension3_d: IMAGE_SIDE_MAX,
        max_image_dimension_cube: IMAGE_SIDE_MAX,
        max_image_array_layers: IMAGE_LAYERS_MAX,
        max_viewports: 16,
        max_viewport_dimensions: [IMAGE_SIDE_MAX; 2],
        viewport_bounds_range: [-32768.0, 32767.0],
        max_framebuffer_width: IMAGE_SIDE_MAX,
        max_framebuffer_height: IMAGE_SIDE_MAX,
        max_framebuffer_layers: IMAGE_LAYERS_MAX,
        framebuffer_color_sample_counts: samples,
        framebuffer_depth_sample_counts: samples,
        framebuffer_stencil_sample_counts: samples,
        framebuffer_no_attachments_sample_counts: samples,
        max_color_attachments: 8,
        sampled_image_color_sample_counts: samples,
        sampled_image_integer_sample_counts: samples,
        sampled_image_depth_sample_counts: samples,
        sampled_image_stencil_sample_counts: samples,
        storage_image_sample_counts: samples,
        sub_pixel_precision_bits: 8,
        sub_texel_precision_bits: 8,
        mipmap_precision_bits: 8,
        ..Default::default()
    }
}

fn descriptor_limits(rest: vk::PhysicalDeviceLimits) -> vk::PhysicalDeviceLimits {
    vk::PhysicalDeviceLimits {
        max_texel_buffer_elements: 1 << 27,
        max_uniform_buffer_range: PLENTY,
        max_storage_buffer_range: u32::MAX,
        max_bound_descriptor_sets: 32,
        max_per_stage_descriptor_samplers: PLENTY,
        max_per_stage_descriptor_uniform_buffers: PLENTY,
        max_per_stage_descriptor_storage_buffers: PLENTY,
        max_per_stage_descriptor_sampled_images: PLENTY,
        max_per_stage_descriptor_storage_images: PLENTY,
        max_per_stage_descriptor_input_attachments: PLENTY,
        max_per_stage_resources: PLENTY,
        max_descriptor_set_samplers: PLENTY,
        max_descriptor_set_uniform_buffers: PLENTY,
        max_descriptor_set_uniform_buffers_dynamic: 16,
        max_descriptor_set_storage_buffers: PLENTY,
        max_descriptor_set_storage_buffers_dynamic: 16,
        max_descriptor_set_sampled_images: PLENTY,
        max_descriptor_set_storage_images: PLENTY,
        max_descriptor_set_input_attachments: PLENTY,
        ..rest
    }
}

fn stage_limits(rest: vk::PhysicalDeviceLimits) -> vk::PhysicalDeviceLimits {
    vk::PhysicalDeviceLimits {
        max_vertex_input_attributes: 32,
        max_vertex_input_bindings: 32,
        max_vertex_input_attribute_offset: 2047,
        max_vertex_input_binding_stride: 2048,
        max_vertex_output_components: 128,
        max_fragment_input_components: 128,
        max_fragment_output_attachments: 8,
        max_fragment_dual_src_attachments: 1,
        max_fragment_combined_output_resources: PLENTY,
        min_texel_offset: -8,
        max_texel_offset: 7,
        ..rest
    }
}

/// Fills the structures of later versions that a tool looks at. The others keep what their owner put there.
///
/// # Safety
///
/// `next` is null or begins a valid, writable chain.
pub(crate) unsafe fn fill_chain(next: *mut c_void) {
    // SAFETY: the caller's promise; the tag says which type the link has.
    unsafe { ffi::for_each(next, |tag, link| fill_link(tag, link)) }
}

/// # Safety
///
/// The link is a writable structure of the type that its tag says.
unsafe fn fill_link(tag: vk::StructureType, link: *mut c_void) {
    use vk::StructureType as Tag;
    // SAFETY: the caller's promise, in every arm.
    unsafe {
        match tag {
            Tag::PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES => vulkan11(&mut *link.cast()),
            Tag::PHYSICAL_DEVICE_VULKAN_1_2_PROPERTIES => vulkan12(&mut *link.cast()),
            Tag::PHYSICAL_DEVICE_VULKAN_1_3_PROPERTIES => vulkan13(&mut *link.cast()),
            Tag::PHYSICAL_DEVICE_DRIVER_PROPERTIES => {
                let driver = &mut *link.cast::<vk::PhysicalDeviceDriverProperties<'_>>();
                driver.driver_id = vk::DriverId::default();
                put_text(&mut driver.driver_name, env!("CARGO_PKG_NAME"));
                put_text(&mut driver.driver_info, env!("CARGO_PKG_VERSION"));
            }
            Tag::PHYSICAL_DEVICE_ID_PROPERTIES => {
                let id = &mut *link.cast::<vk::PhysicalDeviceIDProperties<'_>>();
                id.device_uuid = UUID;
                id.driver_uuid = UUID;
                id.device_luid_valid = vk::FALSE;
            }
            Tag::PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_PROPERTIES => {
                let timeline =
                    &mut *link.cast::<vk::PhysicalDeviceTimelineSemaphoreProperties<'_>>();
                timeline.max_timeline_semaphore_value_difference = u64::MAX;
            }
            Tag::PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES => {
                let maintenance = &mut *link.cast::<vk::PhysicalDeviceMaintenance3Properties<'_>>();
                maintenance.max_per_set_descriptors = PLENTY;
                maintenance.max_memory_allocation_size = 1 << 40;
            }
            _ => {}
        }
    }
}

fn vulkan11(properties: &mut vk::PhysicalDeviceVulkan11Properties<'_>) {
    *properties = vk::PhysicalDeviceVulkan11Properties {
        p_next: properties.p_next,
        device_uuid: UUID,
        driver_uuid: UUID,
        subgroup_size: 1,
        subgroup_supported_stages: vk::ShaderStageFlags::COMPUTE,
        subgroup_supported_operations: vk::SubgroupFeatureFlags::BASIC,
        max_multiview_view_count: 6,
        max_multiview_instance_index: u32::MAX,
        max_per_set_descriptors: PLENTY,
        max_memory_allocation_size: 1 << 40,
        ..Default::default()
    };
}

fn vulkan12(properties: &mut vk::PhysicalDeviceVulkan12Properties<'_>) {
    *properties = vk::PhysicalDeviceVulkan12Properties {
        p_next: properties.p_next,
        max_timeline_semaphore_value_difference: u64::MAX,
        framebuffer_integer_color_sample_counts: vk::SampleCountFlags::TYPE_1,
        ..Default::default()
    };
    put_text(&mut properties.driver_name, env!("CARGO_PKG_NAME"));
    put_text(&mut properties.driver_info, env!("CARGO_PKG_VERSION"));
}

fn vulkan13(properties: &mut vk::PhysicalDeviceVulkan13Properties<'_>) {
    *properties = vk::PhysicalDeviceVulkan13Properties {
        p_next: properties.p_next,
        min_subgroup_size: 1,
        max_subgroup_size: 1,
        max_buffer_size: 1 << 40,
        ..Default::default()
    };
}
