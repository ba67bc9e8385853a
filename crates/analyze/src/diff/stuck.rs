//! Who does not get on on one side and does on the other? What explains the rest comes first.
//!
//! A wait that is open at the end, or that times out again and again, is explained by its debtors: those who signal the
//! object on the side where all is well. If all of them are stuck themselves, they are told before it.

use std::collections::{BTreeMap, BTreeSet};

use unwedge_trace::AgentState;
use unwedge_trace::row::state_from_code;

use super::difference::{Stop, Unmet};
use super::luck::{Luck, SIDES, call};
use super::say;
use super::sketch::Doings;
use super::tally::Tally;
use crate::words::list;

/// Waits that must have timed out in a row at the end before it is said that they are no longer met.
const TIMED_OUT_MIN: u64 = 16;
/// A wait that is open at the end is called one that does not end when it has been for so many times the longest that
/// was met, and at least for so long. Nanoseconds.
const OPEN_TIMES: u64 = 10;
const OPEN_MIN: u64 = 100_000_000;
/// A wait of which the other side knows nothing is told when it has been open for so long, and an agent that does
/// nothing more, too. Nanoseconds.
const ALONE_MIN: u64 = 1_000_000_000;
/// Debtors that are named.
const DEBTORS_MAX: usize = 2;

/// What keeps somebody from getting on.
struct Case {
    /// In A's numbers.
    agent: u32,
    /// In A's numbers, where both sides have it.
    object: Option<u32>,
    side: usize,
    waits: u64,
    /// For how long it has been so at the end; none for waits that time out. Nanoseconds.
    since: Option<u64>,
    debtors: BTreeSet<u32>,
    told: Told,
}

enum Told {
    Wait(Unmet),
    Stop(Stop),
}

