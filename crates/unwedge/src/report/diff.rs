//! How is a difference told on a terminal, and to a program?

use anstyle::{AnsiColor, Style as Paint};
use unicode_width::UnicodeWidthStr as _;
use unwedge_analyze::diff::{
    Deed, Difference, How, Likeness, Line, Order, Pace, Pairing, Progress, Rate, SideSummary,
    Unmet, number,
};

use super::text::Style;
use super::words;

const BOLD: Paint = Paint::new().bold();
const FAINT: Paint = Paint::new().dimmed();
const SAME: Paint = AnsiColor::Green.on_default().bold();
const OTHER: Paint = AnsiColor::Red.on_default().bold();
const IN_A: Paint = AnsiColor::Red.on_default();
const IN_B: Paint = AnsiColor::Green.on_default();

/// Things of one list that are told; the page and the JSON have more.
const LISTED_MAX: usize = 4;
/// Names in one sentence.
const NAMES_MAX: usize = 2;
const WIDTH_MIN: usize = 40;
const WIDTH_MAX: usize = 110;

/// The difference as indented JSON with a newline at its end.
pub(crate) fn json(difference: &Difference) -> String {
    // String keys only, and no type that refuses to serialise.
    let mut text = serde_json::to_string_pretty(difference).unwrap_or_else(|error| {
        serde_json::json!({ "unwedge_diff": 1, "error": error.to_string() }).to_string()
    });
    text.push('\n');
    text
}

/// The difference as text.
pub(crate) fn text(difference: &Difference, style: Style) -> String {
    let width = style.width.clamp(WIDTH_MIN, WIDTH_MAX);
    let mut sheet = Sheet { out: String::new(), color: style.color, width };
    let (word, paint) = match difference.likeness {
        Likeness::Different => ("different", OTHER),
        Likeness::Identical | Likeness::Retimed | Likeness::Interleaved | Likeness::Alike => {
            ("same", SAME)
        }
    };
    sheet.put(word, paint);
    sheet.wrapped(": ", "  ", &difference.sentence, BOLD);
    sheet.sides(&difference.sides);
    // The first is the answer already.
    let told = usize::from(!stuck(difference).is_empty() && difference.identical.is_none());
    sheet.list("who else does not get on", stuck(difference).iter().skip(told));
    let silent = difference.never_signalled.iter().map(|silence| &silence.sentence);
    sheet.list("signals that one side never sends", silent);
    sheet.list("what gets done", progress(difference));
    sheet.divergence(difference);
    sheet.departures(difference);
    sheet.list("counts of polls, which depend on time", counts(difference).iter());
    sheet.rates(difference);
    sheet.list("not observed", unobserved(difference));
    if difference.identical.is_none() {
        sheet.matched(difference);
    }
    sheet.list("notes", difference.notes.iter());
    sheet.out
}

/// Who does not get on, as far as it explains others first: waits that time out, agents that stop, waits that last.
pub(super) fn stuck(difference: &Difference) -> Vec<String> {
    let (lasting, vain): (Vec<_>, Vec<_>) =
        difference.never_met.iter().partition(|unmet| unmet.open_ns.is_some());
    let wait = |unmet: &&Unmet| match unmet.also.as_slice() {
        [] => unmet.sentence.clone(),
        [one] => format!("{}; so does {one}", unmet.sentence),
        also => format!("{}; so do {}", unmet.sentence, listed(also)),
    };
    let stopped = difference.stopped.iter().map(|stop| stop.sentence.clone());
    vain.iter().map(wait).chain(stopped).chain(lasting.iter().map(wait)).collect()
}

/// `guest thread 10 "decode", guest thread 11 and 2 more`.
fn listed(names: &[String]) -> String {
    let (shown, more) = names.split_at(names.len().min(NAMES_MAX));
    match (shown, more.len()) {
        ([first @ .., last], 0) => format!("{} and {last}", first.join(", ")),
        (shown, more) => format!("{} and {more} more", shown.join(", ")),
    }
}

/// What gets done more often on one side.
pub(super) fn progress(difference: &Difference) -> impl Iterator<Item = &String> {
    let other = |progress: &&Progress| progress.a.count != progress.b.count;
    difference.progress.iter().filter(other).map(|progress| &progress.sentence)
}

