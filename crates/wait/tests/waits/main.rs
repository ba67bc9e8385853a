//! Does every wait return, with the right answer, whatever a driver answers? Each is tried against a driver of a few functions
//! that answers what a test says, against the fake driver, and against lavapipe where there is one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may stop at the first surprise"
)]

mod answers;
mod bad_input;
mod bounds;
mod fake;
mod idle;
mod lavapipe;
mod queue_model;
mod real;
mod scripted;
