//! UW013: does the producer run, again and again, and never signal?

use super::Cause;
use crate::evidence::Fact;
use crate::graph::Reason;
use crate::liveness::Shape;
use crate::story::Story;
use crate::words::printable;

const REMEDY: &str = "Follow one run of the producer to the place where it should signal: it gets there, or not; and check that \
                      this signal is one that the trace would show.";

pub(crate) fn matches(story: &Story<'_, '_>) -> Option<Cause> {
    if story.root.shape != Shape::Limited(Reason::Silent) {
        return None;
    }
    let state = story.scene.state;
    let (debtor, debt) = story.last_agent()?;
    let point = story.last_point()?;
    let agent = state.agent(debtor)?;
    let (at, what) = agent.progress?;
    let name = state.say_agent(debtor);
    let since = debt.map_or_else(|| "long".to_owned(), |debt| state.say_since(debt.at));
    let sentence = format!(
        "{}; {name} has been to signal it again and again for {since}, and ran to its end each time without a signal",
        story.head()
    );
    let facts = vec![
        Fact::new(at, format!("{name} last ran to its end: {}", printable(what))),
        Fact::new(
            at,
            format!("no signal of {} by {name} is on record since", state.say_object(point.object)),
        ),
    ];
    Some(Cause { facts, absence: true, ..Cause::wedged(sentence, REMEDY) })
}
