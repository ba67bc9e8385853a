//! Where does each node of a small directed graph go? A layered layout: waiters first, roots last.
//!
//! The usual four steps (Sugiyama, Tagawa and Toda 1981): break cycles, assign layers, order each
//! layer against crossings, place without overlaps. Between two layers of nodes lies a layer of
//! labels, so a label is placed like a node and covers nothing.
//!
//! Invariant: pure arithmetic on sizes; what is drawn is the caller's business.

/// How often the order of the layers is improved, down and up again.
const ORDER_SWEEPS: usize = 8;
/// How often positions follow their neighbours, down and up again.
const PLACE_SWEEPS: usize = 8;
/// Above so many segments crossings are no longer counted, and the last order is as good as any.
const COUNTED_SEGMENTS_MAX: usize = 3_000;
/// Free space between neighbours of a layer, in the units of the sizes.
const GAP: f64 = 22.0;
/// The same beside an edge that only passes through.
const GAP_PASSING: f64 = 12.0;
/// How strongly an arrow that leads back pulls, when one that leads down pulls with 1.
const PULL_BACK: f64 = 0.02;
/// How many times stronger the inner pieces of one edge want to be in line.
const PULL_ON_THE_WAY: f64 = 4.0;
/// The least space between two ends of edges at a node, and between one and a corner.
const GAP_PORTS: f64 = 16.0;
/// Free space between a layer of nodes and a layer of labels.
const GAP_LAYERS: f64 = 18.0;

/// Which way the layers follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// Each layer is a row.
    Down,
    /// Each layer is a column.
    Right,
}

/// A width and a height, or a position.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Xy {
    /// To the right.
    pub(super) x: f64,
    /// Down.
    pub(super) y: f64,
}

/// An edge to be placed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrow {
    /// The index of the node where it starts.
    pub(super) from: usize,
    /// The index of the node where it ends; another one.
    pub(super) to: usize,
    /// The size of its label.
    pub(super) label: Xy,
}

/// An edge that has been placed.
#[derive(Clone, Debug)]
pub(super) struct Route {
    /// From border to border. Points 2n + 1 and 2n + 2 are where it enters and leaves a layer, which
    /// it crosses straight; the others are joined by curves.
    pub(super) points: Vec<Xy>,
    /// The middle of its label.
    pub(super) label: Xy,
}

/// Everything in its place.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// Of everything together.
    pub(super) size: Xy,
    /// The middle of each node, in the order they were given.
    pub(super) nodes: Vec<Xy>,
    /// In the order the arrows were given.
    pub(super) routes: Vec<Route>,
    /// Which way it flows.
    pub(super) flow: Flow,
}

/// Places `nodes` (their sizes) and `arrows`.
pub(super) fn layout(nodes: &[Xy], arrows: &[Arrow], flow: Flow) -> Layout {
    let reversed = reversed(nodes.len(), arrows);
    let layers = layers(nodes.len(), arrows, &reversed);
    let mut plan = Plan::new(nodes, arrows, &reversed, &layers, flow);
    plan.order();
    plan.place();
    plan.finish(nodes.len(), arrows, &reversed, flow)
}

/// Which arrows must be turned around for the graph to have no cycle: those that a depth-first
/// walk, begun where nothing leads to, finds leading back to a node it is still below.
fn reversed(count: usize, arrows: &[Arrow]) -> Vec<bool> {
    let mut outgoing = vec![Vec::new(); count];
    let mut entered = vec![false; count];
    for (index, arrow) in arrows.iter().enumerate() {
        outgoing[arrow.from].push(index);
        entered[arrow.to] = true;
    }
    let mut reversed = vec![false; arrows.len()];
    // 0: not seen, 1: on the path, 2: done.
    let mut state = vec![0_u8; count];
    let heads = (0..count).filter(|node| !entered[*node]);
    for start in heads.chain(0..count) {
        if state[start] != 0 {
            continue;
        }
        state[start] = 1;
        let mut path = vec![(start, 0)];
        while let Some((node, next)) = path.last_mut() {
            let Some(arrow) = outgoing[*node].get(*next).copied() else {
                state[*node] = 2;
                path.pop();
                continue;
            };
            *next += 1;
            let to = arrows[arrow].to;
            match state[to] {
                0 => {
                    state[to] = 1;
                    path.push((to, 0));
                }
                1 => reversed[arrow] = true,
                _ => {}
            }
        }
    }
    reversed
}

