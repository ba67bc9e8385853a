//! Does a device's engine work, idle, or can nobody tell? Judged over the time between two samples.
//!
//! A software rasteriser is its threads' processor time; a DRM driver counts its engines' busy time in
//! fdinfo; NVIDIA's driver is asked through its management library.

use std::collections::{HashMap, HashSet, VecDeque};

use unwedge_trace::blackbox::DeviceRecord;

use super::nvidia::Nvidia;
use super::observations::EngineSeen;
use super::process;
use super::procfs::{self, Stat};
use crate::clock;

/// Busier than this share of one engine or core is working.
const WORKING: f64 = 0.20;
/// Less busy than this is idle.
const IDLE: f64 = 0.01;
/// Samples closer together than this are not compared. Nanoseconds.
const APART_NS_MIN: u64 = 200_000_000;
/// Samples at least this far apart are preferred. Nanoseconds.
const APART_NS_GOOD: u64 = 400_000_000;
/// Samples before the last are at least so far apart. Nanoseconds.
const SAMPLE_EVERY: u64 = 400_000_000;
/// Samples kept.
const SAMPLES: usize = 16;
const DEVICE_TYPE_CPU: u64 = 4;
const VENDOR_NVIDIA: u64 = 0x10de;

/// The engines of one process, and the samples taken of them.
#[derive(Default)]
pub(crate) struct Engines {
    samples: VecDeque<Sample>,
    nvidia: Option<Nvidia>,
}

/// What the counters were at one moment.
#[derive(Default)]
struct Sample {
    at: u64,
    threads: HashMap<u32, ThreadCpu>,
    drm: HashMap<(String, String), u64>,
}

/// A thread's processor time.
#[derive(Clone, Debug, Default)]
struct ThreadCpu {
    name: String,
    cpu_ns: u64,
    start_ticks: u64,
}

impl Engines {
    /// Reads the counters that these devices need, unless that was done a moment ago.
    pub(crate) fn sample(&mut self, now: u64, pid: u32, devices: &[(usize, DeviceRecord)]) {
        if self.samples.back().is_none_or(|last| now.saturating_sub(last.at) >= SAMPLE_EVERY) {
            self.sample_now(now, pid, devices);
        }
    }

    /// Reads the counters that these devices need.
    pub(crate) fn sample_now(&mut self, now: u64, pid: u32, devices: &[(usize, DeviceRecord)]) {
        let mut sample = Sample { at: now, ..Sample::default() };
        if devices.iter().any(|(_, device)| device.device_type == DEVICE_TYPE_CPU) {
            sample.threads = thread_times(pid);
        }
        if devices.iter().any(|(_, device)| device.device_type != DEVICE_TYPE_CPU) {
            sample.drm = drm_times(pid);
        }
        if devices.iter().any(|(_, device)| is_nvidia(device)) {
            self.nvidia.get_or_insert_with(Nvidia::start).ask(pid);
        }
        if self.samples.len() == SAMPLES {
            self.samples.pop_front();
        }
        self.samples.push_back(sample);
    }

    /// Judges each device by the last sample and an earlier one. `known` are the threads that the layer
    /// has seen call Vulkan, and the layer's own.
    pub(crate) fn judge(
        &mut self,
        known: &HashSet<u32>,
        pid: u32,
        devices: &[(usize, DeviceRecord)],
    ) -> Vec<(usize, EngineSeen)> {
        let nvidia = self.nvidia.as_mut();
        let nvidia_use = nvidia.map(|nvidia| nvidia.answer(pid));
        let judged = devices.iter().map(|(index, device)| {
            let seen = match (&nvidia_use, self.pair()) {
                (Some(answer), _) if is_nvidia(device) => answer.clone(),
                (_, None) => unknown("it was not sampled for long enough"),
                (_, Some((before, after))) if device.device_type == DEVICE_TYPE_CPU => {
                    let born = Born::of(pid, device.created_at);
                    software(before, after, known, &born)
                }
                (_, Some((before, after))) => drm(before, after, device.vendor),
            };
            (*index, seen)
        });
        judged.collect()
    }

    fn pair(&self) -> Option<(&Sample, &Sample)> {
        let after = self.samples.back()?;
        let apart = |sample: &&Sample| after.at.saturating_sub(sample.at);
        let good = self.samples.iter().rev().find(|sample| apart(sample) >= APART_NS_GOOD);
        let before =
            good.or_else(|| self.samples.front().filter(|first| apart(first) >= APART_NS_MIN));
        Some((before?, after))
    }
}

fn is_nvidia(device: &DeviceRecord) -> bool {
    device.vendor == VENDOR_NVIDIA && device.device_type != DEVICE_TYPE_CPU
}

