//! Is it a terminal? Keys, colours, sizes, past lines, and its end, on an X server with real key events.

mod rig;

use rig::{Start, Terminal};

const BACKGROUND: [u8; 3] = [0x16, 0x18, 0x1d];
const COLOUR: [u8; 3] = [1, 200, 3];

/// A terminal with a shell, or a skipped test.
fn terminal() -> Option<Terminal> {
    Terminal::start(Start::default())
}

#[test]
fn typed_text_reaches_the_shell_and_its_output_the_screen() {
    let Some(mut terminal) = terminal() else { return };
    assert_eq!(terminal.ask("echo 'Hello, (World)!'"), "Hello, (World)!");
    terminal.print_colour(COLOUR);
    terminal.wait_for_colour(COLOUR);
    // Three cells of a font that is 16 pixels high.
    let (left, _, width, height) = terminal.picture().bounds(COLOUR).expect("it is there");
    assert_eq!((left, width), (6, 30));
    assert!((16..24).contains(&height), "{height}");
    terminal.keep("typed");
}

#[test]
fn letters_are_drawn() {
    let Some(mut terminal) = terminal() else { return };
    terminal.enter("clear; printf '\\e[38;2;250;1;2mMMMM'; sleep 1000");
    terminal.wait_for("red letters", |terminal| terminal.picture().count([250, 1, 2]) > 20);
    let (left, top, width, height) =
        terminal.picture().bounds([250, 1, 2]).expect("they are there");
    assert!(left < 10 && top < 16, "{left} {top}");
    assert!((30..=40).contains(&width) && (9..16).contains(&height), "{width} {height}");
}

#[test]
fn control_and_function_keys_are_sent_as_xterm_does() {
    let Some(mut terminal) = terminal() else { return };
    terminal.enter("cat -v > keys");
    for key in ["Up", "F5", "ctrl+a", "alt+b", "shift+Tab", "Delete", "ctrl+Left", "Return"] {
        terminal.display.press(key);
    }
    terminal.display.press("ctrl+d");
    terminal.wait_for("the keys", |terminal| terminal.read("keys").contains('\n'));
    assert_eq!(terminal.read("keys").trim(), "^[[A^[[15~^A^[b^[[Z^[[3~^[[1;5D");
}

#[test]
fn an_interrupt_ends_what_runs() {
    let Some(mut terminal) = terminal() else { return };
    terminal.enter("touch begun; sleep 1000");
    terminal.wait_for("sleep", |terminal| terminal.has("begun"));
    terminal.display.press("ctrl+c");
    assert_eq!(terminal.ask("echo $?"), "130");
}

#[test]
fn a_new_size_reaches_the_shell_and_the_picture_fills_the_window() {
    let Some(mut terminal) = terminal() else { return };
    assert_eq!(terminal.ask("stty size"), "24 80");
    terminal.display.resize(612, 300);
    terminal.wait_for("a narrower picture", |terminal| terminal.picture().width == 612);
    assert_eq!(terminal.ask("stty size"), "15 60");
    terminal.display.resize(900, 650);
    terminal.wait_for("a wider picture, filled", |terminal| {
        let picture = terminal.picture();
        picture.width == 900 && picture.at(899, 649) == BACKGROUND
    });
    assert_eq!(terminal.ask("stty size"), "33 88");
    terminal.keep("resized");
}

#[test]
fn past_lines_come_into_view_and_go() {
    let Some(mut terminal) = terminal() else { return };
    terminal.print_colour(COLOUR);
    terminal.enter("seq 40; touch done");
    terminal.wait_for("the lines", |terminal| terminal.has("done"));
    terminal.wait_for("the colour to be gone", |terminal| terminal.picture().count(COLOUR) == 0);
    terminal.display.press("shift+Prior");
    terminal.wait_for_colour(COLOUR);
    terminal.display.press("shift+Next");
    terminal.wait_for("the present", |terminal| terminal.picture().count(COLOUR) == 0);
    terminal.display.turn_wheel(true, 10);
    terminal.wait_for_colour(COLOUR);
    // Typing brings the present back.
    terminal.display.type_text("e");
    terminal.wait_for("the present", |terminal| terminal.picture().count(COLOUR) == 0);
}

