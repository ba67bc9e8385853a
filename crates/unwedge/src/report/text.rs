//! How does a report look in a terminal? As a good compiler's diagnostic: one heading a finding,
//! its sentence, where, the chain in one column, the evidence, and what to do.

use anstyle::{AnsiColor, Style as Paint};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};
use unwedge_analyze::report::Finding;
use unwedge_analyze::{Report, Verdict};

use super::chain::{Chain, Step, chain};
use super::{statistics, words};

/// Other waiters that are named; the rest are counted.
const ALSO_WAITING_MAX: usize = 6;
/// Frames of a stack that are printed; the rest are counted.
const FRAMES_MAX: usize = 8;
/// Narrower than this and prose becomes a column of single words.
const WIDTH_MIN: usize = 36;
/// Wider than this and the eye loses the line.
const WIDTH_MAX: usize = 110;

/// How to write to whoever reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    /// With ANSI colours.
    pub(crate) color: bool,
    /// Columns of the terminal.
    pub(crate) width: usize,
}

pub(super) const BOLD: Paint = Paint::new().bold();
const FRAME: Paint = AnsiColor::Blue.on_default().bold();
pub(super) const FAINT: Paint = Paint::new().dimmed();
const AGENT: Paint = AnsiColor::Cyan.on_default();
const OBJECT: Paint = AnsiColor::Magenta.on_default();
const HELP: Paint = AnsiColor::Cyan.on_default().bold();
const INJECTED: Paint = AnsiColor::Magenta.on_default().bold();

/// The report of a trace as text: what was counted over all events, then the findings and the answer.
pub(crate) fn trace_text(report: &Report, style: Style) -> String {
    let mut sheet = Sheet::new(style, verdict_paint(report.verdict));
    sheet.width = style.width.clamp(WIDTH_MIN, statistics::WIDTH_MAX);
    statistics::write(&mut sheet, report);
    sheet.out.push_str(&text(report, style));
    sheet.out
}

/// The report as text, every line ended.
pub(crate) fn text(report: &Report, style: Style) -> String {
    let mut sheet = Sheet::new(style, verdict_paint(report.verdict));
    for finding in &report.findings {
        sheet.finding(report, finding);
        sheet.blank();
    }
    sheet.injected(report);
    sheet.answer(report);
    sheet.out
}

fn verdict_paint(verdict: Verdict) -> Paint {
    match verdict {
        Verdict::Progressing => AnsiColor::Green.on_default().bold(),
        Verdict::Wedged => AnsiColor::Red.on_default().bold(),
        Verdict::Inconclusive => AnsiColor::Yellow.on_default().bold(),
    }
}

/// A piece of a line in one colour.
pub(super) type Span<'a> = (&'a str, Paint);

/// The text so far.
pub(super) struct Sheet {
    pub(super) out: String,
    color: bool,
    pub(super) width: usize,
    /// The verdict's colour: what is to be seen first, and nothing else, wears it.
    pub(super) loud: Paint,
}

impl Sheet {
    pub(super) fn new(style: Style, loud: Paint) -> Self {
        let width = style.width.clamp(WIDTH_MIN, WIDTH_MAX);
        Self { out: String::new(), color: style.color, width, loud }
    }

    fn finding(&mut self, report: &Report, finding: &Finding) {
        let verdict = if finding.conclusive { report.verdict } else { Verdict::Inconclusive };
        let severity = format!("{}[{}]", words::verdict(verdict), finding.code);
        self.line(&[(&severity, self.loud), (&format!(": {}", finding.name), BOLD)]);
        self.wrapped(&[("  ", BOLD)], "  ", &finding.sentence, BOLD);
        if let Some(waiter) = &finding.waiter {
            let place = format!("{} {}", words::waiter(waiter), words::waits(waiter));
            self.wrapped(&[("  --> ", FRAME)], "      ", &place, Paint::new());
        }
        self.rule();
        let chain = chain(report, finding);
        if !chain.steps.is_empty() {
            self.chain(&chain, finding.name);
            self.rule();
        }
        self.stack(finding);
        self.bullets("evidence", BOLD, finding.evidence.iter().map(String::as_str));
        self.also_waiting(finding);
        if !finding.remedy.is_empty() {
            self.field("help", HELP, &finding.remedy);
        }
        self.field("for more", FAINT, &format!("unwedge help {}", finding.code));
    }

