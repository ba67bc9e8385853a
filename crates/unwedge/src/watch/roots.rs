//! What has been said already? One report for each root of a wedge, then only what is new about it.
//!
//! Invariant: nothing here prints or reads a clock; lines are returned.

use unwedge_analyze::Finding;

use super::{BoxId, WaitKey};
use crate::duration::human;

/// The roots that were reported.
#[derive(Default)]
pub(crate) struct Roots {
    said: Vec<Root>,
}

#[derive(PartialEq, Eq)]
struct RootKey {
    id: BoxId,
    code: String,
    object: String,
    tid: u32,
}

struct Root {
    key: RootKey,
    about: String,
    waits: Vec<WaitKey>,
    began_at: u64,
    reminders: usize,
    failed: bool,
    open: bool,
}

/// When a wedge that goes on is mentioned again. Nanoseconds since its wait began.
const REMINDERS: [u64; 3] = [60_000_000_000, 300_000_000_000, 900_000_000_000];

impl Roots {
    /// Whether this finding has not been said yet; it counts as said from now on. `waits` are the waits
    /// of its thread that are in flight, and when each began.
    pub(crate) fn is_new(
        &mut self,
        id: BoxId,
        finding: &Finding,
        waits: &[(WaitKey, u64)],
        now: u64,
    ) -> bool {
        let tid = finding.waiter.as_ref().map_or(0, |waiter| waiter.tid);
        let object =
            finding.object.as_ref().map(|object| format!("{:?} {}", object.kind, object.handle));
        let key =
            RootKey { id, code: finding.code.to_string(), object: object.unwrap_or_default(), tid };
        let keys: Vec<WaitKey> = waits.iter().map(|(key, _)| *key).collect();
        let since_ms = finding.waiter.as_ref().map_or(0.0, |waiter| waiter.since_ms);
        let began_at = now.saturating_sub((since_ms.max(0.0) * 1e6) as u64);
        match self.said.iter_mut().find(|root| root.key == key) {
            Some(root) if root.open => {
                root.waits = keys;
                false
            }
            Some(root) => {
                (root.open, root.waits, root.began_at, root.reminders) = (true, keys, began_at, 0);
                root.failed = false;
                true
            }
            None => {
                let about = about(finding);
                self.said.push(Root {
                    key,
                    about,
                    waits: keys,
                    began_at,
                    reminders: 0,
                    failed: false,
                    open: true,
                });
                true
            }
        }
    }

    /// A wait is over: the lines for the roots that were about it.
    pub(crate) fn ended(&mut self, wait: WaitKey, now: u64) -> Vec<String> {
        let mut lines = Vec::new();
        for root in self.said.iter_mut().filter(|root| root.open) {
            let before = root.waits.len();
            root.waits.retain(|key| *key != wait);
            if before > 0 && root.waits.is_empty() {
                lines.push(root.close(now));
            }
        }
        lines
    }

    /// The lines for roots that have been open for another long while.
    pub(crate) fn reminders(&mut self, now: u64) -> Vec<String> {
        let mut lines = Vec::new();
        for root in self.said.iter_mut().filter(|root| root.open) {
            let Some(after) = REMINDERS.get(root.reminders) else { continue };
            if now.saturating_sub(root.began_at) >= *after {
                root.reminders += 1;
                lines.push(format!(
                    "still wedged after {} min: {}",
                    after / 60_000_000_000,
                    root.about
                ));
            }
        }
        lines
    }

    /// The wait of this thread is failed: when it ends, that is no recovery.
    pub(crate) fn failed(&mut self, id: BoxId, tid: u32) {
        let of_thread = |root: &&mut Root| root.open && root.key.id == id && root.key.tid == tid;
        self.said.iter_mut().filter(of_thread).for_each(|root| root.failed = true);
    }

    /// A process has ended, its wedges with it: the lines for the roots whose waits were over before.
    /// `left` says which it took with it.
    pub(crate) fn gone(
        &mut self,
        id: BoxId,
        left: impl Fn(&WaitKey) -> bool,
        now: u64,
    ) -> Vec<String> {
        let mut lines = Vec::new();
        for root in self.said.iter_mut().filter(|root| root.open && root.key.id == id) {
            let over = !root.waits.is_empty() && !root.waits.iter().any(&left);
            let line = root.close(now);
            lines.extend(over.then_some(line));
        }
        lines
    }

