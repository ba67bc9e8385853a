//! UW016: is nothing observed waited for, and a lock all that holds the thread?

use super::Cause;
use crate::graph::Reason;
use crate::liveness::Shape;
use crate::story::Story;
use crate::words;

const REMEDY: &str =
    "Nothing that is observed is to blame. Look at what the lock's owner does, with a debugger.";

pub(crate) fn matches(story: &Story<'_, '_>) -> Option<Cause> {
    let Shape::Limited(reason) = story.root.shape else { return None };
    let state = story.scene.state;
    let lock = state.say_object(story.last_point()?.object);
    let (what, missing) = match (reason, story.last_debt()) {
        (Reason::Holder, Some(debt)) => {
            let holder = state.agent(debt.debtor)?;
            let detail = words::printable(holder.state_detail);
            let does = if detail.is_empty() { String::new() } else { format!(" ({detail})") };
            let name = state.say_agent(debt.debtor);
            let since = state.say_since(debt.at);
            (
                format!("{name} has held it for {since} and is in no observed wait{does}"),
                format!("what {name} does while it holds {lock}"),
            )
        }
        (Reason::UnknownHolder, _) => {
            ("who holds it is not known".to_owned(), format!("who holds {lock}"))
        }
        _ => return None,
    };
    let sentence = format!("{}; {what}, and nothing observed is waited for", story.head());
    Some(Cause::doubtful(sentence, missing, REMEDY))
}
