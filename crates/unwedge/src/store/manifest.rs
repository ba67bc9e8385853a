//! What does a store say about itself?

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{StoreError, VERSION};

/// The name of the file.
pub(super) const NAME: &str = "manifest.json";
/// Largest manifest that is read: enough for 100,000 segments. Bytes.
const BYTES_MAX: u64 = 16 << 20;

/// The file `manifest.json`. Fields are added, never renamed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// [`VERSION`].
    pub(super) unwedge_store: u64,
    /// Who wrote the recording.
    pub(super) source: String,
    /// The moment of the last observation, in nanoseconds on the events' clock.
    pub(super) now: u64,
    /// How young a wait may be then and still be presumed fine, in nanoseconds, if whoever recorded it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) patience_ns: Option<u64>,
    /// Rows of all segments.
    pub(super) rows: u64,
    /// The tables.
    pub(super) agents: TableEntry,
    pub(super) objects: TableEntry,
    pub(super) names: TableEntry,
    /// Rows that named agents or objects for which there was no room; they count as lost events.
    #[serde(default)]
    pub(super) rows_dropped: u64,
    /// Texts for which there was no room.
    #[serde(default)]
    pub(super) texts_dropped: u64,
    /// In the order of the recording.
    pub(super) segments: Vec<SegmentEntry>,
}

/// A table, as the manifest knows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TableEntry {
    /// Its rows.
    pub(super) rows: u64,
    /// The file's size.
    pub(super) bytes: u64,
}

/// A segment, as the manifest knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SegmentEntry {
    /// Its path in the folder.
    pub(super) file: String,
    /// Its rows.
    pub(super) rows: u64,
    /// The file's size.
    pub(super) bytes: u64,
    /// The time of its first row, in nanoseconds.
    pub(super) from: u64,
    /// The time of its last row.
    pub(super) to: u64,
}

impl Manifest {
    pub(super) fn write(&self, folder: &Path) -> Result<(), StoreError> {
        let path = folder.join(NAME);
        // Numbers and texts can be written as JSON.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        std::fs::write(&path, text).map_err(StoreError::io(path))
    }

    /// The manifest of a folder; what is wrong with it otherwise, in a few words.
    pub(super) fn read(folder: &Path) -> Result<Result<Self, String>, StoreError> {
        let mut text = String::new();
        let read = File::open(folder.join(NAME))
            .and_then(|file| file.take(BYTES_MAX).read_to_string(&mut text));
        if let Err(error) = read {
            return Ok(Err(error.to_string()));
        }
        let value: serde_json::Value = match serde_json::from_str(&text) {
            Ok(value) => value,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let version = value.get("unwedge_store").and_then(serde_json::Value::as_u64);
        if let Some(found) = version.filter(|version| *version != u64::from(VERSION)) {
            return Err(StoreError::Version { path: folder.to_owned(), found });
        }
        Ok(serde_json::from_value(value).map_err(|error| error.to_string()))
    }
}
