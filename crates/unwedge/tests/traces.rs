//! Does `explain` read traces however they are stored, bounded in memory, and say what it cannot read?
#![allow(clippy::expect_used, reason = "a test that cannot go on says why")]

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A user without rights.
const NOBODY: u32 = 65534;

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, bytes).expect("a file");
        path
    }

    /// The error in two lines, with the folder's name left out.
    fn refuses(&self, explain: &mut Command) -> String {
        let output = ended(explain);
        let said = stderr(&output).replace(&self.0.path().display().to_string(), "DIR");
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.starts_with("error: ") && said.lines().count() == 2, "{said}");
        said
    }
}

fn explain(path: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_unwedge"));
    command.arg("explain").arg(path).stdin(Stdio::null());
    command
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What became of it, within a minute.
fn ended(command: &mut Command) -> Output {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.expect("the command starts");
    let (began, pid) = (Instant::now(), child.id());
    while child.try_wait().expect("a child").is_none() {
        assert!(began.elapsed() < Duration::from_secs(60), "process {pid} does not end");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.wait_with_output().expect("its output")
}

const HEADER: &str = "{\"unwedge_trace\":1,\"source\":\"a test\",\"now\":9000000000}\n";

/// A recording in which thread 1 waits for ever for what thread 2 was to signal, after many waits that ended.
fn recording(rounds: u64) -> String {
    let mut text = HEADER.to_owned();
    for id in [1, 2] {
        text += &format!(
            "{{\"at\":0,\"agent\":{id},\"is_agent\":{{\"kind\":\"host_thread\",\"name\":\"t{id}\",\"pid\":7,\"tid\":{id}}}}}\n"
        );
    }
    text += "{\"at\":0,\"agent\":1,\"is_object\":{\"object\":5,\"kind\":\"mutex\",\"handle\":80,\"label\":\"\",\"shared\":false}}\n";
    text += "{\"at\":0,\"agent\":1,\"is_object\":{\"object\":6,\"kind\":\"mutex\",\"handle\":96,\"label\":\"\",\"shared\":false}}\n";
    let event =
        |at: u64, agent: u64, what: &str| format!("{{\"at\":{at},\"agent\":{agent},{what}}}\n");
    let point = |object: u64| format!("{{\"object\":{object},\"value\":\"next\"}}");
    let waits = |object: u64| {
        let points = point(object);
        format!(
            "\"wait_began\":{{\"call\":\"lock\",\"points\":[{points}],\"mode\":\"all\",\"bound\":\"infinite\"}}"
        )
    };
    let owes = |object: u64| {
        format!("\"owed\":{{\"point\":{},\"after\":null,\"via\":null}}", point(object))
    };
    for round in 0..rounds {
        let at = round * 1000;
        text += &event(at, 2, &owes(5));
        text += &event(at + 1, 1, &waits(5));
        text += &event(at + 2, 2, &format!("\"signalled\":{{\"point\":{}}}", point(5)));
        text += &event(at + 3, 1, "\"wait_ended\":{\"outcome\":\"reached\"}");
    }
    let at = rounds * 1000;
    text += &event(at, 1, &owes(6));
    text += &event(at, 2, &owes(5));
    text += &event(at + 1, 1, &waits(5));
    text += &event(at + 2, 2, &waits(6));
    text
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).expect("compressed")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("compressed");
    encoder.finish().expect("compressed")
}

#[test]
fn a_trace_has_the_same_report_however_it_is_stored() {
    let place = Place::new();
    let text = recording(20_000);
    let plain = place.file("plain", text.as_bytes());
    let expected = ended(&mut explain(&plain));
    let report = String::from_utf8_lossy(&expected.stdout).into_owned();
    assert_eq!((expected.status.code(), stderr(&expected)), (Some(1), String::new()));
    assert!(report.contains("wedged[UW001]") && report.contains("80,004 events"), "{report}");
    for path in [
        place.file("zstd", &zstd(text.as_bytes())),
        place.file("gzip", &gzip(text.as_bytes())),
        place.file("marked", &[b"\xef\xbb\xbf", text.as_bytes()].concat()),
        place.file("windows", text.replace('\n', "\r\n").as_bytes()),
        place.file("unended", text.trim_end().as_bytes()),
    ] {
        let output = ended(&mut explain(&path));
        assert_eq!(String::from_utf8_lossy(&output.stdout), report, "{path:?}");
    }
    let from_stdin = |stdin: Stdio| ended(explain(Path::new("-")).stdin(stdin));
    let output = from_stdin(File::open(&plain).expect("the file").into());
    assert_eq!(String::from_utf8_lossy(&output.stdout), report, "a file as standard input");
    let mut cat = Command::new("cat").arg(&plain).stdout(Stdio::piped()).spawn().expect("cat");
    let output = from_stdin(cat.stdout.take().expect("its output").into());
    assert_eq!(String::from_utf8_lossy(&output.stdout), report, "a pipe as standard input");
    assert!(cat.wait().expect("cat").success());
}

#[test]
fn what_cannot_be_read_is_said_and_the_rest_is_explained() {
    let place = Place::new();
    let text = recording(3);
    let bad = "{\"at\":NaN,\"agent\":1,\"progress\":{\"what\":\"\"}}\nnonsense\n\0\u{1}\u{2}\n";
    let path = place.file("bad", text.replacen(HEADER, &format!("{HEADER}{bad}"), 1).as_bytes());
    let output = ended(&mut explain(&path));
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines.len() == 3 && lines[0].contains("bad: line 2: "), "{said}");
    assert!(lines[0].contains("column ") && lines[2].contains("bad: line 4: "), "{said}");
    let many = format!("{text}{}", "nonsense\n".repeat(1000));
    let said = stderr(&ended(&mut explain(&place.file("many", many.as_bytes()))));
    assert!(said.ends_with("many: and 980 more lines could not be read\n"), "{said}");
    let torn = &text.as_bytes()[..text.len() - 20];
    let said = stderr(&ended(&mut explain(&place.file("torn", torn))));
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn compressed_data_that_ends_or_breaks_is_explained_as_far_as_it_goes() {
    let place = Place::new();
    let text = recording(30_000);
    for (name, bytes) in [("zstd", zstd(text.as_bytes())), ("gzip", gzip(text.as_bytes()))] {
        let path = place.file(name, &bytes[..bytes.len() / 2]);
        let output = ended(&mut explain(&path));
        let said = stderr(&output);
        assert!(said.contains(": it breaks off after "), "{name}: {said}");
        assert_ne!(output.status.code(), Some(2), "{name}: {said}");
    }
}

/// A zstd frame with this window (as its descriptor's exponent) and blocks of 128 KiB of one byte each.
fn zstd_of_runs(window_exponent: u8, start: &[u8], blocks: u32, end: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x28, 0xb5, 0x2f, 0xfd, 0, window_exponent << 3];
    let header =
        |kind: u32, size: u32, last: bool| (size << 3 | kind << 1 | u32::from(last)).to_le_bytes();
    let (raw, run) = (0, 1);
    let size = |part: &[u8]| u32::try_from(part.len()).expect("short");
    bytes.extend_from_slice(&header(raw, size(start), false)[..3]);
    bytes.extend_from_slice(start);
    for _ in 0..blocks {
        bytes.extend_from_slice(&header(run, 128 << 10, false)[..3]);
        bytes.push(b'0');
    }
    bytes.extend_from_slice(&header(raw, size(end), true)[..3]);
    bytes.extend_from_slice(end);
    bytes
}