fn unknown(why: &str) -> EngineSeen {
    EngineSeen::Unknown(why.to_owned())
}

/// How a driver's own thread may be told from the program's workers, besides by its name: Mesa 22.3
/// leaves its queue thread the name of the program, and starts it while the device is made.
struct Born {
    program: String,
    ticks: std::ops::RangeInclusive<u64>,
}

impl Born {
    fn of(pid: u32, device_created_at: u64) -> Self {
        let program = Stat::of(pid).map(|stat| stat.comm).unwrap_or_default();
        let to_ticks = |ns: u64| clock::boot_ticks(ns);
        let before = to_ticks(device_created_at.saturating_sub(500_000_000)).saturating_sub(1);
        let after = to_ticks(device_created_at.saturating_add(50_000_000)) + 1;
        Self { program, ticks: before..=after }
    }
}

/// Names that Mesa gives to threads of its software rasterisers and queues.
const DRIVER_NAMES: [&str; 7] =
    ["llvmpipe-", "lavapipe", "lvp", "vkqueue", "vk_queue", "fake-queue", "[vk"];

fn software(before: &Sample, after: &Sample, known: &HashSet<u32>, born: &Born) -> EngineSeen {
    let elapsed = after.at.saturating_sub(before.at).max(1) as f64;
    let (mut driver, mut others, mut drivers) = (0.0, 0.0, 0);
    let mut busiest: (f64, &str) = (0.0, "");
    for (tid, thread) in after.threads.iter().filter(|(tid, _)| !known.contains(tid)) {
        // A thread that is new since the first sample has used all its time since.
        let earlier = before.threads.get(tid).map_or(0, |earlier| earlier.cpu_ns);
        let share = thread.cpu_ns.saturating_sub(earlier) as f64 / elapsed;
        if is_drivers(thread, born) {
            driver += share;
            drivers += 1;
        } else {
            others += share;
            if share > busiest.0 {
                busiest = (share, &thread.name);
            }
        }
    }
    let over = format!("over {:.1} s", elapsed / 1e9);
    if drivers == 0 {
        // Nothing that looks like the driver's: any thread that is not the program's caller may be.
        driver = others;
        others = 0.0;
    }
    let used = format!("the driver's threads used {:.0} % of a core {over}", driver * 100.0);
    if driver >= WORKING {
        EngineSeen::Working(used)
    } else if driver >= IDLE {
        EngineSeen::Unknown(used)
    } else if others >= WORKING {
        EngineSeen::Unknown(format!(
            "{used}, but {:?}, which may be one of them, used {:.0} %",
            busiest.1,
            busiest.0 * 100.0
        ))
    } else {
        EngineSeen::Idle(used)
    }
}

fn is_drivers(thread: &ThreadCpu, born: &Born) -> bool {
    let named = DRIVER_NAMES.iter().any(|name| thread.name.starts_with(name));
    named || (thread.name == born.program && born.ticks.contains(&thread.start_ticks))
}

fn thread_times(pid: u32) -> HashMap<u32, ThreadCpu> {
    let tids = procfs::numbers(format!("/proc/{pid}/task")).unwrap_or_default();
    let times = tids.into_iter().filter_map(|tid| {
        let stat = Stat::of_thread(pid, tid)?;
        let cpu_ns = process::cpu_ns(pid, tid, stat.cpu_ticks);
        Some((tid, ThreadCpu { name: stat.comm, cpu_ns, start_ticks: stat.start_ticks }))
    });
    times.collect()
}

fn drm_times(pid: u32) -> HashMap<(String, String), u64> {
    let mut times = HashMap::new();
    for descriptor in procfs::numbers(format!("/proc/{pid}/fd")).unwrap_or_default() {
        let link = std::fs::read_link(format!("/proc/{pid}/fd/{descriptor}")).unwrap_or_default();
        if !link.starts_with("/dev/dri") {
            continue;
        }
        let text = procfs::lossy(&format!("/proc/{pid}/fdinfo/{descriptor}")).unwrap_or_default();
        if let Some((client, engines)) = procfs::parse_drm_fdinfo(&text) {
            times.extend(engines.into_iter().map(|(engine, ns)| ((client.clone(), engine), ns)));
        }
    }
    times
}

/// The kernel driver's name for a PCI vendor, as fdinfo has it.
fn is_driver_of(client: &str, vendor: u64) -> bool {
    let names: &[&str] = match vendor {
        0x1002 => &["amdgpu", "radeon"],
        0x8086 => &["i915", "xe"],
        VENDOR_NVIDIA => &["nouveau", "nvidia-drm"],
        0x5143 => &["msm"],
        0x13b5 => &["panfrost", "panthor"],
        _ => return true,
    };
    names.iter().any(|name| client.split(' ').next() == Some(name))
}

