//! Is every bound kept, and no call given more than the bound?

use std::time::{Duration, Instant};

use ash::vk;
use unwedge_wait::Bound;

use crate::answers::{
    Wait, acquires, acquires2, fences, presents, presents2, queries, semaphores, semaphores_khr,
};
use crate::scripted::{Scripted, Then};

/// Those that ask again what returned too early.
const PATIENT: [Wait; 5] = [fences, semaphores, semaphores_khr, presents, presents2];

#[test]
fn what_is_there_already_costs_one_call_that_does_not_wait() {
    for wait in PATIENT {
        let driver = Scripted::new(&[vk::Result::SUCCESS], Then::Timeout);
        assert!(wait(&driver, Bound::from_secs(60)).starts_with("Reached"));
        let timeouts: Vec<_> = driver.calls().into_iter().map(|(_, timeout)| timeout).collect();
        assert_eq!(timeouts, [Some(0)]);
    }
}

#[test]
fn a_driver_that_returns_too_early_is_asked_for_the_rest() {
    for wait in PATIENT {
        let early = [vk::Result::TIMEOUT; 4];
        let driver = Scripted::new(&early, Then::Success);
        let bound = Bound::from_secs(60);
        assert!(wait(&driver, bound).starts_with("Reached"));
        let timeouts: Vec<_> =
            driver.calls().into_iter().filter_map(|(_, timeout)| timeout).collect();
        assert_eq!(timeouts.len(), 5);
        assert_eq!(timeouts[..2], [0, bound.as_nanos()]);
        assert!(timeouts[1..].is_sorted_by(|before, after| before >= after), "{timeouts:?}");
        assert!(timeouts[4] > 0);
    }
}

/// 64 looks, then sleeps of 50 µs and more: however slow the machine, it cannot be more than that.
#[test]
fn a_driver_that_never_waits_keeps_no_core_busy() {
    for wait in PATIENT.into_iter().chain([queries as Wait]) {
        let driver = Scripted::new(&[], Then::Timeout);
        assert_eq!(wait(&driver, Bound::from_millis(40)), "TimedOut");
        let calls = driver.calls().len();
        assert!(calls < 64 + 5 + 40 + 10, "{calls} calls");
    }
}

#[test]
fn the_bound_holds_for_all_calls_together() {
    let bound = Bound::from_millis(5);
    for wait in PATIENT.into_iter().chain([queries as Wait]) {
        let driver = Scripted::new(&[], Then::Timeout);
        let began = Instant::now();
        assert_eq!(wait(&driver, bound), "TimedOut");
        let took = began.elapsed();
        assert!(took >= bound.as_duration(), "not given up early: {took:?}");
        assert!(took < Duration::from_secs(60), "it returned: {took:?}");
        let calls = driver.calls();
        assert!(calls.len() > 2);
        assert!(
            calls.iter().all(|(_, timeout)| timeout.is_none_or(|most| most <= bound.as_nanos()))
        );
    }
}

#[test]
fn an_error_after_a_timeout_ends_the_wait() {
    for wait in PATIENT {
        let answers = [vk::Result::TIMEOUT, vk::Result::ERROR_DEVICE_LOST];
        let driver = Scripted::new(&answers, Then::Timeout);
        assert!(wait(&driver, Bound::MAX).ends_with("the device is lost"));
        assert_eq!(driver.calls().len(), 2);
    }
}

#[test]
fn an_acquire_is_never_repeated() {
    for wait in [acquires, acquires2] {
        let driver = Scripted::new(&[], Then::Timeout);
        let bound = Bound::from_secs(60);
        assert_eq!(wait(&driver, bound), "TimedOut");
        let timeouts: Vec<_> = driver.calls().into_iter().map(|(_, timeout)| timeout).collect();
        assert_eq!(timeouts, [Some(bound.as_nanos())]);
    }
}

#[test]
fn the_longest_bound_that_can_be_written_is_finite() {
    for wait in PATIENT.into_iter().chain([acquires as Wait, acquires2]) {
        let driver = Scripted::new(&[vk::Result::TIMEOUT], Then::Success);
        wait(&driver, Bound::from_secs(u64::MAX));
        let most = driver.calls().into_iter().filter_map(|(_, timeout)| timeout).max();
        assert_eq!(most, Some(3_600_000_000_000));
    }
}
