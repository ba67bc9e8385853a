//! The program acquires one image more than there are, with no timeout, and presents none.
//!
//! Mesa's software X11 path does not wait but gives `VK_NOT_READY`, so lavapipe will not do.
use ash::vk;

use crate::window::Window;
use crate::{Outcome, Stop};

pub(crate) fn run() -> Outcome {
    let window = Window::open()?;
    for _ in 0..5 {
        window.frame()?;
    }
    window.gpu.wait(window.done)?;
    for _ in 0..=window.images.len() {
        match window.acquire(u64::MAX, window.gpu.binary("held")?) {
            Err(vk::Result::NOT_READY) => {
                return Err(Stop::skipped("this window system does not wait for an image"));
            }
            acquired => acquired?,
        };
    }
    Err(Stop::failed("acquired more images than there are"))
}
