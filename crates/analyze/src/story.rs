//! Who waits, in the end, for a root, and along which chain?

use std::collections::{HashMap, HashSet, VecDeque, hash_map::Entry};
use std::ops::Range;

use unwedge_trace::{AgentId, AgentKind, ObjectId, ObjectKind, Point};

use crate::graph::{Graph, NodeId, Subject};
use crate::liveness::{Liveness, Root, Shape};
use crate::replay::{Debt, State};
use crate::report::Link;
use crate::words;

/// All that a finding is told from.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a, 'r> {
    pub(crate) state: &'a State<'r>,
    pub(crate) graph: &'a Graph,
    pub(crate) live: &'a Liveness,
}

/// A link of a chain.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// An agent; `debt` is what ties it to the point before it, if it owes that point.
    Agent { agent: AgentId, debt: Option<Debt> },
    /// A point that the agent before it needs.
    Point(Point),
}

/// A root with those who wait for it.
pub(crate) struct Story<'a, 'r> {
    pub(crate) scene: Scene<'a, 'r>,
    pub(crate) root: &'a Root,
    /// From the waiter to the root; around a cycle once.
    pub(crate) steps: Vec<Step>,
    /// Where in `steps` the cycle begins, if the root is one.
    pub(crate) cycle_at: Option<usize>,
    /// Everyone who waits for the root; the one that is shown comes first.
    pub(crate) waiters: Vec<AgentId>,
}

/// Waits of a chain that are told one by one; of a longer chain the middle is counted.
const WAITS_TOLD_MAX: usize = 5;
/// Links of a chain in a report: of a longer one, both ends. Even, so that an agent follows an object where it is cut.
const LINKS_MAX: usize = 256;
/// Nodes looked at above one root: beyond that many, who else waits is left out.
const NODES_PER_ROOT_MAX: usize = 100_000;

impl<'a, 'r> Story<'a, 'r> {
    /// The story of a root that somebody waits for.
    pub(crate) fn of(scene: Scene<'a, 'r>, root: &'a Root) -> Option<Self> {
        let toward = paths_to(scene, root);
        let mut waiters = waiters(scene, root, &toward);
        waiters.sort_unstable();
        let ids: Vec<AgentId> = waiters.iter().map(|waiter| waiter.agent).collect();
        let head = scene.graph.agent_node(*ids.first()?)?;
        let mut path = vec![head];
        let mut last = head;
        while let Some(next) = toward.get(&last).and_then(|way| way.next) {
            path.push(next);
            last = next;
        }
        let mut cycle_from = None;
        if root.shape == Shape::Cycle {
            cycle_from = Some(turn_around(scene.graph, root, &mut path));
        }
        let (steps, cycle_at) = steps(scene.graph, &path, cycle_from);
        Some(Self { scene, root, steps, cycle_at, waiters: ids })
    }

    /// Host threads among the waiters.
    pub(crate) fn threads(&self) -> usize {
        let state = self.scene.state;
        let is_thread =
            |id: &&AgentId| state.agent(**id).is_some_and(|a| a.kind == AgentKind::HostThread);
        self.waiters.iter().filter(is_thread).count()
    }

    /// How long the shown waiter has been waiting, in nanoseconds.
    pub(crate) fn waited_ns(&self) -> u64 {
        let state = self.scene.state;
        let wait = self.waiters.first().and_then(|id| state.wait(*id));
        wait.map_or(0, |wait| state.now.since(wait.since))
    }

    /// What the shown waiter waits for.
    pub(crate) fn first_point(&self) -> Option<Point> {
        self.steps.iter().find_map(|step| match step {
            Step::Point(point) => Some(*point),
            Step::Agent { .. } => None,
        })
    }

    /// The point that the root is about.
    pub(crate) fn last_point(&self) -> Option<Point> {
        self.steps.iter().rev().find_map(|step| match step {
            Step::Point(point) => Some(*point),
            Step::Agent { .. } => None,
        })
    }

