//! Every scenario, as data. A new one is a file (and its `mod` line) in `scenarios/` and a line here.
use crate::outcome::Outcome;
use crate::scenarios::*;

/// One program, and what a watcher must make of it.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// The name to run it by: `scenario NAME`.
    pub name: &'static str,
    /// What happens, in a few words.
    pub about: &'static str,
    /// The program.
    pub run: fn() -> Outcome,
    /// What `unwedge run -- scenario NAME` must say, with the faults of `inject` and the driver of `driver`.
    pub expect: Expect,
    /// The faults to inject, each as an argument of `--inject`. A hang with any is healthy without.
    pub inject: &'static [&'static str],
    /// What it must run on.
    pub driver: Driver,
    /// Whether it needs a window: an X server, or a driver with `VK_EXT_headless_surface`.
    pub display: bool,
    /// The deadline to give the watcher, in milliseconds.
    pub deadline_ms: u32,
}

/// What a watcher must say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Wedged: the first finding has this code, and the report has all these words.
    Finding {
        /// Such as `UW002`.
        code: &'static str,
        /// Calls, threads and results that the finding must name.
        words: &'static [&'static str],
    },
    /// No finding, and the program ends by itself with this status.
    Healthy {
        /// The program's exit status.
        exit: i32,
    },
    /// Stuck, but the watcher cannot know whether for good.
    Inconclusive,
}

/// What a scenario must run on. One that finds itself elsewhere says "skipped: " and exits with [`crate::STATUS_SKIPPED`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// Any device: lavapipe where there is no GPU.
    Any,
    /// The fake driver only, with this script in `UNWEDGE_FAKE_ICD`.
    Fake(&'static str),
    /// The fake driver with this script, or a real device that has what it takes; lavapipe has not.
    NvidiaToo(&'static str),
}

const DEADLINE_MS: u32 = 2_000;

impl Scenario {
    const fn hang(
        name: &'static str,
        run: fn() -> Outcome,
        code: &'static str,
        words: &'static [&'static str],
        about: &'static str,
    ) -> Self {
        Self::new(name, run, Expect::Finding { code, words }, about)
    }

    const fn healthy(name: &'static str, run: fn() -> Outcome, about: &'static str) -> Self {
        Self::new(name, run, Expect::Healthy { exit: 0 }, about)
    }

    const fn unclear(name: &'static str, run: fn() -> Outcome, about: &'static str) -> Self {
        Self::new(name, run, Expect::Inconclusive, about)
    }

    const fn new(
        name: &'static str,
        run: fn() -> Outcome,
        expect: Expect,
        about: &'static str,
    ) -> Self {
        Self {
            name,
            about,
            run,
            expect,
            inject: &[],
            driver: Driver::Any,
            display: false,
            deadline_ms: DEADLINE_MS,
        }
    }

    const fn inject(mut self, faults: &'static [&'static str]) -> Self {
        self.inject = faults;
        self
    }

    const fn on(mut self, driver: Driver) -> Self {
        self.driver = driver;
        self
    }

    const fn window(mut self) -> Self {
        self.display = true;
        self
    }
}

use Driver::{Fake, NvidiaToo};
use Scenario as S;

const FENCES: &[&str] = &["vkWaitForFences"];
const SEMAPHORES: &[&str] = &["vkWaitSemaphores"];
const ACQUIRE: &[&str] = &["vkAcquireNextImageKHR"];
const QUEUE_IDLE: &[&str] = &["vkQueueWaitIdle"];
const DEVICE_IDLE: &[&str] = &["vkDeviceWaitIdle"];
const PING_PONG: &[&str] = &["vkWaitSemaphores", "ping", "pong"];

