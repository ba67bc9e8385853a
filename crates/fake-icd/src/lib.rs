//! A Vulkan driver for tests: it renders nothing, keeps every promise about waits and signals, and misbehaves on demand.
//!
//! The real loader loads it through a manifest (see `fake_icd.json.in`). Each queue is a host thread named `fake-queue-N`.
//! The environment variable `UNWEDGE_FAKE_ICD` tells it what to do wrong; the keys are the fields of `script::Script`.
//!
//! A test may also use it without a loader, and then give each instance a script of its own: see [`entry`] and [`instance()`].
//!
//! Every module answers for some Vulkan functions, listed at its top. A panic aborts the process: it cannot unwind out of an
//! `extern "system"` function.

mod accepted;
mod calls;
mod check;
mod command;
mod device;
mod execute;
mod external;
mod features;
mod fence;
mod ffi;
mod in_process;
mod instance;
mod limits;
mod log;
mod memory;
mod payload;
mod physical;
mod pipeline;
mod query;
mod queue;
mod recorded;
mod script;
mod semaphore;
mod submit;
mod surface;
mod swapchain;
mod table;
mod watched;
mod world;

pub use calls::{ANYWHERE, CALLS, Call, call, result_name};
pub use in_process::{Scripted, entry, instance};
pub use log::{Leak, Violation, count, failures_met, leaks, violations};
