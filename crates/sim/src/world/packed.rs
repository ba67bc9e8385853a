//! How does the explorer keep a state of a world? As bytes of a fixed size that are compared and hashed word by word.

use std::hash::{Hash, Hasher};
use std::ops::{Deref, DerefMut};

/// A state. `BYTES` is at least what a state of its world has; the rest is 0. Multiples of 8 are fastest.
#[derive(Clone, Copy, Debug)]
pub struct Packed<const BYTES: usize>([u8; BYTES]);

impl<const BYTES: usize> Packed<BYTES> {
    /// These bytes, of which there must be no more than `BYTES`.
    pub(super) fn new(bytes: &[u8]) -> Self {
        let mut packed = [0; BYTES];
        packed[..bytes.len()].copy_from_slice(bytes);
        Self(packed)
    }
}

impl<const BYTES: usize> Deref for Packed<BYTES> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl<const BYTES: usize> DerefMut for Packed<BYTES> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

/// Without a call for each pair, which is what comparing arrays costs.
impl<const BYTES: usize> PartialEq for Packed<BYTES> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        let ((words, rest), (others, other_rest)) =
            (self.0.as_chunks::<8>(), other.0.as_chunks::<8>());
        let differs = |(word, other): (&[u8; 8], &[u8; 8])| {
            u64::from_le_bytes(*word) ^ u64::from_le_bytes(*other)
        };
        let differing = words.iter().zip(others).map(differs).fold(0, |all, one| all | one);
        differing == 0 && rest == other_rest
    }
}

impl<const BYTES: usize> Eq for Packed<BYTES> {}

impl<const BYTES: usize> Hash for Packed<BYTES> {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        let (words, rest) = self.0.as_chunks::<8>();
        words.iter().for_each(|word| state.write_u64(u64::from_le_bytes(*word)));
        state.write(rest);
    }
}

#[cfg(test)]
mod tests {
    use super::Packed;

    #[test]
    fn every_byte_counts() {
        let plain = Packed::<21>::new(&[7; 21]);
        assert_eq!(plain, Packed::<21>::new(&[7; 21]));
        for at in 0..21 {
            let mut other = plain;
            other[at] = 8;
            assert_ne!(plain, other, "{at}");
        }
    }
}
