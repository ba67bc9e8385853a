//! Which calls were asked to misbehave? Rules are counted in program order, so a fault is
//! deterministic: the n-th occurrence of its kind in the process.
//!
//! The command has checked the rules (`unwedge help inject`); what cannot be read here is ignored.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use unwedge_trace::blackbox::{Call, Fault, MARKS};

use crate::config::config;
use crate::{clock, memory, thread};

/// What a rule is about, beside its fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Any,
    Fence,
    Binary,
    Timeline,
    Acquire,
    Present,
    Submit,
    Wait,
}

struct Rule {
    fault: Fault,
    target: Target,
    first: u64,
    last: u64,
    duration: Option<Duration>,
    seen: AtomicU64,
}

/// A fault that strikes now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Strike {
    fault: Fault,
    ordinal: u64,
    /// How long it lasts, where it ends by itself.
    pub(crate) duration: Option<Duration>,
}

fn rules() -> &'static [Rule] {
    static RULES: OnceLock<Vec<Rule>> = OnceLock::new();
    RULES.get_or_init(|| config().inject.split(';').filter_map(parse).collect())
}

/// Whether any fault was asked for.
#[inline]
pub(crate) fn enabled() -> bool {
    !config().inject.is_empty()
}

/// Counts an occurrence; says whether a fault strikes it.
pub(crate) fn strike(fault: Fault, target: Target) -> Option<Strike> {
    if !enabled() {
        return None;
    }
    let matching = rules().iter().filter(|r| r.fault == fault && r.target == target);
    let mut struck = None;
    for rule in matching {
        let ordinal = rule.seen.fetch_add(1, Ordering::Relaxed) + 1;
        if (rule.first..=rule.last).contains(&ordinal) {
            struck = struck.or(Some(Strike { fault, ordinal, duration: rule.duration }));
        }
    }
    struck
}

impl Strike {
    /// Files the fault in the black box.
    pub(crate) fn mark(&self, device: u64, call: Call, handle: u64) {
        let blackbox = memory::blackbox();
        let head = blackbox.header().marks_head.fetch_add(1, Ordering::AcqRel);
        let Some(cells) = blackbox.marks().get((head % MARKS as u64) as usize) else { return };
        let set = |cell: &AtomicU64, word| cell.store(word, Ordering::Relaxed);
        set(&cells.fault, self.fault as u64);
        set(&cells.call, call.word());
        set(&cells.handle, handle);
        set(&cells.ordinal, self.ordinal);
        set(&cells.tid, thread::tid());
        set(&cells.device, device);
        cells.at.store(clock::exact(), Ordering::Release);
    }
}

/// Reads one rule: `fault[:target]:n=N[+][:for=NANOSECONDS]`.
fn parse(text: &str) -> Option<Rule> {
    let mut fields = text.split(':');
    let name = fields.next()?;
    let fault = Fault::ALL.into_iter().find(|fault| fault.name() == name)?;
    let mut rule = Rule {
        fault,
        target: Target::Any,
        first: 1,
        last: 1,
        duration: None,
        seen: AtomicU64::new(0),
    };
    for field in fields {
        if let Some(n) = field.strip_prefix("n=") {
            rule.first = n.trim_end_matches('+').parse().ok()?;
            rule.last = if n.ends_with('+') { u64::MAX } else { rule.first };
        } else if let Some(ns) = field.strip_prefix("for=") {
            rule.duration = Some(Duration::from_nanos(ns.parse().ok()?));
        } else {
            rule.target = target(field)?;
        }
    }
    // These have one target only, which the command leaves unsaid.
    rule.target = match fault {
        Fault::AcquireTimeout | Fault::WithholdImages => Target::Acquire,
        Fault::HoldSubmit | Fault::FailSubmit => Target::Submit,
        _ => rule.target,
    };
    Some(rule)
}

fn target(word: &str) -> Option<Target> {
    Some(match word {
        "fence" => Target::Fence,
        "binary" => Target::Binary,
        "timeline" => Target::Timeline,
        "acquire" => Target::Acquire,
        "present" => Target::Present,
        "submit" => Target::Submit,
        "wait" => Target::Wait,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
