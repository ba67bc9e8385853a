//! Does the terminal live on while the GPU does not, and does the picture come back? `unwedge run --inject` wedges it; keys, sizes and the
//! end have to get through all the same.

mod rig;

use rig::{Start, Terminal};

const COLOUR: [u8; 3] = [1, 200, 3];
/// What the title says while what is shown is old.
const OLD: &str = "no picture";

/// A terminal on a GPU with these faults.
fn terminal(faults: &[&str]) -> Option<Terminal> {
    Terminal::start(Start { faults, ..Start::default() })
}

/// Types until a frame meets the fault and the title says so.
fn type_into_the_wedge(terminal: &mut Terminal) {
    for _ in 0..3 {
        terminal.enter("echo filler");
    }
    terminal.wait_for_title(OLD);
}

/// Keys and a new size reach the shell; afterwards the title still says that there is no picture.
fn use_it_without_a_picture(terminal: &mut Terminal) {
    assert_eq!(terminal.ask("echo during"), "during");
    terminal.display.resize(612, 300);
    let mut size = terminal.ask("stty size");
    for _ in 0..20 {
        if size == "15 60" {
            break;
        }
        size = terminal.ask("stty size");
    }
    assert_eq!(size, "15 60");
    let title = terminal.title();
    assert!(title.contains(OLD), "the wedge was over too soon: {title}");
}

/// The picture is as it should be, and so is the end.
fn see_it_recover(mut terminal: Terminal) {
    terminal.print_colour(COLOUR);
    terminal.wait_for_colour(COLOUR);
    terminal.wait_for("an untroubled title", |terminal| !terminal.title().contains(OLD));
    terminal.enter("exit 5");
    assert_eq!(terminal.ended(), 5);
}

/// A wedge that the terminal lives through, and that ends.
#[track_caller]
fn check_recovery(faults: &[&str]) {
    let Some(terminal) = terminal(faults) else { return };
    type_into_the_wedge(&mut terminal);
    use_it_without_a_picture(&mut terminal);
    see_it_recover(terminal);
}

/// A failure that is over before anybody could see it.
#[track_caller]
fn check_hitch(faults: &[&str]) {
    let Some(terminal) = terminal(faults) else { return };
    for _ in 0..3 {
        terminal.enter("echo filler");
    }
    see_it_recover(terminal);
}

#[test]
fn a_gpu_that_stands_still_for_a_while() {
    check_recovery(&["hold-submit:n=12:for=8s"]);
}

#[test]
fn a_batch_that_is_never_executed_costs_a_device() {
    check_recovery(&["hold-submit:n=12"]);
}

#[test]
fn a_fence_whose_signal_is_lost() {
    check_hitch(&["drop-signal:fence:n=12"]);
}

#[test]
fn fences_whose_signals_are_lost_again_and_again() {
    check_hitch(&["drop-signal:fence:n=9", "drop-signal:fence:n=14", "drop-signal:fence:n=20"]);
}

#[test]
fn a_device_that_is_lost_in_any_call() {
    for place in ["submit", "wait", "acquire", "present"] {
        check_hitch(&[&format!("device-lost:{place}:n=8")]);
    }
}

#[test]
fn calls_that_fail_once() {
    for fault in [
        "acquire-timeout:n=6",
        "out-of-date:acquire:n=6",
        "out-of-date:present:n=6",
        "suboptimal:acquire:n=6",
        "suboptimal:present:n=6",
        "fail-submit:n=8",
    ] {
        check_hitch(&[fault]);
    }
}

#[test]
fn the_first_frames_may_fail_as_well() {
    for fault in ["device-lost:submit:n=1", "acquire-timeout:n=1", "fail-submit:n=2"] {
        check_hitch(&[fault]);
    }
}

#[test]
fn images_that_never_come_any_more_cost_a_swapchain() {
    let Some(mut terminal) = terminal(&["withhold-images:n=12"]) else { return };
    type_into_the_wedge(&mut terminal);
    assert!(terminal.title().ends_with("waiting for the display"), "{}", terminal.title());
    assert_eq!(terminal.ask("echo during"), "during");
    see_it_recover(terminal);
}

#[test]
fn a_gpu_that_never_comes_back_leaves_a_terminal_without_a_picture() {
    let Some(mut terminal) = terminal(&["hold-submit:n=12+"]) else { return };
    type_into_the_wedge(&mut terminal);
    use_it_without_a_picture(&mut terminal);
    terminal.wait_for_title("gave up on the GPU");
    assert_eq!(terminal.ask("echo still"), "still");
    let said = terminal.read("errors");
    assert!(said.contains("no frame can be drawn"), "{said}");
    terminal.enter("exit 9");
    assert_eq!(terminal.ended(), 9);
}

#[test]
fn a_window_is_closed_during_a_wedge() {
    let Some(mut terminal) = terminal(&["hold-submit:n=12+"]) else { return };
    type_into_the_wedge(&mut terminal);
    terminal.display.close();
    assert_eq!(terminal.ended(), 0);
}
