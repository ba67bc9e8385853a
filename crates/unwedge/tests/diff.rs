//! `unwedge diff` from outside: what it says, with which exit status, of recordings made here and of real ones.
#![allow(clippy::expect_used, reason = "a test that cannot go on says why")]

#[path = "rig/mod.rs"]
#[allow(dead_code, reason = "other suites use the rest")]
mod rig;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use unwedge_scenarios::table::Driver;

/// Lines of a guest kernel with a poller, a thread that swaps and one that waits for the swap: incident 3 in small. While
/// `frames` last, the poller's waits are met; then all time out.
fn guest(frames: usize, timeouts: usize) -> String {
    let mut out = String::from("{\"unwedge_trace\":1,\"source\":\"guest kernel\",\"now\":0}\n");
    let agents = [
        (0, "interrupt", "vsync"),
        (1, "guest_thread", "main"),
        (7, "guest_thread", "poll"),
        (8, "guest_thread", "swap"),
    ];
    for (agent, kind, name) in agents {
        let _ = writeln!(
            out,
            r#"{{"at":0,"agent":{agent},"is_agent":{{"kind":"{kind}","name":"{name}","pid":1,"tid":{agent}}}}}"#
        );
    }
    for (object, kind, handle, label) in
        [(0, "auto_reset_event", 0xbe8c_bb5c_u64, ""), (1, "event", 0x10e8, "swapped")]
    {
        let _ = writeln!(
            out,
            r#"{{"at":0,"agent":0,"is_object":{{"object":{object},"kind":"{kind}","handle":{handle},"label":"{label}","shared":false}}}}"#
        );
    }
    let main_waits = r#""agent":1,"wait_began":{"call":"KeWaitForSingleObject","points":[{"object":1,"value":"next"}],"mode":"all","bound":"infinite"}"#;
    let poll_waits = r#""agent":7,"wait_began":{"call":"KeWaitForSingleObject","points":[{"object":0,"value":"next"}],"mode":"all","bound":{"ns":30000000}}"#;
    let mut at = 0_u64;
    let _ = writeln!(out, r#"{{"at":{at},{main_waits}}}"#);
    for _ in 0..frames {
        let _ = writeln!(out, r#"{{"at":{at},{poll_waits}}}"#);
        at += 16_610_000;
        let events = [
            r#""agent":7,"wait_ended":{"outcome":"reached"}"#,
            r#""agent":8,"progress":{"what":"frame swapped"}"#,
            r#""agent":8,"signalled":{"point":{"object":1,"value":"next"}}"#,
            r#""agent":1,"wait_ended":{"outcome":"reached"}"#,
            main_waits,
        ];
        for event in events {
            let _ = writeln!(out, r#"{{"at":{at},{event}}}"#);
        }
    }
    for _ in 0..timeouts {
        let _ = writeln!(out, r#"{{"at":{at},{poll_waits}}}"#);
        at += 30_000_000;
        let _ = writeln!(out, r#"{{"at":{at},"agent":7,"wait_ended":{{"outcome":"timed_out"}}}}"#);
    }
    out
}

/// The command without a layer.
fn plain() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_unwedge"));
    command.env("NO_COLOR", "1").stdin(Stdio::null());
    command
}

/// A folder with recordings, in which the command is run.
struct Place(tempfile::TempDir);

impl Place {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            fs::write(folder.path().join(name), text).expect("a file");
        }
        Self(folder)
    }

    fn diff(&self, arguments: &[&str]) -> Output {
        let mut command = plain();
        command.current_dir(self.0.path()).arg("diff").args(arguments);
        rig::run(&mut command)
    }

    #[track_caller]
    fn check(&self, arguments: &[&str], status: i32) -> String {
        let output = self.diff(arguments);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}\n{text}{errors}");
        format!("{text}{errors}")
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.path().join(name)).expect("it was written")
    }
}

