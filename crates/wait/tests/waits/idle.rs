//! Which calls does a wait for an idle queue make, and what is left after each failure?

use ash::vk::{self, Handle as _};
use unwedge_wait::{Bound, DeviceIdle, Error, QueueIdle, Waited};

use crate::scripted::{Scripted, Then};

const LOST: vk::Result = vk::Result::ERROR_DEVICE_LOST;
const MEMORY: vk::Result = vk::Result::ERROR_OUT_OF_HOST_MEMORY;
const NOT_READY: vk::Result = vk::Result::NOT_READY;
const SUCCESS: vk::Result = vk::Result::SUCCESS;
const TIMEOUT: vk::Result = vk::Result::TIMEOUT;

fn queue_idle() -> (Scripted, QueueIdle) {
    let driver = Scripted::new(&[], Then::Success);
    // SAFETY: the scripted driver looks at no handle; so below.
    let idle = unsafe { QueueIdle::new(&driver.device, vk::Queue::from_raw(1)).unwrap() };
    assert_eq!(names(&driver), ["vkCreateFence"]);
    (driver, idle)
}

fn names(driver: &Scripted) -> Vec<&'static str> {
    driver.calls().into_iter().map(|(name, _)| name).collect()
}

fn wait(driver: &Scripted, idle: &mut QueueIdle, answers: &[vk::Result]) -> Result<Waited, Error> {
    driver.next(answers);
    // SAFETY: as above.
    unsafe { idle.wait(Bound::ZERO) }
}

fn destroy(driver: &Scripted, idle: QueueIdle) -> (usize, Vec<&'static str>) {
    driver.next(&[NOT_READY; 4]);
    // SAFETY: as above.
    let left = unsafe { idle.destroy() };
    (left, names(driver))
}

#[test]
fn one_fence_serves_all_waits_that_are_reached() {
    let (driver, mut idle) = queue_idle();
    for _ in 0..3 {
        assert_eq!(wait(&driver, &mut idle, &[]), Ok(Waited::Reached));
        assert_eq!(names(&driver), ["vkResetFences", "vkQueueSubmit", "vkWaitForFences"]);
    }
    assert_eq!(destroy(&driver, idle), (0, vec!["vkDestroyFence"]));
}

#[test]
fn a_failed_reset_is_fatal_and_leaves_the_fence_to_be_destroyed() {
    let (driver, mut idle) = queue_idle();
    let waited = wait(&driver, &mut idle, &[MEMORY]);
    assert_eq!(waited, Err(Error::ResetFailed { result: MEMORY }));
    assert!(waited.unwrap_err().is_fatal_for_device());
    assert_eq!(destroy(&driver, idle), (0, vec!["vkDestroyFence"]));
}

#[test]
fn after_a_failed_submit_nothing_is_pending_and_the_next_wait_works() {
    let (driver, mut idle) = queue_idle();
    let failed = wait(&driver, &mut idle, &[SUCCESS, MEMORY]);
    assert_eq!(failed, Err(Error::OutOfMemory { call: "vkQueueSubmit", result: MEMORY }));
    assert_eq!(idle.pending(), 0);
    assert_eq!(wait(&driver, &mut idle, &[]), Ok(Waited::Reached));
    assert_eq!(destroy(&driver, idle), (0, vec!["vkDestroyFence"]));
}

#[test]
fn a_fence_that_cannot_be_made_is_told_and_tried_again() {
    let (driver, mut idle) = queue_idle();
    assert_eq!(wait(&driver, &mut idle, &[SUCCESS, SUCCESS, TIMEOUT]), Ok(Waited::TimedOut));
    let failed = wait(&driver, &mut idle, &[NOT_READY, MEMORY]);
    assert_eq!(failed, Err(Error::OutOfMemory { call: "vkCreateFence", result: MEMORY }));
    assert_eq!(idle.pending(), 1);
    assert_eq!(wait(&driver, &mut idle, &[]), Ok(Waited::Reached));
}

#[test]
fn a_fence_that_is_pending_is_left() {
    let (driver, mut idle) = queue_idle();
    assert_eq!(wait(&driver, &mut idle, &[SUCCESS, SUCCESS, TIMEOUT]), Ok(Waited::TimedOut));
    assert_eq!(idle.pending(), 1);
    assert_eq!(destroy(&driver, idle), (1, vec!["vkGetFenceStatus"]));
}

