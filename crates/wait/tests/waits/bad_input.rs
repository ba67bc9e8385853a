//! What do the waits make of nothing, of null, and of too much? No driver is asked.

use std::num::NonZeroU32;

use ash::vk::{self, Handle as _};
use unwedge_wait::{
    Bound, DeviceIdle, Error, Need, Point, QueueIdle, SEMAPHORES_MAX, Signals, Waited, acquire,
    acquire2, query_results, wait_fences, wait_present, wait_semaphores,
};

use crate::answers::{POINTS, SWAPCHAIN, semaphore};
use crate::scripted::{Scripted, Then};

const BOUND: Bound = Bound::from_secs(60);

fn unasked<T>(ask: impl FnOnce(&Scripted) -> T) -> T {
    let driver = Scripted::new(&[], Then::Timeout);
    let answer = ask(&driver);
    assert_eq!(driver.calls(), []);
    answer
}

#[test]
fn all_of_nothing_is_there_and_any_of_nothing_never_comes() {
    unasked(|driver| {
        // SAFETY: the scripted driver looks at no handle; so below.
        unsafe {
            assert_eq!(wait_fences(&driver.device, &[], Need::All, BOUND), Ok(Waited::Reached));
            assert_eq!(wait_fences(&driver.device, &[], Need::Any, BOUND), Err(Error::Nothing));
            assert_eq!(wait_semaphores(&driver.device, &[], Need::All, BOUND), Ok(Waited::Reached));
            assert_eq!(wait_semaphores(&driver.device, &[], Need::Any, BOUND), Err(Error::Nothing));
            let (pool, flags) = (vk::QueryPool::from_raw(1), vk::QueryResultFlags::empty());
            let none: &mut [u64] = &mut [];
            let queried = query_results(&driver.device, pool, 0, none, flags, BOUND);
            assert_eq!(queried, Ok(Waited::Reached));
            let queried = query_results(&driver.device, pool, 0, &mut [[0_u32; 0]], flags, BOUND);
            assert_eq!(queried, Ok(Waited::Reached));
            let mut idle = DeviceIdle::new(&driver.device, &[]).unwrap();
            assert_eq!(idle.wait(BOUND), Ok(Waited::Reached));
            assert_eq!(idle.destroy(), 0);
        }
    });
}

#[test]
fn null_is_an_error_that_says_what_is_null() {
    unasked(|driver| {
        let (one, null) = (vk::Fence::from_raw(1), vk::Fence::null());
        let swapchain = vk::SwapchainKHR::from_raw(SWAPCHAIN);
        let (no_swapchain, signals) = (vk::SwapchainKHR::null(), Signals::semaphore(semaphore(1)));
        let nowhere = Point { semaphore: vk::Semaphore::null(), value: 1 };
        let mask = NonZeroU32::MIN;
        // SAFETY: as above.
        let errors = unsafe {
            let flags = vk::QueryResultFlags::empty();
            [
                wait_fences(&driver.device, &[one, null], Need::Any, BOUND).unwrap_err(),
                wait_semaphores(&driver.device, &[POINTS[0], nowhere], Need::All, BOUND)
                    .unwrap_err(),
                acquire(&driver.swapchains, no_swapchain, signals, BOUND).unwrap_err(),
                acquire2(&driver.swapchains, no_swapchain, signals, mask, BOUND).unwrap_err(),
                acquire(&driver.swapchains, swapchain, Signals::default(), BOUND).unwrap_err(),
                acquire2(&driver.swapchains, swapchain, Signals::default(), mask, BOUND)
                    .unwrap_err(),
                wait_present(&driver.presents, no_swapchain, 3, BOUND).unwrap_err(),
                query_results(&driver.device, vk::QueryPool::null(), 0, &mut [0_u32], flags, BOUND)
                    .unwrap_err(),
                QueueIdle::new(&driver.device, vk::Queue::null()).err().unwrap(),
            ]
        };
        let told = errors.map(|error| error.to_string());
        let signals =
            "the handle of the semaphore and of the fence that an acquire signals is null";
        let expected = [
            "the handle of the fence is null",
            "the handle of the semaphore is null",
            "the handle of the swapchain is null",
            "the handle of the swapchain is null",
            signals,
            signals,
            "the handle of the swapchain is null",
            "the handle of the query pool is null",
            "the handle of the queue is null",
        ];
        assert_eq!(told, expected);
    });
}

#[test]
fn a_present_without_an_id_cannot_be_waited_for() {
    unasked(|driver| {
        let swapchain = vk::SwapchainKHR::from_raw(SWAPCHAIN);
        // SAFETY: as above.
        let waited = unsafe { wait_present(&driver.presents, swapchain, 0, BOUND) };
        assert_eq!(waited, Err(Error::Nothing));
    });
}

#[test]
fn as_many_semaphores_as_there_is_room_for_are_waited_for_and_one_more_is_an_error() {
    let points: Vec<Point> = (1..=SEMAPHORES_MAX as u64 + 1)
        .map(|number| Point { semaphore: semaphore(number), value: number })
        .collect();
    let driver = Scripted::new(&[], Then::Success);
    // SAFETY: as above.
    let waited =
        unsafe { wait_semaphores(&driver.device, &points[..SEMAPHORES_MAX], Need::All, BOUND) };
    assert_eq!(waited, Ok(Waited::Reached));
    unasked(|driver| {
        // SAFETY: as above.
        let waited = unsafe { wait_semaphores(&driver.device, &points, Need::All, BOUND) };
        assert_eq!(waited, Err(Error::TooMany("semaphores", SEMAPHORES_MAX)));
    });
}

#[test]
fn queries_beyond_what_can_be_numbered_are_an_error() {
    unasked(|driver| {
        let (pool, flags) = (vk::QueryPool::from_raw(1), vk::QueryResultFlags::empty());
        // SAFETY: as above.
        let queried =
            unsafe { query_results(&driver.device, pool, u32::MAX, &mut [0_u32; 2], flags, BOUND) };
        assert_eq!(queried, Err(Error::TooMany("queries", u32::MAX as usize)));
    });
}
