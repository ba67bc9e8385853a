//! Does the fast reader of recordings read what the slow one reads, whatever is on the lines?
#![allow(clippy::expect_used, reason = "a test may stop at the first surprise")]

mod common;

use common::{Random, mutated};
use unwedge_readers::jsonl::{FORMAT, Reader};
use unwedge_readers::{BlockReader, Complaints};
use unwedge_trace::jsonl::{self, Recording};
use unwedge_trace::row::{Batch, BatchBuilder};
use unwedge_trace::{
    AgentId, AgentKind, AgentState, Bound, Event, MarkKind, Mode, NEXT, ObjectId, ObjectKind,
    Outcome, Point, Timestamp, What,
};

fn point(random: &mut Random) -> Point {
    let object = ObjectId(random.small());
    Point { object, value: if random.below(3) == 0 { NEXT } else { random.number() } }
}

fn text(random: &mut Random) -> String {
    let texts = ["", "vkWaitForFences", "poll", "a \"quoted\" word", "naïve", "tab\there", "x"];
    texts[random.below(texts.len())].to_owned()
}

fn object_kind(random: &mut Random) -> ObjectKind {
    [ObjectKind::Fence, ObjectKind::Mutex, ObjectKind::Other][random.below(3)]
}

fn what(random: &mut Random) -> What {
    let object = ObjectId(random.small());
    match random.below(16) {
        0 => {
            let kind = [AgentKind::HostThread, AgentKind::Task][random.below(2)];
            What::Agent { kind, name: text(random), pid: 4, tid: random.small() }
        }
        1 => {
            let (kind, label) = (object_kind(random), text(random));
            let shared = random.below(2) == 0;
            What::Object { object, kind, handle: random.number(), label, shared }
        }
        2..6 => {
            let points = (0..random.below(4)).map(|_| point(random)).collect();
            let mode = [Mode::All, Mode::Any][random.below(2)];
            let ns = random.number();
            let bound = [Bound::Infinite, Bound::Ns(ns), Bound::Polls(ns)][random.below(3)];
            What::WaitBegan { call: text(random), points, mode, bound }
        }
        6..8 => {
            let outcomes = [Outcome::Reached, Outcome::TimedOut, Outcome::Failed];
            What::WaitEnded { outcome: outcomes[random.below(3)] }
        }
        8 => {
            let after = (random.below(2) == 0).then(|| point(random));
            let via = (random.below(2) == 0).then(|| AgentId(random.small()));
            What::Owed { point: point(random), after, via }
        }
        9 => What::Signalled { point: point(random) },
        10 => What::Reset { object },
        11 => What::Aliased { object, same_as: ObjectId(random.small()) },
        12 => {
            let state = [AgentState::Running, AgentState::Exited][random.below(2)];
            let cpu = (random.below(2) == 0).then(|| random.small());
            let priority = (random.below(2) == 0).then(|| random.small().cast_signed() - 2);
            What::State { state, detail: text(random), cpu, priority }
        }
        13 => What::Progress { what: text(random) },
        14 => {
            let objects = (0..random.below(3)).map(|_| ObjectId(random.small())).collect();
            let kind = [MarkKind::Log, MarkKind::FailedCall][random.below(2)];
            What::Mark { kind, text: text(random), objects }
        }
        _ => {
            let (reached, explained) = (random.number(), random.number());
            if random.below(2) == 0 {
                What::Lost { count: reached }
            } else {
                What::Coverage { kind: object_kind(random), reached, explained }
            }
        }
    }
}

fn recording(random: &mut Random, count: usize) -> Recording {
    let mut at = 0;
    let mut event = |_| {
        at += random.number() >> 32;
        Event::new(Timestamp(at), AgentId(random.small()), what(random))
    };
    let events = (0..count).map(&mut event).collect();
    Recording::new("test", Timestamp(77), events)
}

fn written(recording: &Recording) -> Vec<u8> {
    let mut out = Vec::new();
    jsonl::write(recording, &mut out).expect("a Vec takes everything");
    out
}

/// What the slow reader gives: the rows, and the complaints' lines and texts.
fn slow(input: &[u8]) -> (Batch, Vec<String>, u64) {
    let (recording, complaints) = jsonl::read(&mut &input[..]).expect("a header");
    let mut builder = BatchBuilder::default();
    recording.events.iter().for_each(|event| builder.event(event));
    let more = complaints.iter().find_map(|complaint| {
        complaint.text.strip_prefix("and ")?.split(' ').next()?.parse::<u64>().ok()
    });
    let texts = complaints.iter().filter(|complaint| complaint.line > 0);
    let lines = input.split_inclusive(|byte| *byte == b'\n').count() as u64;
    let mut texts: Vec<String> = texts.map(ToString::to_string).collect();
    texts.push(format!("and {} more", more.unwrap_or(0)));
    (builder.take(), texts, lines)
}

