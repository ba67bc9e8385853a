//! How is a store written? Batch by batch, into a folder beside the place where it is to be, which takes that place when all
//! is there: whoever looks sees the whole store or none.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use parquet::file::metadata::KeyValue;
use parquet::file::writer::SerializedFileWriter;
use unwedge_trace::Timestamp;
use unwedge_trace::row::{AgentEntry, Batch, Key, NONE, Op, Row};

use super::manifest::{self, Manifest, SegmentEntry};
use super::schema::{self, EVENTS};
use super::tables::{Ids, OTHERS, Tables};
use super::{StoreError, VERSION, columns};

/// Rows after which a segment ends, at the end of a batch.
const SEGMENT_ROWS: u64 = 4 << 20;
/// Rows of a row group: what is held in memory until it is written.
const GROUP_ROWS: usize = 1 << 19;

/// The footer's entry with the format's version.
pub(super) const VERSION_KEY: &str = "unwedge_store";
/// The footer's entry with the segment's summary, in base64.
pub(super) const SUMMARY_KEY: &str = "unwedge_summary";

/// What a caller learns of each segment while it is written, to leave it there for readers in a hurry.
pub(crate) trait Summarise {
    /// Takes in the next batch of the segment.
    fn fold(&mut self, batch: &Batch);
    /// The summary of the batches since the last call, as bytes that mean nothing to the store; none is left where it is empty.
    fn finish_segment(&mut self) -> Vec<u8>;
}

/// Writes a store.
pub(crate) struct Writer {
    target: PathBuf,
    /// Where it grows.
    folder: Growing,
    summarise: Option<Box<dyn Summarise>>,
    tables: Tables,
    /// Rows that wait for their row group, with ids of the store.
    rows: Vec<Row>,
    segment: Option<Open>,
    segments: Vec<SegmentEntry>,
    rows_dropped: u64,
    segment_rows: u64,
    /// Whether a batch was folded since the last segment ended.
    unsummarised: bool,
    patience_ns: Option<u64>,
}

/// A segment that is being written.
struct Open {
    file: SerializedFileWriter<BufWriter<File>>,
    entry: SegmentEntry,
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    /// Rows.
    pub(crate) rows: u64,
    /// Bytes of the segments and the tables.
    pub(crate) bytes: u64,
    /// Rows that named agents or objects for which there was no room: they count as lost events.
    pub(crate) rows_dropped: u64,
    /// Texts for which there was no room.
    pub(crate) texts_dropped: u64,
}

impl Writer {
    /// Begins a store that will be at `target`. `replace` allows that an older store is there.
    ///
    /// # Errors
    /// When something is there already, or the folder beside it cannot be made.
    pub(crate) fn create(target: &Path, replace: bool) -> Result<Self, StoreError> {
        check_target(target, replace)?;
        Ok(Self {
            target: target.to_owned(),
            folder: Growing::beside(target)?,
            summarise: None,
            tables: Tables::default(),
            rows: Vec::new(),
            segment: None,
            segments: Vec::new(),
            rows_dropped: 0,
            segment_rows: SEGMENT_ROWS,
            unsummarised: false,
            patience_ns: None,
        })
    }

    /// Leaves a summary in each segment.
    pub(crate) fn with_summaries(mut self, summarise: Box<dyn Summarise>) -> Self {
        self.summarise = Some(summarise);
        self
    }

    /// Keeps how young a wait may be at the end and still be presumed fine, in nanoseconds, where the recording says so.
    pub(crate) fn with_patience(mut self, ns: Option<u64>) -> Self {
        self.patience_ns = ns;
        self
    }

    /// Segments of about so many rows, tables of so many agents and objects.
    #[cfg(test)]
    pub(super) fn with_limits(mut self, segment_rows: u64, entries_max: usize) -> Self {
        self.segment_rows = segment_rows;
        self.tables.entries_max = entries_max;
        self
    }

