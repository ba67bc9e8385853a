//! What did the program get done? Counters over all its processes, for one line at the end.

use std::collections::HashMap;

use unwedge_trace::blackbox::{SwapchainRecord, ThreadRecord};

use super::BoxId;

/// Counters that survive the objects they were read from.
#[derive(Default)]
pub(crate) struct Progress {
    processes: u32,
    swapchains: HashMap<(BoxId, usize, u64, u64), Presents>,
    threads: HashMap<(BoxId, u64, u64), u64>,
}

/// Frames within less time than this have no rate. Nanoseconds.
const RATE_NS_MIN: u64 = 100_000_000;

#[derive(Clone, Copy)]
struct Presents {
    count: u64,
    created_at: u64,
    last_at: u64,
}

impl Progress {
    /// Another process uses Vulkan.
    pub(crate) fn process(&mut self) {
        self.processes += 1;
    }

    /// Takes in the counters of a process.
    pub(crate) fn take(
        &mut self,
        id: BoxId,
        threads: &[(usize, ThreadRecord)],
        swapchains: &[(usize, SwapchainRecord)],
    ) {
        for (_, thread) in threads {
            self.threads.insert((id, thread.tid, thread.started_at), thread.progress_count);
        }
        for (place, swapchain) in swapchains.iter().filter(|(_, swapchain)| swapchain.presents > 0)
        {
            let presents = Presents {
                count: swapchain.presents,
                created_at: swapchain.created_at,
                last_at: swapchain.presented_at,
            };
            self.swapchains.insert((id, *place, swapchain.handle, swapchain.created_at), presents);
        }
    }

    /// What was done, as the end of a sentence; `None` when no process wrote a black box.
    pub(crate) fn summary(&self) -> Option<String> {
        if self.processes == 0 {
            return None;
        }
        let frames: u64 = self.swapchains.values().map(|presents| presents.count).sum();
        let from = self.swapchains.values().map(|presents| presents.created_at).min().unwrap_or(0);
        let to = self.swapchains.values().map(|presents| presents.last_at).max().unwrap_or(0);
        let operations: u64 = self.threads.values().sum();
        let among = match self.processes {
            1 => String::new(),
            several => format!(" in {several} processes"),
        };
        Some(match (frames, operations) {
            (0, 0) => format!("no Vulkan work was submitted{among}"),
            (0, 1) => format!("made progress: one Vulkan submit or wait done{among}"),
            (0, operations) => {
                format!("made progress: {operations} Vulkan submits and waits done{among}")
            }
            (1, _) => format!("made progress: one frame presented{among}"),
            (frames, _) => {
                let ns = to.saturating_sub(from);
                let rate = frames as f64 * 1e9 / ns.max(1) as f64;
                // Times on record are coarse, and a rate over a moment is none.
                let at = if ns < RATE_NS_MIN {
                    String::new()
                } else {
                    format!(" at {rate:.1} frames/s")
                };
                format!("made progress: {frames} frames presented{at}{among}")
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use unwedge_trace::blackbox::Words as _;

    use super::*;

    fn swapchain(
        handle: u64,
        created_at: u64,
        presents: u64,
        presented_at: u64,
    ) -> SwapchainRecord {
        let mut record = SwapchainRecord::take(&mut &[][..]);
        (record.handle, record.created_at) = (handle, created_at);
        (record.presents, record.presented_at) = (presents, presented_at);
        record
    }

    #[test]
    fn frames_of_swapchains_that_replace_each_other_add_up() {
        let mut progress = Progress::default();
        assert_eq!(progress.summary(), None);
        progress.process();
        assert_eq!(progress.summary().as_deref(), Some("no Vulkan work was submitted"));
        let id = BoxId(0);
        progress.take(id, &[], &[(3, swapchain(1, 0, 10, 900_000_000))]);
        progress.take(id, &[], &[(3, swapchain(1, 0, 11, 1_000_000_000))]);
        progress.take(id, &[], &[(3, swapchain(1, 1_000_000_000, 9, 2_000_000_000))]);
        assert_eq!(
            progress.summary().as_deref(),
            Some("made progress: 20 frames presented at 10.0 frames/s")
        );
    }

    #[test]
    fn work_without_frames_is_counted() {
        let mut progress = Progress::default();
        progress.process();
        progress.process();
        let mut thread = ThreadRecord::take(&mut &[][..]);
        thread.progress_count = 12;
        progress.take(BoxId(0), &[(0, thread)], &[]);
        let expected = "made progress: 12 Vulkan submits and waits done in 2 processes";
        assert_eq!(progress.summary().as_deref(), Some(expected));
    }
}
