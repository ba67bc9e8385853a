//! Is it the same terminal on Wayland? Weston runs in a window of an X server, so the keys that it hands on are real ones.

mod rig;

use rig::display::Display;
use rig::{Start, Terminal};

const COLOUR: [u8; 3] = [1, 200, 3];

fn terminal(faults: &[&str]) -> Option<Terminal> {
    Terminal::start_on(Display::wayland()?, Start { faults, ..Start::default() })
}

/// Types, sees the answer on the screen, and ends it.
fn check(faults: &[&str]) {
    let Some(mut terminal) = terminal(faults) else { return };
    assert_eq!(terminal.ask("echo $WAYLAND_DISPLAY-$DISPLAY"), "wayland-of-a-test-");
    for number in 0..3 {
        assert_eq!(terminal.ask(&format!("echo {number}")), number.to_string());
    }
    terminal.print_colour(COLOUR);
    terminal.wait_for_colour(COLOUR);
    terminal.keep("wayland");
    terminal.enter("exit 4");
    assert_eq!(terminal.ended(), 4);
}

#[test]
fn keys_reach_the_shell_and_its_output_the_screen() {
    check(&[]);
}

#[test]
fn a_maximised_window_has_more_cells() {
    let Some(mut terminal) = terminal(&[]) else { return };
    assert_eq!(terminal.ask("stty size"), "24 80");
    // Weston's own key.
    terminal.display.press("super+shift+m");
    let mut size = String::new();
    for _ in 0..20 {
        size = terminal.ask("stty size");
        if size != "24 80" {
            break;
        }
    }
    let columns = size.split(' ').nth(1).and_then(|columns| columns.parse::<u32>().ok());
    assert!(columns.is_some_and(|columns| columns > 90), "{size}");
    terminal.print_colour(COLOUR);
    terminal.wait_for_colour(COLOUR);
    terminal.keep("maximised");
}

#[test]
fn a_gpu_that_stands_still_keeps_no_key_from_the_shell() {
    check(&["hold-submit:n=12:for=6s"]);
}

#[test]
fn a_batch_that_is_never_executed_costs_a_device() {
    check(&["hold-submit:n=12"]);
}

#[test]
fn a_lost_device_and_a_lost_signal() {
    check(&["device-lost:submit:n=10"]);
    check(&["drop-signal:fence:n=10"]);
}
