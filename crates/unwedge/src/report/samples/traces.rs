//! Which reports of traces must look right? An emulator's missing signal, a crowd, hostile names, and nothing at all.

use unwedge_analyze::report::{
    Bucket, Coverage, PollRun, Rate, Share, SilentProducer, Starved, Statistics, WedgeEntry, Woken,
};
use unwedge_analyze::{Finding, Verdict};
use unwedge_trace::{AgentKind, ObjectKind};

use super::{Draft, Sample, lines, object, other, thing, waiter};

/// All of them.
pub(crate) fn all() -> Vec<Sample> {
    vec![missing_vsync(), nothing(), hostile(), crowd(2_000)]
}

const EVENTS: u64 = 65_691_821;
/// The polls of 30 ms, one after the other.
const SPAN_MS: f64 = 6_549_579.0 * 30.0 + 412.0;
const POLLED: &str = "event 0xbe8cbb5c";
const SWAPPED: &str = "event 0x10e8 \"frame swapped\"";

fn guest(tid: u32, name: &str) -> String {
    if name.is_empty() {
        format!("guest thread {tid}")
    } else {
        format!("guest thread {tid} \"{name}\"")
    }
}

fn entry(agent: u32, name: &str, call: &str, object: &str, since_ms: f64) -> WedgeEntry {
    WedgeEntry {
        agent,
        name: name.to_owned(),
        call: call.to_owned(),
        object: object.to_owned(),
        since_ms,
        polls: None,
        wedged: false,
        idle: None,
        woken: None,
    }
}

/// A guest kernel in which a poller of high priority starves the thread that swaps frames: 65,691,821 events, of which
/// 99.7 % are the poller's, and an interrupt that is delivered and signals nothing.
pub(crate) fn missing_vsync() -> Sample {
    let mut draft = Draft::new(Verdict::Wedged);
    draft.report.source = "trace canary.jsonl".to_owned();
    starved_frames(&mut draft);
    who_is_there(&mut draft);
    draft.report.statistics = Statistics {
        events: EVENTS,
        span_ms: SPAN_MS,
        agents_alive: 21,
        agents_exited: 2,
        backwards: 0,
        wedge_map: eighteen_waits(),
        wedge_map_more: 0,
        dominance: shares(),
        poll_runs: vec![PollRun {
            agent: 7,
            name: guest(7, "poller"),
            call: "KeWaitForSingleObject".to_owned(),
            object: POLLED.to_owned(),
            polls: 6_549_579,
            bound_ms: 30.0,
            since_ms: SPAN_MS - 412.0,
            signals: 0,
        }],
        rates: rates(),
        starved: vec![Starved {
            agent: 8,
            name: guest(8, "frames"),
            ready_ms: SPAN_MS - 5_200.0,
            cpu: Some(4),
            priority: Some(0),
            instead: vec![guest(7, "poller")],
        }],
        silent_producers: vec![SilentProducer {
            agent: 40,
            name: "interrupt \"VSync\"".to_owned(),
            what: "guest callback ran to its end".to_owned(),
            runs: 40_122,
            owed: 0,
        }],
        coverage: vec![
            covered(ObjectKind::Mutex, 13_099_164, 13_099_164, false),
            covered(ObjectKind::Event, 21_204, 21_102, false),
            covered(ObjectKind::CountingSemaphore, 4_417, 4_028, true),
            covered(ObjectKind::Timer, 12, 4, false),
        ],
    };
    draft.done("trace-missing-vsync")
}

