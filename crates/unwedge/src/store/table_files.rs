//! How do the tables of a store become files, and files tables?

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int32Type, Int64Type};
use parquet::errors::Result as ParquetResult;
use parquet::file::writer::SerializedFileWriter;
use unwedge_trace::row::{AgentEntry, Key, ObjectEntry};

use super::columns::Columns as Writing;
use super::decode::{Columns, guard};
use super::manifest::{Manifest, TableEntry};
use super::schema::{self, AGENTS, Column, NAMES, OBJECTS};
use super::tables::{Agent, Object, Tables};
use super::{StoreError, texts};

/// Entries of one row group.
const GROUP_ROWS: usize = 1 << 14;
/// Entries that are read at once.
const STEP: usize = 1 << 6;
/// Longest text that is read. Bytes.
const TEXT_BYTES: usize = 1 << 20;

type Numbered<R> = (i32, R);

impl Tables {
    /// Writes the three files.
    pub(super) fn write(&self, folder: &Path) -> Result<[TableEntry; 3], StoreError> {
        let number = |number: u32| (number != 0).then_some(i64::from(number));
        let agents = |columns: &mut Writing<_>, rows: &[Numbered<(&Key, &Agent)>]| {
            columns.required::<Int32Type, _>(rows, |(id, _)| *id)?;
            columns.texts(rows, |(_, (key, _))| key_text(key))?;
            columns.flags(rows, |(_, (_, agent))| agent.introduced)?;
            columns.texts(rows, |(_, (_, agent))| texts::agent_kind_text(agent.kind))?;
            columns.texts_or_null(rows, |(_, (_, agent))| &agent.name)?;
            columns.nullable::<Int64Type, _>(rows, |(_, (_, agent))| number(agent.pid))?;
            columns.nullable::<Int64Type, _>(rows, |(_, (_, agent))| number(agent.tid))
        };
        let objects = |columns: &mut Writing<_>, rows: &[Numbered<(&Key, &Object)>]| {
            columns.required::<Int32Type, _>(rows, |(id, _)| *id)?;
            columns.texts(rows, |(_, (key, _))| key_text(key))?;
            columns.flags(rows, |(_, (_, object))| object.introduced)?;
            columns.texts(rows, |(_, (_, object))| texts::object_kind_text(object.kind))?;
            let handle = |object: &Object| object.handle.cast_signed();
            columns.required::<Int64Type, _>(rows, |(_, (_, object))| handle(object))?;
            columns.texts_or_null(rows, |(_, (_, object))| &object.label)?;
            columns.flags(rows, |(_, (_, object))| object.shared)
        };
        let names = |columns: &mut Writing<_>, rows: &[Numbered<&Box<str>>]| {
            columns.required::<Int32Type, _>(rows, |(id, _)| *id)?;
            columns.texts(rows, |(_, text)| text.to_string())
        };
        Ok([
            write(folder, "agents.parquet", AGENTS, self.agents.iter(), agents)?,
            write(folder, "objects.parquet", OBJECTS, self.objects.iter(), objects)?,
            write(folder, "names.parquet", NAMES, self.names.iter(), names)?,
        ])
    }

    /// Reads the three files; what is wrong with one is said, and the rest of it is unknown.
    pub(super) fn read(
        folder: &Path,
        manifest: Option<&Manifest>,
        complaints: &mut Vec<String>,
    ) -> Self {
        let mut tables = Self::default();
        let mut table = |name: &str, columns, entry, add: fn(&mut Self, &Entry) -> u32| {
            if let Err(error) =
                read(&folder.join(name), columns, entry, |row| add(&mut tables, row))
            {
                complaints.push(format!("{name}: {error}"));
            }
        };
        table("agents.parquet", AGENTS, manifest.map(|manifest| manifest.agents), |tables, row| {
            tables.agent(&AgentEntry {
                key: key_from_text(&row.key),
                introduced: row.introduced,
                kind: texts::agent_kind_from_text(&row.kind),
                name: row.name.as_str().into(),
                pid: u32::try_from(row.numbers[0]).unwrap_or(0),
                tid: u32::try_from(row.numbers[1]).unwrap_or(0),
            })
        });
        table(
            "objects.parquet",
            OBJECTS,
            manifest.map(|manifest| manifest.objects),
            |tables, row| {
                tables.object(&ObjectEntry {
                    key: key_from_text(&row.key),
                    introduced: row.introduced,
                    kind: texts::object_kind_from_text(&row.kind),
                    handle: row.numbers[0].cast_unsigned(),
                    label: row.name.as_str().into(),
                    shared: row.shared,
                })
            },
        );
        table("names.parquet", NAMES, manifest.map(|manifest| manifest.names), |tables, row| {
            tables.name(&row.key)
        });
        tables
    }
}

