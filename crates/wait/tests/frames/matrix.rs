//! Every result that the specification allows, at every step of a frame, at every position, alone and in pairs: after each, the
//! program renders again, nothing of valid usage was broken, and nothing is left behind.
//!
//! The table of calls and results is the scripted driver's (`fake_icd::CALLS`), which cites the specification. Time is the
//! test's own, so that two seconds on a rung cost nothing.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use ash::vk;
use unwedge_wait::frame::PresentWhen;
use unwedge_wait::frame_loop::{FrameLoop, Settings, Turn};
use unwedge_wait::{Bound, Waited};

use crate::window::{Mistake, Window};

/// The calls of a frame, in its order.
const FRAME_CALLS: &[&str] = &[
    "vkWaitForFences",
    "vkAcquireNextImageKHR",
    "vkResetCommandPool",
    "vkBeginCommandBuffer",
    "vkEndCommandBuffer",
    "vkResetFences",
    "vkQueueSubmit",
    "vkQueuePresentKHR",
];

/// The calls that make what frames need, when the loop begins and when it recovers.
const MAKING_CALLS: &[&str] = &[
    "vkCreateDevice",
    "vkCreateSwapchainKHR",
    "vkGetSwapchainImagesKHR",
    "vkCreateImageView",
    "vkCreateSemaphore",
    "vkCreateFence",
    "vkCreateCommandPool",
    "vkAllocateCommandBuffers",
];

/// Two frames in flight and three images: after six frames every slot has met every image.
const POSITIONS: std::ops::RangeInclusive<u64> = 1..=6;

/// Something that goes wrong, once.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The n-th of these calls returns this.
    Call(&'static str, u64, vk::Result),
    /// The notification of the n-th fence is lost: its batch is executed and it is never signalled.
    DropFence(u64),
    Program(Mistake),
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(call, at, result) => write!(f, "fail={call}:{at}:{}", result.as_raw()),
            Self::DropFence(at) => write!(f, "drop-fence={at}"),
            Self::Program(mistake) => write!(f, "{mistake:?}"),
        }
    }
}

/// The faults of these calls, each result at each position.
fn faults_of(calls: &[&'static str]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for name in calls {
        let call = fake_icd::call(name).expect("a call of the driver's table");
        for result in call.results().chain(fake_icd::ANYWHERE.iter().copied()) {
            faults.extend(POSITIONS.map(|at| Fault::Call(name, at, result)));
        }
    }
    faults
}

fn frame_faults() -> Vec<Fault> {
    let mut faults = faults_of(FRAME_CALLS);
    faults.extend(POSITIONS.map(Fault::DropFence));
    faults.extend(POSITIONS.map(|at| Fault::Program(Mistake::Error(at))));
    faults.extend(POSITIONS.map(|at| Fault::Program(Mistake::Panic(at))));
    faults
}

const AT_ONCE: PresentWhen = PresentWhen::Submitted;
const EXECUTED: PresentWhen = PresentWhen::Executed(Bound::from_micros(20));

/// What else may differ between runs with the same faults.
#[derive(Clone, Copy, Debug)]
struct How {
    /// Of what Vulkan leaves open to drivers, the part that this one chooses.
    driver: &'static str,
    present: PresentWhen,
}

/// Work is executed by the call that waits for it and no sooner: what is in use stays in use for as long as can be.
const LATE: How = How { driver: "execute=late,engine=hold", present: AT_ONCE };

/// Work is executed when it is submitted: every wait is one call.
const EARLY: How = How { driver: "execute=early,engine=hold", present: AT_ONCE };

/// As the first, with images that are presented only once their frame was executed.
const PATIENT: How = How { driver: "execute=late,engine=hold", present: EXECUTED };

/// Every single fault and every pair meets these.
const ALL: &[How] = &[LATE, EARLY, PATIENT];

/// Single faults meet these as well.
const OTHERS: &[How] = &[
    How { driver: "execute=late,engine=free", present: AT_ONCE },
    How { driver: "execute=early,engine=hold", present: EXECUTED },
    How { driver: "execute=early,engine=free,sticky=off", present: AT_ONCE },
    How { driver: "execute=late,engine=hold,lost-waits=succeed", present: AT_ONCE },
    How { driver: "execute=late,engine=hold,failed-reset=keeps", present: AT_ONCE },
    How { driver: "execute=late,engine=hold,timeouts=early", present: AT_ONCE },
];

