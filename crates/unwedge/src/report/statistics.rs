//! How do the counts over a trace look in a terminal? As short tables: who waits, who dominates, what is regular, who starves.

use anstyle::{AnsiColor, Style as Paint};
use unicode_width::UnicodeWidthStr;
use unwedge_analyze::Report;
use unwedge_analyze::report::{PollRun, Rate, Starved, Statistics, WedgeEntry};

use super::counts::{
    covered, covered_in_words, covered_kind, deed, dominant, grouped, many, open_waits, percent,
    precise, times, woken,
};
use super::text::{BOLD, FAINT, Sheet};
use super::{page, words};

/// Rows of a table; the rest is counted, and is in the JSON report.
const ROWS_MAX: usize = 24;
const RATES_MAX: usize = 10;
const DOMINANCE_MAX: usize = 5;
/// Columns of a bar, and of the narrowest terminal that has room for one.
const BAR: usize = 20;
const BAR_WIDTH_MIN: usize = 64;
/// A table is read along its columns, and may be wider than prose.
pub(super) const WIDTH_MAX: usize = 150;
/// Columns of a name or an object; a longer one is cut in its middle.
const CELL_MAX: usize = 60;

const PLAIN: Paint = Paint::new();
const BAR_PAINT: Paint = AnsiColor::Cyan.on_default();

/// Writes all tables that have something to say.
pub(super) fn write(sheet: &mut Sheet, report: &Report) {
    let statistics = &report.statistics;
    if statistics.events == 0 {
        sheet.line(&[("trace: ", BOLD), ("no events", PLAIN)]);
        sheet.blank();
        return;
    }
    let span = match statistics.span_ms {
        0.0 => " of one moment".to_owned(),
        span => format!(" over {}", words::duration(span)),
    };
    let head = format!(
        "{}{span}; {} alive, {} exited",
        many(statistics.events, "event"),
        many(statistics.agents_alive, "agent"),
        grouped(statistics.agents_exited),
    );
    sheet.wrapped(&[("trace: ", BOLD)], "       ", &head, PLAIN);
    if statistics.backwards > 0 {
        let text = format!("time goes backwards {}", times(statistics.backwards));
        sheet.wrapped(&[("  note: ", FAINT)], "        ", &text, FAINT);
    }
    sheet.blank();
    wedge_map(sheet, report);
    dominance(sheet, statistics);
    poll_runs(sheet, &statistics.poll_runs);
    starved(sheet, &statistics.starved);
    silent_producers(sheet, statistics);
    rates(sheet, &statistics.rates);
    coverage(sheet, statistics);
}

/// What stands in a row's column.
struct Cell {
    text: String,
    paint: Paint,
    /// Numbers end below each other.
    right: bool,
}

fn cell(paint: Paint, text: impl AsRef<str>) -> Cell {
    Cell { text: words::clean(text.as_ref()).into_owned(), paint, right: false }
}

fn number(paint: Paint, text: impl AsRef<str>) -> Cell {
    Cell { right: true, ..cell(paint, text) }
}

impl Cell {
    /// In columns of the terminal, as wide as it is written in a line with others.
    fn width(&self) -> usize {
        self.text.width().min(CELL_MAX)
    }
}

fn wedge_map(sheet: &mut Sheet, report: &Report) {
    let statistics = &report.statistics;
    let mut map: Vec<&WedgeEntry> = statistics.wedge_map.iter().collect();
    if map.is_empty() {
        return;
    }
    map.sort_by_key(|entry| !entry.wedged);
    heading(sheet, "wedge map", &open_waits(statistics, report.verdict));
    let loud = sheet.loud;
    let row = |entry: &&WedgeEntry| {
        let polls = entry.polls.map(|polls| format!("{} polls", grouped(polls)));
        let about: Vec<String> = polls.into_iter().chain(woken(entry)).collect();
        // Of a sleep, the call is all that is known.
        let (object, call) = match entry.object.as_str() {
            "" => (&entry.call, ""),
            _ => (&entry.object, entry.call.as_str()),
        };
        vec![
            number(FAINT, words::duration(entry.since_ms)),
            cell(if entry.wedged { loud } else { PLAIN }, &entry.name),
            cell(PLAIN, object),
            cell(FAINT, call),
            cell(FAINT, about.join("; ")),
        ]
    };
    let all = (map.len() as u64).saturating_add(statistics.wedge_map_more);
    table(sheet, map.iter().take(ROWS_MAX).map(row).collect(), all);
}

