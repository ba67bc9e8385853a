//! How are the arguments of an event read? `key=value` with names that hold anything, and numbers as C prints them.

/// What stands between `key` and the next of `ends`, or the end; the last place where `key` stands.
pub(super) fn last_field<'a>(text: &'a str, key: &str, end: &str) -> Option<&'a str> {
    let from = text.rfind(key)? + key.len();
    let rest = &text[from..];
    Some(rest.find(end).map_or(rest, |at| &rest[..at]))
}

/// The word after the last `key`: up to a space, a comma or a parenthesis.
pub(super) fn word<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let mut from = None;
    for (at, _) in text.match_indices(key) {
        // `pid=` is not a part of `prev_pid=`.
        let whole = at == 0 || matches!(text.as_bytes()[at - 1], b' ' | b',' | b'(');
        if whole {
            from = Some(at + key.len());
        }
    }
    let rest = text[from?..].trim_start();
    Some(rest.find([' ', ',', ')']).map_or(rest, |at| &rest[..at]))
}

/// The number after the last `key`, in decimal.
pub(super) fn decimal<T: std::str::FromStr>(text: &str, key: &str) -> Option<T> {
    word(text, key)?.parse().ok()
}

/// What stands between `from` and the last `to` after it: a name that may hold spaces.
pub(super) fn between<'a>(text: &'a str, from: &str, to: &str) -> Option<&'a str> {
    let rest = &text[text.find(from)? + from.len()..];
    Some(&rest[..rest.rfind(to)?])
}

/// A number in hexadecimal, with or without `0x`.
pub(super) fn hexadecimal(text: &str) -> Option<u64> {
    u64::from_str_radix(text.trim_start_matches("0x"), 16).ok()
}

/// A result as C prints it: `-110`, `0xffffffffffffff92`, or that of 32 bits.
pub(super) fn result(text: &str) -> Option<i64> {
    if let Some(digits) = text.strip_prefix("0x") {
        let value = u64::from_str_radix(digits, 16).ok()?;
        // A result of 32 bits keeps its sign only if it is read as one of an error's few numbers.
        let error =
            u32::try_from(value).ok().map(u32::cast_signed).filter(|low| (-4095..0).contains(low));
        return Some(error.map_or(value.cast_signed(), i64::from));
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{between, result, word};

    #[test]
    fn results_keep_their_sign() {
        let results = ["0", "-110", "0xffffffffffffff92", "0xffffff92", "0x1", "x"];
        let read: Vec<_> = results.iter().map(|text| result(text)).collect();
        assert_eq!(read, [Some(0), Some(-110), Some(-110), Some(-110), Some(1), None]);
    }

    #[test]
    fn names_may_hold_what_looks_like_a_field() {
        let text = "prev_comm=a prev_pid=1 x prev_pid=77 prev_prio=120";
        assert_eq!(between(text, "prev_comm=", " prev_pid="), Some("a prev_pid=1 x"));
        assert_eq!(word(text, "prev_pid="), Some("77"));
        assert_eq!(word(text, "pid="), None);
    }
}
