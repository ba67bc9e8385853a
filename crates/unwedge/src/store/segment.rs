//! How is one segment of a store read? By itself, so that several can be read at once.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use bytes::Bytes;
use parquet::data_type::{Int32Type, Int64Type};
use parquet::errors::{ParquetError, Result as ParquetResult};
use unwedge_trace::NEXT;
use unwedge_trace::row::{AgentEntry, Batch, Key, NONE, Op, Row, priority_value};

use super::columns::has_point;
use super::decode::{Columns, Values, guard};
use super::pages::Dictionary;
use super::schema::EVENTS;
use super::tables::Tables;
use super::texts::{Texts, op_from_text};
use super::write::SUMMARY_KEY;

/// Rows of a batch.
const BATCH_ROWS: usize = 1 << 16;
/// Rows that are decoded at once, column by column: a cache's worth.
const STEP: usize = 1 << 12;
/// Most rows that are read of one segment; ours have few more than 4 Mi.
pub(super) const ROWS_MAX: u64 = 64 << 20;

/// A stretch of a store.
#[derive(Clone)]
pub(crate) struct Segment {
    /// Its path in the folder.
    pub(super) name: String,
    pub(super) rows: u64,
    /// The time of its first row as the manifest has it.
    pub(super) from: u64,
    /// Its file, or what is wrong with it.
    pub(super) file: Result<Columns, String>,
    pub(super) tables: Arc<Tables>,
}

impl Segment {
    /// Its rows, as the manifest or the file has them.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// What the writer left as a summary of its rows. Whether this program understands it, the caller finds out.
    pub(crate) fn summary(&self) -> Option<Vec<u8>> {
        let note = self.file.as_ref().ok()?.note(SUMMARY_KEY)?;
        base64::engine::general_purpose::STANDARD.decode(note).ok()
    }

    /// Its rows in batches, and in between what is wrong with it. Rows that cannot be read are lost events.
    pub(crate) fn batches(&self) -> Batches {
        let groups = self.file.as_ref().map(Columns::groups).unwrap_or_default();
        let waiting =
            Waiting { groups: groups.into_iter().enumerate().collect(), group: None, left: 0 };
        Batches {
            segment: self.clone(),
            waiting,
            carried: Vec::new(),
            said: Vec::new(),
            lost: 0,
            latest: self.from,
            begun: false,
            local: Local::new(&self.tables),
        }
    }
}

/// The row groups that are still to be read.
struct Waiting {
    groups: std::collections::VecDeque<(usize, i64)>,
    group: Option<Group>,
    /// Rows left of the open one.
    left: u64,
}

/// The batches of a segment, in order.
pub(crate) struct Batches {
    segment: Segment,
    waiting: Waiting,
    /// The last event of the rows so far, whose further rows may come with the next ones.
    carried: Vec<Row>,
    said: Vec<String>,
    /// Rows that could not be read since the last batch.
    lost: u64,
    /// The time of the last row.
    latest: u64,
    begun: bool,
    local: Local,
}

impl Iterator for Batches {
    type Item = Result<Batch, String>;

    fn next(&mut self) -> Option<Self::Item> {
        if !std::mem::replace(&mut self.begun, true) {
            self.begin();
        }
        loop {
            if let Some(complaint) = self.said.pop() {
                return Some(Err(format!("{}: {complaint}", self.segment.name)));
            }
            if self.lost > 0 {
                let rows = std::mem::take(&mut self.carried);
                let lost = std::mem::take(&mut self.lost);
                return Some(Ok(self.local.with_lost(rows, self.latest, lost)));
            }
            if self.waiting.group.is_none() && self.waiting.groups.is_empty() {
                let rows = std::mem::take(&mut self.carried);
                return (!rows.is_empty()).then(|| Ok(self.local.batch(rows)));
            }
            if let Some(rows) = self.read() {
                return Some(Ok(self.local.batch(rows)));
            }
        }
    }
}

impl Batches {
    fn begin(&mut self) {
        if let Err(why) = &self.segment.file {
            self.said.push(why.clone());
            self.lost = self.segment.rows;
        }
    }

