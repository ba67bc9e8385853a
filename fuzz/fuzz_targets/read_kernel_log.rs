//! Can a log that lies make the reader of kernel logs, or the analysis of what it read, panic?
#![no_main]

use libfuzzer_sys::fuzz_target;
use unwedge_analyze::{Options, analyze};
use unwedge_readers::{Reading, Sink, kernel};
use unwedge_trace::{Recording, Timestamp};

fuzz_target!(|data: &[u8]| {
    let _ = (kernel::FORMAT.detect)(data);
    let Ok(Reading::Lines(mut reader)) = (kernel::FORMAT.open)(data) else { return };
    let mut sink = Sink::default();
    for line in data.split(|byte| *byte == b'\n') {
        sink.line += 1;
        reader.line(line, &mut sink);
    }
    reader.finish(&mut sink);
    let now = reader.now().unwrap_or(Timestamp(0));
    let report = analyze(&Recording::new("kernel log", now, sink.events), &Options { patience_ns: 0 });
    assert!(report.findings.iter().all(|finding| !finding.sentence.is_empty()));
});
