//! Is every call that the design lists hooked, in each spelling that a program may ask for?

use std::collections::BTreeSet;
use std::ffi::CString;

use unwedge_trace::blackbox::Call;

use super::hook;

/// "Blocking entry points" of the design; pipelines of every kind.
const BLOCKING: &[&str] = &[
    "vkWaitForFences",
    "vkWaitSemaphores",
    "vkWaitSemaphoresKHR",
    "vkAcquireNextImageKHR",
    "vkAcquireNextImage2KHR",
    "vkWaitForPresentKHR",
    "vkWaitForPresent2KHR",
    "vkQueueWaitIdle",
    "vkDeviceWaitIdle",
    "vkGetQueryPoolResults",
    "vkAcquireProfilingLockKHR",
    "vkDeferredOperationJoinKHR",
    "vkQueuePresentKHR",
    "vkQueueSubmit",
    "vkQueueSubmit2",
    "vkQueueSubmit2KHR",
    "vkQueueBindSparse",
    "vkCreateSwapchainKHR",
    "vkCreateSharedSwapchainsKHR",
    "vkDestroySwapchainKHR",
    "vkDestroyDevice",
    "vkCreateGraphicsPipelines",
    "vkCreateComputePipelines",
    "vkCreateRayTracingPipelinesKHR",
    "vkCreateRayTracingPipelinesNV",
    "vkCreateExecutionGraphPipelinesAMDX",
    "vkCreateDataGraphPipelinesARM",
    "vkCreateShadersEXT",
    "vkGetDeviceFaultReportsKHR",
];

/// "Poll loops".
const POLLS: &[&str] = &[
    "vkGetFenceStatus",
    "vkGetSemaphoreCounterValue",
    "vkGetSemaphoreCounterValueKHR",
    "vkGetEventStatus",
];

/// "Signallers", imports, exports and names.
const SIGNALLERS: &[&str] = &[
    "vkSignalSemaphore",
    "vkSignalSemaphoreKHR",
    "vkSetEvent",
    "vkResetEvent",
    "vkResetFences",
    "vkLatencySleepNV",
    "vkImportFenceFdKHR",
    "vkGetFenceFdKHR",
    "vkImportSemaphoreFdKHR",
    "vkGetSemaphoreFdKHR",
    "vkRegisterDeviceEventEXT",
    "vkRegisterDisplayEventEXT",
    "vkReleaseSwapchainImagesKHR",
    "vkReleaseSwapchainImagesEXT",
    "vkSetDebugUtilsObjectNameEXT",
    "vkDebugMarkerSetObjectNameEXT",
];

/// What the tables need: who comes and goes.
const LIVES: &[&str] = &[
    "vkGetDeviceQueue",
    "vkGetDeviceQueue2",
    "vkCreateFence",
    "vkDestroyFence",
    "vkCreateSemaphore",
    "vkDestroySemaphore",
];

/// Hooked elsewhere: at the level of the instance.
const OF_INSTANCE: &[&str] = &["vkCreateDevice"];

fn is_hooked(name: &str) -> bool {
    hook(&CString::new(name).expect("no zero")).is_some()
}

fn all() -> impl Iterator<Item = &'static str> {
    [BLOCKING, POLLS, SIGNALLERS, LIVES].into_iter().flatten().copied()
}

#[test]
fn every_listed_call_is_hooked() {
    let missing: Vec<_> = all().filter(|name| !is_hooked(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_call_that_a_record_names_is_hooked() {
    let names = Call::ALL.iter().map(|call| call.name());
    let missing: Vec<_> =
        names.filter(|name| !is_hooked(name) && !OF_INSTANCE.contains(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn nothing_else_is_hooked() {
    for name in ["vkCmdDraw", "vkAllocateMemory", "vkQueueSubmit3", "vkWaitForFence", ""] {
        assert!(!is_hooked(name), "{name}");
    }
    let names: BTreeSet<_> = all().collect();
    assert_eq!(names.len(), all().count(), "a name stands twice");
}

#[test]
fn different_calls_have_different_hooks() {
    let address = |name: &str| hook(&CString::new(name).expect("no zero")).map(|f| f as usize);
    // Two spellings of one call share a hook; a slip in the table would make two calls share one.
    let base = |name: &str| name.trim_end_matches("KHR").trim_end_matches("EXT").to_owned();
    let hooks: BTreeSet<_> = all().map(address).collect();
    let calls: BTreeSet<_> = all().map(base).collect();
    // Identical functions may be merged by the optimiser, not by a debug build.
    assert!(!cfg!(debug_assertions) || hooks.len() == calls.len(), "{hooks:?}");
}
