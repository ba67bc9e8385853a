//! Which figures say whether traces are read fast enough? Ratios to DuckDB first: absolute times are the machine's.

use serde_json::Value;

use super::Kind;
use super::hot::EVENTS;
use super::measure::Case;
use super::process::Spent;
use super::ways::{WAYS, Way};
use crate::figures::{Goal, Row, columns, median, table};

pub(crate) const ABOUT: &str = "Whole processes on files that are in memory, alternating; each figure is the median over rounds, and each ratio \
     that of\na comparison within one round. CPU is user and system time of all threads. DuckDB reads the same eight fields and\n\
     groups by three of them; \"tuned\" are the settings that were best here, and ratios are to the better of the two.\n\
     `run.json` has the rounds.\n";

/// Smaller traces have no goals: of what they take, much is starting a process.
const EVENTS_OF_GOALS: u64 = 3_000_000;
const MIB: f64 = (1 << 20) as f64;

/// All that was measured, as a table.
pub(crate) fn measured(cases: &[Case]) -> String {
    let head = [
        "trace",
        "what",
        "wall",
        "CPU",
        "MB/s",
        "ns/event",
        "CPU ns/event",
        "peak",
        "× DuckDB",
        "CPU × DuckDB",
    ];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    for case in cases {
        lines.extend(WAYS.into_iter().map(|way| line(case, way)));
    }
    columns(&lines)
}

/// Why some ways have no figure; nothing where all have.
pub(crate) fn missing(cases: &[Case]) -> String {
    let of_case = |case: &Case| {
        let reasons = WAYS.into_iter().filter_map(|way| {
            let why = case.rounds(way).err()?;
            Some(format!("- {}, {}: {why}\n", trace(case), way.name()))
        });
        reasons.collect::<String>()
    };
    let reasons: String = cases.iter().map(of_case).collect();
    if reasons.is_empty() { reasons } else { format!("\nWithout a figure:\n\n{reasons}") }
}

fn line(case: &Case, way: Way) -> Vec<String> {
    let mut line = vec![trace(case), way.name().to_owned()];
    let rounds = match case.rounds(way) {
        Ok(rounds) => rounds,
        Err(_) => {
            line.push("none".to_owned());
            line.resize(10, String::new());
            return line;
        }
    };
    let middle = |of: fn(&Spent) -> f64| median(&rounds.iter().map(of).collect::<Vec<_>>());
    let (took, used, peak) = (middle(wall), middle(cpu), middle(peak));
    let events = case.events as f64;
    let times = |of| faster(case, way, of).map_or(String::new(), |times| format!("{times:.2}"));
    line.extend([
        format!("{took:.2} s"),
        format!("{used:.2} s"),
        format!("{:.0}", case.bytes as f64 / 1e6 / took),
        format!("{:.1}", took * 1e9 / events),
        format!("{:.1}", used * 1e9 / events),
        format!("{:.0} MiB", peak / MIB),
        times(wall),
        times(cpu),
    ]);
    line
}

fn trace(case: &Case) -> String {
    format!("{}, {:.2} GB", case.kind.name(), case.bytes as f64 / 1e9)
}

fn wall(spent: &Spent) -> f64 {
    spent.wall.as_secs_f64()
}

fn cpu(spent: &Spent) -> f64 {
    spent.cpu.as_secs_f64()
}

fn peak(spent: &Spent) -> f64 {
    spent.peak_bytes as f64
}

type Of = fn(&Spent) -> f64;

/// How many times the better DuckDB of the same round took.
fn faster(case: &Case, way: Way, of: Of) -> Option<f64> {
    let (plain, tuned) = (case.rounds(Way::DuckDb).ok()?, case.rounds(Way::DuckDbTuned));
    let best = plain.iter().enumerate().map(|(round, plain)| {
        let tuned = tuned.ok().and_then(|tuned| tuned.get(round)).map_or(f64::MAX, of);
        of(plain).min(tuned)
    });
    let ratios = best.zip(case.rounds(way).ok()?).map(|(best, spent)| best / of(spent));
    Some(median(&ratios.collect::<Vec<_>>()))
}

/// One way beside another in each round, as the second's share of the first.
fn ratio(case: &Case, way: Way, to: Way) -> Option<f64> {
    let pairs = case.rounds(to).ok()?.iter().zip(case.rounds(way).ok()?);
    Some(median(&pairs.map(|(to, spent)| wall(spent) / wall(to)).collect::<Vec<_>>()))
}

