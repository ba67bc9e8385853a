//! Calls that may block and that are about no object of the tables: pipelines, locks, joins.

use std::ffi::c_void;

use ash::vk::{self, Handle};
use unwedge_trace::blackbox::Call;

use super::NOTHING_BELOW;
use crate::{device, thread};

macro_rules! blocking {
    (
        $hook:ident, $call:ident, $next:ident,
        ($first:ident: $first_type:ty $(, $argument:ident: $type:ty)*),
        timeout $timeout:expr, handle $handle:expr
    ) => {
        pub(super) unsafe extern "system" fn $hook(
            $first: $first_type, $($argument: $type,)*
        ) -> vk::Result {
            // SAFETY: the program's arguments, passed on as they are.
            unsafe {
                let Some(device) = device::of($first.as_raw()) else { return NOTHING_BELOW };
                let Some(next) = device.next.$next else { return NOTHING_BELOW };
                let objects = std::iter::once(($handle, 0)).filter(|(handle, _)| *handle != 0);
                let slot = thread::begin(Call::$call, device.number, $timeout, false, objects);
                let result = next($first, $($argument,)*);
                slot.end(result, 0);
                device.check_lost(result, Call::$call);
                result
            }
        }
    };
}

blocking!(create_graphics_pipelines, CreateGraphicsPipelines, create_graphics_pipelines,
    (device: vk::Device, cache: vk::PipelineCache, count: u32,
     infos: *const vk::GraphicsPipelineCreateInfo<'_>, allocator: *const vk::AllocationCallbacks<'_>,
     pipelines: *mut vk::Pipeline), timeout u64::MAX, handle 0);
blocking!(create_compute_pipelines, CreateComputePipelines, create_compute_pipelines,
    (device: vk::Device, cache: vk::PipelineCache, count: u32,
     infos: *const vk::ComputePipelineCreateInfo<'_>, allocator: *const vk::AllocationCallbacks<'_>,
     pipelines: *mut vk::Pipeline), timeout u64::MAX, handle 0);
blocking!(create_ray_tracing_pipelines, CreateRayTracingPipelines, create_ray_tracing_pipelines,
    (device: vk::Device, operation: vk::DeferredOperationKHR, cache: vk::PipelineCache, count: u32,
     infos: *const vk::RayTracingPipelineCreateInfoKHR<'_>, allocator: *const vk::AllocationCallbacks<'_>,
     pipelines: *mut vk::Pipeline), timeout u64::MAX, handle 0);
blocking!(create_ray_tracing_pipelines_nv, CreateRayTracingPipelinesNv,
    create_ray_tracing_pipelines_nv,
    (device: vk::Device, cache: vk::PipelineCache, count: u32,
     infos: *const vk::RayTracingPipelineCreateInfoNV<'_>, allocator: *const vk::AllocationCallbacks<'_>,
     pipelines: *mut vk::Pipeline), timeout u64::MAX, handle 0);
blocking!(create_execution_graph_pipelines, CreateExecutionGraphPipelines,
    create_execution_graph_pipelines,
    (device: vk::Device, cache: vk::PipelineCache, count: u32,
     infos: *const vk::ExecutionGraphPipelineCreateInfoAMDX<'_>, allocator: *const vk::AllocationCallbacks<'_>,
     pipelines: *mut vk::Pipeline), timeout u64::MAX, handle 0);
blocking!(create_data_graph_pipelines, CreateDataGraphPipelines, create_data_graph_pipelines,
    (device: vk::Device, operation: vk::DeferredOperationKHR, cache: vk::PipelineCache, count: u32,
     infos: *const c_void, allocator: *const vk::AllocationCallbacks<'_>, pipelines: *mut vk::Pipeline),
    timeout u64::MAX, handle 0);
blocking!(create_shaders, CreateShaders, create_shaders,
    (device: vk::Device, count: u32, infos: *const vk::ShaderCreateInfoEXT<'_>,
     allocator: *const vk::AllocationCallbacks<'_>, shaders: *mut vk::ShaderEXT), timeout u64::MAX, handle 0);
blocking!(acquire_profiling_lock, AcquireProfilingLock, acquire_profiling_lock,
    (device: vk::Device, info: *const vk::AcquireProfilingLockInfoKHR<'_>),
    timeout (*info).timeout, handle 0);
blocking!(deferred_operation_join, DeferredOperationJoin, deferred_operation_join,
    (device: vk::Device, operation: vk::DeferredOperationKHR),
    timeout u64::MAX, handle operation.as_raw());
blocking!(get_device_fault_reports, GetDeviceFaultReports, get_device_fault_reports,
    (device: vk::Device, timeout: u64, count: *mut u32, reports: *mut c_void),
    timeout timeout, handle 0);
blocking!(latency_sleep, LatencySleep, latency_sleep,
    (device: vk::Device, swapchain: vk::SwapchainKHR, info: *const vk::LatencySleepInfoNV<'_>),
    timeout u64::MAX, handle swapchain.as_raw());
