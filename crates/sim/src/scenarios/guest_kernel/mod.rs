//! How does an emulated console come to show no more frames? Its kernel's dispatcher, scheduler and interrupts.

mod cast;
mod kernel;
mod others;
mod title;

use super::{Scenario, Size};
use crate::switch::{Settings, Switch};
use crate::world::{Machine, World, WorldBuilder};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "guest-kernel",
    about: "the kernel of an emulated console whose VSync callback runs and writes no signal",
    story: STORY,
    switches: SWITCHES,
    build,
};

const STORY: &str = "An emulator of a console with six hardware threads wrote a trace of 65,691,821 events. 99.7 % of them were of one \
thread: tid 7, priority 17, which waits 30 ms at a time for the event 0xbe8cbb5c between two critical section calls, \
6,549,579 times. Every wait ended by its deadline.

On the same hardware thread tid 8, priority 0, was ready and never picked: the scheduler skipped to the poller's next \
deadline instead. So no frame was swapped after the sixth, and the main thread, tid 1, waited for ever for event 0x10e8. \
21 threads were alive, 2 had exited, 18 waited.

The VSync interrupt came 76 times in 100 million instructions. Its guest callback ran to its end each time, and never \
wrote 1 into the event's SignalState. A patch that cleared the guest's SignalState when the host consumed the event was \
right, and changed nothing: there was nothing to consume.

With `signal-written=on aging=on` the title runs at 60 Hz. Either alone still wedges.";

const SWITCHES: &[Switch] = &[
    Switch::flag(
        "signal-written",
        false,
        "the VSync interrupt's guest callback writes SignalState, so that the poller's event is set",
    ),
    Switch::flag(
        "aging",
        false,
        "a thread that is ready and not picked grows in priority, so that no other keeps it from running",
    ),
    Switch::flag(
        "reciprocal-clear",
        true,
        "when the host consumes an auto-reset event, the guest's SignalState is cleared as well",
    ),
    Switch::flag(
        "declare-producer",
        false,
        "the trace says of each VSync interrupt which event its callback is to set",
    ),
    Switch::flag(
        "signal-observed",
        true,
        "the trace shows when the callback's write sets the event; off: that path is not instrumented",
    ),
    Switch::number(
        "vsync-instructions",
        1_315_789,
        (1_000, 1_000_000_000),
        "instructions from one VSync interrupt to the next, of which a processor executes 79 in a microsecond",
    ),
    Switch::number(
        "vsync-drift",
        2_000,
        (0, 1_000_000),
        "by how many instructions at most a VSync interrupt is early or late",
    ),
    Switch::number(
        "poll-ms",
        30,
        (1, 10_000),
        "how long the poller waits at most, in milliseconds",
    ),
    Switch::number(
        "frames-before",
        6,
        (1, 200),
        "frames that the title swaps before its poller starts and frames wait for VSync",
    ),
    Switch::number("hardware-threads", 6, (1, 6), "hardware threads that the threads share"),
];

/// So fast that 76 interrupts in 100 million instructions are 60 in a second.
const INSTRUCTIONS_PER_US: u64 = 79;
/// One priority for so many nanoseconds of being ready.
const AGING_NS: u64 = 100_000;
const QUANTUM_NS: u64 = 20_000_000;

fn build(settings: &Settings, size: Size) -> Result<World, String> {
    let (every, drift) = (settings.number("vsync-instructions"), settings.number("vsync-drift"));
    if drift >= every {
        return Err(format!("vsync-drift {drift} is not less than vsync-instructions {every}"));
    }
    let mut world = WorldBuilder::new();
    world.machine(Machine {
        quantum_ns: QUANTUM_NS,
        instructions_per_us: INSTRUCTIONS_PER_US,
        idle_executes: true,
        aging_ns: settings.flag("aging").then_some(AGING_NS),
        skips_to_deadlines: true,
        ..Machine::default()
    });
    let kernel = kernel::Kernel { calls_are_told: size == Size::Full };
    let small = size == Size::Small;
    let mut title = title::Title::cast(&mut world, settings, small);
    if size == Size::Full {
        others::cast(&mut world, kernel, &mut title);
    }
    title.write(&mut world, kernel, settings);
    Ok(world.build())
}
