//! How do several scanouts on one renderer come to stand still? One count blocks them all, and one fence may be filed astray.
//!
//! `guest` is what runs in the virtual machine, `host` what runs in QEMU and beside it. Who does what, and which facts it
//! follows, is in `docs/sim/multi-scanout.md`.

mod guest;
mod host;

use unwedge_trace::{AgentKind, ObjectKind};

use super::{Scenario, Size};
use crate::switch::{Settings, Switch};
use crate::world::{Agent, Discipline, Fault, Object, Variable, World, WorldBuilder};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "multi-scanout",
    about: "several scanouts on one renderer, which one count blocks and one lost fence halves",
    story: STORY,
    switches: SWITCHES,
    build,
};

const STORY: &str = "A virtual desktop froze between 12:28 and 13:10. GNOME Shell slept in dma_fence_default_wait, port 9876 \
                     refused connections, and rolling the code back changed nothing.\n\n\
                     Two paths take the one count that blocks the renderer, and the client never sends gl_draw_done. Skipping \
                     one of the two was tried, and was not enough. Yet thousands of frames came in boots that were broken: \
                     where contexts fall back to scanout 0's, a fence of scanout 1 may never complete while scanout 0 goes on.";

const SWITCHES: &[Switch] = &[
    Switch::number("scanouts", 2, (2, 4), "how many scanouts the renderer serves"),
    Switch::choice(
        "fence-wait",
        "commit",
        &["commit", "compositor"],
        "who waits for a frame's fence: the scanout's commit worker, or the compositor for all scanouts",
    ),
    Switch::choice(
        "client",
        "observed",
        &["observed", "unobserved"],
        "whether the source sees the SPICE client's process",
    ),
    Switch::choice(
        "gl-block-timer",
        "no-op",
        &["no-op", "warns", "releases"],
        "what the timer does a second after a hold was taken for the client and not given back",
    ),
    Switch::flag(
        "skip-refresh-block",
        false,
        "spice_gl_refresh takes no hold; the IOSurface blit still does",
    ),
    Switch::flag(
        "safety-timer",
        false,
        "an encode whose completion does not come is given up after a second",
    ),
    Switch::flag("block-deadline", false, "every hold is given back after a second at the latest"),
    Switch::flag("own-context", false, "every scanout has a context of its own"),
    Switch::fault("draw-done", "the client does not send gl_draw_done"),
    Switch::fault("client-exit", "the client closes a display's channel without an answer"),
    Switch::fault("encoder", "the encoder's completion callback does not come"),
    Switch::fault(
        "fence",
        "a frame of a scanout above 0 runs in scanout 0's context, and its fence never completes",
    ),
    Switch::number("faults", 1, (1, 4), "how many faults may strike while it is explored"),
];

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MS;

/// One scanout, in the guest and on the host.
struct Scanout {
    number: u8,
    goal: u8,
    /// The guest kernel's worker that commits its frames.
    worker: Agent,
    /// The SPICE client's side of its display.
    client: Agent,
    /// Its session of the encoder; scanout 0 is not streamed.
    encoder: Option<Agent>,
    /// The guest's fences for what it has the device do, one after the other.
    fence: Object,
    /// Its last flip is done: the next frame may be drawn.
    flip: Object,
    /// A frame is handed to the commit worker, where the compositor waits for its fence.
    commit: Option<Variable>,
    /// Frames handed to the client, and to the encoder if there is one; and what each has taken of them.
    handed: Variable,
    drawn: Variable,
    encoded: Variable,
    /// QEMU's: the frame has been drawn, its next command is the one that shows it.
    is_drawn: Variable,
}

/// A rendering context of the host.
struct Context {
    number: u8,
    queue: Agent,
    batches: Object,
    /// The batch that it has: 0, or a scanout plus one, or [`ASTRAY`].
    work: Variable,
}

/// The commands of a scanout whose fence was filed where nothing runs.
const ASTRAY: u8 = u8::MAX;

impl Scanout {
    /// Its bit among the commands of the control queue, of which each scanout has one at most.
    fn bit(&self) -> u8 {
        1 << self.number
    }
}

impl Context {
    /// The scanouts that draw in it: its own, or all.
    fn serves<'c>(&self, cast: &'c Cast) -> &'c [Scanout] {
        match cast.contexts.len() {
            1 => &cast.scanouts,
            _ => &cast.scanouts[usize::from(self.number)..][..1],
        }
    }
}

