//! How are times spread? As a small histogram in SVG; all of a page are drawn over one logarithmic scale, so that they compare.

use std::fmt::Write as _;

use unwedge_analyze::report::{Bucket, Rate};

use super::counts::{grouped, precise};
use super::page::escape;

/// Units of a strip, which is stretched to the width that there is.
const WIDTH: f64 = 240.0;
const HEIGHT: f64 = 26.0;
/// A bucket that holds little is still seen.
const BAR_MIN: f64 = 2.0;
/// Decades of nanoseconds that a number can have; in milliseconds from -6 on.
const DECADES: (i32, i32) = (-6, 14);

/// From which to which time a page's strips go, as powers of ten of milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scale {
    from: i32,
    to: i32,
}

impl Scale {
    /// The decades that hold all gaps; none if there are none.
    pub(super) fn of(rates: &[Rate]) -> Option<Self> {
        let buckets = || rates.iter().flat_map(|rate| &rate.gaps).filter(|bucket| sound(bucket));
        let from = buckets().map(|bucket| decade(bucket.from_ms).floor() as i32).min()?;
        let to = buckets().map(|bucket| decade(bucket.to_ms).ceil() as i32).max()?;
        Some(Self { from, to: to.max(from + 1) })
    }

    /// What the picture shows, for those who read it.
    pub(super) fn in_words(self) -> String {
        let end = |power: i32| precise(10_f64.powi(power));
        format!(
            "from {} at the left to {} at the right, ten times as long at each line",
            end(self.from),
            end(self.to)
        )
    }

    fn x(self, ms: f64) -> f64 {
        let share = (decade(ms) - f64::from(self.from)) / f64::from(self.to - self.from);
        share.clamp(0.0, 1.0) * WIDTH
    }

    /// One strip; empty where there is nothing to draw.
    pub(super) fn draw(self, gaps: &[Bucket]) -> String {
        let most = gaps.iter().filter(|bucket| sound(bucket)).map(|bucket| bucket.count).max();
        let Some(most) = most else { return String::new() };
        let mut out = format!(
            "<svg class=\"spread\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" \
             aria-label=\"{}\"><path class=\"decades\" d=\"",
            escape(&self.told(gaps))
        );
        for power in self.from..=self.to {
            let _ = write!(out, "M{:.1} 0V{HEIGHT}", self.x(10_f64.powi(power)));
        }
        out.push_str("\"/>");
        for bucket in gaps.iter().filter(|bucket| sound(bucket)) {
            let height = (bucket.count as f64 / most as f64 * HEIGHT).max(BAR_MIN);
            let (x, to) = (self.x(bucket.from_ms), self.x(bucket.to_ms));
            let _ = write!(
                out,
                "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\"><title>{}</title></rect>",
                HEIGHT - height,
                (to - x - 0.5).max(0.5),
                escape(&in_words(bucket)),
            );
        }
        out.push_str("</svg>");
        out
    }

    /// For a reader who cannot see it.
    fn told(self, gaps: &[Bucket]) -> String {
        let most = gaps.iter().filter(|bucket| sound(bucket)).max_by_key(|bucket| bucket.count);
        most.map_or_else(String::new, |bucket| format!("Most: {}", in_words(bucket)))
    }
}

/// `6,549,578 of 23.7 ms to 31.6 ms`.
fn in_words(bucket: &Bucket) -> String {
    format!("{} of {} to {}", grouped(bucket.count), precise(bucket.from_ms), precise(bucket.to_ms))
}

/// Anything can stand in a report that was read; only what has a place is drawn.
fn sound(bucket: &Bucket) -> bool {
    bucket.count > 0
        && bucket.from_ms >= 0.0
        && bucket.to_ms.is_finite()
        && bucket.from_ms < bucket.to_ms
}

/// The power of ten of so many milliseconds.
fn decade(ms: f64) -> f64 {
    ms.log10().clamp(f64::from(DECADES.0), f64::from(DECADES.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::traces;

    #[test]
    fn all_strips_of_a_page_share_one_scale() {
        let rates = traces::missing_vsync().report.statistics.rates;
        let scale = Scale::of(&rates).unwrap();
        assert_eq!(scale, Scale { from: -2, to: 4 });
        assert_eq!(
            scale.in_words(),
            "from 10 µs at the left to 10 s at the right, ten times as long at each line"
        );
        for rate in &rates {
            assert_eq!(scale.draw(&rate.gaps).matches("<rect").count(), rate.gaps.len());
        }
    }

    #[test]
    fn what_has_no_place_is_not_drawn() {
        let rates = traces::hostile().report.statistics.rates;
        let scale = Scale::of(&rates).unwrap();
        let drawn = scale.draw(&rates[0].gaps);
        assert!(!drawn.contains("NaN") && !drawn.contains("inf"), "{drawn}");
        assert_eq!(Scale::of(&[]), None);
        assert_eq!(scale.draw(&[]), "");
    }
}
