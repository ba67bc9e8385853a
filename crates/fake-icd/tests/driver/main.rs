//! Does the fake driver keep Vulkan's promises about waits and signals, and break exactly those that its script names?
//!
//! Everything goes through the real loader. No test can hang: waits are bounded, and calls that block for ever by design run on
//! a thread that the process leaves behind.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what it expects")]

mod faults;
mod objects;
mod present;
mod support;
mod synchronization;
