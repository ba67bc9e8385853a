//! How alike are two sides, and what is to be said of it?

use unwedge_trace::MarkKind;
use unwedge_trace::row::{Op, mark_from_code};

use super::common::common;
use super::context::Search;
use super::departures::{self, Partings};
use super::difference::{
    Departure, Difference, Differing, Divergence, Identity, Likeness, Order, Pairing, SideSummary,
};
use super::fingerprint::Totals;
use super::luck::Luck;
use super::matching::{Given, Match, Matches, matches};
use super::say::{self, count};
use super::side::Side;

/// Agents, and objects, whose pairing is listed.
const PAIRINGS_MAX: usize = 1000;
/// Departures that are listed.
const DEPARTURES_MAX: usize = 64;
/// Lone agents that are named.
const LONE_MAX: usize = 3;

/// Whether the time of an event is part of what it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Times {
    /// Times are the host's: two runs of one program never have the same.
    #[default]
    Ignore,
    /// Times are virtual.
    Compare,
}

/// What is said beside the two recordings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// What the recordings are called.
    pub names: [String; 2],
    /// Who is who, as far as the user says.
    pub given: Given,
    /// A recording is a stretch of what happened: it may begin and end anywhere, and numbers of signals are not its own.
    pub partial: bool,
    /// Whether the same run must have the same times.
    pub times: Times,
    /// The change that was tried.
    pub change: Option<String>,
}

/// Compares two sides that were read to their ends. The search is for a second pass, if the first event that differs is
/// wanted.
#[must_use]
pub fn compare(a: &Side, b: &Side, choice: &Choice) -> (Difference, Search) {
    let (of_a, of_b) = (a.totals(), b.totals());
    let totals = [&of_a, &of_b];
    let found = matches(a, b, totals, &choice.given);
    let mut difference = Difference {
        unwedge_diff: 1,
        same: true,
        likeness: Likeness::Identical,
        sentence: String::new(),
        sides: [side(a, &of_a, &choice.names[0]), side(b, &of_b, &choice.names[1])],
        identical: None,
        divergence: None,
        differing: differing(a, b, totals, &found),
        departures: Vec::new(),
        never_signalled: Vec::new(),
        never_met: Vec::new(),
        stopped: Vec::new(),
        progress: Vec::new(),
        counts: Vec::new(),
        rates: Vec::new(),
        unobserved: Vec::new(),
        agents: agents(a, b, totals, &found.agents),
        objects: objects(a, b, totals, &found.objects),
        notes: notes(a, b, &found),
        change: choice.change.clone(),
        inert: false,
    };
    if of_a.hash == of_b.hash && of_a.events == of_b.events {
        return alike_in_all(difference, [a, b], totals, choice);
    }
    let luck = Luck::new([a, b], &found, choice.partial);
    difference.rates = luck.rates();
    difference.progress = luck.progress();
    difference.unobserved = luck.unobserved();
    let mut search = Search::new(a, b, totals, &found);
    let same = difference.differing;
    difference.likeness = if same.agents + same.objects == 0 {
        Likeness::Interleaved
    } else {
        judge(&mut difference, a, b, &found, &luck, choice)
    };
    difference.same = difference.likeness != Likeness::Different;
    if search.is_empty() {
        difference.divergence = introduction(a, b, totals, &found);
    }
    if choice.times == Times::Compare {
        search.add_times(a, b);
    }
    difference.sentence = sentence(&difference);
    (difference, search)
}

/// One run, event by event; its times may be others.
fn alike_in_all(
    mut difference: Difference,
    [a, b]: [&Side; 2],
    [of_a, of_b]: [&Totals; 2],
    choice: &Choice,
) -> (Difference, Search) {
    let times = of_a.times == of_b.times;
    let mut search = Search::default();
    if times || choice.times == Times::Ignore {
        difference.identical = Some(Identity { events: of_a.events, hash: hash(of_a), times });
        difference.inert = true;
        difference.sentence = identical(&difference, times);
    } else {
        difference.likeness = Likeness::Retimed;
        search.add_times(a, b);
        difference.sentence = format!(
            "the same {} in the same order, at other virtual times",
            count(of_a.events, "event")
        );
    }
    (difference, search)
}

fn identical(difference: &Difference, times: bool) -> String {
    let events = count(difference.sides[0].events, "event");
    let with = if times { "times included" } else { "apart from their times" };
    let identical = format!("bit-identical: {events}, {with}");
    match &difference.change {
        Some(change) => {
            let change = crate::words::printable(change);
            format!(
                "{identical}; {change} is inert on this run: it made no difference to one event"
            )
        }
        None => identical,
    }
}