/// How a run ended that recovered.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    runs: u64,
    /// Runs in which every fault was met.
    met: u64,
}

/// How many turns a run may take to meet its faults and recover.
const TURNS_MAX: u64 = 2_000;

/// How many frames in a row have to be presented, and seen executed, after the last fault.
const HEALTHY_FRAMES: u64 = 12;

/// Runs a program that meets these faults, and checks that it renders again.
fn check(how: How, faults: &[Fault], tally: &mut Tally) {
    let mut script = format!("queues=1,check=quiet,{}", how.driver);
    let mut window_mistakes = Vec::new();
    for fault in faults {
        match fault {
            Fault::Program(mistake) => window_mistakes.push(*mistake),
            other => script.push_str(&format!(",{other:?}")),
        }
    }
    let mut window = Window::new(&script);
    window.mistakes = window_mistakes;
    // A driver that does nothing before somebody waits for it has to be waited for.
    let late = how.driver.contains("execute=late");
    let bound = if late { Bound::from_micros(20) } else { Bound::ZERO };
    let problem = run(&mut window, bound, how.present);
    let instance = &window.rig.instance;
    let met = fake_icd::failures_met(instance)
        + mistakes_made(&window)
        + fences_dropped(instance, faults);
    let broken = fake_icd::violations(instance);
    tally.runs += 1;
    tally.met += u64::from(met >= faults.len() as u64);
    if problem.is_some() || !broken.is_empty() {
        panic!(
            "{faults:?}, {how:?}: {}; broken: {broken:?}; devices {:?}; swapchains {:?}",
            problem.unwrap_or_default(),
            window.devices,
            window.swapchains
        );
    }
    window.rig.destroy();
}

fn mistakes_made(window: &Window) -> u64 {
    let met = |mistake: &&Mistake| match mistake {
        Mistake::Error(at) | Mistake::Panic(at) => *at <= window.draws,
    };
    window.mistakes.iter().filter(met).count() as u64
}

fn fences_dropped(instance: &ash::Instance, faults: &[Fault]) -> u64 {
    let submits = fake_icd::count(instance, "vkQueueSubmit").unwrap_or(0);
    let met = |fault: &&Fault| matches!(fault, Fault::DropFence(at) if *at <= submits);
    faults.iter().filter(met).count() as u64
}

/// Why the program does not render again, if it does not.
fn run(window: &mut Window, bound: Bound, present: PresentWhen) -> Option<String> {
    let settings =
        Settings { fence: bound, acquire: bound, idle: bound, present, ..Settings::default() };
    let mut frames = FrameLoop::new(settings);
    let (mut now, mut healthy, mut last) = (Instant::now(), 0, None);
    for _ in 0..TURNS_MAX {
        let turn = std::panic::catch_unwind(AssertUnwindSafe(|| frames.turn(window, now)));
        now += Duration::from_millis(16);
        match turn {
            Ok(Turn::Presented) => healthy += 1,
            Ok(Turn::Skipped { retry_in, because }) => {
                (healthy, last) = (0, Some(because));
                now += retry_in;
            }
            Ok(other) => return Some(format!("{other:?}")),
            Err(_) => healthy = 0,
        }
        if healthy == HEALTHY_FRAMES {
            return finish(window, frames, now);
        }
    }
    Some(format!("it never renders again; the last trouble was {last:?}"))
}

/// Ends a healthy run, and looks for what it has left behind.
fn finish(window: &mut Window, frames: FrameLoop, now: Instant) -> Option<String> {
    if let Some(since) = frames.troubled_for(now) {
        return Some(format!("it renders, and still believes in trouble since {since:?}"));
    }
    if frames.finish(Bound::from_secs(10)) != Waited::Reached {
        return Some("it never ends".into());
    }
    let device = window.rig.device.take()?;
    // SAFETY: the frames are destroyed.
    unsafe { device.destroy_device(None) };
    let leaks = fake_icd::leaks(&window.rig.instance);
    (window.left == 0 && !leaks.is_empty()).then(|| format!("left behind: {leaks:?}"))
}