fn middle(case: &Case, way: Way, of: Of) -> Option<f64> {
    let rounds = case.rounds(way).ok()?;
    Some(median(&rounds.iter().map(of).collect::<Vec<_>>()))
}

/// A figure with its goal; without one, why.
fn row(case: &Case, what: &str, found: Option<Found>) -> Row {
    let what = format!("{}: {what}", trace(case));
    let Some(found) = found else {
        return Row::skipped(&what, "no figure");
    };
    Row {
        what,
        bare: found.peer,
        with: found.ours,
        figure: Some((found.figure, found.said)),
        goal: found.goal,
        rounds: Value::Null,
    }
}

struct Found {
    peer: String,
    ours: String,
    figure: f64,
    said: String,
    goal: Option<Goal>,
}

fn seconds(value: f64) -> String {
    format!("{value:.2} s")
}

/// The goals, size by size.
pub(crate) fn goals(cases: &[Case]) -> Vec<Row> {
    let large = cases.iter().filter(|case| case.events >= EVENTS_OF_GOALS);
    let mut rows: Vec<Row> = large.flat_map(of_case).collect();
    rows.extend(cases.iter().flat_map(|case| {
        let smaller =
            cases.iter().filter(|other| other.kind == case.kind && other.events < case.events);
        let smaller = smaller.max_by_key(|other| other.events);
        smaller.map(|smaller| growth(smaller, case))
    }));
    rows
}

fn of_case(case: &Case) -> Vec<Row> {
    let events = case.events as f64;
    let whole = EVENTS as f64 / events;
    let (times, within) = match case.kind {
        Kind::Hot => (Goal::AtLeast(8.0, "≥ ×8"), Goal::AtMost(6.0, "≤ 6 s")),
        Kind::Varied => (Goal::AtLeast(4.0, "≥ ×4"), Goal::AtMost(15.0, "≤ 15 s")),
    };
    let against_duckdb = faster(case, Way::Explain, wall).map(|times_faster| Found {
        peer: middle(case, Way::DuckDb, wall).map_or_else(String::new, seconds),
        ours: middle(case, Way::Explain, wall).map_or_else(String::new, seconds),
        figure: times_faster,
        said: format!("×{times_faster:.2}"),
        goal: Some(times),
    });
    let time = |way: Way, goal: Goal| {
        middle(case, way, wall).map(|took| Found {
            peer: String::new(),
            ours: seconds(took),
            figure: took * whole,
            said: seconds(took * whole),
            goal: Some(goal),
        })
    };
    let memory = |way: Way| {
        middle(case, way, peak).map(|peak| Found {
            peer: middle(case, Way::DuckDb, self::peak)
                .map_or_else(String::new, |peak| format!("{:.0} MiB", peak / MIB)),
            ours: String::new(),
            figure: peak / MIB,
            said: format!("{:.0} MiB", peak / MIB),
            goal: Some(Goal::AtMost(512.0, "≤ 512 MiB")),
        })
    };
    let store = case.rounds(Way::Import).ok().map(|_| Found {
        peer: format!("{:.1} B", case.bytes as f64 / events),
        ours: String::new(),
        figure: case.store_bytes as f64 / events,
        said: format!("{:.2} B", case.store_bytes as f64 / events),
        goal: (case.kind == Kind::Hot).then_some(Goal::AtMost(2.5, "≤ 2.5 B")),
    });
    let diff = ratio(case, Way::Diff, Way::Explain).map(|ratio| Found {
        peer: middle(case, Way::Explain, wall).map_or_else(String::new, seconds),
        ours: middle(case, Way::Diff, wall).map_or_else(String::new, seconds),
        figure: ratio,
        said: format!("×{ratio:.2}"),
        goal: Some(Goal::AtMost(2.0, "≤ ×2")),
    });
    let second = Goal::AtMost(1.0, "≤ 1 s");
    vec![
        row(case, "explain, times DuckDB's speed", against_duckdb),
        row(case, "explain, for 65.7 M events", time(Way::Explain, within)),
        row(case, "explain, peak memory", memory(Way::Explain)),
        row(case, "import, peak memory", memory(Way::Import)),
        row(case, "store, for an event", store),
        row(case, "explain from the store, for 65.7 M events", time(Way::ExplainStore, second)),
        row(case, "explain from the store, peak memory", memory(Way::ExplainStore)),
        row(case, "diff of two files, beside explain of one", diff),
        row(case, "diff, peak memory", memory(Way::Diff)),
    ]
}

