//! Are the results of these queries there?

use ash::vk;

use super::pace::Pace;
use crate::bound::Deadline;
use crate::{Bound, Error, Waited};

const CALL: &str = "vkGetQueryPoolResults";

mod sealed {
    use ash::vk;

    pub trait Sealed {
        const FLAGS: vk::QueryResultFlags;
    }

    impl Sealed for u32 {
        const FLAGS: vk::QueryResultFlags = vk::QueryResultFlags::empty();
    }

    impl Sealed for u64 {
        const FLAGS: vk::QueryResultFlags = vk::QueryResultFlags::TYPE_64;
    }

    impl<T: Sealed, const VALUES: usize> Sealed for [T; VALUES] {
        const FLAGS: vk::QueryResultFlags = T::FLAGS;
    }
}

/// What a query gives: [`u32`], [`u64`], or an array of one of them where it gives several values, as pipeline statistics do, or
/// is asked for its availability too. Nothing else implements it.
pub trait QueryResult: sealed::Sealed + Copy {}

impl QueryResult for u32 {}
impl QueryResult for u64 {}
impl<T: QueryResult, const VALUES: usize> QueryResult for [T; VALUES] {}

/// Waits until the queries from `first` on have results, one for each place of `results`, at most for `bound`.
///
/// `VK_QUERY_RESULT_WAIT_BIT` has no timeout, and a query that was never ended makes it wait for ever. So this function does not
/// use it: it looks, at first without pause, then with sleeps of 50 µs that double up to 1 ms between the looks, and returns
/// within about a millisecond after the bound. `flags` may say `PARTIAL` or `WITH_AVAILABILITY`; the bit for waiting is left out of
/// it, and that for 64 bits follows from `T`.
///
/// No `results` at all are [`Waited::Reached`] at once. When it has timed out, places whose queries were available may have
/// been written, the others hold what they held.
///
/// # Errors
/// [`Error::NullHandle`], [`Error::TooMany`] if the queries would be numbered beyond 32 bits, and what `vkGetQueryPoolResults`
/// returns.
///
/// # Safety
/// The pool is of this device and has these queries, and nobody destroys it during the call; each was reset since it was
/// created. `T` has as many values as a query of the pool gives, and one more with `WITH_AVAILABILITY`. `PARTIAL` is not for
/// timestamps.
pub unsafe fn query_results<T: QueryResult>(
    device: &ash::Device,
    pool: vk::QueryPool,
    first: u32,
    results: &mut [T],
    flags: vk::QueryResultFlags,
    bound: Bound,
) -> Result<Waited, Error> {
    if pool == vk::QueryPool::null() {
        return Err(Error::NullHandle("query pool"));
    }
    if size_of_val(results) == 0 {
        return Ok(Waited::Reached);
    }
    if u32::try_from(results.len()).ok().and_then(|count| first.checked_add(count)).is_none() {
        return Err(Error::TooMany("queries", u32::MAX as usize));
    }
    let flags = (flags & !(vk::QueryResultFlags::WAIT | vk::QueryResultFlags::TYPE_64)) | T::FLAGS;
    let look = || {
        // SAFETY: as promised by the caller.
        match unsafe { device.get_query_pool_results(pool, first, results, flags) } {
            Ok(()) => Ok(Waited::Reached),
            Err(vk::Result::NOT_READY) => Ok(Waited::TimedOut),
            Err(result) => Err(Error::of(CALL, result)),
        }
    };
    poll(look, bound)
}

/// Looks until the answer is there or the bound is over; once after the last sleep as well.
fn poll(mut look: impl FnMut() -> Result<Waited, Error>, bound: Bound) -> Result<Waited, Error> {
    let first = look()?;
    if first.is_reached() || bound == Bound::ZERO {
        return Ok(first);
    }
    let deadline = Deadline::after(bound);
    let mut pace = Pace::new();
    loop {
        let left = deadline.left();
        pace.rest(left);
        let seen = look()?;
        if seen.is_reached() || left == Bound::ZERO {
            return Ok(seen);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::waits::pace::SPINS;

    #[test]
    fn a_result_that_comes_after_sleeps_is_seen() {
        let mut looks = 0;
        let look = || {
            looks += 1;
            Ok(if looks == SPINS + 3 { Waited::Reached } else { Waited::TimedOut })
        };
        assert_eq!(poll(look, Bound::from_secs(60)), Ok(Waited::Reached));
    }

    #[test]
    fn a_bound_of_zero_looks_once_and_another_more_than_once() {
        for (bound, one) in [(Bound::ZERO, true), (Bound::from_micros(200), false)] {
            let mut looks = 0;
            let look = || {
                looks += 1;
                Ok(Waited::TimedOut)
            };
            assert_eq!(poll(look, bound), Ok(Waited::TimedOut));
            assert_eq!(looks == 1, one);
        }
    }

    #[test]
    fn a_failed_look_ends_it() {
        let error = Error::DeviceLost { call: CALL };
        assert_eq!(poll(|| Err(error), Bound::from_secs(60)), Err(error));
    }
}
