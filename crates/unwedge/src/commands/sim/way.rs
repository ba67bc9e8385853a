//! What happens on one way through a world, step by step? In words, as a trace, and as a replay that is taken again.

use std::fmt::Write as _;

use serde_json::{Value, json};
use unwedge_sim::World;
use unwedge_sim::world::{Agent, Replay, Step, Way as How};
use unwedge_trace::row::Batch;

use super::world::{End, SILENCE_NS, count_events};

/// Steps into a wedge, and what can still happen there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Way {
    /// Into the wedge.
    pub(super) path: Vec<Step>,
    /// From there until nothing can happen, or until it comes round.
    pub(super) then: Vec<Step>,
    /// After how many of `then` the state was what it is after the last; none where nothing can happen after that.
    pub(super) back_to: Option<usize>,
}

/// What happened on it.
pub(super) struct Taken {
    /// Each step in words, `then` behind `path`.
    pub(super) words: Vec<String>,
    pub(super) batch: Batch,
    pub(super) end: End,
}

/// Where a round goes on, so that the trace shows that it does: for so long. Nanoseconds of the world's time.
const ROUNDS_NS: u64 = SILENCE_NS;

impl Way {
    /// Takes the steps.
    ///
    /// # Errors
    /// The number of the first step that cannot be taken, from 1.
    pub(super) fn take(&self, world: &World) -> Result<Taken, usize> {
        let mut replay = Replay::new(world);
        let mut words = Vec::new();
        for step in self.steps() {
            words.push(replay.take(*step).ok_or(words.len() + 1)?);
        }
        let silence = if self.go_round(&mut replay) { 0 } else { SILENCE_NS };
        let now = replay.now().saturating_add(silence);
        let batch = replay.finish();
        let events = count_events(&batch.rows);
        Ok(Taken { words, batch, end: End { events, now } })
    }

    /// All steps.
    pub(super) fn steps(&self) -> impl Iterator<Item = &Step> {
        self.path.iter().chain(&self.then)
    }

    /// Goes on for a while; false where nothing can. The round that was found is the shortest, and may leave out agents who could
    /// do something: each has its turn instead, or it would look as if they stood still.
    fn go_round(&self, replay: &mut Replay<'_>) -> bool {
        if self.back_to.is_none() {
            return false;
        }
        let until = replay.now().saturating_add(ROUNDS_NS);
        while replay.now() < until && replay.turn() {}
        // It is looked at while somebody waits with a bound, where such a loop spends its time.
        let waits =
            |replay: &Replay<'_>| replay.steps().iter().any(|step| step.way == How::TimeOut);
        let late = until.saturating_add(ROUNDS_NS / 10);
        while replay.now() < late && !waits(replay) && replay.turn() {}
        true
    }

    /// The steps in words, numbered, and what comes after them.
    pub(super) fn text(&self, words: &[String]) -> String {
        let mut text = String::new();
        let digits = words.len().to_string().len().max(2);
        let mut line = |number: usize, words: &str| {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  {number:>digits$}  {words}");
        };
        let (into, then) = words.split_at(self.path.len().min(words.len()));
        into.iter().zip(1..).for_each(|(words, number)| line(number, words));
        let first = into.len() + 1;
        if !then.is_empty() {
            text += "from here on there is no way back; what can still happen:\n";
        }
        let mut line = |number: usize, words: &str| {
            let _ = writeln!(text, "  {number:>digits$}  {words}");
        };
        then.iter().zip(first..).for_each(|(words, number)| line(number, words));
        text += &match self.back_to {
            Some(back_to) if !then.is_empty() => {
                format!("and so on for ever, from step {} again\n", first + back_to)
            }
            _ if then.is_empty() => "from here on nothing can happen\n".to_owned(),
            _ => "and then nothing can happen\n".to_owned(),
        };
        text
    }
}

/// Steps as a replay and a report have them.
pub(super) fn steps_to_json(steps: &[Step], words: &[String]) -> Value {
    let step = |(step, words): (&Step, &String)| json!({ "agent": step.agent.0, "way": how_to_text(step.way), "does": words });
    steps.iter().zip(words).map(step).collect()
}

/// Steps and their words from a replay; none where they are something else.
pub(super) fn steps_from_json(value: &Value) -> Option<Vec<(Step, String)>> {
    let step = |value: &Value| {
        let agent = u16::try_from(value.get("agent")?.as_u64()?).ok()?;
        let way = how_from_text(value.get("way")?.as_str()?)?;
        let does = value.get("does").and_then(Value::as_str).unwrap_or_default();
        Some((Step { agent: Agent(agent), way }, does.to_owned()))
    };
    value.as_array()?.iter().map(step).collect()
}

fn how_to_text(how: How) -> String {
    match how {
        How::Go => "go".to_owned(),
        How::TimeOut => "time-out".to_owned(),
        How::Choice(which) => format!("choice {which}"),
        How::Strike => "strike".to_owned(),
    }
}

fn how_from_text(text: &str) -> Option<How> {
    Some(match text {
        "go" => How::Go,
        "time-out" => How::TimeOut,
        "strike" => How::Strike,
        _ => How::Choice(text.strip_prefix("choice ")?.parse().ok()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_read_as_they_were_written() {
        let ways = [How::Go, How::TimeOut, How::Choice(3), How::Strike];
        let steps = ways.map(|way| Step { agent: Agent(7), way });
        let words = ["a", "b", "c", "d"].map(str::to_owned);
        let json = steps_to_json(&steps, &words);
        let expected: Vec<_> = steps.into_iter().zip(words).collect();
        assert_eq!(steps_from_json(&json), Some(expected));
        for bad in
            ["[{}]", "[{\"agent\":1,\"way\":\"leap\"}]", "{}", "[{\"agent\":-1,\"way\":\"go\"}]"]
        {
            let bad: Value = serde_json::from_str(bad).expect("JSON");
            assert_eq!(steps_from_json(&bad), None, "{bad}");
        }
    }
}
