//! How is an answer said? The steps into a wedge, one a line.

use super::{Answer, Exploration, Rest, Step, Wedge};
use crate::model::{Action, Goals, Model};

impl<M: Model> Exploration<M> {
    /// The answer as text: a line, and for a wedge a line for each step; each ends with a line feed.
    #[must_use]
    pub fn describe(&self, model: &M) -> String {
        let (states, depth) = (self.counts.states, self.counts.depth);
        match &self.answer {
            Answer::NoWedge => format!("no wedge in {states} states\n"),
            Answer::OutOfRoom(bound) => format!(
                "not known: {bound} was met after {states} states, {depth} actions deep; no wedge among those explored\n"
            ),
            Answer::Wedge(wedge) => wedge.describe(model, states),
        }
    }
}

impl<M: Model> Wedge<M> {
    fn describe(&self, model: &M, states: u64) -> String {
        let count = self.path.len();
        let s = if count == 1 { "" } else { "s" };
        let mut text = format!("wedged after {count} action{s}, in {states} states\n");
        write_steps(&mut text, model, &self.initial, &self.path, 1);
        let lost = self.lost_in_words(model.goals());
        match &self.rest {
            Rest::DeadEnd { steps } if steps.is_empty() => text += "nothing can happen any more\n",
            Rest::DeadEnd { steps } => {
                text += &format!("no way leads to {lost} any more; it ends with\n");
                write_steps(&mut text, model, self.last(), steps, count + 1);
            }
            Rest::Livelock { steps, back_to } => {
                text += &format!("no way leads to {lost} any more; it goes on for ever with\n");
                write_steps(&mut text, model, self.last(), steps, count + 1);
                text += &format!("and again from {}\n", count + back_to + 1);
            }
        }
        if let Some(bound) = self.cut {
            text += &format!("{bound} was met: there may be a shorter way into a wedge\n");
        }
        text
    }

    fn lost_in_words(&self, all: Goals) -> String {
        let lost = (0..u32::BITS).filter(|bit| self.lost.0 & 1 << bit != 0);
        let lost: Vec<String> = lost.map(|bit| format!("goal {bit}")).collect();
        if self.lost == all { "progress".to_owned() } else { lost.join(" or ") }
    }
}

fn write_steps<M: Model>(
    text: &mut String,
    model: &M,
    from: &M::State,
    steps: &[Step<M>],
    first_number: usize,
) {
    let befores = std::iter::once(from).chain(steps.iter().map(|step| &step.after));
    for ((number, step), before) in (first_number..).zip(steps).zip(befores) {
        let fault = model.sort(before, &step.action) == Action::Fault;
        let mark = if fault { "fault: " } else { "" };
        *text += &format!("{number:>4}  {mark}{}\n", model.describe(before, &step.action));
    }
}
