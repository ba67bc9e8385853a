//! What can go wrong in a wait or a frame, other than that it takes too long?

use std::fmt;

use ash::vk;

/// What Vulkan answered, sorted by what a program can do about it. Timeouts and swapchains that are out of date are no errors;
/// the outcomes have them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The device is lost (`VK_ERROR_DEVICE_LOST`): it and all that was made from it have to be made again.
    DeviceLost {
        /// The Vulkan function that said so.
        call: &'static str,
    },
    /// The surface is lost (`VK_ERROR_SURFACE_LOST_KHR`): surface and swapchain have to be made again.
    SurfaceLost {
        /// The Vulkan function that said so.
        call: &'static str,
    },
    /// No memory, on the host or on the device. The call did nothing; it may work later.
    OutOfMemory {
        /// The Vulkan function that said so.
        call: &'static str,
        /// `VK_ERROR_OUT_OF_HOST_MEMORY` or `VK_ERROR_OUT_OF_DEVICE_MEMORY`.
        result: vk::Result,
    },
    /// `vkResetFences` failed. Whether the fence is signalled is unknown from then on, so this is fatal for the
    /// device: it has to be made again.
    ResetFailed {
        /// What it returned.
        result: vk::Result,
    },
    /// Any of nothing was waited for, which can never come.
    Nothing,
    /// A null handle was given; the name says what for.
    NullHandle(&'static str),
    /// More was given than the function takes; the name says of what, the number how many it takes.
    TooMany(&'static str, usize),
    /// Any other result, which is an error that the specification does not list for the call, or one that says that
    /// the call was wrong.
    Failed {
        /// The Vulkan function that failed.
        call: &'static str,
        /// What it returned.
        result: vk::Result,
    },
}

impl Error {
    /// Sorts what `call` returned: for calls of the program's own, so that the loop knows that a device or a surface is lost.
    #[must_use]
    pub fn of(call: &'static str, result: vk::Result) -> Self {
        match result {
            vk::Result::ERROR_DEVICE_LOST => Self::DeviceLost { call },
            vk::Result::ERROR_SURFACE_LOST_KHR => Self::SurfaceLost { call },
            vk::Result::ERROR_OUT_OF_HOST_MEMORY | vk::Result::ERROR_OUT_OF_DEVICE_MEMORY => {
                Self::OutOfMemory { call, result }
            }
            _ => Self::Failed { call, result },
        }
    }

    /// Whether only a new device helps.
    #[must_use]
    pub const fn is_fatal_for_device(&self) -> bool {
        matches!(self, Self::DeviceLost { .. } | Self::ResetFailed { .. })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DeviceLost { call } => write!(f, "{call}: the device is lost"),
            Self::SurfaceLost { call } => write!(f, "{call}: the surface is lost"),
            Self::OutOfMemory { call, result: vk::Result::ERROR_OUT_OF_HOST_MEMORY } => {
                write!(f, "{call}: out of host memory")
            }
            Self::OutOfMemory { call, .. } => write!(f, "{call}: out of device memory"),
            Self::ResetFailed { result } => {
                write!(f, "vkResetFences: {result:?}, so the state of the fence is unknown")
            }
            Self::Nothing => f.write_str("a wait for any of nothing never ends"),
            Self::NullHandle(what) => write!(f, "the handle of the {what} is null"),
            Self::TooMany(what, most) => write!(f, "more than {most} {what}"),
            Self::Failed { call, result } => write!(f, "{call}: {result:?}"),
        }
    }
}

impl std::error::Error for Error {}