/// Whether an event of a larger trace takes longer than one of a smaller.
fn growth(smaller: &Case, larger: &Case) -> Row {
    let an_event =
        |case: &Case| middle(case, Way::Explain, wall).map(|took| took * 1e9 / case.events as f64);
    let found = an_event(smaller).zip(an_event(larger)).map(|(before, after)| Found {
        peer: format!("{before:.1} ns"),
        ours: format!("{after:.1} ns"),
        figure: after / before,
        said: format!("×{:.2}", after / before),
        goal: Some(Goal::AtMost(1.25, "≤ ×1.25")),
    });
    let what = format!("explain, an event beside one of {:.2} GB", smaller.bytes as f64 / 1e9);
    row(larger, &what, found)
}

/// The goals as a table.
pub(crate) fn goals_table(rows: &[Row]) -> String {
    table(["what", "beside", "unwedge", "figure", "goal", "verdict"], rows)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn case(events: u64, ways: &[(Way, &[u64])]) -> Case {
        let spent = |millis: &u64| Spent {
            status: 0,
            wall: Duration::from_millis(*millis),
            cpu: Duration::from_millis(2 * *millis),
            peak_bytes: 600 << 20,
            stdout: String::new(),
            stderr: String::new(),
        };
        let ways = ways.iter().map(|(way, rounds)| (*way, Ok(rounds.iter().map(spent).collect())));
        let ways = ways.chain([(Way::Diff, Err("not there yet".to_owned()))]).collect();
        Case { kind: Kind::Hot, events, bytes: events * 245, store_bytes: events * 2, ways }
    }

    fn said(cases: &[Case]) -> Vec<String> {
        let rows = goals(cases);
        let figure = |row: &Row| row.figure.as_ref().map(|(_, said)| said.clone());
        rows.iter()
            .map(|row| {
                let what = row.what.split(": ").nth(1).unwrap_or_default();
                format!("{what}: {} {}", figure(row).unwrap_or_default(), row.verdict())
            })
            .collect()
    }

    #[test]
    fn figures_are_medians_of_ratios_to_the_better_peer() {
        let large = case(
            EVENTS / 10,
            &[
                (Way::DuckDb, &[9000, 4000, 9000]),
                (Way::DuckDbTuned, &[4000, 9000, 8000]),
                (Way::Explain, &[500, 1000, 500]),
                (Way::Import, &[700, 700, 700]),
                (Way::ExplainStore, &[90, 110, 95]),
            ],
        );
        assert_eq!(
            said(&[large]),
            [
                "explain, times DuckDB's speed: ×8.00 met",
                "explain, for 65.7 M events: 5.00 s met",
                "explain, peak memory: 600 MiB MISSED",
                "import, peak memory: 600 MiB MISSED",
                "store, for an event: 2.00 B met",
                "explain from the store, for 65.7 M events: 0.95 s met",
                "explain from the store, peak memory: 600 MiB MISSED",
                "diff of two files, beside explain of one:  ",
                "diff, peak memory:  ",
            ]
        );
    }

    #[test]
    fn a_small_trace_has_no_goals_but_is_compared_with() {
        let small = case(EVENTS / 100, &[(Way::Explain, &[50])]);
        let large = case(EVENTS / 10, &[(Way::Explain, &[1000])]);
        assert!(said(std::slice::from_ref(&small)).is_empty());
        let rows = said(&[small, large]);
        let growth = rows.last().expect("a row");
        assert_eq!(growth, "explain, an event beside one of 0.16 GB: ×2.00 MISSED");
    }

    #[test]
    fn a_way_without_figures_says_why() {
        let cases = [case(1000, &[(Way::Count, &[1])])];
        let text = measured(&cases);
        assert!(
            text.lines().any(|line| line.contains("| diff") && line.contains("| none")),
            "{text}"
        );
        assert!(missing(&cases).contains("diff: not there yet"), "{}", missing(&cases));
    }
}
