//! The queue threads: in which order is work executed, and where does the script make it stop?

use crate::command::Command;
use crate::device::Device;
use crate::ffi::LoaderWord;
use crate::payload::Point;
use crate::swapchain::Presented;
use crate::world::{self, Deadline, World};
use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// One entry of a queue: it waits, works, then signals. A fence is one of the signals.
pub(crate) struct Job {
    pub(crate) waits: Vec<Point>,
    pub(crate) work: Work,
    pub(crate) signals: Vec<Point>,
}

/// What a job does between its waits and its signals.
pub(crate) enum Work {
    /// Only the fence of a call without batches.
    Nothing,
    Batch(Batch),
    Present(Vec<Presented>),
}

/// What a batch executes.
pub(crate) struct Batch {
    /// Counted over the device, from 1, in the order of submission.
    pub(crate) number: u64,
    /// A batch without command buffers takes no time.
    pub(crate) has_command_buffers: bool,
    pub(crate) commands: Vec<Command>,
}

/// The device is lost or destroyed: the queue is to drop what it has.
pub(crate) struct Stopped;

/// A `VkQueue`, served by a thread of its own.
#[repr(C)]
pub(crate) struct Queue {
    _loader: LoaderWord,
    pub(crate) device: &'static Device,
    jobs: Mutex<VecDeque<Job>>,
    arrived: Condvar,
    /// Jobs not yet finished; changes together with what they signal, under the world's lock.
    unfinished: AtomicUsize,
}

impl Queue {
    /// Makes a queue and starts its thread, which is named after the index so that a tool can find it.
    pub(crate) fn start(device: &'static Device, index: u32) -> io::Result<&'static Self> {
        let queue: &'static Self = Box::leak(Box::new(Self {
            _loader: LoaderWord::new(),
            device,
            jobs: Mutex::default(),
            arrived: Condvar::new(),
            unfinished: AtomicUsize::new(0),
        }));
        // Never joined: a stuck thread must not keep the process from ending.
        std::thread::Builder::new().name(format!("fake-queue-{index}")).spawn(|| queue.serve())?;
        Ok(queue)
    }

    /// Appends jobs, in order.
    pub(crate) fn push(&self, jobs: Vec<Job>) {
        self.unfinished.fetch_add(jobs.len(), Relaxed);
        self.jobs().extend(jobs);
        self.arrived.notify_one();
    }

    /// Makes the thread look whether the device is still there.
    pub(crate) fn wake(&self) {
        drop(self.jobs());
        self.arrived.notify_one();
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.unfinished.load(Relaxed) == 0
    }

    /// A wait by the queue thread, which nothing but its end or the device's can interrupt.
    pub(crate) fn wait(&self, mut reached: impl FnMut(&mut World) -> bool) -> Result<(), Stopped> {
        let outcome = world::wait(Deadline::Never, |world| {
            if self.device.is_lost() || self.device.is_closed() {
                return Some(Err(Stopped));
            }
            reached(world).then_some(Ok(()))
        });
        outcome.unwrap_or(Err(Stopped))
    }

    fn jobs(&self) -> MutexGuard<'_, VecDeque<Job>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self) {
        while let Some(job) = self.next_job() {
            let outcome = self.run(&job);
            world::change(|world| {
                if outcome.is_ok() {
                    job.finish(world);
                }
                self.unfinished.fetch_sub(1, Relaxed);
            });
        }
    }

    fn next_job(&self) -> Option<Job> {
        let mut jobs = self.jobs();
        loop {
            if self.device.is_closed() {
                return None;
            }
            if let Some(job) = jobs.pop_front() {
                return Some(job);
            }
            jobs = self.arrived.wait(jobs).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn run(&self, job: &Job) -> Result<(), Stopped> {
        self.wait(|_| {
            let reached = job.waits.iter().all(Point::is_reached);
            if reached {
                job.waits.iter().for_each(Point::consume);
            }
            reached
        })?;
        match &job.work {
            Work::Batch(batch) => self.execute(batch),
            Work::Nothing | Work::Present(_) => Ok(()),
        }
    }

    fn execute(&self, batch: &Batch) -> Result<(), Stopped> {
        let script = &self.device.script;
        let scripted = |ordinal| Some(batch.number) == ordinal;
        if scripted(script.lost_at) {
            self.device.lose();
            return Err(Stopped);
        }
        if scripted(script.stall) {
            self.wait(|_| false)?;
        }
        if scripted(script.busy) {
            self.spin();
            return Err(Stopped);
        }
        if batch.has_command_buffers && !script.execution.is_zero() {
            std::thread::sleep(script.execution);
        }
        batch.commands.iter().try_for_each(|command| command.execute(self))
    }

    /// Burns a core until the program destroys the device; losing it does not stop a runaway shader.
    fn spin(&self) {
        while !self.device.is_closed() {
            std::hint::spin_loop();
        }
    }
}

impl Job {
    fn finish(self, world: &mut World) {
        if let Work::Present(images) = self.work {
            images.into_iter().for_each(|image| image.give_back(world));
        }
        self.signals.iter().for_each(Point::signal);
    }
}
