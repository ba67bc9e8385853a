//! Does what is marked reach the GPU, once, whatever fails on the way?
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may stop at the first surprise"
)]

mod behaviour;
mod faults;
mod gpu;
mod injected;
mod program;
mod scripted;
