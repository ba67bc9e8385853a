//! Who is wedged, and why? Pure functions from events to a report.
//!
//! Invariant: nothing here reads a clock, a file, the environment or a process, and nothing asks
//! which source an event came from, except to print it.
#![forbid(unsafe_code)]

pub mod report;

pub use report::{Finding, Report, Verdict};
