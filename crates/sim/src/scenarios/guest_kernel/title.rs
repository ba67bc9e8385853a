//! How does a frame come about? The main thread wants it, the render thread draws it, the poller lets it go at VSync.

use unwedge_trace::{AgentKind, ObjectKind};

use super::cast::{self, begins};
use super::kernel::Kernel;
use crate::switch::Settings;
use crate::world::{
    Agent, Comparison, Label, Object, Program, Trigger, Variable, WorldBuilder, test,
};

const US: u64 = 1_000;
const MS: u64 = 1_000_000;
/// What the poller does between two waits, beside its calls: 18,000 instructions with them.
const POLL_NS: u64 = 225_540;

/// The threads and objects that a frame needs.
#[derive(Debug)]
pub(super) struct Title {
    pub(super) hw_threads: u8,
    main: Agent,
    poller: Agent,
    render: Agent,
    vsync: Agent,
    shadow: Option<Agent>,
    /// The poller's event, set by what the interrupt's callback writes.
    vsync_seen: Object,
    /// Set by the render thread; the main thread waits for it.
    frame_swapped: Object,
    frame_wanted: Object,
    /// The display is on: the poller starts.
    display_on: Object,
    /// Set by the poller when it has seen VSync: a frame may be swapped.
    vblank: Object,
    display_lock: Object,
    frame_lock: Object,
    /// Frames that the main thread has seen, up to `frames_before`.
    frames_seen: Variable,
    frames_before: u8,
    /// The event's SignalState, in guest memory.
    signal_state: Variable,
    /// The guest wrote SignalState, and the host's shadow of the event has not followed yet.
    written: Variable,
    goal: u8,
    callbacks: u8,
    /// What the main thread and the render thread set besides, once for each frame.
    pub(super) fed_by_main: Vec<Feed>,
    pub(super) fed_by_render: Vec<Feed>,
}

/// What a thread that is at rest gets.
#[derive(Clone, Copy, Debug)]
pub(super) enum Feed {
    Event(Object),
    Semaphore(Object),
}

impl Feed {
    fn give(self, p: &mut Program<'_>, kernel: Kernel) {
        match self {
            Self::Event(event) => kernel.set_event(p, event),
            Self::Semaphore(semaphore) => kernel.release_semaphore(p, semaphore),
        }
    }
}

impl Title {
    pub(super) fn cast(world: &mut WorldBuilder, settings: &Settings, small: bool) -> Self {
        let (goal, callbacks) = (world.goal("frames"), world.goal("vsync callbacks"));
        let hw_threads = settings.byte("hardware-threads");
        let main = cast::cast(world, cast::MAIN, hw_threads);
        let poller = cast::cast(world, cast::POLLER, hw_threads);
        let render = cast::cast(world, cast::RENDER, hw_threads);
        let vsync = world.agent(AgentKind::Interrupt, "vsync", 0, 0);
        let cpu = cast::POLLER.hw_thread % hw_threads;
        let (every, drift) =
            (settings.number("vsync-instructions"), settings.number("vsync-drift"));
        world.triggered(vsync, Trigger::Instructions { cpu, every, drift });
        let unseen = settings.flag("signal-written") && !settings.flag("signal-observed");
        let shadow = unseen.then(|| world.agent(AgentKind::KernelThread, "host shadow", 0, 0));
        let mut auto = |handle, label| world.object(ObjectKind::AutoResetEvent, handle, label);
        let vsync_seen = auto(0xbe8c_bb5c, "");
        let (frame_wanted, vblank) = (auto(0x10ec, "frame wanted"), auto(0x10f0, "vblank"));
        let mut object = |kind, handle, label| world.object(kind, handle, label);
        Self {
            hw_threads,
            main,
            poller,
            render,
            vsync,
            shadow,
            vsync_seen,
            frame_swapped: object(ObjectKind::Event, 0x10e8, ""),
            frame_wanted,
            display_on: object(ObjectKind::Event, 0x10f4, "display on"),
            vblank,
            display_lock: object(ObjectKind::Mutex, 0x82a1_f000, "display"),
            frame_lock: object(ObjectKind::Mutex, 0x82a1_f01c, "frame"),
            frames_seen: world.variable_named("the number of frames seen", 0),
            frames_before: if small { 1 } else { settings.byte("frames-before") },
            signal_state: world.variable_named("SignalState", 0),
            written: world.variable_named("the written SignalState", 0),
            goal,
            callbacks,
            fed_by_main: Vec::new(),
            fed_by_render: Vec::new(),
        }
    }