    /// The agent at the root, if it is one that has to act.
    pub(crate) fn last_agent(&self) -> Option<(AgentId, Option<Debt>)> {
        match self.steps.last()? {
            Step::Agent { agent, debt } => Some((*agent, *debt)),
            Step::Point(_) => None,
        }
    }

    /// The debt at the root, if somebody owes the last point.
    pub(crate) fn last_debt(&self) -> Option<Debt> {
        self.last_agent().and_then(|(_, debt)| debt)
    }

    /// Every object that the chain touches, a queue's own object included.
    pub(crate) fn objects(&self) -> Vec<ObjectId> {
        let mut objects = Vec::new();
        for step in &self.steps {
            match step {
                Step::Point(point) => objects.push(point.object),
                Step::Agent { agent, debt } => {
                    objects.extend(self.scene.state.queues.get(agent));
                    objects.extend(debt.and_then(|debt| debt.after).map(|after| after.object));
                }
            }
        }
        if self.root.shape == Shape::ClosedCircle {
            objects.extend(
                self.root.nodes.iter().filter_map(|node| self.point_of(*node)).map(|p| p.object),
            );
        }
        objects.sort_unstable();
        objects.dedup();
        objects
    }

    pub(crate) fn point_of(&self, node: NodeId) -> Option<Point> {
        match self.scene.graph.nodes.get(node)?.subject {
            Subject::Point(point) => Some(point),
            Subject::Agent(_) | Subject::Debt(..) => None,
        }
    }

    /// Whether the chain leans on somebody who is only known to have signalled before.
    pub(crate) fn leans_on_custom(&self) -> bool {
        let from = self.cycle_at.unwrap_or(0);
        self.steps.iter().skip(from + 1).any(|step| matches!(step, Step::Agent { debt: None, .. }))
    }

    /// The sentence down to the last point: who waits for what, and who of them owes it.
    pub(crate) fn head(&self) -> String {
        self.tell(&self.steps)
    }

    /// The sentence down to where the cycle begins; empty if the shown waiter is part of it.
    pub(crate) fn head_before_cycle(&self) -> String {
        self.tell(&self.steps[..self.cycle_at.unwrap_or(0)])
    }

    fn tell(&self, steps: &[Step]) -> String {
        let mut clauses = Vec::new();
        for (index, step) in steps.iter().enumerate() {
            let (Step::Agent { agent, debt }, Some(Step::Point(point))) =
                (step, steps.get(index + 1))
            else {
                continue;
            };
            let owed = index.checked_sub(1).and_then(|before| match steps[before] {
                Step::Point(point) => Some(point),
                Step::Agent { .. } => None,
            });
            clauses.push(self.clause(owed, *agent, *debt, *point));
        }
        if clauses.len() > WAITS_TOLD_MAX {
            let more = clauses.len() - WAITS_TOLD_MAX;
            let last = clauses.pop().unwrap_or_default();
            clauses.truncate(WAITS_TOLD_MAX - 1);
            clauses.push(format!("and so on through {more} more"));
            clauses.push(last);
        }
        clauses.join("; ")
    }

    fn clause(
        &self,
        owed: Option<Point>,
        agent: AgentId,
        debt: Option<Debt>,
        point: Point,
    ) -> String {
        let state = self.scene.state;
        let name = state.say_agent(agent);
        // What a debt comes after is no wait of the debtor.
        let Some(wait) = state.wait(agent).filter(|wait| wait.points.contains(&point)) else {
            return format!("{name} owes it once {}", state.say_done(point));
        };
        let Some(owed) = owed else { return state.say_waits(agent, wait, point) };
        let (call, what) = (words::printable(wait.call), state.say_point(point));
        let duty = self.say_duty(agent, debt, owed);
        let batch = debt.and_then(|debt| debt.after).unwrap_or(owed);
        let at_batch = self.is_own_batch(agent, batch)
            && state.agent(agent).and_then(|queue| queue.head).is_some_and(|head| head.0 == batch);
        match (state.is_batch(agent, wait), self.is_own_batch(agent, owed)) {
            (true, true) if at_batch => format!("that batch waits for {what}"),
            (true, true) => format!("its {call} comes first, and waits for {what}"),
            (true, false) if at_batch => format!("{name} {duty}, which waits for {what}"),
            (true, false) => format!("{name} {duty}, and its {call} waits for {what}"),
            (false, _) => format!("{name} {duty}, and waits in {call} for {what}"),
        }
    }

