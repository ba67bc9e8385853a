//! In which call does a blocked task wait, and for what sort of thing? Read from the frames of its trace.

use unwedge_trace::ObjectKind;

/// A frame of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame<'l> {
    /// The function, without what compilers add to its name.
    pub(super) name: &'l str,
    /// Not marked with `?` and not unreliable: what is marked so was merely found on the stack.
    pub(super) is_certain: bool,
    /// A function that the compiler put into its caller.
    pub(super) is_inlined: bool,
}

/// Certain frames of a trace that are kept, innermost first.
const FRAMES_MAX: usize = 40;
/// Longest name that is kept, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// The certain frames of a blocked task, innermost first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Trace {
    names: Vec<Box<str>>,
    /// Which of them, by place, are inlined: a bit each.
    inlined: u64,
}

/// What a task waits for, as far as its trace tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// A lock that lockdep lists from before it is acquired.
    Lock,
    /// A counting semaphore, which lockdep does not list.
    Semaphore,
    /// Something else: its kind, and how it is called.
    Thing(ObjectKind, &'static str),
}

/// A wait as a trace tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Blocked<'t> {
    /// The function that blocks.
    pub(super) call: &'t str,
    /// Who called it, past the functions that only pass on.
    pub(super) from: Option<&'t str>,
    pub(super) sort: Sort,
}

/// The scheduler's own, which every blocked trace begins with.
const SCHEDULER: [&str; 12] = [
    "__switch_to",
    "context_switch",
    "__schedule",
    "__schedule_loop",
    "schedule",
    "schedule_preempt_disabled",
    "schedule_timeout",
    "schedule_timeout_uninterruptible",
    "schedule_hrtimeout",
    "schedule_rtlock",
    "io_schedule",
    "io_schedule_timeout",
];
/// Functions that block on a lock, or pass on to one that does, by how they begin.
const LOCKS: [&str; 17] = [
    "__mutex_lock",
    "mutex_lock",
    "__ww_mutex_lock",
    "ww_mutex_lock",
    "rwsem_down_",
    "__rwsem_down_",
    "call_rwsem_down_",
    "down_read",
    "down_write",
    "__down_read",
    "__down_write",
    "percpu_down_",
    "__percpu_down_",
    "percpu_rwsem_wait",
    "rt_mutex_",
    "__rt_mutex_",
    "__lock_sock",
];
/// The same for a terminal's own lock and for sockets.
const MORE_LOCKS: [&str; 4] = ["ldsem_down_", "__ldsem_down_", "lock_sock", "rtlock_"];
const SEMAPHORES: [&str; 7] = [
    "__down",
    "___down_common",
    "__down_common",
    "down",
    "__down_killable",
    "__down_interruptible",
    "down_timeout",
];
/// Other things by how the function that waits for them begins.
const THINGS: [(&str, ObjectKind, &str); 32] = [
    ("folio_wait_bit", ObjectKind::Other, "a folio's lock or writeback"),
    ("folio_wait_", ObjectKind::Other, "a folio's lock or writeback"),
    ("__folio_lock", ObjectKind::Other, "a folio's lock or writeback"),
    ("wait_on_page_", ObjectKind::Other, "a page's lock or writeback"),
    ("__lock_page", ObjectKind::Other, "a page's lock or writeback"),
    ("dma_fence_", ObjectKind::DmaFence, "which one is not told"),
    ("dma_resv_wait", ObjectKind::DmaFence, "which one is not told"),
    ("wait_for_completion", ObjectKind::Other, "a completion"),
    ("wait_for_common", ObjectKind::Other, "a completion"),
    ("__wait_for_common", ObjectKind::Other, "a completion"),
    ("do_wait_for_common", ObjectKind::Other, "a completion"),
    ("futex_", ObjectKind::Futex, "which one is not told"),
    ("__futex_wait", ObjectKind::Futex, "which one is not told"),
    ("pipe_", ObjectKind::Pipe, "which one is not told"),
    ("bit_wait", ObjectKind::Other, "a bit to be cleared"),
    ("__wait_on_bit", ObjectKind::Other, "a bit to be cleared"),
    ("out_of_line_wait_on_bit", ObjectKind::Other, "a bit to be cleared"),
    ("do_nanosleep", ObjectKind::Timer, "a time to pass"),
    ("hrtimer_nanosleep", ObjectKind::Timer, "a time to pass"),
    ("msleep", ObjectKind::Timer, "a time to pass"),
    ("usleep_range", ObjectKind::Timer, "a time to pass"),
    ("schedule_hrtimeout_range", ObjectKind::Timer, "a time to pass"),
    ("blk_", ObjectKind::Other, "block I/O"),
    ("rq_qos_wait", ObjectKind::Other, "block I/O"),
    ("submit_bio_wait", ObjectKind::Other, "block I/O"),
    ("synchronize_rcu", ObjectKind::Other, "an RCU grace period"),
    ("synchronize_srcu", ObjectKind::Other, "an SRCU grace period"),
    ("jbd2_log_wait_commit", ObjectKind::Other, "a journal's commit"),
    ("unix_stream_", ObjectKind::Socket, "which one is not told"),
    ("sk_wait_", ObjectKind::Socket, "which one is not told"),
    ("sk_stream_wait", ObjectKind::Socket, "which one is not told"),
    ("__skb_wait_for_more_packets", ObjectKind::Socket, "which one is not told"),
];
/// Functions that only pass a wait on, so that their caller says more.
const PASSING: [&str; 9] = [
    "mutex_lock",
    "bit_wait",
    "__wait_on_bit",
    "out_of_line_wait_on_bit",
    "wait_for_",
    "__wait_for_",
    "do_wait_for_",
    "__wait_rcu_gp",
    "folio_wait_",
];
/// Where a system call or a kernel thread begins.
const OUTERMOST: [&str; 6] = [
    "entry_SYSCALL",
    "entry_SYSENTER",
    "ret_from_fork",
    "el0t_64_sync",
    "el0_svc",
    "ret_fast_syscall",
];

