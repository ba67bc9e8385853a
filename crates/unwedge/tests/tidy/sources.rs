//! Is every source file as long, as pure and as well headed as it must be?

use std::collections::BTreeMap;

use crate::{Exception, File, code, files, ratchet, root};

/// Lines of a file. The median is to be far below.
const LINES_MAX: usize = 600;

/// Files over [`LINES_MAX`], and their lines.
const LONG_FILES: &[Exception] = &[];

/// Crates that never look at the world around them, with what their files must not name.
const PURE_CRATES: &[&str] = &["trace", "readers", "analyze", "sim"];
const IMPURE: &[&str] = &[
    "std::fs",
    "std::env",
    "std::process",
    "std::net",
    "std::thread",
    "std::os",
    "std::{fs",
    "std::{env",
    "std::{process",
    "std::{thread",
    "Instant",
    "SystemTime",
    "std::arch",
    "libc::",
    "rustix::",
];

/// The pure files that may name one of these all the same, and why.
const IMPURE_FOR_A_REASON: &[(&str, &str, &str)] = &[(
    "crates/sim/src/explore/spread.rs",
    "std::thread",
    "threads share the explorer's work; who does what changes nothing about the result, and tests compare their numbers",
)];

/// Crates without a line of unsafe code.
const SAFE_CRATES: &[&str] = &["readers", "analyze", "sim"];

/// What gives away where a file was written. In halves, or this file would itself be found.
const FORBIDDEN: &[(&str, &str)] = &[("/wo", "rk/"), ("/ro", "ot/"), ("/tmp/tar", "get")];

/// Every source file of ours.
fn sources() -> impl Iterator<Item = File> {
    ["crates", "examples"].into_iter().flat_map(|folder| files(folder, &[".rs"]))
}

fn counted(count: impl Fn(&str) -> usize) -> BTreeMap<String, usize> {
    let found = sources().map(|file| (file.path, count(&file.text)));
    found.filter(|(_, count)| *count > 0).collect()
}

#[test]
fn no_file_is_too_long() {
    let over =
        |text: &str| Some(text.lines().count()).filter(|lines| *lines > LINES_MAX).unwrap_or(0);
    ratchet(&format!("files over {LINES_MAX} lines, and their lines"), &counted(over), LONG_FILES);
}

/// Functions are counted by clippy (`make lint`); here is seen to that it counts, with the same bound everywhere.
#[test]
fn clippy_bounds_the_length_of_functions() {
    let configurations = files("", &["clippy.toml"]);
    assert!(configurations.iter().any(|file| file.path == "clippy.toml"));
    for file in configurations {
        assert!(file.text.contains("too-many-lines-threshold = 70\n"), "{}", file.path);
    }
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("the workspace");
    assert!(manifest.contains("too_many_lines = "));
}

#[test]
fn every_file_says_what_it_answers() {
    let bare: Vec<String> = sources()
        .filter(|file| !file.text.lines().next().is_some_and(|line| line.starts_with("//! ")))
        .map(|file| file.path)
        .collect();
    assert!(
        bare.is_empty(),
        "files that do not begin with a line of //!:\n  {}",
        bare.join("\n  ")
    );
}

#[test]
fn the_pure_crates_look_at_nothing() {
    let mut complaints = Vec::new();
    let mut needless: Vec<_> =
        IMPURE_FOR_A_REASON.iter().map(|(path, word, _)| (*path, *word)).collect();
    for folder in PURE_CRATES {
        for file in files(&format!("crates/{folder}/src"), &[".rs"]) {
            for (number, line) in code(&file.text).lines().enumerate() {
                for word in IMPURE.iter().filter(|word| line.contains(**word)) {
                    let excepted =
                        |(path, other, _): &(&str, &str, &str)| file.path == *path && word == other;
                    if IMPURE_FOR_A_REASON.iter().any(excepted) {
                        needless.retain(|exception| *exception != (&*file.path, *word));
                    } else {
                        complaints.push(format!("{}:{}: {word}", file.path, number + 1));
                    }
                }
            }
        }
        let lists = root().join("crates").join(folder);
        let lists = lists
            .is_dir()
            .then(|| std::fs::read_to_string(lists.join("clippy.toml")).unwrap_or_default());
        if lists.is_some_and(|lists| {
            !lists.contains("disallowed-methods") || !lists.contains("disallowed-types")
        }) {
            complaints.push(format!("crates/{folder}/clippy.toml forbids nothing"));
        }
    }
    complaints.extend(
        needless.iter().map(|(path, word)| format!("{path} does not name {word} any more")),
    );
    assert!(
        complaints.is_empty(),
        "clocks, files, environment or processes in a pure crate:\n  {}",
        complaints.join("\n  ")
    );
}

#[test]
fn the_safe_crates_forbid_unsafe_code() {
    for folder in SAFE_CRATES.iter().filter(|folder| root().join("crates").join(folder).is_dir()) {
        let library = root().join("crates").join(folder).join("src/lib.rs");
        let text = std::fs::read_to_string(library).expect("a library");
        assert!(text.contains("#![forbid(unsafe_code)]"), "crates/{folder}");
    }
}

#[test]
fn nothing_tells_where_it_was_written() {
    let endings = [
        ".rs", ".md", ".toml", ".sh", ".json", ".in", ".txt", ".css", ".html", ".snap", ".jsonl",
        "Makefile", "run", ".lock",
    ];
    let mut complaints = Vec::new();
    for file in files("", &endings) {
        for (number, line) in file.text.lines().enumerate() {
            let named =
                FORBIDDEN.iter().map(|(a, b)| format!("{a}{b}")).filter(|word| line.contains(word));
            complaints.extend(named.map(|word| format!("{}:{}: {word}", file.path, number + 1)));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
