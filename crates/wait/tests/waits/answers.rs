//! What does each wait make of each result that its Vulkan function may return?

use std::fmt::{Debug, Display};
use std::num::NonZeroU32;

use ash::vk::{self, Handle as _};
use unwedge_wait::{
    Bound, Need, Point, Signals, acquire, acquire2, query_results, wait_fences,
    wait_idle_for_shutdown_unbounded, wait_present, wait_semaphores,
};

use crate::scripted::{Scripted, Then};

/// A wait, with whatever else it needs, for a bound.
pub(crate) type Wait = fn(&Scripted, Bound) -> String;

fn text(answer: Result<impl Debug, impl Display>) -> String {
    answer.map_or_else(|error| format!("error: {error}"), |outcome| format!("{outcome:?}"))
}

pub(crate) fn fences(driver: &Scripted, bound: Bound) -> String {
    let fences = [vk::Fence::from_raw(1), vk::Fence::from_raw(2)];
    // SAFETY: the scripted driver looks at no handle; so below.
    text(unsafe { wait_fences(&driver.device, &fences, Need::All, bound) })
}

pub(crate) const POINTS: [Point; 2] =
    [Point { semaphore: semaphore(4), value: 4 }, Point { semaphore: semaphore(5), value: 5 }];

pub(crate) const fn semaphore(raw: u64) -> vk::Semaphore {
    // SAFETY: a handle that is no pointer is a number.
    unsafe { std::mem::transmute(raw) }
}

pub(crate) fn semaphores(driver: &Scripted, bound: Bound) -> String {
    // SAFETY: as above.
    text(unsafe { wait_semaphores(&driver.device, &POINTS, Need::Any, bound) })
}

pub(crate) fn semaphores_khr(driver: &Scripted, bound: Bound) -> String {
    // SAFETY: as above.
    text(unsafe { wait_semaphores(&driver.timeline, &POINTS, Need::All, bound) })
}

pub(crate) const SWAPCHAIN: u64 = 8;

pub(crate) fn acquires(driver: &Scripted, bound: Bound) -> String {
    let (swapchain, signals) =
        (vk::SwapchainKHR::from_raw(SWAPCHAIN), Signals::semaphore(semaphore(1)));
    // SAFETY: as above.
    text(unsafe { acquire(&driver.swapchains, swapchain, signals, bound) })
}

pub(crate) fn acquires2(driver: &Scripted, bound: Bound) -> String {
    let (swapchain, signals) =
        (vk::SwapchainKHR::from_raw(SWAPCHAIN), Signals::fence(vk::Fence::from_raw(1)));
    // SAFETY: as above.
    text(unsafe { acquire2(&driver.swapchains, swapchain, signals, NonZeroU32::MIN, bound) })
}

pub(crate) fn presents(driver: &Scripted, bound: Bound) -> String {
    // SAFETY: as above.
    text(unsafe { wait_present(&driver.presents, vk::SwapchainKHR::from_raw(SWAPCHAIN), 3, bound) })
}

pub(crate) fn presents2(driver: &Scripted, bound: Bound) -> String {
    // SAFETY: as above.
    text(unsafe {
        wait_present(&driver.presents2, vk::SwapchainKHR::from_raw(SWAPCHAIN), 3, bound)
    })
}

pub(crate) fn queries(driver: &Scripted, bound: Bound) -> String {
    let (pool, flags) = (vk::QueryPool::from_raw(1), vk::QueryResultFlags::WAIT);
    let mut results = [[0_u64; 2]; 3];
    // SAFETY: as above.
    text(unsafe { query_results(&driver.device, pool, 0, &mut results, flags, bound) })
}

fn device_idle(driver: &Scripted, _: Bound) -> String {
    // SAFETY: as above.
    text(unsafe { wait_idle_for_shutdown_unbounded(&driver.device) })
}

/// The waits, and the Vulkan function of each.
const WAITS: [(&str, Wait); 9] = [
    ("vkWaitForFences", fences),
    ("vkWaitSemaphores", semaphores),
    ("vkWaitSemaphores", semaphores_khr),
    ("vkAcquireNextImageKHR", acquires),
    ("vkAcquireNextImage2KHR", acquires2),
    ("vkWaitForPresentKHR", presents),
    ("vkWaitForPresent2KHR", presents2),
    ("vkGetQueryPoolResults", queries),
    ("vkDeviceWaitIdle", device_idle),
];

fn check(wait: Wait, result: vk::Result, expected: &str) {
    let driver = Scripted::new(&[result], Then::Success);
    assert_eq!(wait(&driver, Bound::ZERO), expected, "after {result:?}");
    assert_eq!(driver.calls().len(), 1, "a bound of zero asks once");
}

/// The errors that the specification lists for every one of them, and two that it lists for none.
#[test]
fn an_error_is_told_with_the_call_that_had_it() {
    for (call, wait) in WAITS {
        let errors = [
            (vk::Result::ERROR_DEVICE_LOST, "the device is lost"),
            (vk::Result::ERROR_OUT_OF_HOST_MEMORY, "out of host memory"),
            (vk::Result::ERROR_OUT_OF_DEVICE_MEMORY, "out of device memory"),
            (vk::Result::ERROR_UNKNOWN, "ERROR_UNKNOWN"),
            (vk::Result::ERROR_VALIDATION_FAILED_EXT, "ERROR_VALIDATION_FAILED_EXT"),
        ];
        for (result, expected) in errors {
            check(wait, result, &format!("error: {call}: {expected}"));
        }
    }
}

#[test]
fn what_is_there_is_reached() {
    for wait in [fences, semaphores, semaphores_khr, queries] {
        check(wait, vk::Result::SUCCESS, "Reached");
    }
    for wait in [presents, presents2] {
        check(wait, vk::Result::SUCCESS, "Reached { suboptimal: false }");
        check(wait, vk::Result::SUBOPTIMAL_KHR, "Reached { suboptimal: true }");
    }
    for wait in [acquires, acquires2] {
        check(wait, vk::Result::SUCCESS, "Image { index: 7, suboptimal: false }");
        check(wait, vk::Result::SUBOPTIMAL_KHR, "Image { index: 7, suboptimal: true }");
    }
    check(device_idle, vk::Result::SUCCESS, "()");
}

#[test]
fn what_is_not_there_yet_is_no_error() {
    for wait in [fences, semaphores, semaphores_khr, presents, presents2, acquires, acquires2] {
        check(wait, vk::Result::TIMEOUT, "TimedOut");
    }
    for wait in [acquires, acquires2, queries] {
        check(wait, vk::Result::NOT_READY, "TimedOut");
    }
}

#[test]
fn a_swapchain_that_can_present_no_more_is_no_error() {
    for wait in [acquires, acquires2, presents, presents2] {
        check(wait, vk::Result::ERROR_OUT_OF_DATE_KHR, "OutOfDate");
        check(wait, vk::Result::ERROR_FULL_SCREEN_EXCLUSIVE_MODE_LOST_EXT, "OutOfDate");
    }
}

#[test]
fn a_surface_that_is_lost_is_an_error() {
    for (call, wait) in &WAITS[3..7] {
        check(
            *wait,
            vk::Result::ERROR_SURFACE_LOST_KHR,
            &format!("error: {call}: the surface is lost"),
        );
    }
}
