//! Is a trace the same whichever way it goes, and whenever it is made?

use serde_json::Value;

use crate::place::{Place, codes};

/// A run as JSON Lines, as a store and at once: one report.
#[track_caller]
fn check(switches: &[&str], events: &str, expected: &[&str]) {
    let place = Place::new();
    let with = |more: &[&'static str]| -> Vec<String> {
        let set = switches.iter().flat_map(|switch| ["--set", switch]);
        let all = ["sim", "frame-loop", "--seed", "7", "--events", events].into_iter().chain(set);
        all.chain(more.iter().copied()).map(str::to_owned).collect()
    };
    let run = |arguments: Vec<String>, status| {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        place.writes(&arguments, status)
    };
    let status = i32::from(!expected.is_empty());
    run(with(&["--out", "trace.jsonl"]), 0);
    run(with(&["--out", "store"]), 0);
    run(with(&["--json", "direct.json"]), status);
    let direct: Value = serde_json::from_slice(&place.bytes("direct.json")).expect("JSON");
    assert_eq!(codes(&direct), expected);
    for trace in ["trace.jsonl", "store"] {
        let report = place.json(&["explain", "--json", "--", trace], status);
        assert_eq!(report, direct, "{trace}");
    }
    let said = |arguments: &[&str]| place.said(arguments, status);
    let text = said(&["explain", "trace.jsonl"]);
    assert_eq!(said(&["explain", "store"]), text);
    let arguments = with(&[]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    assert_eq!(said(&arguments), text);
}

#[test]
fn a_wedge_that_is_written_is_the_wedge_that_is_explained_at_once() {
    check(&["drop-notification=40"], "100000", &["UW004"]);
}

#[test]
fn a_healthy_world_is_healthy_whichever_way_its_trace_goes() {
    check(&[], "3000", &[]);
    check(&[], "20000", &[]);
}

#[test]
fn one_seed_is_one_run_to_the_last_byte() {
    let place = Place::new();
    let run = |seed: &str, file: &str| {
        place.writes(&["sim", "frame-loop", "--seed", seed, "--events", "30000", "--out", file], 0);
    };
    run("5", "a.jsonl");
    run("5", "b.jsonl");
    run("6", "c.jsonl");
    let [a, b, c] = ["a.jsonl", "b.jsonl", "c.jsonl"].map(|file| place.bytes(file));
    assert!(a == b);
    assert!(a != c);
    let piped = place.ok(&["sim", "frame-loop", "--seed", "5", "--events", "30000", "--out", "-"]);
    assert!(piped.as_bytes() == a);
}

#[test]
fn as_many_events_as_were_asked_for_are_told() {
    let place = Place::new();
    for events in ["1", "2", "777", "40001"] {
        let trace = place.ok(&["sim", "frame-loop", "--events", events, "--out", "-"]);
        let lines = trace.lines().skip(1).filter(|line| !line.contains(",\"is_"));
        assert_eq!(lines.count().to_string(), events);
    }
}

#[test]
fn the_source_is_the_command_that_makes_the_trace_again() {
    let place = Place::new();
    let set = ["--set", "drop-notification=40", "--set", "reset-after-acquire=off"];
    let run: Vec<_> =
        ["sim", "frame-loop", "--seed", "9", "--out", "-"].into_iter().chain(set).collect();
    let trace = place.ok(&run);
    let header: Value =
        serde_json::from_str(trace.lines().next().expect("a header")).expect("JSON");
    let version = env!("CARGO_PKG_VERSION");
    // A switch that is as it is if nothing is said needs no word.
    let words = "sim frame-loop --seed 9 --events 100000 --set drop-notification=40";
    assert_eq!(header["source"], format!("unwedge {words} ({version})"));
    let again: Vec<&str> = words.split(' ').chain(["--out", "-"]).collect();
    assert!(place.ok(&again) == trace);
}

#[test]
fn a_world_that_has_ended_is_watched_for_ten_seconds_more() {
    let place = Place::new();
    let trace = place.ok(&["sim", "venus-ring", "--set", "host-dies=3", "--out", "-"]);
    let line = |text: &str| -> Value { serde_json::from_str(text).expect("JSON") };
    let now = line(trace.lines().next().expect("a header"))["now"].as_u64().expect("a time");
    let last = line(trace.lines().last().expect("an event"))["at"].as_u64().expect("a time");
    assert!((10_000_000_000..10_100_000_000).contains(&(now - last)), "{now} {last}");
}

#[test]
fn a_store_is_replaced_only_by_force() {
    let place = Place::new();
    let run = ["sim", "frame-loop", "--events", "10", "--out", "store"];
    let said = place.writes(&run, 0);
    assert!(said.starts_with("unwedge: store: 10 events in "), "{said}");
    place.refuses(&run, "error: store exists and is not empty\nhint: name another folder; --force replaces a store\n");
    let force: Vec<_> = run.into_iter().chain(["--force"]).collect();
    place.writes(&force, 0);
}

#[test]
fn whoever_closes_the_pipe_has_read_enough() {
    let place = Place::new();
    let command = format!(
        "{} sim frame-loop --events 1000000 --out - | head -n 1",
        env!("CARGO_BIN_EXE_unwedge")
    );
    let mut shell = std::process::Command::new("timeout");
    let output = shell.args(["60", "bash", "-c", &format!("set -o pipefail; {command}")]);
    let output = output.current_dir(place.path(".")).output().expect("a shell");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}
