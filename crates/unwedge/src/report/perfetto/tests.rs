//! Is what is written a trace that Perfetto understands? tests/store.rs asks its definition; here are the odd cases.
#![allow(clippy::expect_used, reason = "a test may stop at the first surprise")]

use prost::Message as _;
use unwedge_trace::{AgentKind, Bound, Mode};

use super::proto::Trace;
use super::*;

const NOW: Timestamp = Timestamp(100);

fn point(object: u32, value: u64) -> Point {
    Point { object: ObjectId(object), value }
}

fn wait(points: &[Point]) -> What {
    let (mode, bound) = (Mode::All, Bound::Infinite);
    What::WaitBegan { call: "wait".to_owned(), points: points.to_vec(), mode, bound }
}

fn ended() -> What {
    What::WaitEnded { outcome: Outcome::Reached }
}

fn signalled(object: u32, value: u64) -> What {
    What::Signalled { point: point(object, value) }
}

fn thread(pid: u32, tid: u32) -> What {
    What::Agent { kind: AgentKind::HostThread, name: "t".to_owned(), pid, tid }
}

/// A line for each packet: tracks, and events as "time track type name, leaving arrows > arriving arrows".
fn check(events: &[(u64, u32, What)], expected: &[&str]) {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes);
    for (at, agent, what) in events {
        let event = Event::new(Timestamp(*at), AgentId(*agent), what.clone());
        writer.event(&event).expect("memory takes it");
    }
    writer.finish(NOW).expect("memory takes it");
    let trace = Trace::decode(bytes.as_slice()).expect("a trace");
    let mut names = HashMap::new();
    let mut lines = Vec::new();
    for packet in trace.packet {
        for name in packet.interned_data.into_iter().flat_map(|data| data.event_names) {
            names.insert(name.iid, name.name);
        }
        if let Some(track) = packet.track_descriptor {
            let thread =
                track.thread.map(|thread| format!("thread {:?}", thread.tid.expect("a number")));
            let name = track.name.or(thread).unwrap_or_default();
            lines.push(format!("track {}: {name}", track.uuid.expect("a number") & 0xff));
        }
        if let Some(event) = packet.track_event {
            let name =
                names.get(&event.name_iid).cloned().flatten().or(event.name).unwrap_or_default();
            let (at, track) =
                (packet.timestamp.expect("a time"), event.track_uuid.expect("a track"));
            let kind = ["", "begin", "end", "instant"][event.r#type.expect("a type") as usize];
            let (leaving, arriving) = (event.flow_ids, event.terminating_flow_ids);
            let line = format!("{at} {} {kind} {name} {leaving:?} > {arriving:?}", track & 0xff);
            lines.push(line.replace(" [] > []", "").trim().to_owned());
        }
    }
    assert_eq!(lines, expected);
}

#[test]
fn an_arrow_leads_from_the_signal_to_each_wait_that_it_ends() {
    let both = [point(0, 5), point(1, NEXT)];
    check(
        &[
            (1, 0, wait(&[point(0, 5)])),
            (2, 1, wait(&both)),
            // Too small a value, and then one that reaches both; one object is signalled twice.
            (3, 2, signalled(0, 4)),
            (4, 2, signalled(0, 6)),
            (5, 2, signalled(1, 1)),
            (6, 2, signalled(1, 2)),
            (7, 0, ended()),
            (8, 1, ended()),
        ],
        &[
            "track 3: agent 2 (unknown)",
            "3 3 instant signals object 0",
            "4 3 instant signals object 0 [1, 2] > []",
            "5 3 instant signals object 1 [3] > []",
            "6 3 instant signals object 1 [4] > []",
            "track 1: agent 0 (unknown)",
            "1 1 begin wait object 0",
            "7 1 end  [] > [1]",
            "track 2: agent 1 (unknown)",
            "2 2 begin wait object 0, object 1",
            "8 2 end  [] > [2, 4]",
        ],
    );
}

#[test]
fn no_arrow_leads_to_a_wait_that_was_not_ended_by_the_signal() {
    let timed_out = What::WaitEnded { outcome: Outcome::TimedOut };
    check(
        &[
            (1, 1, signalled(0, 1)),
            (2, 0, wait(&[point(0, 1)])),
            (3, 0, ended()),
            (4, 0, wait(&[point(0, 2)])),
            (5, 1, signalled(0, 2)),
            (6, 0, timed_out),
        ],
        &[
            "track 2: agent 1 (unknown)",
            "1 2 instant signals object 0",
            "track 1: agent 0 (unknown)",
            "2 1 begin wait object 0",
            "3 1 end",
            "5 2 instant signals object 0 [1] > []",
            "4 1 begin wait object 0",
            "6 1 end",
        ],
    );
}

#[test]
fn a_wait_without_an_end_ends_with_the_next_or_with_the_recording() {
    check(
        &[(9, 0, wait(&[])), (5, 0, wait(&[point(3, NEXT)])), (6, 0, What::Lost { count: 7 })],
        &[
            "track 1: agent 0 (unknown)",
            "9 1 begin wait",
            "9 1 end",
            "6 1 instant 7 events lost",
            "5 1 begin still waiting: wait object 3",
            "100 1 end",
        ],
    );
}

#[test]
fn a_thread_has_one_track_as_a_thread() {
    let state = |state| What::State { state, detail: String::new(), cpu: None, priority: None };
    check(
        &[
            (1, 0, thread(5, 6)),
            (1, 1, thread(5, 6)),
            (1, 2, thread(0, 6)),
            (2, 0, state(AgentState::Running)),
            (3, 0, state(AgentState::Running)),
            (4, 0, state(AgentState::Blocked)),
        ],
        &[
            "track 1: thread 6",
            "track 2: host thread 6 \"t\"",
            "track 3: host thread 6 \"t\"",
            "track 1: state",
            "2 1 begin running",
            "4 1 end",
            "4 1 begin blocked",
            "100 1 end",
        ],
    );
}
