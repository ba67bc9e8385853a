//! Does a profile make of foreign lines what it says, whatever is on them and whatever was learned before?
#![allow(clippy::expect_used, reason = "a test may stop at the first surprise")]

mod common;

use std::fmt::Write as _;

use common::{Random, guest_line, mutated};
use insta::assert_snapshot;
use unwedge_analyze::{Options, analyze};
use unwedge_readers::profile::{GUEST_KERNEL, GUEST_KERNEL_TOML};
use unwedge_readers::{BlockReader, Complaints, Profile, detect};
use unwedge_trace::row::Batch;
use unwedge_trace::{Recording, Timestamp};

/// Rows, tables and complaints of one block.
fn read(
    reader: &dyn BlockReader,
    scratch: &mut (dyn std::any::Any + Send),
    block: &[u8],
) -> (Batch, Complaints, u64) {
    let (mut batch, mut complaints) = (Batch::default(), Complaints::default());
    let lines = reader.read(block, scratch, &mut batch, &mut complaints);
    (batch, complaints, lines)
}

/// Reads the blocks with the parser alone, with what each block teaches, and with what all of them taught; it must be the same.
fn check_paths(profile: &Profile, blocks: &[Vec<u8>]) {
    let (parser, reader) = (profile.open_without_templates(), profile.open());
    let mut learned = reader.scratch();
    for turn in 0..2 {
        for block in blocks {
            let expected = read(&*parser, &mut *parser.scratch(), block);
            let alone = read(&*reader, &mut *reader.scratch(), block);
            let after = read(&*reader, &mut *learned, block);
            let text = String::from_utf8_lossy(block);
            assert_eq!(alone, expected, "learned from the block itself: {text}");
            assert_eq!(after, expected, "learned from others, turn {turn}: {text}");
            let lines = block.split_inclusive(|byte| *byte == b'\n').count();
            assert_eq!(expected.2, lines as u64);
        }
    }
}

/// What a profile makes of lines: events, the tables, complaints.
fn told(profile: &str, lines: &str) -> String {
    let profile = Profile::parse(profile).expect("a profile");
    let reader = profile.open();
    let (batch, complaints, _) = read(&*reader, &mut *reader.scratch(), lines.as_bytes());
    check_paths(&profile, &[lines.as_bytes().to_vec()]);
    let mut out = String::new();
    for agent in &batch.agents {
        let introduced = if agent.introduced { "is" } else { "may be" };
        let (key, kind, name) = (&agent.key, agent.kind, &agent.name);
        writeln!(out, "agent {key:?} {introduced} {kind:?} {name:?} {}/{}", agent.pid, agent.tid)
            .expect("memory takes it");
    }
    for object in &batch.objects {
        let introduced = if object.introduced { "is" } else { "may be" };
        let (key, kind, label) = (&object.key, object.kind, &object.label);
        writeln!(out, "object {key:?} {introduced} {kind:?} {label:?} {:#x}", object.handle)
            .expect("memory takes it");
    }
    for (row, place) in batch.rows.iter().zip(0..) {
        let more = &batch.rows[place + 1..];
        let count = more.iter().take_while(|row| batch.event(row, &[]).is_none()).count();
        if let Some(event) = batch.event(row, &more[..count]) {
            let code = if row.code & 8 != 0 { " (ends with the next event)" } else { "" };
            writeln!(out, "{} {} {:?}{code}", event.at.0, event.agent.0, event.what)
                .expect("memory takes it");
        }
    }
    for complaint in complaints.first() {
        writeln!(out, "{complaint}").expect("memory takes it");
    }
    out
}