/// All scenarios: the hangs, then the healthy.
#[rustfmt::skip]
pub static TABLE: &[Scenario] = &[
    S::hang("fence-never-submitted", fence_never_submitted::run, "UW002", FENCES, "waits for a fence that no submit carries"),
    S::hang("fence-reset-never-resubmitted", fence_reset_never_resubmitted::run, "UW003", FENCES, "waits again for a fence that it has reset"),
    S::hang("frame-loop-out-of-date", frame_loop_out_of_date::run, "UW003", &["vkWaitForFences", "VK_ERROR_OUT_OF_DATE_KHR"], "leaves a frame early, its fence reset").inject(&["out-of-date:acquire:n=5"]).window(),
    S::hang("submit-failed", submit_failed::run, "UW003", &["vkWaitForFences", "vkQueueSubmit", "VK_ERROR_OUT_OF_HOST_MEMORY"], "ignores that a submit failed, its fence reset"),
    S::hang("host-wait-timeline", host_wait_timeline::run, "UW002", SEMAPHORES, "waits on the host for a value that nobody signals"),
    S::hang("gpu-wait-timeline", gpu_wait_timeline::run, "UW002", FENCES, "waits on the GPU for a value that nobody signals"),
    S::hang("gpu-wait-failed-acquire", gpu_wait_failed_acquire::run, "UW003", ACQUIRE, "submits a wait for the semaphore of a failed acquire").window(),
    S::hang("two-queues-deadlock", two_queues_deadlock::run, "UW001", FENCES, "two queues, each waiting for the other").on(NvidiaToo("queues=4")),
    S::hang("queue-self-deadlock", queue_self_deadlock::run, "UW001", FENCES, "a batch waits for a later batch of its own queue"),
    S::hang("two-threads-deadlock", two_threads_deadlock::run, "UW001", PING_PONG, "two threads, each waiting for the other after good rounds"),
    S::hang("two-threads-deadlock-first", two_threads_deadlock::run_first, "UW001", PING_PONG, "two threads, each waiting for the other at once"),
    S::hang("queue-idle-gpu-wait", wait_idle::queue_gpu_wait, "UW002", QUEUE_IDLE, "queue idle behind a GPU wait for a value nobody signals"),
    S::hang("queue-idle-two-queues", wait_idle::queue_two_queues, "UW001", QUEUE_IDLE, "queue idle behind two deadlocked queues").on(NvidiaToo("queues=4")),
    S::hang("queue-idle-self", wait_idle::queue_self, "UW001", QUEUE_IDLE, "queue idle behind a queue that waits for itself"),
    S::hang("device-idle-gpu-wait", wait_idle::device_gpu_wait, "UW002", DEVICE_IDLE, "device idle behind a GPU wait for a value nobody signals"),
    S::hang("device-idle-two-queues", wait_idle::device_two_queues, "UW001", DEVICE_IDLE, "device idle behind two deadlocked queues").on(NvidiaToo("queues=4")),
    S::hang("device-idle-self", wait_idle::device_self, "UW001", DEVICE_IDLE, "device idle behind a queue that waits for itself"),
    S::hang("query-never-ended", query_never_ended::run, "UW002", &["vkGetQueryPoolResults"], "waits for the result of a query that was never ended").on(NvidiaToo("")),
    S::hang("dropped-fence", dropped_signal::fence, "UW004", FENCES, "the signal of a fence is lost").inject(&["drop-signal:fence:n=20"]),
    S::hang("dropped-timeline", dropped_signal::timeline, "UW004", SEMAPHORES, "the signal of a timeline value is lost").inject(&["drop-signal:timeline:n=20"]),
    S::hang("dropped-binary", dropped_signal::binary, "UW004", &[], "the signal of a binary semaphore is lost").inject(&["drop-signal:binary:n=5"]),
    S::hang("endless-shader", endless_shader::run, "UW005", FENCES, "a compute shader that never ends"),
    S::hang("held-submit", held_submit::run, "UW006", FENCES, "a submit that never executes").inject(&["hold-submit:n=5"]),
    S::hang("acquire-all-held", acquire_all_held::run, "UW010", ACQUIRE, "acquires more images than there are").on(NvidiaToo("")).window(),
    S::hang("acquire-withheld", acquire_withheld::run, "UW010", ACQUIRE, "the presentation engine keeps every image").inject(&["withhold-images:n=5"]).window(),
    S::hang("imported-semaphore", imported_semaphore::run, "UW015", FENCES, "waits for a semaphore whose signaller is elsewhere").on(NvidiaToo("")),
    S::hang("device-lost", device_lost::run, "UW007", &["vkWaitForFences", "VK_ERROR_DEVICE_LOST"], "retries a wait for ever on a lost device").inject(&["device-lost:submit:n=5"]),
    S::hang("mutex-held", mutex_held::run, "UW016", &["render"], "the render thread needs a mutex that another keeps"),
    S::hang("mutex-held-busy-neighbour", mutex_held::run_beside_busy, "UW016", &["render"], "the same, while a third thread renders happily"),
    S::hang("stuck-among-busy", stuck_among_busy::run, "UW002", &["vkWaitForFences", "stuck"], "one thread is stuck, three are busy"),
    S::hang("fence-poll", fence_poll::run, "UW002", &["vkGetFenceStatus"], "polls a fence that no submit carries"),
    S::hang("timed-wait-loop", timed_wait_loop::run, "UW002", FENCES, "waits in a loop of timeouts for a fence that no submit carries"),
    S::hang("wrapper-fork", wrapper_fork::run, "UW002", FENCES, "the program that hangs is the child of a launcher"),
    S::hang("semaphore-debtor-exited", semaphore_debtor_exited::run, "UW007", &["vkWaitSemaphores", "signaller"], "the thread that used to signal has exited"),
    S::hang("no-timeline-device", fence_never_submitted::run, "UW002", FENCES, "a fence that no submit carries, without timeline semaphores").on(Fake("timeline=off")),
    // Faults of the driver itself, not of the layer.
    S::hang("driver-drops-fence", dropped_signal::fence, "UW004", FENCES, "the driver loses the signal of a fence").on(Fake("drop-fence=20")),
    // Odd: with the layer each submit signals twice, first the program's semaphore, then the layer's.
    S::hang("driver-drops-timeline", dropped_signal::timeline, "UW004", SEMAPHORES, "the driver loses the signal of a timeline value").on(Fake("drop-semaphore=21")),
    S::hang("driver-stalls", dropped_signal::fence, "UW006", FENCES, "the driver stops executing, idle").on(Fake("stall=20")),
    S::hang("driver-busy", dropped_signal::fence, "UW005", FENCES, "the driver executes a submit for ever").on(Fake("busy=20")),
    S::hang("driver-fails-submit", submit_failed::run, "UW003", &["vkWaitForFences", "vkQueueSubmit"], "the driver fails a submit").on(Fake("fail-submit=6")),
    S::hang("driver-loses-device", device_lost::run, "UW007", &["vkWaitForFences", "VK_ERROR_DEVICE_LOST"], "the driver loses the device").on(Fake("lost-at=20")),
    S::hang("driver-out-of-date", frame_loop_out_of_date::run, "UW003", &["vkWaitForFences", "VK_ERROR_OUT_OF_DATE_KHR"], "the driver finds the swapchain out of date").on(Fake("acquire-out-of-date=5")).window(),
    S::hang("driver-withholds-images", acquire_withheld::run, "UW010", ACQUIRE, "the driver gives no image back").on(Fake("withhold-after=5")).window(),
    S::unclear("no-timeline-busy", no_timeline_busy::run, "a stalled submit, without timeline semaphores").on(Fake("timeline=off,stall=5")),

    S::healthy("idle", idle::run, "one frame, then ten seconds of nothing"),
    S::healthy("minimised-window", minimised_window::run, "no frames while the window is minimised").window(),
    S::healthy("occluded-window", occluded_window::run, "presents though another window covers it").window(),
    S::healthy("long-compile", long_compile::run, "a pipeline that takes seconds to create"),
    S::healthy("slow-compute", slow_compute::run, "eight seconds of work queued at once"),
    S::healthy("short-fences", short_fences::run, "fifty thousand short frames"),
    S::healthy("worker-idle", worker_idle::run, "a worker waits eight seconds for its next job"),
    S::healthy("many-threads", many_threads::run, "eight threads with a device each"),
    S::healthy("several-devices", several_devices::run, "two instances of two devices"),
    S::healthy("no-vulkan", no_vulkan::run, "never loads Vulkan"),
    S::healthy("poll-progress", poll_progress::run, "polls the fences of real work"),
    S::healthy("paused", paused::run, "no Vulkan call for eight seconds"),
    S::healthy("handle-churn", handle_churn::run, "makes and destroys 200,000 handles"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_kebab_case_and_unique() {
        let names: BTreeSet<_> = TABLE.iter().map(|scenario| scenario.name).collect();
        assert_eq!(names.len(), TABLE.len());
        for name in names {
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{name}");
        }
    }

    #[test]
    fn findings_have_codes_and_the_healthy_have_no_faults() {
        for scenario in TABLE {
            match scenario.expect {
                Expect::Finding { code, .. } => {
                    assert!(code.len() == 5 && code.starts_with("UW0"), "{}", scenario.name)
                }
                Expect::Healthy { .. } => assert!(scenario.inject.is_empty(), "{}", scenario.name),
                Expect::Inconclusive => {}
            }
        }
    }

    #[test]
    fn every_file_has_a_line_in_the_table() {
        let used: BTreeSet<String> = TEXT
            .split("::")
            .filter_map(|part| part.rsplit([' ', ',']).next())
            .map(String::from)
            .collect();
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/scenarios");
        let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
        for file in files
            .map(|file| file.file_name().to_string_lossy().replace(".rs", ""))
            .filter(|name| name != "mod")
        {
            assert!(used.contains(&file), "{file}.rs is not in the table");
        }
    }

    const TEXT: &str = include_str!("table.rs");
}
