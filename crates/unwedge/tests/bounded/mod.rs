//! How is the command run on input that may be hostile: for so long at most, and how much memory did it take?
#![allow(dead_code, reason = "not every suite that includes this file uses all of it")]
#![allow(clippy::expect_used, reason = "a test that cannot go on says why")]

use std::fs;
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// No run takes longer, or it is ended and has failed. What it bounds is endless work, not slow machines.
pub(crate) const LIMIT: Duration = Duration::from_secs(240);

/// What standard input has.
pub(crate) enum Given {
    Nothing,
    Bytes(Vec<u8>),
    /// Whatever this writes, for as long as somebody reads it.
    Written(fn(&mut dyn std::io::Write) -> std::io::Result<()>),
}

/// What a run came to.
pub(crate) struct Told {
    /// The exit status; `None` when a signal ended it.
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// The most memory that it had at once. Bytes.
    pub(crate) resident: u64,
}

/// The command with its first arguments.
pub(crate) fn unwedge(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_unwedge"));
    command.env("NO_COLOR", "1").args(arguments);
    command
}

/// Runs it to its end.
pub(crate) fn run(command: &mut Command, given: Given) -> Told {
    let mut output = tempfile::tempfile().expect("a temporary file");
    let mut errors = tempfile::tempfile().expect("a temporary file");
    command.stdout(output.try_clone().expect("a file")).stderr(errors.try_clone().expect("a file"));
    let nothing = matches!(given, Given::Nothing);
    command.stdin(if nothing { Stdio::null() } else { Stdio::piped() });
    #[allow(clippy::zombie_processes, reason = "it is waited for below, by its number")]
    let mut child = command.spawn().expect("the command starts");
    let stdin = child.stdin.take();
    // Whoever does not read to the end has read enough.
    let writer = std::thread::spawn(move || match (given, stdin) {
        (Given::Bytes(bytes), Some(mut stdin)) => drop(stdin.write_all(&bytes)),
        (Given::Written(write), Some(stdin)) => {
            let mut stdin = std::io::BufWriter::with_capacity(1 << 16, stdin);
            let _ = write(&mut stdin).and_then(|()| stdin.flush());
            // Bytes that nobody took are dropped with the pipe.
            let _ = stdin.into_parts();
        }
        _ => {}
    });
    let (status, resident) = wait(child.id());
    writer.join().expect("writing does not panic");
    let read = |file: &mut fs::File| {
        let mut bytes = Vec::new();
        file.rewind().and_then(|()| file.read_to_end(&mut bytes)).expect("it can be read");
        String::from_utf8_lossy(&bytes).into_owned()
    };
    Told { status, stdout: read(&mut output), stderr: read(&mut errors), resident }
}

/// Waits for a child; gives its status, and its most memory.
fn wait(child: u32) -> (Option<i32>, u64) {
    let started = Instant::now();
    let child = child.cast_signed();
    loop {
        let mut status = 0;
        // SAFETY: all zeros is a usage of nothing.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: both are ours, and the child was reaped by nobody else.
        let ended = unsafe { libc::wait4(child, &raw mut status, libc::WNOHANG, &raw mut usage) };
        if ended == child {
            let code = libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status));
            return (code, usage.ru_maxrss.cast_unsigned() * 1024);
        }
        assert!(ended == 0, "the child is ours");
        if started.elapsed() > LIMIT {
            // SAFETY: it is our child and not reaped yet.
            unsafe { libc::kill(child, libc::SIGKILL) };
            panic!("still running after {LIMIT:?}");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A verdict or a refusal in one line and a hint, never a panic or a signal.
pub(crate) fn is_answered(told: &Told, what: &str) -> i32 {
    let said = &told.stderr;
    let status = told.status.unwrap_or_else(|| panic!("{what}: ended by a signal\n{said}"));
    assert!(status <= 3 && !said.contains("panicked"), "{what}: status {status}\n{said}");
    let errors: Vec<&str> = said.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), usize::from(status == 2), "{what}: status {status}\n{said}");
    if status == 2 {
        let last = said.lines().rev().take(2).collect::<Vec<_>>();
        assert!(last[0].starts_with("hint: "), "{what}: no hint\n{said}");
        assert!(last[1].starts_with("error: ") && !last[1].ends_with('.'), "{what}\n{said}");
    }
    // Complaints are few and short, whatever the input says.
    assert!(said.len() < 64 << 10, "{what}: {} bytes of complaints", said.len());
    assert!(!said.contains('\u{1b}') && !told.stdout.contains('\u{1b}'), "{what}: an escape");
    status
}

/// Where the samples of foreign formats are.
pub(crate) fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../readers/tests/samples")
}

/// All of them, in order.
pub(crate) fn sample_paths() -> Vec<PathBuf> {
    let folders = fs::read_dir(samples()).expect("samples").flatten();
    let files = folders.flat_map(|folder| fs::read_dir(folder.path()).expect("a folder"));
    let mut paths: Vec<PathBuf> = files.flatten().map(|file| file.path()).collect();
    paths.sort();
    paths
}

/// A line of a guest kernel's trace.
pub(crate) fn guest_line(at: u64, tid: u64, kind: &str, more: &str) -> String {
    let head =
        format!(r#"{{"schema_version":1,"host_ns":{at},"guest_ns":{at},"tid_event_idx":{at}"#);
    format!("{head},\"tid\":{tid},\"kind\":\"{kind}\"{more}}}\n")
}

/// A small trace of a guest kernel with two threads that hold a lock each and want the other's.
pub(crate) fn guest_kernel(folder: &Path) -> PathBuf {
    let lock = |number: u64| format!(r#","object":{number},"type":"critsec","call":"enter""#);
    let mut text = String::new();
    for at in 0..20 {
        text += &guest_line(at * 1000, 9, "interrupt.end", "");
        text += &guest_line(at * 1000 + 1, 9, "object.signal", r#","object":50,"type":"event""#);
    }
    for (at, tid) in [(30_000, 1), (30_001, 2)] {
        text += &guest_line(at, tid, "critsec.enter", &lock(100 + tid));
    }
    for (at, tid) in [(40_000, 1), (40_001, 2)] {
        text += &guest_line(at, tid, "wait.begin", &lock(103 - tid));
    }
    text += &guest_line(9_000_000_000, 9, "interrupt.end", "");
    let path = folder.join("guest-kernel.jsonl");
    fs::write(&path, text).expect("a file");
    path
}
