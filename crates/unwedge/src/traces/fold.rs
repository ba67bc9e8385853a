//! How do several threads read one input, so that the result is as if one had?

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use unwedge_readers::{BlockReader, Complaints, LineReader, Reading, Sink};
use unwedge_trace::row::{Batch, BatchBuilder};

use super::feed::{Block, Feed, Hold};
use super::pieces::{Piece, gigantic_line, pieces};
use super::progress::Extent;
use super::window::{Ahead, in_order};
use super::{Body, Ended, Input, Progress, Segments, Tuning};
use crate::error::Error;

/// Blocks that may wait for their turn, for each thread.
const AHEAD: usize = 2;
/// What they may weigh together, and what it is that they weigh. Bytes.
const AHEAD_BYTES: usize = 48 << 20;
/// Events of a line reader that make a batch.
const EVENTS_MAX: usize = 8192;

impl Input {
    /// Folds each stretch of the input into a fresh value, by several threads, and gives the values to `join` in the
    /// order of the input. `weigh` says how much memory a value takes, in bytes.
    pub(crate) fn fold<T: Send>(
        self,
        progress: &Progress,
        fresh: impl Fn() -> T + Sync,
        weigh: fn(&T) -> usize,
        fold: impl Fn(&mut T, &Batch) + Sync,
        mut join: impl FnMut(T),
    ) -> Ended {
        let fold = |value: &mut T, batch: &mut Batch| fold(value, batch);
        self.run(progress, &Folding { fresh, fold, weigh }, &mut |value| {
            join(value);
            ControlFlow::Continue(())
        })
    }

