//! Is this line JSON, and what are the values of the fields that are wanted?
//!
//! A field that comes twice has its last value, and `null` is as good as no field. The grammar is RFC 8259's; what
//! nests deeper than [`DEPTH_MAX`] is refused.

use std::borrow::Cow;

use memchr::memchr2;

/// Lists and maps within each other at most.
pub(super) const DEPTH_MAX: u32 = 127;

/// What is wrong, and where, in bytes from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) text: &'static str,
}

/// A value of a field, as it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// There is none, or `null`.
    #[default]
    Missing,
    /// `true` or `false`.
    Word(&'a [u8]),
    /// At most 19 digits, and their value.
    Whole(u64, &'a [u8]),
    /// Any other number.
    Number(&'a [u8]),
    /// What stands between the quotes; whether there are escapes in it.
    Text(&'a [u8], bool),
    /// A list, brackets included.
    List(&'a [u8]),
    /// A map.
    Map,
}

impl<'a> Value<'a> {
    /// The value of a number's text.
    pub(super) fn of_number(text: &'a [u8]) -> Self {
        if text.len() <= 19 && text.iter().all(u8::is_ascii_digit) {
            let digit = |value: u64, byte: &u8| value * 10 + u64::from(byte - b'0');
            return Self::Whole(text.iter().fold(0, digit), text);
        }
        Self::Number(text)
    }

    /// Its text: of a string what it means, of a number or a truth value what stands there.
    pub(super) fn text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text, true) => Some(Cow::Owned(unescape(text)?)),
            Self::Text(text, false)
            | Self::Whole(_, text)
            | Self::Number(text)
            | Self::Word(text) => std::str::from_utf8(text).ok().map(Cow::Borrowed),
            Self::Missing | Self::List(_) | Self::Map => None,
        }
    }

    /// The same in bytes, where nothing has to be checked.
    #[inline]
    pub(super) fn bytes(self) -> Option<Cow<'a, [u8]>> {
        match self {
            Self::Text(text, false)
            | Self::Whole(_, text)
            | Self::Number(text)
            | Self::Word(text) => Some(Cow::Borrowed(text)),
            Self::Text(_, true) => {
                self.text().map(|text| Cow::Owned(text.into_owned().into_bytes()))
            }
            Self::Missing | Self::List(_) | Self::Map => None,
        }
    }

    /// The values of a list; itself, if it is none.
    pub(super) fn for_each<E>(self, mut each: impl FnMut(Self) -> Result<(), E>) -> Result<(), E> {
        let Self::List(text) = self else { return each(self) };
        let mut scanner = Scanner::new(text);
        scanner.at = 1;
        loop {
            scanner.space();
            match text.get(scanner.at) {
                None | Some(b']') => return Ok(()),
                Some(b',') => scanner.at += 1,
                // The list was read before.
                Some(_) => match scanner.value(0, None, &Wanted::default(), &mut []) {
                    Ok(value) => each(value)?,
                    Err(_) => return Ok(()),
                },
            }
        }
    }
}

fn unescape(text: &[u8]) -> Option<String> {
    serde_json::from_slice(&[b"\"", text, b"\""].concat()).ok()
}

/// The fields that are wanted, as a tree of keys.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    nodes: Vec<Node>,
}

#[derive(Clone, Debug, Default)]
struct Node {
    children: Vec<(Box<str>, usize)>,
    /// Where the value goes.
    slot: Option<u8>,
    /// This slot, and those below.
    below: Vec<u8>,
}

impl Wanted {
    /// Wants the value at `path` in `slot`.
    pub(super) fn add(&mut self, path: &[Box<str>], slot: u8) {
        if self.nodes.is_empty() {
            self.nodes.push(Node::default());
        }
        let mut place = 0;
        for key in path {
            let known = self.nodes[place].children.iter().find(|(name, _)| name == key);
            place = match known {
                Some((_, child)) => *child,
                None => {
                    let child = self.nodes.len();
                    self.nodes.push(Node::default());
                    self.nodes[place].children.push((key.clone(), child));
                    child
                }
            };
            self.nodes[place].below.push(slot);
        }
        self.nodes[place].slot = Some(slot);
    }

    fn child(&self, node: usize, key: &str) -> Option<usize> {
        let children = &self.nodes.get(node)?.children;
        children.iter().find(|(name, _)| **name == *key).map(|(_, child)| *child)
    }
}

