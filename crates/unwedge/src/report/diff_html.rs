//! How does a difference look on a page? A beside B: where they part, what only one side does, how fast both are.

use std::fmt::Write as _;

use unwedge_analyze::diff::{Difference, Likeness, Line, Pace, Pairing, Rate, SideSummary, number};

use super::diff::{
    at, counts, first, gap, how, json, luck, matched, progress, rate, spread, stuck, unobserved,
    what,
};
use super::page::{escape, escape_verbatim, fill};
use super::words;

const PAGE: &str = include_str!("diff.html");
const STYLE: &str = include_str!("page.css");
const STYLE_MORE: &str = include_str!("diff.css");
/// Departures that are shown openly; more are folded away.
const OPEN_MAX: usize = 3;

/// The difference as one self-contained page.
pub(crate) fn html(difference: &Difference) -> String {
    let (class, verdict) = match difference.likeness {
        Likeness::Different => ("wedged", "different"),
        Likeness::Identical => ("progressing", "identical"),
        Likeness::Retimed | Likeness::Interleaved | Likeness::Alike => ("progressing", "same"),
    };
    let sides = side("a", "A", &difference.sides[0]) + &side("b", "B", &difference.sides[1]);
    let [left, right] = [0, 1].map(|side: usize| difference.sides[side].name.as_str());
    fill(
        PAGE,
        &[
            ("title", &escape(&format!("{verdict}: {left}, {right} · unwedge diff"))),
            ("style", &format!("{STYLE}{STYLE_MORE}")),
            ("class", class),
            ("verdict", verdict),
            ("answer", &escape(&difference.sentence)),
            ("sides", &sides),
            ("parts", &parts(difference)),
            ("json", &escape_verbatim(&json(difference))),
            ("version", env!("CARGO_PKG_VERSION")),
        ],
    )
}

fn parts(difference: &Difference) -> String {
    let mut out = String::new();
    let who =
        panel("Who does not get on", "What explains others comes first.", stuck(difference).iter());
    out.push_str(&who.replacen("\"panel\"", "\"panel first\"", 1));
    let silent = difference.never_signalled.iter().map(|silence| &silence.sentence);
    out.push_str(&panel("Signals that one side never sends", "", silent));
    out.push_str(&panel("What gets done", "", progress(difference)));
    out.push_str(&divergence(difference));
    out.push_str(&departures(difference));
    out.push_str(&rates(&difference.rates));
    let counts = counts(difference);
    let hint = "How often a loop of polls goes round depends on time; that is no difference.";
    out.push_str(&panel("Counts of polls", hint, counts.iter()));
    out.push_str(&panel("Not observed", "", unobserved(difference)));
    out.push_str(&panel("Notes", "", difference.notes.iter()));
    out.push_str(&pairings("Agents", "agent", &difference.agents));
    out.push_str(&pairings("Objects", "object", &difference.objects));
    out
}

fn side(class: &str, letter: &str, side: &SideSummary) -> String {
    let mut out = format!(
        "<section class=\"side {class}\"><h2><span class=\"letter {class}\">{letter}</span> {}</h2>\
         <p>{} events, {}, {}, {}</p>",
        escape(&side.name),
        number(side.events),
        words::count(side.agents, "agent"),
        words::count(side.objects, "object"),
        gap(Some(side.span_ns)),
    );
    if side.events_lost > 0 {
        let _ = write!(out, "<p>{} events lost</p>", number(side.events_lost));
    }
    let _ = write!(out, "<p>hash <code>{}</code></p></section>", escape(&side.hash));
    out
}

fn panel<T: AsRef<str>>(title: &str, hint: &str, items: impl Iterator<Item = T>) -> String {
    let items: String = items.map(|item| format!("<li>{}</li>", escape(item.as_ref()))).collect();
    if items.is_empty() {
        return items;
    }
    let hint = match hint {
        "" => String::new(),
        hint => format!("<p class=\"hint\">{hint}</p>"),
    };
    format!(
        "<section class=\"panel\"><h2>{title}</h2>{hint}<ul class=\"items\">{items}</ul></section>\n"
    )
}

