//! How does a world's time go by? On a thread of its own, batch by batch, until enough was told or nothing is left to happen.

use std::io::IsTerminal as _;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use unwedge_sim::World;
use unwedge_sim::world::Run;
use unwedge_trace::row::{Batch, Op, Row};

use crate::error::Error;
use crate::lines;

/// How long a world is watched in which nothing is left to happen. Nanoseconds of its time.
pub(super) const SILENCE_NS: u64 = 10_000_000_000;
/// A world that tells nothing for so long has nothing more to tell. Nanoseconds of its time.
const SILENCE_MAX_NS: u64 = 600_000_000_000;
/// Rows that travel together: some of them fit into a processor's cache.
const BATCH_ROWS: u64 = 1 << 12;
/// About what a line of JSON has. Bytes.
const LINE_BYTES: usize = 128;
/// Batches that wait for whoever takes them.
const AHEAD: usize = 4;
/// What is over sooner needs no bar.
const QUIET: Duration = Duration::from_secs(1);

/// A run of a world, and how much of it is wanted.
pub(super) struct Told {
    run: Run,
    /// Events that are wanted still.
    left: u64,
    events: u64,
    /// The time of the last row.
    last_at: u64,
    now: u64,
}

/// How it ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct End {
    /// Events that were told.
    pub(super) events: u64,
    /// The moment of the last observation, in nanoseconds of the world's time.
    pub(super) now: u64,
}

impl End {
    /// How young a wait may be at the end and still be presumed fine. Nanoseconds.
    pub(super) fn patience_ns(&self) -> u64 {
        unwedge_analyze::patience_ns(self.now)
    }
}

impl Told {
    /// A run of which so many events are wanted.
    pub(super) fn new(world: &World, seed: u64, events: u64) -> Self {
        let run = world.run(seed);
        Self { run, left: events, events: 0, last_at: 0, now: 0 }
    }

    /// What its rows name, without rows.
    pub(super) fn tables(&mut self) -> Batch {
        self.run.tables()
    }

    /// The next rows; none when enough was told, or nothing is left to happen.
    pub(super) fn next(&mut self) -> Option<Batch> {
        if self.left == 0 {
            return None;
        }
        let rows = usize::try_from(self.left.min(BATCH_ROWS)).unwrap_or(usize::MAX);
        let Some(mut batch) = self.run.batch(rows, self.last_at.saturating_add(SILENCE_MAX_NS))
        else {
            self.left = 0;
            self.now = self.run.now().saturating_add(SILENCE_NS);
            return None;
        };
        let (events, rows) = first_events(&batch.rows, self.left);
        self.now = if rows < batch.rows.len() { batch.rows[rows - 1].at } else { self.run.now() };
        batch.rows.truncate(rows);
        self.events += events;
        self.left -= events;
        self.last_at = batch.rows.last().map_or(self.last_at, |row| row.at);
        Some(batch)
    }

    /// How it ended, when there is no next batch.
    pub(super) fn end(&self) -> End {
        End { events: self.events, now: self.now }
    }

    /// Goes to the end, without telling.
    pub(super) fn foresee(mut self) -> End {
        while self.next().is_some() {}
        self.end()
    }
}

/// How many events the rows are, at most `most`, and how many rows those have.
fn first_events(rows: &[Row], most: u64) -> (u64, usize) {
    let is_event = |row: &Row| !matches!(row.op, Op::MorePoint | Op::MoreObject);
    let mut events = 0;
    for (place, row) in rows.iter().enumerate() {
        if is_event(row) {
            if events == most {
                return (events, place);
            }
            events += 1;
        }
    }
    (events, rows.len())
}

/// How many events the rows are.
pub(super) fn count_events(rows: &[Row]) -> u64 {
    first_events(rows, u64::MAX).0
}

/// What the world's thread says.
enum Message {
    /// Rows, the same as lines where they are wanted, and how many events there were so far.
    Rows(Batch, Vec<u8>, u64),
    End(End),
}

/// Runs the world on a thread of its own and gives its batches to `take`, in order, until that has enough; with their lines
/// of JSON, if those are wanted.
///
/// # Errors
/// The first of `take`.
pub(super) fn each_batch(
    told: Told,
    as_lines: bool,
    mut take: impl FnMut(&Batch, &[u8]) -> Result<bool, Error>,
) -> Result<End, Error> {
    let bar = Bar::new(told.left);
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(AHEAD);
        // It ends at the latest when nobody receives any more.
        scope.spawn(move || tell(told, as_lines, &sender));
        receive(receiver, &bar, &mut take)
    })
}

fn tell(mut told: Told, as_lines: bool, to: &SyncSender<Message>) {
    while let Some(batch) = told.next() {
        let mut lines = Vec::new();
        if as_lines {
            lines.reserve(batch.rows.len() * LINE_BYTES);
            lines::rows(&batch, &mut lines);
        }
        if to.send(Message::Rows(batch, lines, told.events)).is_err() {
            return;
        }
    }
    let _ = to.send(Message::End(told.end()));
}

fn receive(
    from: Receiver<Message>,
    bar: &Bar,
    take: &mut impl FnMut(&Batch, &[u8]) -> Result<bool, Error>,
) -> Result<End, Error> {
    let mut end = End::default();
    for message in from {
        match message {
            Message::Rows(batch, lines, events) => {
                end = End { events, now: batch.rows.last().map_or(end.now, |row| row.at) };
                bar.at(events);
                if !take(&batch, &lines)? {
                    break;
                }
            }
            Message::End(all) => end = all,
        }
    }
    bar.finish();
    Ok(end)
}

/// A bar on the terminal, if it takes longer than a second.
struct Bar {
    began: Instant,
    bar: Option<ProgressBar>,
}

impl Bar {
    fn new(events: u64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let template =
                "simulating {wide_bar} {human_pos}/{human_len} events, {per_sec}, {eta} left";
            let style = ProgressStyle::with_template(template);
            // A template that cannot be read shows the library's own.
            let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::with_draw_target(Some(events), ProgressDrawTarget::hidden())
                .with_style(style)
        });
        Self { began: Instant::now(), bar }
    }

    fn at(&self, events: u64) {
        let Some(bar) = &self.bar else { return };
        if bar.is_hidden() && self.began.elapsed() > QUIET {
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        bar.set_position(events);
    }

    fn finish(&self) {
        self.bar.iter().for_each(ProgressBar::finish_and_clear);
    }
}
