//! What do the goroutines of a dump wait for?

use crate::{Format, Reading};

/// a dump of goroutines.
pub const FORMAT: Format = Format { name: "go", title: "a dump of goroutines", detect, open };

fn detect(_start: &[u8]) -> bool {
    false
}

fn open(_start: &[u8]) -> Result<Reading, String> {
    Err("not yet".to_owned())
}
