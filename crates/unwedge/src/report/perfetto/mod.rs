//! How does a recording look in Perfetto? Agents are tracks, waits are slices, and a signal is an arrow from its giver to the
//! wait that it ends.
//!
//! Written as it is read: packets may come in any order, so a wait is written when it is over, with both of its ends.

mod proto;
mod tracks;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io::{self, Write};

use unwedge_trace::{
    AgentId, AgentState, Event, MarkKind, NEXT, ObjectId, ObjectKind, Outcome, Point, Timestamp,
    What,
};

use super::words;
use proto::{Annotation, TrackEvent, Type};
use tracks::Tracks;

/// Objects of one wait that are followed; the others are named, and no arrow comes from them.
const FOLLOWED_MAX: usize = 16;
/// Waits to which one signal has an arrow.
const ARROWS_MAX: usize = 64;

/// Writes a recording as a Perfetto trace.
pub(crate) struct Writer<W: Write> {
    tracks: Tracks<W>,
    objects: HashMap<ObjectId, String>,
    waits: HashMap<AgentId, Wait>,
    /// Who waits on an object.
    waiters: HashMap<ObjectId, Vec<AgentId>>,
    states: HashMap<AgentId, (Timestamp, AgentState)>,
    arrows: u64,
}

/// A wait that is not over.
struct Wait {
    since: Timestamp,
    name: String,
    points: Vec<Point>,
    /// The last signal of each object since the wait began, by its arrow.
    signals: Vec<(ObjectId, u64)>,
}

impl<W: Write> Writer<W> {
    pub(crate) fn new(out: W) -> Self {
        Self {
            tracks: Tracks::new(out),
            objects: HashMap::new(),
            waits: HashMap::new(),
            waiters: HashMap::new(),
            states: HashMap::new(),
            arrows: 0,
        }
    }

    /// Adds an event.
    ///
    /// # Errors
    /// Whatever the output reports.
    pub(crate) fn event(&mut self, event: &Event) -> io::Result<()> {
        let (at, agent) = (event.at, event.agent);
        match &event.what {
            What::Agent { kind, name, pid, tid } => {
                self.tracks.introduce(agent, *kind, name, *pid, *tid)
            }
            What::Object { object, kind, handle, label, .. } => {
                self.objects.insert(*object, object_name(*kind, *handle, label));
                Ok(())
            }
            What::WaitBegan { call, points, .. } => {
                self.end_wait(at, agent, "unknown", false)?;
                self.begin_wait(at, agent, call, points);
                Ok(())
            }
            What::WaitEnded { outcome } => {
                let reached = *outcome == Outcome::Reached;
                let outcome = match outcome {
                    Outcome::Reached => "reached",
                    Outcome::TimedOut => "timed out",
                    Outcome::Failed => "failed",
                };
                self.end_wait(at, agent, outcome, reached)
            }
            What::Signalled { point } => self.signal(at, agent, *point),
            What::Reset { object } => {
                let name = format!("resets {}", self.object(*object));
                self.instant(at, agent, &name, "reset")
            }
            What::State { state, .. } => self.state(at, agent, *state),
            What::Progress { what } => {
                self.instant(at, agent, &format!("progress: {what}"), "progress")
            }
            What::Mark { kind, text, .. } => self.instant(at, agent, text, mark(*kind)),
            What::Lost { count } => {
                self.instant(at, agent, &format!("{count} events lost"), "lost")
            }
            What::Owed { .. } | What::Aliased { .. } | What::Coverage { .. } => Ok(()),
        }
    }

    /// Ends what is open at `now`, the moment of the last observation: waits say that they go on.
    ///
    /// # Errors
    /// Whatever the output reports.
    pub(crate) fn finish(mut self, now: Timestamp) -> io::Result<()> {
        let mut waits: Vec<(AgentId, Wait)> = self.waits.drain().collect();
        waits.sort_by_key(|(agent, _)| *agent);
        for (agent, wait) in waits {
            let name = format!("still waiting: {}", wait.name);
            let open = [Annotation::flag("still waiting", true)];
            self.tracks.slice(agent, (wait.since, now), &name, "wait", Vec::new(), &open)?;
        }
        let mut states: Vec<_> = self.states.drain().collect();
        states.sort_by_key(|(agent, _)| *agent);
        for (agent, (since, state)) in states {
            self.tracks.state(agent, (since, now), state_name(state))?;
        }
        self.tracks.flush()
    }

