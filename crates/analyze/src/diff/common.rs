//! When is a step of A the same as one of B? Steps of both sides get numbers that are equal if they are.
//!
//! What one side plainly does not record is left out of both, and said.

use std::collections::{HashMap, HashSet};

use unwedge_trace::MarkKind;
use unwedge_trace::row::{NONE, Op, mark_from_code};

use super::matching::Matches;
use super::say::number;
use super::side::Side;
use super::step::Step;

/// A kind of event that one side never has, and the other at least so many kinds of steps of, is not recorded there.
const UNRECORDED_MIN: usize = 4;

/// For each side, by the number of its step: the common number, or [`LEFT_OUT`].
#[derive(Debug, Default)]
pub(super) struct Common {
    pub(super) numbers: [Vec<u32>; 2],
    pub(super) notes: Vec<String>,
}

pub(super) const LEFT_OUT: u32 = u32::MAX;

/// What a step is on both sides: objects and agents in common numbers, the text itself.
#[derive(PartialEq, Eq, Hash)]
struct Shared<'s> {
    op: Op,
    code: u8,
    delta: u32,
    object: u64,
    object2: u64,
    agent2: u64,
    text: &'s str,
}

/// Numbers the steps of both sides.
pub(super) fn common(a: &Side, b: &Side, matches: &Matches, partial: bool) -> Common {
    let sides = [a, b];
    let mut notes = Vec::new();
    let rules = Rules::new(sides, &mut notes, partial);
    let objects = [names(&matches.object_in_b), None];
    let agents = [names(&matches.agent_in_b), None];
    let mut shared: HashMap<Shared<'_>, u32> = HashMap::new();
    let mut numbers = [Vec::new(), Vec::new()];
    for (place, side) in sides.into_iter().enumerate() {
        for step in &side.sketch.steps.steps {
            if rules.leaves_out(side, step) {
                numbers[place].push(LEFT_OUT);
                continue;
            }
            let key = Shared {
                op: step.op,
                code: step.code,
                delta: if partial { 0 } else { step.delta },
                object: named(step.object, objects[place].as_deref()),
                object2: named(step.object2, objects[place].as_deref()),
                agent2: named(step.agent2, agents[place].as_deref()),
                text: rules.text(side, step),
            };
            let next = u32::try_from(shared.len()).unwrap_or(LEFT_OUT - 1);
            numbers[place].push(*shared.entry(key).or_insert(next));
        }
    }
    Common { numbers, notes }
}

/// By A's number the common one: B's, or one beyond all of B's.
fn names(in_b: &[Option<u32>]) -> Option<Vec<u64>> {
    let of = |(a, b): (usize, &Option<u32>)| b.map_or(1 << 40 | a as u64, u64::from);
    Some(in_b.iter().enumerate().map(of).collect())
}

fn named(thing: u32, table: Option<&[u64]>) -> u64 {
    match table {
        _ if thing == NONE => u64::MAX,
        Some(table) => table.get(thing as usize).copied().unwrap_or(u64::MAX),
        None => u64::from(thing),
    }
}

/// What is not compared.
struct Rules<'s> {
    /// Events that a side does not record.
    unrecorded: HashSet<Op>,
    /// Calls have other names on the other side.
    calls: bool,
    /// Remarks that both sides make.
    remarks: HashSet<&'s str>,
}

impl<'s> Rules<'s> {
    fn new(sides: [&'s Side; 2], notes: &mut Vec<String>, partial: bool) -> Self {
        let kinds = sides.map(|side| {
            let mut kinds: HashMap<Op, usize> = HashMap::new();
            for step in &side.sketch.steps.steps {
                *kinds.entry(step.op).or_default() += 1;
            }
            kinds
        });
        let mut unrecorded = HashSet::new();
        let least = if partial { 1 } else { UNRECORDED_MIN };
        for op in [Op::Owed, Op::Reset, Op::Aliased, Op::Mark, Op::Progress, Op::State] {
            let counts = [0, 1].map(|side: usize| kinds[side].get(&op).copied().unwrap_or(0));
            let silent = match counts {
                [0, some] if some >= least => "A",
                [some, 0] if some >= least => "B",
                _ => continue,
            };
            unrecorded.insert(op);
            notes.push(format!(
                "{silent} has no {} on record, so they are not compared",
                plural(op)
            ));
        }
        let calls = sides.map(|side| texts(side, |step| step.op == Op::WaitBegan));
        let shared = calls[0].intersection(&calls[1]).count();
        let same_calls = 2 * shared >= calls[0].len().min(calls[1].len());
        if !same_calls {
            notes.push(
                "calls have other names in A than in B, so their names are not compared".to_owned(),
            );
        }
        let logs = sides.map(|side| texts(side, is_remark));
        let mut remarks: HashSet<&str> = logs[0].intersection(&logs[1]).copied().collect();
        for (place, other, name) in [(0, 1, "A"), (1, 0, "B")] {
            let alone: Vec<&str> = logs[place].difference(&logs[other]).copied().collect();
            if alone.len() < least {
                remarks.extend(alone);
            } else if !unrecorded.contains(&Op::Mark) {
                let kinds = number(alone.len() as u64);
                notes.push(format!(
                    "{kinds} kinds of remarks are made in {name} alone, so they are not compared"
                ));
            }
        }
        Self { unrecorded, calls: same_calls, remarks }
    }

    fn leaves_out(&self, side: &Side, step: &Step) -> bool {
        self.unrecorded.contains(&step.op)
            || is_remark(step) && !self.remarks.contains(side.sketch.steps.text(step.text))
    }

    fn text<'t>(&self, side: &'t Side, step: &Step) -> &'t str {
        match step.op {
            Op::WaitBegan if !self.calls => "",
            _ => side.sketch.steps.text(step.text),
        }
    }
}

fn is_remark(step: &Step) -> bool {
    step.op == Op::Mark && mark_from_code(step.code) == MarkKind::Log
}

fn texts(side: &Side, wanted: impl Fn(&Step) -> bool) -> HashSet<&str> {
    let steps = &side.sketch.steps;
    steps.steps.iter().filter(|step| wanted(step)).map(|step| steps.text(step.text)).collect()
}

fn plural(op: Op) -> &'static str {
    match op {
        Op::Owed => "debts",
        Op::Reset => "resets",
        Op::Aliased => "aliases",
        Op::Mark => "remarks",
        Op::Progress => "progress",
        _ => "exits",
    }
}
