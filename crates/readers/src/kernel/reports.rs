//! Which tasks does a kernel log report as blocked, in what, and who owns what they wait for?

use std::collections::BTreeMap;

use super::frames::{Frame, Trace};

/// `INFO: task NAME:PID blocked for more than 143 seconds.`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HungHeader<'l> {
    name: &'l str,
    pid: u32,
    seconds: u64,
}

/// What a kernel says of the owner of what a task is blocked on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OwnerLine<'l> {
    name: &'l str,
    pid: u32,
    lock: &'static str,
    /// Name and pid.
    owner: Option<(&'l str, u32)>,
    /// The lock is held for reading: the owner is the last that came, and others may hold it too.
    is_read: bool,
}

/// `task:NAME state:D stack:0 pid:2221 ppid:2 flags:0x…`, or as older kernels write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TaskLine<'l> {
    name: &'l str,
    pid: u32,
    tgid: u32,
    parent: Option<u32>,
    state: u8,
}

/// A task that was reported as blocked for long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hung {
    /// Since when at least.
    pub(super) since: u64,
    /// When it was last reported, and after how many seconds of blocking.
    pub(super) reported: u64,
    pub(super) seconds: u64,
}

/// A task of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Task {
    pub(super) name: String,
    /// The process, 0 where it is not told.
    pub(super) tgid: u32,
    pub(super) is_kernel: bool,
    /// The letter of its state; 0 where it is not told.
    pub(super) state: u8,
    pub(super) hung: Option<Hung>,
    pub(super) trace: Trace,
    /// Its trace is mixed with somebody else's.
    pub(super) is_torn: bool,
    /// When it was last told of.
    pub(super) seen: u64,
}

/// Whom the kernel takes for the owner of what a task is blocked on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) at: u64,
    /// "mutex", "semaphore", "rw-semaphore".
    pub(super) lock: &'static str,
    pub(super) pid: Option<u32>,
    pub(super) is_read: bool,
}

/// All tasks of the log.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) tasks: BTreeMap<u32, Task>,
    pub(super) owners: BTreeMap<u32, Owner>,
    /// When anything was last said of a task.
    pub(super) seen: Option<u64>,
    /// Reports of hung tasks, and whether the kernel said that it makes no more.
    reports: u64,
    is_suppressed: bool,
    last_scan: u64,
    /// Tasks that were left out.
    pub(super) left_out: u64,
}

/// Tasks that are kept.
const TASKS_MAX: usize = 16_384;
const NAME_CHARS_MAX: usize = 64;
/// Reports after which kernels fall silent, unless told otherwise (`kernel.hung_task_warnings`).
const REPORTS_SILENT: u64 = 10;
const NS_PER_SECOND: u64 = 1_000_000_000;
/// The process id of the parent of all kernel threads.
const KTHREADD: u32 = 2;

impl Log {
    /// A report of a hung task begins; gives its pid.
    pub(super) fn hung(&mut self, at: u64, header: &HungHeader<'_>) -> u32 {
        self.reports += 1;
        self.last_scan = at;
        let blocked = header.seconds.saturating_mul(NS_PER_SECOND);
        let since = at.saturating_sub(blocked);
        let Some(task) = self.task_mut(at, header.pid, header.name) else { return header.pid };
        // Reported again after twice the time, it is still the same wait.
        let since = task.hung.map_or(since, |hung| {
            if since <= hung.reported { hung.since.min(since) } else { since }
        });
        task.hung = Some(Hung { since, reported: at, seconds: header.seconds });
        task.state = b'D';
        task.is_torn = false;
        task.trace = Trace::default();
        header.pid
    }

    /// Adds what the kernel says of an owner.
    pub(super) fn owner(&mut self, at: u64, line: &OwnerLine<'_>) {
        self.name(line.pid, line.name);
        if let Some((name, pid)) = line.owner {
            self.name(pid, name);
        }
        self.seen = Some(at);
        let owner = line.owner.map(|(_, pid)| pid);
        let owner = Owner { at, lock: line.lock, pid: owner, is_read: line.is_read };
        if self.owners.len() < TASKS_MAX {
            self.owners.insert(line.pid, owner);
        }
    }

    /// The kernel says that it reports no more hung tasks.
    pub(super) fn suppressed(&mut self) {
        self.is_suppressed = true;
    }

