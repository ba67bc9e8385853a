//! What did each agent do in the last seconds? One row an agent: waits as bars, progress as ticks,
//! failed calls, injected faults and gaps as signs.
//!
//! Rows are placed and sized by the page's style, positions in time are percentages: the picture
//! fits any width without being scaled.

use std::collections::HashMap;
use std::fmt::Write as _;

use unwedge_analyze::Report;
use unwedge_analyze::report::AgentSummary;
use unwedge_trace::{MarkKind, Outcome, Recording, Timestamp, What};

use super::page::{escape, shorten};
use super::words;

/// What is shown when nothing asks for more.
const WINDOW_NS: u64 = 10_000_000_000;
/// The farthest back that the beginning of a wait that never ends widens it.
const WINDOW_NS_MAX: u64 = 3_600_000_000_000;
/// Waits shorter than this part of the window have no tooltip of their own and are drawn together.
const SHORT: f64 = 0.01;
/// Short waits and ticks are told apart this finely; a row's size has a bound.
const BINS: usize = 500;
/// Letters of an agent's name that fit beside its row.
const NAME_LETTERS_MAX: usize = 28;
/// Signs in a row; the rest are counted in the last one's tooltip.
const SIGNS_MAX: usize = 40;

/// The picture, and what its colours and signs mean.
pub(super) struct Timeline {
    /// One SVG element.
    pub(super) svg: String,
    /// List items, for what is in the picture and no more.
    pub(super) legend: String,
    /// How far back it goes: `10 s`.
    pub(super) span: String,
}

/// The timeline, its rows in the order of `agents`.
pub(super) fn timeline(
    report: &Report,
    recording: &Recording,
    agents: &[&AgentSummary],
) -> Timeline {
    let window = Window::new(report, recording);
    let rows = rows(recording, agents, window);
    let mut out = format!(
        "<svg id=\"timeline\" role=\"img\" aria-label=\"Timeline of the last {}\" \
         aria-describedby=\"timeline-text\" style=\"--rows:{}\">\n\
         <desc id=\"timeline-text\">{}</desc>\n{SIGNS}",
        escape(&span(window.length())),
        rows.len(),
        escape(&in_words(agents, window)),
    );
    axis(&mut out, window);
    for (index, (row, agent)) in rows.iter().zip(agents).enumerate() {
        draw_row(&mut out, index, row, agent, window);
    }
    out.push_str("</svg>");
    let legend = legend(&rows, agents, words::stuck(report.verdict));
    Timeline { svg: out, legend, span: span(window.length()) }
}

fn legend(rows: &[Row], agents: &[&AgentSummary], stuck: &str) -> String {
    let open = |wedged| {
        rows.iter().zip(agents).any(|(row, agent)| agent.wedged == wedged && row.open.is_some())
    };
    let bars = [
        ("stuck", stuck, open(true)),
        ("open", "waits still", open(false)),
        ("wait", "waited", rows.iter().any(|row| !row.waits.is_empty())),
        ("progress", "progress", rows.iter().any(|row| !row.progress.is_empty())),
    ];
    let bars = bars.iter().filter(|(_, _, there)| *there);
    let mut out: String = bars
        .map(|(class, name, _)| format!("<li><i class=\"swatch {class}\"></i>{name}</li>"))
        .collect();
    for (sign, name) in [
        (Sign::Failed, "failed call"),
        (Sign::Injected, "injected fault"),
        (Sign::Lost, "events lost"),
        (Sign::Log, "remark"),
    ] {
        if rows.iter().flat_map(|row| &row.signs).any(|(_, there, _)| *there == sign) {
            let class = sign.class();
            let _ = write!(
                out,
                "<li><svg class=\"sign {class}\" width=\"14\" height=\"14\" aria-hidden=\"true\">\
                 <use href=\"#sign-{class}\" width=\"14\" height=\"14\"/></svg>{name}</li>"
            );
        }
    }
    out
}

const SIGNS: &str = "<defs>\
<symbol id=\"sign-failed\" viewBox=\"-8 -8 16 16\"><path d=\"M-5.5 -5.5 5.5 5.5M-5.5 5.5 5.5 -5.5\"/></symbol>\
<symbol id=\"sign-injected\" viewBox=\"-8 -8 16 16\"><path d=\"M1.5 -7 -4 1H0L-1.5 7 4 -1.5H0z\"/></symbol>\
<symbol id=\"sign-lost\" viewBox=\"-8 -8 16 16\"><path d=\"M-5 -6 -1 0-5 6M1 -6 5 0 1 6\"/></symbol>\
<symbol id=\"sign-log\" viewBox=\"-8 -8 16 16\"><circle r=\"3.2\"/></symbol>\
</defs>\n";