/// Loops of polls that were not told yet.
pub(super) fn counts(difference: &Difference) -> Vec<String> {
    let told = |agent: &str| difference.never_met.iter().any(|unmet| unmet.agent == agent);
    difference.counts.iter().filter(|one| !told(&one.agent)).map(count).collect()
}

/// Signals that are not on record and were not spoken of yet.
pub(super) fn unobserved(difference: &Difference) -> impl Iterator<Item = &String> {
    let told = |object: &str| difference.never_met.iter().any(|unmet| unmet.object == object);
    difference.unobserved.iter().filter(move |one| !told(&one.object)).map(|one| &one.sentence)
}

/// Whether both sides differ in it by more than a tenth, and it was not told yet.
fn is_other(rate: &Rate, difference: &Difference) -> bool {
    let told = |unmet: &Unmet| unmet.agent == rate.agent && unmet.object == rate.object;
    let (a, b) = (rate.a.per_second, rate.b.per_second);
    let told = rate.deed == Deed::Waits && difference.never_met.iter().any(told);
    !told && ((a - b).abs() > 0.1 * a.max(b) || rate.a.met.min(1) != rate.b.met.min(1))
}

fn count(count: &unwedge_analyze::diff::Count) -> String {
    let [a, b] = count.rounds.map(number);
    format!("{} {}: {a} times in A, {b} in B", count.agent, count.step)
}

/// What stands above the first event that differs.
pub(super) fn first(same: bool) -> &'static str {
    if same {
        "the first event that differs, though no step does"
    } else {
        "the first event that differs"
    }
}

/// How a thing was found on the other side.
pub(super) fn how(how: How) -> &'static str {
    match how {
        How::Given => "as given",
        How::Id => "by id",
        How::Name => "by name",
        How::Deeds => "by what it did",
        How::Order => "by order",
    }
}

/// `+2.031 s`.
pub(super) fn at(ns: u64) -> String {
    match ns {
        0..1_000_000_000 => format!("+{}.{:03} ms", ns / 1_000_000, ns % 1_000_000 / 1_000),
        _ => format!("+{}.{:06} s", ns / 1_000_000_000, ns % 1_000_000_000 / 1_000),
    }
}

/// A gap: `16.61 ms`; `–` for none.
pub(super) fn gap(ns: Option<u64>) -> String {
    let Some(ns) = ns else { return "–".to_owned() };
    let of =
        |unit: u64, name: &str| format!("{:.*} {name}", digits(ns / unit), ns as f64 / unit as f64);
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => of(1_000, "µs"),
        1_000_000..1_000_000_000 => of(1_000_000, "ms"),
        _ => of(1_000_000_000, "s"),
    }
}

fn digits(whole: u64) -> usize {
    match whole {
        100.. => 0,
        10.. => 2,
        _ => 3,
    }
}

/// `60.2/s`.
pub(super) fn rate(pace: &Pace) -> String {
    match pace.per_second {
        _ if pace.count == 0 => "–".to_owned(),
        rate if rate >= 100.0 => format!("{rate:.0}/s"),
        rate if rate >= 1.0 => format!("{rate:.1}/s"),
        rate => format!("{rate:.3}/s"),
    }
}

/// `guest thread 7 "dispatcher" waits for event 0xbe8cbb5c`.
pub(super) fn what(rate: &Rate) -> String {
    let deed = match rate.deed {
        Deed::Waits => "waits for",
        Deed::Signals if rate.object.starts_with("mutex ") => "releases",
        Deed::Signals => "signals",
    };
    format!("{} {deed} {}", rate.agent, rate.object)
}

/// `, every 16.61 ms (60.2 Hz, vsync-like)`, `, every 23.10 µs (18.75 µs to 29.38 µs)`.
pub(super) fn spread(pace: &Pace) -> String {
    let [low, median, high] = [pace.low_gap_ns, pace.median_gap_ns, pace.high_gap_ns].map(gap);
    match (&pace.shape, pace.median_gap_ns) {
        (_, None) => String::new(),
        (Some(shape), _) if shape.ends_with("vsync-like") => format!(", every {median} ({shape})"),
        (Some(_), _) => format!(", every {median}"),
        (None, _) if low == high => format!(", every {median}"),
        (None, _) => format!(", every {median} ({low} to {high})"),
    }
}

