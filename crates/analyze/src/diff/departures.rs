//! Where do the steps of an agent part from those of its like? Loops are folded, and how often a loop of polls went round
//! is a count, never a parting.

use std::collections::{BTreeMap, HashSet};

use super::align::{Alignment, Parting, align};
use super::collapse::{Collapser, Item, Sequence};
use super::common::{Common, LEFT_OUT};
use super::difference::{Count, Departure, Line};
use super::matching::Match;
use super::say;
use super::side::Side;

/// An agent's steps on one side, in common numbers, folded once more.
struct Steps<'s> {
    side: &'s Side,
    sequence: &'s Sequence,
    folded: Sequence,
}

/// What the steps of all agents tell.
#[derive(Debug, Default)]
pub(super) struct Partings {
    pub(super) departures: Vec<Departure>,
    pub(super) counts: Vec<Count>,
    /// Agents whose record begins or ends elsewhere on a side.
    pub(super) cut: usize,
}

/// Numbers of folded loops begin here, above those of all steps.
const LOOPS_FROM: u32 = 1 << 30;
/// By first step and rounds: the number of a loop whose rounds matter.
type Loops = BTreeMap<(u32, u64), u32>;
/// Counts that are listed.
const COUNTS_MAX: usize = 64;

/// Compares the steps of two agents. In partial recordings, what one side has more at its begin and its end is no parting.
pub(super) fn compare(
    sides: [&Side; 2],
    found: &Match,
    common: &Common,
    partial: bool,
    out: &mut Partings,
) {
    let doings =
        [&sides[0].sketch.agents[found.a as usize], &sides[1].sketch.agents[found.b as usize]];
    let polled: HashSet<u64> = [0, 1]
        .iter()
        .flat_map(|side: &usize| polls(&doings[*side].sequence, &common.numbers[*side]))
        .collect();
    let mut loops = Loops::new();
    let steps = [0, 1].map(|side: usize| {
        let counted = if partial { None } else { Some((&polled, &mut loops)) };
        Steps::new(sides[side], &doings[side].sequence, &common.numbers[side], counted)
    });
    let numbers = [0, 1].map(|side: usize| steps[side].numbers());
    let alignment = align(&numbers[0], &numbers[1]);
    let mut partings = alignment.partings.clone();
    if partial {
        let ends = [numbers[0].len(), numbers[1].len()];
        let before = partings.len();
        partings.retain(|parting| !is_cut(parting, ends));
        out.cut += usize::from(partings.len() < before);
    } else {
        partings.extend(other_counts(&steps, &alignment));
        partings.sort_by_key(|parting| (parting.a.start, parting.b.start));
    }
    out.counts.extend(counts(sides, found, &steps, &polled, common));
    out.counts.truncate(COUNTS_MAX);
    if let Some(first) = partings.first() {
        out.departures.push(departure(sides, found, &steps, first, &partings));
    }
}

/// The loops in which a wait timed out, as sets of their steps.
fn polls<'s>(sequence: &'s Sequence, numbers: &'s [u32]) -> impl Iterator<Item = u64> + 's {
    let loops = sequence.items.iter().enumerate();
    loops.filter_map(move |(place, item)| {
        let run = sequence.run_of(item).filter(|run| run.polls)?;
        Some(cycle(&sequence.items[place..], run.period, numbers))
    })
}

/// The same number for a loop wherever it is entered.
fn cycle(items: &[Item], period: u32, numbers: &[u32]) -> u64 {
    let steps = items.iter().take(period as usize);
    steps.fold(u64::from(period), |sum, item| {
        let step = u64::from(numbers[item.step as usize]) + 1;
        sum.wrapping_add(super::hash::mix(step ^ super::hash::SEEDS[0], super::hash::SEEDS[1]))
    })
}

impl<'s> Steps<'s> {
    /// `counted`: loops of polls, whose rounds do not matter; and the numbers given to the loops of which they do.
    fn new(
        side: &'s Side,
        sequence: &'s Sequence,
        numbers: &[u32],
        mut counted: Option<(&HashSet<u64>, &mut Loops)>,
    ) -> Self {
        let mut folded = Collapser::default();
        for (place, item) in sequence.items.iter().enumerate() {
            let mut number = numbers[item.step as usize];
            if number == LEFT_OUT {
                continue;
            }
            if let (Some((polled, loops)), Some(run)) = (&mut counted, sequence.run_of(item))
                && !polled.contains(&cycle(&sequence.items[place..], run.period, numbers))
            {
                let next = LOOPS_FROM + u32::try_from(loops.len()).unwrap_or(0);
                number = *loops.entry((number, sequence.rounds(item))).or_insert(next);
            }
            folded.push(number, place as u64);
        }
        Self { side, sequence, folded: folded.finish() }
    }

    fn numbers(&self) -> Vec<u32> {
        self.folded.items.iter().map(|item| item.step).collect()
    }

    /// The item that a folded one stands for.
    fn item(&self, place: usize) -> Option<&Item> {
        let item = usize::try_from(self.folded.items.get(place)?.at).ok()?;
        self.sequence.items.get(item)
    }

    fn at_ns(&self, place: usize) -> Option<u64> {
        Some(self.item(place)?.at.saturating_sub(self.side.print.begin))
    }

