//! Which objects does a device have, and how does a thread wait until something about them changes?
//!
//! One lock and one condition variable for all of a device: a test driver wants waits that are plainly right. Handles are
//! numbers that are never used twice in the process, so a stale or foreign handle is found out rather than followed.

use crate::command::CommandPool;
use crate::device::Device;
use crate::execute;
use crate::ffi::Array;
use crate::memory::{Buffer, Image, ImageView, Memory};
use crate::payload::{Payload, Primitive};
use crate::query::QueryPool;
use crate::queue::Job;
use crate::script::Execute;
use crate::swapchain::Swapchain;
use crate::watched::Watched;
use ash::vk;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Objects of one type by their handles.
pub(crate) type Table<T> = BTreeMap<u64, T>;

/// Everything that the handles of a device stand for.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) fences: Table<Primitive>,
    pub(crate) semaphores: Table<Primitive>,
    pub(crate) events: Table<Arc<Payload>>,
    pub(crate) query_pools: Table<QueryPool>,
    pub(crate) swapchains: Table<Swapchain>,
    pub(crate) memory: Table<Memory>,
    pub(crate) buffers: Table<Buffer>,
    pub(crate) images: Table<Image>,
    pub(crate) image_views: Table<ImageView>,
    pub(crate) command_pools: Table<CommandPool>,
    /// The work of each queue, if no threads do it; the last one is the presentation engine's.
    pub(crate) jobs: Vec<VecDeque<Job>>,
    /// For the check: what unfinished work uses, and which handles there were.
    pub(crate) watched: Watched,
}

/// The world of one device, its lock, and how threads wait for a change.
#[derive(Default)]
pub(crate) struct Shared {
    world: Mutex<World>,
    /// Notified whenever a wait somewhere may have become satisfied.
    changed: Condvar,
    /// How many changes there were, so that a thread can watch for the next one without the lock.
    changes: AtomicU64,
}

/// How long a wait watches before it sleeps. Waking a sleeper takes about as long, so this halves the time of a
/// short submission, and it is too short to look like work.
const PATIENCE: Duration = Duration::from_micros(30);

/// Whether a payload ever left its device through a file descriptor. Another device may then signal it, which does not know who
/// waits here.
pub(crate) static EXPORTED: AtomicBool = AtomicBool::new(false);

/// How often a wait then looks by itself.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// The next handle. Recognisable in a report, and far from anything a real driver hands out.
static NEXT_HANDLE: AtomicU64 = AtomicU64::new(0xFA4E_0001);

impl Device {
    /// The world, for a look or for a change that no one waits for.
    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        self.shared.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the world and wakes whoever waits for a change.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        let mut world = self.lock();
        let result = change(&mut world);
        if self.script.execute == Execute::Early {
            while execute::step(self, &mut world) {}
        }
        drop(world);
        self.notify();
        result
    }

    /// Wakes whoever waits for a change, after one.
    pub(crate) fn notify(&self) {
        self.shared.changes.fetch_add(1, Relaxed);
        self.shared.changed.notify_all();
    }

    /// Waits until `poll` has an answer, or returns `None` once the deadline has passed. `poll` runs at least once. Without queue
    /// threads the waiting thread does the work that it waits for, whatever the clock says; one that only looks does one job.
    pub(crate) fn wait_until<T>(
        &self,
        deadline: Deadline,
        mut poll: impl FnMut(&mut World) -> Option<T>,
    ) -> Option<T> {
        let mut watched = self.script.execute != Execute::Threads;
        let mut looked = false;
        let mut world = self.lock();
        loop {
            if let Some(answer) = poll(&mut world) {
                return Some(answer);
            }
            if watched && !looked && execute::step(self, &mut world) {
                self.notify();
                looked = matches!(deadline, Deadline::Look);
                continue;
            }
            if !watched && !deadline.is_past() {
                watched = true;
                let seen = self.shared.changes.load(Relaxed);
                drop(world);
                self.watch(seen);
                world = self.lock();
                continue;
            }
            world = self.sleep(world, deadline)?;
        }
    }

    /// Sleeps until something may have changed; `None` once the deadline has passed.
    fn sleep<'a>(
        &'a self,
        world: MutexGuard<'a, World>,
        deadline: Deadline,
    ) -> Option<MutexGuard<'a, World>> {
        let left = match deadline {
            Deadline::Look => Duration::ZERO,
            Deadline::Never => Duration::MAX,
            Deadline::At(end) => end.saturating_duration_since(Instant::now()),
        };
        if left.is_zero() {
            return None;
        }
        let changed = &self.shared.changed;
        if EXPORTED.load(Relaxed) {
            let woken = changed.wait_timeout(world, left.min(LOOK_AGAIN));
            return Some(woken.unwrap_or_else(PoisonError::into_inner).0);
        }
        Some(match deadline {
            Deadline::Never => changed.wait(world).unwrap_or_else(PoisonError::into_inner),
            Deadline::Look | Deadline::At(_) => {
                changed.wait_timeout(world, left).unwrap_or_else(PoisonError::into_inner).0
            }
        })
    }

    /// Spins until something changes, at most for as long as waits are patient.
    fn watch(&self, seen: u64) {
        let begun = Instant::now();
        while self.shared.changes.load(Relaxed) == seen && begun.elapsed() < PATIENCE {
            std::hint::spin_loop();
        }
    }
}

/// When a wait gives up.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Deadline {
    /// At once: it only looks.
    Look,
    /// What Vulkan's programs are allowed to ask for, and what the whole project is about.
    Never,
    At(Instant),
}

impl Deadline {
    fn is_past(self) -> bool {
        match self {
            Self::Look => true,
            Self::Never => false,
            Self::At(end) => end <= Instant::now(),
        }
    }

    /// The deadline of a Vulkan time-out, in nanoseconds; the largest number means none.
    pub(crate) fn after(nanoseconds: u64) -> Self {
        if nanoseconds == 0 {
            return Self::Look;
        }
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
