//! UW002: does nobody owe the point at all?

use unwedge_trace::{AgentKind, ObjectKind, Point, Timestamp};

use super::{Cause, reset_without_submit};
use crate::evidence::Fact;
use crate::graph::Reason;
use crate::liveness::Shape;
use crate::replay::State;
use crate::story::Story;
use crate::words;

pub(crate) fn matches(story: &Story<'_, '_>) -> Option<Cause> {
    let state = story.scene.state;
    let point = story.last_point()?;
    let kind = state.object_kind(point.object);
    if story.root.shape != Shape::Limited(Reason::Nobody)
        || kind == ObjectKind::Swapchain
        || reset_without_submit::reset_after_signal(state, point).is_some()
    {
        return None;
    }
    let because = reset_without_submit::failed_call(state, point.object, Timestamp(0), None)
        .map_or(String::new(), |mark| format!("; {}", words::printable(mark.text)));
    let sentence = format!("{}; {}{because}", story.head(), nobody(state, point));
    let mut cause = Cause { absence: true, ..Cause::wedged(sentence, remedy(kind)) };
    let waiter = story.waiters.first().and_then(|id| state.agent(*id));
    let failed =
        waiter.and_then(|agent| agent.failed.last()).and_then(|index| state.marks.get(*index));
    cause.facts.extend(failed.map(|mark| reset_without_submit::fact(state, mark)));
    if let Some(fact) = could_signal(story, kind) {
        cause.conclusive = false;
        cause.missing.push(fact.0);
        cause.facts.push(fact.1);
    }
    Some(cause)
}

/// Why nobody owes it, in the words of its kind.
fn nobody(state: &State<'_>, point: Point) -> String {
    let object = state.object(point.object);
    let value = object.and_then(|object| object.value()).map_or(0, |(value, _)| value);
    let signalled = object.is_some_and(|object| object.value().is_some());
    match state.object_kind(point.object) {
        ObjectKind::Fence if signalled => "no submit carries it since its last signal".to_owned(),
        ObjectKind::Fence => "no submit carries it since it was created".to_owned(),
        ObjectKind::BinarySemaphore if value == 0 => "no submit signals it".to_owned(),
        ObjectKind::BinarySemaphore => {
            format!("it was signalled {} and this wait needs one more", times(value))
        }
        ObjectKind::TimelineSemaphore => {
            format!("its value is {value} and no pending signal would raise it to {}", point.value)
        }
        ObjectKind::Query => "no submit ends or writes it".to_owned(),
        ObjectKind::Event => "no submit and no thread is on record that would set it".to_owned(),
        ObjectKind::Queue => "no such batch was submitted".to_owned(),
        _ => "nobody owes it".to_owned(),
    }
}

fn times(count: u64) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        _ => format!("{count} times"),
    }
}

fn remedy(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Fence => {
            "Pass the fence to a submit before waiting for it, or skip the wait where nothing was submitted."
        }
        ObjectKind::BinarySemaphore => {
            "Submit the signal before the wait: each wait for a binary semaphore consumes one signal."
        }
        ObjectKind::TimelineSemaphore => {
            "Check the value that is waited for against the values that are signalled, and signal the missing one."
        }
        ObjectKind::Query => {
            "Submit the commands that end or write the query before reading it with WAIT, and reset it first."
        }
        _ => "Find who should signal it, and why that was never asked of anybody.",
    }
}

/// A thread that still gets things done and may yet raise a counter, and how that is known: one of the processes that wait,
/// for what is not shared no other can reach.
fn could_signal(story: &Story<'_, '_>, kind: ObjectKind) -> Option<(String, Fact)> {
    let state = story.scene.state;
    if kind != ObjectKind::TimelineSemaphore && kind != ObjectKind::Event {
        return None;
    }
    let shared = state.object(story.last_point()?.object).is_none_or(|object| object.shared);
    let pids = story.waiters.iter().filter_map(|id| state.agent(*id)).map(|agent| agent.pid);
    let pids: Vec<u32> = pids.filter(|pid| *pid != 0).collect();
    let anybody = shared || pids.is_empty();
    let (id, agent) = state.agents.iter().find(|(id, agent)| {
        agent.kind == AgentKind::HostThread
            && (anybody || agent.pid == 0 || pids.contains(&agent.pid))
            && !agent.exited()
            && state.old_wait(**id).is_none()
            && agent.last_activity().is_some_and(|at| !state.is_old(at))
    })?;
    let name = state.say_agent(*id);
    let missing = format!("whether {name}, which is alive and gets things done, will signal it");
    Some((missing, Fact::new(agent.last_activity()?, format!("{name} last got something done"))))
}
