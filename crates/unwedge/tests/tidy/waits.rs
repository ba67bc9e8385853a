//! Does this repository wait without a bound anywhere? A text search for the ways to, with each use that is right, and why.

use std::collections::BTreeMap;

use crate::{Exception, code, files, ratchet};

/// What is searched: everything that we run or that is loaded into a patient.
const FOLDERS: &[&str] = &[
    "crates/trace/src",
    "crates/readers/src",
    "crates/analyze/src",
    "crates/sim/src",
    "crates/wait/src",
    "crates/wait/examples",
    "crates/wait-c/src",
    "examples/terminal/src",
    "crates/layer/src",
    "crates/unwedge/src",
    "crates/bench/src",
];

/// Calls that return when somebody else pleases.
const UNBOUNDED: &[&str] = &[
    ".join()",
    ".recv()",
    ".wait()",
    ".wait_with_output()",
    ".output()",
    "thread::park()",
    "Wait::NEVER",
    "device_wait_idle()",
    "queue_wait_idle(queue)",
];

/// Vulkan's waits, which are unbounded when they are given the sentinel.
const VULKAN: &[&str] =
    &["wait_for_fences(", "wait_semaphores(", "acquire_next_image", "wait_for_present"];
const SENTINELS: &[&str] = &["u64::MAX", "UINT64_MAX", "!0"];

/// Uses that are bounded by something that a text search does not see.
const BOUNDED_OTHERWISE: &[Exception] = &[
    (
        "crates/wait/examples/triangle_raw.rs",
        4,
        "the triangle before it is moved: what waits for ever there is what is shown",
    ),
    (
        "crates/wait/src/waits/idle.rs",
        1,
        "the one that is unbounded, named for shutdown, for programs that ask for it",
    ),
];

/// The unbounded waits of a file's code, statement by statement.
fn unbounded(text: &str) -> usize {
    let code = code(text);
    let plain: usize = UNBOUNDED.iter().map(|call| code.matches(call).count()).sum();
    let statements = code.split([';', '{', '}']);
    let sentinel = statements.filter(|statement| {
        VULKAN.iter().any(|call| statement.contains(call))
            && SENTINELS.iter().any(|end| statement.contains(end))
    });
    plain + sentinel.count()
}

#[test]
fn no_wait_is_unbounded() {
    let mut found = BTreeMap::new();
    for file in FOLDERS.iter().flat_map(|folder| files(folder, &[".rs"])) {
        let count = unbounded(&file.text);
        if count > 0 && !file.path.ends_with("/tests.rs") {
            found.insert(file.path, count);
        }
    }
    ratchet("unbounded waits", &found, BOUNDED_OTHERWISE);
}

#[test]
fn the_search_finds_what_it_should() {
    let cases = [
        ("handle.join();", 1),
        ("folder.join(name);", 0),
        ("let got = inbox.recv()?;", 1),
        ("inbox.recv_timeout(bound)", 0),
        ("device.wait_for_fences(\n    &fences,\n    true,\n    u64::MAX,\n)", 1),
        ("device.wait_for_fences(&fences, true, bound)", 0),
        ("let far = u64::MAX; device.wait_for_fences(&fences, true, bound)", 0),
        ("// child.wait()", 0),
    ];
    for (text, count) in cases {
        assert_eq!(unbounded(text), count, "{text}");
    }
}