    /// Reads up to a batch of rows, if that works out.
    fn read(&mut self) -> Option<Vec<Row>> {
        let Ok(file) = &self.segment.file else { return None };
        if self.waiting.group.is_none() {
            let (number, rows) = self.waiting.groups.pop_front()?;
            self.waiting.left = rows.clamp(0, ROWS_MAX.cast_signed()).cast_unsigned();
            match guard(|| Group::open(file, number)) {
                Ok(group) => self.waiting.group = Some(group),
                Err(why) => return self.give_up(why),
            }
        }
        let mut rows = std::mem::take(&mut self.carried);
        let carried = rows.len();
        let count =
            usize::try_from(self.waiting.left).map_or(BATCH_ROWS, |left| left.min(BATCH_ROWS));
        rows.resize(carried + count, Row::new(0, NONE, Op::Mark));
        let mut done = carried;
        while let Some(group) = &mut self.waiting.group {
            if done == rows.len() {
                break;
            }
            let end = rows.len().min(done + STEP);
            if let Err(why) = guard(|| group.read(&mut rows[done..end])) {
                rows.truncate(done);
                self.carried = rows;
                return self.give_up(why);
            }
            self.waiting.left -= (end - done) as u64;
            done = end;
        }
        if self.waiting.left == 0 {
            self.waiting.group = None;
        }
        self.latest = rows.last().map_or(self.latest, |row| row.at);
        if self.waiting.group.is_none() && self.waiting.groups.is_empty() {
            return Some(rows);
        }
        // The further rows of the last event may be still to come.
        let is_first = |row: &Row| !matches!(row.op, Op::MorePoint | Op::MoreObject);
        let whole =
            rows.iter().rposition(is_first).filter(|whole| *whole > 0).unwrap_or(rows.len());
        self.carried = rows.split_off(whole);
        Some(rows)
    }

    /// The rest of this row group cannot be read.
    fn give_up(&mut self, why: String) -> Option<Vec<Row>> {
        self.said.push(why);
        self.lost += self.waiting.left;
        self.waiting.group = None;
        None
    }
}

/// The columns of a row group.
struct Group {
    at: Values<Int64Type>,
    op: Values<Int32Type>,
    op_texts: Dictionary,
    /// By place in the dictionary.
    ops: Vec<Op>,
    code: Values<Int32Type>,
    code_texts: Dictionary,
    /// By place in the dictionary, and by op.
    codes: Vec<[u8; Op::ALL.len()]>,
    agent: Values<Int32Type>,
    object: Values<Int32Type>,
    value: Values<Int64Type>,
    amount: Values<Int64Type>,
    name: Values<Int32Type>,
    object2: Values<Int32Type>,
    value2: Values<Int64Type>,
    agent2: Values<Int32Type>,
}

impl Group {
    fn open(file: &Columns, group: usize) -> ParquetResult<Self> {
        let place = |name: &str| EVENTS.iter().position(|column| column.name == name).unwrap_or(0);
        let number = |name: &str| file.column::<Int64Type>(group, place(name));
        let id = |name: &str| file.column::<Int32Type>(group, place(name));
        let (op, op_texts) = file.places(group, place("op"))?;
        let (code, code_texts) = file.places(group, place("code"))?;
        Ok(Self {
            at: number("at_ns")?,
            op,
            op_texts,
            ops: Vec::new(),
            code,
            code_texts,
            codes: Vec::new(),
            agent: id("agent")?,
            object: id("object")?,
            value: number("value")?,
            amount: number("amount")?,
            name: id("name")?,
            object2: id("object2")?,
            value2: number("value2")?,
            agent2: id("agent2")?,
        })
    }

    /// Fills in the next rows, which are new.
    fn read(&mut self, rows: &mut [Row]) -> ParquetResult<()> {
        self.at.read(rows, |row, at| row.at = at.cast_unsigned())?;
        self.read_ops(rows)?;
        self.read_codes(rows)?;
        self.agent.read(rows, |row, id| row.agent = id.cast_unsigned())?;
        self.object.read(rows, |row, id| row.object = id.cast_unsigned())?;
        self.name.read(rows, |row, id| row.name = id.cast_unsigned())?;
        self.object2.read(rows, |row, id| row.object2 = id.cast_unsigned())?;
        self.agent2.read(rows, |row, id| row.agent2 = id.cast_unsigned())?;
        for row in rows.iter_mut() {
            row.value = if has_point(row.op) && row.object != NONE { NEXT } else { 0 };
            row.value2 = if row.op == Op::Owed && row.object2 != NONE { NEXT } else { 0 };
        }
        self.value.read(rows, |row, value| {
            row.value = match row.op {
                Op::State => priority_value(i32::try_from(*value).ok()),
                _ => value.cast_unsigned(),
            };
        })?;
        self.value2.read(rows, |row, value| row.value2 = value.cast_unsigned())?;
        self.amount.read(rows, |row, amount| {
            let more = u64::from(row.op == Op::State);
            row.amount = amount.cast_unsigned().saturating_add(more);
        })
    }

