//! What did the driver see a program do: calls, scripted results met, broken rules, objects left behind?

use crate::calls::{CALLS, Which};
use crate::device::Counter;
use crate::script::Check;
use ash::vk::{self, Handle as _};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A rule of valid usage that the program broke.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// The rule's name in the specification, or a few words where it has none.
    pub rule: &'static str,
    /// What was wrong, beginning with the call.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ({})", self.what, self.rule)
    }
}

/// An object that still lived when its device or instance was destroyed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leak {
    /// What it is: "fence", "swapchain" and so on.
    pub kind: &'static str,
    /// Its handle.
    pub handle: u64,
}

/// What is known of one instance and its devices.
pub(crate) struct Log {
    check: Check,
    pub(crate) calls: Vec<Counter>,
    pub(crate) met: Counter,
    /// How many devices live.
    pub(crate) devices: AtomicUsize,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    violations: Vec<Violation>,
    leaks: Vec<Leak>,
}

impl Log {
    pub(crate) fn new(check: Check) -> Self {
        let calls = CALLS.iter().map(|_| Counter::default()).collect();
        Self {
            check,
            calls,
            met: Counter::default(),
            devices: AtomicUsize::new(0),
            seen: Mutex::default(),
        }
    }

    /// Counts a call; its ordinal.
    pub(crate) fn count(&self, call: Which) -> u64 {
        self.calls[call as usize].next()
    }

    pub(crate) fn checks(&self) -> bool {
        self.check != Check::Off
    }

    /// Notes a broken rule, if rules are watched.
    pub(crate) fn violation(&self, rule: &'static str, what: String) {
        if !self.checks() {
            return;
        }
        let violation = Violation { rule, what };
        if self.check != Check::Quiet {
            eprintln!("fake-icd: {violation}");
        }
        if self.check == Check::Abort {
            std::process::abort();
        }
        self.seen().violations.push(violation);
    }

    pub(crate) fn leak(&self, kind: &'static str, handle: u64) {
        if self.checks() {
            self.seen().leaks.push(Leak { kind, handle });
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The logs of all instances of this process, by their handles. Instances are never freed, so no handle comes twice.
static LOGS: Mutex<BTreeMap<u64, Arc<Log>>> = Mutex::new(BTreeMap::new());

fn logs() -> MutexGuard<'static, BTreeMap<u64, Arc<Log>>> {
    LOGS.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn keep(instance: u64, log: Arc<Log>) {
    logs().insert(instance, log);
}

fn log_of(instance: &ash::Instance) -> Arc<Log> {
    let found = logs().get(&instance.handle().as_raw()).cloned();
    found.unwrap_or_else(|| panic!("not an instance that came from this driver without a loader"))
}

/// The broken rules so far, in order. Empty unless the script says `check`. The instance and its devices may be destroyed by now.
///
/// # Panics
///
/// If the instance is not this driver's, or came through a loader, whose handles are its own.
#[must_use]
pub fn violations(instance: &ash::Instance) -> Vec<Violation> {
    log_of(instance).seen().violations.clone()
}

/// The objects that were left when their device or the instance was destroyed. Empty unless the script says `check`. Objects of a lost
/// device count too. A device that was never destroyed is a leak itself, once the instance is destroyed.
///
/// # Panics
///
/// As [`violations`].
#[must_use]
pub fn leaks(instance: &ash::Instance) -> Vec<Leak> {
    log_of(instance).seen().leaks.clone()
}

/// How often a call was made so far, whatever came of it, on all devices of the instance. `None` if [`CALLS`] does not have it.
///
/// # Panics
///
/// As [`violations`].
#[must_use]
pub fn count(instance: &ash::Instance, call: &str) -> Option<u64> {
    let index = crate::calls::index_of(call)?;
    Some(log_of(instance).calls[index].so_far())
}

/// How many calls got a result from a `fail` of the script so far: a test that sees 0 has injected nothing.
///
/// # Panics
///
/// As [`violations`].
#[must_use]
pub fn failures_met(instance: &ash::Instance) -> u64 {
    log_of(instance).met.so_far()
}

/// The result that the script has for this call, which is counted.
pub(crate) fn scripted(
    log: &Log,
    script: &crate::script::Script,
    call: Which,
) -> Option<vk::Result> {
    let result = script.failure(call, log.count(call))?;
    log.met.next();
    Some(result)
}
