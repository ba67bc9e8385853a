//! What does the scheduler say: who runs, who could, who sleeps, who woke whom, who is gone?

use unwedge_trace::AgentState;

use super::World;
use super::fields::{between, decimal, last_field, word};
use super::line::Line;
use super::tasks::{Named, Task};
use crate::Sink;

/// A task at one side of a switch.
struct Side<'a> {
    name: &'a str,
    tid: u32,
    /// As the kernel counts it: lower is more urgent.
    priority: Option<i32>,
}

impl<'a> Side<'a> {
    fn named(&self) -> Named<'a> {
        Named { name: self.name, tid: self.tid, process: None }
    }

    /// The model counts higher first.
    fn urgency(&self) -> Option<i32> {
        self.priority.and_then(i32::checked_neg)
    }
}

/// Why a task was switched away from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    Ready(&'static str),
    Sleeps(&'static str),
    Gone,
    /// One number stands for "dead" in older kernels and for "parked" in newer ones.
    ParkedOrDead,
    Unclear,
}

/// A `sched_switch`.
pub(super) fn switch(world: &mut World, line: &Line<'_>, args: &str, out: &mut Sink) -> Option<()> {
    let (from, left, to) = parse_switch(args)?;
    let (at, cpu) = (line.at, Some(line.cpu));
    let process = line.process.filter(|_| from.tid == line.tid);
    let named = Named { process, ..from.named() };
    if let Some(task) = world.tasks.of(at, named, &mut world.numbers, out) {
        let urgency = from.urgency();
        let asleep = match left {
            Left::Ready(detail) => {
                task.tell(at, AgentState::Ready, detail.to_owned(), cpu, urgency, out);
                None
            }
            Left::Sleeps(detail) => Some(detail),
            Left::ParkedOrDead => Some("parked or dead"),
            Left::Unclear => Some("not running"),
            Left::Gone => None,
        };
        if let Some(detail) = asleep {
            let detail = match &mut task.call {
                Some(call) => {
                    call.slept = true;
                    format!("{detail} in {}", call.name)
                }
                None => detail.to_owned(),
            };
            task.tell(at, AgentState::Blocked, detail, cpu, urgency, out);
        }
        if left == Left::Gone {
            world.tasks.gone(at, from.tid, "exited", out);
        }
    }
    world.tasks.switched(line.cpu, to.tid);
    if let Some(task) = world.tasks.of(at, to.named(), &mut world.numbers, out) {
        task.tell(at, AgentState::Running, String::new(), cpu, to.urgency(), out);
    }
    Some(())
}

fn parse_switch(args: &str) -> Option<(Side<'_>, Left, Side<'_>)> {
    if !args.contains("prev_pid=") {
        let (from, to) = args.split_once(" ==> ")?;
        let (from, state) = from.rsplit_once(' ')?;
        return Some((short(from)?, left_by_letters(state, true), short(to)?));
    }
    let (from, to) = args.split_once(" ==> ").or_else(|| args.split_once(" next_comm="))?;
    let name = between(from, "prev_comm=", " prev_pid=")?;
    let from_side =
        Side { name, tid: decimal(from, "prev_pid=")?, priority: decimal(from, "prev_prio=") };
    let state = last_field(from, "prev_state=", " ")?;
    let left = match state.parse() {
        Ok(bits) => left_by_bits(bits),
        Err(_) => left_by_letters(state, false),
    };
    let to = to.strip_prefix("next_comm=").unwrap_or(to);
    let (name, _) = to.rsplit_once(" next_pid=")?;
    let to = Side { name, tid: decimal(to, "next_pid=")?, priority: decimal(to, "next_prio=") };
    Some((from_side, left, to))
}

/// `kworker/u12:2:46 [120]`, as trace-cmd writes a task.
fn short(text: &str) -> Option<Side<'_>> {
    let (task, priority) = match text.rsplit_once(" [") {
        Some((task, priority)) => (task, priority.trim_end().strip_suffix(']')?.parse().ok()),
        None => (text, None),
    };
    let (name, tid) = task.trim_end().rsplit_once(':')?;
    Some(Side { name, tid: tid.parse().ok()?, priority })
}

/// The kernel's letters are its own; trace-cmd's follow the bits of an old kernel, whatever the trace is of.
fn left_by_letters(state: &str, of_trace_cmd: bool) -> Left {
    match state.as_bytes().first() {
        Some(b'R') if state.ends_with('+') => Left::Ready("preempted"),
        Some(b'R') => Left::Ready("could go on"),
        Some(b'S') => Left::Sleeps("sleeps"),
        Some(b'D') => Left::Sleeps("sleeps uninterruptibly"),
        Some(b'T') => Left::Sleeps("stopped"),
        Some(b't') => Left::Sleeps("stopped by a debugger"),
        Some(b'I') => Left::Sleeps("sleeps idle"),
        Some(b'W') if of_trace_cmd => Left::Sleeps("sleeps idle"),
        Some(b'P') => Left::Sleeps("parked"),
        Some(b'x') => Left::ParkedOrDead,
        Some(b'X' | b'Z') => Left::Gone,
        _ => Left::Unclear,
    }
}

