//! What do the threads of a JVM's dump wait for?
//!
//! Monitors, owned synchronizers and class initialisations have owners that the dump names: they are locks with debtors. Who
//! notifies a condition is never said, so waits for one have no points, or are owed by somebody unknown where a lock
//! hangs on them. Of several dumps in one file the last counts; the earlier ones say since when.

mod events;
mod frames;
mod thread;

use std::collections::HashMap;

use unwedge_trace::Timestamp;

use crate::{Format, LineReader, Reading, Sink};
use thread::Thread;

/// a thread dump of a JVM.
pub const FORMAT: Format = Format { name: "jvm", title: "a thread dump of a JVM", detect, open };

/// Threads that are kept; the rest is counted.
const THREADS_MAX: usize = 100_000;
/// Locks held, of all threads together, that are kept.
const LOCKS_MAX: usize = 200_000;
/// Longest time between dumps that is believed, in seconds: a century.
const SECONDS_MAX: u64 = 3_155_760_000;
/// What every dump begins with.
const TITLE: &str = "Full thread dump ";
/// The time of the first dump. Nanoseconds.
const NOW: u64 = 3_600_000_000_000;

fn detect(start: &[u8]) -> bool {
    let mut lines = start.split(|byte| *byte == b'\n');
    lines.any(|line| line.starts_with(TITLE.as_bytes()))
        || start.split(|byte| *byte == b'\n').take(3).any(|line| {
            // A process id, a moment, and the version of the JVM: the beginning of Thread.dump_to_file.
            let line = String::from_utf8_lossy(line.trim_ascii_end());
            line.contains('T') && clock(&line).is_some()
        })
}

// The signature is that of every format.
#[allow(clippy::unnecessary_wraps)]
fn open(_start: &[u8]) -> Result<Reading, String> {
    Ok(Reading::Lines(Box::<Reader>::default()))
}

/// Which part of a dump the lines belong to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    /// Before the first dump, or something that is not read.
    #[default]
    Elsewhere,
    Threads,
    /// What the JVM itself found.
    Deadlocks,
}

/// What the JVM says about a lock of a deadlock that it found.
#[derive(Clone, Debug)]
struct Verdict {
    lock: u64,
    holder: String,
}

/// Reads dumps line by line.
#[derive(Default)]
struct Reader {
    part: Part,
    /// The dump is of the sort that shows virtual threads.
    in_file: bool,
    pid: u32,
    threads: Vec<Thread>,
    /// The lines belong to the last thread.
    inside: bool,
    verdicts: Vec<Verdict>,
    left_out: u64,
    /// Locks held by the threads so far.
    locks: usize,
    /// The lock of the line before, whose holder the next line names.
    lock: Option<u64>,
    /// The moment on the line before a dump, and of the first dump, in seconds.
    clock: Option<u64>,
    first_clock: Option<u64>,
    now: u64,
    /// What each thread stood in when the dump before was taken, and since when.
    before: HashMap<(u32, String), (u64, u64)>,
}

impl Reader {
    /// A dump begins: the one before is over.
    fn begin(&mut self) {
        self.before = self
            .threads
            .drain(..)
            .map(|thread| ((thread.tid, thread.name), (thread.signature, thread.since)))
            .collect();
        self.verdicts.clear();
        (self.left_out, self.locks, self.lock, self.part) = (0, 0, None, Part::Threads);
        let clock = self.clock.take();
        self.first_clock = self.first_clock.or(clock);
        let seconds = clock.zip(self.first_clock).map_or(0, |(at, first)| at.saturating_sub(first));
        self.now = (NOW + seconds.min(SECONDS_MAX) * 1_000_000_000).max(self.now);
    }

    /// The last thread's lines are complete: how long has it stood like this?
    fn settle(&mut self) {
        let inside = std::mem::take(&mut self.inside);
        let Some(thread) = self.threads.last_mut().filter(|_| inside) else { return };
        thread.complete();
        self.locks += thread.held.len();
        if self.locks > LOCKS_MAX {
            thread.forget_locks();
        }
        let key = (thread.tid, std::mem::take(&mut thread.name));
        let known = self.before.get(&key).filter(|(signature, _)| *signature == thread.signature);
        thread.since = known.map_or(self.now, |(_, since)| *since);
        thread.seen_before = known.is_some();
        thread.name = key.1;
    }