#[test]
fn a_few_bytes_that_become_a_gigabyte_do_not_fill_the_memory() {
    let place = Place::new();
    let last = "\n{\"at\":5,\"agent\":1,\"progress\":{\"what\":\"the end was read\"}}\n";
    let bomb = zstd_of_runs(10, HEADER.as_bytes(), 8 << 10, last.as_bytes());
    assert!(bomb.len() < 64 << 10);
    let path = place.file("bomb", &bomb);
    // The limit is on addresses: threads' stacks and what an allocator sets aside count too.
    let script = "ulimit -v 524288; exec \"$0\" explain --trace \"$2\" \"$1\"";
    let mut command = Command::new("sh");
    let trace = place.0.path().join("trace");
    command.args(["-c", script, env!("CARGO_BIN_EXE_unwedge")]).arg(path).arg(&trace);
    let output = ended(&mut command);
    let said = stderr(&output);
    assert!(said.contains("bomb: line 2: longer than 1048576 bytes, skipped"), "{said}");
    assert_eq!(output.status.code(), Some(0), "{said}");
    let trace = fs::read_to_string(trace).expect("a recording");
    assert!(trace.contains("the end was read"), "{trace}");
}

#[test]
fn a_window_that_is_too_large_is_refused() {
    let place = Place::new();
    let path = place.file("window", &zstd_of_runs(21, HEADER.as_bytes(), 1, b"\n"));
    let said = place.refuses(&mut explain(&path));
    assert!(said.contains("its compression wants a window of more than 128 MiB"), "{said}");
}

