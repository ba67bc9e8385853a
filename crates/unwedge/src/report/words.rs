//! Which words does a report use? Kinds, durations, agents and objects, the same in text and page.

use std::borrow::Cow;

use unwedge_analyze::Verdict;
use unwedge_analyze::report::{AgentSummary, ObjectSummary, Waiter};
use unwedge_trace::{AgentKind, ObjectKind};

/// The verdict as the word that a finding's heading begins with.
pub(super) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Progressing => "progressing",
        Verdict::Wedged => "wedged",
        Verdict::Inconclusive => "inconclusive",
    }
}

/// What is said of an agent outside the fixpoint; while there is doubt, it is not accused.
pub(super) fn stuck(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Inconclusive => "seems stuck",
        Verdict::Progressing | Verdict::Wedged => "cannot proceed",
    }
}

/// An agent's kind in words.
pub(super) fn agent_kind(kind: AgentKind) -> &'static str {
    match kind {
        AgentKind::HostThread => "host thread",
        AgentKind::GpuQueue => "GPU queue",
        AgentKind::PresentationEngine => "presentation engine",
        AgentKind::GuestThread => "guest thread",
        AgentKind::KernelThread => "kernel thread",
        AgentKind::Task => "task",
        AgentKind::Interrupt => "interrupt",
        AgentKind::RingHost => "ring host",
        AgentKind::Outside => "outside",
    }
}

/// An object's kind in words: as the sentences say it, but without a sentence around it a binary
/// semaphore is called one.
pub(super) fn object_kind(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::BinarySemaphore => "binary semaphore",
        kind => unwedge_analyze::object_kind(kind),
    }
}

/// `fence 0x5e40 "frame 1"`, with the value where it says something.
pub(super) fn object(object: &ObjectSummary) -> String {
    let mut text = format!("{} {}", object_kind(object.kind), object.handle);
    if let Some(label) = object.label.as_deref().filter(|label| !label.is_empty()) {
        text.push_str(&format!(" \"{label}\""));
    }
    if let Some(value) = object.value {
        text.push_str(&format!(", value {value}"));
    }
    text
}

/// `thread 4312 "render" of process 4300`; a waiter that is no thread goes by its name alone.
pub(super) fn waiter(waiter: &Waiter) -> String {
    let mut text = match (waiter.tid, waiter.name.as_str()) {
        (0, "") => format!("agent {}", waiter.agent),
        (0, name) => name.to_owned(),
        (tid, "") => format!("thread {tid}"),
        // Some sources name a thread as a report would.
        (_, name) if name.starts_with("thread ") => name.to_owned(),
        (tid, name) => format!("thread {tid} \"{name}\""),
    };
    if waiter.pid != 0 && waiter.pid != waiter.tid {
        text.push_str(&format!(" of process {}", waiter.pid));
    }
    text
}

/// ` in vkWaitForFences for 8.2 s`, ready to be put behind a waiter.
pub(super) fn waits(waiter: &Waiter) -> String {
    let since = duration(waiter.since_ms);
    if waiter.call.is_empty() {
        format!("for {since}")
    } else {
        format!("in {} for {since}", waiter.call)
    }
}

/// An agent's name, or what it is when it has none.
pub(super) fn agent(agent: &AgentSummary) -> String {
    match (agent.name.as_str(), agent.tid) {
        ("", 0) => format!("{} #{}", agent_kind(agent.kind), agent.agent),
        ("", tid) => format!("thread {tid}"),
        (name, _) => name.to_owned(),
    }
}

/// Milliseconds as the findings' sentences say them: `412 ms`, `8.20 s`, `3 min 12 s`, `2 h 5 min`.
pub(crate) fn duration(ms: f64) -> String {
    if !ms.is_finite() || ms < 0.0 {
        return "an unknown time".to_owned();
    }
    // Down to the nanosecond first: 8.2 s must not become 8.19 s.
    let ns = (ms * 1e6).round() as u64;
    let (whole_ms, seconds) = (ns / 1_000_000, ns / 1_000_000_000);
    match whole_ms {
        0 => format!("{} µs", ns / 1_000),
        1..1_000 => format!("{whole_ms} ms"),
        1_000..60_000 => format!("{seconds}.{:02} s", whole_ms % 1_000 / 10),
        60_000..3_600_000 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
    }
}

/// `1 finding`, `3 findings`.
pub(super) fn count(number: usize, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}

/// `text` without what could move a cursor, change a colour or turn the direction of writing:
/// line breaks become spaces, control characters their pictures.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|letter| tame(letter) != letter) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(tame).collect())
}

/// `letter`, or the harmless one that stands for it.
pub(super) fn tame(letter: char) -> char {
    match letter {
        '\n' | '\t' | '\r' => ' ',
        // U+2400 and up are the pictures of U+0000 and up.
        '\0'..='\x1f' => char::from_u32(0x2400 + letter as u32).unwrap_or('\u{fffd}'),
        '\x7f' => '\u{2421}',
        '\u{80}'..='\u{9f}' | '\u{2028}' | '\u{2029}' => '\u{fffd}',
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        _ => letter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_a_person_says_them() {
        let ms = [0.42, 12.9, 999.9, 8_200.0, 59_999.0, 192_000.0, 7_512_000.0, f64::NAN];
        let expected = [
            "420 µs",
            "12 ms",
            "999 ms",
            "8.20 s",
            "59.99 s",
            "3 min 12 s",
            "2 h 5 min",
            "an unknown time",
        ];
        let said = ms.map(duration);
        assert_eq!(said, expected);
    }

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        assert_eq!(clean("\x1b[2Jrender\n\u{202e}x"), "\u{241b}[2Jrender \u{fffd}x");
        assert!(matches!(clean("render — ü"), Cow::Borrowed(_)));
    }
}
