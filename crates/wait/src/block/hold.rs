//! How does a hold end? Once, whoever ends it.

use std::fmt;
use std::time::Instant;

use super::Block;

/// One party's hold on a [`Block`]. It ends when it is dropped, also by a panic or because its thread ends.
///
/// It ends once: [`Hold::release`] takes it, so a second release is not a program.
///
/// ```compile_fail,E0382
/// use unwedge_wait::{Block, Bound, Overstay};
///
/// let block = Block::new("renderer", Overstay::Name);
/// let hold = block.hold("display refresh", Bound::from_millis(100));
/// let _ = hold.release();
/// let _ = hold.release(); // error: use of moved value
/// ```
///
/// Nor can it be copied, so that each copy would release:
///
/// ```compile_fail,E0599
/// use unwedge_wait::{Block, Bound, Overstay};
///
/// let block = Block::new("renderer", Overstay::Name);
/// let hold = block.hold("display refresh", Bound::from_millis(100));
/// let another = hold.clone(); // error: no method named `clone`
/// ```
#[must_use = "a hold that is dropped at once holds nothing"]
pub struct Hold {
    block: Block,
    /// `None` once it was released through this value.
    id: Option<u64>,
}

/// Whose act ended a hold?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Released {
    /// This release.
    Now,
    /// The owner's, because the holder had overstayed: what the block protects may have been used since.
    Already,
}

impl Hold {
    pub(super) fn new(block: Block, id: u64) -> Self {
        Self { block, id: Some(id) }
    }

    /// Ends the hold, as dropping it does, and says whether it was still there.
    pub fn release(self) -> Released {
        self.release_at(Instant::now())
    }

    /// [`Hold::release`] at a given time, which decides only whether the holder is said to have overstayed.
    pub fn release_at(mut self, now: Instant) -> Released {
        self.end(now)
    }

    /// Whether it still holds: the owner may have ended it. Somebody who works under a block for long looks now and then.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.id.is_some_and(|id| self.block.has(id))
    }

    /// The block that it holds.
    #[must_use]
    pub const fn block(&self) -> &Block {
        &self.block
    }

    fn end(&mut self, now: Instant) -> Released {
        match self.id.take() {
            Some(id) => self.block.end(id, now),
            None => Released::Already,
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if self.id.is_some() {
            self.end(Instant::now());
        }
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { block, id } = self;
        f.debug_struct("Hold").field("block", &block.name()).field("id", id).finish_non_exhaustive()
    }
}