fn drm(before: &Sample, after: &Sample, vendor: u64) -> EngineSeen {
    let elapsed = after.at.saturating_sub(before.at).max(1) as f64;
    let busy = after.drm.iter().filter(|((client, _), _)| is_driver_of(client, vendor));
    let shares = busy.map(|(key, ns)| {
        let earlier = before.drm.get(key).copied().unwrap_or(0);
        (ns.saturating_sub(earlier) as f64 / elapsed, &key.1)
    });
    let Some((share, engine)) = shares.max_by(|a, b| a.0.total_cmp(&b.0)) else {
        return unknown("its kernel driver does not count engine time in fdinfo");
    };
    let used =
        format!("engine {engine} was busy for {:.0} % of {:.1} s", share * 100.0, elapsed / 1e9);
    if share >= WORKING {
        EngineSeen::Working(used)
    } else if share < IDLE {
        EngineSeen::Idle(used)
    } else {
        EngineSeen::Unknown(used)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Threads as (tid, name, start tick, processor ms before, after) over one second.
    fn check(threads: &[(u32, &str, u64, u64, u64)], expected: &str) {
        let sample = |at, pick: fn(&(u32, &str, u64, u64, u64)) -> u64| {
            let thread = |thread: &(u32, &str, u64, u64, u64)| {
                let cpu_ns = pick(thread) * 1_000_000;
                (thread.0, ThreadCpu { name: thread.1.to_owned(), cpu_ns, start_ticks: thread.2 })
            };
            Sample { at, threads: threads.iter().map(thread).collect(), ..Sample::default() }
        };
        let (before, after) = (sample(0, |t| t.3), sample(1_000_000_000, |t| t.4));
        let born = Born { program: "cube".to_owned(), ticks: 100..=110 };
        let seen = software(&before, &after, &HashSet::from([1]), &born);
        assert!(format!("{seen:?}").starts_with(expected), "{threads:?}: {seen:?}");
    }

    #[test]
    fn a_software_rasteriser_is_its_threads() {
        check(
            &[(1, "cube", 90, 0, 900), (2, "llvmpipe-0", 105, 5, 705)],
            "Working(\"the driver's threads used 70 %",
        );
        check(&[(1, "cube", 90, 0, 900), (2, "llvmpipe-0", 105, 5, 6)], "Idle");
        check(&[(2, "llvmpipe-0", 105, 5, 105)], "Unknown");
    }

    #[test]
    fn an_unnamed_thread_is_the_drivers_if_it_was_born_with_the_device() {
        check(&[(2, "llvmpipe-0", 105, 0, 0), (3, "cube", 104, 0, 900)], "Working");
        check(&[(2, "llvmpipe-0", 105, 0, 0), (3, "cube", 300, 0, 900)], "Unknown");
        check(&[(2, "llvmpipe-0", 105, 0, 0), (3, "worker", 104, 0, 900)], "Unknown");
        check(&[(3, "worker", 300, 0, 900)], "Working");
    }

    #[test]
    fn drm_engines_are_compared() {
        let sample = |at, ns| {
            let key = ("amdgpu 0000:03:00.0 client 9".to_owned(), "gfx".to_owned());
            Sample { at, drm: HashMap::from([(key, ns)]), ..Sample::default() }
        };
        let judge = |ns, vendor| drm(&sample(0, 0), &sample(1_000_000_000, ns), vendor);
        assert_eq!(
            judge(850_000_000, 0x1002),
            EngineSeen::Working("engine gfx was busy for 85 % of 1.0 s".to_owned())
        );
        assert!(matches!(judge(0, 0x1002), EngineSeen::Idle(_)));
        assert!(matches!(judge(100_000_000, 0x1002), EngineSeen::Unknown(_)));
        assert!(matches!(judge(850_000_000, 0x8086), EngineSeen::Unknown(_)), "another vendor's");
    }

    #[test]
    fn samples_too_close_together_tell_nothing() {
        let mut engines = Engines::default();
        let pid = std::process::id();
        engines.sample_now(1_000_000_000, pid, &[]);
        engines.sample_now(1_100_000_000, pid, &[]);
        assert!(engines.pair().is_none());
        engines.sample_now(1_300_000_000, pid, &[]);
        assert_eq!(engines.pair().map(|(before, after)| after.at - before.at), Some(300_000_000));
        engines.sample_now(2_000_000_000, pid, &[]);
        assert_eq!(engines.pair().map(|(before, after)| after.at - before.at), Some(700_000_000));
    }
}
