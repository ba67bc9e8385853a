//! Who can proceed, and what holds up the rest? A least fixpoint, and the sinks of what is left of it.
//!
//! The fixpoint is taken twice: once counting every doubt as "can proceed", which leaves the
//! *wedged*, and once counting none, which leaves the *doubtful* as well. The roots are the sink
//! components of either set: nodes from which no path leads further down.

use unwedge_trace::{AgentId, AgentKind, AgentState, Mode, ObjectId, ObjectKind};

use crate::graph::{Graph, Level, NodeId, Reason, Subject};
use crate::replay::State;

/// Whether each node can proceed, and the roots of those that cannot.
#[derive(Debug)]
pub(crate) struct Liveness {
    levels: Vec<Level>,
    dependents: Dependents,
    pub(crate) roots: Vec<Root>,
}

/// A strongly connected component that depends on nothing further down.
#[derive(Clone, Debug)]
pub(crate) struct Root {
    /// [`Level::No`]: wedged. [`Level::Maybe`]: doubtful.
    pub(crate) level: Level,
    pub(crate) nodes: Vec<NodeId>,
    /// The node that is limited by itself; any node of a cycle of wedged ones.
    pub(crate) key: NodeId,
    pub(crate) shape: Shape,
}

/// How a root is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Its nodes wait for each other, and nothing else holds them up.
    Cycle,
    /// Every thread of the program waits for what only a thread could signal.
    ClosedCircle,
    /// One node is limited by itself.
    Limited(Reason),
}

impl Liveness {
    pub(crate) fn of(state: &State<'_>, graph: &Graph) -> Self {
        let dependents = Dependents::of(graph);
        let lenient = fixpoint(graph, &dependents, Level::Maybe);
        let strict = fixpoint(graph, &dependents, Level::Yes);
        let levels: Vec<_> = lenient
            .into_iter()
            .zip(strict)
            .map(|pair| match pair {
                (false, _) => Level::No,
                (true, false) => Level::Maybe,
                (true, true) => Level::Yes,
            })
            .collect();
        let mut live = Self { levels, dependents, roots: Vec::new() };
        live.acquit_unneeded(state, graph);
        live.roots = live.find_roots(graph);
        live.close_circle(state, graph);
        live
    }

    pub(crate) fn level(&self, node: NodeId) -> Level {
        self.levels.get(node).copied().unwrap_or(Level::Yes)
    }

    /// The nodes that depend on this one.
    pub(crate) fn dependents(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        self.dependents.of_node(node)
    }

    /// Whether an agent with an open wait can proceed; one that the graph does not know can.
    pub(crate) fn agent_level(&self, graph: &Graph, agent: AgentId) -> Level {
        graph.agent_node(agent).map_or(Level::Yes, |node| self.level(node))
    }

    /// What holds up no wait that is old is nobody's concern, however still it stands.
    fn acquit_unneeded(&mut self, state: &State<'_>, graph: &Graph) {
        let mut needed = vec![false; graph.nodes.len()];
        let waits = |node: &NodeId| match graph.nodes[*node].subject {
            Subject::Agent(id) => state.old_wait(id).is_some(),
            Subject::Point(_) | Subject::Debt(..) => false,
        };
        let mut work: Vec<NodeId> = (0..needed.len()).filter(waits).collect();
        while let Some(node) = work.pop() {
            if std::mem::replace(&mut needed[node], true) {
                continue;
            }
            work.extend(
                graph.inputs(node).filter(|input| self.levels[*input] == self.levels[node]),
            );
        }
        for (level, needed) in self.levels.iter_mut().zip(needed) {
            if !needed {
                *level = Level::Yes;
            }
        }
    }

