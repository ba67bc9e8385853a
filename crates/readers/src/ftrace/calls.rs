//! Which system calls may wait, for how long, and what does their result say?

use unwedge_trace::{Bound, Outcome};

use super::World;
use super::fields::{hexadecimal, result};
use super::futex;
use super::line::Line;
use super::tasks::{Call, Waits};
use crate::Sink;

/// The bound of a wait of which only a pointer to its time is recorded: it has an end, when is not known.
pub const BOUND_UNKNOWN: Bound = Bound::Ns(u64::MAX);

/// Where a call's bound stands among its arguments, counted from 0.
#[derive(Clone, Copy, Debug)]
enum Limit {
    /// It has none.
    None,
    /// Milliseconds; negative is for ever, 0 is only a look.
    Milliseconds(usize),
    /// A pointer to the time, which is not recorded; null is for ever.
    Pointer(usize),
    /// A pointer to the time; the call does nothing but let it pass.
    Sleep,
    /// It has none; these bits of that argument make it a look.
    Unless(usize, u64),
}

/// What is special about a call's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Zero {
    /// A result of 0 is a success.
    Success,
    /// A result of 0 says that the time was up.
    TimeUp,
}

struct Known {
    name: &'static str,
    /// Its number on x86-64.
    number: u32,
    limit: Limit,
    zero: Zero,
}

const fn known(name: &'static str, number: u32, limit: Limit, zero: Zero) -> Known {
    Known { name, number, limit, zero }
}

use Limit::{Milliseconds, Pointer, Sleep, Unless};
use Zero::{Success, TimeUp};

/// Calls that wait for what a trace does not name. Numbers are those of x86-64.
#[rustfmt::skip]
const KNOWN: &[Known] = &[
    known("read", 0, Limit::None, Success),
    known("write", 1, Limit::None, Success),
    known("poll", 7, Milliseconds(2), TimeUp),
    known("ioctl", 16, Limit::None, Success),
    known("readv", 19, Limit::None, Success),
    known("select", 23, Pointer(4), TimeUp),
    known("pause", 34, Limit::None, Success),
    known("nanosleep", 35, Sleep, TimeUp),
    known("connect", 42, Limit::None, Success),
    known("accept", 43, Limit::None, Success),
    known("recvfrom", 45, Unless(3, 0x40), Success),
    known("sendmsg", 46, Unless(2, 0x40), Success),
    known("recvmsg", 47, Unless(2, 0x40), Success),
    known("wait4", 61, Unless(2, 1), Success),
    known("semop", 65, Limit::None, Success),
    known("msgrcv", 70, Unless(4, 0x800), Success),
    known("flock", 73, Unless(1, 4), Success),
    known("fsync", 74, Limit::None, Success),
    known("fdatasync", 75, Limit::None, Success),
    known("rt_sigtimedwait", 128, Pointer(2), Success),
    known("rt_sigsuspend", 130, Limit::None, Success),
    known("futex", futex::NUMBER, Pointer(3), Success),
    known("io_getevents", 208, Pointer(4), TimeUp),
    known("semtimedop", 220, Pointer(3), Success),
    known("clock_nanosleep", 230, Sleep, TimeUp),
    known("epoll_wait", 232, Milliseconds(3), TimeUp),
    known("mq_timedreceive", 243, Pointer(4), Success),
    known("waitid", 247, Unless(3, 1), Success),
    known("pselect6", 270, Pointer(4), TimeUp),
    known("ppoll", 271, Pointer(2), TimeUp),
    known("epoll_pwait", 281, Milliseconds(3), TimeUp),
    known("accept4", 288, Limit::None, Success),
    known("recvmmsg", 299, Pointer(4), Success),
    known("io_uring_enter", 426, Limit::None, Success),
    known("epoll_pwait2", 441, Pointer(3), TimeUp),
    known("futex_waitv", 449, Pointer(3), Success),
    known("futex_wake", 454, Limit::None, Success),
    known("futex_wait", 455, Pointer(4), Success),
];

/// Results that mean something of their own.
pub(super) const TIMED_OUT: i64 = -110;