fn dominance(sheet: &mut Sheet, statistics: &Statistics) {
    let bars = sheet.width >= BAR_WIDTH_MIN;
    let rows = dominant(statistics, DOMINANCE_MAX).into_iter().map(|one| {
        vec![
            number(BOLD, percent(one.share)),
            cell(BAR_PAINT, if bars { bar(one.share) } else { String::new() }),
            cell(PLAIN, &one.name),
            number(FAINT, many(one.events, "event")),
        ]
    });
    let rows: Vec<Vec<Cell>> = rows.collect();
    if !rows.is_empty() {
        heading(sheet, "who dominates", "who made how many of the events");
        let all = rows.len() as u64;
        table(sheet, rows, all);
    }
}

/// A share of one as blocks, in eighths of a column.
fn bar(share: f64) -> String {
    let eighths = (share.clamp(0.0, 1.0) * (BAR * 8) as f64).round() as usize;
    let parts = ['▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    let mut out = "█".repeat(eighths / 8);
    out.extend((eighths % 8).checked_sub(1).and_then(|part| parts.get(part)));
    out
}

fn poll_runs(sheet: &mut Sheet, runs: &[PollRun]) {
    if runs.is_empty() {
        return;
    }
    heading(sheet, "polls", "each run is one wait, and no activity");
    let row = |run: &PollRun| {
        let signals = match run.signals {
            0 => "never signalled on record".to_owned(),
            signals => format!("signalled {}", times(signals)),
        };
        let bound = if run.bound_ms > 0.0 {
            format!(" of {}", precise(run.bound_ms))
        } else {
            String::new()
        };
        vec![
            number(BOLD, times(run.polls)),
            cell(PLAIN, &run.name),
            cell(PLAIN, &run.object),
            cell(FAINT, format!("{}{bound}", run.call)),
            cell(FAINT, format!("{signals}; for {}", words::duration(run.since_ms))),
        ]
    };
    table(sheet, runs.iter().take(ROWS_MAX).map(row).collect(), runs.len() as u64);
}

fn starved(sheet: &mut Sheet, starved: &[Starved]) {
    if starved.is_empty() {
        return;
    }
    heading(sheet, "starved", "ready to run, and never picked");
    let row = |one: &Starved| {
        let place = one.cpu.map(|cpu| format!("processor {cpu}")).unwrap_or_default();
        let priority = one.priority.map(|priority| format!("priority {priority}"));
        let instead = match one.instead.as_slice() {
            [] => "who runs instead is not known".to_owned(),
            instead => format!("instead runs {}", instead.join(", ")),
        };
        vec![
            number(BOLD, words::duration(one.ready_ms)),
            cell(PLAIN, &one.name),
            cell(PLAIN, place),
            cell(PLAIN, priority.unwrap_or_default()),
            cell(PLAIN, instead),
        ]
    };
    table(sheet, starved.iter().take(ROWS_MAX).map(row).collect(), starved.len() as u64);
}

fn silent_producers(sheet: &mut Sheet, statistics: &Statistics) {
    let silent = &statistics.silent_producers;
    if silent.is_empty() {
        return;
    }
    heading(sheet, "silent producers", "they get things done and signal nothing on record");
    let rows = silent.iter().take(ROWS_MAX).map(|one| {
        let owed = match one.owed {
            0 => String::new(),
            owed => format!("took on a signal {}", times(owed)),
        };
        vec![
            number(BOLD, times(one.runs)),
            cell(PLAIN, &one.name),
            cell(PLAIN, &one.what),
            cell(FAINT, owed),
        ]
    });
    table(sheet, rows.collect(), silent.len() as u64);
}

fn rates(sheet: &mut Sheet, rates: &[Rate]) {
    if rates.is_empty() {
        return;
    }
    heading(sheet, "rates", "how often what happens, and how regularly");
    let row = |rate: &Rate| {
        vec![
            number(BOLD, grouped(rate.count)),
            cell(PLAIN, &rate.name),
            cell(PLAIN, deed(rate)),
            cell(FAINT, &rate.shape),
        ]
    };
    table(sheet, rates.iter().take(RATES_MAX).map(row).collect(), rates.len() as u64);
}

fn coverage(sheet: &mut Sheet, statistics: &Statistics) {
    if statistics.coverage.is_empty() {
        return;
    }
    heading(sheet, "coverage", "successful waits whose signal is on record");
    let rows = statistics.coverage.iter().map(|one| {
        let loud = if one.poor { AnsiColor::Yellow.on_default() } else { FAINT };
        vec![
            number(BOLD, percent(covered(one))),
            cell(PLAIN, covered_kind(one.kind)),
            number(PLAIN, format!("{} of {}", grouped(one.explained), grouped(one.reached))),
            cell(loud, covered_in_words(one)),
        ]
    });
    table(sheet, rows.collect(), statistics.coverage.len() as u64);
}

fn heading(sheet: &mut Sheet, name: &str, about: &str) {
    sheet.wrapped(&[(name, BOLD), ("  ", FAINT)], "  ", about, FAINT);
}

/// Between two columns.
const GAP: usize = 2;

/// Rows in columns; `all` of which these are the first. What the terminal is too narrow for stands below its row.
fn table(sheet: &mut Sheet, rows: Vec<Vec<Cell>>, all: u64) {
    let widths = widths(&rows, sheet.width);
    let shown = rows.len() as u64;
    for row in rows {
        // The first two say what it is about, if they must be cut for it.
        let fits =
            |(index, (cell, width)): (usize, (&Cell, &usize))| index < 2 || cell.width() <= *width;
        let abreast = row.iter().zip(&widths).enumerate().take_while(|pair| fits(*pair)).count();
        let (line, below) = row.split_at(abreast);
        write_line(sheet, line, &widths);
        write_below(sheet, below, 2 + widths.first().unwrap_or(&0) + GAP);
    }
    if all > shown {
        let more = format!("and {} more", grouped(all - shown));
        sheet.wrapped(&[("  … ", FAINT)], "    ", &more, FAINT);
    }
    sheet.blank();
}

/// How wide the columns are that fit beside each other. The last is as wide as there is room if that does for most rows.
fn widths(rows: &[Vec<Cell>], width: usize) -> Vec<usize> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let mut room = width.saturating_sub(2);
    let mut widths = Vec::new();
    for column in 0..columns {
        let cells = || rows.iter().filter_map(|row| row.get(column)).map(Cell::width);
        let widest = cells().max().unwrap_or(0);
        if widest <= room || column < 2 {
            widths.push(widest);
            room = room.saturating_sub(if widest > 0 { widest + GAP } else { 0 });
            continue;
        }
        if cells().filter(|cell| *cell <= room).count() * 4 >= rows.len() * 3 {
            widths.push(room);
        }
        break;
    }
    widths
}

