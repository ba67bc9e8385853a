//! What else went wrong by the kernel's log? Processors that are stuck, stalls, panics, GPU rings and queues.

use std::collections::BTreeMap;

/// A remark about a task, a queue or the kernel as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Remark {
    pub(super) at: u64,
    pub(super) about: About,
    pub(super) text: String,
}

/// What a remark is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum About {
    Kernel,
    /// A device that failed, by a name.
    Queue(String),
}

/// A task that a processor is seen to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Running {
    pub(super) at: u64,
    pub(super) pid: u32,
    pub(super) name: String,
    pub(super) processor: Option<u32>,
    pub(super) detail: String,
    /// It could run and is not picked.
    pub(super) is_starved: bool,
}

/// A GPU ring whose job timed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ring {
    pub(super) at: u64,
    pub(super) signalled: u64,
    pub(super) emitted: u64,
    /// When the driver said that it had reset it.
    pub(super) recovered: Option<u64>,
}

/// All troubles of the log.
#[derive(Debug, Default)]
pub(super) struct Troubles {
    pub(super) remarks: Vec<Remark>,
    pub(super) running: Vec<Running>,
    pub(super) rings: BTreeMap<String, Ring>,
    /// Those beyond the bound.
    pub(super) more: u64,
    /// Why the next task that a processor runs is worth telling, and since when.
    reason: Option<(u64, String)>,
}

/// Troubles of a sort that are told.
pub(super) const TOLD_MAX: usize = 1024;
const TEXT_CHARS_MAX: usize = 160;
/// How long after a stall's first line its traces may follow, nanoseconds.
const REASON_NS_MAX: u64 = 5_000_000_000;
/// Lines that are worth a remark, by what they contain.
const TELLING: [&str; 11] = [
    "Kernel panic - not syncing",
    "Watchdog detected hard LOCKUP",
    "detected stalls on CPUs/tasks",
    "self-detected stall on CPU",
    "detected expedited stalls",
    "BUG: workqueue lockup",
    "can't die for more than",
    "BUG: unable to handle",
    "Out of memory: Killed process",
    "rcu_preempt kthread timer wakeup didn't happen",
    "Future hung task reports are suppressed",
];
/// Lines that tell of a device that failed, by what they contain, and the device's name where the line has none.
const DEVICES: [(&str, &str); 8] = [
    ("GPU HANG", "i915"),
    ("NVRM: Xid", "NVIDIA GPU"),
    ("flip_done timed out", "display"),
    ("Timedout job", "xe"),
    ("gpu sched timeout", "GPU scheduler"),
    ("hangcheck detected gpu lockup", "msm"),
    ("failed to idle channel", "nouveau"),
    ("fence timeout", "GPU"),
];

impl Troubles {
    pub(super) fn line(&mut self, at: u64, text: &str) {
        if let Some(lockup) = soft_lockup(at, text) {
            self.remark(at, About::Kernel, text);
            self.run(lockup);
        } else if TELLING.iter().any(|telling| text.contains(telling)) {
            self.remark(at, About::Kernel, text);
            if text.contains("stall") {
                self.reason = Some((at, "an RCU stall".to_owned()));
            }
        } else if text.starts_with("NMI backtrace for cpu") && !text.contains("skipped") {
            self.reason = Some((at, "a backtrace of its processor".to_owned()));
        } else if let Some((pid, name, processor)) = running_task(text) {
            self.runs(at, pid, name, processor);
        } else if let Some(starved) = starved(at, text) {
            self.run(starved);
        } else {
            self.device(at, text);
        }
    }

    fn runs(&mut self, at: u64, pid: u32, name: &str, processor: u32) {
        let Some((since, reason)) = self.reason.take() else { return };
        if pid != 0 && at.saturating_sub(since) <= REASON_NS_MAX {
            let detail = format!("ran on processor {processor}, by {reason}");
            let (name, processor) = (name.to_owned(), Some(processor));
            self.run(Running { at, pid, name, processor, detail, is_starved: false });
        }
    }

