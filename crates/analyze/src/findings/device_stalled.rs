//! UW006: is a batch ready to execute, and the engine does nothing?

use super::{Cause, device_busy};
use crate::graph::Reason;
use crate::liveness::Shape;
use crate::story::Story;
use crate::words;

pub(crate) fn matches(story: &Story<'_, '_>) -> Option<Cause> {
    if story.root.shape != Shape::Limited(Reason::Stalled) {
        return None;
    }
    let state = story.scene.state;
    let (queue, _) = story.last_agent()?;
    let (owes, batch, time) = device_busy::owes(story, queue)?;
    let detail = words::printable(state.agent(queue)?.state_detail);
    let seen = if detail.is_empty() { String::new() } else { format!(" ({detail})") };
    let sentence = format!(
        "{}; {owes} has not executed {batch} for {time}, though its waits are satisfied: the engine does nothing{seen}",
        story.head()
    );
    let remedy = "The work was handed over and is not executed: look at the kernel log for a reset or a scheduler error, and \
                  report it to the driver's maintainers. A bounded wait lets the program recreate its device.";
    Some(Cause::wedged(sentence, remedy))
}
