//! What does the user see? Everything of ours goes to standard error; the program owns the rest.

use std::io::Write as _;

use unwedge_analyze::Report;

use crate::report::{self, Style};

/// One remark, in one line.
pub(crate) fn note(text: &str) {
    // A closed standard error must not end the watch.
    let _ = writeln!(std::io::stderr(), "unwedge: {text}");
}

/// A warning about something that the command could not do, and what to do about it.
pub(crate) fn warn(text: &str, hint: Option<&str>) {
    note(text);
    if let Some(hint) = hint {
        let _ = writeln!(std::io::stderr(), "hint: {hint}");
    }
}

/// Why the command ends here.
pub(crate) fn error(text: &str, hint: Option<&str>) {
    let mut stderr = std::io::stderr();
    let _ = writeln!(stderr, "error: {text}");
    if let Some(hint) = hint {
        let _ = writeln!(stderr, "hint: {hint}");
    }
}

/// A report, on standard error.
pub(crate) fn report(report: &Report) {
    let text = report::text(report, style(&std::io::stderr()));
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// How to write to a stream: colours only on a terminal, and not where the user says no.
pub(crate) fn style(stream: &(impl std::io::IsTerminal + std::os::fd::AsFd)) -> Style {
    let terminal = stream.is_terminal();
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    let size = rustix::termios::tcgetwinsize(stream).ok().filter(|_| terminal);
    let width = size.map_or(100, |size| usize::from(size.ws_col).max(20));
    Style { color: terminal && !plain, width }
}
