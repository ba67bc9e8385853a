//! What becomes of a frame's fence, image and semaphores, whatever Vulkan answers?
#![allow(unreachable_pub, reason = "modules of one test")]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test says what it expects")]

mod dropped;
mod events;
mod matrix;
mod rig;
mod table;
mod turns;
mod window;
