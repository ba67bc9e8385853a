//! The wait for the results of queries, of any number of values each.

use ash::vk;
use unwedge_wait::{query_results, Bound, Error, QueryResult, Waited};

use crate::bound::UwBound;
use crate::device::UwDevice;
use crate::result::{answer, given, Failure, UwResult};

/// The most values that a query may have: more than pipeline statistics give, and the availability.
pub const UW_QUERY_VALUES_MAX: u32 = 16;

/// What is asked for, but for where it goes.
struct Asked<'a> {
    device: &'a ash::Device,
    pool: vk::QueryPool,
    first: u32,
    count: u32,
    values_per_query: u32,
    flags: vk::QueryResultFlags,
    bound: Bound,
}

impl Asked<'_> {
    /// # Safety
    /// As of [`uw_query_results_u32`].
    unsafe fn wait<T: QueryResult>(self, results: *mut T) -> Result<UwResult, Failure> {
        if results.is_null() && self.count > 0 {
            return Err(Failure::NullPointer("results"));
        }
        // The number of values is a type to ash, which has the stride from it.
        macro_rules! by_values {
            ($($values:literal)*) => {
                match self.values_per_query {
                    // SAFETY: as promised by the caller.
                    $($values => unsafe { self.wait_for::<[T; $values]>(results.cast()) },)*
                    0 => return Err(Failure::Zero("number of values per query")),
                    _ => return Err(Failure::TooMany("values of a query", UW_QUERY_VALUES_MAX as usize)),
                }
            };
        }
        let waited = by_values!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16);
        Ok(waited?.into())
    }

    /// # Safety
    /// As of [`uw_query_results_u32`].
    unsafe fn wait_for<T: QueryResult>(self, results: *mut T) -> Result<Waited, Error> {
        let results = if self.count == 0 {
            &mut []
        } else {
            // SAFETY: as promised by the caller; the pointer is not null.
            unsafe { std::slice::from_raw_parts_mut(results, self.count as usize) }
        };
        // SAFETY: as promised by the caller.
        unsafe {
            query_results(self.device, self.pool, self.first, results, self.flags, self.bound)
        }
    }
}

/// Waits until `count` queries from `first` on have results, and writes `values_per_query` values of 32 bits for each, one query
/// after the other. VK_QUERY_RESULT_WAIT_BIT, which has no timeout, is left out of the flags: it looks again and again, with
/// sleeps of at most a millisecond between. VK_QUERY_RESULT_64_BIT is left out too.
///
/// No queries are reached at once; no values per query are UW_RESULT_ERROR_NOTHING, and more than UW_QUERY_VALUES_MAX are
/// UW_RESULT_ERROR_TOO_MANY.
///
/// # Safety
/// The pool is a live one of this device, has these queries, and each was reset since it was made. `values_per_query` is what a
/// query gives, and one more with VK_QUERY_RESULT_WITH_AVAILABILITY_BIT. There is room for all, initialised, behind `results`.
#[must_use]
#[no_mangle]
pub unsafe extern "C" fn uw_query_results_u32(
    device: *const UwDevice,
    pool: vk::QueryPool,
    first: u32,
    count: u32,
    values_per_query: u32,
    results: *mut u32,
    flags: vk::QueryResultFlags,
    bound: UwBound,
) -> UwResult {
    answer(|| {
        let bound = bound.bound();
        // SAFETY: as promised by the caller.
        let device = unsafe { &given(device, "device")?.device };
        let asked = Asked { device, pool, first, count, values_per_query, flags, bound };
        // SAFETY: as promised by the caller.
        unsafe { asked.wait(results) }
    })
}

/// As uw_query_results_u32, with values of 64 bits.
///
/// # Safety
/// As of uw_query_results_u32.
#[must_use]
#[no_mangle]
pub unsafe extern "C" fn uw_query_results_u64(
    device: *const UwDevice,
    pool: vk::QueryPool,
    first: u32,
    count: u32,
    values_per_query: u32,
    results: *mut u64,
    flags: vk::QueryResultFlags,
    bound: UwBound,
) -> UwResult {
    answer(|| {
        let bound = bound.bound();
        // SAFETY: as promised by the caller.
        let device = unsafe { &given(device, "device")?.device };
        let asked = Asked { device, pool, first, count, values_per_query, flags, bound };
        // SAFETY: as promised by the caller.
        unsafe { asked.wait(results) }
    })
}
