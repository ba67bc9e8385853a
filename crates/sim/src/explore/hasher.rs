//! Where in the index does a state belong? A hash that packs small fields before it mixes them.
//!
//! States are compared in full, so a bad hash costs time and never an answer. It is the same on every machine and run.

use std::hash::{Hash, Hasher};

/// The golden ratio's and pi's first bits: odd, and without a pattern.
const FIRST: u64 = 0x9e37_79b9_7f4a_7c15;
const SECOND: u64 = 0x2436_a885_a308_d313 | 1 << 63;

/// The hash of a state.
pub(super) fn hash_of<S: Hash>(state: &S) -> u64 {
    let mut hasher = Packed { mixed: SECOND, word: 0, bits: 0 };
    state.hash(&mut hasher);
    hasher.finish()
}

/// Fields of a few bits are collected into a word; a full word is mixed in with one multiplication.
struct Packed {
    mixed: u64,
    word: u64,
    bits: u32,
}

/// Both halves of the product: each bit of the result depends on all bits.
#[inline]
fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ (product >> 64) as u64
}

impl Packed {
    #[inline]
    fn push(&mut self, value: u64, bits: u32) {
        if self.bits + bits > 64 {
            self.mixed = mix(self.mixed ^ self.word, FIRST);
            self.word = value;
            self.bits = bits;
        } else {
            // Never 64 or more: a word with something in it has no room for another.
            self.word |= value << (self.bits & 63);
            self.bits += bits;
        }
    }
}

impl Hasher for Packed {
    #[inline]
    fn finish(&self) -> u64 {
        mix(mix(self.mixed ^ self.word, FIRST), SECOND)
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            // Cannot fail: the pieces have eight bytes.
            self.push(word.try_into().map_or(0, u64::from_le_bytes), 64);
        }
        for byte in words.remainder() {
            self.push(u64::from(*byte), 8);
        }
    }

    #[inline]
    fn write_u8(&mut self, value: u8) {
        self.push(u64::from(value), 8);
    }

    #[inline]
    fn write_u16(&mut self, value: u16) {
        self.push(u64::from(value), 16);
    }

    #[inline]
    fn write_u32(&mut self, value: u32) {
        self.push(u64::from(value), 32);
    }

    #[inline]
    fn write_u64(&mut self, value: u64) {
        self.push(value, 64);
    }

    /// Lengths, and which variant of an enumeration: small as a rule.
    #[inline]
    fn write_usize(&mut self, value: usize) {
        let value = value as u64;
        self.push(value, if value < 256 { 8 } else { 64 });
    }

    #[inline]
    fn write_isize(&mut self, value: isize) {
        self.write_usize(value.cast_unsigned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn equal_states_hash_equally_and_others_as_a_rule_do_not() {
        let state = |number: u32| (number as u8, [number >> 8, 7], Some(number % 3), true);
        let hashes: HashSet<u64> = (0..100_000).map(|number| hash_of(&state(number))).collect();
        assert_eq!(hashes.len(), 100_000);
        assert_eq!(hash_of(&state(17)), hash_of(&state(17)));
    }

    /// The index uses the low bits, and the top ones for the shard.
    #[test]
    fn low_and_high_bits_are_spread_evenly() {
        for shift in [0, 60] {
            let mut counts = [0u32; 16];
            for number in 0..16_000u64 {
                counts[(hash_of(&number) >> shift & 15) as usize] += 1;
            }
            assert!(counts.iter().all(|count| (850..1150).contains(count)), "{counts:?}");
        }
    }

    #[test]
    fn every_width_counts() {
        let hashes = [
            hash_of(&1u8),
            hash_of(&2u16),
            hash_of(&3u32),
            hash_of(&4u64),
            hash_of(&5usize),
            hash_of(&6isize),
            hash_of(&700usize),
            hash_of(&[8u8; 11]),
            hash_of(&[8u8; 12]),
        ];
        assert_eq!(hashes.iter().collect::<HashSet<_>>().len(), hashes.len());
    }
}
