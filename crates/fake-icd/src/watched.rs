//! What does unfinished work use, and which handles are gone? Kept only while rules are checked.

use crate::command::CommandBuffer;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What one submission, present or acquire uses until it is finished.
#[derive(Clone, Debug, Default)]
pub(crate) struct Uses {
    pub(crate) job: u64,
    /// As a complaint calls it: "batch 3", "a present".
    pub(crate) name: String,
    /// Whether its waits were taken already.
    pub(crate) begun: bool,
    /// Whether it is a present, which no fence tells the end of.
    pub(crate) is_present: bool,
    /// Whether it is the signal of an acquire: no submission, so that it keeps nothing from being destroyed.
    pub(crate) is_acquire: bool,
    pub(crate) fence: u64,
    pub(crate) waits: Vec<u64>,
    pub(crate) signals: Vec<u64>,
    /// Addresses of command buffers.
    pub(crate) command_buffers: Vec<usize>,
    /// Handles of everything else.
    pub(crate) objects: BTreeSet<u64>,
}

impl Uses {
    /// Whether a semaphore, a fence or another object is in use.
    pub(crate) fn has(&self, handle: u64) -> bool {
        self.fence == handle
            || self.waits.contains(&handle)
            || self.signals.contains(&handle)
            || self.objects.contains(&handle)
    }
}

/// The check's knowledge of one device.
#[derive(Default)]
pub(crate) struct Watched {
    pending: Vec<Uses>,
    gone: BTreeSet<u64>,
    /// Freed command buffers: kept so that a stale handle can be looked at.
    freed: Vec<Arc<CommandBuffer>>,
}

impl Watched {
    pub(crate) fn submitted(&mut self, uses: Uses) {
        self.pending.push(uses);
    }

    pub(crate) fn begun(&mut self, job: u64) {
        self.pending.iter_mut().filter(|uses| uses.job == job).for_each(|uses| uses.begun = true);
    }

    pub(crate) fn finished(&mut self, job: u64) {
        self.pending.retain(|uses| uses.job != job);
    }

    /// The device is lost: what was submitted counts as completed.
    pub(crate) fn nothing_is_pending(&mut self) {
        self.pending.clear();
    }

    /// The first unfinished work that uses it, as a complaint calls it.
    pub(crate) fn user(&self, uses_it: impl Fn(&Uses) -> bool) -> Option<&str> {
        self.pending.iter().find(|uses| uses_it(uses)).map(|uses| uses.name.as_str())
    }

    pub(crate) fn destroyed(&mut self, handle: u64) {
        self.gone.insert(handle);
    }

    pub(crate) fn is_gone(&self, handle: u64) -> bool {
        self.gone.contains(&handle)
    }

    pub(crate) fn freed(&mut self, buffers: impl IntoIterator<Item = Arc<CommandBuffer>>) {
        self.freed.extend(buffers);
    }
}
