//! A recording in a few words: a line an event, `WHO DOES WHAT`.

use unwedge_analyze::diff::{Choice, Difference, Options, Side, compare};
use unwedge_trace::row::BatchBuilder;
use unwedge_trace::{
    AgentId, AgentKind, AgentState, Bound, Event, MarkKind, Mode, ObjectId, ObjectKind, Outcome,
    Point, Timestamp, What,
};

/// How a script becomes a recording.
#[derive(Clone, Copy)]
pub(crate) struct How {
    /// Added to every process and thread id, handle and id of the recording.
    pub(crate) shift: u32,
    /// Nanoseconds from one event to the next.
    pub(crate) tick: u64,
    /// Events of a batch.
    pub(crate) batch: usize,
    pub(crate) kind: AgentKind,
}

impl Default for How {
    fn default() -> Self {
        Self { shift: 0, tick: 1_000_000, batch: 64, kind: AgentKind::HostThread }
    }
}

/// The events of a script. Agents are named, and objects by their first letter's kind: `e1` an event, `m1` a mutex,
/// `s1` a timeline semaphore, `f1` a fence.
pub(crate) fn events(script: &str, how: How) -> Vec<Event> {
    let mut world = World { how, ..World::default() };
    for (number, line) in (1..).zip(script.lines().map(str::trim).filter(|line| !line.is_empty())) {
        let at = Timestamp(how.tick * number);
        let mut words = line.split_whitespace();
        let who = world.agent(words.next().unwrap_or_default(), at);
        let verb = words.next().unwrap_or_default();
        let what = words.next().unwrap_or_default();
        let event = world.what(verb, what, at);
        world.events.push(Event::new(at, who, event));
    }
    world.events
}

#[derive(Default)]
struct World {
    how: How,
    agents: Vec<String>,
    objects: Vec<String>,
    events: Vec<Event>,
}

impl World {
    fn agent(&mut self, name: &str, at: Timestamp) -> AgentId {
        let shift = self.how.shift;
        let id = |place: usize| u32::try_from(place).unwrap() + shift;
        if let Some(place) = self.agents.iter().position(|known| known == name) {
            return AgentId(id(place));
        }
        self.agents.push(name.to_owned());
        let agent = AgentId(id(self.agents.len() - 1));
        let (pid, tid) = (4000 + shift, 4000 + id(self.agents.len()));
        let what = What::Agent { kind: self.how.kind, name: name.to_owned(), pid, tid };
        self.events.push(Event::new(at, agent, what));
        agent
    }

    fn object(&mut self, name: &str, at: Timestamp) -> ObjectId {
        let shift = self.how.shift;
        let id = |place: usize| u32::try_from(place).unwrap() + shift;
        if let Some(place) = self.objects.iter().position(|known| known == name) {
            return ObjectId(id(place));
        }
        self.objects.push(name.to_owned());
        let object = ObjectId(id(self.objects.len() - 1));
        let kind = match name.as_bytes().first() {
            Some(b'm') => ObjectKind::Mutex,
            Some(b's') => ObjectKind::TimelineSemaphore,
            Some(b'f') => ObjectKind::Fence,
            _ => ObjectKind::Event,
        };
        let letters: u64 = name.bytes().map(u64::from).fold(0, |sum, letter| sum * 256 + letter);
        let handle = 0x1_0000 + u64::from(shift) * 8 + letters;
        // Odd ones have a label, even ones have none.
        let odd = name.bytes().last().is_some_and(|digit| digit % 2 == 1);
        let label = if odd { name.to_owned() } else { String::new() };
        let what = What::Object { object, kind, handle, label, shared: false };
        self.events.push(Event::new(at, AgentId(shift), what));
        object
    }

    fn what(&mut self, verb: &str, what: &str, at: Timestamp) -> What {
        let wait = |point, bound| What::WaitBegan {
            call: "Wait".to_owned(),
            points: vec![point],
            mode: Mode::All,
            bound,
        };
        let ended = |outcome| What::WaitEnded { outcome };
        match verb {
            "waits" => wait(self.point(what, at), Bound::Infinite),
            "polls" => wait(self.point(what, at), Bound::Ns(30_000_000)),
            "met" => ended(Outcome::Reached),
            "timeout" => ended(Outcome::TimedOut),
            "fails" => ended(Outcome::Failed),
            "signals" => What::Signalled { point: self.point(what, at) },
            "resets" => What::Reset { object: self.object(what, at) },
            "owes" => What::Owed { point: self.point(what, at), after: None, via: None },
            "did" => What::Progress { what: what.to_owned() },
            "says" => {
                What::Mark { kind: MarkKind::Log, text: what.to_owned(), objects: Vec::new() }
            }
            "sleeps" => What::WaitBegan {
                call: "Sleep".to_owned(),
                points: Vec::new(),
                mode: Mode::All,
                bound: Bound::Infinite,
            },
            "runs" | "exits" => {
                let state = if verb == "runs" { AgentState::Running } else { AgentState::Exited };
                What::State { state, detail: String::new(), cpu: None, priority: None }
            }
            other => panic!("no such verb: {other}"),
        }
    }

    /// `e1` is the next signal of e1, `s1=3` is value 3 of s1.
    fn point(&mut self, what: &str, at: Timestamp) -> Point {
        match what.split_once('=') {
            Some((name, value)) => {
                Point { object: self.object(name, at), value: value.parse().unwrap() }
            }
            None => Point::next(self.object(what, at)),
        }
    }
}

/// A side that has read events in batches.
pub(crate) fn side(events: &[Event], batch: usize, options: &Options) -> Side {
    let mut side = Side::new(options);
    each(events, batch, &mut |batch| side.fold(batch));
    side.finish(None);
    side
}

pub(crate) fn each(
    events: &[Event],
    batch: usize,
    out: &mut dyn FnMut(&unwedge_trace::row::Batch),
) {
    let mut builder = BatchBuilder::default();
    for events in events.chunks(batch) {
        events.iter().for_each(|event| builder.event(event));
        out(&builder.take());
    }
}

/// The difference of two lists of events, second pass and all.
pub(crate) fn difference(
    a: (&[Event], usize),
    b: (&[Event], usize),
    options: &Options,
    choice: &Choice,
) -> Difference {
    let sides = [side(a.0, a.1, options), side(b.0, b.1, options)];
    let (mut difference, search) = compare(&sides[0], &sides[1], choice);
    if !search.is_empty() {
        let mut in_a = search.in_a(&sides[0]);
        each(a.0, a.1, &mut |batch| in_a.fold(batch));
        let mut in_b = search.in_b(&sides[1], &in_a);
        each(b.0, b.1, &mut |batch| in_b.fold(batch));
        difference.locate(&in_a, &in_b);
    }
    difference
}
