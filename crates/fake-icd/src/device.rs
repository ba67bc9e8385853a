//! Logical devices: how are they made, what do they count, and how do they end or get lost?
//!
//! Devices and queues are never freed: a queue thread that is stuck on purpose keeps using them.

use crate::calls::{CALLS, Which};
use crate::check;
use crate::ffi::{self, Allocator, LoaderWord, Out, entries};
use crate::instance::PhysicalDevice;
use crate::log::{self, Log};
use crate::queue::Queue;
use crate::script::{Execute, Script};
use crate::world::{Deadline, Shared, World};
use ash::vk;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

entries! {
    "vkDestroyDevice" => destroy,
    "vkGetDeviceQueue" => queue,
    "vkGetDeviceQueue2" => queue2,
    "vkDeviceWaitIdle" => wait_idle,
    "vkQueueWaitIdle" => queue_wait_idle,
}

/// Counts occurrences from 1, for the ordinals of the script.
#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    /// The ordinal of what happens now.
    pub(crate) fn next(&self) -> u64 {
        self.0.fetch_add(1, Relaxed) + 1
    }

    /// How often it happened so far.
    pub(crate) fn so_far(&self) -> u64 {
        self.0.load(Relaxed)
    }

    /// Whether what happens now is what the script means.
    pub(crate) fn next_is(&self, ordinal: Option<u64>) -> bool {
        Some(self.next()) == ordinal
    }
}

/// A `VkDevice`.
#[repr(C)]
pub(crate) struct Device {
    _loader: LoaderWord,
    pub(crate) script: Arc<Script>,
    pub(crate) log: Arc<Log>,
    pub(crate) shared: Shared,
    queues: OnceLock<Vec<&'static Queue>>,
    lost: AtomicBool,
    closed: AtomicBool,
    pub(crate) batches: Counter,
    pub(crate) fence_signals: Counter,
    pub(crate) timeline_signals: Counter,
    /// Calls to acquire, whatever came of them.
    pub(crate) acquire_calls: Counter,
    /// Images that were acquired.
    pub(crate) acquired_images: Counter,
}

impl Device {
    fn new(script: Arc<Script>, log: Arc<Log>) -> Self {
        Self {
            _loader: LoaderWord::new(),
            script,
            log,
            shared: Shared::default(),
            queues: OnceLock::new(),
            lost: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            batches: Counter::default(),
            fence_signals: Counter::default(),
            timeline_signals: Counter::default(),
            acquire_calls: Counter::default(),
            acquired_images: Counter::default(),
        }
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.lost.load(Relaxed)
    }

    /// Whether the program destroyed the device.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Relaxed)
    }

    /// Loses the device; every wait on it ends.
    pub(crate) fn lose(&self) {
        self.change(|world| self.lose_in(world));
    }

    /// The same, for who has the world already and will tell those who wait.
    pub(crate) fn lose_in(&self, world: &mut World) {
        self.lost.store(true, Relaxed);
        world.jobs.iter_mut().for_each(VecDeque::clear);
        world.watched.nothing_is_pending();
        if self.script.execute != Execute::Threads {
            self.queues().iter().for_each(|queue| queue.drop_all());
        }
    }

    /// Counts a call and says what the script wants it to return.
    pub(crate) fn scripted(&self, call: Which) -> Option<vk::Result> {
        log::scripted(&self.log, &self.script, call)
    }

    /// The same for a call that does nothing then, unless its own function says otherwise. Loses the device if that is the
    /// result. On a lost device, calls that can say so do.
    pub(crate) fn fails(&self, call: Which) -> Option<vk::Result> {
        let scripted = self.scripted(call)?;
        if scripted == vk::Result::ERROR_DEVICE_LOST {
            self.lose();
        }
        let says_so = CALLS[call as usize].errors.contains(&vk::Result::ERROR_DEVICE_LOST);
        (!self.is_lost() || !says_so || scripted == vk::Result::ERROR_DEVICE_LOST)
            .then_some(scripted)
    }

    /// Lasts as long as a scripted time-out does.
    pub(crate) fn time_out(&self, timeout_ns: u64) {
        if self.script.timeouts_early {
            return;
        }
        match timeout_ns {
            // Nobody signals: this is the wait that never returns, unless the device is lost.
            u64::MAX => drop(self.wait_until(Deadline::Never, |_| self.is_lost().then_some(()))),
            _ => std::thread::sleep(Duration::from_nanos(timeout_ns)),
        }
    }

    /// What a wait on a lost device returns.
    pub(crate) fn lost_result(&self) -> vk::Result {
        match self.script.lost_waits_succeed {
            true => vk::Result::SUCCESS,
            false => vk::Result::ERROR_DEVICE_LOST,
        }
    }

    /// A host wait: until `reached`, until the device is lost, or until the deadline.
    pub(crate) fn wait(
        &self,
        deadline: Deadline,
        mut reached: impl FnMut(&mut World) -> bool,
    ) -> vk::Result {
        let outcome = self.wait_until(deadline, |world| {
            if self.is_lost() {
                return Some(self.lost_result());
            }
            reached(world).then_some(vk::Result::SUCCESS)
        });
        outcome.unwrap_or(vk::Result::TIMEOUT)
    }

    pub(crate) fn queues(&self) -> &[&'static Queue] {
        self.queues.get().map_or(&[], Vec::as_slice)
    }

    /// Counts finished jobs of the queue in this place; the engine, which comes after the queues, has no count.
    pub(crate) fn finished(&self, queue: usize, jobs: usize) {
        if let Some(queue) = self.queues().get(queue) {
            queue.finished(jobs);
        }
    }
}

