//! Which time, bound, key or number does a value of a foreign trace mean?

use super::json::Value;
use crate::template::KeyRef;

/// Digits that count, before a number is said to be out of range.
const DIGITS_MAX: u32 = 30;

/// What the numbers of a time are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Powers of ten in a nanosecond: 0, 3, 6 or 9.
    Decimal(i32),
    /// So many make a second.
    TicksPerSecond(u64),
}

/// Why a value is no number of nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoTime {
    Missing,
    NotANumber,
    Negative,
    OutOfRange,
}

impl NoTime {
    /// For a complaint: "is ...".
    pub(super) fn words(self) -> &'static str {
        match self {
            NoTime::Missing => "missing",
            NoTime::NotANumber => "not a number",
            NoTime::Negative => "negative",
            NoTime::OutOfRange => "out of range",
        }
    }
}

/// The nanoseconds of a value; parts of one are cut off.
#[inline]
pub(super) fn nanoseconds(value: Value<'_>, unit: Unit) -> Result<u64, NoTime> {
    match (value, unit) {
        (Value::Whole(number, _), Unit::Decimal(0)) => Ok(number),
        (Value::Whole(number, _), unit) => whole_nanoseconds(number, unit),
        (Value::Number(text), unit) => decimal_nanoseconds(text, unit),
        (Value::Text(..), unit) => {
            let text = value.text().ok_or(NoTime::NotANumber)?;
            decimal_nanoseconds(text.as_bytes(), unit)
        }
        (Value::Missing, _) => Err(NoTime::Missing),
        (Value::Word(_) | Value::List(_) | Value::Map, _) => Err(NoTime::NotANumber),
    }
}

/// The same of a whole number.
#[inline]
pub(super) fn whole_nanoseconds(number: u64, unit: Unit) -> Result<u64, NoTime> {
    match unit {
        Unit::Decimal(power) => {
            let factor = 10_u64.pow(power.unsigned_abs());
            number.checked_mul(factor).ok_or(NoTime::OutOfRange)
        }
        Unit::TicksPerSecond(rate) => {
            let ns = u128::from(number) * 1_000_000_000 / u128::from(rate.max(1));
            u64::try_from(ns).map_err(|_| NoTime::OutOfRange)
        }
    }
}

fn decimal_nanoseconds(text: &[u8], unit: Unit) -> Result<u64, NoTime> {
    let (digits, power, negative) = decimal(text)?;
    if digits == 0 {
        return Ok(0);
    }
    if negative {
        return Err(NoTime::Negative);
    }
    let (power, divisor) = match unit {
        Unit::Decimal(more) => (power.saturating_add(more), 1),
        Unit::TicksPerSecond(rate) => (power.saturating_add(9), u128::from(rate.max(1))),
    };
    let ten = 10_u128.checked_pow(power.unsigned_abs());
    let ns = match ten {
        Some(ten) if power >= 0 => digits.checked_mul(ten).ok_or(NoTime::OutOfRange)? / divisor,
        Some(ten) => digits / ten / divisor,
        None if power >= 0 => return Err(NoTime::OutOfRange),
        None => 0,
    };
    u64::try_from(ns).map_err(|_| NoTime::OutOfRange)
}

/// Digits, the power of ten that they are multiplied with, and whether it is negative.
fn decimal(text: &[u8]) -> Result<(u128, i32, bool), NoTime> {
    let negative = text.first() == Some(&b'-');
    let mut rest = &text[usize::from(negative)..];
    let (mut digits, mut power, mut count, mut any) = (0_u128, 0_i32, 0, false);
    let mut behind_point = false;
    while let Some((byte, more)) = rest.split_first() {
        match byte {
            b'0'..=b'9' => {
                any = true;
                if count < DIGITS_MAX {
                    digits = digits * 10 + u128::from(byte - b'0');
                    count += u32::from(digits > 0);
                    power -= i32::from(behind_point);
                } else {
                    power = power.saturating_add(i32::from(!behind_point));
                }
            }
            b'.' if !behind_point && any => behind_point = true,
            b'e' | b'E' if any => {
                let exponent = std::str::from_utf8(more).ok().ok_or(NoTime::NotANumber)?;
                let plain = exponent.trim_start_matches(['+', '-']);
                let is_number = !plain.is_empty() && plain.bytes().all(|b| b.is_ascii_digit());
                if !is_number || exponent.len() > plain.len() + 1 {
                    return Err(NoTime::NotANumber);
                }
                let far = if exponent.starts_with('-') { -100_000 } else { 100_000 };
                power = power.saturating_add(exponent.parse().unwrap_or(far));
                break;
            }
            _ => return Err(NoTime::NotANumber),
        }
        rest = more;
    }
    if any { Ok((digits, power, negative)) } else { Err(NoTime::NotANumber) }
}