    /// The first line of a task's dump; gives its pid.
    pub(super) fn task(&mut self, at: u64, line: &TaskLine<'_>) -> u32 {
        let Some(task) = self.task_mut(at, line.pid, line.name) else { return line.pid };
        task.tgid = line.tgid.max(task.tgid);
        task.is_kernel |= line.parent == Some(KTHREADD) || line.pid == KTHREADD;
        task.state = line.state;
        if line.state != b'D' {
            task.hung = None;
        }
        line.pid
    }

    /// The trace of a task begins.
    pub(super) fn begin_trace(&mut self, at: u64, pid: u32) {
        if let Some(task) = self.tasks.get_mut(&pid) {
            task.trace = Trace::default();
            task.seen = at;
        }
    }

    /// `Workqueue: …`: the task is a worker of the kernel.
    pub(super) fn works(&mut self, pid: u32, _text: &str) {
        if let Some(task) = self.tasks.get_mut(&pid) {
            task.is_kernel = true;
        }
    }

    pub(super) fn frame(&mut self, pid: u32, frame: &Frame<'_>) {
        if let Some(task) = self.tasks.get_mut(&pid).filter(|task| !task.is_torn) {
            task.trace.push(frame);
        }
    }

    /// The trace of a task is that of another.
    pub(super) fn same_trace(&mut self, pid: u32, other: u32) {
        let Some(trace) = self.tasks.get(&other).map(|task| task.trace.clone()) else { return };
        if let Some(task) = self.tasks.get_mut(&pid) {
            task.trace = trace;
        }
    }

    /// The trace of a task cannot be told from another's.
    pub(super) fn tear(&mut self, pid: u32) {
        if let Some(task) = self.tasks.get_mut(&pid) {
            task.is_torn = true;
            task.trace = Trace::default();
        }
    }

    /// A task is mentioned.
    pub(super) fn name(&mut self, pid: u32, name: &str) {
        let seen = self.tasks.get(&pid).map_or(0, |task| task.seen);
        let before = self.seen;
        let _ = self.task_mut(seen, pid, name);
        self.seen = before;
    }

    /// Whether a task that was reported has not been when others were later, though it would have been.
    pub(super) fn went_on(&self, hung: &Hung) -> bool {
        let half = hung.seconds.saturating_mul(NS_PER_SECOND / 2);
        self.reports < REPORTS_SILENT
            && !self.is_suppressed
            && self.last_scan.saturating_sub(hung.reported) > half.max(NS_PER_SECOND)
    }

    fn task_mut(&mut self, at: u64, pid: u32, name: &str) -> Option<&mut Task> {
        if self.tasks.len() >= TASKS_MAX && !self.tasks.contains_key(&pid) {
            self.left_out += 1;
            return None;
        }
        self.seen = Some(at.max(self.seen.unwrap_or(0)));
        let task = self.tasks.entry(pid).or_default();
        if task.name.is_empty() {
            task.name = name.chars().take(NAME_CHARS_MAX).collect();
            task.is_kernel = is_kernel_name(name);
        }
        task.seen = at;
        Some(task)
    }
}

/// Names that only threads of the kernel have, for lists that say no more than the name.
fn is_kernel_name(name: &str) -> bool {
    const NAMES: [&str; 12] = [
        "kworker/",
        "ksoftirqd/",
        "migration/",
        "rcu_",
        "rcuop/",
        "rcuog/",
        "jbd2/",
        "kswapd",
        "khungtaskd",
        "kthreadd",
        "kcompactd",
        "cpuhp/",
    ];
    NAMES.iter().any(|begin| name.starts_with(begin))
}

/// `INFO: task NAME:PID blocked for more than N seconds.`, or `blocked in I/O wait for more than`. A name with a
/// line break in it leaves only its end on this line.
pub(super) fn hung_header(text: &str) -> Option<HungHeader<'_>> {
    let whole = text.strip_prefix("INFO: task ");
    let rest = whole.or_else(|| text.ends_with(" seconds.").then_some(text))?;
    let (head, rest) = rest.split_once(" for more than ")?;
    let (task, _) = head.split_once(" blocked")?;
    let (name, pid) = task.rsplit_once(':')?;
    let seconds = rest.split(' ').next()?.parse().ok()?;
    Some(HungHeader { name, pid: pid.parse().ok()?, seconds })
}

