//! When must which wait be looked into? A pure schedule: black boxes go in, what is due comes out.
//!
//! The watch is per wait, not per device or process: a thread that is stuck is found among a hundred
//! busy ones. A wait is a call in flight, an open run of polls, or a lock that is waited for.
//!
//! Invariant: nothing in this file reads a clock, a file or a process; time arrives in arguments.

mod patient;
mod progress;
mod roots;
mod shell;

use std::collections::HashMap;

use unwedge_trace::blackbox::{THREAD_ALIVE, ThreadRecord};

pub(crate) use patient::{Examination, Patient};
pub(crate) use shell::{Killing, OnWedge, Settings, Shell};

/// A black box, for as long as the watch knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct BoxId(pub(crate) u32);

/// What names one wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct WaitKey {
    /// Whose.
    pub(crate) id: BoxId,
    /// Of which thread.
    pub(crate) tid: u32,
    /// Which of its waits.
    pub(crate) kind: WaitKind,
}

/// The ways to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum WaitKind {
    /// The call in flight with this sequence number.
    Call {
        /// Calls begun by the thread.
        sequence: u64,
    },
    /// The run of polls that began then.
    Polls {
        /// When.
        first_at: u64,
        /// Of which object.
        handle: u64,
    },
    /// A lock at this address, seen to be waited for since then.
    Lock {
        /// Where.
        address: u64,
        /// Since when.
        since: u64,
    },
}

/// A thread that is seen to wait for a contended lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LockSeen {
    /// The thread.
    pub(crate) tid: u32,
    /// The lock.
    pub(crate) address: u64,
    /// Since when it has been seen there.
    pub(crate) since: u64,
}

/// One black box as it is now.
pub(crate) struct Seen<'a> {
    /// Which.
    pub(crate) id: BoxId,
    /// Its thread slots.
    pub(crate) threads: &'a [(usize, ThreadRecord)],
    /// Its threads that wait for locks.
    pub(crate) locks: &'a [LockSeen],
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// Sample breadcrumbs and engines: an examination is near.
    Sample(BoxId),
    /// Examine: a wait has been in flight for the deadline.
    Examine(BoxId),
    /// A wait that was examined is over; it had begun then.
    Ended(WaitKey, u64),
}

/// Time between samples before an examination. Nanoseconds.
const SAMPLE_EVERY: u64 = 250_000_000;
/// The last sample is so long before the examination. Nanoseconds.
const SAMPLE_LAST: u64 = 30_000_000;
/// Samples begin at least so long before the examination. Nanoseconds.
const SAMPLE_SPAN_MIN: u64 = 500_000_000;
/// A wait is examined again no sooner than this. Nanoseconds.
const AGAIN_MIN: u64 = 1_000_000_000;
/// A run of polls whose last is older than this is no wait any more. Nanoseconds.
const POLLS_STALE: u64 = 1_000_000_000;
/// Fewer polls than this are no run, unless time was spent inside them.
const POLLS_MIN: u64 = 10;

struct Wait {
    began_at: u64,
    examine_at: u64,
    sample_at: Option<u64>,
    examined: bool,
    present: bool,
}

/// The schedule.
pub(crate) struct Watch {
    deadline: u64,
    waits: HashMap<WaitKey, Wait>,
}

impl Watch {
    /// A schedule that examines a wait after `deadline` nanoseconds.
    pub(crate) fn new(deadline: u64) -> Self {
        Self { deadline, waits: HashMap::new() }
    }

