//! The command from outside: what it prints, where, and with which exit status. No Vulkan is needed.
#![allow(clippy::expect_used, reason = "a test that cannot go on says why")]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// A folder for one test, with a file in it that passes for the layer.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("layer.so"), "not a library").expect("a file");
        Self(folder)
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    /// The command with its folders in here and no other variables of ours.
    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_unwedge"));
        command.env("XDG_RUNTIME_DIR", self.0.path()).env("UNWEDGE_LAYER", self.path("layer.so"));
        command.env("XDG_DATA_HOME", self.path("data"));
        for name in ["VK_INSTANCE_LAYERS", "VK_LAYER_PATH", "VK_ADD_LAYER_PATH", "UNWEDGE_DIR"] {
            command.env_remove(name);
        }
        command
    }

    fn run<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(&self, arguments: I) -> Output {
        self.command().args(arguments).output().expect("the command starts")
    }

    /// Standard error, exactly, with the folder's name left out, and the exit status.
    fn check(&self, arguments: &[&str], status: i32, stderr: &str) {
        let output = self.run(arguments);
        let found = String::from_utf8_lossy(&output.stderr);
        let found = found.replace(&self.0.path().display().to_string(), "DIR");
        assert_eq!((found.as_str(), output.status.code()), (stderr, Some(status)), "{arguments:?}");
    }
}

const NO_VULKAN: &str =
    "unwedge: the program did not use Vulkan, or its loader did not load the layer\n";

#[test]
fn a_bad_argument_is_one_line_and_a_hint() {
    let place = Place::new();
    let run = |arguments: &[&str], stderr: &str| {
        let all: Vec<&str> = ["run"].iter().chain(arguments).copied().collect();
        place.check(&all, 126, stderr);
    };
    run(&[], "error: no program is given\nhint: unwedge run -- ./program\n");
    run(
        &["--deadline", "abc", "--", "true"],
        "error: --deadline: \"abc\" is not a duration: a number is missing before \"abc\"\n\
         hint: write 500ms, 5s, 2m or 1m30s; a plain number means seconds\n",
    );
    run(
        &["--deadline=1ms", "true"],
        "error: --deadline: 1ms is too short\nhint: the shortest deadline is 100ms\n",
    );
    run(
        &["--inject", "drop-signal:fense", "true"],
        "error: --inject: unknown target \"fense\" in the fault \"drop-signal:fense\"\n\
         hint: did you mean fence?; see unwedge help inject\n",
    );
    run(
        &["--on-wedge", "explode", "true"],
        "error: invalid value 'explode' for '--on-wedge <WHAT>' [possible values: report, kill, fail]\n\
         hint: see unwedge run --help\n",
    );
    run(
        &["--dedline", "5s", "true"],
        "error: unexpected argument '--dedline' found\n\
         hint: a similar argument exists: '--deadline'; see unwedge run --help\n",
    );
    run(
        &["--html", "/no/such/folder/x.html", "true"],
        "error: --html: /no/such/folder/x.html cannot be written: No such file or directory (os error 2)\n\
         hint: does its folder exist?\n",
    );
    place.check(
        &["explode"],
        2,
        "error: unrecognized subcommand 'explode'\n\
         hint: some similar subcommands exist: 'explain', 'export'; see unwedge --help\n",
    );
}

#[test]
fn a_program_that_cannot_run_is_one_line_and_a_hint() {
    let place = Place::new();
    let plain = place.path("plain");
    fs::write(&plain, "text").expect("a file");
    let plain = plain.display().to_string();
    place.check(
        &["run", "--", "no-such-program-here"],
        126,
        "error: no-such-program-here: no such program\n\
         hint: it is not in PATH; write ./no-such-program-here for one in this folder\n",
    );
    place.check(
        &["run", "./no/such/program"],
        126,
        "error: ./no/such/program: no such program\nhint: is the path right, seen from this folder?\n",
    );
    place.check(
        &["run", &plain],
        126,
        "error: DIR/plain: not executable\nhint: chmod +x makes it so, if it is a program\n",
    );
    place.check(&["run", "/"], 126, "error: /: it is a folder\nhint: name the program in it\n");
    fs::set_permissions(&plain, fs::Permissions::from_mode(0o755)).expect("its mode");
    place.check(
        &["run", &plain],
        126,
        "error: DIR/plain cannot be started: Exec format error (os error 8)\n\
         hint: is it built for another machine, or a script without a #! line?\n",
    );
}

