//! Does a command ring stand still? How far its head is behind its tail, and why its host does not move it.
//!
//! The ring's points are where its head has to get to. Whoever submits makes the ring's host owe the tail that it writes; the
//! host signals where the head has got to. A host that sleeps because its ring is empty is idle: only work that
//! it was given and has not taken makes a question of its sleep.

use std::collections::BTreeMap;

use unwedge_trace::{
    AgentId, AgentKind, AgentState, Bound, MarkKind, Mode, ObjectId, ObjectKind, Point, Timestamp,
};

use super::{Level, SIGNAL_LATENCY_NS_MAX, customary_debtors, has_custom, idle, must_be_owed};
use crate::replay::{Agent, Debt, Mark, Object, State, Wait};

/// What a label says of an object through which a ring's host is told of work: virtio's and the hardware's words.
const NOTIFICATION_WORDS: [&str; 3] = ["notif", "doorbell", "kick"];
/// Submitters of one ring that are asked whether they will notify its host.
const SUBMITTERS_MAX: usize = 64;

/// Why a host does not move its ring's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The ring is marked as broken for good.
    Fatal,
    /// The host sleeps until it is notified; it was, and that did not wake it.
    Missed,
    /// The host sleeps until it is notified, and nobody owes it that.
    Unnotified,
    /// The host waits for something that nobody on record owes or ever signalled.
    Waiting,
    /// The host does nothing, and is in no wait.
    Stalled,
    /// The host sleeps in a call that is not observed.
    Asleep,
    /// The host runs.
    Busy,
    /// What the host does cannot be seen.
    Opaque,
}

/// What a host was given and has not taken.
#[derive(Clone, Debug)]
pub(crate) struct Backlog {
    pub(crate) ring: ObjectId,
    /// How far the head has got, if that is on record.
    pub(crate) head: Option<u64>,
    /// The furthest point that is owed.
    pub(crate) tail: u64,
    /// The nearest one: whatever is behind it comes later.
    pub(crate) first: Debt,
    /// Since when there is work and the head has not moved.
    pub(crate) since: Timestamp,
}

/// Backlogs by host and ring.
pub(crate) type Backlogs = BTreeMap<(AgentId, ObjectId), Backlog>;

/// What is left to do of each ring.
pub(crate) fn backlogs(objects: &BTreeMap<ObjectId, Object<'_>>) -> Backlogs {
    let mut backlogs = Backlogs::new();
    for (id, ring) in objects.iter().filter(|(_, object)| object.kind == ObjectKind::Ring) {
        let moved = ring.value();
        let moved_at = moved.map_or(Timestamp(0), |(_, at)| at);
        // A head is at 0 before anything is submitted.
        for debt in ring.open_debts().filter(|debt| debt.value > 0) {
            let backlog = backlogs.entry((debt.debtor, *id)).or_insert_with(|| Backlog {
                ring: *id,
                head: moved.map(|(head, _)| head),
                tail: debt.value,
                first: *debt,
                since: debt.at.max(moved_at),
            });
            backlog.tail = backlog.tail.max(debt.value);
            backlog.since = backlog.since.min(debt.at.max(moved_at));
        }
    }
    backlogs
}

/// What keeps the debtor from reaching the point, if that hangs on a ring whose head it does not move.
pub(super) fn halt<'s>(
    state: &'s State<'_>,
    point: Point,
    debt: &Debt,
) -> Option<(&'s Backlog, Level, Stop)> {
    let backlog = backlog(state, point, debt)?;
    let (level, stop) = stop(state, debt.debtor, backlog)?;
    Some((backlog, level, stop))
}

/// The backlog that has to be done before the debtor reaches the point.
pub(crate) fn backlog<'s>(state: &'s State<'_>, point: Point, debt: &Debt) -> Option<&'s Backlog> {
    let on = |ring: ObjectId| state.rings.get(&(debt.debtor, ring));
    let kind = state.object_kind(point.object);
    match debt.after {
        Some(after) => on(after.object).filter(|_| !state.is_reached(after)),
        None if kind == ObjectKind::Ring => on(point.object),
        // Locks and blocks are held for other reasons.
        None if !must_be_owed(kind) && kind != ObjectKind::Event => None,
        None => {
            // It is not said what comes before; a host with one ring has nothing else to do.
            let (first, last) = (ObjectId(0), ObjectId(u32::MAX));
            let mut all = state.rings.range((debt.debtor, first)..=(debt.debtor, last));
            let only = all.next().map(|(_, backlog)| backlog);
            only.filter(|_| all.next().is_none())
        }
    }
}

