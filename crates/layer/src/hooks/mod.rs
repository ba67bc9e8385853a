//! The device-level functions that the layer hooks, by name; all others are forwarded untouched.

mod objects;
mod other;
mod present;
mod submit;
#[cfg(test)]
mod tests;
mod waits;

use std::ffi::CStr;

use ash::vk;

use crate::device;
use crate::ffi::{self, Void};

macro_rules! hooks {
    ($($($name:literal)|+ => $function:path: $type:ty,)*) => {
        /// The hook for a function of this name.
        pub(crate) fn hook(name: &CStr) -> Void {
            $(if $(name == $name)||+ {
                // SAFETY: every function pointer may be passed around as a `PFN_vkVoidFunction`.
                return Some(unsafe {
                    std::mem::transmute::<$type, unsafe extern "system" fn()>($function)
                });
            })*
            None
        }
    };
}

hooks! {
    c"vkDestroyDevice" => device::destroy_device: vk::PFN_vkDestroyDevice,
    c"vkGetDeviceQueue" => device::get_device_queue: vk::PFN_vkGetDeviceQueue,
    c"vkGetDeviceQueue2" => device::get_device_queue2: vk::PFN_vkGetDeviceQueue2,
    c"vkQueueSubmit" => submit::queue_submit: vk::PFN_vkQueueSubmit,
    c"vkQueueSubmit2" | c"vkQueueSubmit2KHR" => submit::queue_submit2: vk::PFN_vkQueueSubmit2,
    c"vkQueueBindSparse" => submit::queue_bind_sparse: vk::PFN_vkQueueBindSparse,
    c"vkQueueWaitIdle" => waits::queue_wait_idle: vk::PFN_vkQueueWaitIdle,
    c"vkDeviceWaitIdle" => waits::device_wait_idle: vk::PFN_vkDeviceWaitIdle,
    c"vkWaitForFences" => waits::wait_for_fences: vk::PFN_vkWaitForFences,
    c"vkWaitSemaphores" | c"vkWaitSemaphoresKHR" => waits::wait_semaphores: vk::PFN_vkWaitSemaphores,
    c"vkGetQueryPoolResults" => waits::get_query_pool_results: vk::PFN_vkGetQueryPoolResults,
    c"vkGetFenceStatus" => waits::get_fence_status: vk::PFN_vkGetFenceStatus,
    c"vkGetSemaphoreCounterValue" | c"vkGetSemaphoreCounterValueKHR" =>
        waits::get_semaphore_counter_value: vk::PFN_vkGetSemaphoreCounterValue,
    c"vkGetEventStatus" => waits::get_event_status: vk::PFN_vkGetEventStatus,
    c"vkCreateFence" => objects::create_fence: vk::PFN_vkCreateFence,
    c"vkDestroyFence" => objects::destroy_fence: vk::PFN_vkDestroyFence,
    c"vkResetFences" => objects::reset_fences: vk::PFN_vkResetFences,
    c"vkCreateSemaphore" => objects::create_semaphore: vk::PFN_vkCreateSemaphore,
    c"vkDestroySemaphore" => objects::destroy_semaphore: vk::PFN_vkDestroySemaphore,
    c"vkSignalSemaphore" | c"vkSignalSemaphoreKHR" =>
        objects::signal_semaphore: vk::PFN_vkSignalSemaphore,
    c"vkSetEvent" => objects::set_event: vk::PFN_vkSetEvent,
    c"vkResetEvent" => objects::reset_event: vk::PFN_vkResetEvent,
    c"vkImportFenceFdKHR" => objects::import_fence_fd: vk::PFN_vkImportFenceFdKHR,
    c"vkGetFenceFdKHR" => objects::get_fence_fd: vk::PFN_vkGetFenceFdKHR,
    c"vkImportSemaphoreFdKHR" => objects::import_semaphore_fd: vk::PFN_vkImportSemaphoreFdKHR,
    c"vkGetSemaphoreFdKHR" => objects::get_semaphore_fd: vk::PFN_vkGetSemaphoreFdKHR,
    c"vkRegisterDeviceEventEXT" => objects::register_device_event: vk::PFN_vkRegisterDeviceEventEXT,
    c"vkRegisterDisplayEventEXT" =>
        objects::register_display_event: vk::PFN_vkRegisterDisplayEventEXT,
    c"vkSetDebugUtilsObjectNameEXT" =>
        objects::set_debug_utils_object_name: vk::PFN_vkSetDebugUtilsObjectNameEXT,
    c"vkDebugMarkerSetObjectNameEXT" =>
        objects::debug_marker_set_object_name: vk::PFN_vkDebugMarkerSetObjectNameEXT,
    c"vkCreateSwapchainKHR" => present::create_swapchain: vk::PFN_vkCreateSwapchainKHR,
    c"vkCreateSharedSwapchainsKHR" =>
        present::create_shared_swapchains: vk::PFN_vkCreateSharedSwapchainsKHR,
    c"vkDestroySwapchainKHR" => present::destroy_swapchain: vk::PFN_vkDestroySwapchainKHR,
    c"vkAcquireNextImageKHR" => present::acquire_next_image: vk::PFN_vkAcquireNextImageKHR,
    c"vkAcquireNextImage2KHR" => present::acquire_next_image2: vk::PFN_vkAcquireNextImage2KHR,
    c"vkReleaseSwapchainImagesEXT" | c"vkReleaseSwapchainImagesKHR" =>
        present::release_swapchain_images: vk::PFN_vkReleaseSwapchainImagesEXT,
    c"vkQueuePresentKHR" => present::queue_present: vk::PFN_vkQueuePresentKHR,
    c"vkWaitForPresentKHR" => present::wait_for_present: vk::PFN_vkWaitForPresentKHR,
    c"vkWaitForPresent2KHR" => present::wait_for_present2: ffi::WaitForPresent2,
    c"vkCreateGraphicsPipelines" =>
        other::create_graphics_pipelines: vk::PFN_vkCreateGraphicsPipelines,
    c"vkCreateComputePipelines" =>
        other::create_compute_pipelines: vk::PFN_vkCreateComputePipelines,
    c"vkCreateRayTracingPipelinesKHR" =>
        other::create_ray_tracing_pipelines: vk::PFN_vkCreateRayTracingPipelinesKHR,
    c"vkCreateRayTracingPipelinesNV" =>
        other::create_ray_tracing_pipelines_nv: vk::PFN_vkCreateRayTracingPipelinesNV,
    c"vkCreateExecutionGraphPipelinesAMDX" =>
        other::create_execution_graph_pipelines: vk::PFN_vkCreateExecutionGraphPipelinesAMDX,
    c"vkCreateDataGraphPipelinesARM" =>
        other::create_data_graph_pipelines: ffi::CreateDataGraphPipelines,
    c"vkCreateShadersEXT" => other::create_shaders: vk::PFN_vkCreateShadersEXT,
    c"vkAcquireProfilingLockKHR" =>
        other::acquire_profiling_lock: vk::PFN_vkAcquireProfilingLockKHR,
    c"vkDeferredOperationJoinKHR" =>
        other::deferred_operation_join: vk::PFN_vkDeferredOperationJoinKHR,
    c"vkGetDeviceFaultReportsKHR" =>
        other::get_device_fault_reports: ffi::GetDeviceFaultReports,
    c"vkLatencySleepNV" => other::latency_sleep: vk::PFN_vkLatencySleepNV,
}

/// What a hook answers when there is nothing below to call; the program cannot have got the hook in
/// that case, so this is never seen.
const NOTHING_BELOW: vk::Result = vk::Result::ERROR_EXTENSION_NOT_PRESENT;