/// The layer of each node: the longest way from a head; a head moves up close to what it leads to.
fn layers(count: usize, arrows: &[Arrow], reversed: &[bool]) -> Vec<usize> {
    let mut successors = vec![Vec::new(); count];
    let mut missing = vec![0_usize; count];
    for (arrow, reversed) in arrows.iter().zip(reversed) {
        let (from, to) = if *reversed { (arrow.to, arrow.from) } else { (arrow.from, arrow.to) };
        successors[from].push(to);
        missing[to] += 1;
    }
    let heads: Vec<usize> = (0..count).filter(|node| missing[*node] == 0).collect();
    let mut layer = vec![0_usize; count];
    let mut ready = heads.clone();
    while let Some(node) = ready.pop() {
        for next in &successors[node] {
            layer[*next] = layer[*next].max(layer[node] + 1);
            missing[*next] -= 1;
            if missing[*next] == 0 {
                ready.push(*next);
            }
        }
    }
    for head in heads {
        let nearest = successors[head].iter().map(|next| layer[*next]).min();
        layer[head] = nearest.map_or(0, |nearest| nearest.saturating_sub(1));
    }
    layer
}

/// A node, or the place where an edge passes a layer.
struct Item {
    layer: usize,
    /// Its size in the direction of the flow.
    along: f64,
    /// Its size across the flow.
    across: f64,
    /// The middle, across the flow.
    at: f64,
    passing: bool,
    before: Vec<Near>,
    after: Vec<Near>,
}

/// A neighbour in the layer before or after.
#[derive(Clone, Copy)]
struct Near {
    item: usize,
    /// How strongly the two want to be in line.
    pull: f64,
}

struct Plan {
    items: Vec<Item>,
    /// Item indices in order.
    rows: Vec<Vec<usize>>,
    /// For each arrow the items it passes, from its upper end to its lower.
    tracks: Vec<Vec<usize>>,
}

impl Plan {
    fn new(
        nodes: &[Xy],
        arrows: &[Arrow],
        reversed: &[bool],
        layers: &[usize],
        flow: Flow,
    ) -> Self {
        let mut plan = Self { items: Vec::new(), rows: Vec::new(), tracks: Vec::new() };
        for (size, layer) in nodes.iter().zip(layers) {
            plan.add(layer * 2, turned(*size, flow), false);
        }
        for (arrow, reversed) in arrows.iter().zip(reversed) {
            let ends = if *reversed { (arrow.to, arrow.from) } else { (arrow.from, arrow.to) };
            let labelled = if *reversed { layers[ends.1] * 2 - 1 } else { layers[ends.0] * 2 + 1 };
            let mut track = vec![ends.0];
            for layer in layers[ends.0] * 2 + 1..layers[ends.1] * 2 {
                let size =
                    if layer == labelled { turned(arrow.label, flow) } else { Xy::default() };
                track.push(plan.add(layer, size, layer != labelled));
            }
            track.push(ends.1);
            // The way down is straight, what leads back goes around it.
            let pull = if *reversed { PULL_BACK } else { 1.0 };
            for pair in track.windows(2) {
                // A long edge bends at its ends, not on its way.
                let on_its_way = pair.iter().all(|item| *item >= nodes.len());
                let pull = if on_its_way { pull * PULL_ON_THE_WAY } else { pull };
                plan.items[pair[0]].after.push(Near { item: pair[1], pull });
                plan.items[pair[1]].before.push(Near { item: pair[0], pull });
            }
            plan.tracks.push(track);
        }
        plan
    }

    fn add(&mut self, layer: usize, size: Xy, passing: bool) -> usize {
        let index = self.items.len();
        let (before, after) = (Vec::new(), Vec::new());
        let (along, across) = (size.y, size.x);
        self.items.push(Item { layer, along, across, at: 0.0, passing, before, after });
        if self.rows.len() <= layer {
            self.rows.resize(layer + 1, Vec::new());
        }
        self.rows[layer].push(index);
        index
    }

