//! How is a running world drawn? Agents above, what gets done below them, remarks last.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Cell, Paragraph, Row, Sparkline, Table};
use unwedge_sim::world::Condition;

use super::view::{Deed, Mark, PULSE_MAX, Seen, View};
use crate::report::{duration, grouped};

const FAINT: Style = Style::new().add_modifier(Modifier::DIM);
const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);
/// A wait that has lasted so long is worth a look. Nanoseconds of the world's time.
const LONG_NS: u64 = 1_000_000_000;
/// Rows of the curve, its frame included.
const CURVE_ROWS: u16 = 6;

/// Draws a picture.
pub(super) fn draw(frame: &mut Frame<'_>, view: &View) {
    let area = frame.area();
    let head = if view.switches.is_empty() { 1 } else { 2 };
    let middle = area.height.saturating_sub(head + 1);
    let done = (view.deeds.len() as u16 + 3).clamp(CURVE_ROWS, (middle / 3).max(CURVE_ROWS));
    let agents = (view.agents.len() as u16 + 3).min(middle.saturating_sub(done + 3).max(5));
    let [head, above, between, below, foot] = Layout::vertical([
        Constraint::Length(head),
        Constraint::Length(agents),
        Constraint::Length(done),
        Constraint::Min(0),
        Constraint::Length(1),
    ])
    .areas(area);
    let [left, right] =
        Layout::horizontal([Constraint::Fill(3), Constraint::Fill(2)]).spacing(2).areas(between);
    draw_head(frame, head, view);
    draw_agents(frame, above, view);
    draw_deeds(frame, left, view);
    draw_curve(frame, right, view);
    draw_marks(frame, below, view);
    let keys = " q quit   space pause   + - faster, slower   ↑ ↓ more agents";
    frame.render_widget(Paragraph::new(keys).style(FAINT), foot);
}

fn draw_head(frame: &mut Frame<'_>, area: Rect, view: &View) {
    let (state, colour) = match () {
        () if view.paused => ("paused", Color::Yellow),
        () if view.is_over => ("nothing is left to happen", Color::Red),
        () if view.is_late => ("running as fast as it can", Color::Green),
        () => ("running", Color::Green),
    };
    let left = vec![
        Line::from(vec![
            Span::styled(format!(" {}", view.scenario), BOLD),
            Span::styled(format!("   seed {}", view.seed), FAINT),
        ]),
        Line::from(Span::styled(format!(" {}", view.switches), FAINT)),
    ];
    let right = Line::from(vec![
        Span::styled(state, Style::new().fg(colour)),
        Span::styled(format!("   ×{}   ", view.speed), FAINT),
        Span::styled(format!("{:.3} s ", view.now as f64 / 1e9), BOLD),
    ]);
    let width = u16::try_from(right.width()).unwrap_or(area.width).min(area.width);
    let place = Rect { x: area.right().saturating_sub(width), width, height: 1, ..area };
    frame.render_widget(Paragraph::new(left), area);
    frame.render_widget(Paragraph::new(right), place);
}

/// A frame with a title.
fn block(title: &str) -> Block<'_> {
    Block::new()
        .borders(Borders::TOP)
        .border_style(FAINT)
        .title(Span::styled(format!(" {title} "), BOLD))
}

fn draw_agents(frame: &mut Frame<'_>, area: Rect, view: &View) {
    let widest = view.agents.iter().map(|agent| agent.name.chars().count()).max().unwrap_or(0);
    let widths = [
        Constraint::Length(1),
        Constraint::Length(u16::try_from(widest.clamp(5, 24)).unwrap_or(24)),
        Constraint::Fill(1),
        Constraint::Length(u16::try_from(PULSE_MAX).unwrap_or(24)),
        Constraint::Length(12),
        Constraint::Length(13),
    ];
    let room = usize::from(area.height.saturating_sub(2));
    let skipped = view.scroll.min(view.agents.len().saturating_sub(room));
    let rows = view.agents.iter().skip(skipped).map(|agent| agent_row(agent, view.now));
    let numbers = |text: &'static str| Cell::from(Line::from(text).right_aligned());
    let head = Row::new([
        Cell::from(""),
        Cell::from("agent"),
        Cell::from("now"),
        Cell::from("lately"),
        numbers("since"),
        numbers("operations"),
    ]);
    let more = view.agents.len().saturating_sub(room);
    let title = match more {
        0 => format!("{} agents", view.agents.len()),
        _ => format!("{} agents, from number {}", view.agents.len(), skipped + 1),
    };
    let table = Table::new(rows, widths).header(head.style(FAINT)).column_spacing(2);
    frame.render_widget(table.block(block(&title)), area);
}

