//! Which worlds are there, and what can be set of each?

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

use unwedge_sim::scenarios::{self, Scenario};
use unwedge_sim::switch::{Domain, Switch};

use super::chosen::find;
use crate::error::Error;
use crate::terminal;

/// Columns that text is wrapped to, where no terminal says otherwise.
const WIDTH: usize = 98;

/// Prints the scenarios, or all about one.
///
/// # Errors
/// When there is no scenario of this name.
pub(super) fn print(name: Option<&str>) -> Result<ExitCode, Error> {
    let width = terminal::style(&io::stdout()).width.clamp(40, 110);
    let text = match name {
        Some(name) => story(find(name)?, width),
        None => all(),
    };
    // Whoever closes standard output has read enough.
    let _ = io::stdout().write_all(text.as_bytes());
    Ok(ExitCode::SUCCESS)
}

/// One line for each scenario.
fn all() -> String {
    let scenarios = scenarios::all();
    let widest = scenarios.iter().map(|scenario| scenario.name.len()).max().unwrap_or(0);
    let line = |scenario: &Scenario| format!("{:widest$}  {}\n", scenario.name, scenario.about);
    scenarios.iter().map(line).collect()
}

/// What a scenario is made of, and its switches.
fn story(scenario: &Scenario, width: usize) -> String {
    let mut text = format!("{}: {}\n\n", scenario.name, scenario.about);
    for paragraph in scenario.story.split("\n\n").filter(|part| !part.trim().is_empty()) {
        let words: Vec<_> = paragraph.split_whitespace().collect();
        wrap(&mut text, "", &words.join(" "), width);
        text.push('\n');
    }
    text += "Switches, each as it is if nothing is said:\n\n";
    for switch in scenario.switches {
        let _ = writeln!(text, "  {}={}", switch.name, switch.default());
        wrap(&mut text, "      ", &format!("{}: {}", domain(switch), switch.about), width);
    }
    text
}

/// The switches of every scenario, for the long help.
pub(super) fn switches_of_all() -> String {
    let mut text =
        "Scenarios, and what can be set of each, as it is if nothing is said:".to_owned();
    for scenario in scenarios::all() {
        let _ = write!(text, "\n\n");
        wrap(&mut text, "", &format!("{}: {}", scenario.name, scenario.about), WIDTH);
        for switch in scenario.switches {
            let said = format!("{}: {}", domain(switch), switch.about);
            let _ = write!(text, "\n  {}={}\n", switch.name, switch.default());
            wrap(&mut text, "      ", &said, WIDTH);
        }
    }
    text
}

/// What a switch may be.
fn domain(switch: &Switch) -> String {
    match switch.domain {
        Domain::Flag { .. } => "on or off".to_owned(),
        Domain::Number { least, most, .. } => format!("{least} to {most}"),
        Domain::Choice { words, .. } => words.join(" or "),
        Domain::Fault { .. } => {
            "off, on, N (the N-th time), N+ (from then on) or N% (by chance)".to_owned()
        }
    }
}

/// Adds lines of whole words, each behind `margin`.
fn wrap(text: &mut String, margin: &str, words: &str, width: usize) {
    let mut column = 0;
    for word in words.split(' ') {
        let letters = word.chars().count();
        if column > 0 && column + 1 + letters > width {
            text.push('\n');
            column = 0;
        }
        if column == 0 {
            text.push_str(margin);
            column = margin.len();
        } else {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += letters;
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_become_lines_of_whole_words() {
        let mut text = String::new();
        wrap(&mut text, "  ", "one two three fourteen", 11);
        assert_eq!(text, "  one two\n  three\n  fourteen\n");
    }
}
