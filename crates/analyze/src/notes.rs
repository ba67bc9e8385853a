//! What is worth saying that accuses nobody? What progresses, what is idle, what nobody can judge.

use unwedge_trace::{AgentId, AgentKind, AgentState, MarkKind};

use crate::graph::{Level, Subject};
use crate::report::AgentSummary;
use crate::story::Scene;
use crate::words;

/// Remarks of one report.
const NOTES_MAX: usize = 32;
/// Warnings of the source.
const WARNINGS_MAX: usize = 8;
/// Earlier signallers named in one remark.
const NAMES_MAX: usize = 3;

/// Remarks about waits that are old and still healthy, or about there being none.
pub(crate) fn notes(scene: Scene<'_, '_>) -> Vec<String> {
    let state = scene.state;
    let mut notes = warnings(scene);
    let old: Vec<AgentId> =
        state.agents.keys().copied().filter(|id| state.old_wait(*id).is_some()).collect();
    if old.is_empty() {
        let patience = words::duration(state.patience_ns);
        notes.push(format!("no wait is older than {patience}"));
        return notes;
    }
    let healthy = old.iter().filter(|id| scene.live.agent_level(scene.graph, **id) == Level::Yes);
    notes.extend(healthy.filter_map(|id| note(scene, *id)).take(NOTES_MAX));
    notes.dedup();
    notes
}

/// What the source itself warned of.
fn warnings(scene: Scene<'_, '_>) -> Vec<String> {
    let marks = scene.state.marks.iter().filter(|mark| mark.kind == MarkKind::Warning);
    let mut warnings: Vec<String> = marks.map(|mark| words::printable_line(mark.text)).collect();
    warnings.dedup();
    warnings.truncate(WARNINGS_MAX);
    warnings
}

fn note(scene: Scene<'_, '_>, waiter: AgentId) -> Option<String> {
    let state = scene.state;
    let wait = state.old_wait(waiter)?;
    let point = wait.points.iter().copied().find(|point| !state.is_reached(*point));
    let Some(point) = point else {
        let first = wait.points.first()?;
        return Some(format!(
            "{}, though that is reached: nothing holds it up",
            state.say_waits(waiter, wait, *first)
        ));
    };
    let head = state.say_waits(waiter, wait, point);
    let object = state.object(point.object)?;
    if let Some(debt) = object.debts_for(point.value).first() {
        let debtor = state.say_agent(debt.debtor);
        return Some(format!("{head}; {debtor} owes it and can proceed"));
    }
    let node = scene.graph.agent_node(waiter)?;
    let point_node = scene.graph.inputs(node).find(|input| {
        matches!(scene.graph.nodes[*input].subject, Subject::Point(other) if other == point)
    })?;
    let mut idle = Vec::new();
    let mut waiting = Vec::new();
    for input in scene.graph.inputs(point_node) {
        let Subject::Agent(agent) = scene.graph.nodes[input].subject else { continue };
        let list = if state.wait(agent).is_some() { &mut waiting } else { &mut idle };
        list.push(state.say_agent(agent));
    }
    let (names, does) = match (idle.len(), waiting.len()) {
        (0, 1) => (waiting, "can proceed from its own wait"),
        (0, _) => (waiting, "can proceed from their own waits"),
        (1, _) => (idle, "is alive and not in a wait"),
        _ => (idle, "are alive and not in a wait"),
    };
    if names.is_empty() {
        return None;
    }
    let who = words::list(&names, NAMES_MAX);
    Some(format!("{head}; {who}, which signalled it before, {does}: nothing is accused"))
}

/// Everyone who was seen.
pub(crate) fn agents(scene: Scene<'_, '_>) -> Vec<AgentSummary> {
    let state = scene.state;
    let summary = |(id, agent): (&AgentId, &crate::replay::Agent<'_>)| {
        let wait = state.wait(*id);
        AgentSummary {
            agent: id.0,
            kind: agent.kind,
            name: words::printable(agent.name),
            pid: agent.pid,
            tid: agent.tid,
            state: state.say_state(*id, scene.graph).to_owned(),
            call: wait.map(|wait| words::printable(wait.call)),
            since_ms: wait.map(|wait| state.now.ms_since(wait.since)),
            wedged: is_wedged(scene, *id),
        }
    };
    state.agents.iter().map(summary).collect()
}

/// Whether an agent waits and cannot proceed. Who is gone does not wait.
fn is_wedged(scene: Scene<'_, '_>, id: AgentId) -> bool {
    let Some(agent) = scene.state.agent(id) else { return false };
    let stalled = agent.kind == AgentKind::GpuQueue && agent.state == Some(AgentState::Blocked);
    (scene.state.wait(id).is_some() || stalled)
        && scene.live.agent_level(scene.graph, id) == Level::No
}
