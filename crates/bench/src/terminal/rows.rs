//! What do the terminals' answers say, beside those of one of them?

use serde_json::json;

use super::measure::{ALL, Answers, Asked, Measured};
use super::running::Answered;
use crate::figures::{Goal, Row, median, quantile};

/// The one beside which the others are said: as ours it draws with the GPU, and it is the first rival that works here.
fn peer(measured: &[Measured]) -> Option<(&str, &Answers)> {
    let working = |one: &&Measured| !one.ours && one.result.is_ok();
    let peer = measured.iter().find(working)?;
    Some((peer.name.split(' ').next().unwrap_or(&peer.name), peer.result.as_ref().ok()?))
}

/// One for each kind of answer of each terminal, and one for each terminal that has none.
pub(crate) fn rows(measured: &[Measured]) -> Vec<Row> {
    let peer = peer(measured);
    let mut rows = Vec::new();
    for asked in ALL {
        let answered = measured.iter().filter_map(|one| Some((one, one.result.as_ref().ok()?)));
        rows.extend(answered.filter_map(|(one, answers)| row(one, answers, asked, peer)));
    }
    let without = measured.iter().filter_map(|one| Some((one, one.result.as_ref().err()?)));
    rows.extend(without.map(|(one, why)| Row::skipped(&one.name, why)));
    rows
}

fn row(
    one: &Measured,
    answers: &Answers,
    asked: Asked,
    peer: Option<(&str, &Answers)>,
) -> Option<Row> {
    let took = milliseconds(answers, asked, |answered| answered.took);
    let processor = milliseconds(answers, asked, |answered| answered.processor);
    if took.is_empty() {
        return None;
    }
    let what = match asked {
        Asked::Letters => "from key to screen",
        Asked::Screen => "a frame in which every cell is new",
        Asked::Lines => "200,000 lines",
        Asked::Colours => "9 MB of coloured words",
    };
    let middle = median(&took);
    let figure = peer.map(|(name, other)| {
        let ratio = middle / median(&milliseconds(other, asked, |answered| answered.took));
        (ratio, format!("×{ratio:.2} of {name}"))
    });
    let (columns, rows) = answers.size;
    Some(Row {
        what: format!("{what}: {}", one.name),
        bare: format!("{}, {}", said(middle), said(quantile(&took, 0.95))),
        with: said(median(&processor)),
        figure,
        goal: one.ours.then_some(Goal::AtMost(1.0, "≤ ×1.00")),
        rounds: json!({
            "milliseconds": took,
            "processor_milliseconds": processor,
            "columns": columns,
            "rows": rows,
        }),
    })
}

fn milliseconds(
    answers: &Answers,
    asked: Asked,
    pick: impl Fn(Answered) -> std::time::Duration,
) -> Vec<f64> {
    answers.of(asked).map(|answered| pick(answered).as_secs_f64() * 1e3).collect()
}

fn said(milliseconds: f64) -> String {
    if milliseconds < 100.0 {
        format!("{milliseconds:.2} ms")
    } else {
        format!("{:.2} s", milliseconds / 1e3)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn terminal(name: &str, ours: bool, milliseconds: &[u64]) -> Measured {
        let answers = milliseconds.iter().map(|took| {
            let took = Duration::from_millis(*took);
            (Asked::Letters, Answered { took, processor: took / 2 })
        });
        let answers = Answers::made_of(answers.collect());
        Measured { name: name.to_owned(), ours, result: Ok(answers) }
    }

    #[test]
    fn ours_has_a_goal_beside_the_first_rival_that_works() {
        let broken =
            Measured { result: Err("no GL".to_owned()), ..terminal("kitty 1", false, &[]) };
        let rows = rows(&[
            terminal("ours", true, &[9, 9, 9]),
            broken,
            terminal("alacritty 0.11", false, &[6, 6, 60]),
        ]);
        assert_eq!(rows.len(), 3);
        assert_eq!(rows[0].figure, Some((1.5, "×1.50 of alacritty".to_owned())));
        assert_eq!(rows[0].verdict(), "MISSED");
        assert_eq!((rows[1].bare.as_str(), rows[1].verdict()), ("6.00 ms, 54.60 ms", ""));
        assert_eq!(rows[2].what, "kitty 1: skipped, no GL");
    }

    #[test]
    fn alone_a_terminal_has_times_and_no_figure() {
        let rows = rows(&[terminal("ours", true, &[250])]);
        assert_eq!((rows[0].bare.as_str(), rows[0].with.as_str()), ("0.25 s, 0.25 s", "0.12 s"));
        assert!(rows[0].figure.is_none());
    }
}
