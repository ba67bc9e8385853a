//! `unwedge import`: makes a store of a recording or a trace, to be read again in no time.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use unwedge_analyze::Summary;
use unwedge_trace::row::{Batch, BatchBuilder};
use unwedge_trace::{Timestamp, jsonl};

use crate::error::Error;
use crate::store::{self, Summarise, Written};
use crate::terminal;

/// Makes a store of a recording or a trace: a folder of Parquet files.
///
/// Every verb that reads a trace reads a store, many times as fast, and so do DuckDB, Polars and whatever else
/// reads Parquet; docs/store.md has its columns. The folder appears when all of it is written.
///
/// The exit status is 0, or 2 on errors. Lines that cannot be read are said and skipped.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The recording or trace, or another store; - for standard input.
    #[arg(value_name = "IN")]
    input: PathBuf,

    /// The folder to make.
    #[arg(value_name = "OUT")]
    output: PathBuf,

    #[command(flatten)]
    how: How,

    /// Replace a store that is there already.
    #[arg(long)]
    force: bool,
}

/// How an input is read.
#[derive(Debug, Default, Args)]
pub(crate) struct How {
    /// The input's format, instead of the one that its content shows.
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,

    /// Read JSON Lines of others by this profile.
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,
}

/// Rows of a batch that is made of events.
const BATCH_ROWS: usize = 1 << 16;

impl Import {
    /// Makes the store.
    ///
    /// # Errors
    /// When the input cannot be read or the folder cannot be written.
    pub(crate) fn execute(&self) -> Result<ExitCode, Error> {
        let written = import(&self.input, &self.how, &self.output, self.force)?;
        let per_row = written.bytes as f64 / written.rows.max(1) as f64;
        terminal::note(&format!(
            "{}: {} rows, {} bytes ({per_row:.2} a row)",
            self.output.display(),
            written.rows,
            written.bytes
        ));
        Ok(ExitCode::SUCCESS)
    }
}

/// Makes a store of an input, and says what had no room in it.
///
/// # Errors
/// When the input cannot be read or the folder cannot be written.
pub(crate) fn import(
    input: &Path,
    how: &How,
    output: &Path,
    force: bool,
) -> Result<Written, Error> {
    let writer = store::Writer::create(output, force)?;
    let mut writer = writer.with_summaries(Box::new(Summaries::default()));
    let read = read(input, how, &mut |batch| Ok(writer.push(batch)?))?;
    let written = writer.finish(&read.source, read.now)?;
    if written.rows_dropped > 0 {
        let rows = written.rows_dropped;
        terminal::note(&format!(
            "{rows} rows name agents or objects for which a store has no room: they count as lost"
        ));
    }
    if written.texts_dropped > 0 {
        let texts = written.texts_dropped;
        terminal::note(&format!("{texts} texts are left out: a store has no room for more"));
    }
    Ok(written)
}

/// What an input says of itself when all of it is read.
struct Read {
    source: String,
    /// The moment of the last observation; by default that of the last row.
    now: Option<Timestamp>,
}

/// Shows an input to `take`, batch by batch. The one place here that knows where batches come from.
fn read(
    input: &Path,
    how: &How,
    take: &mut dyn FnMut(&Batch) -> Result<(), Error>,
) -> Result<Read, Error> {
    if store::Reader::is_store(input) {
        return read_store(input, take);
    }
    let bad = |why: String| Error::Input { path: input.to_owned(), why, hint: HINT };
    if how.profile.is_some() || how.format.as_deref().is_some_and(|format| format != "unwedge") {
        return Err(bad("only recordings in JSON Lines are imported so far".to_owned()));
    }
    let read = if input == Path::new("-") {
        jsonl::read(&mut BufReader::new(std::io::stdin()))
    } else {
        let file = File::open(input).map_err(|error| bad(error.to_string()))?;
        jsonl::read(&mut BufReader::new(file))
    };
    let (recording, complaints) = read.map_err(|error| bad(error.to_string()))?;
    for complaint in complaints {
        terminal::note(&format!("{}: {complaint}", input.display()));
    }
    let mut builder = BatchBuilder::default();
    for event in &recording.events {
        builder.event(event);
        if builder.len() >= BATCH_ROWS {
            take(&builder.take())?;
        }
    }
    take(&builder.take())?;
    Ok(Read { source: recording.header.source, now: Some(recording.header.now) })
}

const HINT: &str = "a recording is left by unwedge run --trace FILE";

fn read_store(
    input: &Path,
    take: &mut dyn FnMut(&Batch) -> Result<(), Error>,
) -> Result<Read, Error> {
    let reader = store::Reader::open(input)?;
    let complain = |complaint: &str| terminal::note(&format!("{}: {complaint}", input.display()));
    reader.complaints().iter().for_each(|complaint| complain(complaint));
    take(&reader.introductions())?;
    for segment in reader.segments() {
        for batch in segment.batches() {
            match batch {
                Ok(batch) => take(&batch)?,
                Err(complaint) => complain(&complaint),
            }
        }
    }
    let header = reader.header();
    Ok(Read { source: header.source.clone(), now: header.now })
}

/// Leaves in each segment what an analysis needs of it.
#[derive(Default)]
struct Summaries(Summary);

impl Summarise for Summaries {
    fn fold(&mut self, batch: &Batch) {
        self.0.fold(batch);
    }

    fn finish_segment(&mut self) -> Vec<u8> {
        // Without a summary the rows are read instead.
        serde_json::to_vec(&std::mem::take(&mut self.0)).unwrap_or_default()
    }
}