fn fast(input: &[u8], templates: bool) -> (Batch, Vec<String>, u64) {
    let reader = Reader::new(input).expect("a header");
    let reader = if templates { reader } else { reader.without_templates() };
    let mut scratch = reader.scratch();
    // What was learned from other lines changes nothing.
    for block in [&b"{}\n"[..], input, input] {
        reader.read(block, &mut *scratch, &mut Batch::default(), &mut Complaints::default());
    }
    let (mut batch, mut complaints) = (Batch::default(), Complaints::default());
    let lines = reader.read(input, &mut *scratch, &mut batch, &mut complaints);
    let mut texts: Vec<String> = complaints.first().iter().map(ToString::to_string).collect();
    texts.push(format!("and {} more", complaints.more()));
    (batch, texts, lines)
}

fn check(input: &[u8]) {
    let expected = slow(input);
    for templates in [false, true] {
        let found = fast(input, templates);
        assert_eq!(found, expected, "{templates}: {}", String::from_utf8_lossy(input));
    }
}

#[test]
fn random_recordings_are_read_as_by_the_slow_reader() {
    for seed in 0..40 {
        let mut random = Random::new(seed);
        check(&written(&recording(&mut random, 120)));
    }
}

#[test]
fn damaged_recordings_are_read_as_by_the_slow_reader() {
    for seed in 100..160 {
        let mut random = Random::new(seed);
        let input = written(&recording(&mut random, 60));
        let header = input.iter().position(|byte| *byte == b'\n').expect("a header") + 1;
        let mut damaged = input[..header].to_vec();
        for line in input[header..].split_inclusive(|byte| *byte == b'\n') {
            damaged.extend_from_slice(line);
            damaged.extend(mutated(line, &mut random));
        }
        check(&damaged);
    }
}

#[test]
fn blocks_are_read_alone_and_only_the_first_has_a_header() {
    let mut random = Random::new(7);
    let input = written(&recording(&mut random, 50));
    let reader = Reader::new(&input).expect("a header");
    let mut scratch = reader.scratch();
    let cut = input.len() - 300;
    let cut = cut + input[cut..].iter().position(|byte| *byte == b'\n').expect("a line") + 1;
    let mut lines = 0;
    let mut events = Vec::new();
    for block in [&input[..cut], &input[cut..]] {
        let (mut batch, mut complaints) = (Batch::default(), Complaints::default());
        lines += reader.read(block, &mut *scratch, &mut batch, &mut complaints);
        assert_eq!(complaints.count(), 0, "{complaints:?}");
        events.push(batch.rows.len());
    }
    assert_eq!(lines, 51);
    assert!(events.iter().all(|count| *count > 0));
    assert_eq!(reader.now(), Some(Timestamp(77)));
}

#[test]
fn a_line_that_is_too_long_is_skipped_known_or_not() {
    let header = r#"{"unwedge_trace":1,"source":"t","now":9}"#;
    let line = |text: &str| format!(r#"{{"at":1,"agent":1,"progress":{{"what":"{text}"}}}}"#);
    let long = line(&"a".repeat(jsonl::LINE_BYTES_MAX));
    let just = line(&"a".repeat(jsonl::LINE_BYTES_MAX - line("").len()));
    let short = line("b");
    check(format!("{header}\n{short}\n{long}\n{just}\n\n \t\r\n{short}").as_bytes());
}

#[test]
fn what_is_no_recording_is_told_in_the_words_of_the_slow_reader() {
    let inputs =
        ["", "hello\n", "{\"at\":1}\n", "{\"unwedge_trace\":99,\"source\":\"x\",\"now\":1}"];
    for input in inputs {
        let slow = jsonl::read(&mut input.as_bytes()).expect_err("no recording").to_string();
        let fast = (FORMAT.open)(input.as_bytes()).err().expect("no recording");
        assert_eq!(fast, slow);
    }
}

#[test]
fn a_recording_is_known_by_its_header() {
    let header = "{\"source\":\"t\",\"unwedge_trace\":1,\"now\":9}";
    for (start, known) in [
        (header.to_owned(), true),
        (format!("{header}\n{{\"at\""), true),
        ("{\"unwedge_trace\":99}\n".to_owned(), true),
        ("{\"schema_version\":1}\n".to_owned(), false),
        (format!("\n{header}"), false),
        (String::new(), false),
    ] {
        assert_eq!((FORMAT.detect)(start.as_bytes()), known, "{start}");
    }
}