    /// Adds a batch. A segment ends between two batches.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub(crate) fn push(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let (growing, target) = (self.folder.path.clone(), self.target.clone());
        self.write(batch).map_err(|error| error.of_target(&growing, &target))
    }

    fn write(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let ids = self.tables.adopt(batch);
        let Some(first) = batch.rows.first() else {
            self.fold(batch);
            return Ok(());
        };
        if self.segment.is_none() {
            let segment = self.open_segment(first.at)?;
            self.segment = Some(segment);
        }
        if ids.agents.contains(&NONE) || ids.objects.contains(&NONE) {
            let (batch, ids) = self.with_losses(batch, ids);
            self.add(&batch, &ids)?;
        } else {
            self.add(batch, &ids)?;
        }
        match &self.segment {
            Some(open) if open.entry.rows >= self.segment_rows => self.close_segment(),
            _ => Ok(()),
        }
    }

    /// Writes what is left, and puts the store where it is to be. `source` is who wrote the recording, `now` the moment of
    /// its last observation: by default that of the last row.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub(crate) fn finish(
        self,
        source: &str,
        now: Option<Timestamp>,
    ) -> Result<Written, StoreError> {
        let (growing, target) = (self.folder.path.clone(), self.target.clone());
        self.write_rest(source, now).map_err(|error| error.of_target(&growing, &target))
    }

    fn write_rest(mut self, source: &str, now: Option<Timestamp>) -> Result<Written, StoreError> {
        // Tools for tables want at least one file; and what was learned of late needs a segment to be left in.
        if self.segment.is_none() && (self.segments.is_empty() || self.unsummarised) {
            let from = self.segments.last().map_or(0, |segment| segment.to);
            self.segment = Some(self.open_segment(from)?);
        }
        self.close_segment()?;
        let [agents, objects, names] = self.tables.write(&self.folder.path)?;
        let manifest = Manifest {
            unwedge_store: u64::from(VERSION),
            source: source.to_owned(),
            now: now
                .map_or_else(|| self.segments.last().map_or(0, |segment| segment.to), |now| now.0),
            rows: self.segments.iter().map(|segment| segment.rows).sum(),
            patience_ns: self.patience_ns,
            agents,
            objects,
            names,
            rows_dropped: self.rows_dropped,
            texts_dropped: self.tables.texts_dropped,
            segments: std::mem::take(&mut self.segments),
        };
        manifest.write(&self.folder.path)?;
        self.folder.take_place(&self.target)?;
        let tables = [agents, objects, names].iter().map(|table| table.bytes).sum::<u64>();
        Ok(Written {
            rows: manifest.rows,
            bytes: tables + manifest.segments.iter().map(|segment| segment.bytes).sum::<u64>(),
            rows_dropped: manifest.rows_dropped,
            texts_dropped: manifest.texts_dropped,
        })
    }

    fn fold(&mut self, batch: &Batch) {
        if let Some(summarise) = &mut self.summarise {
            summarise.fold(batch);
            self.unsummarised = true;
        }
    }

    fn add(&mut self, batch: &Batch, ids: &Ids) -> Result<(), StoreError> {
        self.fold(batch);
        for rows in batch.rows.chunks(GROUP_ROWS) {
            self.rows.extend(rows.iter().map(|row| with_ids(row, ids)));
            if let (Some(open), Some(last)) = (&mut self.segment, rows.last()) {
                open.entry.rows += rows.len() as u64;
                open.entry.to = last.at;
            }
            if self.rows.len() >= GROUP_ROWS {
                self.write_group()?;
            }
        }
        Ok(())
    }

    fn write_group(&mut self) -> Result<(), StoreError> {
        let Some(open) = &mut self.segment else { return Ok(()) };
        if !self.rows.is_empty() {
            let path = self.folder.path.join(&open.entry.file);
            columns::write_events(&mut open.file, &self.rows).map_err(StoreError::parquet(path))?;
            self.rows.clear();
        }
        Ok(())
    }

    fn open_segment(&mut self, from: u64) -> Result<Open, StoreError> {
        let name = format!("events/{:05}.parquet", self.segments.len());
        let path = self.folder.path.join(&name);
        let file = File::create(&path).map_err(StoreError::io(&path))?;
        let open = || {
            let properties = schema::properties(EVENTS)?.into();
            SerializedFileWriter::new(BufWriter::new(file), schema::schema(EVENTS)?, properties)
        };
        let file = open().map_err(StoreError::parquet(&path))?;
        Ok(Open { file, entry: SegmentEntry { file: name, rows: 0, bytes: 0, from, to: from } })
    }

    fn close_segment(&mut self) -> Result<(), StoreError> {
        self.write_group()?;
        self.unsummarised = false;
        let Some(Open { mut file, mut entry }) = self.segment.take() else { return Ok(()) };
        let note = |key: &str, value: String| KeyValue::new(key.to_owned(), value);
        file.append_key_value_metadata(note(VERSION_KEY, VERSION.to_string()));
        if let Some(summarise) = &mut self.summarise {
            let summary = summarise.finish_segment();
            if !summary.is_empty() {
                let text = base64::engine::general_purpose::STANDARD.encode(summary);
                file.append_key_value_metadata(note(SUMMARY_KEY, text));
            }
        }
        let path = self.folder.path.join(&entry.file);
        file.finish().map_err(StoreError::parquet(&path))?;
        entry.bytes = file.bytes_written() as u64;
        self.segments.push(entry);
        Ok(())
    }

    /// The batch with a lost event for each row that names what there is no room for.
    fn with_losses(&mut self, batch: &Batch, mut ids: Ids) -> (Batch, Ids) {
        let none =
            |ids: &[u32], place: u32| place != NONE && ids.get(place as usize) == Some(&NONE);
        let mut batch = batch.clone();
        let outside = u32::try_from(batch.agents.len()).unwrap_or(NONE);
        for row in &mut batch.rows {
            let agent = none(&ids.agents, row.agent);
            let lost = agent
                || none(&ids.agents, row.agent2)
                || none(&ids.objects, row.object)
                || none(&ids.objects, row.object2);
            if lost {
                let by = if agent { outside } else { row.agent };
                *row = Row { amount: 1, ..Row::new(row.at, by, Op::Lost) };
                self.rows_dropped += 1;
            }
        }
        let others = AgentEntry::unknown(Key::Text(OTHERS.into()));
        ids.agents.push(self.tables.agent(&others));
        batch.agents.push(others);
        (batch, ids)
    }
}

