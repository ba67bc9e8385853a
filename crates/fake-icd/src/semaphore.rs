//! Semaphores, binary and timeline: what do the host's calls on them do?

use crate::calls::Which;
use crate::check::{self, Object};
use crate::device::Device;
use crate::ffi::{self, Allocator, Out, entries};
use crate::payload::{Kind, Point, Primitive};
use crate::world::{self, Deadline, World, result_of};
use ash::vk::{self, Handle as _};

entries! {
    "vkCreateSemaphore" => create,
    "vkDestroySemaphore" => destroy,
    "vkGetSemaphoreCounterValue" | "vkGetSemaphoreCounterValueKHR" => counter_value,
    "vkWaitSemaphores" | "vkWaitSemaphoresKHR" => wait,
    "vkSignalSemaphore" | "vkSignalSemaphoreKHR" => signal,
}

extern "system" fn create(
    device: &Device,
    info: &vk::SemaphoreCreateInfo<'_>,
    _allocator: Allocator,
    out: Out<'_, vk::Semaphore>,
) -> vk::Result {
    if let Some(result) = device.fails(Which::CreateSemaphore) {
        return result;
    }
    // SAFETY: the caller owes a valid chain.
    let wanted = unsafe { ffi::find::<vk::SemaphoreTypeCreateInfo<'_>>(info.p_next) };
    let semaphore = match wanted {
        Some(wanted) if wanted.semaphore_type == vk::SemaphoreType::TIMELINE => {
            if !device.script.timeline {
                return vk::Result::ERROR_FEATURE_NOT_PRESENT;
            }
            Primitive::new(Kind::Timeline, wanted.initial_value)
        }
        _ => Primitive::new(Kind::Binary, 0),
    };
    out.write(world::insert(&mut device.lock().semaphores, semaphore));
    vk::Result::SUCCESS
}

extern "system" fn destroy(device: &Device, semaphore: vk::Semaphore, _allocator: Allocator) {
    let mut world = device.lock();
    check::destroy(device, &mut world, "vkDestroySemaphore", Object::Semaphore, semaphore.as_raw());
    world.semaphores.remove(&semaphore.as_raw());
}

extern "system" fn counter_value(
    device: &Device,
    semaphore: vk::Semaphore,
    out: Out<'_, u64>,
) -> vk::Result {
    if let Some(result) = device.fails(Which::GetSemaphoreCounterValue) {
        return result;
    }
    if device.is_lost() {
        return vk::Result::ERROR_DEVICE_LOST;
    }
    let found = world::find(&mut device.lock().semaphores, semaphore).map(|found| found.current());
    result_of(found.map(|payload| {
        let seen = payload.value();
        // Who asks again and again must see progress some day: each look does a little of the work.
        let _ = device.wait_until(Deadline::Look, |_| (payload.value() != seen).then_some(()));
        *out.write(payload.value())
    }))
}

extern "system" fn signal(device: &Device, info: &vk::SemaphoreSignalInfo<'_>) -> vk::Result {
    if let Some(result) = device.fails(Which::SignalSemaphore) {
        return result;
    }
    if device.is_lost() {
        return vk::Result::ERROR_DEVICE_LOST;
    }
    result_of(
        device.change(|world| point(world, info.semaphore, info.value).map(|point| point.signal())),
    )
}

extern "system" fn wait(
    device: &Device,
    info: &vk::SemaphoreWaitInfo<'_>,
    timeout_ns: u64,
) -> vk::Result {
    // SAFETY: the caller owes `semaphore_count` semaphores and as many values.
    let (semaphores, values) = unsafe {
        (
            ffi::slice(info.p_semaphores, info.semaphore_count),
            ffi::slice(info.p_values, info.semaphore_count),
        )
    };
    let found: Result<Vec<_>, _> = {
        let mut world = device.lock();
        semaphores
            .iter()
            .zip(values)
            .map(|(&semaphore, &value)| point(&mut world, semaphore, value))
            .collect()
    };
    if let Some(result) = device.fails(Which::WaitSemaphores) {
        if result == vk::Result::TIMEOUT {
            device.time_out(timeout_ns);
        }
        return result;
    }
    let points = match found {
        Ok(points) => points,
        Err(unknown) => return unknown,
    };
    let any = info.flags.contains(vk::SemaphoreWaitFlags::ANY);
    device.wait(Deadline::after(timeout_ns), |_| match any {
        true => points.iter().any(Point::is_reached),
        false => points.iter().all(Point::is_reached),
    })
}

fn point(world: &mut World, semaphore: vk::Semaphore, value: u64) -> Result<Point, vk::Result> {
    let payload = world::find(&mut world.semaphores, semaphore)?.current();
    Ok(Point { payload, value })
}
