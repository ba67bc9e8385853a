//! A thread "signaller" signals a timeline a few times and exits without the last value; "waiter" waits for it for ever.
use crate::Outcome;
use crate::gpu::Gpu;
use crate::threads::{sleep_ms, together};

const SIGNALLED: u64 = 3;

pub(crate) fn run() -> Outcome {
    let gpu = Gpu::new()?;
    let jobs = gpu.timeline("jobs", 0)?;
    let signaller = || {
        (1..=SIGNALLED).try_for_each(|value| {
            sleep_ms(20);
            gpu.signal_value((jobs, value))
        })
    };
    let waiter = || (1..=SIGNALLED + 1).try_for_each(|value| gpu.wait_value((jobs, value)));
    together(&[("signaller", &signaller), ("waiter", &waiter)])
}
