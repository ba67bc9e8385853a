//! What is written is read again, whatever has become of the files in between.
#![allow(clippy::expect_used, reason = "a test may stop at the first surprise")]

mod damage;
mod measure;

use std::path::{Path, PathBuf};

use unwedge_trace::row::{
    AgentEntry, Batch, ENDS_WITH_NEXT_EVENT, Key, NONE, ObjectEntry, Op, Row, priority_value,
};
use unwedge_trace::{AgentKind, NEXT, ObjectKind, Timestamp};

use super::segment::Segment;
use super::tables::OTHERS;
use super::*;

/// A folder, and the path of a store in it.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn store(&self) -> PathBuf {
        self.0.path().join("store")
    }

    fn write(&self, batches: &[Batch], segment_rows: u64, entries_max: usize) -> Written {
        let writer = Writer::create(&self.store(), true).expect("a store");
        let mut writer = writer.with_limits(segment_rows, entries_max);
        for batch in batches {
            writer.push(batch).expect("written");
        }
        writer.finish("test", Some(Timestamp(77))).expect("written")
    }

    fn read(&self) -> (Vec<Batch>, Vec<String>) {
        read(&self.store())
    }
}

/// All batches with rows, and all complaints.
fn read(store: &Path) -> (Vec<Batch>, Vec<String>) {
    let reader = Reader::open(store).expect("a store");
    let mut complaints = reader.complaints().to_vec();
    let mut batches = Vec::new();
    for batch in reader.segments().iter().flat_map(Segment::batches) {
        match batch {
            Ok(batch) => batches.push(batch),
            Err(complaint) => complaints.push(complaint),
        }
    }
    (batches, complaints)
}

fn agent(key: u64) -> AgentEntry {
    AgentEntry {
        introduced: true,
        kind: AgentKind::HostThread,
        name: format!("thread {key}").into(),
        pid: 10,
        tid: u32::try_from(key).unwrap_or(0),
        ..AgentEntry::unknown(Key::Number(key))
    }
}

fn object(key: &str) -> ObjectEntry {
    let (kind, handle, label) = (ObjectKind::Fence, u64::MAX - 5, "a \"label\"".into());
    let key = Key::Text(key.into());
    ObjectEntry { introduced: true, kind, handle, label, ..ObjectEntry::unknown(key) }
}

fn batch(rows: Vec<Row>) -> Batch {
    Batch {
        rows,
        agents: vec![agent(7), agent(8)],
        objects: vec![object("7"), object("'7"), object("0x5e")],
        names: vec!["vkWaitForFences".into(), "ünï\ncode".into()],
    }
}

/// A row in which everything that may be is something.
fn full(op: Op) -> Row {
    Row { object: 1, name: 1, object2: 2, agent2: 1, value: 5, value2: 6, ..Row::new(9, 0, op) }
}

/// Rows in terms of what they name, so that tables in another order are the same.
fn told(batches: &[Batch]) -> Vec<String> {
    let key = |key: Option<&Key>| key.map_or("-".to_owned(), |key| format!("{key:?}"));
    let mut told = Vec::new();
    for batch in batches {
        let agent = |place: u32| key(batch.agents.get(place as usize).map(|agent| &agent.key));
        let object = |place: u32| key(batch.objects.get(place as usize).map(|object| &object.key));
        for row in &batch.rows {
            let plain = Row { agent: 0, object: 0, object2: 0, agent2: 0, name: 0, ..*row };
            told.push(format!(
                "{plain:?} {} {} {} {} {:?}",
                agent(row.agent),
                object(row.object),
                object(row.object2),
                agent(row.agent2),
                batch.name(row.name)
            ));
        }
    }
    told
}

