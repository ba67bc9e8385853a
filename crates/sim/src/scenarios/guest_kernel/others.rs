//! Who else lives in the title? Threads that are fed and rest, a timer with its DPC, threads that ended or never began.

use unwedge_trace::{AgentKind, AgentState, ObjectKind};

use super::cast::{self, Thread, begins};
use super::kernel::Kernel;
use super::title::{Feed, Title};
use crate::world::{Agent, Comparison, Object, Program, WorldBuilder, test};

const US: u64 = 1_000;
const MS: u64 = 1_000_000;
/// The autosave's timer.
const SAVE_NS: u64 = 600_000 * MS;
/// The level at which DPCs run: above every thread.
const DISPATCH_LEVEL: i32 = 32;

/// What the threads wait for that have no part in a frame.
struct Objects {
    jobs: Object,
    job_lock: Object,
    reads: Object,
    blocks: Object,
    files: Object,
    shutdown: Object,
    samples: Object,
    decode: Object,
    step: Object,
    stepped: Object,
    drawn: Object,
    commands: Object,
    packets: Object,
    session: Object,
    save: Object,
}

impl Objects {
    fn new(world: &mut WorldBuilder) -> Self {
        let mut object = |kind, handle, label| world.object(kind, handle, label);
        let (auto, semaphore) = (ObjectKind::AutoResetEvent, ObjectKind::CountingSemaphore);
        Self {
            jobs: object(semaphore, 0x1100, "jobs"),
            job_lock: object(ObjectKind::Mutex, 0x82a1_f038, "jobs"),
            reads: object(ObjectKind::Event, 0x1104, "reads"),
            blocks: object(semaphore, 0x1108, "blocks"),
            files: object(ObjectKind::Mutex, 0x1130, "files"),
            shutdown: object(ObjectKind::Event, 0x1134, "shutdown"),
            samples: object(semaphore, 0x110c, "samples"),
            decode: object(auto, 0x1110, "decode"),
            step: object(auto, 0x1114, "step"),
            stepped: object(auto, 0x1138, "stepped"),
            drawn: object(auto, 0x1118, "drawn"),
            commands: object(auto, 0x111c, "commands"),
            packets: object(semaphore, 0x1120, "packets"),
            session: object(auto, 0x1124, "session"),
            save: object(ObjectKind::Timer, 0x112c, "autosave"),
        }
    }
}

/// Adds them, and has the main and the render thread feed them.
pub(super) fn cast(world: &mut WorldBuilder, kernel: Kernel, title: &mut Title) {
    let hw_threads = title.hw_threads;
    let objects = Objects::new(world);
    title.fed_by_main =
        vec![Feed::Semaphore(objects.jobs), Feed::Event(objects.reads), Feed::Event(objects.step)];
    title.fed_by_render = vec![Feed::Event(objects.drawn), Feed::Event(objects.commands)];
    for thread in cast::WORKERS {
        fed(world, thread, hw_threads, |p| {
            kernel.wait(p, objects.jobs);
            works(p, kernel, objects.job_lock);
        });
    }
    storage(world, kernel, hw_threads, &objects);
    frame_helpers(world, kernel, hw_threads, &objects);
    fed(world, cast::RECEIVE, hw_threads, |p| kernel.wait(p, objects.packets));
    fed(world, cast::SESSION, hw_threads, |p| {
        kernel.wait_any(p, &[objects.session, objects.shutdown]);
    });
    sound(world, kernel, hw_threads, &objects);
    for thread in cast::SHORT {
        let agent = cast::cast(world, thread, hw_threads);
        world.program(agent, |p| {
            begins(p);
            p.compute(5 * MS, 20 * MS);
        });
    }
    for thread in cast::SUSPENDED {
        let agent = cast::cast(world, thread, hw_threads);
        world.program(agent, |p| {
            p.state(AgentState::Blocked, "created suspended");
            p.halt();
        });
    }
}