    /// Sorts each layer by the mean of its neighbours, again and again, and keeps the best order.
    fn order(&mut self) {
        let segments: usize = self.items.iter().map(|item| item.after.len()).sum();
        let counted = segments <= COUNTED_SEGMENTS_MAX;
        let mut best = (if counted { self.crossings() } else { usize::MAX }, self.rows.clone());
        for sweep in 0..ORDER_SWEEPS * 2 {
            if best.0 == 0 {
                break;
            }
            let down = sweep % 2 == 0;
            for step in 1..self.rows.len() {
                let layer = if down { step } else { self.rows.len() - 1 - step };
                self.sort(layer, down);
            }
            let crossings = if counted { self.crossings() } else { usize::MAX - 1 };
            if crossings < best.0 || !counted {
                best = (crossings, self.rows.clone());
            }
        }
        self.rows = best.1;
    }

    fn ranks(&self) -> Vec<f64> {
        let mut ranks = vec![0.0; self.items.len()];
        for row in &self.rows {
            for (rank, item) in row.iter().enumerate() {
                ranks[*item] = rank as f64;
            }
        }
        ranks
    }

    fn sort(&mut self, layer: usize, down: bool) {
        let ranks = self.ranks();
        let items = &self.items;
        let key = |item: &usize| {
            let neighbours = if down { &items[*item].before } else { &items[*item].after };
            mean(neighbours.iter().map(|near| (ranks[near.item], 1.0))).unwrap_or(ranks[*item])
        };
        self.rows[layer].sort_by(|one, other| key(one).total_cmp(&key(other)));
    }

    fn crossings(&self) -> usize {
        let ranks = self.ranks();
        let mut crossings = 0;
        for row in &self.rows {
            let mut segments: Vec<(f64, f64)> = Vec::new();
            for item in row {
                for after in &self.items[*item].after {
                    let new = (ranks[*item], ranks[after.item]);
                    crossings +=
                        segments.iter().filter(|old| old.0 < new.0 && old.1 > new.1).count();
                    segments.push(new);
                }
            }
        }
        crossings
    }

    /// Lets every item follow its neighbours as far as its place in the order allows.
    fn place(&mut self) {
        for layer in 0..self.rows.len() {
            self.follow(layer, |_, _| Vec::new());
        }
        for sweep in 0..=PLACE_SWEEPS * 2 {
            let down = sweep % 2 == 0;
            for step in 0..self.rows.len() {
                let layer = if down { step } else { self.rows.len() - 1 - step };
                self.follow(layer, |plan, item| {
                    let item = &plan.items[item];
                    // The last sweeps look both ways, so that nothing leans.
                    let both = sweep + 2 > PLACE_SWEEPS * 2;
                    let before = item.before.iter().filter(|_| down || both);
                    let after = item.after.iter().filter(|_| !down || both);
                    before.chain(after).map(|near| (plan.items[near.item].at, near.pull)).collect()
                });
            }
        }
    }

    /// The least squares under "in this order, without overlaps": pool adjacent violators.
    fn follow(&mut self, layer: usize, neighbours: impl Fn(&Self, usize) -> Vec<(f64, f64)>) {
        let row = &self.rows[layer];
        let mut offset = 0.0;
        let mut offsets = Vec::with_capacity(row.len());
        // Each pool: the sum of the wishes, their weight, how many items.
        let mut pools: Vec<(f64, f64, usize)> = Vec::new();
        for (index, item) in row.iter().enumerate() {
            if index > 0 {
                offset += self.apart(row[index - 1], *item);
            }
            offsets.push(offset);
            let near = neighbours(self, *item);
            let wish = mean(near.iter().copied()).unwrap_or(self.items[*item].at) - offset;
            let weight = near.iter().map(|(_, pull)| pull).sum::<f64>().max(0.01);
            pools.push((wish * weight, weight, 1));
            while let [.., one, other] = pools[..] {
                if one.0 / one.1 <= other.0 / other.1 {
                    break;
                }
                pools.truncate(pools.len() - 2);
                pools.push((one.0 + other.0, one.1 + other.1, one.2 + other.2));
            }
        }
        let bases = pools.iter().flat_map(|pool| std::iter::repeat_n(pool.0 / pool.1, pool.2));
        for ((item, offset), base) in row.iter().zip(offsets).zip(bases) {
            self.items[*item].at = base + offset;
        }
    }

