//! Vulkan waits that always return, and a frame loop that survives what Vulkan may answer.
#![warn(missing_docs)]

mod block;
mod bound;
mod error;
mod outcome;
mod upload;
mod waits;

pub use block::{Block, Hold, Holder, Overstay, Released};
pub use bound::{Bound, TooLong};
pub use error::Error;
pub use outcome::{Need, Waited};
pub use upload::{Forgotten, UploadError, UploadParts, Uploaded, Uploads};
pub use waits::wait_fences;
