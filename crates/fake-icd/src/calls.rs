//! Which calls may fail in a frame, and with which results?
//!
//! The results are those of Vulkan's registry (`successcodes` and `errorcodes` of `vk.xml`, header versions 239 and 359 agree on
//! them), which the specification prints as "Return Codes" under each command. Left out are results that need an extension
//! which this driver lacks: video, present timing. [`ANYWHERE`] is what any command may return.

use ash::vk;

/// What any command with a result may return ("Return Codes": an error that cannot be attributed to valid behaviour of
/// application and implementation).
pub const ANYWHERE: &[vk::Result] = &[vk::Result::ERROR_UNKNOWN];

/// A command of Vulkan that a script can let fail, together with its newer versions, which count as the same call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// Its names, the oldest first; a script may use any of them.
    pub names: &'static [&'static str],
    /// The results with which it did what it was asked to, other than `SUCCESS`; time-outs are among them.
    pub successes: &'static [vk::Result],
    /// The errors that it may return, [`ANYWHERE`] aside.
    pub errors: &'static [vk::Result],
}

impl Call {
    /// The oldest name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.names.first().copied().unwrap_or_default()
    }

    /// Every result but `SUCCESS` that the specification lists for it.
    pub fn results(&self) -> impl Iterator<Item = vk::Result> + use<> {
        self.successes.iter().chain(self.errors).copied()
    }
}

/// The call with this name; the `vk` in front may be left out.
#[must_use]
pub fn call(name: &str) -> Option<&'static Call> {
    CALLS.get(index_of(name)?)
}

pub(crate) fn index_of(name: &str) -> Option<usize> {
    let wanted = name.strip_prefix("vk").unwrap_or(name);
    CALLS.iter().position(|call| {
        call.names.iter().any(|name| name.strip_prefix("vk").unwrap_or(name) == wanted)
    })
}

const HOST: vk::Result = vk::Result::ERROR_OUT_OF_HOST_MEMORY;
const MEMORY: &[vk::Result] = &[HOST, vk::Result::ERROR_OUT_OF_DEVICE_MEMORY];
const DEVICE_MEMORY: &[vk::Result] = &[vk::Result::ERROR_OUT_OF_DEVICE_MEMORY];
const MEMORY_OR_LOST: &[vk::Result] =
    &[HOST, vk::Result::ERROR_OUT_OF_DEVICE_MEMORY, vk::Result::ERROR_DEVICE_LOST];
const ENGINE: &[vk::Result] = &[
    HOST,
    vk::Result::ERROR_OUT_OF_DEVICE_MEMORY,
    vk::Result::ERROR_DEVICE_LOST,
    vk::Result::ERROR_OUT_OF_DATE_KHR,
    vk::Result::ERROR_SURFACE_LOST_KHR,
    vk::Result::ERROR_FULL_SCREEN_EXCLUSIVE_MODE_LOST_EXT,
];
const NONE: &[vk::Result] = &[];
const TIMEOUT: &[vk::Result] = &[vk::Result::TIMEOUT];
const NOT_READY: &[vk::Result] = &[vk::Result::NOT_READY];

const fn call_of(
    names: &'static [&'static str],
    successes: &'static [vk::Result],
    errors: &'static [vk::Result],
) -> Call {
    Call { names, successes, errors }
}

/// Declares the calls: an index for the driver's own use, and the row of the table with the same number.
macro_rules! calls {
    ($( $index:ident: [$($name:literal),+], $successes:expr, $errors:expr; )*) => {
        /// The calls by the names that the driver uses for them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Which { $( $index, )* }

        /// Every call that a script can let fail, with what it may return.
        pub const CALLS: &[Call] = &[ $( call_of(&[$($name),+], $successes, $errors), )* ];
    };
}

