//! Which functions does the layer call below itself? Resolved once for each device.

use ash::vk;

use crate::ffi;

/// Makes `Next`, a table of functions below the layer, from their fields, types and names.
macro_rules! next_functions {
    (
        $(#[$about:meta])*
        from($get:ty, $handle:ty);
        $($field:ident: $type:ty = $($name:literal)|+,)*
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy)]
        pub(crate) struct Next {
            $(pub(crate) $field: Option<$type>,)*
        }

        impl Next {
            /// Asks for each function under its spellings, core first.
            ///
            /// # Safety
            /// `get` is the next layer's, and `handle` what it created.
            pub(crate) unsafe fn load(get: $get, handle: $handle) -> Self {
                Self { $($field: {
                    let found: $crate::ffi::Void = None $(.or_else(|| {
                        let name: &std::ffi::CStr = $name;
                        // SAFETY: `name` is a C string; the rest is the caller's promise.
                        unsafe { get(handle, name.as_ptr()) }
                    }))+;
                    // SAFETY: the function of that name has this type by the specification, and
                    // function pointers have one size.
                    found.map(|f| unsafe {
                        std::mem::transmute::<unsafe extern "system" fn(), $type>(f)
                    })
                },)* }
            }
        }
    };
}
pub(crate) use next_functions;

next_functions! {
    /// A device's functions of the next layer or the driver; `None` where the device has none.
    from(ffi::GetDeviceProcAddr, vk::Device);
    destroy_device: vk::PFN_vkDestroyDevice = c"vkDestroyDevice",
    get_device_queue: vk::PFN_vkGetDeviceQueue = c"vkGetDeviceQueue",
    get_device_queue2: vk::PFN_vkGetDeviceQueue2 = c"vkGetDeviceQueue2",
    queue_submit: vk::PFN_vkQueueSubmit = c"vkQueueSubmit",
    queue_submit2: vk::PFN_vkQueueSubmit2 = c"vkQueueSubmit2" | c"vkQueueSubmit2KHR",
    queue_bind_sparse: vk::PFN_vkQueueBindSparse = c"vkQueueBindSparse",
    queue_wait_idle: vk::PFN_vkQueueWaitIdle = c"vkQueueWaitIdle",
    device_wait_idle: vk::PFN_vkDeviceWaitIdle = c"vkDeviceWaitIdle",
    create_fence: vk::PFN_vkCreateFence = c"vkCreateFence",
    destroy_fence: vk::PFN_vkDestroyFence = c"vkDestroyFence",
    reset_fences: vk::PFN_vkResetFences = c"vkResetFences",
    get_fence_status: vk::PFN_vkGetFenceStatus = c"vkGetFenceStatus",
    wait_for_fences: vk::PFN_vkWaitForFences = c"vkWaitForFences",
    create_semaphore: vk::PFN_vkCreateSemaphore = c"vkCreateSemaphore",
    destroy_semaphore: vk::PFN_vkDestroySemaphore = c"vkDestroySemaphore",
    get_semaphore_counter_value: vk::PFN_vkGetSemaphoreCounterValue =
        c"vkGetSemaphoreCounterValue" | c"vkGetSemaphoreCounterValueKHR",
    wait_semaphores: vk::PFN_vkWaitSemaphores = c"vkWaitSemaphores" | c"vkWaitSemaphoresKHR",
    signal_semaphore: vk::PFN_vkSignalSemaphore = c"vkSignalSemaphore" | c"vkSignalSemaphoreKHR",
    get_event_status: vk::PFN_vkGetEventStatus = c"vkGetEventStatus",
    set_event: vk::PFN_vkSetEvent = c"vkSetEvent",
    reset_event: vk::PFN_vkResetEvent = c"vkResetEvent",
    get_query_pool_results: vk::PFN_vkGetQueryPoolResults = c"vkGetQueryPoolResults",
    create_graphics_pipelines: vk::PFN_vkCreateGraphicsPipelines = c"vkCreateGraphicsPipelines",
    create_compute_pipelines: vk::PFN_vkCreateComputePipelines = c"vkCreateComputePipelines",
    create_ray_tracing_pipelines: vk::PFN_vkCreateRayTracingPipelinesKHR =
        c"vkCreateRayTracingPipelinesKHR",
    create_ray_tracing_pipelines_nv: vk::PFN_vkCreateRayTracingPipelinesNV =
        c"vkCreateRayTracingPipelinesNV",
    create_execution_graph_pipelines: vk::PFN_vkCreateExecutionGraphPipelinesAMDX =
        c"vkCreateExecutionGraphPipelinesAMDX",
    create_data_graph_pipelines: ffi::CreateDataGraphPipelines = c"vkCreateDataGraphPipelinesARM",
    create_shaders: vk::PFN_vkCreateShadersEXT = c"vkCreateShadersEXT",
    create_swapchain: vk::PFN_vkCreateSwapchainKHR = c"vkCreateSwapchainKHR",
    create_shared_swapchains: vk::PFN_vkCreateSharedSwapchainsKHR = c"vkCreateSharedSwapchainsKHR",
    destroy_swapchain: vk::PFN_vkDestroySwapchainKHR = c"vkDestroySwapchainKHR",
    get_swapchain_images: vk::PFN_vkGetSwapchainImagesKHR = c"vkGetSwapchainImagesKHR",
    acquire_next_image: vk::PFN_vkAcquireNextImageKHR = c"vkAcquireNextImageKHR",
    acquire_next_image2: vk::PFN_vkAcquireNextImage2KHR = c"vkAcquireNextImage2KHR",
    release_swapchain_images: vk::PFN_vkReleaseSwapchainImagesEXT =
        c"vkReleaseSwapchainImagesKHR" | c"vkReleaseSwapchainImagesEXT",
    queue_present: vk::PFN_vkQueuePresentKHR = c"vkQueuePresentKHR",
    wait_for_present: vk::PFN_vkWaitForPresentKHR = c"vkWaitForPresentKHR",
    wait_for_present2: ffi::WaitForPresent2 = c"vkWaitForPresent2KHR",
    acquire_profiling_lock: vk::PFN_vkAcquireProfilingLockKHR = c"vkAcquireProfilingLockKHR",
    deferred_operation_join: vk::PFN_vkDeferredOperationJoinKHR = c"vkDeferredOperationJoinKHR",
    get_device_fault_reports: ffi::GetDeviceFaultReports = c"vkGetDeviceFaultReportsKHR",
    latency_sleep: vk::PFN_vkLatencySleepNV = c"vkLatencySleepNV",
    import_fence_fd: vk::PFN_vkImportFenceFdKHR = c"vkImportFenceFdKHR",
    get_fence_fd: vk::PFN_vkGetFenceFdKHR = c"vkGetFenceFdKHR",
    import_semaphore_fd: vk::PFN_vkImportSemaphoreFdKHR = c"vkImportSemaphoreFdKHR",
    get_semaphore_fd: vk::PFN_vkGetSemaphoreFdKHR = c"vkGetSemaphoreFdKHR",
    register_device_event: vk::PFN_vkRegisterDeviceEventEXT = c"vkRegisterDeviceEventEXT",
    register_display_event: vk::PFN_vkRegisterDisplayEventEXT = c"vkRegisterDisplayEventEXT",
    set_debug_utils_object_name: vk::PFN_vkSetDebugUtilsObjectNameEXT =
        c"vkSetDebugUtilsObjectNameEXT",
    debug_marker_set_object_name: vk::PFN_vkDebugMarkerSetObjectNameEXT =
        c"vkDebugMarkerSetObjectNameEXT",
}
