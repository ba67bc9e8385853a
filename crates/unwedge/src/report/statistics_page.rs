//! How do the counts over a trace look on a page? As tables with bars: who waits since when, who dominates, who starves,
//! what is regular, what is not observed.

use std::fmt::Write as _;

use unwedge_analyze::report::{PollRun, Rate, Share, Statistics, WedgeEntry};
use unwedge_analyze::{Report, Verdict};

use super::counts::{
    covered, covered_in_words, covered_kind, deed, dominant, grouped, open_waits, percent, precise,
    share, times, woken,
};
use super::page::escape;
use super::{strip, words};

/// Rows that are open; the rest of a list is folded away.
const ROWS_OPEN: usize = 24;
/// Agents with a bar of their own.
const BARS_MAX: usize = 8;

/// All sections that have something to say; nothing of a trace without events.
pub(super) fn sections(report: &Report) -> String {
    let statistics = &report.statistics;
    if statistics.events == 0 {
        return String::new();
    }
    [
        wedge_map(statistics, report.verdict),
        dominance(statistics),
        poll_runs(statistics),
        starved(statistics),
        silent_producers(statistics),
        rates(&statistics.rates),
        coverage(statistics),
    ]
    .concat()
}

/// What is said of the trace at the head of the page: name and value.
pub(super) fn facts(statistics: &Statistics) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("Events", grouped(statistics.events)),
        ("Over", words::duration(statistics.span_ms)),
        (
            "Agents",
            format!(
                "{} alive, {} exited",
                grouped(statistics.agents_alive),
                grouped(statistics.agents_exited)
            ),
        ),
    ];
    if statistics.backwards > 0 {
        facts.push(("Time goes backwards", format!("{} times", grouped(statistics.backwards))));
    }
    facts
}

/// A table whose rows stack up where it is narrow.
struct Table {
    /// Names and classes. A column without a name is not headed.
    columns: &'static [(&'static str, &'static str)],
    /// The class of each row, and its cells, escaped.
    rows: Vec<(&'static str, Vec<String>)>,
    /// Rows that are not there any more.
    left_out: u64,
}

impl Table {
    /// The first rows, and the rest to be unfolded.
    fn html(&self) -> String {
        // A fold for a row or two would be longer than they are.
        let open = if self.rows.len() <= ROWS_OPEN + 4 { self.rows.len() } else { ROWS_OPEN };
        let (open, folded) = self.rows.split_at(open);
        let mut out = self.part(open);
        if !folded.is_empty() {
            let _ = write!(
                out,
                "<details class=\"rest\"><summary>and {} more</summary>{}</details>",
                folded.len(),
                self.part(folded),
            );
        }
        if self.left_out > 0 {
            let _ = write!(
                out,
                "<p class=\"hint left-out\">{} more are counted and not listed.</p>",
                grouped(self.left_out)
            );
        }
        out
    }

