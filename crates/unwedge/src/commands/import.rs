//! `unwedge import`: makes a store of a recording or a trace, to be read again in no time.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use crate::error::Error;
use crate::store::{self, Written};
use crate::terminal;
use crate::traces::{Choice, Input, Progress, Summaries};

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
    choice: Choice,

    /// Replace a store that is there already.
    #[arg(long)]
    force: bool,
}

impl Import {
    /// Makes the store.
    ///
    /// # Errors
    /// When the input cannot be read or the folder cannot be written.
    pub(crate) fn execute(&self) -> Result<ExitCode, Error> {
        let written = import(&self.input, &self.choice, &self.output, self.force)?;
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
    choice: &Choice,
    output: &Path,
    force: bool,
) -> Result<Written, Error> {
    let writer = store::Writer::create(output, force)?;
    let mut writer = writer.with_summaries(Box::new(Summaries::default()));
    let progress = Progress::on_terminal("importing");
    let ended = Input::open(input, choice)?.each(&progress, |batch| Ok(writer.push(&batch)?))?;
    ended.tell(input);
    ended.refuse_nothing(input)?;
    let writer = writer.with_patience(ended.patience_ns);
    let written = writer.finish(&ended.source, ended.now)?;
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
