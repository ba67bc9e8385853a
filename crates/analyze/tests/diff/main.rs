//! What does a comparison of two recordings say? Each case is two scripts.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod cases;
mod mutations;
mod script;
