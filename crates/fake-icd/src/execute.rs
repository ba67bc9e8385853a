//! How is submitted work done without queue threads, and in which order?
//!
//! A step moves one job of one queue forward: it begins it, executes some of its commands, or finishes it. The thread that
//! submits or waits makes the steps, so that a single-threaded program has the same run each time.

use crate::device::Device;
use crate::queue::{Job, Work};
use crate::world::World;

/// What a step came to.
enum Moved {
    /// The job is where it was: it waits for something.
    Not,
    /// Part of the job is done.
    Partly,
    Finished,
}

/// Moves the first job that can move; whether one could.
pub(crate) fn step(device: &Device, world: &mut World) -> bool {
    (0..world.jobs.len()).any(|queue| step_queue(device, world, queue))
}

fn step_queue(device: &Device, world: &mut World, queue: usize) -> bool {
    if device.is_lost() {
        return false;
    }
    let Some(mut job) = world.jobs[queue].pop_front() else {
        return false;
    };
    let moved = advance(device, world, &mut job);
    if device.is_lost() {
        // Losing the device dropped all work, this job included.
        return true;
    }
    if let Moved::Finished = moved {
        job.finish(device, world);
        device.finished(queue, 1);
        return true;
    }
    world.jobs[queue].push_front(job);
    matches!(moved, Moved::Partly)
}

fn advance(device: &Device, world: &mut World, job: &mut Job) -> Moved {
    let before = (job.begun, job.next);
    if !job.begun && !begin(device, world, job) {
        return Moved::Not;
    }
    if let Work::Batch(batch) = &job.work {
        let script = &device.script;
        let scripted = |ordinal| Some(batch.number) == ordinal;
        if scripted(script.lost_at) {
            device.lose_in(world);
            return Moved::Finished;
        }
        // Without threads there is nothing that could burn a core: the busy batch stands still as well.
        if scripted(script.stall) || scripted(script.busy) {
            return Moved::Not;
        }
        while let Some(command) = batch.commands.get(job.next) {
            if !command.is_ready(world) {
                return if before == (job.begun, job.next) { Moved::Not } else { Moved::Partly };
            }
            command.apply(device, world);
            job.next += 1;
        }
    }
    Moved::Finished
}

/// Takes the job's waits, if they all can be taken.
fn begin(device: &Device, world: &mut World, job: &mut Job) -> bool {
    if !job.take_waits() {
        return false;
    }
    job.begun = true;
    world.watched.begun(job.id);
    if job.has_command_buffers() && !device.script.execution.is_zero() {
        std::thread::sleep(device.script.execution);
    }
    true
}