#[test]
fn a_report_never_overwrites_the_program() {
    let place = Place::new();
    let program = place.path("program");
    fs::write(&program, "#!/bin/sh\nexit 3\n").expect("a file");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("its mode");
    let program = program.display().to_string();
    place.check(
        &["run", "--json", &program],
        126,
        "error: --json: DIR/program is a program, and would be overwritten\n\
         hint: write --json=FILE, or `--json --` before the program\n",
    );
    assert_eq!(place.run(["run", "--json", "--", &program]).status.code(), Some(3));
}

#[test]
fn the_exit_status_is_the_programs() {
    let place = Place::new();
    place.check(&["run", "--", "sh", "-c", "exit 7"], 7, NO_VULKAN);
    place.check(&["run", "--quiet", "true"], 0, "");
    place.check(
        &["run", "-q", "--", "sh", "-c", "kill -SEGV $$"],
        139,
        "unwedge: the program was ended by signal 11 (SIGSEGV, a bad access to memory)\n",
    );
}

#[test]
fn standard_streams_are_the_programs() {
    let place = Place::new();
    let mut command = place.command();
    command.args(["run", "-q", "--", "sh", "-c", "cat; echo err >&2"]);
    command.stdin(fs::File::open("/proc/self/comm").expect("some input"));
    let output = command.output().expect("the command starts");
    assert!(!output.stdout.is_empty());
    assert_eq!(output.stderr, b"err\n");
}

#[test]
fn the_program_gets_the_layer_and_keeps_the_users() {
    let place = Place::new();
    let mut command = place.command();
    command.env("VK_INSTANCE_LAYERS", "VK_LAYER_A").env("VK_LAYER_PATH", "/mine");
    let script = "echo $VK_INSTANCE_LAYERS $UNWEDGE_INJECT $UNWEDGE_CRUMBS $UNWEDGE_DEADLINE_MS \
                  ${VK_LAYER_PATH##*:}; test $VK_LAYER_PATH = $UNWEDGE_DIR:/mine; echo $?; \
                  stat -c %a $UNWEDGE_DIR; cat $UNWEDGE_DIR/VK_LAYER_UNWEDGE_watch.json";
    let faults = ["--inject", "drop-signal:fence:n=3", "--inject", "fail-submit"];
    command.args(["run", "-q", "--deadline", "1s", "--no-breadcrumbs"]).args(faults);
    // The layer that lies beside the command, where it was built, would come before the variable's.
    command.arg("--layer").arg(place.path("layer.so"));
    let output = command.args(["--", "sh", "-c", script]).output().expect("the command starts");
    let stdout = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<&str> = stdout.lines().collect();
    let first =
        "VK_LAYER_UNWEDGE_watch:VK_LAYER_A drop-signal:fence:n=3;fail-submit:n=1 0 1000 /mine";
    assert_eq!(lines[..3], [first, "0", "700"]);
    let manifest: serde_json::Value = serde_json::from_str(lines[3]).expect("a manifest");
    let library = place.path("layer.so").canonicalize().expect("the library");
    assert_eq!(manifest["layer"]["library_path"], library.display().to_string());
    assert_eq!(manifest["layer"]["type"], "GLOBAL");
}

