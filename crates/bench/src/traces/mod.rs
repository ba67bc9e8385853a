//! How fast are large traces read? Writes them, of any size and always the same, and measures what reads them.

mod cast;
mod generate;
mod hot;
mod line;
mod objects;
mod random;
mod title;
mod varied;

pub(crate) use generate::generate;

/// Which emulator wrote the hot trace.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Wedging,
    Reference,
}

/// A trace that is wanted.
#[derive(Clone)]
pub(crate) struct Wanted {
    pub(crate) kind: Kind,
    pub(crate) events: u64,
    /// Decides everything but the host's times.
    pub(crate) seed: u64,
    /// Decides the host's times.
    pub(crate) host_seed: u64,
    pub(crate) engine: Engine,
    /// Whether the interrupt's lines name what its callback is to signal.
    pub(crate) producer_declared: bool,
}

/// What kind of trace.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nearly all lines are one loop of one thread.
    Hot,
    /// Lines of all kinds, lengths and threads.
    Varied,
}