impl Luck<'_> {
    /// Waits that one side's agent never gets over, and agents that one side's record has no more of; what explains
    /// others comes first.
    pub(super) fn stuck(&self) -> (Vec<Unmet>, Vec<Stop>) {
        let mut cases = self.unmet();
        cases.extend(self.only_here(&cases));
        cases.extend(self.stopped(&cases));
        let depths = depths(&cases);
        let mut order: Vec<(usize, Case)> = depths.into_iter().zip(cases).collect();
        order.sort_by_key(|(depth, case)| {
            (*depth, case.since.is_some(), std::cmp::Reverse((case.since, case.waits)), case.agent)
        });
        let (mut waits, mut stops) = (Vec::<Unmet>::new(), Vec::new());
        let mut known: BTreeMap<(u32, usize), usize> = BTreeMap::new();
        for (_, case) in order {
            match case.told {
                Told::Stop(stop) => stops.push(stop),
                Told::Wait(wait) => match case.object.filter(|_| case.since.is_some()) {
                    // Who waits for the same is in the same trouble.
                    Some(object) if known.contains_key(&(object, case.side)) => {
                        waits[known[&(object, case.side)]].also.push(wait.agent);
                    }
                    Some(object) => {
                        known.insert((object, case.side), waits.len());
                        waits.push(wait);
                    }
                    None => waits.push(wait),
                },
            }
        }
        (waits, stops)
    }

    /// Waits for what both sides have that are met on one side only.
    fn unmet(&self) -> Vec<Case> {
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
                let debtors = self.signallers(other, *object);
                let who = self.sides[0].say_agent(*agent);
                let what = self.sides[0].say_object(*object);
                let signals = self.who_signals([stuck, other], *object, &debtors);
                let sentence = match &open {
                    Some(open) => open_wait([&who, &what], [stuck, other], fine, open, &signals),
                    None => vain_waits([&who, &what], [stuck, other], [tally, fine], &signals),
                };
                let since = open.map(|(since, _)| since);
                out.push(Case {
                    agent: *agent,
                    object: Some(*object),
                    side: stuck,
                    waits: tally.waits,
                    since,
                    debtors,
                    told: Told::Wait(Unmet {
                        agent: who,
                        object: what,
                        side: SIDES[stuck],
                        open_ns: since,
                        also: Vec::new(),
                        sentence,
                    }),
                });
            }
        }
        out
    }

    /// Waits that have been open for long on one side, while the agent waits for no such thing on the other.
    fn only_here(&self, known: &[Case]) -> Vec<Case> {
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
                let told = |case: &Case| {
                    case.agent == found.a && case.side == stuck && case.since.is_some()
                };
                if same || *since < ALONE_MIN || known.iter().any(told) {
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
                let also = Vec::new();
                let wait = Unmet { agent, object, side, open_ns, also, sentence };
                out.push(Case {
                    agent: found.a,
                    object: None,
                    side: stuck,
                    waits: 1,
                    since: open_ns,
                    debtors: BTreeSet::new(),
                    told: Told::Wait(wait),
                });
            }
        }
        out
    }

    /// Agents that wait for nothing and of which there is nothing more for most of one side's time, while they go on
    /// to the end of the other.
    fn stopped(&self, known: &[Case]) -> Vec<Case> {
        let mut out = Vec::new();
        for found in &self.matches.agents {
            let places = [found.a, found.b];
            for (stuck, other) in [(0, 1), (1, 0)] {
                let of = |side: usize| {
                    let recording = self.sides[side];
                    let doings = &recording.sketch.agents[places[side] as usize];
                    let span = recording.print.end.saturating_sub(recording.print.begin);
                    (doings, recording.print.end.saturating_sub(doings.last_at), span)
                };
                let ((doings, silence, span), (fine, pause, _)) = (of(stuck), of(other));
                let told = |case: &Case| case.agent == found.a && case.side == stuck;
                let long = silence >= ALONE_MIN.max(span / 2) && pause <= silence / OPEN_TIMES;
                if self.partial || !long || !stops(doings, fine) || known.iter().any(told) {
                    continue;
                }
                let agent = self.sides[0].say_agent(found.a);
                let (who, else_) = (SIDES[stuck].letter(), SIDES[other].letter());
                let at_ns = doings.last_at.saturating_sub(self.sides[stuck].print.begin);
                let last = match doings.state.map(state_from_code) {
                    Some(AgentState::Ready) => ": it is ready, and never runs again",
                    Some(AgentState::Running) => ": it runs, and tells nothing more",
                    Some(AgentState::Blocked) => ": it is blocked, on what is not on record",
                    _ => "",
                };
                let sentence = format!(
                    "{agent} does nothing more in the last {} of {who}{last}; in {else_} it goes on to the end",
                    say::gap(silence)
                );
                out.push(Case {
                    agent: found.a,
                    object: None,
                    side: stuck,
                    waits: 0,
                    since: Some(silence),
                    debtors: BTreeSet::new(),
                    told: Told::Stop(Stop { agent, side: SIDES[stuck], at_ns, sentence }),
                });
            }
        }
        out
    }

    /// Agents that signal an object on a side, both in A's numbers.
    fn signallers(&self, side: usize, object: u32) -> BTreeSet<u32> {
        let signals =
            |tallies: &[Option<&Tally>; 2]| tallies[side].is_some_and(|tally| tally.signals > 0);
        let pairs =
            self.pairs.iter().filter(|((_, other), tallies)| *other == object && signals(tallies));
        pairs.map(|((agent, _), _)| *agent).collect()
    }

    /// `, signalled by guest thread 8 "render"`; that nobody is seen to where that is so.
    fn who_signals(
        &self,
        [stuck, other]: [usize; 2],
        object: u32,
        debtors: &BTreeSet<u32>,
    ) -> String {
        let names: Vec<String> =
            debtors.iter().map(|agent| self.sides[0].say_agent(*agent)).collect();
        if !names.is_empty() {
            return format!(", signalled by {}", list(&names, DEBTORS_MAX));
        }
        let silent = |side: usize| self.signals(side, object) == 0;
        match (silent(stuck), silent(other)) {
            (true, true) => {
                "; neither side records a signal of it: who sends it is unknown".to_owned()
            }
            (_, true) => {
                format!("; {} does not record a signal of it", SIDES[other].letter())
            }
            _ => String::new(),
        }
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
}

