//! Fences and events: what do the calls on them do?

use crate::calls::Which;
use crate::check::{self, Object};
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
    device: &Device,
    info: &vk::FenceCreateInfo<'_>,
    _allocator: Allocator,
    out: Out<'_, vk::Fence>,
) -> vk::Result {
    if let Some(result) = device.fails(Which::CreateFence) {
        return result;
    }
    let signalled = info.flags.contains(vk::FenceCreateFlags::SIGNALED);
    let fence = Primitive::new(Kind::Binary, u64::from(signalled));
    out.write(world::insert(&mut device.lock().fences, fence));
    vk::Result::SUCCESS
}

extern "system" fn destroy(device: &Device, fence: vk::Fence, _allocator: Allocator) {
    let mut world = device.lock();
    check::destroy(device, &mut world, "vkDestroyFence", Object::Fence, fence.as_raw());
    world.fences.remove(&fence.as_raw());
}

extern "system" fn reset(device: &Device, count: u32, fences: Array<vk::Fence>) -> vk::Result {
    check::reset_fences(device, &device.lock(), fences.slice(count));
    let failed = device.fails(Which::ResetFences);
    if failed.is_some() && !device.script.failed_reset_resets {
        return failed.unwrap_or_default();
    }
    let mut world = device.lock();
    let reset = result_of(world::find_all(&mut world.fences, fences, count, Primitive::reset));
    failed.unwrap_or(reset)
}

extern "system" fn status(device: &Device, fence: vk::Fence) -> vk::Result {
    check::known(device, &device.lock(), "vkGetFenceStatus", Object::Fence, fence.as_raw());
    if let Some(result) = device.fails(Which::GetFenceStatus) {
        return result;
    }
    if device.is_lost() {
        return device.lost_result();
    }
    let payload = match world::find(&mut device.lock().fences, fence) {
        Ok(fence) => fence.current(),
        Err(unknown) => return unknown,
    };
    match device.wait(Deadline::Look, |_| payload.is_signalled()) {
        vk::Result::TIMEOUT => vk::Result::NOT_READY,
        result => result,
    }
}

extern "system" fn wait(
    device: &Device,
    count: u32,
    fences: Array<vk::Fence>,
    wait_all: vk::Bool32,
    timeout_ns: u64,
) -> vk::Result {
    let payloads = {
        let mut world = device.lock();
        for fence in fences.slice(count) {
            check::known(device, &world, "vkWaitForFences", Object::Fence, fence.as_raw());
        }
        world::find_all(&mut world.fences, fences, count, |fence| fence.current())
    };
    if let Some(result) = device.fails(Which::WaitForFences) {
        if result == vk::Result::TIMEOUT {
            device.time_out(timeout_ns);
        }
        return result;
    }
    let payloads = match payloads {
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
    device: &Device,
    _info: &vk::EventCreateInfo<'_>,
    _allocator: Allocator,
    out: Out<'_, vk::Event>,
) -> vk::Result {
    out.write(world::insert(&mut device.lock().events, Payload::new(Kind::Binary, 0)));
    vk::Result::SUCCESS
}

extern "system" fn destroy_event(device: &Device, event: vk::Event, _allocator: Allocator) {
    device.lock().events.remove(&event.as_raw());
}

extern "system" fn event_status(device: &Device, event: vk::Event) -> vk::Result {
    if device.is_lost() {
        return vk::Result::ERROR_DEVICE_LOST;
    }
    match world::find(&mut device.lock().events, event) {
        Ok(payload) if payload.is_signalled() => vk::Result::EVENT_SET,
        Ok(_) => vk::Result::EVENT_RESET,
        Err(unknown) => unknown,
    }
}

extern "system" fn set_event(device: &Device, event: vk::Event) -> vk::Result {
    let outcome =
        device.change(|world| world::find(&mut world.events, event).map(|event| event.signal(1)));
    result_of(outcome)
}

extern "system" fn reset_event(device: &Device, event: vk::Event) -> vk::Result {
    result_of(world::find(&mut device.lock().events, event).map(|event| event.reset()))
}
