//! How are blocks of a foreign trace read, fast where lines are like those before?

use memchr::memchr;
use unwedge_trace::row::{Batch, NONE, Row};

use super::apply::Line;
use super::json::{Value, scan};
use super::learn::{Learner, Unwanted};
use super::plan::{Action, Plan, Rule, Unknown};
use super::value::whole_nanoseconds;
use crate::template::{Echoes, SKIP, Span, Tables, Trie, Walk, tokens};
use crate::{BlockReader, Complaints, LINE_BYTES_MAX};

/// Lines of one block that are tried to be learned.
const LESSONS_MAX: u32 = 1024;

/// Reads blocks with a plan.
pub(super) struct Reader {
    pub(super) plan: Plan,
    pub(super) learns: bool,
}

/// A sort of line.
struct Leaf {
    event: Box<str>,
    /// None for a name that has none.
    rule: Option<Rule>,
    words: Vec<(u8, bool)>,
}

/// What a thread has learned.
#[derive(Default)]
struct Scratch {
    trie: Trie,
    echoes: Echoes,
    leaves: Vec<Leaf>,
    unwanted: Unwanted,
}

impl Scratch {
    fn forget(&mut self) {
        self.trie.clear();
        self.echoes.clear();
        self.leaves.clear();
    }
}

impl BlockReader for Reader {
    fn scratch(&self) -> Box<dyn std::any::Any + Send> {
        Box::new(Scratch::default())
    }

    fn read(
        &self,
        block: &[u8],
        scratch: &mut (dyn std::any::Any + Send),
        out: &mut Batch,
        complaints: &mut Complaints,
    ) -> u64 {
        let mut own = Scratch::default();
        let scratch = scratch.downcast_mut::<Scratch>().unwrap_or(&mut own);
        scratch.echoes.new_block();
        out.rows.reserve(block.len() / 256);
        let mut reading = Block {
            plan: &self.plan,
            scratch,
            tables: Tables::new(out),
            complaints,
            line: 0,
            latest: 0,
            backwards: false,
            lessons: if self.learns { LESSONS_MAX } else { 0 },
            values: vec![Value::Missing; self.plan.fields.len()],
        };
        reading.lines(block);
        reading.line
    }

    fn has_virtual_clock(&self) -> bool {
        self.plan.time.is_virtual
    }
}

/// A block that is being read.
struct Block<'a, 'b, 'v> {
    plan: &'a Plan,
    scratch: &'a mut Scratch,
    tables: Tables<'b>,
    complaints: &'a mut Complaints,
    line: u64,
    latest: u64,
    backwards: bool,
    lessons: u32,
    /// All missing between lines.
    values: Vec<Value<'v>>,
}

impl<'v> Block<'_, '_, 'v> {
    fn lines(&mut self, block: &'v [u8]) {
        let mut walk = Walk::default();
        let mut at = 0;
        while at < block.len() {
            self.line += 1;
            if let Some(end) = self.echo(block, at) {
                at = end + 1;
                continue;
            }
            if let Some(end) = self.known(block, at, &mut walk) {
                at = end + 1;
                continue;
            }
            let end = memchr(b'\n', &block[at..]).map_or(block.len(), |len| at + len);
            self.parse(&block[at..end]);
            at = end + 1;
        }
    }

    /// A line that was foreseen.
    #[inline]
    fn echo(&mut self, block: &[u8], at: usize) -> Option<usize> {
        let (hit, rows) = self.scratch.echoes.guess(block, at)?;
        if !rows.is_empty() {
            let time = &self.plan.time;
            let ns = whole_nanoseconds(hit.time, time.unit).ok()?.checked_sub(time.origin)?;
            self.tables.rows().extend(rows.iter().map(|row| Row { at: ns, ..*row }));
            self.time(ns);
        }
        Some(hit.end)
    }