/// Whether an agent could go on and does not, and its like does far more.
fn stops(doings: &Doings, fine: &Doings) -> bool {
    doings.open.is_none() && !doings.exited && doings.steps > 0 && fine.steps / 2 >= doings.steps
}

/// By how many others each case is explained in turn; 0 for what nothing explains.
fn depths(cases: &[Case]) -> Vec<usize> {
    let stuck: BTreeSet<(u32, usize)> = cases.iter().map(|case| (case.agent, case.side)).collect();
    let explained = |case: &Case| {
        !case.debtors.is_empty()
            && case.debtors.iter().all(|debtor| stuck.contains(&(*debtor, case.side)))
            && !case.debtors.contains(&case.agent)
    };
    let mut depth_of: BTreeMap<(u32, usize), usize> = BTreeMap::new();
    let mut depths: Vec<Option<usize>> =
        cases.iter().map(|case| (!explained(case)).then_some(0)).collect();
    loop {
        for (case, depth) in cases.iter().zip(&depths) {
            if let Some(depth) = depth {
                let known = depth_of.entry((case.agent, case.side)).or_insert(*depth);
                *known = (*known).min(*depth);
            }
        }
        let mut changed = false;
        for (case, depth) in cases.iter().zip(&mut depths).filter(|(_, depth)| depth.is_none()) {
            let debtors = case.debtors.iter().map(|debtor| depth_of.get(&(*debtor, case.side)));
            if let Some(deepest) =
                debtors.collect::<Option<Vec<_>>>().and_then(|d| d.into_iter().max().copied())
            {
                *depth = Some(deepest + 1);
                changed = true;
            }
        }
        if !changed {
            // What is left explains each other in a circle.
            return depths.into_iter().map(Option::unwrap_or_default).collect();
        }
    }
}

/// `A waits for X in A, and has for 5985 s when the recording ends; in B all 32,259 such waits are met`.
fn open_wait(
    [agent, object]: [&str; 2],
    [stuck, other]: [usize; 2],
    fine: &Tally,
    (since, call): &(u64, String),
    signals: &str,
) -> String {
    let (who, else_) = (SIDES[stuck].letter(), SIDES[other].letter());
    // The last one may be open at the end, as it should.
    let met = match (fine.reached, fine.waits - fine.reached) {
        (1, 0 | 1) => "such a wait is met".to_owned(),
        (met, 0 | 1) => format!("{} such waits are met", say::number(met)),
        (met, _) => {
            format!("{} of {} such waits are met", say::number(met), say::number(fine.waits))
        }
    };
    format!(
        "{agent} waits{call} for {object} in {who}, and has for {} when the recording ends; in {else_} {met}{signals}",
        say::gap(*since)
    )
}

/// `A waits for X: in A all 6,549,579 waits of 30 ms time out; in B all 32,259 are met, 60.2 Hz, vsync-like`.
fn vain_waits(
    [agent, object]: [&str; 2],
    [stuck, other]: [usize; 2],
    [tally, fine]: [&Tally; 2],
    signals: &str,
) -> String {
    let (who, else_) = (SIDES[stuck].letter(), SIDES[other].letter());
    let which = if tally.reached == 0 {
        format!("all {}", say::number(tally.dry))
    } else {
        format!("the last {} of {}", say::number(tally.dry), say::number(tally.waits))
    };
    let met = if fine.waits - fine.reached <= 1 {
        format!("all {} are met", say::number(fine.reached))
    } else {
        format!("{} of {} are met", say::number(fine.reached), say::number(fine.waits))
    };
    let bound = match tally.bound {
        0 => format!(" time out{}", say::rhythm(&tally.wait_gaps)),
        bound => format!(" of {} time out", crate::words::duration(bound)),
    };
    format!(
        "{agent} waits for {object}: in {who} {which} waits{bound}; in {else_} {met}{}{signals}",
        say::rhythm(&fine.reached_gaps)
    )
}
