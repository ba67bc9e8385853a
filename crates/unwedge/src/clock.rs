//! What time is it, on the clock of the black box?

use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds of `CLOCK_MONOTONIC`.
pub(crate) fn now() -> u64 {
    ns(ClockId::Monotonic)
}

/// Nanoseconds since 1970.
pub(crate) fn unix_now() -> u64 {
    ns(ClockId::Realtime)
}

/// A moment of `CLOCK_MONOTONIC` as clock ticks since boot: what /proc counts in, the time of
/// suspension included.
pub(crate) fn boot_ticks(monotonic_ns: u64) -> u64 {
    let suspended = ns(ClockId::Boottime).saturating_sub(now());
    let tick_ns = 1_000_000_000 / rustix::param::clock_ticks_per_second().max(1);
    monotonic_ns.saturating_add(suspended) / tick_ns
}

fn ns(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(u64::try_from(time.tv_nsec).unwrap_or(0))
}
