//! Logical devices: how are they made, what do they count, and how do they end or get lost?
//!
//! Devices and queues are never freed: a queue thread that is stuck on purpose keeps using them.

use crate::ffi::{self, Allocator, LoaderWord, Out, entries};
use crate::instance::PhysicalDevice;
use crate::queue::Queue;
use crate::script::Script;
use crate::world::{self, Deadline, World};
use ash::vk;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

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
    pub(crate) script: Script,
    queues: OnceLock<Vec<&'static Queue>>,
    lost: AtomicBool,
    closed: AtomicBool,
    pub(crate) submissions: Counter,
    pub(crate) batches: Counter,
    pub(crate) fence_signals: Counter,
    pub(crate) timeline_signals: Counter,
    /// Calls to acquire, whatever came of them.
    pub(crate) acquire_calls: Counter,
    /// Images that were acquired.
    pub(crate) acquired_images: Counter,
}

impl Device {
    fn new(script: Script) -> Self {
        Self {
            _loader: LoaderWord::new(),
            script,
            queues: OnceLock::new(),
            lost: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            submissions: Counter::default(),
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
        world::change(|_| self.lost.store(true, Relaxed));
    }

    /// A host wait: until `reached`, until the device is lost, or until the deadline.
    pub(crate) fn wait(
        &self,
        deadline: Deadline,
        mut reached: impl FnMut(&mut World) -> bool,
    ) -> vk::Result {
        let outcome = world::wait(deadline, |world| {
            if self.is_lost() {
                return Some(vk::Result::ERROR_DEVICE_LOST);
            }
            reached(world).then_some(vk::Result::SUCCESS)
        });
        outcome.unwrap_or(vk::Result::TIMEOUT)
    }

    fn queues(&self) -> &[&'static Queue] {
        self.queues.get().map_or(&[], Vec::as_slice)
    }
}

/// `vkCreateDevice`.
pub(crate) extern "system" fn create(
    physical: &PhysicalDevice,
    info: &vk::DeviceCreateInfo<'_>,
    _allocator: Allocator,
    out: Out<'_, &'static Device>,
) -> vk::Result {
    let device: &'static Device = Box::leak(Box::new(Device::new(physical.script.clone())));
    // SAFETY: the caller owes `queue_create_info_count` structures.
    let requests = unsafe { ffi::slice(info.p_queue_create_infos, info.queue_create_info_count) };
    let wanted = requests.iter().map(|request| request.queue_count).sum();
    if wanted > physical.script.queues {
        return vk::Result::ERROR_INITIALIZATION_FAILED;
    }
    match (0..wanted).map(|index| Queue::start(device, index)).collect() {
        // The device is new, so its queues are set for the first time here.
        Ok(queues) => drop(device.queues.set(queues)),
        Err(_) => return vk::Result::ERROR_OUT_OF_HOST_MEMORY,
    }
    out.write(device);
    vk::Result::SUCCESS
}

extern "system" fn destroy(device: Option<&Device>, _allocator: Allocator) {
    let Some(device) = device else { return };
    world::change(|_| device.closed.store(true, Relaxed));
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
    device.wait(Deadline::Never, |_| device.queues().iter().all(|queue| queue.is_idle()))
}

extern "system" fn queue_wait_idle(queue: &Queue) -> vk::Result {
    queue.device.wait(Deadline::Never, |_| queue.is_idle())
}
