//! How does a wait graph look? Boxes and arrows in SVG: waiters first, roots marked, loops drawn as loops.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;

use unwedge_analyze::report::{Edge, Graph, Node};

use super::layout::{Arrow, Flow, Layout, Route, Xy, layout};
use super::page::{escape, shorten};

/// The widest that parts of the graph are put side by side, and that one may grow before its
/// layers become columns. The page's text is about as wide.
const WIDTH: f64 = 960.0;
/// Free space between parts, and around the picture for strokes and badges.
const MARGIN: f64 = 14.0;
/// Free space between parts that have nothing to do with each other.
const GAP_PARTS: f64 = 30.0;
/// Upper bounds of a letter's width in the two sizes of the monospaced faces that readers have.
const TITLE_LETTER: f64 = 7.9;
const SMALL_LETTER: f64 = 6.4;
/// Letters that fit in the widest box.
const TITLE_LETTERS_MAX: usize = 26;
const DETAIL_LETTERS_MAX: usize = 32;
const LABEL_LETTERS_MAX: usize = 26;
const PADDING: f64 = 14.0;

/// As many waiters for one thing are drawn as a crowd with one arrow.
const CROWD_MIN: usize = 6;
const CHIP_HEIGHT: f64 = 24.0;
const CHIP_GAP: f64 = 6.0;
const CROWD_HEAD: f64 = 28.0;

/// The wait graph as one SVG element; a sentence where there is nothing to draw.
pub(super) fn wait_graph(graph: &Graph) -> String {
    if graph.nodes.is_empty() {
        return "<p class=\"empty\">Nobody waits on anything.</p>".to_owned();
    }
    let picture = Picture::new(graph);
    let size = picture.size;
    let mut out = format!(
        "<svg id=\"wait-graph\" role=\"img\" aria-label=\"Wait graph\" \
         aria-describedby=\"wait-graph-text\" width=\"{w:.0}\" height=\"{h:.0}\" \
         viewBox=\"0 0 {w:.0} {h:.0}\">\n<desc id=\"wait-graph-text\">{desc}</desc>\n{MARKERS}",
        w = size.x,
        h = size.y,
        desc = escape(&in_words(graph)),
    );
    for part in &picture.parts {
        for (bundle, route) in part.bundles.iter().zip(&part.layout.routes) {
            draw_edge(&mut out, graph, bundle, route, part);
        }
    }
    for part in &picture.parts {
        for (block, at) in part.blocks.iter().zip(&part.layout.nodes) {
            let size = block_size(graph, block);
            let corner =
                Xy { x: at.x + part.at.x - size.x / 2.0, y: at.y + part.at.y - size.y / 2.0 };
            match block[..] {
                [node] => draw_node(&mut out, &graph.nodes[node], corner, graph),
                _ => draw_crowd(&mut out, graph, block, corner),
            }
        }
    }
    out.push_str("</svg>");
    out
}

const MARKERS: &str = "<defs>\
<marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"7.5\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path class=\"tip\" d=\"M0 0.5 8 4 0 7.5 2 4z\"/></marker>\
<marker id=\"arrow-hot\" viewBox=\"0 0 8 8\" refX=\"7.5\" refY=\"4\" markerWidth=\"9\" markerHeight=\"9\" \
markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path class=\"tip hot\" d=\"M0 0.5 8 4 0 7.5 2 4z\"/></marker>\
</defs>\n";

/// For a reader who cannot see it; the chains and the table tell the rest.
fn in_words(graph: &Graph) -> String {
    let title = |id: &str| {
        graph.nodes.iter().find(|node| node.id == id).map_or("?", |node| node.title.as_str())
    };
    let mut text = format!("{} nodes, {} arrows.", graph.nodes.len(), graph.edges.len());
    for edge in graph.edges.iter().take(40) {
        let _ = write!(text, " {} {} {}.", title(&edge.from), edge.label, title(&edge.to));
    }
    let more = graph.edges.len().saturating_sub(40);
    if more > 0 {
        let _ = write!(text, " And {more} more.");
    }
    text
}

/// Nodes that hang together, placed.
struct Part {
    /// Indices of nodes that are drawn as one: mostly one, many for a crowd.
    blocks: Vec<Vec<usize>>,
    /// Indices of edges that are drawn as one, without those from a node to itself.
    bundles: Vec<Vec<usize>>,
    layout: Layout,
    at: Xy,
}

struct Picture {
    parts: Vec<Part>,
    size: Xy,
}

