//! The loader's side of a layer, and Vulkan structures that are newer than ash's tables.
//!
//! Source: `vulkan/vk_layer.h` of the Vulkan loader, and the Vulkan specification for the rest.

use std::ffi::{c_char, c_void};

use ash::vk;

/// `VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO`.
pub(crate) const LOADER_INSTANCE_CREATE_INFO: i32 = 47;
/// `VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO`.
pub(crate) const LOADER_DEVICE_CREATE_INFO: i32 = 48;
/// `VK_LAYER_LINK_INFO`.
pub(crate) const LAYER_LINK_INFO: i32 = 0;

/// A pointer to any Vulkan function.
pub(crate) type Void = Option<unsafe extern "system" fn()>;
/// `vkGetInstanceProcAddr`.
pub(crate) type GetInstanceProcAddr =
    unsafe extern "system" fn(vk::Instance, *const c_char) -> Void;
/// `vkGetDeviceProcAddr`.
pub(crate) type GetDeviceProcAddr = unsafe extern "system" fn(vk::Device, *const c_char) -> Void;
/// `vk_layerGetPhysicalDeviceProcAddr`.
pub(crate) type GetPhysicalDeviceProcAddr =
    unsafe extern "system" fn(vk::Instance, *const c_char) -> Void;

/// `VkLayerInstanceLink`.
#[repr(C)]
pub(crate) struct InstanceLink {
    pub(crate) next: *mut InstanceLink,
    pub(crate) get_instance_proc_addr: GetInstanceProcAddr,
    pub(crate) get_physical_device_proc_addr: Option<GetPhysicalDeviceProcAddr>,
}

/// `VkLayerDeviceLink`.
#[repr(C)]
pub(crate) struct DeviceLink {
    pub(crate) next: *mut DeviceLink,
    pub(crate) get_instance_proc_addr: GetInstanceProcAddr,
    pub(crate) get_device_proc_addr: GetDeviceProcAddr,
}

/// `VkLayerInstanceCreateInfo` or `VkLayerDeviceCreateInfo`, whose union begins with a link.
#[repr(C)]
pub(crate) struct LinkInfo<L> {
    pub(crate) s_type: i32,
    pub(crate) p_next: *const c_void,
    pub(crate) function: i32,
    pub(crate) link: *mut L,
}

/// `VkNegotiateLayerInterface`.
#[repr(C)]
pub struct NegotiateLayerInterface {
    pub(crate) s_type: i32,
    pub(crate) p_next: *const c_void,
    pub(crate) version: u32,
    pub(crate) get_instance_proc_addr: Option<GetInstanceProcAddr>,
    pub(crate) get_device_proc_addr: Option<GetDeviceProcAddr>,
    pub(crate) get_physical_device_proc_addr: Option<GetPhysicalDeviceProcAddr>,
}

/// `VkPresentWait2InfoKHR` (`VK_KHR_present_wait2`).
#[repr(C)]
pub(crate) struct PresentWait2 {
    pub(crate) s_type: i32,
    pub(crate) p_next: *const c_void,
    pub(crate) present_id: u64,
    pub(crate) timeout: u64,
}

/// `vkWaitForPresent2KHR`.
pub(crate) type WaitForPresent2 =
    unsafe extern "system" fn(vk::Device, vk::SwapchainKHR, *const PresentWait2) -> vk::Result;
/// `vkGetDeviceFaultReportsKHR`: device, timeout, count, reports.
pub(crate) type GetDeviceFaultReports =
    unsafe extern "system" fn(vk::Device, u64, *mut u32, *mut c_void) -> vk::Result;
/// `vkCreateDataGraphPipelinesARM`, and `vkCreateExecutionGraphPipelinesAMDX` without the operation.
pub(crate) type CreateDataGraphPipelines = unsafe extern "system" fn(
    vk::Device,
    vk::DeferredOperationKHR,
    vk::PipelineCache,
    u32,
    *const c_void,
    *const vk::AllocationCallbacks<'_>,
    *mut vk::Pipeline,
) -> vk::Result;
