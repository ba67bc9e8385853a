//! Which objects exist in this process, and how does a thread wait until something about them changes?
//!
//! One lock and one condition variable for everything: a test driver wants waits that are plainly right. Handles are
//! numbers that are never used twice, so a stale handle is found out rather than followed.

use crate::command::CommandPool;
use crate::ffi::Array;
use crate::memory::{Buffer, Image, Memory};
use crate::payload::{Payload, Primitive};
use crate::query::QueryPool;
use crate::swapchain::Swapchain;
use ash::vk;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Objects of one type by their handles.
pub(crate) type Table<T> = BTreeMap<u64, T>;

/// Everything that handles stand for, of every device in the process.
pub(crate) struct World {
    pub(crate) fences: Table<Primitive>,
    pub(crate) semaphores: Table<Primitive>,
    pub(crate) events: Table<Arc<Payload>>,
    pub(crate) query_pools: Table<QueryPool>,
    pub(crate) swapchains: Table<Swapchain>,
    pub(crate) memory: Table<Memory>,
    pub(crate) buffers: Table<Buffer>,
    pub(crate) images: Table<Image>,
    pub(crate) command_pools: Table<CommandPool>,
    /// Payloads that left through a file descriptor, by the file's device and inode.
    pub(crate) exported: BTreeMap<(u64, u64), Arc<Payload>>,
}

static WORLD: Mutex<World> = Mutex::new(World {
    fences: Table::new(),
    semaphores: Table::new(),
    events: Table::new(),
    query_pools: Table::new(),
    swapchains: Table::new(),
    memory: Table::new(),
    buffers: Table::new(),
    images: Table::new(),
    command_pools: Table::new(),
    exported: BTreeMap::new(),
});

/// Notified whenever a wait somewhere may have become satisfied.
static CHANGED: Condvar = Condvar::new();

/// How many changes there were, so that a thread can watch for the next one without the lock.
static CHANGES: AtomicU64 = AtomicU64::new(0);

/// How long a wait watches before it sleeps. Waking a sleeper takes about as long, so this halves the time of a
/// short submission, and it is too short to look like work.
const PATIENCE: Duration = Duration::from_micros(30);

/// The next handle. Recognisable in a report, and far from anything a real driver hands out.
static NEXT_HANDLE: AtomicU64 = AtomicU64::new(0xFA4E_0001);

/// The world, for a look or for a change that no one waits for.
pub(crate) fn lock() -> MutexGuard<'static, World> {
    WORLD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Changes the world and wakes whoever waits for a change.
pub(crate) fn change<T>(change: impl FnOnce(&mut World) -> T) -> T {
    let result = change(&mut lock());
    CHANGES.fetch_add(1, Relaxed);
    CHANGED.notify_all();
    result
}

/// Waits until `poll` has an answer, or returns `None` once the deadline has passed. `poll` runs at least once.
pub(crate) fn wait<T>(
    deadline: Deadline,
    mut poll: impl FnMut(&mut World) -> Option<T>,
) -> Option<T> {
    let mut watched = false;
    let mut world = lock();
    loop {
        if let Some(answer) = poll(&mut world) {
            return Some(answer);
        }
        if !watched && !deadline.is_past() {
            watched = true;
            let seen = CHANGES.load(Relaxed);
            drop(world);
            watch(seen);
            world = lock();
            continue;
        }
        world = match deadline {
            Deadline::Never => CHANGED.wait(world).unwrap_or_else(PoisonError::into_inner),
            Deadline::At(end) => {
                let left = end.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return None;
                }
                CHANGED.wait_timeout(world, left).unwrap_or_else(PoisonError::into_inner).0
            }
        };
    }
}

/// Spins until something changes, at most for as long as waits are patient.
fn watch(seen: u64) {
    let begun = Instant::now();
    while CHANGES.load(Relaxed) == seen && begun.elapsed() < PATIENCE {
        std::hint::spin_loop();
    }
}

/// When a wait gives up.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Deadline {
    /// What Vulkan's programs are allowed to ask for, and what the whole project is about.
    Never,
    At(Instant),
}

impl Deadline {
    fn is_past(self) -> bool {
        matches!(self, Self::At(end) if end <= Instant::now())
    }

    /// The deadline of a Vulkan time-out, in nanoseconds; the largest number means none.
    pub(crate) fn after(nanoseconds: u64) -> Self {
        match Instant::now().checked_add(Duration::from_nanos(nanoseconds)) {
            Some(end) if nanoseconds != u64::MAX => Self::At(end),
            _ => Self::Never,
        }
    }
}

/// A handle that no object had before.
pub(crate) fn fresh<H: vk::Handle>() -> H {
    H::from_raw(NEXT_HANDLE.fetch_add(1, Relaxed))
}

/// Enters an object and returns its new handle.
pub(crate) fn insert<T, H: vk::Handle>(table: &mut Table<T>, object: T) -> H {
    let number = NEXT_HANDLE.fetch_add(1, Relaxed);
    table.insert(number, object);
    H::from_raw(number)
}

/// The object a handle stands for; a stale or foreign handle is the caller's mistake, told without crashing.
pub(crate) fn find<T, H: vk::Handle>(
    table: &mut Table<T>,
    handle: H,
) -> Result<&mut T, vk::Result> {
    table.get_mut(&handle.as_raw()).ok_or(vk::Result::ERROR_UNKNOWN)
}

/// The objects that an array of handles stands for.
pub(crate) fn find_all<T, H: vk::Handle + Copy, R>(
    table: &mut Table<T>,
    handles: Array<H>,
    count: u32,
    mut view: impl FnMut(&mut T) -> R,
) -> Result<Vec<R>, vk::Result> {
    handles.slice(count).iter().map(|&handle| find(table, handle).map(&mut view)).collect()
}

/// The `VkResult` of what either worked or did not.
pub(crate) fn result_of<T>(outcome: Result<T, vk::Result>) -> vk::Result {
    outcome.err().unwrap_or(vk::Result::SUCCESS)
}
