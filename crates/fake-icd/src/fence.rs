//! Fences and events: what do the calls on them do?

use crate::device::Device;
use crate::ffi::{Allocator, Array, Out, entries};
use crate::payload::{Kind, Payload, Primitive};
use crate::world::{self, Deadline, result_of};
use ash::vk::{self, Handle as _};

entries! {
    "vkCreateFence" => create,
    "vkDestroyFence" => destroy,
    "vkResetFences" => reset,
    "vkGetFenceStatus" => status,
    "vkWaitForFences" => wait,
    "vkCreateEvent" => create_event,
    "vkDestroyEvent" => destroy_event,
    "vkGetEventStatus" => event_status,
    "vkSetEvent" => set_event,
    "vkResetEvent" => reset_event,
}

extern "system" fn create(
    _device: &Device,
    info: &vk::FenceCreateInfo<'_>,
    _allocator: Allocator,
    out: Out<'_, vk::Fence>,
) -> vk::Result {
    let signalled = info.flags.contains(vk::FenceCreateFlags::SIGNALED);
    let fence = Primitive::new(Kind::Binary, u64::from(signalled));
    out.write(world::insert(&mut world::lock().fences, fence));
    vk::Result::SUCCESS
}

extern "system" fn destroy(_device: &Device, fence: vk::Fence, _allocator: Allocator) {
    world::lock().fences.remove(&fence.as_raw());
}

extern "system" fn reset(_device: &Device, count: u32, fences: Array<vk::Fence>) -> vk::Result {
    let mut world = world::lock();
    result_of(world::find_all(&mut world.fences, fences, count, Primitive::reset))
}

extern "system" fn status(device: &Device, fence: vk::Fence) -> vk::Result {
    if device.is_lost() {
        return vk::Result::ERROR_DEVICE_LOST;
    }
    match world::find(&mut world::lock().fences, fence) {
        Ok(fence) if fence.current().is_signalled() => vk::Result::SUCCESS,
        Ok(_) => vk::Result::NOT_READY,
        Err(unknown) => unknown,
    }
}

extern "system" fn wait(
    device: &Device,
    count: u32,
    fences: Array<vk::Fence>,
    wait_all: vk::Bool32,
    timeout_ns: u64,
) -> vk::Result {
    let found = world::find_all(&mut world::lock().fences, fences, count, |fence| fence.current());
    let payloads = match found {
        Ok(payloads) => payloads,
        Err(unknown) => return unknown,
    };
    let reached = || match wait_all {
        vk::FALSE => payloads.iter().any(|payload| payload.is_signalled()),
        _ => payloads.iter().all(|payload| payload.is_signalled()),
    };
    device.wait(Deadline::after(timeout_ns), |_| reached())
}

extern "system" fn create_event(
    _device: &Device,
    _info: &vk::EventCreateInfo<'_>,
    _allocator: Allocator,
    out: Out<'_, vk::Event>,
) -> vk::Result {
    out.write(world::insert(&mut world::lock().events, Payload::new(Kind::Binary, 0)));
    vk::Result::SUCCESS
}

extern "system" fn destroy_event(_device: &Device, event: vk::Event, _allocator: Allocator) {
    world::lock().events.remove(&event.as_raw());
}

extern "system" fn event_status(device: &Device, event: vk::Event) -> vk::Result {
    if device.is_lost() {
        return vk::Result::ERROR_DEVICE_LOST;
    }
    match world::find(&mut world::lock().events, event) {
        Ok(payload) if payload.is_signalled() => vk::Result::EVENT_SET,
        Ok(_) => vk::Result::EVENT_RESET,
        Err(unknown) => unknown,
    }
}

extern "system" fn set_event(_device: &Device, event: vk::Event) -> vk::Result {
    let outcome =
        world::change(|world| world::find(&mut world.events, event).map(|event| event.signal(1)));
    result_of(outcome)
}

extern "system" fn reset_event(_device: &Device, event: vk::Event) -> vk::Result {
    result_of(world::find(&mut world::lock().events, event).map(|event| event.reset()))
}