fn starved_frames(draft: &mut Draft) {
    let frames = || other(8, AgentKind::GuestThread, "guest thread 8 \"frames\"");
    let mut main = waiter(1, "main", "KeWaitForSingleObject", (SPAN_MS - 5_180.0) / 1e3);
    (main.pid, main.tid, main.name) = (0, 0, guest(1, "main"));
    draft.report.findings.push(Finding {
        code: "UW008",
        name: "debtor starved",
        sentence: "guest thread 1 \"main\" waits in KeWaitForSingleObject for event 0x10e8 \"frame swapped\"; guest \
                   thread 8 \"frames\" used to signal it, and it has been ready on processor 4 with priority 0 for \
                   54 h 34 min and was never picked; guest thread 7 \"poller\" (priority 17) runs instead"
            .to_owned(),
        waiter: Some(main),
        object: Some(object(ObjectKind::Event, "0x10e8", "frame swapped", None)),
        conclusive: true,
        chain: vec![
            other(1, AgentKind::GuestThread, "guest thread 1 \"main\""),
            thing(ObjectKind::Event, "0x10e8", "frame swapped", None),
            frames(),
        ],
        evidence: lines(&[
            "54 h 34 min ago: guest thread 8 \"frames\" became ready on processor 4 with priority 0, and ran no more",
            "54 h 34 min ago: guest thread 1 \"main\" began to wait in KeWaitForSingleObject for event 0x10e8",
            "30 ms ago: guest thread 7 \"poller\" timed out on event 0xbe8cbb5c, for the 6,549,579th time",
        ]),
        remedy: "Find out why event 0xbe8cbb5c is not signalled: the poller sleeps only when it is.".to_owned(),
        also_waiting: Vec::new(),
    });
    draft.report.notes = lines(&[
        "guest thread 7 \"poller\" polls event 0xbe8cbb5c; no signal of it is on record, and who should signal it is unknown",
    ]);
    draft.node("a1", "!guest thread|guest thread 1 \"main\"|KeWaitForSingleObject, 54 h 34 min");
    draft.node("o1:7", "!event|event 0x10e8|signalled 6 times");
    draft.node("a8", "!!guest thread|guest thread 8 \"frames\"|ready, priority 0");
    draft.node("a7", "guest thread|guest thread 7 \"poller\"|6,549,579 polls of 30 ms");
    draft.node("o2:1", "event|event 0xbe8cbb5c|never signalled on record");
    draft.path(&["a1", "o1:7"]);
    draft.edge("o1:7", "a8", "used to be signalled by");
    draft.edge("a7", "o2:1", "waits on");
}

const POOL: [(u32, &str, &str, &str, u64); 13] = [
    (2, "audio", "KeWaitForMultipleObjects", "event 0x10a0 and event 0x10a4", 18_211),
    (3, "decoder", "KeWaitForSingleObject", "event 0x10b0", 9_100),
    (4, "streamer", "KeWaitForSingleObject", "counting semaphore 0x10b8 \"jobs\"", 4_417),
    (5, "", "KeWaitForSingleObject", "event 0x10c0", 12),
    (6, "", "KeWaitForSingleObject", "event 0x10c4", 12),
    (9, "job 0", "KeWaitForSingleObject", "counting semaphore 0x10d0", 611),
    (10, "job 1", "KeWaitForSingleObject", "counting semaphore 0x10d0", 598),
    (11, "job 2", "KeWaitForSingleObject", "counting semaphore 0x10d0", 602),
    (12, "job 3", "KeWaitForSingleObject", "counting semaphore 0x10d0", 590),
    (13, "timers", "KeWaitForMultipleObjects", "timer 0x10f0, timer 0x10f4 and 3 more", 88),
    (14, "input", "KeWaitForSingleObject", "event 0x1100", 1),
    (15, "network", "KeWaitForSingleObject", "event 0x1104", 0),
    (16, "save games", "KeWaitForSingleObject", "event 0x1108", 2),
];

fn eighteen_waits() -> Vec<WedgeEntry> {
    let mut map =
        vec![entry(1, &guest(1, "main"), "KeWaitForSingleObject", SWAPPED, SPAN_MS - 5_180.0)];
    map[0].wedged = true;
    map[0].woken = Some(Woken { times: 6, longest_ms: 17.2 });
    let mut poller =
        entry(7, &guest(7, "poller"), "KeWaitForSingleObject", POLLED, SPAN_MS - 412.0);
    poller.polls = Some(6_549_579);
    map.push(poller);
    for (tid, name, call, object, times) in POOL {
        let mut one =
            entry(tid, &guest(tid, name), call, object, SPAN_MS - f64::from(tid) * 9_000_000.0);
        let longest_ms = [412.0, 2_310.0][tid as usize % 2];
        one.woken = (times > 0).then_some(Woken { times, longest_ms });
        map.push(one);
    }
    for tid in 17..20 {
        map.push(entry(tid, &guest(tid, ""), "NtDelayExecution", "", 16.0 + f64::from(tid)));
    }
    map[2..].sort_by(|a, b| b.since_ms.total_cmp(&a.since_ms));
    map
}

fn shares() -> Vec<Share> {
    let events = [
        (7, "poller", 65_495_790),
        (4, "streamer", 61_022),
        (2, "audio", 54_633),
        (1, "main", 30_210),
    ];
    let share = |(agent, name, events): (u32, &str, u64)| Share {
        agent,
        name: guest(agent, name),
        events,
        share: events as f64 / EVENTS as f64,
    };
    events.map(share).to_vec()
}

