//! What does a fence, a semaphore or an event hold: a state that is reached, and how is it reached?
//!
//! A *payload* is the state itself; a *primitive* is a handle's view of it, which importing can exchange.
//! Payloads are only touched while the world is locked, so relaxed atomics serve as plain cells.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The two ways a payload counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Signalled or not: fences, events, binary semaphores.
    Binary,
    /// Never falls: timeline semaphores.
    Timeline,
}

/// The state behind a handle.
#[derive(Debug)]
pub(crate) struct Payload {
    kind: Kind,
    value: AtomicU64,
}

impl Payload {
    pub(crate) fn new(kind: Kind, value: u64) -> Arc<Self> {
        Arc::new(Self { kind, value: AtomicU64::new(value) })
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn value(&self) -> u64 {
        self.value.load(Relaxed)
    }

    /// Makes a binary payload signalled, or moves a timeline to `value`; a timeline never goes back.
    pub(crate) fn signal(&self, value: u64) {
        match self.kind {
            Kind::Binary => self.value.store(1, Relaxed),
            Kind::Timeline => drop(self.value.fetch_max(value, Relaxed)),
        }
    }

    /// Makes a binary payload unsignalled.
    pub(crate) fn reset(&self) {
        self.value.store(0, Relaxed);
    }

    pub(crate) fn is_signalled(&self) -> bool {
        self.value() != 0
    }
}

/// A payload reaching a value; for a binary payload, becoming signalled.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    pub(crate) payload: Arc<Payload>,
    pub(crate) value: u64,
}

impl Point {
    pub(crate) fn is_reached(&self) -> bool {
        match self.payload.kind {
            Kind::Binary => self.payload.is_signalled(),
            Kind::Timeline => self.payload.value() >= self.value,
        }
    }

    pub(crate) fn signal(&self) {
        self.payload.signal(self.value);
    }

    /// What a queue's wait leaves behind: it takes a binary semaphore's signal with it.
    pub(crate) fn consume(&self) {
        if self.payload.kind == Kind::Binary {
            self.payload.reset();
        }
    }
}

/// A fence or a semaphore: Vulkan's "synchronization primitive", whose payload can be imported.
#[derive(Debug)]
pub(crate) struct Primitive {
    permanent: Arc<Payload>,
    temporary: Option<Arc<Payload>>,
    /// For the check of binary semaphores: whether all that was submitted so far leaves it signalled.
    pub(crate) will_be_signalled: bool,
    /// Whether its payload came from or went to somebody else, so that the check knows nothing.
    pub(crate) is_shared: bool,
}

impl Primitive {
    pub(crate) fn new(kind: Kind, value: u64) -> Self {
        Self {
            permanent: Payload::new(kind, value),
            temporary: None,
            will_be_signalled: value != 0,
            is_shared: false,
        }
    }

    /// The payload that operations act on now.
    pub(crate) fn current(&self) -> Arc<Payload> {
        Arc::clone(self.temporary.as_ref().unwrap_or(&self.permanent))
    }

    /// The payload for a wait by a queue, after which a temporary import has had its day.
    pub(crate) fn take_for_wait(&mut self) -> Arc<Payload> {
        self.temporary.take().unwrap_or_else(|| Arc::clone(&self.permanent))
    }

    /// What `vkResetFences` does: the permanent payload returns, unsignalled.
    pub(crate) fn reset(&mut self) {
        self.temporary = None;
        self.permanent.reset();
    }

    /// Gives the payload away and starts again unsignalled: the copy that a sync file is.
    pub(crate) fn detach(&mut self) -> Arc<Payload> {
        self.is_shared = true;
        let unsignalled = Payload::new(self.permanent.kind, 0);
        match self.temporary.take() {
            Some(payload) => payload,
            None => std::mem::replace(&mut self.permanent, unsignalled),
        }
    }

    pub(crate) fn import(&mut self, payload: Arc<Payload>, temporarily: bool) {
        self.is_shared = true;
        if temporarily {
            self.temporary = Some(payload);
        } else {
            self.permanent = payload;
            self.temporary = None;
        }
    }
}
