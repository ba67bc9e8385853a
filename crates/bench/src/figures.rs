//! How do many numbers become one line with a verdict?

use serde_json::{Value, json};

/// One line of the table.
pub(crate) struct Row {
    /// What was measured, and on what.
    pub(crate) what: String,
    /// Without anything of ours, as said to a reader.
    pub(crate) bare: String,
    /// With it.
    pub(crate) with: String,
    /// The difference or ratio that the goal is about, and how it is said.
    pub(crate) figure: Option<(f64, String)>,
    /// The goal; none for other tools' layers.
    pub(crate) goal: Option<Goal>,
    /// The rounds, for whoever wants to compute something else.
    pub(crate) rounds: Value,
}

/// Which figure is good.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    AtMost(f64, &'static str),
    AtLeast(f64, &'static str),
}

impl Goal {
    fn said(self) -> &'static str {
        match self {
            Self::AtMost(_, said) | Self::AtLeast(_, said) => said,
        }
    }

    fn met(self, figure: f64) -> bool {
        match self {
            Self::AtMost(most, _) => figure <= most,
            Self::AtLeast(least, _) => figure >= least,
        }
    }
}

impl Row {
    /// A line that says why something was not measured.
    pub(crate) fn skipped(what: &str, why: &str) -> Self {
        let what = format!("{what}: skipped, {why}");
        Self {
            what,
            bare: String::new(),
            with: String::new(),
            figure: None,
            goal: None,
            rounds: Value::Null,
        }
    }

    pub(crate) fn verdict(&self) -> &'static str {
        match (&self.figure, self.goal) {
            (Some((figure, _)), Some(goal)) if goal.met(*figure) => "met",
            (Some(_), Some(_)) => "MISSED",
            _ => "",
        }
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "what": self.what,
            "bare": self.bare,
            "with": self.with,
            "figure": self.figure.as_ref().map(|(figure, _)| figure),
            "figure_said": self.figure.as_ref().map(|(_, said)| said),
            "goal": self.goal.map(Goal::said),
            "verdict": self.verdict(),
            "rounds": self.rounds,
        })
    }
}

/// The middle one; the mean of the two middle ones of an even number. 0 of nothing.
pub(crate) fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// The value below which this share of the values lies, between two of them in proportion. 0 of nothing.
pub(crate) fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let place = share.clamp(0.0, 1.0) * last as f64;
    // Not negative, and at most `last`.
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    sorted[below] + (sorted[above] - sorted[below]) * (place - place.floor())
}

/// The rows as a table below these headings.
pub(crate) fn table(headings: [&str; 6], rows: &[Row]) -> String {
    let mut lines = vec![headings.map(str::to_owned).to_vec()];
    for row in rows {
        let figure = row.figure.as_ref().map_or(String::new(), |(_, said)| said.clone());
        let goal = row.goal.map_or("", Goal::said).to_owned();
        lines.push(vec![
            row.what.clone(),
            row.bare.clone(),
            row.with.clone(),
            figure,
            goal,
            row.verdict().to_owned(),
        ]);
    }
    columns(&lines)
}

/// Lines of cells, headings first, as a Markdown table whose columns line up. Each line has as many cells.
pub(crate) fn columns(lines: &[Vec<String>]) -> String {
    let width =
        |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..lines.first().map_or(0, Vec::len)).map(width).collect();
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        text += &format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "));
        if index == 0 {
            let rules = widths.iter().map(|width| "-".repeat(width + 2));
            text += &format!("|{}|\n", rules.collect::<Vec<_>>().join("|"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[]), 0.0);
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
    }

    #[test]
    fn a_quantile_lies_between_two_values_in_proportion() {
        let values: Vec<f64> = (0..=100).rev().map(f64::from).collect();
        assert_eq!(quantile(&values, 0.95), 95.0);
        assert_eq!(quantile(&[10.0, 20.0], 0.25), 12.5);
        assert_eq!((quantile(&[7.0], 0.95), quantile(&[], 0.95)), (7.0, 0.0));
        assert_eq!((quantile(&values, 0.0), quantile(&values, 1.0)), (0.0, 100.0));
    }

    #[test]
    fn a_goal_is_met_or_missed() {
        let row = |figure, goal| Row {
            figure: Some((figure, format!("{figure}"))),
            goal: Some(goal),
            ..Row::skipped("frames", "")
        };
        assert_eq!(row(1.02, Goal::AtMost(1.03, "≤ 1.03")).verdict(), "met");
        assert_eq!(row(1.04, Goal::AtMost(1.03, "≤ 1.03")).verdict(), "MISSED");
        assert_eq!(row(0.98, Goal::AtLeast(0.99, "≥ 0.99")).verdict(), "MISSED");
        assert_eq!(Row::skipped("frames", "no display").verdict(), "");
    }

    #[test]
    fn the_columns_line_up() {
        let table = table(
            ["a", "b", "c", "d", "e", "f"],
            &[Row::skipped("a", "b"), Row::skipped("µs", "long why")],
        );
        let widths: Vec<usize> = table.lines().map(|line| line.chars().count()).collect();
        assert!(widths.iter().all(|width| *width == widths[0]), "{table}");
    }
}
