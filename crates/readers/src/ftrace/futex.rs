//! Who waits on which futex, who wakes it, and who owns it where the kernel itself keeps the owner?
//!
//! A futex is a word in memory; only the program knows what it means. A wake-up that finds somebody is a signal. One
//! that finds nobody is none: the word itself holds what it said, and the next wait compares it. It is remembered
//! and told of a wait that is still open at the end.

use std::collections::HashMap;

use unwedge_trace::{AgentId, Bound, MarkKind, ObjectId, ObjectKind, Outcome, Point, What};

use super::World;
use super::calls::argument;
use super::fields::{hexadecimal, word};
use super::line::Line;
use super::tasks::{Call, Numbers, Tasks, Waits};
use crate::Sink;

/// The number of the call on x86-64.
pub(super) const NUMBER: u32 = 202;
/// Futexes that are told apart.
const FUTEXES_MAX: usize = 1 << 18;
/// Open wake-ups of one futex that are looked at.
const WAKERS_MAX: usize = 16;
/// Marks at the end about wake-ups that found nobody.
const REMARKS_MAX: usize = 32;
/// The kernel found a circle of owners.
const DEADLOCK: i64 = -35;
/// The lowest page is never mapped: a lower address is no futex, but another architecture's call.
const ADDRESS_MIN: u64 = 4096;
/// Flag of an operation on a futex of one process.
const PRIVATE: u64 = 0x80;

/// What a call does to a futex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Wait,
    Wake,
    Lock,
    Unlock,
}

/// A call's use of a futex.
#[derive(Clone, Copy, Debug)]
pub(super) struct Use {
    object: ObjectId,
    deed: Deed,
    /// The process is known, so the address means one futex.
    sure: bool,
    /// The signal was told before the call ended.
    signalled: bool,
}

/// One futex.
#[derive(Debug)]
struct Futex {
    object: ObjectId,
    address: u64,
    kind: ObjectKind,
    /// Tasks inside a wake-up or a release of it.
    wakers: Vec<u32>,
    last_signal: Option<u64>,
    /// The last wake-up that found nobody: when, and by whom.
    in_vain: Option<(u64, AgentId)>,
}

/// Every futex, by process (0 where unknown) and address.
#[derive(Debug, Default)]
pub(super) struct Futexes {
    by_address: HashMap<(u32, u64), ObjectId>,
    by_object: HashMap<ObjectId, Futex>,
    /// How often a futex found no room.
    pub(super) left_out: u64,
}

/// An operation on a futex.
struct Operation {
    deed: Deed,
    address: u64,
    private: bool,
    /// It moves waiters to another futex.
    moves: bool,
}

impl Operation {
    /// Reads the arguments; `None` if it is none of those that are followed.
    fn parse(args: &str, call: &str) -> Option<Self> {
        let address = match word(args, "uaddr=").or_else(|| word(args, "uaddr:")) {
            Some(text) => hexadecimal(text)?,
            None => argument(args, 0)?,
        };
        if address < ADDRESS_MIN || address % 4 != 0 {
            return None;
        }
        if call != "futex" {
            let deed = if call == "futex_wait" { Deed::Wait } else { Deed::Wake };
            let private = argument(args, 3)? & PRIVATE != 0;
            return Some(Self { deed, address, private, moves: false });
        }
        let operation = word(args, "op=").or_else(|| word(args, "op:"));
        if let Some(names) = operation.filter(|text| text.starts_with("FUTEX_")) {
            let deed = by_name(names)?;
            let (private, moves) = (names.contains("PRIVATE"), names.contains("REQUEUE"));
            return Some(Self { deed, address, private, moves });
        }
        let bits = operation.map_or_else(|| argument(args, 1), hexadecimal)?;
        let number = bits & 0x7f;
        let (private, moves) = (bits & PRIVATE != 0, matches!(number, 3 | 4 | 12));
        Some(Self { deed: by_number(number)?, address, private, moves })
    }
}

fn by_number(operation: u64) -> Option<Deed> {
    match operation {
        0 | 9 | 11 => Some(Deed::Wait),
        1 | 3 | 4 | 5 | 10 | 12 => Some(Deed::Wake),
        6 | 13 => Some(Deed::Lock),
        7 => Some(Deed::Unlock),
        // A try waits for nothing, and whether its lock is released in silence cannot be seen.
        _ => None,
    }
}