    fn read_ops(&mut self, rows: &mut [Row]) -> ParquetResult<()> {
        self.op.fetch(rows.len())?;
        if let (true, Some(texts)) = (self.ops.is_empty(), self.op_texts.get()) {
            self.ops = texts
                .iter()
                .map(|text| op_from_text(text))
                .collect::<Option<_>>()
                .ok_or_else(|| {
                    ParquetError::General("it has an op that this program does not know".to_owned())
                })?;
        }
        let ops = &self.ops;
        self.op.show(rows, |row, place| row.op = of(ops, *place).unwrap_or_default());
        Ok(())
    }

    /// What a text means depends on the op.
    fn read_codes(&mut self, rows: &mut [Row]) -> ParquetResult<()> {
        self.code.fetch(rows.len())?;
        if let (true, Some(texts)) = (self.codes.is_empty(), self.code_texts.get()) {
            let all = Texts::all();
            let codes = |text: &Bytes| Op::ALL.map(|op| all.code_from_text(op, text));
            self.codes = texts.iter().map(codes).collect();
        }
        let codes = &self.codes;
        self.code.show(rows, |row, place| {
            row.code = of(codes, *place).map_or(0, |codes| codes[row.op as usize - 1]);
        });
        Ok(())
    }
}

fn of<T: Copy>(dictionary: &[T], place: i32) -> Option<T> {
    dictionary.get(usize::try_from(place).ok()?).copied()
}

/// Turns ids of the store into places in a batch's own tables.
struct Local {
    tables: Arc<Tables>,
    agents: Places,
    objects: Places,
    names: Places,
}

impl Local {
    fn new(tables: &Arc<Tables>) -> Self {
        Self {
            tables: Arc::clone(tables),
            agents: Places::new(tables.agents()),
            objects: Places::new(tables.objects()),
            names: Places::new(tables.names()),
        }
    }

    fn batch(&mut self, mut rows: Vec<Row>) -> Batch {
        for row in &mut rows {
            row.agent = self.agents.place(row.agent);
            row.object = self.objects.place(row.object);
            row.name = self.names.place(row.name);
            if row.op == Op::Owed || row.object2 != NONE || row.agent2 != NONE {
                row.object2 = self.objects.place(row.object2);
                row.agent2 = self.agents.place(row.agent2);
            }
        }
        let tables = &self.tables;
        let text = |id: u32| tables.text(id).unwrap_or_default().into();
        Batch {
            rows,
            agents: self.agents.take(|id| tables.agent_entry(id)),
            objects: self.objects.take(|id| tables.object_entry(id)),
            names: self.names.take(text),
        }
    }

    /// The rows, and behind them that others are lost.
    fn with_lost(&mut self, rows: Vec<Row>, at: u64, count: u64) -> Batch {
        let mut batch = self.batch(rows);
        let by = u32::try_from(batch.agents.len()).unwrap_or(NONE);
        batch.agents.push(AgentEntry::unknown(Key::Text("the store".into())));
        batch.rows.push(Row { amount: count, ..Row::new(at, by, Op::Lost) });
        batch
    }
}

/// The places that ids have been given in the batch that grows.
struct Places {
    /// By id; [`NONE`] where it has none yet.
    places: Vec<u32>,
    /// Those that the table does not know.
    beyond: HashMap<u32, u32>,
    /// By place.
    ids: Vec<u32>,
}

impl Places {
    fn new(known: usize) -> Self {
        Self { places: vec![NONE; known], beyond: HashMap::new(), ids: Vec::new() }
    }

    fn place(&mut self, id: u32) -> u32 {
        if id == NONE {
            return NONE;
        }
        let next = u32::try_from(self.ids.len()).unwrap_or(NONE);
        let place = match self.places.get_mut(id as usize) {
            Some(place) if *place != NONE => return *place,
            Some(place) => {
                *place = next;
                next
            }
            None => *self.beyond.entry(id).or_insert(next),
        };
        if place == next {
            self.ids.push(id);
        }
        place
    }

    /// What was named, in the order of the places; the next batch begins anew.
    fn take<T>(&mut self, entry: impl Fn(u32) -> T) -> Vec<T> {
        let entries = self.ids.iter().map(|id| entry(*id)).collect();
        for id in self.ids.drain(..) {
            if let Some(place) = self.places.get_mut(id as usize) {
                *place = NONE;
            }
        }
        self.beyond.clear();
        entries
    }
}