    /// Each stop on a line of its own; a cycle is closed by a rail at the left.
    fn chain(&mut self, chain: &Chain, root: &str) {
        let start = chain.back.as_ref().map(|(start, _)| *start);
        for (index, step) in chain.steps.iter().enumerate() {
            let inside = start.is_some_and(|start| index > start);
            if index > 0 {
                let rail = if inside { "│   " } else { "    " };
                self.stop(rail, "│ ", FAINT, &step.via, FAINT);
            }
            let rail = match start {
                Some(start) if index == start => "╭─▶ ",
                _ if inside => "│   ",
                _ => "    ",
            };
            let last = index + 1 == chain.steps.len() && start.is_none();
            let (mark, paint) = self.mark(step, last);
            self.stop(rail, mark, paint, &step.name, if last { paint } else { Paint::new() });
        }
        match &chain.back {
            Some((start, via)) => {
                let back = format!("{via} {}", chain.steps[*start].name);
                self.stop("╰───", "╯ ", self.loud, &back, FAINT);
            }
            None => self.stop("    ", "╰ ", self.loud, root, self.loud),
        }
    }

    fn mark(&self, step: &Step, root: bool) -> (&'static str, Paint) {
        match (step.agent, root) {
            (true, true) => ("● ", self.loud),
            (false, true) => ("◆ ", self.loud),
            (true, false) => ("● ", AGENT),
            (false, false) => ("◇ ", OBJECT),
        }
    }

    fn stop(&mut self, rail: &str, mark: &str, mark_paint: Paint, text: &str, paint: Paint) {
        let hang = if mark == "╯ " || mark == "╰ " { "  " } else { "│ " };
        let hang_rail = match rail {
            "╭─▶ " | "│   " => "│   ",
            _ => "    ",
        };
        let lead = [("   │ ", FRAME), (rail, self.loud), (mark, mark_paint)];
        let next = format!("   │ {hang_rail}{hang}");
        self.wrapped(&lead, &next, text, paint);
    }

    fn stack(&mut self, finding: &Finding) {
        let Some(waiter) = finding.waiter.as_ref().filter(|waiter| !waiter.stack.is_empty()) else {
            return;
        };
        let more = waiter.stack.len().saturating_sub(FRAMES_MAX);
        let rest = format!("… and {} further out", words::count(more, "frame"));
        let frames = waiter.stack.iter().take(FRAMES_MAX).map(String::as_str);
        self.bullets(
            "stack, innermost first",
            BOLD,
            frames.chain((more > 0).then_some(rest.as_str())),
        );
    }

    fn also_waiting(&mut self, finding: &Finding) {
        let all = &finding.also_waiting;
        let more = all.len().saturating_sub(ALSO_WAITING_MAX);
        let mut lines: Vec<String> = all
            .iter()
            .take(ALSO_WAITING_MAX)
            .map(|waiter| format!("{} {}", words::waiter(waiter), words::waits(waiter)))
            .collect();
        if more > 0 {
            lines.push(format!("… and {more} more"));
        }
        self.bullets("also waiting for this", BOLD, lines.iter().map(String::as_str));
    }

    fn injected(&mut self, report: &Report) {
        if report.injected.is_empty() {
            return;
        }
        self.line(&[("injected", INJECTED), (": these faults were put there on purpose", BOLD)]);
        for fault in &report.injected {
            self.wrapped(&[("  • ", INJECTED)], "    ", fault, Paint::new());
        }
        self.blank();
    }

    /// The last lines, which a reader sees first: the verdict over all agents and what it rests on.
    fn answer(&mut self, report: &Report) {
        let verdict = words::verdict(report.verdict);
        let lead = [(verdict, self.loud), (": ", BOLD)];
        self.wrapped(&lead, "  ", &answer(report), Paint::new());
        for missing in &report.missing {
            self.wrapped(&[("  missing: ", self.loud)], "           ", missing, Paint::new());
        }
        for note in &report.notes {
            self.wrapped(&[("  note: ", BOLD)], "        ", note, Paint::new());
        }
        self.wrapped(&[("  ", FAINT)], "  ", &basis(report), FAINT);
    }

    fn field(&mut self, name: &str, paint: Paint, text: &str) {
        let name = format!("{name}: ");
        let next = " ".repeat(5 + name.width());
        self.wrapped(&[("   = ", FRAME), (&name, paint)], &next, text, Paint::new());
    }

