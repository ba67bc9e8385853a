//! Healthy: the window is minimised and nothing is drawn until it is back.
use crate::Outcome;
use crate::threads::sleep_ms;
use crate::window::Window;

pub(crate) fn run() -> Outcome {
    let window = Window::open()?;
    (0..30).try_for_each(|_| window.frame())?;
    window.x()?.map(false)?;
    sleep_ms(7_000);
    window.x()?.map(true)?;
    (0..30).try_for_each(|_| window.frame())
}
