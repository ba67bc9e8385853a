//! Can a store whose files lie make its reader panic, or read more than a segment can have?
#![no_main]

#[path = "../../crates/unwedge/src/store/mod.rs"]
#[allow(dead_code, unused_imports, unreachable_pub)]
mod store;

use std::fs;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use unwedge_trace::row::{AgentEntry, Batch, Key, ObjectEntry, Op, Row};

/// The files, each of which may be changed or replaced.
const FILES: [&str; 5] =
    ["events/00000.parquet", "agents.parquet", "objects.parquet", "names.parquet", "manifest.json"];
/// Bytes of one change: place (2), what becomes of the byte.
const STEP: usize = 3;

struct Place {
    folder: tempfile::TempDir,
    /// The files as they were written.
    files: Vec<Vec<u8>>,
}

fn place() -> &'static Place {
    static PLACE: OnceLock<Place> = OnceLock::new();
    PLACE.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let store = folder.path().join("store");
        let mut writer = store::Writer::create(&store, false).expect("a store");
        let rows = |op: Op| {
            let row = Row { object: 0, name: 0, value: 7, amount: 3, ..Row::new(op as u64, 0, op) };
            [row, Row { object2: 0, agent2: 0, value2: 9, code: 2, ..row }]
        };
        let batch = Batch {
            rows: Op::ALL.into_iter().flat_map(rows).collect(),
            agents: vec![AgentEntry::unknown(Key::Number(7))],
            objects: vec![ObjectEntry::unknown(Key::Text("an object".into()))],
            names: vec!["a call".into()],
        };
        writer.push(&batch).expect("written");
        writer.finish("fuzz", None).expect("written");
        let read = |file: &&str| fs::read(store.join(file)).expect("a file");
        let files = FILES.iter().map(read).collect();
        Place { folder, files }
    })
}

fuzz_target!(|data: &[u8]| {
    let Some(([which, how], data)) = data.split_first_chunk() else { return };
    let Place { folder, files } = place();
    let store = folder.path().join("store");
    let which = usize::from(*which) % FILES.len();
    let path = store.join(FILES[which]);
    let mut bytes = files[which].clone();
    if how % 4 == 0 {
        bytes = data.to_vec();
    } else {
        for step in data.chunks_exact(STEP) {
            let at = usize::from(u16::from_le_bytes([step[0], step[1]])) % bytes.len();
            bytes[at] = step[2];
        }
    }
    // With the size that the manifest knows, or else it is not looked into.
    if how % 4 != 3 {
        bytes.resize(files[which].len(), 0);
    }
    fs::write(&path, &bytes).expect("written");
    // Without a manifest, another size is no reason to look away.
    let manifest = store.join(FILES[4]);
    if how & 4 != 0 {
        fs::remove_file(&manifest).expect("it goes");
    }
    if let Ok(reader) = store::Reader::open(&store) {
        let _ = reader.introductions().events();
        let mut rows = 0;
        for batch in reader.segments().iter().flat_map(|segment| segment.batches()).flatten() {
            rows += batch.rows.len();
            let _ = batch.rows.iter().map(|row| batch.event(row, &[])).count();
            // What is true of a hostile segment in the small is true in the large, but takes longer.
            if rows > 1 << 20 {
                break;
            }
        }
    }
    fs::write(&path, &files[which]).expect("written");
    fs::write(&manifest, &files[4]).expect("written");
});
