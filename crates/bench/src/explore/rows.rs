//! Which figures say whether protocols are explored fast enough?

use serde_json::json;

use super::measure::{Case, Explored};
use super::once::{WAYS, Way};
use crate::figures::{Goal, Row, columns, median, table};

pub(crate) const ABOUT: &str = "Each exploration is a process of its own, all of them alternating; figures are medians over rounds, and ratios those \
     within\na round. Wall time is without the start of the process; CPU is user and system time of all threads, and tells more where the\n\
     machine was not idle. unwedge keeps each state and compares it in full, gives the same answer whatever the threads, and says of each\n\
     state whether every goal stays within reach (one for the commit, one for each philosopher). stateright keeps a hash of 64 bits\n\
     of each state and a way to those ahead, and has one property here, which holds everywhere and costs nothing, so that it goes\n\
     through all states. Bytes are what the explorer counts of its own, the peak is of the process. `run.json` has the rounds.\n";

/// All that was measured, as a table.
pub(crate) fn measured(cases: &[Case]) -> String {
    let head = [
        "protocol",
        "states",
        "transitions",
        "what",
        "wall",
        "CPU",
        "states/s",
        "transitions/s",
        "CPU ns/state",
        "bytes/state",
        "peak",
    ];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    for case in cases {
        lines.extend(WAYS.into_iter().map(|way| line(case, way)));
    }
    columns(&lines)
}

fn line(case: &Case, way: Way) -> Vec<String> {
    let middle = |of| middle(case, way, of);
    let (states, transitions) = (middle(states), middle(|explored| explored.transitions));
    let (took, used) = (middle(seconds), middle(cpu));
    let bytes = case.of(way).next().and_then(|explored| explored.bytes);
    vec![
        case.kind.said(case.size),
        format!("{states}"),
        format!("{transitions}"),
        way.name().to_owned(),
        format!("{took:.3} s"),
        format!("{used:.2} s"),
        millions(states / took),
        millions(transitions / took),
        format!("{:.0}", used * 1e9 / states),
        bytes.map_or(String::new(), |bytes| format!("{:.1}", bytes / states)),
        format!("{:.0} MiB", middle(peak) / f64::from(1 << 20)),
    ]
}

fn states(explored: &Explored) -> f64 {
    explored.states
}

fn seconds(explored: &Explored) -> f64 {
    explored.seconds
}

fn cpu(explored: &Explored) -> f64 {
    explored.spent.cpu.as_secs_f64()
}

fn peak(explored: &Explored) -> f64 {
    explored.spent.peak_bytes as f64
}

fn speed(explored: &Explored) -> f64 {
    explored.states / explored.seconds
}

type Of = fn(&Explored) -> f64;

fn middle(case: &Case, way: Way, of: Of) -> f64 {
    median(&case.of(way).map(of).collect::<Vec<_>>())
}

fn millions(value: f64) -> String {
    format!("{:.2} M", value / 1e6)
}

/// The goals, for the largest of each protocol.
pub(crate) fn goals(cases: &[Case]) -> Vec<Row> {
    cases.chunks(3).filter_map(|sizes| Some((sizes, sizes.last()?))).flat_map(of_protocol).collect()
}

fn of_protocol((sizes, largest): (&[Case], &Case)) -> [Row; 4] {
    let beside = |name: &str, of: Of, show: fn(f64) -> String| Row {
        what: format!("{}: {name}", largest.kind.said(largest.size)),
        bare: show(middle(largest, Way::Stateright, of)),
        with: show(middle(largest, Way::Unwedge, of)),
        figure: None,
        goal: None,
        rounds: json!(largest.of(Way::Unwedge).map(of).collect::<Vec<_>>()),
    };
    let speed_now = middle(largest, Way::Unwedge, speed);
    let each = |case: &Case| middle(case, Way::Unwedge, |explored| cpu(explored) / explored.states);
    let growth = sizes.get(1).map_or(0.0, |middle| each(largest) / each(middle));
    let (fast, used) = (ratio(largest, speed), 1.0 / ratio(largest, cpu));
    [
        Row {
            figure: Some((speed_now, millions(speed_now))),
            goal: Some(Goal::AtLeast(2e6, "≥ 2 M")),
            ..beside("states a second", speed, millions)
        },
        Row {
            figure: Some((fast, format!("×{fast:.2}"))),
            goal: Some(Goal::AtLeast(1.0, "≥ ×1")),
            ..beside("states a second, how many times more", speed, millions)
        },
        Row {
            figure: Some((used, format!("×{used:.2}"))),
            ..beside("CPU time, how many times less", cpu, |cpu| format!("{cpu:.2} s"))
        },
        Row {
            figure: Some((growth, format!("×{growth:.2}"))),
            goal: Some(Goal::AtMost(1.5, "≤ ×1.5")),
            bare: String::new(),
            ..beside("CPU time a state, beside the next smaller size", cpu, |cpu| {
                format!("{cpu:.2} s")
            })
        },
    ]
}

/// Ours to stateright's of the same round.
fn ratio(case: &Case, of: Of) -> f64 {
    let pairs = case.of(Way::Unwedge).zip(case.of(Way::Stateright));
    median(&pairs.map(|(ours, theirs)| of(ours) / of(theirs)).collect::<Vec<_>>())
}

pub(crate) fn goals_table(rows: &[Row]) -> String {
    table(["what", "stateright", "unwedge", "figure", "goal", "verdict"], rows)
}
