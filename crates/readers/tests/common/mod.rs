//! Which random lines, and which damage, do the tests of readers use?
#![allow(dead_code, reason = "each test uses its part")]

/// Numbers that look random and are the same in each run.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() >> 33) as usize % end
    }

    /// An id: few, so that they come again.
    pub(crate) fn small(&mut self) -> u32 {
        u32::try_from(self.below(6)).expect("small")
    }

    /// A number of any size.
    pub(crate) fn number(&mut self) -> u64 {
        let shift = self.below(64);
        self.next() >> shift
    }
}

/// A value that is not what a line had in its place, or not plain.
const ODD: &[&str] = &[
    "0",
    "-1",
    "-0",
    "1.5",
    "1e3",
    "1E400",
    "00",
    "01",
    "4294967296",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999999999",
    "null",
    "true",
    "false",
    "\"\"",
    "\"next\"",
    "\"NaN\"",
    "NaN",
    "\"0x10\"",
    "\"0xFFFFFFFFFFFFFFFFFF\"",
    "\"12.5\"",
    "\"\\u0061\"",
    "\"\\ud800\"",
    "\"a\\nb\"",
    "\"\u{1f}\"",
    "\"é\"",
    "[]",
    "[1]",
    "[\"0x1\",\"0x2\"]",
    "{}",
    "{\"a\":1}",
    "\"a",
    "",
    "\"\\x\"",
    "1.",
    ".5",
    "+1",
    "-",
    "[[[[",
    "\"infinite\"",
    "\" \"",
    "\"\u{7f}\"",
];

/// A line like this one, with something wrong or merely odd about it; it ends in a newline.
pub(crate) fn mutated(line: &[u8], random: &mut Random) -> Vec<u8> {
    let mut line = line.strip_suffix(b"\n").unwrap_or(line).to_vec();
    for _ in 0..=random.below(2) {
        if line.is_empty() {
            break;
        }
        let at = random.below(line.len());
        match random.below(9) {
            0 => line[at] = (random.next() & 0xff) as u8,
            1 => line[at] ^= 1 << random.below(8),
            2 => line.truncate(at),
            3 => line.insert(at, b" \t\r\"\\,:{}[]0\x00\x0c"[random.below(14)]),
            4 => {
                line.remove(at);
            }
            5 => swap_fields(&mut line, random),
            6 => repeat_field(&mut line, random),
            _ => replace_value(&mut line, random),
        }
    }
    line.retain(|byte| *byte != b'\n');
    line.push(b'\n');
    line
}

/// The pieces between commas: nearly the fields.
fn fields(line: &[u8]) -> Vec<Vec<u8>> {
    let inner = line.strip_prefix(b"{").and_then(|line| line.strip_suffix(b"}")).unwrap_or(line);
    inner.split(|byte| *byte == b',').map(<[u8]>::to_vec).collect()
}

fn join(line: &mut Vec<u8>, fields: &[Vec<u8>]) {
    *line = [b"{".as_slice(), &fields.join(&b','), b"}"].concat();
}

fn swap_fields(line: &mut Vec<u8>, random: &mut Random) {
    let mut fields = fields(line);
    let (a, b) = (random.below(fields.len()), random.below(fields.len()));
    fields.swap(a, b);
    join(line, &fields);
}

fn repeat_field(line: &mut Vec<u8>, random: &mut Random) {
    let mut fields = fields(line);
    let (a, b) = (random.below(fields.len()), random.below(fields.len()));
    let mut field = fields[a].clone();
    if random.below(2) == 0 {
        replace_value(&mut field, random);
    }
    fields.insert(b, field);
    join(line, &fields);
}

fn replace_value(line: &mut Vec<u8>, random: &mut Random) {
    let colons: Vec<usize> =
        line.iter().enumerate().filter(|(_, byte)| **byte == b':').map(|(at, _)| at).collect();
    if colons.is_empty() {
        return;
    }
    let start = colons[random.below(colons.len())] + 1;
    let len = line[start..].iter().position(|byte| b",}]".contains(byte));
    let end = start + len.unwrap_or(line.len() - start);
    line.splice(start..end, ODD[random.below(ODD.len())].bytes());
}

/// A line of an emulator's guest kernel.
pub(crate) fn guest_line(random: &mut Random, at: u64) -> Vec<u8> {
    let tid = random.small();
    let object = format!(",\"object\":\"0x{:x}\"", 0x1000 + random.small());
    let call = format!(",\"call\":\"{}\"", ["KeWait", "KeSetEvent", "Rtl"][random.below(3)]);
    let sched = format!(",\"priority\":{},\"hw_thread\":{}", random.small(), random.small());
    let (kind, rest) = match random.below(15) {
        0 => ("import.call", call),
        1 => ("import.return", call),
        2 => ("critsec.enter", object),
        3 => ("critsec.leave", object),
        4 | 5 => ("wait.begin", format!("{call}{object},\"timeout_ns\":{}", random.number() >> 20)),
        6 => ("wait.begin", format!("{call},\"objects\":[\"0x1\",\"0x2\"],\"wait\":\"any\"")),
        7 => ("wait.end", format!("{call}{object},\"result\":\"timeout\"")),
        8 => ("object.signal", format!("{call}{object}")),
        9 => (
            "object.create",
            format!("{object},\"type\":\"{}\"", ["event", "mutant"][random.below(2)]),
        ),
        10 => ("thread.run", sched),
        11 => ("thread.create", format!(",\"name\":\"t{tid}\"{sched}")),
        12 => ("frame.swap", String::new()),
        13 => ("interrupt.begin", [object, String::new()][random.below(2)].clone()),
        _ => ("odd.kind", format!(",\"flag\":{}", random.below(2) == 0)),
    };
    let build = ["a", "b"][usize::from(random.below(50) == 0)];
    format!(
        "{{\"schema_version\":1,\"build\":\"{build}\",\"host_ns\":{},\"guest_ns\":{at},\"tid\":{tid},\
         \"tid_event_idx\":{},\"kind\":\"{kind}\"{rest}}}\n",
        random.number(),
        random.small(),
    )
    .into_bytes()
}
