//! Does bad input get an answer or a refusal, in bounded time and memory, with the rest of it read?
#![allow(clippy::expect_used, reason = "a test that cannot go on says why")]

mod bounded;

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use bounded::{Given, Told, guest_line, is_answered, run, unwedge};

/// A generator of pseudo-random numbers (xorshift64).
struct Noise(u64);

impl Noise {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 1).unwrap_or(0) % bound.max(1)
    }
}

/// What is done to a sample.
type Mutate = fn(Vec<u8>, &mut Noise) -> Vec<u8>;

fn truncated(mut bytes: Vec<u8>, noise: &mut Noise) -> Vec<u8> {
    bytes.truncate(noise.below(bytes.len()));
    bytes
}

/// Bytes that are `chosen` become others, a few in a hundred.
fn flipped(mut bytes: Vec<u8>, noise: &mut Noise, chosen: fn(u8) -> bool) -> Vec<u8> {
    for byte in &mut bytes {
        if chosen(*byte) && noise.below(40) == 0 {
            *byte = noise.below(256).to_le_bytes()[0];
        }
    }
    bytes
}

/// Puts something in a few places.
fn strewn(bytes: &[u8], noise: &mut Noise, what: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..8 {
        let at = noise.below(bytes.len() + 1);
        bytes.splice(at..at, what.iter().copied());
    }
    bytes
}

fn lines_in(order: fn(&mut Vec<&[u8]>), bytes: &[u8]) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    order(&mut lines);
    lines.join(&b"\n"[..])
}

const MUTATIONS: &[(&str, Mutate)] = &[
    ("nothing", |_, _| Vec::new()),
    ("one byte", |mut bytes, _| {
        bytes.truncate(1);
        bytes
    }),
    ("truncated", truncated),
    ("truncated elsewhere", truncated),
    ("without its beginning", |bytes, noise| {
        let from = noise.below(bytes.len());
        bytes[from..].to_vec()
    }),
    ("digits flipped", |bytes, noise| flipped(bytes, noise, |byte| byte.is_ascii_digit())),
    ("letters flipped", |bytes, noise| flipped(bytes, noise, |byte| byte.is_ascii_alphabetic())),
    ("signs flipped", |bytes, noise| flipped(bytes, noise, |byte| byte.is_ascii_punctuation())),
    ("spaces flipped", |bytes, noise| flipped(bytes, noise, |byte| byte.is_ascii_whitespace())),
    ("anything flipped", |bytes, noise| flipped(bytes, noise, |_| true)),
    ("NULs", |bytes, noise| strewn(&bytes, noise, b"\0")),
    ("an escape", |bytes, noise| strewn(&bytes, noise, b"\x1b[2J\x1b]0;evil\x07")),
    ("text from right to left", |bytes, noise| {
        strewn(&bytes, noise, "\u{202e}\u{2066}".as_bytes())
    }),
    ("a number too large", |bytes, noise| strewn(&bytes, noise, b"99999999999999999999999")),
    ("no UTF-8", |bytes, noise| strewn(&bytes, noise, b"\xff\xc0\x80\xed\xa0\x80")),
    ("doubled", |bytes, _| [&bytes[..], &bytes].concat()),
    ("lines reversed", |bytes, _| lines_in(|lines| lines.reverse(), &bytes)),
    ("lines sorted", |bytes, _| lines_in(|lines| lines.sort_unstable(), &bytes)),
    ("no newline", |mut bytes, _| {
        bytes.iter_mut().filter(|byte| **byte == b'\n').for_each(|byte| *byte = b' ');
        bytes
    }),
];

#[test]
fn a_damaged_sample_of_any_format_is_answered() {
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("page.html");
    let own = [
        bounded::guest_kernel(folder.path()),
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings/deadlock.jsonl"),
    ];
    let damaged = folder.path().join("damaged");
    for (number, path) in bounded::sample_paths().into_iter().chain(own).enumerate() {
        let bytes = fs::read(&path).expect("a sample");
        for (seed, (mutation, mutate)) in MUTATIONS.iter().enumerate() {
            let mut noise = Noise(0x9e37_79b9_7f4a_7c15 ^ (number * 977 + seed * 31 + 1) as u64);
            fs::write(&damaged, mutate(bytes.clone(), &mut noise)).expect("a file");
            let mut explain = unwedge(&["explain", "--html"]);
            let told = run(explain.arg(&page).arg("--").arg(&damaged), Given::Nothing);
            is_answered(&told, &format!("{}, {mutation}", path.display()));
        }
    }
}

