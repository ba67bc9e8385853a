//! What is tried next while frames fail: again, a new swapchain, a new device, and then no more?

use std::time::{Duration, Instant};

/// How far recovery goes, and how fast. The program chooses.
///
/// Each rung is given `retry_for`. Then the next is climbed: a new swapchain (with fresh fences and semaphores, once the queue is idle), a new
/// device (through [`Program::device`](super::Program::device)), and in the end a report. A lost device enters at the
/// third rung at once. Images that are withheld never lead beyond a new swapchain: a compositor gives a hidden window none, and
/// that is no fault of the GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ladder {
    /// How long each rung is tried before the next one.
    pub retry_for: Duration,
    /// How often the swapchain is made again before the device is.
    pub swapchains: u32,
    /// How often the device is made again.
    pub devices: u32,
    /// Whether to give up after that. If not, the last rung is tried for ever, a tenth of a second apart.
    pub give_up: bool,
}

impl Default for Ladder {
    /// Two seconds a rung, one swapchain, three devices, then a report.
    fn default() -> Self {
        Self { retry_for: Duration::from_secs(2), swapchains: 1, devices: 3, give_up: true }
    }
}

impl Ladder {
    /// Only tries again, for ever. A lost device is not made again either.
    #[must_use]
    pub const fn retry_only() -> Self {
        Self { retry_for: Duration::from_secs(2), swapchains: 0, devices: 0, give_up: false }
    }
}

/// What kind of trouble there is: how far up it may lead, and where it enters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Severity {
    /// No image can be had. A new swapchain may help; a new device is out of proportion.
    Images,
    /// The surface is lost: a new one is needed at once.
    Surface,
    /// A frame cannot be drawn.
    Frame,
    /// The device is lost, or as good as lost.
    Device,
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rung {
    Retry,
    Swapchain,
    Device,
    GiveUp,
}

/// Where on the ladder we are.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Climb {
    /// When the trouble began.
    pub(super) since: Option<Instant>,
    /// Since when the present rung is being tried.
    rung_since: Option<Instant>,
    swapchains: u32,
    /// How often the swapchain was made again for want of images.
    images: u32,
    surfaces: u32,
    devices: u32,
}

impl Climb {
    /// There is trouble. What is to be done about it?
    pub(super) fn trouble(&mut self, ladder: &Ladder, severity: Severity, now: Instant) -> Rung {
        self.since.get_or_insert(now);
        let rung_since = *self.rung_since.get_or_insert(now);
        let due = now.saturating_duration_since(rung_since) >= ladder.retry_for;
        let rung = self.next(ladder, severity, due);
        if rung != Rung::Retry {
            self.rung_since = Some(now);
        }
        rung
    }

    fn next(&mut self, ladder: &Ladder, severity: Severity, due: bool) -> Rung {
        match severity {
            Severity::Images | Severity::Frame if !due => Rung::Retry,
            Severity::Images if self.images < ladder.swapchains => {
                self.images += 1;
                Rung::Swapchain
            }
            Severity::Images => Rung::Retry,
            Severity::Surface if self.surfaces == 0 || due => {
                self.surfaces += 1;
                if self.surfaces > ladder.swapchains.max(1) {
                    self.device(ladder)
                } else {
                    Rung::Swapchain
                }
            }
            Severity::Frame if self.swapchains < ladder.swapchains => {
                self.swapchains += 1;
                Rung::Swapchain
            }
            Severity::Device if self.devices > 0 && !due => Rung::Retry,
            Severity::Frame | Severity::Device => self.device(ladder),
            Severity::Surface => Rung::Retry,
        }
    }

    fn device(&mut self, ladder: &Ladder) -> Rung {
        if self.devices < ladder.devices {
            self.devices += 1;
            Rung::Device
        } else if ladder.give_up {
            Rung::GiveUp
        } else {
            Rung::Retry
        }
    }

    /// A frame was presented, though nobody knows yet whether it will be executed: the time on this rung does not count.
    pub(super) fn pause(&mut self) {
        self.rung_since = None;
    }

    /// Whether there was trouble since the last success.
    pub(super) fn is_climbing(&self) -> bool {
        self.since.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is done over so many seconds of the same trouble, told twice a second: second and rung.
    fn climbed(ladder: &Ladder, severity: Severity, seconds: u64) -> Vec<(u64, Rung)> {
        let (mut climb, start) = (Climb::default(), Instant::now());
        (0..2 * seconds)
            .map(|half| (half, start + Duration::from_millis(500 * half)))
            .map(|(half, now)| (half / 2, climb.trouble(ladder, severity, now)))
            .filter(|(_, rung)| *rung != Rung::Retry)
            .take(9)
            .collect()
    }

    #[test]
    fn frames_that_fail_climb_a_rung_every_two_seconds() {
        use Rung::{Device, GiveUp, Swapchain};
        let done = climbed(&Ladder::default(), Severity::Frame, 11);
        assert_eq!(done, [(2, Swapchain), (4, Device), (6, Device), (8, Device), (10, GiveUp)]);
    }

    #[test]
    fn a_lost_device_enters_at_the_third_rung() {
        use Rung::{Device, GiveUp};
        let done = climbed(&Ladder::default(), Severity::Device, 7);
        assert_eq!(done, [(0, Device), (2, Device), (4, Device), (6, GiveUp)]);
    }

    #[test]
    fn withheld_images_never_lead_beyond_a_new_swapchain() {
        let done = climbed(&Ladder::default(), Severity::Images, 9);
        assert_eq!(done, [(2, Rung::Swapchain)]);
    }

    #[test]
    fn a_lost_surface_asks_for_a_new_one_at_once() {
        use Rung::{Device, Swapchain};
        let done = climbed(&Ladder::default(), Severity::Surface, 4);
        assert_eq!(done, [(0, Swapchain), (2, Device)]);
    }

    #[test]
    fn a_program_may_choose_to_retry_only() {
        for severity in [Severity::Images, Severity::Frame, Severity::Device] {
            assert_eq!(climbed(&Ladder::retry_only(), severity, 60), []);
        }
    }

    #[test]
    fn a_ladder_that_does_not_give_up_stays_on_its_last_rung() {
        let ladder = Ladder { give_up: false, devices: 1, ..Ladder::default() };
        let done = climbed(&ladder, Severity::Frame, 60);
        assert_eq!(done, [(2, Rung::Swapchain), (4, Rung::Device)]);
    }
}