fn by_name(operation: &str) -> Option<Deed> {
    let operation = operation.strip_prefix("FUTEX_")?;
    match operation.split('|').next()? {
        "WAIT" | "WAIT_BITSET" | "WAIT_REQUEUE_PI" => Some(Deed::Wait),
        "WAKE" | "REQUEUE" | "CMP_REQUEUE" | "WAKE_OP" | "WAKE_BITSET" | "CMP_REQUEUE_PI" => {
            Some(Deed::Wake)
        }
        "LOCK_PI" | "LOCK_PI2" => Some(Deed::Lock),
        "UNLOCK_PI" => Some(Deed::Unlock),
        _ => None,
    }
}

/// A task enters a call on a futex: says in `call` what it does there.
pub(super) fn enter(
    world: &mut World,
    line: &Line<'_>,
    args: &str,
    bound: Option<Bound>,
    call: &mut Call,
    out: &mut Sink,
) {
    let Some(bound) = bound else { return };
    let wait = |name: &str, points| Some(Waits { call: name.to_owned(), points, bound });
    if call.name == "futex_waitv" {
        call.waits = wait(call.name, Vec::new());
        return;
    }
    let Some(operation) = Operation::parse(args, call.name) else { return };
    let Some((agent, process)) = world.task(line, out).map(|task| (task.agent, task.process))
    else {
        return;
    };
    if process == 0 {
        world.told.processes(line.at, out);
    }
    if operation.moves {
        world.told.requeue(line.at, out);
    }
    let by = (line.at, agent, process);
    let Some(futex) = world.futexes.of(&operation, by, &mut world.numbers, out) else {
        if operation.deed == Deed::Wait || operation.deed == Deed::Lock {
            call.waits = wait("futex", Vec::new());
        }
        return;
    };
    let points = vec![Point::next(futex.object)];
    match operation.deed {
        Deed::Wait => call.waits = wait("futex(FUTEX_WAIT)", points),
        Deed::Lock => call.waits = wait("futex(FUTEX_LOCK_PI)", points),
        Deed::Wake | Deed::Unlock => {
            if futex.wakers.len() < WAKERS_MAX {
                futex.wakers.push(line.tid);
            }
        }
    }
    let sure = process != 0 && operation.private;
    let (object, deed) = (futex.object, operation.deed);
    let refused = world.tasks.get_mut(line.tid).and_then(|task| task.refused.take());
    if let (Some(lock), Deed::Wait) = (refused, deed) {
        let text = format!(
            "thread {} sleeps on a futex after FUTEX_LOCK_PI of {lock:#x} failed with EDEADLK: the kernel saw a \
             deadlock",
            line.tid
        );
        let (kind, objects) = (MarkKind::Warning, vec![object]);
        out.event(line.at, agent, What::Mark { kind, text, objects });
    }
    call.futex = Some(Use { object, deed, sure, signalled: false });
}

/// A task leaves `call`, which was taken from it, with that result.
pub(super) fn exit(
    world: &mut World,
    line: &Line<'_>,
    call: &Call,
    result: i64,
    outcome: Outcome,
    out: &mut Sink,
) {
    let World { tasks, futexes, .. } = world;
    let (Some(used), Some(agent)) = (call.futex, tasks.agent(line.tid)) else { return };
    let Some(futex) = futexes.by_object.get_mut(&used.object) else { return };
    let point = Point::next(used.object);
    match used.deed {
        Deed::Wake | Deed::Unlock => {
            futex.wakers.retain(|tid| *tid != line.tid);
            let found = if used.deed == Deed::Wake { result > 0 } else { result == 0 };
            if found && !used.signalled {
                futex.signal(line.at, agent, out);
            } else if result == 0 && used.deed == Deed::Wake {
                futex.in_vain = Some((line.at, agent));
            }
        }
        Deed::Wait | Deed::Lock if outcome == Outcome::Reached => {
            futex.explain(tasks, line.at, call, out);
        }
        Deed::Wait | Deed::Lock => {}
    }
    if let Some(task) = tasks.get_mut(line.tid) {
        task.leave(line.at, call, outcome, out);
    }
    if used.deed != Deed::Lock {
        return;
    }
    // Who was handed the lock must release it through the kernel. Who found it free may do so in silence, and is
    // no owner on record.
    let handed = call.slept || futex.last_signal.is_some_and(|at| at >= call.began);
    if outcome == Outcome::Reached && used.sure && handed {
        out.event(line.at, agent, What::Owed { point, after: None, via: None });
    } else if result == DEADLOCK {
        let text = "futex(FUTEX_LOCK_PI) failed with EDEADLK: the kernel found a circle of owners";
        let (kind, text, objects) = (MarkKind::FailedCall, text.to_owned(), vec![used.object]);
        out.event(line.at, agent, What::Mark { kind, text, objects });
        if let Some(task) = tasks.get_mut(line.tid) {
            task.refused = Some(futex.address);
        }
    }
}

