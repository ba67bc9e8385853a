//! How are agents, objects, rows and steps of a side said?

use unwedge_trace::row::{
    AgentEntry, Batch, Key, NONE, ObjectEntry, Op, Row, mark_from_code, outcome_from_code,
    state_from_code,
};
use unwedge_trace::{AgentKind, AgentState, MarkKind, NEXT, ObjectKind, Outcome};

use super::fingerprint::Named;
use super::side::Side;
use super::step::Step;
use crate::words::{agent_kind, object_kind, printable};

/// `guest thread 7 "dispatcher"`, `queue "graphics"`.
pub(super) fn agent(entry: &AgentEntry) -> String {
    let name = printable(&entry.name);
    let kind = match entry.kind {
        AgentKind::Outside if !name.is_empty() => return name,
        AgentKind::Outside if !entry.introduced => "agent",
        kind => agent_kind(kind),
    };
    let mut text = kind.to_owned();
    match (entry.tid, name.is_empty()) {
        (0, true) => text.push_str(&key(&entry.key)),
        (0, false) => {}
        (tid, _) => text.push_str(&format!(" {tid}")),
    }
    if !name.is_empty() {
        text.push_str(&format!(" \"{name}\""));
    }
    text
}

/// `event 0xbe8cbb5c "vsync"`.
pub(super) fn object(entry: &ObjectEntry) -> String {
    let mut text = object_kind(entry.kind).to_owned();
    if entry.handle == 0 {
        text.push_str(&key(&entry.key));
    } else {
        text.push_str(&format!(" {:#x}", entry.handle));
    }
    if !entry.label.is_empty() {
        text.push_str(&format!(" \"{}\"", printable(&entry.label)));
    }
    text
}

fn key(key: &Key) -> String {
    match key {
        Key::Number(number) => format!(" #{number}"),
        Key::Text(text) => format!(" {}", printable(text)),
    }
}

impl Side {
    pub(super) fn say_agent(&self, number: u32) -> String {
        self.things.agents.get(number as usize).map_or_else(|| "nobody".to_owned(), agent)
    }

    pub(super) fn say_object(&self, number: u32) -> String {
        self.things.objects.get(number as usize).map_or_else(|| "nothing".to_owned(), object)
    }

    /// What a row tells, without by whom.
    pub(super) fn say_row(&self, row: &Row, batch: &Batch, named: &Named) -> String {
        let text = printable(batch.name(row.name));
        let point = |object: u32, value: u64| {
            let object = self.say_object(object);
            if value == NEXT { object } else { format!("{object}, point {value}") }
        };
        match row.op {
            Op::WaitEnded => match outcome_from_code(row.code) {
                Outcome::Reached => "its wait is met".to_owned(),
                Outcome::TimedOut => "its wait times out".to_owned(),
                Outcome::Failed => "its wait fails".to_owned(),
            },
            Op::WaitBegan => {
                let bound = match row.code & 3 {
                    1 => format!(", at most {}", crate::words::duration(row.amount)),
                    2 => format!(", polled {} times", row.amount),
                    _ => String::new(),
                };
                let call = if text.is_empty() { String::new() } else { format!(" in {text}") };
                match named.object {
                    NONE => format!("waits{call}{bound}"),
                    object => format!("waits{call} for {}{bound}", point(object, row.value)),
                }
            }
            Op::MorePoint => format!("and for {}", point(named.object, row.value)),
            Op::Owed => {
                let after = match named.object2 {
                    NONE => String::new(),
                    object => format!(" after {}", point(object, row.value2)),
                };
                let via = match named.agent2 {
                    NONE => String::new(),
                    agent => format!(", for {}", self.say_agent(agent)),
                };
                format!(
                    "{} {}{after}{via}",
                    self.owes(named.object),
                    point(named.object, row.value)
                )
            }
            Op::Signalled => {
                format!("{} {}", self.signals(named.object), point(named.object, row.value))
            }
            Op::State => {
                let detail = if text.is_empty() { text } else { format!(" ({text})") };
                format!("is {}{detail}", state(row.code))
            }
            Op::Lost => format!("{} events were lost", row.amount),
            Op::Coverage => format!("coverage: {} of {}", row.value, row.amount),
            Op::Reset | Op::Aliased | Op::Progress | Op::Mark | Op::MoreObject => {
                self.say(row.op, row.code, named.object, named.object2, &text)
            }
        }
    }

