//! What becomes of a store that is damaged, foreign, or lies? One line for each thing that is wrong, the rest, and
//! never a panic.

use std::fs;

use super::*;

/// Three segments of four rows, with times 1 to 12.
fn three() -> Place {
    let place = Place::new();
    let batches: Vec<Batch> = (0..3)
        .map(|segment| {
            batch((1..=4).map(|at| Row { at: segment * 4 + at, ..full(Op::Owed) }).collect())
        })
        .collect();
    place.write(&batches, 4, 10);
    place
}

/// The times of the rows that are read, losses as negative counts; and the complaints.
fn check(place: &Place, times: &[i64], complaints: &[&str]) {
    let (batches, found) = place.read();
    let time = |row: &Row| {
        if row.op == Op::Lost { -row.amount.cast_signed() } else { row.at.cast_signed() }
    };
    let read: Vec<i64> = batches.iter().flat_map(|batch| &batch.rows).map(time).collect();
    assert_eq!(
        (read.as_slice(), found.iter().map(String::as_str).collect::<Vec<_>>()),
        (times, complaints.to_vec())
    );
}

const ALL: [i64; 12] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
const WITHOUT_SECOND: [i64; 9] = [1, 2, 3, 4, -4, 9, 10, 11, 12];

#[test]
fn a_missing_segment_is_lost_rows() {
    let place = three();
    fs::remove_file(place.store().join("events/00001.parquet")).expect("it goes");
    check(&place, &WITHOUT_SECOND, &["events/00001.parquet: it is missing"]);
    let (batches, _) = place.read();
    assert_eq!(batches[1].rows[0].at, 5, "where the segment began");
}

#[test]
fn a_segment_of_another_store_is_not_read() {
    let place = three();
    let other = Place::new();
    other.write(&[batch(vec![Row::new(1, 0, Op::Mark)])], 4, 10);
    let segment = "events/00001.parquet";
    fs::copy(other.store().join("events/00000.parquet"), place.store().join(segment))
        .expect("a copy");
    let (bytes, written) = (size(&other, "events/00000.parquet"), size(&three(), segment));
    let complaint =
        format!("{segment}: not the file that was written: {bytes} bytes, not {written}");
    check(&place, &WITHOUT_SECOND, &[&complaint]);
    // One that the manifest does not know is left out.
    let place = three();
    fs::copy(
        other.store().join("events/00000.parquet"),
        place.store().join("events/00009.parquet"),
    )
    .expect("a copy");
    check(&place, &ALL, &["events/00009.parquet: not in the manifest.json, left out"]);
}

fn size(place: &Place, file: &str) -> u64 {
    fs::metadata(place.store().join(file)).expect("a file").len()
}

#[test]
fn a_truncated_segment_is_lost_rows() {
    let place = three();
    let path = place.store().join("events/00001.parquet");
    let bytes = fs::read(&path).expect("a file");
    fs::write(&path, &bytes[..bytes.len() / 2]).expect("written");
    let (found, complaints) = place.read();
    assert_eq!(complaints.len(), 1, "{complaints:?}");
    assert!(complaints[0].starts_with("events/00001.parquet: "), "{complaints:?}");
    assert_eq!(
        found.iter().flat_map(|batch| &batch.rows).filter(|row| row.op == Op::Lost).count(),
        1
    );
}

#[test]
fn without_its_manifest_the_segments_are_read() {
    let place = three();
    fs::remove_file(place.store().join("manifest.json")).expect("it goes");
    let complaint = "manifest.json: No such file or directory (os error 2); reading what is in events without it";
    check(&place, &ALL, &[complaint]);
    let reader = Reader::open(&place.store()).expect("a store");
    assert_eq!((reader.header().now, reader.now()), (None, Timestamp(12)));
    // A gap in the numbers is a segment that is missing, and a table is no segment.
    fs::remove_file(place.store().join("events/00001.parquet")).expect("it goes");
    let foreign = "events/00003.parquet";
    fs::copy(place.store().join("names.parquet"), place.store().join(foreign)).expect("a copy");
    let missing = "events/00001.parquet: it is missing";
    let times = [1, 2, 3, 4, -1, 9, 10, 11, 12, -1];
    check(&place, &times, &[complaint, missing, "events/00003.parquet: it has no column at_ns"]);
}

