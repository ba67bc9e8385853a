//! How does a stretch of rows become columns? Places in tables are those of the store already.

use std::io::Write;

use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::errors::{ParquetError, Result};
use parquet::file::writer::{
    SerializedColumnWriter, SerializedFileWriter, SerializedRowGroupWriter,
};
use unwedge_trace::NEXT;
use unwedge_trace::row::{NONE, Op, Row, priority_from_value};

use super::texts::Texts;

/// Rows that one column takes at once, before the next column looks at them: a cache's worth.
const STEP: usize = 1 << 12;

/// Writes one row group of events.
pub(super) fn write_events<W: Write + Send>(
    file: &mut SerializedFileWriter<W>,
    rows: &[Row],
) -> Result<()> {
    let texts = Texts::all();
    let mut columns = Columns { group: file.next_row_group()? };
    columns.required::<Int64Type, _>(rows, |row| row.at.cast_signed())?;
    columns.required::<ByteArrayType, _>(rows, |row| texts.op(row.op).clone())?;
    columns.nullable::<ByteArrayType, _>(rows, |row| texts.code(row.op, row.code).cloned())?;
    columns.required::<Int32Type, _>(rows, |row| row.agent.cast_signed())?;
    columns.nullable::<Int32Type, _>(rows, |row| id(row.object))?;
    columns.nullable::<Int64Type, _>(rows, value)?;
    columns.nullable::<Int64Type, _>(rows, amount)?;
    columns.nullable::<Int32Type, _>(rows, |row| id(row.name))?;
    columns.nullable::<Int32Type, _>(rows, |row| id(row.object2))?;
    columns.nullable::<Int64Type, _>(rows, value2)?;
    columns.nullable::<Int32Type, _>(rows, |row| id(row.agent2))?;
    columns.close()
}

fn id(place: u32) -> Option<i32> {
    (place != NONE).then_some(place.cast_signed())
}

/// Whether a row's `object` and `value` are a point, so that the value may be [`NEXT`].
pub(super) fn has_point(op: Op) -> bool {
    matches!(op, Op::WaitBegan | Op::MorePoint | Op::Owed | Op::Signalled)
}

/// A point's value, null for [`NEXT`]; a priority as it is; else the number, null for 0.
fn value(row: &Row) -> Option<i64> {
    match row.op {
        Op::State => priority_from_value(row.value).map(i64::from),
        op if has_point(op) => point(row.object, row.value),
        _ => (row.value != 0).then_some(row.value.cast_signed()),
    }
}

fn value2(row: &Row) -> Option<i64> {
    if row.op == Op::Owed {
        point(row.object2, row.value2)
    } else {
        (row.value2 != 0).then_some(row.value2.cast_signed())
    }
}

fn point(object: u32, value: u64) -> Option<i64> {
    let absent = if object == NONE { 0 } else { NEXT };
    (value != absent).then_some(value.cast_signed())
}

/// A bound's number, also when it is 0; a processor as it is; else the number, null for 0.
fn amount(row: &Row) -> Option<i64> {
    match row.op {
        Op::WaitBegan if row.code & 3 != 0 => Some(row.amount.cast_signed()),
        Op::State => row.amount.checked_sub(1).map(u64::cast_signed),
        _ => (row.amount != 0).then_some(row.amount.cast_signed()),
    }
}

/// The columns of one row group, written one after the other.
pub(super) struct Columns<'a, W: Write + Send> {
    group: SerializedRowGroupWriter<'a, W>,
}

impl<'a, W: Write + Send> Columns<'a, W> {
    /// A new row group.
    pub(super) fn new(file: &'a mut SerializedFileWriter<W>) -> Result<Self> {
        Ok(Self { group: file.next_row_group()? })
    }

    fn next(&mut self) -> Result<SerializedColumnWriter<'_>> {
        let more = || ParquetError::General("the schema has fewer columns".to_owned());
        self.group.next_column()?.ok_or_else(more)
    }

    /// The next column, without nulls.
    pub(super) fn required<T: DataType, R>(
        &mut self,
        rows: &[R],
        get: impl Fn(&R) -> T::T,
    ) -> Result<()> {
        let mut column = self.next()?;
        let mut values = Vec::with_capacity(STEP.min(rows.len()));
        for rows in rows.chunks(STEP) {
            values.clear();
            values.extend(rows.iter().map(&get));
            column.typed::<T>().write_batch(&values, None, None)?;
        }
        column.close()
    }

    /// The next column.
    pub(super) fn nullable<T: DataType, R>(
        &mut self,
        rows: &[R],
        get: impl Fn(&R) -> Option<T::T>,
    ) -> Result<()> {
        let mut column = self.next()?;
        let mut values = Vec::with_capacity(STEP.min(rows.len()));
        let mut present = Vec::with_capacity(STEP.min(rows.len()));
        for rows in rows.chunks(STEP) {
            values.clear();
            present.clear();
            for row in rows {
                let value = get(row);
                present.push(i16::from(value.is_some()));
                values.extend(value);
            }
            column.typed::<T>().write_batch(&values, Some(&present), None)?;
        }
        column.close()
    }

    /// The next column, of texts.
    pub(super) fn texts<R>(&mut self, rows: &[R], get: impl Fn(&R) -> String) -> Result<()> {
        self.required::<ByteArrayType, _>(rows, |row| ByteArray::from(get(row).into_bytes()))
    }

    /// The next column, of texts that are null where they are empty.
    pub(super) fn texts_or_null<'r, R>(
        &mut self,
        rows: &'r [R],
        get: impl Fn(&'r R) -> &'r str,
    ) -> Result<()> {
        let text =
            |text: &str| (!text.is_empty()).then(|| ByteArray::from(text.as_bytes().to_vec()));
        let texts: Vec<Option<ByteArray>> = rows.iter().map(|row| text(get(row))).collect();
        self.nullable::<ByteArrayType, _>(&texts, Clone::clone)
    }

    /// The next column, of flags.
    pub(super) fn flags<R>(&mut self, rows: &[R], get: impl Fn(&R) -> bool) -> Result<()> {
        self.required::<BoolType, _>(rows, get)
    }

    /// No more columns.
    pub(super) fn close(self) -> Result<()> {
        self.group.close().map(drop)
    }
}
