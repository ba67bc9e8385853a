//! Is what `guest-kernel` plants what is found?

use unwedge_analyze::{Options, Report, Summary};
use unwedge_sim::explore::{Answer, explore_all};
use unwedge_sim::scenarios::Size;
use unwedge_sim::world::{Exploration, Replay, Step, World};
use unwedge_trace::Timestamp;

use super::judge::{run, said, world};

/// Room for a state of the small world.
const BYTES: usize = 32;

fn judged(switches: &str, rows: usize) -> Report {
    run(&world("guest-kernel", Size::Full, switches), 1, rows)
}

#[track_caller]
fn check(switches: &str, expected: &str) -> Report {
    let report = judged(switches, 60_000);
    assert_eq!(said(&report), expected, "{switches}: {:#?}", report.findings);
    report
}

/// The sentence of the finding with this code says all of this.
#[track_caller]
fn says(report: &Report, code: &str, parts: &[&str]) {
    let finding = report.findings.iter().find(|finding| finding.code == code);
    let finding = finding.unwrap_or_else(|| panic!("no {code}: {:#?}", report.findings));
    for part in parts {
        assert!(finding.sentence.contains(part), "{part}: {}", finding.sentence);
    }
}

#[test]
fn the_incident_is_a_starved_thread_beside_a_livelock() {
    let report = check("", "Wedged UW008 UW014");
    says(
        &report,
        "UW008",
        &[
            "thread 1 \"main\" waits in KeWaitForSingleObject for event 0x10e8",
            "thread 8 \"render\" used to signal it",
            "ready on processor 4 with priority 0",
            "never picked",
            "thread 7 \"display_poll\" (priority 17) runs instead",
        ],
    );
    says(&report, "UW014", &["thread 7 \"display_poll\"", "event 0xbe8cbb5c", "none by a signal"]);
    let evidence = report.findings[1].evidence.join("\n");
    assert!(evidence.contains("interrupt \"vsync\" runs (callback ran)"), "{evidence}");
}

#[test]
fn the_incidents_figures_are_in_the_statistics() {
    let report = judged("", 200_000);
    let statistics = &report.statistics;
    // 21 threads; the interrupts of VSync and of the clock, and a DPC, are agents too.
    assert_eq!((statistics.agents_alive, statistics.agents_exited), (21 + 3, 2));
    assert_eq!((statistics.wedge_map.len(), statistics.wedge_map_more), (18, 0));
    let first = &statistics.dominance[0];
    assert!(first.name.contains("thread 7") && (0.99..1.0).contains(&first.share), "{first:?}");
    let polls = &statistics.poll_runs[0];
    assert_eq!((polls.bound_ms, polls.signals), (30.0, 0), "{polls:?}");
    assert!(polls.object.contains("0xbe8cbb5c"), "{polls:?}");
    let starved = &statistics.starved[0];
    assert_eq!((starved.cpu, starved.priority), (Some(4), Some(0)), "{starved:?}");
    assert!(starved.name.contains("thread 8"), "{starved:?}");
    assert_eq!(statistics.silent_producers[0].what, "callback ran");
}

#[test]
fn no_idle_thread_is_accused() {
    let report = judged("", 200_000);
    for name in ["net_receive", "net_session", "save_game", "audio", "xma_decoder", "unpack"] {
        let entry = report.statistics.wedge_map.iter().find(|entry| entry.name.contains(name));
        assert!(entry.is_some_and(|entry| !entry.wedged), "{name}: {entry:?}");
        let accused = |finding: &unwedge_analyze::Finding| finding.sentence.contains(name);
        assert!(!report.findings.iter().any(accused), "{name}: {:#?}", report.findings);
    }
}

#[test]
fn a_declared_producer_that_never_signals_is_named() {
    let report = check("declare-producer=on", "Wedged UW008 UW013");
    says(&report, "UW013", &["interrupt \"vsync\"", "event 0xbe8cbb5c"]);
}

#[test]
fn the_signal_without_aging_leaves_the_starved_thread() {
    let report = check("signal-written=on", "Wedged UW008");
    says(&report, "UW008", &["thread 8 \"render\"", "never picked"]);
}

#[test]
fn aging_without_the_signal_leaves_polls_in_vain() {
    let report = check("aging=on", "Inconclusive UW014");
    says(&report, "UW014", &["thread 7 \"display_poll\"", "event 0xbe8cbb5c"]);
    check("aging=on declare-producer=on", "Wedged UW013");
}

#[test]
fn both_fixes_let_it_progress() {
    check("signal-written=on aging=on", "Progressing");
    check("signal-written=on aging=on declare-producer=on", "Progressing");
    let report = judged("signal-written=on aging=on", 60_000);
    let rates = &report.statistics.rates;
    let swaps = rates.iter().find(|rate| rate.object == "frame swapped").expect("a rate");
    assert_eq!(swaps.shape, "60.0 Hz, vsync-like");
}

#[test]
fn a_stale_signal_is_a_silent_producer_to_a_source_that_declares_it() {
    let switches = "signal-written=on aging=on reciprocal-clear=off declare-producer=on";
    check(switches, "Wedged UW013");
}

#[test]
fn a_signal_path_that_is_not_observed_forbids_the_acquittal() {
    let report = check("signal-written=on aging=on signal-observed=off", "Inconclusive");
    let missing = report.missing.join("\n");
    assert!(missing.contains("0xbe8cbb5c"), "{missing}");
}

/// A replay of these steps and of so many more, of one agent after the other: nobody who may step is left out for ever.
fn and_on<'w>(world: &'w World, steps: &[Step], more: usize) -> Replay<'w> {
    let mut replay = Replay::new(world);
    for step in steps {
        replay.take(*step).expect("a step that can be taken");
    }
    let mut last = 0;
    for _ in 0..more {
        let can = replay.steps();
        let next = can.iter().find(|step| step.agent.0 > last).or(can.first());
        let Some(step) = next.copied() else { break };
        last = step.agent.0;
        replay.take(step).expect("it was offered");
    }
    replay
}

/// The shortest way into a wedge of the small world, and what is said while it goes on after that.
#[track_caller]
fn shortest(switches: &str, expected: &str) -> Report {
    let world = world("guest-kernel", Size::Small, switches);
    let model = Exploration::<BYTES>::new(&world).expect("it fits");
    let Answer::Wedge(wedge) = explore_all(&model).answer else { panic!("{switches}: no wedge") };
    let steps: Vec<Step> = wedge.path.iter().map(|step| step.action).collect();
    let replay = and_on(&world, &steps, 5_000);
    let now = Timestamp(replay.now());
    let options = Options { patience_ns: 1_000_000_000 };
    let report = Summary::of(&replay.finish()).report("a replay", Some(now), &options);
    assert_eq!(said(&report), expected, "{switches}: {:#?}", report.findings);
    report
}

#[test]
fn the_shortest_wedge_is_said_to_be_what_it_is() {
    // Frames never come back because nobody sets the event; whether the render thread is picked makes no difference by then.
    let report = shortest("", "Inconclusive UW014");
    says(&report, "UW014", &["thread 7 \"display_poll\"", "event 0xbe8cbb5c"]);
    shortest("aging=on", "Inconclusive UW014");
    let report = shortest("signal-written=on", "Wedged UW008");
    says(&report, "UW008", &["thread 8 \"render\"", "processor 4", "never picked"]);
}
