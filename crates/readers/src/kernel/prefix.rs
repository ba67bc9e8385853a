//! When was a line of a kernel log printed, and by whom? Takes off what printk, dmesg, journald and consoles put before it.

/// Who printed a line, where the kernel says so: lines of several may be mixed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Caller {
    /// It does not say.
    #[default]
    Unknown,
    /// `[T123]`.
    Task(u32),
    /// `[C0]`.
    Processor(u32),
}

/// A line without its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'l> {
    /// Nanoseconds since boot, or of the calendar where the log has no other clock.
    pub(super) at: Option<u64>,
    pub(super) caller: Caller,
    /// What was printed, without blanks around it.
    pub(super) text: &'l str,
    /// Whether it had a prefix that only kernel logs have.
    pub(super) is_prefixed: bool,
}

/// How far into a line a time may stand: a console puts a shell's prompt before it.
const PREFIX_BYTES_MAX: usize = 160;
const NS_PER_SECOND: u64 = 1_000_000_000;
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl<'l> Line<'l> {
    /// Reads the prefix of a line, whatever it is.
    pub(super) fn of(line: &'l str) -> Self {
        let line = line.trim();
        if let Some((at, rest)) = seconds_in_brackets(line) {
            let (caller, text) = caller(rest);
            return Self { at: Some(at), caller, text: without_host(text), is_prefixed: true };
        }
        if let Some((at, rest)) = date_in_brackets(line) {
            return Self { at: Some(at), caller: Caller::Unknown, text: rest, is_prefixed: true };
        }
        if let Some((head, rest)) = journal(line) {
            let at = iso_date(head).or_else(|| syslog_date(head));
            return Self { at, caller: Caller::Unknown, text: rest, is_prefixed: true };
        }
        match level(line) {
            Some(text) => Self { at: None, caller: Caller::Unknown, text, is_prefixed: true },
            None => Self { at: None, caller: Caller::Unknown, text: line, is_prefixed: false },
        }
    }
}

/// `[  123.456789]`, the first in the line, and what follows it.
fn seconds_in_brackets(line: &str) -> Option<(u64, &str)> {
    let mut from = 0;
    while let Some(open) = line.get(from..)?.find('[').map(|place| from + place) {
        if open > PREFIX_BYTES_MAX {
            return None;
        }
        let rest = &line[open + 1..];
        let inside = rest.split_once(']');
        if let Some((at, after)) =
            inside.and_then(|(inside, after)| Some((seconds(inside)?, after)))
        {
            return Some((at, after));
        }
        from = open + 1;
    }
    None
}

/// `  123.456789` as nanoseconds.
fn seconds(text: &str) -> Option<u64> {
    let (whole, part) = text.trim_start().split_once('.')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !(3..=9).contains(&part.len()) || !digits(part) || whole.is_empty() || !digits(whole) {
        return None;
    }
    let scale = 10_u64.pow(9 - u32::try_from(part.len()).ok()?);
    let part = part.parse::<u64>().ok()?.checked_mul(scale)?;
    whole.parse::<u64>().ok()?.checked_mul(NS_PER_SECOND)?.checked_add(part)
}

/// `[T123]` or `[C0]`, with or without blanks, and what follows.
fn caller(rest: &str) -> (Caller, &str) {
    let text = rest.trim_start();
    let read = || {
        let (inside, after) = text.strip_prefix('[')?.split_once(']')?;
        let inside = inside.trim();
        let number = inside.get(1..)?.parse().ok()?;
        let caller = match inside.as_bytes().first()? {
            b'T' => Caller::Task(number),
            b'C' => Caller::Processor(number),
            _ => return None,
        };
        Some((caller, after.trim_start()))
    };
    read().unwrap_or((Caller::Unknown, text))
}

/// The text without `host kernel: `, which journald puts after a monotonic time.
fn without_host(text: &str) -> &str {
    match journal(text) {
        Some((head, rest)) if !head.contains(' ') => rest,
        _ => text,
    }
}

/// What stands before and after `kernel: `.
fn journal(line: &str) -> Option<(&str, &str)> {
    let (head, rest) = line.split_once(" kernel: ")?;
    let fits = head.len() <= 64 && !head.contains(": ");
    fits.then_some((head, level(rest).unwrap_or(rest).trim()))
}

/// The text after `<6>`.
fn level(line: &str) -> Option<&str> {
    let (number, rest) = line.strip_prefix('<')?.split_once('>')?;
    let fits = !number.is_empty() && number.len() <= 3;
    (fits && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(rest.trim())
}

/// `[Sat Nov 21 08:00:00 2026]`, as `dmesg -T` writes it.
fn date_in_brackets(line: &str) -> Option<(u64, &str)> {
    let (inside, rest) = line.strip_prefix('[')?.split_once(']')?;
    let mut words = inside.split_whitespace();
    let (_, month, day) = (words.next()?, month(words.next()?)?, words.next()?.parse().ok()?);
    let (time, year) = (clock(words.next()?)?, words.next()?.parse().ok()?);
    Some((moment(year, month, day, time)?, rest.trim()))
}

/// `Nov 21 08:00:00 host`: the year is not said, so a leap year is taken, which has every day.
fn syslog_date(head: &str) -> Option<u64> {
    let mut words = head.split_whitespace();
    let (month, day) = (month(words.next()?)?, words.next()?.parse().ok()?);
    moment(2000, month, day, clock(words.next()?)?)
}

/// `2026-11-21T08:00:00.123456+00:00 host`: the zone is the same in all lines and left out.
fn iso_date(head: &str) -> Option<u64> {
    let (date, time) = head.split_whitespace().next()?.split_once('T')?;
    let mut parts = date.splitn(3, '-');
    let year = parts.next()?.parse().ok()?;
    let (month, day) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let end = time.find(['+', '-', 'Z']).unwrap_or(time.len());
    moment(year, month, day, clock(&time[..end])?)
}

fn month(name: &str) -> Option<u64> {
    (1..).zip(MONTHS).find(|(_, month)| *month == name).map(|(number, _)| number)
}

/// `08:00:00` or `08:00:00.123456` as nanoseconds.
fn clock(text: &str) -> Option<u64> {
    let mut parts = text.splitn(3, ':');
    let hours = parts.next()?.parse::<u64>().ok().filter(|hours| *hours < 24)?;
    let minutes = parts.next()?.parse::<u64>().ok().filter(|minutes| *minutes < 60)?;
    let rest = parts.next()?;
    let (rest, part) = rest.split_once([',', '.']).unwrap_or((rest, "000"));
    let seconds = rest.parse::<u64>().ok().filter(|seconds| *seconds < 62)?;
    let part = self::seconds(&format!("0.{part}"))?;
    Some((hours * 3600 + minutes * 60 + seconds) * NS_PER_SECOND + part)
}

/// Nanoseconds since the year 0, near enough for differences: days as in the Gregorian calendar.
fn moment(year: u64, month: u64, day: u64, time: u64) -> Option<u64> {
    if !(1970..2400).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Days before a month of a year that begins in March (Howard Hinnant's days_from_civil), since 1970.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leaps = year / 4 - year / 100 + year / 400;
    let days = (year * 365 + leaps + (153 * month + 2) / 5 + day).checked_sub(719_469)?;
    Some(days * 86_400 * NS_PER_SECOND + time)
}