/// A state that nobody put into letters. Bits above the sleeping ones differ from kernel to kernel.
fn left_by_bits(bits: u64) -> Left {
    match bits {
        0 => Left::Ready("could go on"),
        _ if bits & 1 != 0 => Left::Sleeps("sleeps"),
        _ if bits & 2 != 0 => Left::Sleeps("sleeps uninterruptibly"),
        _ if bits & 4 != 0 => Left::Sleeps("stopped"),
        _ if bits & 8 != 0 => Left::Sleeps("stopped by a debugger"),
        _ if bits & 0x30 != 0 => Left::Gone,
        0x40 => Left::ParkedOrDead,
        // "Preempted" is one bit above all others, which were 8 to 12.
        0x100.. if bits.is_power_of_two() => Left::Ready("preempted"),
        _ => Left::Unclear,
    }
}

/// A `sched_waking`, `sched_wakeup` or `sched_wakeup_new`.
pub(super) fn wakeup(
    world: &mut World,
    line: &Line<'_>,
    args: &str,
    new: bool,
    out: &mut Sink,
) -> Option<()> {
    let (woken, cpu, success) = parse_wakeup(args)?;
    if !success || woken.tid == 0 {
        return Some(());
    }
    let by_task = line.tid != 0 && !line.interrupt && line.tid != woken.tid;
    let waker = by_task.then(|| world.current(line, out)).flatten();
    let (at, numbers) = (line.at, &mut world.numbers);
    let task = if new {
        world.tasks.born(at, woken.named(), numbers, out)
    } else {
        world.tasks.of(at, woken.named(), numbers, out)
    };
    let Some(task) = task else { return Some(()) };
    if let (Some(waker), Some(call)) = (waker, &mut task.call) {
        call.woken_by = Some(waker);
    }
    if !matches!(task.state, Some(AgentState::Running | AgentState::Ready)) {
        let detail = match (waker, line.interrupt) {
            (Some(_), _) => format!("woken by {}-{}", line.name, line.tid),
            (None, true) => "woken by an interrupt".to_owned(),
            (None, false) => "woken".to_owned(),
        };
        task.tell(at, AgentState::Ready, detail, cpu, woken.urgency(), out);
    }
    if waker.is_some() {
        world.futexes.woke(&mut world.tasks, at, line.tid, woken.tid, out);
    }
    Some(())
}

fn parse_wakeup(args: &str) -> Option<(Side<'_>, Option<u32>, bool)> {
    let success = word(args, "success=") != Some("0");
    if let Some(name) = args.strip_prefix("comm=") {
        let (name, _) = name.rsplit_once(" pid=")?;
        let side = Side { name, tid: decimal(args, "pid=")?, priority: decimal(args, "prio=") };
        return Some((side, decimal(args, "target_cpu="), success));
    }
    // `comm:pid [prio] success=1 CPU:002`
    let cpu = decimal(args, "CPU:");
    let end = args.rfind(']').map_or(args.len(), |at| at + 1);
    Some((short(&args[..end])?, cpu, success))
}

/// A `sched_process_fork`, which says nothing on whether the child is a thread or a process.
pub(super) fn fork(world: &mut World, line: &Line<'_>, args: &str, out: &mut Sink) -> Option<()> {
    let name = between(args, "child_comm=", " child_pid=")?;
    let child = Named { name, tid: decimal(args, "child_pid=")?, process: None };
    world.tasks.born(line.at, child, &mut world.numbers, out);
    Some(())
}

/// A `sched_process_exec`: the task is called after the file.
pub(super) fn exec(world: &mut World, line: &Line<'_>, args: &str, out: &mut Sink) -> Option<()> {
    let file = between(args, "filename=", " pid=")?;
    let name = file.rsplit('/').next().unwrap_or(file);
    let end = name.char_indices().map(|(at, _)| at).find(|at| *at >= 15).unwrap_or(name.len());
    let tid = decimal(args, "pid=")?;
    world.tasks.rename(line.at, tid, &name[..end], out);
    Some(())
}

/// A `sched_process_exit`: the end begins.
pub(super) fn exit(world: &mut World, line: &Line<'_>, args: &str, out: &mut Sink) -> Option<()> {
    let tid = decimal(args, "pid=")?;
    let name = between(args, "comm=", " pid=")?;
    let named = Named { name, tid, process: None };
    if let Some(task) = world.tasks.of(line.at, named, &mut world.numbers, out) {
        task.exit(line.at, out);
    }
    Some(())
}