    /// The least distance between the middles of two neighbours.
    fn apart(&self, one: usize, other: usize) -> f64 {
        let (one, other) = (&self.items[one], &self.items[other]);
        let gap = if one.passing || other.passing { GAP_PASSING } else { GAP };
        (one.across + other.across) / 2.0 + gap
    }

    fn finish(self, nodes: usize, arrows: &[Arrow], reversed: &[bool], flow: Flow) -> Layout {
        let edges = self.items.iter().map(|item| item.at - item.across / 2.0);
        let left = edges.reduce(f64::min).unwrap_or(0.0);
        let right = self.items.iter().map(|item| item.at + item.across / 2.0 - left);
        let width = right.fold(0.0, f64::max);
        let bands = self.bands();
        let middle = |item: usize| Xy {
            x: self.items[item].at - left,
            y: (bands[self.items[item].layer].0 + bands[self.items[item].layer].1) / 2.0,
        };
        let routes = self.tracks.iter().zip(arrows).zip(reversed).map(|((track, _), reversed)| {
            let points = self.points(track, &bands, left);
            let label = if *reversed { track[track.len() - 2] } else { track[1] };
            Route {
                points: ordered(points, *reversed).map(|at| turned(at, flow)).collect(),
                label: turned(middle(label), flow),
            }
        });
        Layout {
            size: turned(Xy { x: width, y: bands.last().map_or(0.0, |band| band.1) }, flow),
            nodes: (0..nodes).map(|node| turned(middle(node), flow)).collect(),
            routes: routes.collect(),
            flow,
        }
    }

    /// Where each layer begins and ends, along the flow.
    fn bands(&self) -> Vec<(f64, f64)> {
        let mut at = 0.0;
        let mut bands = Vec::new();
        for row in &self.rows {
            let thick = row.iter().map(|item| self.items[*item].along).fold(0.0, f64::max);
            bands.push((at, at + thick));
            at += thick + GAP_LAYERS;
        }
        bands
    }

    /// The points of one edge, from its upper end to its lower.
    fn points(&self, track: &[usize], bands: &[(f64, f64)], left: f64) -> Vec<Xy> {
        let [first, inner @ .., last] = track else { return Vec::new() };
        let end = |item: usize, neighbour: usize, after: bool| {
            let half = self.items[item].along / 2.0;
            let band = bands[self.items[item].layer];
            let middle = (band.0 + band.1) / 2.0;
            let y = if after { middle + half } else { middle - half };
            Xy { x: self.port(item, neighbour, after) - left, y }
        };
        let mut points = vec![end(*first, track[1], true)];
        for item in inner {
            let band = bands[self.items[*item].layer];
            let x = self.items[*item].at - left;
            // Beside nodes it must keep straight; among labels there is room to bend.
            let middle = (band.0 + band.1) / 2.0;
            let beside_nodes = self.items[*item].layer.is_multiple_of(2);
            let (from, to) = if beside_nodes { band } else { (middle, middle) };
            points.extend([Xy { x, y: from }, Xy { x, y: to }]);
        }
        points.push(end(*last, track[track.len() - 2], false));
        points
    }

    /// Where on the side of `item` the edge to `neighbour` begins: straight ahead if it can, in the
    /// order of what the edges lead to, and with space between them as far as the side has it.
    fn port(&self, item: usize, neighbour: usize, after: bool) -> f64 {
        let Item { at, across, before, after: behind, .. } = &self.items[item];
        let side = if after { behind } else { before };
        let mut order: Vec<usize> = side.iter().map(|near| near.item).collect();
        order.sort_by(|one, other| self.items[*one].at.total_cmp(&self.items[*other].at));
        let gaps = (order.len() as f64 - 1.0).max(1.0);
        let room = (across - 2.0 * GAP_PORTS).max(0.0);
        let pitch = (room / gaps).min(GAP_PORTS);
        let (first, last) = (at - room / 2.0, at + room / 2.0);
        let mut ports: Vec<f64> = Vec::with_capacity(order.len());
        for other in &order {
            let least = ports.last().map_or(first, |port| port + pitch);
            ports.push(self.items[*other].at.max(least));
        }
        let mut most = last;
        for port in ports.iter_mut().rev() {
            *port = port.min(most);
            most = *port - pitch;
        }
        let rank = order.iter().position(|other| *other == neighbour).unwrap_or(0);
        ports.get(rank).copied().unwrap_or(*at)
    }
}

