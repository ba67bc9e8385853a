//! The classic frame loop: wait for the fence, reset it, acquire; on `VK_ERROR_OUT_OF_DATE_KHR` leave the frame early. The
//! fence is then unsignalled and nobody will submit it, and the next frame waits for ever. Needs the injected failure.
use ash::vk;

use crate::Outcome;
use crate::window::Window;

const FRAMES: u32 = 60;

pub(crate) fn run() -> Outcome {
    let window = Window::open()?;
    for _ in 0..FRAMES {
        frame(&window)?;
    }
    Ok(())
}

fn frame(window: &Window) -> Outcome {
    window.gpu.wait(window.done)?;
    window.gpu.reset(window.done)?;
    let image = match window.acquire(u64::MAX, window.acquired) {
        // The mistake: the fence has been reset already.
        Err(vk::Result::ERROR_OUT_OF_DATE_KHR) => return Ok(()),
        acquired => acquired?,
    };
    window.draw(image, window.acquired, window.done)?;
    Ok(window.present(image)?)
}
