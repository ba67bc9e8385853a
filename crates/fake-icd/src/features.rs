//! Which optional features does the device have?
//!
//! Those that tests need, and those that cost nothing because their commands are accepted and forgotten.

use crate::ffi;
use crate::script::Script;
use ash::vk;
use std::ffi::c_void;

/// The features of Vulkan 1.0.
pub(crate) fn basic() -> vk::PhysicalDeviceFeatures {
    vk::PhysicalDeviceFeatures {
        robust_buffer_access: vk::TRUE,
        occlusion_query_precise: vk::TRUE,
        pipeline_statistics_query: vk::TRUE,
        independent_blend: vk::TRUE,
        sampler_anisotropy: vk::TRUE,
        shader_int64: vk::TRUE,
        sparse_binding: vk::TRUE,
        ..Default::default()
    }
}

/// Sets the features in a chain. What a structure of an unknown type holds stays as it is, as Vulkan demands.
///
/// # Safety
///
/// `next` is null or begins a valid, writable chain.
pub(crate) unsafe fn fill_chain(next: *mut c_void, script: &Script) {
    // SAFETY: the caller's promise; the tag says which type the link has.
    unsafe { ffi::for_each(next, |tag, link| fill_link(tag, link, script)) }
}

/// Sets every feature of a structure to false, then the named ones to true or to the given value.
macro_rules! set {
    ($link:expr, $type:ty, $( $field:ident $(= $value:expr)? ),*) => {{
        // SAFETY: the caller of the enclosing function promises that the link has the type of its tag.
        let features = unsafe { &mut *$link.cast::<$type>() };
        *features = <$type>::default().with_next(features.p_next);
        $( features.$field = set!(@value $($value)?); )*
    }};
    (@value) => { vk::TRUE };
    (@value $value:expr) => { vk::Bool32::from($value) };
}

/// Keeps a structure's place in its chain when its contents are replaced.
trait WithNext {
    fn with_next(self, next: *mut c_void) -> Self;
}

macro_rules! with_next {
    ($($type:ident)*) => {
        $(impl WithNext for vk::$type<'_> {
            fn with_next(mut self, next: *mut c_void) -> Self {
                self.p_next = next;
                self
            }
        })*
    };
}

with_next! {
    PhysicalDeviceVulkan11Features PhysicalDeviceVulkan12Features PhysicalDeviceVulkan13Features
    PhysicalDeviceTimelineSemaphoreFeatures PhysicalDeviceSynchronization2Features
    PhysicalDeviceHostQueryResetFeatures PhysicalDevicePresentIdFeaturesKHR PhysicalDevicePresentWaitFeaturesKHR
    PhysicalDeviceSwapchainMaintenance1FeaturesEXT PhysicalDeviceDynamicRenderingFeatures
    PhysicalDeviceMaintenance4Features PhysicalDevicePrivateDataFeatures
}

/// # Safety
///
/// The link is a writable structure of the type that its tag says.
unsafe fn fill_link(tag: vk::StructureType, link: *mut c_void, script: &Script) {
    use vk::StructureType as Tag;
    match tag {
        Tag::PHYSICAL_DEVICE_VULKAN_1_1_FEATURES => {
            set!(link, vk::PhysicalDeviceVulkan11Features<'_>,)
        }
        Tag::PHYSICAL_DEVICE_VULKAN_1_2_FEATURES => set!(
            link,
            vk::PhysicalDeviceVulkan12Features<'_>,
            timeline_semaphore = script.timeline,
            host_query_reset
        ),
        Tag::PHYSICAL_DEVICE_VULKAN_1_3_FEATURES => set!(
            link,
            vk::PhysicalDeviceVulkan13Features<'_>,
            synchronization2,
            dynamic_rendering,
            maintenance4,
            private_data
        ),
        // SAFETY: the caller's promise.
        _ => unsafe { fill_extension_link(tag, link, script) },
    }
}

/// The structures that came with extensions.
///
/// # Safety
///
/// The link is a writable structure of the type that its tag says.
unsafe fn fill_extension_link(tag: vk::StructureType, link: *mut c_void, script: &Script) {
    use vk::StructureType as Tag;
    match tag {
        Tag::PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES => {
            set!(
                link,
                vk::PhysicalDeviceTimelineSemaphoreFeatures<'_>,
                timeline_semaphore = script.timeline
            );
        }
        Tag::PHYSICAL_DEVICE_SYNCHRONIZATION_2_FEATURES => {
            set!(link, vk::PhysicalDeviceSynchronization2Features<'_>, synchronization2);
        }
        Tag::PHYSICAL_DEVICE_HOST_QUERY_RESET_FEATURES => {
            set!(link, vk::PhysicalDeviceHostQueryResetFeatures<'_>, host_query_reset);
        }
        Tag::PHYSICAL_DEVICE_PRESENT_ID_FEATURES_KHR => {
            set!(link, vk::PhysicalDevicePresentIdFeaturesKHR<'_>, present_id);
        }
        Tag::PHYSICAL_DEVICE_PRESENT_WAIT_FEATURES_KHR => {
            set!(link, vk::PhysicalDevicePresentWaitFeaturesKHR<'_>, present_wait);
        }
        Tag::PHYSICAL_DEVICE_SWAPCHAIN_MAINTENANCE_1_FEATURES_EXT => {
            set!(
                link,
                vk::PhysicalDeviceSwapchainMaintenance1FeaturesEXT<'_>,
                swapchain_maintenance1
            );
        }
        Tag::PHYSICAL_DEVICE_DYNAMIC_RENDERING_FEATURES => {
            set!(link, vk::PhysicalDeviceDynamicRenderingFeatures<'_>, dynamic_rendering);
        }
        Tag::PHYSICAL_DEVICE_MAINTENANCE_4_FEATURES => {
            set!(link, vk::PhysicalDeviceMaintenance4Features<'_>, maintenance4);
        }
        Tag::PHYSICAL_DEVICE_PRIVATE_DATA_FEATURES => {
            set!(link, vk::PhysicalDevicePrivateDataFeatures<'_>, private_data);
        }
        _ => {}
    }
}
