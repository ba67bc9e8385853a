//! Which rules of valid usage about waits, signals and frames did a call break?
//!
//! Nothing here changes what a call does. Functions are called before the call's effects. On a lost device nothing counts as
//! pending, so that everything may be destroyed, and what is submitted to it is not judged. Rules are named as the specification names them; four have no name there: "stale
//! handle", "foreign handle", "image not acquired" and "device in use".
//!
//! Not looked at: who else uses an object at the same time, semaphores that are shared through file descriptors, and in which order
//! queues execute (binary semaphores are judged in the order of submission).

mod commands;
mod engine;
mod submission;

pub(crate) use commands::{
    begin, destroy_command_pool, end, free_command_buffers, reset_command_buffer,
    reset_command_pool,
};
pub(crate) use engine::{
    acquire, acquired, create_swapchain, image_is_gone, present, presented, release, transition,
};
pub(crate) use submission::submission;

use crate::device::Device;
use crate::world::World;
use ash::vk::{self, Handle as _};

/// The kinds of objects whose life is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Object {
    Fence,
    Semaphore,
    Memory,
    Buffer,
    Image,
    ImageView,
    QueryPool,
    CommandPool,
    Swapchain,
}

impl Object {
    fn name(self) -> &'static str {
        match self {
            Self::Fence => "fence",
            Self::Semaphore => "semaphore",
            Self::Memory => "memory",
            Self::Buffer => "buffer",
            Self::Image => "image",
            Self::ImageView => "image view",
            Self::QueryPool => "query pool",
            Self::CommandPool => "command pool",
            Self::Swapchain => "swapchain",
        }
    }

    /// The rule against destroying it while it is in use.
    fn rule(self) -> &'static str {
        match self {
            Self::Fence => "VUID-vkDestroyFence-fence-01120",
            Self::Semaphore => "VUID-vkDestroySemaphore-semaphore-01137",
            Self::Memory => "VUID-vkFreeMemory-memory-00677",
            Self::Buffer => "VUID-vkDestroyBuffer-buffer-00922",
            Self::Image => "VUID-vkDestroyImage-image-01000",
            Self::ImageView => "VUID-vkDestroyImageView-imageView-01026",
            Self::QueryPool => "VUID-vkDestroyQueryPool-queryPool-00793",
            Self::CommandPool => "VUID-vkDestroyCommandPool-commandPool-00041",
            Self::Swapchain => "VUID-vkDestroySwapchainKHR-swapchain-01282",
        }
    }

    /// The handles of this kind that live.
    fn handles(self, world: &World) -> Vec<u64> {
        match self {
            Self::Fence => world.fences.keys().copied().collect(),
            Self::Semaphore => world.semaphores.keys().copied().collect(),
            Self::Memory => world.memory.keys().copied().collect(),
            Self::Buffer => world.buffers.keys().copied().collect(),
            Self::Image => {
                let own = world.images.iter().filter(|(_, image)| image.swapchain == 0);
                own.map(|(&handle, _)| handle).collect()
            }
            Self::ImageView => world.image_views.keys().copied().collect(),
            Self::QueryPool => world.query_pools.keys().copied().collect(),
            Self::CommandPool => world.command_pools.keys().copied().collect(),
            Self::Swapchain => world.swapchains.keys().copied().collect(),
        }
    }

    fn exists(self, world: &World, handle: u64) -> bool {
        match self {
            Self::Fence => world.fences.contains_key(&handle),
            Self::Semaphore => world.semaphores.contains_key(&handle),
            Self::Memory => world.memory.contains_key(&handle),
            Self::Buffer => world.buffers.contains_key(&handle),
            Self::Image => world.images.contains_key(&handle),
            Self::ImageView => world.image_views.contains_key(&handle),
            Self::QueryPool => world.query_pools.contains_key(&handle),
            Self::CommandPool => world.command_pools.contains_key(&handle),
            Self::Swapchain => world.swapchains.contains_key(&handle),
        }
    }
}

/// Whether the handle stands for a living object of this device.
pub(crate) fn known(device: &Device, world: &World, call: &str, kind: Object, handle: u64) -> bool {
    if !device.log.checks() || kind.exists(world, handle) {
        return true;
    }
    let (rule, why) = match world.watched.is_gone(handle) {
        true => ("stale handle", "was destroyed"),
        false => ("foreign handle", "is none of this device"),
    };
    device.log.violation(rule, format!("{call}: {} {handle:#x} {why}", kind.name()));
    false
}

/// An object is about to be destroyed.
pub(crate) fn destroy(device: &Device, world: &mut World, call: &str, kind: Object, handle: u64) {
    if handle == 0 || !device.log.checks() || !known(device, world, call, kind, handle) {
        return;
    }
    if let Some(user) = world.watched.user(|uses| !uses.is_acquire && uses.has(handle)) {
        let what = format!("{call}: {user}, which uses {} {handle:#x}, is pending", kind.name());
        device.log.violation(kind.rule(), what);
    }
    if kind == Object::Image && world.images.get(&handle).is_some_and(|image| image.swapchain != 0)
    {
        let what = format!("{call}: image {handle:#x} belongs to a swapchain");
        device.log.violation("VUID-vkDestroyImage-image-04882", what);
    }
    world.watched.destroyed(handle);
}

/// Fences are about to be reset.
pub(crate) fn reset_fences(device: &Device, world: &World, fences: &[vk::Fence]) {
    if !device.log.checks() {
        return;
    }
    for fence in fences.iter().map(|fence| fence.as_raw()) {
        known(device, world, "vkResetFences", Object::Fence, fence);
        if let Some(user) = world.watched.user(|uses| uses.fence == fence) {
            let what = format!("vkResetFences: {user}, which signals fence {fence:#x}, is pending");
            device.log.violation("VUID-vkResetFences-pFences-01123", what);
        }
    }
}

/// A fence is about to be given to a call that will signal it.
fn fence_to_signal(
    device: &Device,
    world: &World,
    call: &str,
    fence: vk::Fence,
    (unsignalled, unused): (&'static str, &'static str),
) {
    let handle = fence.as_raw();
    if fence.is_null() || !known(device, world, call, Object::Fence, handle) {
        return;
    }
    if world.fences.get(&handle).is_some_and(|fence| fence.current().is_signalled()) {
        device.log.violation(unsignalled, format!("{call}: fence {handle:#x} is signalled"));
    }
    if let Some(user) = world.watched.user(|uses| uses.fence == handle) {
        let what = format!("{call}: {user}, which signals fence {handle:#x}, is pending");
        device.log.violation(unused, what);
    }
}

/// A device is about to be destroyed: what still works, and what is left?
pub(crate) fn destroy_device(device: &Device) {
    if !device.log.checks() {
        return;
    }
    let world = device.lock();
    if let Some(user) = world.watched.user(|uses| !uses.is_acquire) {
        device.log.violation("device in use", format!("vkDestroyDevice: {user} is pending"));
    }
    const KINDS: [Object; 9] = [
        Object::Fence,
        Object::Semaphore,
        Object::Memory,
        Object::Buffer,
        Object::Image,
        Object::ImageView,
        Object::QueryPool,
        Object::CommandPool,
        Object::Swapchain,
    ];
    for kind in KINDS {
        kind.handles(&world).into_iter().for_each(|handle| device.log.leak(kind.name(), handle));
    }
}
