//! UW009: is the signal there, and the waiter still parked?

use unwedge_trace::ObjectKind;

use super::Cause;
use crate::graph::Reason;
use crate::liveness::Shape;
use crate::story::Story;

const REMEDY: &str = "Look at how a waiter goes to sleep: it has to check for the signal and park in one step, and a signal has to wake \
                      whoever parked before it.";

pub(crate) fn matches(story: &Story<'_, '_>) -> Option<Cause> {
    if story.root.shape != Shape::Limited(Reason::Unwoken) {
        return None;
    }
    let state = story.scene.state;
    let (agent, _) = story.last_agent()?;
    let wait = state.wait(agent)?;
    let point = wait.points.iter().copied().find(|point| state.is_reached(*point))?;
    let object = state.object(point.object)?;
    let signal = object.last_signal?;
    let since = state.say_since(signal.at);
    let before = if signal.at < wait.since { "before it began to wait" } else { "while it waited" };
    let name = state.say_object(point.object);
    let head = story.head();
    let head = if head.is_empty() {
        state.say_waits(agent, wait, point)
    } else {
        format!("{head}; {}", state.say_waits(agent, wait, point))
    };
    let sentence = format!(
        "{head}; {} signalled it {since} ago, {before}, nobody took the signal, and the waiter was not woken",
        state.say_agent(signal.by)
    );
    let facts = super::about(state, point.object);
    if object.kind == ObjectKind::Event {
        return Some(Cause { facts, absence: true, ..Cause::wedged(sentence, REMEDY) });
    }
    let missing = format!("whether somebody out of sight took the signal of {name}");
    Some(Cause { facts, absence: true, ..Cause::doubtful(sentence, missing, REMEDY) })
}
