//! UW007: has whoever owed the signal exited, crashed or closed?

use unwedge_trace::{AgentId, AgentKind, MarkKind};

use super::Cause;
use crate::evidence::Fact;
use crate::graph::Reason;
use crate::liveness::Shape;
use crate::replay::{Mark, State};
use crate::story::Story;
use crate::words;

/// Those who are gone and are named.
const NAMES_MAX: usize = 4;

pub(crate) fn matches(story: &Story<'_, '_>) -> Option<Cause> {
    match story.root.shape {
        Shape::Limited(Reason::Exited) => gone(story),
        Shape::Limited(Reason::CustomaryGone) => customary_gone(story),
        _ => None,
    }
}

fn gone(story: &Story<'_, '_>) -> Option<Cause> {
    let state = story.scene.state;
    let (debtor, debt) = story.last_agent()?;
    let agent = state.agent(debtor)?;
    let point = story.last_point()?;
    let duty = if story.is_own_batch(debtor, point) {
        "was to complete it".to_owned()
    } else {
        story.say_duty(debtor, debt, point)
    };
    let since = state.say_since(agent.state_at);
    let lost = device_lost(state, debtor);
    let (fate, remedy) = if agent.kind == AgentKind::GpuQueue {
        let call = lost.map_or(String::new(), |mark| format!(": {}", words::printable(mark.text)));
        let remedy = "The device is lost: nothing that it owed will come. Check the results of submits and waits for \
                      VK_ERROR_DEVICE_LOST, and recreate the device.";
        (format!("its device was lost {since} ago{call}"), remedy)
    } else {
        let remedy = "Let whoever ends early signal or release what it owes first, or wait for its end instead.";
        (format!("it exited {since} ago"), remedy)
    };
    let sentence = format!("{}; {} {duty}, and {fate}", story.head(), state.say_agent(debtor));
    let mut cause = Cause::wedged(sentence, remedy);
    cause.facts.extend(lost.map(|mark| super::reset_without_submit::fact(state, mark)));
    Some(cause)
}

fn customary_gone(story: &Story<'_, '_>) -> Option<Cause> {
    let state = story.scene.state;
    let point = story.last_point()?;
    let object = state.object(point.object)?;
    let mut names = Vec::new();
    let mut facts = Vec::new();
    for (id, agent) in object.customary.keys().filter_map(|id| Some((id, state.agent(*id)?))) {
        if agent.exited() && agent.kind != AgentKind::GpuQueue {
            names.push(state.say_agent(*id));
            facts.push(Fact::new(agent.state_at, format!("{} exited", state.say_agent(*id))));
        }
    }
    let (who, have) =
        (words::list(&names, NAMES_MAX), if names.len() == 1 { "has" } else { "have" });
    let sentence = format!(
        "{}; nobody owes it, and only {who} ever signalled it and {have} exited",
        story.head()
    );
    let remedy = "Let the thread that ends tell those who wait for it, with a last signal.";
    Some(Cause { facts, absence: true, ..Cause::wedged(sentence, remedy) })
}

/// The failed call that told of the loss of a queue's device.
fn device_lost<'s, 'r>(state: &'s State<'r>, queue: AgentId) -> Option<&'s Mark<'r>> {
    let tells =
        |mark: &&Mark<'_>| mark.kind == MarkKind::FailedCall && mark.text.contains("DEVICE_LOST");
    let object = state.queues.get(&queue);
    let naming = |mark: &&Mark<'_>| object.is_some_and(|object| mark.objects.contains(object));
    let mut lost = state.marks.iter().filter(tells);
    lost.clone().find(naming).or_else(|| lost.next())
}
