//! How fast are large traces read? Writes them, of any size and always the same, and measures what reads them.

mod cast;
mod files;
mod generate;
mod hot;
mod line;
mod measure;
mod objects;
pub(crate) mod process;
mod random;
mod rows;
#[cfg(test)]
mod tests;
mod title;
mod varied;
mod ways;

pub(crate) use generate::generate;
pub(crate) use measure::traces;

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

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Hot => "hot",
            Self::Varied => "varied",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Hot, Self::Varied].into_iter().find(|kind| kind.name() == name)
    }
}