#[test]
fn nothing_is_left_behind_unless_it_is_kept() {
    let place = Place::new();
    place.check(&["run", "-q", "true"], 0, "");
    let runs = || fs::read_dir(place.path("unwedge")).expect("the folder").count();
    assert_eq!(runs(), 0);
    let output = place.run(["run", "--keep", "true"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("black boxes are kept in "));
    assert_eq!(runs(), 1);
}

#[test]
fn a_bad_runtime_folder_is_said_and_another_is_used() {
    let place = Place::new();
    fs::write(place.path("file"), "").expect("a file");
    let mut command = place.command();
    command.env("XDG_RUNTIME_DIR", place.path("file")).args(["run", "--", "sh", "-c", "exit 5"]);
    let output = command.output().expect("the command starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("file/unwedge: not a directory)"), "{stderr}");
    assert_eq!(output.status.code(), Some(5));
}

#[test]
fn without_its_layer_the_program_runs_unwatched() {
    let place = Place::new();
    let json = place.path("report.json");
    let arguments =
        ["run", "--layer", "/no/such/layer.so", "--json", &json.display().to_string(), "--"];
    let arguments: Vec<&str> = arguments.into_iter().chain(["sh", "-c", "exit 4"]).collect();
    let stderr = "unwedge: the layer's library /no/such/layer.so was not found; running unwatched\n\
                  hint: build it with cargo build --release -p unwedge-layer, or name it with --library\n";
    place.check(&arguments, 4, stderr);
    let report: serde_json::Value =
        serde_json::from_slice(&fs::read(json).expect("a report")).expect("JSON");
    assert_eq!(report["verdict"], "inconclusive");
}

#[test]
fn a_program_without_vulkan_has_a_report() {
    let place = Place::new();
    let output = place.run([
        "run",
        "--json",
        "--html",
        &place.path("x.html").display().to_string(),
        "--",
        "true",
    ]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&report["unwedge_report"], &report["verdict"]), (&1.into(), &"progressing".into()));
    assert!(fs::read_to_string(place.path("x.html")).expect("a page").contains("<html"));
}

#[test]
fn signals_are_passed_on() {
    let place = Place::new();
    let ready = place.path("ready");
    let script =
        format!("trap 'exit 9' TERM; touch {}; while :; do sleep 0.05; done", ready.display());
    let child = place.command().args(["run", "-q", "--", "sh", "-c", &script]).spawn();
    let mut child = child.expect("the command starts");
    let began = Instant::now();
    while !ready.exists() {
        assert!(began.elapsed() < Duration::from_secs(20), "the program never began");
        std::thread::sleep(Duration::from_millis(10));
    }
    let kill = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(kill.expect("kill").success());
    assert_eq!(wait(&mut child), Some(9));
}

#[test]
fn an_interrupt_is_the_programs_to_answer() {
    let place = Place::new();
    let ready = place.path("ready");
    let script =
        format!("trap 'exit 9' TERM; touch {}; while :; do sleep 0.05; done", ready.display());
    let child = place.command().args(["run", "-q", "--", "sh", "-c", &script]).spawn();
    let mut child = child.expect("the command starts");
    while !ready.exists() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let kill = |signal: &str| Command::new("kill").args([signal, &child.id().to_string()]).status();
    assert!(kill("-INT").expect("kill").success());
    std::thread::sleep(Duration::from_millis(300));
    assert!(kill("-TERM").expect("kill").success());
    assert_eq!(wait(&mut child), Some(9), "the command outlived its own interrupt");
}

