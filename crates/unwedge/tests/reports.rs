//! Does a whole run end as it must: the last line, the exit status, the JSON report, the recording
//! and a page that shows in a browser?
#![allow(clippy::expect_used, reason = "a test that cannot go on says why")]

mod common_page;
#[path = "rig/mod.rs"]
mod rig;
#[path = "rig/watched.rs"]
mod watched;

use watched::{Watch, installed};

/// A program with a window under the watch; `None`, said on stderr, where it cannot run.
fn windowed(program: &str, options: &[&str]) -> Option<Watch> {
    if !installed(program) {
        return None;
    }
    Watch::new(options).on_display(true)
}

fn check_cube(program: &str) {
    let Some(watch) = windowed(program, &[]) else { return };
    let told = watch.program([program, "--c", "500"]);
    told.is_healthy(0, &["made progress: 500 frames presented", "nothing wrong"]);
    assert_eq!(common_page::check(&told.page(), ""), Ok(()));
}

#[test]
fn vkcube_runs_500_frames() {
    check_cube("vkcube");
}

#[test]
fn vkcubepp_runs_500_frames() {
    check_cube("vkcubepp");
}

#[test]
fn vkcube_with_a_lost_fence_signal_is_explained_and_ended() {
    let options = ["--on-wedge=kill", "--deadline=2s", "--inject=drop-signal:fence:n=60"];
    let Some(watch) = windowed("vkcube", &options) else { return };
    let told = watch.program(["vkcube", "--c", "500"]);
    let injected = "drop-signal on vkQueueSubmit, occurrence 60";
    told.is_wedged("UW004", 124, &["vkWaitForFences", injected, "60 frames presented"]);
    assert_eq!(told.codes(), ["UW004"]);
    assert_eq!(told.faults(), [injected]);
    assert_eq!(common_page::check(&told.page(), "UW004"), Ok(()));
}

#[test]
fn a_hang_without_a_window_has_a_page_too() {
    let told = Watch::new(&["--on-wedge=kill", "--deadline=2s"]).scenario("two-threads-deadlock");
    told.is_wedged("UW001", 124, &["ping", "pong"]);
    assert_eq!(common_page::check(&told.page(), "UW001"), Ok(()));
}

#[test]
fn a_program_without_vulkan_is_left_alone() {
    let told = Watch::new(&[]).program(["sh", "-c", "echo out; exit 3"]);
    told.is_healthy(3, &["the program did not use Vulkan"]);
    assert_eq!(told.stdout, "out\n");
    assert_eq!(common_page::check(&told.page(), ""), Ok(()));
}
