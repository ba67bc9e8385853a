//! What is in a store? Its header, its tables, and its segments, each to be read by itself.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use unwedge_trace::Timestamp;
use unwedge_trace::row::Batch;

use super::StoreError;
use super::decode::Columns;
use super::manifest::{Manifest, NAME, SegmentEntry};
use super::schema::EVENTS;
use super::segment::{ROWS_MAX, Segment};
use super::tables::Tables;

/// What a store says of its recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Who wrote the recording.
    pub(crate) source: String,
    /// The moment of the last observation; none where the manifest is missing: then it is that of the last row.
    pub(crate) now: Option<Timestamp>,
    /// How young a wait may be then and still be presumed fine, in nanoseconds, if the recording says so.
    pub(crate) patience_ns: Option<u64>,
    /// Rows of all segments, those that cannot be read too.
    pub(crate) rows: u64,
}

/// A store that is open.
pub(crate) struct Reader {
    header: Header,
    tables: Arc<Tables>,
    segments: Vec<Segment>,
    complaints: Vec<String>,
}

impl Reader {
    /// Whether a path may be a store: a folder with a manifest, or with segments.
    pub(crate) fn is_store(folder: &Path) -> bool {
        folder.join(NAME).is_file() || folder.join("events").is_dir()
    }

    /// Opens a store. What is wrong with parts of it is in [`Reader::complaints`], or comes with their segments.
    ///
    /// # Errors
    /// When there is nothing of a store, or one of another version.
    pub(crate) fn open(folder: &Path) -> Result<Self, StoreError> {
        let found = found(folder)?;
        let mut complaints = Vec::new();
        let manifest = match Manifest::read(folder)? {
            Ok(manifest) => Some(manifest),
            Err(_) if found.is_empty() => {
                let why =
                    format!("it has neither a {NAME} that can be read nor segments in events");
                return Err(StoreError::NotAStore { path: folder.to_owned(), why });
            }
            Err(error) => {
                complaints.push(format!("{NAME}: {error}; reading what is in events without it"));
                None
            }
        };
        let tables = Arc::new(Tables::read(folder, manifest.as_ref(), &mut complaints));
        let entries = match &manifest {
            Some(manifest) => expected(manifest, &found, &mut complaints),
            None => numbered(&found),
        };
        let known = manifest.is_some();
        let open = |entry: Result<SegmentEntry, SegmentEntry>| open(folder, entry, known, &tables);
        let segments: Vec<Segment> = entries.into_iter().map(open).collect();
        let header = Header {
            source: manifest
                .as_ref()
                .map_or("unknown".to_owned(), |manifest| manifest.source.clone()),
            now: manifest.as_ref().map(|manifest| Timestamp(manifest.now)),
            patience_ns: manifest.as_ref().and_then(|manifest| manifest.patience_ns),
            rows: segments.iter().fold(0, |rows, segment| rows.saturating_add(segment.rows)),
        };
        Ok(Self { header, tables, segments, complaints })
    }

    /// What the store says of its recording.
    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// The time of the first row, as far as the manifest says.
    pub(crate) fn began(&self) -> Timestamp {
        Timestamp(self.segments.first().map_or(0, |segment| segment.from))
    }

    /// The moment of the last observation, or the latest row's: all segments are read to find that.
    pub(crate) fn now(&self) -> Timestamp {
        let rows = || self.segments.iter().flat_map(Segment::batches).flatten();
        let latest = || rows().filter_map(|batch| batch.rows.iter().map(|row| row.at).max()).max();
        self.header.now.unwrap_or_else(|| Timestamp(latest().unwrap_or(0)))
    }

    /// What is wrong with the store apart from its segments, a line each.
    pub(crate) fn complaints(&self) -> &[String] {
        &self.complaints
    }

    /// Every agent and object that the store knows, without rows: to be taken in before the segments, because some may be
    /// named in none.
    pub(crate) fn introductions(&self) -> Batch {
        let id = |id: usize| u32::try_from(id).unwrap_or(u32::MAX);
        Batch {
            agents: (0..self.tables.agents())
                .map(|place| self.tables.agent_entry(id(place)))
                .collect(),
            objects: (0..self.tables.objects())
                .map(|place| self.tables.object_entry(id(place)))
                .collect(),
            ..Batch::default()
        }
    }

