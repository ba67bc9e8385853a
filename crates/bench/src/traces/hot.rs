//! What does the trace of incident 3 look like, at any size? A short start, then one thread's timed-out polls for ever; and
//! what does the reference emulator's look like, on which the same title goes on?

use std::io::{self, Write};

use super::cast::{self, SPARE};
use super::line::{Lines, Written};
use super::random::Random;
use super::title::{JOB_LINES, POLL_NS, Title};
use super::{Engine, Wanted};

/// The incident's figures.
pub(crate) const EVENTS: u64 = 65_691_821;
const POLLS: u64 = 6_549_579;
/// Lines of a poll and of an interrupt.
const POLL_LINES: u64 = 10;
const VSYNC_LINES: u64 = 2;
/// Frames before the render thread starves.
const FRAMES: u64 = 6;
/// One refresh of the display: 60.2 Hz, as the reference was measured.
const REFRESH_NS: u64 = 16_610_000;
/// Reading files goes on in the first polls, one in so many of all.
const READING_SHARE: u64 = 100;
/// Lengthened until the trace of full size has the 16.07 GB of the incident's.
const BUILD: &str = "0.9.2+g4f1c2aa-release-lto-x86_64-linux-gnu";
const REFERENCE_BUILD: &str = "1.0.3+g77d01be-release-lto-x86_64-linux-gnu";

/// How many lines each thing has.
#[derive(Clone, Copy, Default)]
struct Plan {
    polls: u64,
    vsyncs: u64,
    /// While the title starts.
    jobs: u64,
    /// After the wedge.
    blocks: u64,
    /// Lines that are left over.
    rest: u64,
}

impl Plan {
    /// Exactly `events` lines, with the incident's share of polls.
    fn of(events: u64, fixed: u64) -> Result<Self, String> {
        let too_few = || format!("too few events: {fixed} are needed for the start alone");
        let room = events.checked_sub(fixed).ok_or_else(too_few)?;
        let share = u128::from(events) * u128::from(POLLS) / u128::from(EVENTS);
        let polls = (share as u64).min(room / POLL_LINES);
        let others = room - polls * POLL_LINES;
        let vsyncs = others * 2 / 3 / VSYNC_LINES;
        let fed = (others - vsyncs * VSYNC_LINES) / JOB_LINES;
        let rest = others - vsyncs * VSYNC_LINES - fed * JOB_LINES;
        Ok(Self { polls, vsyncs, jobs: fed / 2, blocks: fed - fed / 2, rest })
    }
}

/// Writes the trace that is wanted.
pub(crate) fn write<W: Write>(wanted: &Wanted, out: W) -> Result<Written, String> {
    let said = |error: io::Error| error.to_string();
    match wanted.engine {
        Engine::Wedging => {
            // What is there whatever the size is counted by writing it.
            let mut empty = title(wanted, io::sink());
            wedge(&mut empty, Plan::default());
            let fixed = empty.lines.written.lines;
            let plan = Plan::of(wanted.events, fixed)?;
            let mut title = title(wanted, out);
            wedge(&mut title, plan);
            title.lines.finish().map_err(said)
        }
        Engine::Reference => {
            let mut title = title(wanted, out);
            go_on(&mut title, wanted.events)?;
            title.lines.finish().map_err(said)
        }
    }
}

fn title<W: Write>(wanted: &Wanted, out: W) -> Title<W> {
    let (engine, build) = match wanted.engine {
        Engine::Wedging => ("xenon-rs", BUILD),
        Engine::Reference => ("canary", REFERENCE_BUILD),
    };
    let lines = Lines::new(out, engine, build, wanted.host_seed);
    let random = Random::new(wanted.seed);
    Title { lines, random, producer_declared: wanted.producer_declared }
}

/// The title starts, draws a few frames and wedges.
fn wedge<W: Write>(title: &mut Title<W>, plan: Plan) {
    title.start();
    for frame in 0..FRAMES {
        title.lines.guest_ns += REFRESH_NS;
        title.vsync();
        title.frame(shared(plan.jobs, FRAMES, frame));
    }
    for _ in 0..plan.rest {
        title.run(SPARE);
    }
    // The thread that draws has a lower priority than the one that polls, on the same hardware thread.
    title.ready(cast::RENDER);
    title.run(cast::POLLER);
    let reading = (plan.polls / READING_SHARE).max(1).min(plan.polls);
    for poll in 0..plan.polls {
        title.poll(POLL_NS, "timeout", |title| {
            for _ in 0..shared(plan.blocks, reading, poll) {
                title.block();
            }
            if poll + 1 == reading {
                title.files_are_read();
            }
            for _ in 0..shared(plan.vsyncs, plan.polls, poll) {
                title.lines.guest_ns += title.random.between(1_000_000, 9_000_000);
                title.vsync();
            }
        });
    }
    if plan.polls == 0 {
        title.files_are_read();
    }
}

/// How many of `count` things fall to place `place` of `places`, spread evenly.
fn shared(count: u64, places: u64, place: u64) -> u64 {
    if place >= places {
        return 0;
    }
    let before = |place: u64| (u128::from(count) * u128::from(place) / u128::from(places)) as u64;
    before(place + 1) - before(place)
}

/// The title starts and goes on: each refresh ends the poller's wait, and a frame is drawn in it.
fn go_on<W: Write>(title: &mut Title<W>, events: u64) -> Result<(), String> {
    title.start();
    title.files_are_read();
    title.run(cast::POLLER);
    // The longest refresh: a poll, an interrupt, and a frame with two jobs.
    const REFRESH_LINES: u64 = 80;
    if title.lines.written.lines + REFRESH_LINES > events {
        return Err(format!(
            "too few events: {} are needed",
            title.lines.written.lines + REFRESH_LINES
        ));
    }
    while title.lines.written.lines + REFRESH_LINES <= events {
        let late = title.random.below(40_000);
        title.poll(REFRESH_NS - 40_000 + late, "success", |title| {
            let jobs = title.random.between(1, 3);
            title.frame(jobs);
            title.vsync();
        });
    }
    while title.lines.written.lines < events {
        title.run(SPARE);
    }
    Ok(())
}
