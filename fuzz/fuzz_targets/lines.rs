//! Any bytes through a reader that takes line after line, and through the analysis of what it read.

use unwedge_analyze::{Options, analyze};
use unwedge_readers::{Format, Reading, Sink};
use unwedge_trace::{Event, Recording, Timestamp};

/// Reads bytes as this format, whether they look like it or not, and gives the events and the moment of the last
/// observation to `check`.
pub fn read(format: &Format, data: &[u8], check: impl Fn(&[Event], Timestamp)) {
    let _ = (format.detect)(data);
    let Ok(Reading::Lines(mut reader)) = (format.open)(data) else { return };
    let mut sink = Sink::default();
    for line in data.split(|byte| *byte == b'\n') {
        sink.line += 1;
        reader.line(line, &mut sink);
    }
    reader.finish(&mut sink);
    let latest = sink.events.iter().map(|event| event.at).max().unwrap_or_default();
    let now = reader.now().unwrap_or(latest);
    check(&sink.events, now);
    let recording = Recording::new(format.title, now, sink.events);
    let report = analyze(&recording, &Options { patience_ns: 0 });
    assert!(report.findings.iter().all(|finding| !finding.sentence.is_empty()));
}

/// A dump's events are in order, and none is after its moment.
#[allow(dead_code, reason = "for the dumps")]
pub fn is_a_dump(events: &[Event], now: Timestamp) {
    assert!(events.is_sorted_by_key(|event| event.at));
    assert!(events.iter().all(|event| event.at <= now));
}
