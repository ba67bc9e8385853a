//! Is a pending fence ever reset, submitted again or destroyed? A queue that gets stuck and runs again at random watches the fences.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::{CStr, c_void};

use ash::vk::{self, Handle as _};
use unwedge_wait::{Bound, DeviceIdle, QueueIdle, Waited};

/// What a fence is to the queue model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Unsignalled,
    /// Given to this queue, which will signal it.
    Pending(usize),
    /// Given to this queue, which will not.
    Lost(usize),
    /// Its submit is done, and its signal does not show.
    Unseen,
    Signalled,
}

#[derive(Default)]
struct Model {
    fences: BTreeMap<u64, State>,
    made: u64,
    /// Of each queue.
    stuck: [bool; 2],
    /// The signal of the next submit is lost.
    lose: bool,
    /// The most fences that were alive.
    alive_max: usize,
}

impl Model {
    fn run(&mut self) {
        for state in self.fences.values_mut() {
            match *state {
                State::Pending(queue) if !self.stuck[queue] => *state = State::Signalled,
                State::Lost(queue) if !self.stuck[queue] => *state = State::Unseen,
                _ => {}
            }
        }
    }

    /// Whether the submit of the fence is done, which is what Vulkan's rules ask for.
    fn is_done(&self, fence: u64) -> bool {
        !matches!(self.fences[&fence], State::Pending(_) | State::Lost(_))
    }
}

thread_local! {
    static MODEL: RefCell<Model> = RefCell::default();
}

fn with<T>(act: impl FnOnce(&mut Model) -> T) -> T {
    MODEL.with_borrow_mut(act)
}

fn device() -> ash::Device {
    MODEL.set(Model::default());
    // SAFETY: the functions have the types of their names; the handle is never looked at.
    unsafe { ash::Device::load_with(function, vk::Device::from_raw(1)) }
}

fn function(name: &CStr) -> *const c_void {
    match name.to_str().unwrap() {
        "vkCreateFence" => create as *const c_void,
        "vkDestroyFence" => destroy as *const c_void,
        "vkResetFences" => reset as *const c_void,
        "vkGetFenceStatus" => status as *const c_void,
        "vkWaitForFences" => wait as *const c_void,
        "vkQueueSubmit" => submit as *const c_void,
        _ => std::ptr::null(),
    }
}

extern "system" fn create(
    _: vk::Device,
    _: *const c_void,
    _: *const c_void,
    out: &mut u64,
) -> vk::Result {
    with(|model| {
        model.made += 1;
        *out = model.made;
        model.fences.insert(model.made, State::Unsignalled);
        model.alive_max = model.alive_max.max(model.fences.len());
    });
    vk::Result::SUCCESS
}

extern "system" fn destroy(_: vk::Device, fence: u64, _: *const c_void) {
    with(|model| {
        assert!(model.is_done(fence), "destroyed while pending");
        model.fences.remove(&fence);
    });
}

extern "system" fn reset(_: vk::Device, count: u32, fences: &u64) -> vk::Result {
    assert_eq!(count, 1);
    with(|model| {
        let state = model.fences[fences];
        // A fence whose signal is late is not reset either: the signal would be taken for that of its next submit.
        assert!(matches!(state, State::Unsignalled | State::Signalled), "reset while {state:?}");
        model.fences.insert(*fences, State::Unsignalled);
    });
    vk::Result::SUCCESS
}

extern "system" fn status(_: vk::Device, fence: u64) -> vk::Result {
    match with(|model| model.fences[&fence]) {
        State::Signalled => vk::Result::SUCCESS,
        _ => vk::Result::NOT_READY,
    }
}

extern "system" fn wait(
    _: vk::Device,
    count: u32,
    fences: *const u64,
    all: vk::Bool32,
    _: u64,
) -> vk::Result {
    // SAFETY: the caller owes as many.
    let fences = unsafe { std::slice::from_raw_parts(fences, count as usize) };
    let mut seen = fences.iter().map(|fence| with(|model| model.fences[fence] == State::Signalled));
    let reached = if all == vk::FALSE { seen.any(|seen| seen) } else { seen.all(|seen| seen) };
    if reached { vk::Result::SUCCESS } else { vk::Result::TIMEOUT }
}

extern "system" fn submit(queue: usize, count: u32, _: *const c_void, fence: u64) -> vk::Result {
    assert_eq!(count, 0);
    with(|model| {
        let queue = queue - 1;
        assert_eq!(model.fences[&fence], State::Unsignalled, "submitted while in use");
        let lose = std::mem::take(&mut model.lose);
        let state = if lose { State::Lost(queue) } else { State::Pending(queue) };
        model.fences.insert(fence, state);
        model.run();
    });
    vk::Result::SUCCESS
}

/// Numbers that look random, the same ones for a seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// Lets queues get stuck and run again, and lose signals if it is asked to, between waits.
fn drive(seed: u64, loses: bool, mut wait: impl FnMut() -> Waited, queues: usize) {
    let mut dice = Dice(seed);
    for step in 0..500 {
        let (queue, stuck) = (usize::try_from(dice.roll(2)).unwrap() % queues, dice.roll(3) == 0);
        let lose = loses && dice.roll(4) == 0;
        with(|model| {
            model.stuck[queue] = stuck;
            model.lose = lose;
            model.run();
        });
        let waited = wait();
        let (any_stuck, lost) = with(|model| {
            let lost = lose && !std::mem::take(&mut model.lose);
            (model.stuck.contains(&true), lost)
        });
        // Four signals lost one after the other leave no fence to submit: so it may be timed out, never falsely reached.
        if any_stuck || lost {
            assert_eq!(waited, Waited::TimedOut, "step {step} of seed {seed}");
        } else if !loses {
            assert_eq!(waited, Waited::Reached, "step {step} of seed {seed}");
        }
    }
}

#[test]
fn a_queue_that_gets_stuck_at_random_is_never_idle_while_it_is_stuck() {
    for seed in 1..=40 {
        for loses in [false, true] {
            let device = device();
            // SAFETY: the model looks at no handle but the queue's number; so below.
            let mut idle = unsafe { QueueIdle::new(&device, vk::Queue::from_raw(1)).unwrap() };
            // SAFETY: as above.
            let wait = || unsafe { idle.wait(Bound::ZERO).unwrap() };
            drive(seed, loses, wait, 1);
            assert!(idle.pending() <= 4);
            assert!(with(|model| model.alive_max) <= 5, "fences are used again");
            // SAFETY: as above.
            let left = unsafe { idle.destroy() };
            assert_eq!(with(|model| model.fences.len()), left);
        }
    }
}

#[test]
fn two_queues_that_get_stuck_at_random_are_never_idle_while_one_is_stuck() {
    for seed in 1..=40 {
        for loses in [false, true] {
            let device = device();
            let queues = [vk::Queue::from_raw(1), vk::Queue::from_raw(2)];
            // SAFETY: as above.
            let mut idle = unsafe { DeviceIdle::new(&device, &queues).unwrap() };
            // SAFETY: as above.
            let wait = || unsafe { idle.wait(Bound::ZERO).unwrap() };
            drive(seed, loses, wait, 2);
            assert!(with(|model| model.alive_max) <= 10);
            // SAFETY: as above.
            let left = unsafe { idle.destroy() };
            assert_eq!(with(|model| model.fences.len()), left);
        }
    }
}