impl Picture {
    /// Places each part as high as it fits, and there as far left.
    fn new(graph: &Graph) -> Self {
        let mut parts = parts(graph);
        let mut size = Xy::default();
        for index in 0..parts.len() {
            let (placed, rest) = parts.split_at_mut(index);
            let part = &mut rest[0];
            part.at = free(placed, part.layout.size);
            size.x = size.x.max(part.at.x + part.layout.size.x + MARGIN);
            size.y = size.y.max(part.at.y + part.layout.size.y + MARGIN);
        }
        Self { parts, size }
    }
}

/// The highest free place for `size` at the left border or right of a part that is placed.
fn free(placed: &[Part], size: Xy) -> Xy {
    // Enough to find a good place; a graph of thousands of parts is a list anyway.
    let near = &placed[placed.len().saturating_sub(60)..];
    let right = near.iter().map(|part| part.at.x + part.layout.size.x + GAP_PARTS);
    let fits = right.filter(|x| x + size.x <= WIDTH - MARGIN);
    let places = std::iter::once(MARGIN).chain(fits).map(|x| {
        let below = near
            .iter()
            .filter(|part| part.at.x < x + size.x + GAP_PARTS)
            .filter(|part| x < part.at.x + part.layout.size.x + GAP_PARTS)
            .map(|part| part.at.y + part.layout.size.y + GAP_PARTS);
        Xy { x, y: below.fold(MARGIN, f64::max) }
    });
    let better = |one: &Xy, other: &Xy| (one.y, one.x).partial_cmp(&(other.y, other.x));
    places
        .min_by(|one, other| better(one, other).unwrap_or(std::cmp::Ordering::Equal))
        .unwrap_or(Xy { x: MARGIN, y: MARGIN })
}

/// The connected parts: first those with a root, then the other wedged, larger before smaller.
fn parts(graph: &Graph) -> Vec<Part> {
    let index: HashMap<&str, usize> =
        graph.nodes.iter().enumerate().map(|(index, node)| (node.id.as_str(), index)).collect();
    let ends: Vec<Option<(usize, usize)>> = graph
        .edges
        .iter()
        .map(|edge| Some((*index.get(edge.from.as_str())?, *index.get(edge.to.as_str())?)))
        .collect();
    let mut home: Vec<usize> = (0..graph.nodes.len()).collect();
    for (from, to) in ends.iter().flatten() {
        let (from, to) = (find(&mut home, *from), find(&mut home, *to));
        home[from.max(to)] = from.min(to);
    }
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); graph.nodes.len()];
    let mut edges: Vec<Vec<usize>> = vec![Vec::new(); graph.nodes.len()];
    for node in 0..graph.nodes.len() {
        members[find(&mut home, node)].push(node);
    }
    for (edge, ends) in ends.iter().enumerate() {
        if let Some((from, to)) = ends.filter(|(from, to)| from != to) {
            debug_assert_eq!(find(&mut home, from), find(&mut home, to));
            edges[find(&mut home, from)].push(edge);
        }
    }
    let filled = members.into_iter().zip(edges).filter(|(members, _)| !members.is_empty());
    let mut parts: Vec<Part> =
        filled.map(|(nodes, edges)| part(graph, &ends, nodes, edges)).collect();
    let has = |part: &Part, is: fn(&Node) -> bool| {
        part.blocks.iter().flatten().any(|node| is(&graph.nodes[*node]))
    };
    parts.sort_by_key(|part| {
        let rank = (!has(part, |node| node.root), !has(part, |node| node.wedged));
        (rank, std::cmp::Reverse(part.blocks.len()))
    });
    parts
}

fn find(home: &mut [usize], node: usize) -> usize {
    let mut at = node;
    while home[at] != at {
        home[at] = home[home[at]];
        at = home[at];
    }
    at
}

type Ends = [Option<(usize, usize)>];

fn part(graph: &Graph, ends: &Ends, nodes: Vec<usize>, edges: Vec<usize>) -> Part {
    let crowds = crowds(graph, ends, &nodes, &edges);
    let crowded: HashSet<usize> = crowds.iter().flatten().map(|edge| start(ends, *edge)).collect();
    let members = crowds.iter().map(|crowd| crowd.iter().map(|edge| start(ends, *edge)).collect());
    let alone = nodes.iter().filter(|node| !crowded.contains(node)).map(|node| vec![*node]);
    let blocks: Vec<Vec<usize>> = members.chain(alone).collect();
    let alone = edges.iter().filter(|edge| !crowded.contains(&start(ends, **edge)));
    let bundles: Vec<Vec<usize>> =
        crowds.iter().cloned().chain(alone.map(|edge| vec![*edge])).collect();
    let home: HashMap<usize, usize> = blocks
        .iter()
        .enumerate()
        .flat_map(|(block, nodes)| nodes.iter().map(move |node| (*node, block)))
        .collect();
    let sizes: Vec<Xy> = blocks.iter().map(|block| block_size(graph, block)).collect();
    let arrows: Vec<Arrow> = bundles
        .iter()
        .filter_map(|bundle| {
            let (from, to) = ends[bundle[0]]?;
            Some(Arrow {
                from: home[&from],
                to: home[&to],
                label: label_size(&label(graph, bundle)),
            })
        })
        .collect();
    let down = layout(&sizes, &arrows, Flow::Down);
    let layout = if down.size.x > WIDTH - 2.0 * MARGIN {
        layout(&sizes, &arrows, Flow::Right)
    } else {
        down
    };
    Part { blocks, bundles, layout, at: Xy::default() }
}

