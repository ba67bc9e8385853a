//! UW011: does a command ring stand still? Who is behind, by how much, is the other side alive, is it fatal?

use unwedge_trace::{AgentId, AgentState, ObjectId};

use super::Cause;
use crate::evidence::{self, Fact};
use crate::graph::Reason;
use crate::graph::ring::{self, Backlog, Stop};
use crate::liveness::Shape;
use crate::replay::State;
use crate::story::Story;
use crate::words::{list, printable};

/// Things waited for at once that are named.
const NAMES_MAX: usize = 3;

const REMEDY_FATAL: &str = "A fatal ring does not recover: restart the renderer and the program. The cause is before the mark: the host's \
                            log says which command it could not take.";
const REMEDY_UNNOTIFIED: &str = "Look at how the host goes to sleep: it has to say that it is idle and then look at the tail once more, the guest \
                                 to write its tail and then look whether the host is idle, each with a full memory barrier in between.";
const REMEDY_STALLED: &str = "Look at the host's process: is it stopped, frozen, or stuck in the kernel? A ring whose host does nothing moves \
                              again only if somebody wakes that process.";
const REMEDY_UNKNOWN: &str = "Look at the host's side: sample the stack of its thread twice, and read what its log says last. Bound the wait, so \
                              that the guest stays in control meanwhile.";

pub(crate) fn matches(story: &Story<'_, '_>) -> Option<Cause> {
    let Shape::Limited(Reason::Ring(stop)) = story.root.shape else { return None };
    let Some((host, debt)) = story.last_agent() else { return unowed(story) };
    let state = story.scene.state;
    let backlog = ring::backlog(state, story.last_point()?, &debt?)?;
    let mut cause = match stop {
        Stop::Fatal => fatal(story, host, backlog)?,
        Stop::Unnotified => unnotified(story, host, backlog)?,
        Stop::Waiting => waiting(story, host, backlog)?,
        Stop::Stalled | Stop::Asleep | Stop::Busy | Stop::Opaque => {
            awake(story, host, backlog, stop)?
        }
        // That is a lost wake-up.
        Stop::Missed => return None,
    };
    cause.facts.extend(super::about(state, backlog.ring));
    cause.facts.push(evidence::owed(state, backlog.ring, &backlog.first));
    Some(cause)
}

/// A fatal ring of which nobody is known to owe the point.
fn unowed(story: &Story<'_, '_>) -> Option<Cause> {
    let state = story.scene.state;
    let ring = story.last_point()?.object;
    let sentence = format!("{}; {}", story.head(), say_fatal(state, ring)?.0);
    let mut cause = Cause::wedged(sentence, REMEDY_FATAL);
    cause.facts.extend(say_fatal(state, ring).map(|(_, fact)| fact));
    Some(cause)
}

fn fatal(story: &Story<'_, '_>, host: AgentId, backlog: &Backlog) -> Option<Cause> {
    let state = story.scene.state;
    let (marked, fact) = say_fatal(state, backlog.ring)?;
    let behind = say_behind(story, host, backlog);
    let sentence = format!("{}; {marked}; {behind}; {}", story.head(), does(state, host));
    let mut cause = Cause::wedged(sentence, REMEDY_FATAL);
    cause.facts.push(fact);
    Some(cause)
}

/// That the ring is fatal, and the remark that says so.
fn say_fatal(state: &State<'_>, ring: ObjectId) -> Option<(String, Fact)> {
    let mark = ring::fatal_mark(state, ring)?;
    let text = printable(mark.text);
    let fact = Fact::new(mark.at, format!("{}: {text}", state.say_object(ring)));
    Some((format!("the ring is marked fatal ({text}) and does not recover"), fact))
}

/// What the host of a fatal ring is seen to do.
fn does(state: &State<'_>, host: AgentId) -> String {
    if let Some(wait) = state.wait(host) {
        return format!("it is alive (in {})", printable(wait.call));
    }
    let agent = state.agent(host);
    let word = match agent.and_then(|agent| agent.state) {
        Some(AgentState::Exited) => "it has exited",
        Some(AgentState::Running | AgentState::Ready) => "it is alive",
        Some(AgentState::Blocked) => "it is alive and does nothing",
        Some(AgentState::Unknown) | None => "whether it is alive is not known",
    };
    word.to_owned()
}

