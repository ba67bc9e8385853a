//! How do roots become a report? Each is told as a finding; together they make the verdict.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use unwedge_trace::{AgentId, AgentKind, MarkKind, ObjectKind};

use crate::evidence;
use crate::findings::{self, Cause, FindingKind};
use crate::graph::ring::Stop;
use crate::graph::{Level, Reason};
use crate::liveness::Shape;
use crate::replay::State;
use crate::report::{Finding, Report, Statistics, VERSION, Verdict};
use crate::story::{Scene, Step, Story};
use crate::{notes, picture, words};

/// Roots that are told; of the rest only the number is.
const FINDINGS_MAX: usize = 64;
/// Other waiters listed with a finding.
const ALSO_WAITING_MAX: usize = 64;
/// Things that are missing, and faults, that are listed.
const LISTED_MAX: usize = 32;

/// A finding with what its place in the order depends on.
struct Told {
    finding: Finding,
    wedged: bool,
    missing: Vec<String>,
    threads: usize,
    waited_ns: u64,
    /// The waiter, if the root is what it waits for directly: such findings are alike.
    direct: Option<AgentId>,
}

/// Turns what was made of a recording by `source` into the report.
pub(crate) fn report(source: &str, scene: Scene<'_, '_>) -> Report {
    let Scene { state, live, .. } = scene;
    let mut told: Vec<Told> = live
        .roots
        .iter()
        .filter_map(|root| Story::of(scene, root))
        .take(FINDINGS_MAX)
        .filter_map(|story| tell(&story))
        .collect();
    if told.iter().any(|told| told.finding.code != findings::NOT_A_WAIT) {
        told.retain(|told| told.finding.code != findings::NOT_A_WAIT);
    }
    told.sort_by_key(|told| {
        (!told.wedged, Reverse(told.threads), Reverse(told.waited_ns), told.finding.code)
    });
    let told = merge(told);
    let thin = thin_evidence(state);
    let verdict = if told.iter().any(|told| told.wedged) {
        Verdict::Wedged
    } else if !told.is_empty() || !thin.is_empty() {
        Verdict::Inconclusive
    } else {
        Verdict::Progressing
    };
    let mut notes = notes::notes(scene);
    let untold = live.roots.len().saturating_sub(FINDINGS_MAX);
    if untold > 0 {
        notes.push(format!("up to {untold} more roots are not told"));
    }
    let missing =
        if verdict == Verdict::Inconclusive { missing(state, &told, thin) } else { Vec::new() };
    Report {
        unwedge_report: VERSION,
        verdict,
        findings: told.into_iter().map(|told| told.finding).collect(),
        agents: notes::agents(scene),
        events_lost: state.events_lost,
        source: source.to_owned(),
        missing,
        injected: injected(state),
        notes,
        statistics: Statistics::default(),
        graph: picture::draw(scene),
    }
}

fn tell(story: &Story<'_, '_>) -> Option<Told> {
    let (kind, cause) = findings::classify(story)?;
    let thin = if cause.absence { thin_for(story) } else { shaken(story).into_iter().collect() };
    let wedged = story.root.level == Level::No && cause.conclusive && thin.is_empty();
    let mut missing = cause.missing.clone();
    missing.extend(thin);
    let direct = story.steps.len() <= 2 && matches!(story.root.shape, Shape::Limited(_));
    Some(Told {
        finding: finding(story, kind, cause, wedged),
        wedged,
        missing,
        threads: story.threads(),
        waited_ns: story.waited_ns(),
        direct: story.waiters.first().copied().filter(|_| direct),
    })
}

