//! Stores from outside: what is imported is exported again, tells the same story, and is read by others.
#![allow(clippy::expect_used, reason = "a test that cannot go on says why")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

/// Two threads that hold a lock each and want the other's, and a queue that has signalled one of them before.
const DEADLOCK: &str = include_str!("recordings/deadlock.jsonl");

/// A folder for one test, with a recording in it.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("in.jsonl"), DEADLOCK).expect("a file");
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_unwedge"));
        command.current_dir(self.0.path()).env("NO_COLOR", "1").args(arguments);
        command.output().expect("the command starts")
    }

    /// Standard error, exactly, and the exit status.
    fn check(&self, arguments: &[&str], status: i32, stderr: &str) {
        let output = self.run(arguments);
        let found = String::from_utf8_lossy(&output.stderr);
        assert_eq!((&*found, output.status.code()), (stderr, Some(status)), "{arguments:?}");
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("a file")
    }

    /// What a script of ours says about what is here, or why it cannot.
    fn python(&self, script: &str, argument: &Path) -> Result<Value, String> {
        let built =
            Path::new(env!("CARGO_BIN_EXE_unwedge")).ancestors().nth(2).expect("a target folder");
        let python = built.join("python/bin/python");
        if !python.exists() {
            return Err(format!("{} is not there: see tools/python-packages.sh", python.display()));
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python").join(script);
        let mut command = Command::new("timeout");
        command.arg("120").arg(python).arg(script).arg(argument).current_dir(self.0.path());
        let output = command.output().map_err(|error| error.to_string())?;
        let said = String::from_utf8_lossy(&output.stderr);
        if said.contains("ModuleNotFoundError") {
            return Err(said.lines().last().unwrap_or_default().to_owned());
        }
        assert!(output.status.success(), "{said}");
        Ok(serde_json::from_slice(&output.stdout).expect("JSON"))
    }
}

/// Each part of an object with its items, one a line.
fn lines(parts: &Value) -> String {
    let mut text = String::new();
    for (part, value) in parts.as_object().expect("an object") {
        match value.as_array() {
            Some(items) => {
                text += &format!("{part}\n");
                items.iter().for_each(|item| text += &format!("  {item}\n"));
            }
            None => text += &format!("{part} {value}\n"),
        }
    }
    text
}

#[test]
fn what_is_imported_and_exported_has_the_same_report() {
    let place = Place::new();
    let output = place.run(&["import", "in.jsonl", "store"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.starts_with("unwedge: store: 18 rows, "), "{said}");
    place.check(&["export", "store", "--jsonl", "out.jsonl"], 0, "");
    let report = |recording: &str| place.run(&["explain", "--json", "--", recording]);
    let (before, after) = (report("in.jsonl"), report("out.jsonl"));
    assert_eq!(before.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&after.stdout), String::from_utf8_lossy(&before.stdout));
    // Introductions first, then the events as they were.
    let events = |text: &str| -> Vec<Value> {
        let lines = text.lines().map(|line| serde_json::from_str(line).expect("JSON"));
        lines
            .filter(|event: &Value| event.get("is_agent").or(event.get("is_object")).is_none())
            .collect()
    };
    assert_eq!(events(&place.text("out.jsonl")), events(&place.text("in.jsonl")));
    let first = place.text("out.jsonl").lines().skip(1).take(6).all(|line| line.contains("\"is_"));
    assert!(first, "{}", place.text("out.jsonl"));
    // And a store of a store, or of what was exported, is the same store.
    place.run(&["import", "store", "again"]);
    place.run(&["import", "out.jsonl", "thrice"]);
    for other in ["again", "thrice"] {
        for file in ["events/00000.parquet", "agents.parquet", "objects.parquet", "names.parquet"] {
            let bytes = |store: &str| fs::read(place.path(store).join(file)).expect("a file");
            assert!(bytes("store") == bytes(other), "{other}/{file}");
        }
    }
}

/// A wait that began half a second before the end, and a header that says how young a wait may be.
#[track_caller]
fn check_patience(header: &str, status: i32) {
    let place = Place::new();
    let events = DEADLOCK.split_once('\n').expect("a header").1;
    let header: Value = serde_json::from_str(header).expect("JSON");
    fs::write(place.path("in.jsonl"), format!("{header}\n{events}")).expect("a file");
    place.run(&["import", "in.jsonl", "store"]);
    place.run(&["export", "store", "--jsonl", "out.jsonl"]);
    for recording in ["in.jsonl", "store", "out.jsonl"] {
        let output = place.run(&["explain", recording]);
        assert_eq!(output.status.code(), Some(status), "{recording} with {header}: {output:?}");
    }
}

#[test]
fn a_recording_says_how_young_a_wait_may_be_and_keeps_saying_so() {
    let first: Value =
        serde_json::from_str(DEADLOCK.lines().next().expect("a header")).expect("JSON");
    let now = first["now"].as_u64().expect("a time");
    let header = |patience: u64| {
        json!({"unwedge_trace": 1, "source": "a test", "now": now, "patience_ns": patience})
            .to_string()
    };
    check_patience(&first.to_string(), 1);
    check_patience(&header(0), 1);
    check_patience(&header(now + 1), 0);
}

