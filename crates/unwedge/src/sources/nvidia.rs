//! How busy is an NVIDIA GPU, and with whose work? Asked through the management library (NVML).
//!
//! A driver in trouble may keep its library waiting, so a thread of its own asks and nobody waits
//! long for its answer.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use nvml_wrapper::{Device, Nvml};

use super::observations::EngineSeen;
use crate::clock;

/// Longest wait for an answer that was asked for earlier.
const ANSWER_WITHIN: Duration = Duration::from_millis(20);
/// How long the thread sleeps at a time while nobody asks.
const IDLE_FOR: Duration = Duration::from_secs(60);
/// An answer older than this is not given. Nanoseconds.
const ANSWER_NS_MAX: u64 = 1_500_000_000;
/// How far back the library's samples of a process are taken. Microseconds.
const SAMPLES_US: u64 = 1_500_000;

/// A thread that asks the library.
pub(crate) struct Nvidia {
    ask: Sender<u32>,
    answers: Receiver<(u64, EngineSeen)>,
    open: u32,
    latest: Option<(u64, EngineSeen)>,
}

impl Nvidia {
    /// Starts the thread; it loads the library.
    pub(crate) fn start() -> Self {
        let (ask, asked) = mpsc::channel::<u32>();
        let (answer, answers) = mpsc::channel();
        // It ends when either side of the channels is dropped; nobody joins it, for the library
        // may never return.
        std::thread::spawn(move || {
            let nvml = Nvml::init();
            loop {
                let pid = match asked.recv_timeout(IDLE_FOR) {
                    Ok(pid) => pid,
                    Err(RecvTimeoutError::Timeout) => continue,
                    Err(RecvTimeoutError::Disconnected) => return,
                };
                let seen = match &nvml {
                    Ok(nvml) => judge(nvml, pid),
                    Err(error) => unknown(format!("NVIDIA's management library: {error}")),
                };
                if answer.send((clock::now(), seen)).is_err() {
                    return;
                }
            }
        });
        Self { ask, answers, open: 0, latest: None }
    }

    /// Asks about the work of a process; the answer is for [`Nvidia::answer`] later.
    pub(crate) fn ask(&mut self, pid: u32) {
        self.take();
        // One question in the queue and one being answered are enough.
        if self.open < 2 && self.ask.send(pid).is_ok() {
            self.open += 1;
        }
    }

    fn take(&mut self) {
        while let Ok(answer) = self.answers.try_recv() {
            self.open = self.open.saturating_sub(1);
            self.latest = Some(answer);
        }
    }

    /// The latest answer, if it is young.
    pub(crate) fn answer(&mut self, pid: u32) -> EngineSeen {
        self.take();
        if self.open == 0 {
            self.ask(pid);
        }
        if let Ok(answer) = self.answers.recv_timeout(ANSWER_WITHIN) {
            self.open = self.open.saturating_sub(1);
            self.latest = Some(answer);
        }
        match &self.latest {
            Some((at, seen)) if clock::now().saturating_sub(*at) < ANSWER_NS_MAX => seen.clone(),
            _ => unknown("NVIDIA's management library does not answer".to_owned()),
        }
    }
}

fn unknown(why: String) -> EngineSeen {
    EngineSeen::Unknown(why)
}

fn judge(nvml: &Nvml, pid: u32) -> EngineSeen {
    let count = nvml.device_count().unwrap_or(0);
    let devices: Vec<Device> =
        (0..count).filter_map(|index| nvml.device_by_index(index).ok()).collect();
    let mut using: Vec<(&Device, Vec<u32>)> =
        devices.iter().map(|device| (device, users(device))).collect();
    if using.iter().any(|(_, pids)| pids.contains(&pid)) {
        using.retain(|(_, pids)| pids.contains(&pid));
    }
    match &using[..] {
        [] => unknown("NVIDIA's management library shows no device".to_owned()),
        [(device, pids)] => of_device(device, pids, pid),
        several => {
            // Of several GPUs, idle is an answer only when all of them are.
            let rates: Vec<u32> = several.iter().filter_map(|(device, _)| rate(device)).collect();
            if rates.len() == several.len() && rates.iter().all(|rate| *rate == 0) {
                EngineSeen::Idle(format!("utilisation of all {} NVIDIA GPUs is 0 %", rates.len()))
            } else {
                unknown(format!(
                    "there are {} NVIDIA GPUs, and which is used is unknown",
                    several.len()
                ))
            }
        }
    }
}

fn of_device(device: &Device, pids: &[u32], pid: u32) -> EngineSeen {
    let since = clock::unix_now() / 1000 - SAMPLES_US;
    let samples = device.process_utilization_stats(since).unwrap_or_default();
    let own = samples.iter().filter(|sample| sample.pid == pid && sample.timestamp >= since);
    if let Some(sample) = own.max_by_key(|sample| sample.timestamp)
        && sample.sm_util >= 20
    {
        return EngineSeen::Working(format!("the process uses {} % of the GPU", sample.sm_util));
    }
    match rate(device) {
        None => unknown("NVIDIA's management library gives no utilisation".to_owned()),
        Some(0) => EngineSeen::Idle("GPU utilisation 0 %".to_owned()),
        // Inside a container the library may list no process at all.
        Some(rate) if rate >= 20 && pids.iter().all(|user| *user == pid) => {
            EngineSeen::Working(format!("GPU utilisation {rate} %"))
        }
        Some(rate) if rate >= 20 && pids.len() <= 1 => {
            EngineSeen::Working(format!("GPU utilisation {rate} %"))
        }
        Some(rate) => unknown(format!("GPU utilisation {rate} %, by {} processes", pids.len())),
    }
}

fn rate(device: &Device) -> Option<u32> {
    device.utilization_rates().ok().map(|rates| rates.gpu)
}

fn users(device: &Device) -> Vec<u32> {
    let compute = device.running_compute_processes().unwrap_or_default();
    let graphics = device.running_graphics_processes().unwrap_or_default();
    let mut pids: Vec<u32> = compute.iter().chain(&graphics).map(|process| process.pid).collect();
    pids.sort_unstable();
    pids.dedup();
    pids
}
