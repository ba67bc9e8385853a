//! Do small traces have what the large ones are made for? Counted from their text, by nothing that wrote it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::Value;

use super::{Engine, Kind, Wanted, hot, varied};

const EVENTS: u64 = 200_000;
const POLLED: &str = "0xbe8cbb5c";

fn wanted(kind: Kind) -> Wanted {
    let (seed, host_seed) = (1, 1);
    Wanted {
        kind,
        events: EVENTS,
        seed,
        host_seed,
        engine: Engine::Wedging,
        producer_declared: false,
    }
}

fn text(wanted: &Wanted) -> String {
    let mut bytes = Vec::new();
    let written = match wanted.kind {
        Kind::Hot => hot::write(wanted, &mut bytes),
        Kind::Varied => varied::write(wanted, &mut bytes),
    };
    let written = written.expect("a trace");
    assert_eq!((written.lines, written.bytes), (wanted.events, bytes.len() as u64));
    String::from_utf8(bytes).expect("text")
}

/// What a trace comes to, and what no line of it may do.
#[derive(Default)]
struct Counted {
    lines: BTreeMap<u64, u64>,
    kinds: BTreeMap<String, u64>,
    calls: BTreeSet<String>,
    created: BTreeSet<u64>,
    exited: BTreeSet<u64>,
    /// The open wait of each thread.
    waits: BTreeMap<u64, Value>,
    /// The last scheduler's line of each thread.
    states: BTreeMap<u64, String>,
    /// How many waits for an object ended how, and when.
    ends: BTreeMap<(String, String), Vec<u64>>,
    signals: BTreeMap<String, BTreeSet<u64>>,
    signal_count: BTreeMap<String, usize>,
    types: BTreeMap<String, String>,
    held: BTreeMap<String, u64>,
    now: u64,
}

static HOT: LazyLock<Counted> = LazyLock::new(|| Counted::of(&text(&wanted(Kind::Hot))));
static VARIED: LazyLock<String> = LazyLock::new(|| text(&wanted(Kind::Varied)));
static VARIED_COUNTED: LazyLock<Counted> = LazyLock::new(|| Counted::of(&VARIED));

fn word(line: &Value, field: &str) -> String {
    line[field].as_str().unwrap_or_default().to_owned()
}

fn number(line: &Value, field: &str) -> u64 {
    line[field].as_u64().unwrap_or_else(|| panic!("no {field} in {line}"))
}

impl Counted {
    fn of(text: &str) -> Self {
        let mut counted = Self::default();
        for line in text.lines() {
            counted.line(&serde_json::from_str(line).expect("a line of JSON"));
        }
        counted
    }

    fn line(&mut self, line: &Value) {
        let (tid, kind, object) = (number(line, "tid"), word(line, "kind"), word(line, "object"));
        let index = self.lines.entry(tid).or_default();
        assert_eq!(number(line, "tid_event_idx"), *index, "{line}");
        *index += 1;
        let guest_ns = number(line, "guest_ns");
        assert!(guest_ns >= self.now, "{line}");
        self.now = guest_ns;
        assert!(!self.exited.contains(&tid), "{line}");
        *self.kinds.entry(kind.clone()).or_default() += 1;
        self.calls.insert(word(line, "call"));
        let scheduled = kind.starts_with("thread.") || kind == "wait.end";
        assert!(scheduled || !self.waits.contains_key(&tid), "it waits: {line}");
        match kind.as_str() {
            "thread.create" => assert!(self.created.insert(tid), "{line}"),
            "thread.exit" => assert!(self.exited.insert(tid), "{line}"),
            "thread.ready" | "thread.run" | "thread.block" => {
                self.states.insert(tid, kind);
            }
            "object.create" => {
                self.types.insert(object, word(line, "type"));
            }
            "wait.begin" => {
                assert!(!self.held.values().any(|holder| *holder == tid) || object == POLLED);
                self.waits.insert(tid, line.clone());
            }
            "wait.end" => self.wait_ended(tid, guest_ns, line),
            "object.signal" => {
                self.signals.entry(object.clone()).or_default().insert(tid);
                *self.signal_count.entry(object).or_default() += 1;
            }
            "critsec.enter" => assert_eq!(self.held.insert(object, tid), None, "{line}"),
            "critsec.leave" => assert_eq!(self.held.remove(&object), Some(tid), "{line}"),
            _ => {}
        }
    }