/// `INFO: task NAME:PID is blocked on a mutex likely owned by task NAME:PID.` and its relatives.
pub(super) fn owner_line(text: &str) -> Option<OwnerLine<'_>> {
    let rest = text.strip_prefix("INFO: task ")?;
    let (head, rest) = rest.split_once(" blocked on a")?;
    let head = head.strip_suffix(" is").unwrap_or(head);
    let (name, pid) = without_role(head).0.rsplit_once(':')?;
    let pid = pid.parse().ok()?;
    let rest = rest.strip_prefix('n').unwrap_or(rest).trim_start();
    let (lock, rest) = ["rw-semaphore", "semaphore", "mutex"]
        .iter()
        .find_map(|lock| Some((*lock, rest.strip_prefix(lock)?)))?;
    let Some((_, owner)) = rest.split_once(" by task ") else {
        return Some(OwnerLine { name, pid, lock, owner: None, is_read: false });
    };
    let (owner, role) = without_role(owner.trim_end_matches('.'));
    let (owner, owner_pid) = owner.rsplit_once(':')?;
    let owner = Some((owner, owner_pid.parse().ok()?));
    Some(OwnerLine { name, pid, lock, owner, is_read: role == Some("reader") })
}

/// `NAME:PID <reader>`, as what stands before and in the brackets.
fn without_role(text: &str) -> (&str, Option<&str>) {
    let read = || {
        let (head, role) = text.strip_suffix('>')?.rsplit_once(" <")?;
        Some((head, Some(role)))
    };
    read().unwrap_or((text, None))
}

/// The kernel says that it will report no more hung tasks.
pub(super) fn says_suppressed(text: &str) -> bool {
    text.starts_with("Future hung task reports are suppressed")
}

/// The first line of a task's dump, in either form.
pub(super) fn task_line(text: &str) -> Option<TaskLine<'_>> {
    labelled_task_line(text).or_else(|| plain_task_line(text))
}

/// `task:NAME state:D stack:0 pid:2221 tgid:2221 ppid:2 flags:0x00000008`.
fn labelled_task_line(text: &str) -> Option<TaskLine<'_>> {
    let (name, rest) = text.split_once(" state:")?;
    let whole = name.strip_prefix("task:");
    // A name with a line break in it leaves only its end on this line.
    let name = whole.or_else(|| rest.contains(" flags:0x").then_some(name))?;
    let state = *rest.as_bytes().first()?;
    let number = |label: &str| -> Option<u32> {
        let (_, after) = rest.split_once(label)?;
        let after = after.trim_start();
        after[..after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len())].parse().ok()
    };
    let pid = number(" pid:")?;
    let tgid = number(" tgid:").unwrap_or(0);
    Some(TaskLine { name: name.trim(), pid, tgid, parent: number(" ppid:"), state })
}

/// `syz-executor.0  D11768 16519   3871 0x00000004`, `bash  R  running task  23720  7985  2 0x80000000`.
fn plain_task_line(text: &str) -> Option<TaskLine<'_>> {
    let (before, flags) = text.split_once(" 0x")?;
    let flags = flags.split(' ').next()?;
    if flags.len() != 8 || !flags.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let (before, parent) = before.trim_end().rsplit_once(' ')?;
    let (before, pid) = before.trim_end().rsplit_once(' ')?;
    let (before, stack) = before.trim_end().rsplit_once(' ')?;
    let (parent, pid) = (parent.parse().ok()?, pid.parse().ok()?);
    // Kernels before 4.9 print where the task stopped between its state and its stack.
    let stopped = before.trim_end().rsplit_once(' ').filter(|(_, word)| is_pointer(word));
    let before = stopped.map_or(before, |(before, _)| before);
    let (name, state) = match stack.as_bytes() {
        [state @ b'A'..=b'Z', digits @ ..] if is_number(digits) => (before, *state),
        digits if is_number(digits) => {
            let before = before.trim_end();
            let before = before.strip_suffix("running task").map_or(before, str::trim_end);
            let (name, state) = before.rsplit_once(' ')?;
            match state.as_bytes() {
                [state @ b'A'..=b'Z'] => (name, *state),
                _ => return None,
            }
        }
        _ => return None,
    };
    let name = name.trim();
    (!name.is_empty()).then_some(TaskLine { name, pid, tgid: 0, parent: Some(parent), state })
}

fn is_pointer(word: &str) -> bool {
    matches!(word.len(), 8 | 16) && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_number(digits: &[u8]) -> bool {
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}
