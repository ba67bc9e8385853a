//! Which Vulkan calls does the black box name? One table: a number that never changes, and a name.

macro_rules! calls {
    ($($variant:ident = $number:literal $name:literal,)*) => {
        /// A Vulkan entry point, as stored in a record. 0 stands for "none".
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u16)]
        pub enum Call {
            $(#[doc = $name] $variant = $number,)*
        }

        impl Call {
            /// Every call, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The call with this number, if there is one.
            #[must_use]
            pub fn from_word(word: u64) -> Option<Self> {
                match word {
                    $($number => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// The entry point's name in its core spelling.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The number, as a word.
            #[must_use]
            pub const fn word(self) -> u64 {
                self as u64
            }
        }
    };
}

calls! {
    WaitForFences = 1 "vkWaitForFences",
    WaitSemaphores = 2 "vkWaitSemaphores",
    AcquireNextImage = 3 "vkAcquireNextImageKHR",
    AcquireNextImage2 = 4 "vkAcquireNextImage2KHR",
    WaitForPresent = 5 "vkWaitForPresentKHR",
    WaitForPresent2 = 6 "vkWaitForPresent2KHR",
    QueueWaitIdle = 7 "vkQueueWaitIdle",
    DeviceWaitIdle = 8 "vkDeviceWaitIdle",
    GetQueryPoolResults = 9 "vkGetQueryPoolResults",
    AcquireProfilingLock = 10 "vkAcquireProfilingLockKHR",
    DeferredOperationJoin = 11 "vkDeferredOperationJoinKHR",
    QueuePresent = 12 "vkQueuePresentKHR",
    QueueSubmit = 13 "vkQueueSubmit",
    QueueSubmit2 = 14 "vkQueueSubmit2",
    QueueBindSparse = 15 "vkQueueBindSparse",
    CreateSwapchain = 16 "vkCreateSwapchainKHR",
    DestroySwapchain = 17 "vkDestroySwapchainKHR",
    DestroyDevice = 18 "vkDestroyDevice",
    CreateGraphicsPipelines = 19 "vkCreateGraphicsPipelines",
    CreateComputePipelines = 20 "vkCreateComputePipelines",
    CreateRayTracingPipelines = 21 "vkCreateRayTracingPipelinesKHR",
    GetDeviceFaultReports = 22 "vkGetDeviceFaultReportsKHR",
    GetFenceStatus = 23 "vkGetFenceStatus",
    GetSemaphoreCounterValue = 24 "vkGetSemaphoreCounterValue",
    GetEventStatus = 25 "vkGetEventStatus",
    SignalSemaphore = 26 "vkSignalSemaphore",
    SetEvent = 27 "vkSetEvent",
    ResetEvent = 28 "vkResetEvent",
    ResetFences = 29 "vkResetFences",
    LatencySleep = 30 "vkLatencySleepNV",
    ImportFenceFd = 31 "vkImportFenceFdKHR",
    GetFenceFd = 32 "vkGetFenceFdKHR",
    ImportSemaphoreFd = 33 "vkImportSemaphoreFdKHR",
    GetSemaphoreFd = 34 "vkGetSemaphoreFdKHR",
    CreateDevice = 35 "vkCreateDevice",
    CreateShaders = 36 "vkCreateShadersEXT",
    CreateDataGraphPipelines = 37 "vkCreateDataGraphPipelinesARM",
    CreateRayTracingPipelinesNv = 38 "vkCreateRayTracingPipelinesNV",
    ReleaseSwapchainImages = 39 "vkReleaseSwapchainImagesEXT",
    CreateFence = 40 "vkCreateFence",
    CreateSemaphore = 41 "vkCreateSemaphore",
    DestroyFence = 42 "vkDestroyFence",
    DestroySemaphore = 43 "vkDestroySemaphore",
    RegisterDeviceEvent = 44 "vkRegisterDeviceEventEXT",
    RegisterDisplayEvent = 45 "vkRegisterDisplayEventEXT",
    CreateSharedSwapchains = 46 "vkCreateSharedSwapchainsKHR",
    CreateExecutionGraphPipelines = 47 "vkCreateExecutionGraphPipelinesAMDX",
}