/// Reads a line that must be one map, and puts the values of wanted fields into their slots.
pub(super) fn scan<'a>(
    line: &'a [u8],
    wanted: &Wanted,
    values: &mut [Value<'a>],
) -> Result<(), Fault> {
    if let Err(error) = std::str::from_utf8(line) {
        return Err(Fault { at: error.valid_up_to(), text: "not UTF-8" });
    }
    let mut scanner = Scanner::new(line);
    scanner.space();
    if scanner.peek() != Some(b'{') {
        return scanner.fault("expected an object in braces");
    }
    scanner.value(0, Some(0), wanted, values)?;
    scanner.space();
    if scanner.at < line.len() { scanner.fault("more after the object") } else { Ok(()) }
}

struct Scanner<'a> {
    line: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    fn new(line: &'a [u8]) -> Self {
        Self { line, at: 0 }
    }

    fn fault<T>(&self, text: &'static str) -> Result<T, Fault> {
        let text = if self.at >= self.line.len() { "the line ends too early" } else { text };
        Err(Fault { at: self.at, text })
    }

    fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn value(
        &mut self,
        depth: u32,
        node: Option<usize>,
        wanted: &Wanted,
        values: &mut [Value<'a>],
    ) -> Result<Value<'a>, Fault> {
        let start = self.at;
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'{') => self.map(depth, node, wanted, values).map(|()| Value::Map),
            Some(b'[') => {
                self.list(depth, wanted, values)?;
                Ok(Value::List(&self.line[start..self.at]))
            }
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null").map(|_| Value::Missing),
            _ => self.fault("expected a value"),
        }
    }

    fn word(&mut self, word: &'static str) -> Result<Value<'a>, Fault> {
        let found = self.line.get(self.at..self.at + word.len());
        match found.filter(|found| *found == word.as_bytes()) {
            Some(found) => {
                self.at += word.len();
                Ok(Value::Word(found))
            }
            None => self.fault("expected a value"),
        }
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let rest = &self.line[self.at..];
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        if count == 0 { self.fault("expected a digit") } else { Ok(()) }
    }

    fn number(&mut self) -> Result<Value<'a>, Fault> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        if self.peek() == Some(b'0') {
            self.at += 1;
            if self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                return self.fault("a number begins with 0");
            }
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(Value::of_number(&self.line[start..self.at]))
    }

    fn string(&mut self) -> Result<Value<'a>, Fault> {
        let start = self.at + 1;
        let mut end = start;
        let mut escaped = false;
        loop {
            let Some(len) = self.line.get(end..).and_then(|rest| memchr2(b'"', b'\\', rest)) else {
                self.at = self.line.len();
                return self.fault("");
            };
            end += len;
            if self.line[end] == b'"' {
                break;
            }
            escaped = true;
            end += 2;
        }
        let text = &self.line[start..end];
        if let Some(bad) = text.iter().position(|byte| *byte < b' ') {
            self.at = start + bad;
            return self.fault("a control character in a string");
        }
        if escaped && unescape(text).is_none() {
            return self.fault("a string with a bad escape");
        }
        self.at = end + 1;
        Ok(Value::Text(text, escaped))
    }

    fn map(
        &mut self,
        depth: u32,
        node: Option<usize>,
        wanted: &Wanted,
        values: &mut [Value<'a>],
    ) -> Result<(), Fault> {
        self.open(depth)?;
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            if self.peek() != Some(b'"') {
                return self.fault("expected a field's name in quotes");
            }
            let key = self.string()?;
            self.space();
            if self.peek() != Some(b':') {
                return self.fault("expected a colon");
            }
            self.at += 1;
            self.space();
            let child = match (node, key) {
                (Some(node), Value::Text(_, true)) => {
                    key.text().and_then(|key| wanted.child(node, &key))
                }
                (Some(node), Value::Text(key, false)) => {
                    std::str::from_utf8(key).ok().and_then(|key| wanted.child(node, key))
                }
                _ => None,
            };
            if let Some(child) = child {
                wanted.nodes[child].below.iter().for_each(|slot| {
                    values[usize::from(*slot)] = Value::Missing;
                });
            }
            let value = self.value(depth + 1, child, wanted, values)?;
            if let Some(slot) = child.and_then(|child| wanted.nodes[child].slot) {
                values[usize::from(slot)] = value;
            }
            if self.next(b'}', "expected a comma or a closing brace")? {
                return Ok(());
            }
        }
    }

    fn list(&mut self, depth: u32, wanted: &Wanted, values: &mut [Value<'a>]) -> Result<(), Fault> {
        self.open(depth)?;
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value(depth + 1, None, wanted, values)?;
            if self.next(b']', "expected a comma or a closing bracket")? {
                return Ok(());
            }
        }
    }

    /// Passes the opening brace or bracket.
    fn open(&mut self, depth: u32) -> Result<(), Fault> {
        if depth >= DEPTH_MAX {
            return self.fault("nested too deeply");
        }
        self.at += 1;
        self.space();
        Ok(())
    }

    /// Passes a comma, or the end; whether it was the end.
    fn next(&mut self, end: u8, expected: &'static str) -> Result<bool, Fault> {
        self.space();
        let found = self.peek();
        if found != Some(b',') && found != Some(end) {
            return self.fault(expected);
        }
        self.at += 1;
        if found == Some(b',') {
            self.space();
        }
        Ok(found == Some(end))
    }
}

