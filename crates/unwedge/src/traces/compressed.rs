//! Is an input compressed, or in a form that another program must make text of first?

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::fd::AsFd as _;
use std::sync::atomic::Ordering;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::Refusal;
use super::stream::Stored;

/// Largest window of a zstd frame, as a power of two: 128 MiB, what `zstd -d` takes without being asked. The window is
/// what decompression keeps in memory; how much comes out does not matter.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;
/// Read at once below a decompressor. Bytes.
const READ_BYTES: usize = 128 << 10;

/// How an input is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    Zstd,
    Gzip,
}

/// Forms that are recognised and not read: the first bytes, what it is, and what makes text of it.
const REFUSED: &[(&[u8], &str, &str)] = &[
    (b"\xfd7zXZ\0", "it is compressed by xz", "xz -dc FILE | unwedge explain -"),
    (b"BZh", "it is compressed by bzip2", "bzip2 -dc FILE | unwedge explain -"),
    (b"\x04\x22\x4d\x18", "it is compressed by lz4", "lz4 -dc FILE | unwedge explain -"),
    (b"PK\x03\x04", "it is a zip archive", "unzip -p FILE | unwedge explain -"),
    (
        b"\x17\x08\x44tracing",
        "it is a binary trace of trace-cmd",
        "trace-cmd report FILE | unwedge explain -",
    ),
    (b"PERFILE2", "it is a recording of perf", "perf script -i FILE | unwedge explain -"),
    (b"\xff\xfe", "it is in UTF-16", "iconv -f UTF-16 -t UTF-8 FILE | unwedge explain -"),
    (b"\xfe\xff", "it is in UTF-16", "iconv -f UTF-16 -t UTF-8 FILE | unwedge explain -"),
    (b"UNWEDGE\0", "it is a black box, which does not come through a pipe", "name its file"),
    (b"PAR1", "it is a single Parquet file", "name the folder that unwedge import made"),
];

/// How the input that begins like this is compressed.
pub(super) fn compression(start: &[u8]) -> Option<Compression> {
    match start {
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Compression::Zstd),
        // A frame that a zstd decoder skips; parallel compressors write one first.
        [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Compression::Zstd),
        [0x1f, 0x8b, ..] => Some(Compression::Gzip),
        _ => None,
    }
}

/// Why the input that begins like this is not read.
pub(super) fn refusal(start: &[u8]) -> Option<Refusal> {
    let known = REFUSED.iter().find(|(magic, _, _)| start.starts_with(magic));
    if let Some((_, why, hint)) = known {
        return Some(Refusal::new(*why, *hint));
    }
    // Text in UTF-16 without a mark: every other byte is zero.
    let pairs = start.get(..64).unwrap_or_default().chunks_exact(2);
    let half_empty = |zero: usize| {
        pairs.len() > 0 && pairs.clone().all(|pair| pair[zero] == 0 && pair[1 - zero] != 0)
    };
    let utf16 = if half_empty(1) { "UTF-16LE" } else { "UTF-16BE" };
    (half_empty(0) || half_empty(1)).then(|| {
        let hint = format!("iconv -f {utf16} -t UTF-8 FILE | unwedge explain -");
        Refusal::new("it is in UTF-16", hint)
    })
}

/// The text of a compressed input.
pub(super) fn decompress(
    source: impl Read + Send + 'static,
    compression: Compression,
) -> io::Result<Box<dyn Read + Send>> {
    let source = BufReader::with_capacity(READ_BYTES, source);
    Ok(match compression {
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(source)),
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(source)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
            Box::new(decoder)
        }
    })
}

/// What a decompressor's or the system's error means.
pub(super) fn in_words(error: &io::Error) -> String {
    let text = error.to_string();
    if text.contains("too much memory") {
        return "its compression wants a window of more than 128 MiB".to_owned();
    }
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "the compressed data ends in the middle".to_owned(),
        _ => text,
    }
}

/// A file read from where it stands, with a count of the bytes; patient with one that is set not to block.
pub(super) struct Counted {
    pub(super) file: File,
    pub(super) stored: Stored,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.file.read(buffer) {
                Ok(read) => {
                    self.stored.passed.fetch_add(read as u64, Ordering::Relaxed);
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let mut polled = [PollFd::from_borrowed_fd(self.file.as_fd(), PollFlags::IN)];
                    let second = Timespec { tv_sec: 1, tv_nsec: 0 };
                    let _ = poll(&mut polled, Some(&second));
                }
                Err(error) => return Err(error),
            }
        }
    }
}