#[test]
fn without_its_tables_what_is_named_is_unknown() {
    let place = three();
    fs::remove_file(place.store().join("agents.parquet")).expect("it goes");
    fs::write(place.store().join("names.parquet"), "PAR1").expect("written");
    let (batches, complaints) = place.read();
    assert_eq!(complaints.len(), 2, "{complaints:?}");
    assert_eq!(complaints[0], "agents.parquet: No such file or directory (os error 2)");
    let unknown = AgentEntry::unknown(Key::Text("agent 0 of the store".into()));
    assert_eq!(batches[0].agents[0], unknown);
    assert_eq!(batches[0].name(batches[0].rows[0].name), "");
}

#[test]
fn another_version_is_not_read() {
    let place = three();
    let path = place.store().join("manifest.json");
    let text = fs::read_to_string(&path).expect("a manifest");
    fs::write(&path, text.replace("\"unwedge_store\": 1", "\"unwedge_store\": 2"))
        .expect("written");
    let error = Reader::open(&place.store()).err().expect("an error").to_string();
    assert!(error.ends_with("store has format version 2, this program reads version 1"), "{error}");
}

#[test]
fn what_is_no_store_is_an_error() {
    let place = Place::new();
    let why = |path: &std::path::Path| Reader::open(path).err().expect("an error").to_string();
    fs::create_dir(place.store()).expect("a folder");
    assert!(why(&place.store()).contains("is not a store of unwedge: it has neither"));
    assert!(
        why(&place.0.path().join("nothing")).ends_with("No such file or directory (os error 2)")
    );
}

#[test]
fn a_manifest_that_lies_leads_nowhere_else() {
    let place = three();
    let path = place.store().join("manifest.json");
    let text = fs::read_to_string(&path).expect("a manifest");
    let secret = place.0.path().join("secret.parquet");
    fs::copy(place.store().join("events/00001.parquet"), secret).expect("a copy");
    fs::write(&path, text.replace("events/00001.parquet", "../secret.parquet")).expect("written");
    let left_out = "events/00001.parquet: not in the manifest.json, left out";
    check(&place, &WITHOUT_SECOND, &[left_out, "../secret.parquet: it is missing"]);
    let huge = format!("\"rows\": {}", u64::MAX);
    fs::write(&path, text.replacen("\"rows\": 4", &huge, 9)).expect("written");
    let (batches, complaints) = place.read();
    assert_eq!(batches.len(), 3, "{complaints:?}");
}

/// Every other byte of every file, wrong (fuzz/ has the rest): complaints or other rows, no panic.
#[test]
fn any_byte_may_be_wrong() {
    let place = Place::new();
    place.write(&[batch((1..=4).map(|at| Row { at, ..full(Op::Owed) }).collect())], 4, 10);
    for file in ["events/00000.parquet", "agents.parquet", "objects.parquet", "names.parquet"] {
        let path = place.store().join(file);
        let before = fs::read(&path).expect("a file");
        for at in (0..before.len()).step_by(2) {
            let mut bytes = before.clone();
            bytes[at] ^= [0xff, 0x10][at / 2 % 2];
            fs::write(&path, &bytes).expect("written");
            let (batches, _) = place.read();
            let rows: usize = batches.iter().map(|batch| batch.rows.len()).sum();
            assert!(rows <= 5, "byte {at} of {file}: {rows} rows");
        }
        fs::write(&path, &before).expect("written");
    }
    check(&place, &[1, 2, 3, 4], &[]);
}
