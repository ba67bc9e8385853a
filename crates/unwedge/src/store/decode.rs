//! What is in a Parquet file of a store, column by column? Sizes are checked by [`super::pages`]; what the library that
//! decodes takes ill is caught here.

use std::cell::Cell;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Once};

use parquet::column::reader::{ColumnReaderImpl, get_column_reader, get_typed_column_reader};
use parquet::data_type::DataType;
use parquet::errors::Result as ParquetResult;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use parquet::file::reader::Length as _;

use super::pages::{Pages, Source};
use super::schema::Column;

/// A file with the columns that it should have.
#[derive(Clone)]
pub(super) struct Columns {
    source: Source,
    metadata: Arc<ParquetMetaData>,
    /// For each column that was asked for, its place in the file.
    places: Vec<Option<usize>>,
    columns: &'static [Column],
}

impl Columns {
    /// Opens a file; says what is wrong with it otherwise. Columns that may be null may also be missing, and further
    /// ones are left alone.
    pub(super) fn open(path: &Path, columns: &'static [Column]) -> Result<Self, String> {
        let file = File::open(path).map_err(|error| error.to_string())?;
        let source = Source::new(file).map_err(|error| error.to_string())?;
        let metadata = guard(|| ParquetMetaDataReader::new().parse_and_finish(&source))?;
        let places = places(&metadata, columns)?;
        Ok(Self { source, metadata: Arc::new(metadata), places, columns })
    }

    /// The file's size.
    pub(super) fn bytes(&self) -> u64 {
        self.source.len()
    }

    /// The rows of each row group, as the footer has them.
    pub(super) fn groups(&self) -> Vec<i64> {
        self.metadata.row_groups().iter().map(parquet::file::metadata::RowGroupMetaData::num_rows).collect()
    }

    /// A text that the writer left in the footer.
    pub(super) fn note(&self, key: &str) -> Option<&str> {
        let notes = self.metadata.file_metadata().key_value_metadata()?;
        notes.iter().find(|note| note.key == key)?.value.as_deref()
    }

    /// The values of a column of a row group.
    pub(super) fn column<T: DataType>(&self, group: usize, column: usize) -> ParquetResult<Values<T>> {
        let place = self.places[column];
        let inner = place.map(|place| {
            let group = self.metadata.row_group(group);
            let chunk = group.column(place);
            let rows = usize::try_from(group.num_rows())?;
            let pages = Box::new(Pages::new(&self.source, chunk, rows)?);
            let reader = get_column_reader(chunk.column_descr_ptr(), pages);
            Ok::<_, parquet::errors::ParquetError>(get_typed_column_reader::<T>(reader))
        });
        let nullable = place.is_some_and(|place| {
            self.metadata.file_metadata().schema_descr().column(place).max_def_level() > 0
        });
        Ok(Values {
            inner: inner.transpose()?,
            nullable,
            name: self.columns[column].name,
            levels: Vec::new(),
            values: Vec::new(),
        })
    }
}

/// Where in the file each column is.
fn places(metadata: &ParquetMetaData, columns: &[Column]) -> Result<Vec<Option<usize>>, String> {
    let schema = metadata.file_metadata().schema_descr();
    let place = |column: &Column| {
        let is_it = |found: &parquet::schema::types::ColumnDescPtr| {
            found.path().parts().len() == 1 && found.name() == column.name
        };
        let Some(place) = schema.columns().iter().position(is_it) else {
            let missing = || format!("it has no column {}", column.name);
            return if column.nullable { Ok(None) } else { Err(missing()) };
        };
        let found = schema.column(place);
        let flat = found.max_rep_level() == 0 && found.max_def_level() <= 1;
        if found.physical_type() != column.holds.physical() || !flat {
            return Err(format!("its column {} is of another type", column.name));
        }
        let whole = |group: &parquet::file::metadata::RowGroupMetaData| {
            group.columns().get(place).is_some_and(|chunk| chunk.column_type() == found.physical_type())
        };
        if !metadata.row_groups().iter().all(whole) {
            return Err(format!("its column {} is not in every row group", column.name));
        }
        Ok(Some(place))
    };
    columns.iter().map(place).collect()
}

/// The values of one column, a stretch at a time.
pub(super) struct Values<T: DataType> {
    inner: Option<ColumnReaderImpl<T>>,
    nullable: bool,
    name: &'static str,
    levels: Vec<i16>,
    values: Vec<T::T>,
}

impl<T: DataType> Values<T> {
    /// Reads the values of the next rows and shows each to `set` with its row; nulls it leaves out.
    pub(super) fn read<R>(
        &mut self,
        rows: &mut [R],
        mut set: impl FnMut(&mut R, &T::T),
    ) -> ParquetResult<()> {
        let Some(inner) = &mut self.inner else { return Ok(()) };
        self.levels.clear();
        self.values.clear();
        let (read, _, _) =
            inner.read_records(rows.len(), Some(&mut self.levels), None, &mut self.values)?;
        if read != rows.len() {
            let text = format!("column {} ends after {read} of {} rows", self.name, rows.len());
            return Err(parquet::errors::ParquetError::General(text));
        }
        if !self.nullable || self.values.len() == rows.len() {
            for (row, value) in rows.iter_mut().zip(&self.values) {
                set(row, value);
            }
        } else if !self.values.is_empty() {
            let mut values = self.values.iter();
            let present = rows.iter_mut().zip(&self.levels).filter(|(_, level)| **level != 0);
            for ((row, _), value) in present.zip(&mut values) {
                set(row, value);
            }
        }
        Ok(())
    }
}

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs something that decodes what may lie. Its errors and panics become a sentence part.
pub(super) fn guard<T>(decode: impl FnOnce() -> ParquetResult<T>) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !GUARDED.get() {
                before(panic);
            }
        }));
    });
    let outer = GUARDED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(decode));
    GUARDED.set(outer);
    match result {
        Ok(result) => result.map_err(|error| plain(&error.to_string())),
        Err(_) => Err("it cannot be decoded".to_owned()),
    }
}

/// The library's message in our style: one line, lower case, no full stop.
fn plain(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let line = ["Parquet error: ", "EOF: ", "External: "].iter().fold(line, |line, start| {
        line.strip_prefix(start).unwrap_or(line)
    });
    let mut characters = line.trim_end_matches('.').chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}
