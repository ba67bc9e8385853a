//! How does a command ring between a guest and its host come to stand still? Head, tail, status and idle notification.
//!
//! The parts: `guest` submits and waits, `host` reads the ring and parks, `device` has the second channel and the queues, `memory`
//! lets stores be seen late. `docs/sim/venus-ring.md` says where each fact comes from.

mod device;
mod guest;
mod host;
mod memory;

use unwedge_trace::{AgentKind, ObjectKind};

use super::{Scenario, Size};
use crate::switch::{Settings, Switch};
use crate::world::{
    Agent, Comparison, Discipline, Fault, Object, Plan, Source, Test, Variable, World,
    WorldBuilder, test,
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "venus-ring",
    about: "guest and host of a command ring whose idle notification, feedback or resources fail",
    story: STORY,
    switches: SWITCHES,
    build,
};

const STORY: &str = "\
A Vulkan program in an aarch64 guest reached its GPU through a command ring in shared memory. It had drawn a cube at 273 frames a \
second; four days later programs that render hung, or died with \"vn_ring_submit abort on fatal\". There were five guesses and \
no way to tell them apart: the driver's state, a ring out of step, host resources used up, a change of code, a damaged image.

Both sides have to agree on who sleeps. The host says that it is idle and then looks at the tail once more; the guest writes its \
tail and then looks whether the host is idle, and notifies it if so. Without a full memory barrier between the store and the load \
on both sides, both may read old values: the host sleeps on work, and nobody wakes it.

Fences are not asked for: the GPU writes a feedback slot, in memory that the guest asked for over a second channel. That channel may \
fail, and a command that names a resource which was never made ends the ring for good.";

const SWITCHES: &[Switch] = &[
    Switch::choice(
        "barrier",
        "on",
        &["off", "guest", "host", "on"],
        "where a full memory barrier stands between the store and the load of the idle handshake; on is on both sides",
    ),
    Switch::flag(
        "pending-flag",
        true,
        "the host notes a notification that comes between its last look at the tail and its sleep",
    ),
    Switch::flag(
        "bounded-park",
        false,
        "a parked host wakes by itself every 2 ms and looks at the tail",
    ),
    Switch::fault("drop-notify", "a notification is lost on its way over the second channel"),
    Switch::flag(
        "fence-feedback",
        true,
        "the guest reads a slot that the GPU writes when a fence is done, and does not ask over the ring",
    ),
    Switch::flag(
        "semaphore-feedback",
        true,
        "the same for timeline semaphores, which the loader uses",
    ),
    Switch::fault("lose-feedback", "the GPU finishes, and its write to the feedback slot is lost"),
    Switch::choice(
        "channel",
        "virtio-gpu",
        &["virtio-gpu", "vtest"],
        "what resources are made over: virtio-gpu answers at once whatever comes of it, vtest closes when it fails",
    ),
    Switch::fault("creation-fails", "the host cannot export the memory of feedback slots"),
    Switch::number(
        "host-limit",
        0,
        (0, 200),
        "so many resources are the most that the host makes; 0: no limit",
    ),
    Switch::flag(
        "creation-checked",
        false,
        "the guest waits for the answer to each creation and does without what was refused",
    ),
    Switch::flag(
        "roundtrip",
        true,
        "a command that names a resource waits until the second channel has caught up with it",
    ),
    Switch::fault("host-dies", "the renderer dies with a command in hand"),
    Switch::choice(
        "relax",
        "wait",
        &["wait", "abort", "lost"],
        "what a guest does whose wait does not end: waits for ever, aborts as Mesa does, or returns VK_ERROR_DEVICE_LOST",
    ),
    Switch::number(
        "threads",
        2,
        (1, 3),
        "threads of the guest that submit: the second is given work by the first, the third submits in its own time",
    ),
];

/// What the host stores in the status word.
const BUSY: u8 = 1;
const IDLE: u8 = 2;

/// What a thread wants over the second channel: memory for its feedback slot, or a resource.
const SLOT: u8 = 1;
const RESOURCE: u8 = 2;

const US: u64 = 1_000;
const MS: u64 = 1_000_000;

/// What a slot of the ring holds.
#[derive(Clone, Copy)]
enum Command {
    /// Something whose reply is all that is wanted.
    Call,
    /// Work for this thread's queue.
    Submit(u8),
    /// The same; it names a resource that was made for it.
    SubmitNaming(u8),
}

impl Command {
    /// As it stands in the ring, where 0 is nothing.
    fn code(self) -> u8 {
        match self {
            Self::Call => 1,
            Self::Submit(thread) => 2 + 2 * thread,
            Self::SubmitNaming(thread) => 3 + 2 * thread,
        }
    }
}