/// Whether a line begins a trace.
pub(super) fn begins_trace(text: &str) -> bool {
    let text = text.trim_end_matches(':');
    text.eq_ignore_ascii_case("call trace") || text == "Backtrace" || text == "Backtrace: "
}

/// Whether a line ends a trace: the registers of the system call, or the outermost frame.
pub(super) fn ends_trace(text: &str) -> bool {
    let outermost = |frame: Frame<'_>| {
        frame.is_certain && OUTERMOST.iter().any(|outer| frame.name.starts_with(outer))
    };
    text.starts_with("RIP: ")
        || text.starts_with("</TASK>")
        || text.starts_with("Code: ")
        || frame(text).is_some_and(outermost)
}

/// ` schedule+0x92/0x180`, ` ? mark_lock+0x1/0x2`, ` [<ffffffff810021df>] schedule+0x8f/0x1b0`,
/// ` foo kernel/bar.c:1 [inline]`, ` __schedule from schedule+0x4c/0xac`.
pub(super) fn frame(text: &str) -> Option<Frame<'_>> {
    let mut rest = text.trim();
    let mut is_certain = !rest.ends_with("(unreliable)");
    while let Some(after) = rest.strip_prefix('[').or_else(|| rest.strip_prefix("([")) {
        let (address, after) = after.split_once(']')?;
        if address.trim_matches(['<', '>']).bytes().any(|byte| !byte.is_ascii_hexdigit()) {
            return None;
        }
        rest = after.trim_start_matches(')').trim_start();
    }
    if let Some(after) = rest.strip_prefix("? ") {
        (rest, is_certain) = (after, false);
    }
    let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
    let is_inlined = after.ends_with("[inline]");
    let name = match word.split_once("+0x") {
        Some((name, offset)) if offset.contains("/0x") => name,
        Some(_) => return None,
        None if is_inlined => word,
        None if after.starts_with("from ") && after.contains("+0x") => word,
        None => return None,
    };
    let name = name.trim_start_matches('(').trim_end_matches(')');
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_.$".contains(&byte);
    let frame = Frame { name: plain(name), is_certain, is_inlined };
    (!name.is_empty() && name.bytes().all(is_name)).then_some(frame)
}

