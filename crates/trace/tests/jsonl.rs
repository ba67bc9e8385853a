//! Does a recording survive being written and read, torn, foreign or hostile?
#![allow(clippy::expect_used, reason = "a test may stop at the first surprise")]

use unwedge_trace::jsonl::{self, Header, ReadError, Recording};
use unwedge_trace::{
    AgentId, AgentKind, AgentState, Bound, Event, MarkKind, Mode, ObjectId, ObjectKind, Outcome,
    Point, Timestamp, What,
};

/// One event of every kind.
fn everything() -> Vec<Event> {
    let object = ObjectId(3);
    let point = Point { object, value: 7 };
    let whats = vec![
        What::Agent { kind: AgentKind::HostThread, name: "render".to_owned(), pid: 1, tid: 2 },
        What::Object {
            object,
            kind: ObjectKind::Fence,
            handle: 0x5e,
            label: "frame \"2\"\n".to_owned(),
            shared: true,
        },
        What::WaitBegan {
            call: "vkWaitForFences".to_owned(),
            points: vec![point],
            mode: Mode::Any,
            bound: Bound::Ns(5),
        },
        What::WaitEnded { outcome: Outcome::TimedOut },
        What::Owed { point, after: Some(point), via: Some(AgentId(9)) },
        What::Signalled { point },
        What::Reset { object },
        What::Aliased { object, same_as: ObjectId(4) },
        What::State {
            state: AgentState::Blocked,
            detail: "in futex".to_owned(),
            cpu: None,
            priority: None,
        },
        What::Progress { what: "presented".to_owned() },
        What::Mark { kind: MarkKind::Log, text: "hello".to_owned(), objects: vec![object] },
        What::Lost { count: 12 },
        What::Coverage { kind: ObjectKind::Fence, reached: 100, explained: 99 },
    ];
    let event = |(at, what)| Event::new(Timestamp(at), AgentId(1), what);
    (0..).zip(whats).map(event).collect()
}

fn written(recording: &Recording) -> String {
    let mut out = Vec::new();
    jsonl::write(recording, &mut out).expect("a Vec takes everything");
    String::from_utf8(out).expect("JSON is UTF-8")
}

#[test]
fn every_event_comes_back_as_it_went() {
    let recording = Recording::new("test", Timestamp(99), everything());
    let text = written(&recording);
    let (read, complaints) = jsonl::read(&mut text.as_bytes()).expect("it has a header");
    assert_eq!(complaints, []);
    assert_eq!(read, recording);
}

#[test]
fn every_prefix_is_a_recording() {
    let text = written(&Recording::new("test", Timestamp(99), everything()));
    let header_end = text.find('\n').expect("a header line");
    for end in header_end..text.len() {
        if !text.is_char_boundary(end) {
            continue;
        }
        let whole_lines = text[..end].matches('\n').count();
        let (read, complaints) = jsonl::read(&mut &text.as_bytes()[..end]).expect("a header");
        assert!(read.events.len() + 1 >= whole_lines, "at {end}");
        assert!(complaints.len() <= 1, "at {end}: {complaints:?}");
    }
}

#[test]
fn unknown_fields_are_kept_and_written_back() {
    let header = serde_json::to_string(&Header::new("test", Timestamp(5))).expect("plain data");
    let line = r#"{"at":1,"agent":1,"lost":{"count":2},"cpu":3}"#;
    let (read, complaints) =
        jsonl::read(&mut format!("{header}\n{line}\n").as_bytes()).expect("ok");
    assert_eq!(complaints, []);
    assert_eq!(written(&read), format!("{header}\n{line}\n"));
}

#[test]
fn bad_lines_are_counted_and_the_rest_is_kept() {
    let header = serde_json::to_string(&Header::new("test", Timestamp(5))).expect("plain data");
    let good = r#"{"at":4,"agent":1,"lost":{"count":2}}"#;
    let backwards = r#"{"at":3,"agent":1,"lost":{"count":2}}"#;
    let long = format!("{{\"x\":\"{}\"}}", "a".repeat(jsonl::LINE_BYTES_MAX));
    let mut input = format!("{header}\n{good}\nnot json\n{long}\n\n{backwards}\n").into_bytes();
    input.extend([0xff, 0xfe, b'\n']);
    input.extend(std::iter::repeat_n(*b"[]\n", 100).flatten());
    input.extend(good.as_bytes());
    let (read, complaints) = jsonl::read(&mut &input[..]).expect("a header");
    assert_eq!(read.events.len(), 3);
    assert_eq!(complaints.len(), jsonl::COMPLAINTS_MAX + 1);
    assert_eq!(complaints[0].line, 3);
    assert!(complaints[2].text.contains("backwards"), "{complaints:?}");
}

#[test]
fn what_is_no_recording_is_told_in_one_line() {
    for (input, words) in [
        ("", "empty"),
        ("hello\n", "not the header"),
        ("{\"at\":1}\n", "not the header"),
        ("{\"unwedge_trace\":99,\"source\":\"x\",\"now\":1}\n", "version 99"),
    ] {
        let error: ReadError = jsonl::read(&mut input.as_bytes()).expect_err("no recording");
        assert!(error.to_string().contains(words), "{error}");
        assert!(!error.to_string().contains('\n'), "{error}");
    }
}
