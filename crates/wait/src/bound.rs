//! How long may a wait take? At most [`Bound::MAX`]: "for ever" cannot be written.

use std::fmt;
use std::time::{Duration, Instant};

/// The longest that a wait may take, in nanoseconds: from [`Bound::ZERO`], which only looks, to [`Bound::MAX`].
///
/// Every function of this crate that waits asks for one. There is no default, because how long is too long is known to
/// the program alone, and no value that Vulkan reads as "for ever" (`UINT64_MAX`).
///
/// ```
/// use unwedge_wait::Bound;
/// use std::time::Duration;
///
/// const FRAME: Bound = Bound::from_millis(8);
/// assert_eq!(FRAME.as_nanos(), 8_000_000);
/// // What is too long becomes the longest there is …
/// assert_eq!(Bound::from_nanos(u64::MAX), Bound::MAX);
/// // … unless the length is not known when the program is written: then it is told.
/// assert!(Bound::try_from(Duration::MAX).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bound(u64);

impl Bound {
    /// Looks and does not wait.
    pub const ZERO: Self = Self(0);

    /// The longest bound: one hour. A GPU that owes an answer for so long is not slow; a program whose work does take
    /// longer waits again.
    pub const MAX: Self = Self(3_600_000_000_000);

    /// A bound of so many nanoseconds, at most [`Bound::MAX`].
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        if nanos > Self::MAX.0 { Self::MAX } else { Self(nanos) }
    }

    /// A bound of so many microseconds, at most [`Bound::MAX`].
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self::from_nanos(micros.saturating_mul(1_000))
    }

    /// A bound of so many milliseconds, at most [`Bound::MAX`].
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self::from_nanos(millis.saturating_mul(1_000_000))
    }

    /// A bound of so many seconds, at most [`Bound::MAX`].
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self::from_nanos(secs.saturating_mul(1_000_000_000))
    }

    /// The bound in nanoseconds, as Vulkan takes it.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The bound as a duration.
    #[must_use]
    pub const fn as_duration(self) -> Duration {
        Duration::from_nanos(self.0)
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_duration())
    }
}

/// The duration is longer than [`Bound::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong(pub Duration);

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a bound of {:?} is longer than {}", self.0, Bound::MAX)
    }
}

impl std::error::Error for TooLong {}

impl TryFrom<Duration> for Bound {
    type Error = TooLong;

    fn try_from(duration: Duration) -> Result<Self, TooLong> {
        match u64::try_from(duration.as_nanos()) {
            Ok(nanos) if nanos <= Self::MAX.0 => Ok(Self(nanos)),
            _ => Err(TooLong(duration)),
        }
    }
}

/// When a wait that consists of several calls has to be over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    pub(crate) fn after(bound: Bound) -> Self {
        Self(Instant::now() + bound.as_duration())
    }

    /// What is left of the bound; [`Bound::ZERO`] once it is over.
    pub(crate) fn left(self) -> Bound {
        let left = self.0.saturating_duration_since(Instant::now());
        // Less than the bound that it was made of, which fits.
        Bound::from_nanos(u64::try_from(left.as_nanos()).unwrap_or(Bound::MAX.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_constructor_goes_beyond_the_longest_bound() {
        let makers = [Bound::from_nanos, Bound::from_micros, Bound::from_millis, Bound::from_secs];
        for make in makers {
            assert_eq!(make(u64::MAX), Bound::MAX);
            assert_eq!(make(0), Bound::ZERO);
            assert!(make(1) > Bound::ZERO);
        }
        assert!(Bound::MAX.as_nanos() < u64::MAX);
    }

    #[test]
    fn a_duration_that_is_too_long_is_told() {
        let longest = Bound::MAX.as_duration();
        assert_eq!(Bound::try_from(longest), Ok(Bound::MAX));
        let longer = longest + Duration::from_nanos(1);
        assert_eq!(Bound::try_from(longer), Err(TooLong(longer)));
        assert_eq!(TooLong(longer).to_string(), "a bound of 3600.000000001s is longer than 3600s");
    }

    #[test]
    fn what_is_left_of_a_bound_never_grows() {
        let deadline = Deadline::after(Bound::from_secs(1));
        let first = deadline.left();
        assert!(first <= Bound::from_secs(1));
        assert!(deadline.left() <= first);
        assert_eq!(Deadline::after(Bound::ZERO).left(), Bound::ZERO);
    }
}