fn in_words(agents: &[&AgentSummary], window: Window) -> String {
    let mut text = format!("One row for each of {}, from −", words::count(agents.len(), "agent"));
    let _ = write!(text, "{} to now.", span(window.length()));
    for agent in agents.iter().filter(|agent| agent.wedged).take(20) {
        let since =
            agent.since_ms.map_or_else(String::new, |ms| format!(" for {}", words::duration(ms)));
        let call = agent.call.as_deref().unwrap_or("an unknown call");
        let _ = write!(text, " {} is in {call}{since}.", words::agent(agent));
    }
    text
}

/// The stretch of time that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Window {
    begin: Timestamp,
    now: Timestamp,
    /// Between two marks of the axis, nanoseconds.
    step: u64,
}

impl Window {
    /// The last ten seconds; longer where a wait that never ends began before them, so that what
    /// led to it is seen; shorter where the recording is.
    fn new(report: &Report, recording: &Recording) -> Self {
        let now = recording.header.now;
        let wedged = report.agents.iter().filter(|agent| agent.wedged);
        let oldest = wedged.filter_map(|agent| agent.since_ms).fold(0.0, f64::max);
        let wanted = ((oldest * 1.25e6) as u64).clamp(WINDOW_NS, WINDOW_NS_MAX);
        let first = recording.events.iter().map(|event| event.at).min().unwrap_or(now);
        let there = now.since(first).max(1_000_000).saturating_add(now.since(first) / 20);
        let length = wanted.min(there);
        let step = step(length);
        // What is shown ends on a mark of the axis, unless that would empty much of it.
        let length = length.div_ceil(step) * step;
        Self { begin: Timestamp(now.0.saturating_sub(length)), now, step }
    }

    fn length(self) -> u64 {
        self.now.since(self.begin)
    }

    /// 0 to 100 from left to right.
    fn percent(self, at: Timestamp) -> f64 {
        at.since(self.begin) as f64 * 100.0 / self.length().max(1) as f64
    }
}

/// A round number of nanoseconds that divides `length` into four to eight parts.
fn step(length: u64) -> u64 {
    const ROUND: [u64; 9] = [1, 2, 5, 10, 15, 30, 60, 120, 300];
    let seconds = ROUND.iter().chain(&[600, 1_200]).map(|seconds| seconds * 1_000_000_000);
    let below = (0..9).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power)));
    below.chain(seconds).find(|step| length / step < 6).unwrap_or(1_800_000_000_000)
}

/// A round time as the axis says it.
fn span(ns: u64) -> String {
    let seconds = ns / 1_000_000_000;
    match ns {
        0..1_000_000 => format!("{} µs", ns / 1_000),
        1_000_000..1_000_000_000 => format!("{} ms", ns / 1_000_000),
        _ if !ns.is_multiple_of(1_000_000_000) => format!("{:.1} s", ns as f64 / 1e9),
        _ if seconds < 60 => format!("{seconds} s"),
        _ if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        _ => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

fn axis(out: &mut String, window: Window) {
    out.push_str("<g class=\"axis\">");
    let mut back = 0;
    while back <= window.length() {
        let at = window.percent(Timestamp(window.now.0.saturating_sub(back)));
        let (text, anchor) = match back {
            0 => ("now".to_owned(), "end"),
            _ if back == window.length() => (format!("−{}", span(back)), "start"),
            _ => (format!("−{}", span(back)), "middle"),
        };
        // On a narrow page every other word makes room.
        let inner = back > 0 && back < window.length();
        let crowded = back / window.step % 2 == 1 || back + window.step >= window.length();
        let minor = if inner && crowded { " class=\"minor\"" } else { "" };
        let _ = write!(
            out,
            "<line x1=\"{at:.2}%\" x2=\"{at:.2}%\" y1=\"20\" y2=\"100%\"/>\
             <text{minor} x=\"{at:.2}%\" y=\"12\" text-anchor=\"{anchor}\">{text}</text>"
        );
        back += window.step;
    }
    out.push_str("</g>\n");
}

/// What a row shows.
#[derive(Default)]
struct Row {
    waits: Vec<Wait>,
    open: Option<(Timestamp, String)>,
    progress: Vec<(Timestamp, String)>,
    signs: Vec<(Timestamp, Sign, String)>,
}

/// A wait that ended.
struct Wait {
    begin: Timestamp,
    end: Timestamp,
    call: String,
    outcome: Outcome,
}

/// Something at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    /// A call that failed.
    Failed,
    /// A fault that was put there.
    Injected,
    /// Events are missing.
    Lost,
    /// A remark.
    Log,
}

impl Sign {
    fn of(what: &What) -> Option<Self> {
        match what {
            What::Mark { kind: MarkKind::FailedCall, .. } => Some(Self::Failed),
            What::Mark { kind: MarkKind::Injected, .. } => Some(Self::Injected),
            What::Mark { kind: MarkKind::Log, .. } => Some(Self::Log),
            What::Lost { .. } => Some(Self::Lost),
            _ => None,
        }
    }

    /// The name of its symbol and its class.
    fn class(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Injected => "injected",
            Self::Lost => "lost",
            Self::Log => "log",
        }
    }
}

