//! Can a goroutine dump that lies make its reader, or the analysis of what it read, panic?
#![no_main]

mod lines;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| lines::read(&unwedge_readers::go::FORMAT, data, lines::is_a_dump));
