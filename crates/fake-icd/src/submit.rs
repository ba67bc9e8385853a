//! Submissions: how do the three submit calls become jobs, and which of their signals does the script drop?

use crate::calls::Which;
use crate::check;
use crate::command::CommandBuffer;
use crate::device::Device;
use crate::execute;
use crate::ffi::{self, Array, entries};
use crate::payload::{Kind, Point};
use crate::queue::{Batch, Job, Queue, Work};
use crate::recorded::Command;
use crate::world::{self, World};
use ash::vk::{self, Handle as _};

entries! {
    "vkQueueSubmit" => submit,
    "vkQueueSubmit2" | "vkQueueSubmit2KHR" => submit2,
    "vkQueueBindSparse" => bind_sparse,
}

/// A semaphore and, if it is a timeline, a value.
pub(crate) type SemaphoreValue = (vk::Semaphore, u64);

/// What the three calls have in common.
pub(crate) struct Submission<'a> {
    pub(crate) waits: Vec<SemaphoreValue>,
    pub(crate) command_buffers: Vec<&'a CommandBuffer>,
    pub(crate) signals: Vec<SemaphoreValue>,
}

extern "system" fn submit(
    queue: &'static Queue,
    count: u32,
    infos: Array<vk::SubmitInfo<'_>>,
    fence: vk::Fence,
) -> vk::Result {
    // SAFETY: the caller owes valid structures.
    let submissions = infos.slice(count).iter().map(|info| unsafe { from_submit(info) });
    enqueue(queue, submissions.collect(), fence)
}

extern "system" fn submit2(
    queue: &'static Queue,
    count: u32,
    infos: Array<vk::SubmitInfo2<'_>>,
    fence: vk::Fence,
) -> vk::Result {
    // SAFETY: the caller owes valid structures.
    let submissions = infos.slice(count).iter().map(|info| unsafe { from_submit2(info) });
    enqueue(queue, submissions.collect(), fence)
}

extern "system" fn bind_sparse(
    queue: &'static Queue,
    count: u32,
    infos: Array<vk::BindSparseInfo<'_>>,
    fence: vk::Fence,
) -> vk::Result {
    // SAFETY: the caller owes valid structures.
    let submissions = infos.slice(count).iter().map(|info| unsafe { from_bind_sparse(info) });
    enqueue(queue, submissions.collect(), fence)
}

/// # Safety
///
/// The structure and all it points to are valid.
unsafe fn from_submit<'a>(info: &'a vk::SubmitInfo<'_>) -> Submission<'a> {
    // SAFETY: the caller's promise; a `VkCommandBuffer` of this driver points to a `CommandBuffer`.
    unsafe {
        let values = ffi::find::<vk::TimelineSemaphoreSubmitInfo<'_>>(info.p_next);
        let wait_values = values.map_or(&[][..], |values| {
            ffi::slice(values.p_wait_semaphore_values, values.wait_semaphore_value_count)
        });
        let signal_values = values.map_or(&[][..], |values| {
            ffi::slice(values.p_signal_semaphore_values, values.signal_semaphore_value_count)
        });
        let buffers = ffi::slice(info.p_command_buffers, info.command_buffer_count);
        Submission {
            waits: with_values(
                ffi::slice(info.p_wait_semaphores, info.wait_semaphore_count),
                wait_values,
            ),
            command_buffers: buffers
                .iter()
                .map(|&buffer| CommandBuffer::from_handle(buffer))
                .collect(),
            signals: with_values(
                ffi::slice(info.p_signal_semaphores, info.signal_semaphore_count),
                signal_values,
            ),
        }
    }
}

