//! What does a process leave behind about its waits, even after SIGKILL?
//!
//! The *black box* is one bounded shared-memory file per process. The Vulkan layer writes it from
//! inside the patient; readers outside copy its bytes and never trust them. It holds, for each
//! thread, the call in flight ([`ThreadRecord`]) and a ring of finished calls ([`CallRecord`]); for
//! each device, tables of queues, their last batches, fences, semaphores and swapchains: enough to
//! explain a hang to somebody who comes afterwards.
//!
//! The file is an array of 64-bit words in the machine's byte order. A header names the sections;
//! a section is an array of records; a record is an array of words, defined once in [`layout`] for
//! both sides. Each word is written atomically and means something by itself, so a reader may see
//! an old word beside a new one but never half a word; what matters in a wedge stands still anyway.
//!
//! Invariant: the writer never allocates, never blocks and never fails: what finds no room is
//! dropped and counted in the header.

pub mod call;
pub mod layout;
pub mod reader;
pub mod writer;

pub use call::Call;
pub use layout::*;
pub use reader::{Snapshot, SnapshotError};
pub use writer::{Blackbox, Table};

/// "UNWEDGE" and a zero, read as a little-endian word.
pub const MAGIC: u64 = u64::from_le_bytes(*b"UNWEDGE\0");
/// Version of the layout; a reader refuses any other.
pub const VERSION: u64 = 1;
