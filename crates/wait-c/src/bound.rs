//! How does a program write a bound down?

use unwedge_wait::Bound;

/// How long a wait may take: made by uw_bound_nanos, uw_bound_micros, uw_bound_millis or uw_bound_secs. At most one hour; what is
/// longer, UINT64_MAX too, becomes one hour. Zero looks and does not wait.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct UwBound {
    /// Nanoseconds.
    pub nanos: u64,
}

impl UwBound {
    /// Whatever stands in it, it is finite from here on.
    pub(crate) const fn bound(self) -> Bound {
        Bound::from_nanos(self.nanos)
    }

    const fn of(bound: Bound) -> Self {
        Self { nanos: bound.as_nanos() }
    }
}

/// A bound of so many nanoseconds, at most one hour.
#[must_use]
#[no_mangle]
pub extern "C" fn uw_bound_nanos(nanos: u64) -> UwBound {
    UwBound::of(Bound::from_nanos(nanos))
}

/// A bound of so many microseconds, at most one hour.
#[must_use]
#[no_mangle]
pub extern "C" fn uw_bound_micros(micros: u64) -> UwBound {
    UwBound::of(Bound::from_micros(micros))
}

/// A bound of so many milliseconds, at most one hour.
#[must_use]
#[no_mangle]
pub extern "C" fn uw_bound_millis(millis: u64) -> UwBound {
    UwBound::of(Bound::from_millis(millis))
}

/// A bound of so many seconds, at most one hour.
#[must_use]
#[no_mangle]
pub extern "C" fn uw_bound_secs(secs: u64) -> UwBound {
    UwBound::of(Bound::from_secs(secs))
}
