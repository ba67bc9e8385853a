//! What does one call cost? `vkGetFenceStatus`, and an empty submit with its wait and reset, bare, under unwedge and under
//! other layers that are installed.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::figures::{Goal, Row, median};
use crate::{Measured, Tools, bounded};

/// Calls in a batch, of which the scenario takes the median.
const POLLS: &str = "200000";
const SUBMITS: &str = "2000";

/// Folders where the loader finds the manifests of explicit layers.
const LAYER_FOLDERS: [&str; 3] = [
    "/usr/share/vulkan/explicit_layer.d",
    "/usr/local/share/vulkan/explicit_layer.d",
    "/etc/vulkan/explicit_layer.d",
];

/// Other layers that watch every call.
const PEERS: [(&str, &str); 4] = [
    ("validation", "VK_LAYER_KHRONOS_validation"),
    ("gfxreconstruct", "VK_LAYER_LUNARG_gfxreconstruct"),
    ("Crash Diagnostic Layer", "VK_LAYER_LUNARG_crash_diagnostic"),
    ("api_dump", "VK_LAYER_LUNARG_api_dump"),
];

/// A way to run the program.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Bare,
    NoBreadcrumbs,
    Unwedge,
    Peer(usize),
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::NoBreadcrumbs => "unwedge --no-breadcrumbs",
            Self::Unwedge => "unwedge",
            Self::Peer(index) => PEERS[index].0,
        }
    }

    fn command(self, tools: &Tools, arguments: &[&str]) -> Command {
        let mut command = match self {
            Self::NoBreadcrumbs | Self::Unwedge => {
                let mut command = Command::new(&tools.unwedge);
                command.args(["run", "--quiet"]);
                command.args((self == Self::NoBreadcrumbs).then_some("--no-breadcrumbs"));
                command.arg("--").arg(&tools.scenario);
                command
            }
            Self::Bare | Self::Peer(_) => Command::new(&tools.scenario),
        };
        if let Self::Peer(index) = self {
            command.env("VK_INSTANCE_LAYERS", PEERS[index].1);
            // Only what recording costs, not what a disk does.
            command.env("GFXRECON_CAPTURE_FILE", "/dev/shm/unwedge-bench.gfxr");
        }
        command.args(arguments);
        command
    }
}

/// The three measures of a round, in nanoseconds a call.
#[derive(Clone, Copy)]
struct Cost {
    unsignalled: f64,
    signalled: f64,
    submit: f64,
}

pub(crate) fn measure(tools: &Tools, rounds: usize) -> Measured {
    let peers = (0..PEERS.len()).filter(|index| installed(PEERS[*index].1));
    let ways: Vec<Way> = [Way::Bare, Way::NoBreadcrumbs, Way::Unwedge]
        .into_iter()
        .chain(peers.map(Way::Peer))
        .collect();
    let mut costs: BTreeMap<Way, Vec<Cost>> = BTreeMap::new();
    for round in 0..rounds {
        eprintln!("calls: round {} of {rounds}", round + 1);
        // Each round begins elsewhere, so that no way is always first on a cool machine.
        for index in 0..ways.len() {
            let way = ways[(round + index) % ways.len()];
            costs.entry(way).or_default().push(cost(tools, way)?);
        }
    }
    Ok(ways[1..].iter().flat_map(|way| rows(*way, &costs[&Way::Bare], &costs[way])).collect())
}

fn installed(layer: &str) -> bool {
    let manifests = LAYER_FOLDERS
        .iter()
        .filter_map(|folder| Path::new(folder).read_dir().ok())
        .flatten()
        .flatten();
    manifests
        .filter_map(|file| std::fs::read_to_string(file.path()).ok())
        .any(|text| text.contains(&format!("\"{layer}\"")))
}

fn cost(tools: &Tools, way: Way) -> Result<Cost, String> {
    let status = run(tools, way, &["bench-status", POLLS])?;
    let submit = run(tools, way, &["bench-submit", SUBMITS])?;
    let number =
        |value: &Value, field: &str| value[field].as_f64().ok_or(format!("no {field} in {value}"));
    Ok(Cost {
        unsignalled: number(&status, "unsignalled_ns")?,
        signalled: number(&status, "signalled_ns")?,
        submit: number(&submit, "round_ns")?,
    })
}

fn run(tools: &Tools, way: Way, arguments: &[&str]) -> Result<Value, String> {
    let ended = bounded::run(&mut way.command(tools, arguments))?;
    let line = ended.stdout.lines().find(|line| line.starts_with("{\"bench\""));
    let problem = || {
        format!(
            "{}: {} ended with status {} and no figures",
            way.name(),
            arguments[0],
            ended.status
        )
    };
    line.and_then(|line| serde_json::from_str(line).ok()).ok_or_else(problem)
}

/// The three rows of a way. Polls are said as a difference, submits as a ratio.
fn rows(way: Way, bare: &[Cost], with: &[Cost]) -> [Row; 3] {
    let ours = !matches!(way, Way::Peer(_));
    let poll = ours.then_some(Goal::AtMost(10.0, "≤ +10 ns"));
    let submit = match way {
        Way::NoBreadcrumbs => Some(Goal::AtMost(1.03, "≤ ×1.03")),
        Way::Unwedge => Some(Goal::AtMost(1.10, "≤ ×1.10")),
        Way::Bare | Way::Peer(_) => None,
    };
    let rounds = |of: fn(&Cost) -> f64| {
        let pairs: Vec<(f64, f64)> = bare.iter().map(of).zip(with.iter().map(of)).collect();
        let raw = json!({
            "bare_ns": pairs.iter().map(|(bare, _)| bare).collect::<Vec<_>>(),
            "with_ns": pairs.iter().map(|(_, with)| with).collect::<Vec<_>>(),
        });
        (pairs, raw)
    };
    let row = |what: &str,
               of: fn(&Cost) -> f64,
               figure: fn(f64, f64) -> f64,
               said: fn(f64) -> String,
               goal| {
        let (pairs, raw) = rounds(of);
        let middle = |pick: fn(&(f64, f64)) -> f64| {
            nanoseconds(median(&pairs.iter().map(pick).collect::<Vec<_>>()))
        };
        let figure =
            median(&pairs.iter().map(|(bare, with)| figure(*bare, *with)).collect::<Vec<_>>());
        Row {
            what: format!("{what}, {}", way.name()),
            bare: middle(|pair| pair.0),
            with: middle(|pair| pair.1),
            figure: Some((figure, said(figure))),
            goal,
            rounds: raw,
        }
    };
    let more: fn(f64, f64) -> f64 = |bare, with| with - bare;
    let ratio: fn(f64, f64) -> f64 = |bare, with| with / bare;
    let say_more: fn(f64) -> String = |figure| format!("{figure:+.1} ns");
    let say_ratio: fn(f64) -> String = |figure| format!("×{figure:.3}");
    [
        row("vkGetFenceStatus, not signalled", |cost| cost.unsignalled, more, say_more, poll),
        row("vkGetFenceStatus, signalled", |cost| cost.signalled, more, say_more, poll),
        row("submit + wait + reset", |cost| cost.submit, ratio, say_ratio, submit),
    ]
}

/// So many, for a reader.
pub(crate) fn nanoseconds(ns: f64) -> String {
    if ns < 1000.0 { format!("{ns:.1} ns") } else { format!("{:.2} µs", ns / 1000.0) }
}
