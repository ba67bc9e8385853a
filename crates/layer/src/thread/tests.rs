//! What is in a thread's slot during a call, after it, and in a run of polls? Each test looks at the
//! slot of its own thread: the process has one black box.

use std::iter::{empty, once};

use ash::vk;
use unwedge_trace::blackbox::{Call, FAILURES, RING_CALLS, SLOT_ANY, THREAD_EXITED, ThreadCells};

use super::{begin, failed, get, note, place, poll_hit, poll_missed, set, tid};
use crate::memory;

/// This thread's slot, found by its id as a reader finds it.
fn slot() -> &'static ThreadCells {
    let tid = tid();
    assert_ne!(tid, 0);
    let mut slots = memory::blackbox().threads().iter();
    slots.find(|cells| get(&cells.tid) == tid && get(&cells.state) == 1).expect("a slot")
}

fn last() -> [u64; 5] {
    let place = place().expect("a slot");
    let head = get(&place.cells.ring_head) - 1;
    let call = &place.ring[(head % RING_CALLS as u64) as usize];
    [&call.call, &call.device, &call.handle, &call.value, &call.result].map(get)
}

#[test]
fn a_call_is_in_the_slot_until_it_ends() {
    let slot = slot();
    let objects = [(0x10, 1), (0x20, 2)].into_iter();
    let call = begin(Call::WaitSemaphores, 3, 99, true, objects);
    assert_eq!(get(&slot.slot_call), Call::WaitSemaphores.word());
    assert_eq!(get(&slot.slot_sequence) & 1, 0, "no longer being written");
    let words = [&slot.slot_device, &slot.slot_timeout, &slot.slot_flags, &slot.slot_count];
    assert_eq!(words.map(get), [3, 99, SLOT_ANY, 2]);
    assert_eq!([&slot.slot_handles[1], &slot.slot_values[1]].map(get), [0x20, 2]);
    assert!(get(&slot.slot_began_at) > 0);
    let before = get(&slot.slot_sequence);
    call.end_wait(vk::Result::SUCCESS, 2);
    assert_eq!(get(&slot.slot_call), 0);
    assert_eq!(last(), [Call::WaitSemaphores.word(), 3, 0x10, 2, 0]);
    assert_eq!(get(&slot.progress_call), Call::WaitSemaphores.word());
    begin(Call::QueueWaitIdle, 3, u64::MAX, false, empty()).end(vk::Result::SUCCESS, 0);
    assert_eq!(get(&slot.slot_sequence), before + 2, "each call has a number of its own");
    assert_eq!(last()[2], 0, "no handle of the call before");
}

#[test]
fn more_objects_than_fit_are_counted() {
    let objects = (0..20).map(|at| (0x100 + at, at));
    let call = begin(Call::WaitForFences, 1, 0, false, objects);
    assert_eq!(get(&slot().slot_count), 20);
    assert_eq!(get(&slot().slot_handles[7]), 0x107);
    call.end(vk::Result::SUCCESS, 0);
}

#[test]
fn failures_are_kept_beside_their_objects() {
    let slot = slot();
    let call = begin(Call::AcquireNextImage, 1, 0, false, once((0x30, 1)));
    call.end(vk::Result::ERROR_OUT_OF_DATE_KHR, 0);
    let out_of_date = vk::Result::ERROR_OUT_OF_DATE_KHR.as_raw() as i64 as u64;
    assert_eq!(last()[4], out_of_date);
    let kept = |at: usize| std::array::from_fn::<u64, 5, _>(|word| get(&slot.failures[at][word]));
    let [call, result, at, first, second] = kept(0);
    assert_eq!((call, result), (Call::AcquireNextImage.word(), out_of_date));
    assert_eq!((first, second, at > 0), (0x30, 0, true));
    for handle in 0..FAILURES as u64 {
        failed(Call::QueueSubmit, vk::Result::ERROR_OUT_OF_HOST_MEMORY, handle, 7);
    }
    assert_eq!(get(&slot.failures_head), FAILURES as u64 + 1);
    assert_eq!(kept(0)[3..], [FAILURES as u64 - 1, 7], "the oldest made room");
    note(Call::SetEvent, 1, 5, 0, vk::Result::SUCCESS);
    assert_eq!(get(&slot.failures_head), FAILURES as u64 + 1);
}