    fn wait_ended(&mut self, tid: u64, guest_ns: u64, line: &Value) {
        let began = self.waits.remove(&tid).unwrap_or_else(|| panic!("no wait: {line}"));
        let result = word(line, "result");
        if result == "timeout" {
            assert!(guest_ns - number(&began, "guest_ns") >= number(&began, "timeout_ns"));
        }
        self.ends.entry((word(line, "object"), result)).or_default().push(guest_ns);
    }

    fn ended(&self, object: &str, result: &str) -> &[u64] {
        self.ends.get(&(object.to_owned(), result.to_owned())).map_or(&[], Vec::as_slice)
    }

    fn alive(&self) -> BTreeSet<u64> {
        self.created.difference(&self.exited).copied().collect()
    }
}

#[test]
fn the_hot_trace_is_the_incident_in_small() {
    let counted = &*HOT;
    assert_eq!((counted.alive().len(), counted.exited.len()), (21, 2));
    assert_eq!(counted.waits.len(), 18);
    assert_eq!(counted.kinds["frame.swap"], 6);
    assert!(counted.waits.values().all(|wait| wait["timeout_ns"].is_null()));
    assert_eq!(word(&counted.waits[&1], "object"), "0x10e8");
    assert_eq!(counted.signals["0x10e8"], BTreeSet::from([8]));

    // The poller: 99.7 % of the lines, and every wait is over by its deadline.
    let share = counted.lines[&7] as f64 / EVENTS as f64;
    assert!((0.9965..0.9975).contains(&share), "{share}");
    let polls = counted.ended(POLLED, "timeout").len() as u64;
    assert_eq!(polls, EVENTS * 6_549_579 / 65_691_821);
    assert!(counted.ended(POLLED, "success").is_empty());
    assert!(!counted.signals.contains_key(POLLED));

    // The starved one, and who runs instead.
    assert_eq!(
        (counted.states[&8].as_str(), counted.states[&7].as_str()),
        ("thread.ready", "thread.run")
    );
    assert!(counted.lines[&0] > 50, "few interrupts");
    assert_eq!(counted.kinds["interrupt.begin"], counted.kinds["interrupt.end"]);
}

/// Whoever waits is owed a signal by somebody who waits or starves: the chain leads to the starved thread.
#[test]
fn each_wait_of_the_hot_trace_depends_on_the_starved_thread() {
    let counted = &*HOT;
    let mut stuck = BTreeSet::from([8]);
    loop {
        let depends = counted.waits.iter().filter(|(_, wait)| {
            counted.signals[&word(wait, "object")].iter().all(|tid| stuck.contains(tid))
        });
        let more: BTreeSet<u64> = depends.map(|(tid, _)| *tid).chain([8]).collect();
        if more == stuck {
            break;
        }
        stuck = more;
    }
    assert_eq!(stuck.len(), 19, "{stuck:?}");
}

#[test]
fn a_declared_producer_is_on_every_interrupt() {
    let text = text(&Wanted { producer_declared: true, ..wanted(Kind::Hot) });
    let lines = text.lines().filter(|line| line.contains("\"interrupt.begin\""));
    assert!(lines.clone().count() > 50);
    assert!(lines.clone().all(|line| line.contains(POLLED)));
}

#[test]
fn the_reference_goes_on() {
    let counted = Counted::of(&text(&Wanted { engine: Engine::Reference, ..wanted(Kind::Hot) }));
    assert_eq!((counted.alive().len(), counted.exited.len()), (21, 2));
    assert_eq!(counted.states[&8], "thread.run");
    assert!(counted.ended(POLLED, "timeout").is_empty());
    assert!(!counted.signals.contains_key(POLLED), "that path is not instrumented");
    let ends = counted.ended(POLLED, "success");
    let mut gaps: Vec<u64> = ends.windows(2).map(|pair| pair[1] - pair[0]).collect();
    gaps.sort_unstable();
    let middle = gaps[gaps.len() / 2];
    assert!((16_600_000..16_620_000).contains(&middle), "{middle}");
    assert_eq!(counted.kinds["frame.swap"], ends.len() as u64);
    let woken = counted.ended("0x10e8", "success").len();
    assert_eq!(woken, ends.len(), "tid 1 is woken once a frame");
}

