//! How does a recording rest on disk? As a folder of Parquet files that any tool for tables reads.
//!
//! ```text
//! store/manifest.json          what is there: source, now, rows, segments
//! store/events/00000.parquet   a segment: rows, each with ids into the tables
//! store/agents.parquet         who: id, key, kind, name, pid, tid
//! store/objects.parquet        what is waited on: id, key, kind, handle, label, shared
//! store/names.parquet          calls and texts: id, text
//! ```
//!
//! docs/store.md says what each column means. Ids are those of the folder, not of a batch.
//!
//! Reading trusts nothing: what is missing, foreign, torn or lying becomes a complaint, rows that are known to have
//! been there become [`Op::Lost`](unwedge_trace::row::Op::Lost), and the rest is read.

mod columns;
mod decode;
mod events;
mod manifest;
mod pages;
mod read;
mod schema;
mod segment;
mod table_files;
mod tables;
mod texts;
mod write;

#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};

use parquet::errors::ParquetError;

pub(crate) use events::each_event;
pub(crate) use read::Reader;
pub(crate) use segment::Segment;
pub(crate) use write::{Summarise, Writer, Written};

/// The version of the format that is written and read.
pub(crate) const VERSION: u32 = 1;

/// Agents of one store, and objects of one. Rows that name more are dropped and counted.
pub(crate) const ENTRIES_MAX: usize = 1 << 20;
/// Different texts of one store. More are left out and counted.
pub(crate) const NAMES_MAX: usize = 1 << 20;
/// All keys, names, labels and texts of one store. Bytes.
pub(crate) const TEXT_BYTES_MAX: usize = 64 << 20;

/// Why a store cannot be written, or not be read at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// Something is where the store is to be.
    #[error("{} exists and is not empty", .0.display())]
    Occupied(PathBuf),
    /// Something is where the store is to be that must not be replaced.
    #[error("{} is not a store of unwedge, and is not replaced", .0.display())]
    Foreign(PathBuf),
    /// Nothing there is of a store.
    #[error("{} is not a store of unwedge: {why}", path.display())]
    NotAStore {
        /// The folder.
        path: PathBuf,
        /// What is missing.
        why: String,
    },
    /// Written by another version.
    #[error("{} has format version {found}, this program reads version {VERSION}", path.display())]
    Version {
        /// The folder.
        path: PathBuf,
        /// Its version.
        found: u64,
    },
    /// A file.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What the Parquet writer says.
    #[error("{}: {source}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// Why.
        source: parquet::errors::ParquetError,
    },
}

impl StoreError {
    fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| Self::Io { path, source }
    }

    fn parquet(path: impl Into<PathBuf>) -> impl FnOnce(parquet::errors::ParquetError) -> Self {
        let path = path.into();
        |source| match source {
            // What the system says is said in its words.
            ParquetError::External(cause) => match cause.downcast::<io::Error>() {
                Ok(source) => Self::Io { path, source: *source },
                Err(cause) => Self::Parquet { path, source: ParquetError::External(cause) },
            },
            source => Self::Parquet { path, source },
        }
    }

    /// The same about the place where the store is to be, and not where it grows.
    fn of_target(mut self, growing: &Path, target: &Path) -> Self {
        if let Self::Io { path, .. } | Self::Parquet { path, .. } = &mut self
            && let Ok(part) = path.strip_prefix(growing)
        {
            *path = target.join(part);
        }
        self
    }
}
