//! How do the counts over a trace look in a terminal? As short tables: who waits, who dominates, what is regular, who starves.

use anstyle::{AnsiColor, Style as Paint};
use unicode_width::UnicodeWidthStr;
use unwedge_analyze::report::{Rate, Statistics, WedgeEntry};

use super::text::{BOLD, FAINT, Sheet};
use super::words;

/// Rows of a table; the rest is counted, and is in the JSON report.
const ROWS_MAX: usize = 24;
const RATES_MAX: usize = 10;
const DOMINANCE_MAX: usize = 5;
/// Shares below this dominate nothing.
const SHARE_MIN: f64 = 0.005;
/// Columns of a bar.
const BAR: usize = 20;
/// Columns of a name or an object.
const CELL_MAX: usize = 44;

const BAR_PAINT: Paint = AnsiColor::Cyan.on_default();

/// A table's cell and its colour.
type Cell = (String, Paint);

/// Writes all tables that have something to say.
pub(super) fn write(sheet: &mut Sheet, statistics: &Statistics) {
    let alive = words::count(number(statistics.agents_alive), "agent");
    let head = format!(
        "{} events over {}; {alive} alive, {} exited",
        grouped(statistics.events),
        words::duration(statistics.span_ms),
        statistics.agents_exited,
    );
    sheet.line(&[("trace: ", BOLD), (&head, Paint::new())]);
    if statistics.backwards > 0 {
        let text = format!("  note: time goes backwards {} times", grouped(statistics.backwards));
        sheet.line(&[(&text, FAINT)]);
    }
    sheet.blank();
    wedge_map(sheet, statistics);
    dominance(sheet, statistics);
    poll_runs(sheet, statistics);
    starved(sheet, statistics);
    silent_producers(sheet, statistics);
    rates(sheet, &statistics.rates);
    coverage(sheet, statistics);
}

