//! What does a source miss? Bursts of events that it drops and says so, and kinds of object whose signals it does not see.

use unwedge_trace::ObjectKind;
use unwedge_trace::row::{Op, Row};

use crate::random::Random;

/// How a source sees a world.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sight {
    /// Events that are dropped, of a million.
    pub(crate) lost: u32,
    /// Kinds of object whose signals and debtors are out of its sight.
    pub(crate) blind: Vec<ObjectKind>,
    /// Chance of its own: what is lost changes nothing in the world.
    pub(crate) seed: u64,
}

/// Events that are dropped in a row, at most.
const BURST_MAX: u64 = 15;

/// Leaves out what a source misses.
#[derive(Clone, Debug)]
pub(crate) struct Lossy {
    sight: Sight,
    random: Random,
    /// Events that are still to be dropped.
    burst: u64,
    /// The last event was left out, and so are its further rows.
    left_out: bool,
}

impl Lossy {
    /// `None` for a source that misses nothing.
    pub(crate) fn of(sight: &Sight) -> Option<Self> {
        let misses = sight.lost > 0 || !sight.blind.is_empty();
        let random = Random::new(sight.seed ^ 0x6c6f_7373_7921_6c6f);
        misses.then(|| Self { sight: sight.clone(), random, burst: 0, left_out: false })
    }

    /// Leaves out of the rows what is missed; `kind` says what an object is.
    pub(crate) fn pass(&mut self, rows: &mut Vec<Row>, kind: impl Fn(u32) -> Option<ObjectKind>) {
        let all = std::mem::take(rows);
        for row in all {
            if matches!(row.op, Op::MorePoint | Op::MoreObject) {
                if !self.left_out {
                    rows.push(row);
                }
                continue;
            }
            if self.burst == 0 && self.begins() {
                self.burst = self.random.between(1, BURST_MAX);
                // The place is where the first of them was.
                rows.push(Row { amount: self.burst, ..Row::new(row.at, row.agent, Op::Lost) });
            }
            let dropped = self.burst > 0;
            self.burst = self.burst.saturating_sub(1);
            let tells_who = matches!(row.op, Op::Signalled | Op::Owed);
            let unseen =
                tells_who && kind(row.object).is_some_and(|k| self.sight.blind.contains(&k));
            self.left_out = dropped || unseen;
            if !self.left_out {
                rows.push(row);
            }
        }
    }

    /// Whether a burst begins: so often that the share comes out, with bursts of their mean length.
    fn begins(&mut self) -> bool {
        let mean = BURST_MAX.div_ceil(2);
        let share = u64::from(self.sight.lost);
        let of = mean * 1_000_000_u64.saturating_sub(share).max(1);
        self.random.below(of) < share
    }
}

#[cfg(test)]
mod tests {
    use unwedge_trace::ObjectKind;
    use unwedge_trace::row::{Op, Row};

    use super::{Lossy, Sight};

    fn events(count: u64) -> Vec<Row> {
        let event = |at| {
            let first = Row { object: 0, ..Row::new(at, 0, Op::WaitBegan) };
            [first, Row { op: Op::MorePoint, ..first }, Row { op: Op::Signalled, ..first }]
        };
        (0..count).flat_map(event).collect()
    }

    #[test]
    fn what_is_lost_is_told_and_events_stay_whole() {
        let sight = Sight { lost: 50_000, seed: 7, ..Sight::default() };
        let mut rows = events(10_000);
        Lossy::of(&sight).unwrap().pass(&mut rows, |_| None);
        let of = |op| rows.iter().filter(|row| row.op == op).count();
        assert_eq!(of(Op::WaitBegan), of(Op::MorePoint));
        let lost: u64 = rows.iter().filter(|row| row.op == Op::Lost).map(|row| row.amount).sum();
        let missing = 20_000 - (of(Op::WaitBegan) + of(Op::Signalled)) as u64;
        assert!(lost.abs_diff(missing) < super::BURST_MAX, "{lost} told, {missing} missing");
        assert!((800..1200).contains(&lost), "{lost} of 20000 are not 5 %");
    }

    #[test]
    fn signals_of_a_kind_that_is_out_of_sight_are_left_out_without_a_word() {
        let sight = Sight { blind: vec![ObjectKind::Fence], ..Sight::default() };
        let mut rows = events(10);
        Lossy::of(&sight).unwrap().pass(&mut rows, |_| Some(ObjectKind::Fence));
        assert_eq!(rows.len(), 20);
        assert!(rows.iter().all(|row| !matches!(row.op, Op::Signalled | Op::Lost)));
        assert!(Lossy::of(&Sight::default()).is_none());
    }
}