#[test]
fn a_damaged_sample_is_imported_and_exported_or_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let (damaged, store) = (folder.path().join("damaged"), folder.path().join("store"));
    let (lines, track) = (folder.path().join("lines"), folder.path().join("track"));
    for (number, path) in bounded::sample_paths().into_iter().enumerate().step_by(5) {
        let bytes = fs::read(&path).expect("a sample");
        for (seed, (mutation, mutate)) in MUTATIONS.iter().enumerate() {
            let mut noise = Noise(0xd134_2543_de82_ef95 ^ (number * 977 + seed * 31 + 1) as u64);
            fs::write(&damaged, mutate(bytes.clone(), &mut noise)).expect("a file");
            let what = format!("{}, {mutation}", path.display());
            let import = unwedge(&["import", "--force"]).arg(&damaged).arg(&store).spawn_told();
            if is_answered(&import, &what) == 2 {
                assert!(!store.exists(), "{what}: half a store is there");
                continue;
            }
            let mut export = unwedge(&["export"]);
            export.arg(&store).arg("--jsonl").arg(&lines).arg("--perfetto").arg(&track);
            assert_eq!(is_answered(&export.spawn_told(), &what), 0, "{what}");
            is_answered(&unwedge(&["explain"]).arg(&lines).spawn_told(), &what);
            fs::remove_dir_all(&store).expect("a store");
        }
    }
}

/// A command without input.
trait SpawnTold {
    fn spawn_told(&mut self) -> Told;
}

impl SpawnTold for std::process::Command {
    fn spawn_told(&mut self) -> Told {
        run(self, Given::Nothing)
    }
}

/// A tenth is enough where nothing is optimised.
const MANY: u64 = if cfg!(debug_assertions) { 200_000 } else { 2_000_000 };
/// Resident memory that no input may take more of. Bytes.
const RESIDENT_MAX: u64 = 512 << 20;
/// Bytes of the text, and of the JSON report, that no input may make more of.
const TEXT_MAX: usize = 256 << 10;
const JSON_MAX: usize = 64 << 20;

type Out<'a> = &'a mut dyn Write;

fn each(out: Out<'_>, count: u64, line: fn(u64) -> String) -> io::Result<()> {
    (0..count).try_for_each(|number| out.write_all(line(number).as_bytes()))
}

fn event(object: u64) -> String {
    format!(",\"object\":{object},\"type\":\"event\",\"call\":\"wait\"")
}

fn lock(object: u64) -> String {
    format!(",\"object\":{object},\"type\":\"critsec\",\"call\":\"enter\"")
}

/// Much later, so that whoever waits has waited for long.
fn later(out: Out<'_>) -> io::Result<()> {
    out.write_all(guest_line(1 << 50, 1 << 30, "interrupt.end", "").as_bytes())
}

/// Everyone holds a lock and wants the next one's; of the last nobody knows who has it.
fn chain(out: Out<'_>) -> io::Result<()> {
    each(out, MANY / 2, |n| guest_line(n, n, "critsec.enter", &lock(n)))?;
    each(out, MANY / 2, |n| guest_line(MANY + n, n, "wait.begin", &lock(n + 1)))?;
    later(out)
}

fn circle(out: Out<'_>) -> io::Result<()> {
    each(out, 90_000, |n| guest_line(n, n, "critsec.enter", &lock(n)))?;
    each(out, 90_000, |n| guest_line(MANY + n, n, "wait.begin", &lock((n + 1) % 90_000)))?;
    later(out)
}

/// All are ready on one processor, and half of them run in between.
fn starved(out: Out<'_>) -> io::Result<()> {
    let place = ",\"hw_thread\":0,\"priority\":3";
    let ready = |n| guest_line(n, n, "thread.ready", ",\"hw_thread\":0,\"priority\":3");
    each(out, 90_000, ready)?;
    (0..45_000).try_for_each(|n| {
        out.write_all(guest_line(1 << 40, 2 * n, "thread.run", place).as_bytes())
    })?;
    later(out)
}