/// All pairs of a fault of this call with any other one.
fn pairs(call: &str) {
    let (mut tally, mut remade) = (Tally::default(), Tally::default());
    let (others, making) = (frame_faults(), faults_of(MAKING_CALLS));
    let firsts: Vec<_> =
        others.iter().enumerate().filter(|(_, fault)| kind(fault) == call).collect();
    assert!(!firsts.is_empty(), "{call}");
    for (number, first) in firsts {
        for how in ALL.iter().chain(OTHERS) {
            check(*how, &[*first], &mut tally);
        }
        // Each pair once; a fault with itself is the single one.
        for second in &others[number + 1..] {
            for how in ALL {
                check(*how, &[*first, *second], &mut tally);
            }
        }
        for second in &making {
            check(LATE, &[*first, *second], &mut remade);
        }
    }
    println!("{call}: {} combinations, in {} of them every fault was met", tally.runs, tally.met);
    println!("  and with what is made: {}, {}", remade.runs, remade.met);
    assert!(tally.met * 2 > tally.runs, "most faults are met: {tally:?}");
}

fn kind(fault: &Fault) -> &'static str {
    match fault {
        Fault::Call(call, ..) => call,
        Fault::DropFence(_) => "drop-fence",
        Fault::Program(_) => "draw",
    }
}

/// How many runs all suites make: what the crate's docs say.
fn runs() -> (usize, usize, usize) {
    let (frame, making) = (frame_faults().len(), faults_of(MAKING_CALLS).len());
    let pairs = |count: usize| count * (count - 1) / 2;
    let singles = frame * (ALL.len() + OTHERS.len());
    (singles + ALL.len() * pairs(frame), frame * making, making + pairs(making))
}

#[test]
fn the_docs_say_how_many_combinations_there_are() {
    let number = |runs: usize| format!("{},{:03}", runs / 1000, runs % 1000);
    let (frames, remade, made) = runs();
    let docs = include_str!("../../README.md");
    for runs in [frames, remade, made, frames + remade + made] {
        assert!(docs.contains(&number(runs)), "the docs do not say {}", number(runs));
    }
}

macro_rules! suites {
    ($($name:ident: $call:literal,)*) => {
        $(
            #[test]
            fn $name() {
                pairs($call);
            }
        )*

        #[test]
        fn every_call_of_a_frame_has_its_suite() {
            let suites = [$($call),*];
            for fault in frame_faults() {
                assert!(suites.contains(&kind(&fault)), "{fault:?}");
            }
        }
    };
}

suites! {
    rendering_survives_any_fence_wait_and_any_other_fault: "vkWaitForFences",
    rendering_survives_any_acquire_and_any_other_fault: "vkAcquireNextImageKHR",
    rendering_survives_any_pool_reset_and_any_other_fault: "vkResetCommandPool",
    rendering_survives_any_begin_and_any_other_fault: "vkBeginCommandBuffer",
    rendering_survives_any_end_and_any_other_fault: "vkEndCommandBuffer",
    rendering_survives_any_fence_reset_and_any_other_fault: "vkResetFences",
    rendering_survives_any_submit_and_any_other_fault: "vkQueueSubmit",
    rendering_survives_any_present_and_any_other_fault: "vkQueuePresentKHR",
    rendering_survives_a_lost_notification_and_any_other_fault: "drop-fence",
    rendering_survives_a_draw_that_fails_and_any_other_fault: "draw",
}

/// A device, a swapchain and its parts fail while they are made, at the start or again while recovering.
#[test]
fn rendering_begins_whatever_fails_while_it_is_made() {
    let mut tally = Tally::default();
    let faults = faults_of(MAKING_CALLS);
    for (number, first) in faults.iter().enumerate() {
        check(EARLY, &[*first], &mut tally);
        for second in &faults[number + 1..] {
            check(LATE, &[*first, *second], &mut tally);
        }
    }
    println!("making: {} combinations, in {} every fault was met", tally.runs, tally.met);
}
