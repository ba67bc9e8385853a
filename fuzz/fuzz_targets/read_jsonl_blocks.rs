//! Does the fast reader of recordings read what the slow one reads, whatever the bytes and whatever was learned?
#![no_main]

use libfuzzer_sys::fuzz_target;
use unwedge_readers::jsonl::Reader;
use unwedge_readers::{BlockReader, Complaints};
use unwedge_trace::jsonl;
use unwedge_trace::row::{Batch, BatchBuilder};

const HEADER: &[u8] = b"{\"unwedge_trace\":1,\"source\":\"t\",\"now\":9}\n";

fuzz_target!(|data: &[u8]| {
    // As it comes: most often it has no header.
    let _ = Reader::new(data);
    let input = [HEADER, data].concat();
    let (recording, _) = jsonl::read(&mut &input[..]).expect("it has a header");
    let mut builder = BatchBuilder::default();
    recording.events.iter().for_each(|event| builder.event(event));
    let slow = builder.take();
    let reader = Reader::new(&input).expect("it has a header");
    let parser = reader.clone().without_templates();
    let mut before = None;
    for reader in [parser, reader] {
        let mut scratch = reader.scratch();
        // The second time it knows the lines.
        for _ in 0..2 {
            let (mut batch, mut complaints) = (Batch::default(), Complaints::default());
            let lines = reader.read(&input, &mut *scratch, &mut batch, &mut complaints);
            assert_eq!(batch, slow);
            let said = (lines, complaints);
            assert_eq!(*before.get_or_insert(said.clone()), said);
        }
    }
});
