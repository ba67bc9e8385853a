//! UW010: does an acquire wait for an image that nobody is to give back?

use unwedge_trace::ObjectKind;

use super::Cause;
use crate::graph::Reason;
use crate::liveness::Shape;
use crate::story::Story;
use crate::words;

pub(crate) fn matches(story: &Story<'_, '_>) -> Option<Cause> {
    let Shape::Limited(reason) = story.root.shape else { return None };
    let state = story.scene.state;
    let point = story.last_point()?;
    if state.object_kind(point.object) != ObjectKind::Swapchain {
        return None;
    }
    let head = story.head();
    let engine = story.last_agent().and_then(|(id, _)| Some((id, state.agent(id)?)));
    let detail = engine.map_or("", |(_, agent)| agent.state_detail);
    let seen =
        if detail.is_empty() { String::new() } else { format!(" ({})", words::printable(detail)) };
    let name = engine.map_or(String::new(), |(id, _)| state.say_agent(id));
    match reason {
        Reason::Nobody => {
            let sentence = format!(
                "{head}; no image is with the presentation engine: the program holds them all"
            );
            let remedy = "Present or release the images that were acquired before acquiring another, and acquire at most as many \
                          as the swapchain has beyond the surface's minimum.";
            Some(Cause { absence: true, ..Cause::wedged(sentence, remedy) })
        }
        Reason::Withheld => {
            let sentence = format!("{head}; {name} withholds the images{seen}");
            let remedy = "Bound the acquire and keep serving input: a compositor may keep images for as long as it likes, \
                          for instance while the window is hidden.";
            Some(Cause::wedged(sentence, remedy))
        }
        Reason::EngineSilent => {
            let why = "whether it will give one back is not observable here: a hidden window may get none";
            let sentence = format!("{head}; {name} holds every image{seen}, and {why}");
            let missing = format!("what {name} does with the images");
            let remedy = "Bound the acquire and keep serving input. If the window is visible, look at the compositor.";
            Some(Cause::doubtful(sentence, missing, remedy))
        }
        _ => None,
    }
}
