//! Who plays in the trace of an emulator that wedges, and in that of the one that does not? The threads, the objects, and on
//! what each thread waits when it has nothing to do.
//!
//! Modelled on an Xbox 360 title: six hardware threads, NT's objects. All names and most numbers are invented.

/// A guest thread.
pub(crate) struct Thread {
    pub(crate) tid: u8,
    pub(crate) name: &'static str,
    pub(crate) priority: u64,
    pub(crate) hw_thread: u64,
    /// What it waits on when there is nothing to do; `None` for those that do otherwise.
    pub(crate) rest: Option<u32>,
}

const fn thread(
    tid: u8,
    name: &'static str,
    (priority, hw_thread): (u64, u64),
    rest: Option<u32>,
) -> Thread {
    Thread { tid, name, priority, hw_thread, rest }
}

pub(crate) const INTERRUPTS: u8 = 0;
pub(crate) const MAIN: u8 = 1;
pub(crate) const FILES: u8 = 2;
pub(crate) const UNPACK: u8 = 3;
pub(crate) const POLLER: u8 = 7;
pub(crate) const RENDER: u8 = 8;
pub(crate) const MOVIE: u8 = 21;
pub(crate) const SHADERS: u8 = 22;
pub(crate) const SPARE: u8 = 23;
pub(crate) const WORKERS: [u8; 6] = [9, 10, 11, 12, 13, 14];

/// What the poller waits for with a deadline: signalled, if at all, by the vsync interrupt's callback in guest memory,
/// which no line of the trace shows.
pub(crate) const VSYNC_SEEN: u32 = 0xbe8c_bb5c;
/// The lock that the poller takes around each wait.
pub(crate) const DISPLAY_LOCK: u32 = 0x82a1_f000;
/// The lock that the render thread takes to hand over a frame.
pub(crate) const FRAME_LOCK: u32 = 0x82a1_f01c;
/// Set by the render thread when a frame is done.
pub(crate) const FRAME_DONE: u32 = 0x10e8;
/// Set by the main thread when a frame can be drawn.
pub(crate) const FRAME_WANTED: u32 = 0x10ec;
/// The queue of the workers, fed by the main thread.
pub(crate) const JOBS: u32 = 0x1100;
/// Requests to read files, from the main thread.
pub(crate) const READS: u32 = 0x1104;
/// Blocks to unpack, from the thread that reads files.
pub(crate) const BLOCKS: u32 = 0x1108;
const SOUNDS: u32 = 0x110c;
const SAMPLES: u32 = 0x1110;
const STEP: u32 = 0x1114;
const DRAWN: u32 = 0x1118;
const COMMANDS: u32 = 0x111c;
const PACKETS: u32 = 0x1120;
const SAVE: u32 = 0x1124;
const PADS: u32 = 0x1128;

/// The threads in the order of their creation. Eighteen have a rest; the others are the poller, the one that draws, two that
/// exit, and one that only runs.
pub(crate) const THREADS: [Thread; 23] = [
    thread(MAIN, "main", (8, 0), Some(FRAME_DONE)),
    thread(FILES, "file_io", (9, 1), Some(READS)),
    thread(UNPACK, "unpack", (6, 1), Some(BLOCKS)),
    thread(4, "audio", (15, 2), Some(SOUNDS)),
    thread(5, "xma_decoder", (14, 2), Some(SAMPLES)),
    thread(6, "physics", (8, 3), Some(STEP)),
    thread(POLLER, "display_poll", (17, 4), None),
    thread(RENDER, "render", (0, 4), None),
    thread(9, "job_0", (4, 0), Some(JOBS)),
    thread(10, "job_1", (4, 1), Some(JOBS)),
    thread(11, "job_2", (4, 2), Some(JOBS)),
    thread(12, "job_3", (4, 3), Some(JOBS)),
    thread(13, "job_4", (4, 5), Some(JOBS)),
    thread(14, "job_5", (4, 5), Some(JOBS)),
    thread(15, "render_prepare", (7, 3), Some(DRAWN)),
    thread(16, "gpu_commands", (10, 5), Some(COMMANDS)),
    thread(17, "net_receive", (6, 1), Some(PACKETS)),
    thread(18, "net_session", (6, 1), Some(PACKETS)),
    thread(19, "save_game", (2, 0), Some(SAVE)),
    thread(20, "pad_input", (11, 0), Some(PADS)),
    thread(MOVIE, "boot_movie", (8, 5), None),
    thread(SHADERS, "shader_warm_up", (3, 5), None),
    thread(SPARE, "spare", (0, 5), None),
];

/// An object, and who signals it in a healthy frame.
pub(crate) struct Object {
    pub(crate) handle: u32,
    pub(crate) kind: &'static str,
    pub(crate) signaller: u8,
}

const fn object(handle: u32, kind: &'static str, signaller: u8) -> Object {
    Object { handle, kind, signaller }
}

/// The objects. Nobody is seen to signal the poller's event.
pub(crate) const OBJECTS: [Object; 16] = [
    object(DISPLAY_LOCK, "critsec", POLLER),
    object(FRAME_LOCK, "critsec", RENDER),
    object(VSYNC_SEEN, "auto_event", INTERRUPTS),
    object(FRAME_DONE, "event", RENDER),
    object(FRAME_WANTED, "auto_event", MAIN),
    object(JOBS, "semaphore", MAIN),
    object(READS, "semaphore", MAIN),
    object(BLOCKS, "semaphore", FILES),
    object(SOUNDS, "auto_event", MAIN),
    object(SAMPLES, "semaphore", 4),
    object(STEP, "auto_event", MAIN),
    object(DRAWN, "auto_event", RENDER),
    object(COMMANDS, "auto_event", RENDER),
    object(PACKETS, "semaphore", MAIN),
    object(SAVE, "auto_event", MAIN),
    object(PADS, "auto_event", MAIN),
];

/// The object with this handle, which is in the table.
pub(crate) fn find(handle: u32) -> &'static Object {
    &OBJECTS[OBJECTS.iter().position(|object| object.handle == handle).unwrap_or(0)]
}
