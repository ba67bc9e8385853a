//! Any bytes through a reader that takes line after line, and through the analysis of what it read.

use unwedge_analyze::{Options, analyze};
use unwedge_readers::{Format, Reading, Sink};
use unwedge_trace::Recording;

/// Reads bytes as this format, whether they look like it or not.
pub fn read(format: &Format, data: &[u8]) {
    let _ = (format.detect)(data);
    let Ok(Reading::Lines(mut reader)) = (format.open)(data) else { return };
    let mut sink = Sink::default();
    for line in data.split(|byte| *byte == b'\n') {
        sink.line += 1;
        reader.line(line, &mut sink);
    }
    reader.finish(&mut sink);
    let now = reader.now().expect("a dump has a moment");
    assert!(sink.events.is_sorted_by_key(|event| event.at));
    assert!(sink.events.iter().all(|event| event.at <= now));
    let recording = Recording::new(format.title, now, sink.events);
    let report = analyze(&recording, &Options { patience_ns: 0 });
    assert!(report.findings.iter().all(|finding| !finding.sentence.is_empty()));
}
