//! What does an agent do, step by step? Rows become steps: what two engines can be expected to do alike.
//!
//! A step has no time, no amount and no number of a signal. That a wait was met or timed out is no step either: it
//! depends on time; that it failed is one. What an agent's scheduler thinks of it is none, and neither is a wait for what
//! is unknown.

use unwedge_trace::row::{
    Batch, NONE, Op, Row, mark_from_code, outcome_from_code, state_from_code,
};
use unwedge_trace::{AgentState, MarkKind, Outcome};

use super::fingerprint::Named;
use super::hash::QuickMap;

/// Steps of different content on one side; more are taken for one.
const STEPS_MAX: usize = 1 << 21;
/// Texts of different content on one side, likewise.
const TEXTS_MAX: usize = 1 << 20;

/// What a step is, in the numbers of its side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Step {
    pub(super) op: Op,
    /// As the row has it, without what depends on time; of a wait: 4 for "any", 1 for "bounded".
    pub(super) code: u8,
    /// Of a timeline value: how far it is from the agent's last one on the object.
    pub(super) delta: u32,
    pub(super) object: u32,
    pub(super) object2: u32,
    pub(super) agent2: u32,
    /// A place in the side's texts.
    pub(super) text: u32,
}

impl Step {
    /// The step of a row, if it makes one. The text is not filled in.
    pub(super) fn of(row: &Row, named: &Named, waits_for: u32) -> Option<Self> {
        let Named { object, object2, agent2, .. } = *named;
        let step = |code, object, object2, agent2| {
            Some(Self { op: row.op, code, delta: 0, object, object2, agent2, text: NONE })
        };
        match row.op {
            Op::WaitBegan if object == NONE => None,
            Op::WaitBegan => step(row.code & 4 | u8::from(row.code & 3 == 1), object, NONE, NONE),
            // A failed wait is told apart; the object is that of the wait.
            Op::WaitEnded if outcome_from_code(row.code) == Outcome::Failed => {
                if waits_for == NONE { None } else { step(row.code, waits_for, NONE, NONE) }
            }
            Op::State if state_from_code(row.code) == AgentState::Exited => {
                step(row.code, NONE, NONE, NONE)
            }
            Op::Mark if mark_from_code(row.code) == MarkKind::Unobserved => None,
            Op::Mark => step(row.code, object, NONE, NONE),
            Op::Owed => step(0, object, object2, agent2),
            Op::MorePoint | Op::MoreObject | Op::Signalled | Op::Reset => {
                step(0, object, NONE, NONE)
            }
            Op::Aliased => step(0, object, object2, NONE),
            Op::Progress => step(0, NONE, NONE, NONE),
            Op::WaitEnded | Op::State | Op::Lost | Op::Coverage => None,
        }
    }

    /// Whether its row's name says what it is.
    pub(super) fn has_text(&self) -> bool {
        matches!(self.op, Op::WaitBegan | Op::Progress | Op::Mark)
    }
}

/// The different steps and texts of a side, numbered.
#[derive(Debug, Default)]
pub(super) struct Steps {
    pub(super) steps: Vec<Step>,
    number_of: QuickMap<Step, u32>,
    pub(super) texts: Vec<Box<str>>,
    text_of: std::collections::HashMap<Box<str>, u32>,
    /// Something found no room.
    pub(super) crowded: bool,
}

impl Steps {
    /// The number of a step.
    pub(super) fn number(&mut self, step: &Step) -> u32 {
        if let Some(number) = self.number_of.get(step) {
            return *number;
        }
        if self.steps.len() >= STEPS_MAX {
            self.crowded = true;
            return 0;
        }
        // STEPS_MAX fits.
        let number = u32::try_from(self.steps.len()).unwrap_or(0);
        self.steps.push(*step);
        self.number_of.insert(*step, number);
        number
    }

    /// Fills `places` with the numbers of a batch's names.
    pub(super) fn place_texts(&mut self, batch: &Batch, places: &mut Vec<u32>) {
        places.clear();
        for name in &batch.names {
            let text = without_numbers(name);
            let place = match self.text_of.get(text.as_ref()) {
                Some(place) => *place,
                None if self.texts.len() >= TEXTS_MAX => {
                    self.crowded = true;
                    0
                }
                None => {
                    let place = u32::try_from(self.texts.len()).unwrap_or(0);
                    self.texts.push(text.as_ref().into());
                    self.text_of.insert(text.into(), place);
                    place
                }
            };
            places.push(place);
        }
    }

    pub(super) fn text(&self, place: u32) -> &str {
        self.texts.get(place as usize).map_or("", |text| text)
    }
}

/// "submitted batch 17" and "submitted batch 18" are one text: every number that stands by itself becomes `#`.
fn without_numbers(text: &str) -> std::borrow::Cow<'_, str> {
    let number = |word: &str| word.starts_with(|first: char| first.is_ascii_digit());
    if !text.split(' ').any(number) {
        return text.into();
    }
    let words = text.split(' ').map(|word| if number(word) { "#" } else { word });
    words.collect::<Vec<_>>().join(" ").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_that_stand_alone_are_left_out_of_a_text() {
        let cases = [
            ("submitted batch 17", "submitted batch #"),
            ("vkQueueSubmit2", "vkQueueSubmit2"),
            ("12 ms in futex 0x7f00", "# ms in futex #"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(without_numbers(text), expected);
        }
    }
}
