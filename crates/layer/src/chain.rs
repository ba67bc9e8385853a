//! How is one structure of a program's `pNext` chain replaced without touching the program's memory?
//!
//! The structures before it are copied, which needs their sizes. Only known structures can be
//! copied: where an unknown one stands in the way, the answer is `None` and the layer does without.

use std::ffi::c_void;

use ash::vk;

use crate::ffi::{self, LinkInfo};

/// The first link of the chain that has this type.
///
/// # Safety
/// `chain` is a valid `pNext` chain.
pub(crate) unsafe fn find<T: vk::TaggedStructure>(chain: *const c_void) -> Option<*const T> {
    let mut link = chain.cast::<vk::BaseInStructure<'_>>();
    // SAFETY: every link of a valid chain begins with a type and a next pointer.
    while let Some(base) = unsafe { link.as_ref() } {
        if base.s_type == T::STRUCTURE_TYPE {
            return Some(link.cast());
        }
        link = base.p_next;
    }
    None
}

/// Copies of the structures before the replaced one; keep it alive while the chain is in use.
pub(crate) struct Prefix {
    copies: Vec<Vec<u64>>,
}

impl Prefix {
    /// Builds a chain that is `chain` with the link `old` replaced by `new`, whose `pNext` the
    /// caller has already pointed to what follows `old`.
    ///
    /// # Safety
    /// `chain` is a valid chain that contains `old`; the result is valid while `self`, `new` and the
    /// original chain are.
    pub(crate) unsafe fn replacing(
        chain: *const c_void,
        old: *const c_void,
        new: *const c_void,
    ) -> Option<(Self, *const c_void)> {
        let mut copies: Vec<Vec<u64>> = Vec::new();
        let mut link = chain;
        while link != old {
            // SAFETY: `old` is in the chain, so `link` is a valid structure before it.
            let base = unsafe { &*link.cast::<vk::BaseInStructure<'_>>() };
            let size = size_of_structure(base.s_type)?;
            let mut copy = vec![0_u64; size.div_ceil(8)];
            // SAFETY: the structure has `size` bytes by its type.
            unsafe {
                std::ptr::copy_nonoverlapping(link.cast::<u8>(), copy.as_mut_ptr().cast(), size);
            }
            copies.push(copy);
            link = base.p_next.cast();
        }
        let mut next = new;
        for copy in copies.iter_mut().rev() {
            let base = copy.as_mut_ptr().cast::<vk::BaseOutStructure<'_>>();
            // SAFETY: each copy holds a structure that begins with type and next pointer.
            unsafe { (*base).p_next = next.cast_mut().cast() };
            next = copy.as_ptr().cast();
        }
        Some((Self { copies }, next))
    }

    /// Copies that are held.
    pub(crate) fn len(&self) -> usize {
        self.copies.len()
    }
}

macro_rules! sizes {
    ($($type:ident,)*) => {
        /// Size in bytes of the structures that may extend `VkDeviceCreateInfo` or `VkSubmitInfo`.
        fn size_of_structure(s_type: vk::StructureType) -> Option<usize> {
            if s_type.as_raw() == ffi::LOADER_DEVICE_CREATE_INFO {
                return Some(size_of::<LinkInfo<ffi::DeviceLink>>());
            }
            $(if s_type == <vk::$type<'_> as vk::TaggedStructure>::STRUCTURE_TYPE {
                return Some(size_of::<vk::$type<'_>>());
            })*
            None
        }
    };
}

sizes! {
    TimelineSemaphoreSubmitInfo,
    ProtectedSubmitInfo,
    PerformanceQuerySubmitInfoKHR,
    DeviceGroupSubmitInfo,
    FrameBoundaryEXT,
    LatencySubmissionPresentIdNV,
    DeviceGroupDeviceCreateInfo,
    DevicePrivateDataCreateInfo,
    DeviceMemoryOverallocationCreateInfoAMD,
    DeviceDiagnosticsConfigCreateInfoNV,
    DeviceDeviceMemoryReportCreateInfoEXT,
    PhysicalDeviceFeatures2,
    PhysicalDeviceVulkan11Features,
    PhysicalDeviceVulkan12Features,
    PhysicalDeviceVulkan13Features,
    PhysicalDevice16BitStorageFeatures,
    PhysicalDevice4444FormatsFeaturesEXT,
    PhysicalDevice8BitStorageFeatures,
    PhysicalDeviceASTCDecodeFeaturesEXT,
    PhysicalDeviceAccelerationStructureFeaturesKHR,
    PhysicalDeviceAttachmentFeedbackLoopDynamicStateFeaturesEXT,
    PhysicalDeviceAttachmentFeedbackLoopLayoutFeaturesEXT,
    PhysicalDeviceBlendOperationAdvancedFeaturesEXT,
    PhysicalDeviceBorderColorSwizzleFeaturesEXT,
    PhysicalDeviceBufferDeviceAddressFeatures,
    PhysicalDeviceBufferDeviceAddressFeaturesEXT,
    PhysicalDeviceCoherentMemoryFeaturesAMD,
    PhysicalDeviceColorWriteEnableFeaturesEXT,
    PhysicalDeviceComputeShaderDerivativesFeaturesNV,
    PhysicalDeviceConditionalRenderingFeaturesEXT,
    PhysicalDeviceCooperativeMatrixFeaturesKHR,
    PhysicalDeviceCustomBorderColorFeaturesEXT,
    PhysicalDeviceDepthClampZeroOneFeaturesEXT,
    PhysicalDeviceDepthClipControlFeaturesEXT,
    PhysicalDeviceDepthClipEnableFeaturesEXT,
    PhysicalDeviceDescriptorBufferFeaturesEXT,
    PhysicalDeviceDescriptorIndexingFeatures,
    PhysicalDeviceDeviceGeneratedCommandsFeaturesNV,
    PhysicalDeviceDiagnosticsConfigFeaturesNV,
    PhysicalDeviceDynamicRenderingFeatures,
    PhysicalDeviceExtendedDynamicState2FeaturesEXT,
    PhysicalDeviceExtendedDynamicState3FeaturesEXT,
    PhysicalDeviceExtendedDynamicStateFeaturesEXT,
    PhysicalDeviceFaultFeaturesEXT,
    PhysicalDeviceFragmentDensityMapFeaturesEXT,
    PhysicalDeviceFragmentShaderBarycentricFeaturesKHR,
    PhysicalDeviceFragmentShaderInterlockFeaturesEXT,
    PhysicalDeviceFragmentShadingRateFeaturesKHR,
    PhysicalDeviceGlobalPriorityQueryFeaturesKHR,
    PhysicalDeviceGraphicsPipelineLibraryFeaturesEXT,
    PhysicalDeviceHostImageCopyFeaturesEXT,
    PhysicalDeviceHostQueryResetFeatures,
    PhysicalDeviceImage2DViewOf3DFeaturesEXT,
    PhysicalDeviceImageRobustnessFeatures,
    PhysicalDeviceImageViewMinLodFeaturesEXT,
    PhysicalDeviceImagelessFramebufferFeatures,
    PhysicalDeviceIndexTypeUint8FeaturesEXT,
    PhysicalDeviceInlineUniformBlockFeatures,
    PhysicalDeviceLineRasterizationFeaturesEXT,
    PhysicalDeviceMaintenance4Features,
    PhysicalDeviceMaintenance5FeaturesKHR,
    PhysicalDeviceMaintenance6FeaturesKHR,
    PhysicalDeviceMemoryPriorityFeaturesEXT,
    PhysicalDeviceMeshShaderFeaturesEXT,
    PhysicalDeviceMeshShaderFeaturesNV,
    PhysicalDeviceMultiDrawFeaturesEXT,
    PhysicalDeviceMultiviewFeatures,
    PhysicalDeviceMutableDescriptorTypeFeaturesEXT,
    PhysicalDeviceNestedCommandBufferFeaturesEXT,
    PhysicalDeviceNonSeamlessCubeMapFeaturesEXT,
    PhysicalDeviceOpacityMicromapFeaturesEXT,
    PhysicalDevicePageableDeviceLocalMemoryFeaturesEXT,
    PhysicalDevicePerformanceQueryFeaturesKHR,
    PhysicalDevicePipelineCreationCacheControlFeatures,
    PhysicalDevicePipelineExecutablePropertiesFeaturesKHR,
    PhysicalDevicePipelineRobustnessFeaturesEXT,
    PhysicalDevicePresentIdFeaturesKHR,
    PhysicalDevicePresentWaitFeaturesKHR,
    PhysicalDevicePrimitiveTopologyListRestartFeaturesEXT,
    PhysicalDevicePrimitivesGeneratedQueryFeaturesEXT,
    PhysicalDevicePrivateDataFeatures,
    PhysicalDeviceProtectedMemoryFeatures,
    PhysicalDeviceProvokingVertexFeaturesEXT,
    PhysicalDeviceRasterizationOrderAttachmentAccessFeaturesEXT,
    PhysicalDeviceRayQueryFeaturesKHR,
    PhysicalDeviceRayTracingMaintenance1FeaturesKHR,
    PhysicalDeviceRayTracingPipelineFeaturesKHR,
    PhysicalDeviceRobustness2FeaturesEXT,
    PhysicalDeviceSamplerYcbcrConversionFeatures,
    PhysicalDeviceScalarBlockLayoutFeatures,
    PhysicalDeviceSeparateDepthStencilLayoutsFeatures,
    PhysicalDeviceShaderAtomicFloat2FeaturesEXT,
    PhysicalDeviceShaderAtomicFloatFeaturesEXT,
    PhysicalDeviceShaderAtomicInt64Features,
    PhysicalDeviceShaderClockFeaturesKHR,
    PhysicalDeviceShaderDemoteToHelperInvocationFeatures,
    PhysicalDeviceShaderDrawParametersFeatures,
    PhysicalDeviceShaderFloat16Int8Features,
    PhysicalDeviceShaderImageAtomicInt64FeaturesEXT,
    PhysicalDeviceShaderIntegerDotProductFeatures,
    PhysicalDeviceShaderModuleIdentifierFeaturesEXT,
    PhysicalDeviceShaderObjectFeaturesEXT,
    PhysicalDeviceShaderSubgroupExtendedTypesFeatures,
    PhysicalDeviceShaderSubgroupUniformControlFlowFeaturesKHR,
    PhysicalDeviceShaderTerminateInvocationFeatures,
    PhysicalDeviceSubgroupSizeControlFeatures,
    PhysicalDeviceSwapchainMaintenance1FeaturesEXT,
    PhysicalDeviceSynchronization2Features,
    PhysicalDeviceTexelBufferAlignmentFeaturesEXT,
    PhysicalDeviceTextureCompressionASTCHDRFeatures,
    PhysicalDeviceTimelineSemaphoreFeatures,
    PhysicalDeviceTransformFeedbackFeaturesEXT,
    PhysicalDeviceUniformBufferStandardLayoutFeatures,
    PhysicalDeviceVariablePointersFeatures,
    PhysicalDeviceVertexAttributeDivisorFeaturesEXT,
    PhysicalDeviceVertexInputDynamicStateFeaturesEXT,
    PhysicalDeviceVulkanMemoryModelFeatures,
    PhysicalDeviceWorkgroupMemoryExplicitLayoutFeaturesKHR,
    PhysicalDeviceYcbcr2Plane444FormatsFeaturesEXT,
    PhysicalDeviceZeroInitializeWorkgroupMemoryFeatures,
}

#[cfg(test)]
mod tests;
