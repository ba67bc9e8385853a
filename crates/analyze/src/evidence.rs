//! What is on record about a chain: each fact with the time of its event.

use unwedge_trace::{AgentId, AgentKind, Bound, MarkKind, ObjectId, ObjectKind, Point, Timestamp};

use crate::replay::{Debt, State};
use crate::story::{Step, Story};
use crate::words::{duration, printable};

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fact {
    at: Timestamp,
    /// Place among the facts of one moment: clocks are coarse, and a reset comes before the wait
    /// that follows from it.
    rank: u8,
    text: String,
}

/// What was before.
const SIGNALLED: u8 = 0;
const RESET: u8 = 1;
/// Everything that says neither.
const HAPPENED: u8 = 2;
/// What an agent last got done, and what it has been in since.
const PROGRESSED: u8 = 3;
const WAITS: u8 = 4;

/// Facts given for one finding.
const FACTS_MAX: usize = 40;
/// Remarks given for one object.
const MARKS_MAX: usize = 6;
/// Earlier signallers given for one object.
const CUSTOMARY_MAX: usize = 4;

impl Fact {
    pub(crate) fn new(at: Timestamp, text: String) -> Self {
        Self { at, rank: HAPPENED, text }
    }

    fn ranked(self, rank: u8) -> Self {
        Self { rank, ..self }
    }
}

/// The facts in the order in which they happened, as lines of a report.
pub(crate) fn lines(now: Timestamp, mut facts: Vec<Fact>) -> Vec<String> {
    facts.sort();
    facts.dedup();
    // The oldest facts explain least.
    let skipped = facts.len().saturating_sub(FACTS_MAX);
    facts.iter().skip(skipped).map(|fact| line(now, fact)).collect()
}

fn line(now: Timestamp, fact: &Fact) -> String {
    match now.since(fact.at) {
        0 => format!("now: {}", fact.text),
        ago => format!("{} ago: {}", duration(ago), fact.text),
    }
}

/// All facts about the agents and objects of a chain.
pub(crate) fn of_story(story: &Story<'_, '_>) -> Vec<Fact> {
    let state = story.scene.state;
    let mut facts = Vec::new();
    for (index, step) in story.steps.iter().enumerate() {
        match step {
            Step::Agent { agent, .. } => {
                if let Some(Step::Point(point)) = story.steps.get(index + 1) {
                    facts.extend(wait_began(state, *agent, *point));
                }
                facts.extend(agent_facts(state, *agent));
            }
            Step::Point(point) => object_facts(state, point.object, &mut facts),
        }
    }
    facts
}

/// That the agent began to wait for the point, if its wait is for that.
pub(crate) fn wait_began(state: &State<'_>, agent: AgentId, point: Point) -> Option<Fact> {
    let wait = state.wait(agent).filter(|wait| wait.points.contains(&point))?;
    let bound = match wait.bound {
        Bound::Infinite => String::new(),
        Bound::Ns(u64::MAX) => ", with a bound that is not on record".to_owned(),
        Bound::Ns(ns) => format!(", bounded to {}", duration(ns)),
        Bound::Polls(count) => format!(", and has polled {count} times since"),
    };
    let (name, what) = (state.say_agent(agent), state.say_point(point));
    let call = printable(wait.call);
    let text = if state.is_batch(agent, wait) {
        format!("{call} of {name} began to wait for {what}")
    } else {
        format!("{name} began to wait in {call} for {what}{bound}")
    };
    Some(Fact::new(wait.since, text).ranked(WAITS))
}

fn agent_facts(state: &State<'_>, id: AgentId) -> Vec<Fact> {
    let mut facts = Vec::new();
    let Some(agent) = state.agent(id) else { return facts };
    let name = state.say_agent(id);
    let detail = printable(agent.state_detail);
    if agent.exited() {
        let gone = if agent.kind == AgentKind::GpuQueue { "lost its device" } else { "exited" };
        let detail = if detail.is_empty() { String::new() } else { format!(" ({detail})") };
        facts.push(Fact::new(agent.state_at, format!("{name} {gone}{detail}")));
    } else if !detail.is_empty() {
        facts.push(Fact::new(agent.state_at, format!("{name}: {detail}")));
    }
    if let Some((at, what)) = agent.progress {
        let text = format!("{name} last got something done: {}", printable(what));
        facts.push(Fact::new(at, text).ranked(PROGRESSED));
    }
    if agent.kind != AgentKind::GpuQueue {
        return facts;
    }
    let object = state.queues.get(&id).and_then(|id| state.object(*id));
    if let Some((value, at)) = object.and_then(|object| object.value()) {
        facts.push(Fact::new(at, format!("GPU passed batch {value} of {name}")));
    }
    if let Some((head, at)) = agent.head {
        facts.push(Fact::new(at, format!("batch {} was submitted to {name}", head.value)));
    }
    facts
}