fn write<R>(
    folder: &Path,
    name: &str,
    columns: &[Column],
    entries: impl Iterator<Item = R>,
    group: impl Fn(&mut Writing<BufWriter<File>>, &[Numbered<R>]) -> ParquetResult<()>,
) -> Result<TableEntry, StoreError> {
    let path = folder.join(name);
    let file = BufWriter::new(File::create(&path).map_err(StoreError::io(&path))?);
    let mut entries = (0..).zip(entries).peekable();
    let written = || {
        let properties = schema::properties(columns)?.into();
        let mut file = SerializedFileWriter::new(file, schema::schema(columns)?, properties)?;
        let mut rows = 0;
        while entries.peek().is_some() {
            let some: Vec<Numbered<R>> = entries.by_ref().take(GROUP_ROWS).collect();
            rows += some.len() as u64;
            let mut writing = Writing::new(&mut file)?;
            group(&mut writing, &some)?;
            writing.close()?;
        }
        file.finish()?;
        Ok(TableEntry { rows, bytes: file.bytes_written() as u64 })
    };
    written().map_err(StoreError::parquet(&path))
}

/// A row of any of the three tables.
#[derive(Clone, Default)]
struct Entry {
    id: i32,
    /// The key; of a name: the text.
    key: String,
    introduced: bool,
    kind: String,
    /// The name, or the label.
    name: String,
    /// Process and thread; or the handle.
    numbers: [i64; 2],
    shared: bool,
}

/// Reads a table and gives each entry to `add`, which says its id.
fn read(
    path: &Path,
    columns: &'static [Column],
    expected: Option<TableEntry>,
    mut add: impl FnMut(&Entry) -> u32,
) -> Result<(), String> {
    let file = Columns::open(path, columns)?;
    if let Some(expected) = expected.filter(|expected| expected.bytes != file.bytes()) {
        let found = file.bytes();
        return Err(format!(
            "not the file that was written: {found} bytes, not {}",
            expected.bytes
        ));
    }
    for (group, rows) in file.groups().into_iter().enumerate() {
        let mut next = guard(|| Group::open(&file, group, columns))?;
        let mut left = usize::try_from(rows).map_err(|_| "it has fewer than no rows".to_owned())?;
        while left > 0 {
            let mut entries = vec![Entry::default(); left.min(STEP)];
            left -= entries.len();
            guard(|| next.read(&mut entries))?;
            for entry in &entries {
                if add(entry).cast_signed() != entry.id {
                    return Err(format!("its entry {} is there twice, or one too many", entry.id));
                }
            }
        }
    }
    Ok(())
}

type Set<T> = fn(&mut Entry, &T);

/// The columns of a row group, with what to do with their values.
#[derive(Default)]
struct Group {
    ids: Vec<(super::decode::Values<Int32Type>, Set<i32>)>,
    numbers: Vec<(super::decode::Values<Int64Type>, Set<i64>)>,
    texts: Vec<(super::decode::Values<ByteArrayType>, Set<ByteArray>)>,
    flags: Vec<(super::decode::Values<BoolType>, Set<bool>)>,
}

impl Group {
    fn open(file: &Columns, group: usize, columns: &[Column]) -> ParquetResult<Self> {
        let mut all = Self::default();
        for (place, column) in columns.iter().enumerate() {
            match column.name {
                "id" => all.ids.push((file.column(group, place)?, |entry, id| entry.id = *id)),
                "pid" | "handle" => {
                    all.numbers
                        .push((file.column(group, place)?, |entry, to| entry.numbers[0] = *to));
                }
                "tid" => {
                    all.numbers
                        .push((file.column(group, place)?, |entry, to| entry.numbers[1] = *to));
                }
                "introduced" => {
                    all.flags
                        .push((file.column(group, place)?, |entry, to| entry.introduced = *to));
                }
                "shared" => {
                    all.flags.push((file.column(group, place)?, |entry, to| entry.shared = *to))
                }
                "kind" => {
                    all.texts.push((file.column(group, place)?, |entry, to| entry.kind = text(to)))
                }
                "key" | "text" => {
                    all.texts.push((file.column(group, place)?, |entry, to| entry.key = text(to)));
                }
                _ => {
                    all.texts.push((file.column(group, place)?, |entry, to| entry.name = text(to)))
                }
            }
        }
        Ok(all)
    }

    fn read(&mut self, entries: &mut [Entry]) -> ParquetResult<()> {
        for (values, set) in &mut self.ids {
            values.read(entries, set)?;
        }
        for (values, set) in &mut self.numbers {
            values.read(entries, set)?;
        }
        for (values, set) in &mut self.texts {
            values.read(entries, set)?;
        }
        for (values, set) in &mut self.flags {
            values.read(entries, set)?;
        }
        Ok(())
    }
}

fn text(bytes: &ByteArray) -> String {
    let bytes = bytes.data();
    String::from_utf8_lossy(&bytes[..bytes.len().min(TEXT_BYTES)]).into_owned()
}

/// A key as text. A text that would read as a number, or begins with an apostrophe, gets an apostrophe before it.
fn key_text(key: &Key) -> String {
    match key {
        Key::Number(number) => number.to_string(),
        Key::Text(text) if text.starts_with('\'') || number(text).is_some() => format!("'{text}"),
        Key::Text(text) => text.to_string(),
    }
}

fn key_from_text(text: &str) -> Key {
    match number(text) {
        Some(number) => Key::Number(number),
        None => Key::Text(text.strip_prefix('\'').unwrap_or(text).into()),
    }
}

/// The number that a text is exactly how we write it.
fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}