/// An event of a system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event<'a> {
    /// It was entered with these arguments.
    Enter(&'a str, &'a str),
    /// It ended with this result.
    Exit(&'a str, &'a str),
    /// The same by number.
    EnterNumber(u32, &'a str),
    ExitNumber(u32, &'a str),
}

/// Recognises `sys_futex(uaddr: …)`, `sys_futex -> 0x0`, `sys_enter_futex: uaddr: …`, `sys_exit_futex: 0x0`,
/// `sys_enter: NR 202 (…)` and `sys_exit: NR 202 = 0`.
pub(super) fn parse(text: &str) -> Option<Event<'_>> {
    let rest = text.strip_prefix("sys_")?;
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    if let Some(args) = after.strip_prefix('(') {
        return Some(Event::Enter(name, args.strip_suffix(')').unwrap_or(args)));
    }
    if let Some(result) = after.trim_start().strip_prefix("->") {
        return Some(Event::Exit(name, result.trim()));
    }
    let args = after.strip_prefix(':')?.trim();
    if let Some(by_number) = args.strip_prefix("NR ").filter(|_| matches!(name, "enter" | "exit")) {
        let (number, args) = by_number.split_once(' ')?;
        let number = number.parse().ok()?;
        return Some(match args.strip_prefix("= ") {
            Some(result) => Event::ExitNumber(number, result),
            None => Event::EnterNumber(number, args.trim_matches(['(', ')'])),
        });
    }
    if let Some(name) = name.strip_prefix("enter_") {
        return Some(Event::Enter(name, args));
    }
    Some(Event::Exit(name.strip_prefix("exit_")?, args))
}

fn by_name(name: &str) -> Option<&'static Known> {
    let name = name.strip_suffix("_time32").unwrap_or(name);
    KNOWN.iter().find(|known| known.name == name)
}

fn by_number(number: u32) -> Option<&'static Known> {
    KNOWN.binary_search_by_key(&number, |known| known.number).ok().and_then(|at| KNOWN.get(at))
}

/// The argument in that place; the kernel prints `name: 0x1f`, a raw event `1f`, trace-cmd at times `name=0x1f`.
pub(super) fn argument(args: &str, place: usize) -> Option<u64> {
    let argument = args.split(',').nth(place)?;
    let value = argument.rsplit([':', '=']).next().unwrap_or(argument).trim();
    hexadecimal(value.split(' ').next().unwrap_or(value))
}

/// How long the call may wait; `None` if it does not wait at all.
fn bound(limit: Limit, args: &str) -> Option<Bound> {
    match limit {
        Limit::None => Some(Bound::Infinite),
        Sleep => Some(BOUND_UNKNOWN),
        Pointer(place) if argument(args, place) == Some(0) => Some(Bound::Infinite),
        Pointer(_) => Some(BOUND_UNKNOWN),
        // Registers have 64 bits, the argument has 32.
        Milliseconds(place) => {
            match argument(args, place).map(|value| (value as u32).cast_signed()) {
                Some(0) => None,
                Some(time) => Some(
                    u64::try_from(time).map_or(Bound::Infinite, |time| Bound::Ns(time * 1_000_000)),
                ),
                None => Some(BOUND_UNKNOWN),
            }
        }
        Unless(place, bits) => {
            let look = argument(args, place).is_some_and(|flags| flags & bits != 0);
            (!look).then_some(Bound::Infinite)
        }
    }
}

/// Takes an event of a system call; false if the call is none of those that may wait.
pub(super) fn apply(world: &mut World, line: &Line<'_>, event: Event<'_>, out: &mut Sink) -> bool {
    match event {
        Event::Enter(name, args) => by_name(name).is_some_and(|known| {
            enter(world, line, known, args, out);
            true
        }),
        Event::EnterNumber(number, args) => by_number(number).is_some_and(|known| {
            world.told.numbers(line.at, out);
            enter(world, line, known, args, out);
            true
        }),
        Event::Exit(name, text) => {
            exit(world, line, by_name(name), text, out);
            by_name(name).is_some()
        }
        Event::ExitNumber(number, text) => {
            exit(world, line, by_number(number), text, out);
            by_number(number).is_some()
        }
    }
}

fn enter(world: &mut World, line: &Line<'_>, known: &Known, args: &str, out: &mut Sink) {
    let mut call = Call {
        name: known.name,
        began: line.at,
        waits: None,
        futex: None,
        woken_by: None,
        slept: false,
    };
    let bound = bound(known.limit, args);
    if known.name.starts_with("futex") {
        futex::enter(world, line, args, bound, &mut call, out);
    } else if let Some(bound) = bound {
        call.waits = Some(Waits { call: known.name.to_owned(), points: Vec::new(), bound });
    }
    if let Some(task) = world.task(line, out) {
        task.enter(call, out);
    }
}

