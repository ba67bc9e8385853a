//! Healthy: a program that never loads Vulkan.
use crate::Outcome;
use crate::threads::sleep_ms;

pub(crate) fn run() -> Outcome {
    sleep_ms(2_000);
    Ok(())
}