#[test]
fn a_queue_that_stays_stuck_is_given_four_fences_and_no_more() {
    let (driver, mut idle) = queue_idle();
    assert_eq!(wait(&driver, &mut idle, &[SUCCESS, SUCCESS, TIMEOUT]), Ok(Waited::TimedOut));
    for pending in 1..4 {
        let mut answers = vec![NOT_READY; pending];
        answers.extend([SUCCESS, SUCCESS, TIMEOUT]);
        assert_eq!(wait(&driver, &mut idle, &answers), Ok(Waited::TimedOut));
    }
    for _ in 0..3 {
        let answers = [
            NOT_READY, NOT_READY, NOT_READY, NOT_READY, TIMEOUT, NOT_READY, NOT_READY, NOT_READY,
            NOT_READY,
        ];
        assert_eq!(wait(&driver, &mut idle, &answers), Ok(Waited::TimedOut));
        assert!(!names(&driver).contains(&"vkQueueSubmit"));
        assert_eq!(idle.pending(), 4);
    }
    let (left, calls) = destroy(&driver, idle);
    assert_eq!((left, calls.contains(&"vkDestroyFence")), (4, false));
}

#[test]
fn a_fence_whose_signal_was_lost_is_not_used_again() {
    let (driver, mut idle) = queue_idle();
    assert_eq!(wait(&driver, &mut idle, &[SUCCESS, SUCCESS, TIMEOUT]), Ok(Waited::TimedOut));
    // The first never shows its signal, the second does.
    let answers = [NOT_READY, SUCCESS, SUCCESS, SUCCESS, NOT_READY, SUCCESS];
    assert_eq!(wait(&driver, &mut idle, &answers), Ok(Waited::Reached));
    let calls = [
        "vkGetFenceStatus",
        "vkCreateFence",
        "vkQueueSubmit",
        "vkWaitForFences",
        "vkGetFenceStatus",
        "vkGetFenceStatus",
        "vkDestroyFence",
    ];
    // The second was made for this, so it is not reset.
    assert_eq!(names(&driver), calls);
    assert_eq!(idle.pending(), 0);
    assert_eq!(destroy(&driver, idle), (0, vec!["vkDestroyFence"]));
}

#[test]
fn on_a_lost_device_nothing_is_pending() {
    let (driver, mut idle) = queue_idle();
    assert_eq!(wait(&driver, &mut idle, &[SUCCESS, SUCCESS, TIMEOUT]), Ok(Waited::TimedOut));
    let lost = wait(&driver, &mut idle, &[LOST]);
    assert_eq!(lost, Err(Error::DeviceLost { call: "vkGetFenceStatus" }));
    let (left, calls) = destroy(&driver, idle);
    assert_eq!(left, 0);
    assert_eq!(calls.last(), Some(&"vkDestroyFence"));
}

#[test]
fn a_device_is_waited_for_with_one_call_for_all_its_queues() {
    let driver = Scripted::new(&[], Then::Success);
    let queues = [1, 2, 3].map(vk::Queue::from_raw);
    // SAFETY: as above.
    let mut idle = unsafe { DeviceIdle::new(&driver.device, &queues).unwrap() };
    driver.calls();
    // SAFETY: as above.
    assert_eq!(unsafe { idle.wait(Bound::from_secs(1)) }, Ok(Waited::Reached));
    let calls = names(&driver);
    assert_eq!(calls.iter().filter(|call| **call == "vkQueueSubmit").count(), 3);
    assert_eq!(calls.iter().filter(|call| **call == "vkWaitForFences").count(), 1);
    // SAFETY: as above.
    assert_eq!(unsafe { idle.destroy() }, 0);
    assert_eq!(names(&driver), ["vkDestroyFence"; 3]);
}

#[test]
fn a_device_of_which_a_queue_is_null_leaves_no_fence() {
    let driver = Scripted::new(&[], Then::Success);
    let queues = [vk::Queue::from_raw(1), vk::Queue::null()];
    // SAFETY: as above.
    let made = unsafe { DeviceIdle::new(&driver.device, &queues) };
    assert_eq!(made.err(), Some(Error::NullHandle("queue")));
    assert_eq!(names(&driver), ["vkCreateFence", "vkDestroyFence"]);
}
