//! Does trouble with folders, files, libraries and permissions cost one line and never the program, and
//! does `explain` refuse what it cannot read in one line?
#![allow(clippy::expect_used, reason = "a test that cannot go on says why")]

#[path = "rig/mod.rs"]
mod rig;
#[path = "rig/watched.rs"]
mod watched;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use unwedge_scenarios::table::Driver;
use watched::{Watch, black_boxes};

const NOBODY: u32 = 65_534;

fn is_root() -> bool {
    // SAFETY: geteuid has no preconditions.
    unsafe { libc::geteuid() == 0 }
}

/// What is said on standard error.
fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs a script with `$small`, a small file system in memory that vanishes with the script. `None`, said
/// on stderr, where that is not allowed.
fn small(options: &str, script: &str) -> Option<Output> {
    let mut probe = Command::new("unshare");
    let allowed = probe.args(["--mount", "true"]).status().is_ok_and(|status| status.success());
    if !is_root() || !allowed {
        eprintln!("skipped: mounting a small folder takes root");
        return None;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c"]);
    command.arg(format!("mount -t tmpfs -o {options} small \"$small\" && {script}"));
    command.env("small", folder.path()).env("unwedge", env!("CARGO_BIN_EXE_unwedge"));
    command.env("scenario", rig::built("scenario"));
    rig::use_driver(&mut command, Driver::Any, folder.path());
    Some(rig::run(&mut command))
}

/// The program did its work, and these words were said.
fn ran(output: &Output, status: i32, words: &[&str]) {
    let said = stderr(output);
    assert_eq!(output.status.code(), Some(status), "{said}");
    for word in words {
        assert!(said.contains(word), "{word:?} is not in\n{said}");
    }
}

#[test]
fn a_full_runtime_folder_costs_one_line() {
    let script = "XDG_RUNTIME_DIR=\"$small\" \"$unwedge\" run -- \"$scenario\" dropped-fence";
    let Some(told) = small("size=1m", script) else { return };
    ran(&told, 0, &["unwedge: black boxes go to ", "/unwedge: it is full)", "121 Vulkan submits"]);
}

#[test]
fn a_read_only_runtime_folder_costs_one_line() {
    let script = "mount -o remount,ro \"$small\" && \
                  XDG_RUNTIME_DIR=\"$small\" \"$unwedge\" run -- \"$scenario\" dropped-fence";
    let Some(told) = small("size=1m", script) else { return };
    ran(&told, 0, &["unwedge: black boxes go to ", "it is read-only)", "121 Vulkan submits"]);
}

/// The folder fills up between the making of the run's folder and the opening of the black box.
#[test]
fn a_folder_that_fills_up_costs_one_line_and_no_bus_error() {
    let script = "XDG_RUNTIME_DIR=\"$small\" \"$unwedge\" run -- sh -c 'head -c 60m /dev/zero \
                  >\"$small/filler\" 2>/dev/null; exec \"$scenario\" dropped-fence'";
    let Some(told) = small("size=40m", script) else { return };
    let said = "unwedge: no black box, this process is not watched: ";
    ran(&told, 0, &[said, "No space left on device"]);
    assert_eq!(stderr(&told).matches(said).count(), 1, "{}", stderr(&told));
}

#[test]
fn without_any_folder_the_program_runs_unwatched() {
    let script = "mkdir -p /tmp/unwedge-$(id -u) && \
                  for folder in /dev/shm /tmp/unwedge-$(id -u) \"$small\"; \
                  do mount -t tmpfs -o ro small $folder; done; \
                  XDG_RUNTIME_DIR=\"$small\" \"$unwedge\" run -- sh -c 'exit 6'";
    let Some(told) = small("size=1m", script) else { return };
    ran(&told, 6, &["unwedge: no folder for black boxes", "running unwatched", "hint: set XDG"]);
}

#[test]
fn a_layer_that_cannot_be_loaded_costs_one_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let library = rig::built("libVkLayer_unwedge.so");
    let whole = fs::read(&library).expect("the layer");
    let text = b"not a library".to_vec();
    let noise = (0..9999_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let foreign = [&whole[..18], &[183, 0], &whole[20..]].concat();
    for (name, bytes) in [("text", text), ("noise", noise), ("foreign", foreign)] {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("a file");
        let option = format!("--layer={}", path.display());
        let told = Watch::new(&[&option]).scenario("dropped-fence");
        told.is_healthy(0, &["its loader did not load the layer"]);
        assert_eq!(told.stderr.matches("unwedge:").count(), 1, "{name}: {}", told.all());
    }
    // The system's loader would map one that is cut short, and die of it.
    for part in [64, 16_000, 300_000, whole.len() - 1] {
        let path = folder.path().join("cut");
        fs::write(&path, &whole[..part]).expect("a file");
        let option = format!("--layer={}", path.display());
        let told = Watch::new(&[&option]).scenario("dropped-fence");
        assert_eq!(told.status, Some(0), "{}", told.all());
        told.says(&["cut is cut short; running unwatched", "hint: "]);
        let library =
            ["layer", "install", "--library", &path.display().to_string()].map(str::to_owned);
        refuses(rig::unwedge().args(library).env("XDG_DATA_HOME", folder.path()), "is cut short");
    }
    let told = Watch::new(&["--layer=/no/such/layer.so"]).scenario("dropped-fence");
    assert_eq!(told.status, Some(0), "{}", told.all());
    told.says(&["layer.so was not found; running unwatched", "hint: "]);
}

#[test]
fn a_program_whose_loader_takes_no_layers_is_left_alone() {
    let script = "unset VK_INSTANCE_LAYERS; exec \"$scenario\" dropped-fence";
    let told = Watch::new(&[]).script(script);
    told.is_healthy(0, &["its loader did not load the layer"]);
}

#[test]
fn without_a_loader_the_program_says_so_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("libvulkan.so.1"), "no library").expect("a file");
    fs::write(folder.path().join("libvulkan.so"), "no library").expect("a file");
    let watch = Watch::new(&[]).env("LD_LIBRARY_PATH", folder.path());
    let told = watch.scenario("dropped-fence");
    assert!(told.stdout.contains("no Vulkan loader"), "{}", told.all());
    told.is_healthy(i32::from(unwedge_scenarios::STATUS_SKIPPED), &["did not use Vulkan"]);
}

