//! Who waits for which lock of the kernel, and who holds it?
//!
//! Two families of events. `contention_begin` and `contention_end` tell of the wait alone: no owner is known from
//! them. `lock_contended`, `lock_acquired` and `lock_release`, of kernels built to check their locks, tell of the
//! owner as well.

use std::collections::HashMap;

use unwedge_trace::{Bound, ObjectId, ObjectKind, Outcome, Point, What};

use super::World;
use super::fields::{hexadecimal, word};
use super::line::Line;
use super::tasks::{Numbers, Waits};
use crate::Sink;

/// Locks that are told apart.
const LOCKS_MAX: usize = 1 << 18;

/// How the call of a wait begins whose lock has a known owner, if it has one.
const OWNED: &str = "lock ";

/// Every lock of the kernel, by its address.
#[derive(Debug, Default)]
pub(super) struct Locks {
    by_address: HashMap<u64, ObjectId>,
    /// How often a lock found no room.
    pub(super) left_out: u64,
}

impl Locks {
    fn of(
        &mut self,
        address: u64,
        label: &str,
        kind: ObjectKind,
        numbers: &mut Numbers,
        (line, out): (&Line<'_>, &mut Sink),
    ) -> Option<ObjectId> {
        if let Some(object) = self.by_address.get(&address) {
            return Some(*object);
        }
        if self.by_address.len() >= LOCKS_MAX {
            self.left_out += 1;
            return None;
        }
        let object = numbers.object();
        self.by_address.insert(address, object);
        let (label, shared) = (label.to_owned(), false);
        let what = What::Object { object, kind, handle: address, label, shared };
        out.event(line.at, super::TRACER, what);
        Some(object)
    }
}

/// A `contention_begin`: `address (flags=MUTEX)`.
pub(super) fn contention_begin(
    world: &mut World,
    line: &Line<'_>,
    args: &str,
    out: &mut Sink,
) -> Option<()> {
    let address = hexadecimal(args.split(' ').next()?)?;
    let flags = word(args, "(flags=").or_else(|| word(args, "flags=")).unwrap_or_default();
    if line.interrupt {
        return Some(());
    }
    if flags.contains("SPIN") {
        // It lasts microseconds: told at the end if it is open then.
        if let Some(task) = world.task(line, out) {
            task.spins = Some((line.at, address));
        }
        return Some(());
    }
    // Without flags it is a counting semaphore; everything else has owners.
    let kind = if flags.is_empty() { ObjectKind::CountingSemaphore } else { ObjectKind::Mutex };
    let World { locks, numbers, .. } = world;
    let object = locks.of(address, "", kind, numbers, (line, &mut *out));
    let points = object.map(Point::next).into_iter().collect();
    let waits = Waits { call: "contended lock".to_owned(), points, bound: Bound::Infinite };
    if let Some(task) = world.task(line, out) {
        task.spins = None;
        // The same lock by another address: of that wait more is known.
        if task.inner_call().is_some_and(|call| call.starts_with(OWNED)) {
            return Some(());
        }
        task.begin_inner(line.at, waits, out);
    }
    Some(())
}

/// A `contention_end`: `address (ret=0)`. Who holds the lock from here on cannot be told, for its release is no event.
pub(super) fn contention_end(
    world: &mut World,
    line: &Line<'_>,
    args: &str,
    out: &mut Sink,
) -> Option<()> {
    let address = hexadecimal(args.split(' ').next()?)?;
    if line.interrupt {
        return Some(());
    }
    let object = world.locks.by_address.get(&address).copied();
    let Some(task) = world.tasks.get_mut(line.tid) else { return Some(()) };
    if task.spins.take().is_none() {
        let result = word(args, "(ret=").or_else(|| word(args, "ret="));
        let failed = result.is_some_and(|result| result != "0");
        let outcome = if failed { Outcome::Failed } else { Outcome::Reached };
        let points: Vec<_> = object.map(Point::next).into_iter().collect();
        task.end_inner(line.at, &points, outcome, out);
    }
    Some(())
}

/// Says of each task that still spins for a lock since when it does.
pub(super) fn finish(world: &mut World, out: &mut Sink) {
    let World { tasks, locks, numbers, .. } = world;
    let spinning = |(tid, task): (u32, &super::tasks::Task)| Some((tid, task.spins?));
    let mut spinning: Vec<_> = tasks.iter().filter_map(spinning).collect();
    spinning.sort_unstable();
    for (tid, (at, address)) in spinning {
        let line = Line { name: "", tid, process: None, cpu: 0, interrupt: false, at, rest: "" };
        let object = locks.of(address, "", ObjectKind::Mutex, numbers, (&line, &mut *out));
        let points = object.map(Point::next).into_iter().collect();
        let waits = Waits { call: "spin lock".to_owned(), points, bound: Bound::Infinite };
        if let Some(task) = tasks.get_mut(tid) {
            task.begin_inner(at, waits, out);
        }
    }
}

/// What a `lock_*` event tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Acquire,
    Contended,
    Acquired,
    Release,
}

/// A `lock_acquire`, `lock_contended`, `lock_acquired` or `lock_release`: `address [try ][read ]name`.
pub(super) fn step(
    world: &mut World,
    line: &Line<'_>,
    args: &str,
    step: Step,
    out: &mut Sink,
) -> Option<()> {
    let (address, name) = args.split_once(' ')?;
    let address = hexadecimal(address)?;
    if line.interrupt {
        return Some(());
    }
    // The idle task takes locks too, and is nobody.
    let Some(agent) = world.current(line, out) else { return Some(()) };
    let (tried, name) = strip(name, "try ");
    let (read, name) = strip(name, "read ");
    if step == Step::Acquire && !tried {
        world.tasks.get_mut(line.tid)?.asked_for = Some((address, read));
        return Some(());
    }
    let World { locks, numbers, tasks, .. } = world;
    let object = locks.of(address, name, ObjectKind::Mutex, numbers, (line, &mut *out))?;
    let point = Point::next(object);
    let task = tasks.get_mut(line.tid)?;
    // Readers hold a lock together: none of them alone is who it is waited for.
    let mut reads = read;
    match step {
        // A try is told once it has succeeded.
        Step::Acquire | Step::Release => {}
        Step::Contended => {
            let (call, bound) = (format!("{OWNED}{name}"), Bound::Infinite);
            task.begin_inner(line.at, Waits { call, points: vec![point], bound }, out);
        }
        Step::Acquired => {
            task.end_inner(line.at, &[point], Outcome::Reached, out);
            reads = task.asked_for.take() == Some((address, true));
        }
    }
    if step == Step::Release {
        out.event(line.at, agent, What::Signalled { point });
    } else if step != Step::Contended && !reads {
        out.event(line.at, agent, What::Owed { point, after: None, via: None });
    }
    Some(())
}

fn strip<'a>(text: &'a str, word: &str) -> (bool, &'a str) {
    text.strip_prefix(word).map_or((false, text), |rest| (true, rest))
}
