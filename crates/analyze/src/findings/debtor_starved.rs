//! UW008: is whoever owes the signal ready to run and never picked?

use unwedge_trace::AgentId;

use super::Cause;
use crate::evidence::Fact;
use crate::graph::Reason;
use crate::graph::idle::runs_instead;
use crate::liveness::Shape;
use crate::replay::State;
use crate::story::Story;
use crate::words;

/// Those who run instead and are named.
const NAMES_MAX: usize = 3;
/// Those who run instead and are looked at: the ones of the highest priority.
const LOOKED_AT_MAX: usize = 64;

const REMEDY: &str = "Let the scheduler age what is ready, raise the debtor's priority, or let whoever runs instead wait \
                      for something that is signalled rather than poll.";

pub(crate) fn matches(story: &Story<'_, '_>) -> Option<Cause> {
    if story.root.shape != Shape::Limited(Reason::Starved) {
        return None;
    }
    let state = story.scene.state;
    let (debtor, debt) = story.last_agent()?;
    let agent = state.agent(debtor)?;
    let since = state.say_since(agent.state_at);
    let name = state.say_agent(debtor);
    let head = story.head();
    let who = match story.last_point() {
        Some(point) if !head.is_empty() => {
            format!("{head}; {name} {}, and it", story.say_duty(debtor, debt, point))
        }
        _ => name.clone(),
    };
    let place = agent.cpu.map_or(String::new(), |cpu| format!(" on processor {cpu}"));
    let instead: Vec<AgentId> = runs_instead(state, debtor).take(LOOKED_AT_MAX).collect();
    let named: Vec<String> = instead.iter().map(|id| ranked(state, *id)).collect();
    let (runs, missing) = if named.is_empty() {
        (String::new(), vec![format!("who runs while {name} is ready")])
    } else {
        let runs = if named.len() == 1 { "runs" } else { "run" };
        (format!("; {} {runs} instead", words::list(&named, NAMES_MAX)), Vec::new())
    };
    let sentence = format!(
        "{who} has been ready{place}{} for {since} and was never picked{runs}",
        priority(state, debtor).map_or(String::new(), |priority| format!(" with {priority}")),
    );
    let facts = instead.iter().filter_map(|id| active(state, *id)).collect();
    let absence = story.leans_on_custom();
    let conclusive = missing.is_empty();
    Some(Cause { facts, absence, conclusive, missing, ..Cause::wedged(sentence, REMEDY) })
}

fn priority(state: &State<'_>, id: AgentId) -> Option<String> {
    state.agent(id)?.priority.map(|priority| format!("priority {priority}"))
}

/// An agent with its priority.
fn ranked(state: &State<'_>, id: AgentId) -> String {
    let name = state.say_agent(id);
    priority(state, id).map_or(name.clone(), |priority| format!("{name} ({priority})"))
}

fn active(state: &State<'_>, id: AgentId) -> Option<Fact> {
    let at = state.agent(id)?.last_activity()?;
    Some(Fact::new(at, format!("{} was last seen to get on", state.say_agent(id))))
}
