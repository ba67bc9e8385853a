//! Which names are said to be one object? Each pair once, in the order in which they were told.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

/// Pairs that are kept.
const ALIASES_MAX: usize = 1 << 16;

/// Pairs of names, as places in the table of objects.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Aliases {
    pairs: Vec<(u32, u32)>,
    /// Made when it is first needed.
    #[serde(skip)]
    known: HashSet<(u32, u32)>,
}

impl PartialEq for Aliases {
    fn eq(&self, other: &Self) -> bool {
        self.pairs == other.pairs
    }
}

impl Aliases {
    /// Takes in a pair.
    pub(super) fn add(&mut self, object: u32, same_as: u32) {
        if self.pairs.len() >= ALIASES_MAX {
            return;
        }
        if self.known.len() != self.pairs.len() {
            self.known = self.pairs.iter().copied().collect();
        }
        if self.known.insert((object, same_as)) {
            self.pairs.push((object, same_as));
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.pairs.iter().copied()
    }

    /// The same in terms of other tables; a pair of which a name is gone goes too.
    pub(super) fn relocated(&self, place: impl Fn(u32) -> Option<u32>) -> Self {
        let mut all = Self::default();
        for (object, same_as) in self.iter() {
            if let (Some(object), Some(same_as)) = (place(object), place(same_as)) {
                all.add(object, same_as);
            }
        }
        all
    }
}
