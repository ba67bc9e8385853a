//! Can text that lies make the reader of recordings, or the analysis of what it read, panic? What was
//! read is written and read again: it must be the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use unwedge_analyze::{Options, analyze};
use unwedge_trace::jsonl;

fuzz_target!(|data: &[u8]| {
    let Ok((recording, _)) = jsonl::read(&mut &data[..]) else { return };
    let mut text = Vec::new();
    jsonl::write(&recording, &mut text).expect("memory takes it");
    let (again, complaints) = jsonl::read(&mut &text[..]).expect("what was written is read");
    assert_eq!(recording, again);
    assert!(complaints.iter().all(|complaint| complaint.text.contains("backwards")));
    let report = analyze(&recording, &Options::default());
    assert!(report.findings.iter().all(|finding| !finding.sentence.is_empty()));
});