fn agent_row(agent: &Seen, now: u64) -> Row<'_> {
    let lasts = now.saturating_sub(agent.since);
    let is_long = lasts >= LONG_NS && agent.condition != Condition::Exited;
    let (sign, colour) = match agent.condition {
        Condition::Running => ("●", Color::Green),
        Condition::Ready => ("◐", Color::Yellow),
        Condition::Waiting if is_long => ("◆", Color::Red),
        Condition::Waiting => ("◇", Color::Cyan),
        Condition::Still => ("○", Color::Reset),
        Condition::Exited => ("×", Color::DarkGray),
    };
    let style = Style::new().fg(colour);
    let since = match agent.condition {
        Condition::Running => String::new(),
        _ => duration(lasts as f64 / 1e6),
    };
    let is_kept = matches!(agent.condition, Condition::Waiting | Condition::Ready);
    let loud = if is_long && is_kept { style } else { Style::new() };
    let quiet = match agent.condition {
        Condition::Still | Condition::Exited => FAINT,
        _ => loud,
    };
    Row::new([
        Cell::from(Span::styled(sign, style)),
        Cell::from(Span::styled(agent.name.as_str(), BOLD)),
        Cell::from(Span::styled(agent.doing.as_str(), quiet)),
        Cell::from(Line::from(Span::styled(pulse(agent), style)).right_aligned()),
        Cell::from(Line::from(Span::styled(since, loud)).right_aligned()),
        Cell::from(Line::from(Span::styled(grouped(agent.operations), FAINT)).right_aligned()),
    ])
}

/// How much an agent did between the last pictures: each letter four times as much as the one before.
fn pulse(agent: &Seen) -> String {
    let letter = |operations: &u64| match operations {
        0 => '·',
        1..4 => '▁',
        4..16 => '▃',
        16..64 => '▅',
        _ => '▇',
    };
    agent.pulse.iter().map(letter).collect()
}

fn draw_deeds(frame: &mut Frame<'_>, area: Rect, view: &View) {
    let row = |deed: &Deed| {
        let rate = deed.count as f64 / (view.now as f64 / 1e9).max(1e-9);
        let ago = view.now.saturating_sub(deed.last);
        let style = if ago >= LONG_NS { Style::new().fg(Color::Red) } else { Style::new() };
        let last = format!("{} ago", duration(ago as f64 / 1e6));
        Row::new([
            Cell::from(Span::styled(deed.by.clone(), BOLD)),
            Cell::from(deed.what.clone()),
            Cell::from(Line::from(grouped(deed.count)).right_aligned()),
            Cell::from(Line::from(Span::styled(format!("{rate:.1}/s"), FAINT)).right_aligned()),
            Cell::from(Line::from(Span::styled(last, style)).right_aligned()),
        ])
    };
    let widths = [
        Constraint::Fill(2),
        Constraint::Fill(3),
        Constraint::Length(9),
        Constraint::Length(10),
        Constraint::Length(14),
    ];
    let rows: Vec<_> = view.deeds.iter().map(row).collect();
    let table = Table::new(rows, widths).column_spacing(1);
    frame.render_widget(table.block(block("what gets done")), area);
    if view.deeds.is_empty() && area.height > 1 {
        let inside = Rect { y: area.y + 1, height: 1, ..area };
        frame.render_widget(Paragraph::new(" nothing so far").style(FAINT), inside);
    }
}

fn draw_curve(frame: &mut Frame<'_>, area: Rect, view: &View) {
    let title = format!(
        "{} events, {}/s of the world's time",
        grouped(view.events),
        grouped(view.rate().round() as u64)
    );
    let room = usize::from(area.width);
    let points: Vec<u64> =
        view.curve.iter().skip(view.curve.len().saturating_sub(room)).copied().collect();
    let curve = Sparkline::default().data(&points).style(Style::new().fg(Color::Cyan));
    frame.render_widget(curve.block(block(&title)), area);
}

fn draw_marks(frame: &mut Frame<'_>, area: Rect, view: &View) {
    let room = usize::from(area.height.saturating_sub(1));
    let line = |mark: &Mark| {
        let times = if mark.times > 1 {
            format!("  ({} times)", grouped(mark.times))
        } else {
            String::new()
        };
        Line::from(vec![
            Span::styled(format!("{:>11.3} s  ", mark.at as f64 / 1e9), FAINT),
            Span::styled(format!("{}  ", mark.by), BOLD),
            Span::raw(mark.text.clone()),
            Span::styled(times, FAINT),
        ])
    };
    let lines: Vec<_> = view.marks.iter().rev().take(room).map(line).collect();
    frame.render_widget(Paragraph::new(lines).block(block("remarks, newest first")), area);
}
