//! UW004: did the debtor pass the point, and the object never showed it?

use super::Cause;
use crate::evidence::Fact;
use crate::graph::Reason;
use crate::liveness::Shape;
use crate::story::Story;
use crate::words;

const REMEDY: &str = "The work is done, the notification is lost: bound the wait, and on a timeout look at the object again or \
                      recreate it. Then report it to the driver's maintainers with this recording.";

pub(crate) fn matches(story: &Story<'_, '_>) -> Option<Cause> {
    match story.root.shape {
        Shape::Limited(Reason::Lost) => lost(story),
        Shape::Limited(Reason::Unreturned) => unreturned(story),
        _ => None,
    }
}

fn lost(story: &Story<'_, '_>) -> Option<Cause> {
    let state = story.scene.state;
    let debt = story.last_debt()?;
    let after = debt.after?;
    let passed = state.reached_at(after)?;
    let (debtor, batch) = (state.say_agent(debt.debtor), state.say_point(after));
    // When a breadcrumb is read, the batch may have passed for a while.
    let since = state.say_since(passed);
    let what = if story.is_own_batch(debt.debtor, after) {
        format!("{debtor} finished batch {}, which signals it, at least {since} ago", after.value)
    } else {
        format!(
            "{debtor} owes it once {}, which it did at least {since} ago",
            state.say_done(after)
        )
    };
    let sentence = format!("{}; {what}, but the signal never showed", story.head());
    let mut cause = Cause::wedged(sentence, REMEDY);
    cause.facts.push(Fact::new(passed, format!("GPU passed {batch}")));
    Some(cause)
}

/// The call waits for batches alone, and the GPU has passed them all.
fn unreturned(story: &Story<'_, '_>) -> Option<Cause> {
    let state = story.scene.state;
    let agent = *story.waiters.first()?;
    let (agent, wait) = match story.last_agent() {
        Some((last, _)) => (last, state.wait(last)?),
        None => (agent, state.wait(agent)?),
    };
    let last =
        wait.points.iter().filter_map(|point| Some((state.reached_at(*point)?, *point))).max()?;
    let call = words::printable(wait.call);
    let since = state.say_since(last.0);
    let what = format!(
        "{}; the GPU passed it at least {since} ago, but {call} has not returned",
        state.say_waits(agent, wait, last.1)
    );
    let before = story.head();
    let sentence = if before.is_empty() { what } else { format!("{before}; {what}") };
    let mut cause = Cause::wedged(sentence, REMEDY);
    let name = state.say_agent(agent);
    cause.facts.push(Fact::new(wait.since, format!("{name} began to wait in {call}")));
    cause.facts.push(Fact::new(last.0, format!("GPU passed {}", state.say_point(last.1))));
    Some(cause)
}