    fn line(&self, place: usize, differs: bool) -> Option<Line> {
        let (folded, item) = (self.folded.items.get(place)?, self.item(place)?);
        let step = self.side.sketch.steps.steps.get(item.step as usize)?;
        let times = self.folded.rounds(folded).max(self.sequence.rounds(item));
        Some(Line { text: self.side.say_step(step), at_ns: self.at_ns(place)?, times, differs })
    }
}

/// Something that only one side has, at its begin or its end.
fn is_cut(parting: &Parting, ends: [usize; 2]) -> bool {
    let one_sided = parting.a.is_empty() || parting.b.is_empty();
    let first = parting.a.start == 0 && parting.b.start == 0;
    let last = parting.a.end == ends[0] && parting.b.end == ends[1];
    one_sided && (first || last)
}

/// Loops of loops that agree but for the number of their rounds.
fn other_counts(steps: &[Steps<'_>; 2], alignment: &Alignment) -> Vec<Parting> {
    let pairs = alignment
        .common
        .iter()
        .flat_map(|(a, b, length)| (0..*length).map(move |n| (a + n, b + n)));
    let rounds = |side: usize, place: usize| {
        let folded = &steps[side].folded;
        folded.run_of(&folded.items[place]).map_or(1, |run| run.steps)
    };
    let differ = pairs.filter(|(a, b)| rounds(0, *a) != rounds(1, *b));
    differ.map(|(a, b)| Parting { a: a..a + 1, b: b..b + 1 }).collect()
}

/// How often the loops of polls went round in all.
fn counts(
    sides: [&Side; 2],
    found: &Match,
    steps: &[Steps<'_>; 2],
    polled: &HashSet<u64>,
    common: &Common,
) -> Vec<Count> {
    let mut rounds: BTreeMap<u64, ([u64; 2], Option<String>)> = BTreeMap::new();
    for side in [0, 1] {
        let sequence = steps[side].sequence;
        for (place, item) in sequence.items.iter().enumerate() {
            let Some(run) = sequence.run_of(item) else { continue };
            let items = &sequence.items[place..];
            let cycle = cycle(items, run.period, &common.numbers[side]);
            if !polled.contains(&cycle) {
                continue;
            }
            let entry = rounds.entry(cycle).or_default();
            entry.0[side] += sequence.rounds(item);
            entry.1.get_or_insert_with(|| {
                said(sides[side], &items[..items.len().min(run.period as usize)])
            });
        }
    }
    let agent = sides[0].say_agent(found.a);
    let differ = rounds.into_values().filter(|(rounds, _)| rounds[0] != rounds[1]);
    differ
        .map(|(rounds, step)| Count {
            agent: agent.clone(),
            step: step.unwrap_or_default(),
            rounds,
        })
        .collect()
}

/// A loop in the words of its first wait.
fn said(side: &Side, items: &[Item]) -> String {
    let steps = items.iter().filter_map(|item| side.sketch.steps.steps.get(item.step as usize));
    let wait = steps.clone().find(|step| step.op == unwedge_trace::row::Op::WaitBegan);
    wait.or(steps.clone().next()).map_or_else(String::new, |step| side.say_step(step))
}

fn departure(
    sides: [&Side; 2],
    found: &Match,
    steps: &[Steps<'_>; 2],
    first: &Parting,
    partings: &[Parting],
) -> Departure {
    let agent = sides[0].say_agent(found.a);
    let agent_b = Some(sides[1].say_agent(found.b)).filter(|name| *name != agent);
    let lines = |side: usize, range: &std::ops::Range<usize>| -> Vec<Line> {
        let around = sides[side].options().context;
        let begin = range.start.saturating_sub(around);
        let end = range.end.min(range.start + around) + around;
        (begin..end).filter_map(|place| steps[side].line(place, range.contains(&place))).collect()
    };
    let (a, b) = (lines(0, &first.a), lines(1, &first.b));
    let steps_differ =
        partings.iter().map(|parting| parting.a.len().max(parting.b.len()) as u64).sum();
    let at =
        steps[0].at_ns(first.a.start).or_else(|| steps[0].at_ns(first.a.start.checked_sub(1)?));
    Departure {
        sentence: sentence(&agent, &a, &b, first),
        agent,
        agent_b,
        at_ns: at.unwrap_or(0),
        steps: steps_differ,
        a,
        b,
    }
}

fn sentence(agent: &str, a: &[Line], b: &[Line], first: &Parting) -> String {
    let what = |lines: &[Line]| lines.iter().find(|line| line.differs).cloned();
    let often = |line: &Line| match line.times {
        1 => line.text.clone(),
        times => format!("{} ×{}", line.text, say::number(times)),
    };
    match (what(a), what(b)) {
        (Some(x), Some(y)) if x.text == y.text => {
            let [x_times, y_times] = [x.times, y.times].map(say::times);
            format!(
                "{agent}: a loop that begins with \"{}\" goes round {x_times} in A, {y_times} in B",
                x.text
            )
        }
        (Some(x), Some(y)) => {
            format!("{agent} parts: \"{}\" in A, \"{}\" in B", often(&x), often(&y))
        }
        (Some(x), None) => {
            let more = say::count(first.a.len() as u64, "step");
            format!("{agent} has {more} in A alone, from \"{}\" on", often(&x))
        }
        (None, Some(y)) => {
            let more = say::count(first.b.len() as u64, "step");
            format!("{agent} has {more} in B alone, from \"{}\" on", often(&y))
        }
        (None, None) => format!("{agent}: its steps part"),
    }
}