fn wait(child: &mut std::process::Child) -> Option<i32> {
    let began = Instant::now();
    loop {
        match child.try_wait().expect("a child") {
            Some(status) => return status.code(),
            None if began.elapsed() > Duration::from_secs(20) => {
                child.kill().expect("killed");
                panic!("it did not end");
            }
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}

#[test]
fn explain_refuses_what_it_cannot_read() {
    let place = Place::new();
    let refuse = |name: &str, bytes: &[u8], why: &str, hint: &str| {
        fs::write(place.path(name), bytes).expect("a file");
        let path = place.path(name).display().to_string();
        place.check(&["explain", &path], 2, &format!("error: DIR/{name}: {why}\nhint: {hint}\n"));
    };
    let check = |name: &str, bytes: &[u8], why: &str| {
        let hint =
            "a black box is left by unwedge run --keep, a recording by unwedge run --trace FILE";
        refuse(name, bytes, why, hint);
    };
    check("empty", b"", "it is empty");
    refuse(
        "text",
        b"hello",
        "neither a black box nor in a format that is known",
        "--format NAME says what it is: unwedge, guest-kernel, go, jvm, qemu, ftrace, kernel-log; \
         or --profile FILE for other JSON Lines",
    );
    refuse(
        "json",
        b"{\"unwedge_trace\":1}\n",
        "line 1 is not the header of an unwedge recording: missing field `source`, column 19",
        "it was taken for a recording of unwedge in JSON Lines; --format NAME overrides",
    );
    check("short", b"UNWEDGE\0", "8 bytes are too few for a black box");
    let old = [&b"UNWEDGE\0"[..], &99_u64.to_ne_bytes(), &[0; 8192]].concat();
    check("old", &old, "the black box has layout version 99, this program reads version 1");
    let missing = place.path("missing").display().to_string();
    place.check(
        &["explain", &missing],
        2,
        "error: DIR/missing: No such file or directory (os error 2)\n\
         hint: a black box is left by unwedge run --keep, a recording by unwedge run --trace FILE\n",
    );
}

#[test]
fn explain_reads_a_recording() {
    let place = Place::new();
    let path = place.path("x.jsonl");
    fs::write(&path, "{\"unwedge_trace\":1,\"source\":\"test\",\"now\":5}\n").expect("a file");
    let output = place.run([
        OsStr::new("explain"),
        OsStr::new("--json"),
        OsStr::new("--"),
        path.as_os_str(),
    ]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&report["verdict"], output.status.code()), (&"progressing".into(), Some(0)));
}

#[test]
fn help_has_a_page_for_each_topic() {
    let place = Place::new();
    let stdout = |arguments: &[&str]| String::from_utf8(place.run(arguments).stdout).expect("text");
    assert!(stdout(&["help", "UW002"]).contains("UW002"));
    assert!(stdout(&["help", "inject"]).contains("withhold-images"));
    assert!(stdout(&["help", "run"]).contains("--on-wedge"));
    assert!(stdout(&["help"]).contains("completions"));
    assert!(stdout(&["completions", "bash"]).contains("unwedge"));
    assert!(stdout(&["man"]).contains(".TH unwedge"));
    assert!(stdout(&["man", "run"]).contains("deadline"));
    place.check(
        &["help", "UW999"],
        2,
        "error: there is no help on \"UW999\"\nhint: a finding's code such as UW002, inject, or a command; see unwedge help\n",
    );
}

#[test]
fn the_layer_is_installed_and_uninstalled() {
    let place = Place::new();
    let manifest = place.path("data/vulkan/implicit_layer.d/VK_LAYER_UNWEDGE_watch.json");
    let stdout = |arguments: &[&str]| {
        let output = place.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        String::from_utf8(output.stdout).expect("text")
    };
    assert_eq!(stdout(&["layer", "path"]), format!("{}\n", manifest.display()));
    assert!(stdout(&["layer", "uninstall"]).contains("is not installed"));
    assert!(stdout(&["layer", "install"]).starts_with("installed "));
    assert!(stdout(&["layer", "install"]).contains("installed already"));
    let text = fs::read_to_string(&manifest).expect("the manifest");
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(json["layer"]["enable_environment"]["UNWEDGE_WATCH"], "1");
    let beside = manifest.parent().map(|folder| folder.join("other.json")).expect("a folder");
    fs::write(&beside, "{}").expect("a file");
    assert!(stdout(&["layer", "uninstall"]).starts_with("removed "));
    assert!(!manifest.exists() && beside.exists());
}

#[test]
fn a_layer_that_cannot_be_installed_is_one_line_and_a_hint() {
    let place = Place::new();
    place.check(
        &["layer", "install", "--library", "/no/such.so"],
        2,
        "error: the layer's library /no/such.so was not found\n\
         hint: build it with cargo build --release -p unwedge-layer, or name it with --library\n",
    );
    fs::write(place.path("data"), "").expect("a file");
    let output = place.run(["layer", "install"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.starts_with("error: ") && stderr.contains("VK_LAYER_UNWEDGE_watch.json: "),
        "{stderr}"
    );
    assert_eq!(output.status.code(), Some(2));
    assert!(!Path::new("/etc/vulkan/implicit_layer.d/VK_LAYER_UNWEDGE_watch.json").exists());
}
