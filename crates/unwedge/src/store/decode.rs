//! What is in a Parquet file of a store, column by column? Sizes are checked by [`super::pages`]; what the library that
//! decodes takes ill is caught here.

use std::cell::Cell;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Once};

use parquet::basic::Type as Physical;
use parquet::column::reader::ColumnReaderImpl;
use parquet::data_type::{DataType, Int32Type};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};
use parquet::file::reader::Length as _;
use parquet::schema::types::{ColumnDescPtr, ColumnDescriptor, Type};

use super::pages::{Dictionary, Pages, Source};
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
        self.metadata.row_groups().iter().map(RowGroupMetaData::num_rows).collect()
    }

    /// A text that the writer left in the footer.
    #[allow(dead_code, reason = "for whoever explains a store")]
    pub(super) fn note(&self, key: &str) -> Option<&str> {
        let notes = self.metadata.file_metadata().key_value_metadata()?;
        notes.iter().find(|note| note.key == key)?.value.as_deref()
    }

    /// The values of a column of a row group.
    pub(super) fn column<T: DataType>(
        &self,
        group: usize,
        column: usize,
    ) -> ParquetResult<Values<T>> {
        let name = self.columns[column].name;
        let Some(place) = self.places[column] else { return Ok(Values::new(None, name)) };
        let descriptor = self.metadata.row_group(group).column(place).column_descr_ptr();
        let reader =
            ColumnReaderImpl::<T>::new(descriptor.clone(), Box::new(self.pages(group, place)?));
        Ok(Values::new(Some((reader, descriptor)), name))
    }

    /// The values of a column of texts, as places in its dictionary.
    pub(super) fn places(
        &self,
        group: usize,
        column: usize,
    ) -> ParquetResult<(Values<Int32Type>, Dictionary)> {
        let name = self.columns[column].name;
        let Some(place) = self.places[column] else {
            return Ok((Values::new(None, name), Dictionary::default()));
        };
        let texts = self.metadata.row_group(group).column(place).column_descr_ptr();
        let (pages, dictionary) = self.pages(group, place)?.into_places();
        let number = Type::primitive_type_builder(name, Physical::INT32)
            .with_repetition(texts.self_type().get_basic_info().repetition())
            .build()?;
        let (definition, path) = (texts.max_def_level(), texts.path().clone());
        let descriptor = Arc::new(ColumnDescriptor::new(Arc::new(number), definition, 0, path));
        let reader = ColumnReaderImpl::new(Arc::clone(&descriptor), Box::new(pages));
        Ok((Values::new(Some((reader, descriptor)), name), dictionary))
    }

    fn pages(&self, group: usize, place: usize) -> ParquetResult<Pages> {
        let group = self.metadata.row_group(group);
        Pages::new(&self.source, group.column(place), usize::try_from(group.num_rows())?)
    }
}

/// Where in the file each column is.
fn places(metadata: &ParquetMetaData, columns: &[Column]) -> Result<Vec<Option<usize>>, String> {
    let schema = metadata.file_metadata().schema_descr();
    let place = |column: &Column| {
        let is_it =
            |found: &ColumnDescPtr| found.path().parts().len() == 1 && found.name() == column.name;
        let Some(place) = schema.columns().iter().position(is_it) else {
            let missing = || format!("it has no column {}", column.name);
            return if column.nullable { Ok(None) } else { Err(missing()) };
        };
        let found = schema.column(place);
        let flat = found.max_rep_level() == 0 && found.max_def_level() <= 1;
        if found.physical_type() != column.holds.physical() || !flat {
            return Err(format!("its column {} is of another type", column.name));
        }
        let whole = |group: &RowGroupMetaData| {
            group
                .columns()
                .get(place)
                .is_some_and(|chunk| chunk.column_type() == found.physical_type())
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
    fn new(reader: Option<(ColumnReaderImpl<T>, ColumnDescPtr)>, name: &'static str) -> Self {
        let nullable = reader.as_ref().is_some_and(|(_, column)| column.max_def_level() > 0);
        let inner = reader.map(|(reader, _)| reader);
        Self { inner, nullable, name, levels: Vec::new(), values: Vec::new() }
    }

    /// Reads the values of the next rows and shows each to `set` with its row; nulls it leaves out.
    pub(super) fn read<R>(
        &mut self,
        rows: &mut [R],
        set: impl FnMut(&mut R, &T::T),
    ) -> ParquetResult<()> {
        self.fetch(rows.len())?;
        self.show(rows, set);
        Ok(())
    }

    /// Reads the values of the next `count` rows.
    pub(super) fn fetch(&mut self, count: usize) -> ParquetResult<()> {
        self.levels.clear();
        self.values.clear();
        let Some(inner) = &mut self.inner else { return Ok(()) };
        let (read, _, _) =
            inner.read_records(count, Some(&mut self.levels), None, &mut self.values)?;
        if read != count {
            let text = format!("column {} ends after {read} of {count} rows", self.name);
            return Err(ParquetError::General(text));
        }
        Ok(())
    }

    /// Shows the values that were fetched for these rows.
    pub(super) fn show<R>(&self, rows: &mut [R], mut set: impl FnMut(&mut R, &T::T)) {
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
    let line = ["Parquet error: ", "EOF: ", "External: "]
        .iter()
        .fold(line, |line, start| line.strip_prefix(start).unwrap_or(line));
    let mut characters = line.trim_end_matches('.').chars();
    characters
        .next()
        .map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}
