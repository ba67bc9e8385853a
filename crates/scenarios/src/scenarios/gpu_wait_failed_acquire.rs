//! An acquire fails, the program draws all the same, and the submit waits for the semaphore that the acquire should have
//! signalled.
//!
//! The failure is real: the program holds every image, so an acquire with a short timeout gives `VK_TIMEOUT` (Mesa's software
//! X11 path: `VK_NOT_READY`). The semaphore had been signalled and consumed in the frames before. Mesa then waits in
//! `vkQueueSubmit` itself for the binary semaphore to get a signaller; others take the submit, and the wait for its fence
//! hangs.
use crate::Outcome;
use crate::window::Window;

const TIMEOUT_NS: u64 = 20_000_000;

pub(crate) fn run() -> Outcome {
    let window = Window::open()?;
    for _ in 0..5 {
        window.frame()?;
    }
    let gpu = &window.gpu;
    gpu.wait(window.done)?;
    let mut held = 0;
    // Each held image has been acquired with a semaphore of its own.
    while window.acquire(TIMEOUT_NS, gpu.binary("held")?).is_ok_and(|image| {
        held = image;
        true
    }) {}
    let image = window.acquire(TIMEOUT_NS, window.acquired).unwrap_or(held);
    gpu.reset(window.done)?;
    window.draw(image, window.acquired, window.done)?;
    gpu.wait(window.done)
}
