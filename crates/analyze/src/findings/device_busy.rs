//! UW005: does the queue still execute, its waits satisfied?

use unwedge_trace::{AgentId, AgentState};

use super::Cause;
use crate::graph::Reason;
use crate::liveness::Shape;
use crate::story::Story;
use crate::words;

const REMEDY: &str = "Wait longer, or split the batch: an endless or very long shader looks the same as a slow one. \
                      Bound the wait so that the program stays in control meanwhile.";

pub(crate) fn matches(story: &Story<'_, '_>) -> Option<Cause> {
    let Shape::Limited(reason) = story.root.shape else { return None };
    let state = story.scene.state;
    let (queue, _) = story.last_agent()?;
    let agent = state.agent(queue)?;
    let name = state.say_agent(queue);
    let (owes, batch, time) = owes(story, queue)?;
    let detail = words::printable(agent.state_detail);
    let seen = if detail.is_empty() { String::new() } else { format!(" ({detail})") };
    let (what, missing) = match reason {
        Reason::Busy => (
            format!(
                "{owes} still executes {batch} after {time}; its waits are satisfied and the engine is working{seen}"
            ),
            format!("whether what {name} executes will end"),
        ),
        Reason::Opaque => (
            format!(
                "{owes} has not finished {batch} after {time}; whether its engine works is not observable here{seen}"
            ),
            format!("whether the engine of {name} works"),
        ),
        Reason::NoBreadcrumbs => {
            let does = if agent.state == Some(AgentState::Blocked) {
                format!("is stuck at {batch} with an idle engine{seen}")
            } else {
                format!("is still executing {batch}")
            };
            (
                format!(
                    "{owes} {does} after {time}, or finished with its signal lost: no breadcrumbs tell the two apart"
                ),
                format!("how far {name} got: it leaves no breadcrumbs"),
            )
        }
        _ => return None,
    };
    let sentence = format!("{}; {what}", story.head());
    Some(Cause::doubtful(sentence, missing, REMEDY))
}

/// How a queue's duty is said, which batch it is at, and for how long.
pub(super) fn owes(story: &Story<'_, '_>, queue: AgentId) -> Option<(String, String, String)> {
    let state = story.scene.state;
    let (batch, time) = pending(story, queue);
    let head = state.agent(queue)?.head.map(|(point, _)| point);
    let point = story.last_point()?;
    if story.is_own_batch(queue, point) {
        let batch = if head == Some(point) { "it".to_owned() } else { batch };
        return Some(("the queue".to_owned(), batch, time));
    }
    let debt = story.last_debt();
    let same = head.is_some() && debt.and_then(|debt| debt.after) == head;
    let batch = if same { "that batch".to_owned() } else { batch };
    let duty = story.say_duty(queue, debt, point);
    Some((format!("{} {duty}, and", state.say_agent(queue)), batch, time))
}

/// The batch that a queue is at, and for how long.
fn pending(story: &Story<'_, '_>, queue: AgentId) -> (String, String) {
    let state = story.scene.state;
    let Some(agent) = state.agent(queue) else { return ("its batch".to_owned(), String::new()) };
    let (batch, submitted) = match (agent.head, agent.oldest_debt) {
        (Some((point, at)), _) => (format!("batch {}", point.value), at),
        (None, Some(at)) => ("its work".to_owned(), at),
        (None, None) => ("its work".to_owned(), state.now),
    };
    let since = agent.last_activity().map_or(submitted, |at| at.max(submitted));
    (batch, state.say_since(since))
}