#[test]
fn every_row_comes_back_as_it_was() {
    let mut rows = Vec::new();
    for op in Op::ALL {
        rows.push(Row::new(u64::MAX, 1, op));
        rows.push(full(op));
        rows.extend((0..=u8::MAX).map(|code| Row { code, ..full(op) }));
        for number in [0, 1, 1 << 40, u64::MAX - 1, NEXT] {
            let (value, value2, amount) = (number, number, number);
            if op != Op::State {
                rows.push(Row { value, value2, amount, code: 1, ..full(op) });
                rows.push(Row { value, amount, object: NONE, ..full(op) });
            }
        }
    }
    for priority in [None, Some(0), Some(-5), Some(i32::MIN), Some(i32::MAX)] {
        let value = priority_value(priority);
        rows.push(Row { value, amount: 4, object: NONE, value2: 0, ..full(Op::State) });
    }
    // A state's value is a priority.
    for row in rows.iter_mut().filter(|row| row.op == Op::State && row.value == 5) {
        row.value = priority_value(Some(2));
    }
    let written = [batch(rows)];
    let place = Place::new();
    place.write(&written, 1000, 10);
    let (read, complaints) = place.read();
    assert_eq!(told(&read), told(&written));
    assert_eq!(complaints, [""; 0]);
    let entry = read[0].objects.iter().find(|entry| entry.key == object("0x5e").key);
    assert_eq!(entry, Some(&object("0x5e")));
    let header = Reader::open(&place.store()).expect("a store").header().clone();
    let rows = told(&written).len() as u64;
    assert_eq!(
        (header.source.as_str(), header.now, header.rows),
        ("test", Some(Timestamp(77)), rows)
    );
}

#[test]
fn things_are_one_across_batches_and_the_latest_introduction_counts() {
    let place = Place::new();
    let mut first = batch(vec![Row::new(1, 0, Op::Mark)]);
    first.agents = vec![AgentEntry::unknown(Key::Number(8)), agent(7)];
    first.objects[0].shared = true;
    let mut second = batch(vec![Row::new(2, 1, Op::Mark)]);
    second.objects[0].label = "".into();
    second.objects[0].handle = 3;
    let only_named = Batch { agents: vec![agent(9)], ..Batch::default() };
    place.write(&[first, second, only_named], 1, 10);
    let known = Reader::open(&place.store()).expect("a store").introductions();
    assert_eq!(known.agents, [agent(8), agent(7), agent(9)]);
    assert_eq!((known.objects.len(), known.objects[0].shared), (3, true));
    assert_eq!((&*known.objects[0].label, known.objects[0].handle), ("a \"label\"", 3));
    // Each batch that is read names what it needs, and no more.
    let (read, _) = place.read();
    assert_eq!(read.len(), 2);
    assert_eq!((&read[0].agents, &read[1].agents), (&vec![agent(8)], &vec![agent(8)]));
}

#[test]
fn an_event_of_many_rows_is_in_one_batch() {
    let point = |op| Row { object: 0, value: NEXT, name: NONE, ..Row::new(1, 0, op) };
    let mut rows = vec![Row::new(1, 0, Op::Mark); (1 << 16) - 2];
    rows.push(point(Op::WaitBegan));
    rows.extend(std::iter::repeat_n(point(Op::MorePoint), 5));
    rows.push(point(Op::Signalled));
    let place = Place::new();
    place.write(&[batch(rows.clone())], 1 << 20, 10);
    let (read, _) = place.read();
    assert!(read.len() > 1);
    assert!(read.iter().all(|batch| batch.rows[0].op != Op::MorePoint));
    assert_eq!(told(&read), told(&[batch(rows)]));
}

#[test]
fn what_finds_no_room_is_lost_and_counted() {
    let place = Place::new();
    let mut rows = vec![Row::new(1, 0, Op::Progress), Row::new(2, 1, Op::Progress)];
    rows.push(Row { object: 0, ..Row::new(3, 0, Op::Reset) });
    rows.push(Row { object: 2, ..Row::new(4, 0, Op::Reset) });
    let mut written = batch(rows);
    written.objects.swap(1, 2);
    let result = place.write(&[written.clone(), written], 100, 1);
    assert_eq!((result.rows, result.rows_dropped), (8, 4));
    let (read, complaints) = place.read();
    assert_eq!(complaints, [""; 0]);
    let lost: Vec<&Row> = read[0].rows.iter().filter(|row| row.op == Op::Lost).collect();
    assert_eq!(lost.len(), 4);
    assert_eq!((lost[0].at, lost[0].amount), (2, 1));
    assert_eq!(read[0].agents[lost[0].agent as usize].key, Key::Text(OTHERS.into()));
}