    /// The codes that were reported, each once, in the order of their report.
    pub(crate) fn codes(&self) -> Vec<&str> {
        let mut codes: Vec<&str> = Vec::new();
        for root in &self.said {
            if !codes.contains(&root.key.code.as_str()) {
                codes.push(&root.key.code);
            }
        }
        codes
    }
}

impl Root {
    fn close(&mut self, now: u64) -> String {
        self.open = false;
        let after = human(now.saturating_sub(self.began_at));
        let how = if self.failed { "ended with VK_ERROR_DEVICE_LOST" } else { "resolved" };
        format!("{how} after {after}: {}", self.about)
    }
}

fn about(finding: &Finding) -> String {
    let who = finding.waiter.as_ref().map(|waiter| match waiter.name.as_str() {
        "" => format!(", thread {}", waiter.tid),
        name => format!(", thread {} {name:?}", waiter.tid),
    });
    format!("{} {}{}", finding.code, finding.name, who.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::super::WaitKind;
    use super::*;
    use unwedge_analyze::report::Waiter;

    const SECOND: u64 = 1_000_000_000;

    fn finding(tid: u32, since_ms: f64) -> Finding {
        let call = "vkWaitForFences".to_owned();
        let name = "render".to_owned();
        let waiter = Waiter { agent: 0, pid: 1, tid, name, call, since_ms, stack: Vec::new() };
        Finding {
            code: "UW002",
            name: "never submitted",
            sentence: String::new(),
            waiter: Some(waiter),
            object: None,
            conclusive: true,
            chain: Vec::new(),
            evidence: Vec::new(),
            remedy: String::new(),
            also_waiting: Vec::new(),
        }
    }

    fn wait(sequence: u64) -> WaitKey {
        WaitKey { id: BoxId(0), tid: 7, kind: WaitKind::Call { sequence } }
    }

    #[test]
    fn a_root_is_said_once_until_it_resolves() {
        let mut roots = Roots::default();
        let waits = [(wait(2), 0)];
        assert!(roots.is_new(BoxId(0), &finding(7, 5000.0), &waits, 5 * SECOND));
        assert!(!roots.is_new(BoxId(0), &finding(7, 10_000.0), &waits, 10 * SECOND));
        assert!(roots.is_new(BoxId(0), &finding(8, 10_000.0), &[], 10 * SECOND), "another thread");
        assert_eq!(roots.ended(wait(4), 11 * SECOND), Vec::<String>::new());
        let expected = ["resolved after 12.3 s: UW002 never submitted, thread 7 \"render\""];
        assert_eq!(roots.ended(wait(2), 12_300_000_000), expected);
        assert_eq!(roots.ended(wait(2), 13 * SECOND), Vec::<String>::new());
        assert!(roots.is_new(BoxId(0), &finding(7, 5000.0), &[(wait(6), 0)], 20 * SECOND));
        assert_eq!(roots.codes(), ["UW002"]);
    }

    #[test]
    fn a_wedge_that_goes_on_is_mentioned_three_times() {
        let mut roots = Roots::default();
        roots.is_new(BoxId(0), &finding(7, 5000.0), &[(wait(2), 0)], 5 * SECOND);
        let mentioned = |roots: &mut Roots| -> Vec<u64> {
            (0..7200).filter(|second| !roots.reminders(second * SECOND).is_empty()).collect()
        };
        assert_eq!(mentioned(&mut roots), [60, 300, 900]);
        assert_eq!(roots.gone(BoxId(0), |_| true, 7200 * SECOND), Vec::<String>::new());
        assert_eq!(mentioned(&mut roots), Vec::<u64>::new());
    }

    #[test]
    fn a_wait_that_ended_just_before_its_process_is_over_too() {
        let mut roots = Roots::default();
        roots.is_new(BoxId(0), &finding(7, 1000.0), &[(wait(2), 0)], SECOND);
        roots.is_new(BoxId(1), &finding(7, 1000.0), &[(wait(2), 0)], SECOND);
        let expected = ["resolved after 2.0 s: UW002 never submitted, thread 7 \"render\""];
        assert_eq!(roots.gone(BoxId(0), |_| false, 2 * SECOND), expected);
        assert_eq!(roots.gone(BoxId(0), |_| false, 2 * SECOND), Vec::<String>::new());
        roots.failed(BoxId(1), 7);
        let expected = [
            "ended with VK_ERROR_DEVICE_LOST after 3.0 s: UW002 never submitted, thread 7 \"render\"",
        ];
        assert_eq!(roots.gone(BoxId(1), |_| false, 3 * SECOND), expected);
    }
}