    fn begin_wait(&mut self, at: Timestamp, agent: AgentId, call: &str, points: &[Point]) {
        let mut objects: Vec<ObjectId> = points.iter().map(|point| point.object).collect();
        objects.dedup();
        let names: Vec<String> =
            objects.iter().take(4).map(|object| self.object(*object)).collect();
        let more = if objects.len() > names.len() { ", …" } else { "" };
        let name = format!("{call} {}{more}", names.join(", "));
        let points = points.iter().take(FOLLOWED_MAX).copied().collect::<Vec<_>>();
        for point in &points {
            let waiters = self.waiters.entry(point.object).or_default();
            if !waiters.contains(&agent) {
                waiters.push(agent);
            }
        }
        let name = name.trim().to_owned();
        self.waits.insert(agent, Wait { since: at, name, points, signals: Vec::new() });
    }

    fn end_wait(
        &mut self,
        at: Timestamp,
        agent: AgentId,
        outcome: &str,
        reached: bool,
    ) -> io::Result<()> {
        let Some(wait) = self.waits.remove(&agent) else { return Ok(()) };
        for point in &wait.points {
            if let Some(waiters) = self.waiters.get_mut(&point.object) {
                waiters.retain(|waiter| *waiter != agent);
                if waiters.is_empty() {
                    self.waiters.remove(&point.object);
                }
            }
        }
        let arrows = wait.signals.iter().filter(|_| reached).map(|(_, arrow)| *arrow).collect();
        let outcome = [Annotation::text("outcome", outcome)];
        self.tracks.slice(agent, (wait.since, at), &wait.name, "wait", arrows, &outcome)
    }

    /// An arrow leaves for every wait that this may end; those arrive that did.
    fn signal(&mut self, at: Timestamp, agent: AgentId, point: Point) -> io::Result<()> {
        let mut arrows = Vec::new();
        for waiter in self.waiters.get(&point.object).into_iter().flatten().take(ARROWS_MAX) {
            let Some(wait) = self.waits.get_mut(waiter) else { continue };
            let wanted = |wanted: &Point| {
                let any = wanted.value == NEXT || point.value == NEXT;
                wanted.object == point.object && (any || wanted.value <= point.value)
            };
            if !wait.points.iter().any(wanted) {
                continue;
            }
            self.arrows += 1;
            arrows.push(self.arrows);
            wait.signals.retain(|(object, _)| *object != point.object);
            wait.signals.push((point.object, self.arrows));
        }
        let name = format!("signals {}", self.object(point.object));
        let event = TrackEvent { flow_ids: arrows, ..TrackEvent::new(Type::Instant) };
        self.tracks.event(agent, at, &name, "signal", event)
    }

    fn state(&mut self, at: Timestamp, agent: AgentId, state: AgentState) -> io::Result<()> {
        let before = self.states.get(&agent).copied();
        if before.is_some_and(|(_, before)| before == state) {
            return Ok(());
        }
        self.states.insert(agent, (at, state));
        before.map_or(Ok(()), |(since, before)| {
            self.tracks.state(agent, (since, at), state_name(before))
        })
    }

    fn instant(
        &mut self,
        at: Timestamp,
        agent: AgentId,
        name: &str,
        category: &str,
    ) -> io::Result<()> {
        self.tracks.event(agent, at, name, category, TrackEvent::new(Type::Instant))
    }

    fn object(&self, object: ObjectId) -> String {
        self.objects.get(&object).cloned().unwrap_or_else(|| format!("object {}", object.0))
    }
}

/// "fence 0x5e "frame done"".
fn object_name(kind: ObjectKind, handle: u64, label: &str) -> String {
    let kind = words::object_kind(kind);
    let label = if label.is_empty() { String::new() } else { format!(" {label:?}") };
    format!("{kind} {handle:#x}{label}")
}

fn state_name(state: AgentState) -> &'static str {
    match state {
        AgentState::Running => "running",
        AgentState::Ready => "ready",
        AgentState::Blocked => "blocked",
        AgentState::Exited => "exited",
        AgentState::Unknown => "unknown",
    }
}

fn mark(kind: MarkKind) -> &'static str {
    match kind {
        MarkKind::Log => "log",
        MarkKind::FailedCall => "failed call",
        MarkKind::Injected => "injected",
        MarkKind::Unobserved => "unobserved",
        MarkKind::Warning => "warning",
    }
}