impl Futex {
    fn signal(&mut self, at: u64, by: AgentId, out: &mut Sink) {
        self.last_signal = Some(at);
        out.event(at, by, What::Signalled { point: Point::next(self.object) });
    }

    /// Somebody waited with success: if no signal is on record yet, that of the waker is told now, for the wake-up
    /// happens inside its call, which may end later.
    fn explain(&mut self, tasks: &mut Tasks, at: u64, call: &Call, out: &mut Sink) {
        if self.last_signal.is_some_and(|signal| signal >= call.began) {
            return;
        }
        if let Some(by) = call.woken_by {
            return self.signal(at, by, out);
        }
        for tid in self.wakers.clone() {
            let Some(task) = tasks.get_mut(tid) else { continue };
            let Some(used) = task.call.as_mut().and_then(|call| call.futex.as_mut()) else {
                continue;
            };
            if used.object == self.object && !used.signalled {
                used.signalled = true;
                return self.signal(at, task.agent, out);
            }
        }
    }
}

impl Futexes {
    fn of(
        &mut self,
        operation: &Operation,
        (at, agent, process): (u64, AgentId, u32),
        numbers: &mut Numbers,
        out: &mut Sink,
    ) -> Option<&mut Futex> {
        let locks = matches!(operation.deed, Deed::Lock | Deed::Unlock);
        let kind = if locks { ObjectKind::Mutex } else { ObjectKind::Futex };
        let address = operation.address;
        // A line that did not know its process may have named the futex before.
        let known = self.by_address.get(&(process, address));
        let known = known.or_else(|| self.by_address.get(&(0, address))).copied();
        let object = match known {
            Some(object) => object,
            None if self.by_object.len() >= FUTEXES_MAX => {
                self.left_out += 1;
                return None;
            }
            None => numbers.object(),
        };
        let mut news = false;
        let futex = self.by_object.entry(object).or_insert_with(|| {
            news = true;
            Futex { object, address, kind, wakers: Vec::new(), last_signal: None, in_vain: None }
        });
        if known.is_none() {
            self.by_address.insert((process, address), object);
        }
        if locks && futex.kind != kind {
            futex.kind = kind;
            news = true;
        }
        if news {
            let (handle, label, shared) = (address, String::new(), !operation.private);
            let kind = futex.kind;
            out.event(at, agent, What::Object { object, kind, handle, label, shared });
        }
        Some(futex)
    }

    /// The task `waker` woke the task `woken`: the signal, if that is what its call is for.
    pub(super) fn woke(
        &mut self,
        tasks: &mut Tasks,
        at: u64,
        waker: u32,
        woken: u32,
        out: &mut Sink,
    ) {
        let waits = |used: &Use| matches!(used.deed, Deed::Wait | Deed::Lock);
        let used = tasks.get_mut(woken).and_then(|task| task.call.as_ref()?.futex);
        let Some(object) = used.filter(waits).map(|used| used.object) else { return };
        let Some(task) = tasks.get_mut(waker) else { return };
        let Some(used) = task.call.as_mut().and_then(|call| call.futex.as_mut()) else { return };
        if used.object != object || waits(used) || used.signalled {
            return;
        }
        used.signalled = true;
        if let Some(futex) = self.by_object.get_mut(&object) {
            futex.signal(at, task.agent, out);
        }
    }

    /// Says of waits that are still open which wake-up came before and found nobody.
    pub(super) fn finish(&self, tasks: &Tasks, at: u64, out: &mut Sink) {
        let mut remarks = Vec::new();
        for (tid, task) in tasks.iter() {
            let Some(call) = &task.call else { continue };
            let Some(used) = call.futex.filter(|used| used.deed == Deed::Wait) else { continue };
            let in_vain = self.by_object.get(&used.object).and_then(|futex| futex.in_vain);
            remarks.extend(in_vain.map(|vain| (tid, call.began, used.object, vain)));
        }
        remarks.sort_unstable();
        for (tid, began, object, (vain, by)) in remarks.into_iter().take(REMARKS_MAX) {
            let (gap, side) =
                if vain < began { (began - vain, "before") } else { (vain - began, "after") };
            let text = format!(
                "a wake-up {:.6} s {side} thread {tid} began to wait found nobody",
                gap as f64 / 1e9
            );
            let (kind, objects) = (MarkKind::Log, vec![object]);
            out.event(at, by, What::Mark { kind, text, objects });
        }
    }
}