    /// Gives the rows of the input to `take`, in order; several threads may read ahead all the same.
    ///
    /// # Errors
    /// The first of `take`, which ends it.
    pub(crate) fn each(
        mut self,
        progress: &Progress,
        mut take: impl FnMut(Batch) -> Result<(), Error>,
    ) -> Result<Ended, Error> {
        let fold =
            |batches: &mut Vec<Batch>, batch: &mut Batch| batches.push(std::mem::take(batch));
        // Rows are kept until it is their turn: the fewer, the better.
        self.tuning.run_blocks = 1;
        let weigh = |batches: &Vec<Batch>| batches.iter().map(weight).sum();
        // A segment has more rows than fit into memory several times over, and is read in no time.
        if let Body::Store(store) = &self.body {
            return each_of_store(self.source, &**store, progress, take);
        }
        let mut result = Ok(());
        let ended = self.run(progress, &Folding { fresh: Vec::new, fold, weigh }, &mut |batches| {
            result = batches.into_iter().try_for_each(&mut take);
            if result.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        result.map(|()| ended)
    }

    /// Gives the rows of the input to `take`, in order, until it has enough. `ahead`: the threads that read ahead; with
    /// none, the one that reads also takes, so that rows are taken while they are in its cache.
    pub(crate) fn until(
        mut self,
        ahead: usize,
        progress: &Progress,
        mut take: impl FnMut(&Batch) -> ControlFlow<()> + Send,
    ) -> Ended {
        self.tuning.threads = ahead.max(1);
        if ahead > 0 {
            let fold =
                |batches: &mut Vec<Batch>, batch: &mut Batch| batches.push(std::mem::take(batch));
            let weigh = |batches: &Vec<Batch>| batches.iter().map(weight).sum();
            return self.run(progress, &Folding { fresh: Vec::new, fold, weigh }, &mut |batches| {
                batches.iter().try_for_each(&mut take)
            });
        }
        // One worker takes block after block: nobody else ever wants the lock.
        let take = Mutex::new(take);
        let fold = |enough: &mut ControlFlow<()>, batch: &mut Batch| {
            if enough.is_continue() {
                *enough = take.lock().unwrap_or_else(PoisonError::into_inner)(batch);
            }
        };
        let fresh = || ControlFlow::Continue(());
        let weigh = |_: &ControlFlow<()>| 0;
        self.run(progress, &Folding { fresh, fold, weigh }, &mut |enough| enough)
    }

    fn run<T: Send>(
        self,
        progress: &Progress,
        folding: &impl Fold<T>,
        join: &mut dyn FnMut(T) -> ControlFlow<()>,
    ) -> Ended {
        let Self { source, body, tuning } = self;
        let ended = Ended { source, ..Ended::default() };
        let mut sum = Sum { ended, troubled: false, progress };
        match body {
            Body::Text { feed, reading: Reading::Blocks(reader) } => {
                progress.begin(Extent::Bytes(feed.total()));
                let workers = (0..tuning.threads)
                    .map(|_| block_worker(&*feed, &*reader, tuning, folding))
                    .collect();
                let idle = || progress.still(feed.passed());
                in_order(workers, ahead(tuning.threads), idle, |part| {
                    sum.join(part, feed.passed(), join)
                });
                sum.ended.now = reader.now();
                sum.ended.is_ours = reader.source().is_some();
                sum.ended.patience_ns = reader.patience_ns();
                sum.ended.has_virtual_clock = reader.has_virtual_clock();
            }
            Body::Text { feed, reading: Reading::Lines(reader) } => {
                progress.begin(Extent::Bytes(feed.total()));
                let mut lines = Lines::new(reader, tuning);
                let (workers, idle) =
                    (vec![lines.worker(&*feed)], || progress.still(feed.passed()));
                in_order(workers, ahead(1), idle, |part: Part<Vec<Batch>>| {
                    let part = part.fold(folding);
                    sum.join(part, feed.passed(), join)
                });
                sum.ended.complaints.append(lines.sink.complaints, 0);
                sum.ended.now = lines.reader.now();
                sum.ended.patience_ns = lines.reader.is_of_one_moment().then_some(0);
            }
            Body::Store(store) => {
                progress.begin(Extent::Segments(store.count()));
                let next = AtomicU64::new(0);
                let workers =
                    (0..tuning.threads).map(|_| segment_worker(&*store, &next, folding)).collect();
                in_order(
                    workers,
                    ahead(tuning.threads),
                    || (),
                    |part| sum.join(part, next.load(Ordering::Relaxed), join),
                );
                sum.ended.now = store.now();
                sum.ended.patience_ns = store.patience_ns();
            }
        }
        progress.finish();
        sum.ended
    }
}

/// Gives the rows of a store to `take`, batch by batch.
fn each_of_store(
    source: String,
    store: &dyn Segments,
    progress: &Progress,
    mut take: impl FnMut(Batch) -> Result<(), Error>,
) -> Result<Ended, Error> {
    progress.begin(Extent::Segments(store.count()));
    let (now, patience_ns) = (store.now(), store.patience_ns());
    let mut ended = Ended { source, now, patience_ns, ..Ended::default() };
    for segment in 0..store.count() {
        let mut result = Ok(());
        let mut complaints = Complaints::default();
        store.read(segment, &mut complaints, &mut |batch| {
            ended.rows += batch.rows.len() as u64;
            if result.is_ok() {
                result = take(std::mem::take(batch));
            }
        });
        ended.complaints.append(complaints, 0);
        result?;
        progress.at(segment + 1, ended.rows);
    }
    progress.finish();
    Ok(ended)
}

/// How far ahead so many threads may read.
fn ahead<T>(threads: usize) -> Ahead<Part<T>> {
    Ahead { results: threads * AHEAD, bytes: AHEAD_BYTES, weigh: |part| part.weight }
}

/// How rows become a value.
trait Fold<T>: Sync {
    fn fresh(&self) -> T;
    fn fold(&self, value: &mut T, batch: &mut Batch);
    /// About how much memory a value takes. Bytes.
    fn weigh(&self, value: &T) -> usize;
}

struct Folding<A, B, T> {
    fresh: A,
    fold: B,
    weigh: fn(&T) -> usize,
}

impl<T, A: Fn() -> T + Sync, B: Fn(&mut T, &mut Batch) + Sync> Fold<T> for Folding<A, B, T> {
    fn fresh(&self) -> T {
        (self.fresh)()
    }

    fn fold(&self, value: &mut T, batch: &mut Batch) {
        (self.fold)(value, batch);
    }

    fn weigh(&self, value: &T) -> usize {
        (self.weigh)(value)
    }
}

/// About how much memory a batch takes. Bytes.
fn weight(batch: &Batch) -> usize {
    let Batch { rows, agents, objects, names } = batch;
    let texts: usize = names.iter().map(|text| text.len()).sum();
    size_of_val(&rows[..]) + size_of_val(&agents[..]) + size_of_val(&objects[..]) + texts
}

/// What came of a block.
struct Part<T> {
    value: T,
    /// As [`Fold::weigh`] has it.
    weight: usize,
    lines: u64,
    bytes: u64,
    rows: u64,
    /// They count lines from the beginning of the block.
    complaints: Complaints,
    /// As [`Block::trouble`].
    trouble: Option<String>,
    /// Rows are missing that were there once.
    torn: bool,
}

impl<T> Part<T> {
    fn new(value: T) -> Self {
        let (weight, lines, bytes, rows, complaints, trouble, torn) = Default::default();
        Self { value, weight, lines, bytes, rows, complaints, trouble, torn }
    }

    /// Takes in rows.
    fn add(&mut self, folding: &impl Fold<T>, batch: &mut Batch) {
        self.rows += batch.rows.len() as u64;
        folding.fold(&mut self.value, batch);
    }

    fn skip_gigantic_line(&mut self) {
        self.lines += 1;
        self.complaints.add(self.lines, None, gigantic_line());
    }
}

impl Part<Vec<Batch>> {
    fn fold<T>(self, folding: &impl Fold<T>) -> Part<T> {
        let Self { value: batches, weight, lines, bytes, rows: _, complaints, trouble, torn } =
            self;
        let value = folding.fresh();
        let mut part = Part { value, weight, lines, bytes, rows: 0, complaints, trouble, torn };
        for mut batch in batches {
            part.add(folding, &mut batch);
        }
        part
    }
}

/// What came of the input so far.
struct Sum<'a> {
    ended: Ended,
    /// What went wrong with reading was said.
    troubled: bool,
    progress: &'a Progress,
}

impl Sum<'_> {
    fn join<T>(
        &mut self,
        part: Part<T>,
        passed: u64,
        join: &mut dyn FnMut(T) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let ended = &mut self.ended;
        ended.complaints.append(part.complaints, ended.lines);
        ended.lines += part.lines;
        ended.bytes += part.bytes;
        ended.rows += part.rows;
        ended.torn |= part.torn;
        // One cause troubles many blocks.
        if let Some(trouble) = part.trouble.filter(|_| !std::mem::replace(&mut self.troubled, true))
        {
            ended.complaints.add(0, None, trouble);
        }
        self.progress.at(passed, ended.rows);
        join(part.value)
    }
}

