//! A whole black box from a few bytes: an empty one, with the words that the bytes name replaced.

use std::cell::RefCell;

use unwedge_trace::blackbox::{BYTES, Blackbox, HEADER_WORDS, SECTIONS, SHAPES, section_offset};

/// Bytes of one replacement: section, place in it (2), field, what the word is, its value (2).
const STEP: usize = 7;
/// What the other words are near: a moment ten seconds ago.
const NOW: u64 = 1_000_000_000_000;

thread_local! {
    static MEMORY: RefCell<Vec<u64>> = RefCell::new(empty());
}

fn empty() -> Vec<u64> {
    let memory = vec![0_u64; BYTES / 8];
    // SAFETY: BYTES bytes, aligned; nobody else has the memory.
    let blackbox = unsafe { Blackbox::over(memory.as_ptr().cast::<u8>().cast_mut()) };
    blackbox.format(42, 7, 1_000, 2_000, "patient");
    memory
}

/// Shows the box to `look`, with the bytes that name no whole replacement, and restores it.
pub fn with(data: &[u8], look: impl FnOnce(&[u8], &[u8])) {
    MEMORY.with_borrow_mut(|memory| {
        let steps = data.chunks_exact(STEP);
        let rest = steps.remainder();
        let mut before = Vec::new();
        for step in steps {
            let place = place(step);
            before.push((place, memory[place]));
            memory[place] = word(step[4], u16::from_le_bytes([step[5], step[6]]));
        }
        // SAFETY: any words are bytes, and nothing writes them meanwhile.
        let bytes = unsafe { std::slice::from_raw_parts(memory.as_ptr().cast(), BYTES) };
        look(bytes, rest);
        before.into_iter().rev().for_each(|(place, word)| memory[place] = word);
    });
}

/// The word that a replacement is about; the first three say that it is a black box at all.
fn place(step: &[u8]) -> usize {
    let record = usize::from(u16::from_le_bytes([step[1], step[2]]));
    let section = usize::from(step[0]) % (SECTIONS + 1);
    if section == SECTIONS {
        return 3 + (record * 256 + usize::from(step[3])) % (HEADER_WORDS - 3);
    }
    let (count, words) = SHAPES[section];
    section_offset(section) + record % count * words + usize::from(step[3]) % words
}

/// Small numbers, handles, moments and limits, from few bytes.
fn word(kind: u8, value: u16) -> u64 {
    let value = u64::from(value);
    match kind % 8 {
        0 | 1 => value & 0xff,
        2 => 0x50 + (value & 7),
        3 => NOW - value * 1_000_000,
        4 => NOW + value * 1_000_000,
        5 => u64::MAX - value,
        6 => value << (value & 63),
        _ => value.wrapping_mul(0x9e37_79b9_7f4a_7c15),
    }
}