/// `vkCreateDevice`.
pub(crate) extern "system" fn create(
    physical: &PhysicalDevice,
    info: &vk::DeviceCreateInfo<'_>,
    _allocator: Allocator,
    out: Out<'_, &'static Device>,
) -> vk::Result {
    if let Some(result) = log::scripted(&physical.log, &physical.script, Which::CreateDevice) {
        return result;
    }
    // SAFETY: the caller owes `queue_create_info_count` structures.
    let requests = unsafe { ffi::slice(info.p_queue_create_infos, info.queue_create_info_count) };
    let wanted = requests.iter().map(|request| request.queue_count).sum();
    if wanted > physical.script.queues {
        return vk::Result::ERROR_INITIALIZATION_FAILED;
    }
    let device = Device::new(Arc::clone(&physical.script), Arc::clone(&physical.log));
    let device: &'static Device = Box::leak(Box::new(device));
    match (0..wanted).map(|index| Queue::start(device, index)).collect() {
        // The device is new, so its queues are set for the first time here.
        Ok(queues) => drop(device.queues.set(queues)),
        Err(_) => return vk::Result::ERROR_OUT_OF_HOST_MEMORY,
    }
    if device.script.execute != Execute::Threads {
        device.lock().jobs = (0..=wanted).map(|_| VecDeque::new()).collect();
    }
    physical.log.devices.fetch_add(1, Relaxed);
    out.write(device);
    vk::Result::SUCCESS
}

extern "system" fn destroy(device: Option<&'static Device>, _allocator: Allocator) {
    let Some(device) = device else { return };
    check::destroy_device(device);
    device.log.devices.fetch_sub(1, Relaxed);
    device.change(|world| {
        device.closed.store(true, Relaxed);
        world.jobs.clear();
        // A thread that is stuck keeps the device, but not what it had.
        if device.script.execute != Execute::Threads {
            *world = World::default();
        }
    });
    device.queues().iter().for_each(|queue| queue.wake());
}

extern "system" fn queue(
    device: &Device,
    _family: u32,
    index: u32,
    out: Out<'_, Option<&'static Queue>>,
) {
    out.write(device.queues().get(index as usize).copied());
}

extern "system" fn queue2(
    device: &Device,
    info: &vk::DeviceQueueInfo2<'_>,
    out: Out<'_, Option<&'static Queue>>,
) {
    queue(device, info.queue_family_index, info.queue_index, out);
}

extern "system" fn wait_idle(device: &Device) -> vk::Result {
    if let Some(result) = device.fails(Which::DeviceWaitIdle) {
        return result;
    }
    device.wait(Deadline::Never, |_| device.queues().iter().all(|queue| queue.is_idle()))
}

extern "system" fn queue_wait_idle(queue: &Queue) -> vk::Result {
    if let Some(result) = queue.device.fails(Which::QueueWaitIdle) {
        return result;
    }
    queue.device.wait(Deadline::Never, |_| queue.is_idle())
}