fn divergence(difference: &Difference) -> String {
    let Some(divergence) = &difference.divergence else { return String::new() };
    let differing = &difference.differing;
    let count = format!(
        "Event by event, {} of {} and {} of {} differ; times and ids are left out.",
        differing.agents,
        words::count(differing.agents_of, "agent"),
        differing.objects,
        words::count(differing.objects_of, "object"),
    );
    format!(
        "<section class=\"panel\"><h2>{}</h2><p class=\"said\">{}</p>\
         <p class=\"hint\">{}</p>{}</section>\n",
        first(difference.same).replacen("the", "The", 1),
        escape(&divergence.sentence),
        escape(&count),
        beside(&divergence.a, &divergence.b),
    )
}

fn departures(difference: &Difference) -> String {
    if difference.departures.is_empty() {
        return String::new();
    }
    let one = |departure: &unwedge_analyze::diff::Departure| {
        format!(
            "<article class=\"departure\"><p>{}</p>{}</article>",
            escape(&departure.sentence),
            beside(&departure.a, &departure.b)
        )
    };
    let (open, folded) = difference.departures.split_at(difference.departures.len().min(OPEN_MAX));
    let open: String = open.iter().map(one).collect();
    let folded = match folded.len() {
        0 => String::new(),
        count => format!(
            "<details class=\"departure\"><summary>{}</summary>{}</details>",
            words::count(count, "more agent"),
            folded.iter().map(one).collect::<String>()
        ),
    };
    format!(
        "<section class=\"panel\"><h2>Where agents part</h2>\
         <p class=\"hint\">The first parting of each agent; loops are folded.</p>{open}{folded}</section>\n"
    )
}

/// Both sides in two columns; what stands before the parting is level.
fn beside(a: &[Line], b: &[Line]) -> String {
    if a.is_empty() && b.is_empty() {
        return String::new();
    }
    let parts = |lines: &[Line]| lines.iter().position(|line| line.differs);
    let (place_a, place_b) = match (parts(a), parts(b)) {
        (Some(a), Some(b)) => (a, b),
        (Some(place), None) => (place, place.min(b.len())),
        (None, Some(place)) => (place.min(a.len()), place),
        (None, None) => (0, 0),
    };
    let before = place_a.max(place_b);
    let last = |lines: &[Line], place: usize| {
        lines.iter().rposition(|line| line.differs).map_or(place, |last| last + 1)
    };
    let (end_a, end_b) = (last(a, place_a), last(b, place_b));
    let differ = (end_a - place_a).max(end_b - place_b);
    let after = (a.len() - end_a).max(b.len() - end_b);
    let mut rows = String::new();
    for row in 0..before + differ + after {
        let cell = |lines: &[Line], place: usize, end: usize, side: &str| {
            let index = match row.checked_sub(before) {
                None => (row + place).checked_sub(before),
                Some(row) if row < differ => Some(place + row).filter(|index| *index < end),
                Some(row) => Some(end + row - differ),
            };
            let within = row >= before && row < before + differ;
            let class = if row >= before + differ { " after" } else { "" };
            cells(index.and_then(|index| lines.get(index)), side, class, within)
        };
        let (left, right) = (cell(a, place_a, end_a, "a"), cell(b, place_b, end_b, "b"));
        let _ = write!(rows, "<tr>{left}{right}</tr>");
    }
    let head = |side: &str, letter: &str| {
        format!(
            "<th scope=\"col\" class=\"at {side}\"></th>\
             <th scope=\"col\"><span class=\"letter {side}\">{letter}</span></th>"
        )
    };
    format!(
        "<table class=\"beside\"><thead><tr>{}{}</tr></thead><tbody>{rows}</tbody></table>",
        head("a", "A"),
        head("b", "B")
    )
}

