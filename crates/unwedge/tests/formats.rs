//! Is every foreign sample recognised and explained, however it is stored, and out of a store as out of the file?
#![allow(clippy::expect_used, reason = "a test that cannot go on says why")]

mod bounded;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use bounded::{Given, Told, run, samples, unwedge};

/// Each sample, the exit status of `explain`, and the code of the first finding.
#[rustfmt::skip]
const SAMPLES: &[(&str, i32, &str)] = &[
    ("ftrace/contention.txt", 0, ""),
    ("ftrace/fence_never_emitted.txt", 1, "UW002"),
    ("ftrace/fence_never_signalled.txt", 1, "UW005"),
    ("ftrace/fence_signalled.txt", 0, ""),
    ("ftrace/healthy.txt", 0, ""),
    ("ftrace/jobs_new.txt", 1, "UW015"),
    ("ftrace/jobs_old.txt", 1, "UW005"),
    ("ftrace/kernel_locks.txt", 1, "UW001"),
    ("ftrace/lives.txt", 0, ""),
    ("ftrace/lost.txt", 0, ""),
    ("ftrace/old_page.html", 0, ""),
    ("ftrace/page.html", 0, ""),
    ("ftrace/pi_deadlock.txt", 1, "UW001"),
    ("ftrace/pi_refused.txt", 1, "UW016"),
    ("ftrace/starved.txt", 1, "UW008"),
    ("ftrace/syscalls.txt", 0, ""),
    ("ftrace/trace_cmd.txt", 3, ""),
    ("go/abba-1.19.txt", 1, "UW002"),
    ("go/bubble-1.27.txt", 1, "UW002"),
    ("go/busy-1.27.txt", 0, ""),
    ("go/held-1.27.txt", 1, "UW016"),
    ("go/idle-1.27.txt", 0, ""),
    ("go/lost-wake-up-1.27.txt", 1, "UW002"),
    ("go/nil-channel-1.27.txt", 1, "UW002"),
    ("go/panic-1.27.txt", 0, ""),
    ("go/self-deadlock-1.27.txt", 1, "UW002"),
    ("go/send-system-1.27.txt", 1, "UW002"),
    ("go/workers-1.19.txt", 1, "UW002"),
    ("go/writer-waits-1.27.txt", 1, "UW002"),
    ("jvm/abba-jstack-l-17.txt", 1, "UW001"),
    ("jvm/class-init-jcmd-25.txt", 1, "UW001"),
    ("jvm/held-at-work-twice-17.txt", 1, "UW016"),
    ("jvm/held-in-native-17.txt", 1, "UW016"),
    ("jvm/holder-ended-25.txt", 1, "UW016"),
    ("jvm/idle-17.txt", 0, ""),
    ("jvm/idle-25.txt", 0, ""),
    ("jvm/idle-file-25.txt", 0, ""),
    ("jvm/missed-notify-17.txt", 0, ""),
    ("jvm/mixed-jstack-l-17.txt", 1, "UW001"),
    ("jvm/nested-monitors-17.txt", 1, "UW015"),
    ("jvm/reentrant-locks-kill3-25.txt", 1, "UW001"),
    ("jvm/three-jcmd-25.txt", 1, "UW001"),
    ("jvm/timed-17.txt", 0, ""),
    ("jvm/upgrade-17.txt", 1, "UW016"),
    ("jvm/virtual-file-25.txt", 1, "UW001"),
    ("jvm/virtual-jcmd-25.txt", 0, ""),
    ("jvm/waits-without-owner-25.txt", 0, ""),
    ("kernel/abba.log", 1, "UW001"),
    ("kernel/gpu.log", 0, ""),
    ("kernel/holder_in_io.log", 1, "UW015"),
    ("kernel/idle_sysrq_t.log", 0, ""),
    ("kernel/interleaved.log", 1, "UW015"),
    ("kernel/journal.log", 1, "UW015"),
    ("kernel/lockdep.log", 0, ""),
    ("kernel/mixed_without_callers.log", 1, "UW015"),
    ("kernel/only_other.log", 1, "UW016"),
    ("kernel/owner_lines.log", 1, "UW001"),
    ("kernel/readers.log", 1, "UW016"),
    ("kernel/rebooted.log", 0, ""),
    ("kernel/stalls.log", 0, ""),
    ("kernel/went_on.log", 1, "UW015"),
    ("qemu/healthy.log", 0, ""),
    ("qemu/one_scanout_silent.log", 1, "UW015"),
    ("qemu/renderer_blocked.log", 1, "UW012"),
];

