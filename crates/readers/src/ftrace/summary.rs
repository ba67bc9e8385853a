//! What did the trace not say, or say in words that are not understood? Told once each, not once an event.

use std::collections::BTreeMap;

use unwedge_trace::{MarkKind, What};

use crate::Sink;

/// Kinds of event that are counted one by one.
const KINDS_MAX: usize = 1024;
/// Kinds of event that are named.
const NAMED_MAX: usize = 20;
/// Longest name of an event that is kept, in bytes; the kernel's are shorter.
const NAME_BYTES_MAX: usize = 64;

/// Events that are understood and say nothing on who waits.
const SILENT: &[&str] = &[
    "print",
    "bprint",
    "bputs",
    "0",
    "tracing_mark_write",
    "raw_data",
    "user_stack",
    "kernel_stack",
    "dma_fence_enable_signal",
    "dma_fence_destroy",
    "drm_sched_job_add_dep",
    "sched_pi_setprio",
    "sched_process_wait",
    "sched_wake_idle_without_ipi",
    "sched_stat_wait",
    "sched_stat_sleep",
    "sched_stat_blocked",
    "sched_stat_iowait",
    "sched_stat_runtime",
    "sched_migrate_task",
    "cpu_idle",
    "cpu_frequency",
];

/// What was said once.
#[derive(Debug, Default)]
pub(super) struct Told {
    processes: bool,
    numbers: bool,
    requeue: bool,
}

impl Told {
    /// A futex without its process.
    pub(super) fn processes(&mut self, at: u64, out: &mut Sink) {
        let text = "to which process a thread belongs: futexes of equal address are taken for one, and who owns one \
                    is not told (record with the option record-tgid)";
        once(&mut self.processes, at, text, out);
    }

    /// System calls by number.
    pub(super) fn numbers(&mut self, at: u64, out: &mut Sink) {
        let text =
            "of which architecture the numbers of system calls are: they are taken for x86-64's";
        once(&mut self.numbers, at, text, out);
    }

    /// Waiters moved from one futex to another.
    pub(super) fn requeue(&mut self, at: u64, out: &mut Sink) {
        let text = "which waiters FUTEX_REQUEUE moved: they are told as waiting for the futex they began with";
        once(&mut self.requeue, at, text, out);
    }
}

fn once(told: &mut bool, at: u64, text: &str, out: &mut Sink) {
    if !std::mem::replace(told, true) {
        mark(at, MarkKind::Unobserved, text.to_owned(), out);
    }
}

/// A remark of the trace as a whole.
pub(super) fn mark(at: u64, kind: MarkKind, text: String, out: &mut Sink) {
    out.event(at, super::TRACER, What::Mark { kind, text, objects: Vec::new() });
}

/// Events that are not used, by name.
#[derive(Debug, Default)]
pub(super) struct Unused {
    counts: BTreeMap<Box<str>, u64>,
    others: u64,
}

impl Unused {
    /// Counts an event, unless its kind is one that never says who waits.
    pub(super) fn count(&mut self, name: &str) {
        if SILENT.contains(&name) {
            return;
        }
        if let Some(count) = self.counts.get_mut(name) {
            *count += 1;
        } else if self.counts.len() < KINDS_MAX && name.len() <= NAME_BYTES_MAX {
            self.counts.insert(name.into(), 1);
        } else {
            self.others += 1;
        }
    }

    /// Names the most frequent ones.
    pub(super) fn finish(&self, at: u64, out: &mut Sink) {
        let mut counts: Vec<_> = self.counts.iter().map(|(name, count)| (*count, name)).collect();
        counts.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
        let rest: u64 = counts.iter().skip(NAMED_MAX).map(|(count, _)| count).sum();
        let others = rest.saturating_add(self.others);
        let times =
            |count: u64| if count == 1 { "once".to_owned() } else { format!("{count} times") };
        let named =
            counts.iter().take(NAMED_MAX).map(|(count, name)| format!("{name} {}", times(*count)));
        let mut parts: Vec<String> = named.collect();
        if others > 0 {
            parts.push(format!("others {}", times(others)));
        }
        if !parts.is_empty() {
            mark(at, MarkKind::Log, format!("events not understood: {}", parts.join(", ")), out);
        }
    }
}