/// Reads run after run of blocks until there are no more.
fn block_worker<'a, T: Send + 'a>(
    feed: &'a dyn Feed,
    reader: &'a dyn BlockReader,
    tuning: Tuning,
    folding: &'a impl Fold<T>,
) -> impl FnMut() -> Option<(u64, Part<T>)> + Send + 'a {
    let mut scratch = reader.scratch();
    let (mut buffer, mut batch) = (Vec::new(), Batch::default());
    let mut hold = Hold::new(tuning.run_blocks);
    move || {
        let mut part = Part::new(folding.fresh());
        let mut run = None;
        while let Some(block) = feed.claim(&mut hold, &mut buffer) {
            run.get_or_insert(hold.number);
            for piece in pieces(&buffer[block.lines], tuning.stretch_bytes) {
                let Piece::Lines(lines) = piece else {
                    part.skip_gigantic_line();
                    continue;
                };
                clear(&mut batch);
                let mut complaints = Complaints::default();
                let count = reader.read(lines, &mut *scratch, &mut batch, &mut complaints);
                part.complaints.append(complaints, part.lines);
                part.lines += count;
                part.add(folding, &mut batch);
            }
            if block.then_gigantic {
                part.skip_gigantic_line();
            }
            part.bytes += block.bytes;
            part.trouble = part.trouble.or(block.trouble);
            if hold.is_done() {
                break;
            }
        }
        part.weight = folding.weigh(&part.value);
        Some((run?, part))
    }
}

