//! Which event is the first that differs, and what stands around it? A second pass over both recordings, which ends there.

use unwedge_trace::AgentKind;
use unwedge_trace::row::{Batch, Op, Row};

use super::difference::{Difference, Divergence, Line, Order};
use super::fingerprint::{Totals, Window, Words, content};
use super::matching::Matches;
use super::say;
use super::side::{Side, hash_names, name};
use super::things::Places;

/// Agents, or objects, among which the earliest divergence is looked for.
const CANDIDATES_MAX: usize = 8;

/// Which rows of a side the second pass must look at.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    stream: Stream,
    window: Window,
    /// Rows of the stream behind which nothing is of interest.
    last: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stream {
    All,
    Agent(u32),
    Object(u32),
    Times,
}

/// What to look for in a second pass; made by [`super::compare`].
#[derive(Clone, Debug, Default)]
pub struct Search {
    wanted: Vec<[Wanted; 2]>,
}

impl Search {
    pub(super) fn new(a: &Side, b: &Side, totals: [&Totals; 2], matches: &Matches) -> Self {
        let mut wanted = Vec::new();
        for found in &matches.agents {
            let (x, y) = (found.a as usize, found.b as usize);
            if totals[0].agents[x] != totals[1].agents[y]
                && let Some(window) = a.print.agents[x].parts_from(&b.print.agents[y])
            {
                wanted.push((Stream::Agent(found.a), Stream::Agent(found.b), window));
            }
        }
        // What a source sums up in nobody's name is no event, unless nothing else differs.
        let is_outside = |(stream, ..): &(Stream, Stream, Window)| match stream {
            Stream::Agent(agent) => a.things.agents[*agent as usize].kind == AgentKind::Outside,
            _ => false,
        };
        if !wanted.iter().all(is_outside) {
            wanted.retain(|wanted| !is_outside(wanted));
        }
        let lone = matches.agents.len() < a.things.agents.len().max(b.things.agents.len());
        if wanted.is_empty() && !lone {
            for found in &matches.objects {
                let (x, y) = (found.a as usize, found.b as usize);
                if let Some(window) = a.print.objects[x].parts_from(&b.print.objects[y]) {
                    wanted.push((Stream::Object(found.a), Stream::Object(found.b), window));
                }
            }
        }
        if wanted.is_empty()
            && let Some(window) = a.print.all.parts_from(&b.print.all)
        {
            wanted.push((Stream::All, Stream::All, window));
        }
        wanted.sort_by_key(|(_, _, window)| window.row);
        wanted.truncate(CANDIDATES_MAX);
        let around = a.options().context as u64;
        let both = |(a, b, window): (_, _, Window)| {
            [a, b].map(|stream| Wanted { stream, window, last: window.to + around + 1 })
        };
        Self { wanted: wanted.into_iter().map(both).collect() }
    }

    /// Where times part, if that is not after everything else that is looked for.
    pub(super) fn add_times(&mut self, a: &Side, b: &Side) {
        let Some(window) = a.print.times.parts_from(&b.print.times) else { return };
        let later = |wanted: &[Wanted; 2]| wanted[0].window.row >= window.row;
        if self.wanted.is_empty() || self.wanted.iter().any(later) {
            let last = window.to + a.options().context as u64 + 1;
            let wanted = Wanted { stream: Stream::Times, window, last };
            self.wanted.push([wanted, wanted]);
        }
    }

    /// Whether a second pass has anything to find.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.wanted.is_empty()
    }

    /// What the second pass over A folds batches into.
    #[must_use]
    pub fn in_a<'s>(&self, side: &'s Side) -> Finder<'s> {
        let stop = self.wanted.iter().filter_map(|wanted| wanted[0].window.until).min();
        Finder { stop, ..Finder::new(side, self.wanted.iter().map(|wanted| wanted[0]).collect()) }
    }

    /// What the second pass over B folds batches into; it goes no further than the one over A, which is over.
    #[must_use]
    pub fn in_b<'s>(&self, side: &'s Side, a: &Finder<'_>) -> Finder<'s> {
        let mut finder = Finder::new(side, self.wanted.iter().map(|wanted| wanted[1]).collect());
        let around = side.options().context as u64;
        for (found, of_a) in finder.streams.iter_mut().zip(&a.streams) {
            // Where A has no more, one more of B is what differs.
            let more = if of_a.rows >= of_a.all { around + 1 } else { 0 };
            found.wanted.last = found.wanted.last.min(of_a.rows + more);
        }
        finder
    }
}