fn write_line(sheet: &mut Sheet, row: &[Cell], widths: &[usize]) {
    sheet.put("  ", PLAIN);
    let mut used = 2;
    for (cell, width) in row.iter().zip(widths).filter(|(_, width)| **width > 0) {
        let text = fit(&cell.text, (*width).min(sheet.width.saturating_sub(used)));
        let pad = " ".repeat(width.saturating_sub(text.width()));
        if cell.right {
            sheet.put(&pad, PLAIN);
        }
        sheet.put(&text, cell.paint);
        if !cell.right {
            sheet.put(&pad, PLAIN);
        }
        sheet.put("  ", PLAIN);
        used += width + GAP;
    }
    sheet.out.truncate(sheet.out.trim_end_matches(' ').len());
    sheet.blank();
}

/// What found no place in its row, in full.
fn write_below(sheet: &mut Sheet, below: &[Cell], indent: usize) {
    let there = || below.iter().filter(|cell| !cell.text.is_empty());
    let Some(first) = there().next() else { return };
    let text: Vec<&str> = there().map(|cell| cell.text.as_str()).collect();
    let indent = " ".repeat(indent.min(sheet.width / 2));
    sheet.wrapped(&[(&indent, PLAIN)], &indent, &text.join(" · "), first.paint);
}

