//! UW012: is a counted block held by somebody who does not release it?

use unwedge_trace::ObjectKind;

use super::Cause;
use crate::graph::Reason;
use crate::liveness::Shape;
use crate::story::Story;
use crate::words;

/// Holders that are named.
const NAMES_MAX: usize = 8;

const REMEDY: &str = "Give every holder of the block a deadline, release it where a client does not answer, and look at the path on \
                      which the named holder should have released it.";

pub(crate) fn matches(story: &Story<'_, '_>) -> Option<Cause> {
    let state = story.scene.state;
    let point = story.last_point()?;
    let block = state.object_kind(point.object) == ObjectKind::Block;
    if !block || !matches!(story.root.shape, Shape::Limited(Reason::Held | Reason::Outside)) {
        return None;
    }
    let holders = state.object(point.object)?.debts_for(point.value);
    // Each of them is a root; the first one speaks for all.
    let (speaker, _) = story.last_agent()?;
    let first = holders.iter().find(|debt| {
        state.wait(debt.debtor).is_none()
            && state.agent(debt.debtor).is_some_and(|agent| !agent.exited())
    })?;
    if first.debtor != speaker {
        return None;
    }
    let named: Vec<String> = holders
        .iter()
        .map(|debt| format!("{} (for {})", state.say_agent(debt.debtor), state.say_since(debt.at)))
        .collect();
    let hold = if named.len() == 1 { "holds" } else { "hold" };
    let sentence = format!("{}; {} {hold} it", story.head(), words::list(&named, NAMES_MAX));
    let missing = format!("whether {} will still release it", words::list(&named, NAMES_MAX));
    Some(Cause::doubtful(sentence, missing, REMEDY))
}
