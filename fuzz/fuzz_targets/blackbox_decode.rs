//! Can bytes that lie make the reader of black boxes panic, or read what is not there?
#![no_main]

mod patched;

use libfuzzer_sys::fuzz_target;
use unwedge_trace::blackbox::{Snapshot, THREADS, reader};

fuzz_target!(|data: &[u8]| {
    // As it comes: short, torn, something else.
    let _ = Snapshot::decode(data);
    let _ = reader::header(data);
    let _ = reader::threads(data);
    // As a black box with words that lie.
    patched::with(data, |bytes, _| {
        let Ok(snapshot) = Snapshot::decode(bytes) else { return };
        assert!(snapshot.threads.len() <= THREADS);
        assert!(snapshot.calls.is_sorted_by_key(|(_, call)| call.at));
        assert!(snapshot.batches.is_sorted_by_key(|(queue, batch)| (*queue, batch.sequence)));
    });
});