#[test]
fn a_recording_is_bit_identical_to_itself_and_the_change_inert() {
    let place = Place::new(&[("a", &guest(5, 50)), ("b", &guest(5, 50))]);
    let text = place.check(&["--change", "the clear", "--exact", "a", "b"], 0);
    assert!(
        text.starts_with("same: bit-identical: 131 events, times included; the clear is inert"),
        "{text}"
    );
    place.check(&["--json=out.json", "a", "b"], 0);
    let json: serde_json::Value = serde_json::from_str(&place.read("out.json")).expect("JSON");
    assert_eq!(json["unwedge_diff"], 1);
    assert_eq!((&json["same"], &json["inert"]), (&true.into(), &true.into()));
    assert_eq!(json["identical"]["events"], 131);
    assert_eq!(json["identical"]["hash"].as_str().map(str::len), Some(32));
    assert_eq!(json["divergence"], serde_json::Value::Null);
}

#[test]
fn two_engines_are_told_apart_in_what_matters() {
    let place = Place::new(&[("ours", &guest(6, 3000)), ("reference", &guest(400, 0))]);
    insta::assert_snapshot!(place.check(&["ours", "reference"], 1));
    let json = place.check(&["--json", "-", "ours", "reference"], 1);
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    for field in
        ["agents", "objects", "never_signalled", "rates", "unobserved", "divergence", "inert"]
    {
        assert!(!json[field].is_null(), "{field}");
    }
    assert_eq!(json["divergence"]["order"], "agent");
    assert!(json["divergence"]["agent"].as_str().is_some_and(|agent| agent.contains("poll")));
    assert_eq!(json["agents"][0]["how"], "id");
}

#[test]
fn counts_of_polls_are_the_same_unless_the_same_run_is_asked_for() {
    let place = Place::new(&[("a", &guest(0, 50)), ("b", &guest(0, 70))]);
    let text = place.check(&["a", "b"], 0);
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("50 times in A, 70 in B"), "{text}");
    place.check(&["--exact", "a", "b"], 1);
}

#[test]
fn a_map_says_who_is_who() {
    let renamed = guest(3, 0).replace("\"tid\":8", "\"tid\":40").replace("\"swap\"", "\"present\"");
    let map = "# swapping\n\nswap = present\n";
    let place =
        Place::new(&[("a", &guest(3, 0)), ("b", &renamed), ("map", map), ("bad", "swap\n")]);
    place.check(&["a", "b"], 1);
    for matched in [["--match=swap=present"], ["--match=8=40"], ["--map=map"]] {
        let text = place.check(&[&matched[..], &["a", "b"]].concat(), 0);
        assert!(text.contains("1 as given"), "{text}");
    }
    let text = place.check(&["--match=nobody=present", "a", "b"], 1);
    assert!(text.contains("A has no agent or object \"nobody\""), "{text}");
    let text = place.check(&["--map=bad", "a", "b"], 2);
    assert_eq!(
        text,
        "error: bad: line 1: \"swap\" is not of the form A=B\nhint: a map has a line A=B for each agent or object\n"
    );
    place.check(&["--match=x", "a", "b"], 2);
}

#[test]
fn what_cannot_be_read_is_said_in_one_line() {
    let place = Place::new(&[("a", &guest(1, 1)), ("empty", ""), ("text", "hello\n")]);
    for (other, why) in
        [("missing", "missing: "), ("empty", "empty: "), ("text", "text: "), (".", ".: ")]
    {
        for arguments in [["a", other], [other, "a"]] {
            let text = place.check(&arguments, 2);
            assert!(text.starts_with(&format!("error: {why}")), "{text}");
            assert_eq!(text.lines().count(), 2, "{text}");
        }
    }
    let torn = guest(2, 2);
    let torn = &torn[..torn.len() - 9];
    let place = Place::new(&[("a", &guest(2, 2)), ("torn", torn)]);
    assert!(
        place.check(&["a", "torn"], 0).contains("unwedge: torn: line "),
        "the last line is torn"
    );
}

