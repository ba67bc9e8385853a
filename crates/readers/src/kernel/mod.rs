//! What does a kernel log say about tasks that hang and the locks that they hold?
//!
//! The log is first understood as a whole (who was reported, with which trace, holding what) and told as events at its
//! end: a list of held locks explains reports that came before it.
//!
//! Invariant: an owner is named only where the log leaves no other; what a wait is for is told only where the
//! trace says so by frames that are certain.

mod frames;
mod held;
mod lockdep;
mod prefix;
mod reports;
mod tell;
mod trouble;

use std::collections::HashMap;

use unwedge_trace::Timestamp;

use crate::{Format, LineReader, Reading, Sink};
use held::Snapshot;
use lockdep::Lockdep;
use prefix::Line;
use reports::Log;
use trouble::Troubles;

/// a kernel log with hung tasks, held locks or lockdep reports.
pub const FORMAT: Format = Format {
    name: "kernel-log",
    title: "a kernel log with hung tasks, held locks or lockdep reports",
    detect,
    open,
};

/// What only a kernel says.
const TELLING: [&str; 9] = [
    " blocked for more than ",
    "Showing all locks held in the system",
    "locking dependency detected",
    "possible recursive locking detected",
    ": Show Blocked State",
    ": Show State",
    "BUG: soft lockup - CPU#",
    "detected stall",
    "Kernel panic - not syncing",
];
/// Lines with a kernel's prefix that make a kernel log.
const PREFIXED_LINES_MIN: usize = 3;
/// Printers (threads or processors) whose lines are kept apart; with more, the oldest reports are left as they are.
const CALLERS_MAX: usize = 1024;

fn detect(start: &[u8]) -> bool {
    let text = String::from_utf8_lossy(start);
    if TELLING.iter().any(|telling| text.contains(telling)) {
        return true;
    }
    let lines = text.lines().filter(|line| !line.trim().is_empty()).take(64);
    let (mut all, mut prefixed) = (0, 0);
    for line in lines {
        all += 1;
        prefixed += usize::from(Line::of(line).is_prefixed);
    }
    prefixed >= PREFIXED_LINES_MIN.min(all.max(1)) && prefixed * 2 > all
}

fn open(_start: &[u8]) -> Result<Reading, String> {
    Ok(Reading::Lines(Box::<KernelLog>::default()))
}

/// What the lines of one printer are about.
#[derive(Debug, Default)]
enum Context {
    #[default]
    Nothing,
    /// A task has been named; its trace has not begun.
    Task(u32),
    /// The trace of a task.
    Trace(u32),
    /// The list of all held locks, and whose are being listed.
    Locks(Option<u32>),
    /// A report of lockdep.
    Lockdep(Box<Lockdep>),
    /// A trace that is nobody's wait: of a running processor, of an oops.
    Foreign,
}

#[derive(Debug, Default)]
struct KernelLog {
    contexts: HashMap<prefix::Caller, Context>,
    /// The time of the last line, nanoseconds.
    last: Option<u64>,
    log: Log,
    held: Snapshot,
    troubles: Troubles,
    lockdep: Vec<Lockdep>,
    now: Option<Timestamp>,
}

impl LineReader for KernelLog {
    fn line(&mut self, line: &[u8], _out: &mut Sink) {
        let text = String::from_utf8_lossy(line);
        let line = Line::of(&text);
        if line.text.is_empty() {
            return;
        }
        if line.text.starts_with("Linux version ") && self.last > line.at {
            // Another boot: what was before is over.
            *self = Self::default();
        }
        if line.at.is_some() {
            self.last = line.at;
        }
        let at = self.last.unwrap_or(tell::NO_CLOCK_NS);
        if self.contexts.len() >= CALLERS_MAX && !self.contexts.contains_key(&line.caller) {
            self.contexts.clear();
        }
        let context = self.contexts.remove(&line.caller).unwrap_or_default();
        let context = self.take(context, at, &line);
        self.contexts.insert(line.caller, context);
    }

    fn finish(&mut self, out: &mut Sink) {
        for (_, context) in std::mem::take(&mut self.contexts) {
            self.close(context);
        }
        let has_clock = self.last.is_some();
        let last = self.last.unwrap_or(tell::NO_CLOCK_NS);
        let told = tell::Told {
            log: &self.log,
            held: &self.held,
            troubles: &self.troubles,
            lockdep: &self.lockdep,
            has_clock,
            last,
        };
        self.now = Some(Timestamp(tell::tell(&told, out)));
    }

    fn now(&self) -> Option<Timestamp> {
        self.now
    }
}