fn rows(recording: &Recording, agents: &[&AgentSummary], window: Window) -> Vec<Row> {
    let index: HashMap<u32, usize> =
        agents.iter().enumerate().map(|(row, agent)| (agent.agent, row)).collect();
    let mut rows: Vec<Row> = agents.iter().map(|_| Row::default()).collect();
    for event in recording.events.iter().filter(|event| event.at <= window.now) {
        if let Some(row) = index.get(&event.agent.0) {
            rows[*row].apply(event.at, &event.what, window);
        }
    }
    rows
}

impl Row {
    fn apply(&mut self, at: Timestamp, what: &What, window: Window) {
        match what {
            What::WaitBegan { call, .. } => {
                self.close(at, Outcome::Reached, window);
                self.open = Some((at, call.clone()));
            }
            What::WaitEnded { outcome } => self.close(at, *outcome, window),
            What::Progress { what } if at >= window.begin => {
                self.progress.push((at, what.clone()));
            }
            What::Mark { text, .. } if at >= window.begin => {
                self.signs.extend(Sign::of(what).map(|sign| (at, sign, text.clone())));
            }
            What::Lost { count } if at >= window.begin => {
                let text = format!("{count} events lost here");
                self.signs.push((at, Sign::Lost, text));
            }
            _ => {}
        }
    }

    fn close(&mut self, end: Timestamp, outcome: Outcome, window: Window) {
        if let Some((begin, call)) = self.open.take()
            && end >= window.begin
        {
            self.waits.push(Wait { begin, end, call, outcome });
        }
    }
}

fn draw_row(out: &mut String, index: usize, row: &Row, agent: &AgentSummary, window: Window) {
    let wedged = if agent.wedged { " wedged" } else { "" };
    let name = words::agent(agent);
    let _ = write!(
        out,
        "<g class=\"row{wedged}\" data-agent=\"{id}\" style=\"--i:{index}\">\
         <rect class=\"track\" width=\"100%\" height=\"18\" rx=\"3\"/>\
         <text class=\"name\" y=\"13\">{name}<title>{tip}</title></text>",
        id = agent.agent,
        tip = escape(&format!("{}: {name}", words::agent_kind(agent.kind))),
        name = escape(&shorten(&name, NAME_LETTERS_MAX)),
    );
    draw_waits(out, row, window);
    draw_progress(out, row, window);
    draw_open(out, row, window);
    draw_signs(out, row, window);
    out.push_str("</g>\n");
}

fn draw_waits(out: &mut String, row: &Row, window: Window) {
    let mut short = [false; BINS];
    for wait in &row.waits {
        let (from, to) = (window.percent(wait.begin), window.percent(wait.end));
        if to - from < SHORT * 100.0 {
            for bin in short.iter_mut().take(bin(to) + 1).skip(bin(from)) {
                *bin = true;
            }
            continue;
        }
        let how = match wait.outcome {
            Outcome::Reached => "reached",
            Outcome::TimedOut => "timed out",
            Outcome::Failed => "failed",
        };
        let class = if wait.outcome == Outcome::Reached { "wait" } else { "wait unmet" };
        let _ = write!(
            out,
            "<rect class=\"{class}\" x=\"{from:.2}%\" width=\"{:.2}%\" height=\"18\" rx=\"2\">\
             <title>{}</title></rect>",
            to - from,
            escape(&format!(
                "{}, {how} after {}",
                wait.call,
                words::duration(wait.end.ms_since(wait.begin))
            )),
        );
    }
    bins(out, "wait", &short, "short waits");
}

/// The bin of a percentage.
fn bin(percent: f64) -> usize {
    ((percent * BINS as f64 / 100.0) as usize).min(BINS - 1)
}

/// Runs of set bins as one path, stretched to the row's width.
fn bins(out: &mut String, class: &str, bins: &[bool; BINS], tip: &str) {
    let mut path = String::new();
    let mut at = 0;
    while at < BINS {
        let run = bins[at..].iter().take_while(|set| **set).count();
        if run > 0 {
            let _ = write!(path, "M{at} 0h{run}v18h-{run}z");
        }
        at += run.max(1);
    }
    if !path.is_empty() {
        let _ = write!(
            out,
            "<svg class=\"bins\" width=\"100%\" height=\"18\" viewBox=\"0 0 {BINS} 18\" \
             preserveAspectRatio=\"none\"><path class=\"{class}\" d=\"{path}\"><title>{tip}</title>\
             </path></svg>"
        );
    }
}