/// A `sched_process_free`: nothing is left of the task.
pub(super) fn free(world: &mut World, line: &Line<'_>, args: &str, out: &mut Sink) -> Option<()> {
    world.tasks.gone(line.at, decimal(args, "pid=")?, "exited", out);
    Some(())
}

/// A `sched_blocked_reason`: where in the kernel a task sleeps.
pub(super) fn blocked_reason(
    world: &mut World,
    line: &Line<'_>,
    args: &str,
    out: &mut Sink,
) -> Option<()> {
    let (tid, caller) = (decimal(args, "pid=")?, word(args, "caller=")?);
    let asleep = |task: &&mut Task| task.state == Some(AgentState::Blocked);
    if let Some(task) = world.tasks.get_mut(tid).filter(asleep) {
        let detail = format!("sleeps uninterruptibly in {caller}");
        task.tell(line.at, AgentState::Blocked, detail, None, None, out);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::{parse_switch, parse_wakeup};

    #[test]
    fn every_form_of_a_switch_is_understood() {
        let switches = "prev_comm=a b prev_pid=7 prev_prio=120 prev_state=S ==> next_comm=c=d next_pid=8 next_prio=98
prev_comm=a prev_pid=7 prev_prio=120 prev_state=R+ ==> next_comm=swapper/1 next_pid=0 next_prio=120
prev_comm=a prev_pid=7 prev_prio=120 prev_state=D|K ==> next_comm=c next_pid=8 next_prio=120 more=1
prev_comm=a prev_pid=7 prev_prio=120 prev_state=4096 next_comm=c next_pid=8 next_prio=120
prev_comm=a prev_pid=7 prev_prio=120 prev_state=64 next_comm=c next_pid=8 next_prio=120
prev_comm=a prev_pid=7 prev_prio=120 prev_state=130 next_comm=c next_pid=8 next_prio=120
prev_comm=a prev_pid=7 prev_prio=120 prev_state=Z ==> next_comm=c next_pid=8 next_prio=-1
kworker/u12:2:46 [120] S ==> sh:1642 [120]
trace-cmd:6973 [120] x ==> swapper/2:0 [120]
a:7 [120] R ==> b
a:7 [120] W ==> b:8";
        let says = |switch: &str| match parse_switch(switch) {
            None => "not understood".to_owned(),
            Some((from, left, to)) => format!(
                "{:?} {} {:?} {left:?}, then {:?} {} {:?}",
                from.name,
                from.tid,
                from.urgency(),
                to.name,
                to.tid,
                to.urgency()
            ),
        };
        let all: Vec<_> = switches.lines().map(says).collect();
        insta::assert_snapshot!(all.join("\n"), @r#"
        "a b" 7 Some(-120) Sleeps("sleeps"), then "c=d" 8 Some(-98)
        "a" 7 Some(-120) Ready("preempted"), then "swapper/1" 0 Some(-120)
        "a" 7 Some(-120) Sleeps("sleeps uninterruptibly"), then "c" 8 Some(-120)
        "a" 7 Some(-120) Ready("preempted"), then "c" 8 Some(-120)
        "a" 7 Some(-120) ParkedOrDead, then "c" 8 Some(-120)
        "a" 7 Some(-120) Sleeps("sleeps uninterruptibly"), then "c" 8 Some(-120)
        "a" 7 Some(-120) Gone, then "c" 8 Some(1)
        "kworker/u12:2" 46 Some(-120) Sleeps("sleeps"), then "sh" 1642 Some(-120)
        "trace-cmd" 6973 Some(-120) ParkedOrDead, then "swapper/2" 0 Some(-120)
        not understood
        "a" 7 Some(-120) Sleeps("sleeps idle"), then "b" 8 None
        "#);
    }

    #[test]
    fn every_form_of_a_wake_up_is_understood() {
        let wakeups = "comm=a b pid=7 prio=120 target_cpu=002
comm=a pid=7 prio=120 success=0 target_cpu=002
kworker/u12:2:46 [120] success=1 CPU:002
a:7 [98] CPU:002
a:7";
        let says = |wakeup: &str| match parse_wakeup(wakeup) {
            None => "not understood".to_owned(),
            Some((task, cpu, success)) => {
                format!("{:?} {} {:?} cpu {cpu:?} {success}", task.name, task.tid, task.priority)
            }
        };
        let all: Vec<_> = wakeups.lines().map(says).collect();
        insta::assert_snapshot!(all.join("\n"), @r#"
        "a b" 7 Some(120) cpu Some(2) true
        "a" 7 Some(120) cpu Some(2) false
        "kworker/u12:2" 46 Some(120) cpu Some(2) true
        "a" 7 Some(98) cpu Some(2) true
        "a" 7 None cpu None true
        "#);
    }
}