/// `12,345,678`.
pub(super) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn number(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn wedge_map(sheet: &mut Sheet, statistics: &Statistics) {
    let map = &statistics.wedge_map;
    if map.is_empty() {
        return;
    }
    let all = map.len() + number(statistics.wedge_map_more);
    let wedged = map.iter().filter(|entry| entry.wedged).count();
    heading(
        sheet,
        "wedge map",
        &format!("{} open, {wedged} cannot end", words::count(all, "wait")),
    );
    let loud = sheet.loud;
    let row = |entry: &WedgeEntry| {
        let paint = if entry.wedged { loud } else { Paint::new() };
        let polls =
            entry.polls.map_or(String::new(), |polls| format!(" ({} polls)", grouped(polls)));
        let idle = entry.idle.clone().unwrap_or_default();
        vec![
            (words::duration(entry.since_ms), FAINT),
            (entry.name.clone(), paint),
            (format!("{}{polls}", entry.call), Paint::new()),
            (entry.object.clone(), Paint::new()),
            (idle, FAINT),
        ]
    };
    table(sheet, map.iter().take(ROWS_MAX).map(row).collect(), all);
}

fn dominance(sheet: &mut Sheet, statistics: &Statistics) {
    let shown =
        statistics.dominance.iter().take(DOMINANCE_MAX).filter(|one| one.share >= SHARE_MIN);
    let rows: Vec<Vec<Cell>> = shown
        .map(|one| {
            vec![
                (format!("{:5.1} %", one.share * 100.0), BOLD),
                (bar(one.share), BAR_PAINT),
                (one.name.clone(), Paint::new()),
                (format!("{} events", grouped(one.events)), FAINT),
            ]
        })
        .collect();
    if rows.is_empty() {
        return;
    }
    heading(sheet, "who dominates", "");
    let count = rows.len();
    table(sheet, rows, count);
}

/// A share of one as blocks, in eighths of a column.
fn bar(share: f64) -> String {
    let eighths = (share.clamp(0.0, 1.0) * (BAR * 8) as f64).round() as usize;
    let parts = ['▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    let mut out = "█".repeat(eighths / 8);
    out.extend((eighths % 8).checked_sub(1).and_then(|part| parts.get(part)));
    out
}

fn poll_runs(sheet: &mut Sheet, statistics: &Statistics) {
    if statistics.poll_runs.is_empty() {
        return;
    }
    heading(sheet, "polls", "each run is one wait, and no activity");
    let rows = statistics.poll_runs.iter().take(ROWS_MAX).map(|run| {
        let signals = match run.signals {
            0 => "never signalled on record".to_owned(),
            signals => format!("signalled {} times", grouped(signals)),
        };
        let bound = if run.bound_ms > 0.0 {
            format!(" of {}", words::duration(run.bound_ms))
        } else {
            String::new()
        };
        vec![
            (format!("{} times", grouped(run.polls)), BOLD),
            (run.name.clone(), Paint::new()),
            (format!("{}{bound}", run.call), Paint::new()),
            (run.object.clone(), Paint::new()),
            (signals, FAINT),
        ]
    });
    table(sheet, rows.collect(), statistics.poll_runs.len());
}

fn starved(sheet: &mut Sheet, statistics: &Statistics) {
    if statistics.starved.is_empty() {
        return;
    }
    heading(sheet, "starved", "ready, and never picked");
    let rows = statistics.starved.iter().take(ROWS_MAX).map(|one| {
        let place = one.cpu.map_or(String::new(), |cpu| format!("processor {cpu}"));
        let priority = one.priority.map_or(String::new(), |p| format!("priority {p}"));
        let instead = match one.instead.as_slice() {
            [] => "who runs instead is not known".to_owned(),
            instead => format!("instead: {}", instead.join(", ")),
        };
        vec![
            (words::duration(one.ready_ms), BOLD),
            (one.name.clone(), Paint::new()),
            (place, Paint::new()),
            (priority, Paint::new()),
            (instead, FAINT),
        ]
    });
    table(sheet, rows.collect(), statistics.starved.len());
}

fn silent_producers(sheet: &mut Sheet, statistics: &Statistics) {
    if statistics.silent_producers.is_empty() {
        return;
    }
    heading(sheet, "silent producers", "they get things done and signal nothing on record");
    let rows = statistics.silent_producers.iter().take(ROWS_MAX).map(|one| {
        let owed = match one.owed {
            0 => String::new(),
            owed => format!("was to signal {} times", grouped(owed)),
        };
        vec![
            (format!("{} times", grouped(one.runs)), BOLD),
            (one.name.clone(), Paint::new()),
            (one.what.clone(), Paint::new()),
            (owed, FAINT),
        ]
    });
    table(sheet, rows.collect(), statistics.silent_producers.len());
}

fn rates(sheet: &mut Sheet, rates: &[Rate]) {
    if rates.is_empty() {
        return;
    }
    heading(sheet, "rates", "");
    let rows = rates.iter().take(RATES_MAX).map(|rate| {
        vec![
            (format!("{} {}", grouped(rate.count), rate.what), BOLD),
            (rate.name.clone(), Paint::new()),
            (rate.object.clone(), Paint::new()),
            (rate.shape.clone(), FAINT),
        ]
    });
    table(sheet, rows.collect(), rates.len());
}

fn coverage(sheet: &mut Sheet, statistics: &Statistics) {
    if statistics.coverage.is_empty() {
        return;
    }
    heading(sheet, "coverage", "successful waits whose signal is on record");
    let rows = statistics.coverage.iter().map(|one| {
        let share = if one.reached == 0 { 1.0 } else { one.explained as f64 / one.reached as f64 };
        vec![
            (format!("{:5.1} %", share * 100.0), BOLD),
            (words::object_kind(one.kind).to_owned(), Paint::new()),
            (format!("{} of {}", grouped(one.explained), grouped(one.reached)), FAINT),
        ]
    });
    table(sheet, rows.collect(), statistics.coverage.len());
}

fn heading(sheet: &mut Sheet, name: &str, about: &str) {
    let about = if about.is_empty() { String::new() } else { format!("  {about}") };
    sheet.line(&[(name, BOLD), (&about, FAINT)]);
}

/// Rows in columns, the first to the right and the others to the left; `all` of which these are the first.
fn table(sheet: &mut Sheet, rows: Vec<Vec<Cell>>, all: usize) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cells = |row: &[Cell], column: usize| {
        row.get(column).map_or(0, |(text, _)| words::clean(text).width().min(CELL_MAX))
    };
    let widths: Vec<usize> = (0..columns)
        .map(|column| rows.iter().map(|row| cells(row, column)).max().unwrap_or(0))
        .collect();
    let shown = rows.len();
    for row in rows {
        line(sheet, &row, &widths);
    }
    if all > shown {
        let more = format!("  … and {} more", grouped((all - shown) as u64));
        sheet.line(&[(&more, FAINT)]);
    }
    sheet.blank();
}

/// One row, cut where the terminal ends.
fn line(sheet: &mut Sheet, row: &[Cell], widths: &[usize]) {
    let mut room = sheet.width.saturating_sub(2);
    sheet.put("  ", Paint::new());
    for (column, ((text, paint), width)) in row.iter().zip(widths).enumerate() {
        if *width == 0 || room == 0 {
            continue;
        }
        let text = super::page::shorten(&words::clean(text), CELL_MAX.min(room));
        let pad = " ".repeat(width.saturating_sub(text.width()).min(room - text.width().min(room)));
        room = room.saturating_sub(text.width() + pad.len() + 2);
        if column == 0 {
            sheet.put(&pad, Paint::new());
            sheet.put(&text, *paint);
        } else {
            sheet.put(&text, *paint);
            sheet.put(if column + 1 < row.len() { &pad } else { "" }, Paint::new());
        }
        sheet.put(if column + 1 < row.len() { "  " } else { "" }, Paint::new());
    }
    while sheet.out.ends_with(' ') {
        sheet.out.pop();
    }
    sheet.blank();
}