#[test]
fn the_title_is_what_the_program_says() {
    let Some(mut terminal) = terminal() else { return };
    assert_eq!(terminal.title(), "unwedge-terminal");
    terminal.enter("printf '\\e]0;a title\\a'");
    terminal.wait_for_title("a title");
}

#[test]
fn it_ends_with_the_status_of_the_shell() {
    let Some(terminal) = terminal() else { return };
    terminal.enter("exit 7");
    assert_eq!(terminal.ended(), 7);
}

#[test]
fn a_program_that_a_signal_ends_is_told_as_a_shell_does() {
    let execute = ["sh", "-c", "kill -TERM $$"];
    let start = Start { execute: &execute, ..Start::default() };
    let Some(display) = rig::display::Display::x11() else { return };
    let Some(terminal) = Terminal::spawn(display, start) else { return };
    assert_eq!(terminal.ended(), 143);
}

#[test]
fn a_closed_window_hangs_up_on_the_shell() {
    let Some(mut terminal) = terminal() else { return };
    terminal.ask("trap 'touch hung-up' EXIT; echo");
    let folder = terminal.folder();
    terminal.display.close();
    assert_eq!(terminal.ended(), 0);
    rig::wait_until("the shell to be told", || folder.path().join("hung-up").exists());
}

#[test]
fn a_terminal_in_which_nothing_happens_does_nothing() {
    let Some(mut terminal) = terminal() else { return };
    terminal.print_colour(COLOUR);
    terminal.wait_for_colour(COLOUR);
    std::thread::sleep(std::time::Duration::from_millis(500));
    let (frames, ticks) = (terminal.read("stats").lines().count(), terminal.ticks());
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert_eq!(terminal.read("stats").lines().count(), frames, "it draws");
    let worked = terminal.ticks() - ticks;
    assert!(worked <= 2, "it has worked for {worked} ticks in two seconds");
}

#[test]
fn keys_are_timed_from_press_to_picture() {
    let Some(mut terminal) = terminal() else { return };
    terminal.display.type_text("abc");
    terminal.wait_for("timed keys", |terminal| {
        let stats = terminal.read("stats");
        let timed: usize = stats
            .lines()
            .filter_map(|line| line.split_once("\"keys_us\":["))
            .map(|(_, keys)| {
                keys.split(',').filter(|key| key.starts_with(char::is_numeric)).count()
            })
            .sum();
        timed >= 3
    });
}

#[test]
fn without_a_driver_or_a_display_it_says_so_and_ends() {
    let Some(display) = rig::display::Display::x11() else { return };
    let said = |change: &dyn Fn(&mut std::process::Command)| {
        let mut command = std::process::Command::new("timeout");
        command.args(["20", env!("CARGO_BIN_EXE_unwedge-terminal")]);
        display.set(&mut command);
        change(&mut command);
        let output = command.output().expect("it starts");
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let no_driver = said(&|command| {
        command.env("VK_DRIVER_FILES", "/nonexistent").env("VK_ICD_FILENAMES", "/nonexistent");
    });
    assert!(no_driver.starts_with("error: no Vulkan driver is installed"), "{no_driver}");
    let no_display = said(&|command| {
        command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    });
    assert!(no_display.starts_with("error: no display can be reached"), "{no_display}");
}

#[test]
fn what_it_cannot_do_is_one_line() {
    let Some(display) = rig::display::Display::x11() else { return };
    let start = Start { execute: &["/nonexistent/shell"], ..Start::default() };
    let Some(terminal) = Terminal::spawn(display, start) else { return };
    let folder = terminal.folder();
    assert_eq!(terminal.ended(), 2);
    let said = std::fs::read_to_string(folder.path().join("errors")).expect("it was written");
    let line = said.lines().find(|line| line.starts_with("error: ")).expect("an error");
    assert!(line.contains("/nonexistent/shell"), "{line}");
}