    fn bullets<'a>(&mut self, name: &str, paint: Paint, items: impl Iterator<Item = &'a str>) {
        let mut items = items.peekable();
        if items.peek().is_none() {
            return;
        }
        self.line(&[("   = ", FRAME), (name, paint), (":", paint)]);
        for item in items {
            self.wrapped(&[("       • ", FAINT)], "         ", item, Paint::new());
        }
    }

    fn rule(&mut self) {
        self.line(&[("   │", FRAME)]);
    }

    pub(super) fn blank(&mut self) {
        self.out.push('\n');
    }

    pub(super) fn line(&mut self, spans: &[Span<'_>]) {
        for (text, paint) in spans {
            self.put(text, *paint);
        }
        self.out.push('\n');
    }

    /// `text` behind `lead`, its further lines behind `next`, none wider than the terminal.
    pub(super) fn wrapped(&mut self, lead: &[Span<'_>], next: &str, text: &str, paint: Paint) {
        let lead_width = lead.iter().map(|(text, _)| text.width()).sum::<usize>();
        let room = self.width.saturating_sub(lead_width.max(next.width()));
        for (text, paint) in lead {
            self.put(text, *paint);
        }
        for (index, line) in wrap(&words::clean(text), room.max(WIDTH_MIN / 3)).iter().enumerate() {
            if index > 0 {
                self.out.push('\n');
                self.put(next, FRAME);
            }
            self.put(line, paint);
        }
        self.out.push('\n');
    }

    pub(super) fn put(&mut self, text: &str, paint: Paint) {
        let text = words::clean(text);
        let bare = text.trim().is_empty() || paint == Paint::new();
        if self.color && !bare {
            self.out.push_str(&format!("{paint}{text}{paint:#}"));
        } else {
            self.out.push_str(&text);
        }
    }
}

fn answer(report: &Report) -> String {
    let findings = words::count(report.findings.len(), "finding");
    let wedged = report.agents.iter().filter(|agent| agent.wedged).count();
    let agents = words::count(report.agents.len(), "agent");
    match report.verdict {
        Verdict::Progressing if report.findings.is_empty() => {
            format!("every wait that is open can still end ({agents})")
        }
        Verdict::Progressing => format!("{findings}, but every wait that is open can still end"),
        Verdict::Wedged => format!("{findings}; {wedged} of {agents} cannot proceed"),
        Verdict::Inconclusive => "the evidence allows neither accusation nor acquittal".to_owned(),
    }
}

fn basis(report: &Report) -> String {
    let lost = match report.events_lost {
        0 => "no events lost".to_owned(),
        1 => "1 event lost".to_owned(),
        lost => format!("{lost} events lost"),
    };
    format!("from {}, {lost}", report.source)
}

/// Breaks at spaces; a word that is wider than the line is broken where it must be.
fn wrap(text: &str, room: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if used > 0 && used + 1 + word.width() > room {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        for letter in word.chars() {
            let columns = letter.width().unwrap_or(0);
            if used + columns > room {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push(letter);
            used += columns;
        }
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::{self, Sample};

    fn plain(sample: &Sample) -> String {
        text(&sample.report, Style { color: false, width: 90 })
    }

    #[test]
    fn a_cycle_is_closed_by_a_rail() {
        insta::assert_snapshot!(plain(&samples::two_queues()), @r#"
        wedged[UW001]: deadlock
          queue 0x55d0a1 "graphics" and queue 0x55d0b7 "async compute" wait for each other: batch
          214 needs "particles done" to reach 98, which batch 97 would signal after "depth ready"
          reaches 215, which batch 214 would signal
          --> thread 4312 "render" of process 4300 in vkWaitForFences for 6.40 s
           │
           │     ● thread 4312 "render"
           │     │ waits on
           │     ◇ fence 0x7f3a5e40 "frame 1"
           │     │ owed by
           │ ╭─▶ ● queue 0x55d0a1 "graphics"
           │ │   │ waits on
           │ │   ◇ timeline semaphore 0x7f3a6100 "particles done", value 98
           │ │   │ owed by
           │ │   ● queue 0x55d0b7 "async compute"
           │ │   │ waits on
           │ │   ◇ timeline semaphore 0x7f3a61c8 "depth ready", value 215
           │ ╰───╯ owed by queue 0x55d0a1 "graphics"
           │
           = evidence:
               • 4205.331 s: thread 4312 submitted batch 214 to "graphics": wait "particles done"
                 = 98, signal "depth ready" = 215
               • 4205.334 s: thread 4312 submitted batch 97 to "async compute": wait "depth ready"
                 = 215, signal "particles done" = 98
               • 4211.730 s: neither breadcrumb has moved since; both engines are idle
           = help: Break the circle: let batch 97 wait for the depth of the frame before (214), or
                   signal "depth ready" in a submit of its own that does not wait for the
                   particles.
           = for more: unwedge help UW001

        wedged: 1 finding; 3 of 3 agents cannot proceed
          from vulkan layer, no events lost
        "#);
    }

    #[test]
    fn a_root_that_nobody_owes_ends_the_chain() {
        insta::assert_snapshot!(plain(&samples::never_submitted()), @r#"
        wedged[UW002]: never submitted
          thread 4312 "loader" waits for fence 0x7f3a5e40 "upload"; no submit carries it since it
          was created
          --> thread 4312 "loader" of process 4300 in vkWaitForFences for 3.10 s
           │
           │     ● thread 4312 "loader"
           │     │ waits on
           │     ◆ fence 0x7f3a5e40 "upload"
           │     ╰ never submitted
           │
           = stack, innermost first:
               • __GI___poll+0x4f (libc.so.6)
               • vk_common_WaitForFences+0x1c8 (libvulkan_lvp.so)
               • uploader::flush+0x133 (game)
               • uploader::load_level+0x88 (game)
               • main+0x2f0 (game)
           = evidence:
               • 4208.601 s: thread 4312 created fence 0x7f3a5e40, unsignalled
               • 4208.630 s: thread 4312 waits for it, without a bound
               • no submit on record names it; all 41 submits are on record
           = help: Pass the fence to the vkQueueSubmit whose end it stands for, or create it with
                   VK_FENCE_CREATE_SIGNALED_BIT if the first frame has nothing to wait for.
           = for more: unwedge help UW002

        wedged: 1 finding; 1 of 2 agents cannot proceed
          from vulkan layer, no events lost
        "#);
    }

    #[test]
    fn an_injected_fault_is_named() {
        insta::assert_snapshot!(plain(&samples::lost_signal()), @r#"
        wedged[UW004]: signal lost
          thread 4312 "render" waits for fence 0x7f3a5e40; queue 0x55d0a1 finished the batch that
          signals it, and the fence never showed it
          --> thread 4312 "render" of process 4300 in vkWaitForFences for 2 min 33 s
           │
           │     ● thread 4312 "render"
           │     │ waits on
           │     ◇ fence 0x7f3a5e40
           │     │ owed by
           │     ● queue 0x55d0a1
           │     ╰ signal lost
           │
           = evidence:
               • 4057.728 s: batch 12 submitted with fence 0x7f3a5e40
               • 4057.731 s: the breadcrumb of batch 12 was written: the GPU is past it
               • 4211.730 s: vkGetFenceStatus still says VK_NOT_READY
           = help: This fault was injected. Without an injection: suspect the driver, and see
                   whether `unwedge doctor` stops at the fence rung.
           = for more: unwedge help UW004

        injected: these faults were put there on purpose
          • 4057.730 s: dropped the 3rd signal of fence 0x7f3a5e40 (--inject fence:3:drop)

        wedged: 1 finding; 1 of 2 agents cannot proceed
          from vulkan layer, no events lost
        "#);
    }

    #[test]
    fn doubt_says_what_is_missing() {
        insta::assert_snapshot!(plain(&samples::inconclusive()), @r#"
        inconclusive[UW005]: device busy
          thread 4312 "render" waits for timeline semaphore 0x7f3a6100 to reach 512; it is at 511,
          and queue 0x55d0a1 seems to be still executing
          --> thread 4312 "render" of process 4300 in vkWaitSemaphores for 4.00 s
           │
           │     ● thread 4312 "render"
           │     │ waits on
           │     ◇ timeline semaphore 0x7f3a6100, value 512
           │     │ used to be signalled by
           │     ● queue 0x55d0a1
           │     ╰ device busy
           │
           = evidence:
               • 4207.430 s: 1204 events were dropped here
               • 4211.730 s: GPU utilisation 100 %
           = help: Wait, or record again with a larger ring: unwedge run --ring 4MiB.
           = for more: unwedge help UW005

        inconclusive: the evidence allows neither accusation nor acquittal
          missing: the 1204 events that were dropped at 4207.430 s; the submit of value 512 may be
                   among them
          missing: whether the device's engine works: its fdinfo could not be read (permission
                   denied)
          from /proc of process 4300, 1204 events lost
        "#);
    }

    #[test]
    fn without_a_finding_there_are_a_few_lines() {
        insta::assert_snapshot!(plain(&samples::progressing()), @r#"
        progressing: every wait that is open can still end (3 agents)
          note: thread 4312 "render" presented 599 frames in the last 10 s
          note: thread 4313 "input" is idle: it waits for input, which is no wedge
          from vulkan layer, no events lost
        "#);
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for sample in samples::all() {
            for width in [WIDTH_MIN, 60, 80, WIDTH_MAX] {
                let text = text(&sample.report, Style { color: false, width });
                // A heading and the name of a stack are never broken.
                let wide = text.lines().find(|line| line.width() > width && line.starts_with("  "));
                assert_eq!(wide, None, "{} at {width}", sample.name);
            }
        }
    }

    #[test]
    fn colours_change_nothing_but_colours() {
        for sample in samples::all() {
            let coloured = text(&sample.report, Style { color: true, width: 90 });
            let mut bare = String::new();
            for (index, part) in coloured.split("\x1b[").enumerate() {
                let text =
                    if index == 0 { part } else { part.split_once('m').unwrap_or(("", part)).1 };
                bare.push_str(text);
            }
            assert_eq!(bare, plain(&sample), "{}", sample.name);
        }
    }

    #[test]
    fn names_cannot_steer_the_terminal() {
        assert!(!plain(&samples::hostile()).contains('\x1b'));
    }
}
