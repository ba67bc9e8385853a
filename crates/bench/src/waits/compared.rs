//! What did one process measure, and what do many of them say together?

use serde_json::{Value, json};

use super::pairs::Pairs;
use crate::calls::nanoseconds;
use crate::figures::{Goal, Row, median, quantile};

/// What is compared, which decides what figure the goal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One call: nanoseconds more.
    Call,
    /// A whole frame: how much more of it.
    Frame,
    /// A frame of which the driver's part is next to nothing: nanoseconds more. There is no goal: no real frame is so short.
    Bare,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Frame => "frame",
            Self::Bare => "bare",
        }
    }
}

/// One comparison in one process: medians over its rounds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Compared {
    kind: Kind,
    pub(crate) what: String,
    /// Nanoseconds a call or a frame.
    raw_ns: f64,
    ours_ns: f64,
    /// The median of the rounds' differences, which is not the difference of the medians.
    more_ns: f64,
    /// The same as a share of the raw way.
    share: f64,
}

impl Compared {
    pub(crate) fn of(kind: Kind, what: String, pairs: &Pairs) -> Self {
        let (raw_ns, ours_ns) = (median(&pairs.raw), median(&pairs.ours));
        let (more_ns, share) = (median(&pairs.differences()), median(&pairs.shares()));
        Self { kind, what, raw_ns, ours_ns, more_ns, share }
    }

    /// The middle of this and another measurement of the same, which was made the other way round.
    pub(crate) fn between(&self, other: &Self) -> Self {
        Self {
            raw_ns: f64::midpoint(self.raw_ns, other.raw_ns),
            ours_ns: f64::midpoint(self.ours_ns, other.ours_ns),
            more_ns: f64::midpoint(self.more_ns, other.more_ns),
            share: f64::midpoint(self.share, other.share),
            ..self.clone()
        }
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "kind": self.kind.word(),
            "what": self.what,
            "raw_ns": self.raw_ns,
            "ours_ns": self.ours_ns,
            "more_ns": self.more_ns,
            "share": self.share,
        })
    }

    /// What [`Self::json`] made.
    pub(crate) fn parse(value: &Value) -> Option<Self> {
        let number = |name: &str| value[name].as_f64();
        let kind = value["kind"].as_str()?;
        Some(Self {
            kind: [Kind::Call, Kind::Frame, Kind::Bare]
                .into_iter()
                .find(|known| known.word() == kind)?,
            what: value["what"].as_str()?.to_owned(),
            raw_ns: number("raw_ns")?,
            ours_ns: number("ours_ns")?,
            more_ns: number("more_ns")?,
            share: number("share")?,
        })
    }
}

/// A row for each comparison that the first process made, of all processes that made it as well.
pub(crate) fn rows(processes: &[Vec<Compared>]) -> Vec<Row> {
    let firsts = processes.first().into_iter().flatten();
    firsts.map(|first| row(first.kind, &first.what, processes)).collect()
}

fn row(kind: Kind, what: &str, processes: &[Vec<Compared>]) -> Row {
    let found: Vec<&Compared> =
        processes.iter().flatten().filter(|compared| compared.what == what).collect();
    let column = |pick: fn(&Compared) -> f64| -> Vec<f64> {
        found.iter().map(|compared| pick(compared)).collect()
    };
    let (raw, ours) = (column(|compared| compared.raw_ns), column(|compared| compared.ours_ns));
    let (more, share) = (column(|compared| compared.more_ns), column(|compared| compared.share));
    let percent: Vec<f64> = share.iter().map(|share| share * 100.0).collect();
    let (figures, unit, goal) = match kind {
        Kind::Call => (&more, "ns", Some(Goal::AtMost(5.0, "≤ +5 ns"))),
        Kind::Frame => (&percent, "%", Some(Goal::AtMost(1.0, "≤ +1 %"))),
        Kind::Bare => (&more, "ns", None),
    };
    let middle = median(figures);
    let (low, high) = (quantile(figures, 0.25), quantile(figures, 0.75));
    Row {
        what: what.to_owned(),
        bare: nanoseconds(median(&raw)),
        with: nanoseconds(median(&ours)),
        figure: Some((middle, format!("{middle:+.1} {unit} ({low:+.1} … {high:+.1})"))),
        goal,
        rounds: json!({ "raw_ns": raw, "ours_ns": ours, "more_ns": more, "share": share }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(what: &str, more_ns: f64) -> Compared {
        let (raw_ns, ours_ns) = (60.0, 60.0 + more_ns);
        let what = what.to_owned();
        Compared { kind: Kind::Call, what, raw_ns, ours_ns, more_ns, share: more_ns / raw_ns }
    }

    #[test]
    fn what_a_process_says_is_read_as_it_was_meant() {
        let one = compared("fence", 1.5);
        assert_eq!(Compared::parse(&one.json()), Some(one));
        assert_eq!(
            Compared::parse(&json!({ "kind": "call", "what": "fence", "raw_ns": 60.0 })),
            None
        );
    }

    #[test]
    fn the_median_of_the_differences_is_kept_when_the_machine_slows_down() {
        let pairs = Pairs { raw: vec![50.0, 50.0, 100.0], ours: vec![53.0, 55.0, 104.0] };
        let one = Compared::of(Kind::Call, "fence".to_owned(), &pairs);
        assert_eq!((one.raw_ns, one.ours_ns, one.more_ns), (50.0, 55.0, 4.0));
        assert!((one.share - 0.06).abs() < 1e-9, "{}", one.share);
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

    #[test]
    fn a_frame_is_held_to_a_share_of_itself() {
        let frame = |ours: f64| {
            let pairs = Pairs { raw: vec![2000.0], ours: vec![ours] };
            vec![Compared::of(Kind::Frame, "frame".to_owned(), &pairs)]
        };
        let (good, bad) = (rows(&[frame(2010.0)]), rows(&[frame(2100.0)]));
        assert_eq!(good[0].figure.as_ref().unwrap().1, "+0.5 % (+0.5 … +0.5)");
        assert_eq!((good[0].verdict(), bad[0].verdict()), ("met", "MISSED"));
        assert_eq!(Compared::parse(&frame(2010.0)[0].json()), Some(frame(2010.0)[0].clone()));
    }

    #[test]
    fn a_frame_of_nothing_has_nanoseconds_and_no_goal() {
        let pairs = Pairs { raw: vec![2000.0], ours: vec![2100.0] };
        let bare = Compared::of(Kind::Bare, "frame".to_owned(), &pairs);
        let rows = rows(&[vec![bare]]);
        assert_eq!(rows[0].figure.as_ref().unwrap().1, "+100.0 ns (+100.0 … +100.0)");
        assert_eq!(rows[0].verdict(), "");
    }
}
