//! How far is it, how fast, and how long will it take? A bar on the terminal, if it takes longer than a second.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::duration;

/// What is over sooner needs no bar.
const QUIET: Duration = Duration::from_secs(1);
/// Between two drawings while nothing comes in.
const TICK: Duration = Duration::from_millis(200);

/// How much there is to go through.
#[derive(Clone, Copy, Debug)]
pub(super) enum Extent {
    /// Bytes as they are stored, if their number is known.
    Bytes(Option<u64>),
    /// Segments of a store.
    Segments(u64),
}

/// A bar for one input.
pub(crate) struct Progress {
    /// What is being done: "reading".
    what: &'static str,
    shown: bool,
    /// Where the bar is one of several.
    among: Option<MultiProgress>,
    state: RefCell<Option<State>>,
}

struct State {
    extent: Extent,
    began: Instant,
    events: u64,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// A bar on standard error, if that is a terminal.
    pub(crate) fn on_terminal(what: &'static str) -> Self {
        let shown = std::io::stderr().is_terminal();
        Self { what, shown, among: None, state: RefCell::default() }
    }

    /// Bars on standard error, one below the other, each for a thread of its own.
    pub(crate) fn pair_on_terminal(what: [&'static str; 2]) -> [Self; 2] {
        let among = MultiProgress::new();
        what.map(|what| Self { among: Some(among.clone()), ..Self::on_terminal(what) })
    }

    /// Shows nothing.
    #[cfg(test)]
    pub(crate) fn hidden() -> Self {
        Self { what: "", shown: false, among: None, state: RefCell::default() }
    }

    /// The input was opened.
    pub(super) fn begin(&self, extent: Extent) {
        if self.shown {
            let state = State { extent, began: Instant::now(), events: 0, bar: None };
            *self.state.borrow_mut() = Some(state);
        }
    }

    /// So much of the input was read, and so many events came of it.
    pub(super) fn at(&self, passed: u64, events: u64) {
        let mut state = self.state.borrow_mut();
        let Some(state) = state.as_mut() else { return };
        state.events = events;
        let seconds = state.began.elapsed();
        if seconds < QUIET {
            return;
        }
        let bar = state.bar.get_or_insert_with(|| {
            let bar = bar(self.what, state.extent);
            self.among.iter().for_each(|among| drop(among.add(bar.clone())));
            bar
        });
        bar.set_position(passed);
        bar.set_message(state.extent.message(passed, events, seconds));
    }

    /// Nothing new came of the input, of which so much was read.
    pub(super) fn still(&self, passed: u64) {
        let events = self.state.borrow().as_ref().map_or(0, |state| state.events);
        self.at(passed, events);
    }

    /// Nothing more comes: the bar goes away.
    pub(super) fn finish(&self) {
        if let Some(State { bar: Some(bar), .. }) = self.state.borrow_mut().take() {
            bar.finish_and_clear();
        }
    }
}

impl Extent {
    fn total(self) -> Option<u64> {
        match self {
            Self::Bytes(total) => total,
            Self::Segments(count) => Some(count),
        }
    }

    /// "980 MB/s, 12.3 M events/s, 7 s left".
    fn message(self, passed: u64, events: u64, time: Duration) -> String {
        let seconds = time.as_secs_f64();
        let mut text = String::new();
        // Writing to a String cannot fail.
        if let Self::Bytes(_) = self {
            let _ = write!(text, "{:.0} MB/s, ", passed as f64 / 1e6 / seconds);
        }
        let _ = match events as f64 / seconds {
            rate if rate >= 1e6 => write!(text, "{:.1} M events/s", rate / 1e6),
            rate if rate >= 1e3 => write!(text, "{:.0} k events/s", rate / 1e3),
            rate => write!(text, "{rate:.0} events/s"),
        };
        if let Some(left) = self.total().map(|total| total.saturating_sub(passed)) {
            let left = left as f64 / passed.max(1) as f64 * seconds;
            let _ = write!(text, ", {} left", duration::human((left * 1e9) as u64));
        }
        text
    }
}

fn bar(what: &'static str, extent: Extent) -> ProgressBar {
    let template = match extent {
        Extent::Bytes(Some(_)) => "{prefix} {wide_bar} {decimal_bytes}/{decimal_total_bytes} {msg}",
        Extent::Bytes(None) => "{prefix} {spinner} {decimal_bytes} {msg}",
        Extent::Segments(_) => "{prefix} {wide_bar} {pos}/{len} segments, {msg}",
    };
    // A template that cannot be read shows the library's own.
    let style =
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::with_draw_target(extent.total(), ProgressDrawTarget::stderr());
    let bar = bar.with_style(style).with_prefix(what);
    bar.enable_steady_tick(TICK);
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_the_time_that_is_left_have_units_that_fit() {
        let told = |extent: Extent, passed, events, seconds| {
            extent.message(passed, events, Duration::from_secs(seconds))
        };
        let known = Extent::Bytes(Some(16_000_000_000));
        assert_eq!(
            told(known, 4_000_000_000, 65_691_821, 2),
            "2000 MB/s, 32.8 M events/s, 6.0 s left"
        );
        assert_eq!(told(known, 16_000_000, 1_234, 1), "16 MB/s, 1 k events/s, 16 min 39 s left");
        assert_eq!(told(Extent::Bytes(None), 0, 12, 1), "0 MB/s, 12 events/s");
        assert_eq!(told(Extent::Segments(4), 1, 7, 1), "7 events/s, 3.0 s left");
    }
}
