//! Which duties of an object are open? Those on numbered values above the highest one reached.

use serde::{Deserialize, Serialize};

use super::object::Debt;

/// Debts of one object that are followed.
const DEBTS_MAX: usize = 4096;

/// Debts in the order in which they were taken on.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Debts {
    open: Vec<Debt>,
    /// No open debt is on a lower value: most values that are reached end none, and need no look at them. 0 is always true.
    #[serde(skip)]
    lowest: u64,
}

impl PartialEq for Debts {
    fn eq(&self, other: &Self) -> bool {
        self.open == other.open
    }
}

impl Debts {
    /// Takes in one, if there is room.
    pub(super) fn push(&mut self, debt: Debt) {
        if self.open.len() >= DEBTS_MAX {
            return;
        }
        self.lowest = if self.open.is_empty() { debt.value } else { self.lowest.min(debt.value) };
        if self.open.is_empty() {
            self.open.reserve_exact(1);
        }
        self.open.push(debt);
    }

    /// Every value up to this one is reached.
    pub(super) fn reached(&mut self, value: u64) {
        if self.open.is_empty() || value < self.lowest {
            return;
        }
        self.open.retain(|debt| debt.value > value);
        self.lowest = self.open.iter().map(|debt| debt.value).min().unwrap_or(0);
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, Debt> {
        self.open.iter()
    }

    pub(super) fn iter_mut(&mut self) -> std::slice::IterMut<'_, Debt> {
        self.open.iter_mut()
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// Keeps the first ones.
    pub(super) fn truncate(&mut self, most: usize) {
        self.open.truncate(most);
        self.open.shrink_to_fit();
    }
}