#[cfg(test)]
mod tests {
    use super::{Value, Wanted, scan};

    /// Values, right and wrong.
    #[rustfmt::skip]
    const VALUES: &[&str] = &[
            "1",
            "-1",
            "-0",
            "0",
            "00",
            "01",
            "-",
            "1.",
            "1.5",
            ".5",
            "1e5",
            "1e",
            "1E+5",
            "1e-5x",
            "true",
            "tru",
            "false",
            "null",
            "nul",
            "NaN",
            "\"\"",
            "\"a\"",
            "\"",
            "\"a",
            "\"\\n\"",
            "\"\\x\"",
            "\"\\u00e9\"",
            "\"\\u12\"",
            "\"\\ud800\"",
            "\"\\ud83d\\ude00\"",
            "\"\\udc00\"",
            "\"\u{1f}\"",
            "\"\u{7f}\"",
            "\"é\"",
            "[]",
            "[1]",
            "[1,]",
            "[,]",
            "[1 2]",
            "[",
            "]",
            "{}",
            "{\"a\":1}",
            "{\"a\"}",
            "{\"a\":}",
            "{,}",
            "{\"a\":1,}",
            "{a:1}",
            " 1 ",
            "\t1\r",
            "\"\\\"\"",
            "\"\\\\\"",
            "\"\\",
            "[{\"a\":[{}]}]",
            "+1",
            "1 1",
            "\u{c}1",
    ];

    fn accepts(line: &[u8]) -> bool {
        scan(line, &Wanted::default(), &mut []).is_ok()
    }

    #[test]
    fn the_same_lines_are_json_as_for_serde() {
        for value in VALUES {
            let wraps = [
                format!("{{\"x\":{value}}}"),
                format!(" {{ \"x\" : [ {value} , {value} ] , \"y\":{value}}} "),
                format!("{{\"x\":{{\"y\":{value}}}}}x"),
                format!("{{\"x\":{value}"),
                format!("{{{value}:1}}"),
            ];
            for line in wraps {
                let line = line.as_bytes();
                let serde =
                    serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(line);
                assert_eq!(accepts(line), serde.is_ok(), "{}", String::from_utf8_lossy(line));
            }
        }
    }

    #[test]
    fn depth_and_bytes_are_refused_where_serde_refuses_them() {
        for depth in 100..140 {
            let line = format!("{{\"x\":{}1{}}}", "[".repeat(depth), "]".repeat(depth));
            let serde = serde_json::from_str::<serde_json::Value>(&line);
            assert_eq!(accepts(line.as_bytes()), serde.is_ok(), "{depth}");
        }
        assert!(!accepts(&[b"{\"x\":".as_slice(), &[b'['; 1_000_000]].concat()));
        assert!(!accepts(b"{\"x\":\"\xff\"}"));
    }

    #[test]
    fn the_last_of_equal_fields_counts_with_all_that_is_in_it() {
        let mut wanted = Wanted::default();
        wanted.add(&["a".into()], 0);
        wanted.add(&["m".into(), "x".into()], 1);
        let mut values = [Value::Missing; 2];
        let line = br#"{"a":1,"m":{"x":2},"m":{"y":[{"x":7}]},"\u0061":"b","n":{"a":9}}"#;
        scan(line, &wanted, &mut values).expect("it is JSON");
        assert_eq!(values, [Value::Text(b"b", false), Value::Missing]);
    }
}