/// What a guest does whose wait does not end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Relax {
    Wait,
    Abort,
    Lost,
}

/// How the world is set.
struct Set {
    size: Size,
    guest_barrier: bool,
    host_barrier: bool,
    pending_flag: bool,
    bounded_park: bool,
    vtest: bool,
    checked: bool,
    roundtrip: bool,
    limit: u8,
    relax: Relax,
    /// Places of the ring, at which positions count round: each thread has one command in it at most, or its work and a question about
    /// it, and a full ring is not empty.
    slots: u8,
    /// The guest asks for resources over the second channel. Left out of a small world where that cannot fail.
    makes: bool,
}

/// What goes wrong.
struct Faults {
    drop_notify: Fault,
    lose_feedback: Fault,
    creation_fails: Fault,
    host_dies: Fault,
}

/// The ring's shared memory, and what else both sides look at without telling anybody.
struct Memory {
    /// Where the next command goes, as the host sees it.
    tail: Variable,
    /// 1: a tail, one further, that the guest has stored and that the host does not see yet.
    tail_buffer: Variable,
    /// What the host says of itself, as the guest sees it.
    status: Variable,
    /// A status that the host has stored and that the guest does not see yet; 0: none.
    status_buffer: Variable,
    /// The status word's fatal bit.
    fatal: Variable,
    slots: Vec<Variable>,
    /// Where the guest writes next, which the ring's mutex guards.
    position: Variable,
    /// The renderer is gone, and with it the thread that reports it alive.
    host_gone: Variable,
    /// The second channel is closed.
    closed: Variable,
    /// A notification is on its way.
    notice: Variable,
}

/// A guest thread that submits, and its queue.
struct Thread {
    number: u8,
    agent: Agent,
    goal: u8,
    queue: Agent,
    batches: Object,
    /// The fence or timeline semaphore that it waits for.
    done: Object,
    /// It reads a feedback slot, if it could get one.
    feedback: bool,
    /// It asks: its slot was refused.
    asks: Variable,
    /// Its queue has work, in the ring or out of it.
    job: Variable,
    /// What it wants to be made; 0: nothing.
    want: Variable,
    /// That was made.
    made: Variable,
    /// The answer to that.
    answer: Object,
    /// Commands that others put into the ring after its last one.
    later: Variable,
}

/// Everything there is.
struct Rig {
    set: Set,
    faults: Faults,
    memory: Memory,
    ring: Object,
    ring_mutex: Object,
    notify: Object,
    requests: Object,
    host: Agent,
    /// The renderer's main thread, which has nothing to do.
    renderer: Option<Agent>,
    server: Agent,
    threads: Vec<Thread>,
    /// Uploads that the main thread wants of the loader.
    uploads: Option<Object>,
}

fn is(source: impl Into<Source>, number: u8) -> Test {
    test(source, Comparison::Is, number)
}

fn build(settings: &Settings, size: Size) -> Result<World, String> {
    let mut world = WorldBuilder::new();
    let rig = rig(&mut world, settings, size);
    for thread in &rig.threads {
        guest::write(&mut world, &rig, thread);
        device::write_queue(&mut world, &rig, thread);
    }
    host::write(&mut world, &rig);
    device::write_server(&mut world, &rig);
    memory::write(&mut world, &rig);
    if size == Size::Full {
        guest::write_idle_threads(&mut world);
    }
    Ok(world.build())
}

fn set(settings: &Settings, size: Size) -> Set {
    let barrier = settings.choice("barrier");
    let asks = !settings.flag("fence-feedback")
        || !settings.flag("semaphore-feedback")
        || settings.flag("creation-checked");
    Set {
        size,
        guest_barrier: matches!(barrier, "guest" | "on"),
        host_barrier: matches!(barrier, "host" | "on"),
        pending_flag: settings.flag("pending-flag"),
        bounded_park: settings.flag("bounded-park"),
        vtest: settings.choice("channel") == "vtest",
        checked: settings.flag("creation-checked"),
        roundtrip: settings.flag("roundtrip"),
        limit: settings.byte("host-limit"),
        relax: match settings.choice("relax") {
            "abort" => Relax::Abort,
            "lost" => Relax::Lost,
            _ => Relax::Wait,
        },
        slots: settings.byte("threads") * if asks { 2 } else { 1 } + 1,
        makes: size == Size::Full || settings.flag("fence-feedback") && creation_can_fail(settings),
    }
}

fn creation_can_fail(settings: &Settings) -> bool {
    let never = settings.fault("creation-fails") == Plan::Never;
    !never || settings.number("host-limit") > 0 || !settings.flag("roundtrip")
}

