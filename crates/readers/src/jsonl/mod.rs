//! How is a recording in JSON Lines read fast, whatever its size?
//!
//! What comes out is what [`unwedge_trace::jsonl::read`] and a `BatchBuilder` would make of it. The parser is theirs;
//! lines of a known sort are read without it ([`crate::template`]).

mod shape;

use memchr::memchr;
use serde_json::{Map, Value};
use unwedge_trace::jsonl::{Header, LINE_BYTES_MAX, ReadError, VERSION};
use unwedge_trace::row::{AgentEntry, Batch, Key, NONE, ObjectEntry, Row, priority_value};
use unwedge_trace::{Event, Timestamp, What};

use crate::template::{Echoes, KeyRef, Match, Span, Sure, Tables, Trie, Walk, tokens};
use crate::{BlockReader, Complaints, Format, Reading};
use shape::{Put, Shape, Target};

/// a recording of unwedge in JSON Lines.
pub const FORMAT: Format =
    Format { name: "unwedge", title: "a recording of unwedge in JSON Lines", detect, open };

/// Sorts of line that are learned from one block at most, and lines that are tried for it.
const LESSONS_MAX: u32 = 1024;

fn first_line(start: &[u8]) -> &[u8] {
    &start[..memchr(b'\n', start).unwrap_or(start.len())]
}

fn detect(start: &[u8]) -> bool {
    let line = first_line(start);
    let map = serde_json::from_slice::<Map<String, Value>>(line);
    map.is_ok_and(|map| map.contains_key("unwedge_trace"))
}

fn open(start: &[u8]) -> Result<Reading, String> {
    Ok(Reading::Blocks(Box::new(Reader::new(start)?)))
}

/// Reads blocks of a recording.
#[derive(Clone, Debug)]
pub struct Reader {
    header: Box<[u8]>,
    now: Timestamp,
    patience_ns: u64,
    source: Box<str>,
    learns: bool,
}

impl Reader {
    /// A reader of the recording that begins with `start`, which has at least the whole first line.
    ///
    /// # Errors
    /// In the words of [`ReadError`]: no header, or one of another version.
    pub fn new(start: &[u8]) -> Result<Self, String> {
        if start.is_empty() {
            return Err(ReadError::Empty.to_string());
        }
        let line = first_line(start);
        let header: Header = serde_json::from_slice(line).map_err(|error| {
            let (why, column) = brief(&error);
            let why = column.map_or(why.clone(), |column| format!("{why}, column {column}"));
            ReadError::NoHeader { why }.to_string()
        })?;
        if header.unwedge_trace != VERSION {
            return Err(ReadError::Version { found: header.unwedge_trace }.to_string());
        }
        let source = header.source.into();
        let patience_ns = header.patience_ns.unwrap_or(0);
        Ok(Self { header: line.into(), now: header.now, patience_ns, source, learns: true })
    }

    /// The same reader, which parses every line: what it reads is the same, and tests compare.
    #[must_use]
    pub fn without_templates(self) -> Self {
        Self { learns: false, ..self }
    }
}

/// What a thread has learned.
#[derive(Default)]
struct Scratch {
    trie: Trie,
    echoes: Echoes,
    shapes: Vec<Shape>,
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
        out.rows.reserve(block.len() / 128);
        let mut reading = Block {
            scratch,
            tables: Tables::new(out),
            complaints,
            line: 0,
            latest: 0,
            backwards: false,
            lessons: if self.learns { LESSONS_MAX } else { 0 },
        };
        let after_header = block
            .strip_prefix(&*self.header)
            .filter(|rest| rest.first().is_none_or(|byte| *byte == b'\n'));
        let start = if after_header.is_some() { self.header.len() + 1 } else { 0 };
        reading.line = u64::from(start > 0);
        reading.lines(block, start, self.learns);
        reading.line
    }

    fn now(&self) -> Option<Timestamp> {
        Some(self.now)
    }

    fn patience_ns(&self) -> Option<u64> {
        Some(self.patience_ns)
    }

    fn source(&self) -> Option<&str> {
        Some(&self.source)
    }
}