/// A tick each; where they are too many to tell apart, a tick for each bin.
fn draw_progress(out: &mut String, row: &Row, window: Window) {
    let mut drawn = [0_usize; BINS];
    for (at, _) in &row.progress {
        drawn[bin(window.percent(*at))] += 1;
    }
    let mut path = String::new();
    for (at, count) in drawn.iter().enumerate() {
        if *count > 0 {
            let _ = write!(path, "M{at}.5 11v7");
        }
    }
    let Some((last, what)) = row.progress.last() else { return };
    let tip = format!(
        "{} of progress here, the last: {what}, {} before now",
        words::count(row.progress.len(), "sign"),
        words::duration(window.now.ms_since(*last)),
    );
    let _ = write!(
        out,
        "<svg class=\"bins\" width=\"100%\" height=\"18\" viewBox=\"0 0 {BINS} 18\" \
         preserveAspectRatio=\"none\"><path class=\"progress\" d=\"{path}\"><title>{}</title>\
         </path></svg>",
        escape(&tip)
    );
}

/// The wait that has not ended: a bar to the right edge that says what it is.
fn draw_open(out: &mut String, row: &Row, window: Window) {
    let Some((begin, call)) = &row.open else { return };
    let from = window.percent(*begin);
    let since = words::duration(window.now.ms_since(*begin));
    let tip = format!("{call}, for {since} and still waiting");
    let _ = write!(
        out,
        "<svg class=\"open\" x=\"{from:.2}%\" width=\"{width:.2}%\" height=\"18\"><title>{tip}</title>\
         <rect width=\"100%\" height=\"18\" rx=\"2\"/><text x=\"12\" y=\"13\">{text}</text></svg>",
        width = 100.0 - from,
        tip = escape(&tip),
        text = escape(&format!("{since} · {call}")),
    );
}

fn draw_signs(out: &mut String, row: &Row, window: Window) {
    let more = row.signs.len().saturating_sub(SIGNS_MAX);
    for (index, (at, sign, text)) in row.signs.iter().skip(more).enumerate() {
        let before = words::duration(window.now.ms_since(*at));
        let mut tip = format!("{text}, {before} before now");
        if index == 0 && more > 0 {
            let _ = write!(tip, " (and {more} earlier)");
        }
        let _ = write!(
            out,
            "<svg class=\"sign {class}\" x=\"{at:.2}%\" y=\"9\"><title>{tip}</title>\
             <circle class=\"halo\" r=\"8\"/>\
             <use href=\"#sign-{class}\" x=\"-7\" y=\"-7\" width=\"14\" height=\"14\"/></svg>",
            class = sign.class(),
            at = window.percent(*at),
            tip = escape(&tip),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::{self, Sample};

    fn draw(sample: &Sample) -> String {
        let agents: Vec<&AgentSummary> = sample.report.agents.iter().collect();
        timeline(&sample.report, &sample.recording, &agents).svg
    }

    #[test]
    fn there_is_a_row_for_every_agent() {
        for sample in samples::all() {
            let rows = draw(&sample).matches("<g class=\"row").count();
            assert_eq!(rows, sample.report.agents.len(), "{}", sample.name);
        }
    }

    #[test]
    fn an_open_wait_reaches_now_and_says_its_call() {
        let svg = draw(&samples::reset_without_submit());
        assert!(svg.contains("8.20 s · vkWaitForFences"), "{svg}");
        assert!(svg.contains("sign-failed"), "{svg}");
    }

    #[test]
    fn the_window_widens_to_show_what_led_to_an_old_wait() {
        let sample = samples::lost_signal();
        let window = Window::new(&sample.report, &sample.recording);
        assert!(window.length() > 2 * WINDOW_NS, "{window:?}");
        assert_eq!(window.length() % window.step, 0);
    }

    #[test]
    fn steps_are_round_and_few() {
        for length in
            [1_000, 3_000_000, 700_000_000, 10_000_000_000, 155_000_000_000, WINDOW_NS_MAX]
        {
            let parts = length / step(length);
            assert!((2..=6).contains(&parts), "{length}: {parts}");
        }
        assert_eq!(span(step(10_000_000_000)), "2 s");
    }

    #[test]
    fn a_busy_row_has_a_bounded_size() {
        let mut sample = samples::progressing();
        let busy = sample.recording.events.clone();
        for _ in 0..200 {
            sample.recording.events.extend(busy.iter().cloned());
        }
        let size = draw(&sample).len();
        assert!(size < 60_000 * sample.report.agents.len(), "{size}");
    }
}