/// The key of an agent or object: a number, or digits or hexadecimal digits in quotes, or any other text; none if there
/// is nothing, or only an empty text.
///
/// # Errors
/// For a fraction, a truth value, a list or a map.
#[inline]
pub(super) fn with_key<R>(
    value: Value<'_>,
    then: impl FnOnce(Option<KeyRef<'_>>) -> R,
) -> Result<R, &'static str> {
    match value {
        Value::Missing | Value::Text(b"", _) => Ok(then(None)),
        Value::Whole(number, _) => Ok(then(Some(KeyRef::Number(number)))),
        Value::Number(text) => {
            let text = std::str::from_utf8(text).unwrap_or_default();
            if let Ok(number) = text.parse() {
                return Ok(then(Some(KeyRef::Number(number))));
            }
            if text.bytes().any(|byte| b".eE".contains(&byte)) {
                return Err("a number with a fraction or an exponent");
            }
            Ok(then(Some(KeyRef::Text(text))))
        }
        Value::Text(text, false) => {
            if let Some(number) = number_of(text) {
                return Ok(then(Some(KeyRef::Number(number))));
            }
            let text = std::str::from_utf8(text).unwrap_or_default();
            Ok(then(Some(KeyRef::Text(text))))
        }
        Value::Text(_, true) => {
            let text = value.text().unwrap_or_default();
            let number = number_of(text.as_bytes()).map(KeyRef::Number);
            Ok(then(Some(number.unwrap_or(KeyRef::Text(&text)))))
        }
        Value::Word(_) => Err("true or false"),
        Value::List(_) => Err("a list"),
        Value::Map => Err("a map"),
    }
}

/// `0x` and hexadecimal digits, or decimal digits without a zero before them, of a number of 64 bits.
#[inline]
fn number_of(text: &[u8]) -> Option<u64> {
    if let [b'0', b'x' | b'X', digits @ ..] = text {
        if digits.is_empty() || digits.len() > 16 {
            return None;
        }
        let mut number = 0;
        for byte in digits {
            number = number << 4 | u64::from(hex_digit(*byte)?);
        }
        return Some(number);
    }
    let plain = text.iter().all(u8::is_ascii_digit) && !text.is_empty();
    if !plain || (text.len() > 1 && text[0] == b'0') {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[inline]
fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// A whole number, in digits or in quotes.
pub(super) fn whole(value: Value<'_>) -> Option<u64> {
    match value {
        Value::Whole(number, _) => Some(number),
        Value::Number(_) => value.text()?.parse().ok(),
        Value::Text(..) => number_of(value.text()?.as_bytes()),
        _ => None,
    }
}

/// A whole number that may be negative.
pub(super) fn signed(value: Value<'_>) -> Option<i32> {
    match value {
        Value::Whole(number, _) => i32::try_from(number).ok(),
        Value::Number(_) | Value::Text(..) => value.text()?.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{NoTime, Unit, Value, nanoseconds, with_key};
    use crate::template::KeyRef;

    #[test]
    fn times_are_exact_whatever_they_are_written_as() {
        let seconds = Unit::Decimal(9);
        let ticks = Unit::TicksPerSecond(49_875_000);
        for (text, unit, expected) in [
            ("12", Unit::Decimal(0), Ok(12)),
            ("12.9", Unit::Decimal(0), Ok(12)),
            ("12.3456", Unit::Decimal(3), Ok(12_345)),
            ("1737000012.345678901", seconds, Ok(1_737_000_012_345_678_901)),
            ("1.737000012345678901e9", seconds, Ok(1_737_000_012_345_678_901)),
            ("5e-1", seconds, Ok(500_000_000)),
            ("0.0000000001", seconds, Ok(0)),
            ("49875000", ticks, Ok(1_000_000_000)),
            ("49875000.5", ticks, Ok(1_000_000_010)),
            ("-0.0", seconds, Ok(0)),
            ("-1", seconds, Err(NoTime::Negative)),
            ("1e400", seconds, Err(NoTime::OutOfRange)),
            ("1e-400", seconds, Ok(0)),
            ("18446744073.709551615", seconds, Ok(u64::MAX)),
            ("18446744073.709551616", seconds, Err(NoTime::OutOfRange)),
            ("18446744073709551615", Unit::Decimal(0), Ok(u64::MAX)),
            ("99999999999999999999999999999999999999999", seconds, Err(NoTime::OutOfRange)),
        ] {
            let number = nanoseconds(Value::of_number(text.as_bytes()), unit);
            assert_eq!(number, expected, "{text}");
            assert_eq!(nanoseconds(Value::Text(text.as_bytes(), false), unit), expected, "{text}");
        }
        for text in ["NaN", "", "1:2", "1.2.3", "0x10", "e5", "1e", "1e+-5", " 1", "-", "."] {
            let found = nanoseconds(Value::Text(text.as_bytes(), false), seconds);
            assert_eq!(found, Err(NoTime::NotANumber), "{text}");
        }
    }

    #[test]
    fn keys_are_numbers_where_they_can_be() {
        let key = |value| {
            with_key(value, |key| match key {
                Some(KeyRef::Number(number)) => number.to_string(),
                Some(KeyRef::Text(text)) => format!("{text:?}"),
                None => "none".to_owned(),
            })
        };
        for (text, expected) in [
            ("0x1F", "31"),
            ("0Xff", "255"),
            ("0x", "\"0x\""),
            ("0x10000000000000000", "\"0x10000000000000000\""),
            ("12", "12"),
            ("012", "\"012\""),
            ("18446744073709551616", "\"18446744073709551616\""),
            ("main", "\"main\""),
            ("", "none"),
        ] {
            assert_eq!(key(Value::Text(text.as_bytes(), false)), Ok(expected.to_owned()), "{text}");
        }
        for (text, expected) in
            [("7", "7"), ("18446744073709551615", "18446744073709551615"), ("-1", "\"-1\"")]
        {
            assert_eq!(key(Value::of_number(text.as_bytes())), Ok(expected.to_owned()), "{text}");
        }
        for value in
            [Value::of_number(b"1.5"), Value::Word(b"true"), Value::Map, Value::List(b"[]")]
        {
            assert!(key(value).is_err(), "{value:?}");
        }
    }
}