/// Where an edge of a part starts. Every edge of a part has both its ends.
fn start(ends: &Ends, edge: usize) -> usize {
    ends[edge].map_or(usize::MAX, |(from, _)| from)
}

/// The edges of each crowd: waiters that wait for one and the same thing and for whom nobody waits.
fn crowds(graph: &Graph, ends: &Ends, nodes: &[usize], edges: &[usize]) -> Vec<Vec<usize>> {
    let mut touching: HashMap<usize, usize> = HashMap::new();
    for (from, to) in edges.iter().filter_map(|edge| ends[*edge]) {
        *touching.entry(from).or_default() += 1;
        *touching.entry(to).or_default() += 1;
    }
    let mut crowds: BTreeMap<(usize, &str), Vec<usize>> = BTreeMap::new();
    for edge in edges {
        let Some((from, to)) = ends[*edge] else { continue };
        if touching.get(&from) == Some(&1) && !graph.nodes[from].root {
            crowds.entry((to, graph.edges[*edge].label.as_str())).or_default().push(*edge);
        }
    }
    debug_assert!(nodes.len() > crowds.len() || nodes.is_empty());
    crowds.into_values().filter(|crowd| crowd.len() >= CROWD_MIN).collect()
}

/// The words on an arrow; how many arrows it stands for, if it does.
fn label(graph: &Graph, bundle: &[usize]) -> String {
    let label = &graph.edges[bundle[0]].label;
    match bundle.len() {
        1 => label.clone(),
        many => format!("{many} × {label}"),
    }
}

fn block_size(graph: &Graph, block: &[usize]) -> Xy {
    match block[..] {
        [node] => size(&graph.nodes[node]),
        _ => {
            let (columns, chip) = chips(graph, block);
            let rows = block.len().div_ceil(columns) as f64;
            let columns = columns as f64;
            Xy {
                x: columns * (chip + CHIP_GAP) - CHIP_GAP + 2.0 * PADDING,
                y: CROWD_HEAD + rows * (CHIP_HEIGHT + CHIP_GAP) - CHIP_GAP + PADDING,
            }
        }
    }
}

/// How many columns a crowd stands in, and how wide each is.
fn chips(graph: &Graph, block: &[usize]) -> (usize, f64) {
    let letters = |node: &usize| graph.nodes[*node].title.chars().count().min(TITLE_LETTERS_MAX);
    let most = block.iter().map(letters).max().unwrap_or(0) as f64;
    let columns = (block.len() as f64 / 3.0).sqrt().round().clamp(2.0, 4.0);
    (columns as usize, (most * SMALL_LETTER + 18.0).round())
}

fn size(node: &Node) -> Xy {
    let letters = |text: &str, most: usize| text.chars().count().min(most) as f64;
    let title = letters(&node.title, TITLE_LETTERS_MAX) * TITLE_LETTER;
    let kind = (node.kind.chars().count() + if node.root { 7 } else { 0 }) as f64 * SMALL_LETTER;
    let detail = letters(&node.detail, DETAIL_LETTERS_MAX) * SMALL_LETTER;
    let x = title.max(kind).max(detail).max(96.0) + 2.0 * PADDING;
    Xy { x: x.round(), y: if node.detail.is_empty() { 46.0 } else { 62.0 } }
}

fn label_size(label: &str) -> Xy {
    let letters = label.chars().count().min(LABEL_LETTERS_MAX) as f64;
    Xy { x: letters * SMALL_LETTER + 12.0, y: 16.0 }
}

fn moved(at: Xy, by: Xy) -> Xy {
    Xy { x: at.x + by.x, y: at.y + by.y }
}

