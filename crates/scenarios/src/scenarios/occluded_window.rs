//! Healthy: another window covers this one, which goes on presenting.
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::threads::sleep_ms;
use crate::window::Window;

pub(crate) fn run() -> Outcome {
    let window = Window::open()?;
    (0..30).try_for_each(|_| window.frame())?;
    window.x()?.cover()?;
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(6) {
        window.frame()?;
        sleep_ms(5);
    }
    Ok(())
}
