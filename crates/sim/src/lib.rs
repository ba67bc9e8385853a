//! What can go wrong with a protocol? Deterministic worlds that wedge on purpose.
//!
//! Two ways lead here. A [`Model`] is a protocol of one's own: its states and what can happen in each. A world is
//! agents with small programs over objects, of which the scenarios are made; it is a model too, and it runs in
//! virtual time, telling of itself in events. `explore` tries every interleaving of a model.
//!
//! Invariant: nothing here reads a clock, a file, the environment or a process. What happens depends on the seed and on
//! nothing else. It shares no code with what judges its recordings.
#![forbid(unsafe_code)]
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod explore;
mod lossy;
pub mod model;
pub mod random;
pub mod scenarios;
pub mod switch;
pub mod world;

pub use model::{Action, Goals, Model};
pub use random::Random;
pub use world::{World, WorldBuilder};