/// Everybody and everything.
struct Cast {
    scanouts: Vec<Scanout>,
    /// One, or one for each scanout.
    contexts: Vec<Context>,
    compositor: Agent,
    bridge: Agent,
    service: u8,
    qemu: Agent,
    refresh: Agent,
    /// `renderer_blocked`.
    block: Object,
    /// The first frame of scanout 1 has been shown.
    ready: Object,
    /// Encoded frames of scanout 1.
    video: Object,
    /// The control queue: a bit for each scanout that has a command in it.
    commands: Variable,
    /// Scanout 0 was updated since its last refresh.
    updates: Variable,
    /// The first frame of scanout 1 has been told of.
    is_up: Variable,
    draw_done: Fault,
    client_exit: Fault,
    encoder_silent: Fault,
    fence_astray: Fault,
}

fn build(settings: &Settings, size: Size) -> Result<World, String> {
    let mut world = WorldBuilder::new();
    let cast = cast(&mut world, settings);
    world.faults_max(settings.byte("faults"));
    guest::write(&mut world, &cast);
    host::write(&mut world, &cast, settings, size);
    Ok(world.build())
}

fn cast(world: &mut WorldBuilder, settings: &Settings) -> Cast {
    let count = settings.byte("scanouts");
    let (ready, video) = (
        world.object(ObjectKind::Event, 0x5d, "gnome-shell is up"),
        world.object_with(ObjectKind::Socket, 0x2694, "video", Discipline::Tokens(1), 0),
    );
    let compositor = world.agent(AgentKind::GuestThread, "gnome-shell", 1388, 1388);
    let bridge = world.agent(AgentKind::GuestThread, "desktop-bridge", 1502, 1502);
    let qemu = world.agent(AgentKind::HostThread, "qemu main", 2201, 2201);
    let refresh = world.agent(AgentKind::Interrupt, "gui timer", 2201, 2201);
    let block = world.object(ObjectKind::Block, 0x1, "renderer_blocked");
    let client = match settings.choice("client") {
        "observed" => AgentKind::HostThread,
        _ => AgentKind::Outside,
    };
    let hands_over = settings.choice("fence-wait") == "compositor";
    let scanouts = (0..count).map(|number| {
        let commit =
            hands_over.then(|| world.variable_named(&format!("the commit of crtc-{number}"), 0));
        scanout(world, number, client, commit)
    });
    let scanouts = scanouts.collect();
    let own = settings.flag("own-context");
    let contexts = (0..if own { count } else { 1 }).map(|number| context(world, number)).collect();
    let mut fault = |name| world.fault(name, settings.fault(name));
    Cast {
        draw_done: fault("draw-done"),
        client_exit: fault("client-exit"),
        encoder_silent: fault("encoder"),
        fence_astray: fault("fence"),
        service: world.goal("service"),
        commands: world.variable_named("the control queue", 0),
        updates: world.variable_named("the console's update", 0),
        is_up: world.variable_named("the first frame", 0),
        scanouts,
        contexts,
        compositor,
        bridge,
        qemu,
        refresh,
        block,
        ready,
        video,
    }
}

fn scanout(
    world: &mut WorldBuilder,
    number: u8,
    client: AgentKind,
    commit: Option<Variable>,
) -> Scanout {
    let id = u32::from(number);
    let path = if number == 0 { "GL texture" } else { "IOSurface" };
    let encoder =
        || world.agent(AgentKind::HostThread, &format!("encoder {number}"), 2240, 2241 + id);
    let encoder = (number > 0).then(encoder);
    let fence = format!("virtio-gpu scanout {number}");
    Scanout {
        number,
        commit,
        goal: world.goal(&format!("frames of scanout {number}")),
        worker: world.agent(AgentKind::KernelThread, &format!("commit crtc-{number}"), 0, 61 + id),
        client: world.agent(client, &format!("display {number}: {path}"), 2300, 2311 + id),
        encoder,
        // Each has its number, and one waits for it at a time.
        fence: world.object_with(
            ObjectKind::DmaFence,
            0x1f0 + u64::from(number),
            &fence,
            Discipline::Tokens(1),
            0,
        ),
        flip: world.object_with(
            ObjectKind::Event,
            0xc0 + u64::from(number),
            &format!("flip of crtc-{number}"),
            Discipline::Latch,
            1,
        ),
        handed: world.variable_named(&format!("frames handed out of scanout {number}"), 0),
        drawn: world.variable_named(&format!("frames drawn of scanout {number}"), 0),
        encoded: world.variable_named(&format!("frames encoded of scanout {number}"), 0),
        is_drawn: world.variable_named(&format!("the drawn frame of scanout {number}"), 0),
    }
}

fn context(world: &mut WorldBuilder, number: u8) -> Context {
    let queue = world.agent(AgentKind::GpuQueue, &format!("context {number}"), 2201, 0);
    let batches = world.object(ObjectKind::Queue, 0x40 + u64::from(number), "");
    world.daemon(queue);
    let work = world.variable_named(&format!("the batch of context {number}"), 0);
    Context { number, queue, batches, work }
}
