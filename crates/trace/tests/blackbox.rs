//! Does a black box say what was written, and can bytes that lie do harm?

use std::sync::atomic::{AtomicU64, Ordering};

use unwedge_trace::blackbox::{
    BYTES, Blackbox, Call, FenceCells, HeaderRecord, RING_CALLS, Snapshot, SnapshotError, THREADS,
    text_to_words, words_to_text,
};

/// Memory of a black box, outside any file.
struct Memory(Vec<u64>);

impl Memory {
    fn new() -> Self {
        let memory = Self(vec![0; BYTES / 8]);
        memory.blackbox().format(42, 7, 1_000, 2_000, "vkcube");
        memory
    }

    fn blackbox(&self) -> Blackbox<'_> {
        // SAFETY: BYTES bytes, aligned, borrowed; the views write atomics only.
        unsafe { Blackbox::over(self.0.as_ptr().cast::<u8>().cast_mut()) }
    }

    fn bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|word| word.to_ne_bytes()).collect()
    }
}

fn set(cell: &AtomicU64, word: u64) {
    cell.store(word, Ordering::Relaxed);
}

#[test]
fn what_is_written_is_read() {
    let memory = Memory::new();
    let blackbox = memory.blackbox();
    let thread = &blackbox.threads()[3];
    set(&thread.state, 1);
    set(&thread.tid, 99);
    set(&thread.slot_call, Call::WaitForFences.word());
    set(&blackbox.header().threads_used, 4);
    set(&thread.ring_head, RING_CALLS as u64 + 2);
    for (place, call) in blackbox.ring(3).iter().enumerate() {
        set(&call.at, place as u64 + 1);
    }
    set(&blackbox.queues()[0].submitted, 5);
    set(&blackbox.header().queues_used, 1);
    set(&blackbox.batch(0, 5).sequence, 5);
    blackbox.fences().insert(1, 0x5e, |cells: &FenceCells| set(&cells.arms, 8));
    let read = Snapshot::decode(&memory.bytes()).expect("a black box");
    assert_eq!(read.complaints, Vec::<String>::new());
    assert_eq!((read.header.pid, words_to_text(&read.header.exe).as_str()), (42, "vkcube"));
    assert_eq!(read.threads[0].1.tid, 99);
    assert_eq!((read.calls.len(), read.calls_overwritten), (RING_CALLS, 2));
    assert_eq!(read.batches[0].1.sequence, 5);
    assert_eq!((read.fences[0].handle, read.fences[0].arms), (0x5e, 8));
}

#[test]
fn every_truncation_is_read_or_refused() {
    let bytes = Memory::new().bytes();
    for end in (0..bytes.len()).step_by(100_003).chain(0..600) {
        match Snapshot::decode(&bytes[..end]) {
            Ok(read) => assert!(!read.complaints.is_empty(), "{end} bytes are not all"),
            Err(error) => assert!(matches!(error, SnapshotError::Short { .. }), "{error}"),
        }
    }
}

#[test]
fn hostile_words_are_complained_about_and_never_followed() {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let good = Memory::new().bytes();
    for _ in 0..60 {
        let mut bytes = good.clone();
        // The first three words say that it is a black box; everything else may lie.
        let header = HeaderRecord::WORDS * 8;
        for _ in 0..40 {
            let at = 24 + usize::try_from(random()).expect("64 bits") % (header - 32);
            bytes[at..at + 8].copy_from_slice(&random().to_ne_bytes());
        }
        for _ in 0..2_000 {
            let at =
                header + usize::try_from(random()).expect("64 bits") % (bytes.len() - header - 8);
            bytes[at..at + 8].copy_from_slice(&random().to_ne_bytes());
        }
        let read = Snapshot::decode(&bytes).expect("still a black box");
        assert!(read.threads.len() <= THREADS);
    }
}

#[test]
fn other_files_are_refused() {
    let mut bytes = Memory::new().bytes();
    bytes[0] = b'x';
    assert!(matches!(Snapshot::decode(&bytes), Err(SnapshotError::Magic { .. })));
    let mut bytes = Memory::new().bytes();
    bytes[8] = 9;
    assert!(matches!(Snapshot::decode(&bytes), Err(SnapshotError::Version { found: 9 })));
}

#[test]
fn a_table_finds_what_lives_and_forgets_what_does_not() {
    let memory = Memory::new();
    let fences = memory.blackbox().fences();
    for round in 0..20_000_u64 {
        let handle = 0x1000 + round * 8;
        assert!(fences.insert(1, handle, |_| ()).is_some(), "round {round}");
        assert!(fences.find(1, handle).is_some());
        assert!(fences.find(2, handle).is_none(), "another device's");
        fences.remove(1, handle);
        assert!(fences.find(1, handle).is_none());
    }
}

#[test]
fn a_full_table_refuses_and_does_not_spin() {
    let memory = Memory::new();
    let swapchains = memory.blackbox().swapchains();
    let added = (1..200).filter(|handle| swapchains.insert(1, *handle, |_| ()).is_some()).count();
    assert!(added <= 64, "{added}");
}

#[test]
fn text_is_cut_at_a_character_and_cleaned() {
    let words = text_to_words::<2>("ääääääääää");
    assert_eq!(words_to_text(&words), "ääääääää");
    assert_eq!(words_to_text(&text_to_words::<2>("a\u{1b}[31mb")), "a\u{fffd}[31mb");
}