/// Who last submitted, signalled and reset the object, and what was said about it.
pub(crate) fn object_facts(state: &State<'_>, id: ObjectId, facts: &mut Vec<Fact>) {
    let Some(object) = state.object(id) else { return };
    let name = state.say_object(id);
    if object.kind == ObjectKind::Queue {
        // Told with the queue's agent, or below, where nobody is known to own it.
        if let (None, Some((value, at))) = (state.queue_owners.get(&id), object.value()) {
            facts.push(Fact::new(at, format!("GPU passed batch {value} of {name}")));
        }
    } else if let Some(debt) = &object.last_debt {
        facts.push(owed(state, id, debt));
    }
    if let Some(signal) = object.last_signal.filter(|_| object.kind != ObjectKind::Queue) {
        let by = state.say_agent(signal.by);
        let text = match object.kind {
            ObjectKind::TimelineSemaphore => format!("{by} signalled {name} to {}", signal.value),
            ObjectKind::Ring => format!("{by} moved the head of {name} to {}", signal.value),
            _ => format!("{by} signalled {name}"),
        };
        facts.push(Fact::new(signal.at, text).ranked(SIGNALLED));
    }
    if let Some(reset) = object.last_reset {
        let by = state.say_agent(reset.by);
        let did = if object.kind == ObjectKind::BinarySemaphore {
            "consumed the signal of"
        } else {
            "reset"
        };
        facts.push(Fact::new(reset.at, format!("{by} {did} {name}")).ranked(RESET));
    }
    for mark in
        object.marks.iter().rev().take(MARKS_MAX).filter_map(|index| state.marks.get(*index))
    {
        let text = printable(mark.text);
        let by = state.say_agent(mark.by);
        facts.push(Fact::new(
            mark.at,
            match mark.kind {
                MarkKind::FailedCall => format!("{by}: {text}"),
                MarkKind::Injected => format!("injected on {name}: {text}"),
                MarkKind::Log | MarkKind::Unobserved | MarkKind::Warning => {
                    format!("{name}: {text}")
                }
            },
        ));
    }
    if !matches!(object.kind, ObjectKind::TimelineSemaphore | ObjectKind::Event | ObjectKind::Other)
    {
        return;
    }
    for (agent, at) in object.customary.iter().take(CUSTOMARY_MAX) {
        let by = state.say_agent(*agent);
        facts.push(Fact::new(*at, format!("{by} last signalled {name}, or had it signalled")));
    }
}

/// A submit, an acquire, a lock: how a debt came to be.
pub(crate) fn owed(state: &State<'_>, object: ObjectId, debt: &Debt) -> Fact {
    let name = state.say_object(object);
    let debtor = state.say_agent(debt.debtor);
    let text = match (state.object_kind(object), debt.after, debt.via) {
        (ObjectKind::Mutex | ObjectKind::Futex, _, _) => format!("{debtor} took {name}"),
        (ObjectKind::Ring, _, Some(via)) => {
            format!("{} moved the tail of {name} to {}", state.say_agent(via), debt.value)
        }
        (ObjectKind::TimelineSemaphore, Some(after), Some(via)) => format!(
            "{} submitted {}, which signals {name} to {}",
            state.say_agent(via),
            state.say_point(after),
            debt.value
        ),
        (_, Some(after), Some(via)) => {
            let behind = state.object_kind(after.object) == ObjectKind::Ring;
            let via = state.say_agent(via);
            if behind {
                format!(
                    "{via} put the work of {name} in {} before {}",
                    state.say_object(after.object),
                    after.value
                )
            } else {
                format!("{via} submitted {}, which signals {name}", state.say_point(after))
            }
        }
        (_, Some(after), None) => format!("{} was to signal {name}", state.say_point(after)),
        (_, None, Some(via)) => {
            format!("{} left it to {debtor} to signal {name}", state.say_agent(via))
        }
        (_, None, None) => format!("{debtor} came to owe {name}"),
    };
    Fact::new(debt.at, text)
}
