//! Whose fault was it, when the fault was planted? Worlds by chance of which the culprit is known.
//!
//! A seed, the switch `plant`, chooses everything: who takes part and under which names, when it happens, how many wait behind
//! the one who waits for the root. The judge asks [`truth`]; the rows of the world tell of no plan.

mod block_held;
mod deadlock;
mod debtor_gone;
mod debtor_starved;
mod device_busy;
mod device_stalled;
mod gpu;
mod idle;
mod images_withheld;
mod livelock;
mod lost_wakeup;
mod never_submitted;
mod noise;
mod not_a_wait;
mod outside_debtor;
mod reset_without_submit;
mod ring_stalled;
mod signal_lost;
mod silent_producer;
mod stage;

use unwedge_trace::ObjectKind;

use super::{Scenario, Size};
use crate::switch::{Settings, Switch};
use crate::world::World;
use stage::Stage;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "planted",
    about: "random worlds with a culprit that is known: one kind of root each, or none",
    story: "Each finding has its plants. A plant takes a program that does its rounds, and after some of them one thing goes wrong: a \
            lock is taken in the wrong order, a submit fails, a signal is dropped, a thread ends. Before that moment, and in a \
            healthy world for ever, the same program gets on.\n\n\
            Around it others live who must not be blamed: frame loops, producers and consumers, users of locks, timers, pollers, \
            threads that come and go, and threads that wait for work and will wait for it all night.",
    switches: SWITCHES,
    build,
};

const KIND_WORDS: &[&str] = &[
    "healthy", "UW001", "UW002", "UW003", "UW004", "UW005", "UW006", "UW007", "UW008", "UW009",
    "UW010", "UW011", "UW012", "UW013", "UW014", "UW015", "UW016",
];

const SWITCHES: &[Switch] = &[
    Switch::choice("kind", "healthy", KIND_WORDS, "what is planted: a finding's code, or nothing"),
    Switch::number("plant", 1, (0, u64::MAX), "the seed of the plan: who, what, when"),
    Switch::number("shape", 0, (0, 9), "which shape of its kind; 0: the plan chooses"),
    Switch::number("rounds", 0, (0, 100), "rounds before it happens; 0: the plan chooses"),
    Switch::number("noise", 2, (0, 40), "healthy agents or groups of them beside the plant"),
    Switch::number("idle", 2, (0, 40), "threads that wait for work or input, as they should"),
    Switch::number("programs", 2, (1, 16), "processes over which the noise is spread"),
    Switch::number("lost", 0, (0, 50), "events in a hundred that are dropped"),
    Switch::choice(
        "unobserved",
        "off",
        &["off", "fence", "timeline", "event"],
        "a kind of object whose signals and debtors the source does not see",
    ),
];

/// A kind of root, and how it comes about.
struct Kind {
    code: &'static str,
    /// How many shapes it has, from 1.
    shapes: u64,
    plant: fn(&mut Stage, u64),
}

static KINDS: [Kind; 16] = [
    Kind { code: "UW001", shapes: 5, plant: deadlock::plant },
    Kind { code: "UW002", shapes: 4, plant: never_submitted::plant },
    Kind { code: "UW003", shapes: 5, plant: reset_without_submit::plant },
    Kind { code: "UW004", shapes: 3, plant: signal_lost::plant },
    Kind { code: "UW005", shapes: 3, plant: device_busy::plant },
    Kind { code: "UW006", shapes: 2, plant: device_stalled::plant },
    Kind { code: "UW007", shapes: 4, plant: debtor_gone::plant },
    Kind { code: "UW008", shapes: 3, plant: debtor_starved::plant },
    Kind { code: "UW009", shapes: 3, plant: lost_wakeup::plant },
    Kind { code: "UW010", shapes: 3, plant: images_withheld::plant },
    Kind { code: "UW011", shapes: 5, plant: ring_stalled::plant },
    Kind { code: "UW012", shapes: 3, plant: block_held::plant },
    Kind { code: "UW013", shapes: 3, plant: silent_producer::plant },
    Kind { code: "UW014", shapes: 2, plant: livelock::plant },
    Kind { code: "UW015", shapes: 3, plant: outside_debtor::plant },
    Kind { code: "UW016", shapes: 3, plant: not_a_wait::plant },
];

/// What was planted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// The finding that is right; `None` where nothing is wrong.
    pub code: Option<&'static str>,
    /// Whether what a trace can hold of it suffices for an accusation.
    pub conclusive: bool,
    /// Whether it shows by something that is not there, which a lost event could have brought.
    pub absence: bool,
    /// Everyone who waits for the root in the end: the number of the agent, and the handles of what it waits for itself.
    pub waiters: Vec<(u32, Vec<u64>)>,
    /// Handles of the objects at the root.
    pub roots: Vec<u64>,
    /// The agents of the plant and of those behind it: what they do is the evidence.
    pub cast: Vec<u32>,
}

fn build(settings: &Settings, size: Size) -> Result<World, String> {
    // All who live in it have one sort of progress: to the explorer the others would hide the one who is stuck.
    if size == Size::Small {
        return Err("its worlds are for running, and have no small instance to explore".to_owned());
    }
    Ok(stage(settings)?.world.build())
}

/// What was planted with these settings.
///
/// # Errors
/// As the scenario's `build`.
pub fn truth(settings: &Settings) -> Result<Truth, String> {
    Ok(stage(settings)?.truth())
}

/// The kinds that can be planted.
pub fn codes() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.code)
}

fn stage(settings: &Settings) -> Result<Stage, String> {
    let (word, plan) = (settings.choice("kind"), settings.number("plant"));
    let mut stage = Stage::new(plan, word != "healthy", settings.byte("rounds"));
    let kind = match KINDS.iter().find(|kind| kind.code == word) {
        Some(kind) => kind,
        // A healthy world is the twin of a wedged one, in which nothing goes wrong.
        None => &KINDS[stage.below(KINDS.len() as u64)],
    };
    let chosen = 1 + stage.below(kind.shapes) as u64;
    let shape = match settings.number("shape") {
        0 => chosen,
        shape if shape <= kind.shapes => shape,
        _ => return Err(format!("{} has {} shapes", kind.code, kind.shapes)),
    };
    (kind.plant)(&mut stage, shape);
    stage.followers();
    let (noise, idle) = (settings.number("noise"), settings.number("idle"));
    noise::around(&mut stage, noise, settings.number("programs"));
    idle::around(&mut stage, idle);
    let blind: &[ObjectKind] = match settings.choice("unobserved") {
        "fence" => &[ObjectKind::Fence],
        "timeline" => &[ObjectKind::TimelineSemaphore],
        "event" => &[ObjectKind::AutoResetEvent, ObjectKind::Event],
        _ => &[],
    };
    let per_cent = u32::try_from(settings.number("lost")).unwrap_or(50);
    stage.world.seen_through(per_cent * 10_000, blind, plan);
    Ok(stage)
}