/// Threads that poll in vain, each an event of its own.
fn polls(out: Out<'_>) -> io::Result<()> {
    for round in 0..110 {
        for thread in 0..MANY / 200 {
            let at = round * 1_000_000 + thread;
            let wait = event(thread) + ",\"timeout_ns\":1000";
            out.write_all(guest_line(at, thread, "wait.begin", &wait).as_bytes())?;
            let end = ",\"result\":\"timeout\"";
            out.write_all(guest_line(at + 500_000, thread, "wait.end", end).as_bytes())?;
        }
    }
    out.write_all(guest_line(0, MANY, "frame.swap", "").as_bytes())
}

fn ours(out: Out<'_>, now: u64) -> io::Result<()> {
    writeln!(out, "{{\"unwedge_trace\":1,\"source\":\"test\",\"now\":{now}}}")?;
    let object = r#"{"object":1,"kind":"timeline_semaphore","handle":7,"label":"","shared":false}"#;
    writeln!(out, "{{\"at\":0,\"agent\":1,\"is_object\":{object}}}")
}

/// Waits for values of one timeline that nobody signals; each is reached.
fn unexplained(out: Out<'_>) -> io::Result<()> {
    ours(out, 1 << 50)?;
    for value in (1..=MANY).rev() {
        let wait = format!(
            r#"{{"call":"w","points":[{{"object":1,"value":{value}}}],"mode":"all","bound":"infinite"}}"#
        );
        writeln!(out, "{{\"at\":{value},\"agent\":1,\"wait_began\":{wait}}}")?;
        writeln!(out, "{{\"at\":{value},\"agent\":1,\"wait_ended\":{{\"outcome\":\"reached\"}}}}")?;
    }
    Ok(())
}