/// What a pace says of waits: `412, all met`.
pub(super) fn luck(pace: &Pace, deed: Deed) -> String {
    let count = number(pace.count);
    match deed {
        Deed::Waits if pace.count == 0 => "none".to_owned(),
        Deed::Signals if pace.count == 0 => "never".to_owned(),
        Deed::Signals => count,
        Deed::Waits if pace.met == pace.count => format!("{count}, all met"),
        Deed::Waits if pace.met == 0 => format!("{count}, none met"),
        Deed::Waits => format!("{count}, {} met", number(pace.met)),
    }
}

struct Sheet {
    out: String,
    color: bool,
    width: usize,
}

impl Sheet {
    fn sides(&mut self, sides: &[SideSummary; 2]) {
        let longest = sides.iter().map(|side| words::clean(&side.name).width()).max().unwrap_or(0);
        for (letter, paint, side) in [("A", IN_A, &sides[0]), ("B", IN_B, &sides[1])] {
            let name = words::clean(&side.name).into_owned();
            let pad = " ".repeat(longest - name.width());
            self.put(&format!("  {letter} "), paint);
            self.put(&format!("{name}{pad}"), Paint::new());
            let agents = words::count(side.agents, "agent");
            let objects = words::count(side.objects, "object");
            let events = number(side.events);
            let span = gap(Some(side.span_ns));
            self.put(&format!("  {events} events, {agents}, {objects}, {span}"), FAINT);
            self.out.push('\n');
        }
        self.out.push('\n');
    }

    fn divergence(&mut self, difference: &Difference) {
        let Some(divergence) = &difference.divergence else { return };
        self.heading(first(difference.same));
        self.wrapped("  ", "  ", &divergence.sentence, Paint::new());
        self.hunk(&divergence.a, &divergence.b);
        let differing = &difference.differing;
        let order = match divergence.order {
            Order::Agent | Order::Object => format!(
                "event by event, {} of {} and {} of {} differ",
                differing.agents,
                words::count(differing.agents_of, "agent"),
                differing.objects,
                words::count(differing.objects_of, "object"),
            ),
            Order::Interleaving | Order::Introduction | Order::Time => String::new(),
        };
        if !order.is_empty() {
            self.wrapped("  ", "  ", &order, FAINT);
        }
        self.out.push('\n');
    }

    fn departures(&mut self, difference: &Difference) {
        // Who does not get on was told.
        let told = |agent: &String| {
            let mut waits = difference.never_met.iter();
            waits.any(|unmet| unmet.agent == *agent || unmet.also.contains(agent))
                || difference.stopped.iter().any(|stop| stop.agent == *agent)
        };
        let others = difference.departures.iter().filter(|departure| !told(&departure.agent));
        self.list(
            if difference.never_met.is_empty() {
                "where the steps of agents part, loops folded"
            } else {
                "where the steps of others part, loops folded"
            },
            others.map(|departure| &departure.sentence),
        );
    }

    /// Both sides one below the other: what both have once, then A's, then B's.
    fn hunk(&mut self, a: &[Line], b: &[Line]) {
        let same =
            a.iter().zip(b).take_while(|(a, b)| a.text == b.text && !a.differs && !b.differs);
        let same = same.count();
        for line in &a[..same] {
            self.event("    ", line, FAINT);
        }
        for line in &a[same..] {
            self.event("  A ", line, if line.differs { IN_A.bold() } else { FAINT });
        }
        for line in &b[same..] {
            self.event("  B ", line, if line.differs { IN_B.bold() } else { FAINT });
        }
        for (letter, paint, lines) in [("A", IN_A, a), ("B", IN_B, b)] {
            if !lines.iter().any(|line| line.differs) {
                self.put(&format!("  {letter} (nothing here)\n"), paint);
            }
        }
    }

    fn event(&mut self, lead: &str, line: &Line, paint: Paint) {
        let times = match line.times {
            1 => String::new(),
            times => format!(" ×{}", number(times)),
        };
        let text = words::clean(&line.text).into_owned();
        let indent = " ".repeat(lead.len() + 15);
        let lead = format!("{lead}{:>13}  ", at(line.at_ns));
        self.put(&lead, paint);
        self.wrapped("", &indent, &format!("{text}{times}"), paint);
    }

