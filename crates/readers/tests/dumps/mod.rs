//! What does the analysis say of a dump? For the tests of the formats that are dumps.

use unwedge_analyze::{Options, Report, Verdict, analyze};
use unwedge_readers::{Format, Reading, Sink};
use unwedge_trace::Recording;

/// The reader's complaints, and what the analysis says.
pub(crate) struct Answer {
    pub(crate) complaints: Vec<String>,
    pub(crate) report: Report,
}

/// Reads a dump and judges it.
pub(crate) fn answer(format: &Format, dump: &str) -> Answer {
    let (recording, complaints) = read(format, dump.as_bytes());
    let report = analyze(&recording, &Options { patience_ns: 0 });
    Answer { complaints, report }
}

/// Reads a dump.
pub(crate) fn read(format: &Format, dump: &[u8]) -> (Recording, Vec<String>) {
    assert!((format.detect)(dump), "the dump is not recognised");
    let Ok(Reading::Lines(mut reader)) = (format.open)(dump) else { panic!("it is not read") };
    let mut sink = Sink::default();
    for line in dump.split(|byte| *byte == b'\n') {
        sink.line += 1;
        reader.line(line, &mut sink);
    }
    reader.finish(&mut sink);
    let Some(now) = reader.now() else { panic!("a dump has a moment") };
    let complaints = &sink.complaints;
    let complaints =
        complaints.first().iter().map(|one| format!("line {}: {}", one.line, one.text));
    assert!(sink.events.is_sorted_by_key(|event| event.at), "events are in the order of time");
    assert!(sink.events.iter().all(|event| event.at <= now), "nothing is after the dump");
    (Recording::new(format.title, now, sink.events.clone()), complaints.collect())
}

/// All that a user would be told, line by line.
pub(crate) fn told(answer: &Answer) -> String {
    let mut lines: Vec<String> =
        answer.complaints.iter().map(|text| format!("complaint: {text}")).collect();
    let report = &answer.report;
    lines.push(verdict(report).to_owned());
    for finding in &report.findings {
        let also = match finding.also_waiting.len() {
            0 => String::new(),
            count => format!(" (and {count} more)"),
        };
        lines.push(format!("{}: {}{also}", finding.code, finding.sentence));
    }
    lines.extend(report.missing.iter().map(|text| format!("missing: {text}")));
    lines.join("\n")
}

/// The verdict as a word.
pub(crate) fn verdict(report: &Report) -> &'static str {
    match report.verdict {
        Verdict::Progressing => "progressing",
        Verdict::Wedged => "wedged",
        Verdict::Inconclusive => "inconclusive",
    }
}