fn cells(line: Option<&Line>, side: &str, class: &str, within: bool) -> String {
    let Some(line) = line else {
        let nothing = if within { "nothing" } else { "" };
        return format!("<td class=\"at {side}\"></td><td class=\"{side} none\">{nothing}</td>");
    };
    let differs = if line.differs { " differs" } else { "" };
    let times = match line.times {
        1 => String::new(),
        times => format!(" <span class=\"times\">×{}</span>", number(times)),
    };
    format!(
        "<td class=\"at {side}{differs}{class}\">{}</td><td class=\"{side}{differs}{class}\">{}{times}</td>",
        escape(&at(line.at_ns)),
        escape(&line.text),
    )
}

fn rates(rates: &[Rate]) -> String {
    if rates.is_empty() {
        return String::new();
    }
    let rows: String = rates.iter().map(rate_row).collect();
    format!(
        "<section class=\"panel\"><h2>How often and how fast</h2>\
         <table role=\"table\" class=\"rates\"><thead role=\"rowgroup\"><tr role=\"row\">\
         <th role=\"columnheader\" scope=\"col\">Who does what</th>\
         <th role=\"columnheader\" scope=\"col\"><span class=\"letter a\">A</span></th>\
         <th role=\"columnheader\" scope=\"col\"><span class=\"letter b\">B</span></th></tr></thead>\
         <tbody role=\"rowgroup\">{rows}</tbody></table></section>\n"
    )
}

fn rate_row(one: &Rate) -> String {
    let most = one.a.per_second.max(one.b.per_second);
    let cell = |pace: &Pace, side: &str, letter: &str| {
        let width = if most > 0.0 { pace.per_second / most * 100.0 } else { 0.0 };
        format!(
            "<td role=\"cell\" data-name=\"{letter}\"><span>{}, {}<span class=\"gap\">{}</span>\
             <span class=\"bar {side}\" style=\"width:{width:.1}%\"></span></span></td>",
            escape(&luck(pace, one.deed)),
            escape(&rate(pace)),
            escape(&spread(pace)),
        )
    };
    format!(
        "<tr role=\"row\"><th role=\"rowheader\" scope=\"row\">{}</th>{}{}</tr>",
        escape(&what(one)),
        cell(&one.a, "a", "A"),
        cell(&one.b, "b", "B"),
    )
}

fn pairings(title: &str, name: &str, pairings: &[Pairing]) -> String {
    if pairings.is_empty() {
        return String::new();
    }
    let row = |pairing: &Pairing| {
        let said = |name: &Option<String>| match name {
            Some(name) => escape(name),
            None => "–".to_owned(),
        };
        let events = match pairing.events {
            [a, b] if a == b => number(a),
            [a, b] => format!("{} / {}", number(a), number(b)),
        };
        let same = if pairing.identical { "identical" } else { "differ" };
        let class = if pairing.identical { "" } else { " unlike" };
        format!(
            "<tr role=\"row\"><th role=\"rowheader\" scope=\"row\">{}</th>\
             <td role=\"cell\" data-name=\"In B\">{}</td>\
             <td role=\"cell\" data-name=\"Matched\">{}</td>\
             <td role=\"cell\" data-name=\"Events\" class=\"{class}\">{events}, {same}</td></tr>",
            said(&pairing.a),
            said(&pairing.b),
            pairing.how.map_or("only here", how),
        )
    };
    format!(
        "<details class=\"panel\"><summary>{title} matched: {}</summary>\
         <table role=\"table\" class=\"pairs\"><thead role=\"rowgroup\"><tr role=\"row\">\
         <th role=\"columnheader\" scope=\"col\">In A</th><th role=\"columnheader\" scope=\"col\">In B</th>\
         <th role=\"columnheader\" scope=\"col\">Matched</th>\
         <th role=\"columnheader\" scope=\"col\">Events</th></tr></thead>\
         <tbody role=\"rowgroup\">{}</tbody></table></details>\n",
        escape(&matched(name, pairings)),
        pairings.iter().map(row).collect::<String>(),
    )
}