/// A block that is being read.
struct Block<'a, 'b> {
    scratch: &'a mut Scratch,
    tables: Tables<'b>,
    complaints: &'a mut Complaints,
    line: u64,
    latest: u64,
    backwards: bool,
    lessons: u32,
}

impl Block<'_, '_> {
    fn lines(&mut self, block: &[u8], start: usize, learns: bool) {
        let mut walk = Walk::default();
        let mut at = start;
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
            self.parse(&block[at..end], learns);
            at = end + 1;
        }
    }

    #[inline]
    fn echo(&mut self, block: &[u8], at: usize) -> Option<usize> {
        let (hit, rows) = self.scratch.echoes.guess(block, at)?;
        self.tables.rows().extend(rows.iter().map(|row| Row { at: hit.time, ..*row }));
        self.time(hit.time);
        Some(hit.end)
    }

    #[inline]
    fn known(&mut self, block: &[u8], at: usize, walk: &mut Walk) -> Option<usize> {
        let found = self.scratch.trie.find(block, at, walk)?;
        if found.end - at > LINE_BYTES_MAX {
            return None;
        }
        let (rows_before, changes) = (self.tables.rows().len(), self.tables.changes());
        let shape = self.scratch.shapes.get(found.leaf as usize)?;
        let slot = shape.time;
        let time = fill(shape, block, walk.spans(), &mut self.tables)?;
        self.time(time);
        if self.scratch.echoes.listens() && self.tables.changes() == changes {
            let rows = &self.tables.rows()[rows_before..];
            let noted: (Match, &[Span], u8) = (found, walk.spans(), slot);
            self.scratch.echoes.note(block, at, noted, rows);
        }
        Some(found.end)
    }

    fn parse(&mut self, line: &[u8], learns: bool) {
        if line.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        if line.len() > LINE_BYTES_MAX {
            let text = format!("longer than {LINE_BYTES_MAX} bytes, skipped");
            return self.complaints.add(self.line, None, text);
        }
        let parsed = serde_json::from_slice::<Map<String, Value>>(line)
            .and_then(|map| serde_json::from_value::<Event>(Value::Object(map)));
        match parsed {
            Ok(event) => {
                self.event(&event);
                self.time(event.at.0);
                if learns && self.lessons > 0 {
                    self.lessons -= 1;
                    self.learn(line, &event);
                }
            }
            Err(error) => {
                let (text, column) = brief(&error);
                self.complaints.add(self.line, column, text);
            }
        }
    }

    fn time(&mut self, at: u64) {
        if at < self.latest && !std::mem::replace(&mut self.backwards, true) {
            self.complaints.add(self.line, None, "time goes backwards here (said once)");
        }
        self.latest = self.latest.max(at);
    }

    fn learn(&mut self, line: &[u8], event: &Event) {
        let Some(mut learner) = shape::Learner::new(event) else { return };
        let Some(items) = tokens(line, &mut |path, found| learner.class(path, found)) else {
            return;
        };
        let Some(shape) = learner.shape() else { return };
        if self.scratch.trie.is_full() {
            *self.scratch = Scratch::default();
            self.scratch.echoes.new_block();
        }
        let leaf = u32::try_from(self.scratch.shapes.len()).unwrap_or(NONE);
        if self.scratch.trie.insert(&items, leaf).is_some() {
            self.scratch.shapes.push(shape);
        }
    }

    /// As a `BatchBuilder` does it, which has no way in for rows that are ready.
    fn event(&mut self, event: &Event) {
        let agent = agent(&mut self.tables, u64::from(event.agent.0));
        match &event.what {
            What::Agent { kind, name, pid, tid } => {
                let Some(entry) = self.tables.agent_entry(agent) else { return };
                entry.introduce(*kind, name, *pid, *tid);
            }
            What::Object { object: id, kind, handle, label, shared } => {
                let object = object(&mut self.tables, u64::from(id.0));
                let Some(entry) = self.tables.object_entry(object, Sure::Told) else { return };
                entry.introduce(*kind, *handle, label, *shared);
            }
            _ => self.rows(event),
        }
    }

    /// The rows that a `BatchBuilder` makes of the event alone, with places in our tables.
    fn rows(&mut self, event: &Event) {
        let mut builder = unwedge_trace::row::BatchBuilder::default();
        builder.event(event);
        let alone = builder.take();
        let number = |key: Option<&Key>| match key {
            Some(Key::Number(number)) => *number,
            _ => 0,
        };
        for row in &alone.rows {
            let mut row = *row;
            for place in [&mut row.agent, &mut row.agent2] {
                if *place != NONE {
                    let key = alone.agents.get(*place as usize).map(|agent| &agent.key);
                    *place = agent(&mut self.tables, number(key));
                }
            }
            for place in [&mut row.object, &mut row.object2] {
                if *place != NONE {
                    let key = alone.objects.get(*place as usize).map(|object| &object.key);
                    *place = object(&mut self.tables, number(key));
                }
            }
            row.name = self.tables.name(alone.name(row.name));
            self.tables.rows().push(row);
        }
    }
}