    fn part(&self, rows: &[(&str, Vec<String>)]) -> String {
        let mut out = String::from(
            "<table role=\"table\" class=\"counts\"><thead role=\"rowgroup\"><tr role=\"row\">",
        );
        for (name, class) in self.columns {
            let _ = write!(
                out,
                "<th role=\"columnheader\" scope=\"col\" class=\"{class}\">{name}</th>"
            );
        }
        out.push_str("</tr></thead><tbody role=\"rowgroup\">\n");
        for (class, cells) in rows {
            let _ = write!(out, "<tr role=\"row\" class=\"{class}\">");
            for (index, (cell, (name, class))) in cells.iter().zip(self.columns).enumerate() {
                let _ = match index {
                    0 => write!(out, "<th role=\"rowheader\" scope=\"row\">{cell}</th>"),
                    // An empty cell takes no line on a phone, so nothing may be in it.
                    _ if cell.is_empty() => {
                        write!(out, "<td role=\"cell\" class=\"{class}\"></td>")
                    }
                    _ => write!(
                        out,
                        "<td role=\"cell\" class=\"{class}\" data-name=\"{name}\"><div>{cell}</div></td>"
                    ),
                };
            }
            out.push_str("</tr>\n");
        }
        out.push_str("</tbody></table>");
        out
    }
}

fn section(id: &str, name: &str, about: &str, content: &str) -> String {
    format!(
        "<section class=\"panel\" aria-labelledby=\"{id}-title\"><h2 id=\"{id}-title\">{name}</h2>\
         <p class=\"hint\">{about}</p>{content}</section>\n"
    )
}

/// A bar of so many percent of its track. The number stands beside it.
fn bar(class: &str, percent: f64) -> String {
    format!(
        "<span class=\"bar {class}\" aria-hidden=\"true\"><i style=\"width:{percent:.2}%\"></i></span>"
    )
}

/// How long something has lasted: the bar ends now and begins where it began in the trace.
fn lasting(since_ms: f64, span_ms: f64) -> String {
    let percent = share(since_ms, span_ms) * 100.0;
    format!("<span>{}</span>{}", escape(&words::duration(since_ms)), bar("lasting", percent))
}

/// A share of one, in percent and as a bar.
fn part(class: &str, of_one: f64) -> String {
    format!(
        "<span class=\"amount\">{}</span>{}",
        escape(&percent(of_one)),
        bar(class, share(of_one, 1.0) * 100.0)
    )
}

/// What is waited for, and below it the call that does, and more about that.
fn waited(object: &str, call: &str, about: &[String]) -> String {
    let code = format!("<code>{}</code>", escape(call));
    // Of a sleep, the call is all that is known.
    let (head, below) = match (object.is_empty(), call.is_empty()) {
        (true, true) => ("<span class=\"soft\">not known</span>".to_owned(), None),
        (true, false) => (code, None),
        (false, true) => (escape(object), None),
        (false, false) => (escape(object), Some(code)),
    };
    let below: Vec<String> =
        below.into_iter().chain(about.iter().map(|text| escape(text))).collect();
    if below.is_empty() {
        return head;
    }
    format!("{head}<span class=\"aside\">{}</span>", below.join(" · "))
}

/// How often somebody was woken before, and how soon.
fn woken_within(entry: &WedgeEntry) -> Option<String> {
    let longest = words::duration(entry.woken?.longest_ms);
    Some(format!("{}, within {longest}", woken(entry)?))
}

fn wedge_map(statistics: &Statistics, verdict: Verdict) -> String {
    let map = &statistics.wedge_map;
    if map.is_empty() {
        return String::new();
    }
    let stuck = words::stuck(verdict);
    let mut entries: Vec<&WedgeEntry> = map.iter().collect();
    entries.sort_by_key(|entry| !entry.wedged);
    let row = |entry: &&WedgeEntry| {
        let name = escape(&entry.name);
        let (class, tag) = match entry.wedged {
            true => ("wedged", format!(" <span class=\"tag\">{stuck}</span>")),
            false => ("", String::new()),
        };
        let polls = entry.polls.map(|polls| format!("{} polls, one wait", grouped(polls)));
        let about: Vec<String> = polls.into_iter().chain(woken_within(entry)).collect();
        let cells = vec![
            format!("{name}{tag}"),
            waited(&entry.object, &entry.call, &about),
            lasting(entry.since_ms, statistics.span_ms),
        ];
        (class, cells)
    };
    let table = Table {
        columns: &[("Agent", ""), ("Waits for", ""), ("Since", "meter")],
        rows: entries.iter().map(row).collect(),
        left_out: statistics.wedge_map_more,
    };
    let about = format!(
        "{}. A bar begins where the wait began and ends with the trace.",
        open_waits(statistics, verdict)
    );
    section("wedge-map", "Wedge map", &about, &table.html())
}

fn dominance(statistics: &Statistics) -> String {
    let shown = dominant(statistics, BARS_MAX);
    if shown.is_empty() {
        return String::new();
    }
    let row =
        |one: &&Share| ("", vec![escape(&one.name), part("share", one.share), grouped(one.events)]);
    let mut rows: Vec<(&str, Vec<String>)> = shown.iter().map(row).collect();
    let events = shown.iter().fold(0_u64, |sum, one| sum.saturating_add(one.events));
    let agents = statistics.agents_alive.saturating_add(statistics.agents_exited);
    let others = agents.saturating_sub(shown.len() as u64);
    let rest = statistics.events.saturating_sub(events);
    if others > 0 && rest > 0 {
        let name = if others == 1 { "the other" } else { "all others" };
        let name = format!("{name}, {}", grouped(others));
        let share = share(rest as f64, statistics.events as f64);
        rows.push(("others", vec![name, part("share", share), grouped(rest)]));
    }
    let columns = &[("Agent", ""), ("Share", "meter wide"), ("Events", "number")];
    let table = Table { columns, rows, left_out: 0 };
    section("dominance", "Who dominates", "Who made how many of the events.", &table.html())
}

fn poll_runs(statistics: &Statistics) -> String {
    if statistics.poll_runs.is_empty() {
        return String::new();
    }
    let row = |run: &PollRun| {
        let bound = if run.bound_ms > 0.0 {
            format!("of {}", precise(run.bound_ms))
        } else {
            String::new()
        };
        let signals = match run.signals {
            0 => "<span class=\"doubt\">none on record</span>".to_owned(),
            signals => grouped(signals),
        };
        let cells = vec![
            escape(&run.name),
            waited(&run.object, &run.call, &[]),
            format!("{}<span class=\"aside\">{}</span>", grouped(run.polls), escape(&bound)),
            signals,
            lasting(run.since_ms, statistics.span_ms),
        ];
        ("", cells)
    };
    let columns = &[
        ("Agent", ""),
        ("Polls", ""),
        ("How often", "number"),
        ("Signals", "number"),
        ("For", "meter"),
    ];
    let rows = statistics.poll_runs.iter().map(row).collect();
    let about = "Waits that ended by their bound, one after the other: each run is one wait, and no activity.";
    section("polls", "Polls", about, &Table { columns, rows, left_out: 0 }.html())
}

fn starved(statistics: &Statistics) -> String {
    if statistics.starved.is_empty() {
        return String::new();
    }
    let rows = statistics.starved.iter().map(|one| {
        let instead: Vec<String> = one.instead.iter().map(|name| escape(name)).collect();
        let instead = match instead.is_empty() {
            true => "<span class=\"soft\">not known</span>".to_owned(),
            false => instead.join("<br>"),
        };
        let cells = vec![
            escape(&one.name),
            instead,
            one.priority.map_or_else(String::new, |priority| priority.to_string()),
            one.cpu.map_or_else(String::new, |cpu| cpu.to_string()),
            lasting(one.ready_ms, statistics.span_ms),
        ];
        ("", cells)
    });
    let columns = &[
        ("Agent", ""),
        ("Runs instead", ""),
        ("Priority", "number"),
        ("Processor", "number"),
        ("Ready for", "meter"),
    ];
    let table = Table { columns, rows: rows.collect(), left_out: 0 };
    section("starved", "Starved", "Ready to run, and never picked.", &table.html())
}

fn silent_producers(statistics: &Statistics) -> String {
    if statistics.silent_producers.is_empty() {
        return String::new();
    }
    let rows = statistics.silent_producers.iter().map(|one| {
        let owed = if one.owed == 0 { "never".to_owned() } else { times(one.owed) };
        ("", vec![escape(&one.name), escape(&one.what), times(one.runs), owed])
    });
    let columns = &[("Agent", ""), ("Gets done", ""), ("How often", "number"), ("Owed", "number")];
    let table = Table { columns, rows: rows.collect(), left_out: 0 };
    let about = "They get things done and signal nothing on record; how often they owed a signal. It is their fault only if the \
                 source sees all their signals.";
    section("silent", "Silent producers", about, &table.html())
}

fn rates(rates: &[Rate]) -> String {
    if rates.is_empty() {
        return String::new();
    }
    let scale = strip::Scale::of(rates);
    let row = |rate: &Rate| {
        let shape = if rate.shape.is_empty() { "–".to_owned() } else { escape(&rate.shape) };
        let gaps =
            format!("median {} · 99 % ≤ {}", precise(rate.gap_ms_median), precise(rate.gap_ms_p99));
        let cells = vec![
            escape(&rate.name),
            escape(&deed(rate)),
            grouped(rate.count),
            shape,
            format!(
                "{}<span class=\"aside\">{}</span>",
                scale.map_or_else(String::new, |scale| scale.draw(&rate.gaps)),
                escape(&gaps)
            ),
        ];
        ("", cells)
    };
    let columns =
        &[("Agent", ""), ("Does", ""), ("How often", "number"), ("Rhythm", ""), ("Gaps", "strip")];
    let table = Table { columns, rows: rates.iter().map(row).collect(), left_out: 0 };
    let about = match &scale {
        Some(scale) => format!(
            "How often what happens, and the times from one to the next: {}.",
            scale.in_words()
        ),
        None => "How often what happens, and how regularly.".to_owned(),
    };
    section("rates", "Rates", &about, &table.html())
}

fn coverage(statistics: &Statistics) -> String {
    if statistics.coverage.is_empty() {
        return String::new();
    }
    let rows = statistics.coverage.iter().map(|one| {
        let (class, says) = match (one.poor, covered_in_words(one)) {
            (true, says) => ("poor", says),
            (false, "") => ("", ""),
            (false, says) => ("few", says),
        };
        let says = if says.is_empty() {
            String::new()
        } else {
            format!("<span class=\"aside\">{says}</span>")
        };
        let meter = format!("{}{says}", part("covered", covered(one)));
        let of = format!("{} of {}", grouped(one.explained), grouped(one.reached));
        (class, vec![escape(covered_kind(one.kind)), meter, of])
    });
    let columns = &[("Object", ""), ("On record", "meter wide"), ("Waits", "number")];
    let table = Table { columns, rows: rows.collect(), left_out: 0 };
    let about = "Successful waits whose signal is on record, by kind of object; the line is at 99 %. Below it nobody is accused, \
                 or acquitted, because a signal is missing.";
    section("coverage", "What the source sees", about, &table.html())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::traces;

    /// The text of a page, without tags, and one space for every stretch of white.
    fn told(html: &str) -> String {
        let text = html.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text);
        text.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
    }

