//! A Vulkan driver for tests: it renders nothing, keeps every promise about waits and signals, and misbehaves on demand.
//!
//! The real loader loads it through a manifest (see `fake_icd.json.in`). Each queue is a host thread named `fake-queue-N`.
//! The environment variable `UNWEDGE_FAKE_ICD` tells it what to do wrong; the keys are the fields of `script::Script`.
//!
//! A test may also use it without a loader, and then give each instance a script of its own: see [`entry`] and [`instance()`]. What
//! the driver saw is asked of the instance, even after its end:
//!
//! ```no_run
//! let script = "check=quiet,execute=late,fail=vkQueuePresentKHR:4:OUT_OF_DATE";
//! let instance = fake_icd::instance(script, &[ash::khr::surface::NAME]).unwrap();
//! // … the program under test, to the end …
//! assert_eq!(fake_icd::failures_met(&instance), 1);
//! assert_eq!(fake_icd::violations(&instance), []);
//! assert_eq!(fake_icd::leaks(&instance), []);
//! ```
//!
//! Which calls can fail, and with what, is in [`CALLS`]; how many of each a run without faults makes says [`count`]. With
//! `execute=late` nothing is done before the program waits for it, so whatever is used again too early is found; `execute=early` is
//! the other end. Both start no threads, so that a program with one thread has the same run each time.
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
mod present;
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