    fn thread_line(&mut self, line: &str) {
        if let Some(thread) = Thread::parse(line) {
            self.settle();
            self.inside = self.threads.len() < THREADS_MAX;
            if self.inside {
                self.threads.push(thread);
            } else {
                self.left_out += 1;
            }
        } else if let Some(thread) = self.threads.last_mut().filter(|_| self.inside) {
            thread.line(line);
        }
    }

    /// `waiting to lock monitor 0x7f16 (object 0x069e, a java.lang.Object),` and `which is held by "left"`.
    fn deadlock_line(&mut self, line: &str) {
        let line = line.trim_start();
        if let Some(rest) = line.strip_prefix("waiting to lock monitor ") {
            self.lock = rest.split_once("(object ").and_then(|(_, rest)| frames::address(rest));
        } else if let Some(rest) = line.strip_prefix("waiting for ownable synchronizer ") {
            self.lock = frames::address(rest);
        } else if let (Some(lock), Some((_, holder))) =
            (self.lock, line.split_once("which is held by \""))
        {
            let holder = holder.strip_suffix('"').unwrap_or(holder);
            if self.verdicts.len() < THREADS_MAX {
                self.verdicts.push(Verdict { lock, holder: frames::cut(holder).to_owned() });
            }
            self.lock = None;
        }
    }
}

impl LineReader for Reader {
    fn is_of_one_moment(&self) -> bool {
        true
    }

    fn line(&mut self, line: &[u8], _out: &mut Sink) {
        let line = String::from_utf8_lossy(line.trim_ascii_end());
        if line.starts_with(TITLE) {
            self.settle();
            self.in_file = false;
            return self.begin();
        }
        if let Some(clock) = clock(&line) {
            self.clock = Some(clock);
            if line.contains('T') {
                self.settle();
                self.begin();
                self.in_file = true;
            }
        } else if let Ok(pid) = line.strip_suffix(':').unwrap_or(&line).parse() {
            self.pid = pid;
        } else if line.starts_with("Found ") && line.contains("Java-level deadlock") {
            self.part = Part::Deadlocks;
        } else if line.starts_with("Java stack information for the threads listed above")
            || line.starts_with("JNI global ref")
        {
            self.part = Part::Elsewhere;
        } else {
            match self.part {
                Part::Elsewhere => {}
                Part::Threads => self.thread_line(&line),
                Part::Deadlocks => self.deadlock_line(&line),
            }
        }
    }

    fn finish(&mut self, out: &mut Sink) {
        self.settle();
        let hidden = |thread: &Thread| {
            thread.name == "VirtualThread-unparker" || thread.name == "VirtualThread-unblocker"
        };
        if !self.in_file && self.threads.iter().any(hidden) {
            let text = "virtual threads that wait are not in such a dump: take one with jcmd Thread.dump_to_file too";
            out.complaints.add(0, None, text);
        }
        if self.locks > LOCKS_MAX {
            let text =
                format!("more than {LOCKS_MAX} locks are held; who holds the rest is left out");
            out.complaints.add(0, None, text);
        }
        if self.left_out > 0 {
            let text = format!("more than {THREADS_MAX} threads; {} left out", self.left_out);
            out.complaints.add(0, None, text);
        }
        let dump = events::Dump {
            now: self.now.max(NOW),
            pid: self.pid,
            threads: std::mem::take(&mut self.threads),
            verdicts: std::mem::take(&mut self.verdicts),
            left_out: self.left_out,
        };
        self.now = dump.now;
        dump.write(out);
    }

    fn now(&self) -> Option<Timestamp> {
        Some(Timestamp(self.now.max(NOW)))
    }
}

/// The seconds of `2026-11-21 08:42:05` or `2026-11-21T09:03:38.917335011Z`, counted from some day long ago.
fn clock(line: &str) -> Option<u64> {
    let (date, time) = line.trim().split_once([' ', 'T'])?;
    let time = time.strip_suffix('Z').map_or(time, |time| time.split('.').next().unwrap_or(time));
    let number = |text: &str| text.parse::<u64>().ok().filter(|_| text.len() <= 4);
    let mut date = date.split('-').map(number);
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let mut time = time.split(':').map(number);
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    if date.next().is_some() || time.next().is_some() || !(1..=12).contains(&month) {
        return None;
    }
    // Years that begin in March have the odd day at their end.
    let (year, month) = if month < 3 { (year, month + 9) } else { (year + 1, month - 3) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}
