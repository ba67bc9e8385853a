//! Is what the worlds of `unwedge-sim` plant what is found? One file a scenario.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod frame_loop;
mod guest_kernel;
mod judge;
mod multi_scanout;
mod venus_ring;
