//! Where do events come from? Each source is read here and turned into the one event model.

/// A stand-in until `blackbox.rs` is there: replace by `pub(crate) mod blackbox;`.
pub(crate) mod blackbox {
    use super::observations::Observations;
    use unwedge_trace::blackbox::Snapshot;
    use unwedge_trace::{Recording, Timestamp};

    pub(crate) fn recording(_: &Snapshot, seen: &Observations) -> Recording {
        Recording::new("vulkan layer", Timestamp(seen.now), Vec::new())
    }
}
pub(crate) mod boxfile;
pub(crate) mod engine;
mod nvidia;
pub(crate) mod observations;
pub(crate) mod process;
pub(crate) mod procfs;
mod syscall;
