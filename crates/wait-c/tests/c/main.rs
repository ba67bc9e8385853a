//! Does the library work from C, C++ and Zig, as its README says, and is its header what its source says?
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may stop at the first surprise"
)]

mod api;
mod readme;
mod shell;
