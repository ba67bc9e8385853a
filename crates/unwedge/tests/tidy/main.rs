//! Does the repository keep its own rules? Each rule is a table and a check; exceptions stand one a line, with the reason,
//! and only ever become fewer: one that is not needed any more fails the test too.
#![allow(clippy::expect_used, reason = "a test may stop at the first surprise")]

mod arrows;
mod docs;
mod sources;
mod waits;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository")
}

/// A text file of the repository: its path from the root, and what is in it.
struct File {
    path: String,
    text: String,
}

/// Every text file below `folder` whose name ends in one of `endings`, in order; build output, git's own and kept
/// benchmark runs aside.
fn files(folder: &str, endings: &[&str]) -> Vec<File> {
    let root = root();
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if path.is_dir() && !matches!(name.as_str(), "target" | ".git") {
                folders.push(path);
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                let Ok(text) = fs::read_to_string(&path) else { continue };
                let path = path.strip_prefix(&root).expect("below the root");
                found.push(File { path: path.to_string_lossy().into_owned(), text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// An exception from a rule: the file, how much of it, and why.
type Exception = (&'static str, usize, &'static str);

/// Compares what was found, a number for each file, with the exceptions; says what to do about each difference.
fn ratchet(rule: &str, found: &BTreeMap<String, usize>, exceptions: &[Exception]) {
    let mut complaints = Vec::new();
    for (path, count) in found {
        let allowed =
            exceptions.iter().find(|(file, _, _)| file == path).map_or(0, |(_, count, _)| *count);
        if *count > allowed {
            complaints.push(format!("{path}: {count}, allowed {allowed}"));
        }
    }
    for (path, allowed, _) in exceptions {
        let count = found.get(*path).copied().unwrap_or(0);
        if count < *allowed {
            complaints
                .push(format!("{path}: {count}, and its exception still says {allowed}: lower it"));
        }
    }
    assert!(complaints.is_empty(), "{rule}:\n  {}", complaints.join("\n  "));
}

/// The code of a Rust file with comments and the test module blanked out; lines keep their numbers.
fn code(text: &str) -> String {
    let program = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let mut out = String::new();
    for line in program.lines() {
        // A `//` inside a string, as in an address, cuts off too much: good enough for a tidy test.
        out.push_str(line.split("//").next().unwrap_or_default());
        out.push('\n');
    }
    out
}

#[test]
fn the_ratchet_complains_both_ways() {
    let found = BTreeMap::from([("a.rs".to_owned(), 2)]);
    let fails = |exceptions: &'static [Exception]| {
        let found = found.clone();
        std::panic::catch_unwind(move || ratchet("rule", &found, exceptions)).is_err()
    };
    assert!(fails(&[]));
    assert!(fails(&[("a.rs", 1, "")]));
    assert!(!fails(&[("a.rs", 2, "")]));
    assert!(fails(&[("a.rs", 3, "")]));
    assert!(fails(&[("a.rs", 2, ""), ("b.rs", 1, "")]));
}

#[test]
fn comments_and_tests_are_no_code() {
    let text = "let a = 1; // sleep\n/// sleep\nfn b() {}\n#[cfg(test)]\nmod tests {\nsleep\n}\n";
    assert_eq!(code(text), "let a = 1; \n\nfn b() {}\n");
}
