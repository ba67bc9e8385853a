//! What do the frames of unwedge-wait cost beside a frame loop written by hand, which does the same work?

mod by_hand;
mod draw;
mod rig;
mod typed;

use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use super::compared::{Compared, Kind};
use super::pairs::{Pairs, alternate, batch};
use by_hand::ByHand;
use rig::Rig;
use typed::Typed;

/// In flight, as most programs have it.
const IN_FLIGHT: usize = 2;
/// For any single wait. Nothing here comes near it.
const BOUND: Duration = Duration::from_secs(5);

/// A frame loop. Both have the same device and windows of the same size.
trait Loop {
    /// One frame, from waiting for its turn to presenting it.
    fn frame(&mut self) -> Result<(), String>;

    /// Whether all frames were executed.
    fn is_done(&mut self) -> Result<bool, String>;
}

/// The scripted driver, which renders nothing and never has anybody wait: what is left is what driving it takes.
pub(crate) fn on_nothing() -> Result<Vec<Compared>, String> {
    let measured = measure(Rig::scripted()?, 50, 401)?;
    Ok(vec![measured.compared(Kind::Bare, "wall time", |took| took.wall_ns)])
}

/// The first real device.
pub(crate) fn on_the_device() -> Result<Vec<Compared>, String> {
    let measured = measure(Rig::real()?, 10, 301)?;
    let thread = "processor time of its thread";
    Ok(vec![
        measured.compared(Kind::Frame, "wall time", |took| took.wall_ns),
        measured.compared(Kind::Frame, thread, |took| took.processor_ns),
    ])
}

/// What the frames of both loops took, by hand and typed, and once more with the windows exchanged.
struct Measured {
    device: String,
    halves: [(Vec<Took>, Vec<Took>); 2],
}

impl Measured {
    fn compared(&self, kind: Kind, what: &str, pick: fn(&Took) -> f64) -> Compared {
        let [one, other] = self.halves.each_ref().map(|(by_hand, typed)| {
            let pick = |all: &[Took]| all.iter().map(pick).collect();
            let pairs = Pairs { raw: pick(by_hand), ours: pick(typed) };
            Compared::of(kind, format!("a frame, {what}, {}", self.device), &pairs)
        });
        one.between(&other)
    }
}

/// So many frames of each way in each of so many rounds, and once more with the windows exchanged: what is made later lies elsewhere
/// in the driver, which alone is worth half a per cent. Batches are short: what disturbs one seldom disturbs many.
fn measure(rig: Rig, frames: u32, rounds: usize) -> Result<Measured, String> {
    let half = |first: bool| {
        let windows = if first { (0, 1) } else { (1, 0) };
        let (mut by_hand, mut typed);
        if first {
            by_hand = ByHand::new(&rig, windows.0)?;
            typed = Typed::new(&rig, windows.1)?;
        } else {
            typed = Typed::new(&rig, windows.1)?;
            by_hand = ByHand::new(&rig, windows.0)?;
        }
        let measured = alternate(
            rounds.div_ceil(2),
            || timed(&mut by_hand, frames),
            || timed(&mut typed, frames),
        );
        by_hand.destroy()?;
        typed.destroy()?;
        measured
    };
    let (one, other) = (half(true), half(false));
    let device = rig.name.clone();
    rig.destroy();
    Ok(Measured { device, halves: [one?, other?] })
}

/// What a frame took.
struct Took {
    wall_ns: f64,
    /// Of the thread that drives the frames: what the driver's threads and the display server take is not in it.
    processor_ns: f64,
}

/// One of so many frames. Nothing of them is under way afterwards, which the other way would pay for.
fn timed(frames: &mut impl Loop, count: u32) -> Result<Took, String> {
    let mut problem = Ok(());
    let before = processor_ns();
    let measured = batch(count, || {
        problem = frames.frame();
        problem.is_ok()
    });
    let processor_ns = (processor_ns() - before) / f64::from(count);
    problem?;
    let begin = Instant::now();
    while !frames.is_done()? {
        if begin.elapsed() > BOUND {
            return Err(format!("frames were not executed within {BOUND:?}"));
        }
        sleep(Duration::from_micros(50));
    }
    Ok(Took { wall_ns: measured?, processor_ns })
}

/// What this thread has run so far.
fn processor_ns() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}
