//! What if a protocol is just a graph? States are numbers, and edges are written down or random.

use unwedge_sim::{Action, Goals, Model};

/// A way from one state to another.
#[derive(Clone, Copy)]
pub(crate) struct Edge {
    pub(crate) to: u32,
    pub(crate) sort: Action,
}

pub(crate) struct Graph {
    pub(crate) begins: Vec<u32>,
    pub(crate) edges: Vec<Vec<Edge>>,
    pub(crate) done: Vec<u32>,
    pub(crate) goals: u32,
}

impl Graph {
    /// Of edges such as `0>1`, a step, `1*2`, a step that is progress, and `2!0`, a fault. It begins in 0.
    pub(crate) fn parse(edges: &str, done: &[u32]) -> Self {
        let mut graph =
            Self { begins: vec![0], edges: vec![Vec::new(); 10], done: done.to_vec(), goals: 1 };
        for edge in edges.split_whitespace() {
            let at = edge.find(['>', '*', '!']).expect("a sort of edge");
            let sort = match &edge[at..=at] {
                ">" => Action::Step(Goals::NONE),
                "*" => Action::Step(Goals::ONE),
                _ => Action::Fault,
            };
            let from: usize = edge[..at].parse().expect("a state");
            let to = edge[at + 1..].parse().expect("a state");
            graph.edges[from].push(Edge { to, sort });
        }
        graph
    }

    /// A graph of up to 300 states, as dense or sparse, as good or bad as the seed has it.
    pub(crate) fn random(seed: u64) -> Self {
        let mut state = seed;
        let mut random = |below: u32| {
            // Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((mixed ^ mixed >> 31) % u64::from(below)) as u32
        };
        let count = [3, 10, 40, 300][random(4) as usize];
        let (degree, goals) = (1 + random(4), 1 + random(3));
        let (progress, fault, done) = (1 + random(40), 2 + random(8), 2 + random(100));
        let mut edges = vec![Vec::new(); count as usize];
        for from in &mut edges {
            for _ in 0..random(degree + 1) + u32::from(degree < 3) {
                let sort = if random(fault) == 0 {
                    Action::Fault
                } else if random(progress) == 0 {
                    Action::Step(Goals(random(1 << goals)))
                } else {
                    Action::Step(Goals::NONE)
                };
                from.push(Edge { to: random(count), sort });
            }
        }
        let begins = (0..1 + random(2)).map(|_| random(count)).collect();
        let done = (0..count).filter(|_| random(done) == 0).collect();
        Self { begins, edges, done, goals }
    }
}

impl Model for Graph {
    type State = u32;
    type Action = Edge;

    fn init_states(&self) -> Vec<u32> {
        self.begins.clone()
    }

    fn actions(&self, state: &u32, actions: &mut Vec<Edge>) {
        actions.extend(&self.edges[*state as usize]);
    }

    fn next_state(&self, _: &u32, edge: &Edge) -> Option<u32> {
        Some(edge.to)
    }

    fn sort(&self, _: &u32, edge: &Edge) -> Action {
        edge.sort
    }

    fn goals(&self) -> Goals {
        Goals::first(self.goals)
    }

    fn is_done(&self, state: &u32) -> bool {
        self.done.contains(state)
    }

    fn describe(&self, state: &u32, edge: &Edge) -> String {
        format!("{state} to {}", edge.to)
    }
}