    fn list<T: AsRef<str>>(&mut self, name: &str, items: impl Iterator<Item = T>) {
        let items: Vec<T> = items.collect();
        if items.is_empty() {
            return;
        }
        self.heading(name);
        for item in items.iter().take(LISTED_MAX) {
            self.wrapped("  • ", "    ", item.as_ref(), Paint::new());
        }
        self.more(items.len(), LISTED_MAX);
        self.out.push('\n');
    }

    fn more(&mut self, all: usize, told: usize) {
        if all > told {
            self.put(&format!("    and {} more\n", all - told), FAINT);
        }
    }

    fn rates(&mut self, difference: &Difference) {
        let other = difference.rates.iter().filter(|rate| is_other(rate, difference));
        let rates: Vec<&Rate> = other.collect();
        if difference.identical.is_some() || rates.is_empty() {
            return;
        }
        self.heading("rates that differ");
        for rate_ in rates.iter().take(LISTED_MAX) {
            self.wrapped("  • ", "    ", &what(rate_), Paint::new());
            for (letter, paint, pace) in [("A", IN_A, &rate_.a), ("B", IN_B, &rate_.b)] {
                self.put(&format!("    {letter} "), paint);
                let text = format!("{}, {}{}", luck(pace, rate_.deed), rate(pace), spread(pace));
                self.wrapped("", "      ", &text, FAINT);
            }
        }
        self.more(rates.len(), LISTED_MAX);
        self.out.push('\n');
    }

    /// How agents and objects were matched.
    fn matched(&mut self, difference: &Difference) {
        let agents = matched("agent", &difference.agents);
        let objects = matched("object", &difference.objects);
        self.wrapped("", "  ", &format!("matched {agents}; {objects}"), FAINT);
        self.out.push('\n');
    }

    fn heading(&mut self, text: &str) {
        self.put(text, BOLD);
        self.out.push('\n');
    }

    /// `text`, broken where lines end; the first line behind `lead` and whatever stands there.
    fn wrapped(&mut self, lead: &str, next: &str, text: &str, paint: Paint) {
        self.put(lead, Paint::new());
        let before = self.out.rsplit('\n').next().map_or(0, visible);
        let text = words::clean(text);
        let mut room = self.width.saturating_sub(before);
        let mut line = String::new();
        for word in text.split(' ') {
            if !line.is_empty() && line.width() + 1 + word.width() > room {
                self.put(&line, paint);
                self.out.push('\n');
                self.out.push_str(next);
                room = self.width.saturating_sub(next.width());
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        self.put(&line, paint);
        self.out.push('\n');
    }

    fn put(&mut self, text: &str, paint: Paint) {
        if self.color && paint != Paint::new() && !text.is_empty() {
            self.out.push_str(&format!("{paint}{text}{paint:#}"));
        } else {
            self.out.push_str(text);
        }
    }
}

/// `21 agents: 19 by id, 2 by name; only in B: guest thread 40`.
pub(super) fn matched(name: &str, pairings: &[Pairing]) -> String {
    let all = [How::Given, How::Id, How::Name, How::Deeds, How::Order];
    let ways = all.into_iter().filter_map(|way| {
        let count = pairings.iter().filter(|pairing| pairing.how == Some(way)).count();
        (count > 0).then(|| format!("{count} {}", how(way)))
    });
    let ways = ways.collect::<Vec<_>>().join(", ");
    let found = pairings.iter().filter(|pairing| pairing.how.is_some()).count();
    let mut text = words::count(found, name);
    if !ways.is_empty() {
        text.push_str(&format!(": {ways}"));
    }
    let side = |pairing: &Pairing, a: bool| if a { pairing.a.clone() } else { pairing.b.clone() };
    for (letter, a) in [("A", true), ("B", false)] {
        let alone = pairings.iter().filter(|pairing| pairing.how.is_none());
        let alone: Vec<String> = alone.filter_map(|pairing| side(pairing, a)).collect();
        if let Some(first) = alone.first() {
            let more = match alone.len() {
                1 => String::new(),
                count => format!(" and {} more", count - 1),
            };
            text.push_str(&format!("; only in {letter}: {first}{more}"));
        }
    }
    text
}

/// Columns of a line that may have colours in it.
fn visible(line: &str) -> usize {
    let mut columns = 0;
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('\x1b') {
        columns += before.width();
        rest = after.split_once('m').map_or("", |(_, rest)| rest);
    }
    columns + rest.width()
}
