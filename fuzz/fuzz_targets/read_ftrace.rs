//! Can text that lies make the reader of the kernel's tracer, or the analysis of what it read, panic?
#![no_main]

mod lines;

use libfuzzer_sys::fuzz_target;
use unwedge_trace::{Event, NEXT, What};

fuzz_target!(|data: &[u8]| {
    lines::read(&unwedge_readers::ftrace::FORMAT, data, |events: &[Event], _| {
        // A number of a fence is never the one that means "the next".
        for event in events {
            if let What::Owed { point, via: Some(_), .. } = &event.what {
                assert_ne!(point.value, NEXT);
            }
        }
    });
});
