//! Are the documents true in what a test can see? Findings and pages agree, examples are of programs that exist, links lead
//! somewhere.

use std::collections::BTreeSet;
use std::path::Path;

use unwedge_analyze::catalogue;
use unwedge_scenarios::table::{Expect, TABLE};

use crate::{File, files, root};

/// What every page of a finding has, in this order.
const HEADINGS: &[&str] = &["## What it means", "## Example", "## What to do"];
/// What the page of a finding says that no source of this release brings.
const NOT_YET: &str = "**Not yet:**";
/// Lines of ARCHITECTURE.md.
const ARCHITECTURE_LINES_MAX: usize = 300;

fn pages() -> Vec<(String, File)> {
    let code = |file: &File| {
        Path::new(&file.path).file_stem().map(|name| name.to_string_lossy().into_owned())
    };
    files("docs/findings", &[".md"])
        .into_iter()
        .filter_map(|file| Some((code(&file)?, file)))
        .collect()
}

#[test]
fn every_finding_has_its_page_and_every_page_its_finding() {
    let codes: BTreeSet<&str> = catalogue().iter().map(|kind| kind.code).collect();
    let pages: BTreeSet<String> = pages().into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, pages.iter().map(String::as_str).collect());
}

#[test]
fn every_page_says_what_it_must() {
    for (code, page) in pages() {
        let kind = catalogue().iter().find(|kind| kind.code == code).expect("a finding");
        let title = format!("# {code} {}", kind.name);
        assert_eq!(page.text.lines().next(), Some(title.as_str()), "{}", page.path);
        let mut rest = page.text.as_str();
        for heading in HEADINGS {
            let at = rest.find(&format!("\n{heading}\n"));
            rest =
                &rest[at.unwrap_or_else(|| panic!("{}: no {heading} in its place", page.path))..];
        }
    }
}

/// The example of a page is what a scenario or a recording really printed: `tools/refresh-finding-examples.sh` writes it.
#[test]
fn every_example_is_of_a_scenario_or_a_recording_with_that_finding() {
    let recordings = recordings();
    for (code, page) in pages() {
        let kind = catalogue().iter().find(|kind| kind.code == code).expect("a finding");
        let told = |example: &str| {
            ["wedged", "inconclusive"]
                .iter()
                .any(|verdict| example.contains(&format!("{verdict}[{code}]: {}\n", kind.name)))
        };
        let by_scenario = TABLE.iter().any(|scenario| expected(scenario.name) == Some(kind.code));
        let produced = by_scenario || recordings.iter().any(|(_, answer)| told(answer));
        assert_ne!(
            produced,
            page.text.contains(NOT_YET),
            "{}: {NOT_YET} where a scenario or a recording has it, or the reverse",
            page.path
        );
        if !produced {
            continue;
        }
        let example = page.text.split("```text\n").nth(1).and_then(|rest| rest.split("```").next());
        let example = example.unwrap_or_else(|| panic!("{}: no ```text block", page.path));
        let command = example.lines().next().unwrap_or_default();
        if let Some(recording) = command.strip_prefix("$ unwedge explain traces/") {
            let known = recordings.iter().find(|(name, _)| *name == recording);
            let (_, answer) = known.unwrap_or_else(|| panic!("{}: {recording}", page.path));
            assert!(told(answer), "{}: {recording}", page.path);
        } else {
            let scenario = command.rsplit(' ').next().unwrap_or_default();
            let runs = command.starts_with("$ ") && command.contains("unwedge run ");
            assert!(runs, "{}: {command}", page.path);
            assert_eq!(expected(scenario), Some(kind.code), "{}: {scenario}", page.path);
        }
        assert!(told(example), "{}: the example does not tell {code}", page.path);
    }
}

/// The recordings that are kept, and what is printed of each.
fn recordings() -> Vec<(String, String)> {
    let name = |file: &File| {
        let name = file.path.strip_prefix("traces/")?.strip_suffix(".expected.txt")?;
        Some(format!("{name}.jsonl"))
    };
    let answers = files("traces", &[".expected.txt"]).into_iter();
    answers.filter_map(|file| Some((name(&file)?, file.text))).collect()
}

fn expected(scenario: &str) -> Option<&'static str> {
    match TABLE.iter().find(|row| row.name == scenario)?.expect {
        Expect::Finding { code, .. } => Some(code),
        Expect::Healthy { .. } | Expect::Inconclusive => None,
    }
}

#[test]
fn every_link_leads_somewhere() {
    let mut complaints = Vec::new();
    for file in files("", &[".md"]) {
        let folder = root().join(&file.path).parent().expect("a folder").to_owned();
        for link in links(&file.text) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { root().join(&file.path) } else { folder.join(path) };
            if !target.exists() {
                complaints.push(format!("{}: {link}", file.path));
            } else if !anchor.is_empty() && !anchors(&target).contains(anchor) {
                complaints.push(format!("{}: {link}: no such heading", file.path));
            }
        }
    }
    assert!(complaints.is_empty(), "links that lead nowhere:\n  {}", complaints.join("\n  "));
}

/// The targets of links to files, outside of code.
fn links(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2).flat_map(|part| part.split('`').step_by(2));
    // A link's text may hold code, so look for what comes after it.
    let targets =
        prose.flat_map(|part| part.split("](").skip(1)).filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.contains("://") && !target.is_empty()).collect()
}

/// Headings as a renderer names them.
fn anchors(file: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let name = |line: &str| {
        let words = line.trim_start_matches('#').trim().to_lowercase();
        words
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
            .collect::<String>()
            .replace(' ', "-")
    };
    headings.map(name).collect()
}

#[test]
fn links_are_found_and_named() {
    assert_eq!(links("a [b](c.md) `[x](y)` [`d`](e.md#f) [g](https://h)"), ["c.md", "e.md#f"]);
    assert!(anchors(&root().join("ARCHITECTURE.md")).contains("the-code"));
}

#[test]
fn the_overview_stays_one() {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    assert!(text.lines().count() <= ARCHITECTURE_LINES_MAX);
    for folder in std::fs::read_dir(root().join("crates")).expect("crates").flatten() {
        let name = format!("crates/{}", folder.file_name().to_string_lossy());
        assert!(text.contains(&name), "ARCHITECTURE.md does not name {name}");
    }
}
