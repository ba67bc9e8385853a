//! What did each thread do lately? Finished calls, for the timeline of a report.

use std::collections::BTreeMap;

use unwedge_trace::blackbox::Call;
use unwedge_trace::{Bound, Mode, Outcome, What};

use super::{Build, names};

/// Calls that took no longer than this are told as moments. Nanoseconds.
const MOMENT: u64 = 500_000;
/// Finished calls older than this are left out. Nanoseconds.
const SPAN: u64 = 30_000_000_000;

impl Build<'_> {
    /// Adds the calls as bars and ticks. Their waits name no points: the tables already say what
    /// was reached, and a wait that ended explains nothing about one that did not.
    pub(super) fn history(&mut self) {
        let box_ = self.box_;
        let tids: BTreeMap<usize, u64> = box_.threads.iter().map(|(i, t)| (*i, t.tid)).collect();
        // A run of polls is told as a wait that no call in between ends.
        let runs = box_.threads.iter().filter(|(_, thread)| self.is_poll_run(thread));
        let runs: BTreeMap<usize, u64> = runs.map(|(i, t)| (*i, t.poll_first_at)).collect();
        for (slot, call) in &box_.calls {
            let old = self.now.saturating_sub(call.at) > SPAN;
            let Some(tid) = tids.get(slot).filter(|_| !old) else { continue };
            let agent = self.thread(*tid);
            let ended = call.at.saturating_add(call.duration);
            let in_run = runs.get(slot).is_some_and(|began| ended > *began);
            if call.duration > MOMENT && !in_run {
                let (points, mode) = (Vec::new(), Mode::All);
                let (call_name, bound) = (names::call(call.call), Bound::Infinite);
                let wait = What::WaitBegan { call: call_name, points, mode, bound };
                self.put(call.at, agent, wait);
                let failed = call.result >> 63 != 0;
                let outcome = if failed { Outcome::Failed } else { Outcome::Reached };
                self.put(ended, agent, What::WaitEnded { outcome });
            }
            if let Some(what) = progress(call.call, call.value) {
                self.put(ended, agent, What::Progress { what });
            }
        }
    }
}

fn progress(call: u64, value: u64) -> Option<String> {
    match Call::from_word(call)? {
        Call::QueuePresent => Some("presented".to_owned()),
        Call::QueueSubmit | Call::QueueSubmit2 => Some(format!("submitted batch {value}")),
        _ => None,
    }
}
