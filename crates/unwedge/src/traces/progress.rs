//! How far is it, how fast, and how long will it take? A bar on the terminal, if it takes longer than a second.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

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
        Self { what, shown: std::io::stderr().is_terminal(), state: RefCell::default() }
    }

    /// Shows nothing.
    #[cfg(test)]
    pub(crate) fn hidden() -> Self {
        Self { what: "", shown: false, state: RefCell::default() }
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
        let bar = state.bar.get_or_insert_with(|| bar(self.what, state.extent, seconds));
        bar.set_position(passed);
        bar.set_message(rate(events, seconds));
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

fn bar(what: &'static str, extent: Extent, elapsed: Duration) -> ProgressBar {
    let template = match extent {
        Extent::Bytes(Some(_)) => {
            "{prefix} {wide_bar} {decimal_bytes}/{decimal_total_bytes} {speed}, {msg}, {eta} left"
        }
        Extent::Bytes(None) => "{prefix} {spinner} {decimal_bytes} {speed}, {msg}",
        Extent::Segments(_) => "{prefix} {wide_bar} {pos}/{len} segments, {msg}, {eta} left",
    };
    let total = match extent {
        Extent::Bytes(total) => total,
        Extent::Segments(count) => Some(count),
    };
    let speed = |state: &ProgressState, out: &mut dyn std::fmt::Write| {
        // A terminal that is not written to shows nothing; there is nobody to tell.
        let _ = write!(out, "{:.0} MB/s", state.per_sec() / 1e6);
    };
    // A template that cannot be read shows the library's own.
    let style = ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("speed", speed);
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
    let bar = bar.with_style(style).with_prefix(what).with_elapsed(elapsed);
    bar.enable_steady_tick(TICK);
    bar
}

/// "12.3 M events/s".
fn rate(events: u64, time: Duration) -> String {
    let rate = events as f64 / time.as_secs_f64();
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = match rate {
        rate if rate >= 1e6 => write!(text, "{:.1} M events/s", rate / 1e6),
        rate if rate >= 1e3 => write!(text, "{:.0} k events/s", rate / 1e3),
        rate => write!(text, "{rate:.0} events/s"),
    };
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_a_unit_that_fits() {
        let second = Duration::from_secs(1);
        assert_eq!(rate(12, second), "12 events/s");
        assert_eq!(rate(1_234, second), "1 k events/s");
        assert_eq!(rate(65_691_821, Duration::from_secs(5)), "13.1 M events/s");
    }
}
