//! What is the frame loop's world made of? Its agents, objects and variables, and its switches as they were set.

use unwedge_trace::{AgentKind, ObjectKind};

use crate::scenarios::Size;
use crate::switch::Settings;
use crate::world::{Agent, Discipline, Fault, Object, Plan, Program, Variable, WorldBuilder};

pub(super) const US: u64 = 1_000;
pub(super) const MS: u64 = 1_000_000;

/// The switches.
pub(super) struct Setup {
    pub(super) small: bool,
    pub(super) frames: u8,
    pub(super) images: u8,
    pub(super) timeline: bool,
    pub(super) created_signalled: bool,
    pub(super) uploads: bool,
    pub(super) bounded: bool,
    pub(super) reset_after_acquire: bool,
    pub(super) after: AfterFailure,
    /// The driver has an acquire wait until its semaphore is consumed.
    pub(super) waits_for_use: bool,
    pub(super) recovery: bool,
}

/// What follows a failure between reset and submit.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum AfterFailure {
    Nothing,
    EmptySubmit,
    Consume,
    Release,
    SubmitAndPresent,
}

impl Setup {
    /// Images on their way to the screen are counted round at this: more than there are.
    pub(super) fn images_round(&self) -> u8 {
        self.images + 1
    }

    pub(super) fn of(settings: &Settings, size: Size) -> Self {
        let small = size == Size::Small;
        let frames = settings.byte("frames-in-flight");
        let planned = settings.fault("upload-timeout") != Plan::Never;
        Self {
            small,
            frames: if small { frames.min(2) } else { frames },
            images: if small { 2 } else { settings.byte("images") },
            timeline: settings.choice("sync") == "timeline",
            created_signalled: settings.flag("created-signalled"),
            uploads: settings.flag("uploads") && (planned || !small),
            bounded: settings.flag("bounded"),
            reset_after_acquire: settings.flag("reset-after-acquire"),
            after: match settings.choice("after-failed-record") {
                "empty-submit" => AfterFailure::EmptySubmit,
                "consume" => AfterFailure::Consume,
                "release" => AfterFailure::Release,
                "submit-and-present" => AfterFailure::SubmitAndPresent,
                _ => AfterFailure::Nothing,
            },
            waits_for_use: settings.choice("signalled-semaphore") == "waits",
            recovery: settings.flag("recovery"),
        }
    }
}

/// What can go wrong; what is never to is not even in the programs.
pub(super) struct Faults {
    pub(super) acquire_timeout: Option<Fault>,
    pub(super) out_of_date: Option<Fault>,
    pub(super) record_fails: Option<Fault>,
    pub(super) submit_fails: Option<Fault>,
    pub(super) drop_notification: Option<Fault>,
    pub(super) upload_timeout: Option<Fault>,
    pub(super) stall: Option<Fault>,
    pub(super) device_lost: Option<Fault>,
    pub(super) withhold_images: Option<Fault>,
}

impl Faults {
    pub(super) fn add(world: &mut WorldBuilder, settings: &Settings) -> Self {
        let mut add = |name| {
            let plan = settings.fault(name);
            (plan != Plan::Never).then(|| world.fault(name, plan))
        };
        Self {
            acquire_timeout: add("acquire-timeout"),
            out_of_date: add("out-of-date"),
            record_fails: add("record-fails"),
            submit_fails: add("submit-fails"),
            drop_notification: add("drop-notification"),
            upload_timeout: add("upload-timeout"),
            stall: add("stall"),
            device_lost: add("device-lost"),
            withhold_images: add("withhold-images"),
        }
    }
}

/// What one of the frames in flight has of its own.
pub(super) struct Slot {
    /// Signalled when its batch is done; of a timeline all slots have the same.
    pub(super) done: Object,
    /// The semaphore of its acquire.
    pub(super) available: Object,
    /// The semaphore that its present waits for.
    pub(super) rendered: Object,
    /// Inside a driver that waits: the semaphore of its acquire is not in use.
    pub(super) unused: Object,
    /// What the queue is to do: one of the jobs below.
    pub(super) job: Variable,
    /// Its image is to be released when its batch is done.
    pub(super) unreleased: Variable,
}

/// Values of [`Slot::job`]: nothing; a frame, to be presented; an empty batch; one that consumes the acquire's semaphore.
pub(super) const NONE: u8 = 0;
pub(super) const FRAME: u8 = 1;
pub(super) const EMPTY: u8 = 2;
pub(super) const CONSUME: u8 = 3;

/// Values of [`Parts::down`].
pub(super) const UP: u8 = 0;
pub(super) const STALLED: u8 = 1;
pub(super) const LOST: u8 = 2;

