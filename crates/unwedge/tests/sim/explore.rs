//! Is the wedge found where the fix is off, and is it absent where it is on? And is it the same one again?

use std::fs;

use serde_json::{Value, json};

use crate::place::{Place, codes};

/// What wedges the frame loop, and what mends it.
const FAULT: [&str; 2] = ["--set", "acquire-timeout=on"];
const FIX: [&str; 2] = ["--set", "reset-after-acquire=on"];

fn explore(more: &[&'static str]) -> Vec<&'static str> {
    ["sim", "frame-loop", "--explore"]
        .into_iter()
        .chain(FAULT)
        .chain(more.iter().copied())
        .collect()
}

#[test]
fn a_wedge_is_told_step_by_step_and_with_its_finding() {
    let place = Place::new();
    let text = place.said(&["sim", "frame-loop", "--explore", "--set", "drop-notification=on"], 1);
    assert!(text.starts_with("wedge: after "), "{text}");
    assert!(text.contains("meets a fault: drop-notification"), "{text}");
    assert!(text.contains("wedged[UW004]: signal lost"), "{text}");
    assert!(text.contains("\nfaults: drop-notification, at every occasion; "), "{text}");
}

#[test]
fn with_the_fix_there_is_none() {
    let place = Place::new();
    let text = place.said(&explore(&FIX), 0);
    assert!(text.starts_with("no wedge in "), "{text}");
    let answer = place.json(&explore(&[FIX[0], FIX[1], "--json"]), 0);
    assert_eq!(answer["answer"], "no_wedge");
    assert!(answer["counts"]["states"].as_u64() > Some(3), "{answer}");
    assert_eq!(answer["steps"], Value::Null);
    let said =
        place.writes(&explore(&[FIX[0], FIX[1], "--out", "x.jsonl", "--replay-out", "r.json"]), 0);
    assert_eq!(
        said,
        "unwedge: x.jsonl: nothing is written, for there is no wedge\n\
         unwedge: r.json: nothing is written, for there is no wedge\n"
    );
    assert!(!place.path("x.jsonl").exists() && !place.path("r.json").exists());
}

#[test]
fn without_a_fault_there_is_none_and_that_is_said() {
    let place = Place::new();
    let text = place.ok(&["sim", "frame-loop", "--explore"]);
    assert!(text.contains("faults: none was tried"), "{text}");
    // As many as may strike: none.
    let text = place.ok(&explore(&["--faults", "0"]));
    assert!(text.contains("faults: none was tried"), "{text}");
}

#[test]
fn a_replay_goes_the_same_way_to_the_same_finding() {
    let place = Place::new();
    let answer = place.json(&explore(&["--json", "--replay-out", "r.json"]), 1);
    let replayed = place.json(&["sim", "--replay", "r.json", "--json"], 1);
    for field in ["scenario", "switches", "faults_max", "steps", "then", "back_to"] {
        assert_eq!(replayed[field], answer[field], "{field}");
    }
    assert_eq!(replayed["report"]["findings"], answer["report"]["findings"]);
    assert_eq!(codes(&answer["report"]).len(), 1);
}

#[test]
fn the_trace_of_a_wedge_is_explained_as_the_wedge_was() {
    let place = Place::new();
    place.writes(
        &explore(&["--out", "wedge.jsonl", "--replay-out", "r.json", "--json", "a.json"]),
        1,
    );
    place.writes(&["sim", "--replay", "r.json", "--out", "again", "--json", "b.json"], 1);
    for (trace, answer) in [("wedge.jsonl", "a.json"), ("again", "b.json")] {
        let answer: Value = serde_json::from_slice(&place.bytes(answer)).expect("JSON");
        assert_eq!(place.json(&["explain", "--json", "--", trace], 1), answer["report"], "{trace}");
    }
}

#[test]
fn a_bound_that_is_met_is_said_and_proves_nothing() {
    let place = Place::new();
    let text = place.said(&explore(&[FIX[0], FIX[1], "--states-max", "5"]), 3);
    let expected = "not known: no wedge in 5 states, but the bound of 5 states was met before all were explored; \
                    raise it with --states-max\n";
    assert!(text.starts_with(expected), "{text}");
    let answer = place.json(&explore(&[FIX[0], FIX[1], "--states-max", "5", "--json"]), 3);
    assert_eq!(answer["answer"], "not_known");
    assert_eq!(answer["bound"], "the bound of 5 states");
}

/// A replay with one thing changed is refused in one line.
#[test]
fn a_replay_that_is_none_of_ours_is_refused() {
    let place = Place::new();
    place.writes(&explore(&["--replay-out", "r.json"]), 1);
    let good: Value = serde_json::from_slice(&place.bytes("r.json")).expect("JSON");
    let check = |field: &str, value: Value, why: &str, hint: &str| {
        let mut replay = good.clone();
        replay[field] = value;
        fs::write(place.path("bad.json"), replay.to_string()).expect("a file");
        place.refuses(
            &["sim", "--replay", "bad.json"],
            &format!("error: bad.json: {why}\nhint: {hint}\n"),
        );
    };
    let again = "explore again with this version";
    let version = env!("CARGO_PKG_VERSION");
    check(
        "unwedge_replay",
        json!(2),
        "it is a replay of format version 2, this program reads version 1",
        again,
    );
    let other = format!(
        "it is a replay of version \"9.9.9\", and this is version {version}, whose worlds may be others"
    );
    check("version", json!("9.9.9"), &other, again);
    check(
        "scenario",
        json!("frame-lop"),
        "there is no scenario \"frame-lop\"",
        "did you mean frame-loop?; see unwedge sim --list",
    );
    check(
        "scenario",
        json!(7),
        "it is no whole replay: its \"scenario\" cannot be read",
        "explore again",
    );
    check(
        "switches",
        json!({ "acquire-timout": "on" }),
        "frame-loop has no switch \"acquire-timout\"",
        "did you mean acquire-timeout?; see unwedge sim frame-loop --list",
    );
    check(
        "faults_max",
        json!(-1),
        "it is no whole replay: its \"faults_max\" cannot be read",
        "explore again",
    );
    check(
        "steps",
        json!([{ "agent": 0 }]),
        "it is no whole replay: its \"steps\" cannot be read",
        "explore again",
    );
    check(
        "back_to",
        json!(99),
        "it is no whole replay: its \"back_to\" cannot be read",
        "explore again",
    );
    let changed = "was the file changed? explore again";
    check(
        "steps",
        json!([{ "agent": 999, "way": "go" }]),
        "step 1 cannot be taken in this world",
        changed,
    );
    let mut other = good["steps"].clone();
    other[0]["does"] = json!("main dances");
    check("steps", other, "step 1 (\"main dances\") cannot be taken in this world", changed);
}

#[test]
fn what_is_no_replay_is_refused() {
    let place = Place::new();
    let hint = "hint: a replay is written by unwedge sim NAME --explore --replay-out FILE\n";
    for text in ["", "{", "[]", "{\"unwedge_trace\":1}", "\u{0}\u{1}", "null"] {
        fs::write(place.path("bad.json"), text).expect("a file");
        place.refuses(
            &["sim", "--replay", "bad.json"],
            &format!("error: bad.json: it is not a replay\n{hint}"),
        );
    }
    let missing = format!("error: no.json: No such file or directory (os error 2)\n{hint}");
    place.refuses(&["sim", "--replay", "no.json"], &missing);
}
