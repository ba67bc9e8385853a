//! How are many numbers spread? Counts in buckets that are narrower than a hundredth of what they hold.
//!
//! Numbers below 128 have a bucket each; above, every doubling is cut into 128 equal buckets, so that a bucket is never
//! wider than 1/128 of its numbers. Only buckets with something in them take memory. Two histograms of two parts,
//! merged, equal the histogram of the whole.

use serde::{Deserialize, Serialize};

/// Bits of a number that tell its bucket within a doubling.
const SUB_BITS: u32 = 7;
const SUB_COUNT: u64 = 1 << SUB_BITS;

/// The spread of some numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Histogram {
    /// Buckets in ascending order, none empty.
    buckets: Vec<(u16, u64)>,
    count: u64,
    sum: u128,
    min: u64,
    max: u64,
}

impl Histogram {
    /// One of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts a number.
    pub fn add(&mut self, value: u64) {
        self.add_many(value, 1);
    }

    /// Counts a number so many times.
    pub fn add_many(&mut self, value: u64, times: u64) {
        if times == 0 {
            return;
        }
        self.min = if self.count == 0 { value } else { self.min.min(value) };
        self.max = self.max.max(value);
        self.count = self.count.saturating_add(times);
        self.sum = self.sum.saturating_add(u128::from(value) * u128::from(times));
        let bucket = bucket_of(value);
        match self.buckets.binary_search_by_key(&bucket, |(bucket, _)| *bucket) {
            Ok(place) => self.buckets[place].1 = self.buckets[place].1.saturating_add(times),
            Err(place) => self.buckets.insert(place, (bucket, times)),
        }
    }

    /// Adds all that another one has counted.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        self.min = if self.count == 0 { other.min } else { self.min.min(other.min) };
        self.max = self.max.max(other.max);
        self.count = self.count.saturating_add(other.count);
        self.sum = self.sum.saturating_add(other.sum);
        let ours = std::mem::take(&mut self.buckets);
        self.buckets = Vec::with_capacity(ours.len().max(other.buckets.len()));
        let (mut ours, mut theirs) =
            (ours.iter().copied().peekable(), other.buckets.iter().copied().peekable());
        loop {
            let next = match (ours.peek(), theirs.peek()) {
                (Some(a), Some(b)) if a.0 == b.0 => {
                    let both = (a.0, a.1.saturating_add(b.1));
                    ours.next();
                    theirs.next();
                    Some(both)
                }
                (Some(a), Some(b)) if a.0 > b.0 => theirs.next(),
                (Some(_), _) => ours.next(),
                (None, _) => theirs.next(),
            };
            let Some(next) = next else { return };
            self.buckets.push(next);
        }
    }

    /// Memory of the buckets. Bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.buckets.len() * size_of::<(u16, u64)>()
    }

    /// Makes one bucket of each doubling, the middle one: for when there are too many histograms for fine ones.
    pub(crate) fn coarsen(&mut self) {
        let mut coarse: Vec<(u16, u64)> = Vec::new();
        for (bucket, count) in &self.buckets {
            let all = SUB_COUNT as u16;
            let middle = bucket / all * all + all / 2;
            match coarse.last_mut().filter(|(last, _)| *last == middle) {
                Some((_, sum)) => *sum = sum.saturating_add(*count),
                None => coarse.push((middle, *count)),
            }
        }
        coarse.shrink_to_fit();
        self.buckets = coarse;
    }

    /// Whether these are counts of at most so many numbers; one from outside may be anything.
    pub(crate) fn is_sound(&self, most: u64) -> bool {
        let ascending = self.buckets.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let counts = self.buckets.iter().try_fold(0_u64, |sum, (_, count)| sum.checked_add(*count));
        let last = self.buckets.last().is_none_or(|(bucket, _)| *bucket <= bucket_of(u64::MAX));
        ascending
            && last
            && counts == Some(self.count)
            && self.count <= most
            && self.min <= self.max
    }

    /// How many numbers were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their sum.
    #[must_use]
    pub fn sum(&self) -> u128 {
        self.sum
    }

    /// The smallest, exactly.
    #[must_use]
    pub fn min(&self) -> Option<u64> {
        (self.count > 0).then_some(self.min)
    }

    /// The largest, exactly.
    #[must_use]
    pub fn max(&self) -> Option<u64> {
        (self.count > 0).then_some(self.max)
    }

    /// The mean, rounded down.
    #[must_use]
    pub fn mean(&self) -> Option<u64> {
        u64::try_from(self.sum.checked_div(u128::from(self.count))?).ok()
    }

    /// The number that `per_mille` of a thousand are not above (500 for the median), as the middle of its bucket: off by at
    /// most 1/256 of itself. The extremes are exact.
    #[must_use]
    pub fn quantile(&self, per_mille: u32) -> Option<u64> {
        let rank = u128::from(self.count) * u128::from(per_mille.min(1000));
        let rank = rank.div_ceil(1000).max(1);
        if rank >= u128::from(self.count) {
            return self.max();
        }
        let mut seen = 0_u128;
        for (bucket, count) in &self.buckets {
            seen += u128::from(*count);
            if seen >= rank {
                let (low, high) = bounds(*bucket);
                return Some((low + (high - low) / 2).clamp(self.min, self.max));
            }
        }
        self.max()
    }

    /// The median.
    #[must_use]
    pub fn median(&self) -> Option<u64> {
        self.quantile(500)
    }

    /// The buckets that hold something, in ascending order: lowest number, highest number, count.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64, u64)> {
        self.buckets.iter().map(|(bucket, count)| {
            let (low, high) = bounds(*bucket);
            (low, high, *count)
        })
    }
}