    fn find_roots(&self, graph: &Graph) -> Vec<Root> {
        let mut roots = Vec::new();
        for level in [Level::No, Level::Maybe] {
            for nodes in sinks(graph, |node| self.level(node) == level) {
                let limited =
                    nodes.iter().copied().find(|node| graph.nodes[*node].reason.is_some());
                let cyclic =
                    nodes.len() > 1 || graph.inputs(nodes[0]).any(|input| input == nodes[0]);
                let shape = match limited.and_then(|node| graph.nodes[node].reason) {
                    Some(reason) => Shape::Limited(reason),
                    None if cyclic => Shape::Cycle,
                    None => continue,
                };
                roots.push(Root { level, key: limited.unwrap_or(nodes[0]), nodes, shape });
            }
        }
        roots
    }

    /// Joins the roots "nobody owes it" into one, if every thread that could signal waits itself.
    fn close_circle(&mut self, state: &State<'_>, graph: &Graph) {
        let mut threads = Vec::new();
        let mut objects: Vec<ObjectId> = Vec::new();
        let mut joined = Vec::new();
        for (index, root) in self.roots.iter().enumerate() {
            let Subject::Point(point) = graph.nodes[root.key].subject else { continue };
            let never = state.object(point.object).is_some_and(|object| {
                object.kind == ObjectKind::TimelineSemaphore && object.customary.is_empty()
            });
            if root.shape != Shape::Limited(Reason::Nobody) || !never {
                continue;
            }
            let waiting =
                self.dependents(root.key).filter_map(|node| match graph.nodes[node].subject {
                    Subject::Agent(id) if self.level(node) == Level::No => Some(id),
                    _ => None,
                });
            let before = threads.len();
            threads.extend(waiting.filter(|id| is_thread(state, *id)));
            if threads.len() > before {
                objects.push(point.object);
                joined.push(index);
            }
        }
        objects.sort_unstable();
        objects.dedup();
        threads.sort_unstable();
        threads.dedup();
        if threads.len() < 2 || objects.len() < 2 || !self.all_threads_wait(state, graph) {
            return;
        }
        let nodes: Vec<_> = joined.iter().map(|index| self.roots[*index].key).collect();
        let mut index = 0;
        self.roots.retain(|_| {
            index += 1;
            joined.binary_search(&(index - 1)).is_err()
        });
        let circle = Root { level: Level::No, key: nodes[0], nodes, shape: Shape::ClosedCircle };
        self.roots.insert(0, circle);
    }

    /// Whether every thread that is alive is wedged, waits for a lock or joins another thread.
    fn all_threads_wait(&self, state: &State<'_>, graph: &Graph) -> bool {
        state.agents.iter().all(|(id, agent)| {
            if agent.kind != AgentKind::HostThread || agent.exited() {
                return true;
            }
            let joins = agent.state == Some(AgentState::Blocked)
                && agent.state_detail.starts_with("joins ");
            let locked = state.old_wait(*id).is_some_and(|wait| {
                wait.points.iter().any(|point| {
                    matches!(state.object_kind(point.object), ObjectKind::Mutex | ObjectKind::Futex)
                })
            });
            joins || locked || self.agent_level(graph, *id) == Level::No
        })
    }
}

fn is_thread(state: &State<'_>, id: AgentId) -> bool {
    state.agent(id).is_some_and(|agent| agent.kind == AgentKind::HostThread)
}

/// For each node, the nodes that depend on it.
#[derive(Debug)]
struct Dependents {
    /// Where those of each node begin in `nodes`, and where the last one's end.
    starts: Vec<u32>,
    nodes: Vec<u32>,
}

impl Dependents {
    fn of(graph: &Graph) -> Self {
        let count = graph.nodes.len();
        let mut starts = vec![0; count + 1];
        for input in (0..count).flat_map(|node| graph.inputs(node)) {
            starts[input + 1] += 1;
        }
        for node in 0..count {
            starts[node + 1] += starts[node];
        }
        let mut next: Vec<u32> = starts.clone();
        let mut nodes = vec![0; starts[count] as usize];
        for (node, place) in (0..count).zip(0_u32..) {
            for input in graph.inputs(node) {
                nodes[next[input] as usize] = place;
                next[input] += 1;
            }
        }
        Self { starts, nodes }
    }