#[test]
fn a_summary_is_left_in_every_segment() {
    struct Counts(u8);
    impl Summarise for Counts {
        fn fold(&mut self, batch: &Batch) {
            self.0 += u8::try_from(batch.rows.len()).expect("few rows");
        }
        fn finish_segment(&mut self) -> Vec<u8> {
            vec![0xff, std::mem::take(&mut self.0)]
        }
    }
    let place = Place::new();
    let writer = Writer::create(&place.store(), false).expect("a store");
    let mut writer = writer.with_summaries(Box::new(Counts(0))).with_limits(3, 10);
    for _ in 0..4 {
        writer.push(&batch(vec![Row::new(1, 0, Op::Mark); 2])).expect("written");
    }
    writer.push(&Batch { agents: vec![agent(9)], ..Batch::default() }).expect("written");
    writer.finish("test", None).expect("written");
    let reader = Reader::open(&place.store()).expect("a store");
    let summaries: Vec<_> = reader.segments().iter().map(Segment::summary).collect();
    assert_eq!(summaries, [Some(vec![0xff, 4]), Some(vec![0xff, 4]), Some(vec![0xff, 0])]);
    assert_eq!(reader.header().now, Some(Timestamp(1)));
}

#[test]
fn a_wait_that_ends_with_the_next_event_ends_in_the_events() {
    let place = Place::new();
    let wait = Row { code: ENDS_WITH_NEXT_EVENT, name: 0, ..Row::new(1, 0, Op::WaitBegan) };
    place.write(&[batch(vec![wait, Row::new(2, 1, Op::Lost), Row::new(3, 0, Op::Lost)])], 9, 9);
    let reader = Reader::open(&place.store()).expect("a store");
    let mut told = Vec::new();
    let mut take = |event: &unwedge_trace::Event| {
        told.push(format!("{} {:?}", event.at.0, event.what));
        Ok::<(), ()>(())
    };
    each_event(&reader, &mut |_| {}, &mut take).expect("all taken");
    let told: Vec<&str> =
        told.iter().map(|told| told.split([' ', '{']).nth(1).expect("a word")).collect();
    let events = ["WaitBegan", "Lost", "WaitEnded", "Lost"];
    assert_eq!(told, [&["Agent", "Agent", "Object", "Object", "Object"][..], &events].concat());
}

#[test]
fn nothing_makes_a_store_too() {
    let place = Place::new();
    assert_eq!(place.write(&[], 9, 9).rows, 0);
    assert_eq!(place.read(), (Vec::new(), Vec::new()));
    assert!(place.store().join("events/00000.parquet").is_file());
}

#[test]
fn a_store_that_is_not_finished_leaves_nothing() {
    let place = Place::new();
    let mut writer = Writer::create(&place.store(), false).expect("a store");
    writer.push(&batch(vec![Row::new(1, 0, Op::Mark)])).expect("written");
    drop(writer);
    assert_eq!(std::fs::read_dir(place.0.path()).expect("the folder").count(), 0);
}

#[test]
fn only_a_store_is_replaced() {
    let place = Place::new();
    let create = |replace| Writer::create(&place.store(), replace).map(drop);
    std::fs::create_dir(place.store()).expect("a folder");
    create(false).expect("an empty folder is no store yet");
    std::fs::write(place.store().join("photo"), "").expect("a file");
    assert!(matches!(create(false), Err(StoreError::Occupied(_))));
    assert!(matches!(create(true), Err(StoreError::Foreign(_))));
    std::fs::remove_file(place.store().join("photo")).expect("it goes");
    place.write(&[batch(vec![Row::new(1, 0, Op::Mark)])], 9, 9);
    assert!(matches!(create(false), Err(StoreError::Occupied(_))));
    place.write(&[], 9, 9);
    assert_eq!(place.read().0, []);
    assert_eq!(std::fs::read_dir(place.0.path()).expect("the folder").count(), 1);
}
