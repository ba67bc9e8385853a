//! What is there to see of a running world? What was told of it so far, counted, and what its agents do now.

use std::collections::VecDeque;

use unwedge_sim::world::{Condition, Run};
use unwedge_trace::row::{Batch, Op, Row};

use crate::report::clean;

/// Marks that are kept.
const MARKS_MAX: usize = 64;
/// Points of the curve of events.
const CURVE_MAX: usize = 120;
/// Sorts of progress that are kept apart.
const DEEDS_MAX: usize = 32;
/// Pictures of which it is shown how much an agent did between them.
pub(super) const PULSE_MAX: usize = 24;
/// How far back the events per second are counted, in pictures.
const WINDOW: usize = 20;

/// All that a picture shows.
pub(super) struct View {
    pub(super) scenario: &'static str,
    /// The switches that are set: `drop-notification=40   uploads=off`.
    pub(super) switches: String,
    pub(super) seed: u64,
    pub(super) speed: f64,
    pub(super) paused: bool,
    /// The world is too fast for its speed.
    pub(super) is_late: bool,
    /// Nothing is left to happen.
    pub(super) is_over: bool,
    /// Agents that are scrolled past.
    pub(super) scroll: usize,
    /// The world's time, in nanoseconds.
    pub(super) now: u64,
    pub(super) agents: Vec<Seen>,
    pub(super) deeds: Vec<Deed>,
    pub(super) marks: VecDeque<Mark>,
    pub(super) events: u64,
    /// Events per second of the world's time, as it was at each of the last pictures.
    pub(super) curve: VecDeque<u64>,
    /// Time and events of the last pictures.
    window: VecDeque<(u64, u64)>,
}

/// An agent as it is now.
pub(super) struct Seen {
    pub(super) name: String,
    pub(super) condition: Condition,
    /// In words: "waits in vkWaitForFences for frame".
    pub(super) doing: String,
    /// Since when, in nanoseconds of the world's time.
    pub(super) since: u64,
    pub(super) operations: u64,
    /// Operations between each two of the last pictures.
    pub(super) pulse: VecDeque<u64>,
}

/// Something that gets done.
pub(super) struct Deed {
    pub(super) what: String,
    pub(super) by: String,
    pub(super) count: u64,
    /// When it was last done, in nanoseconds of the world's time.
    pub(super) last: u64,
    agent: u32,
    name: u32,
}

/// A remark.
pub(super) struct Mark {
    pub(super) at: u64,
    pub(super) by: String,
    pub(super) text: String,
    /// The same again, so many times.
    pub(super) times: u64,
}

impl View {
    pub(super) fn new(scenario: &'static str, switches: String, seed: u64, speed: f64) -> Self {
        Self {
            scenario,
            switches,
            seed,
            speed,
            paused: false,
            is_late: false,
            is_over: false,
            scroll: 0,
            now: 0,
            agents: Vec::new(),
            deeds: Vec::new(),
            marks: VecDeque::new(),
            events: 0,
            curve: VecDeque::new(),
            window: VecDeque::new(),
        }
    }

    /// Takes in what was told.
    pub(super) fn take(&mut self, batch: &Batch) {
        for row in &batch.rows {
            match row.op {
                Op::MorePoint | Op::MoreObject => continue,
                Op::Progress => self.deed(batch, row),
                Op::Mark => self.mark(batch, row),
                _ => {}
            }
            self.events += 1;
        }
    }

    fn deed(&mut self, batch: &Batch, row: &Row) {
        let known = |deed: &&mut Deed| deed.agent == row.agent && deed.name == row.name;
        if let Some(deed) = self.deeds.iter_mut().find(known) {
            (deed.count, deed.last) = (deed.count + 1, row.at);
        } else if self.deeds.len() < DEEDS_MAX {
            let what = clean(batch.name(row.name)).into_owned();
            let (by, count, last) = (name_of(batch, row.agent), 1, row.at);
            let (agent, name) = (row.agent, row.name);
            self.deeds.push(Deed { what, by, count, last, agent, name });
        }
    }

    fn mark(&mut self, batch: &Batch, row: &Row) {
        let (by, text) = (name_of(batch, row.agent), clean(batch.name(row.name)).into_owned());
        if let Some(last) = self.marks.back_mut().filter(|last| last.text == text && last.by == by)
        {
            (last.times, last.at) = (last.times + 1, row.at);
            return;
        }
        if self.marks.len() == MARKS_MAX {
            self.marks.pop_front();
        }
        self.marks.push_back(Mark { at: row.at, by, text, times: 1 });
    }

    /// Sees what the agents do now.
    pub(super) fn look(&mut self, run: &Run, now: u64) {
        let moved = now > self.now;
        self.now = now;
        self.is_over = run.is_over();
        let before = std::mem::take(&mut self.agents);
        let mut pulses = before.into_iter().map(|agent| (agent.operations, agent.pulse));
        self.agents = run.look().iter().map(seen).collect();
        for agent in &mut self.agents {
            let (before, mut pulse) = pulses.next().unwrap_or_default();
            if moved {
                pulse.push_back(agent.operations - before);
                if pulse.len() > PULSE_MAX {
                    pulse.pop_front();
                }
            }
            agent.pulse = pulse;
        }
        if moved {
            self.window.push_back((now, self.events));
            if self.window.len() > WINDOW {
                self.window.pop_front();
            }
            self.curve.push_back(self.rate().round() as u64);
            if self.curve.len() > CURVE_MAX {
                self.curve.pop_front();
            }
        }
    }

    /// Events per second of the world's time, of late.
    pub(super) fn rate(&self) -> f64 {
        let (Some((from, before)), Some((to, after))) = (self.window.front(), self.window.back())
        else {
            return 0.0;
        };
        (after - before) as f64 / ((to - from) as f64 / 1e9).max(1e-9)
    }
}

fn name_of(batch: &Batch, agent: u32) -> String {
    let name = batch.agents.get(agent as usize).map_or("", |agent| &agent.name);
    clean(name).into_owned()
}

fn seen(seen: &unwedge_sim::world::Seen<'_>) -> Seen {
    let doing = match (&seen.wait, seen.condition) {
        (Some((call, objects)), _) => {
            let what = if objects.is_empty() {
                String::new()
            } else {
                format!(" for {}", objects.join(", "))
            };
            format!("waits in {call}{what}")
        }
        (None, Condition::Running) => "runs".to_owned(),
        (None, Condition::Ready) => "ready, and its processor runs another".to_owned(),
        (None, Condition::Waiting) => "waits".to_owned(),
        (None, Condition::Still) => "does nothing".to_owned(),
        (None, Condition::Exited) => "has exited".to_owned(),
    };
    Seen {
        name: clean(seen.name).into_owned(),
        condition: seen.condition,
        doing: clean(&doing).into_owned(),
        since: seen.since,
        operations: seen.operations,
        pulse: VecDeque::new(),
    }
}