fn finding(story: &Story<'_, '_>, kind: &FindingKind, cause: Cause, conclusive: bool) -> Finding {
    let state = story.scene.state;
    let mut facts = evidence::of_story(story);
    facts.extend(cause.facts);
    let mut sentence = cause.sentence;
    if let Some(fault) = fault(story) {
        sentence.push_str(&format!(" (injected: {fault})"));
    }
    let first = story.waiters.first().copied();
    let waited_for = story.first_point().or_else(|| state.wait(first?)?.points.first().copied());
    let others = story.waiters.iter().skip(1).take(ALSO_WAITING_MAX);
    let mut evidence = evidence::lines(state.now, facts);
    let left_out = story.links_left_out();
    if left_out > 0 {
        evidence.push(format!("{left_out} links in the middle of the chain are left out"));
    }
    Finding {
        code: kind.code,
        name: kind.name,
        sentence,
        conclusive,
        waiter: first.and_then(|id| state.summarise_waiter(id)),
        object: waited_for.map(|point| state.summarise_object(point)),
        chain: story.links(),
        evidence,
        remedy: cause.remedy,
        also_waiting: others.filter_map(|id| state.summarise_waiter(*id)).collect(),
    }
}

/// The fault that was injected on an object of the chain.
fn fault(story: &Story<'_, '_>) -> Option<String> {
    let state = story.scene.state;
    story.objects().into_iter().find_map(|id| {
        let marks = state.object(id)?.marks.iter().rev();
        let mark = marks
            .filter_map(|index| state.marks.get(*index))
            .find(|mark| mark.kind == MarkKind::Injected)?;
        Some(words::printable(mark.text))
    })
}