    /// What stands between two texts.
    fn between<'a>(html: &'a str, from: &str, to: &str) -> &'a str {
        let (_, rest) = html.split_once(from).unwrap();
        rest.split_once(to).unwrap().0
    }

    #[test]
    fn the_incident_is_told_in_numbers() {
        let sections = sections(&traces::missing_vsync().report);
        let told = told(&sections);
        for number in [
            "18 waits open, 1 cannot proceed",
            "guest thread 7 &quot;poller&quot; 99.7 % 65,495,790 all others, 22 0.3 % 196,031",
            "KeWaitForSingleObject · 6,549,579 polls, one wait",
            "idle: woken 18,211 times before, within 412 ms",
            "6,549,579 of 30 ms none on record 54 h 34 min",
            "guest thread 8 &quot;frames&quot; guest thread 7 &quot;poller&quot; 0 4 54 h 34 min",
            "guest callback ran to its end 40,122 times never",
            "every 30 ms, its own time-out",
            "60.2 Hz, vsync-like",
            "91.2 % not observed: a missing signal proves nothing 4,028 of 4,417",
        ] {
            assert!(told.contains(number), "{number} is not in {told}");
        }
    }

    #[test]
    fn a_bar_begins_where_the_wait_began() {
        let mut report = traces::missing_vsync().report;
        report.statistics.span_ms = 1_000.0;
        report.statistics.wedge_map.truncate(2);
        report.statistics.wedge_map[0].since_ms = 1_000.0;
        report.statistics.wedge_map[1].since_ms = 250.0;
        let map = wedge_map(&report.statistics, report.verdict);
        let widths: Vec<&str> = map
            .split("<i style=\"width:")
            .skip(1)
            .filter_map(|bar| bar.split('"').next())
            .collect();
        assert_eq!(widths, ["100.00%", "25.00%"]);
    }

    #[test]
    fn who_is_stuck_comes_first_and_the_rest_is_folded() {
        let mut report = traces::crowd(300).report;
        report.statistics.wedge_map.reverse();
        let map = wedge_map(&report.statistics, report.verdict);
        let (open, folded) = map.split_once("<details").unwrap();
        assert_eq!(open.matches("<tr role=\"row\" class=\"wedged\">").count(), ROWS_OPEN);
        assert!(folded.contains("and 232 more"), "{folded}");
        assert_eq!(folded.matches("<tr role=\"row\" class=\"wedged\">").count(), 26 - ROWS_OPEN);
        assert!(told(folded).ends_with("44 more are counted and not listed."));
        // A fold for two rows would hide them for nothing.
        report.statistics.wedge_map.truncate(ROWS_OPEN + 2);
        assert!(!wedge_map(&report.statistics, report.verdict).contains("<details"));
    }

    #[test]
    fn doubt_accuses_nobody() {
        let mut report = traces::missing_vsync().report;
        report.verdict = Verdict::Inconclusive;
        let told = told(&sections(&report));
        assert!(told.contains("18 waits open, 1 seems stuck"), "{told}");
        assert!(!told.contains("cannot proceed"), "{told}");
    }

    #[test]
    fn what_is_not_there_takes_no_place() {
        assert_eq!(sections(&traces::nothing().report), "");
        let mut report = traces::nothing().report;
        report.statistics.events = 3;
        assert_eq!(sections(&report), "");
    }

    #[test]
    fn no_number_makes_a_bar_that_cannot_be() {
        let sections = sections(&traces::hostile().report);
        for style in sections.split(" style=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            let width = between(style, "width:", "%").parse::<f64>().unwrap();
            assert!((0.0..=100.0).contains(&width), "{style}");
        }
        assert!(!sections.contains("NaN") && !sections.contains("<script"), "{sections}");
    }
}