/// Looks at a recording for the second time.
#[derive(Debug)]
pub struct Finder<'s> {
    side: &'s Side,
    streams: Vec<Found>,
    places: Places,
    names: Vec<u64>,
    row: u64,
    /// The row before which one of the streams parts for sure: others matter only before it, too.
    stop: Option<u64>,
}

#[derive(Debug)]
struct Found {
    wanted: Wanted,
    /// Rows of the whole stream.
    all: u64,
    rows: u64,
    events: u64,
    told: Vec<Told>,
}

/// A row of a stream that may be the one.
#[derive(Clone, Debug)]
struct Told {
    /// Its number in the stream.
    row: u64,
    /// Its event's number in the stream.
    event: u64,
    /// Its number in the side.
    of_all: u64,
    hash: u64,
    at: u64,
    agent: u32,
    text: String,
}

impl<'s> Finder<'s> {
    fn new(side: &'s Side, wanted: Vec<Wanted>) -> Self {
        let print = &side.print;
        let found = |wanted: Wanted| {
            let trail = match wanted.stream {
                Stream::All | Stream::Times => Some(&print.all),
                Stream::Agent(agent) => print.agents.get(agent as usize),
                Stream::Object(object) => print.objects.get(object as usize),
            };
            let all = trail.map_or(0, super::fingerprint::Trail::rows);
            Found { wanted, all, rows: 0, events: 0, told: Vec::new() }
        };
        let streams = wanted.into_iter().map(found).collect();
        Self { side, streams, places: Places::default(), names: Vec::new(), row: 0, stop: None }
    }

    /// Whether nothing more is needed: the pass may end.
    #[must_use]
    pub fn is_done(&self) -> bool {
        let stopped = |found: &Found| {
            let until = found.wanted.window.until;
            self.stop.is_some_and(|stop| until.is_none_or(|until| until > stop) && self.row > stop)
        };
        let done = |found: &Found| found.rows >= found.wanted.last.min(found.all) || stopped(found);
        self.streams.iter().all(done)
    }

    /// Reads on; the same batches, or others of the same rows, as the first time.
    pub fn fold(&mut self, batch: &Batch) {
        self.side.things.find(batch, &mut self.places);
        hash_names(batch, &mut self.names);
        for row in &batch.rows {
            self.row(row, batch);
            self.row += 1;
        }
    }

    fn row(&mut self, row: &Row, batch: &Batch) {
        let (agent, object) = (self.places.agent(row.agent), self.places.object(row.object));
        let around = self.side.options().context as u64;
        for found in &mut self.streams {
            let mine = match found.wanted.stream {
                Stream::All | Stream::Times => true,
                Stream::Agent(wanted) => wanted == agent,
                Stream::Object(wanted) => wanted == object,
            };
            if !mine {
                continue;
            }
            let wanted = found.wanted;
            if found.rows + around >= wanted.window.from && found.rows < wanted.last {
                let things = &self.side.things;
                let named = things.named(row, &self.places);
                let content = content(row, name(&self.names, row.name));
                let words = Words::new(content, &named, things);
                let hash = match found.wanted.stream {
                    Stream::All => words.in_all,
                    Stream::Agent(_) => words.in_agent,
                    Stream::Object(_) => words.in_object,
                    Stream::Times => row.at,
                };
                let text = self.side.say_row(row, batch, &named);
                let (at, of_all, event) = (row.at, self.row, found.events);
                found.told.push(Told { row: found.rows, event, of_all, hash, at, agent, text });
            }
            found.rows += 1;
            found.events += u64::from(!matches!(row.op, Op::MorePoint | Op::MoreObject));
        }
    }
}