    /// Takes in all boxes as they are `now`. A box that is left out is gone, with all its waits.
    pub(crate) fn step(&mut self, now: u64, seen: &[Seen<'_>]) -> Vec<Due> {
        for wait in self.waits.values_mut() {
            wait.present = false;
        }
        for seen in seen {
            for (_, thread) in
                seen.threads.iter().filter(|(_, thread)| thread.state == THREAD_ALIVE)
            {
                self.thread(now, seen.id, thread);
            }
            for lock in seen.locks {
                let kind = WaitKind::Lock { address: lock.address, since: lock.since };
                self.present(WaitKey { id: seen.id, tid: lock.tid, kind }, lock.since);
            }
        }
        let mut due = self.ended();
        self.due(now, &mut due);
        due
    }

    fn thread(&mut self, now: u64, id: BoxId, thread: &ThreadRecord) {
        let tid = thread.tid as u32;
        if thread.slot_sequence % 2 == 1 {
            self.keep(id, tid);
            return;
        }
        if thread.slot_call != 0 {
            let kind = WaitKind::Call { sequence: thread.slot_sequence };
            self.present(WaitKey { id, tid, kind }, thread.slot_began_at);
        }
        if is_run_of_polls(thread, now) {
            let kind =
                WaitKind::Polls { first_at: thread.poll_first_at, handle: thread.poll_handle };
            self.present(WaitKey { id, tid, kind }, thread.poll_first_at);
        }
    }

    /// The slot is being written: what was known of the thread's call is not over for that.
    fn keep(&mut self, id: BoxId, tid: u32) {
        for (key, wait) in &mut self.waits {
            wait.present |= key.id == id && key.tid == tid;
        }
    }

    fn present(&mut self, key: WaitKey, began_at: u64) {
        let deadline = self.deadline;
        let wait = self.waits.entry(key).or_insert_with(|| Wait {
            began_at,
            examine_at: began_at.saturating_add(deadline),
            sample_at: Some(began_at.saturating_add(deadline - span(deadline))),
            examined: false,
            present: true,
        });
        wait.present = true;
    }

    fn ended(&mut self) -> Vec<Due> {
        let mut ended = Vec::new();
        self.waits.retain(|key, wait| {
            if !wait.present && wait.examined {
                ended.push(Due::Ended(*key, wait.began_at));
            }
            wait.present
        });
        ended
    }

    fn due(&mut self, now: u64, due: &mut Vec<Due>) {
        let again = self.deadline.max(AGAIN_MIN);
        let span = span(self.deadline);
        let mut add = |one: Due| {
            if !due.contains(&one) {
                due.push(one);
            }
        };
        for (key, wait) in &mut self.waits {
            if now >= wait.examine_at {
                wait.examined = true;
                wait.examine_at = now.saturating_add(again);
                wait.sample_at = Some(wait.examine_at.saturating_sub(span));
                add(Due::Examine(key.id));
            } else if wait.sample_at.is_some_and(|at| now >= at) {
                let last = wait.examine_at.saturating_sub(SAMPLE_LAST);
                wait.sample_at = (now < last).then(|| now.saturating_add(SAMPLE_EVERY).min(last));
                add(Due::Sample(key.id));
            }
        }
    }

    /// The next moment at which something is due, if nothing changes.
    pub(crate) fn next(&self) -> Option<u64> {
        let times = self.waits.values();
        times.map(|wait| wait.sample_at.unwrap_or(u64::MAX).min(wait.examine_at)).min()
    }

    /// The process was stopped, or the watch itself was: waits get their whole deadline again.
    pub(crate) fn postpone(&mut self, now: u64, id: Option<BoxId>) {
        let span = span(self.deadline);
        for (_, wait) in self.waits.iter_mut().filter(|(key, _)| id.is_none_or(|id| key.id == id)) {
            wait.examine_at = now.saturating_add(self.deadline);
            wait.sample_at = Some(wait.examine_at.saturating_sub(span));
        }
    }

    /// The waits of a thread that are in flight.
    pub(crate) fn waits_of(&self, id: BoxId, tid: u32) -> Vec<(WaitKey, u64)> {
        let waits = self.waits.iter().filter(|(key, _)| key.id == id && key.tid == tid);
        waits.map(|(key, wait)| (*key, wait.began_at)).collect()
    }

    /// Whether a box has a wait that began at or before this moment.
    pub(crate) fn waits_since(&self, id: BoxId, at: u64) -> bool {
        self.waits.iter().any(|(key, wait)| key.id == id && wait.began_at <= at)
    }
}

/// Whether a process that has ended took this wait with it, by its last thread slots. Of locks nothing
/// is on record.
fn left_open(threads: &[(usize, ThreadRecord)], wait: &WaitKey) -> bool {
    let of_thread = |thread: &&ThreadRecord| thread.tid == u64::from(wait.tid);
    let mut slots = threads.iter().map(|(_, thread)| thread).filter(of_thread);
    slots.any(|thread| match wait.kind {
        WaitKind::Call { sequence } => thread.slot_sequence == sequence && thread.slot_call != 0,
        WaitKind::Polls { first_at, .. } => {
            thread.poll_call != 0 && thread.poll_first_at == first_at
        }
        WaitKind::Lock { .. } => true,
    })
}

/// How long before an examination the sampling begins: at half of the deadline, or earlier where
/// that would leave too little time to tell an engine that works.
fn span(deadline: u64) -> u64 {
    (deadline - deadline / 2).max(SAMPLE_SPAN_MIN).min(deadline)
}

/// Whether the thread goes round in unsuccessful polls or timed-out waits, so often or for so long
/// inside them that the run is one wait.
fn is_run_of_polls(thread: &ThreadRecord, now: u64) -> bool {
    let lasted = now.saturating_sub(thread.poll_first_at);
    let dense = thread.poll_count >= POLLS_MIN
        && u128::from(thread.poll_count) * 100_000_000 >= u128::from(lasted);
    let inside = thread.poll_count >= 2 && thread.poll_waited_ns >= lasted / 2;
    let fresh = now.saturating_sub(thread.poll_last_at) <= POLLS_STALE
        || thread.slot_call == thread.poll_call;
    thread.poll_call != 0 && fresh && (dense || inside)
}

#[cfg(test)]
mod tests;