#[test]
fn the_lines_of_a_guest_kernel_become_events() {
    let lines = r#"
{"schema_version":1,"engine":"e","guest_ns":10,"tid":7,"tid_event_idx":1,"kind":"thread.create","name":"poller","priority":17,"hw_thread":2}
{"guest_ns":11,"tid":7,"kind":"object.create","object":"0x10e8","type":"event"}
{"guest_ns":12,"tid":7,"kind":"critsec.enter","object":"0x82a1f000"}
{"guest_ns":13,"tid":7,"kind":"wait.begin","call":"KeWait","object":"0xbe8cbb5c","timeout_ns":30000000}
{"guest_ns":14,"tid":7,"kind":"wait.end","call":"KeWait","object":"0xbe8cbb5c","result":"timeout"}
{"guest_ns":15,"tid":7,"kind":"wait.begin","call":"KeWaitMany","objects":["0x10e8","0xbe8cbb5c"],"wait":"any"}
{"guest_ns":16,"tid":7,"kind":"wait.end","call":"KeWaitMany","result":"success"}
{"guest_ns":17,"tid":7,"kind":"critsec.leave","object":"0x82a1f000"}
{"guest_ns":18,"tid":8,"kind":"object.signal","call":"KeSetEvent","object":"0x10e8"}
{"guest_ns":19,"tid":8,"kind":"object.reset","call":"KeResetEvent","object":"0x10e8"}
{"guest_ns":20,"tid":8,"kind":"thread.ready","priority":0,"hw_thread":2}
{"guest_ns":21,"tid":0,"kind":"interrupt.begin","call":"vsync","object":"0xbe8cbb5c"}
{"guest_ns":22,"tid":0,"kind":"interrupt.end","call":"vsync"}
{"guest_ns":23,"tid":0,"kind":"interrupt.begin","call":"audio"}
{"guest_ns":24,"tid":1,"kind":"frame.swap"}
{"guest_ns":25,"tid":1,"kind":"import.call","call":"VdSwap"}
{"guest_ns":26,"tid":1,"kind":"gpu.unheard_of","call":"VdSwap"}
{"guest_ns":27,"tid":8,"kind":"thread.exit"}
"#;
    assert_snapshot!(told(GUEST_KERNEL_TOML, lines));
}

/// A profile with everything that the guest's does not have.
const OTHER: &str = r#"
name = "other"
[detect]
"args.v" = true
[time]
field = "ts"
unit = "us"
origin = 1000
[agent]
field = "tid"
process = "pid"
fixed = "main"
kind_field = "role"
kind_names = { worker = "task" }
name = "comm"
detail = "why"
[object]
field = "args.obj"
value = "args.seq"
kind = "futex"
kind_field = "args.type"
kinds = { fence = "dma_fence" }
label = "args.label"
[event]
field = "name"
second = "ph"
unknown = "complain"
[wait]
bound = "args.timeout"
bound_unit = "ms"
infinite = [-1, "forever"]
duration = "dur"
duration_unit = "us"
stamp = "begin"
missing_end = "next_event"
result = "args.ret"
results = { 0 = "reached", 110 = "timed_out", true = "reached" }
[events]
"futex/B" = "wait_begin"
"futex/E" = "wait_end"
"futex/X" = { is = "wait", call = "futex_wait" }
"sig*" = "signal"
"sig_quiet*" = "ignore"
"dropped" = { is = "lost", count = "args.n" }
"fail" = "failed_call"
"start" = { is = "introduce_agent", agent = "args.child" }
"log" = { is = "mark", object = "args.about", text = "looked at" }
"sleep" = { is = "state", state = "block" }
"#;

#[test]
fn everything_a_profile_can_say_is_done() {
    let lines = r#"
{"ts":1001.5,"pid":3,"tid":4,"name":"futex","ph":"B","args":{"obj":"0xff","timeout":-1}}
{"ts":1002,"pid":3,"tid":4,"name":"futex","ph":"E","args":{"ret":110}}
{"ts":"1003.25","pid":3,"tid":4,"name":"futex","ph":"X","dur":2.5,"args":{"obj":"lock a","timeout":1.5,"ret":0}}
{"ts":1004,"tid":"render","name":"signal","args":{"obj":9,"seq":77,"type":"fence","label":"not now"}}
{"ts":1005,"name":"sig_quiet_one","args":{"obj":{}}}
{"ts":1006,"name":"dropped","args":{"n":12}}
{"ts":1007,"name":"fail","args":{"ret":-5,"obj":9}}
{"name":"start","args":{"child":5},"pid":3,"comm":"helper","role":"worker"}
{"ts":1008,"tid":5,"pid":3,"name":"log","args":{"about":["0x1","0x2"]}}
{"ts":1009,"tid":5,"pid":3,"name":"sleep","why":"in futex"}
{"ts":1010,"tid":5,"pid":3,"name":"futex","ph":"B","args":{"timeout":"forever"}}
{"ts":1010,"tid":5,"pid":3,"name":"what?"}
{"ts":999,"tid":5,"pid":3,"name":"signal","args":{"obj":1}}
{"ts":1000,"tid":5,"pid":3,"name":"signal","args":{"obj":1.5}}
{"ts":1000,"tid":5,"pid":3,"name":"signal"}
{"ts":1000,"tid":true,"name":"signal","args":{"obj":1}}
{"ts":1001,"tid":5,"pid":3,"name":"futex","ph":"E","args":{"ret":7}}
{"ts":"soon","name":"signal","args":{"obj":1}}
{"name":"signal","args":{"obj":1}}
{"ts":1001}
{"ts":1e400,"name":"signal","args":{"obj":1}}
{"ts":NaN,"name":"signal"}
"#;
    assert_snapshot!(told(OTHER, lines));
}

