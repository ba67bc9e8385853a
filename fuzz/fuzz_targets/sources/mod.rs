//! The command's own source, taken in by its path: the command is a binary and nobody's dependency.
#![allow(dead_code, unreachable_pub, reason = "the command uses the rest")]

#[path = "../../../crates/unwedge/src/sources/blackbox/mod.rs"]
pub(crate) mod blackbox;
#[path = "../../../crates/unwedge/src/sources/observations.rs"]
pub(crate) mod observations;