fn agent(tables: &mut Tables<'_>, id: u64) -> u32 {
    tables.agent(KeyRef::Number(id), AgentEntry::unknown)
}

fn object(tables: &mut Tables<'_>, id: u64) -> u32 {
    tables.object(KeyRef::Number(id), ObjectEntry::unknown)
}

/// Adds the rows of a line of a known sort and gives its time; none, and nothing done, if the parser has to look.
#[inline]
fn fill(shape: &Shape, block: &[u8], spans: &[Span], tables: &mut Tables<'_>) -> Option<u64> {
    let value = |slot: u8| spans.get(usize::from(slot)).copied().unwrap_or_default();
    let text = |span: Span| block.get(span.start as usize..span.end as usize);
    if !shape.puts.iter().all(|put| put.fits(value(put.slot), block)) {
        return None;
    }
    let first = tables.rows().len();
    let at = value(shape.time).number;
    let agent_place = agent(tables, value(shape.agent).number);
    for row in &shape.rows {
        tables.rows().push(Row { at, agent: agent_place, ..*row });
    }
    for put in &shape.puts {
        let span = value(put.slot);
        let place = match put.target {
            Target::Time | Target::Agent => continue,
            Target::Object | Target::Object2 => object(tables, span.number),
            Target::Agent2 => agent(tables, span.number),
            // Checked: it is plain ASCII.
            Target::Name => tables.plain_name(text(span)?),
            _ => NONE,
        };
        let Some(row) = tables.rows().get_mut(first + usize::from(put.row)) else { continue };
        put_value(row, put, span, place, text(span)?);
    }
    Some(at)
}

#[inline]
fn put_value(row: &mut Row, put: &Put, span: Span, place: u32, text: &[u8]) {
    match put.target {
        Target::Time | Target::Agent => {}
        Target::Name => row.name = place,
        Target::Object => row.object = place,
        Target::Object2 => row.object2 = place,
        Target::Agent2 => row.agent2 = place,
        Target::Value => row.value = span.number,
        Target::Value2 => row.value2 = span.number,
        Target::Amount => row.amount = span.number,
        Target::Processor => row.amount = span.number + 1,
        Target::Priority => row.value = priority_value(shape::priority(text)),
    }
}

/// What a parser said, and in which column.
fn brief(error: &serde_json::Error) -> (String, Option<usize>) {
    let mut text = error.to_string();
    let mut column = None;
    if let Some(at) = text.rfind(" at line ") {
        text.truncate(at);
        column = Some(error.column()).filter(|column| *column > 0);
    }
    (text, column)
}
