//! UW014: do polls go round and round on what nobody signals, while nothing gets done?

use unwedge_trace::{AgentId, Bound};

use super::Cause;
use crate::evidence::Fact;
use crate::graph::Reason;
use crate::liveness::Shape;
use crate::replay::State;
use crate::story::Story;

/// Producers that might be meant, named in the evidence.
const PRODUCERS_MAX: usize = 4;

const REMEDY: &str = "Find who should signal what is polled, and whether that signal is one that the trace would show; let the poller \
                      wait for it instead.";

pub(crate) fn matches(story: &Story<'_, '_>) -> Option<Cause> {
    if story.root.shape != Shape::Limited(Reason::Polled) {
        return None;
    }
    let state = story.scene.state;
    let (agent, _) = story.last_agent()?;
    let wait = state.wait(agent)?;
    let point = *wait.points.first()?;
    let Bound::Polls(polls) = wait.bound else { return None };
    let head = story.head();
    let own = state.say_waits(agent, wait, point);
    let head = if head.is_empty() { own } else { format!("{head}; {own}") };
    let sentence = format!(
        "{head}; in {} {polls} polls ended by their bound and none by a signal, nobody on record ever signalled it, and \
         nothing gets done",
        state.say_since(wait.since)
    );
    let name = state.say_object(point.object);
    let mut facts = super::about(state, point.object);
    facts.extend(silent_producers(state));
    let missing = format!("who signals {name}, and whether this source would show it");
    Some(Cause { facts, ..Cause::doubtful(sentence, missing, REMEDY) })
}

/// Agents that get on again and again and never signalled anything on record: one of them may be meant.
fn silent_producers(state: &State<'_>) -> Vec<Fact> {
    let signals =
        |id: AgentId| state.objects.values().any(|object| object.customary.contains_key(&id));
    let silent = state.agents.iter().filter_map(|(id, agent)| {
        let (at, what) =
            agent.progress.filter(|(at, _)| !state.is_old(*at) || agent.wait.is_none())?;
        let recent = state.now.since(at)
            < state.now.since(agent.state_at).max(crate::graph::idle::STARVED_NS_MIN);
        (recent && !agent.exited() && !signals(*id)).then(|| {
            let (name, what) = (state.say_agent(*id), crate::words::printable(what));
            Fact::new(
                at,
                format!(
                    "{name} runs ({what}) and has signalled nothing on record: a silent producer?"
                ),
            )
        })
    });
    silent.take(PRODUCERS_MAX).collect()
}