    /// `owes it with batch 12`, `holds it`, `used to signal it`.
    pub(crate) fn say_duty(&self, agent: AgentId, debt: Option<Debt>, owed: Point) -> String {
        let Some(debt) = debt else { return "used to signal it".to_owned() };
        let kind = self.scene.state.object_kind(owed.object);
        match debt.after {
            Some(after) if self.is_own_batch(agent, after) => {
                format!("owes it with batch {}", after.value)
            }
            _ if matches!(kind, ObjectKind::Mutex | ObjectKind::Futex) => "holds it".to_owned(),
            _ => "owes it".to_owned(),
        }
    }

    /// Whether the point is a batch of this very queue.
    pub(crate) fn is_own_batch(&self, agent: AgentId, point: Point) -> bool {
        self.scene.state.queues.get(&agent) == Some(&point.object)
    }

    pub(crate) fn links(&self) -> Vec<Link> {
        let state = self.scene.state;
        let link = |step: &Step| match step {
            Step::Agent { agent, .. } => Link::Agent {
                agent: agent.0,
                kind: state.agent(*agent).map_or(AgentKind::Outside, |agent| agent.kind),
                name: state.say_agent(*agent),
            },
            Step::Point(point) => Link::Object { object: state.summarise_object(*point) },
        };
        let (first, last) = self.told();
        self.steps[first].iter().chain(&self.steps[last]).map(link).collect()
    }

    /// Links of the middle of the chain that are left out.
    pub(crate) fn links_left_out(&self) -> usize {
        let (first, last) = self.told();
        last.start - first.end
    }

    /// The steps that are links of the chain: all, or those of both ends. Agents and objects take turns in it all the same.
    fn told(&self) -> (Range<usize>, Range<usize>) {
        let count = self.steps.len();
        let first = 0..count.min(LINKS_MAX / 2);
        let last = count.saturating_sub(LINKS_MAX / 2).next_multiple_of(2).min(count);
        (first.clone(), first.end.max(last)..count)
    }
}

/// The shortest way from a node to the root.
struct Way {
    /// The next node on it.
    next: Option<NodeId>,
    /// Agents on it only because they used to signal what the one before waits for.
    by_custom: usize,
}

/// For every node that leads to the root, its way there.
fn paths_to(scene: Scene<'_, '_>, root: &Root) -> HashMap<NodeId, Way> {
    let mut toward: HashMap<NodeId, Way> = HashMap::new();
    let mut work = VecDeque::new();
    // What is limited by itself is the root; the rest of its component only leads there.
    let key = [root.key];
    let sources = if matches!(root.shape, Shape::Limited(_)) { &key[..] } else { &root.nodes[..] };
    for node in sources {
        toward.insert(*node, Way { next: None, by_custom: 0 });
        work.push_back(*node);
    }
    while let Some(node) = work.pop_front() {
        if toward.len() > NODES_PER_ROOT_MAX {
            break;
        }
        let by_custom = toward.get(&node).map_or(0, |way| way.by_custom);
        for dependent in scene.live.dependents(node) {
            if scene.live.level(dependent) != root.level {
                continue;
            }
            if let Entry::Vacant(entry) = toward.entry(dependent) {
                let by_custom = by_custom + usize::from(is_custom(scene.graph, dependent, node));
                entry.insert(Way { next: Some(node), by_custom });
                work.push_back(dependent);
            }
        }
    }
    toward
}