/// Refused with status 2, one line and a hint.
fn refuses(command: &mut Command, why: &str) {
    let output = rig::run(command);
    let said = stderr(&output);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(output.status.code(), Some(2), "{command:?}\n{said}");
    assert!(lines.len() == 2 && lines[0].starts_with("error: "), "{said}");
    assert!(lines[0].contains(why) && lines[1].starts_with("hint: "), "{said}");
}

fn explain(path: &Path) -> Command {
    let mut command = rig::unwedge();
    command.arg("explain").arg(path);
    command
}

#[test]
fn explain_refuses_what_is_no_black_box() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("a file");
        path
    };
    refuses(&mut explain(folder.path()), "it is a folder, and no store of events");
    refuses(&mut explain(Path::new("/no/such/file")), "No such file");
    refuses(&mut explain(&file("empty", b"")), "it is empty");
    refuses(
        &mut explain(&file("text", b"hello\n")),
        "neither a black box nor in a format that is known",
    );
    refuses(&mut explain(&file("braces", b"{\n")), "neither a black box nor in a format");
    let other = b"{\"unwedge_trace\":99,\"source\":\"x\",\"now\":5}\n";
    refuses(&mut explain(&file("other", other)), "format version 99");
    refuses(&mut explain(&file("magic", b"UNWEDGE\0")), "too few");
}

#[test]
fn explain_does_not_read_a_huge_hole_into_memory() {
    let folder = tempfile::tempdir().expect("a folder");
    let huge = |name: &str, start: &[u8]| {
        let path = folder.path().join(name);
        let mut file = fs::File::create(&path).expect("a file");
        file.write_all(start).expect("its start");
        file.set_len(64 << 30).expect("its length");
        path
    };
    refuses(&mut explain(&huge("zeros", b"")), "neither a black box nor in a format that is known");
    let recording = b"{\"unwedge_trace\":1,\"source\":\"test\",\"now\":5}\n";
    let output = rig::run(&mut explain(&huge("recording", recording)));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("line 2: longer than"), "{}", stderr(&output));
    let header = [&b"UNWEDGE\0"[..], &1_u64.to_ne_bytes()].concat();
    refuses(&mut explain(&huge("box", &header)), "its header names no process");
}

/// A black box of a process that was killed while it was stuck.
fn black_box() -> (tempfile::TempDir, PathBuf) {
    let watch = Watch::new(&["--deadline=1s", "--on-wedge=kill", "--keep"]);
    let (mut command, folder) = watch.by_hand("fence-never-submitted");
    let output = rig::run(&mut command);
    assert_eq!(output.status.code(), Some(124), "{}", stderr(&output));
    let (path, _) = black_boxes(folder.path()).pop().expect("a black box was kept");
    (folder, path)
}

