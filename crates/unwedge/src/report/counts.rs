//! How are counts, shares and rhythms said? The same in text and page.

use unwedge_analyze::Verdict;
use unwedge_analyze::report::{Coverage, Rate, Share, Statistics, WedgeEntry};
use unwedge_trace::ObjectKind;

use super::words;

/// Shares below this dominate nothing.
const SHARE_MIN: f64 = 0.005;

/// `12,345,678`.
pub(crate) fn grouped(count: u64) -> String {
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

/// `1 wait`, `12,345 waits`.
pub(crate) fn many(count: u64, one: &str) -> String {
    format!("{} {one}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// `once`, `12,345 times`.
pub(super) fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{} times", grouped(count)) }
}

/// `part` of `all`, from 0 to 1.
pub(super) fn share(part: f64, all: f64) -> f64 {
    let share = part / all;
    if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) }
}

/// `99.7 %`. Only what is all is called 100 %, and only nothing 0 %.
pub(super) fn percent(share: f64) -> String {
    let rounded = (share * 1000.0).round() / 10.0;
    match rounded {
        _ if share.is_nan() => "unknown".to_owned(),
        _ if share > 0.0 && rounded < 0.1 => "<0.1 %".to_owned(),
        _ if share < 1.0 && rounded > 99.9 => "99.9 %".to_owned(),
        _ => format!("{rounded:.1} %"),
    }
}

/// Milliseconds in three digits: `16.6 ms`, `30 ms`, `41 µs`. A minute and more as everywhere.
pub(super) fn precise(ms: f64) -> String {
    if !(0.0..60_000.0).contains(&ms) {
        return words::duration(ms);
    }
    let units = [("s", 1e3), ("ms", 1.0), ("µs", 1e-3)];
    let (unit, size) = units.into_iter().find(|(_, size)| ms >= *size).unwrap_or(("ns", 1e-6));
    let number = ms / size;
    let digits = match number {
        0.0..9.995 => 2,
        9.995..99.95 => 1,
        _ => 0,
    };
    let text = format!("{number:.digits$}");
    let text = if digits > 0 { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text} {unit}")
}

/// Fewer events than these are dominated by nobody.
const EVENTS_MIN: u64 = 1000;

/// The agents with a share worth a bar, at most so many.
pub(super) fn dominant(statistics: &Statistics, most: usize) -> Vec<&Share> {
    // Of a handful of events shares say nothing.
    let most = if statistics.events < EVENTS_MIN { 0 } else { most };
    statistics.dominance.iter().take(most).take_while(|one| one.share >= SHARE_MIN).collect()
}

/// `18 waits open, 1 cannot proceed`; while there is doubt, nobody is accused.
pub(super) fn open_waits(statistics: &Statistics, verdict: Verdict) -> String {
    let map = &statistics.wedge_map;
    let open = (map.len() as u64).saturating_add(statistics.wedge_map_more);
    let stuck = map.iter().filter(|entry| entry.wedged).count();
    // The list is cut, and those who are stuck come first in it.
    let least = if stuck == map.len() && statistics.wedge_map_more > 0 { "at least " } else { "" };
    let stuck = match (stuck, verdict) {
        (0, _) => "none seen to be stuck".to_owned(),
        (1, _) => format!("{least}1 {}", words::stuck(verdict)),
        (stuck, Verdict::Inconclusive) => format!("{least}{stuck} seem stuck"),
        (stuck, _) => format!("{least}{stuck} cannot proceed"),
    };
    format!("{} open, {stuck}", many(open, "wait"))
}

/// `idle: woken 12 times before`; of one who cannot proceed it is not said that it is idle.
pub(super) fn woken(entry: &WedgeEntry) -> Option<String> {
    let idle = if entry.wedged { "" } else { "idle: " };
    entry.woken.map(|woken| format!("{idle}woken {} before", times(woken.times)))
}

/// `waits for event 0x7`, `signals event 0x7`, `progress: frame`.
pub(super) fn deed(rate: &Rate) -> String {
    match (rate.what, rate.object.as_str()) {
        (what, "") => what.to_owned(),
        ("waits", object) => format!("waits for {object}"),
        ("progress", text) => format!("progress: {text}"),
        (what, object) => format!("{what} {object}"),
    }
}

/// The part of a kind's successful waits that has a signal on record, from 0 to 1.
pub(super) fn covered(one: &Coverage) -> f64 {
    if one.reached == 0 { 1.0 } else { share(one.explained as f64, one.reached as f64) }
}

/// A kind of object. Two are called events in a sentence; side by side they must be told apart.
pub(super) fn covered_kind(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::AutoResetEvent => "auto-reset event",
        kind => words::object_kind(kind),
    }
}

/// What follows from how much of a kind the source sees; nothing if it is enough.
pub(super) fn covered_in_words(one: &Coverage) -> &'static str {
    match (one.poor, covered(one) < 0.99) {
        (true, _) => "not observed: a missing signal proves nothing",
        (false, true) => "too few waits to tell",
        (false, false) => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped() {
        let counts = [0, 7, 999, 1_000, 65_691_821, u64::MAX].map(grouped);
        let expected = ["0", "7", "999", "1,000", "65,691,821", "18,446,744,073,709,551,615"];
        assert_eq!(counts, expected);
        assert_eq!([1, 2_000].map(|count| many(count, "wait")), ["1 wait", "2,000 waits"]);
        assert_eq!([1, 2_000].map(times), ["once", "2,000 times"]);
    }

    #[test]
    fn only_all_is_everything_and_only_nothing_is_none() {
        let shares = [0.0, 1e-9, 0.0649, 0.99702, 0.999_999, 1.0, f64::NAN].map(percent);
        assert_eq!(shares, ["0.0 %", "<0.1 %", "6.5 %", "99.7 %", "99.9 %", "100.0 %", "unknown"]);
        assert_eq!([share(1.0, 0.0), share(0.0, 0.0), share(f64::NAN, 1.0)], [1.0, 0.0, 0.0]);
    }

    #[test]
    fn short_times_keep_three_digits() {
        let ms = [0.0, 1e-6, 0.041, 0.999, 1.0, 16.61, 30.0, 412.4, 5_012.0, 60_000.0, -1.0];
        let expected = [
            "0 ns",
            "1 ns",
            "41 µs",
            "999 µs",
            "1 ms",
            "16.6 ms",
            "30 ms",
            "412 ms",
            "5.01 s",
            "1 min 0 s",
            "an unknown time",
        ];
        assert_eq!(ms.map(precise), expected);
    }
}
