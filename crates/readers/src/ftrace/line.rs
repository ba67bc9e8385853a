//! What does one line of the tracer say: which task, where, when, and which event?

/// Longest name of a task that the kernel keeps, in bytes.
const NAME_BYTES_MAX: usize = 15;
/// Where in a line the task's id is looked for, in bytes: names are padded to 16, and ids to 7.
const ID_AT_MAX: usize = 96;

/// One event, as its line has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// The task that was running; `<...>` when the tracer had forgotten its name.
    pub(super) name: &'a str,
    /// The task's thread id; 0 is the idle task.
    pub(super) tid: u32,
    /// The id of its process, if the line has that column and the tracer knew.
    pub(super) process: Option<u32>,
    /// The processor.
    pub(super) cpu: u32,
    /// Whether the event comes from an interrupt, and so not from the task; false where the line does not say.
    pub(super) interrupt: bool,
    /// When, in nanoseconds.
    pub(super) at: u64,
    /// The event, with what follows it: `sched_switch: prev_comm=…`.
    pub(super) rest: &'a str,
}

impl<'a> Line<'a> {
    /// Takes a line apart; `None` if it is not an event.
    pub(super) fn parse(line: &'a str) -> Option<Self> {
        let mut first = None;
        let mut last = None;
        // A name may hold anything, a dash and a bracket too, so the last place that fits is the right one.
        for (at, _) in line.match_indices('-').take_while(|(at, _)| *at < ID_AT_MAX) {
            let Some(name) = line.get(..at) else { continue };
            let Some(parsed) = Self::after_name(name.trim_start(), &line[at + 1..]) else {
                continue;
            };
            first.get_or_insert(parsed);
            if parsed.name.len() <= NAME_BYTES_MAX {
                last = Some(parsed);
            }
        }
        last.or(first)
    }

    /// `4242 (4200) [001] d..2. 12.345678: event: arguments`, or trace-cmd's latency form,
    /// `4242    1d..2. 12.345678: …`.
    fn after_name(name: &'a str, text: &'a str) -> Option<Self> {
        let (tid, text) = number(text)?;
        let text = text.strip_prefix(' ')?.trim_start();
        let (process, text) = process(text);
        let (cpu, text) = match text.strip_prefix('[') {
            Some(text) => {
                let (cpu, text) = number(text)?;
                (cpu, text.strip_prefix(']')?.strip_prefix(' ')?.trim_start())
            }
            // The flags follow the processor's number without a space, and never begin with a digit.
            None => number(text)
                .filter(|(_, text)| !text.starts_with([' ', '.', ':']) || text.starts_with(".."))?,
        };
        let (flags, text) = match time(text) {
            Some(_) => ("", text),
            None => text.split_once(' ')?,
        };
        let (at, text) = time(text.trim_start())?;
        let interrupt = flags.as_bytes().get(2).is_some_and(|flag| b"hHsSzZ".contains(flag));
        Some(Self { name, tid, process, cpu, interrupt, at, rest: text.trim() })
    }
}

/// The column of the process, `(  4200)` or `(-----)`, if there is one.
fn process(text: &str) -> (Option<u32>, &str) {
    let column = text.strip_prefix('(').and_then(|text| text.split_once(')'));
    match column {
        Some((id, rest)) => (id.trim().parse().ok().filter(|id| *id != 0), rest.trim_start()),
        None => (None, text),
    }
}

/// Decimal digits at the beginning, and what follows them.
fn number(text: &str) -> Option<(u32, &str)> {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

/// `12.345678: ` in nanoseconds, and what follows it. Without a point it is the count of a clock, taken as it is.
fn time(text: &str) -> Option<(u64, &str)> {
    let (time, rest) = text.split_once(':')?;
    let time = time.trim_end();
    let Some((seconds, fraction)) = time.split_once('.') else {
        return Some((digits(time)?, rest));
    };
    let (seconds, digits_given) = (digits(seconds)?, u32::try_from(fraction.len()).ok()?);
    let scale = 10_u64.checked_pow(9_u32.checked_sub(digits_given)?)?;
    let nanoseconds = digits(fraction)?.checked_mul(scale)?;
    Some((seconds.checked_mul(1_000_000_000)?.checked_add(nanoseconds)?, rest))
}

fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::Line;

    fn says(line: &str) -> String {
        match Line::parse(line) {
            None => "not an event".to_owned(),
            Some(line) => format!(
                "{:?} {} {:?} cpu {} {} {} {:?}",
                line.name,
                line.tid,
                line.process,
                line.cpu,
                if line.interrupt { "interrupt" } else { "task" },
                line.at,
                line.rest
            ),
        }
    }

    #[test]
    fn every_form_of_a_line_is_taken_apart() {
        let lines = "  bash-7 [001] 12.345678: a: b
  bash-7 [001] d.h2. 12.345678: a: b
  bash-7     (     7) [001] ..... 12.345678: sys_futex -> 0x0
  bash-7     (-----) [001]  12.345678901:    a:      b
  two words [-1-70000 [001] .... 1.000002: a
  <...>-7     [001]     0.5: a:
  x-1 [000] 9-8 [007] .... 3.000001: a: z-9 [003] 4.0: b
  bash-7      1d.s2.  12.345678: a: b
  bash-7      12.345678: a: b
  bash-7 [001] d..2. 123456: a: b
-7 [001] 1.0: a
  bash-7 [001] 1.0000000001: a: b
  bash-7 [001] 99999999999999999999.0: a: b
  bash-99999999999 [001] 1.0: a: b
  bash-7 [001]1.0: a: b
 => schedule
";
        insta::assert_snapshot!(lines.lines().map(says).collect::<Vec<_>>().join("\n"), @r#"
        "bash" 7 None cpu 1 task 12345678000 "a: b"
        "bash" 7 None cpu 1 interrupt 12345678000 "a: b"
        "bash" 7 Some(7) cpu 1 task 12345678000 "sys_futex -> 0x0"
        "bash" 7 None cpu 1 task 12345678901 "a:      b"
        "two words [-1" 70000 None cpu 1 task 1000002000 "a"
        "<...>" 7 None cpu 1 task 500000000 "a:"
        "x-1 [000] 9" 8 None cpu 7 task 3000001000 "a: z-9 [003] 4.0: b"
        "bash" 7 None cpu 1 interrupt 12345678000 "a: b"
        not an event
        "bash" 7 None cpu 1 task 123456 "a: b"
        "" 7 None cpu 1 task 1000000000 "a"
        not an event
        not an event
        not an event
        not an event
        not an event
        "#);
    }
}