fn exit(world: &mut World, line: &Line<'_>, known: Option<&Known>, text: &str, out: &mut Sink) {
    let Some(task) = world.tasks.get_mut(line.tid) else { return };
    let Some(call) = task.call.take() else { return };
    let ended = known.filter(|known| known.name == call.name);
    let result = result(text.split(' ').next().unwrap_or(text));
    let (Some(known), Some(result)) = (ended, result) else {
        // The exit of another call: the end of this one was not recorded.
        task.leave(line.at, &call, Outcome::Failed, out);
        return;
    };
    let outcome = match result {
        TIMED_OUT => Outcome::TimedOut,
        ..0 => Outcome::Failed,
        0 if known.zero == TimeUp => Outcome::TimedOut,
        _ => Outcome::Reached,
    };
    if call.futex.is_some() {
        futex::exit(world, line, &call, result, outcome, out);
    } else {
        task.leave(line.at, &call, outcome, out);
    }
}

#[cfg(test)]
mod tests {
    use super::{KNOWN, argument, bound, by_name, parse};

    #[test]
    fn every_form_of_a_system_call_is_understood() {
        let calls = "sys_futex(uaddr: 0x7f00, op: 0x80, val: 2, utime: 0, uaddr2: 0, val3: 0)
sys_futex -> 0xffffffffffffff92
sys_enter_poll:          ufds: 0x7ffe0, nfds: 0x00000001, timeout_msecs: 0x00000032
sys_exit_poll:        0x1
sys_enter: NR 202 (7f00, 80, 2, 0, 0, 0)
sys_exit: NR 202 = -110
sys_enter: NR x
sys_exit
sched_switch: a";
        let all: Vec<_> = calls.lines().map(|call| format!("{:?}", parse(call))).collect();
        insta::assert_snapshot!(all.join("\n"), @r#"
        Some(Enter("futex", "uaddr: 0x7f00, op: 0x80, val: 2, utime: 0, uaddr2: 0, val3: 0"))
        Some(Exit("futex", "0xffffffffffffff92"))
        Some(Enter("poll", "ufds: 0x7ffe0, nfds: 0x00000001, timeout_msecs: 0x00000032"))
        Some(Exit("poll", "0x1"))
        Some(EnterNumber(202, "7f00, 80, 2, 0, 0, 0"))
        Some(ExitNumber(202, "-110"))
        None
        None
        None
        "#);
    }

    #[test]
    fn numbers_are_in_order_and_names_are_found() {
        assert!(KNOWN.is_sorted_by_key(|known| known.number));
        assert_eq!(by_name("futex_time32").map(|known| known.name), Some("futex"));
    }

    #[test]
    fn a_bound_is_read_where_it_is_recorded() {
        let cases = [
            ("poll", "ufds: 0, nfds: 0, timeout_msecs: 0x32"),
            ("poll", "7ffe0, 1, ffffffff"),
            ("poll", "7ffe0, 1, 0"),
            ("epoll_wait", "4, 7f00, 10, ffffffffffffffff"),
            ("ppoll", "ufds: 0x1, nfds: 0x1, tsp: 0, sigmask: 0, sigsetsize: 8"),
            ("ppoll", "ufds: 0x1, nfds: 0x1, tsp: 0x7ffe, sigmask: 0, sigsetsize: 8"),
            ("nanosleep", "rqtp: 0x7ffe, rmtp: 0"),
            ("wait4", "upid: 0xffffffff, stat_addr: 0, options: 1, ru: 0"),
            ("read", "fd: 3, buf: 0x7f, count: 10"),
            ("poll", ""),
        ];
        let says = |(name, args): (&str, &str)| {
            let known = by_name(name).expect("a known call");
            format!("{name}({args}): {:?}", bound(known.limit, args))
        };
        insta::assert_snapshot!(cases.map(says).join("\n"), @r#"
        poll(ufds: 0, nfds: 0, timeout_msecs: 0x32): Some(Ns(50000000))
        poll(7ffe0, 1, ffffffff): Some(Infinite)
        poll(7ffe0, 1, 0): None
        epoll_wait(4, 7f00, 10, ffffffffffffffff): Some(Infinite)
        ppoll(ufds: 0x1, nfds: 0x1, tsp: 0, sigmask: 0, sigsetsize: 8): Some(Infinite)
        ppoll(ufds: 0x1, nfds: 0x1, tsp: 0x7ffe, sigmask: 0, sigsetsize: 8): Some(Ns(18446744073709551615))
        nanosleep(rqtp: 0x7ffe, rmtp: 0): Some(Ns(18446744073709551615))
        wait4(upid: 0xffffffff, stat_addr: 0, options: 1, ru: 0): None
        read(fd: 3, buf: 0x7f, count: 10): Some(Infinite)
        poll(): Some(Ns(18446744073709551615))
        "#);
        assert_eq!(argument("uaddr=0x10 op=FUTEX_WAIT", 0), None);
    }
}
