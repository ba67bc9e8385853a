//! Vulkan waits that always return, and a frame loop that survives what Vulkan may answer.
//!
#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod block;
mod bound;
mod create;
mod error;
pub mod frame;
pub mod frame_loop;
#[doc = include_str!("../docs/moving.md")]
pub mod moving {}
mod outcome;
mod upload;
mod waits;

pub use block::{Block, Hold, Holder, Overstay, Released};
pub use bound::{Bound, TooLong};
pub use error::Error;
pub use outcome::{Need, Waited};
pub use upload::{Forgotten, UploadError, UploadParts, Uploaded, Uploads};
pub use waits::{
    Acquired, DeviceIdle, Point, PresentWait, PresentWait2, PresentWaited, QueryResult, QueueIdle,
    SEMAPHORES_MAX, Signals, Timeline, acquire, acquire2, query_results, wait_fences,
    wait_idle_for_shutdown_unbounded, wait_present, wait_semaphores,
};