fn bucket_of(value: u64) -> u16 {
    let shift = (u64::BITS - value.leading_zeros()).saturating_sub(SUB_BITS + 1);
    // The upper part is 128..=255 from the second doubling on.
    let bucket = u64::from(shift) * SUB_COUNT + (value >> shift);
    // At most 56 * 128 + 255.
    u16::try_from(bucket).unwrap_or(u16::MAX)
}

/// The lowest and the highest number of a bucket.
fn bounds(bucket: u16) -> (u64, u64) {
    let bucket = u64::from(bucket);
    if bucket < 2 * SUB_COUNT {
        return (bucket, bucket);
    }
    let shift = bucket / SUB_COUNT - 1;
    let low = (bucket % SUB_COUNT + SUB_COUNT) << shift;
    (low, low + ((1 << shift) - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[u64]) -> Histogram {
        let mut histogram = Histogram::new();
        values.iter().for_each(|value| histogram.add(*value));
        histogram
    }

    /// Numbers of all sizes, the same in each run.
    fn many(count: u64) -> Vec<u64> {
        let mixed = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (1..=count).map(|n| mixed(n) >> (mixed(n ^ 77) % 64)).collect()
    }

    #[test]
    fn every_number_lies_in_its_narrow_bucket_and_buckets_follow_each_other() {
        let edges = (0..64).flat_map(|bit| [(1_u64 << bit) - 1, 1 << bit, (1 << bit) + 1]);
        for value in edges.chain(many(10_000)).chain([u64::MAX]) {
            let (low, high) = bounds(bucket_of(value));
            assert!(low <= value && value <= high, "{value}: {low}..={high}");
            assert!((high - low).saturating_mul(SUB_COUNT) <= low, "{value}: {low}..={high}");
        }
        for bucket in 0..bucket_of(u64::MAX) {
            assert_eq!(bounds(bucket).1 + 1, bounds(bucket + 1).0, "{bucket}");
        }
    }

    #[test]
    fn quantiles_are_those_of_the_sorted_numbers() {
        let mut values = many(5_000);
        let histogram = of(&values);
        values.sort_unstable();
        for per_mille in [0, 1, 10, 250, 500, 750, 990, 999, 1000] {
            let rank = (5 * per_mille as usize).max(1);
            let exact = values[rank - 1];
            let told = histogram.quantile(per_mille).unwrap();
            assert!(told.abs_diff(exact) <= exact / 256 + 1, "{per_mille}: {told}, not {exact}");
        }
        assert_eq!((histogram.min(), histogram.max()), (Some(values[0]), Some(values[4_999])));
    }

    #[test]
    fn parts_merged_in_any_grouping_are_the_whole() {
        let values = many(900);
        let (a, (b, c)) = (of(&values[..100]), (of(&values[100..101]), of(&values[101..])));
        let mut left = a.clone();
        left.merge(&b);
        left.merge(&c);
        let mut right = b;
        right.merge(&c);
        let mut all = a;
        all.merge(&right);
        all.merge(&Histogram::new());
        assert_eq!(left, of(&values));
        assert_eq!(all, of(&values));
        let mut empty = Histogram::new();
        empty.merge(&all);
        assert_eq!(empty, all);
    }

    #[test]
    fn a_coarse_one_counts_the_same_numbers_and_is_off_by_less_than_a_doubling() {
        let values = many(3_000);
        let (fine, mut coarse) = (of(&values), of(&values));
        coarse.coarsen();
        let told = |histogram: &Histogram| (histogram.count(), histogram.sum(), histogram.max());
        assert_eq!(told(&coarse), told(&fine));
        assert!(coarse.bytes() <= 64 * 16 && coarse.is_sound(3_000) && !coarse.is_sound(2_999));
        for per_mille in [10, 500, 990] {
            let (rough, exact) =
                (coarse.quantile(per_mille).unwrap(), fine.quantile(per_mille).unwrap());
            // The first buckets are those of the numbers below 128.
            let (rough, exact) = (rough.max(128), exact.max(128));
            assert!(rough / 2 <= exact && exact / 2 <= rough, "{per_mille}: {rough}, not {exact}");
        }
        coarse.merge(&fine);
        assert!(coarse.is_sound(6_000));
    }

    #[test]
    fn nothing_has_no_median_and_one_number_is_its_own() {
        let nothing = Histogram::new();
        assert_eq!((nothing.median(), nothing.mean(), nothing.max()), (None, None, None));
        let one = of(&[16_610_000]);
        assert_eq!(
            (one.median(), one.mean(), one.count()),
            (Some(16_610_000), Some(16_610_000), 1)
        );
        assert_eq!(of(&[u64::MAX, u64::MAX]).mean(), Some(u64::MAX));
    }
}