fn stop(state: &State<'_>, host: AgentId, backlog: &Backlog) -> Option<(Level, Stop)> {
    if fatal_mark(state, backlog.ring).is_some() {
        return Some((Level::No, Stop::Fatal));
    }
    let agent = state.agent(host)?;
    let is_host = !matches!(
        agent.kind,
        AgentKind::Outside | AgentKind::PresentationEngine | AgentKind::GpuQueue
    );
    let is_ready = backlog.first.after.is_none_or(|after| state.is_reached(after));
    if !is_host || !is_ready || agent.exited() || !state.is_old(backlog.since) {
        return None;
    }
    if idle::starved(state, host, agent).is_some() {
        return None;
    }
    match &agent.wait {
        Some(wait) => sleep(state, host, backlog, wait),
        None if is_active(state, agent) => None,
        None => Some(awake(agent)),
    }
}

/// What a host that is in no wait does.
fn awake(host: &Agent<'_>) -> (Level, Stop) {
    match host.state {
        // A thread that sleeps, or a call in which it does, may wait for what a command of the ring needs.
        Some(AgentState::Blocked)
            if host.kind != AgentKind::RingHost || host.state_detail.starts_with("in ") =>
        {
            (Level::Maybe, Stop::Asleep)
        }
        Some(AgentState::Blocked) => (Level::No, Stop::Stalled),
        Some(AgentState::Running | AgentState::Ready) => (Level::Maybe, Stop::Busy),
        Some(AgentState::Exited | AgentState::Unknown) | None => (Level::Maybe, Stop::Opaque),
    }
}

/// Why a host sleeps though its ring has work; nothing if its wait leads further, or has just begun.
fn sleep(
    state: &State<'_>,
    host: AgentId,
    backlog: &Backlog,
    wait: &Wait<'_>,
) -> Option<(Level, Stop)> {
    let reached = |point: &Point| state.is_reached(*point);
    let is_over = match wait.mode {
        Mode::All => !wait.points.is_empty() && wait.points.iter().all(reached),
        Mode::Any => wait.points.iter().any(reached),
    };
    if !state.is_old(wait.since) || is_over || idle::unwoken(state, wait).is_some() {
        return None;
    }
    if let Some(point) = notification(state, host, backlog, wait) {
        let sure = doubts(state, host, backlog, wait, point).is_empty();
        let stop =
            if was_missed(state, host, backlog, point) { Stop::Missed } else { Stop::Unnotified };
        return Some((if sure { Level::No } else { Level::Maybe }, stop));
    }
    wait.points.iter().all(|point| is_idle(state, *point)).then_some((Level::Maybe, Stop::Waiting))
}

/// What the host waits for, if that is to be told of work and nobody owes it.
pub(crate) fn notification(
    state: &State<'_>,
    host: AgentId,
    backlog: &Backlog,
    wait: &Wait<'_>,
) -> Option<Point> {
    let is_owed = |point: &Point| {
        state.object(point.object).is_some_and(|object| !object.debts_for(point.value).is_empty())
    };
    // Any of several would wake it: one that is owed is where the chain goes on.
    if wait.mode == Mode::Any && wait.points.iter().any(is_owed) {
        return None;
    }
    let tells_of_work = |point: &Point| {
        let Some(object) = state.object(point.object) else { return false };
        let label = object.label.to_lowercase();
        let named = NOTIFICATION_WORDS.iter().any(|word| label.contains(word));
        let mut submitters = submitters(state, host, backlog);
        let signalled = submitters.any(|submitter| object.customary.contains_key(&submitter));
        !must_be_owed(object.kind) && object.kind != ObjectKind::Mutex && (named || signalled)
    };
    let mut points = wait.points.iter().copied();
    points.find(|point| !state.is_reached(*point) && !is_owed(point) && tells_of_work(point))
}

/// Those who ever gave the host work.
fn submitters<'s>(
    state: &'s State<'_>,
    host: AgentId,
    backlog: &Backlog,
) -> impl Iterator<Item = AgentId> + 's {
    let ring = state.object(backlog.ring);
    let all = ring.into_iter().flat_map(|ring| ring.customary.keys().copied());
    all.filter(move |id| *id != host).take(SUBMITTERS_MAX)
}

/// Whether the notification was given after the work, and the host did nothing since.
fn was_missed(state: &State<'_>, host: AgentId, backlog: &Backlog, point: Point) -> bool {
    let signal = state.object(point.object).and_then(|object| object.last_signal);
    let active = state.agent(host).and_then(Agent::last_activity);
    signal.is_some_and(|signal| {
        signal.at >= backlog.first.at && active.is_none_or(|active| active < signal.at)
    })
}