/// A thread that does this again and again.
fn fed(
    world: &mut WorldBuilder,
    thread: Thread,
    hw_threads: u8,
    again: impl FnOnce(&mut Program<'_>),
) -> Agent {
    let agent = cast::cast(world, thread, hw_threads);
    world.program(agent, |p| {
        begins(p);
        let top = p.mark_here();
        again(p);
        p.go(top);
    });
    agent
}

/// Work with a lock around a part of it.
fn works(p: &mut Program<'_>, kernel: Kernel, lock: Object) {
    kernel.enter(p, lock);
    p.compute(5 * US, 20 * US);
    kernel.leave(p, lock);
    p.compute(100 * US, 900 * US);
}

/// Files are read, unpacked and saved; a mutant keeps two threads from the same device.
fn storage(world: &mut WorldBuilder, kernel: Kernel, hw_threads: u8, objects: &Objects) {
    fed(world, cast::FILES, hw_threads, |p| {
        kernel.wait_any(p, &[objects.reads, objects.shutdown]);
        kernel.reset_event(p, objects.reads);
        kernel.wait(p, objects.files);
        p.compute(200 * US, 2 * MS);
        kernel.release_mutant(p, objects.files);
        kernel.release_semaphore(p, objects.blocks);
    });
    fed(world, cast::UNPACK, hw_threads, |p| {
        kernel.wait(p, objects.blocks);
        p.compute(100 * US, MS);
    });
    fed(world, cast::SAVE, hw_threads, |p| {
        kernel.wait(p, objects.save);
        kernel.set_timer(p, objects.save);
        kernel.wait(p, objects.files);
        p.compute(MS, 5 * MS);
        kernel.release_mutant(p, objects.files);
    });
}

/// Threads that the main and the render thread hand parts of a frame to.
fn frame_helpers(world: &mut WorldBuilder, kernel: Kernel, hw_threads: u8, objects: &Objects) {
    fed(world, cast::PHYSICS, hw_threads, |p| {
        kernel.wait(p, objects.step);
        p.compute(500 * US, 2 * MS);
        kernel.set_event(p, objects.stepped);
    });
    fed(world, cast::PREPARE, hw_threads, |p| {
        kernel.wait_all(p, &[objects.stepped, objects.drawn]);
        p.compute(3 * MS, 4 * MS);
    });
    fed(world, cast::COMMANDS, hw_threads, |p| {
        kernel.wait(p, objects.commands);
        p.compute(5 * MS, 6 * MS);
    });
}

/// The clock interrupt expires the timer and queues a DPC, which releases samples to the audio thread.
fn sound(world: &mut WorldBuilder, kernel: Kernel, hw_threads: u8, objects: &Objects) {
    let queued = world.variable_named("the DPC queue", 0);
    let clock = world.agent(AgentKind::Interrupt, "clock", 0, 0);
    world.daemon(clock);
    world.program(clock, |p| {
        let top = p.mark_here();
        p.sleep(SAVE_NS, SAVE_NS);
        p.signal(objects.save);
        p.set(queued, 1);
        p.go(top);
    });
    let dpc = world.agent(AgentKind::Interrupt, "DPC", 0, 0);
    world.on_cpu(dpc, cast::AUDIO.hw_thread % hw_threads, DISPATCH_LEVEL);
    world.daemon(dpc);
    world.program(dpc, |p| {
        let top = p.mark_here();
        p.until(test(queued, Comparison::Is, 1));
        p.set(queued, 0);
        p.state(AgentState::Running, "queued by the clock");
        p.compute(10 * US, 10 * US);
        kernel.release_semaphore(p, objects.samples);
        p.go(top);
    });
    fed(world, cast::AUDIO, hw_threads, |p| {
        kernel.wait(p, objects.samples);
        p.compute(200 * US, 400 * US);
        kernel.set_event(p, objects.decode);
    });
    fed(world, cast::DECODER, hw_threads, |p| {
        kernel.wait(p, objects.decode);
        p.compute(200 * US, 400 * US);
    });
}
