//! How are the numbers of a black box said? Results, calls and faults in Vulkan's words.

use unwedge_trace::blackbox::{Call, Fault, MarkRecord};

/// A `VkResult` by its name; the number where this program does not know it.
pub(super) fn result(word: u64) -> String {
    let raw = word as i64;
    let name = match raw {
        0 => "VK_SUCCESS",
        1 => "VK_NOT_READY",
        2 => "VK_TIMEOUT",
        3 => "VK_EVENT_SET",
        4 => "VK_EVENT_RESET",
        5 => "VK_INCOMPLETE",
        -1 => "VK_ERROR_OUT_OF_HOST_MEMORY",
        -2 => "VK_ERROR_OUT_OF_DEVICE_MEMORY",
        -3 => "VK_ERROR_INITIALIZATION_FAILED",
        -4 => "VK_ERROR_DEVICE_LOST",
        -5 => "VK_ERROR_MEMORY_MAP_FAILED",
        -13 => "VK_ERROR_UNKNOWN",
        -1_000_000_000 => "VK_ERROR_SURFACE_LOST_KHR",
        -1_000_000_001 => "VK_ERROR_NATIVE_WINDOW_IN_USE_KHR",
        1_000_001_003 => "VK_SUBOPTIMAL_KHR",
        -1_000_001_004 => "VK_ERROR_OUT_OF_DATE_KHR",
        -1_000_072_003 => "VK_ERROR_INVALID_EXTERNAL_HANDLE",
        -1_000_255_000 => "VK_ERROR_FULL_SCREEN_EXCLUSIVE_MODE_LOST_EXT",
        other => return format!("VkResult {other}"),
    };
    name.to_owned()
}

/// A call by its name.
pub(super) fn call(word: u64) -> String {
    Call::from_word(word)
        .map_or_else(|| format!("Vulkan call {word}"), |call| call.name().to_owned())
}

/// An injected fault, as a report names it.
pub(super) fn fault(mark: &MarkRecord) -> String {
    let name = Fault::from_word(mark.fault).map_or("an unknown fault", Fault::name);
    format!("{name} on {}, occurrence {}", call(mark.call), mark.ordinal)
}
