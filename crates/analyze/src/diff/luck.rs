//! Who is signalled, whose waits are met, how fast? Objects and pairs of both sides, side by side.

use std::collections::BTreeMap;

use unwedge_trace::ObjectKind;

use super::difference::{Deed, Pace, Rate, Silence, Unmet, Unobserved, Which};
use super::matching::{Match, Matches};
use super::say;
use super::side::Side;
use super::sketch::{Doings, Open};
use super::tally::Tally;
use crate::histogram::Histogram;

/// Rates that are listed, the busiest first.
const RATES_MAX: usize = 24;
/// Waits that must have timed out in a row at the end before it is said that they are no longer met.
const TIMED_OUT_MIN: u64 = 16;
/// A wait that is open at the end is called one that does not end when it has been for so many times the longest that
/// was met, and at least for so long. Nanoseconds.
const OPEN_TIMES: u64 = 10;
const OPEN_MIN: u64 = 100_000_000;

/// A wait of which the other side knows nothing is told when it has been open for so long. Nanoseconds.
const OPEN_ALONE_MIN: u64 = 1_000_000_000;

const SIDES: [Which; 2] = [Which::A, Which::B];

/// What was done to the matched objects.
pub(super) struct Luck<'s> {
    sides: [&'s Side; 2],
    matches: &'s Matches,
    partial: bool,
    /// By A's object: all that was done to it, on each side.
    objects: Vec<(Match, [Tally; 2])>,
    /// By matched agent and object, in A's numbers.
    pairs: BTreeMap<(u32, u32), [Option<&'s Tally>; 2]>,
}

impl<'s> Luck<'s> {
    pub(super) fn new(sides: [&'s Side; 2], matches: &'s Matches, partial: bool) -> Self {
        let by_object = [0, 1].map(|side: usize| {
            let mut tallies: Vec<Tally> = Vec::new();
            tallies.resize_with(sides[side].things.objects.len(), Tally::default);
            for (number, pair) in (0..).zip(sides[side].things.pairs()) {
                if let (Some(tally), Some(object)) =
                    (sides[side].sketch.tally(number), pair.object())
                {
                    tallies[object as usize].merge(tally);
                }
            }
            tallies
        });
        let [mut in_a, mut in_b] = by_object;
        let take =
            |tallies: &mut Vec<Tally>, place: u32| std::mem::take(&mut tallies[place as usize]);
        let objects = matches
            .objects
            .iter()
            .map(|found| (*found, [take(&mut in_a, found.a), take(&mut in_b, found.b)]))
            .collect();
        let pairs = pairs(sides, matches);
        Self { sides, matches, partial, objects, pairs }
    }

    /// Signals that one side sends and the other does not.
    pub(super) fn never_signalled(&self) -> Vec<Silence> {
        let mut out = Vec::new();
        for (found, tallies) in &self.objects {
            for (silent, other) in [(0, 1), (1, 0)] {
                let (none, some) = (&tallies[silent], &tallies[other]);
                // Waits that are met show that somebody signals, unseen.
                let silence = none.signals == 0 && none.reached == 0 && some.signals > 0;
                if !silence || self.partial && none.waits == 0 {
                    continue;
                }
                let object = self.sides[0].say_object(found.a);
                let (who, loud) = (SIDES[silent].letter(), SIDES[other].letter());
                let times = say::times(some.signals);
                let waited = match none.waits {
                    0 => String::new(),
                    waits => format!(", and waits for it in vain ({})", say::count(waits, "wait")),
                };
                let sentence = format!("{loud} signals {object} {times}, {who} never does{waited}");
                out.push((
                    none.waits,
                    some.signals,
                    Silence { object, side: SIDES[silent], signals: some.signals, sentence },
                ));
            }
        }
        out.sort_by_key(|(waits, signals, _)| std::cmp::Reverse((*waits, *signals)));
        out.into_iter().map(|(_, _, silence)| silence).collect()
    }

    /// Objects whose waits are met without a signal on record.
    pub(super) fn unobserved(&self) -> Vec<Unobserved> {
        let mut out = Vec::new();
        for (found, tallies) in &self.objects {
            let kind = self.sides[0].things.objects[found.a as usize].kind;
            let blind = |side: usize| tallies[side].signals == 0 && tallies[side].reached > 0;
            let silent = [0, 1].map(|side: usize| tallies[side].signals == 0);
            if kind == ObjectKind::Timer || !blind(0) && !blind(1) {
                continue;
            }
            let both = silent[0] && silent[1];
            let sides: Vec<usize> =
                (0..2).filter(|side| if both { silent[*side] } else { blind(*side) }).collect();
            let object = self.sides[0].say_object(found.a);
            let subject = match (both, sides.first()) {
                (true, _) => "neither side records".to_owned(),
                (false, side) => {
                    format!("{} does not record", SIDES[side.copied().unwrap_or(0)].letter())
                }
            };
            let met = (0..2).filter(|side| blind(*side)).map(|side| met(side, &tallies[side]));
            let met = met.collect::<Vec<_>>().join(" and ");
            let sentence = format!(
                "{subject} a signal of {object}, though {met}: that path is not observed, accuse nobody of it"
            );
            let sides = sides.into_iter().map(|side| SIDES[side]).collect();
            out.push(Unobserved { object, sides, sentence });
        }
        out
    }

    /// Waits that one side's agent never gets over, and the other's does.
    pub(super) fn never_met(&self) -> Vec<Unmet> {
        let mut out = Vec::new();
        for ((agent, object), tallies) in &self.pairs {
            for (stuck, other) in [(0, 1), (1, 0)] {
                let Some(fine) = tallies[other].filter(|tally| tally.reached > 0) else { continue };
                let Some(tally) = tallies[stuck] else { continue };
                let open = self.open(stuck, *agent, *object, tally.longest.max(fine.longest));
                let open = open.filter(|_| self.open(other, *agent, *object, 0).is_none());
                if open.is_none() && !self.in_vain(tally, fine) {
                    continue;
                }
                let agent = self.sides[0].say_agent(*agent);
                let object = self.sides[0].say_object(*object);
                let sentence = unmet([&agent, &object], [stuck, other], tally, fine, open.as_ref());
                let open_ns = open.map(|(since, _)| since);
                let side = SIDES[stuck];
                out.push((tally.waits, Unmet { agent, object, side, open_ns, sentence }));
            }
        }
        for unmet in self.only_here() {
            let known = |(_, known): &(u64, Unmet)| {
                known.agent == unmet.agent && known.side == unmet.side && known.open_ns.is_some()
            };
            if !out.iter().any(known) {
                out.push((1, unmet));
            }
        }
        out.sort_by_key(|(waits, unmet)| std::cmp::Reverse((unmet.open_ns, *waits)));
        out.into_iter().map(|(_, unmet)| unmet).collect()
    }

    /// Waits that have been open for long on one side, while the agent waits for no such thing on the other.
    fn only_here(&self) -> Vec<Unmet> {
        let mut out = Vec::new();
        for found in &self.matches.agents {
            let waits = [self.waits_at_end(0, found.a), self.waits_at_end(1, found.b)];
            for (stuck, other) in [(0, 1), (1, 0)] {
                let Some((object, since, call)) = &waits[stuck] else { continue };
                let elsewhere = waits[other].as_ref().map(|(object, ..)| *object);
                let like =
                    |a: u32, b: u32| self.matches.object_in_b.get(a as usize) == Some(&Some(b));
                let same = match (stuck, elsewhere) {
                    (_, None) => false,
                    (0, Some(theirs)) => like(*object, theirs),
                    (_, Some(theirs)) => like(theirs, *object),
                };
                if same || *since < OPEN_ALONE_MIN {
                    continue;
                }
                let agent = self.sides[0].say_agent(found.a);
                let object = self.sides[stuck].say_object(*object);
                let (who, else_) = (SIDES[stuck].letter(), SIDES[other].letter());
                let sentence = format!(
                    "{agent} waits{call} for {object} in {who}, and has for {} when the recording ends; in {else_} it does not",
                    say::gap(*since)
                );
                let (side, open_ns) = (SIDES[stuck], Some(*since));
                out.push(Unmet { agent, object, side, open_ns, sentence });
            }
        }
        out
    }

    /// What an agent waits for without a bound when its recording ends: the first object, for how long, in which call.
    fn waits_at_end(&self, side: usize, agent: u32) -> Option<(u32, u64, String)> {
        let recording = self.sides[side];
        let open = recording.sketch.agents.get(agent as usize)?.open.as_ref();
        let open = open.filter(|open| !open.bounded)?;
        let object = recording.things.get(*open.pairs.first()?)?.object()?;
        Some((object, recording.print.end.saturating_sub(open.since), call(recording, open)))
    }

    /// Whether all waits time out in the end, far longer than ever on the side where all is well.
    fn in_vain(&self, tally: &Tally, fine: &Tally) -> bool {
        let usual = fine.dry.max(fine.dry_longest).max(tally.dry_longest);
        let long = tally.dry >= TIMED_OUT_MIN && tally.dry / OPEN_TIMES >= usual;
        // A stretch may end in any lull.
        long && (!self.partial || tally.reached == 0)
    }

    /// For how long a wait of an agent on an object (in A's numbers) has been open at a side's end, if that is longer than
    /// such waits take.
    fn open(&self, side: usize, agent: u32, object: u32, longest: u64) -> Option<(u64, String)> {
        let (agent, object) = self.numbers(side, agent, object)?;
        let recording = self.sides[side];
        let doings: &Doings = recording.sketch.agents.get(agent as usize)?;
        let open = doings.open.as_ref().filter(|open| !open.bounded)?;
        let mut pairs = open.pairs.iter().filter_map(|pair| recording.things.get(*pair)?.object());
        let since = recording.print.end.saturating_sub(open.since);
        let long = longest.saturating_mul(OPEN_TIMES).max(OPEN_MIN);
        (pairs.any(|other| other == object) && since >= long)
            .then(|| (since, call(recording, open)))
    }

    fn numbers(&self, side: usize, agent: u32, object: u32) -> Option<(u32, u32)> {
        if side == 0 {
            return Some((agent, object));
        }
        let agent = self.matches.agent_in_b.get(agent as usize).copied().flatten()?;
        Some((agent, self.matches.object_in_b.get(object as usize).copied().flatten()?))
    }

    /// How often and how fast, the busiest first.
    pub(super) fn rates(&self) -> Vec<Rate> {
        let mut out = Vec::new();
        for ((agent, object), tallies) in &self.pairs {
            for deed in [Deed::Waits, Deed::Signals] {
                let [a, b] = [0, 1].map(|side: usize| {
                    tallies[side]
                        .map_or_else(Pace::default, |tally| pace(tally, deed, self.sides[side]))
                });
                if a.count.max(b.count) > 1 {
                    out.push((a.count.max(b.count), *agent, *object, deed, a, b));
                }
            }
        }
        out.sort_by_key(|(count, agent, object, deed, ..)| {
            (std::cmp::Reverse(*count), *agent, *object, *deed == Deed::Signals)
        });
        out.truncate(RATES_MAX);
        out.into_iter()
            .map(|(_, agent, object, deed, a, b)| Rate {
                agent: self.sides[0].say_agent(agent),
                object: self.sides[0].say_object(object),
                deed,
                a,
                b,
            })
            .collect()
    }
}

/// ` in vkWaitForFences`; nothing where no call is known.
fn call(side: &Side, open: &Open) -> String {
    match side.sketch.steps.text(open.call) {
        "" => String::new(),
        call => format!(" in {}", crate::words::printable(call)),
    }
}

/// How a wait is met on one side only.
fn unmet(
    [agent, object]: [&str; 2],
    [stuck, other]: [usize; 2],
    tally: &Tally,
    fine: &Tally,
    open: Option<&(u64, String)>,
) -> String {
    let (who, else_) = (SIDES[stuck].letter(), SIDES[other].letter());
    let fine = match fine.waits {
        1 => format!("in {else_} such a wait is met"),
        waits if waits == fine.reached => {
            format!("in {else_} all {} such waits are met", say::number(waits))
        }
        waits => {
            let (met, waits) = (say::number(fine.reached), say::number(waits));
            format!("in {else_} {met} of {waits} such waits are met")
        }
    };
    match open {
        Some((since, call)) => format!(
            "{agent} waits{call} for {object} in {who}, and has for {} when the recording ends; {fine}",
            say::gap(*since)
        ),
        None => {
            let which = if tally.reached == 0 {
                format!("all {}", say::number(tally.dry))
            } else {
                format!("the last {} of {}", say::number(tally.dry), say::number(tally.waits))
            };
            format!("{which} waits of {agent} for {object} time out in {who}; {fine}")
        }
    }
}

/// `B's waits for it are met every 16.61 ms`.
fn met(side: usize, tally: &Tally) -> String {
    let rate = tally.reached_gaps.median().map_or_else(
        || say::count(tally.reached, "time"),
        |gap| format!("every {}", say::gap(gap)),
    );
    format!("{}'s waits for it are met {rate}", SIDES[side].letter())
}

fn pairs<'s>(
    sides: [&'s Side; 2],
    matches: &Matches,
) -> BTreeMap<(u32, u32), [Option<&'s Tally>; 2]> {
    let mut pairs: BTreeMap<_, [Option<&Tally>; 2]> = BTreeMap::new();
    for (number, pair) in (0..).zip(sides[0].things.pairs()) {
        if let (Some(object), Some(tally)) = (pair.object(), sides[0].sketch.tally(number)) {
            pairs.entry((pair.agent, object)).or_default()[0] = Some(tally);
        }
    }
    let in_a = |found: &[Match]| -> BTreeMap<u32, u32> {
        found.iter().map(|found| (found.b, found.a)).collect()
    };
    let (agents, objects) = (in_a(&matches.agents), in_a(&matches.objects));
    for (number, pair) in (0..).zip(sides[1].things.pairs()) {
        let object = pair.object().and_then(|object| objects.get(&object));
        if let (Some(agent), Some(object), Some(tally)) =
            (agents.get(&pair.agent), object, sides[1].sketch.tally(number))
        {
            pairs.entry((*agent, *object)).or_default()[1] = Some(tally);
        }
    }
    // What has no like is told elsewhere.
    pairs.retain(|(agent, object), _| {
        matches.agent_in_b.get(*agent as usize).copied().flatten().is_some()
            && matches.object_in_b.get(*object as usize).copied().flatten().is_some()
    });
    pairs
}

fn pace(tally: &Tally, deed: Deed, side: &Side) -> Pace {
    let span = side.print.end.saturating_sub(side.print.begin);
    let (count, gaps): (u64, &Histogram) = match deed {
        Deed::Waits if tally.reached > 1 => (tally.waits, &tally.reached_gaps),
        Deed::Waits => (tally.waits, &tally.wait_gaps),
        Deed::Signals => (tally.signals, &tally.signal_gaps),
    };
    let waits = deed == Deed::Waits;
    Pace {
        count,
        met: if waits { tally.reached } else { 0 },
        timed_out: if waits { tally.timed_out } else { 0 },
        per_second: if span == 0 { 0.0 } else { count as f64 * 1e9 / span as f64 },
        median_gap_ns: gaps.median(),
        low_gap_ns: gaps.quantile(100),
        high_gap_ns: gaps.quantile(900),
    }
}