impl Difference {
    /// Adds what the second pass has found: the earliest event that differs.
    pub fn locate(&mut self, a: &Finder<'_>, b: &Finder<'_>) {
        let both = a.streams.iter().zip(&b.streams);
        let partings = both.filter_map(|(x, y)| Some((parting(x, y)?, x, y)));
        let of_all = |(place, x, _): &(usize, &Found, &Found)| {
            x.told.get(*place).map_or(u64::MAX, |told| told.of_all)
        };
        let (times, others): (Vec<_>, Vec<_>) =
            partings.partition(|(_, x, _)| x.wanted.stream == Stream::Times);
        let first = others.into_iter().min_by_key(of_all);
        match (first, times.first()) {
            (Some(first), times) => {
                if let Some((place, x, _)) = times.filter(|times| of_all(times) < of_all(&first))
                    && let Some(told) = x.told.get(*place)
                {
                    self.notes.push(format!(
                        "virtual times differ before that already, from event {} on: \"{}\"",
                        say::number(told.event + 1),
                        with_agent(a.side, told),
                    ));
                }
                self.divergence = Some(self.divergence_at(first, a.side, b.side));
            }
            (None, Some(times)) => {
                self.divergence = Some(self.divergence_at(*times, a.side, b.side));
            }
            (None, None) => {}
        }
    }

    fn divergence_at(
        &self,
        (place, x, y): (usize, &Found, &Found),
        a: &Side,
        b: &Side,
    ) -> Divergence {
        let (order, whose) = match x.wanted.stream {
            Stream::Times => (Order::Time, String::new()),
            Stream::All if self.agents.iter().all(|pairing| pairing.how.is_some()) => {
                (Order::Interleaving, String::new())
            }
            Stream::All => (Order::Agent, lone(a, x, b, y, place)),
            Stream::Agent(agent) => (Order::Agent, a.say_agent(agent)),
            Stream::Object(object) => (Order::Object, a.say_object(object)),
        };
        let told = x.told.get(place).or(y.told.get(place));
        let index = told.map(|told| told.event);
        let number = say::number(index.unwrap_or(0) + 1);
        let sentence = match order {
            Order::Agent => format!("{whose} does something else in its event {number}"),
            Order::Object => {
                format!(
                    "each agent does the same, but event {number} of {whose} comes from another agent, or another way"
                )
            }
            Order::Time => format!("virtual times differ from event {number} on"),
            Order::Interleaving | Order::Introduction => {
                format!(
                    "each agent and each object sees the same; only their order among each other differs from event {number} on"
                )
            }
        };
        let all = !matches!(x.wanted.stream, Stream::Agent(_));
        Divergence {
            order,
            agent: (order == Order::Agent).then(|| whose.clone()),
            object: (order == Order::Object).then_some(whose),
            index,
            sentence,
            a: lines(a, &x.told, place, all),
            b: lines(b, &y.told, place, all),
        }
    }
}

/// An agent that only one side has did the first thing that differs; as far as is known.
fn lone(a: &Side, x: &Found, b: &Side, y: &Found, place: usize) -> String {
    match (x.told.get(place), y.told.get(place)) {
        (Some(told), _) if a.things.agents.len() > b.things.agents.len() => a.say_agent(told.agent),
        (_, Some(told)) => b.say_agent(told.agent),
        (Some(told), None) => a.say_agent(told.agent),
        (None, None) => String::new(),
    }
}

/// The place of the first row that differs; none where the rows at hand do not tell.
fn parting(x: &Found, y: &Found) -> Option<usize> {
    let rows = x.told.len().max(y.told.len());
    let from = x.wanted.window.from;
    for place in 0..rows {
        match (x.told.get(place), y.told.get(place)) {
            (Some(x), Some(y)) if x.row >= from && x.hash != y.hash => return Some(place),
            (Some(_), Some(_)) => {}
            // A row is missing only where all of its stream was read.
            (Some(_), None) => return (y.rows >= y.all).then_some(place),
            (None, _) => return (x.rows >= x.all).then_some(place),
        }
    }
    None
}

fn lines(side: &Side, told: &[Told], place: usize, all: bool) -> Vec<Line> {
    let around = side.options().context;
    let told = told.iter().enumerate().skip(place.saturating_sub(around));
    let most = place.min(around) + around + 1;
    let line = |(at, told): (usize, &Told)| {
        let text = if all { with_agent(side, told) } else { told.text.clone() };
        let at_ns = told.at.saturating_sub(side.print.begin);
        Line { text, at_ns, times: 1, differs: at == place }
    };
    told.take(most).map(line).collect()
}

fn with_agent(side: &Side, told: &Told) -> String {
    format!("{} {}", side.say_agent(told.agent), told.text)
}
