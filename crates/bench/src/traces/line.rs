//! How is one event written as a line? The fields of the guest kernel's JSON Lines, in their order.

use std::io::{self, Write};

use super::random::Random;

/// Bytes gathered before they are handed on.
const GATHERED: usize = 1 << 20;
/// Thread ids are below this.
const TIDS: usize = 64;
/// A line grows by no more than this after its beginning.
const LINE_BYTES_MAX: usize = 1 << 10;

/// How much was written.
#[derive(Clone, Copy, Default)]
pub(crate) struct Written {
    pub(crate) lines: u64,
    pub(crate) bytes: u64,
}

/// Writes lines and counts them.
pub(crate) struct Lines<W> {
    out: W,
    gathered: Vec<u8>,
    /// The beginning of every line, up to the host's time.
    beginning: Vec<u8>,
    host_ns: u64,
    host: Random,
    /// Virtual time: that of the next line.
    pub(crate) guest_ns: u64,
    /// Events of each thread so far.
    counts: [u64; TIDS],
    /// So far, but for the bytes that are still gathered.
    pub(crate) written: Written,
    /// The first error of `out`; what comes after it is dropped.
    failed: Option<io::Error>,
}

/// A line that is being written; it ends when this is dropped.
pub(crate) struct Line<'l, W: Write>(&'l mut Lines<W>);

impl<W: Write> Lines<W> {
    pub(crate) fn new(out: W, engine: &str, build: &str, host_seed: u64) -> Self {
        let beginning = format!(
            "{{\"schema_version\":1,\"engine\":\"{engine}\",\"build\":\"{build}\",\"host_ns\":"
        );
        Self {
            out,
            gathered: Vec::with_capacity(GATHERED + LINE_BYTES_MAX),
            beginning: beginning.into_bytes(),
            host_ns: 1_737_000_012_345_678_901,
            host: Random::new(host_seed),
            guest_ns: 3_030_000,
            counts: [0; TIDS],
            written: Written::default(),
            failed: None,
        }
    }

    /// Begins a line: what every event has.
    pub(crate) fn line(&mut self, tid: u8, kind: &str) -> Line<'_, W> {
        self.hand_on(GATHERED);
        self.host_ns += 700 + (self.host.next() >> 54);
        let index = self.counts[usize::from(tid)];
        self.counts[usize::from(tid)] += 1;
        self.written.lines += 1;
        let (host_ns, guest_ns) = (self.host_ns, self.guest_ns);
        let line = &mut self.gathered;
        line.extend_from_slice(&self.beginning);
        digits(line, host_ns);
        line.extend_from_slice(b",\"guest_ns\":");
        digits(line, guest_ns);
        line.extend_from_slice(b",\"tid\":");
        digits(line, u64::from(tid));
        line.extend_from_slice(b",\"tid_event_idx\":");
        digits(line, index);
        line.extend_from_slice(b",\"kind\":\"");
        line.extend_from_slice(kind.as_bytes());
        line.push(b'"');
        Line(self)
    }

    /// Hands on what was gathered if it is at least `from` bytes.
    fn hand_on(&mut self, from: usize) {
        if self.gathered.len() < from {
            return;
        }
        if self.failed.is_none() {
            self.failed = self.out.write_all(&self.gathered).err();
        }
        self.written.bytes += self.gathered.len() as u64;
        self.gathered.clear();
    }

    /// Writes what is left.
    pub(crate) fn finish(mut self) -> io::Result<Written> {
        self.hand_on(0);
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.out.flush()?;
        Ok(self.written)
    }
}

impl<W: Write> Line<'_, W> {
    /// A field with a text that needs no escapes.
    pub(crate) fn text(mut self, name: &str, value: &str) -> Self {
        let line = self.name(name);
        line.push(b'"');
        line.extend_from_slice(value.as_bytes());
        line.push(b'"');
        self
    }

    pub(crate) fn number(mut self, name: &str, value: u64) -> Self {
        digits(self.name(name), value);
        self
    }

    pub(crate) fn call(self, call: &str) -> Self {
        self.text("call", call)
    }

    pub(crate) fn object(mut self, object: u32) -> Self {
        handle(self.name("object"), object);
        self
    }

    pub(crate) fn objects(mut self, objects: &[u32]) -> Self {
        let line = self.name("objects");
        for (index, object) in objects.iter().enumerate() {
            line.push(if index == 0 { b'[' } else { b',' });
            handle(line, *object);
        }
        line.push(b']');
        self
    }

    fn name(&mut self, name: &str) -> &mut Vec<u8> {
        let line = &mut self.0.gathered;
        line.extend_from_slice(b",\"");
        line.extend_from_slice(name.as_bytes());
        line.extend_from_slice(b"\":");
        line
    }
}

impl<W: Write> Drop for Line<'_, W> {
    fn drop(&mut self) {
        self.0.gathered.extend_from_slice(b"}\n");
    }
}

/// A number in decimal.
fn digits(line: &mut Vec<u8>, mut value: u64) {
    const PAIRS: &[u8; 200] = b"\
        0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849\
        5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";
    // The greatest number has twenty digits.
    let mut text = [0; 20];
    let mut first = text.len();
    while value >= 10 {
        let pair = (value % 100) as usize * 2;
        value /= 100;
        first -= 2;
        text[first..first + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    }
    if value > 0 || first == text.len() {
        first -= 1;
        text[first] = b'0' + value as u8;
    }
    line.extend_from_slice(&text[first..]);
}

/// A handle as the format has it: hexadecimal, in quotes.
fn handle(line: &mut Vec<u8>, value: u32) {
    let digits = (8 - value.leading_zeros() / 4).max(1);
    line.extend_from_slice(b"\"0x");
    for digit in (0..digits).rev() {
        line.push(b"0123456789abcdef"[(value >> (digit * 4)) as usize & 15]);
    }
    line.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_others_write_them() {
        for value in [0, 7, 9, 10, 11, 99, 100, 101, 1000, 12_345, 30_000_000, u64::MAX] {
            let mut line = Vec::new();
            digits(&mut line, value);
            assert_eq!(String::from_utf8(line).unwrap(), value.to_string());
        }
        for value in [0, 15, 16, 0x10e8, 0x82a1_f000, u32::MAX] {
            let mut line = Vec::new();
            handle(&mut line, value);
            assert_eq!(String::from_utf8(line).unwrap(), format!("\"{value:#x}\""));
        }
    }

    #[test]
    fn a_line_has_the_fields_in_their_order() {
        let mut text = Vec::new();
        let mut lines = Lines::new(&mut text, "xenon-rs", "0.9", 1);
        lines.line(7, "critsec.enter").object(0x10);
        let line = lines.line(7, "wait.begin").call("Ke").objects(&[1, 2]);
        drop(line.text("wait", "any").number("timeout_ns", 5));
        assert_eq!(lines.finish().unwrap().lines, 2);
        let second = String::from_utf8(text).unwrap().lines().nth(1).unwrap().to_owned();
        let (beginning, rest) = second.split_once("\"guest_ns\"").unwrap();
        assert!(beginning.starts_with(
            "{\"schema_version\":1,\"engine\":\"xenon-rs\",\"build\":\"0.9\",\"host_ns\":173700"
        ));
        assert_eq!(
            rest,
            ":3030000,\"tid\":7,\"tid_event_idx\":1,\"kind\":\"wait.begin\",\"call\":\"Ke\",\
             \"objects\":[\"0x1\",\"0x2\"],\"wait\":\"any\",\"timeout_ns\":5}"
        );
    }
}
