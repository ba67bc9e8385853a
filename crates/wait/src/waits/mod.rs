//! The waits of Vulkan, each with a bound.

mod fence;

pub use fence::wait_fences;

use crate::bound::Deadline;
use crate::{Bound, Error, Waited};

/// Asks once without waiting, then for as long as is left of `bound`.
///
/// Most waits of a healthy program are for what has happened already: those cost one call and no look at the clock.
#[inline]
fn patiently(wait: impl Fn(Bound) -> Result<Waited, Error>, bound: Bound) -> Result<Waited, Error> {
    match wait(Bound::ZERO)? {
        Waited::TimedOut if bound > Bound::ZERO => until(&wait, bound),
        waited => Ok(waited),
    }
}

/// Waits again whenever it is woken too early.
#[cold]
fn until(wait: &impl Fn(Bound) -> Result<Waited, Error>, bound: Bound) -> Result<Waited, Error> {
    let deadline = Deadline::after(bound);
    let mut left = bound;
    loop {
        let waited = wait(left)?;
        left = deadline.left();
        if waited.is_reached() || left == Bound::ZERO {
            return Ok(waited);
        }
    }
}
