//! Do the recordings in `traces/` have the answers that their stories promise, does every verb read them, and does what
//! docs/traces.md shows come out?
#![allow(clippy::expect_used, reason = "a test that cannot go on says why")]

#[path = "rig/mod.rs"]
#[allow(dead_code, reason = "other suites use the rest")]
mod rig;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Set, the answers are written instead of compared.
const REFRESH: &str = "UNWEDGE_REFRESH_EXPECTED";

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The names of the recordings, in order.
fn recordings() -> Vec<String> {
    let entries = fs::read_dir(repository().join("traces")).expect("the folder of recordings");
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> =
        names.filter_map(|name| Some(name.strip_suffix(".jsonl")?.to_owned())).collect();
    names.sort();
    assert!(!names.is_empty(), "no recordings");
    names
}

/// Runs the command in `folder`.
fn unwedge(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_unwedge"));
    command.env("NO_COLOR", "1").stdin(Stdio::null()).current_dir(folder).args(arguments);
    rig::run(&mut command)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What `explain` prints, and its exit status in a last line.
fn explained(folder: &Path, path: &str) -> String {
    let output = unwedge(folder, &["explain", path]);
    assert_eq!(text(&output.stderr), "", "{path}");
    let status = output.status.code().expect("it ended by itself");
    format!("{}exit status {status}\n", text(&output.stdout))
}

#[test]
fn every_recording_has_the_answer_that_its_story_promises() {
    for name in recordings() {
        let told = explained(&repository(), &format!("traces/{name}.jsonl"));
        let expected = repository().join(format!("traces/{name}.expected.txt"));
        if std::env::var_os(REFRESH).is_some() {
            fs::write(&expected, &told).expect("the answer is written");
        }
        let expected = fs::read_to_string(expected).expect("an answer is kept beside it");
        assert_eq!(told, expected, "traces/{name}.jsonl; {REFRESH}=1 writes what it says now");
    }
}

#[test]
fn every_recording_has_a_story_and_every_story_a_recording() {
    let page = fs::read_to_string(repository().join("traces/README.md")).expect("the stories");
    let headings = page.lines().filter_map(|line| line.strip_prefix("## "));
    let mut stories: Vec<&str> = headings.collect();
    stories.sort_unstable();
    assert_eq!(stories, recordings());
}

#[test]
fn every_verb_reads_every_recording() {
    let repository = repository().canonicalize().expect("the repository");
    for name in recordings() {
        let place = tempfile::tempdir().expect("a folder");
        let recording = repository.join(format!("traces/{name}.jsonl"));
        let recording = recording.to_str().expect("a path in UTF-8");
        let expected = explained(place.path(), recording);
        let does = |arguments: &[&str]| {
            let output = unwedge(place.path(), arguments);
            assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
            text(&output.stdout)
        };
        does(&["import", recording, "store"]);
        // Of a store the counts over all events come first.
        let stored = explained(place.path(), "store");
        assert!(stored.ends_with(&expected), "{name} from its store:\n{stored}");
        does(&["export", "store", "--jsonl=back.jsonl", "--perfetto=trace.pftrace"]);
        assert_eq!(explained(place.path(), "back.jsonl"), expected, "{name} written out again");
        let perfetto = fs::read(place.path().join("trace.pftrace")).expect("a trace for Perfetto");
        assert!(perfetto.len() > 1000, "{name}: {} bytes", perfetto.len());
        let same = does(&["diff", recording, recording]);
        assert!(same.starts_with("same: bit-identical"), "{name}: {same}");
        let same = does(&["diff", recording, "back.jsonl"]);
        assert!(same.starts_with("same: bit-identical"), "{name} written out again: {same}");
        unwedge(place.path(), &["explain", "--html=page.html", "--json=report.json", recording]);
        let page = fs::read_to_string(place.path().join("page.html")).expect("a page");
        assert!(page.ends_with("</html>\n"), "{name}: the page is torn");
        let report = fs::read(place.path().join("report.json")).expect("a report");
        let report: serde_json::Value = serde_json::from_slice(&report).expect("JSON");
        let found = report["findings"].as_array().map_or(0, Vec::len);
        assert_eq!(found, expected.matches("= for more: ").count(), "{name}");
    }
}

/// The example of a page, when it is of a recording, is what the command prints of it.
#[test]
fn the_examples_of_the_pages_are_the_answers() {
    let mut examples = 0;
    for entry in fs::read_dir(repository().join("docs/findings")).expect("the pages").flatten() {
        let page = fs::read_to_string(entry.path()).expect("a page");
        let Some((name, shown)) = blocks(&page, "text").find_map(|block| {
            let (command, shown) = block.split_once('\n')?;
            let name = command.strip_prefix("$ unwedge explain traces/")?;
            Some((name.to_owned(), shown.to_owned()))
        }) else {
            continue;
        };
        let name = name.strip_suffix(".jsonl").expect("a recording");
        let expected = repository().join(format!("traces/{name}.expected.txt"));
        let expected = fs::read_to_string(expected).expect("an answer is kept");
        let (report, _) = expected.rsplit_once("exit status").expect("a status");
        assert_eq!(shown, report, "{}", entry.path().display());
        examples += 1;
    }
    assert!(examples > 0, "no page has an example of a recording");
}

/// docs/traces.md: a foreign log, the line that makes JSON of it, the profile, and the answer.
#[test]
fn the_way_from_a_foreign_log_to_an_answer_is_as_shown() {
    let page = fs::read_to_string(repository().join("docs/traces.md")).expect("docs/traces.md");
    let place = tempfile::tempdir().expect("a folder");
    let only = |language: &str| {
        let (_, walk) = page.split_once("\n## A trace of your own\n").expect("the walk-through");
        blocks(walk, language).next().expect("a block")
    };
    fs::write(place.path().join("player.log"), only("log")).expect("the log");
    fs::write(place.path().join("player.toml"), only("toml")).expect("the profile");
    let shown = only("text");
    let (command, answer) = shown.split_once("\n").expect("a command and its answer");
    let built = Path::new(env!("CARGO_BIN_EXE_unwedge")).parent().expect("a folder");
    let path = std::env::var("PATH").expect("a path");
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("{}{}", only("sh"), command.trim_start_matches("$ ")));
    shell.current_dir(place.path()).env("NO_COLOR", "1").stdin(Stdio::null());
    shell.env("PATH", format!("{}:{path}", built.display()));
    let output = rig::run(&mut shell);
    assert_eq!(text(&output.stderr), "");
    assert_eq!(text(&output.stdout), answer);
    assert_eq!(output.status.code(), Some(1));
}

