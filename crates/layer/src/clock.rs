//! What time is it in the patient? The coarse monotonic clock (a few ns, ticks of 1 to 10 ms) on
//! every path that a frame takes; the exact one only where something rare happens.

fn read(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid place to write to; both clocks exist on every Linux this runs on.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    (time.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec as u64)
}

/// Nanoseconds of `CLOCK_MONOTONIC`, as of the last tick.
#[inline]
pub(crate) fn coarse() -> u64 {
    read(libc::CLOCK_MONOTONIC_COARSE)
}

/// Nanoseconds of `CLOCK_MONOTONIC`.
pub(crate) fn exact() -> u64 {
    read(libc::CLOCK_MONOTONIC)
}

/// Nanoseconds since 1970.
pub(crate) fn unix() -> u64 {
    read(libc::CLOCK_REALTIME)
}