fn unnotified(story: &Story<'_, '_>, host: AgentId, backlog: &Backlog) -> Option<Cause> {
    let state = story.scene.state;
    let wait = state.wait(host)?;
    let point = ring::notification(state, host, backlog, wait)?;
    let what = state.say_object(point.object);
    let sentence = format!(
        "{}; {}: it is alive, waits in {} for {what}, its notification of work, and nobody owes that",
        story.head(),
        say_behind(story, host, backlog),
        printable(wait.call),
    );
    let missing = ring::doubts(state, host, backlog, wait, point);
    let mut facts = super::about(state, point.object);
    facts.extend(evidence::wait_began(state, host, point));
    let conclusive = missing.is_empty();
    let cause = Cause::wedged(sentence, REMEDY_UNNOTIFIED);
    Some(Cause { facts, absence: true, conclusive, missing, ..cause })
}

/// The host waits for what may or may not be its notification.
fn waiting(story: &Story<'_, '_>, host: AgentId, backlog: &Backlog) -> Option<Cause> {
    let state = story.scene.state;
    let wait = state.wait(host)?;
    let call = printable(wait.call);
    let names: Vec<String> =
        wait.points.iter().map(|point| state.say_object(point.object)).collect();
    let (what, missing) = if names.is_empty() {
        (format!("in {call}, and what for is not known"), format!("what {call} waits for"))
    } else {
        let names = list(&names, NAMES_MAX);
        (
            format!("in {call} for {names}, and who ends that is not known"),
            format!("who signals {names}"),
        )
    };
    let behind = say_behind(story, host, backlog);
    let sentence = format!("{}; {behind}: it is alive and waits {what}", story.head());
    let facts = wait.points.iter().filter_map(|point| evidence::wait_began(state, host, *point));
    let facts = facts.collect();
    Some(Cause { facts, absence: true, ..Cause::doubtful(sentence, missing, REMEDY_UNKNOWN) })
}

/// The host is in no wait.
fn awake(story: &Story<'_, '_>, host: AgentId, backlog: &Backlog, stop: Stop) -> Option<Cause> {
    let state = story.scene.state;
    let name = state.say_agent(host);
    let detail = printable(state.agent(host)?.state_detail);
    let seen = if detail.is_empty() { String::new() } else { format!(" ({detail})") };
    let (does, missing) = match stop {
        Stop::Stalled => (format!("it does nothing{seen}"), None),
        Stop::Asleep => (
            format!("it is alive and sleeps{seen}, and what for is not known"),
            Some(format!("what {name} sleeps for")),
        ),
        Stop::Busy => (
            format!("it is alive and runs{seen}, and whether it works or spins is not known"),
            Some(format!("whether {name} works or spins")),
        ),
        _ => (
            format!("what it does, and whether it is alive, is not observable here{seen}"),
            Some(format!("what {name} does, and whether it is alive")),
        ),
    };
    let sentence = format!("{}; {}: {does}", story.head(), say_behind(story, host, backlog));
    let cause = match missing {
        Some(missing) => Cause::doubtful(sentence, missing, REMEDY_UNKNOWN),
        None => Cause::wedged(sentence, REMEDY_STALLED),
    };
    Some(Cause { absence: true, ..cause })
}

/// `ring host "r" is behind by 100 (head 200, tail 300) and has not moved the head for 7.30 s`.
fn say_behind(story: &Story<'_, '_>, host: AgentId, backlog: &Backlog) -> String {
    let state = story.scene.state;
    let since = state.say_since(backlog.since);
    let told = story.last_point().is_some_and(|point| point.object == backlog.ring);
    let (name, tail) = (state.say_agent(host), backlog.tail);
    let is = if told {
        format!("{name} is behind")
    } else {
        format!("{name} owes it, and is behind on {}", state.say_object(backlog.ring))
    };
    match backlog.head {
        Some(head) => {
            let behind = tail.saturating_sub(head);
            format!(
                "{is} by {behind} (head {head}, tail {tail}) and has not moved the head for {since}"
            )
        }
        None => format!("{is} (tail {tail}, no move of the head on record) for {since}"),
    }
}
