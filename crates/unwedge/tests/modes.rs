//! What does `--on-wedge` do to a program, and what happens when the watch itself is ended, or when
//! the program hides behind a shell or a double fork?
#![allow(clippy::expect_used, reason = "a test that cannot go on says why")]

#[path = "rig/mod.rs"]
mod rig;
#[path = "rig/watched.rs"]
mod watched;

use std::process::Stdio;

use unwedge_scenarios::STATUS_LIMIT;
use watched::{Watch, black_boxes, eventually, lives, signal};

const DEADLINE: &str = "--deadline=1s";
const FAIL: &[&str] = &[DEADLINE, "--on-wedge=fail"];
const KILL: &[&str] = &[DEADLINE, "--on-wedge=kill"];

#[test]
fn a_reported_program_goes_on_and_keeps_its_own_status() {
    let watch = Watch::new(&[DEADLINE]).env("UNWEDGE_SCENARIO_LIMIT_S", "6");
    let told = watch.scenario("fence-never-submitted");
    told.is_wedged("UW002", i32::from(STATUS_LIMIT), &["unwedge: reported UW002"]);
    assert_eq!(told.stderr.matches("wedged[UW002]").count(), 1, "said twice:\n{}", told.all());
}

#[test]
fn a_wedge_that_resolves_is_said_to() {
    // It goes on for a second after, so that the watch sees it alive.
    let delay = "--inject=delay-signal:fence:n=20:for=4s";
    let told = Watch::new(&[DEADLINE, delay]).script("\"$scenario\" dropped-fence && sleep 1");
    told.is_wedged("UW004", 0, &["unwedge: resolved after ", "unwedge: reported UW004"]);
    let at_once = Watch::new(&[DEADLINE, delay]).scenario("dropped-fence");
    at_once.is_wedged("UW004", 0, &["unwedge: resolved after ", "unwedge: reported UW004"]);
}

#[test]
fn a_killed_program_was_not_resolved() {
    let told = Watch::new(KILL).scenario("fence-never-submitted");
    told.is_wedged("UW002", 124, &["unwedge: ending the program"]);
    assert!(!told.stderr.contains("resolved"), "{}", told.all());
    assert!(!lives(told.patient()));
}

#[test]
fn a_program_that_ignores_sigterm_is_killed() {
    let told = Watch::new(KILL).script("trap '' TERM; exec \"$scenario\" fence-never-submitted");
    told.is_wedged("UW002", 124, &["unwedge: ending the program"]);
    assert!(!lives(told.patient()));
}

/// Its wait returns `VK_ERROR_DEVICE_LOST`, which the scenarios take for the end; on the way out each
/// waits for the device to be idle, which must fail as well, or it would hang again.
fn check_failed(scenario: &str, code: &str, more: &[&str]) {
    let options = [FAIL, more].concat();
    let watch = Watch::new(&options).env("UNWEDGE_SCENARIO_LIMIT_S", "30");
    let told = watch.scenario(scenario);
    let failing = "unwedge: failing the waits of device 0 with VK_ERROR_DEVICE_LOST";
    let failed = "scenario: ERROR_DEVICE_LOST";
    let over = "unwedge: ended with VK_ERROR_DEVICE_LOST after ";
    told.is_wedged(code, 1, &[failing, failed, over]);
    assert!(!told.stderr.contains("resolved"), "{}", told.all());
}

#[test]
fn a_failed_fence_wait_returns_and_the_device_stays_lost() {
    check_failed("gpu-wait-timeline", "UW002", &[]);
}

#[test]
fn a_failed_semaphore_wait_returns() {
    check_failed("host-wait-timeline", "UW002", &[]);
}

#[test]
fn a_failed_queue_idle_returns() {
    check_failed("queue-idle-gpu-wait", "UW002", &[]);
    check_failed("queue-idle-self", "UW001", &[]);
}

#[test]
fn a_failed_device_idle_returns() {
    check_failed("device-idle-gpu-wait", "UW002", &[]);
    check_failed("device-idle-self", "UW001", &[]);
}

#[test]
fn both_threads_of_a_failed_deadlock_return() {
    check_failed("two-threads-deadlock", "UW001", &[]);
}

#[test]
fn failed_polls_return() {
    check_failed("fence-poll", "UW002", &[]);
}

#[test]
fn a_failed_wait_for_a_lost_signal_returns() {
    check_failed("dropped-fence", "UW004", &["--inject=drop-signal:fence:n=20"]);
    check_failed("dropped-timeline", "UW004", &["--inject=drop-signal:timeline:n=20"]);
    check_failed("held-submit", "UW006", &["--inject=hold-submit:n=5"]);
}

#[test]
fn the_mode_fail_leaves_a_healthy_program_alone() {
    let told = Watch::new(FAIL).scenario("short-fences");
    told.is_healthy(0, &["nothing wrong"]);
    let told = Watch::new(FAIL).scenario("slow-compute");
    told.is_healthy(0, &["nothing wrong"]);
}

#[test]
fn the_black_box_outlives_a_watch_that_is_killed() {
    let watch = Watch::new(&[DEADLINE, "-q"]).env("UNWEDGE_SCENARIO_LIMIT_S", "30");
    let (mut command, folder) = watch.by_hand("fence-never-submitted");
    let mut watcher = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
    let found = eventually("a report", || {
        let report = std::fs::read(folder.path().join("json")).unwrap_or_default();
        (!report.is_empty()).then(|| black_boxes(folder.path()).pop())?
    });
    let (path, pid) = found;
    watcher.kill().expect("it is ours");
    watcher.wait().expect("it was killed");
    assert!(lives(pid), "the program died with its watch");
    for state in ["running", "killed"] {
        if state == "killed" {
            signal(pid, libc::SIGKILL);
            eventually("the program's end", || (!lives(pid)).then_some(()));
        }
        let output = rig::run(rig::unwedge().arg("explain").arg(&path));
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("wedged[UW002]"), "{state}: {said}");
        assert_eq!(output.status.code(), Some(1), "{state}: {said}");
    }
}

#[test]
fn a_program_behind_a_shell_is_watched() {
    let script = "\"$scenario\" fence-never-submitted; exit 5";
    let told = Watch::new(KILL).script(script);
    told.is_wedged("UW002", 124, &["vkWaitForFences"]);
    assert!(!lives(told.patient()));
    let told = Watch::new(&[DEADLINE]).env("UNWEDGE_SCENARIO_LIMIT_S", "4").script(script);
    told.is_wedged("UW002", 5, &["vkWaitForFences"]);
}

#[test]
fn a_program_that_forks_twice_is_watched_to_its_end() {
    let script = "(setsid \"$scenario\" fence-never-submitted &) ; exit 3";
    let told = Watch::new(KILL).script(script);
    told.is_wedged("UW002", 124, &["vkWaitForFences", "unwedge: ending the program"]);
    eventually("the grandchild's end", || (!lives(told.patient())).then_some(()));
    let healthy = Watch::new(KILL).script("(setsid \"$scenario\" dropped-fence &) ; exit 3");
    healthy.is_healthy(3, &["121 Vulkan submits and waits", "nothing wrong"]);
}
