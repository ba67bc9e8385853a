//! What does a rhythm look like, in words?

use super::lane::Lane;
use crate::words::duration;

/// Fewer gaps than these have no shape.
const GAPS_MIN: u64 = 7;
/// A rhythm is steady if the middle four fifths of its gaps lie within so much of the median, in percent.
const STEADY_PERCENT: u64 = 10;
/// Refresh rates of displays in hertz (VESA's and television's), and how far off a rhythm may be: 1.5 %.
const REFRESH_HZ: [f64; 9] = [24.0, 30.0, 50.0, 60.0, 75.0, 90.0, 120.0, 144.0, 240.0];
const REFRESH_OFF: f64 = 0.015;

/// "60.2 Hz, vsync-like", "every 30 ms, its own time-out", "irregular, 412 ms at the median", or nothing for too few.
pub(super) fn of(lane: &Lane) -> String {
    let gaps = &lane.gaps;
    if gaps.count() < GAPS_MIN {
        return String::new();
    }
    let quantile = |per_mille| gaps.quantile(per_mille).unwrap_or(0);
    let (low, median, high) = (quantile(100), quantile(500), quantile(900));
    let margin = median / 100 * STEADY_PERCENT;
    let steady =
        median > 0 && median - low.min(median) <= margin && high.saturating_sub(median) <= margin;
    let bound = lane.waits.as_ref().and_then(|waits| waits.last).map_or(0, |(bound, _)| bound);
    if !steady {
        return match median {
            0 => "in bursts".to_owned(),
            _ if high / 8 > median => {
                format!("in bursts, {} apart at the median", duration(median))
            }
            _ => format!("irregular, {} apart at the median", duration(median)),
        };
    }
    let timed_out = lane.waits.as_ref().is_some_and(|waits| waits.timed_out > 9 * waits.reached);
    if timed_out && bound > 0 && median.abs_diff(bound) <= bound / 10 {
        return format!("every {}, its own time-out", duration(median));
    }
    let hz = 1e9 / median as f64;
    let vsync = REFRESH_HZ.iter().any(|refresh| (hz / refresh - 1.0).abs() <= REFRESH_OFF);
    let rate = match hz {
        0.0..1.0 => format!("every {}", duration(median)),
        1.0..1000.0 => format!("{hz:.1} Hz"),
        _ => format!("{:.1} kHz", hz / 1000.0),
    };
    if vsync { format!("{rate}, vsync-like") } else { format!("{rate}, steady") }
}