/// # Safety
///
/// The structure and all it points to are valid.
unsafe fn from_submit2<'a>(info: &'a vk::SubmitInfo2<'_>) -> Submission<'a> {
    // SAFETY: the caller's promise; a `VkCommandBuffer` of this driver points to a `CommandBuffer`.
    unsafe {
        let buffers = ffi::slice(info.p_command_buffer_infos, info.command_buffer_info_count);
        let points = |first, count| -> Vec<SemaphoreValue> {
            let infos: &[vk::SemaphoreSubmitInfo<'_>] = ffi::slice(first, count);
            infos.iter().map(|info| (info.semaphore, info.value)).collect()
        };
        Submission {
            waits: points(info.p_wait_semaphore_infos, info.wait_semaphore_info_count),
            command_buffers: buffers
                .iter()
                .map(|buffer| CommandBuffer::from_handle(buffer.command_buffer))
                .collect(),
            signals: points(info.p_signal_semaphore_infos, info.signal_semaphore_info_count),
        }
    }
}

/// # Safety
///
/// The structure and all it points to are valid.
unsafe fn from_bind_sparse<'a>(info: &'a vk::BindSparseInfo<'_>) -> Submission<'a> {
    let as_submit = vk::SubmitInfo {
        p_next: info.p_next,
        wait_semaphore_count: info.wait_semaphore_count,
        p_wait_semaphores: info.p_wait_semaphores,
        signal_semaphore_count: info.signal_semaphore_count,
        p_signal_semaphores: info.p_signal_semaphores,
        ..vk::SubmitInfo::default()
    };
    // SAFETY: the caller's promise. Nothing in the result borrows from the local structure.
    let Submission { waits, signals, .. } = unsafe { from_submit(&as_submit) };
    Submission { waits, command_buffers: Vec::new(), signals }
}

/// Pairs semaphores with timeline values; a caller without timelines may leave values out.
fn with_values(semaphores: &[vk::Semaphore], values: &[u64]) -> Vec<SemaphoreValue> {
    let values = values.iter().copied().chain(std::iter::repeat(0));
    semaphores.iter().copied().zip(values).collect()
}

fn enqueue(
    queue: &'static Queue,
    submissions: Vec<Submission<'_>>,
    fence: vk::Fence,
) -> vk::Result {
    let device = queue.device;
    let plan = check::submission(device, &device.lock(), &submissions, fence);
    let scripted = device.scripted(Which::QueueSubmit);
    let loses = scripted == Some(vk::Result::ERROR_DEVICE_LOST);
    if loses && !device.script.lost_submit_executes {
        device.lose();
    }
    if device.is_lost() {
        return vk::Result::ERROR_DEVICE_LOST;
    }
    if let Some(result) = scripted.filter(|_| !loses) {
        return result;
    }
    // The lock ends with this statement: the queue thread is about to want it.
    let jobs = jobs(device, &mut device.lock(), &submissions, fence);
    match jobs {
        Ok(jobs) => {
            plan.accept(device, &mut device.lock(), &jobs);
            queue.push(jobs);
            if loses {
                device.change(|world| while execute::step(device, world) {});
                device.lose();
            }
            scripted.unwrap_or(vk::Result::SUCCESS)
        }
        Err(unknown) => unknown,
    }
}

fn jobs(
    device: &Device,
    world: &mut World,
    submissions: &[Submission<'_>],
    fence: vk::Fence,
) -> Result<Vec<Job>, vk::Result> {
    let fence = fence_point(device, world, fence)?;
    let mut jobs: Vec<Job> = submissions
        .iter()
        .map(|submission| job(device, world, submission))
        .collect::<Result<_, _>>()?;
    if jobs.is_empty() {
        jobs.push(Job::new(Vec::new(), Work::Nothing, Vec::new()));
    }
    if let Some(last) = jobs.last_mut() {
        last.signals.extend(fence);
    }
    Ok(jobs)
}

fn job(device: &Device, world: &mut World, submission: &Submission<'_>) -> Result<Job, vk::Result> {
    let waits = wait_points(world, submission.waits.iter().copied())?;
    let mut signals = Vec::with_capacity(submission.signals.len() + 1);
    for &(semaphore, value) in &submission.signals {
        let payload = world::find(&mut world.semaphores, semaphore)?.current();
        let dropped = payload.kind() == Kind::Timeline
            && device.timeline_signals.next_is(device.script.drop_semaphore);
        if !dropped {
            signals.push(Point { payload, value });
        }
    }
    let commands: Vec<Command> =
        submission.command_buffers.iter().flat_map(|buffer| buffer.commands()).collect();
    let batch = Batch {
        number: device.batches.next(),
        has_command_buffers: !submission.command_buffers.is_empty(),
        commands,
    };
    Ok(Job::new(waits, Work::Batch(batch), signals))
}

/// The points a queue is to wait for; uses up temporary imports.
pub(crate) fn wait_points(
    world: &mut World,
    waits: impl Iterator<Item = SemaphoreValue>,
) -> Result<Vec<Point>, vk::Result> {
    waits
        .map(|(semaphore, value)| {
            let payload = world::find(&mut world.semaphores, semaphore)?.take_for_wait();
            Ok(Point { payload, value })
        })
        .collect()
}

/// The signal of a submission's fence; `None` if there is none, or if the script drops it.
fn fence_point(
    device: &Device,
    world: &mut World,
    fence: vk::Fence,
) -> Result<Option<Point>, vk::Result> {
    if fence.is_null() {
        return Ok(None);
    }
    let payload = world::find(&mut world.fences, fence)?.current();
    let dropped = device.fence_signals.next_is(device.script.drop_fence);
    Ok((!dropped).then_some(Point { payload, value: 1 }))
}