    /// Writes the programs.
    pub(super) fn write(&self, world: &mut WorldBuilder, kernel: Kernel, settings: &Settings) {
        world.program(self.main, |p| self.main(p, kernel));
        world.program(self.render, |p| self.render(p, kernel));
        world.program(self.poller, |p| self.poller(p, kernel, settings));
        world.program(self.vsync, |p| self.callback(p, settings));
        if let Some(shadow) = self.shadow {
            world.unobserved(shadow);
            world.daemon(shadow);
            world.program(shadow, |p| self.follow(p));
        }
    }

    /// Wants frames, one after the other. After the first few it turns the display on.
    fn main(&self, p: &mut Program<'_>, kernel: Kernel) {
        begins(p);
        p.compute(2 * MS, 4 * MS);
        kernel.set_event(p, self.frame_wanted);
        let (top, loading) = (p.mark_here(), p.label());
        kernel.wait(p, self.frame_swapped);
        kernel.reset_event(p, self.frame_swapped);
        let shown = test(self.frames_seen, Comparison::AtLeast, self.frames_before);
        let shows = p.label();
        p.go_if(shown, shows);
        p.add(self.frames_seen, 1, 0);
        p.here(shows);
        p.compute(MS, 2 * MS);
        self.fed_by_main.iter().for_each(|feed| feed.give(p, kernel));
        kernel.set_event(p, self.frame_wanted);
        p.go_if(test(self.frames_seen, Comparison::Below, self.frames_before), loading);
        p.go_if(test(self.display_on, Comparison::Is, 1), loading);
        p.compute(100 * US, 200 * US);
        kernel.set_event(p, self.display_on);
        p.here(loading);
        p.go(top);
    }

    /// Draws what is wanted, and swaps it: while the title loads at once, later when the poller has seen VSync.
    fn render(&self, p: &mut Program<'_>, kernel: Kernel) {
        begins(p);
        let (top, swap) = (p.mark_here(), p.label());
        kernel.wait(p, self.frame_wanted);
        p.compute(4 * MS, 6 * MS);
        p.go_if(test(self.frames_seen, Comparison::Below, self.frames_before), swap);
        kernel.wait(p, self.vblank);
        p.here(swap);
        kernel.enter(p, self.frame_lock);
        kernel.leave(p, self.frame_lock);
        p.progress(self.goal, "frame swapped");
        self.fed_by_render.iter().for_each(|feed| feed.give(p, kernel));
        kernel.set_event(p, self.frame_swapped);
        p.go(top);
    }

    /// Waits for VSync, with a deadline, for ever.
    fn poller(&self, p: &mut Program<'_>, kernel: Kernel, settings: &Settings) {
        begins(p);
        kernel.wait(p, self.display_on);
        let (top, late) = (p.mark_here(), p.label());
        kernel.enter(p, self.display_lock);
        kernel.wait_until(p, self.vsync_seen, settings.number("poll-ms") * MS, late);
        if settings.flag("reciprocal-clear") {
            p.set(self.signal_state, 0);
        }
        kernel.set_event(p, self.vblank);
        p.here(late);
        kernel.leave(p, self.display_lock);
        p.compute(POLL_NS, POLL_NS);
        p.go(top);
    }

    /// The guest's callback, which runs to its end on whatever thread is there. It sees to the event only if that is not set
    /// already, as far as the guest's memory says.
    fn callback(&self, p: &mut Program<'_>, settings: &Settings) {
        if settings.flag("declare-producer") {
            p.owe(self.vsync, self.vsync_seen);
        }
        p.compute(2 * US, 2 * US);
        let end: Label = p.label();
        if settings.flag("signal-written") {
            p.go_if(test(self.signal_state, Comparison::Is, 1), end);
            p.set(self.signal_state, 1);
            match self.shadow {
                Some(_) => p.set(self.written, 1),
                None => p.signal(self.vsync_seen),
            }
        }
        p.here(end);
        p.progress(self.callbacks, "callback ran");
    }

    /// The host's shadow of the event follows the guest's memory, on a path that no trace shows.
    fn follow(&self, p: &mut Program<'_>) {
        let top = p.mark_here();
        p.until(test(self.written, Comparison::Is, 1));
        p.set(self.written, 0);
        p.signal(self.vsync_seen);
        p.go(top);
    }
}
