//! Which crate may depend on which? The arrows of ARCHITECTURE.md, checked against every Cargo.toml.

use std::collections::BTreeSet;

use toml::Table;

use crate::files;

/// What a crate may depend on.
struct Rule {
    name: &'static str,
    /// Crates of ours that it may use.
    ours: &'static [&'static str],
    /// Other crates that it may use; `None` for any.
    others: Option<&'static [&'static str]>,
    /// Crates of ours that its tests may use as well.
    tests: &'static [&'static str],
    /// Not written yet: its rule waits for it.
    planned: bool,
}

const fn rule(
    name: &'static str,
    ours: &'static [&'static str],
    others: Option<&'static [&'static str]>,
    tests: &'static [&'static str],
) -> Rule {
    Rule { name, ours, others, tests, planned: false }
}

const fn planned(mut rule: Rule) -> Rule {
    rule.planned = true;
    rule
}

/// The layer is nobody's dependency: the command finds its library, it never links it.
#[rustfmt::skip]
const RULES: &[Rule] = &[
    rule("unwedge-trace", &[], Some(&["serde", "serde_json", "thiserror"]), &[]),
    rule("unwedge-readers", &["unwedge-trace"], Some(&["memchr", "serde", "serde_json", "thiserror", "toml"]), &["unwedge-analyze"]),
    rule("unwedge-analyze", &["unwedge-trace"], Some(&["serde"]), &["unwedge-sim"]),
    rule("unwedge-sim", &["unwedge-trace"], Some(&[]), &[]),
    // `tracing` because the events of its frame loop are to be read with what programs have already; it is a feature.
    rule("unwedge-wait", &[], Some(&["ash", "tracing"]), &["unwedge-fake-icd"]),
    // The same waits for other languages; a crate because it is an artifact, a library that C links.
    rule("unwedge-wait-c", &["unwedge-wait"], Some(&["ash"]), &["unwedge-fake-icd"]),
    rule("unwedge-layer", &["unwedge-trace"], Some(&["ash", "libc"]), &[]),
    rule("unwedge", &["unwedge-trace", "unwedge-readers", "unwedge-analyze", "unwedge-sim", "unwedge-wait"], None, &["unwedge-scenarios"]),
    // What tests and benchmarks run knows nothing of the tool.
    rule("unwedge-scenarios", &[], None, &[]),
    rule("unwedge-fake-icd", &[], Some(&["ash", "libc"]), &[]),
    rule("unwedge-bench", &["unwedge-fake-icd", "unwedge-sim", "unwedge-wait"], None, &[]),
];

fn manifests() -> Vec<(String, Table)> {
    let parse = |file: crate::File| {
        let table: Table =
            file.text.parse().unwrap_or_else(|error| panic!("{}: {error}", file.path));
        (table["package"]["name"].as_str().expect("a name").to_owned(), table)
    };
    files("crates", &["Cargo.toml"]).into_iter().map(parse).collect()
}

fn names(manifest: &Table, section: &str) -> BTreeSet<String> {
    let plain = manifest.get(section).and_then(|value| value.as_table());
    let targets = manifest.get("target").and_then(|value| value.as_table());
    let targets = targets.into_iter().flat_map(|targets| targets.values());
    let targets = targets.filter_map(|target| target.get(section)?.as_table());
    plain.into_iter().chain(targets).flat_map(|table| table.keys().cloned()).collect()
}

#[test]
fn every_crate_depends_on_what_its_rule_allows() {
    let mut complaints = Vec::new();
    for (name, manifest) in manifests() {
        let Some(rule) = RULES.iter().find(|rule| rule.name == name) else {
            complaints.push(format!("{name} has no rule"));
            continue;
        };
        let ours = |name: &String| name.starts_with("unwedge");
        let used = names(&manifest, "dependencies");
        let used =
            used.union(&names(&manifest, "build-dependencies")).cloned().collect::<BTreeSet<_>>();
        for other in &used {
            let allowed = if ours(other) { Some(rule.ours) } else { rule.others }
                .is_none_or(|some| some.contains(&other.as_str()));
            if !allowed {
                complaints.push(format!("{name} must not depend on {other}"));
            }
        }
        for other in names(&manifest, "dev-dependencies").iter().filter(|other| ours(other)) {
            if !rule.ours.contains(&other.as_str()) && !rule.tests.contains(&other.as_str()) {
                complaints.push(format!("the tests of {name} must not depend on {other}"));
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn every_rule_has_its_crate() {
    let crates: BTreeSet<String> = manifests().into_iter().map(|(name, _)| name).collect();
    for rule in RULES {
        assert_eq!(crates.contains(rule.name), !rule.planned, "{}", rule.name);
    }
}

/// `jsonl` brings serde, and the layer is loaded into patients.
#[test]
fn the_layer_takes_the_model_without_its_text_form() {
    let root: Table = files("", &["Cargo.toml"])
        .into_iter()
        .find(|file| file.path == "Cargo.toml")
        .and_then(|file| file.text.parse().ok())
        .expect("the workspace");
    assert_eq!(
        root["workspace"]["dependencies"]["unwedge-trace"]["default-features"].as_bool(),
        Some(false)
    );
    let (_, layer) =
        manifests().into_iter().find(|(name, _)| name == "unwedge-layer").expect("the layer");
    assert!(layer["dependencies"]["unwedge-trace"].get("features").is_none());
}

#[test]
fn every_crate_obeys_the_lints_and_is_not_published() {
    for (name, manifest) in manifests() {
        assert_eq!(manifest["lints"]["workspace"].as_bool(), Some(true), "{name}: [lints]");
        let licence = &manifest["package"]["license"]["workspace"];
        assert_eq!(licence.as_bool(), Some(true), "{name}: license");
    }
}
