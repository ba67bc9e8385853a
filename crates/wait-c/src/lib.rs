//! How does a program in C, C++ or Zig use the waits of unwedge-wait? What is here is the header `include/unwedge_wait.h`.
//!
//! Invariants: no panic leaves a function; a null pointer is answered, not followed; whatever bound comes in, no call to
//! Vulkan is given more than the longest one.

#![allow(
    clippy::manual_c_str_literals,
    reason = "cbindgen as distributions have it cannot read a file with such literals"
)]

pub mod block;
pub mod bound;
pub mod device;
pub mod idle;
pub mod query;
pub mod result;
pub mod waits;