calls! {
    WaitForFences: ["vkWaitForFences"], TIMEOUT, MEMORY_OR_LOST;
    WaitSemaphores: ["vkWaitSemaphores", "vkWaitSemaphoresKHR"], TIMEOUT, MEMORY_OR_LOST;
    GetFenceStatus: ["vkGetFenceStatus"], NOT_READY, MEMORY_OR_LOST;
    GetSemaphoreCounterValue: ["vkGetSemaphoreCounterValue", "vkGetSemaphoreCounterValueKHR"], NONE, MEMORY_OR_LOST;
    SignalSemaphore: ["vkSignalSemaphore", "vkSignalSemaphoreKHR"], NONE, MEMORY;
    ResetFences: ["vkResetFences"], NONE, DEVICE_MEMORY;
    AcquireNextImage: ["vkAcquireNextImageKHR", "vkAcquireNextImage2KHR"],
        &[vk::Result::TIMEOUT, vk::Result::NOT_READY, vk::Result::SUBOPTIMAL_KHR], ENGINE;
    QueuePresent: ["vkQueuePresentKHR"], &[vk::Result::SUBOPTIMAL_KHR], ENGINE;
    WaitForPresent: ["vkWaitForPresentKHR"], &[vk::Result::TIMEOUT, vk::Result::SUBOPTIMAL_KHR], ENGINE;
    ReleaseSwapchainImages: ["vkReleaseSwapchainImagesEXT", "vkReleaseSwapchainImagesKHR"],
        NONE, &[vk::Result::ERROR_SURFACE_LOST_KHR];
    CreateSwapchain: ["vkCreateSwapchainKHR"], NONE, &[
        HOST,
        vk::Result::ERROR_OUT_OF_DEVICE_MEMORY,
        vk::Result::ERROR_DEVICE_LOST,
        vk::Result::ERROR_SURFACE_LOST_KHR,
        vk::Result::ERROR_NATIVE_WINDOW_IN_USE_KHR,
        vk::Result::ERROR_INITIALIZATION_FAILED,
        vk::Result::ERROR_COMPRESSION_EXHAUSTED_EXT,
    ];
    GetSwapchainImages: ["vkGetSwapchainImagesKHR"], &[vk::Result::INCOMPLETE], MEMORY;
    CreateFence: ["vkCreateFence"], NONE, MEMORY;
    CreateSemaphore: ["vkCreateSemaphore"], NONE, MEMORY;
    CreateImageView: ["vkCreateImageView"], NONE, &[
        HOST,
        vk::Result::ERROR_OUT_OF_DEVICE_MEMORY,
        vk::Result::ERROR_INVALID_OPAQUE_CAPTURE_ADDRESS_KHR,
    ];
    CreateCommandPool: ["vkCreateCommandPool"], NONE, MEMORY;
    AllocateCommandBuffers: ["vkAllocateCommandBuffers"], NONE, MEMORY;
    ResetCommandPool: ["vkResetCommandPool"], NONE, DEVICE_MEMORY;
    ResetCommandBuffer: ["vkResetCommandBuffer"], NONE, DEVICE_MEMORY;
    BeginCommandBuffer: ["vkBeginCommandBuffer"], NONE, MEMORY;
    EndCommandBuffer: ["vkEndCommandBuffer"], NONE, MEMORY;
    QueueSubmit: ["vkQueueSubmit", "vkQueueSubmit2", "vkQueueSubmit2KHR", "vkQueueBindSparse"], NONE, MEMORY_OR_LOST;
    QueueWaitIdle: ["vkQueueWaitIdle"], NONE, MEMORY_OR_LOST;
    DeviceWaitIdle: ["vkDeviceWaitIdle"], NONE, MEMORY_OR_LOST;
    GetQueryPoolResults: ["vkGetQueryPoolResults"], NOT_READY, MEMORY_OR_LOST;
    CreateDevice: ["vkCreateDevice"], NONE, &[
        HOST,
        vk::Result::ERROR_OUT_OF_DEVICE_MEMORY,
        vk::Result::ERROR_INITIALIZATION_FAILED,
        vk::Result::ERROR_EXTENSION_NOT_PRESENT,
        vk::Result::ERROR_FEATURE_NOT_PRESENT,
        vk::Result::ERROR_TOO_MANY_OBJECTS,
        vk::Result::ERROR_DEVICE_LOST,
    ];
    AllocateMemory: ["vkAllocateMemory"], NONE, &[
        HOST,
        vk::Result::ERROR_OUT_OF_DEVICE_MEMORY,
        vk::Result::ERROR_INVALID_EXTERNAL_HANDLE,
        vk::Result::ERROR_INVALID_OPAQUE_CAPTURE_ADDRESS_KHR,
    ];
    MapMemory: ["vkMapMemory"], NONE, &[
        HOST,
        vk::Result::ERROR_OUT_OF_DEVICE_MEMORY,
        vk::Result::ERROR_MEMORY_MAP_FAILED,
    ];
    CreateBuffer: ["vkCreateBuffer"], NONE, &[
        HOST,
        vk::Result::ERROR_OUT_OF_DEVICE_MEMORY,
        vk::Result::ERROR_INVALID_OPAQUE_CAPTURE_ADDRESS_KHR,
    ];
    BindBufferMemory: ["vkBindBufferMemory", "vkBindBufferMemory2", "vkBindBufferMemory2KHR"], NONE, &[
        HOST,
        vk::Result::ERROR_OUT_OF_DEVICE_MEMORY,
        vk::Result::ERROR_INVALID_OPAQUE_CAPTURE_ADDRESS_KHR,
    ];
}

