//! What does a rhythm look like, in words?

use super::lane::Lane;
use crate::histogram::Histogram;
use crate::report::Bucket;
use crate::words::duration;

/// Fewer gaps than these have no shape.
const GAPS_MIN: u64 = 7;
/// A rhythm is steady if the middle four fifths of its gaps lie within so much of the median, in percent.
const STEADY_PERCENT: u64 = 10;
/// Refresh rates of displays in hertz (VESA's and television's), and how far off a rhythm may be: 1.5 %.
const REFRESH_HZ: [f64; 9] = [24.0, 30.0, 50.0, 60.0, 75.0, 90.0, 120.0, 144.0, 240.0];
const REFRESH_OFF: f64 = 0.015;
/// Buckets of a spread.
const BUCKETS_MAX: usize = 24;
/// The eighths of a decade, in hundredths: rounded powers of the eighth root of ten.
const EIGHTHS: [u64; 8] = [100, 133, 178, 237, 316, 422, 562, 750];

/// "60.2 Hz, vsync-like", "33.3 Hz, steady", "every 4 s, steady"; none for too few gaps, or without a rhythm.
pub(crate) fn rhythm(gaps: &Histogram) -> Option<String> {
    let median = steady_median(gaps)?;
    let hz = 1e9 / median as f64;
    let vsync = REFRESH_HZ.iter().any(|refresh| (hz / refresh - 1.0).abs() <= REFRESH_OFF);
    let rate = match hz {
        0.0..1.0 => format!("every {}", duration(median)),
        1.0..1000.0 => format!("{hz:.1} Hz"),
        _ => format!("{:.1} kHz", hz / 1000.0),
    };
    Some(if vsync { format!("{rate}, vsync-like") } else { format!("{rate}, steady") })
}

/// The median of gaps most of which are near it. Nanoseconds.
fn steady_median(gaps: &Histogram) -> Option<u64> {
    let quantile = |per_mille| gaps.quantile(per_mille).unwrap_or(0);
    let (low, median, high) = (quantile(100), quantile(500), quantile(900));
    let margin = median / 100 * STEADY_PERCENT;
    let steady =
        median > 0 && median - low.min(median) <= margin && high.saturating_sub(median) <= margin;
    (steady && gaps.count() >= GAPS_MIN).then_some(median)
}

/// "60.2 Hz, vsync-like", "every 30 ms, its own time-out", "irregular, 412 ms at the median", or nothing for too few.
pub(super) fn of(lane: &Lane) -> String {
    let gaps = &lane.gaps;
    if gaps.count() < GAPS_MIN {
        return String::new();
    }
    let bound = lane.waits.as_ref().and_then(|waits| waits.last).map_or(0, |(bound, _)| bound);
    let Some(median) = steady_median(gaps) else {
        let (median, high) = (gaps.quantile(500).unwrap_or(0), gaps.quantile(900).unwrap_or(0));
        return match median {
            0 => "in bursts".to_owned(),
            _ if high / 8 > median => {
                format!("in bursts, {} apart at the median", duration(median))
            }
            _ => format!("irregular, {} apart at the median", duration(median)),
        };
    };
    let timed_out = lane.waits.as_ref().is_some_and(|waits| waits.timed_out > 9 * waits.reached);
    if timed_out && bound > 0 && median.abs_diff(bound) <= bound / 10 {
        return format!("every {}, its own time-out", duration(median));
    }
    rhythm(gaps).unwrap_or_default()
}

/// The histogram with buckets that can be drawn: as narrow as few enough of them allow.
pub(super) fn spread(gaps: &Histogram) -> Vec<Bucket> {
    let with = |eighths| {
        let mut buckets: Vec<Bucket> = Vec::new();
        for (low, high, count) in gaps.buckets() {
            let (from, to) = around(low + (high - low) / 2, eighths);
            let (from_ms, to_ms) = (from as f64 / 1e6, to as f64 / 1e6);
            match buckets.last_mut().filter(|last| last.to_ms == to_ms) {
                Some(last) => last.count += count,
                None => buckets.push(Bucket { from_ms, to_ms, count }),
            }
        }
        buckets
    };
    // A number has at most twenty decades.
    let few = [1, 2, 4].map(with).into_iter().find(|buckets| buckets.len() <= BUCKETS_MAX);
    few.unwrap_or_else(|| with(8))
}

/// The bounds around a number, `eighths` of a decade apart.
fn around(ns: u64, eighths: usize) -> (u128, u128) {
    let edge = |place: usize| u128::from(EIGHTHS[place % 8]) * 10_u128.pow(place as u32 / 8) / 100;
    // Below one nanosecond there is nothing.
    let edges = (0..=20 * 8 / eighths).map(|place| edge(place * eighths));
    let mut from = 0;
    for to in edges {
        if u128::from(ns) < to {
            return (from, to);
        }
        from = to;
    }
    (from, u128::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread_of(values: impl IntoIterator<Item = u64>) -> Vec<Bucket> {
        let mut histogram = Histogram::new();
        values.into_iter().for_each(|value| histogram.add(value));
        spread(&histogram)
    }

    #[test]
    fn a_rhythm_is_one_narrow_bucket() {
        let of_30_ms = spread_of(vec![30_000_000; 1_000]);
        assert_eq!(of_30_ms, [Bucket { from_ms: 23.7, to_ms: 31.6, count: 1_000 }]);
        assert_eq!(spread_of([]), []);
        assert_eq!(spread_of([0])[0].from_ms, 0.0);
    }

    #[test]
    fn wide_spreads_have_wide_buckets_and_lose_nothing() {
        let doublings = (0..64).map(|bit| 1_u64 << bit).chain([0, u64::MAX]);
        let buckets = spread_of(doublings);
        assert!(buckets.len() <= BUCKETS_MAX, "{}", buckets.len());
        assert_eq!(buckets.iter().map(|bucket| bucket.count).sum::<u64>(), 66);
        for pair in buckets.windows(2) {
            assert!(pair[0].to_ms <= pair[1].from_ms, "{pair:?}");
        }
    }
}
