//! Where do events come from? Each source is read here and turned into the one event model.

pub(crate) mod blackbox;
pub(crate) mod boxfile;
pub(crate) mod engine;
mod nvidia;
pub(crate) mod observations;
pub(crate) mod process;
pub(crate) mod procfs;
mod syscall;