#[test]
fn export_takes_what_is_no_store_yet_and_writes_to_standard_output() {
    let place = Place::new();
    place.run(&["import", "in.jsonl", "store"]);
    place.check(&["export", "store", "--jsonl", "out.jsonl", "--perfetto", "a.pftrace"], 0, "");
    let output = place.run(&["export", "in.jsonl", "--jsonl", "-"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), place.text("out.jsonl"));
    let output = place.run(&["export", "in.jsonl", "--perfetto", "-"]);
    assert!(output.stdout == fs::read(place.path("a.pftrace")).expect("a trace"));
}

#[test]
fn what_cannot_be_imported_or_exported_is_one_line_and_a_hint() {
    let place = Place::new();
    place.run(&["import", "in.jsonl", "store"]);
    place.check(
        &["import", "in.jsonl", "store"],
        2,
        "error: store exists and is not empty\nhint: name another folder; --force replaces a store\n",
    );
    assert_eq!(place.run(&["import", "--force", "in.jsonl", "store"]).status.code(), Some(0));
    fs::create_dir(place.path("mine")).expect("a folder");
    fs::write(place.path("mine/photo"), "").expect("a file");
    place.check(
        &["import", "--force", "in.jsonl", "mine"],
        2,
        "error: mine is not a store of unwedge, and is not replaced\nhint: name another folder\n",
    );
    place.check(
        &["import", "in.jsonl", "no/such/folder"],
        2,
        "error: no/such/folder: No such file or directory (os error 2)\nhint: does its folder exist?\n",
    );
    place.check(
        &["export", "store"],
        2,
        "error: the following required arguments were not provided: <--jsonl <FILE>|--perfetto <FILE>>\n\
         hint: see unwedge export --help\n",
    );
    place.check(
        &["export", "store", "--jsonl", "no/such/file"],
        2,
        "error: --jsonl: no/such/file cannot be written: No such file or directory (os error 2)\n\
         hint: does its folder exist?\n",
    );
    fs::create_dir(place.path("bare")).expect("a folder");
    fs::create_dir(place.path("bare/events")).expect("a folder");
    place.check(
        &["export", "bare", "--jsonl", "-"],
        2,
        "error: bare is not a store of unwedge: it has neither a manifest.json that can be read nor segments in events\n\
         hint: a store is a folder that unwedge import has made\n",
    );
    // Nothing half-made stays.
    let output = place.run(&["import", "nothing", "new"]);
    assert_eq!(output.status.code(), Some(2));
    let left = fs::read_dir(place.0.path()).expect("the folder").flatten();
    let left: Vec<String> =
        left.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    assert!(!left.iter().any(|name| name == "new" || name.contains("partial")), "{left:?}");
}

#[test]
fn what_is_missing_of_a_store_is_said_and_lost() {
    let place = Place::new();
    place.run(&["import", "in.jsonl", "store"]);
    fs::remove_file(place.path("store/events/00000.parquet")).expect("it goes");
    let said = "unwedge: store: events/00000.parquet: it is missing\n";
    place.check(&["export", "store", "--jsonl", "out.jsonl"], 0, said);
    assert!(place.text("out.jsonl").contains(r#""lost":{"count":18}"#));
    let report = place.run(&["explain", "--json", "--", "out.jsonl"]);
    let report: Value = serde_json::from_slice(&report.stdout).expect("JSON");
    assert_eq!(report["events_lost"], 18);
}

#[test]
fn duckdb_and_polars_read_a_store_and_the_examples_of_its_page_run() {
    let place = Place::new();
    place.run(&["import", "in.jsonl", "store"]);
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/store.md");
    let read = match place.python("read_store.py", &page) {
        Ok(read) => read,
        Err(why) => return eprintln!("skipped: {why}"),
    };
    let (duckdb, polars) = (&read["duckdb"], &read["polars"]);
    for part in ["ops", "whole", "objects"] {
        assert_eq!(duckdb[part], polars[part], "{part}");
    }
    insta::assert_snapshot!(lines(duckdb));
    let examples = read["examples"].as_object().expect("examples");
    assert_eq!(examples.len(), 4);
    assert_eq!(examples["0 sql"][0], json!(["render", "wait_began", 3]));
    assert_eq!(examples["1 sql"], json!([["vkWaitSemaphores", "timeline_semaphore", "0x70", 1]]));
    assert_eq!(examples["2 sql"], json!([[0, 0.0005, 1]]));
    assert_eq!(examples["3 python"][0], json!(["render", "wait_began", 3]));
}

#[test]
fn perfetto_knows_every_field_of_an_exported_trace() {
    let place = Place::new();
    place.check(&["export", "in.jsonl", "--perfetto", "a.pftrace"], 0, "");
    let read = match place.python("read_perfetto.py", &place.path("a.pftrace")) {
        Ok(read) => read,
        Err(why) => return eprintln!("skipped: {why}"),
    };
    insta::assert_snapshot!(lines(&read));
}
