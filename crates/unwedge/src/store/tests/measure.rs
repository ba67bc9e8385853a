//! How small is a store, and how fast is it written and read? `cargo test --release -p unwedge --bin unwedge measure --
//! --ignored --nocapture`

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::*;

/// Time on a processor: other programs do not count.
fn busy() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().expect("a time since the thread began")
}

/// A stream of numbers, always the same.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// The loop of an emulator's poller: a lock taken, a wait of 30 ms that times out, the lock released: ten rows.
fn hot(iterations: usize) -> Batch {
    let mut batch = batch(Vec::new());
    let mut random = Random(12345);
    let mut at = 3_030_000_000;
    for _ in 0..iterations {
        let mut push = |step: u64, row: Row| {
            at += step + random.below(step / 8 + 1);
            batch.rows.push(Row { at, ..row });
        };
        let call = |name| Row { name, ..Row::new(0, 0, Op::Mark) };
        let lock = |op| Row { object: 0, value: NEXT, ..Row::new(0, 0, op) };
        let wait = Row { amount: 30_000_000, code: 1, name: 1, object: 1, ..lock(Op::WaitBegan) };
        push(300, call(0));
        push(120, lock(Op::Owed));
        push(80, call(0));
        push(300, call(1));
        push(120, wait);
        push(30_000_000, Row { code: 1, ..Row::new(0, 0, Op::WaitEnded) });
        push(80, call(1));
        push(300, call(0));
        push(120, lock(Op::Signalled));
        push(80, call(0));
    }
    batch
}

/// Sixty-four agents and two thousand objects, at random.
fn varied(rows: usize) -> Batch {
    let mut random = Random(54321);
    let mut at = 0;
    let agents = (0..64).map(agent).collect();
    let objects = (0..2000).map(|number| object(&number.to_string())).collect();
    let names = (0..200).map(|number| format!("call {number}").into()).collect();
    let mut row = |_| {
        at += random.below(20_000);
        let mut number = |bound: u64| u32::try_from(random.below(bound)).unwrap_or(0);
        let (agent, object, name, choice) = (number(64), number(2000), number(200), number(5));
        let row = |op| Row::new(at, agent, op);
        match choice {
            0 => Row { object, name, value: NEXT, ..row(Op::WaitBegan) },
            1 => row(Op::WaitEnded),
            2 => Row { object, value: at / 1000, ..row(Op::Signalled) },
            3 => Row { code: 1, amount: u64::from(number(8)), ..row(Op::State) },
            _ => Row { name, ..row(Op::Mark) },
        }
    };
    let rows = (0..rows).map(&mut row).collect();
    Batch { rows, agents, objects, names }
}

fn measure(name: &str, mut batch: Batch, rounds: u64) {
    let place = Place::new();
    let span = batch.rows.last().map_or(0, |row| row.at) - batch.rows[0].at;
    let mut writer = Writer::create(&place.store(), false).expect("a store");
    let mut wrote = Duration::ZERO;
    for _ in 0..rounds {
        let began = busy();
        writer.push(&batch).expect("written");
        wrote += busy() - began;
        batch.rows.iter_mut().for_each(|row| row.at += span);
    }
    let began = busy();
    let written = writer.finish("test", None).expect("written");
    wrote += busy() - began;
    let reader = Reader::open(&place.store()).expect("a store");
    let began = busy();
    let batches = reader.segments().iter().flat_map(Segment::batches);
    let rows: usize = batches.map(|batch| batch.expect("no complaint").rows.len()).sum();
    let read = busy() - began;
    assert_eq!(rows as u64, written.rows);
    let per_row = |time: Duration| time.as_nanos() as f64 / rows as f64;
    println!(
        "{name}: {rows} rows, {:.2} bytes, {:.0} ns to write, {:.0} ns to read a row",
        written.bytes as f64 / rows as f64,
        per_row(wrote),
        per_row(read)
    );
}

#[test]
#[ignore = "a measurement"]
fn measure_hot_and_varied() {
    measure("hot", hot(6554), 128);
    measure("varied", varied(65_540), 128);
}
