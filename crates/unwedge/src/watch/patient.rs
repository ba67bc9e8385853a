//! One watched process: its black box, what /proc shows of it, and an examination of both.

use std::collections::HashSet;
use std::io;
use std::path::Path;

use unwedge_analyze::{Options, Report, Verdict, analyze};
use unwedge_trace::Recording;
use unwedge_trace::blackbox::{
    HeaderRecord, Snapshot, SwapchainRecord, THREAD_ALIVE, ThreadRecord,
};

use super::{BoxId, LockSeen, Seen};
use crate::sources::blackbox;
use crate::sources::boxfile::{BoxError, BoxFile};
use crate::sources::engine::Engines;
use crate::sources::observations::{Observations, ProcessState};
use crate::sources::process::Process;

/// Looks at the threads are at least so far apart before an examination. Nanoseconds.
const LOOK_EVERY: u64 = 900_000_000;
/// A thread that got something done so recently does not wait for a lock. Nanoseconds.
const LOCK_IDLE: u64 = 200_000_000;

/// A process that writes a black box.
pub(crate) struct Patient {
    file: BoxFile,
    header: HeaderRecord,
    threads: Vec<(usize, ThreadRecord)>,
    locks: Vec<LockSeen>,
    process: Process,
    engines: Engines,
    looked_at: u64,
    latest: Option<Observations>,
}

/// What an examination found, and what it was found in.
pub(crate) struct Examination {
    /// The answer.
    pub(crate) report: Report,
    /// The events that it was drawn from.
    pub(crate) recording: Recording,
    /// What was counted over all events is worth showing.
    pub(crate) shows_counts: bool,
}

impl Patient {
    /// Opens a black box; one whose header is not complete yet is an error, as in [`BoxFile::header`].
    ///
    /// # Errors
    /// When the file is no black box, or cannot be read.
    pub(crate) fn open(path: &Path) -> Result<Self, BoxError> {
        let file = BoxFile::open(path)?;
        let header = file.header()?;
        let pid = u32::try_from(header.pid).ok().filter(|pid| *pid > 0);
        let pid = pid.ok_or_else(|| io::Error::other("its header names no process"))?;
        let process = Process::new(pid, header.start_ticks);
        let threads = file.threads(&header);
        let engines = Engines::default();
        Ok(Self {
            file,
            header,
            threads,
            locks: Vec::new(),
            process,
            engines,
            looked_at: 0,
            latest: None,
        })
    }

    /// Reads what changes often. `false` when the box cannot be read any more.
    pub(crate) fn refresh(&mut self) -> bool {
        match self.file.header() {
            Ok(header) => {
                self.header = header;
                self.threads = self.file.threads(&self.header);
                true
            }
            Err(_) => false,
        }
    }

    /// As the schedule wants it.
    pub(crate) fn seen(&self, id: BoxId) -> Seen<'_> {
        Seen { id, threads: &self.threads, locks: &self.locks }
    }

    /// Its thread slots as last read.
    pub(crate) fn threads(&self) -> &[(usize, ThreadRecord)] {
        &self.threads
    }

    /// Its swapchains, read now.
    pub(crate) fn swapchains(&self) -> Vec<(usize, SwapchainRecord)> {
        self.file.swapchains()
    }

    /// Where its box is.
    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Whether it lives.
    pub(crate) fn state(&self) -> ProcessState {
        self.process.state()
    }

    /// Looks, once a second, whether threads that call Vulkan sit in a lock instead of a call.
    pub(crate) fn glance_at_locks(&mut self, now: u64) {
        let idle = self.threads.iter().filter(|(_, thread)| {
            thread.state == THREAD_ALIVE
                && thread.slot_call == 0
                && thread.progress_count > 0
                && now.saturating_sub(thread.progress_at) >= LOCK_IDLE
        });
        self.locks.clear();
        for (_, thread) in idle {
            let Ok(tid) = u32::try_from(thread.tid) else { continue };
            if let Some((address, since)) = self.process.glance_at_lock(tid, now) {
                self.locks.push(LockSeen { tid, address, since });
            }
        }
    }

    /// Samples breadcrumbs and engines, and looks at the threads.
    pub(crate) fn sample(&mut self, now: u64) {
        // Without a layer that answers, the box tells what was known when it was written.
        let _ = self.file.ask_for_sample();
        let devices = self.file.devices(&self.header);
        self.engines.sample(now, self.process.pid(), &devices);
        if now.saturating_sub(self.looked_at) >= LOOK_EVERY {
            self.latest = Some(self.observe(now));
        }
    }

    fn observe(&mut self, now: u64) -> Observations {
        self.looked_at = now;
        let process = self.process.state();
        let threads = self.process.look(now);
        Observations { now, process, threads, engines: Vec::new() }
    }

    fn known_threads(&self) -> HashSet<u32> {
        let slots = self.threads.iter().map(|(_, thread)| thread.tid);
        slots.chain([self.header.helper_tid]).filter_map(|tid| u32::try_from(tid).ok()).collect()
    }

    /// Examines the living process: waits younger than `patience` nanoseconds are left in peace.
    ///
    /// # Errors
    /// When the black box cannot be read.
    pub(crate) fn examine(&mut self, now: u64, patience: u64) -> Result<Examination, BoxError> {
        let devices = self.file.devices(&self.header);
        self.engines.sample_now(now, self.process.pid(), &devices);
        let mut snapshot = self.file.snapshot()?;
        self.refresh();
        forget_what_ended(&mut snapshot.threads, &self.threads);
        let mut seen = self.observe(now);
        seen.engines = self.engines.judge(&self.known_threads(), self.process.pid(), &devices);
        self.latest = Some(seen.clone());
        Ok(examination(&snapshot, &seen, patience))
    }

    /// Examines what a process left that was alive at its last sample. `None` where there was none.
    pub(crate) fn examine_late(&mut self, patience: u64) -> Option<Examination> {
        let seen = self.latest.clone()?;
        Some(examination(&self.file.snapshot().ok()?, &seen, patience))
    }

    /// Examines what the process left behind after it ended. When that was is not on record, so the
    /// last moment that anything in the box speaks of stands for it.
    ///
    /// # Errors
    /// When the black box cannot be read.
    pub(crate) fn autopsy(&self, patience: u64) -> Result<Examination, BoxError> {
        let snapshot = self.file.snapshot()?;
        let now = self.file.last_moment(&snapshot);
        let seen = Observations { now, process: ProcessState::Gone, ..Observations::default() };
        Ok(examination(&snapshot, &seen, patience))
    }

    /// Asks the layer to fail the waits of the device that this thread waits on; its index.
    ///
    /// # Errors
    /// When the box cannot be written.
    pub(crate) fn fail(&self, tid: u32) -> Result<Option<u64>, BoxError> {
        let thread = self.threads.iter().find(|(_, thread)| thread.tid == u64::from(tid));
        let device = thread.and_then(|(_, thread)| {
            let plus_one =
                if thread.slot_device != 0 { thread.slot_device } else { thread.poll_device };
            plus_one.checked_sub(1).filter(|device| *device < 64)
        });
        if let Some(device) = device {
            self.file.fail_devices(1 << device)?;
        }
        Ok(device)
    }
}

