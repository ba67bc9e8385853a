//! A healthy loop of presented frames; hangs only when the injected fault makes the presentation engine keep every image.
use crate::Outcome;
use crate::window::Window;

pub(crate) fn run() -> Outcome {
    let window = Window::open()?;
    (0..60).try_for_each(|_| window.frame())
}