/// Findings that differ only in which of its points a wait lacks are one.
fn merge(told: Vec<Told>) -> Vec<Told> {
    let mut kept: Vec<Told> = Vec::new();
    let mut places: BTreeMap<(&'static str, AgentId), (usize, usize)> = BTreeMap::new();
    for one in told {
        let Some(waiter) = one.direct else {
            kept.push(one);
            continue;
        };
        let next = kept.len();
        let (place, count) = places.entry((one.finding.code, waiter)).or_insert((next, 0));
        *count += 1;
        if *place == next {
            kept.push(one);
        } else {
            join(&mut kept[*place].finding, one.finding);
        }
    }
    for (place, count) in places.into_values().filter(|(_, count)| *count > 1) {
        let more = count - 1;
        let others = if more == 1 { "one more".to_owned() } else { format!("{more} more") };
        kept[place].finding.sentence.push_str(&format!("; and {others} of its points alike"));
    }
    kept
}

/// Takes a finding of the same kind into another about the same wait.
fn join(finding: &mut Finding, other: Finding) {
    finding.evidence.push(format!("also: {}", other.sentence));
    let shown = finding.waiter.as_ref().map(|waiter| waiter.agent);
    let mut listed: BTreeSet<u32> =
        finding.also_waiting.iter().map(|waiter| waiter.agent).collect();
    listed.extend(shown);
    finding
        .also_waiting
        .extend(other.also_waiting.into_iter().filter(|one| listed.insert(one.agent)));
}

/// Why "nothing on record" may only mean "not on record", for the objects of a chain.
fn thin_for(story: &Story<'_, '_>) -> Vec<String> {
    let state = story.scene.state;
    let mut kinds: BTreeSet<ObjectKind> = BTreeSet::new();
    kinds.extend(story.objects().into_iter().map(|id| state.object_kind(id)));
    let mut thin: Vec<String> = lost(state).into_iter().collect();
    thin.extend(
        kinds
            .into_iter()
            .filter_map(|kind| unobserved(state, kind).or_else(|| unseen(state, kind))),
    );
    thin
}

/// What was seen may have come to an end unseen, if events were lost since: a lock that is held was released, a wait is over, a
/// batch has passed. What was lost before does not matter to it.
fn shaken(story: &Story<'_, '_>) -> Option<String> {
    let state = story.scene.state;
    let limit = match story.root.shape {
        Shape::Limited(reason) => Some(reason),
        Shape::Cycle | Shape::ClosedCircle => None,
    };
    let last = story.steps.len().saturating_sub(1);
    let is_shaken = story.steps.iter().enumerate().any(|(place, step)| {
        let Step::Agent { agent, debt } = step else { return false };
        let passed = debt.and_then(|debt| state.reached_at(debt.after?));
        let since = match (limit, passed) {
            // The batch was seen to pass: from then on the signal was due.
            (Some(Reason::Lost), Some(passed)) if place == last => Some(passed),
            // It does not recover, whatever was lost.
            (Some(Reason::Ring(Stop::Fatal)), _) if place == last => None,
            _ => debt.map(|debt| debt.at),
        };
        let stood = matches!(limit, Some(Reason::Starved | Reason::Stalled)) && place == last;
        let state_at = state.agent(*agent).map(|agent| agent.state_at).filter(|_| stood);
        since.into_iter().chain(state_at).any(|at| state.lost_since(at))
            || acted_since(state, *agent)
    });
    let count = state.events_lost;
    is_shaken
        .then(|| format!("{count} events were lost, and one of them may have ended what is blamed"))
}

/// Whether events were lost and the agent got something done after its wait began: then it is likely that the wait is over.
fn acted_since(state: &State<'_>, id: AgentId) -> bool {
    let Some(agent) = state.agent(id) else { return false };
    let Some(wait) = &agent.wait else { return false };
    let thread = !matches!(agent.kind, AgentKind::GpuQueue | AgentKind::PresentationEngine);
    let acted = agent.last_activity().is_some_and(|at| at > wait.since);
    state.events_lost > 0 && thread && acted
}

/// A few waits do not show how well a kind of object is covered; but if none of them has a signal on record, its signals come
/// from where nobody looks, and that there is none now says nothing.
fn unseen(state: &State<'_>, kind: ObjectKind) -> Option<String> {
    let reached = state.never_explained(kind)?;
    let kind = words::a_kind(kind);
    Some(format!(
        "who signals {kind}: {reached} waits on one succeeded, and none of them has a signal on record"
    ))
}

fn lost(state: &State<'_>) -> Option<String> {
    let count = state.events_lost;
    (count > 0)
        .then(|| format!("{count} events were lost, and what is looked for may be among them"))
}

fn unobserved(state: &State<'_>, kind: ObjectKind) -> Option<String> {
    let (explained, reached) = state.poorly_covered(kind)?;
    let kind = words::a_kind(kind);
    Some(format!(
        "who signals {kind}: of {reached} waits on one that succeeded only {explained} have a signal on record"
    ))
}

/// Why the open waits of this recording can neither be accused nor acquitted.
fn thin_evidence(state: &State<'_>) -> Vec<String> {
    let waits: Vec<_> = state.agents.keys().filter_map(|id| state.old_wait(*id)).collect();
    if waits.is_empty() {
        return Vec::new();
    }
    let kinds: BTreeSet<_> = waits
        .iter()
        .flat_map(|wait| &wait.points)
        .map(|point| state.object_kind(point.object))
        .collect();
    let mut thin: Vec<String> = lost(state).into_iter().collect();
    thin.extend(kinds.into_iter().filter_map(|kind| unobserved(state, kind)));
    thin
}

/// What would have to be known for a firmer answer.
fn missing(state: &State<'_>, told: &[Told], thin: Vec<String>) -> Vec<String> {
    let marks = state.marks.iter().filter(|mark| mark.kind == MarkKind::Unobserved);
    let all = told
        .iter()
        .flat_map(|told| told.missing.clone())
        .chain(thin)
        .chain(marks.map(|mark| words::printable(mark.text)));
    unique(all)
}

fn injected(state: &State<'_>) -> Vec<String> {
    let marks = state.marks.iter().filter(|mark| mark.kind == MarkKind::Injected);
    unique(marks.map(|mark| words::printable(mark.text)))
}

fn unique(all: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    all.filter(|text| seen.insert(text.clone())).take(LISTED_MAX).collect()
}
