//! UW001: do agents wait for each other in a circle, or one for itself?

use unwedge_trace::{AgentId, AgentKind, Point};

use super::Cause;
use crate::evidence::{self, Fact};
use crate::graph::Subject;
use crate::liveness::Shape;
use crate::replay::{Debt, State};
use crate::story::{Step, Story};
use crate::words;

/// Members of a circle that are named.
const MEMBERS_MAX: usize = 12;

/// A member of the circle: it waits for the point, which the next member owes.
struct Member {
    agent: AgentId,
    point: Point,
    debt: Option<Debt>,
}

pub(crate) fn matches(story: &Story<'_, '_>) -> Option<Cause> {
    match story.root.shape {
        Shape::Cycle => Some(cycle(story)),
        Shape::ClosedCircle => Some(closed_circle(story)),
        Shape::Limited(_) => None,
    }
}

fn cycle(story: &Story<'_, '_>) -> Cause {
    let state = story.scene.state;
    let members = members(story);
    let agents: Vec<AgentId> = members.iter().map(|member| member.agent).collect();
    let mut names = agents.clone();
    names.sort_unstable();
    names.dedup();
    let waits: Vec<_> =
        members.iter().take(MEMBERS_MAX).map(|member| says(story, member)).collect();
    let more = members.len().saturating_sub(MEMBERS_MAX);
    let more = if more > 0 { format!("; and so on through {more} more") } else { String::new() };
    let what = match agents.as_slice() {
        _ if names.len() == 1 => {
            format!("{} waits for itself", state.say_agent(names[0]))
        }
        [one, other] => {
            format!("{} and {} wait for each other", state.say_agent(*one), state.say_agent(*other))
        }
        _ => format!("{} agents wait for each other in a circle", names.len()),
    };
    let before = story.head_before_cycle();
    let before = if before.is_empty() { before } else { format!("{before}; ") };
    let sentence = format!("{before}{what}: {}{more}", waits.join("; "));
    let queues = agents.iter().any(|id| is_queue(state, *id));
    let remedy = if queues {
        "Submit the batch that signals before, or on another queue than, the batch that waits for it."
    } else {
        "Let one of them signal or release before it waits, or make all of them wait in one order."
    };
    Cause { absence: story.leans_on_custom(), ..Cause::wedged(sentence, remedy) }
}

fn members(story: &Story<'_, '_>) -> Vec<Member> {
    let round = &story.steps[story.cycle_at.unwrap_or(0)..];
    let member = |(index, step): (usize, &Step)| {
        let Step::Agent { agent, .. } = step else { return None };
        let Step::Point(point) = round.get(index + 1)? else { return None };
        let debt = match round.get(index + 2) {
            Some(Step::Agent { debt, .. }) => *debt,
            _ => None,
        };
        Some(Member { agent: *agent, point: *point, debt })
    };
    round.iter().enumerate().filter_map(member).collect()
}

/// `thread 1 waits in vkWaitSemaphores for …, which thread 2 owes`.
fn says(story: &Story<'_, '_>, member: &Member) -> String {
    let state = story.scene.state;
    let waits = match state.wait(member.agent) {
        Some(wait) => state.say_waits(member.agent, wait, member.point),
        None => {
            format!("{} needs {}", state.say_agent(member.agent), state.say_point(member.point))
        }
    };
    let next = next_agent(story, member);
    let name = state.say_agent(next);
    let itself = next == member.agent;
    let owes = match member.debt.and_then(|debt| debt.after) {
        Some(after) if story.is_own_batch(next, after) && itself => {
            format!("only its own batch {} would signal", after.value)
        }
        Some(after) if story.is_own_batch(next, after) => {
            format!("{name} owes with batch {}", after.value)
        }
        _ => {
            let duty = story.say_duty(next, member.debt, member.point).replacen(" it", "", 1);
            format!("{} {duty}", if itself { "it itself" } else { &name })
        }
    };
    format!("{waits}, which {owes}")
}

fn next_agent(story: &Story<'_, '_>, member: &Member) -> AgentId {
    let round = &story.steps[story.cycle_at.unwrap_or(0)..];
    let place = round.windows(2).position(|pair| {
        matches!(pair, [Step::Agent { agent, .. }, Step::Point(point)]
            if *agent == member.agent && *point == member.point)
    });
    match place.and_then(|place| round.get(place + 2)) {
        Some(Step::Agent { agent, .. }) => *agent,
        _ => member.agent,
    }
}

fn is_queue(state: &State<'_>, id: AgentId) -> bool {
    state.agent(id).is_some_and(|agent| agent.kind == AgentKind::GpuQueue)
}

/// Every thread waits for a counter that only a thread could raise.
fn closed_circle(story: &Story<'_, '_>) -> Cause {
    let scene = story.scene;
    let state = scene.state;
    let mut waits = Vec::new();
    let mut facts = Vec::new();
    for node in &story.root.nodes {
        let Some(point) = story.point_of(*node) else { continue };
        for dependent in scene.live.dependents(*node) {
            let Subject::Agent(agent) = scene.graph.nodes[dependent].subject else { continue };
            let Some(wait) = state.old_wait(agent) else { continue };
            waits.push((agent, state.say_waits(agent, wait, point)));
            let call = words::printable(wait.call);
            let (name, what) = (state.say_agent(agent), state.say_point(point));
            facts.push(Fact::new(wait.since, format!("{name} began to wait in {call} for {what}")));
        }
        evidence::object_facts(state, point.object, &mut facts);
    }
    let first = story.waiters.first().copied();
    waits.sort_by_key(|(agent, _)| (Some(*agent) != first, *agent));
    let waits: Vec<String> = waits.into_iter().map(|(_, text)| text).collect();
    let sentence = format!(
        "{}; no queue owes these values, and every thread that could signal is itself waiting",
        words::list(&waits, MEMBERS_MAX)
    );
    let remedy = "Let one of the threads signal its semaphore before it waits for another's.";
    Cause { facts, absence: true, ..Cause::wedged(sentence, remedy) }
}
