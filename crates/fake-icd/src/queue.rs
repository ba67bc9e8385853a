//! The queue threads: in which order is work executed, and where does the script make it stop?

use crate::device::Device;
use crate::ffi::LoaderWord;
use crate::payload::Point;
use crate::present::Presented;
use crate::recorded::Command;
use crate::script::Execute;
use crate::world::{Deadline, World};
use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// One entry of a queue: it waits, works, then signals. A fence is one of the signals.
pub(crate) struct Job {
    /// Numbered over the process.
    pub(crate) id: u64,
    pub(crate) waits: Vec<Point>,
    pub(crate) work: Work,
    pub(crate) signals: Vec<Point>,
    /// Whether its waits were taken.
    pub(crate) begun: bool,
    /// The command that is to be executed next.
    pub(crate) next: usize,
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
    /// Its place among the queues of the device.
    pub(crate) index: usize,
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
            index: index as usize,
            device,
            jobs: Mutex::default(),
            arrived: Condvar::new(),
            unfinished: AtomicUsize::new(0),
        }));
        if device.script.execute != Execute::Threads {
            return Ok(queue);
        }
        // Never joined: a stuck thread must not keep the process from ending.
        std::thread::Builder::new().name(format!("fake-queue-{index}")).spawn(|| queue.serve())?;
        Ok(queue)
    }

    /// Appends jobs, in order.
    pub(crate) fn push(&self, jobs: Vec<Job>) {
        self.unfinished.fetch_add(jobs.len(), Relaxed);
        if self.device.script.execute != Execute::Threads {
            return self.device.change(|world| {
                // A device that was lost meanwhile does no work any more.
                match world.jobs.get_mut(self.index) {
                    Some(queued) if !self.device.is_lost() => queued.extend(jobs),
                    _ => self.finished(jobs.len()),
                }
            });
        }
        self.jobs().extend(jobs);
        self.arrived.notify_one();
    }

    /// Makes the thread look whether the device is still there.
    pub(crate) fn wake(&self) {
        drop(self.jobs());
        self.arrived.notify_one();
    }

    /// Counts jobs that are finished or were dropped.
    pub(crate) fn finished(&self, jobs: usize) {
        self.unfinished.fetch_sub(jobs, Relaxed);
    }

    /// All its work was dropped, because the device is lost.
    pub(crate) fn drop_all(&self) {
        self.unfinished.store(0, Relaxed);
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.unfinished.load(Relaxed) == 0
    }

    /// A wait by the queue thread, which nothing but its end or the device's can interrupt.
    pub(crate) fn wait(&self, mut reached: impl FnMut(&mut World) -> bool) -> Result<(), Stopped> {
        let outcome = self.device.wait_until(Deadline::Never, |world| {
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
            self.device.change(|world| {
                if outcome.is_ok() {
                    job.finish(self.device, world);
                }
                self.finished(1);
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
        self.wait(|world| {
            let taken = job.take_waits();
            if taken {
                world.watched.begun(job.id);
            }
            taken
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
        for command in &batch.commands {
            self.wait(|world| command.is_ready(world))?;
            self.device.change(|world| command.apply(self.device, world));
        }
        Ok(())
    }

    /// Burns a core until the program destroys the device; losing it does not stop a runaway shader.
    fn spin(&self) {
        while !self.device.is_closed() {
            std::hint::spin_loop();
        }
    }
}

impl Job {
    pub(crate) fn new(waits: Vec<Point>, work: Work, signals: Vec<Point>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self { id: NEXT.fetch_add(1, Relaxed), waits, work, signals, begun: false, next: 0 }
    }

    /// Takes what it waits for if all of it is there; whether it was.
    pub(crate) fn take_waits(&self) -> bool {
        let reached = self.waits.iter().all(Point::is_reached);
        if reached {
            self.waits.iter().for_each(Point::consume);
        }
        reached
    }

    pub(crate) fn has_command_buffers(&self) -> bool {
        matches!(&self.work, Work::Batch(batch) if batch.has_command_buffers)
    }

    pub(crate) fn finish(self, device: &Device, world: &mut World) {
        if let Work::Present(images) = self.work {
            images.into_iter().for_each(|image| image.give_back(device, world));
        }
        self.signals.iter().for_each(Point::signal);
        world.watched.finished(self.id);
    }
}
