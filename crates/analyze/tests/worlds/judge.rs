//! What does the analysis say of a world?

use unwedge_analyze::{Options, Report, Summary};
use unwedge_sim::scenarios::{self, Size};
use unwedge_sim::switch::Settings;
use unwedge_sim::world::{Replay, Run, Step, World};
use unwedge_trace::Timestamp;

/// How long the world is watched after the last thing that happened in it.
const SILENCE_NS: u64 = 10_000_000_000;

/// A scenario's world with these switches set: `world("frame-loop", Size::Full, "acquire-timeout=5 images=3")`.
#[track_caller]
pub(crate) fn world(name: &str, size: Size, switches: &str) -> World {
    let scenario = scenarios::find(name).unwrap_or_else(|| panic!("no scenario {name}"));
    let mut settings: Settings = scenario.defaults();
    for switch in switches.split_whitespace() {
        let (name, value) = switch.split_once('=').expect("name=value");
        assert!(
            settings.set(name, value).unwrap_or_else(|error| panic!("{error}")),
            "no switch {name}"
        );
    }
    (scenario.build)(&settings, size).unwrap_or_else(|error| panic!("{switches}: {error}"))
}

/// Runs it for so many rows or until nothing happens any more, and then waits a while.
pub(crate) fn run(world: &World, seed: u64, rows: usize) -> Report {
    let mut run: Run = world.run(seed);
    let mut summary = Summary::default();
    let mut told = 0;
    while told < rows {
        let Some(batch) = run.batch((rows - told).min(10_000), u64::MAX) else { break };
        told += batch.rows.len();
        summary.fold(&batch);
    }
    // What ended by itself is watched for a while; what goes on is judged as it is.
    let silence = if told < rows { SILENCE_NS } else { 0 };
    report(&summary, run.now() + silence)
}

/// Takes these steps, and then waits a while.
#[allow(dead_code, reason = "used where wedges are searched for")]
pub(crate) fn replay(world: &World, steps: &[Step]) -> (Vec<String>, Report) {
    let mut replay = Replay::new(world);
    let words =
        steps.iter().map(|step| replay.take(*step).expect("a step that can be taken")).collect();
    let now = replay.now() + SILENCE_NS;
    (words, report(&Summary::of(&replay.finish()), now))
}

fn report(summary: &Summary, now: u64) -> Report {
    let options = Options { patience_ns: summary.patience_ns().min(1_000_000_000) };
    summary.report("a simulated world", Some(Timestamp(now)), &options)
}

/// The verdict's word and the findings' codes, most important first.
pub(crate) fn said(report: &Report) -> String {
    let codes: Vec<_> = report.findings.iter().map(|finding| finding.code).collect();
    format!("{:?} {}", report.verdict, codes.join(" ")).trim_end().to_owned()
}