fn open_node(out: &mut String, node: &Node, corner: Xy, more: &str) {
    let class = |is: bool, name: &'static str| if is { name } else { "" };
    let _ = write!(
        out,
        "<g class=\"node {role}{wedged}{root}{more}\" data-node=\"{id}\" \
         transform=\"translate({left:.1} {top:.1})\"><title>{tip}</title>",
        role = if node.role == "agent" { "agent" } else { "object" },
        wedged = class(node.wedged, " wedged"),
        root = class(node.root, " root"),
        id = escape(&node.id),
        left = corner.x,
        top = corner.y,
        tip = escape(&tip(node)),
    );
}

/// A frame with a row of small boxes for each few of its members.
fn draw_crowd(out: &mut String, graph: &Graph, block: &[usize], corner: Xy) {
    let Xy { x: width, y: height } = block_size(graph, block);
    let (columns, chip) = chips(graph, block);
    let kind = &graph.nodes[block[0]].kind;
    let same = block.iter().all(|node| graph.nodes[*node].kind == *kind);
    let who =
        if same { format!("{} {kind}s", block.len()) } else { format!("{} agents", block.len()) };
    let wedged = if block.iter().all(|node| graph.nodes[*node].wedged) { " wedged" } else { "" };
    let _ = write!(
        out,
        "<g class=\"crowd{wedged}\" transform=\"translate({:.1} {:.1})\">\
         <rect class=\"box\" width=\"{width}\" height=\"{height}\" rx=\"9\"/>\
         <text class=\"kind\" x=\"{PADDING}\" y=\"18\">{}</text></g>",
        corner.x,
        corner.y,
        escape(&who),
    );
    for (index, node) in block.iter().enumerate() {
        let (column, row) = ((index % columns) as f64, (index / columns) as f64);
        let at = Xy {
            x: corner.x + PADDING + column * (chip + CHIP_GAP),
            y: corner.y + CROWD_HEAD + row * (CHIP_HEIGHT + CHIP_GAP),
        };
        open_node(out, &graph.nodes[*node], at, " chip");
        let title = shorten(&graph.nodes[*node].title, TITLE_LETTERS_MAX);
        let _ = writeln!(
            out,
            "<rect class=\"box\" width=\"{chip}\" height=\"{CHIP_HEIGHT}\" rx=\"5\"/>\
             <text class=\"detail\" x=\"9\" y=\"16\">{}</text></g>",
            escape(&title)
        );
    }
}

fn draw_node(out: &mut String, node: &Node, corner: Xy, graph: &Graph) {
    let Xy { x: width, y: height } = size(node);
    open_node(out, node, corner, "");
    // An agent is a plate with rounded corners, an object a ticket with cut ones.
    if node.role == "agent" {
        let _ = write!(out, "<rect class=\"box\" width=\"{width}\" height=\"{height}\" rx=\"9\"/>");
    } else {
        let (right, bottom) = (width - 9.0, height - 9.0);
        let _ = write!(
            out,
            "<path class=\"box\" d=\"M9 0H{right}L{width} 9V{bottom}L{right} {height}H9L0 {bottom}V9z\"/>"
        );
    }
    let _ =
        write!(out, "<text class=\"kind\" x=\"{PADDING}\" y=\"18\">{}</text>", escape(&node.kind));
    if node.root {
        let right = width - PADDING;
        let _ = write!(
            out,
            "<text class=\"badge\" x=\"{right}\" y=\"18\" text-anchor=\"end\">root</text>"
        );
    }
    let title = shorten(&node.title, TITLE_LETTERS_MAX);
    let _ = write!(out, "<text class=\"title\" x=\"{PADDING}\" y=\"35\">{}</text>", escape(&title));
    if !node.detail.is_empty() {
        let detail = shorten(&node.detail, DETAIL_LETTERS_MAX);
        let _ = write!(
            out,
            "<text class=\"detail\" x=\"{PADDING}\" y=\"51\">{}</text>",
            escape(&detail)
        );
    }
    for edge in graph.edges.iter().filter(|edge| edge.from == node.id && edge.to == node.id) {
        draw_loop(out, edge, width, height);
    }
    out.push_str("</g>\n");
}

/// An agent that waits for itself: a loop at its corner, inside the margin.
fn draw_loop(out: &mut String, edge: &Edge, width: f64, height: f64) {
    let middle = height / 2.0;
    let _ = write!(
        out,
        "<g class=\"edge hot\"><title>{}</title><path class=\"line\" marker-end=\"url(#arrow-hot)\" \
         d=\"M{width} {:.1}C{right:.1} {:.1} {right:.1} {:.1} {width} {:.1}\"/></g>",
        escape(&edge.label),
        middle - 9.0,
        middle - 16.0,
        middle + 16.0,
        middle + 9.0,
        right = width + MARGIN,
    );
}