fn rig(world: &mut WorldBuilder, settings: &Settings, size: Size) -> Rig {
    let set = set(settings, size);
    let mut fault = |name| world.fault(name, settings.fault(name));
    let faults = Faults {
        drop_notify: fault("drop-notify"),
        lose_feedback: fault("lose-feedback"),
        creation_fails: fault("creation-fails"),
        host_dies: fault("host-dies"),
    };
    let memory = memory(world, set.slots);
    let full = size == Size::Full;
    let threads = (0..settings.byte("threads")).map(|number| thread(world, settings, full, number));
    let threads: Vec<Thread> = threads.collect();
    if set.roundtrip {
        // Nobody looks at it before the one who makes it has said that the wish is granted.
        threads.iter().for_each(|thread| world.guarded(thread.made));
    }
    let ring = world.object(ObjectKind::Ring, 0x7f3a_c000, "vkr-shmem");
    let ring_mutex = world.object(ObjectKind::Mutex, 0x55d0_c2a8, "ring mutex");
    let parking = if set.pending_flag { Discipline::Tokens(1) } else { Discipline::Pulse };
    let notify = world.object_with(ObjectKind::Condition, 0x7f20_1188, "ring notify", parking, 0);
    let channel = if set.vtest { "vtest socket" } else { "virtio-gpu queue" };
    // What is asked for is in memory; being told of it twice before one looks is being told once.
    let told_once = Discipline::Tokens(1);
    let requests = world.object_with(ObjectKind::Channel, 0x9, channel, told_once, 0);
    let host = world.agent(AgentKind::RingHost, "vkr-ring-1", 2290, 2293);
    let renderer = full.then(|| world.agent(AgentKind::HostThread, "virgl_render_se", 2290, 2290));
    let server = if set.vtest { "virgl_test_serv" } else { "qemu-system-aar" };
    let server = world.agent(AgentKind::HostThread, server, 2210, 2210);
    for agent in [host, server].into_iter().chain(renderer) {
        world.daemon(agent);
    }
    let uploads = full && settings.byte("threads") > 1;
    let uploads = uploads.then(|| world.object(ObjectKind::Channel, 0x55d0_c310, "uploads wanted"));
    Rig {
        set,
        faults,
        memory,
        ring,
        ring_mutex,
        notify,
        requests,
        host,
        renderer,
        server,
        threads,
        uploads,
    }
}

fn memory(world: &mut WorldBuilder, slots: u8) -> Memory {
    let mut variable = |name| world.variable_named(name, 0);
    let memory = Memory {
        tail: variable("the tail"),
        tail_buffer: variable("the guest's store buffer"),
        status: variable("the status"),
        status_buffer: variable("the host's store buffer"),
        fatal: variable("the fatal bit"),
        slots: (0..slots).map(|_| variable("a slot of the ring")).collect(),
        position: variable("where it writes"),
        host_gone: variable("the renderer's end"),
        closed: variable("the channel's end"),
        notice: variable("a notification under way"),
    };
    // A command is written before the tail that covers it, and is read after that was seen.
    memory.slots.iter().for_each(|slot| world.guarded(*slot));
    world.guarded(memory.position);
    memory
}

fn thread(world: &mut WorldBuilder, settings: &Settings, full: bool, number: u8) -> Thread {
    const NAMES: [(&str, &str); 3] =
        [("vkcube", "frame"), ("loader", "upload"), ("picker", "readback")];
    let (name, what) = NAMES[usize::from(number) % NAMES.len()];
    let timeline = full && number == 1;
    let id = u64::from(number);
    let (kind, feedback) = if timeline {
        (ObjectKind::TimelineSemaphore, settings.flag("semaphore-feedback"))
    } else {
        (ObjectKind::Fence, settings.flag("fence-feedback"))
    };
    let queue = world.agent(AgentKind::GpuQueue, &format!("queue {number}"), 0, 0);
    world.daemon(queue);
    Thread {
        number,
        agent: world.agent(AgentKind::GuestThread, name, 4117, 4117 + u32::from(number)),
        goal: world.goal(&format!("{what}s")),
        queue,
        batches: world.object(ObjectKind::Queue, 0x55d0_d000 + 0x40 * id, ""),
        done: world.object(kind, 0x55d0_e000 + 0x60 * id, what),
        feedback,
        asks: world.variable_named("its slot's refusal", 0),
        job: world.variable_named("the queue's work", 0),
        want: world.variable_named("a wanted resource", 0),
        made: world.variable_named("a made resource", 0),
        answer: world.object(ObjectKind::Socket, 0x5 + id, "answer to a creation"),
        later: world.variable_named("later commands", 0),
    }
}
