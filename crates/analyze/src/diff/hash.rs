//! How are rows mixed into a hash? Fast and without a secret: what differs here differs by accident, not by attack.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Digits of pi, as odd as any.
pub(super) const SEEDS: [u64; 4] =
    [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7345, 0xa409_3822_299f_31d1, 0x082e_fa98_ec4e_6c89];

/// Both halves of the product: each bit of the result depends on every bit of both.
pub(super) fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    // The cast takes the lower half.
    (product as u64) ^ ((product >> 64) as u64)
}

/// A text by its content; 0 for an empty one.
pub(super) fn text(text: &str) -> u64 {
    let mut hash = 0;
    for chunk in text.as_bytes().chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        hash = mix(hash ^ u64::from_le_bytes(word) ^ SEEDS[0], SEEDS[1] ^ chunk.len() as u64);
    }
    hash
}

/// For tables whose keys are our own dense numbers.
pub(super) type QuickMap<K, V> = HashMap<K, V, BuildHasherDefault<Quick>>;

#[derive(Default)]
pub(super) struct Quick(u64);

impl Hasher for Quick {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = mix(self.0 ^ number ^ SEEDS[2], SEEDS[3]);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
