//! Can a log that lies make the reader of kernel logs, or the analysis of what it read, panic?
#![no_main]

mod lines;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| lines::read(&unwedge_readers::kernel::FORMAT, data, |_, _| {}));