#[test]
fn what_is_read_does_not_depend_on_what_was_learned() {
    let profile = Profile::parse(GUEST_KERNEL_TOML).expect("built in");
    for seed in 0..30 {
        let mut random = Random::new(seed);
        let block = |random: &mut Random| {
            let mut block = Vec::new();
            for at in 0..80 {
                let line = guest_line(random, 1000 + at);
                block.extend_from_slice(&line);
                for _ in 0..random.below(3) {
                    block.extend(mutated(&line, random));
                }
            }
            if random.below(2) == 0 {
                block.truncate(block.len() - random.below(40));
            }
            block
        };
        let blocks: Vec<Vec<u8>> = (0..3).map(|_| block(&mut random)).collect();
        check_paths(&profile, &blocks);
    }
}

#[test]
fn another_profile_is_read_alike_on_each_path() {
    let profile = Profile::parse(OTHER).expect("a profile");
    for seed in 0..60 {
        let mut random = Random::new(seed);
        let mut blocks = Vec::new();
        for _ in 0..3 {
            let mut block = Vec::new();
            for _ in 0..60 {
                let (ts, n) = (random.below(5000), random.small());
                let names = ["futex", "signal", "dropped", "fail", "start", "log", "sleep", "odd"];
                let (name, ph) = (names[random.below(8)], ["B", "E", "X"][random.below(3)]);
                let line = format!(
                    "{{\"ts\":{ts}.5,\"pid\":{n},\"tid\":4,\"name\":\"{name}\",\"ph\":\"{ph}\",\"dur\":{n},\"flag\":{},\
                     \"args\":{{\"obj\":\"0x{n}\",\"n\":{n},\"ret\":{},\"child\":{n},\"about\":{n},\"type\":\"fence\",\"x\":[{n},{{}}]}}}}\n",
                    n % 2 == 0,
                    [0, 110][n as usize % 2],
                );
                block.extend_from_slice(line.as_bytes());
                block.extend(mutated(line.as_bytes(), &mut random));
            }
            blocks.push(block);
        }
        check_paths(&profile, &blocks);
    }
}