fn ordered(points: Vec<Xy>, reversed: bool) -> impl Iterator<Item = Xy> {
    let mut points = points;
    if reversed {
        points.reverse();
    }
    points.into_iter()
}

/// Down and to the right, exchanged when the flow goes to the right.
fn turned(at: Xy, flow: Flow) -> Xy {
    match flow {
        Flow::Down => at,
        Flow::Right => Xy { x: at.y, y: at.x },
    }
}

/// The mean of values with weights.
fn mean(values: impl Iterator<Item = (f64, f64)>) -> Option<f64> {
    let add = |(sum, all), (value, weight)| (sum + value * weight, all + weight);
    let (sum, all) = values.fold((0.0, 0.0), add);
    (all > 0.0).then(|| sum / all)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: Xy = Xy { x: 100.0, y: 40.0 };

    fn arrows(pairs: &[(usize, usize)]) -> Vec<Arrow> {
        let label = Xy { x: 50.0, y: 14.0 };
        pairs.iter().map(|&(from, to)| Arrow { from, to, label }).collect()
    }

    fn check(count: usize, pairs: &[(usize, usize)], flow: Flow) -> Layout {
        let layout = layout(&vec![NODE; count], &arrows(pairs), flow);
        let boxes: Vec<(Xy, Xy)> = layout
            .nodes
            .iter()
            .map(|at| (*at, NODE))
            .chain(layout.routes.iter().map(|route| (route.label, Xy { x: 50.0, y: 14.0 })))
            .collect();
        for (index, (at, size)) in boxes.iter().enumerate() {
            let inside = at.x - size.x / 2.0 > -0.01
                && at.y - size.y / 2.0 > -0.01
                && at.x + size.x / 2.0 < layout.size.x + 0.01
                && at.y + size.y / 2.0 < layout.size.y + 0.01;
            assert!(inside, "box {index} at {at:?} is outside {:?}", layout.size);
            for (other, (to, extent)) in boxes.iter().enumerate().skip(index + 1) {
                let apart = (at.x - to.x).abs() + 0.01 >= (size.x + extent.x) / 2.0
                    || (at.y - to.y).abs() + 0.01 >= (size.y + extent.y) / 2.0;
                assert!(apart, "boxes {index} and {other} overlap: {at:?} {to:?}");
            }
        }
        layout
    }

    #[test]
    fn a_chain_is_a_straight_line_down() {
        let layout = check(4, &[(0, 1), (1, 2), (2, 3)], Flow::Down);
        assert!(layout.nodes.windows(2).all(|pair| (pair[0].x - pair[1].x).abs() < 0.01));
        assert!(layout.nodes.windows(2).all(|pair| pair[0].y < pair[1].y));
    }

    #[test]
    fn cycles_diamonds_and_crowds_do_not_overlap() {
        for flow in [Flow::Down, Flow::Right] {
            check(0, &[], flow);
            check(1, &[], flow);
            check(2, &[(0, 1), (1, 0)], flow);
            check(6, &[(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 2)], flow);
            check(4, &[(0, 1), (0, 2), (1, 3), (2, 3), (0, 3)], flow);
            let crowd: Vec<_> = (1..40).map(|waiter| (waiter, 0)).collect();
            check(40, &crowd, flow);
        }
    }

    #[test]
    fn a_route_ends_on_the_borders_of_its_nodes() {
        let layout = check(3, &[(0, 1), (1, 2), (2, 0)], Flow::Down);
        let back = &layout.routes[2].points;
        assert!((back[0].y - (layout.nodes[2].y - 20.0)).abs() < 0.01, "{back:?}");
        assert!((back[back.len() - 1].y - (layout.nodes[0].y + 20.0)).abs() < 0.01, "{back:?}");
    }

    #[test]
    fn random_graphs_do_not_overlap() {
        // A small linear congruential generator: the cases must be the same on every run.
        let mut seed = 7_u64;
        let mut next = |below: usize| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % below
        };
        for _ in 0..200 {
            let count = 2 + next(12);
            let pairs: Vec<_> = (0..next(20))
                .map(|_| (next(count), next(count)))
                .filter(|(from, to)| from != to)
                .collect();
            check(count, &pairs, Flow::Down);
            check(count, &pairs, Flow::Right);
        }
    }
}