fn run() -> [u64; 5] {
    let slot = slot();
    let words =
        [&slot.poll_call, &slot.poll_device, &slot.poll_handle, &slot.poll_value, &slot.poll_count];
    words.map(get)
}

#[test]
fn polls_of_one_object_are_a_run() {
    let call = Call::GetFenceStatus;
    for _ in 0..600 {
        poll_missed(call, 1, 0x40, 0);
    }
    assert_eq!(run(), [call.word(), 1, 0x40, 0, 600]);
    let slot = slot();
    assert!(get(&slot.poll_first_at) > 0);
    assert!(get(&slot.poll_last_at) >= get(&slot.poll_first_at));
    assert_eq!(get(&slot.poll_waited_ns), 0);
    // The time of every 256th poll is noted, and of the first ones more often.
    let noted = |count: u64| {
        set(&slot.poll_count, count - 1);
        set(&slot.poll_last_at, 0);
        poll_missed(call, 1, 0x40, 0);
        get(&slot.poll_last_at) != 0
    };
    assert_eq!([2, 3, 64, 100, 128, 255].map(noted), [true, false, true, false, true, false]);
    assert_eq!([256, 300, 512, 599, 768, 600].map(noted), [true, false, true, false, true, false]);
    // Polls of another object do not hide the first.
    poll_missed(call, 1, 0x48, 0);
    assert_eq!(run(), [call.word(), 1, 0x40, 0, 600]);
    // Another value of the same object is another run.
    poll_missed(Call::GetSemaphoreCounterValue, 1, 0x40, 8);
    assert_eq!(run()[3..], [8, 1]);
    let progress = get(&slot.progress_count);
    poll_hit(call);
    assert_eq!((run()[0], get(&slot.progress_count)), (0, progress + 1));
    poll_hit(call);
    assert_eq!(get(&slot.progress_count), progress + 1, "no run, nothing done");
}

#[test]
fn waits_that_run_out_are_polls_and_progress_ends_them() {
    let wait = |result| {
        let call = begin(Call::WaitForFences, 1, 5, false, once((0x50, 0)));
        call.end_wait(result, 0);
    };
    let filed = get(&slot().ring_head);
    for _ in 0..3 {
        wait(vk::Result::TIMEOUT);
    }
    assert_eq!(run(), [Call::WaitForFences.word(), 1, 0x50, 0, 3]);
    assert_eq!(get(&slot().ring_head), filed, "a poll is no entry of the ring");
    // A retry on a lost device goes on, and tells its failure once it is not in the run.
    let failures = get(&slot().failures_head);
    wait(vk::Result::ERROR_DEVICE_LOST);
    assert_eq!((run()[4], get(&slot().failures_head)), (4, failures));
    wait(vk::Result::SUCCESS);
    assert_eq!(run()[0], 0);
    wait(vk::Result::ERROR_DEVICE_LOST);
    wait(vk::Result::ERROR_DEVICE_LOST);
    assert_eq!((run()[4], get(&slot().failures_head)), (2, failures + 1));
    // A submit is progress, whatever was polled before.
    begin(Call::QueueSubmit, 1, u64::MAX, false, once((0x91, 1)))
        .end_progress(vk::Result::SUCCESS, 1);
    assert_eq!(run()[0], 0);
    wait(vk::Result::TIMEOUT);
    begin(Call::QueueSubmit, 1, u64::MAX, false, once((0x91, 1)))
        .end_progress(vk::Result::ERROR_OUT_OF_HOST_MEMORY, 1);
    assert_eq!(run()[4], 1, "one that failed is none");
}

#[test]
fn a_thread_that_exits_leaves_its_slot_marked() {
    let tid = std::thread::spawn(|| {
        poll_missed(Call::GetFenceStatus, 1, 0x40, 0);
        let _never_ends = begin(Call::QueueSubmit, 1, u64::MAX, false, empty());
        tid()
    });
    let tid = tid.join().expect("a thread id");
    let mut slots = memory::blackbox().threads().iter();
    // The slot may have a new owner by now; a thread id is not given away so fast.
    if let Some(cells) = slots.find(|cells| get(&cells.tid) == tid) {
        assert_eq!(
            [&cells.state, &cells.slot_call, &cells.poll_call].map(get),
            [THREAD_EXITED, 0, 0]
        );
        assert!(get(&cells.exited_at) >= get(&cells.started_at));
    }
}
