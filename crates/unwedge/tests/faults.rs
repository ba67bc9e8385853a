//! Does every fault of `unwedge help inject` strike where it was asked to, each time, and is it told
//! to have been injected? And does a program that copes with it go on?
#![allow(clippy::expect_used, reason = "a test that cannot go on says why")]

#[path = "rig/mod.rs"]
mod rig;
#[path = "rig/watched.rs"]
mod watched;

use watched::{Told, Watch, has_window, installed};

const KILL: &[&str] = &["--deadline=2s", "--on-wedge=kill"];

fn watch(faults: &[&str]) -> Watch {
    let faults = faults.iter().flat_map(|fault| ["--inject", fault]);
    Watch::new(&KILL.iter().copied().chain(faults).collect::<Vec<_>>())
}

/// The faults on the recording, in order of time, are these; the report says the same.
fn struck(told: &Told, expected: &[&str]) {
    assert_eq!(told.faults(), expected, "{}", told.all());
    let in_report = told.report["injected"].as_array().cloned().unwrap_or_default();
    assert_eq!(in_report, expected, "{}", told.all());
}

/// The same twice: the fault ends in this finding, and is named as injected in its sentence.
fn check_wedge(fault: &str, scenario: &str, code: &str, mark: &str) {
    for _ in 0..2 {
        let Some(watch) = watch(&[fault]).on_display(has_window(scenario)) else { return };
        let told = watch.scenario(scenario);
        told.is_wedged(code, 124, &["injected: these faults were put there on purpose"]);
        struck(&told, &[mark]);
        let sentence = told.report["findings"][0]["sentence"].as_str().unwrap_or_default();
        assert!(sentence.contains(&format!("(injected: {mark})")), "{sentence}");
    }
}

/// The same twice: the fault strikes and the program ends with this status and word, unaccused.
fn check_end(fault: &str, scenario: &str, status: i32, word: &str, mark: &str) {
    for _ in 0..2 {
        let Some(watch) = watch(&[fault]).on_display(has_window(scenario)) else { return };
        let told = watch.scenario(scenario);
        told.is_healthy(status, &[word]);
        struck(&told, &[mark]);
    }
}

#[test]
fn drop_signal_of_a_fence() {
    let mark = "drop-signal on vkQueueSubmit, occurrence 20";
    check_wedge("drop-signal:fence:n=20", "dropped-fence", "UW004", mark);
}

#[test]
fn drop_signal_of_a_timeline() {
    let mark = "drop-signal on vkQueueSubmit, occurrence 7";
    check_wedge("drop-signal:timeline:n=7", "dropped-timeline", "UW004", mark);
}

#[test]
fn drop_signal_of_a_binary_semaphore() {
    let mark = "drop-signal on vkQueueSubmit, occurrence 5";
    check_wedge("drop-signal:binary:n=5", "dropped-binary", "UW004", mark);
}

#[test]
fn hold_submit() {
    let mark = "hold-submit on vkQueueSubmit, occurrence 5";
    check_wedge("hold-submit:n=5", "held-submit", "UW006", mark);
}

#[test]
fn withhold_images() {
    let mark = "withhold-images on vkAcquireNextImageKHR, occurrence 5";
    check_wedge("withhold-images:n=5", "acquire-withheld", "UW010", mark);
}

#[test]
fn out_of_date_acquire() {
    let Some(watch) = watch(&["out-of-date:acquire:n=5"]).on_display(true) else { return };
    let told = watch.scenario("frame-loop-out-of-date");
    told.is_wedged("UW003", 124, &["VK_ERROR_OUT_OF_DATE_KHR"]);
    struck(&told, &["out-of-date on vkAcquireNextImageKHR, occurrence 5"]);
}

#[test]
fn fail_submit() {
    let mark = "fail-submit on vkQueueSubmit, occurrence 9";
    let said = "scenario: ERROR_OUT_OF_DEVICE_MEMORY";
    check_end("fail-submit:n=9", "dropped-fence", 1, said, mark);
}

#[test]
fn a_delay_within_the_deadline_is_healthy() {
    let nothing = "nothing wrong";
    let mark = |n: u32| format!("delay-signal on vkQueueSubmit, occurrence {n}");
    check_end("delay-signal:fence:n=20:for=500ms", "dropped-fence", 0, nothing, &mark(20));
    check_end("delay-signal:timeline:n=7:for=500ms", "dropped-timeline", 0, nothing, &mark(7));
    check_end("delay-signal:binary:n=5:for=500ms", "dropped-binary", 0, nothing, &mark(5));
    let mark = "hold-submit on vkQueueSubmit, occurrence 5";
    check_end("hold-submit:n=5:for=500ms", "held-submit", 0, nothing, mark);
}