/// `text` cut in its middle to so many columns.
fn fit(text: &str, columns: usize) -> String {
    // Letters may be two columns wide, or none.
    let cut =
        (0..=text.chars().count().min(columns)).rev().map(|letters| page::shorten(text, letters));
    let whole = (text.width() <= columns).then(|| text.to_owned());
    whole.or_else(|| cut.into_iter().find(|cut| cut.width() <= columns)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::text::{Style, trace_text};
    use super::*;
    use crate::report::samples::traces;

    fn plain(report: &Report, width: usize) -> String {
        trace_text(report, Style { color: false, width })
    }

    /// Only the tables: what follows them has tests of its own.
    fn tables(report: &Report, width: usize) -> String {
        let mut sheet = Sheet::new(Style { color: false, width }, PLAIN);
        sheet.width = width;
        write(&mut sheet, report);
        sheet.out
    }

    #[test]
    fn on_a_wide_terminal_each_wait_has_a_line() {
        insta::assert_snapshot!(tables(&traces::missing_vsync().report, 140));
    }

    #[test]
    fn on_a_usual_terminal_what_has_no_room_stands_below() {
        insta::assert_snapshot!(tables(&traces::missing_vsync().report, 80));
    }

    #[test]
    fn on_a_narrow_terminal_all_is_there_still() {
        let mut report = traces::missing_vsync().report;
        report.statistics.wedge_map.truncate(3);
        insta::assert_snapshot!(tables(&report, 44));
    }

    #[test]
    fn names_from_outside_stay_in_their_place() {
        insta::assert_snapshot!(tables(&traces::hostile().report, 100));
    }

    #[test]
    fn a_trace_without_events_has_a_line() {
        insta::assert_snapshot!(plain(&traces::nothing().report, 80), @r"
        trace: no events

        progressing: every wait that is open can still end (0 agents)
          from trace empty.jsonl, no events lost
        ");
    }

    #[test]
    fn of_a_crowd_those_who_are_stuck_are_listed() {
        let mut report = traces::crowd(300).report;
        report.statistics.wedge_map.reverse();
        let text = tables(&report, 100);
        assert!(text.contains("wedge map  300 waits open, 26 cannot proceed"), "{text}");
        for stuck in 2..26 {
            assert!(text.contains(&format!("task {stuck} ")), "{stuck}: {text}");
        }
        assert!(text.contains("… and 276 more"), "{text}");
    }

    #[test]
    fn nothing_is_cut_that_a_usual_terminal_could_show() {
        let report = traces::missing_vsync().report;
        let squeezed = |text: &str| text.split_whitespace().collect::<String>();
        for width in [60, 80, 100, 140] {
            let text = tables(&report, width);
            assert!(!text.contains('…'), "{width}: {text}");
            let text = squeezed(&text);
            for entry in &report.statistics.wedge_map {
                for part in [&entry.name, &entry.object, &entry.call] {
                    assert!(text.contains(&squeezed(part)), "{width}: {part}");
                }
            }
        }
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for sample in traces::all() {
            for width in [36, 44, 60, 80, 100, WIDTH_MAX] {
                let text = tables(&sample.report, width);
                let wide = text.lines().find(|line| line.width() > width);
                assert_eq!(wide, None, "{} at {width}", sample.name);
            }
        }
    }

    #[test]
    fn colours_change_nothing_but_colours_and_names_steer_nothing() {
        for sample in traces::all() {
            let coloured = trace_text(&sample.report, Style { color: true, width: 90 });
            let mut parts = coloured.split("\x1b[");
            let mut bare = parts.next().unwrap_or_default().to_owned();
            parts.for_each(|part| bare.push_str(part.split_once('m').unwrap_or(("", part)).1));
            assert_eq!(bare, plain(&sample.report, 90), "{}", sample.name);
            assert!(!bare.contains('\x1b'), "{}", sample.name);
        }
    }
}