impl KernelLog {
    /// Takes a line in, and says what the printer's next lines are about.
    fn take(&mut self, context: Context, at: u64, line: &Line<'_>) -> Context {
        let text = line.text;
        if let Some(next) = self.heading(at, text) {
            if let (Context::Foreign, Context::Task(pid), true) =
                (&context, &next, line.caller == prefix::Caller::Unknown)
            {
                // Two traces in one stream: whose frame is whose cannot be told.
                self.log.tear(*pid);
            }
            self.close(context);
            return next;
        }
        self.troubles.line(at, text);
        match context {
            Context::Lockdep(mut report) => {
                if report.line(text) {
                    return Context::Lockdep(report);
                }
                self.close(Context::Lockdep(report));
                Context::Nothing
            }
            Context::Locks(owner) => self.lock_line(owner, text),
            Context::Task(pid) => self.task_line(at, pid, line),
            Context::Trace(pid) => self.trace_line(at, pid, text),
            Context::Foreign if frames::ends_trace(text) => Context::Nothing,
            context => begins_foreign(text).unwrap_or(context),
        }
    }

    /// A line that begins something, whatever was before it.
    fn heading(&mut self, at: u64, text: &str) -> Option<Context> {
        if let Some(hung) = reports::hung_header(text) {
            return Some(Context::Task(self.log.hung(at, &hung)));
        }
        if let Some(owner) = reports::owner_line(text) {
            self.log.owner(at, &owner);
            return Some(Context::Nothing);
        }
        if reports::says_suppressed(text) {
            self.log.suppressed();
        }
        if text.starts_with("Showing all locks held in the system") {
            self.held.begin(at);
            return Some(Context::Locks(None));
        }
        if let Some(report) = Lockdep::begin(at, text) {
            return Some(Context::Lockdep(Box::new(report)));
        }
        let line = reports::task_line(text)?;
        Some(Context::Task(self.log.task(at, &line)))
    }

    fn lock_line(&mut self, owner: Option<u32>, text: &str) -> Context {
        if let Some((name, pid, count)) = held::holder(text) {
            self.log.name(pid, name);
            self.held.holder(pid, count);
            return Context::Locks(Some(pid));
        }
        if let (Some(owner), Some((index, entry))) = (owner, held::entry(text)) {
            self.held.entry(owner, index, entry);
        } else if text.starts_with("====") {
            self.held.end();
            return Context::Nothing;
        }
        begins_foreign(text).unwrap_or(Context::Locks(owner))
    }

    fn task_line(&mut self, at: u64, pid: u32, line: &Line<'_>) -> Context {
        let text = line.text;
        if frames::begins_trace(text) {
            self.log.begin_trace(at, pid);
            return Context::Trace(pid);
        }
        if text.starts_with("Workqueue: ") {
            self.log.works(pid, text);
        } else if line.caller == prefix::Caller::Unknown
            && (frames::frame(text).is_some() || begins_foreign(text).is_some())
        {
            // A frame before the trace is somebody else's.
            self.log.tear(pid);
            return Context::Task(pid);
        }
        Context::Task(pid)
    }

    fn trace_line(&mut self, at: u64, pid: u32, text: &str) -> Context {
        if let Some(frame) = frames::frame(text) {
            self.log.frame(pid, &frame);
            return Context::Trace(pid);
        }
        if let Some(other) = frames::same_as(text) {
            self.log.same_trace(pid, other);
            return Context::Trace(pid);
        }
        if let Some((_, owner, count)) = held::holder(text).filter(|(_, owner, _)| *owner == pid) {
            self.held.lone_holder(at, owner, count);
            return Context::Locks(Some(owner));
        }
        if frames::begins_trace(text) {
            return Context::Foreign;
        }
        if frames::ends_trace(text) {
            return Context::Nothing;
        }
        begins_foreign(text).unwrap_or(Context::Trace(pid))
    }

    fn close(&mut self, context: Context) {
        if let (Context::Lockdep(report), true) = (context, self.lockdep.len() < trouble::TOLD_MAX)
        {
            self.lockdep.push(*report);
        }
    }
}

/// Whether a line begins what is no wait: the registers and the trace of a processor that runs.
fn begins_foreign(text: &str) -> Option<Context> {
    let foreign = trouble::running_task(text).is_some()
        || text.starts_with("NMI backtrace for cpu")
        || text.starts_with("Hardware name:")
        || text.starts_with("Kernel panic - ")
        || frames::begins_trace(text);
    foreign.then_some(Context::Foreign)
}
