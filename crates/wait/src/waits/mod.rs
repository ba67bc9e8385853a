//! The waits of Vulkan, each with a bound.

mod acquire;
mod fence;
mod idle;
mod pace;
mod present;
mod query;
mod semaphore;

pub use acquire::{Acquired, Signals, acquire, acquire2};
pub use fence::wait_fences;
pub(crate) use fence::wait_for_work;
pub use idle::{DeviceIdle, QueueIdle, wait_idle_for_shutdown_unbounded};
pub use present::{PresentWait, PresentWait2, PresentWaited, wait_present};
pub use query::{QueryResult, query_results};
pub use semaphore::{Point, SEMAPHORES_MAX, Timeline, wait_semaphores};

use ash::vk;

use crate::bound::Deadline;
use crate::{Bound, Error, Waited};
use pace::Pace;

/// An answer that may also be "not yet".
trait Answer {
    /// Whether it is "not yet".
    fn is_timed_out(&self) -> bool;
}

impl Answer for Waited {
    #[inline]
    fn is_timed_out(&self) -> bool {
        *self == Self::TimedOut
    }
}

impl Answer for PresentWaited {
    #[inline]
    fn is_timed_out(&self) -> bool {
        *self == Self::TimedOut
    }
}

/// What a wait of Vulkan that has a timeout and nothing to tell has returned.
fn answer(call: &'static str, result: Result<(), vk::Result>) -> Result<Waited, Error> {
    match result {
        Ok(()) => Ok(Waited::Reached),
        Err(vk::Result::TIMEOUT) => Ok(Waited::TimedOut),
        Err(result) => Err(Error::of(call, result)),
    }
}

/// The first look, which did not wait, returned this, which is no success. It waits now for as long as `bound` says.
#[cold]
#[inline(never)]
fn not_at_once(
    call: &'static str,
    result: vk::Result,
    bound: Bound,
    wait: impl Fn(Bound) -> Result<(), vk::Result>,
) -> Result<Waited, Error> {
    let timed_out = answer(call, Err(result))?;
    if bound == Bound::ZERO {
        return Ok(timed_out);
    }
    until(&|bound| answer(call, wait(bound)), bound)
}

/// Asks once without waiting, then for as long as is left of `bound`.
///
/// Most waits of a healthy program are for what has happened already: those cost one call and no look at the clock.
#[inline]
fn patiently<A: Answer>(
    wait: impl Fn(Bound) -> Result<A, Error>,
    bound: Bound,
) -> Result<A, Error> {
    let answer = wait(Bound::ZERO)?;
    if answer.is_timed_out() && bound > Bound::ZERO { until(&wait, bound) } else { Ok(answer) }
}

/// Waits again whenever it is woken too early, and not at once if that goes on: a driver that never waits keeps no core busy.
#[cold]
fn until<A: Answer>(wait: &impl Fn(Bound) -> Result<A, Error>, bound: Bound) -> Result<A, Error> {
    let deadline = Deadline::after(bound);
    let mut pace = Pace::new();
    let mut left = bound;
    loop {
        let answer = wait(left)?;
        if !answer.is_timed_out() {
            return Ok(answer);
        }
        let over = left == Bound::ZERO;
        left = deadline.left();
        if over || left == Bound::ZERO {
            return Ok(answer);
        }
        pace.rest(left);
        left = deadline.left();
    }
}
