//! How does a picture get to the screen? What is made on the GPU and how a frame is recorded; when that happens, and what happens if
//! it cannot, is the frame loop's affair: nothing here waits.

mod atlas_image;
mod device;
mod instance;
mod memory;
mod painter;
mod pipeline;
mod shader;
mod swapchain;

use std::fmt;

use ash::vk;

pub(crate) use instance::Instance;
pub(crate) use painter::Painter;

/// What keeps the terminal from drawing.
#[derive(Debug)]
pub(crate) enum Error {
    /// There is no Vulkan loader on this machine.
    NoLoader(ash::LoadingError),
    /// Neither X11 nor Wayland.
    NoWindowSystem,
    /// No device can do what is needed.
    NoDevice,
    /// No memory of the kind that is needed.
    NoMemory,
    /// A pipeline was made that is not there.
    NoPipeline,
    /// A shader cannot be assembled.
    Shader(rspirv::dr::Error),
    /// The instance cannot be made.
    Instance(vk::Result),
    /// Vulkan failed: which call, and what it said.
    Call(&'static str, vk::Result),
    /// A wait or an upload failed.
    Wait(unwedge_wait::Error),
}

impl Error {
    fn call(call: &'static str, result: vk::Result) -> Self {
        Self::Call(call, result)
    }

    fn instance(result: vk::Result) -> Self {
        Self::Instance(result)
    }

    /// What it means for the device and the surface, if anything.
    fn cause(&self) -> Option<unwedge_wait::Error> {
        use unwedge_wait::Error as Wait;
        match *self {
            Self::Wait(error) => Some(error),
            Self::Call(call, vk::Result::ERROR_DEVICE_LOST) => Some(Wait::DeviceLost { call }),
            Self::Call(call, vk::Result::ERROR_SURFACE_LOST_KHR) => {
                Some(Wait::SurfaceLost { call })
            }
            Self::Call(call, result) => Some(Wait::Failed { call, result }),
            _ => None,
        }
    }
}

impl From<unwedge_wait::Error> for Error {
    fn from(error: unwedge_wait::Error) -> Self {
        Self::Wait(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLoader(error) => write!(f, "no Vulkan loader: {error}"),
            Self::NoWindowSystem => f.write_str("the display is neither X11 nor Wayland"),
            Self::NoDevice => f.write_str(
                "no Vulkan device can draw to this display (Vulkan 1.3 with dynamic rendering is needed)",
            ),
            Self::NoMemory => f.write_str("the device has no memory of the kind that is needed"),
            Self::NoPipeline => f.write_str("the driver made no pipeline"),
            Self::Shader(error) => write!(f, "shader: {error}"),
            Self::Instance(vk::Result::ERROR_INCOMPATIBLE_DRIVER) => {
                f.write_str("no Vulkan driver is installed (on Debian, mesa-vulkan-drivers has some)")
            }
            Self::Instance(result) => write!(f, "vkCreateInstance: {result:?}"),
            Self::Call(call, result) => write!(f, "{call}: {result:?}"),
            Self::Wait(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}
