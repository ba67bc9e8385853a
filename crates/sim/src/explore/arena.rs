//! Where do things lie that are numbered from 0 and never go away? In blocks, so that growing copies nothing.

/// Things to a block, but for the first, which begins small.
const BLOCK: usize = 1 << BLOCK_BITS;
const BLOCK_BITS: u32 = 12;

/// Things, by number.
pub(super) struct Arena<T> {
    blocks: Vec<Vec<T>>,
    len: u32,
}

impl<T> Arena<T> {
    pub(super) fn new() -> Self {
        Self { blocks: vec![Vec::new()], len: 0 }
    }

    /// How many there are; the number of the next.
    pub(super) fn len(&self) -> u32 {
        self.len
    }

    pub(super) fn push(&mut self, value: T) {
        let block = (self.len >> BLOCK_BITS) as usize;
        if block == self.blocks.len() {
            self.blocks.push(Vec::with_capacity(BLOCK));
        }
        self.blocks[block].push(value);
        self.len += 1;
    }

    /// The thing of a number that was given out.
    pub(super) fn get(&self, number: u32) -> &T {
        &self.blocks[(number >> BLOCK_BITS) as usize][number as usize & (BLOCK - 1)]
    }

    /// Bytes that they take, room for more included; without what each points at.
    pub(super) fn bytes(&self) -> u64 {
        bytes_for::<T>(u64::from(self.len))
    }
}

/// Bytes that so many things take.
pub(super) fn bytes_for<T>(count: u64) -> u64 {
    let block = BLOCK as u64;
    // The first block doubles as it grows; vectors begin with four.
    let room = if count == 0 {
        0
    } else if count < block {
        count.next_power_of_two().max(4)
    } else {
        count.next_multiple_of(block)
    };
    room * size_of::<T>() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_keep_their_numbers() {
        let mut arena = Arena::new();
        for number in 0..10_000u32 {
            assert_eq!(arena.len(), number);
            arena.push(number * 3);
        }
        assert!((0..10_000).all(|number| *arena.get(number) == number * 3));
    }

    #[test]
    fn bytes_are_what_the_blocks_take() {
        let mut arena = Arena::new();
        for number in 0..9000u64 {
            arena.push(number);
            let taken: usize = arena.blocks.iter().map(Vec::capacity).sum();
            assert_eq!(arena.bytes(), 8 * taken as u64, "{number}");
        }
    }
}