/// Agents, objects and variables.
pub(super) struct Parts {
    pub(super) main: Agent,
    pub(super) queue: Agent,
    pub(super) transfer: Agent,
    pub(super) engine: Agent,
    pub(super) acquires: Agent,
    pub(super) keyboard: Agent,
    pub(super) slots: Vec<Slot>,
    pub(super) swapchain: Object,
    /// The queue's batches, and those of the queue for uploads.
    pub(super) batches: Object,
    pub(super) transfers: Object,
    /// Presents that were handed to the presentation engine and are not shown yet.
    pub(super) presents: Object,
    /// The fence of atlas uploads.
    pub(super) atlas: Object,
    /// The connection over which keys arrive.
    pub(super) keys: Object,
    /// The slot whose acquire's semaphore is to be signalled, plus one; 0 for none.
    pub(super) asked: Variable,
    /// Images handed to the presentation engine.
    pub(super) given: Variable,
    /// Images that the presentation engine has shown.
    pub(super) shown: Variable,
    /// An upload is to be done.
    pub(super) upload: Variable,
    /// The main thread's own: which slot it is at, whether glyphs are missing, whether an upload is on its way, time-outs in a
    /// row, and the back-off and what has passed of it.
    pub(super) slot: Variable,
    pub(super) dirty: Variable,
    pub(super) pending: Variable,
    pub(super) tries: Variable,
    pub(super) back_off: Variable,
    pub(super) waited: Variable,
    /// Whether the device is up.
    pub(super) down: Variable,
    /// Notifications of a timeline that were dropped: the next that arrives shows the whole value.
    pub(super) behind: Variable,
    pub(super) frames: u8,
    pub(super) input: u8,
    /// Atlas uploads as a goal, if there are uploads.
    pub(super) glyphs: u8,
}

impl Parts {
    pub(super) fn add(world: &mut WorldBuilder, setup: &Setup) -> Self {
        let engine_name = "of swapchain 0x5c";
        let most = if setup.small { 1 } else { u8::MAX };
        let shared = setup
            .timeline
            .then(|| world.object(ObjectKind::TimelineSemaphore, 0x71, "frames done"));
        let slots = (0..setup.frames).map(|number| Slot::add(world, number, shared));
        Self {
            slots: slots.collect(),
            main: world.agent(AgentKind::HostThread, "main", 4100, 4100),
            queue: daemon(world, AgentKind::GpuQueue, "graphics"),
            transfer: daemon(world, AgentKind::GpuQueue, "transfer"),
            engine: daemon(world, AgentKind::PresentationEngine, engine_name),
            acquires: daemon(
                world,
                AgentKind::PresentationEngine,
                "of swapchain 0x5c, its semaphores",
            ),
            keyboard: daemon(world, AgentKind::Outside, "compositor"),
            swapchain: world.object_with(
                ObjectKind::Swapchain,
                0x5c,
                "window",
                Discipline::Tokens(setup.images),
                setup.images,
            ),
            batches: world.object(ObjectKind::Queue, 0x91, "graphics"),
            transfers: world.object(ObjectKind::Queue, 0x92, "transfer"),
            presents: world.object_with(ObjectKind::Other, 0x5c, "presents", Discipline::Lag, 0),
            atlas: world.object(ObjectKind::Fence, 0xa7, "atlas upload"),
            keys: world.object_with(
                ObjectKind::Socket,
                0x11,
                "wayland",
                Discipline::Tokens(most),
                0,
            ),
            asked: world.variable(0),
            given: world.variable(0),
            shown: world.variable(0),
            upload: world.variable(0),
            slot: world.variable(0),
            dirty: world.variable(0),
            pending: world.variable(0),
            tries: world.variable(0),
            back_off: world.variable(0),
            waited: world.variable(0),
            down: world.variable(UP),
            behind: world.variable(0),
            frames: world.goal("frames"),
            input: world.goal("input"),
            glyphs: if setup.uploads { world.goal("glyphs") } else { 0 },
        }
    }
}

fn daemon(world: &mut WorldBuilder, kind: AgentKind, name: &str) -> Agent {
    let agent = world.agent(kind, name, 0, 0);
    world.daemon(agent);
    agent
}

impl Slot {
    fn add(world: &mut WorldBuilder, number: u8, shared: Option<Object>) -> Self {
        let handle = |first: u64| first + u64::from(number);
        let label = |what: &str| format!("{what} {number}");
        let fence = |world: &mut WorldBuilder| {
            world.object(ObjectKind::Fence, handle(0xf0), &label("frame"))
        };
        let semaphore = ObjectKind::BinarySemaphore;
        Self {
            done: shared.unwrap_or_else(|| fence(world)),
            available: world.object(semaphore, handle(0xa0), &label("image available")),
            rendered: world.object(semaphore, handle(0xb0), &label("rendered")),
            unused: world.object_with(
                ObjectKind::DmaFence,
                handle(0xc0),
                &label("use of image available"),
                Discipline::Latch,
                0,
            ),
            job: world.variable(NONE),
            unreleased: world.variable(0),
        }
    }
}

/// The fault may strike here, if it is planned at all.
pub(super) fn may_fail(p: &mut Program<'_>, fault: Option<Fault>, to: crate::world::Label) {
    if let Some(fault) = fault {
        p.may_fail(fault, to);
    }
}