fn covered(kind: ObjectKind, reached: u64, explained: u64, poor: bool) -> Coverage {
    Coverage { kind, reached, explained, poor }
}

fn buckets(of: &[(f64, f64, u64)]) -> Vec<Bucket> {
    of.iter()
        .map(|(from_ms, to_ms, count)| Bucket { from_ms: *from_ms, to_ms: *to_ms, count: *count })
        .collect()
}

fn rate(
    agent: u32,
    name: String,
    what: &'static str,
    object: &str,
    count: u64,
    gaps: (f64, f64),
    shape: &str,
) -> Rate {
    Rate {
        agent,
        name,
        what,
        object: object.to_owned(),
        count,
        hz: count as f64 * 1e3 / SPAN_MS,
        gap_ms_median: gaps.0,
        gap_ms_p99: gaps.1,
        shape: shape.to_owned(),
        gaps: Vec::new(),
    }
}

fn rates() -> Vec<Rate> {
    let mut rates = vec![
        rate(
            7,
            guest(7, "poller"),
            "waits",
            POLLED,
            6_549_579,
            (30.0, 30.0),
            "every 30 ms, its own time-out",
        ),
        rate(
            40,
            "interrupt \"VSync\"".to_owned(),
            "progress",
            "guest callback ran to its end",
            40_122,
            (4_894.0, 5_012.0),
            "every 4.89 s, steady",
        ),
        rate(
            41,
            "interrupt \"audio\"".to_owned(),
            "signals",
            "event 0x10a0",
            18_211,
            (16.61, 412.0),
            "60.2 Hz, vsync-like",
        ),
        rate(
            4,
            guest(4, "streamer"),
            "signals",
            "counting semaphore 0x10b8 \"jobs\"",
            4_417,
            (0.041, 9_312.0),
            "in bursts, 41 µs apart at the median",
        ),
        rate(5, guest(5, ""), "waits", "event 0x10c0", 12, (5_012.0, 5_530.0), "every 5.01 s"),
    ];
    rates[1].gaps = buckets(&[(4_220.0, 5_620.0, 40_121)]);
    rates[0].gaps = buckets(&[(23.7, 31.6, 6_549_578)]);
    rates[2].gaps = buckets(&[
        (10.0, 13.3, 511),
        (13.3, 17.8, 16_120),
        (17.8, 23.7, 1_320),
        (316.0, 422.0, 259),
    ]);
    rates[3].gaps = buckets(&[
        (0.01, 0.0316, 1_204),
        (0.0316, 0.1, 2_391),
        (0.1, 0.316, 402),
        (0.316, 1.0, 41),
        (100.0, 316.0, 9),
        (1000.0, 3160.0, 120),
        (3160.0, 10_000.0, 249),
    ]);
    rates[4].gaps = buckets(&[(4220.0, 5620.0, 11)]);
    rates
}

fn who_is_there(draft: &mut Draft) {
    draft.stuck(1, AgentKind::GuestThread, &guest(1, "main"), "KeWaitForSingleObject", 3_600.0);
    draft.agent(8, AgentKind::GuestThread, &guest(8, "frames"), "ready");
    let mut open = |agent: u32, name: &str, call: &str, seconds: f64| {
        let summary = draft.agent(agent, AgentKind::GuestThread, &guest(agent, name), "waiting");
        summary.call = Some(call.to_owned());
        summary.since_ms = Some(seconds * 1e3);
        draft.wait(agent, call, seconds, None);
    };
    open(7, "poller", "KeWaitForSingleObject", 3_590.0);
    for (tid, name, call, _, _) in POOL {
        open(tid, name, call, 3_500.0 - f64::from(tid) * 100.0);
    }
    (17..20).for_each(|tid| open(tid, "", "NtDelayExecution", 0.02));
    draft.agent(40, AgentKind::Interrupt, "interrupt \"VSync\"", "running");
    draft.agent(41, AgentKind::Interrupt, "interrupt \"audio\"", "running");
    draft.agent(20, AgentKind::GuestThread, &guest(20, "loader"), "exited");
    draft.agent(21, AgentKind::GuestThread, &guest(21, "intro"), "exited");
}

/// A trace without a single event.
pub(crate) fn nothing() -> Sample {
    let mut draft = Draft::new(Verdict::Progressing);
    draft.report.source = "trace empty.jsonl".to_owned();
    draft.done("trace-nothing")
}