/// The trace of the incident in small, as the README and docs/traces.md show it, with lines left out.
#[test]
fn the_shortened_answers_are_of_that_trace() {
    let place = tempfile::tempdir().expect("a folder");
    for (name, more) in [("hot", &[][..]), ("reference", &["--engine", "reference"])] {
        let mut generate = Command::new(rig::built("unwedge-bench"));
        generate.args(["generate", "hot", "--events", "200000", "--out"]);
        generate.arg(format!("{name}.jsonl")).args(more);
        let output = rig::run(generate.current_dir(place.path()));
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
    let shown_in = |arguments: &[&str], pages: &[&str]| {
        let output = unwedge(place.path(), arguments);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
        let command = format!("$ unwedge {}\n", arguments.join(" "));
        for page in pages {
            let path = repository().join(page);
            let whole = fs::read_to_string(path).expect("a page");
            let shown = blocks(&whole, "text")
                .find_map(|block| Some(block.split_once(&command)?.1.to_owned()))
                .unwrap_or_else(|| panic!("{page}: no block has {command}"));
            let told = text(&output.stdout);
            let mut rest = told.lines();
            let kept = |line: &&str| !line.trim().is_empty() && line.trim() != "…";
            for line in shown.lines().filter(kept) {
                let real = rest.any(|real| real == line);
                assert!(real, "{page}: not printed, or not there:\n{line}\n{told}");
            }
        }
    };
    shown_in(&["explain", "hot.jsonl"], &["README.md", "docs/traces.md"]);
    shown_in(&["diff", "hot.jsonl", "reference.jsonl"], &["docs/traces.md"]);
}

/// The contents of the blocks of code in a language.
fn blocks(page: &str, language: &str) -> impl Iterator<Item = String> {
    let fenced = page.split("\n```").skip(1).step_by(2);
    let inside = fenced.filter_map(move |block| block.strip_prefix(language)?.strip_prefix('\n'));
    inside.map(|block| format!("{block}\n"))
}
