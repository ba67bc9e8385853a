//! How does a user write a duration, and how is one written for a user?

/// A text that is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a duration: {why}")]
pub(crate) struct DurationError {
    text: String,
    why: String,
}

/// What to write instead.
pub(crate) const HINT: &str = "write 500ms, 5s, 2m or 1m30s; a plain number means seconds";

/// Longest duration that is accepted: a week.
const NS_MAX: u64 = 7 * 24 * 3600 * 1_000_000_000;

/// Nanoseconds in `500ms`, `5s`, `2m`, `1m30s`, `1.5s`, or a plain number of seconds.
///
/// # Errors
/// When the text is anything else, is zero, or is longer than a week.
pub(crate) fn parse(text: &str) -> Result<u64, DurationError> {
    let error = |why: String| DurationError { text: text.to_owned(), why };
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(error("it is empty".to_owned()));
    }
    let mut total: f64 = 0.0;
    let mut parts = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let number: f64 = match number.parse() {
            Ok(number) => number,
            Err(_) if number.is_empty() => {
                return Err(error(format!("a number is missing before {:?}", rest.trim())));
            }
            Err(_) => return Err(error(format!("{number:?} is not a number"))),
        };
        let scale = match unit.trim() {
            "" if parts == 0 && tail.is_empty() => 1e9,
            "" => return Err(error("a part has no unit".to_owned())),
            unit => unit_ns(unit).ok_or_else(|| error(format!("{unit:?} is not a unit")))?,
        };
        total += number * scale;
        parts += 1;
        rest = tail;
    }
    if total > NS_MAX as f64 {
        return Err(error("it is longer than a week".to_owned()));
    }
    if total < 1.0 {
        return Err(error("it is zero".to_owned()));
    }
    Ok(total.round() as u64)
}

fn unit_ns(unit: &str) -> Option<f64> {
    Some(match unit {
        "ns" => 1.0,
        "us" | "µs" => 1e3,
        "ms" => 1e6,
        "s" | "sec" | "secs" => 1e9,
        "m" | "min" | "mins" => 60e9,
        "h" => 3600e9,
        _ => return None,
    })
}

/// A duration as a sentence has it: `250 ms`, `12.3 s`, `2 min 5 s`.
pub(crate) fn human(ns: u64) -> String {
    let seconds = ns as f64 / 1e9;
    match ns {
        ..1_000_000_000 => format!("{} ms", ns / 1_000_000),
        1_000_000_000..120_000_000_000 => format!("{seconds:.1} s"),
        _ => {
            let whole = ns / 1_000_000_000;
            match whole % 60 {
                0 => format!("{} min", whole / 60),
                left => format!("{} min {left} s", whole / 60),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<u64, &str>) {
        let found = parse(text).map_err(|error| error.to_string());
        assert_eq!(found, expected.map_err(str::to_owned), "{text:?}");
    }

    #[test]
    fn durations_are_read() {
        check("500ms", Ok(500_000_000));
        check("5s", Ok(5_000_000_000));
        check("5", Ok(5_000_000_000));
        check("0.25", Ok(250_000_000));
        check("1.5s", Ok(1_500_000_000));
        check("2m", Ok(120_000_000_000));
        check("1m30s", Ok(90_000_000_000));
        check(" 2 s ", Ok(2_000_000_000));
    }

    #[test]
    fn other_texts_say_what_is_wrong() {
        check("", Err("\"\" is not a duration: it is empty"));
        check("abc", Err("\"abc\" is not a duration: a number is missing before \"abc\""));
        check("-5s", Err("\"-5s\" is not a duration: a number is missing before \"-5s\""));
        check("5x", Err("\"5x\" is not a duration: \"x\" is not a unit"));
        check("1.2.3s", Err("\"1.2.3s\" is not a duration: \"1.2.3\" is not a number"));
        check("1m30", Err("\"1m30\" is not a duration: a part has no unit"));
        check("0", Err("\"0\" is not a duration: it is zero"));
        check("900h", Err("\"900h\" is not a duration: it is longer than a week"));
    }

    #[test]
    fn durations_are_written() {
        let written =
            [250_000_000, 12_340_000_000, 60_000_000_000, 125_000_000_000, 300_000_000_000];
        let written = written.map(human);
        assert_eq!(written, ["250 ms", "12.3 s", "60.0 s", "2 min 5 s", "5 min"]);
    }
}