    fn device(&mut self, at: u64, text: &str) {
        if let Some((ring, after)) = text.split_once(" timeout, ").and_then(ring_name) {
            return self.ring(at, ring, after, text);
        }
        if text.contains("amdgpu")
            && (text.contains("GPU reset") || text.contains("reset succeeded"))
        {
            let succeeded = text.contains("succeeded");
            for ring in self.rings.values_mut().filter(|ring| succeeded && ring.recovered.is_none())
            {
                ring.recovered = Some(at);
            }
            return self.remark(at, About::Kernel, text);
        }
        let Some((_, device)) = DEVICES.iter().find(|(telling, _)| text.contains(telling)) else {
            return;
        };
        let name = text.split_once("NVRM: Xid (").and_then(|(_, rest)| rest.split_once("):"));
        let name =
            name.map_or((*device).to_owned(), |(place, _)| format!("{device} {}", short(place)));
        self.remark(at, About::Queue(name), text);
    }

    /// `signaled seq=1234, emitted seq=1236`, or `but soft recovered`.
    fn ring(&mut self, at: u64, name: &str, after: &str, text: &str) {
        let number = |label: &str| -> Option<u64> {
            let (_, rest) = after.split_once(label)?;
            rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())].parse().ok()
        };
        let fits = self.rings.len() < TOLD_MAX || self.rings.contains_key(name);
        let seqs = number("signaled seq=").zip(number("emitted seq=")).filter(|_| fits);
        if let Some((signalled, emitted)) = seqs {
            self.rings.insert(short(name), Ring { at, signalled, emitted, recovered: None });
        }
        self.remark(at, About::Queue(short(name)), text);
    }

    fn remark(&mut self, at: u64, about: About, text: &str) {
        if self.remarks.len() < TOLD_MAX {
            self.remarks.push(Remark { at, about, text: short(text) });
        } else {
            self.more += 1;
        }
    }

    fn run(&mut self, running: Running) {
        if self.running.len() < TOLD_MAX {
            self.running.push(running);
        } else {
            self.more += 1;
        }
    }
}

/// The ring of `… ring gfx timeout, …`: what stands before and after is given.
fn ring_name<'l>((before, after): (&'l str, &'l str)) -> Option<(&'l str, &'l str)> {
    let (_, name) = before.rsplit_once("ring ")?;
    (!name.is_empty() && !name.contains(' ')).then_some((name, after))
}

/// `watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [comm:pid]`.
fn soft_lockup(at: u64, text: &str) -> Option<Running> {
    let (_, rest) = text.split_once("soft lockup - CPU#")?;
    let (processor, rest) = rest.split_once(" stuck for ")?;
    let (time, rest) = rest.split_once('!')?;
    let (name, pid) = rest.trim().strip_prefix('[')?.strip_suffix(']')?.rsplit_once(':')?;
    let detail = format!("soft lockup: processor {} stuck for {}", short(processor), short(time));
    let processor = processor.parse().ok();
    let (pid, name) = (pid.parse().ok()?, short(name));
    Some(Running { at, pid, name, processor, detail, is_starved: false })
}

/// `rcu: rcu_preempt kthread starved for 10502 jiffies! g0 f0x0 RCU_GP_WAIT_FQS(5) ->state=0x0 ->cpu=1`: its pid is not told.
fn starved(at: u64, text: &str) -> Option<Running> {
    let (name, rest) = text.split_once(" kthread starved for ")?;
    let name = short(name.rsplit(' ').next()?);
    let jiffies = short(rest.split(' ').next()?);
    let processor = rest.split_once("->cpu=").and_then(|(_, cpu)| cpu.trim().parse().ok());
    let detail = format!("starved of a processor for {jiffies} jiffies");
    Some(Running { at, pid: 0, name, processor, detail, is_starved: true })
}

/// `CPU: 1 PID: 16 Comm: ksoftirqd/1 Not tainted …`, as pid, name and processor.
pub(super) fn running_task(text: &str) -> Option<(u32, &str, u32)> {
    let (processor, rest) = text.strip_prefix("CPU: ")?.split_once(' ')?;
    let (_, rest) = rest.split_once("PID: ")?;
    let (pid, rest) = rest.split_once(" Comm: ")?;
    let end = [" Not tainted", " Tainted:"].iter().filter_map(|mark| rest.find(mark)).min();
    Some((pid.parse().ok()?, &rest[..end.unwrap_or(rest.len())], processor.parse().ok()?))
}

fn short(text: &str) -> String {
    text.chars().take(TEXT_CHARS_MAX).collect()
}