/// Debts on high values that stay open, while low ones are reached one after the other; and waiters for all of them.
fn debts(out: Out<'_>) -> io::Result<()> {
    ours(out, 1 << 50)?;
    for value in 1..=4096_u64 {
        let point = format!(r#"{{"object":1,"value":{}}}"#, (1 << 40) + value);
        writeln!(out, "{{\"at\":1,\"agent\":{},\"owed\":{{\"point\":{point}}}}}", 2 + value)?;
    }
    for value in 1..=MANY {
        let point = format!(r#"{{"object":1,"value":{value}}}"#);
        writeln!(out, "{{\"at\":2,\"agent\":1,\"signalled\":{{\"point\":{point}}}}}")?;
    }
    for agent in 0..50_000_u64 {
        let point = format!(r#"{{"object":1,"value":{}}}"#, (1 << 39) + agent);
        let wait = format!(r#"{{"call":"w","points":[{point}],"mode":"all","bound":"infinite"}}"#);
        writeln!(out, "{{\"at\":3,\"agent\":{},\"wait_began\":{wait}}}", 10_000 + agent)?;
    }
    Ok(())
}

/// Names for one object, each said many times.
fn aliases(out: Out<'_>) -> io::Result<()> {
    ours(out, 1 << 50)?;
    for number in 0..MANY {
        let pair = format!(r#"{{"object":{},"same_as":{}}}"#, number % 60_000, number % 60_000 / 2);
        writeln!(out, "{{\"at\":1,\"agent\":1,\"aliased\":{pair}}}")?;
    }
    Ok(())
}

fn goroutines(out: Out<'_>) -> io::Result<()> {
    each(out, MANY / 2, |n| {
        format!(
            "goroutine {} [chan receive, 12 minutes]:\nruntime.chanrecv1(0x{:x}, 0x0)\n\t/go/src/runtime/chan.go:77 \
             +0x25\nmain.worker(0x1?)\n\t/app/shapes.go:18 +0x65\n\n",
            n + 1,
            0x50_c480 + 8 * n
        )
    })
}

fn java_threads(out: Out<'_>) -> io::Result<()> {
    out.write_all(
        b"2026-11-21 08:41:56\nFull thread dump OpenJDK 64-Bit Server VM (17.0.21 mixed mode):\n\n",
    )?;
    each(out, 50_000, |n| {
        let (wanted, held) = (0x6_9ec0_0000 + 16 * ((n + 1) % 50_000), 0x6_9ec0_0000 + 16 * n);
        format!(
            "\"t{n}\" #{n} prio=5 os_prio=0 cpu=0.33ms elapsed=2.38s tid=0x{:016x} nid=0x{:x} waiting for monitor entry  \
             [0x00007fe6f949d000]\n   java.lang.Thread.State: BLOCKED (on object monitor)\n\tat S.a(S.java:14)\n\t- waiting \
             to lock <0x{wanted:016x}> (a java.lang.Object)\n\t- locked <0x{held:016x}> (a java.lang.Object)\n\n",
            0x7fe7_1c00_0000 + 16 * n,
            n + 1000
        )
    })
}

fn kernel_tasks(out: Out<'_>) -> io::Result<()> {
    for number in 0..50_000_u64 {
        let head = format!("[{:5}.{:06}][   T42] ", 443 + number / 1000, number % 1000 * 1000);
        writeln!(out, "{head}INFO: task w{number}:{number} blocked for more than 143 seconds.")?;
        writeln!(
            out,
            "{head}task:w{number} state:D stack:0 pid:{number} tgid:{number} ppid:1 flags:0x00004002"
        )?;
        for frame in ["__schedule", "schedule", "__mutex_lock", "rename_pair", "do_syscall_64"] {
            writeln!(out, "{head} {frame}+0x10/0x200")?;
        }
    }
    Ok(())
}

fn ftrace_tasks(out: Out<'_>) -> io::Result<()> {
    writeln!(out, "# tracer: nop\n#\n#  TASK-PID  TGID  CPU#  |||||  TIMESTAMP  FUNCTION")?;
    each(out, MANY / 2, |n| {
        let (task, next) = (n + 1, n + 2);
        format!(
            "  v{task}-{task} (     41) [000] d..2. {}.{:06}: sched_switch: prev_comm=v{task} prev_pid={task} \
             prev_prio=120 prev_state=R ==> next_comm=v{next} next_pid={next} next_prio=120\n",
            1 + n / 1000,
            n % 1000
        )
    })
}

/// Ids that are numbers and texts, numbers that are none, and names that would redraw the terminal.
fn odd_values(out: Out<'_>) -> io::Result<()> {
    let numbers = [
        "7",
        "\"7\"",
        "-0",
        "1e400",
        "-1",
        "1.5",
        "NaN",
        "18446744073709551616",
        "1180591620717411303424",
        "null",
        "true",
        "[7]",
        "{}",
        "007",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "\"\u{202e}\\u001b[2J\"",
    ];
    for number in numbers {
        for field in ["guest_ns", "tid", "object", "timeout_ns", "hw_thread", "priority"] {
            let mut line =
                guest_line(5, 7, "wait.begin", &(event(8) + ",\"timeout_ns\":9,\"priority\":1"));
            let place = line.find(&format!("\"{field}\":")).map(|at| at + field.len() + 3);
            if let Some(place) = place {
                let end = line[place..].find([',', '}']).expect("a value ends") + place;
                line.replace_range(place..end, number);
            }
            out.write_all(line.as_bytes())?;
        }
    }
    let name = format!("\"name\":\"\\u001b[31m\u{202e}{}\"", "x".repeat(500_000));
    for thread in 0..20 {
        let line = guest_line(9, thread, "thread.create", &format!(",{name}"));
        out.write_all(line.as_bytes())?;
        let wait = event(thread) + ",\"result\":\"success\"";
        out.write_all(guest_line(10, thread, "wait.begin", &wait).as_bytes())?;
    }
    later(out)
}

fn nested(out: Out<'_>) -> io::Result<()> {
    out.write_all(guest_line(1, 1, "object.signal", &event(1)).as_bytes())?;
    let deep = ",\"deep\":".to_owned() + &"[".repeat(500_000) + &"]".repeat(500_000);
    out.write_all(guest_line(2, 1, "object.signal", &(event(1) + &deep)).as_bytes())?;
    let deeper = ",\"deep\":".to_owned() + &"{\"a\":".repeat(200_000);
    out.write_all(guest_line(3, 1, "object.signal", &deeper).as_bytes())
}

/// Writes a crowd's trace.
type Crowd = fn(Out<'_>) -> io::Result<()>;

/// What is written, and the exit status that it has; -1 where any but an error will do.
const CROWDS: &[(&str, Crowd, i32)] = &[
    ("agents", |out| each(out, MANY, |n| guest_line(n, n, "import.x", "")), 0),
    ("objects", |out| each(out, MANY, |n| guest_line(n, n % 100, "object.signal", &event(n))), 0),
    ("texts", |out| each(out, MANY, |n| guest_line(n, n % 100, &format!("text.{n}"), "")), 0),
    (
        "calls",
        |out| {
            each(out, MANY, |n| {
                let call =
                    format!(",\"object\":{},\"type\":\"event\",\"call\":\"call_{n}\"", n % 50);
                guest_line(n, n % 100, "wait.begin", &call)
            })
        },
        -1,
    ),
    ("open waits", |out| each(out, MANY, |n| guest_line(n, n, "wait.begin", &event(n))), -1),
    ("open waits on one", |out| each(out, MANY, |n| guest_line(n, n, "wait.begin", &event(5))), -1),
    (
        "lanes",
        |out| {
            each(out, MANY, |n| {
                guest_line(n, n % 2000, "object.signal", &event(n / 2000 + n % 2000 * 7))
            })
        },
        0,
    ),
    (
        "times backwards",
        |out| {
            each(out, MANY, |n| guest_line((1 << 40) - n, n % 10, "object.signal", &event(n % 10)))
        },
        0,
    ),
    (
        "one time",
        |out| each(out, MANY, |n| guest_line(5, n % 10, "object.signal", &event(n % 10))),
        0,
    ),
    ("chain", chain, -1),
    ("circle", circle, 1),
    ("starved", starved, -1),
    ("polls", polls, -1),
    ("unexplained", unexplained, 0),
    ("debts", debts, -1),
    ("aliases", aliases, 0),
    ("goroutines", goroutines, -1),
    ("java threads", java_threads, 1),
    ("kernel tasks", kernel_tasks, 1),
    ("ftrace tasks", ftrace_tasks, -1),
    ("odd values", odd_values, -1),
    ("nested", nested, 0),
];

#[test]
fn crowds_of_everything_are_answered_within_bounds() {
    let folder = tempfile::tempdir().expect("a folder");
    let json = folder.path().join("report.json");
    for (crowd, write, status) in CROWDS {
        let mut explain = unwedge(&["explain", "-", "--json"]);
        let told = run(explain.arg(&json), Given::Written(*write));
        let found = is_answered(&told, crowd);
        assert!(
            found != 2 && (*status == -1 || found == *status),
            "{crowd}: {found}\n{}",
            told.stderr
        );
        let resident = told.resident >> 20;
        assert!(told.resident <= RESIDENT_MAX, "{crowd}: {resident} MiB resident");
        assert!(told.stdout.len() <= TEXT_MAX, "{crowd}: {} bytes of text", told.stdout.len());
        let report = fs::metadata(&json).expect("a report").len();
        assert!(report <= JSON_MAX as u64, "{crowd}: a report of {report} bytes");
    }
}

#[test]
fn what_is_small_when_compressed_is_not_kept_when_it_is_large() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("zeros");
    let lines = |count| (0..count).map(|n| guest_line(n, 1, "object.signal", &event(1)));
    let zeros = vec![0; 1 << 20];
    let gigabyte = if cfg!(debug_assertions) { 64 } else { 1024 };
    let mut encoder =
        zstd::Encoder::new(fs::File::create(&path).expect("a file"), 1).expect("zstd");
    lines(9).for_each(|line| encoder.write_all(line.as_bytes()).expect("written"));
    (0..gigabyte).for_each(|_| encoder.write_all(&zeros).expect("written"));
    encoder.write_all(b"\n").expect("written");
    lines(9).for_each(|line| encoder.write_all(line.as_bytes()).expect("written"));
    encoder.finish().expect("written");
    let stored = fs::metadata(&path).expect("a file").len();
    assert!(stored < 200 << 10, "{stored} bytes");
    let told = unwedge(&["explain", "--"]).arg(&path).spawn_told();
    assert_eq!(is_answered(&told, "zeros"), 0);
    assert!(told.stderr.contains("line 10: longer than 1048576 bytes, skipped"), "{}", told.stderr);
    assert!(told.stdout.contains("18 events"), "{}", told.stdout);
    assert!(told.resident <= RESIDENT_MAX / 4, "{} MiB resident", told.resident >> 20);
}
