//! What if an input is no file, changes while it is read, or is a store that somebody has been at?
#![allow(clippy::expect_used, reason = "a test that cannot go on says why")]

mod bounded;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use bounded::{Given, Told, guest_line, is_answered, run, unwedge};

fn told(command: &mut Command) -> Told {
    run(command, Given::Nothing)
}

/// A store of a few thousand rows in a folder of its own.
struct Place {
    folder: tempfile::TempDir,
    /// The whole store's report.
    report: String,
}

impl Place {
    fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().expect("a folder"), report: String::new() };
        let input = bounded::guest_kernel(place.folder.path());
        let imported = told(unwedge(&["import"]).arg(&input).arg(place.store()));
        assert_eq!(imported.status, Some(0), "{}", imported.stderr);
        let report = told(&mut place.explain()).stdout;
        assert!(report.contains("UW001"), "{report}");
        Self { report, ..place }
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.store().join(name)
    }

    fn explain(&self) -> Command {
        let mut command = unwedge(&["explain", "--json", "--"]);
        command.arg(self.store());
        command
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.file(name)).expect("a file of the store")
    }

    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.file(name), bytes).expect("a file of the store");
    }

    /// Exchanges a text in the manifest.
    fn in_manifest(&self, old: &str, new: &str) {
        let text = String::from_utf8(self.bytes("manifest.json")).expect("JSON");
        assert!(text.contains(old), "{text}");
        self.put("manifest.json", text.replace(old, new));
    }

    /// Exchanges a text in the summary of the segment by one of the same length.
    fn in_summary(&self, old: &str, new: &str) {
        let mut bytes = self.bytes(SEGMENT);
        let base64 = base64::engine::general_purpose::STANDARD;
        let start = b"eyJ2ZXJzaW9uIjox";
        let from = bytes.windows(start.len()).position(|window| window == start);
        let from = from.expect("a summary in base64");
        let length = bytes[from..].iter().take_while(|byte| is_base64(**byte)).count();
        let text = base64.decode(&bytes[from..from + length]).expect("base64");
        let text = String::from_utf8(text).expect("JSON");
        assert!(text.contains(old) && old.len() == new.len(), "{text}");
        let lie = base64.encode(text.replace(old, new));
        bytes.splice(from..from + length, lie.into_bytes());
        self.put(SEGMENT, bytes);
    }
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

const SEGMENT: &str = "events/00000.parquet";

/// Damages a place.
type Damage = fn(&Place);