#[test]
fn device_lost_at_each_call() {
    let said = "scenario: ERROR_DEVICE_LOST";
    let mark = |call: &str, n: u32| format!("device-lost on {call}, occurrence {n}");
    let check = |place: &str, scenario: &str, call: &str| {
        check_end(&format!("device-lost:{place}:n=5"), scenario, 1, said, &mark(call, 5));
    };
    check("submit", "dropped-fence", "vkQueueSubmit");
    check("wait", "dropped-fence", "vkWaitForFences");
    check("wait", "dropped-timeline", "vkWaitSemaphores");
    check("acquire", "acquire-withheld", "vkAcquireNextImageKHR");
    check("present", "acquire-withheld", "vkQueuePresentKHR");
}

#[test]
fn a_lost_device_stays_lost() {
    // The program retries its wait for ever, and each try fails.
    let told = watch(&["device-lost:submit:n=5"]).scenario("device-lost");
    told.is_wedged("UW007", 124, &["VK_ERROR_DEVICE_LOST"]);
    struck(&told, &["device-lost on vkQueueSubmit, occurrence 5"]);
}

#[test]
fn an_acquire_times_out_and_the_program_says_so() {
    let mark = "acquire-timeout on vkAcquireNextImageKHR, occurrence 5";
    check_end("acquire-timeout:n=5", "acquire-withheld", 1, "scenario: TIMEOUT", mark);
}

/// vkcube copes with these: it makes a new swapchain, or goes on with the old one.
fn check_cube(faults: &[&str], expected: &[&str]) {
    if !installed("vkcube") {
        return;
    }
    let Some(watch) = watch(faults).on_display(true) else { return };
    let told = watch.program(["vkcube", "--c", "60"]);
    told.is_healthy(0, &["60 frames presented", "nothing wrong"]);
    struck(&told, expected);
}

#[test]
fn vkcube_survives_suboptimal() {
    let acquire = "suboptimal on vkAcquireNextImageKHR, occurrence 5";
    check_cube(&["suboptimal:acquire:n=5"], &[acquire]);
    check_cube(&["suboptimal:present:n=5"], &["suboptimal on vkQueuePresentKHR, occurrence 5"]);
}

#[test]
fn vkcube_survives_out_of_date() {
    let acquire = "out-of-date on vkAcquireNextImageKHR, occurrence 5";
    check_cube(&["out-of-date:acquire:n=5"], &[acquire]);
    check_cube(&["out-of-date:present:n=5"], &["out-of-date on vkQueuePresentKHR, occurrence 5"]);
}

#[test]
fn vkcube_survives_several_faults_at_once() {
    let faults = [
        "suboptimal:present:n=10",
        "out-of-date:acquire:n=20",
        "hold-submit:n=60:for=300ms",
        "delay-signal:binary:n=40:for=300ms",
    ];
    let expected = [
        "suboptimal on vkQueuePresentKHR, occurrence 10",
        "out-of-date on vkAcquireNextImageKHR, occurrence 20",
        "delay-signal on vkQueueSubmit, occurrence 40",
        "hold-submit on vkQueueSubmit, occurrence 60",
    ];
    check_cube(&faults, &expected);
}

#[test]
fn n_plus_means_all_later_ones_too() {
    let told = watch(&["delay-signal:fence:n=58+:for=50ms"]).scenario("dropped-fence");
    told.is_healthy(0, &["nothing wrong"]);
    let marks = [58, 59, 60].map(|n| format!("delay-signal on vkQueueSubmit, occurrence {n}"));
    struck(&told, &marks.each_ref().map(String::as_str));
}

#[test]
fn a_fault_that_never_came_to_strike_is_not_told() {
    let told = watch(&["drop-signal:fence:n=61"]).scenario("dropped-fence");
    told.is_healthy(0, &["nothing wrong"]);
    struck(&told, &[]);
}

#[test]
fn the_help_names_every_fault_that_is_tested_here() {
    let output = rig::run(rig::unwedge().args(["help", "inject"]));
    let help = String::from_utf8_lossy(&output.stdout).into_owned();
    let here = include_str!("faults.rs");
    let lines = help.lines().filter_map(|line| line.strip_prefix("  "));
    let named = lines.filter_map(|line| line.split_once('[')?.0.split(':').next());
    let is_name = |name: &&str| name.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    let named: Vec<&str> = named.filter(is_name).collect();
    assert_eq!(named.len(), 9, "{help}");
    for fault in named {
        assert!(here.contains(&format!("\"{fault}:")), "{fault} is not tested here");
    }
}
