//! UW015: does the chain leave what is observed?

use super::Cause;
use crate::graph::Reason;
use crate::liveness::Shape;
use crate::replay::Object;
use crate::story::Story;

pub(crate) fn matches(story: &Story<'_, '_>) -> Option<Cause> {
    let Shape::Limited(reason) = story.root.shape else { return None };
    let state = story.scene.state;
    let point = story.last_point()?;
    let object = state.say_object(point.object);
    let what = match (reason, story.last_agent()) {
        (Reason::Outside | Reason::EngineSilent, Some((debtor, _))) => {
            format!("{} owes it and has not delivered", state.say_agent(debtor))
        }
        (Reason::Shared, _) if !state.object(point.object).is_some_and(Object::is_known) => {
            "nothing is known of that object".to_owned()
        }
        (Reason::Shared, _) => {
            "it is shared with the outside, and nobody inside owes it".to_owned()
        }
        _ => return None,
    };
    let sentence = format!("{}; {what}: the chain leaves what is observed", story.head());
    let missing = format!("who signals {object} outside, and what that side is doing");
    let remedy = "Record the other side too, or look there: the process that exported the object, or the compositor.";
    Some(Cause::doubtful(sentence, missing, remedy))
}
