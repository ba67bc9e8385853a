//! How many nanoseconds does a line cost? `cargo run --release -p unwedge-readers --example block_speed`
//!
//! Lines are made in memory, in blocks, and read by one thread; the count of newlines over the same bytes is the measure
//! beside which the other numbers stand.
#![allow(clippy::expect_used, clippy::disallowed_methods, clippy::disallowed_types)]

use std::fmt::Write as _;
use std::time::Instant;

use unwedge_readers::jsonl::Reader;
use unwedge_readers::{BlockReader, Complaints, Profile, profile};
use unwedge_trace::row::Batch;

const BLOCK: usize = 1 << 20;
const BYTES: usize = 64 << 20;
const TURNS: u32 = 7;

struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 20) % end
    }
}

struct Guest {
    text: String,
    line: u64,
    random: Random,
}

impl Guest {
    fn new() -> Self {
        Self { text: String::new(), line: 0, random: Random(88_172_645_463_325_252) }
    }

    fn line(&mut self, tid: u64, kind: &str, rest: &str) {
        self.line += 1;
        let (host, guest) =
            (1_737_000_012_345_678_901 + self.line * 213, 3_030_000_000 + self.line * 97);
        let index = 1_234_567 + self.line;
        writeln!(
            self.text,
            "{{\"schema_version\":1,\"engine\":\"xenon-rs\",\"build\":\"0.9.2+g4f1c2aa\",\"host_ns\":{host},\
             \"guest_ns\":{guest},\"tid\":{tid},\"tid_event_idx\":{index},\"kind\":\"{kind}\"{rest}}}"
        )
        .expect("memory takes it");
    }

    /// The loop of one thread that polls.
    fn hot(&mut self) {
        for (call, around) in [
            ("RtlEnterCriticalSection", "critsec.enter"),
            ("RtlLeaveCriticalSection", "critsec.leave"),
        ] {
            let call_field = format!(",\"call\":\"{call}\"");
            self.line(7, "import.call", &call_field);
            self.line(7, around, ",\"object\":\"0x82a1f000\"");
            self.line(7, "import.return", &call_field);
            if around == "critsec.leave" {
                return;
            }
            let wait = ",\"call\":\"KeWaitForSingleObject\"";
            self.line(7, "import.call", wait);
            self.line(
                7,
                "wait.begin",
                &format!("{wait},\"object\":\"0xbe8cbb5c\",\"timeout_ns\":30000000"),
            );
            self.line(
                7,
                "wait.end",
                &format!("{wait},\"object\":\"0xbe8cbb5c\",\"result\":\"timeout\""),
            );
            self.line(7, "import.return", wait);
        }
    }

    /// One of 24 threads does one of many things to one of 500 objects.
    fn varied(&mut self) {
        let (tid, what) = (self.random.below(24), self.random.below(12));
        let object = format!(",\"object\":\"0x{:08x}\"", 0x82a1_f000 + self.random.below(500) * 24);
        let calls = [
            "KeWaitForSingleObject",
            "KeSetEvent",
            "NtWaitForSingleObjectEx",
            "KeResetEvent",
            "RtlEnterCriticalSection",
        ];
        let call = format!(
            ",\"call\":\"{}\"",
            calls[usize::try_from(self.random.below(5)).expect("small")]
        );
        let sched = format!(
            ",\"priority\":{},\"hw_thread\":{}",
            self.random.below(31),
            self.random.below(6)
        );
        let timeout = self.random.below(90_000_000);
        match what {
            0 => self.line(tid, "import.call", &call),
            1 => self.line(tid, "import.return", &call),
            2 => self.line(tid, "critsec.enter", &object),
            3 => self.line(tid, "critsec.leave", &object),
            4 => self.line(tid, "wait.begin", &format!("{call}{object},\"timeout_ns\":{timeout}")),
            5 => self.line(tid, "wait.begin", &format!("{call}{object}")),
            6 => self.line(tid, "wait.end", &format!("{call}{object},\"result\":\"success\"")),
            7 => self.line(tid, "object.signal", &format!("{call}{object}")),
            8 => self.line(tid, "object.reset", &format!("{call}{object}")),
            9 => self.line(tid, "thread.ready", &sched),
            10 => self.line(tid, "thread.run", &sched),
            _ => self.line(tid, "thread.block", &sched),
        }
    }
}