/// A waiting agent, in the order in which a user would want to see them.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    is_no_thread: bool,
    is_out_of_cycle: bool,
    /// Agents that stand between it and the root only because they used to signal what the one before waits for.
    by_custom: usize,
    since: u64,
    agent: AgentId,
}

fn waiters(scene: Scene<'_, '_>, root: &Root, toward: &HashMap<NodeId, Way>) -> Vec<Candidate> {
    let waiter = |(node, way): (&NodeId, &Way)| {
        let Subject::Agent(agent) = scene.graph.nodes[*node].subject else { return None };
        let wait = scene.state.old_wait(agent)?;
        let kind = scene.state.agent(agent)?.kind;
        Some(Candidate {
            is_no_thread: !matches!(
                kind,
                AgentKind::HostThread
                    | AgentKind::GuestThread
                    | AgentKind::KernelThread
                    | AgentKind::Task
            ),
            is_out_of_cycle: root.shape == Shape::Cycle && way.next.is_some(),
            by_custom: way.by_custom,
            since: wait.since.0,
            agent,
        })
    };
    toward.iter().filter_map(waiter).collect()
}

/// Whether a node leads to the next one only because that agent used to signal it.
fn is_custom(graph: &Graph, node: NodeId, next: NodeId) -> bool {
    let tied = matches!(graph.nodes[node].subject, Subject::Debt(..));
    !tied && matches!(graph.nodes[next].subject, Subject::Agent(_))
}

/// Continues a path that has reached a cycle around it, back to its first agent there; gives the
/// place where the cycle begins.
fn turn_around(graph: &Graph, root: &Root, path: &mut Vec<NodeId>) -> usize {
    let members: HashSet<_> = root.nodes.iter().copied().collect();
    // The path enters at a point or a debt; the cycle is told from an agent on.
    let is_agent = |node: NodeId| matches!(graph.nodes[node].subject, Subject::Agent(_));
    let mut entry = path.last().copied().unwrap_or(root.key);
    let mut walked = 0;
    while !is_agent(entry) && walked < root.nodes.len() {
        let Some(next) = graph.inputs(entry).find(|n| members.contains(n)) else {
            break;
        };
        path.push(next);
        entry = next;
        walked += 1;
    }
    let begins = path.len() - 1;
    let mut from: HashMap<NodeId, NodeId> = HashMap::new();
    let mut work = VecDeque::from([entry]);
    while let Some(node) = work.pop_front() {
        for input in graph.inputs(node).filter(|n| members.contains(n)) {
            if input == entry {
                let mut back = vec![entry];
                let mut at = node;
                while at != entry {
                    back.push(at);
                    at = from.get(&at).copied().unwrap_or(entry);
                }
                path.extend(back.into_iter().rev());
                return begins;
            }
            if let Entry::Vacant(entry) = from.entry(input) {
                entry.insert(node);
                work.push_back(input);
            }
        }
    }
    begins
}

/// Nodes as steps: a debt and the agent after it are one step.
fn steps(graph: &Graph, path: &[NodeId], cycle_from: Option<usize>) -> (Vec<Step>, Option<usize>) {
    let mut steps = Vec::new();
    let mut cycle_at = None;
    for (index, node) in path.iter().enumerate() {
        let step = match graph.nodes[*node].subject {
            Subject::Point(point) => Step::Point(point),
            Subject::Debt(_, debt) => Step::Agent { agent: debt.debtor, debt: Some(debt) },
            Subject::Agent(agent) => Step::Agent { agent, debt: None },
        };
        let said = match (steps.last(), &step) {
            (Some(Step::Agent { agent: last, .. }), Step::Agent { agent, .. }) => last == agent,
            _ => false,
        };
        if !said {
            steps.push(step);
        }
        if cycle_from == Some(index) {
            cycle_at = Some(steps.len() - 1);
        }
    }
    (steps, cycle_at)
}
