//! Where does a plain number or string end, eight bytes at a time?

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Digits of a number that always fits 64 bits.
const DIGITS_MAX: usize = 19;

/// A number at the beginning of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number {
    /// Its bytes.
    pub(super) len: usize,
    /// Its value, if it is whole and not negative.
    pub(super) whole: Option<u64>,
}

fn word(text: &[u8], at: usize) -> Option<u64> {
    text.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes)
}

/// Whether a text begins with these bytes. They are few, so they are compared here and not by a call.
#[inline(always)]
pub(super) fn begins(text: &[u8], with: &[u8]) -> bool {
    let Some(text) = text.get(..with.len()) else { return false };
    let (Some(first), Some(last)) = (with.first_chunk::<8>(), with.last_chunk::<8>()) else {
        return match (with.first_chunk::<4>(), with.last_chunk::<4>()) {
            (Some(_), Some(last)) => {
                text.last_chunk::<4>() == Some(last)
                    && text.first_chunk::<4>() == with.first_chunk::<4>()
            }
            _ => text.iter().zip(with).all(|(a, b)| a == b),
        };
    };
    let (Some(text_first), Some(text_last)) = (text.first_chunk::<8>(), text.last_chunk::<8>())
    else {
        return false;
    };
    // The end first: lines that begin alike differ there.
    if u64::from_ne_bytes(*last) != u64::from_ne_bytes(*text_last) {
        return false;
    }
    if u64::from_ne_bytes(*first) != u64::from_ne_bytes(*text_first) {
        return false;
    }
    let (pairs, rest) = with.as_chunks::<16>();
    let (text_pairs, text_rest) = text.as_chunks::<16>();
    let mut pairs = pairs.iter().zip(text_pairs);
    let same = pairs.all(|(a, b)| u128::from_ne_bytes(*a) == u128::from_ne_bytes(*b));
    same && rest.first_chunk::<8>() == text_rest.first_chunk::<8>()
}

/// Reads `-`, digits, and `.` with digits behind it, as far as JSON allows them; at most 19 digits before the point.
#[inline(always)]
pub(super) fn number(text: &[u8]) -> Option<Number> {
    let (value, len) = digits(text)?;
    if len == 0 {
        return negative(text);
    }
    if text.get(len) == Some(&b'.') {
        return fraction(text, len);
    }
    Some(Number { len, whole: Some(value) })
}

/// How many bytes such a number has; its value is not asked for.
#[inline(always)]
pub(super) fn number_len(text: &[u8]) -> Option<usize> {
    let mut len = 0;
    let end = loop {
        let Some(word) = word(text, len) else { return number(text).map(|number| number.len) };
        let count = digits_in(word);
        len += count;
        if count < 8 {
            break text.get(len).copied();
        }
    };
    let plain = (1..=DIGITS_MAX).contains(&len) && end != Some(b'.');
    // A zero before other digits is no number, and what is not plain takes the long way.
    if plain && (text[0] != b'0' || len == 1) { Some(len) } else { other_number_len(text) }
}

#[cold]
#[inline(never)]
fn other_number_len(text: &[u8]) -> Option<usize> {
    number(text).map(|number| number.len)
}

#[cold]
#[inline(never)]
fn negative(text: &[u8]) -> Option<Number> {
    let rest = text.strip_prefix(b"-")?;
    let (_, len) = digits(rest).filter(|(_, len)| *len > 0)?;
    if rest.get(len) == Some(&b'.') {
        return fraction(text, len + 1);
    }
    Some(Number { len: len + 1, whole: None })
}

#[cold]
#[inline(never)]
fn fraction(text: &[u8], point: usize) -> Option<Number> {
    let behind = text.get(point + 1..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (behind > 0).then_some(Number { len: point + 1 + behind, whole: None })
}

/// The value and the length of the digits at the beginning; none if they are no JSON number, or too many.
#[inline(always)]
fn digits(text: &[u8]) -> Option<(u64, usize)> {
    let Some(first) = word(text, 0) else { return last_digits(text) };
    let count = digits_in(first);
    if count < 8 {
        let leading_zero = count > 1 && text[0] == b'0';
        return (!leading_zero).then(|| (eight(first, count), count));
    }
    let high = eight(first, 8);
    let Some(second) = word(text, 8) else { return last_digits(text) };
    let count = digits_in(second);
    let (value, len) = if count < 8 {
        (high * POWERS[count] + eight(second, count), 8 + count)
    } else {
        let Some(third) = word(text, 16) else { return last_digits(text) };
        let count = digits_in(third);
        let value = high * POWERS[8] + eight(second, 8);
        if count > 3 {
            return None;
        }
        (value * POWERS[count] + eight(third, count), 16 + count)
    };
    (text[0] != b'0').then_some((value, len))
}

/// The same, byte by byte: for the end of a block.
#[cold]
#[inline(never)]
fn last_digits(text: &[u8]) -> Option<(u64, usize)> {
    let (mut value, mut len) = (0_u64, 0);
    while let Some(byte) = text.get(len).filter(|byte| byte.is_ascii_digit()) {
        value = value.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
        len += 1;
    }
    checked(text, value, len)
}

fn checked(text: &[u8], value: u64, len: usize) -> Option<(u64, usize)> {
    let leading_zero = len > 1 && text[0] == b'0';
    (len <= DIGITS_MAX && !leading_zero).then_some((value, len))
}

const POWERS: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// How many of the word's first bytes are digits.
#[inline(always)]
fn digits_in(word: u64) -> usize {
    // A digit has the high half 3, and still has when 6 is added; the first byte for which this fails is right,
    // because a carry only goes to later ones.
    let not_three = (word & (ONES * 0xf0)) ^ (ONES * 0x30);
    let over_nine = (word.wrapping_add(ONES * 6) & (ONES * 0xf0)) ^ (ONES * 0x30);
    ((not_three | over_nine).trailing_zeros() / 8) as usize
}

/// The number of the word's first `count` digits.
#[inline(always)]
fn eight(word: u64, count: usize) -> u64 {
    if count == 0 {
        return 0;
    }
    // As if zeros stood before it.
    let digits = (word.wrapping_sub(ONES * 0x30)) << (64 - 8 * count);
    let pairs = (digits & 0x0f0f_0f0f_0f0f_0f0f).wrapping_mul(10 << 8 | 1) >> 8;
    let fours = (pairs & 0x00ff_00ff_00ff_00ff).wrapping_mul(100 << 16 | 1) >> 16;
    (fours & 0x0000_ffff_0000_ffff).wrapping_mul(10_000 << 32 | 1) >> 32
}

/// How many bytes of printable ASCII without a backslash come before the closing quote.
#[inline(always)]
pub(super) fn plain_text(text: &[u8]) -> Option<usize> {
    let mut len = 0;
    while let Some(word) = word(text, len) {
        let stops = stops(word);
        if stops != 0 {
            len += (stops.trailing_zeros() / 8) as usize;
            return (text[len] == b'"').then_some(len);
        }
        len += 8;
    }
    len += text.get(len..)?.iter().position(|byte| !is_plain(*byte))?;
    (text[len] == b'"').then_some(len)
}

/// Whether a byte of a string stands for itself and is not the last.
pub(super) fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}

