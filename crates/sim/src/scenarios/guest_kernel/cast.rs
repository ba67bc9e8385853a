//! Who are the title's threads? Twenty-three, with their priorities and hardware threads.
//!
//! Tids 1, 7 and 8 are the incident's; the other names and numbers are invented.

use unwedge_trace::{AgentKind, AgentState};

use crate::world::{Agent, Program, WorldBuilder};

/// A guest thread.
#[derive(Clone, Copy, Debug)]
pub(super) struct Thread {
    pub(super) tid: u32,
    pub(super) name: &'static str,
    pub(super) priority: i32,
    pub(super) hw_thread: u8,
}

const fn thread(tid: u32, name: &'static str, priority: i32, hw_thread: u8) -> Thread {
    Thread { tid, name, priority, hw_thread }
}

pub(super) const MAIN: Thread = thread(1, "main", 8, 0);
pub(super) const FILES: Thread = thread(2, "file_io", 9, 1);
pub(super) const UNPACK: Thread = thread(3, "unpack", 6, 1);
pub(super) const AUDIO: Thread = thread(4, "audio", 15, 2);
pub(super) const DECODER: Thread = thread(5, "xma_decoder", 14, 2);
pub(super) const PHYSICS: Thread = thread(6, "physics", 8, 3);
pub(super) const POLLER: Thread = thread(7, "display_poll", 17, 4);
pub(super) const RENDER: Thread = thread(8, "render", 0, 4);
pub(super) const WORKERS: [Thread; 6] = [
    thread(9, "job_0", 4, 0),
    thread(10, "job_1", 4, 1),
    thread(11, "job_2", 4, 2),
    thread(12, "job_3", 4, 3),
    thread(13, "job_4", 4, 5),
    thread(14, "job_5", 4, 5),
];
pub(super) const PREPARE: Thread = thread(15, "render_prepare", 7, 3);
pub(super) const COMMANDS: Thread = thread(16, "gpu_commands", 10, 5);
pub(super) const RECEIVE: Thread = thread(17, "net_receive", 6, 1);
pub(super) const SESSION: Thread = thread(18, "net_session", 6, 1);
pub(super) const SAVE: Thread = thread(19, "save_game", 2, 0);
pub(super) const SUSPENDED: [Thread; 2] =
    [thread(20, "crash_handler", 11, 0), thread(23, "spare", 0, 5)];
pub(super) const SHORT: [Thread; 2] =
    [thread(21, "boot_movie", 8, 5), thread(22, "shader_warm_up", 3, 5)];

/// A thread of the world, on one of its hardware threads.
pub(super) fn cast(world: &mut WorldBuilder, thread: Thread, hw_threads: u8) -> Agent {
    let agent = world.agent(AgentKind::GuestThread, thread.name, 1, thread.tid);
    world.on_cpu(agent, thread.hw_thread % hw_threads, thread.priority);
    agent
}

/// The scheduler's line for a thread that runs for the first time.
pub(super) fn begins(p: &mut Program<'_>) {
    p.state(AgentState::Running, "started");
}