/// What a sample says, as JSON, and the first finding's code.
fn explained(path: &Path) -> (Told, String) {
    let told = run(unwedge(&["explain", "--json", "--"]).arg(path), Given::Nothing);
    let report: serde_json::Value = serde_json::from_str(&told.stdout).expect("JSON");
    let code = report["findings"][0]["code"].as_str().unwrap_or_default().to_owned();
    (told, code)
}

#[test]
fn every_sample_has_its_verdict() {
    for (name, status, code) in SAMPLES {
        let (told, found) = explained(&samples().join(name));
        assert_eq!((told.status, &*found), (Some(*status), *code), "{name}\n{}", told.stderr);
    }
    let mut listed: Vec<PathBuf> = SAMPLES.iter().map(|(name, ..)| samples().join(name)).collect();
    listed.sort();
    assert_eq!(bounded::sample_paths(), listed, "every sample has a row in the table");
}

/// A sample in another wrapping.
type Wrap = fn(&[u8]) -> Vec<u8>;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).expect("memory takes it")
}

fn with_carriage_returns(bytes: &[u8]) -> Vec<u8> {
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    lines.join(&b"\r\n"[..])
}

const WRAPS: &[(&str, Wrap)] = &[
    ("gzip", gzip),
    ("zstd", zstd),
    ("gzip within zstd is no trace", |bytes| zstd(&gzip(bytes))),
    ("CRLF", with_carriage_returns),
    ("BOM", |bytes| [b"\xef\xbb\xbf", bytes].concat()),
];

#[test]
fn a_sample_says_the_same_however_it_is_wrapped() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sample");
    for (name, ..) in SAMPLES {
        let bytes = fs::read(samples().join(name)).expect("a sample");
        let (plain, _) = explained(&samples().join(name));
        for (wrapping, wrap) in WRAPS {
            fs::write(&path, wrap(&bytes)).expect("a file");
            let told = run(unwedge(&["explain", "--json", "--"]).arg(&path), Given::Nothing);
            if wrapping.contains("no trace") {
                assert_eq!(told.status, Some(2), "{name}, {wrapping}");
                continue;
            }
            assert_eq!(told.status, plain.status, "{name}, {wrapping}\n{}", told.stderr);
            assert_eq!(told.stdout, plain.stdout, "{name}, {wrapping}");
        }
        let piped = run(&mut unwedge(&["explain", "--json", "--", "-"]), Given::Bytes(bytes));
        assert_eq!(piped.stdout, plain.stdout, "{name} on standard input");
    }
}

#[test]
fn a_named_pipe_is_read_like_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe");
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, mode).expect("a pipe");
    for name in ["jvm/three-jcmd-25.txt", "kernel/abba.log", "ftrace/page.html"] {
        let (plain, _) = explained(&samples().join(name));
        let bytes = fs::read(samples().join(name)).expect("a sample");
        let writer = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::write(pipe, bytes)
        });
        let told = run(unwedge(&["explain", "--json", "--"]).arg(&pipe), Given::Nothing);
        writer.join().expect("no panic").expect("somebody reads");
        assert_eq!(told.stdout, plain.stdout, "{name}");
    }
}

/// Makes the summaries in a store ones that nobody finds, and leaves the sizes of its files as they are.
fn without_summaries(store: &Path) {
    let mut changed = 0;
    for segment in fs::read_dir(store.join("events")).expect("segments").flatten() {
        let mut bytes = fs::read(segment.path()).expect("a segment");
        let key = b"unwedge_summary";
        let place = bytes.windows(key.len()).rposition(|window| window == key);
        if let Some(place) = place {
            bytes[place + key.len() - 1] = b'Z';
            changed += 1;
        }
        fs::write(segment.path(), bytes).expect("a segment");
    }
    assert!(changed > 0, "no summary was there");
}

#[test]
fn a_store_says_the_same_as_what_it_was_made_of_with_its_summaries_and_without() {
    let folder = tempfile::tempdir().expect("a folder");
    let recordings = ["deadlock.jsonl"]
        .map(|name| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings").join(name));
    let samples = SAMPLES.iter().map(|(name, ..)| samples().join(name));
    let ours = bounded::guest_kernel(folder.path());
    for path in samples.chain(recordings).chain([ours]) {
        let store = folder.path().join("store");
        let (plain, _) = explained(&path);
        let imported = run(unwedge(&["import", "--force"]).arg(&path).arg(&store), Given::Nothing);
        assert_eq!(imported.status, Some(0), "{}: {}", path.display(), imported.stderr);
        let (with, _) = explained(&store);
        without_summaries(&store);
        let (without, _) = explained(&store);
        for (told, what) in [(with, "with"), (without, "without")] {
            assert_eq!(told.status, plain.status, "{}, {what} summaries", path.display());
            assert_eq!(told.stdout, plain.stdout, "{}, {what} summaries", path.display());
        }
    }
}