    fn of_node(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let (start, end) = (self.starts[node] as usize, self.starts[node + 1] as usize);
        self.nodes[start..end].iter().map(|node| *node as usize)
    }
}

/// The nodes that can proceed, where only what is at least `threshold` by itself counts as able to.
fn fixpoint(graph: &Graph, dependents: &Dependents, threshold: Level) -> Vec<bool> {
    let mut missing: Vec<usize> = graph
        .nodes
        .iter()
        .enumerate()
        .map(|(id, node)| match node.mode {
            _ if node.floor >= threshold => 0,
            _ if node.cap < threshold => usize::MAX,
            Mode::All => graph.inputs(id).len(),
            Mode::Any => 1,
        })
        .collect();
    let mut able: Vec<bool> = missing.iter().map(|missing| *missing == 0).collect();
    let mut work: Vec<NodeId> = (0..able.len()).filter(|node| able[*node]).collect();
    while let Some(node) = work.pop() {
        for dependent in dependents.of_node(node) {
            let left = &mut missing[dependent];
            if able[dependent] || *left == usize::MAX {
                continue;
            }
            *left -= 1;
            if *left == 0 {
                able[dependent] = true;
                work.push(dependent);
            }
        }
    }
    able
}

/// The sink components among the nodes that are `inside` (Tarjan's algorithm, without recursion).
fn sinks(graph: &Graph, inside: impl Fn(NodeId) -> bool) -> Vec<Vec<NodeId>> {
    let mut search = Tarjan::new(graph.nodes.len());
    for start in 0..graph.nodes.len() {
        if inside(start) && search.order[start] == UNSEEN {
            search.visit(graph, start, &inside);
        }
    }
    search.sinks
}

const UNSEEN: usize = usize::MAX;

struct Tarjan {
    order: Vec<usize>,
    low: Vec<usize>,
    on_stack: Vec<bool>,
    /// Nodes whose component is not known yet.
    stack: Vec<NodeId>,
    /// The path from the start: a node, its next input, and whether an arrow leaves for elsewhere.
    path: Vec<(NodeId, usize)>,
    /// Nodes with a path into a component that is finished.
    leaves: Vec<bool>,
    next: usize,
    sinks: Vec<Vec<NodeId>>,
}

impl Tarjan {
    fn new(count: usize) -> Self {
        Self {
            order: vec![UNSEEN; count],
            low: vec![0; count],
            on_stack: vec![false; count],
            stack: Vec::new(),
            path: Vec::new(),
            leaves: vec![false; count],
            next: 0,
            sinks: Vec::new(),
        }
    }

    fn visit(&mut self, graph: &Graph, start: NodeId, inside: &impl Fn(NodeId) -> bool) {
        self.enter(start);
        while let Some((node, place)) = self.path.last_mut() {
            let node = *node;
            let Some(input) = graph.inputs(node).nth(*place) else {
                self.leave(node);
                continue;
            };
            *place += 1;
            if !inside(input) {
                continue;
            }
            if self.order[input] == UNSEEN {
                self.enter(input);
            } else if self.on_stack[input] {
                self.low[node] = self.low[node].min(self.order[input]);
            } else {
                self.leaves[node] = true;
            }
        }
    }

    fn enter(&mut self, node: NodeId) {
        self.order[node] = self.next;
        self.low[node] = self.next;
        self.next += 1;
        self.on_stack[node] = true;
        self.stack.push(node);
        self.path.push((node, 0));
    }

    fn leave(&mut self, node: NodeId) {
        self.path.pop();
        let closes = self.low[node] == self.order[node];
        if closes {
            let from = self.stack.iter().rposition(|other| *other == node).unwrap_or(0);
            let component = self.stack.split_off(from);
            for member in &component {
                self.on_stack[*member] = false;
            }
            if !component.iter().any(|member| self.leaves[*member]) {
                self.sinks.push(component);
            }
        }
        if let Some((parent, _)) = self.path.last() {
            self.low[*parent] = self.low[*parent].min(self.low[node]);
            self.leaves[*parent] |= closes;
        }
    }
}