    /// The segments, in the order of the recording.
    pub(crate) fn segments(&self) -> &[Segment] {
        &self.segments
    }
}

/// The names of the files in `events`, in order.
fn found(folder: &Path) -> Result<Vec<String>, StoreError> {
    let events = folder.join("events");
    let entries = match std::fs::read_dir(&events) {
        Ok(entries) => entries,
        Err(_) if folder.is_dir() => return Ok(Vec::new()),
        Err(error) => return Err(StoreError::io(folder)(error)),
    };
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".parquet")).collect();
    names.sort();
    Ok(names)
}

/// The segments that the manifest names; others are said to be foreign.
fn expected(
    manifest: &Manifest,
    found: &[String],
    complaints: &mut Vec<String>,
) -> Vec<Result<SegmentEntry, SegmentEntry>> {
    let files: HashSet<&str> =
        manifest.segments.iter().map(|segment| segment.file.as_str()).collect();
    for name in found {
        let file = format!("events/{name}");
        if !files.contains(file.as_str()) {
            complaints.push(format!("{file}: not in the {NAME}, left out"));
        }
    }
    let mut named = HashSet::new();
    let mut segments = Vec::new();
    for segment in &manifest.segments {
        if named.insert(segment.file.as_str()) {
            segments.push(segment);
        } else {
            complaints.push(format!("{}: it is named twice, left out", segment.file));
        }
    }
    let found: HashSet<&str> = found.iter().map(String::as_str).collect();
    let present = |segment: &SegmentEntry| {
        // A name that leads out of the folder is none of those found in it.
        let name = segment.file.strip_prefix("events/");
        name.is_some_and(|name| found.contains(name))
    };
    let check = |segment: &SegmentEntry| {
        if present(segment) { Ok(segment.clone()) } else { Err(segment.clone()) }
    };
    segments.into_iter().map(check).collect()
}

/// The segments of a folder without a manifest. Where a number is left out, a segment is missing, of at least a row.
fn numbered(found: &[String]) -> Vec<Result<SegmentEntry, SegmentEntry>> {
    let mut entries = Vec::new();
    let mut next = 0;
    let entry = |file: String| SegmentEntry { file, rows: 1, bytes: 0, from: 0, to: 0 };
    for name in found {
        let number = name.strip_suffix(".parquet").and_then(|name| name.parse::<u32>().ok());
        if number.is_some_and(|number| number > next) {
            entries.push(Err(entry(format!("events/{next:05}.parquet"))));
        }
        next = number.unwrap_or(next).saturating_add(1);
        entries.push(Ok(entry(format!("events/{name}"))));
    }
    entries
}

fn open(
    folder: &Path,
    entry: Result<SegmentEntry, SegmentEntry>,
    known: bool,
    tables: &Arc<Tables>,
) -> Segment {
    let (entry, file) = match entry {
        Ok(entry) => {
            let file = Columns::open(&folder.join(&entry.file), EVENTS);
            (entry.clone(), file.and_then(|file| check(&entry, known, file)))
        }
        Err(entry) => (entry, Err("it is missing".to_owned())),
    };
    let rows = match &file {
        Ok(file) if !known => file.groups().iter().map(|rows| rows.max(&0).cast_unsigned()).sum(),
        _ => entry.rows,
    };
    Segment { name: entry.file, rows, from: entry.from, file, tables: Arc::clone(tables) }
}

/// A file of another size is not the one that was written, and its ids may mean something else.
fn check(entry: &SegmentEntry, known: bool, file: Columns) -> Result<Columns, String> {
    if known && entry.bytes != file.bytes() {
        let (found, written) = (file.bytes(), entry.bytes);
        return Err(format!("not the file that was written: {found} bytes, not {written}"));
    }
    let groups = file.groups();
    let rows = groups.iter().try_fold(0_u64, |rows, more| {
        Some(rows.saturating_add(u64::try_from(*more).ok()?)).filter(|rows| *rows <= ROWS_MAX)
    });
    match rows {
        None => Err("it says that it has more rows than a segment can have".to_owned()),
        Some(rows) if known && rows != entry.rows => {
            Err(format!("it has {rows} rows, and was written with {}", entry.rows))
        }
        Some(_) => Ok(file),
    }
}