/// Whether two engines did the same, and if not, in what not.
fn judge(
    difference: &mut Difference,
    a: &Side,
    b: &Side,
    found: &Matches,
    luck: &Luck<'_>,
    choice: &Choice,
) -> Likeness {
    let common = common(a, b, found, choice.partial);
    let mut out = Partings::default();
    for agent in &found.agents {
        departures::compare([a, b], agent, &common, choice.partial, &mut out);
    }
    let Partings { mut departures, counts, cut } = out;
    departures
        .sort_by_key(|departure: &Departure| (departure.at_ns, std::cmp::Reverse(departure.steps)));
    let many = departures.len();
    departures.truncate(DEPARTURES_MAX);
    if many > DEPARTURES_MAX {
        let more = count((many - DEPARTURES_MAX) as u64, "more agent");
        difference.notes.push(format!("{more} part, too, and are not listed"));
    }
    if cut > 0 {
        let agents = count(cut as u64, "agent");
        difference.notes.push(format!(
            "the recordings of {agents} begin or end elsewhere; only what both have is compared"
        ));
    }
    difference.notes.extend(common.notes);
    difference.departures = departures;
    difference.counts = counts;
    difference.never_signalled = luck.never_signalled();
    (difference.never_met, difference.stopped) = luck.stuck();
    let lone = lone(difference, a, b, found, choice.partial);
    let parted = !difference.departures.is_empty()
        || !difference.never_signalled.is_empty()
        || !difference.never_met.is_empty()
        || !difference.stopped.is_empty();
    if parted || lone { Likeness::Different } else { Likeness::Alike }
}

/// Whether one side has agents with steps that the other has not; what they are goes into the notes.
fn lone(difference: &mut Difference, a: &Side, b: &Side, found: &Matches, partial: bool) -> bool {
    let mut any = false;
    let is_in_b: std::collections::HashSet<u32> =
        found.agents.iter().map(|found| found.b).collect();
    let known = [
        |found: &Matches, _: &std::collections::HashSet<u32>, place: usize| {
            found.agent_in_b[place].is_some()
        },
        |_: &Matches, is_in_b: &std::collections::HashSet<u32>, place: usize| {
            u32::try_from(place).is_ok_and(|place| is_in_b.contains(&place))
        },
    ];
    for (side, (name, known)) in [a, b].into_iter().zip(["A", "B"].into_iter().zip(known)) {
        let doings = side.sketch.agents.iter().enumerate();
        let alone =
            doings.filter(|(place, doings)| doings.steps > 0 && !known(found, &is_in_b, *place));
        let alone: Vec<String> = alone
            .map(|(place, _)| side.say_agent(u32::try_from(place).unwrap_or(u32::MAX)))
            .collect();
        if !alone.is_empty() {
            any = true;
            let names = crate::words::list(&alone, LONE_MAX);
            difference.notes.push(format!("only {name} has {names}"));
        }
    }
    // A stretch need not have everyone in it.
    any && !partial
}

fn sentence(difference: &Difference) -> String {
    let Differing { agents, agents_of, objects, objects_of } = difference.differing;
    let some = |some: usize, of: usize, name: &str| {
        format!("{} of {}", say::number(some as u64), count(of as u64, name))
    };
    match difference.likeness {
        Likeness::Identical | Likeness::Retimed => String::new(),
        Likeness::Interleaved => format!(
            "each of {} and each of {} has the same events in the same order; only the interleaving differs",
            count(agents_of as u64, "agent"),
            count(objects_of as u64, "object"),
        ),
        Likeness::Alike if agents == 0 => format!(
            "each of {} has the same events in the same order; {} see them in another order",
            count(agents_of as u64, "agent"),
            some(objects, objects_of, "object"),
        ),
        Likeness::Alike => format!(
            "each of {} takes the same steps; times, scheduling and counts of polls differ",
            count(agents_of as u64, "agent"),
        ),
        Likeness::Different => {
            let first = difference.never_met.first().map(|unmet| &unmet.sentence);
            let first = first.or(difference.stopped.first().map(|stop| &stop.sentence));
            let first = first.or(difference.never_signalled.first().map(|one| &one.sentence));
            let first = first.or(difference.departures.first().map(|one| &one.sentence));
            let differ = format!("{} differ", some(agents, agents_of, "agent"));
            first.map_or_else(|| differ.clone(), |first| format!("{first} ({differ})"))
        }
    }
}

fn side(side: &Side, totals: &Totals, name: &str) -> SideSummary {
    SideSummary {
        name: name.to_owned(),
        events: totals.events,
        agents: side.things.agents.len(),
        objects: side.things.objects.len(),
        span_ns: side.print.end.saturating_sub(side.print.begin),
        events_lost: side.print.lost,
        hash: hash(totals),
    }
}

fn hash(totals: &Totals) -> String {
    format!("{:032x}", totals.hash)
}

