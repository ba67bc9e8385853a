//! `unwedge export`: writes a recording in a form that others read.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use unwedge_trace::Event;
use unwedge_trace::jsonl::Header;

use super::import::import;
use crate::error::Error;
use crate::report::perfetto;
use crate::store::{Reader, each_event};
use crate::terminal;
use crate::traces::Choice;

/// Writes a recording as JSON Lines, or as a trace for Perfetto.
///
/// In the trace, agents are tracks, waits are slices, and signals are arrows to the waits that they end; a wait that
/// is not over at the end is marked "still waiting". Look at it at ui.perfetto.dev, which keeps it in the browser.
///
/// The exit status is 0, or 2 on errors.
#[derive(Debug, Args)]
#[group(id = "form", required = true, multiple = true, args = ["jsonl", "perfetto"])]
pub(crate) struct Export {
    /// A store, or anything that can be imported.
    #[arg(value_name = "IN")]
    input: PathBuf,

    /// Write JSON Lines, as `unwedge explain` reads them; - for standard output.
    #[arg(long, value_name = "FILE")]
    jsonl: Option<PathBuf>,

    /// Write a Perfetto trace; - for standard output.
    #[arg(long, value_name = "FILE")]
    perfetto: Option<PathBuf>,

    #[command(flatten)]
    choice: Choice,
}

impl Export {
    /// Writes it.
    ///
    /// # Errors
    /// When the input cannot be read or a file cannot be written.
    pub(crate) fn execute(&self) -> Result<ExitCode, Error> {
        let jsonl = self.jsonl.as_deref().map(|path| Output::open("--jsonl", path)).transpose()?;
        let perfetto =
            self.perfetto.as_deref().map(|path| Output::open("--perfetto", path)).transpose()?;
        // What is no store yet becomes one for as long as this takes: introductions come first, and the end must be
        // known at the beginning.
        let mut folder = None;
        let store = if Reader::is_store(&self.input) {
            self.input.clone()
        } else {
            let made = tempfile::tempdir().map_err(Error::Temporary)?;
            let store = made.path().join("store");
            import(&self.input, &self.choice, &store, false)?;
            folder = Some(made);
            store
        };
        let reader = Reader::open(&store)?;
        let mut complain = |complaint: &str| {
            terminal::note(&format!("{}: {complaint}", self.input.display()));
        };
        if let Some(output) = jsonl {
            output.end(write_jsonl(&reader, &mut complain, output.writer()?))?;
        }
        if let Some(output) = perfetto {
            // What is wrong is said once.
            let complain: &mut dyn FnMut(&str) =
                if self.jsonl.is_some() { &mut |_| {} } else { &mut complain };
            output.end(write_perfetto(&reader, complain, output.writer()?))?;
        }
        drop(folder);
        Ok(ExitCode::SUCCESS)
    }
}

fn write_jsonl(
    reader: &Reader,
    complain: &mut dyn FnMut(&str),
    mut out: impl Write,
) -> io::Result<()> {
    let now = reader.now();
    // What was judged by its length stays so.
    let patience_ns = reader.header().patience_ns;
    let patience_ns =
        patience_ns.unwrap_or_else(|| unwedge_analyze::patience_ns(now.since(reader.began())));
    let mut header = Header::new(&reader.header().source, now);
    if patience_ns > 0 {
        header = header.with_patience(patience_ns);
    }
    writeln!(out, "{}", serde_json::to_string(&header)?)?;
    each_event(reader, complain, &mut |event: &Event| {
        serde_json::to_writer(&mut out, event)?;
        out.write_all(b"\n")
    })?;
    out.flush()
}

fn write_perfetto(
    reader: &Reader,
    complain: &mut dyn FnMut(&str),
    out: impl Write,
) -> io::Result<()> {
    let mut writer = perfetto::Writer::new(out);
    each_event(reader, complain, &mut |event: &Event| writer.event(event))?;
    writer.finish(reader.now())
}

/// Where one form goes.
struct Output<'a> {
    option: &'static str,
    path: &'a Path,
}

impl<'a> Output<'a> {
    fn open(option: &'static str, path: &'a Path) -> Result<Self, Error> {
        let program = |metadata: &std::fs::Metadata| {
            metadata.is_file() && metadata.permissions().mode() & 0o111 != 0
        };
        if path != Path::new("-") && path.metadata().as_ref().is_ok_and(program) {
            return Err(Error::OutputIsProgram { option, path: path.to_owned() });
        }
        Ok(Self { option, path })
    }

    fn writer(&self) -> Result<Box<dyn Write>, Error> {
        if self.path == Path::new("-") {
            return Ok(Box::new(BufWriter::new(io::stdout())));
        }
        let file = File::create(self.path).map_err(|source| self.failed(source))?;
        Ok(Box::new(BufWriter::with_capacity(1 << 20, file)))
    }

    /// Whoever closes standard output has read enough.
    fn end(&self, written: io::Result<()>) -> Result<(), Error> {
        match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(self.failed(error)),
            _ => Ok(()),
        }
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::Output { option: self.option, path: self.path.to_owned(), source }
    }
}