fn tip(node: &Node) -> String {
    let mut tip = format!("{}: {}", node.kind, node.title);
    if !node.detail.is_empty() {
        tip.push('\n');
        tip.push_str(&node.detail);
    }
    if node.root {
        tip.push_str("\nroot of the wedge");
    } else if node.wedged {
        tip.push_str("\ncannot proceed");
    }
    // A tooltip shows line breaks, and `escape` makes them spaces: say it with a dash instead.
    tip.replace('\n', " — ")
}

fn draw_edge(out: &mut String, graph: &Graph, bundle: &[usize], route: &Route, part: &Part) {
    let edge = &graph.edges[bundle[0]];
    let end = |id: &str| graph.nodes.iter().find(|node| node.id == id);
    let hot = [&edge.from, &edge.to].iter().all(|id| end(id).is_some_and(|node| node.wedged));
    let (class, marker) = if hot { ("edge hot", "arrow-hot") } else { ("edge", "arrow") };
    let middle = moved(route.label, part.at);
    let label = label(graph, bundle);
    let title = |id: &str| end(id).map_or("", |node| node.title.as_str());
    let from = if bundle.len() == 1 { title(&edge.from) } else { "" };
    let _ = writeln!(
        out,
        "<g class=\"{class}\"><title>{tip}</title><path class=\"line\" marker-end=\"url(#{marker})\" \
         d=\"{path}\"/><rect class=\"gap\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" \
         height=\"14\"/><text class=\"label\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text></g>",
        tip = escape(format!("{from} {label} {}", title(&edge.to)).trim()),
        path = path(route, part),
        width = label_size(&label).x - 6.0,
        left = middle.x - label_size(&label).x / 2.0 + 3.0,
        top = middle.y - 7.0,
        x = middle.x,
        y = middle.y + 3.5,
        text = escape(&shorten(&label, LABEL_LETTERS_MAX)),
    );
}

/// Straight through the layers that are passed, in curves between them.
fn path(route: &Route, part: &Part) -> String {
    let points: Vec<Xy> = route.points.iter().map(|at| moved(*at, part.at)).collect();
    let Some(first) = points.first() else { return String::new() };
    let mut path = format!("M{:.1} {:.1}", first.x, first.y);
    for (index, pair) in points.windows(2).enumerate() {
        let [from, to] = pair else { continue };
        if index % 2 == 1 {
            if from != to {
                let _ = write!(path, "L{:.1} {:.1}", to.x, to.y);
            }
            continue;
        }
        let (near, far) = match part.layout.flow {
            Flow::Down => {
                let bend = (from.y + to.y) / 2.0;
                (Xy { x: from.x, y: bend }, Xy { x: to.x, y: bend })
            }
            Flow::Right => {
                let bend = (from.x + to.x) / 2.0;
                (Xy { x: bend, y: from.y }, Xy { x: bend, y: to.y })
            }
        };
        let _ = write!(
            path,
            "C{:.1} {:.1} {:.1} {:.1} {:.1} {:.1}",
            near.x, near.y, far.x, far.y, to.x, to.y
        );
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn every_node_and_every_label_is_drawn() {
        for sample in samples::all() {
            let svg = wait_graph(&sample.report.graph);
            for node in &sample.report.graph.nodes {
                assert!(
                    svg.contains(&format!("data-node=\"{}\"", escape(&node.id))),
                    "{}",
                    node.id
                );
            }
            for edge in &sample.report.graph.edges {
                assert!(svg.contains(&escape(&shorten(&edge.label, LABEL_LETTERS_MAX))));
            }
        }
    }

    #[test]
    fn an_edge_to_nowhere_is_left_out() {
        let mut graph = samples::two_queues().report.graph;
        graph.edges[0].to = "o99:9".to_owned();
        assert_eq!(wait_graph(&graph).matches("<g class=\"edge").count(), graph.edges.len() - 1);
    }

    #[test]
    fn an_agent_that_waits_for_itself_has_a_loop() {
        let mut graph = samples::two_queues().report.graph;
        graph.edges[0].to = graph.edges[0].from.clone();
        assert_eq!(wait_graph(&graph).matches("<g class=\"edge").count(), graph.edges.len());
    }

    #[test]
    fn a_crowd_stands_together_behind_one_arrow() {
        let graph = samples::crowd().report.graph;
        let svg = wait_graph(&graph);
        assert_eq!(svg.matches(" chip\"").count(), 28);
        assert!(svg.contains(">28 × waits on</text>"), "{svg}");
        let picture = Picture::new(&graph);
        assert!(picture.size.x <= WIDTH && picture.size.y < 1400.0, "{:?}", picture.size);
    }
}