fn differing(a: &Side, b: &Side, totals: [&Totals; 2], found: &Matches) -> Differing {
    let unlike = |x: &[u64], y: &[u64], matches: &[Match]| {
        matches.iter().filter(|found| x[found.a as usize] != y[found.b as usize]).count()
    };
    let alone = |x: usize, y: usize, matched: usize| x + y - 2 * matched;
    let (agents, objects) = (found.agents.len(), found.objects.len());
    let [x, y] = totals;
    let lone_agents = alone(a.things.agents.len(), b.things.agents.len(), agents);
    let lone_objects = alone(a.things.objects.len(), b.things.objects.len(), objects);
    Differing {
        agents: unlike(&x.agents, &y.agents, &found.agents) + lone_agents,
        agents_of: agents + lone_agents,
        objects: unlike(&x.objects, &y.objects, &found.objects) + lone_objects,
        objects_of: objects + lone_objects,
    }
}

/// What the pairing of all agents looks like; those without their like come last.
fn agents(a: &Side, b: &Side, totals: [&Totals; 2], found: &[Match]) -> Vec<Pairing> {
    let events = |side: &Side, place: u32| side.print.agents[place as usize].events();
    let say = |side: &Side, place: u32| side.say_agent(place);
    let equal =
        |found: &Match| totals[0].agents[found.a as usize] == totals[1].agents[found.b as usize];
    pairings([a, b], [a.things.agents.len(), b.things.agents.len()], found, &say, &events, &equal)
}

fn objects(a: &Side, b: &Side, totals: [&Totals; 2], found: &[Match]) -> Vec<Pairing> {
    let events = |side: &Side, place: u32| side.print.objects[place as usize].rows();
    let say = |side: &Side, place: u32| side.say_object(place);
    let equal =
        |found: &Match| totals[0].objects[found.a as usize] == totals[1].objects[found.b as usize];
    pairings([a, b], [a.things.objects.len(), b.things.objects.len()], found, &say, &events, &equal)
}

fn pairings(
    sides: [&Side; 2],
    counts: [usize; 2],
    found: &[Match],
    say: &dyn Fn(&Side, u32) -> String,
    events: &dyn Fn(&Side, u32) -> u64,
    equal: &dyn Fn(&Match) -> bool,
) -> Vec<Pairing> {
    let matched = found.iter().map(|found| Pairing {
        a: Some(say(sides[0], found.a)),
        b: Some(say(sides[1], found.b)),
        how: Some(found.how),
        events: [events(sides[0], found.a), events(sides[1], found.b)],
        identical: equal(found),
    });
    let mut out: Vec<Pairing> = matched.take(PAIRINGS_MAX).collect();
    for side in [0, 1] {
        let known: std::collections::HashSet<u32> =
            found.iter().map(|found| if side == 0 { found.a } else { found.b }).collect();
        let all = 0..u32::try_from(counts[side]).unwrap_or(u32::MAX);
        for place in all.filter(|place| !known.contains(place)) {
            if out.len() >= PAIRINGS_MAX {
                return out;
            }
            let name = Some(say(sides[side], place));
            let mut numbers = [0, 0];
            numbers[side] = events(sides[side], place);
            let (a, b) = if side == 0 { (name, None) } else { (None, name) };
            out.push(Pairing { a, b, how: None, events: numbers, identical: false });
        }
    }
    out
}

fn notes(a: &Side, b: &Side, found: &Matches) -> Vec<String> {
    let mut notes = found.unused.clone();
    for (side, name) in [(a, "A"), (b, "B")] {
        if side.print.lost > 0 {
            let lost = count(side.print.lost, "event");
            notes.push(format!("{name} lost {lost}: what seems to be missing may be among them"));
        }
        let injected =
            side.sketch.steps.steps.iter().filter(|step| {
                step.op == Op::Mark && mark_from_code(step.code) == MarkKind::Injected
            });
        for step in injected.take(LONE_MAX) {
            let text = crate::words::printable(side.sketch.steps.text(step.text));
            notes.push(format!("in {name} a fault was injected on purpose: {text}"));
        }
        if side.events() == 0 {
            notes.push(format!("{name} has no event"));
        }
        notes.extend(
            side.complaints().into_iter().map(|complaint| format!("{name} has {complaint}")),
        );
    }
    notes
}

/// The events are the same, and what agents and objects are said to be is not.
fn introduction(a: &Side, b: &Side, totals: [&Totals; 2], found: &Matches) -> Option<Divergence> {
    let [x, y] = totals;
    let mut objects = found.objects.iter();
    let object = objects.find(|one| x.objects[one.a as usize] != y.objects[one.b as usize]);
    let mut agents = found.agents.iter();
    let agent = agents.find(|one| x.agents[one.a as usize] != y.agents[one.b as usize]);
    let (left, right) = match (object, agent) {
        (Some(one), _) => (a.say_object(one.a), b.say_object(one.b)),
        (None, Some(one)) => (a.say_agent(one.a), b.say_agent(one.b)),
        (None, None) => return None,
    };
    let sentence = format!("the events are the same, but what is {left} in A is {right} in B");
    Some(Divergence {
        order: Order::Introduction,
        agent: object.is_none().then(|| left.clone()),
        object: object.map(|_| left),
        index: None,
        sentence,
        a: Vec::new(),
        b: Vec::new(),
    })
}