    /// What a step is, without by whom.
    pub(super) fn say_step(&self, step: &Step) -> String {
        let text = printable(self.sketch.steps.text(step.text));
        match step.op {
            Op::WaitBegan => {
                let call = if text.is_empty() { String::new() } else { format!(" in {text}") };
                format!("waits{call} for {}", self.say_object(step.object))
            }
            Op::WaitEnded => format!("its wait for {} fails", self.say_object(step.object)),
            Op::MorePoint => format!("and for {}", self.say_object(step.object)),
            Op::Owed => format!("{} {}", self.owes(step.object), self.say_object(step.object)),
            Op::Signalled => {
                format!("{} {}", self.signals(step.object), self.say_object(step.object))
            }
            Op::State => format!("is {}", state(step.code)),
            op => self.say(op, step.code, step.object, step.object2, &text),
        }
    }

    /// A mutex is taken and released.
    fn owes(&self, object: u32) -> &'static str {
        if self.is_mutex(object) { "takes" } else { "owes" }
    }

    fn signals(&self, object: u32) -> &'static str {
        if self.is_mutex(object) { "releases" } else { "signals" }
    }

    fn is_mutex(&self, object: u32) -> bool {
        let entry = self.things.objects.get(object as usize);
        entry.is_some_and(|entry| entry.kind == ObjectKind::Mutex)
    }

    fn say(&self, op: Op, code: u8, object: u32, object2: u32, text: &str) -> String {
        let about = |object| match object {
            NONE => String::new(),
            object => format!(" ({})", self.say_object(object)),
        };
        match op {
            Op::Reset => format!("resets {}", self.say_object(object)),
            Op::Aliased => {
                format!("{} is {}", self.say_object(object), self.say_object(object2))
            }
            Op::Progress => format!("progress: {text}"),
            Op::MoreObject => format!("and about {}", self.say_object(object)),
            _ => match mark_from_code(code) {
                MarkKind::Log => format!("{text}{}", about(object)),
                MarkKind::FailedCall => format!("failed: {text}{}", about(object)),
                MarkKind::Injected => format!("injected: {text}{}", about(object)),
                MarkKind::Unobserved => format!("unobserved: {text}{}", about(object)),
                MarkKind::Warning => format!("warning: {text}{}", about(object)),
            },
        }
    }
}

fn state(code: u8) -> &'static str {
    match state_from_code(code) {
        AgentState::Running => "running",
        AgentState::Ready => "ready",
        AgentState::Blocked => "blocked",
        AgentState::Exited => "gone",
        AgentState::Unknown => "in an unknown state",
    }
}

/// A time between two things: `16.61 ms`, `412 µs`, `1.20 s`.
pub(super) fn gap(ns: u64) -> String {
    let with = |unit: u64, name: &str| {
        let (whole, rest) = (ns / unit, ns % unit);
        match whole {
            100.. => format!("{whole} {name}"),
            10.. => format!("{whole}.{:02} {name}", rest * 100 / unit),
            _ => format!("{whole}.{:03} {name}", rest * 1000 / unit),
        }
    };
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => with(1_000, "µs"),
        1_000_000..1_000_000_000 => with(1_000_000, "ms"),
        _ => with(1_000_000_000, "s"),
    }
}

/// `, 60.2 Hz, vsync-like` or `, every 30.03 ms`; nothing where gaps have no rhythm.
pub(super) fn rhythm(gaps: &crate::histogram::Histogram) -> String {
    let Some(shape) = crate::summary::rhythm(gaps) else { return String::new() };
    let median = gap(gaps.median().unwrap_or(0));
    match shape.strip_suffix(", vsync-like") {
        Some(_) => format!(", every {median} ({shape})"),
        None => format!(", every {median}"),
    }
}

/// `6,549,579`.
pub fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `once`, `3,000 times`.
pub(super) fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{} times", number(count)) }
}

/// `1 event`, `3,000 events`.
pub(super) fn count(count: u64, one: &str) -> String {
    format!("{} {one}{}", number(count), if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_gaps_read_well() {
        assert_eq!(number(65_691_821), "65,691,821");
        assert_eq!(
            (number(0), number(999), number(1_000)),
            ("0".into(), "999".into(), "1,000".into())
        );
        let gaps = [16_610_000, 999, 412_000, 1_204_000_000, 5_025].map(gap);
        assert_eq!(gaps, ["16.61 ms", "999 ns", "412 µs", "1.204 s", "5.025 µs"]);
    }
}