/// A recording of ours: a loop of waits, or anything.
fn ours(hot: bool) -> String {
    let mut text = "{\"unwedge_trace\":1,\"source\":\"t\",\"now\":1}\n".to_owned();
    let mut random = Random(88_172_645_463_325_252);
    let mut at = 1_000_000_000_000_u64;
    while text.len() < BYTES {
        at += 1000;
        let (agent, object) = if hot { (3, 9) } else { (random.below(24), random.below(500)) };
        let value = if hot { at / 2000 } else { random.below(1_000_000) };
        let what = if hot { at / 1000 % 2 } else { random.below(5) };
        let head = format!("{{\"at\":{at},\"agent\":{agent},");
        let _ = match what {
            0 => writeln!(
                text,
                "{head}\"wait_began\":{{\"call\":\"vkWaitForFences\",\"points\":[{{\"object\":{object},\"value\":{value}}}],\"mode\":\"all\",\"bound\":{{\"ns\":30000000}}}}}}"
            ),
            1 => writeln!(text, "{head}\"wait_ended\":{{\"outcome\":\"timed_out\"}}}}"),
            2 => writeln!(
                text,
                "{head}\"signalled\":{{\"point\":{{\"object\":{object},\"value\":{value}}}}}}}"
            ),
            3 => writeln!(
                text,
                "{head}\"owed\":{{\"point\":{{\"object\":{object},\"value\":\"next\"}},\"after\":null,\"via\":4}}}}"
            ),
            _ => writeln!(
                text,
                "{head}\"state\":{{\"state\":\"running\",\"detail\":\"on cpu\",\"cpu\":3,\"priority\":5}}}}"
            ),
        };
    }
    text
}

fn blocks(text: &[u8]) -> Vec<&[u8]> {
    let (mut blocks, mut rest) = (Vec::new(), text);
    while rest.len() > BLOCK {
        let end = rest[BLOCK..]
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(rest.len(), |n| BLOCK + n + 1);
        let (block, more) = rest.split_at(end);
        blocks.push(block);
        rest = more;
    }
    blocks.push(rest);
    blocks
}

fn measure(name: &str, text: &str, readers: &[(&str, Box<dyn BlockReader>)]) {
    let lines = text.lines().count() as f64;
    let bytes = text.len() as f64 / lines;
    let blocks = blocks(text.as_bytes());
    let count = best(&blocks, lines, |block| {
        std::hint::black_box(memchr::memchr_iter(b'\n', block).count());
    });
    println!("{name}: {bytes:.0} bytes a line; newlines alone {count:.1} ns a line");
    for (name, reader) in readers {
        if !name.contains(&std::env::args().nth(2).unwrap_or_default()) {
            continue;
        }
        let mut complained = 0;
        let mut out = Batch::default();
        let mut scratch = reader.scratch();
        let ns = best(&blocks, lines, |block| {
            let mut complaints = Complaints::default();
            out.rows.clear();
            out.agents.clear();
            out.objects.clear();
            out.names.clear();
            reader.read(block, &mut *scratch, &mut out, &mut complaints);
            complained += complaints.count();
        });
        let ratio = ns / count;
        println!(
            "  {name}: {ns:.1} ns a line, {:.2} GB/s, {ratio:.1} times the newlines, {complained} complaints",
            bytes / ns
        );
    }
}

/// Nanoseconds a line, of each block's best of several turns: other programs run beside this one.
fn best(blocks: &[&[u8]], lines: f64, mut run: impl FnMut(&[u8])) -> f64 {
    let mut times = vec![u128::MAX; blocks.len()];
    for _ in 0..TURNS {
        for (block, time) in blocks.iter().zip(&mut times) {
            let start = Instant::now();
            run(block);
            *time = start.elapsed().as_nanos().min(*time);
        }
    }
    times.iter().sum::<u128>() as f64 / lines
}

fn main() {
    let only = std::env::args().nth(1).unwrap_or_default();
    let guest = Profile::parse(profile::GUEST_KERNEL_TOML).expect("built in");
    type Make = fn(&mut Guest);
    let cases: [(&str, Make); 2] = [("hot", Guest::hot), ("varied", Guest::varied)];
    for (name, make) in cases.iter().filter(|(name, _)| name.contains(&only)) {
        let mut lines = Guest::new();
        while lines.text.len() < BYTES {
            make(&mut lines);
        }
        let readers = [("templates", guest.open()), ("parser", guest.open_without_templates())];
        measure(&format!("guest kernel, {name}"), &lines.text, &readers);
    }
    for (name, hot) in [("ours-hot", true), ("ours-varied", false)] {
        if name.contains(&only) {
            let text = ours(hot);
            let reader = Reader::new(text.as_bytes()).expect("a header");
            let parser = reader.clone().without_templates();
            measure(name, &text, &[("templates", Box::new(reader)), ("parser", Box::new(parser))]);
        }
    }
}
