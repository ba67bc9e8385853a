//! UW009: is the signal there, and the waiter still parked?

use unwedge_trace::{AgentId, ObjectKind, Point};

use super::Cause;
use crate::evidence;
use crate::graph::Reason;
use crate::graph::ring::{self, Stop};
use crate::liveness::Shape;
use crate::replay::Wait;
use crate::story::Story;

const REMEDY: &str = "Look at how a waiter goes to sleep: it has to check for the signal and park in one step, and a signal has to wake \
                      whoever parked before it.";

pub(crate) fn matches(story: &Story<'_, '_>) -> Option<Cause> {
    match story.root.shape {
        Shape::Limited(Reason::Unwoken) => unwoken(story),
        Shape::Limited(Reason::Ring(Stop::Missed)) => missed(story),
        _ => None,
    }
}

fn unwoken(story: &Story<'_, '_>) -> Option<Cause> {
    let state = story.scene.state;
    let (agent, _) = story.last_agent()?;
    let wait = state.wait(agent)?;
    let point = wait.points.iter().copied().find(|point| state.is_reached(*point))?;
    let object = state.object(point.object)?;
    let name = state.say_object(point.object);
    let sentence = format!(
        "{}, nobody took the signal, and the waiter was not woken",
        signalled(story, agent, wait, point)?
    );
    let facts = super::about(state, point.object);
    if object.kind == ObjectKind::Event {
        return Some(Cause { facts, absence: true, ..Cause::wedged(sentence, REMEDY) });
    }
    let missing = format!("whether somebody out of sight took the signal of {name}");
    Some(Cause { facts, absence: true, ..Cause::doubtful(sentence, missing, REMEDY) })
}

/// A ring's host sleeps though it was told of the work that it has not taken: no idle waiter, whatever kind of object it is.
fn missed(story: &Story<'_, '_>) -> Option<Cause> {
    let state = story.scene.state;
    let (host, debt) = story.last_agent()?;
    let backlog = ring::backlog(state, story.last_point()?, &debt?)?;
    let wait = state.wait(host)?;
    let point = ring::notification(state, host, backlog, wait)?;
    let sentence = format!(
        "{}, and that did not wake it, though its ring has work (tail {})",
        signalled(story, host, wait, point)?,
        backlog.tail
    );
    let mut facts = super::about(state, point.object);
    facts.extend(super::about(state, backlog.ring));
    facts.extend(evidence::wait_began(state, host, point));
    let missing = ring::doubts(state, host, backlog, wait, point);
    let conclusive = missing.is_empty();
    Some(Cause { facts, absence: true, conclusive, missing, ..Cause::wedged(sentence, REMEDY) })
}

/// Who waits, who signalled what it waits for, and when.
fn signalled(
    story: &Story<'_, '_>,
    agent: AgentId,
    wait: &Wait<'_>,
    point: Point,
) -> Option<String> {
    let state = story.scene.state;
    let signal = state.object(point.object)?.last_signal?;
    let (since, by) = (state.say_since(signal.at), state.say_agent(signal.by));
    let before = if signal.at < wait.since { "before it began to wait" } else { "while it waited" };
    let (head, waits) = (story.head(), state.say_waits(agent, wait, point));
    let head = if head.is_empty() { waits } else { format!("{head}; {waits}") };
    Some(format!("{head}; {by} signalled it {since} ago, {before}"))
}
