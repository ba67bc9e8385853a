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
    /// How often the swapchain is made again before the device is, for each device.
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
    /// When the present trouble began.
    pub(super) since: Option<Instant>,
    /// When the first trouble began that the rungs were counted for.
    pub(super) counted_since: Option<Instant>,
    /// When there was trouble last.
    last: Option<Instant>,
    /// Since when the present rung is being tried.
    rung_since: Option<Instant>,
    swapchains: u32,
    /// How often the swapchain was made again for want of images.
    images: u32,
    devices: u32,
    device_at: Option<Instant>,
}

/// So many times as long as a rung is tried has to be without trouble before the rungs count anew: else a device that draws three frames
/// and stops would be made again for ever.
const CALM: u32 = 5;

impl Climb {
    /// There is trouble. What is to be done about it?
    pub(super) fn trouble(&mut self, ladder: &Ladder, severity: Severity, now: Instant) -> Rung {
        let long_since = |at: Option<Instant>, how_long| {
            at.is_none_or(|at| now.saturating_duration_since(at) >= how_long)
        };
        if self.since.is_none() && long_since(self.last, CALM * ladder.retry_for) {
            *self = Self { counted_since: Some(now), ..Self::default() };
        }
        self.last = Some(now);
        self.since.get_or_insert(now);
        self.rung_since.get_or_insert(now);
        let due = match severity {
            Severity::Device => long_since(self.device_at, ladder.retry_for),
            _ => long_since(self.rung_since, ladder.retry_for),
        };
        let rung = self.next(ladder, severity, due);
        if rung == Rung::Device {
            self.device_at = Some(now);
        }
        let climbs = match rung {
            Rung::Retry => false,
            // A new surface may be had at any time; that is no step up.
            Rung::Swapchain => severity != Severity::Surface,
            Rung::Device | Rung::GiveUp => true,
        };
        if climbs {
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
            Severity::Surface if !due => Rung::Swapchain,
            Severity::Frame if self.swapchains < ladder.swapchains => {
                self.swapchains += 1;
                Rung::Swapchain
            }
            Severity::Device if !due => Rung::Retry,
            Severity::Surface | Severity::Frame | Severity::Device => self.device(ladder),
        }
    }

    fn device(&mut self, ladder: &Ladder) -> Rung {
        if self.devices < ladder.devices {
            // A new device is worth the lower rungs once more.
            (self.swapchains, self.images) = (0, 0);
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

    /// Frames are executed again. What was climbed still counts, until there was calm for long enough.
    pub(super) fn recovered(&mut self) {
        (self.since, self.rung_since) = (None, None);
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
        let mut done: Vec<_> = (0..2 * seconds)
            .map(|half| (half, start + Duration::from_millis(500 * half)))
            .map(|(half, now)| (half / 2, climb.trouble(ladder, severity, now)))
            .filter(|(_, rung)| *rung != Rung::Retry)
            .collect();
        done.dedup();
        done
    }

    #[test]
    fn frames_that_fail_climb_a_rung_every_two_seconds() {
        use Rung::{Device, GiveUp, Swapchain};
        let done = climbed(&Ladder::default(), Severity::Frame, 17);
        let (first, second) = ([(2, Swapchain), (4, Device)], [(6, Swapchain), (8, Device)]);
        let third = [(10, Swapchain), (12, Device)];
        assert_eq!(done[..6], [first, second, third].concat());
        assert_eq!(done[6..], [(14, Swapchain), (16, GiveUp)]);
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
        let done = climbed(&Ladder::default(), Severity::Surface, 3);
        let (swapchain, device) = (Rung::Swapchain, Rung::Device);
        assert_eq!(done, [(0, swapchain), (1, swapchain), (2, device), (2, swapchain)]);
    }

    #[test]
    fn rungs_count_anew_only_after_a_time_without_trouble() {
        let (ladder, start) = (Ladder::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut climb = Climb::default();
        let mut lost = |seconds| {
            let rung = climb.trouble(&ladder, Severity::Device, at(seconds));
            climb.recovered();
            rung
        };
        let rungs = [0, 5, 10, 15].map(&mut lost);
        assert_eq!(rungs, [Rung::Device, Rung::Device, Rung::Device, Rung::GiveUp]);
        assert_eq!(lost(26), Rung::Device);
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
        let (swapchain, device) = (Rung::Swapchain, Rung::Device);
        assert_eq!(done, [(2, swapchain), (4, device), (6, swapchain)]);
    }
}