/// The results by the names that a script may use, without `VK_`, `ERROR_` and the extension's suffix.
const RESULTS: &[(&str, vk::Result)] = &[
    ("NOT_READY", vk::Result::NOT_READY),
    ("TIMEOUT", vk::Result::TIMEOUT),
    ("INCOMPLETE", vk::Result::INCOMPLETE),
    ("SUBOPTIMAL", vk::Result::SUBOPTIMAL_KHR),
    ("OUT_OF_HOST_MEMORY", vk::Result::ERROR_OUT_OF_HOST_MEMORY),
    ("OUT_OF_DEVICE_MEMORY", vk::Result::ERROR_OUT_OF_DEVICE_MEMORY),
    ("INITIALIZATION_FAILED", vk::Result::ERROR_INITIALIZATION_FAILED),
    ("DEVICE_LOST", vk::Result::ERROR_DEVICE_LOST),
    ("MEMORY_MAP_FAILED", vk::Result::ERROR_MEMORY_MAP_FAILED),
    ("EXTENSION_NOT_PRESENT", vk::Result::ERROR_EXTENSION_NOT_PRESENT),
    ("FEATURE_NOT_PRESENT", vk::Result::ERROR_FEATURE_NOT_PRESENT),
    ("TOO_MANY_OBJECTS", vk::Result::ERROR_TOO_MANY_OBJECTS),
    ("UNKNOWN", vk::Result::ERROR_UNKNOWN),
    ("SURFACE_LOST", vk::Result::ERROR_SURFACE_LOST_KHR),
    ("NATIVE_WINDOW_IN_USE", vk::Result::ERROR_NATIVE_WINDOW_IN_USE_KHR),
    ("OUT_OF_DATE", vk::Result::ERROR_OUT_OF_DATE_KHR),
    ("FULL_SCREEN_EXCLUSIVE_MODE_LOST", vk::Result::ERROR_FULL_SCREEN_EXCLUSIVE_MODE_LOST_EXT),
    ("COMPRESSION_EXHAUSTED", vk::Result::ERROR_COMPRESSION_EXHAUSTED_EXT),
    ("INVALID_EXTERNAL_HANDLE", vk::Result::ERROR_INVALID_EXTERNAL_HANDLE),
    ("INVALID_OPAQUE_CAPTURE_ADDRESS", vk::Result::ERROR_INVALID_OPAQUE_CAPTURE_ADDRESS_KHR),
];

/// The result with this name or number.
pub(crate) fn result(text: &str) -> Option<vk::Result> {
    if let Ok(raw) = text.parse() {
        return Some(vk::Result::from_raw(raw));
    }
    let short = text.strip_prefix("VK_").unwrap_or(text);
    let short = short.strip_prefix("ERROR_").unwrap_or(short);
    let short = short.strip_suffix("_KHR").or_else(|| short.strip_suffix("_EXT")).unwrap_or(short);
    RESULTS.iter().find(|(name, _)| *name == short).map(|&(_, result)| result)
}

/// The name that a script uses for a result; its number if it has none.
#[must_use]
pub fn result_name(result: vk::Result) -> String {
    let named = RESULTS.iter().find(|(_, known)| *known == result);
    named.map_or_else(|| result.as_raw().to_string(), |(name, _)| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_result_of_the_table_has_a_name_that_is_understood() {
        for call in CALLS {
            assert!(!call.errors.is_empty(), "{}", call.name());
            for wanted in call.results().chain(ANYWHERE.iter().copied()) {
                assert_eq!(result(&result_name(wanted)), Some(wanted), "{}", call.name());
                assert!(result_name(wanted).parse::<i32>().is_err(), "{wanted:?} has no name");
                assert_eq!(result(&format!("VK_{wanted:?}")), Some(wanted));
            }
        }
    }

    #[test]
    fn a_newer_version_of_a_call_is_the_same_call() {
        let of = |name| call(name).map(Call::name);
        assert_eq!(of("vkQueueSubmit2"), Some("vkQueueSubmit"));
        assert_eq!(of("AcquireNextImage2KHR"), Some("vkAcquireNextImageKHR"));
        assert_eq!(of("vkQueueSubmit3"), None);
    }

    #[test]
    fn the_index_of_a_call_is_its_row() {
        assert_eq!(index_of("vkWaitForFences"), Some(Which::WaitForFences as usize));
        assert_eq!(index_of("vkBindBufferMemory"), Some(Which::BindBufferMemory as usize));
        assert_eq!(CALLS.len(), Which::BindBufferMemory as usize + 1);
    }
}