/// The task of `<Same stack as pid 30>`, which some kernels print instead of a trace.
pub(super) fn same_as(text: &str) -> Option<u32> {
    text.strip_prefix("<Same stack as pid ")?.strip_suffix('>')?.parse().ok()
}

/// A function's name without `.constprop.0` and its like.
pub(super) fn plain(name: &str) -> &str {
    match name.find('.') {
        Some(0) | None => name,
        Some(dot) => &name[..dot],
    }
}

impl Trace {
    pub(super) fn push(&mut self, frame: &Frame<'_>) {
        if frame.is_certain && self.names.len() < FRAMES_MAX && frame.name.len() <= NAME_BYTES_MAX {
            self.inlined |= u64::from(frame.is_inlined) << self.names.len();
            self.names.push(frame.name.into());
        }
    }

    /// What the task blocks in; none if the trace is missing or is not of a task that sleeps.
    pub(super) fn blocked(&self) -> Option<Blocked<'_>> {
        let is_scheduler = |name: &str| SCHEDULER.contains(&name);
        if !is_scheduler(self.names.first()?) {
            return None;
        }
        let io = self.names.iter().any(|name| name.starts_with("io_schedule"));
        let place = self.names.iter().position(|name| !is_scheduler(name))?;
        let call = &self.names[place];
        let outer = &self.names[place + 1..];
        let from = outer.iter().map(|name| &**name).find(|name| !passes_on(name));
        let from = from.filter(|name| !OUTERMOST.iter().any(|outer| name.starts_with(outer)));
        Some(Blocked { call, from, sort: sort(call, io) })
    }

    /// Whether a lock of a class is what the task blocks on, if that function is where it is acquired: the
    /// one that blocks, its callers that only pass on, or the first that does not.
    pub(super) fn acquires(&self, class: &str, site: &str) -> bool {
        let Some(blocked) = self.blocked().filter(|blocked| blocked.sort == Sort::Lock) else {
            return false;
        };
        // Older kernels list a socket's lock only once it is taken.
        let socket = blocked.call.contains("lock_sock");
        if socket && !class.contains("sk_lock-") {
            return false;
        }
        let ends =
            |(place, name): &(usize, &str)| self.inlined >> place & 1 == 0 && !passes_on(name);
        let names = self.names.iter().map(|name| &**name).enumerate();
        let mut names = names.skip_while(|(_, name)| SCHEDULER.contains(name));
        let mut over = false;
        names.any(|frame| {
            let looked_at = !over;
            over |= ends(&frame);
            looked_at && frame.1 == site
        })
    }
}

fn passes_on(name: &str) -> bool {
    is_lock(name)
        || SEMAPHORES.contains(&name)
        || PASSING.iter().any(|passing| name.starts_with(passing))
}

fn is_lock(name: &str) -> bool {
    LOCKS.iter().chain(&MORE_LOCKS).any(|lock| name.starts_with(lock))
}

fn sort(call: &str, io: bool) -> Sort {
    if SEMAPHORES.contains(&call) {
        return Sort::Semaphore;
    }
    if is_lock(call) {
        return Sort::Lock;
    }
    let thing = THINGS.iter().find(|(begin, ..)| call.starts_with(begin));
    match thing {
        Some((_, ObjectKind::Other, "a bit to be cleared")) if io => {
            Sort::Thing(ObjectKind::Other, "block I/O")
        }
        Some((_, kind, what)) => Sort::Thing(*kind, what),
        None if io => Sort::Thing(ObjectKind::Other, "block I/O"),
        None => Sort::Thing(ObjectKind::Other, "what for is not told"),
    }
}
