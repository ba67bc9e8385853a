//! Who only seems to be idle? The starved, the unwoken, those who poll in vain, and producers that never signal.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use unwedge_trace::{AgentId, AgentKind, AgentState, Bound, Mode, ObjectKind, Point, Timestamp};

use super::{Level, SIGNAL_LATENCY_NS_MAX};
use crate::replay::{Agent, Debt, State, Wait};

/// Being ready for less than this is scheduling. Nanoseconds: a second is a hundred ticks of a 100 Hz scheduler.
pub(crate) const STARVED_NS_MIN: u64 = 1_000_000_000;
/// Fewer polls than these are a thread that looks around.
const POLLS_IN_VAIN_MIN: u64 = 100;

/// Whether the agent could run and has not been picked for long: surely so, if somebody is seen to run in its place.
pub(super) fn starved(state: &State<'_>, id: AgentId, agent: &Agent<'_>) -> Option<Level> {
    let woken = agent.wait.as_ref().is_none_or(|wait| wait.since <= agent.state_at);
    if agent.state != Some(AgentState::Ready) || !woken {
        return None;
    }
    let ready_ns = state.now.since(agent.state_at);
    if ready_ns < STARVED_NS_MIN || !state.is_old(agent.state_at) {
        return None;
    }
    Some(if another_runs(state, id, agent) { Level::No } else { Level::Maybe })
}

/// Those who were seen active on one processor.
#[derive(Debug, Default)]
pub(crate) struct Processor {
    /// Everyone who is not gone, and when it was last seen active; the highest priority first.
    seen: Vec<(Reverse<Option<i32>>, AgentId, Timestamp)>,
    /// The two that were seen last: of a million that are ready, each asks for one other than itself.
    last_two: Vec<(Timestamp, AgentId)>,
}

impl Processor {
    /// All processors, by number.
    pub(crate) fn all(agents: &BTreeMap<AgentId, Agent<'_>>) -> HashMap<u32, Self> {
        let mut all: HashMap<u32, Self> = HashMap::new();
        for (id, agent) in agents.iter().filter(|(_, agent)| !agent.exited()) {
            let running = (agent.state == Some(AgentState::Running)).then_some(agent.state_at);
            let (Some(cpu), Some(at)) = (agent.cpu, agent.last_activity().max(running)) else {
                continue;
            };
            let processor = all.entry(cpu).or_default();
            processor.seen.push((Reverse(agent.priority), *id, at));
            processor.last_two.push((at, *id));
            processor.last_two.sort_unstable_by_key(|last| Reverse(*last));
            processor.last_two.truncate(2);
        }
        for processor in all.values_mut() {
            processor.seen.sort_unstable();
        }
        all
    }
}

/// Whether somebody else was active on the agent's processor since it became ready.
fn another_runs(state: &State<'_>, id: AgentId, starved: &Agent<'_>) -> bool {
    let processor = starved.cpu.and_then(|cpu| state.processors.get(&cpu));
    let mut last = processor.into_iter().flat_map(|processor| &processor.last_two);
    last.any(|(at, other)| *other != id && *at > starved.state_at)
}

/// Those who were active on the agent's processor since it became ready, the highest priority first.
pub(crate) fn runs_instead<'s>(
    state: &'s State<'_>,
    id: AgentId,
) -> impl Iterator<Item = AgentId> + 's {
    let starved = state.agent(id).and_then(|agent| Some((agent.state_at, agent.cpu?)));
    let processor = starved.and_then(|(since, cpu)| Some((since, state.processors.get(&cpu)?)));
    processor.into_iter().flat_map(move |(since, processor)| {
        let seen = processor.seen.iter().filter(move |(_, other, at)| *other != id && *at > since);
        seen.map(|(_, other, _)| *other)
    })
}

/// Whether what the agent waits for has been there for long and it still waits: surely so where a signal stays until it is
/// reset, perhaps where somebody out of sight may have taken it.
pub(super) fn unwoken(state: &State<'_>, wait: &Wait<'_>) -> Option<Level> {
    let there = |point: &Point| {
        let reached = state.reached_at(*point);
        let kind = state.object_kind(point.object);
        // A value may be known from another's wait alone: who signalled it is then out of sight.
        let signalled =
            state.object(point.object).is_some_and(|object| object.last_signal.is_some());
        keeps_its_signal(kind)
            && signalled
            && reached
                .is_some_and(|at| state.is_old(at) && state.now.since(at) >= SIGNAL_LATENCY_NS_MAX)
    };
    let mut points = wait.points.iter();
    let all = match wait.mode {
        Mode::All => !wait.points.is_empty() && points.all(there),
        Mode::Any => points.any(there),
    };
    let stays = |point: &Point| state.object_kind(point.object) == ObjectKind::Event;
    all.then(|| if wait.points.iter().all(stays) { Level::No } else { Level::Maybe })
}

/// Kinds that a source without numbers sees signalled, and whose signal waits for a waiter.
fn keeps_its_signal(kind: ObjectKind) -> bool {
    matches!(
        kind,
        ObjectKind::Event
            | ObjectKind::AutoResetEvent
            | ObjectKind::CountingSemaphore
            | ObjectKind::Timer
    )
}

/// Whether the agent's wait is a loop of polls on an object that nobody on record ever signalled, while work that was done
/// before in its process is done no more.
pub(super) fn polls_in_vain(state: &State<'_>, agent: &Agent<'_>, wait: &Wait<'_>) -> bool {
    let (Bound::Polls(polls), [point]) = (wait.bound, wait.points.as_slice()) else { return false };
    let Some(object) = state.object(point.object) else { return false };
    if polls < POLLS_IN_VAIN_MIN
        || object.shared
        || !object.customary.is_empty()
        || !object.debts_for(point.value).is_empty()
        || super::must_be_owed(object.kind)
    {
        return false;
    }
    let last = state.last_work(agent);
    let standstill = STARVED_NS_MIN.max(POLLS_IN_VAIN_MIN * state.now.since(wait.since) / polls);
    last.is_some_and(|at| state.is_old(at) && state.now.since(at) >= standstill)
}

/// Whether the debtor took the duty on again and again, finished what it does each time, and never signalled.
pub(super) fn is_silent(state: &State<'_>, point: Point, debt: &Debt) -> bool {
    let Some(debtor) = state.agent(debt.debtor) else { return false };
    let kind = state.object_kind(point.object);
    // A ring is given work again and again before its head moves.
    let lock = matches!(
        kind,
        ObjectKind::Mutex | ObjectKind::Futex | ObjectKind::Block | ObjectKind::Ring
    );
    let engine = matches!(debtor.kind, AgentKind::GpuQueue | AgentKind::PresentationEngine);
    let again = state.object(point.object).is_some_and(|object| object.was_owed_again(debt));
    let worked = debtor.progress.is_some_and(|(at, _)| at > debt.at);
    // A wait between two of its turns, for a timer or for work, is young.
    let gets_on = state.old_wait(debt.debtor).is_none();
    !lock && !engine && again && worked && state.is_old(debt.at) && gets_on
}
