//! What do the events of the kernel's tracer say about who waits?

use crate::{Format, Reading};

/// ftrace text or trace-cmd report.
pub const FORMAT: Format =
    Format { name: "ftrace", title: "ftrace text or trace-cmd report", detect, open };

fn detect(_start: &[u8]) -> bool {
    false
}

fn open(_start: &[u8]) -> Result<Reading, String> {
    Err("not yet".to_owned())
}
