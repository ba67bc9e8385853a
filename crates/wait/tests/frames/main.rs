//! What becomes of a frame's fence, image and semaphores, whatever Vulkan answers?
#![allow(unreachable_pub, reason = "modules of one test")]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test says what it expects")]

mod dropped;
#[cfg(feature = "tracing")]
mod events;
#[cfg(feature = "tracing")]
#[path = "../log/mod.rs"]
mod log;
mod matrix;
mod rig;
mod table;
mod turns;
mod window;
