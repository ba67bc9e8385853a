//! Who is signalled, whose waits are met, how fast? Objects and pairs of both sides, side by side.

use std::collections::BTreeMap;

use unwedge_trace::ObjectKind;

use super::difference::{Deed, Pace, Progress, Rate, Silence, Unobserved, Which};
use super::matching::{Match, Matches};
use super::say;
use super::side::Side;
use super::sketch::Open;
use super::tally::Tally;
use crate::histogram::Histogram;
use crate::summary::rhythm;

/// Rates that are listed, the busiest first.
const RATES_MAX: usize = 24;
/// That nothing gets done is said when nothing has for so many times the longest usual gap, and at least for so long.
/// Nanoseconds.
const SILENCE_TIMES: u64 = 10;
const SILENCE_MIN: u64 = 1_000_000_000;

pub(super) const SIDES: [Which; 2] = [Which::A, Which::B];

/// What was done to the matched objects.
pub(super) struct Luck<'s> {
    pub(super) sides: [&'s Side; 2],
    pub(super) matches: &'s Matches,
    pub(super) partial: bool,
    /// By A's object: all that was done to it, on each side.
    objects: Vec<(Match, [Tally; 2])>,
    /// By matched agent and object, in A's numbers.
    pub(super) pairs: BTreeMap<(u32, u32), [Option<&'s Tally>; 2]>,
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

    /// How often an object, in A's numbers, is signalled on a side.
    pub(super) fn signals(&self, side: usize, object: u32) -> u64 {
        let found = self.objects.binary_search_by_key(&object, |(found, _)| found.a);
        found.map_or(0, |place| self.objects[place].1[side].signals)
    }

    /// What gets done on both sides, the busiest first.
    pub(super) fn progress(&self) -> Vec<Progress> {
        let mut by_text: BTreeMap<&str, [Option<&Tally>; 2]> = BTreeMap::new();
        for (side, recording) in self.sides.into_iter().enumerate() {
            for (text, tally) in &recording.sketch.progress {
                by_text.entry(recording.sketch.steps.text(*text)).or_default()[side] = Some(tally);
            }
        }
        let of = |side: usize, tally: Option<&Tally>| {
            let print = &self.sides[side].print;
            let pace = tally
                .map_or_else(Pace::default, |tally| pace(tally, Deed::Signals, self.sides[side]));
            let last = tally.map(|tally| print.end.saturating_sub(tally.last_at));
            (pace, last)
        };
        let mut out: Vec<Progress> = by_text
            .into_iter()
            .map(|(text, tallies)| {
                let ((a, silence_a), (b, silence_b)) = (of(0, tallies[0]), of(1, tallies[1]));
                let said = [0, 1].map(|side: usize| {
                    done(tallies[side], [silence_a, silence_b][side], SIDES[side])
                });
                let what = crate::words::printable(text);
                let sentence = format!("{what}: {}; {}", said[0], said[1]);
                Progress { what, a, b, silence_ns: [silence_a, silence_b], sentence }
            })
            .collect();
        out.sort_by_key(|progress| std::cmp::Reverse(progress.a.count.max(progress.b.count)));
        out.truncate(RATES_MAX);
        out
    }

    /// In a side's own numbers.
    pub(super) fn numbers(&self, side: usize, agent: u32, object: u32) -> Option<(u32, u32)> {
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

/// `6 times in A, and not in its last 5985 s`.
fn done(tally: Option<&Tally>, silence: Option<u64>, side: Which) -> String {
    let letter = side.letter();
    let (Some(tally), Some(silence)) = (tally, silence) else {
        return format!("never in {letter}");
    };
    let gap = tally.signal_gaps.quantile(900).unwrap_or(0);
    let lull = if silence >= SILENCE_MIN && silence / SILENCE_TIMES >= gap {
        format!(", and not in its last {}", say::gap(silence))
    } else {
        say::rhythm(&tally.signal_gaps)
    };
    format!("{} in {letter}{lull}", say::times(tally.signals))
}

/// ` in vkWaitForFences`; nothing where no call is known.
pub(super) fn call(side: &Side, open: &Open) -> String {
    match side.sketch.steps.text(open.call) {
        "" => String::new(),
        call => format!(" in {}", crate::words::printable(call)),
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
        shape: rhythm(gaps),
        median_gap_ns: gaps.median(),
        low_gap_ns: gaps.quantile(100),
        high_gap_ns: gaps.quantile(900),
    }
}
