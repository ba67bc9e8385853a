//! How are the pages of a Parquet file read without trusting it?
//!
//! The library that decodes takes the sizes in a file at their word. Here they are checked first: the file is shown
//! to it as if it were not compressed, and each page is decompressed by ourselves, into no more than [`PAGE_BYTES_MAX`].

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use parquet::basic::{Compression, Encoding, Type as Physical};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::serialized_reader::SerializedPageReader;

/// Largest page that is decompressed. We write pages of about 1 MiB. Bytes.
pub(super) const PAGE_BYTES_MAX: usize = 16 << 20;
/// Largest piece that is read at once: a page as it lies in the file, or a footer. Bytes.
const PIECE_BYTES_MAX: usize = 64 << 20;
/// What a page's header takes; it lies before the page. Bytes.
const HEADER_BYTES: usize = 512;

/// A file that several readers look at, each where it likes.
#[derive(Clone)]
pub(super) struct Source {
    file: Arc<File>,
    bytes: u64,
}

impl Source {
    pub(super) fn new(file: File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("not a file"));
        }
        Ok(Self { file: Arc::new(file), bytes: metadata.len() })
    }
}

impl Length for Source {
    fn len(&self) -> u64 {
        self.bytes
    }
}

/// The file from some place on.
pub(super) struct From {
    file: Arc<File>,
    at: u64,
}

impl Read for From {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(bytes, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl ChunkReader for Source {
    type T = BufReader<From>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        let from = From { file: Arc::clone(&self.file), at: start };
        Ok(BufReader::with_capacity(HEADER_BYTES, from))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let fits = start.checked_add(length as u64).is_some_and(|end| end <= self.bytes);
        if !fits || length > PIECE_BYTES_MAX {
            return Err(ParquetError::General(format!("it says that a piece has {length} bytes")));
        }
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, start)?;
        Ok(bytes.into())
    }
}

/// The pages of one column of one row group.
pub(super) struct Pages {
    inner: SerializedPageReader<Source>,
    compressed: bool,
    physical: Physical,
    zstd: zstd::bulk::Decompressor<'static>,
    /// Where the texts of the dictionary go, if the caller wants the places in it.
    texts: Option<Dictionary>,
}

/// The texts of a column, by place; there once its first values are read.
pub(super) type Dictionary = Arc<OnceLock<Vec<Bytes>>>;

/// Most different texts of a column whose places are wanted.
const TEXTS_MAX: usize = 1 << 12;

impl Pages {
    /// The pages of `column`, in a row group of `rows` rows.
    pub(super) fn new(source: &Source, column: &ColumnChunkMetaData, rows: usize) -> Result<Self> {
        let compressed = match column.compression() {
            Compression::UNCOMPRESSED => false,
            Compression::ZSTD(_) => true,
            other => {
                return Err(ParquetError::General(format!("compressed with {other}, not zstd")));
            }
        };
        let plain =
            column.clone().into_builder().set_compression(Compression::UNCOMPRESSED).build()?;
        let inner = SerializedPageReader::new(Arc::new(source.clone()), &plain, rows, None)?;
        let zstd = zstd::bulk::Decompressor::new()?;
        Ok(Self { inner, compressed, physical: column.column_type(), zstd, texts: None })
    }

    /// Shows, instead of texts, their places in the dictionary as numbers of 32 bits: nothing is copied for a row.
    pub(super) fn into_places(mut self) -> (Self, Dictionary) {
        let texts = Dictionary::default();
        self.texts = Some(Arc::clone(&texts));
        (self, texts)
    }

    /// Keeps the texts of a dictionary, and makes one in which every text is its own place.
    fn keep(dictionary: &Bytes, values: u32, texts: &Dictionary) -> Result<Bytes> {
        let bad =
            || ParquetError::General("its dictionary of texts is torn or too large".to_owned());
        let mut kept = Vec::new();
        let mut at = 0;
        for _ in 0..values {
            let length = dictionary.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
            let length = u32::from_le_bytes(length.ok_or_else(bad)?) as usize;
            at += 4;
            if length > dictionary.len() - at || kept.len() == TEXTS_MAX {
                return Err(bad());
            }
            kept.push(dictionary.slice(at..at + length));
            at += length;
        }
        texts.set(kept).map_err(|_| bad())?;
        Ok((0..values).flat_map(u32::to_le_bytes).collect::<Vec<u8>>().into())
    }

    fn plain(&mut self, packed: Bytes) -> Result<Bytes> {
        if !self.compressed {
            return Ok(packed);
        }
        let size = zstd::zstd_safe::get_frame_content_size(&packed).ok().flatten();
        let size = size.and_then(|size| usize::try_from(size).ok()).unwrap_or(PAGE_BYTES_MAX);
        if size > PAGE_BYTES_MAX {
            return Err(ParquetError::General(format!("a page of {size} bytes is too large")));
        }
        Ok(self.zstd.decompress(&packed, size)?.into())
    }

    /// The dictionary is decoded into memory whole, as many values as its header says.
    fn check_dictionary(&self, bytes: usize, values: u32, encoding: Encoding) -> Result<()> {
        let least = match self.physical {
            Physical::INT32 | Physical::BYTE_ARRAY => 4,
            Physical::INT64 => 8,
            _ => 1,
        };
        if !matches!(encoding, Encoding::PLAIN | Encoding::PLAIN_DICTIONARY)
            || (values as usize).saturating_mul(least) > bytes
        {
            let text = format!("a dictionary of {bytes} bytes says that it has {values} values");
            return Err(ParquetError::General(text));
        }
        Ok(())
    }
}

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Result<Page>> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        Ok(match self.inner.get_next_page()? {
            Some(Page::DataPage {
                buf,
                num_values,
                encoding,
                def_level_encoding,
                rep_level_encoding,
                statistics,
            }) => {
                let buf = self.plain(buf)?;
                if self.texts.is_some() && encoding == Encoding::PLAIN {
                    return Err(ParquetError::General("its texts have no dictionary".to_owned()));
                }
                Some(Page::DataPage {
                    buf,
                    num_values,
                    encoding,
                    def_level_encoding,
                    rep_level_encoding,
                    statistics,
                })
            }
            Some(Page::DictionaryPage { buf, num_values, encoding, is_sorted }) => {
                let buf = self.plain(buf)?;
                self.check_dictionary(buf.len(), num_values, encoding)?;
                let buf = match &self.texts {
                    Some(texts) => Self::keep(&buf, num_values, texts)?,
                    None => buf,
                };
                Some(Page::DictionaryPage { buf, num_values, encoding, is_sorted })
            }
            Some(Page::DataPageV2 { .. }) => {
                return Err(ParquetError::General("it has pages of the second version".to_owned()));
            }
            None => None,
        })
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.inner.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.inner.skip_next_page()
    }
}
