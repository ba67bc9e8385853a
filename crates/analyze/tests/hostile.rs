//! Does every sequence of events have a report, the same one each time, in bearable time?

mod common;
#[path = "common/random.rs"]
mod random;

use random::Random;
use unwedge_analyze::{Options, analyze};
use unwedge_trace::{
    AgentId, AgentKind, Bound, Event, Mode, ObjectId, ObjectKind, Outcome, Point, Recording,
    Timestamp, What,
};

#[test]
fn every_sequence_of_events_has_one_report() {
    let mut codes = std::collections::BTreeSet::new();
    for seed in 1..=20_000u64 {
        let recording = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)).recording();
        let report = analyze(&recording, &Options::default());
        assert_eq!(report, analyze(&recording, &Options::default()), "seed {seed}");
        assert!(
            report.findings.is_empty() || report.verdict != unwedge_analyze::Verdict::Progressing,
            "seed {seed}"
        );
        for agent in report.agents.iter().filter(|agent| agent.wedged) {
            let told = report.findings.iter().any(|finding| {
                let others = finding.also_waiting.iter().chain(&finding.waiter);
                others.map(|waiter| waiter.agent).any(|id| id == agent.agent)
                    || finding.chain.iter().any(|link| {
                        matches!(link, unwedge_analyze::report::Link::Agent { agent: id, .. } if *id == agent.agent)
                    })
            });
            assert!(
                told,
                "seed {seed}: agent {} is wedged and no finding has it: {report:#?}",
                agent.agent
            );
        }
        codes.extend(report.findings.iter().map(|finding| finding.code));
    }
    // A generator that reaches no finding would test nothing.
    let reached: Vec<_> = codes.into_iter().collect();
    let all = [
        "UW001", "UW002", "UW003", "UW004", "UW005", "UW006", "UW007", "UW008", "UW009", "UW010",
        "UW011", "UW012", "UW015", "UW016",
    ];
    assert_eq!(reached, all);
}

#[test]
fn introductions_may_come_in_any_order() {
    for seed in 1..=500u64 {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let recording = random.recording();
        let introduced = recording
            .events
            .iter()
            .take_while(|event| {
                event.at == Timestamp(0)
                    && matches!(event.what, What::Agent { .. } | What::Object { .. })
            })
            .count();
        let mut shuffled = recording.clone();
        // The same id twice would make the order matter.
        let mut seen = std::collections::BTreeSet::new();
        let unique = recording.events[..introduced].iter().all(|event| match &event.what {
            What::Object { object, .. } => seen.insert((1, object.0)),
            _ => seen.insert((0, event.agent.0)),
        });
        if unique {
            shuffled.events[..introduced].reverse();
            let options = Options::default();
            assert_eq!(analyze(&recording, &options), analyze(&shuffled, &options), "seed {seed}");
        }
    }
}

fn now() -> Timestamp {
    Timestamp(100_000_000_000)
}

fn wait(agent: u32, object: u32, value: u64) -> Event {
    let points = vec![Point { object: ObjectId(object), value }];
    let (call, mode, bound) = ("wait".to_owned(), Mode::All, Bound::Infinite);
    Event::new(Timestamp(1), AgentId(agent), What::WaitBegan { call, points, mode, bound })
}

fn owed(agent: u32, object: u32, value: u64) -> Event {
    let point = Point { object: ObjectId(object), value };
    Event::new(Timestamp(0), AgentId(agent), What::Owed { point, after: None, via: None })
}

fn thread(id: u32) -> Event {
    let what =
        What::Agent { kind: AgentKind::HostThread, name: String::new(), pid: 1, tid: id + 1 };
    Event::new(Timestamp(0), AgentId(id), what)
}

fn object(id: u32, kind: ObjectKind) -> Event {
    let (object, label) = (ObjectId(id), String::new());
    let what = What::Object { object, kind, handle: u64::from(id), label, shared: false };
    Event::new(Timestamp(0), AgentId(0), what)
}

#[test]
fn a_chain_of_a_hundred_thousand_waits_is_followed() {
    let count = 100_000;
    let mut events = Vec::new();
    for id in 0..count {
        events.extend([thread(id), object(id, ObjectKind::Mutex), owed(id, id, 1)]);
    }
    events.extend((0..count).map(|id| wait(id, (id + 1) % count, 1)));
    let report = analyze(&Recording::new("", now(), events), &Options::default());
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.findings[0].code, "UW001");
    assert!(report.findings[0].sentence.len() < 4096);
}

#[test]
fn a_hundred_thousand_roots_are_counted_rather_than_told() {
    let count = 100_000;
    let mut events = Vec::new();
    for id in 0..count {
        events.extend([thread(id), object(id, ObjectKind::Fence), wait(id, id, 1)]);
    }
    let report = analyze(&Recording::new("", now(), events), &Options::default());
    assert_eq!(report.findings.len(), 64);
    assert!(report.notes.iter().any(|note| note.contains("more roots are not told")));
}

#[test]
fn a_million_frames_are_replayed() {
    let mut events = vec![thread(0), object(0, ObjectKind::Fence)];
    for n in 1..=200_000u64 {
        let at = Timestamp(n * 1000);
        let point = Point { object: ObjectId(0), value: n };
        let signalled = Event::new(at, AgentId(0), What::Signalled { point });
        let ended = Event::new(at, AgentId(0), What::WaitEnded { outcome: Outcome::Reached });
        let reset = Event::new(at, AgentId(0), What::Reset { object: ObjectId(0) });
        events.extend([owed(1, 0, n), wait(0, 0, n), signalled, ended, reset]);
    }
    let report = analyze(&Recording::new("", now(), events), &Options::default());
    assert!(report.findings.is_empty());
}

#[test]
fn a_crowd_that_signals_one_object_is_not_walked_for_each_waiter() {
    let count = 50_000;
    let mut events = vec![object(0, ObjectKind::TimelineSemaphore)];
    for id in 0..count {
        let point = Point { object: ObjectId(0), value: 1 };
        events
            .extend([thread(id), Event::new(Timestamp(0), AgentId(id), What::Signalled { point })]);
        events.push(wait(id, 0, u64::from(id) + 2));
    }
    let report = analyze(&Recording::new("", now(), events), &Options::default());
    assert!(report.findings.is_empty());
}

#[test]
fn aliases_in_a_circle_are_one_object() {
    let circle = (0..1000u32).map(|id| {
        let (object, same_as) = (ObjectId(id), ObjectId((id + 1) % 1000));
        Event::new(Timestamp(0), AgentId(0), What::Aliased { object, same_as })
    });
    let mut events: Vec<_> = circle.collect();
    events.extend([thread(0), object(3, ObjectKind::Fence), wait(0, 999, 1)]);
    let report = analyze(&Recording::new("", now(), events), &Options::default());
    assert_eq!(report.findings[0].code, "UW002");
}