#[test]
fn what_is_no_trace_is_refused_in_a_line_with_a_hint() {
    let place = Place::new();
    let check = |name: &str, bytes: &[u8], expected: &str| {
        let path = place.file(name, bytes);
        assert_eq!(
            place.refuses(&mut explain(&path)),
            expected.replace("PATH", &format!("DIR/{name}"))
        );
    };
    check(
        "utf16",
        b"\xff\xfe{\0\"\0",
        "error: PATH: it is in UTF-16\nhint: iconv -f UTF-16 -t UTF-8 PATH | unwedge explain -\n",
    );
    let wide: Vec<u8> = HEADER.bytes().flat_map(|byte| [byte, 0]).collect();
    check(
        "wide",
        &gzip(&wide),
        "error: PATH: it is in UTF-16\nhint: iconv -f UTF-16LE -t UTF-8 PATH | unwedge explain -\n",
    );
    check(
        "xz",
        b"\xfd7zXZ\0\0\x04",
        "error: PATH: it is compressed by xz\nhint: xz -dc PATH | unwedge explain -\n",
    );
    check(
        "binary",
        b"\x17\x08\x44tracing6\0",
        "error: PATH: it is a binary trace of trace-cmd\nhint: trace-cmd report PATH | unwedge explain -\n",
    );
    let stdin = Stdio::from(File::open(place.file("box", b"UNWEDGE\0\x01")).expect("the file"));
    let said = place.refuses(explain(Path::new("-")).stdin(stdin));
    assert_eq!(
        said,
        "error: -: it is a black box, which does not come through a pipe\nhint: name its file\n"
    );
    let bad = "{\"unwedge_trace\":7,\"source\":\"\",\"now\":0}\n";
    check(
        "version",
        bad.as_bytes(),
        "error: PATH: the recording has format version 7, this program reads version 1\n\
         hint: it was taken for a recording of unwedge in JSON Lines; --format NAME overrides\n",
    );
    let empty = place.file("empty.gz", &gzip(b""));
    assert!(place.refuses(&mut explain(&empty)).contains("it is empty"));
    let folder = place.refuses(&mut explain(place.0.path()));
    assert!(folder.contains("it is a folder, and "), "{folder}");
}

#[test]
fn a_format_is_chosen_by_name() {
    let place = Place::new();
    let path = place.file("text", b"hello\nworld\n");
    let said = place.refuses(explain(&path).args(["--format", "ftrac"]));
    assert!(said.contains("'ftrac' for '--format <NAME>' [possible values: unwedge, "), "{said}");
    assert!(said.contains("hint: a similar value exists: 'ftrace'"), "{said}");
    let said = place.refuses(explain(&path).args(["--format", "unwedge"]));
    assert!(
        said.contains("line 1 is not the header") && said.contains("without --format"),
        "{said}"
    );
    let said = place.refuses(explain(&path).args(["--profile", "/no/such.toml"]));
    assert!(said.contains("--profile /no/such.toml: No such file"), "{said}");
    let profile = place.file("profile.toml", b"nonsense = ");
    let said = place.refuses(explain(&path).arg("--profile").arg(profile));
    assert!(said.contains("profile.toml: "), "{said}");
}

#[test]
fn a_pipe_without_a_writer_is_said_and_waited_for() {
    let place = Place::new();
    let path = place.0.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo").success());
    let child = explain(&path).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.expect("the command starts");
    std::thread::sleep(Duration::from_millis(1500));
    assert!(child.try_wait().expect("a child").is_none(), "it does not wait");
    // Opens at once, because the other end is open.
    fs::write(&path, recording(3)).expect("written");
    let output = child.wait_with_output().expect("its output");
    let said = stderr(&output);
    assert!(said.contains("waiting for somebody to write to "), "{said}");
    assert_eq!(output.status.code(), Some(1), "{said}");
}

#[test]
fn what_may_not_be_read_is_said() {
    let place = Place::new();
    let path = place.file("private", recording(1).as_bytes());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).expect("its mode");
    let mut command = explain(&path);
    if rustix::process::geteuid().is_root() {
        let can = Command::new(env!("CARGO_BIN_EXE_unwedge")).arg("--version").uid(NOBODY).output();
        if !can.is_ok_and(|output| output.status.success()) {
            eprintln!("skipped: another user cannot start the command where it was built");
            return;
        }
        fs::set_permissions(place.0.path(), fs::Permissions::from_mode(0o755)).expect("its mode");
        command.uid(NOBODY);
    }
    let said = place.refuses(&mut command);
    assert_eq!(
        said,
        "error: DIR/private: Permission denied (os error 13)\n\
         hint: it is another user's: be that user, or use sudo\n"
    );
}