fn with_ids(row: &Row, ids: &Ids) -> Row {
    let id = |ids: &[u32], place: u32| ids.get(place as usize).copied().unwrap_or(NONE);
    Row {
        agent: id(&ids.agents, row.agent),
        object: id(&ids.objects, row.object),
        object2: id(&ids.objects, row.object2),
        agent2: id(&ids.agents, row.agent2),
        name: id(&ids.names, row.name),
        ..*row
    }
}

fn check_target(target: &Path, replace: bool) -> Result<(), StoreError> {
    let mut entries = match std::fs::read_dir(target) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(StoreError::io(target)(error)),
    };
    if entries.next().is_none() {
        return Ok(());
    }
    if !replace {
        return Err(StoreError::Occupied(target.to_owned()));
    }
    if target.join(manifest::NAME).is_file() && target.join("events").is_dir() {
        return Ok(());
    }
    Err(StoreError::Foreign(target.to_owned()))
}

/// A folder that goes when it is dropped, unless it has taken its place.
struct Growing {
    path: PathBuf,
}

impl Growing {
    fn beside(target: &Path) -> Result<Self, StoreError> {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let path = target.with_file_name(format!(".{name}.{}.partial", std::process::id()));
        std::fs::create_dir(&path).map_err(StoreError::io(target))?;
        let growing = Self { path };
        let events = growing.path.join("events");
        std::fs::create_dir(&events).map_err(StoreError::io(events))?;
        Ok(growing)
    }

    /// An older store goes aside first, and then away.
    fn take_place(&self, target: &Path) -> Result<(), StoreError> {
        let error = || StoreError::io(target);
        if target.join(manifest::NAME).is_file() {
            let aside = self.path.with_extension("old");
            std::fs::rename(target, &aside).map_err(error())?;
            if let Err(why) = std::fs::rename(&self.path, target) {
                let _ = std::fs::rename(&aside, target);
                return Err(error()(why));
            }
            return std::fs::remove_dir_all(&aside).map_err(StoreError::io(&aside));
        }
        // What is there is empty, and a rename replaces an empty folder.
        std::fs::rename(&self.path, target).map_err(error())
    }
}

impl Drop for Growing {
    fn drop(&mut self) {
        // It is not there any more where it has taken its place.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}