/// The tables are read after the threads. A wait that ended in between may be about an object that the
/// tables no longer have: it was in flight when the reading began, and is not any more.
fn forget_what_ended(then: &mut [(usize, ThreadRecord)], now: &[(usize, ThreadRecord)]) {
    for (place, thread) in then {
        let same = now.iter().find(|(other, new)| other == place && new.tid == thread.tid);
        let Some((_, new)) = same else { continue };
        if new.slot_sequence != thread.slot_sequence || new.slot_call != thread.slot_call {
            thread.slot_call = 0;
        }
        if new.poll_call != thread.poll_call || new.poll_first_at != thread.poll_first_at {
            thread.poll_call = 0;
        }
    }
}

fn examination(snapshot: &Snapshot, seen: &Observations, patience_ns: u64) -> Examination {
    let recording = blackbox::recording(snapshot, seen);
    let report = analyze(&recording, &Options { patience_ns });
    Examination { report, recording, shows_counts: false }
}

impl Examination {
    /// Of a program that used no Vulkan: nothing was seen, so nothing was wrong.
    pub(crate) fn nothing(now: u64) -> Self {
        let recording = Recording::new("vulkan layer", unwedge_trace::Timestamp(now), Vec::new());
        let report = analyze(&recording, &Options { patience_ns: 0 });
        Self { report, recording, shows_counts: false }
    }

    /// Of a program that could not be watched: nothing can be said.
    pub(crate) fn unwatched(now: u64) -> Self {
        let mut examination = Self::nothing(now);
        examination.report.verdict = Verdict::Inconclusive;
        examination.report.notes.clear();
        examination.report.missing.push("the program ran unwatched".to_owned());
        examination
    }
}

#[cfg(test)]
mod tests {
    use unwedge_trace::blackbox::Words as _;

    use super::*;

    #[test]
    fn a_wait_that_ended_while_the_tables_were_read_is_none() {
        let mut thread = ThreadRecord::take(&mut &[][..]);
        (thread.tid, thread.slot_sequence, thread.slot_call) = (7, 4, 1);
        (thread.poll_call, thread.poll_first_at) = (2, 100);
        let check = |change: fn(&mut ThreadRecord), calls: (u64, u64)| {
            let (mut then, mut now) = (vec![(0, thread)], vec![(0, thread)]);
            change(&mut now[0].1);
            forget_what_ended(&mut then, &now);
            assert_eq!((then[0].1.slot_call, then[0].1.poll_call), calls);
        };
        check(|_| {}, (1, 2));
        check(|new| new.slot_call = 0, (0, 2));
        check(|new| new.slot_sequence = 6, (0, 2));
        check(|new| new.poll_first_at = 200, (1, 0));
        check(|new| new.tid = 8, (1, 2));
    }
}
