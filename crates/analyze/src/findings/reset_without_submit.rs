//! UW003: was the object reset after its last signal, and the call that should re-arm it failed or skipped?

use unwedge_trace::{AgentId, AgentKind, MarkKind, ObjectId, ObjectKind, Point, Timestamp};

use super::Cause;
use crate::graph::Reason;
use crate::liveness::Shape;
use crate::replay::{Mark, State, Touch};
use crate::story::{Step, Story};
use crate::words;

/// What a coarse clock may be behind, at 100 ticks a second.
const CLOCK_SLACK_NS: u64 = 10_000_000;

pub(crate) fn matches(story: &Story<'_, '_>) -> Option<Cause> {
    if story.root.shape != Shape::Limited(Reason::Nobody) {
        return None;
    }
    let state = story.scene.state;
    let point = story.last_point()?;
    let reset = reset_after_signal(state, point)?;
    let since = Timestamp(reset.at.0.saturating_sub(CLOCK_SLACK_NS));
    let failed = failed_call(state, point.object, since, rearming_thread(story, reset));
    let ago = state.say_since(reset.at);
    let because = match failed {
        Some(mark) => format!(", because {}", words::printable(mark.text)),
        None => ": the submit was skipped".to_owned(),
    };
    let cause = match state.object_kind(point.object) {
        ObjectKind::BinarySemaphore => format!(
            "its last signal was consumed {ago} ago and no submit signals it again{because}"
        ),
        ObjectKind::Fence => {
            format!("no submit carries it since it was reset {ago} ago{because}")
        }
        ObjectKind::Query => format!("nothing ends it since it was reset {ago} ago{because}"),
        _ => format!("nobody is to signal it since it was reset {ago} ago{because}"),
    };
    let sentence = format!("{}; {cause}", story.head());
    let remedy = "Reset the fence only when the submit that signals it is certain to follow: after the acquire succeeded, \
                  right before the submit. If something fails in between, submit an empty batch with the fence that also waits for \
                  the acquire's semaphore, and present or release the image.";
    let mut cause = Cause { absence: true, ..Cause::wedged(sentence, remedy) };
    cause.facts.extend(failed.map(|mark| fact(state, mark)));
    Some(cause)
}

/// The thread that should have armed the object again: the one that reset it, or, where a queue
/// consumed its signal, the one that submitted the wait.
fn rearming_thread(story: &Story<'_, '_>, reset: Touch) -> Option<AgentId> {
    let state = story.scene.state;
    if state.agent(reset.by)?.kind != AgentKind::GpuQueue {
        return Some(reset.by);
    }
    let waiter = story.steps.iter().rev().find_map(|step| match step {
        Step::Agent { agent, .. } => Some(*agent),
        Step::Point(_) => None,
    })?;
    state.object(*state.queues.get(&waiter)?)?.last_debt?.via
}

/// The reset of an object that had been signalled and was not signalled since. That somebody waits for
/// its second signal says that there was a first, as of a fence that was made signalled.
pub(crate) fn reset_after_signal(state: &State<'_>, point: Point) -> Option<Touch> {
    let object = state.object(point.object)?;
    let reset = object.last_reset?;
    let signal = object.last_signal.filter(|_| {
        // A wait for a further signal of these is told only once the last one is taken back.
        !matches!(object.kind, ObjectKind::Fence | ObjectKind::BinarySemaphore)
    });
    let signalled_since = signal.is_some_and(|signal| signal.at > reset.at);
    let counted = matches!(object.kind, ObjectKind::Fence | ObjectKind::BinarySemaphore);
    let had_signal = object.value().is_some() || (counted && point.value > 1);
    (had_signal && !signalled_since).then_some(reset)
}

/// The failed call that explains why nobody owes the object: one that names it, or else the last
/// one that `thread` made since.
pub(crate) fn failed_call<'s, 'r>(
    state: &'s State<'r>,
    object: ObjectId,
    since: Timestamp,
    thread: Option<AgentId>,
) -> Option<&'s Mark<'r>> {
    let last = |indexes: &[usize]| {
        indexes
            .iter()
            .rev()
            .filter_map(|index| state.marks.get(*index))
            .find(|mark| mark.kind == MarkKind::FailedCall && mark.at >= since)
    };
    let naming = last(&state.object(object)?.marks);
    naming.or_else(|| last(&state.agent(thread?)?.failed))
}

pub(crate) fn fact(state: &State<'_>, mark: &Mark<'_>) -> crate::evidence::Fact {
    let text = format!("{}: {}", state.say_agent(mark.by), words::printable(mark.text));
    crate::evidence::Fact::new(mark.at, text)
}
