//! Does what docs/sim.md and the pages of the worlds show come out?

use std::fs;
use std::path::Path;

use super::place::Place;

/// A command of a page, and the lines that it is said to print.
struct Shown {
    command: Vec<String>,
    lines: Vec<String>,
}

/// The commands in a page's blocks, in order.
fn shown(page: &str) -> Vec<Shown> {
    let mut commands: Vec<Shown> = Vec::new();
    let mut in_block = false;
    let mut is_session = false;
    for line in page.lines() {
        if line.starts_with("```") {
            (in_block, is_session) = (!in_block, false);
        } else if let Some(command) = line.strip_prefix("$ unwedge ").filter(|_| in_block) {
            let command = command.split_whitespace().map(str::to_owned).collect();
            commands.push(Shown { command, lines: Vec::new() });
            is_session = true;
        } else if let Some(last) = commands.last_mut().filter(|_| is_session) {
            last.lines.push(line.to_owned());
        }
    }
    commands
}

/// A line without what differs between machines: how long it took, and how fast that was.
fn lasting(line: &str) -> String {
    let line = line.trim();
    let Some((counts, _)) = line.split_once("; ").filter(|_| line.starts_with("explored: ")) else {
        return line.to_owned();
    };
    counts.to_owned()
}

fn check(path: &Path) {
    let page = fs::read_to_string(path).expect("a page");
    let place = Place::new();
    for Shown { command, lines } in shown(&page) {
        let arguments: Vec<&str> = command.iter().map(String::as_str).collect();
        let output = place.run(&arguments);
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        let mut printed = said.lines().map(lasting);
        for line in lines.iter().filter(|line| line.trim() != "…" && !line.trim().is_empty()) {
            let line = lasting(line);
            assert!(
                printed.any(|printed| printed == line),
                "{}: {arguments:?} does not print, or not there: {line:?}\n{said}",
                path.display()
            );
        }
    }
}

fn docs() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

#[test]
fn the_page_of_the_verb_shows_what_comes_out() {
    check(&docs().join("sim.md"));
}

#[test]
fn the_pages_of_the_worlds_show_what_comes_out() {
    let pages = fs::read_dir(docs().join("sim")).expect("the pages");
    let mut pages: Vec<_> = pages.flatten().map(|page| page.path()).collect();
    pages.sort();
    assert!(pages.len() >= 4, "{pages:?}");
    pages.iter().for_each(|page| check(page));
}

#[test]
fn blocks_are_taken_apart() {
    let page = "# A\n```text\n$ unwedge sim --list\nframe\n…\n$ unwedge help UW001\nmore\n```\nno\n```sh\nunwedge\n```\n";
    let shown = shown(page);
    let commands: Vec<_> = shown.iter().map(|shown| shown.command.join(" ")).collect();
    assert_eq!(commands, ["sim --list", "help UW001"]);
    assert_eq!(shown[0].lines, ["frame", "…"]);
    assert_eq!(shown[1].lines, ["more"]);
    assert_eq!(lasting(" explored: 3 states, 2 deep; 14 ms"), "explored: 3 states, 2 deep");
}
