//! What repeats itself? A sequence is kept as items: steps, and loops of up to sixteen steps that are kept once.

/// Longest loop that is recognised, in steps.
pub(super) const PERIOD_MAX: usize = 16;
/// Steps that are held back; the last twice [`PERIOD_MAX`] of them may be part of a loop.
const TAIL_MAX: usize = 128;

/// A step, or the first step of a loop that went round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Item {
    /// The step's number.
    pub(super) step: u32,
    /// A place in [`Sequence::runs`]; `u32::MAX` for a step by itself. A loop's steps follow each other, each an item; the first
    /// has the run.
    pub(super) run: u32,
    /// When it was done; the first time, in a loop.
    pub(super) at: u64,
}

/// A loop that went round at least twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// Steps of the loop.
    pub(super) period: u32,
    /// Steps that were done in all.
    pub(super) steps: u64,
    /// A wait in it timed out: how often it goes round depends on time.
    pub(super) polls: bool,
    /// When its last step was done.
    pub(super) until: u64,
}

pub(super) const NO_RUN: u32 = u32::MAX;

/// What an agent did, its loops folded.
#[derive(Clone, Debug, Default)]
pub(super) struct Sequence {
    pub(super) items: Vec<Item>,
    pub(super) runs: Vec<Run>,
}

/// Folds a sequence while it arrives.
#[derive(Debug, Default)]
pub(super) struct Collapser {
    /// Steps that may yet turn out to be of a loop, and some older ones.
    tail: Vec<Tail>,
    /// For each period: how many of the last steps equal the one a period before.
    matched: [u8; PERIOD_MAX],
    going: Option<Loop>,
    pub(super) sequence: Sequence,
}

#[derive(Clone, Copy, Debug)]
struct Tail {
    step: u32,
    at: u64,
    timed_out: bool,
}

#[derive(Debug)]
struct Loop {
    steps: Vec<Tail>,
    /// Which one comes next if it goes on.
    next: usize,
    count: u64,
    polls: bool,
    until: u64,
}

impl Collapser {
    /// The step that comes next if the present loop goes on.
    pub(super) fn expected(&self) -> Option<u32> {
        let going = self.going.as_ref()?;
        Some(going.steps[going.next].step)
    }

    /// Adds a step.
    pub(super) fn push(&mut self, step: u32, at: u64) {
        if let Some(going) = &mut self.going {
            if going.steps[going.next].step == step {
                going.next = if going.next + 1 == going.steps.len() { 0 } else { going.next + 1 };
                going.count += 1;
                going.until = at;
                return;
            }
            self.end_loop();
        }
        for (period, matched) in (1..=PERIOD_MAX).zip(&mut self.matched) {
            let before = self.tail.len().checked_sub(period).map(|place| self.tail[place].step);
            *matched = if before == Some(step) { *matched + 1 } else { 0 };
        }
        self.tail.push(Tail { step, at, timed_out: false });
        let found = (1..=PERIOD_MAX).zip(&self.matched);
        let found = found.filter(|(period, matched)| usize::from(**matched) >= *period);
        match found.map(|(period, _)| period).next() {
            Some(period) => self.begin_loop(period),
            None if self.tail.len() >= TAIL_MAX => {
                let old = self.tail.drain(..TAIL_MAX - 2 * PERIOD_MAX);
                old.for_each(|step| self.sequence.single(step));
            }
            None => {}
        }
    }

    /// The last wait timed out.
    pub(super) fn timed_out(&mut self) {
        match (&mut self.going, self.tail.last_mut()) {
            (Some(going), _) => going.polls = true,
            (None, Some(last)) => last.timed_out = true,
            (None, None) => {}
        }
    }

    /// There are no more steps.
    pub(super) fn finish(mut self) -> Sequence {
        self.end_loop();
        self.tail.iter().for_each(|step| self.sequence.single(*step));
        self.sequence
    }

    fn begin_loop(&mut self, period: usize) {
        let begin = self.tail.len() - 2 * period;
        let steps: Vec<Tail> = self.tail.drain(begin..).collect();
        self.tail.drain(..).for_each(|step| self.sequence.single(step));
        self.matched = [0; PERIOD_MAX];
        let polls = steps.iter().any(|step| step.timed_out);
        let until = steps.last().map_or(0, |step| step.at);
        let steps = steps[..period].to_vec();
        self.going = Some(Loop { steps, next: 0, count: 2 * period as u64, polls, until });
    }

    fn end_loop(&mut self) {
        let Some(going) = self.going.take() else { return };
        let Loop { steps, count, polls, until, .. } = going;
        let period = u32::try_from(steps.len()).unwrap_or(NO_RUN);
        self.sequence.run(Run { period, steps: count, polls, until }, &steps);
    }
}

impl Sequence {
    fn single(&mut self, step: Tail) {
        self.items.push(Item { step: step.step, run: NO_RUN, at: step.at });
    }

    fn run(&mut self, run: Run, steps: &[Tail]) {
        let number = u32::try_from(self.runs.len()).unwrap_or(NO_RUN);
        self.runs.push(run);
        // Once round, and what there is of a last round: however the loop was cut, these are the same.
        let period = steps.len() as u64;
        let rest = usize::try_from(run.steps % period).unwrap_or(0);
        let round = steps.iter().chain(&steps[..rest]);
        for (place, step) in round.enumerate() {
            let run = if place == 0 { number } else { NO_RUN };
            self.items.push(Item { step: step.step, run, at: step.at });
        }
    }

    /// How often the loop that begins at an item went round; 1 for a step by itself.
    pub(super) fn rounds(&self, item: &Item) -> u64 {
        self.run_of(item).map_or(1, |run| run.steps / u64::from(run.period.max(1)))
    }

    pub(super) fn run_of(&self, item: &Item) -> Option<&Run> {
        self.runs.get(item.run as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fold(steps: &str) -> String {
        let mut collapser = Collapser::default();
        steps.bytes().for_each(|step| collapser.push(u32::from(step), 0));
        let sequence = collapser.finish();
        let mut text = String::new();
        for item in &sequence.items {
            if let Some(run) = sequence.run_of(item) {
                text.push_str(&format!("{}/{}:", run.steps, run.period));
            }
            text.push(char::from(u8::try_from(item.step).unwrap()));
        }
        text
    }

    #[test]
    fn loops_are_kept_once_and_what_is_no_loop_as_it_is() {
        let cases = [
            ("", ""),
            ("abc", "abc"),
            ("aaaa", "4/1:a"),
            ("xababababy", "x8/2:aby"),
            ("abababa", "7/2:aba"),
            // A loop of sixteen, and one of seventeen, which is too long.
            ("abcdefghijklmnopabcdefghijklmnop!", "32/16:abcdefghijklmnop!"),
            ("abcdefghijklmnopqabcdefghijklmnopq", "abcdefghijklmnopqabcdefghijklmnopq"),
            ("aabaab", "2/1:ab2/1:ab"),
        ];
        for (steps, expected) in cases {
            assert_eq!(fold(steps), expected, "{steps}");
        }
    }

    /// Where a loop is thought to begin depends on what came before; what is kept must not.
    #[test]
    fn a_loop_is_the_same_however_often_it_went_round() {
        for (head, tail) in [("x", "y"), ("c", "y"), ("x", "a"), ("bc", "ab")] {
            let kept = |rounds: usize| {
                let text = fold(&format!("{head}{}{tail}", "abc".repeat(rounds)));
                text.chars().filter(char::is_ascii_alphabetic).collect::<String>()
            };
            for rounds in 3..20 {
                assert_eq!(kept(rounds), kept(2), "{head} {tail}");
            }
        }
    }
}
