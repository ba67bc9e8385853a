//! What is written is read again; and how fast, how small.
#![allow(clippy::expect_used, reason = "a test may stop at the first surprise")]

use std::time::Instant;

use unwedge_trace::row::{AgentEntry, Batch, Key, NONE, ObjectEntry, Op, Row};
use unwedge_trace::{AgentKind, NEXT, ObjectKind, Timestamp};

use super::*;

/// The loop of the third incident: a lock taken, a wait of 30 ms that times out, the lock released.
fn hot(iterations: usize) -> Batch {
    let mut batch = Batch::default();
    let agent = |tid: u32| AgentEntry {
        key: Key::Number(u64::from(tid)),
        introduced: true,
        kind: AgentKind::GuestThread,
        name: format!("thread {tid}").into(),
        pid: 0,
        tid,
    };
    let object = |handle: u64, kind| ObjectEntry {
        key: Key::Number(handle),
        introduced: true,
        kind,
        handle,
        label: "".into(),
        shared: false,
    };
    batch.agents = vec![agent(7), agent(1)];
    batch.objects = vec![
        object(0x82a1_f000, ObjectKind::Mutex),
        object(0xbe8c_bb5c, ObjectKind::AutoResetEvent),
    ];
    let names = ["RtlEnterCriticalSection", "KeWaitForSingleObject", "RtlLeaveCriticalSection"];
    batch.names = names.map(Into::into).into();
    let mut at = 3_030_000_000_u64;
    let mut random = 12345_u64;
    for _ in 0..iterations {
        let mut push = |step: u64, row: Row| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            at += step + (random >> 40) % (step / 8 + 1);
            batch.rows.push(Row { at, ..row });
        };
        let call = |name| Row { name, ..Row::new(0, 0, Op::Mark) };
        push(300, call(0));
        push(120, Row { object: 0, value: NEXT, ..Row::new(0, 0, Op::Owed) });
        push(80, call(0));
        push(300, call(1));
        let wait = Row {
            object: 1,
            value: NEXT,
            amount: 30_000_000,
            code: 1,
            name: 1,
            ..Row::new(0, 0, Op::WaitBegan)
        };
        push(120, wait);
        push(30_000_000, Row { code: 1, ..Row::new(0, 0, Op::WaitEnded) });
        push(80, call(1));
        push(300, call(2));
        push(120, Row { object: 0, value: NEXT, ..Row::new(0, 0, Op::Signalled) });
        push(80, call(2));
    }
    let _ = NONE;
    batch
}

fn rounds(batch: &Batch, rounds: u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("store");
    let span = batch.rows.last().map_or(0, |row| row.at) - batch.rows[0].at;
    let mut batch = batch.clone();
    let mut wrote = std::time::Duration::ZERO;
    let mut writer = Writer::create(&store, false).expect("a store");
    for _ in 0..rounds {
        let began = Instant::now();
        writer.push(&batch).expect("written");
        wrote += began.elapsed();
        for row in &mut batch.rows {
            row.at += span;
        }
    }
    let began = Instant::now();
    let written = writer.finish("test", Some(Timestamp(1))).expect("written");
    wrote += began.elapsed();
    let per = |time: std::time::Duration| time.as_nanos() as f64 / written.rows as f64;
    let reader = Reader::open(&store).expect("a store");
    let began = Instant::now();
    let mut rows = 0;
    for segment in reader.segments() {
        for batch in segment.batches() {
            rows += batch.expect("no complaint").rows.len() as u64;
        }
    }
    let read = began.elapsed();
    assert_eq!(rows, written.rows);
    println!(
        "{} rows: {:.3} bytes, write {:.1} ns, read {:.1} ns a row",
        rows,
        written.bytes as f64 / rows as f64,
        per(wrote),
        per(read)
    );
    columns_of(&store);
}

fn columns_of(store: &std::path::Path) {
    use parquet::file::reader::FileReader as _;
    let file = std::fs::File::open(store.join("events/00000.parquet")).expect("a file");
    let reader =
        parquet::file::serialized_reader::SerializedFileReader::new(file).expect("Parquet");
    let group = reader.metadata().row_group(0);
    for column in group.columns() {
        println!(
            "  {:8} {:.3} B/row, {:.3} before zstd, {:?}",
            column.column_path().string(),
            column.compressed_size() as f64 / group.num_rows() as f64,
            column.uncompressed_size() as f64 / group.num_rows() as f64,
            column.encodings().collect::<Vec<_>>()
        );
    }
}

#[test]
#[ignore = "a measurement"]
fn measure() {
    rounds(&hot(6554), 128);
}