/// A verdict or a refusal, never a panic or a signal.
fn is_answered(path: &Path, what: &str) -> i32 {
    let output = rig::run(&mut explain(path));
    let said = stderr(&output);
    let status = output.status.code().unwrap_or_else(|| panic!("{what}: {}", output.status));
    assert!(status <= 3 && !said.contains("panicked"), "{what}: status {status}\n{said}");
    assert_eq!(status == 2, said.starts_with("error: "), "{what}: status {status}\n{said}");
    status
}

#[test]
fn explain_answers_about_a_torn_black_box() {
    let (folder, path) = black_box();
    assert_eq!(is_answered(&path, "whole"), 1);
    let whole = fs::read(&path).expect("a black box");
    let torn = folder.path().join("torn");
    for length in [1, 7, 8, 16, 100, 512, 4095, 4096, 9999, 70_000, whole.len() / 2] {
        fs::write(&torn, &whole[..length]).expect("a file");
        is_answered(&torn, &format!("cut to {length} bytes"));
    }
    fs::write(&torn, &whole[..whole.len() - 1]).expect("a file");
    is_answered(&torn, "cut by one byte");
}

/// A generator of pseudo-random numbers (xorshift64).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

#[test]
fn explain_answers_about_a_black_box_with_noise_in_it() {
    let (folder, path) = black_box();
    let whole = fs::read(&path).expect("a black box");
    // Most of it is a hole: noise goes where something was written, words and single bits.
    let written: Vec<usize> =
        (16..whole.len() / 8).filter(|at| whole[at * 8..at * 8 + 8] != [0; 8]).collect();
    let noisy = folder.path().join("noisy");
    for seed in 1..=12_u64 {
        let mut noise = Noise(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        fs::copy(&path, &noisy).expect("a copy");
        let file = fs::File::options().write(true).open(&noisy).expect("the copy");
        for _ in 0..1 << (seed % 8 + 2) {
            let pick = |n: u64, all: usize| usize::try_from(n).unwrap_or(0) % all;
            let at = match noise.next() % 4 {
                0 => pick(noise.next() >> 1, whole.len() / 8 - 2) + 2,
                _ => written[pick(noise.next() >> 1, written.len())],
            };
            let old = u64::from_ne_bytes(whole[at * 8..at * 8 + 8].try_into().expect("a word"));
            let word = match noise.next() % 3 {
                0 => noise.next(),
                1 => old ^ 1 << (noise.next() % 64),
                _ => u64::MAX,
            };
            file.write_all_at(&word.to_ne_bytes(), at as u64 * 8).expect("written");
        }
        is_answered(&noisy, &format!("seed {seed}"));
    }
    let mut noise = Noise(99);
    let start = [&b"UNWEDGE\0"[..], &1_u64.to_ne_bytes()].concat();
    let rest = (0..200_000).flat_map(|_| noise.next().to_ne_bytes());
    fs::write(&noisy, start.into_iter().chain(rest).collect::<Vec<u8>>()).expect("a file");
    is_answered(&noisy, "noise behind a magic");
}

#[test]
fn explain_says_whose_a_black_box_is() {
    if !is_root() {
        eprintln!("skipped: being somebody else takes root");
        return;
    }
    let (_folder, path) = black_box();
    let mut as_nobody = explain(&path);
    let can = Command::new(env!("CARGO_BIN_EXE_unwedge")).arg("--version").uid(NOBODY).output();
    if !can.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: another user cannot start the command where it was built");
        return;
    }
    refuses(as_nobody.uid(NOBODY), "Permission denied");
    // One that may be read and not written is explained all the same.
    for file in path.ancestors().take(4) {
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).expect("its mode");
    }
    let output = rig::run(explain(&path).uid(NOBODY));
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
}

#[test]
fn a_report_that_cannot_be_written_is_said_before_anything_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.jsonl");
    fs::write(&path, "{\"unwedge_trace\":1,\"source\":\"test\",\"now\":5}\n").expect("a file");
    for option in ["--json", "--html", "--trace"] {
        refuses(explain(&path).arg(format!("{option}=/no/such/folder/x")), "cannot be written");
        refuses(explain(&path).arg(format!("{option}={}", folder.path().display())), "directory");
        let mut run = rig::unwedge();
        run.args(["run", &format!("{option}=/no/such/folder/x"), "--", "sh", "-c", "echo ran"]);
        let output = rig::run(&mut run);
        assert_eq!((output.status.code(), output.stdout), (Some(126), vec![]), "{option}");
    }
    // A disk that fills up later costs the report, not the exit status.
    let output =
        rig::run(rig::unwedge().args(["run", "--json=/dev/full", "--", "sh", "-c", "exit 4"]));
    let said = stderr(&output);
    assert!(said.contains("the JSON report was not written to /dev/full"), "{said}");
    assert_eq!(output.status.code(), Some(4));
}
