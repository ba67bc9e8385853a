//! What does a kernel log say about tasks that hang and the locks that they hold?

use crate::{Format, Reading};

/// a kernel log with hung tasks, held locks or lockdep reports.
pub const FORMAT: Format = Format {
    name: "kernel-log",
    title: "a kernel log with hung tasks, held locks or lockdep reports",
    detect,
    open,
};

fn detect(_start: &[u8]) -> bool {
    false
}

fn open(_start: &[u8]) -> Result<Reading, String> {
    Err("not yet".to_owned())
}