#[test]
fn the_varied_trace_has_a_bit_of_everything() {
    let (text, counted) = (&*VARIED, &*VARIED_COUNTED);
    assert_eq!((counted.created.len(), counted.exited.len()), (24, 1));
    let kinds = "critsec.enter critsec.leave frame.swap import.call import.return interrupt.begin interrupt.end \
         object.create object.reset object.signal thread.block thread.create thread.exit thread.ready thread.run \
         wait.begin wait.end";
    assert_eq!(counted.kinds.keys().map(String::as_str).collect::<Vec<_>>().join(" "), kinds);
    assert!(counted.calls.len() > 200, "{}", counted.calls.len());
    for part in
        ["\"wait\":\"any\"", "\"wait\":\"all\"", "\"result\":\"failed\"", "\"timeout_ns\":0}"]
    {
        assert!(text.contains(part), "{part}");
    }
    let most = counted.lines.values().max().copied().unwrap_or(0);
    assert!(most < EVENTS / 4, "one thread has {most} lines");
    let lengths: BTreeSet<usize> = text.lines().map(str::len).collect();
    assert!(lengths.len() > 100, "{}", lengths.len());
}

/// It is idle at the end: whatever is waited for, a thread that is free has signalled before.
#[test]
fn nobody_is_wedged_in_the_varied_trace() {
    let counted = &*VARIED_COUNTED;
    assert!(!counted.waits.is_empty());
    for (tid, wait) in &counted.waits {
        let several = wait["objects"].as_array().cloned().unwrap_or_default();
        let objects = several.iter().chain([&wait["object"]]).filter_map(Value::as_str);
        for object in objects.filter(|object| counted.types[*object] != "timer") {
            let free = counted.signals[object]
                .iter()
                .any(|tid| counted.alive().contains(tid) && !counted.waits.contains_key(tid));
            assert!(free, "thread {tid} waits for {object}");
        }
    }
    // Each success was signalled. A timer does so by itself, and the first owner of a mutant finds it free.
    for ((object, result), ends) in &counted.ends {
        let kind = counted.types.get(object).map_or("timer", String::as_str);
        if result == "success" && kind != "timer" {
            let signals = counted.signal_count[object] + usize::from(kind == "mutant");
            assert!(ends.len() <= signals, "{kind} {object}: {} of {signals}", ends.len());
        }
    }
    for (tid, state) in &counted.states {
        assert_ne!(state, "thread.ready", "thread {tid} starves");
    }
}

#[test]
fn a_seed_decides_everything_and_the_host_seed_its_times_only() {
    for kind in [Kind::Hot, Kind::Varied] {
        let wanted = Wanted { events: 5000, ..wanted(kind) };
        let first = text(&wanted);
        assert_eq!(first, text(&wanted));
        assert_ne!(first, text(&Wanted { seed: 2, ..wanted.clone() }));
        let other = text(&Wanted { host_seed: 2, ..wanted.clone() });
        assert_ne!(first, other);
        let without_host = |text: &str| {
            let lines = text.lines().map(|line| {
                let mut line: Value = serde_json::from_str(line).expect("a line of JSON");
                line["host_ns"] = Value::Null;
                line.to_string()
            });
            lines.collect::<Vec<_>>()
        };
        assert_eq!(without_host(&first), without_host(&other));
    }
}

#[test]
fn any_size_has_exactly_its_lines() {
    for kind in [Kind::Hot, Kind::Varied] {
        for events in [1000, 1001, 1007, 1013, 4999] {
            let wanted = Wanted { events, ..wanted(kind) };
            assert_eq!(text(&wanted).lines().count() as u64, events);
            text(&Wanted { engine: Engine::Reference, ..wanted });
        }
        let few = Wanted { events: 100, ..wanted(kind) };
        let problem = hot::write(&few, Vec::new()).err().or(varied::write(&few, Vec::new()).err());
        assert!(problem.is_some_and(|problem| problem.contains("too few events")));
    }
}
