//! What is at a path: a regular file, a pipe, a folder; and what are its first bytes, decompressed?

use std::fs::{File, FileType};
use std::io::{self, IsTerminal as _, Read, Seek as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{FileExt as _, FileTypeExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::compressed::{self, Counted};
use super::feed::{Feed, FileFeed};
use super::stream::{Stored, Stream, StreamFeed};
use super::{HINT, Refusal};
use crate::terminal;

/// The beginning that a format is recognised by. Bytes.
const START_BYTES: usize = 64 << 10;
/// A pipe that nobody writes to: after how long that is said, and for how long it is waited for.
const PIPE_PATIENCE: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];

/// An input whose beginning is known.
pub(crate) struct Source {
    pub(super) path: PathBuf,
    body: Body,
    start: Vec<u8>,
}

enum Body {
    /// Text that any thread can read at any place.
    File {
        file: File,
        begin: u64,
        end: u64,
    },
    Stream(Stream),
    Folder,
}

impl Source {
    /// Opens a path; `-` is standard input.
    ///
    /// # Errors
    /// Says why it cannot be read.
    pub(super) fn open(path: &Path) -> Result<Self, Refusal> {
        let refuse = |error: io::Error| unreadable(&error);
        let file = if path == Path::new("-") { standard_input() } else { open(path) };
        let file = file.map_err(refuse)?;
        let kind = file.metadata().map_err(refuse)?.file_type();
        if kind.is_dir() {
            let (path, start) = (path.to_owned(), Vec::new());
            return Ok(Self { path, body: Body::Folder, start });
        }
        if kind.is_fifo() && path != Path::new("-") {
            wait_for_writer(&file, path, PIPE_PATIENCE)?;
        }
        let mut source = Self::of_file(file, kind).map_err(refuse)??;
        path.clone_into(&mut source.path);
        Ok(source)
    }

    fn of_file(mut file: File, kind: FileType) -> io::Result<Result<Self, Refusal>> {
        // The length of files that the kernel makes up as they are read is 0.
        let end = if kind.is_file() { file.metadata()?.len() } else { 0 };
        // Standard input may have been read in part.
        let begin = if end > 0 { file.stream_position()? } else { 0 };
        if begin < end {
            let start = start_of(&file, begin)?;
            if compressed::compression(&start).is_none() {
                return Ok(Self::of_start(Body::File { file, begin, end }, start));
            }
        }
        let stored = Stored {
            total: Some(end - begin.min(end)).filter(|all| *all > 0),
            ..Stored::default()
        };
        let mut raw = Counted { file, stored: stored.clone() };
        let mut magic = Vec::new();
        raw.by_ref().take(START_BYTES as u64).read_to_end(&mut magic)?;
        let compression = compressed::compression(&magic);
        let refusal = compressed::refusal(&magic);
        let whole = io::Cursor::new(magic).chain(raw);
        let source: Box<dyn Read + Send> = match compression {
            Some(compression) => compressed::decompress(whole, compression)?,
            None => Box::new(whole),
        };
        if let Some(refusal) = refusal {
            return Ok(Err(refusal));
        }
        let stream = Stream::open(source, stored, START_BYTES);
        let start = stream.start().to_vec();
        Ok(Self::of_start(Body::Stream(stream), start))
    }

    /// Text that is in memory, under the name of a path.
    pub(super) fn of_text(path: &Path, text: Vec<u8>) -> Result<Self, Refusal> {
        let stored = Stored { total: Some(text.len() as u64), ..Stored::default() };
        let stream = Stream::open(Box::new(io::Cursor::new(text)), stored, START_BYTES);
        let start = stream.start().to_vec();
        let source = Self::of_start(Body::Stream(stream), start)?;
        Ok(Self { path: path.to_owned(), ..source })
    }

    /// Looks at the first bytes of text.
    fn of_start(mut body: Body, mut start: Vec<u8>) -> Result<Self, Refusal> {
        if let Some(refusal) = compressed::refusal(&start) {
            return Err(refusal);
        }
        if start.starts_with(b"\xef\xbb\xbf") {
            start.drain(..3);
            match &mut body {
                Body::File { begin, .. } => *begin += 3,
                Body::Stream(stream) => stream.skip(3),
                Body::Folder => {}
            }
        }
        if start.is_empty() {
            let trouble = if let Body::Stream(stream) = &body { stream.trouble() } else { None };
            return Err(Refusal::new(trouble.unwrap_or("it is empty").to_owned(), HINT));
        }
        Ok(Self { path: PathBuf::new(), body, start })
    }

    /// The first bytes of the text, up to 64 KiB; none of a folder.
    pub(crate) fn start(&self) -> &[u8] {
        &self.start
    }

    /// Whether it is a folder, which has no text.
    pub(super) fn is_folder(&self) -> bool {
        matches!(self.body, Body::Folder)
    }

    /// The length of its text, if it is a file that can be read anywhere.
    pub(super) fn file_bytes(&self) -> Option<u64> {
        match &self.body {
            Body::File { begin, end, .. } => Some(end.saturating_sub(*begin)),
            Body::Stream(_) | Body::Folder => None,
        }
    }

    /// Where blocks of its text come from.
    pub(super) fn into_feed(self, block_bytes: usize) -> Box<dyn Feed> {
        match self.body {
            Body::File { file, begin, end } => {
                Box::new(FileFeed::new(file, begin..end, block_bytes))
            }
            Body::Stream(stream) => Box::new(StreamFeed::new(stream, block_bytes)),
            Body::Folder => {
                let nothing = Stream::open(Box::new(io::empty()), Stored::default(), 0);
                Box::new(StreamFeed::new(nothing, block_bytes))
            }
        }
    }
}

/// Opens without waiting for whoever is to write into a pipe.
fn open(path: &Path) -> io::Result<File> {
    File::options().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)
}

