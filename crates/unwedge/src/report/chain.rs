//! In which steps does a reader follow a finding's chain? With the arrows' words, and loops closed.

use unwedge_analyze::Report;
use unwedge_analyze::report::{Finding, Graph, Link};

use super::counts::grouped;
use super::words;

/// Links that are shown from either end of a long chain; those between are counted.
const ENDS: usize = 24;

/// One stop on the way from the waiter to the root.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// It can wait and signal; otherwise it is waited on.
    pub(super) agent: bool,
    /// What it is, in words, for an agent.
    pub(super) kind: &'static str,
    /// How it is called.
    pub(super) name: String,
    /// The arrow that leads here from the step before: "waits on", "owed by". Empty at the head.
    pub(super) via: String,
}

/// A chain, from the waiter down.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Chain {
    /// The stops, each once.
    pub(super) steps: Vec<Step>,
    /// For a cycle: the stop that the last one leads back to, and the arrow's words.
    pub(super) back: Option<(usize, String)>,
}

/// The chain of `finding`. A link that repeats an earlier one closes a cycle and ends the chain.
pub(super) fn chain(report: &Report, finding: &Finding) -> Chain {
    let links = &finding.chain;
    if links.len() > 3 * ENDS {
        return long(report, links);
    }
    let mut steps = Vec::new();
    for (index, link) in links.iter().enumerate() {
        let via = if index == 0 { String::new() } else { arrow(&report.graph, links, index) };
        if let Some(first) = links[..index].iter().position(|earlier| same(earlier, link)) {
            return Chain { steps, back: Some((first, via)) };
        }
        steps.push(step(link, via));
    }
    Chain { steps, back: None }
}

/// As [`chain`], without the middle. A long chain repeats a link at its end if anywhere.
fn long(report: &Report, links: &[Link]) -> Chain {
    let start = links.iter().position(|link| same(link, &links[links.len() - 1]));
    let start = start.filter(|start| start + 1 < links.len());
    let end = links.len() - usize::from(start.is_some());
    let told = |index: usize| {
        let via = if index == 0 { String::new() } else { arrow(&report.graph, links, index) };
        step(&links[index], via)
    };
    let mut steps: Vec<Step> = (0..ENDS).map(told).collect();
    let left_out = format!("… {} more …", grouped((end - 2 * ENDS) as u64));
    steps.push(Step { agent: true, kind: "", name: left_out, via: String::new() });
    steps.extend((end - ENDS..end).map(told));
    let back = start.map(|start| {
        // Where the middle was, if it leads there.
        let shown = if start + ENDS >= end { start + 2 * ENDS + 1 - end } else { start.min(ENDS) };
        (shown, arrow(&report.graph, links, links.len() - 1))
    });
    Chain { steps, back }
}

fn step(link: &Link, via: String) -> Step {
    match link {
        Link::Agent { agent, kind, name } => {
            let kind = words::agent_kind(*kind);
            let name = if name.is_empty() { format!("{kind} #{agent}") } else { name.clone() };
            Step { agent: true, kind, name, via }
        }
        Link::Object { object } => Step {
            agent: false,
            kind: words::object_kind(object.kind),
            name: words::object(object),
            via,
        },
    }
}

/// One agent has one id; an object is the same whatever value is waited for.
fn same(one: &Link, other: &Link) -> bool {
    match (one, other) {
        (Link::Agent { agent: one, .. }, Link::Agent { agent: other, .. }) => one == other,
        (Link::Object { object: one }, Link::Object { object: other }) => one == other,
        _ => false,
    }
}

/// The words on the arrow that leads to `links[index]`: the graph's where it tells, or the usual.
fn arrow(graph: &Graph, links: &[Link], index: usize) -> String {
    let id = |link: Option<&Link>| match link {
        Some(Link::Agent { agent, .. }) => Some(format!("a{agent}")),
        _ => None,
    };
    let (usual, found) = match &links[index] {
        Link::Object { .. } => {
            let waiter = id(links.get(index - 1));
            let debtor = id(links.get(index + 1));
            let labels = graph
                .edges
                .iter()
                .filter(|edge| Some(&edge.from) == waiter.as_ref())
                .filter(|edge| debtor.as_ref().is_none_or(|debtor| leads(graph, &edge.to, debtor)))
                .map(|edge| edge.label.as_str());
            ("waits on", only(labels))
        }
        Link::Agent { agent, .. } => {
            let debtor = format!("a{agent}");
            let waiter = index.checked_sub(2).and_then(|before| id(links.get(before)));
            let labels = graph
                .edges
                .iter()
                .filter(|edge| edge.to == debtor)
                .filter(|edge| {
                    waiter.as_ref().is_none_or(|waiter| leads(graph, waiter, &edge.from))
                })
                .map(|edge| edge.label.as_str());
            ("owed by", only(labels))
        }
    };
    found.unwrap_or(usual).to_owned()
}

fn leads(graph: &Graph, from: &str, to: &str) -> bool {
    graph.edges.iter().any(|edge| edge.from == from && edge.to == to)
}

/// The label, if there is one and they all agree.
fn only<'a>(mut labels: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let first = labels.next().filter(|label| !label.is_empty())?;
    labels.all(|label| label == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn a_repeated_link_closes_a_cycle() {
        let report = samples::two_queues().report;
        let chain = chain(&report, &report.findings[0]);
        assert_eq!(chain.steps.len(), 6);
        assert_eq!(chain.back, Some((2, "owed by".to_owned())));
    }

    #[test]
    fn the_graph_knows_the_words_on_an_arrow() {
        let report = samples::inconclusive().report;
        let chain = chain(&report, &report.findings[0]);
        let via: Vec<&str> = chain.steps.iter().map(|step| step.via.as_str()).collect();
        assert_eq!(via, ["", "waits on", "used to be signalled by"]);
    }

    #[test]
    fn of_a_long_chain_both_ends_are_told() {
        let mut report = samples::two_queues().report;
        let link = |agent| Link::Agent {
            agent,
            kind: unwedge_trace::AgentKind::HostThread,
            name: format!("thread {agent}"),
        };
        // How many there are, which one the last leads back to, and which stop shows that.
        for (count, back, shown) in [
            (100_000, None, None),
            (90, Some(3), Some(3)),
            (90, Some(40), Some(24)),
            (90, Some(88), Some(47)),
        ] {
            report.findings[0].chain = (0..count).chain(back).map(link).collect();
            let chain = super::chain(&report, &report.findings[0]);
            assert_eq!(chain.steps.len(), 2 * ENDS + 1);
            assert_eq!(
                chain.steps[ENDS].name,
                format!("… {} more …", grouped(u64::from(count) - 48))
            );
            assert_eq!(
                chain.steps.last().map(|step| step.name.clone()),
                Some(format!("thread {}", count - 1))
            );
            assert_eq!(chain.back.map(|(stop, _)| stop), shown, "{count} {back:?}");
        }
    }
}