/// What would have to be known before it is certain that nobody will notify the host.
pub(crate) fn doubts(
    state: &State<'_>,
    host: AgentId,
    backlog: &Backlog,
    wait: &Wait<'_>,
    point: Point,
) -> Vec<String> {
    let mut doubts = Vec::new();
    let name = state.say_object(point.object);
    if state.poorly_covered(state.object_kind(point.object)).is_some() {
        doubts.push(format!(
            "whether {name} was signalled: not every signal of its kind is on record"
        ));
    }
    if state.object(point.object).is_some_and(|object| object.shared) {
        doubts.push(format!("who signals {name} outside"));
    }
    if wait.bound != Bound::Infinite {
        let host = state.say_agent(host);
        doubts.push(format!("whether {host} looks at the ring when its bounded wait ends"));
    }
    let lively = submitters(state, host, backlog).find(|id| {
        let agent = state.agent(*id).filter(|agent| !agent.exited());
        state.old_wait(*id).is_none() && agent.is_some_and(|agent| is_active(state, agent))
    });
    if let Some(id) = lively {
        let submitter = state.say_agent(id);
        doubts.push(format!(
            "whether {submitter}, which is alive and gets things done, will signal {name}"
        ));
    }
    doubts
}

/// Whether nothing on record says who might signal it: it may come in its own time, or never.
fn is_idle(state: &State<'_>, point: Point) -> bool {
    let Some(object) = state.object(point.object) else { return false };
    let crowd = has_custom(object) && object.customary.len() > super::CUSTOMARY_MAX;
    object.is_known()
        && !object.shared
        && !crowd
        && object.kind != ObjectKind::Mutex
        && !must_be_owed(object.kind)
        && !state.sees_every_signal(object.kind)
        && object.debts_for(point.value).is_empty()
        && customary_debtors(state, point, object).is_empty()
}

fn is_active(state: &State<'_>, agent: &Agent<'_>) -> bool {
    agent.last_activity().is_some_and(|at| !state.is_old(at))
}

/// The remark that calls the ring fatal, unless its head has moved or it was reset since.
pub(crate) fn fatal_mark<'s, 'r>(state: &'s State<'r>, ring: ObjectId) -> Option<&'s Mark<'r>> {
    let object = state.object(ring).filter(|object| object.kind == ObjectKind::Ring)?;
    let marks = object.marks.iter().rev().filter_map(|index| state.marks.get(*index));
    let mark = marks.into_iter().find(|mark| tells_of_fatal(mark.kind) && says_fatal(mark.text))?;
    // The last command before the mark may show a moment after it.
    let moved =
        object.last_signal.is_some_and(|signal| signal.at.since(mark.at) > SIGNAL_LATENCY_NS_MAX);
    let reset = object.last_reset.is_some_and(|reset| reset.at > mark.at);
    (!moved && !reset).then_some(mark)
}

/// Whether such a mark tells what is, and not what was injected or cannot be seen.
fn tells_of_fatal(kind: MarkKind) -> bool {
    matches!(kind, MarkKind::Log | MarkKind::FailedCall | MarkKind::Warning)
}

/// Whether a remark says "fatal", and not "not fatal" or "fatal bit: 0".
pub(crate) fn says_fatal(text: &str) -> bool {
    const DENIES_BEFORE: [&str; 5] = ["no", "non", "not", "never", "without"];
    const DENIES_AFTER: [&str; 5] = ["0", "clear", "cleared", "false", "unset"];
    /// As in "fatal bit is clear".
    const WORDS_AFTER: usize = 3;
    let same = |word: &&str, list: &[&str]| list.iter().any(|one| word.eq_ignore_ascii_case(one));
    let mut words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let mut before = "";
    while let Some(word) = words.next() {
        let denied = same(&before, &DENIES_BEFORE)
            || words.clone().take(WORDS_AFTER).any(|after| same(&after, &DENIES_AFTER));
        if word.eq_ignore_ascii_case("fatal") && !denied {
            return true;
        }
        before = word;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::says_fatal;

    #[test]
    fn what_denies_that_a_ring_is_fatal_does_not_say_it() {
        let says =
            ["ring status: fatal", "vn_ring_submit abort on fatal", "FATAL (2)", "seqno 0: fatal"];
        let denies =
            ["", "not fatal", "non-fatal", "fatal=0", "fatal bit is clear", "nonfatal", "fatality"];
        for text in says {
            assert!(says_fatal(text), "{text}");
        }
        for text in denies {
            assert!(!says_fatal(text), "{text}");
        }
    }
}