/// Names that would do harm on a page or in a terminal, in every place that has one.
pub(crate) fn hostile() -> Sample {
    const BAD: &str = "<script>alert(1)</script>\x1b[2J\u{202e}\"'&{{json}}";
    let wide = "日本語の名前がとても長い場合".repeat(6);
    let mut draft = Draft::new(Verdict::Inconclusive);
    draft.agent(0, AgentKind::HostThread, BAD, "waiting");
    let mut waits =
        vec![entry(0, BAD, BAD, BAD, f64::INFINITY), entry(1, &wide, &wide, &wide, f64::NAN)];
    waits[0].woken = Some(Woken { times: u64::MAX, longest_ms: f64::NAN });
    (waits[0].wedged, waits[0].polls) = (true, Some(u64::MAX));
    let rate = Rate {
        agent: 0,
        name: BAD.to_owned(),
        what: "waits",
        object: wide.clone(),
        count: u64::MAX,
        hz: f64::INFINITY,
        gap_ms_median: f64::NAN,
        gap_ms_p99: -1.0,
        shape: BAD.to_owned(),
        gaps: buckets(&[
            (0.0, 0.0, 0),
            (0.0, 1e-6, u64::MAX),
            (f64::NAN, f64::INFINITY, 3),
            (1e20, 1e30, 1),
        ]),
    };
    draft.report.statistics = Statistics {
        events: u64::MAX,
        span_ms: 0.0,
        agents_alive: u64::MAX,
        agents_exited: 1,
        backwards: 17,
        wedge_map: waits,
        wedge_map_more: u64::MAX - 2,
        dominance: vec![
            Share { agent: 0, name: BAD.to_owned(), events: u64::MAX, share: f64::NAN },
            Share { agent: 1, name: wide.clone(), events: 1, share: 7.0 },
        ],
        poll_runs: vec![PollRun {
            agent: 0,
            name: BAD.to_owned(),
            call: BAD.to_owned(),
            object: wide.clone(),
            polls: u64::MAX,
            bound_ms: 0.0,
            since_ms: -3.0,
            signals: 1,
        }],
        rates: vec![rate],
        starved: vec![Starved {
            agent: 0,
            name: wide.clone(),
            ready_ms: 1.0,
            cpu: Some(u32::MAX),
            priority: Some(i32::MIN),
            instead: vec![BAD.to_owned(), wide],
        }],
        silent_producers: vec![SilentProducer {
            agent: 0,
            name: BAD.to_owned(),
            what: BAD.to_owned(),
            runs: 8,
            owed: 8,
        }],
        coverage: vec![covered(ObjectKind::Other, 0, u64::MAX, true)],
    };
    draft.done("trace-hostile")
}

/// So many agents that no list has them all; of those in the wedge map one in ten cannot proceed.
pub(crate) fn crowd(agents: u32) -> Sample {
    let mut draft = Draft::new(Verdict::Wedged);
    draft.report.source = "trace crowd.jsonl".to_owned();
    for agent in 0..agents {
        let name = format!("worker-{agent:06} of a pool with a long name");
        let seconds = 9.0 - f64::from(agent) * 8.0 / f64::from(agents);
        let wait = draft.agent(agent, AgentKind::Task, &name, "waiting");
        wait.call = Some("select (no cases)".to_owned());
        wait.since_ms = Some(seconds * 1e3);
        // Those who are stuck are late in the list.
        wait.wedged = agent + 26 >= agents;
        draft.wait(agent, "select", seconds, None);
    }
    let map = (0..256_u32).map(|index| {
        let name = format!("task {index} \"worker-{index:06}\"");
        let since_ms = 9_000.0 - f64::from(index) * 30.0;
        let mut one =
            entry(index, &name, "chan receive", &format!("channel 0x{index:x}0"), since_ms);
        one.wedged = index < 26;
        let woken = Woken { times: u64::from(index), longest_ms: 3.0 };
        one.woken = (index % 3 == 0).then_some(woken);
        one
    });
    draft.report.statistics = Statistics {
        events: 10_000_000,
        span_ms: 10_000.0,
        agents_alive: u64::from(agents),
        wedge_map: map.collect(),
        wedge_map_more: u64::from(agents).saturating_sub(256),
        dominance: (0..32)
            .map(|agent| Share { agent, name: format!("task {agent}"), events: 1, share: 1e-7 })
            .collect(),
        ..Statistics::default()
    };
    draft.done("trace-crowd")
}
