//! What did one process measure, and what do many of them say together?

use serde_json::{Value, json};

use super::pairs::Pairs;
use crate::figures::{Goal, Row, median, quantile};

/// One comparison in one process, in nanoseconds a call: medians over its rounds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Compared {
    pub(crate) what: String,
    pub(crate) raw_ns: f64,
    pub(crate) ours_ns: f64,
    /// The median of the rounds' differences, which is not the difference of the medians.
    pub(crate) more_ns: f64,
}

impl Compared {
    pub(crate) fn of(what: String, pairs: &Pairs) -> Self {
        let (raw_ns, ours_ns) = (median(&pairs.raw), median(&pairs.ours));
        Self { what, raw_ns, ours_ns, more_ns: median(&pairs.differences()) }
    }

    pub(crate) fn json(&self) -> Value {
        let Self { what, raw_ns, ours_ns, more_ns } = self;
        json!({ "what": what, "raw_ns": raw_ns, "ours_ns": ours_ns, "more_ns": more_ns })
    }

    /// What [`Self::json`] made.
    pub(crate) fn parse(value: &Value) -> Option<Self> {
        let number = |name: &str| value[name].as_f64();
        Some(Self {
            what: value["what"].as_str()?.to_owned(),
            raw_ns: number("raw_ns")?,
            ours_ns: number("ours_ns")?,
            more_ns: number("more_ns")?,
        })
    }
}

/// A row for each comparison that the first process made, of all processes that made it as well.
pub(crate) fn rows(processes: &[Vec<Compared>]) -> Vec<Row> {
    let whats = processes.first().into_iter().flatten().map(|compared| &compared.what);
    whats.map(|what| row(what, processes)).collect()
}

fn row(what: &str, processes: &[Vec<Compared>]) -> Row {
    let found: Vec<&Compared> =
        processes.iter().flatten().filter(|compared| compared.what == what).collect();
    let column = |pick: fn(&Compared) -> f64| -> Vec<f64> {
        found.iter().map(|compared| pick(compared)).collect()
    };
    let (raw, ours) = (column(|compared| compared.raw_ns), column(|compared| compared.ours_ns));
    let more = column(|compared| compared.more_ns);
    let (low, middle, high) = (quantile(&more, 0.25), median(&more), quantile(&more, 0.75));
    Row {
        what: what.to_owned(),
        bare: format!("{:.1} ns", median(&raw)),
        with: format!("{:.1} ns", median(&ours)),
        figure: Some((middle, format!("{middle:+.1} ns ({low:+.1} … {high:+.1})"))),
        goal: Some(Goal::AtMost(5.0, "≤ +5 ns")),
        rounds: json!({ "raw_ns": raw, "ours_ns": ours, "more_ns": more }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(what: &str, more_ns: f64) -> Compared {
        Compared { what: what.to_owned(), raw_ns: 60.0, ours_ns: 60.0 + more_ns, more_ns }
    }

    #[test]
    fn what_a_process_says_is_read_as_it_was_meant() {
        let one = compared("fence", 1.5);
        assert_eq!(Compared::parse(&one.json()), Some(one));
        assert_eq!(Compared::parse(&json!({ "what": "fence", "raw_ns": 60.0 })), None);
    }

    #[test]
    fn the_median_of_the_differences_is_kept_when_the_machine_slows_down() {
        let pairs = Pairs { raw: vec![50.0, 50.0, 100.0], ours: vec![53.0, 55.0, 104.0] };
        let one = Compared::of("fence".to_owned(), &pairs);
        assert_eq!((one.raw_ns, one.ours_ns, one.more_ns), (50.0, 55.0, 4.0));
    }

    #[test]
    fn a_figure_is_the_middle_of_the_processes_and_is_held_to_the_goal() {
        let with = |mores: &[f64]| -> Vec<Vec<Compared>> {
            mores
                .iter()
                .map(|more| vec![compared("semaphore", 9.0), compared("fence", *more)])
                .collect()
        };
        let rows = rows(&with(&[1.0, 30.0, 2.0, 3.0, 4.0]));
        assert_eq!(rows.len(), 2);
        assert_eq!(
            (rows[0].figure.as_ref().map(|(figure, _)| *figure), rows[0].verdict()),
            (Some(9.0), "MISSED")
        );
        let (figure, said) = rows[1].figure.clone().unwrap();
        assert_eq!((figure, said.as_str()), (3.0, "+3.0 ns (+2.0 … +4.0)"));
        assert_eq!(rows[1].verdict(), "met");
    }
}