    /// A line of a known sort.
    #[inline]
    fn known(&mut self, block: &'v [u8], at: usize, walk: &mut Walk) -> Option<usize> {
        let found = self.scratch.trie.find(block, at, walk)?;
        if found.end - at > LINE_BYTES_MAX {
            return None;
        }
        let leaf = self.scratch.leaves.get(found.leaf as usize)?;
        let (rows_before, changes) = (self.tables.rows().len(), self.tables.changes());
        for span in walk.spans() {
            if let Some(value) = self.values.get_mut(usize::from(span.slot)) {
                *value = value_of(block, span);
            }
        }
        for (slot, truth) in &leaf.words {
            let word: &[u8] = if *truth { b"true" } else { b"false" };
            self.values[usize::from(*slot)] = Value::Word(word);
        }
        let done =
            apply(self.plan, leaf.rule.as_ref(), &leaf.event, &self.values, &mut self.tables);
        let used = walk.spans().iter().map(|span| span.slot).filter(|slot| *slot != SKIP);
        for slot in used.chain(leaf.words.iter().map(|(slot, _)| *slot)) {
            self.values[usize::from(slot)] = Value::Missing;
        }
        let unchanged = self.tables.changes() == changes;
        match done {
            Ok(time) => {
                if let Some(at) = time {
                    self.time(at);
                }
                if unchanged && self.scratch.echoes.listens() {
                    let slot = self.plan.time.field.unwrap_or(SKIP);
                    let rows = &self.tables.rows()[rows_before..];
                    if rows.iter().all(|row| Some(row.at) == time) {
                        self.scratch.echoes.note(block, at, (found, walk.spans(), slot), rows);
                    }
                }
            }
            Err(text) => self.complaints.add(self.line, None, text),
        }
        Some(found.end)
    }

    fn parse(&mut self, line: &'v [u8]) {
        if line.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        if line.len() > LINE_BYTES_MAX {
            let text = format!("longer than {LINE_BYTES_MAX} bytes, skipped");
            return self.complaints.add(self.line, None, text);
        }
        match scan(line, &self.plan.wanted, &mut self.values) {
            Ok(()) => self.scanned(line),
            Err(fault) => self.complaints.add(self.line, Some(fault.at + 1), fault.text),
        }
        self.values.fill(Value::Missing);
    }

    fn scanned(&mut self, line: &[u8]) {
        let events = &self.plan.events;
        let first = Plan::value(events.field, &self.values).text();
        let second = Plan::value(events.second, &self.values).text();
        let Some(first) = first else {
            if events.unknown != Unknown::Ignore {
                let text = format!("field {:?} is missing", self.plan.field(events.field));
                self.complaints.add(self.line, None, text);
            }
            return;
        };
        let event = match second {
            Some(second) => format!("{first}/{second}"),
            None => first.into_owned(),
        };
        let rule = self.plan.rule(&event);
        match apply(self.plan, rule, &event, &self.values, &mut self.tables) {
            Ok(time) => {
                if let Some(at) = time {
                    self.time(at);
                }
            }
            Err(text) => self.complaints.add(self.line, None, text),
        }
        if self.lessons > 0 {
            self.lessons -= 1;
            self.learn(line, event, rule.cloned());
        }
    }

    fn time(&mut self, at: u64) {
        if at < self.latest && !std::mem::replace(&mut self.backwards, true) {
            self.complaints.add(self.line, None, "time goes backwards here (said once)");
        }
        self.latest = self.latest.max(at);
    }

    fn learn(&mut self, line: &[u8], event: String, rule: Option<Rule>) {
        let mut learner = Learner::new(self.plan, rule.as_ref(), &mut self.scratch.unwanted);
        let items = tokens(line, &mut |path, found| learner.class(path, found));
        let (relearn, words) = (learner.relearn, learner.words);
        if relearn || self.scratch.trie.is_full() {
            self.scratch.forget();
        }
        let Some(items) = items else { return };
        let leaf = u32::try_from(self.scratch.leaves.len()).unwrap_or(NONE);
        if self.scratch.trie.insert(&items, leaf).is_some() {
            self.scratch.leaves.push(Leaf { event: event.into(), rule, words });
        }
    }
}

#[inline]
fn value_of<'v>(block: &'v [u8], span: &Span) -> Value<'v> {
    let text = block.get(span.start as usize..span.end as usize).unwrap_or_default();
    match (span.is_text, span.is_whole) {
        (true, _) => Value::Text(text, false),
        (false, true) => Value::Whole(span.number, text),
        (false, false) => Value::Number(text),
    }
}

/// The rows of a line whose name has this rule, or none.
#[inline]
fn apply(
    plan: &Plan,
    rule: Option<&Rule>,
    event: &str,
    values: &[Value<'_>],
    tables: &mut Tables<'_>,
) -> Result<Option<u64>, String> {
    let rule = match (rule, plan.events.unknown) {
        (Some(rule), _) => rule,
        (None, Unknown::Ignore) => return Ok(None),
        (None, Unknown::Complain) => return Err(format!("no rule for the event {event:?}")),
        (None, Unknown::Mark) => &plan.mark,
    };
    debug_assert!(rule.action != Action::State || rule.state != unwedge_trace::AgentState::Unknown);
    Line { plan, rule, event, values }.apply(tables)
}
