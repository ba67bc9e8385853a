//! Which parts of a line of JSON are values, and where do they stand?
//!
//! Only for lines that a parser has accepted: nothing is checked twice here.

use super::scan::{is_plain, number};

/// Values of one line at most, and how deep they nest.
const ITEMS_MAX: usize = 96;
const DEPTH_MAX: u32 = 12;
/// Between the steps of a path.
pub(crate) const STEP: char = '\u{1f}';
/// Before a step that is an index of a list: no key has it.
pub(crate) const INDEX: char = '\u{1e}';

/// What is to be done with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// It is part of what the line is: another value is another sort of line.
    Literal,
    /// It varies and is wanted.
    Slot(u8),
    /// It varies, and nobody wants it.
    Skip,
}

/// A value that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    /// Digits.
    Number(&'a [u8]),
    /// What stands between the quotes.
    Text(&'a [u8]),
    /// `true`, `false`, `null`, or a number with an exponent: always a literal.
    Word(&'a [u8]),
    /// A list or a map comes; what is said of it is not asked again.
    Container,
}

/// A part of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// These bytes.
    Literal(Vec<u8>),
    /// A number, for a slot.
    Number(u8),
    /// What stands before a closing quote, for a slot.
    Text(u8),
}

/// The parts of a line; none if it is not plain, or if `classify` refuses a value by its path.
pub(crate) fn tokens(
    line: &[u8],
    classify: &mut dyn FnMut(&str, Found<'_>) -> Option<Class>,
) -> Option<Vec<Item>> {
    let mut walker =
        Walker { line, at: 0, items: vec![], path: String::new(), classify, seen: vec![] };
    walker.space();
    walker.value(0)?;
    walker.space();
    (walker.at == line.len()).then_some(walker.items)
}

struct Walker<'a, 'f> {
    line: &'a [u8],
    at: usize,
    items: Vec<Item>,
    path: String,
    classify: &'f mut dyn FnMut(&str, Found<'_>) -> Option<Class>,
    /// Paths so far: a line that says something twice is not plain.
    seen: Vec<String>,
}

impl<'a> Walker<'a, '_> {
    fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    /// Takes the next bytes as they are.
    fn literal(&mut self, count: usize) -> Option<()> {
        let bytes = self.line.get(self.at..self.at + count)?;
        self.at += count;
        if let Some(Item::Literal(last)) = self.items.last_mut() {
            last.extend_from_slice(bytes);
        } else {
            self.items.push(Item::Literal(bytes.to_vec()));
        }
        (self.items.len() <= ITEMS_MAX).then_some(())
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\r')) {
            let _ = self.literal(1);
        }
    }

    fn value(&mut self, depth: u32) -> Option<()> {
        match self.peek()? {
            b'{' => self.container(depth, b'}'),
            b'[' => self.container(depth, b']'),
            b'"' => {
                let text = self.text()?;
                let class = (self.classify)(&self.path, Found::Text(text))?;
                self.literal(1)?;
                self.take(class, text.len(), Item::Text)?;
                self.literal(1)
            }
            b'-' | b'0'..=b'9' => {
                let rest = &self.line[self.at..];
                let digits = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
                let len = rest.iter().take_while(|byte| digits(byte)).count();
                if number(rest).is_none_or(|number| number.len != len) {
                    return self.word(len);
                }
                let class = (self.classify)(&self.path, Found::Number(&rest[..len]))?;
                self.take(class, len, Item::Number)
            }
            b't' | b'n' => self.word(4),
            b'f' => self.word(5),
            _ => None,
        }
    }

    fn word(&mut self, len: usize) -> Option<()> {
        let word = self.line.get(self.at..self.at + len)?;
        let class = (self.classify)(&self.path, Found::Word(word))?;
        (class == Class::Literal).then_some(())?;
        self.literal(len)
    }

    fn take(&mut self, class: Class, len: usize, item: fn(u8) -> Item) -> Option<()> {
        match class {
            Class::Literal => return self.literal(len),
            Class::Slot(slot) => self.items.push(item(slot)),
            Class::Skip => self.items.push(item(super::SKIP)),
        }
        self.at += len;
        Some(())
    }

    /// The plain text that begins with the quote here.
    fn text(&self) -> Option<&'a [u8]> {
        let rest = self.line.get(self.at + 1..)?;
        let len = rest.iter().position(|byte| !is_plain(*byte))?;
        (rest[len] == b'"').then_some(&rest[..len])
    }

    fn container(&mut self, depth: u32, end: u8) -> Option<()> {
        if depth > 0 {
            (self.classify)(&self.path, Found::Container)?;
        }
        (depth < DEPTH_MAX).then_some(())?;
        self.literal(1)?;
        self.space();
        let outer = self.path.len();
        let mut index = 0;
        while self.peek()? != end {
            self.path.truncate(outer);
            if depth > 0 {
                self.path.push(STEP);
            }
            if end == b'}' {
                let key = self.text()?;
                self.path.push_str(std::str::from_utf8(key).ok()?);
                self.literal(key.len() + 2)?;
                self.space();
                (self.peek()? == b':').then_some(())?;
                self.literal(1)?;
                self.space();
                (!self.seen.contains(&self.path)).then_some(())?;
                self.seen.push(self.path.clone());
            } else {
                self.path.push(INDEX);
                self.path.push_str(&index.to_string());
                index += 1;
            }
            self.value(depth + 1)?;
            self.space();
            if self.peek()? == b',' {
                self.literal(1)?;
                self.space();
            }
        }
        self.path.truncate(outer);
        self.literal(1)
    }
}
