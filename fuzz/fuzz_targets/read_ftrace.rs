//! Can text that lies make the reader of the kernel's tracer, or the analysis of what it read, panic?
#![no_main]

use libfuzzer_sys::fuzz_target;
use unwedge_analyze::{Options, analyze};
use unwedge_readers::{Reading, Sink, ftrace};
use unwedge_trace::{NEXT, Recording, What};

fuzz_target!(|data: &[u8]| {
    let _ = (ftrace::FORMAT.detect)(data);
    let Ok(Reading::Lines(mut reader)) = (ftrace::FORMAT.open)(data) else { return };
    let mut out = Sink::default();
    for line in data.split(|byte| *byte == b'\n') {
        out.line += 1;
        reader.line(line, &mut out);
    }
    reader.finish(&mut out);
    // A number of a fence is never the one that means "the next".
    for event in &out.events {
        if let What::Owed { point, via: Some(_), .. } = &event.what {
            assert_ne!(point.value, NEXT);
        }
    }
    let recording = Recording::new("ftrace", reader.now().unwrap_or_default(), out.events);
    let report = analyze(&recording, &Options::default());
    assert!(report.findings.iter().all(|finding| !finding.sentence.is_empty()));
});
