//! What a hang is made of: agents, objects, points and events, and the forms they travel in.
//!
//! - [`event`]: the model. Every source is turned into it and every analysis works on it alone.
//! - [`jsonl`]: JSON Lines, the interchange form; every prefix of a recording is a recording.
//! - [`row`]: rows of fixed size, the form of large recordings in memory and at rest.
//! - [`blackbox`]: the bounded shared-memory form that a patient writes and that survives its death.
//!
//! Invariant: nothing here reads a clock, opens a file, or looks at the environment or a process.
//! Time arrives in events, memory arrives from the caller. The crate is loaded into patients, so
//! without the feature `jsonl` it depends on nothing but `thiserror`.

pub mod blackbox;
pub mod event;
#[cfg(feature = "jsonl")]
pub mod jsonl;
pub mod row;

pub use event::{
    AgentId, AgentKind, AgentState, Bound, Event, MarkKind, Mode, NEXT, ObjectId, ObjectKind,
    Outcome, Point, Timestamp, What,
};

#[cfg(feature = "jsonl")]
pub use jsonl::{Complaint, Recording};