/// Empties a batch and keeps its memory.
fn clear(batch: &mut Batch) {
    let Batch { rows, agents, objects, names } = batch;
    rows.clear();
    agents.clear();
    objects.clear();
    names.clear();
}

/// A reader that needs the lines before, and what it said so far.
struct Lines {
    reader: Box<dyn LineReader>,
    sink: Sink,
    builder: BatchBuilder,
    tuning: Tuning,
}

impl Lines {
    fn new(reader: Box<dyn LineReader>, tuning: Tuning) -> Self {
        Self { reader, sink: Sink::default(), builder: BatchBuilder::default(), tuning }
    }

    fn worker<'a>(
        &'a mut self,
        feed: &'a dyn Feed,
    ) -> impl FnMut() -> Option<(u64, Part<Vec<Batch>>)> + Send + 'a {
        let (mut buffer, mut next, mut finished) = (Vec::new(), 0, false);
        let mut hold = Hold::new(1);
        move || {
            let mut part = Part::new(Vec::new());
            let claimed = feed.claim(&mut hold, &mut buffer);
            match claimed {
                Some(block) => self.read(&buffer, block, &mut part),
                None if std::mem::replace(&mut finished, true) => return None,
                None => self.reader.finish(&mut self.sink),
            }
            self.drain(&mut part.value, true);
            part.weight = part.value.iter().map(weight).sum();
            next += 1;
            Some((next - 1, part))
        }
    }

    fn read(&mut self, buffer: &[u8], block: Block, part: &mut Part<Vec<Batch>>) {
        for piece in pieces(&buffer[block.lines], self.tuning.stretch_bytes) {
            match piece {
                Piece::Lines(lines) => self.lines(lines, part),
                Piece::Gigantic => self.skip_gigantic_line(part),
            }
        }
        if block.then_gigantic {
            self.skip_gigantic_line(part);
        }
        (part.bytes, part.trouble) = (block.bytes, block.trouble);
    }

    fn lines(&mut self, lines: &[u8], part: &mut Part<Vec<Batch>>) {
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            (self.sink.line, part.lines) = (self.sink.line + 1, part.lines + 1);
            self.reader.line(line, &mut self.sink);
            if self.sink.events.len() >= EVENTS_MAX {
                self.drain(&mut part.value, false);
            }
        }
    }

    fn skip_gigantic_line(&mut self, part: &mut Part<Vec<Batch>>) {
        (self.sink.line, part.lines) = (self.sink.line + 1, part.lines + 1);
        self.sink.complain(None, gigantic_line());
    }

    /// Makes batches of the events that are there.
    fn drain(&mut self, batches: &mut Vec<Batch>, all: bool) {
        for event in self.sink.events.drain(..) {
            self.builder.event(&event);
        }
        if self.builder.len() >= EVENTS_MAX || all && !self.builder.is_empty() {
            batches.push(self.builder.take());
        }
    }
}

/// Reads segment after segment until there are no more.
fn segment_worker<'a, T: Send + 'a>(
    store: &'a dyn Segments,
    next: &'a AtomicU64,
    folding: &'a impl Fold<T>,
) -> impl FnMut() -> Option<(u64, Part<T>)> + Send + 'a {
    move || {
        let segment = next.fetch_add(1, Ordering::Relaxed);
        if segment >= store.count() {
            return None;
        }
        let mut part = Part::new(folding.fresh());
        let mut complaints = Complaints::default();
        store.read(segment, &mut complaints, &mut |batch| part.add(folding, batch));
        // What is said with the introductions is about the tables.
        part.torn = segment > 0 && complaints.count() > 0;
        part.complaints = complaints;
        part.weight = folding.weigh(&part.value);
        Some((segment, part))
    }
}