/// What is done to a store, the exit status of `explain`, what it says on standard error; nothing said: the report is
/// the whole store's.
const DAMAGES: &[(&str, Damage, i32, &str)] = &[
    ("nothing", |_| {}, 1, ""),
    ("no segment", |place| fs::remove_file(place.file(SEGMENT)).expect("gone"), 3, "it is missing"),
    ("an empty segment", |place| place.put(SEGMENT, ""), 3, "parquet file too small"),
    (
        "a torn segment",
        |place| {
            let bytes = place.bytes(SEGMENT);
            place.put(SEGMENT, &bytes[..bytes.len() / 2]);
        },
        3,
        SEGMENT,
    ),
    (
        "another table as the segment",
        |place| {
            place.put(SEGMENT, place.bytes("agents.parquet"));
        },
        3,
        SEGMENT,
    ),
    (
        "noise as the segment",
        |place| {
            let noise: Vec<u8> =
                (0..place.bytes(SEGMENT).len()).map(|n| (n * n / 7) as u8).collect();
            place.put(SEGMENT, noise);
        },
        3,
        SEGMENT,
    ),
    (
        "one segment more",
        |place| {
            place.put("events/00001.parquet", place.bytes(SEGMENT));
        },
        1,
        "events/00001.parquet: not in the manifest.json, left out",
    ),
    (
        "the segment under another name",
        |place| {
            fs::rename(place.file(SEGMENT), place.file("events/00007.parquet")).expect("renamed");
        },
        3,
        "events/00000.parquet: it is missing",
    ),
    (
        "a folder as the segment",
        |place| {
            fs::remove_file(place.file(SEGMENT)).expect("gone");
            fs::create_dir(place.file(SEGMENT)).expect("a folder");
        },
        3,
        SEGMENT,
    ),
    (
        "no manifest",
        |place| {
            fs::remove_file(place.file("manifest.json")).expect("gone");
        },
        1,
        "reading what is in events without it",
    ),
    (
        "a torn manifest",
        |place| place.put("manifest.json", "{\"unwedge_store\": 1,"),
        1,
        "without it",
    ),
    ("a manifest that is none", |place| place.put("manifest.json", b"\xff\0\0"), 1, "without it"),
    ("a manifest of nothing", |place| place.put("manifest.json", ""), 1, "without it"),
    (
        "a newer version",
        |place| {
            place.in_manifest("\"unwedge_store\": 1", "\"unwedge_store\": 2");
        },
        2,
        "has format version 2, this program reads version 1",
    ),
    (
        "fewer rows in the manifest",
        |place| place.in_manifest("\"rows\": 45", "\"rows\": 44"),
        3,
        SEGMENT,
    ),
    (
        "more rows in the manifest",
        |place| {
            place.in_manifest("\"rows\": 45", "\"rows\": 18446744073709551615");
        },
        3,
        SEGMENT,
    ),
    (
        "a segment elsewhere",
        |place| {
            place.in_manifest("events/00000.parquet", "../../../../etc/passwd");
        },
        3,
        "../../../../etc/passwd: it is missing",
    ),
    (
        "the segment twice",
        |place| {
            let text = String::from_utf8(place.bytes("manifest.json")).expect("JSON");
            let mut manifest: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            let segments = manifest["segments"].as_array_mut().expect("a list");
            segments.push(segments[0].clone());
            place.put("manifest.json", manifest.to_string());
        },
        1,
        "events/00000.parquet: it is named twice, left out",
    ),
    (
        "no names",
        |place| fs::remove_file(place.file("names.parquet")).expect("gone"),
        1,
        "names.parquet",
    ),
    (
        "agents for objects",
        |place| {
            place.put("objects.parquet", place.bytes("agents.parquet"));
        },
        -1,
        "objects.parquet",
    ),
    (
        "a summary of another version",
        |place| place.in_summary("\"version\":1", "\"version\":2"),
        1,
        "",
    ),
    ("a summary of fewer rows", |place| place.in_summary("{\"rows\":45,", "{\"rows\":44,"), 1, ""),
    ("a summary that is none", |place| place.in_summary("\"agents\":", "\"agentz\":"), 1, ""),
    (
        "a summary with too many events",
        |place| {
            place.in_summary("\"events\":45,", "\"events\":99,");
        },
        1,
        "",
    ),
];

#[test]
fn a_damaged_store_is_read_as_far_as_it_goes() {
    for (damage, strike, status, said) in DAMAGES {
        let place = Place::new();
        strike(&place);
        let told = told(&mut place.explain());
        let found = is_answered(&told, damage);
        // Without rows nothing is accused, and nothing acquitted.
        assert!(*status == -1 || found == *status, "{damage}: status {found}\n{}", told.stderr);
        assert!(told.stderr.contains(said), "{damage}: {}", told.stderr);
        if said.is_empty() {
            assert_eq!((&*told.stderr, &told.stdout), ("", &place.report), "{damage}");
        }
        let exported = run(unwedge(&["export", "--jsonl", "-"]).arg(place.store()), Given::Nothing);
        is_answered(&exported, damage);
    }
}

