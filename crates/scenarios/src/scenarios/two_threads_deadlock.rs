//! Two threads hand a token to and fro through two timeline semaphores; after some rounds each waits for the other to go first.
use crate::Outcome;
use crate::gpu::Gpu;
use crate::objects::Point;
use crate::threads::together;

/// With three good rounds first, from which a watcher can learn who signals what.
pub(crate) fn run() -> Outcome {
    deadlock_after(3)
}

/// The very first hand-over is the deadlock: there is no history to learn from.
pub(crate) fn run_first() -> Outcome {
    deadlock_after(0)
}

fn deadlock_after(rounds: u64) -> Outcome {
    let gpu = Gpu::new()?;
    let (pings, pongs) = (gpu.timeline("pings", 0)?, gpu.timeline("pongs", 0)?);
    let last = rounds + 1;
    let signal_then_wait = |mine, theirs| {
        gpu.signal_value(mine)?;
        gpu.wait_value(theirs)
    };
    let wait_then_signal = |mine: Point, theirs: Point| {
        gpu.wait_value(theirs)?;
        gpu.signal_value(mine)
    };
    let ping = || {
        (1..=rounds).try_for_each(|round| signal_then_wait((pings, round), (pongs, round)))?;
        // The mistake: in the last round it does as the other does.
        wait_then_signal((pings, last), (pongs, last))
    };
    let pong = || (1..=last).try_for_each(|round| wait_then_signal((pongs, round), (pings, round)));
    together(&[("ping", &ping), ("pong", &pong)])
}