#[test]
fn the_first_line_tells_the_format() {
    let line = r#"{"schema_version":1,"guest_ns":1,"tid":2,"tid_event_idx":1,"kind":"frame.swap"}"#;
    assert_eq!(detect(line.as_bytes()).map(|format| format.name), Some(GUEST_KERNEL.name));
    for other in
        ["", "{}", "text", r#"{"schema_version":2,"guest_ns":1,"tid_event_idx":1,"kind":"x"}"#]
    {
        assert!(!(GUEST_KERNEL.detect)(other.as_bytes()), "{other}");
    }
    let other = Profile::parse(OTHER).expect("a profile");
    assert!(other.detect(b"{\"args\":{\"v\":0}}\nrest"));
    assert!(!other.detect(b"{\"args\":{\"v\":null}}\n"));
}

#[test]
fn a_profile_that_is_wrong_says_where_and_what_was_meant() {
    let with = |from: &str, to: &str| OTHER.replace(from, to);
    let cases = [
        with("bound_unit", "bound_unti"),
        with("[wait]", "[waits]"),
        with("\"us\"\norigin", "\"µs\"\norigin"),
        with("\"lost\", count = \"args.n\"", "\"lost\""),
        with("= \"signal\"", "= \"signals\""),
        with("state = \"block\"", "stat = \"block\""),
        with("state = \"block\"", "state = \"blocked\""),
        with("field = \"ts\"", "field = 7"),
        with("field = \"ts\"", "field = \"a..b\""),
        with("field = \"ts\"", ""),
        with("field = \"tid\"\nprocess = \"pid\"\nfixed = \"main\"", ""),
        with("kind = \"futex\"", "kind = \"futext\""),
        with("0 = \"reached\"", "0 = \"fine\""),
        with("origin = 1000", "origin = -1"),
        with("unit = \"us\"\norigin", "unit = \"ticks\"\norigin"),
        with("name = \"other\"", "name = \"other"),
        with("name = \"other\"", ""),
        OTHER.split("[events]").next().unwrap_or_default().to_owned(),
    ];
    let errors: Vec<String> = cases
        .iter()
        .map(|case| Profile::parse(case).expect_err("a wrong profile").to_string())
        .collect();
    assert_snapshot!(errors.join("\n"));
}

#[test]
fn a_known_line_that_is_too_long_is_skipped() {
    let profile = Profile::parse(GUEST_KERNEL_TOML).expect("built in");
    let line = |call: &str| {
        format!("{{\"guest_ns\":1,\"tid\":1,\"kind\":\"import.call\",\"call\":\"{call}\"}}\n")
    };
    let max = unwedge_readers::LINE_BYTES_MAX + 1;
    let lines =
        [line("a"), line("b"), line(&"c".repeat(max)), line(&"d".repeat(max - line("").len()))];
    let block = lines.concat().into_bytes();
    check_paths(&profile, std::slice::from_ref(&block));
    let reader = profile.open();
    let (batch, complaints, _) = read(&*reader, &mut *reader.scratch(), &block);
    assert_eq!((batch.rows.len(), complaints.count()), (3, 1));
}

/// The blocks of a language in the page about profiles.
fn blocks_of_the_page(language: &str) -> Vec<&'static str> {
    let page = include_str!("../../../docs/profiles.md");
    let blocks = page.split("```").skip(1).step_by(2);
    blocks.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n')).collect()
}

#[test]
fn the_page_about_profiles_tells_the_truth() {
    let profiles = blocks_of_the_page("toml");
    for profile in &profiles {
        Profile::parse(profile).unwrap_or_else(|error| panic!("{error} in {profile}"));
    }
    let lines = blocks_of_the_page("json")[0];
    let reader = Profile::parse(profiles[0]).expect("parsed above").open();
    let (batch, complaints, _) = read(&*reader, &mut *reader.scratch(), lines.as_bytes());
    assert_eq!(complaints.count(), 0, "{complaints:?}");
    assert_snapshot!(told(profiles[0], lines));
    let chrome = Profile::parse(profiles[1]).expect("parsed above");
    assert!(chrome.detect(br#"{"name":"x","ph":"X","ts":1.5,"dur":2,"pid":1,"tid":2}"#));
    // The answer that the page promises.
    let now = Timestamp(20_000_000_000);
    let recording = Recording::new("service", now, batch.events());
    let report = analyze(&recording, &Options { patience_ns: 1_000_000_000 });
    let codes: Vec<&str> = report.findings.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, ["UW001"], "{report:?}");
}

#[test]
fn a_profile_says_whose_clock_the_times_are_of() {
    let virtual_clock =
        |toml: &str| Profile::parse(toml).map(|profile| profile.open().has_virtual_clock());
    assert_eq!(virtual_clock(GUEST_KERNEL_TOML), Ok(true));
    let said = "clock = \"virtual\"";
    assert_eq!(virtual_clock(&GUEST_KERNEL_TOML.replace(said, "clock = \"host\"")), Ok(false));
    assert_eq!(virtual_clock(&GUEST_KERNEL_TOML.replace(said, "")), Ok(false));
    let other = virtual_clock(&GUEST_KERNEL_TOML.replace(said, "clock = \"guest\""));
    assert!(other.expect_err("no such clock").to_string().contains("time.clock"));
}
