//! Does `explain` answer incident 3, the trace that is too large to read, on a trace of its shape?
//!
//! The trace is written by the benchmark's generator, with the incident's figures in proportion: one thread's timed-out polls
//! are 99.7 % of it, the thread that would end everybody's wait is ready and never picked, an interrupt
//! runs and signals nothing, and 18 threads wait.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// Lines of the trace: enough for all of its shape, few enough for a test.
const EVENTS: &str = "200000";

/// The generator lies beside the command where the whole workspace was built.
fn generator() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_BIN_EXE_unwedge")).with_file_name("unwedge-bench");
    if !path.is_file() {
        eprintln!("skipped: {} is not built; cargo build --workspace builds it", path.display());
        return None;
    }
    Some(path)
}

fn trace(folder: &Path, name: &str, more: &[&str]) -> Option<PathBuf> {
    let path = folder.join(name);
    let mut command = Command::new(generator()?);
    command.args(["generate", "hot", "--events", EVENTS, "--out"]).arg(&path).args(more);
    let output = command.output().expect("the generator runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(path)
}

fn unwedge(arguments: &[&str], path: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_unwedge"));
    command.args(arguments).arg(path).env("NO_COLOR", "1").output().expect("unwedge runs")
}

fn report(path: &Path) -> (Option<i32>, Value) {
    let output = unwedge(&["explain", "--json=-"], path);
    let text = String::from_utf8_lossy(&output.stdout);
    (
        output.status.code(),
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}")),
    )
}

#[test]
fn the_answer_of_incident_three_is_all_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(path) = trace(folder.path(), "hot.jsonl", &[]) else { return };
    let (status, report) = report(&path);
    assert_eq!((status, &report["verdict"]), (Some(1), &"wedged".into()));
    let first = &report["findings"][0];
    assert_eq!(first["code"], "UW008");
    let sentence = first["sentence"].as_str().expect("a sentence");
    for part in
        ["guest thread 8", "ready on processor 4", "never picked", "guest thread 7", "priority 17"]
    {
        assert!(sentence.contains(part), "{part}: {sentence}");
    }
    let codes: Vec<_> =
        report["findings"].as_array().expect("findings").iter().map(|f| &f["code"]).collect();
    assert!(codes.contains(&&Value::from("UW014")), "{codes:?}");
    let statistics = &report["statistics"];
    let map = statistics["wedge_map"].as_array().expect("a map");
    let polls = |entry: &&Value| entry.get("polls").is_some();
    assert_eq!(map.iter().filter(|entry| !polls(entry)).count(), 18);
    assert!(map.iter().filter(|entry| !polls(entry)).all(|entry| entry["wedged"] == true));
    assert!(map.iter().any(|entry| entry["agent"] == 1 && entry["object"] == "event 0x10e8"));
    let run = &statistics["poll_runs"][0];
    assert_eq!(
        (&run["agent"], &run["bound_ms"], &run["signals"]),
        (&7.into(), &30.0.into(), &0.into())
    );
    let share = statistics["dominance"][0]["share"].as_f64().expect("a share");
    assert!((0.99..1.0).contains(&share), "{share}");
    assert_eq!(statistics["starved"][0]["agent"], 8);
    assert_eq!(statistics["silent_producers"][0]["what"], "vsync");
}

#[test]
fn the_engine_that_works_is_not_accused() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(path) = trace(folder.path(), "reference.jsonl", &["--engine", "reference"]) else {
        return;
    };
    let (status, report) = report(&path);
    assert_eq!(report["findings"], Value::Array(Vec::new()));
    // Its waits on the interrupt's object succeed, and no signal of it is on record: that forbids an acquittal.
    assert_eq!((status, &report["verdict"]), (Some(3), &"inconclusive".into()));
    let missing = report["missing"].to_string();
    assert!(missing.contains("0xbe8cbb5c"), "{missing}");
    let rates = report["statistics"]["rates"].as_array().expect("rates");
    let vsync = rates.iter().find(|rate| rate["object"] == "event 0xbe8cbb5c").expect("a rate");
    assert_eq!(vsync["shape"], "60.2 Hz, vsync-like");
}

#[test]
fn a_declared_producer_that_never_signals_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(path) = trace(folder.path(), "declared.jsonl", &["--declare-producer"]) else {
        return;
    };
    let (_, report) = report(&path);
    let findings = report["findings"].as_array().expect("findings");
    let silent = findings.iter().find(|finding| finding["code"] == "UW013");
    let silent = silent.unwrap_or_else(|| panic!("{findings:#?}"));
    assert!(silent["sentence"].as_str().expect("a sentence").contains("interrupt"), "{silent}");
}

#[test]
fn a_store_of_it_has_the_same_report() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(path) = trace(folder.path(), "hot.jsonl", &[]) else { return };
    let store = folder.path().join("store");
    let mut import = Command::new(env!("CARGO_BIN_EXE_unwedge"));
    let output = import.arg("import").args([&path, &store]).output().expect("unwedge runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(report(&store), report(&path));
}
