//! Which columns do the files of a store have, and how is each encoded?

use std::sync::Arc;

use parquet::basic::{Compression, Encoding, LogicalType, Repetition, Type as Physical, ZstdLevel};
use parquet::errors::Result;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::{ColumnPath, Type, TypePtr};

/// Rows of a page, and of what is decoded at once.
pub(super) const PAGE_ROWS: usize = 1 << 16;
/// Bytes of a page before it is compressed; and of a dictionary.
const PAGE_BYTES: usize = 1 << 20;

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// A place in a table, or another number of 32 bits.
    Id,
    /// A number.
    Number,
    /// A number without sign.
    Unsigned,
    /// Text in UTF-8.
    Text,
    /// Yes or no.
    Flag,
}

impl Holds {
    pub(super) fn physical(self) -> Physical {
        match self {
            Self::Id => Physical::INT32,
            Self::Number | Self::Unsigned => Physical::INT64,
            Self::Text => Physical::BYTE_ARRAY,
            Self::Flag => Physical::BOOLEAN,
        }
    }

    fn logical(self) -> Option<LogicalType> {
        match self {
            Self::Id | Self::Number | Self::Flag => None,
            Self::Unsigned => Some(LogicalType::integer(64, false)),
            Self::Text => Some(LogicalType::String),
        }
    }
}

/// A column of a file.
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) holds: Holds,
    /// Whether it may be null.
    pub(super) nullable: bool,
    /// Whether neighbours are near each other, as ids in order and times are; else few values come again and again.
    near: bool,
}

const fn required(name: &'static str, holds: Holds) -> Column {
    Column { name, holds, nullable: false, near: false }
}

const fn nullable(name: &'static str, holds: Holds) -> Column {
    Column { name, holds, nullable: true, near: false }
}

const fn near(name: &'static str, holds: Holds) -> Column {
    Column { name, holds, nullable: false, near: true }
}

/// The rows of `events/*.parquet`.
pub(super) const EVENTS: &[Column] = &[
    // Not `at`, which is a word of DuckDB's own.
    near("at_ns", Holds::Number),
    required("op", Holds::Text),
    nullable("code", Holds::Text),
    required("agent", Holds::Id),
    nullable("object", Holds::Id),
    nullable("value", Holds::Number),
    nullable("amount", Holds::Number),
    nullable("name", Holds::Id),
    nullable("object2", Holds::Id),
    nullable("value2", Holds::Number),
    nullable("agent2", Holds::Id),
];

/// The rows of `agents.parquet`.
pub(super) const AGENTS: &[Column] = &[
    near("id", Holds::Id),
    required("key", Holds::Text),
    required("introduced", Holds::Flag),
    required("kind", Holds::Text),
    nullable("name", Holds::Text),
    nullable("pid", Holds::Number),
    nullable("tid", Holds::Number),
];

/// The rows of `objects.parquet`.
pub(super) const OBJECTS: &[Column] = &[
    near("id", Holds::Id),
    required("key", Holds::Text),
    required("introduced", Holds::Flag),
    required("kind", Holds::Text),
    required("handle", Holds::Unsigned),
    nullable("label", Holds::Text),
    required("shared", Holds::Flag),
];

/// The rows of `names.parquet`.
pub(super) const NAMES: &[Column] = &[near("id", Holds::Id), required("text", Holds::Text)];

/// The schema of a file with these columns.
pub(super) fn schema(columns: &[Column]) -> Result<TypePtr> {
    let column = |column: &Column| {
        let repetition = if column.nullable { Repetition::OPTIONAL } else { Repetition::REQUIRED };
        Type::primitive_type_builder(column.name, column.holds.physical())
            .with_repetition(repetition)
            .with_logical_type(column.holds.logical())
            .build()
            .map(Arc::new)
    };
    let fields = columns.iter().map(column).collect::<Result<Vec<_>>>()?;
    Type::group_type_builder("unwedge").with_fields(fields).build().map(Arc::new)
}

/// How a file with these columns is written.
///
/// Chosen by measurement: see docs/store.md. No statistics, but of the time, by which readers leave out row groups.
pub(super) fn properties(columns: &[Column]) -> Result<WriterProperties> {
    let zstd = Compression::ZSTD(ZstdLevel::try_new(1)?);
    let mut properties = WriterProperties::builder()
        .set_created_by(format!("unwedge {}", env!("CARGO_PKG_VERSION")))
        .set_compression(zstd)
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_data_page_size_limit(PAGE_BYTES)
        .set_dictionary_page_size_limit(PAGE_BYTES)
        .set_write_batch_size(1 << 12)
        .set_max_row_group_row_count(None)
        .set_offset_index_disabled(true)
        .set_statistics_enabled(EnabledStatistics::None);
    for column in columns {
        let path = ColumnPath::from(column.name);
        if matches!(column.holds, Holds::Id | Holds::Number | Holds::Unsigned) {
            let encoding = Encoding::DELTA_BINARY_PACKED;
            properties = properties.set_column_encoding(path.clone(), encoding);
        }
        if column.near {
            properties = properties.set_column_dictionary_enabled(path.clone(), false);
        }
        if column.name == "at_ns" {
            properties = properties.set_column_statistics_enabled(path, EnabledStatistics::Chunk);
        }
    }
    Ok(properties.build())
}
