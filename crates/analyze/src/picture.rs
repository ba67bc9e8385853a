//! What does the wait graph look like? Agents and points as boxes, waits and debts as arrows.

use std::collections::{BTreeMap, BTreeSet};

use unwedge_trace::{AgentId, ObjectId, Point};

use crate::graph::Level;
use crate::graph::{NodeId, Subject};
use crate::liveness::Shape;
use crate::report::{Edge, Graph as Picture, Node as Box};
use crate::story::Scene;
use crate::words;

/// Boxes of a picture; beyond that many nobody sees anything, and what is not wedged is left out first.
const BOXES_MAX: usize = 400;

/// Draws the graph below the open waits.
pub(crate) fn draw(scene: Scene<'_, '_>) -> Picture {
    let shown = shown(scene);
    let roots = roots(scene);
    let mut picture = Picture::default();
    let mut boxes: BTreeMap<String, Box> = BTreeMap::new();
    let mut edges = BTreeSet::new();
    for node in &shown {
        if let Some(mut drawn) = draw_box(scene, *node) {
            drawn.root = roots.contains(node);
            boxes.entry(drawn.id.clone()).or_insert(drawn);
        }
    }
    for node in &shown {
        arrows(scene, *node, &mut edges);
    }
    // A debtor at the end of a chain is drawn although nothing below it is.
    for node in &shown {
        let Subject::Debt(_, debt) = scene.graph.nodes[*node].subject else { continue };
        let drawn = agent_box(scene, debt.debtor, Level::Yes);
        let drawn = boxes.entry(drawn.id.clone()).or_insert(drawn);
        drawn.root |= roots.contains(node);
        drawn.wedged |= scene.live.level(*node) == Level::No;
    }
    edges.retain(|(from, to, _)| boxes.contains_key(from) && boxes.contains_key(to));
    picture.nodes = boxes.into_values().collect();
    picture.edges = edges
        .into_iter()
        .map(|(from, to, label)| Edge { from, to, label: label.to_owned() })
        .collect();
    picture
}

/// The nodes that are drawn: the wedged, then the doubtful, then the rest, while there is room.
fn shown(scene: Scene<'_, '_>) -> Vec<NodeId> {
    let count = scene.graph.nodes.len();
    let mut shown: Vec<NodeId> = Vec::new();
    for level in [Level::No, Level::Maybe, Level::Yes] {
        let room = BOXES_MAX.saturating_sub(shown.len());
        shown.extend((0..count).filter(|node| scene.live.level(*node) == level).take(room));
    }
    shown.sort_unstable();
    shown
}

fn roots(scene: Scene<'_, '_>) -> BTreeSet<NodeId> {
    let mut roots = BTreeSet::new();
    for root in &scene.live.roots {
        match root.shape {
            Shape::Limited(_) => {
                roots.insert(root.key);
            }
            Shape::Cycle | Shape::ClosedCircle => roots.extend(&root.nodes),
        }
    }
    roots
}

fn agent_id(id: AgentId) -> String {
    format!("a{}", id.0)
}

fn point_id(point: Point) -> String {
    let ObjectId(object) = point.object;
    format!("o{object}:{}", point.value)
}

fn draw_box(scene: Scene<'_, '_>, node: NodeId) -> Option<Box> {
    let level = scene.live.level(node);
    match scene.graph.nodes[node].subject {
        Subject::Agent(agent) => Some(agent_box(scene, agent, level)),
        Subject::Point(point) => Some(Box {
            id: point_id(point),
            role: "object",
            kind: words::object_kind(scene.state.object_kind(point.object)).to_owned(),
            title: scene.state.say_object(point.object),
            detail: point_detail(scene, point),
            wedged: level == Level::No,
            root: false,
        }),
        Subject::Debt(..) => None,
    }
}

fn point_detail(scene: Scene<'_, '_>, point: Point) -> String {
    let value = scene.state.object(point.object).and_then(|object| object.value());
    match value {
        Some((now, _)) => format!("needs {}, is at {now}", point.value),
        None => format!("needs {}", point.value),
    }
}

fn agent_box(scene: Scene<'_, '_>, agent: AgentId, level: Level) -> Box {
    let state = scene.state;
    let detail = match state.wait(agent) {
        Some(wait) => {
            format!("{}, {}", words::printable(wait.call), state.say_since(wait.since))
        }
        None => state.say_state(agent, scene.graph).to_owned(),
    };
    let kind = state.agent(agent).map_or("agent", |agent| match agent.kind {
        unwedge_trace::AgentKind::HostThread => "host thread",
        unwedge_trace::AgentKind::GpuQueue => "GPU queue",
        kind => words::agent_kind(kind),
    });
    Box {
        id: agent_id(agent),
        role: "agent",
        kind: kind.to_owned(),
        title: state.say_agent(agent),
        detail,
        wedged: level == Level::No,
        root: false,
    }
}

fn arrows(
    scene: Scene<'_, '_>,
    node: NodeId,
    edges: &mut BTreeSet<(String, String, &'static str)>,
) {
    let nodes = &scene.graph.nodes;
    for input in scene.graph.inputs(node) {
        let edge = match (nodes[node].subject, nodes[input].subject) {
            (Subject::Agent(agent), Subject::Point(point)) => {
                (agent_id(agent), point_id(point), "waits on")
            }
            (Subject::Point(point), Subject::Agent(agent)) => {
                (point_id(point), agent_id(agent), "used to be signalled by")
            }
            (Subject::Point(point), Subject::Debt(_, debt)) => {
                (point_id(point), agent_id(debt.debtor), "owed by")
            }
            (Subject::Debt(_, debt), Subject::Point(after)) => {
                (agent_id(debt.debtor), point_id(after), "needs first")
            }
            _ => continue,
        };
        edges.insert(edge);
    }
}
