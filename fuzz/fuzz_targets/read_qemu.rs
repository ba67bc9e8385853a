//! Can a log that lies make the reader of QEMU's trace logs, or the analysis of what it read, panic?
#![no_main]

mod lines;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| lines::read(&unwedge_readers::qemu::FORMAT, data, |_, _| {}));