#[test]
fn the_page_is_whole_and_what_comes_from_outside_is_text() {
    let hostile = guest(2, 40).replace("\"poll\"", "\"<script>alert(1)</script>\"");
    let place = Place::new(&[("<b>", &hostile), ("b", &guest(200, 0))]);
    place.check(&["--html=page.html", "<b>", "b"], 1);
    let page = place.read("page.html");
    for load in ["http://", "https://", " src=\"", "@import", "<link", "url(//", "<script", "<b>"] {
        assert!(!page.contains(load), "{load}");
    }
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    for tag in [
        "main", "section", "div", "ul", "li", "table", "tbody", "tr", "td", "th", "details",
        "span", "p", "article",
    ] {
        let opened =
            page.matches(&format!("<{tag} ")).count() + page.matches(&format!("<{tag}>")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

/// A guest kernel's trace as an emulator writes it, the host's clock in each line; after `frames` frames the poller's
/// waits time out.
fn foreign(host_ns: u64, frames: usize, timeouts: usize) -> String {
    let (mut out, mut host, mut guest) = (String::new(), host_ns, 1_000_u64);
    let mut line = |guest: u64, tid: u32, rest: &str| {
        host += 1_234 + host_ns % 97;
        let _ = writeln!(
            out,
            r#"{{"schema_version":1,"engine":"e","host_ns":{host},"guest_ns":{guest},"tid":{tid},"tid_event_idx":0,{rest}}}"#
        );
    };
    line(guest, 1, r#""kind":"thread.create","name":"main""#);
    line(guest, 7, r#""kind":"thread.create","name":"poll""#);
    line(guest, 1, r#""kind":"object.create","object":"0xbe8c","type":"auto_event""#);
    for round in 0..frames + timeouts {
        let result = if round < frames { "success" } else { "timeout" };
        line(
            guest,
            7,
            r#""kind":"wait.begin","call":"Wait","object":"0xbe8c","timeout_ns":30000000"#,
        );
        guest += if round < frames { 16_610_000 } else { 30_000_000 };
        line(guest, 7, &format!(r#""kind":"wait.end","object":"0xbe8c","result":"{result}""#));
        if round < frames {
            line(guest, 1, r#""kind":"frame.swap""#);
        }
    }
    out
}

/// A profile for lines of another's making.
const PROFILE: &str = r#"
name = "mine"
[time]
field = "t"
unit = "ms"
[agent]
field = "who"
[object]
field = "lock"
kind = "mutex"
[event]
field = "ev"
[events]
"want" = "wait_begin"
"got" = "wait_end"
"free" = "signal"
"#;

/// Two threads that take turns with a lock.
fn logged(tick: u64, rounds: u64) -> String {
    let mut out = String::new();
    for round in 0..rounds {
        for (step, ev) in ["want", "got", "free"].into_iter().enumerate() {
            let (t, who) = (tick * (3 * round + step as u64), ["x", "y"][round as usize % 2]);
            let _ = writeln!(out, r#"{{"t":{t},"who":"{who}","lock":"db","ev":"{ev}"}}"#);
        }
    }
    out
}

#[test]
fn one_run_of_a_guest_is_bit_identical_whatever_the_hosts_clock_was() {
    let place = Place::new(&[("a", &foreign(1_000, 5, 50)), ("b", &foreign(777_777, 5, 50))]);
    let text = place.check(&["--exact", "--change", "the reciprocal clear", "a", "b"], 0);
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.starts_with(
            "same: bit-identical: 115 events, times included; the reciprocal clear is inert on this run"
        ),
        "{text}"
    );
    // The guest's own clock is compared without being asked for.
    let slower = foreign(1_000, 5, 50).replace("\"guest_ns\":83051000", "\"guest_ns\":83051001");
    fs::write(place.0.path().join("slower"), slower).expect("a file");
    let text = place.check(&["a", "slower"], 0);
    assert!(
        text.starts_with("same: the same 115 events in the same order, at other virtual times"),
        "{text}"
    );
    assert!(text.contains("virtual times differ from event"), "{text}");
    place.check(&["--exact", "a", "slower"], 1);
}

#[test]
fn compressed_and_piped_inputs_and_stores_are_read_like_files() {
    let (ours, theirs) = (foreign(5, 3, 400), foreign(9, 90, 0));
    let place = Place::new(&[("a", &ours), ("b", &theirs)]);
    let plain = place.check(&["a", "b"], 1);
    let at = |name: &str| place.0.path().join(name);
    let zstd = zstd::encode_all(ours.as_bytes(), 1).expect("zstd");
    fs::write(at("a.zst"), zstd).expect("a file");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, theirs.as_bytes()).expect("gzip");
    fs::write(at("b.gz"), gzip.finish().expect("gzip")).expect("a file");
    rig::run(plain_in(&place).args(["import", "a", "store"]));
    for [a, b] in [["a.zst", "b"], ["a", "b.gz"], ["store", "b"]] {
        let other = place.check(&[a, b], 1);
        assert_eq!(sides_left_out(&other), sides_left_out(&plain), "{a} {b}");
    }
    for [a, b] in [["-", "b"], ["a", "-"]] {
        let piped = if a == "-" { "a" } else { "b" };
        let output = piped_through(&place, piped, &["diff", a, b]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert_eq!(sides_left_out(&text), sides_left_out(&plain), "{a} {b}");
    }
    for [a, b] in [["a.zst", "a"], ["a", "store"]] {
        assert!(place.check(&["--exact", a, b], 0).starts_with("same: bit-identical: "), "{a} {b}");
    }
}

/// What comes through a pipe and is long is read once: then the first event that differs cannot be shown.
#[test]
fn a_long_pipe_is_compared_and_what_it_leaves_unsaid_is_said() {
    let place = Place::new(&[("a", &foreign(5, 3, 200)), ("b", &foreign(9, 160_000, 0))]);
    assert!(fs::metadata(place.0.path().join("b")).expect("b").len() > 64 << 20);
    let output = piped_through(&place, "b", &["diff", "a", "-"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("the last 200 of 203 waits of 30 ms time out"), "{text}");
    assert!(words.contains("for B cannot be read again: it came through a pipe"), "{text}");
    assert!(!text.contains("the first event that differs\n"), "{text}");
}

#[test]
fn a_profile_is_for_what_is_no_recording_of_ours() {
    let files = [
        ("a", logged(3, 9)),
        ("b", logged(7, 9)),
        ("ours", guest(2, 2)),
        ("profile", PROFILE.into()),
    ];
    let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
    let place = Place::new(&files);
    let text = place.check(&["--profile", "profile", "a", "b"], 0);
    assert!(text.starts_with("same: bit-identical: 27 events, apart from their times"), "{text}");
    // Another format is another story, but it may be asked for.
    let text = place.check(&["--profile", "profile", "ours", "a"], 1);
    assert!(text.starts_with("different: "), "{text}");
    let text = place.check(&["a", "b"], 2);
    assert!(
        text.starts_with("error: a: neither a black box nor in a format that is known"),
        "{text}"
    );
    place.check(&["--format", "nonsense", "a", "b"], 2);
    let text = place.check(&["-", "-"], 2);
    assert_eq!(
        text,
        "error: -: standard input can be one of the two only\nhint: put one of them into a file\n"
    );
}

fn plain_in(place: &Place) -> Command {
    let mut command = plain();
    command.current_dir(place.0.path());
    command
}

/// Runs a command with a file at the other end of a pipe.
fn piped_through(place: &Place, file: &str, arguments: &[&str]) -> Output {
    let mut cat = Command::new("cat");
    let mut cat =
        cat.arg(file).current_dir(place.0.path()).stdout(Stdio::piped()).spawn().expect("cat");
    let end = cat.stdout.take().expect("its end of the pipe");
    let output = rig::run(plain_in(place).args(arguments).stdin(end));
    cat.wait().expect("cat ends");
    output
}

/// A report without the lines that name the files.
fn sides_left_out(text: &str) -> String {
    let names =
        |line: &&str| !line.starts_with("  A ") && !line.starts_with("  B ") || line.contains('+');
    text.lines().filter(names).collect::<Vec<_>>().join("\n")
}

/// The recording of a scenario on a driver; none, said on stderr, where the driver does not run it.
fn recorded(
    folder: &Path,
    name: &str,
    manifest: Option<&Path>,
    scenario: &str,
    more: &[&str],
) -> Option<PathBuf> {
    let file = folder.join(name);
    let mut command = rig::unwedge();
    rig::use_driver(&mut command, Driver::Any, folder);
    if let Some(manifest) = manifest {
        command.env("VK_DRIVER_FILES", manifest).env("VK_ICD_FILENAMES", manifest);
    }
    command.args(["run", "--deadline=2s", "--on-wedge=kill", "--trace"]).arg(&file);
    command.args(more).arg("--").arg(rig::built("scenario")).arg(scenario);
    let output = rig::run(&mut command);
    if output.status.code() == Some(unwedge_scenarios::STATUS_SKIPPED.into()) {
        eprintln!("skipped: {}", String::from_utf8_lossy(&output.stderr));
        return None;
    }
    Some(file)
}

fn compared(a: &Path, b: &Path) -> (Option<i32>, String) {
    let output = rig::run(plain().arg("diff").args([a, b]));
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Healthy programs, and one that hangs: each run is like the other, whatever the machine's mood.
const PROGRAMS: &[&str] =
    &["short-fences", "many-threads", "poll-progress", "handle-churn", "timed-wait-loop"];

#[test]
fn two_runs_of_one_program_are_the_same_apart_from_time() {
    let folder = tempfile::tempdir().expect("a folder");
    for scenario in PROGRAMS {
        let Some(a) = recorded(folder.path(), "a", None, scenario, &[]) else { return };
        let Some(b) = recorded(folder.path(), "b", None, scenario, &[]) else { return };
        let (status, text) = compared(&a, &b);
        assert_eq!(status, Some(0), "{scenario}:\n{text}");
    }
}

#[test]
fn a_run_whose_signal_was_lost_differs_from_one_that_was_well() {
    let folder = tempfile::tempdir().expect("a folder");
    let fault = ["--inject", "drop-signal:fence:n=20"];
    let Some(well) = recorded(folder.path(), "a", None, "dropped-fence", &[]) else { return };
    let Some(hung) = recorded(folder.path(), "b", None, "dropped-fence", &fault) else { return };
    let (status, text) = compared(&well, &hung);
    assert_eq!(status, Some(1), "{text}");
    assert!(text.contains("waits in vkWaitForFences for fence"), "{text}");
    assert!(text.contains("a fault was injected on purpose"), "{text}");
}

#[test]
fn one_program_does_the_same_on_two_drivers() {
    let Some(second) = std::env::var_os("UNWEDGE_SECOND_ICD").map(PathBuf::from) else {
        eprintln!("skipped: UNWEDGE_SECOND_ICD does not name the manifest of a second driver");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    for scenario in PROGRAMS {
        let Some(a) = recorded(folder.path(), "a", None, scenario, &[]) else { return };
        let b = recorded(folder.path(), "b", Some(&second), scenario, &[]);
        let b = b.unwrap_or_else(|| panic!("{} does not run {scenario}", second.display()));
        let (status, text) = compared(&a, &b);
        assert_eq!(status, Some(0), "{scenario}:\n{text}");
    }
}