/// The high bit of each byte that is not plain; right for the first one, which is all that is asked.
#[inline(always)]
fn stops(word: u64) -> u64 {
    let zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    let delete = zero(word ^ (ONES * 0x7f));
    let quote = zero(word ^ (ONES * u64::from(b'"')));
    let backslash = zero(word ^ (ONES * u64::from(b'\\')));
    (control | delete | quote | backslash | word) & HIGHS
}

#[cfg(test)]
mod tests {
    use super::{begins, is_plain, number, number_len, plain_text};

    #[test]
    fn beginnings_are_compared_to_the_last_byte() {
        let text: Vec<u8> = (0..100).collect();
        for len in 0..90 {
            assert!(begins(&text, &text[..len]));
            assert!(begins(&text[..len], &text[..len]));
            assert!(!begins(&text[..len], &text[..=len]));
            for wrong in 0..len {
                let mut with = text[..len].to_vec();
                with[wrong] ^= 0x10;
                assert!(!begins(&text, &with), "{len} {wrong}");
            }
        }
    }

    /// As [`number`], one byte at a time.
    fn slow_number(text: &[u8]) -> Option<(usize, Option<u64>)> {
        let minus = usize::from(text.first() == Some(&b'-'));
        let count = |from: usize| text[from..].iter().take_while(|b| b.is_ascii_digit()).count();
        let whole = count(minus);
        if whole == 0 || whole > 19 || (whole > 1 && text[minus] == b'0') {
            return None;
        }
        let end = minus + whole;
        if text.get(end) == Some(&b'.') {
            let behind = count(end + 1);
            return (behind > 0).then_some((end + 1 + behind, None));
        }
        let value = std::str::from_utf8(&text[..end]).ok()?.parse().ok();
        Some((end, value.filter(|_| minus == 0)))
    }

    #[test]
    fn numbers_end_where_they_end() {
        let tails = ["", ",", "}", ".", ".5", ".50,", "e5", " ", "x", "/", ":", "\u{7f}", "é"];
        for digits in 0..24_usize {
            for first in ["", "-", "0", "1", "9", "-0", "-7", "x"] {
                for tail in tails {
                    for pad in ["", "        ,,"] {
                        let body: String =
                            "8901234567".chars().cycle().skip(digits % 3).take(digits).collect();
                        let text = format!("{first}{body}{tail}{pad}");
                        let found = number(text.as_bytes()).map(|n| (n.len, n.whole));
                        assert_eq!(found, slow_number(text.as_bytes()), "{text}");
                        let len = number_len(text.as_bytes());
                        assert_eq!(len, found.map(|found| found.0), "{text}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_byte_ends_a_number_or_does_not() {
        for byte in 0..=255_u8 {
            for place in 0..12 {
                let mut text = *b"123456789012345678,      ";
                text[place] = byte;
                let found = number(&text).map(|n| (n.len, n.whole));
                assert_eq!(found, slow_number(&text), "{byte} at {place}");
                assert_eq!(number_len(&text), found.map(|found| found.0), "{byte} at {place}");
            }
        }
    }

    #[test]
    fn texts_end_at_a_quote_with_plain_bytes_before_it() {
        for byte in 0..=255_u8 {
            for place in 0..20 {
                for end in place..28 {
                    let mut text = [b'a'; 28];
                    text[place] = byte;
                    text[end] = if end == place { byte } else { b'"' };
                    let stop = text.iter().position(|byte| !is_plain(*byte));
                    let slow = stop.filter(|stop| text[*stop] == b'"');
                    assert_eq!(plain_text(&text), slow, "{byte} at {place}, end {end}");
                }
            }
        }
    }
}