fn standard_input() -> io::Result<File> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        terminal::note("reading what is typed here; Ctrl-D ends it");
    }
    Ok(File::from(stdin.as_fd().try_clone_to_owned()?))
}

fn start_of(file: &File, begin: u64) -> io::Result<Vec<u8>> {
    let (mut start, mut length) = (vec![0; START_BYTES], 0);
    while length < start.len() {
        match file.read_at(&mut start[length..], begin + length as u64) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // What was read is used; who reads on meets the error again.
            Err(_) if length > 0 => break,
            Err(error) => return Err(error),
        }
    }
    start.truncate(length);
    Ok(start)
}

/// Waits until there is something in a pipe, or until who wrote into it has gone.
fn wait_for_writer(file: &File, path: &Path, patience: [Duration; 2]) -> Result<(), Refusal> {
    let mut waited = Duration::ZERO;
    for bound in patience {
        let time = bound.saturating_sub(waited);
        let time = Timespec {
            tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: time.subsec_nanos().into(),
        };
        let mut polled = [PollFd::from_borrowed_fd(file.as_fd(), PollFlags::IN)];
        if poll(&mut polled, Some(&time)).is_ok_and(|ready| ready > 0) {
            return Ok(());
        }
        if waited.is_zero() {
            terminal::note(&format!("waiting for somebody to write to {}", path.display()));
        }
        waited = bound;
    }
    let why = format!("nobody has written to it in {} s", waited.as_secs());
    Err(Refusal::new(why, "start what writes to it first"))
}

fn unreadable(error: &io::Error) -> Refusal {
    let hint = match error.kind() {
        io::ErrorKind::PermissionDenied => "it is another user's: be that user, or use sudo",
        _ => HINT,
    };
    Refusal::new(error.to_string(), hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_without_a_writer_is_not_waited_for_for_ever() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pipe");
        rustix::fs::mkfifoat(
            rustix::fs::CWD,
            &path,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        )
        .expect("a pipe");
        let file = open(&path).expect("it opens without a writer");
        let patience = [Duration::from_millis(10), Duration::from_millis(20)];
        let refusal = wait_for_writer(&file, &path, patience).expect_err("nobody writes");
        assert_eq!(refusal.why, "nobody has written to it in 0 s");
        let writer = File::options().write(true).open(&path).expect("a writer");
        drop(writer);
        assert!(wait_for_writer(&file, &path, patience).is_ok());
    }
}