#[test]
fn what_is_no_trace_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("empty folder")).expect("a folder");
    fs::create_dir_all(path("half/events")).expect("folders");
    let socket = path("socket");
    let _listening = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
    for (input, said) in [
        (PathBuf::from("/dev/null"), "it is empty"),
        (PathBuf::from("/dev/zero"), "neither a black box nor in a format that is known"),
        (PathBuf::from("/proc/self/mem"), "error: "),
        (PathBuf::from("/proc/self/status"), "neither a black box nor in a format that is known"),
        (PathBuf::from("x".repeat(5000)), "File name too long"),
        (path("empty folder"), "it is a folder, and no store of events"),
        (path("half"), "neither a manifest.json that can be read nor segments in events"),
        (socket, "error: "),
    ] {
        for verb in ["explain", "import", "export"] {
            let mut command = unwedge(&[verb]);
            match verb {
                "import" => command.arg("--").arg(&input).arg(path("store")),
                "export" => command.arg("--jsonl").arg(path("out")).arg("--").arg(&input),
                _ => command.arg("--").arg(&input),
            };
            let told = told(&mut command);
            let what = format!("{verb} {}", input.display());
            assert_eq!(is_answered(&told, &what), 2, "{what}\n{}", told.stderr);
            assert!(told.stderr.contains(said), "{what}\n{}", told.stderr);
            assert!(!path("store").exists(), "{what}");
        }
    }
}

#[test]
fn a_file_that_grows_or_shrinks_while_it_is_read_is_answered() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("growing.jsonl");
    let line = |n: u64| guest_line(n, n % 10, "object.signal", ",\"object\":1,\"type\":\"event\"");
    let text: String = (0..100_000).map(line).collect();
    for grows in [true, false] {
        fs::write(&path, &text).expect("a file");
        let mut child = unwedge(&["explain", "--"])
            .arg(&path)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let file = fs::File::options().append(true).open(&path).expect("a file");
        let started = Instant::now();
        while child.try_wait().expect("ours").is_none() && started.elapsed() < bounded::LIMIT {
            if grows {
                (&file).write_all(&text.as_bytes()[..1 << 16]).expect("written");
            } else {
                let length = file.metadata().expect("a file").len();
                file.set_len(length / 2).expect("cut");
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let output = child.wait_with_output().expect("ours");
        let said = String::from_utf8_lossy(&output.stderr);
        let status = output.status.code().expect("no signal");
        assert!(status <= 3 && !said.contains("panicked"), "grows {grows}: {status}\n{said}");
        assert!(!grows || status == 0, "{said}");
    }
}

/// Nothing is left where the store was to be, and nothing beside it that is not hidden.
fn nothing_is_there(folder: &Path, what: &str) {
    let names = fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.file_name());
    let names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    let shown: Vec<&String> = names.iter().filter(|name| !name.starts_with('.')).collect();
    assert!(shown.is_empty(), "{what}: {names:?}");
}

#[test]
fn an_import_that_finds_no_room_leaves_no_store() {
    let (folder, input) =
        (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("one"));
    let path = bounded::guest_kernel(input.path());
    let store = folder.path().join("store");
    // The shell has the kernel refuse to let a file grow, as a full disk does.
    let limited = |blocks: u32| {
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
        let mut command = Command::new("sh");
        command.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_unwedge"), "import"]);
        command.arg(&path).arg(&store).env("NO_COLOR", "1");
        command
    };
    for blocks in [1, 2, 4] {
        let told = told(&mut limited(blocks));
        if is_answered(&told, "a full disk") == 2 {
            assert!(told.stderr.contains("File too large"), "{}", told.stderr);
            nothing_is_there(folder.path(), "a full disk");
        } else {
            fs::remove_dir_all(&store).expect("a store");
        }
    }
    assert_eq!(told(&mut limited(1)).status, Some(2), "a block is too little");
    let told = told(unwedge(&["import"]).arg(&path).arg("/proc/store"));
    assert_eq!(is_answered(&told, "a folder that takes none"), 2);
}

#[test]
fn an_import_that_is_interrupted_leaves_no_store_under_its_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("store");
    for signal in ["INT", "TERM", "KILL"] {
        let mut child = unwedge(&["import", "-"])
            .arg(&store)
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the command starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        for n in 0..20_000 {
            let line = guest_line(n, n % 10, "object.signal", ",\"object\":1,\"type\":\"event\"");
            stdin.write_all(line.as_bytes()).expect("somebody reads");
        }
        let kill = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status();
        assert!(kill.expect("kill starts").success());
        let status = child.wait().expect("ours");
        assert!(!status.success(), "{signal}");
        drop(stdin);
        nothing_is_there(folder.path(), signal);
    }
}
