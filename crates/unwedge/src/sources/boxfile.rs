//! How is a black box read while its process writes it, and how is its layer asked for something?
//!
//! Invariant: the file is read with `pread` alone. It may be truncated at any moment by the process
//! that owns it, and a look at a mapping would then be a SIGBUS. The one mapping is the header's page,
//! never dereferenced: its address names the futex that wakes the layer's thread.

use std::fs::{File, OpenOptions};
use std::io;
use std::mem::offset_of;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use unwedge_trace::blackbox::layout::{HeaderCells, Words as _, section_offset};
use unwedge_trace::blackbox::{
    BYTES, DESTROYED, DEVICES, DeviceRecord, HeaderRecord, LIVE, SWAPCHAINS, Section, Snapshot,
    SnapshotError, SwapchainRecord, ThreadRecord, reader,
};

/// Why a black box cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BoxError {
    /// The file failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The bytes are no black box.
    #[error("{0}")]
    Snapshot(#[from] SnapshotError),
}

/// Ten years of uptime: later than this is no moment but a number. Nanoseconds.
const NOT_A_TIME: u64 = 10 * 366 * 24 * 3600 * 1_000_000_000;

/// An open black box.
pub(crate) struct BoxFile {
    file: File,
    path: PathBuf,
    doorbell: Option<Doorbell>,
}

impl BoxFile {
    /// Opens it, for writing requests into its header too where that is allowed.
    ///
    /// # Errors
    /// Whatever opening the file reports.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let both = OpenOptions::new().read(true).write(true).open(path);
        let doorbell = both.as_ref().ok().and_then(Doorbell::of);
        let file = both.or_else(|_| File::open(path))?;
        Ok(Self { file, path: path.to_owned(), doorbell })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Its header.
    ///
    /// # Errors
    /// When it cannot be read, or is not complete yet.
    pub(crate) fn header(&self) -> Result<HeaderRecord, BoxError> {
        let mut bytes = [0; HeaderRecord::WORDS * 8];
        let length = self.read(&mut bytes, 0)?;
        Ok(reader::header(&bytes[..length])?)
    }

    /// Its thread slots in use; those that cannot be read are left out.
    pub(crate) fn threads(&self, header: &HeaderRecord) -> Vec<(usize, ThreadRecord)> {
        let range = reader::threads_range(header.threads_used);
        let mut bytes = vec![0; range.len()];
        let length = self.read(&mut bytes, range.start as u64).unwrap_or(0);
        reader::threads(&bytes[..length])
    }

    /// Everything in it.
    ///
    /// # Errors
    /// When it cannot be read or is not a black box.
    pub(crate) fn snapshot(&self) -> Result<Snapshot, BoxError> {
        let length = usize::try_from(self.file.metadata()?.len()).unwrap_or(usize::MAX).min(BYTES);
        let mut bytes = vec![0; length];
        self.read_data(&mut bytes)?;
        Ok(Snapshot::decode(&bytes)?)
    }

    /// Reads the parts of the file that were ever written; the rest of `bytes` is zero already. Nine
    /// tenths of a black box are a hole.
    fn read_data(&self, bytes: &mut [u8]) -> io::Result<()> {
        use rustix::fs::{SeekFrom, seek};
        let mut at = 0;
        while at < bytes.len() {
            let start = match seek(&self.file, SeekFrom::Data(at as u64)) {
                Ok(start) => usize::try_from(start).unwrap_or(usize::MAX).max(at),
                Err(rustix::io::Errno::NXIO) => break,
                // A file system without holes.
                Err(_) => at,
            };
            let end = seek(&self.file, SeekFrom::Hole(start as u64)).unwrap_or(u64::MAX);
            let end = usize::try_from(end).unwrap_or(usize::MAX).min(bytes.len());
            if start >= end {
                break;
            }
            self.read(&mut bytes[start..end], start as u64)?;
            at = end;
        }
        Ok(())
    }

    /// Its devices, by index.
    pub(crate) fn devices(&self, header: &HeaderRecord) -> Vec<(usize, DeviceRecord)> {
        let used = header.devices_used.min(DEVICES as u64) as usize;
        self.records(Section::Devices, used, DeviceRecord::WORDS, DeviceRecord::take)
    }

    /// Its swapchains by their place, those destroyed since included: their counters still tell.
    pub(crate) fn swapchains(&self) -> Vec<(usize, SwapchainRecord)> {
        let take = SwapchainRecord::take;
        let mut all = self.records(Section::Swapchains, SWAPCHAINS, SwapchainRecord::WORDS, take);
        all.retain(|(_, swapchain)| matches!(swapchain.state, LIVE | DESTROYED));
        all
    }

    fn records<R>(
        &self,
        section: Section,
        count: usize,
        words: usize,
        take: impl Fn(&mut &[u64]) -> R,
    ) -> Vec<(usize, R)> {
        let mut bytes = vec![0; count * words * 8];
        let start = section_offset(section as usize) * 8;
        let length = self.read(&mut bytes, start as u64).unwrap_or(0);
        let all: Vec<u64> = bytes[..length]
            .chunks_exact(8)
            .map(|word| word.try_into().map_or(0, u64::from_ne_bytes))
            .collect();
        all.chunks_exact(words).map(|mut record| take(&mut record)).enumerate().collect()
    }

    /// Reads as much as there is.
    fn read(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut done = 0;
        while done < bytes.len() {
            match self.file.read_at(&mut bytes[done..], offset + done as u64) {
                Ok(0) => break,
                Ok(read) => done += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    /// The last moment that anything in the box speaks of, or at which it was written as far as the
    /// file system knows.
    pub(crate) fn last_moment(&self, snapshot: &Snapshot) -> u64 {
        let header = &snapshot.header;
        let threads = snapshot.threads.iter().flat_map(|(_, thread)| {
            [
                thread.slot_began_at,
                thread.poll_last_at,
                thread.progress_at,
                thread.exited_at,
                thread.started_at,
            ]
        });
        let calls = snapshot.calls.iter().map(|(_, call)| call.at.saturating_add(call.duration));
        let queues =
            snapshot.queues.iter().map(|(_, queue)| queue.sampled_at.max(queue.reached_at));
        let stamps =
            threads.chain(calls).chain(queues).chain([header.created_at, header.sampled_at]);
        let stamp = stamps.filter(|at| *at <= NOT_A_TIME).max().unwrap_or(0);
        let modified = self.file.metadata().ok().and_then(|metadata| metadata.modified().ok());
        let modified = modified.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        let since = modified.map_or(0, |at| {
            u64::try_from(at.as_nanos()).unwrap_or(0).saturating_sub(header.created_unix_ns)
        });
        stamp.max(header.created_at.saturating_add(since).min(NOT_A_TIME))
    }

    /// Asks the layer to sample its breadcrumbs. `None` where the box may not be written; else the
    /// number of the request, which `sample_done` reaches when it was answered.
    pub(crate) fn ask_for_sample(&self) -> Option<u64> {
        let doorbell = self.doorbell.as_ref()?;
        let request = self.header().ok()?.sample_request.wrapping_add(1);
        self.store(offset_of!(HeaderCells, sample_request), request).ok()?;
        doorbell.ring();
        Some(request)
    }

    /// Asks the layer to fail all waits on these devices (mode *fail*), bit n for device n.
    ///
    /// # Errors
    /// When the box cannot be written.
    pub(crate) fn fail_devices(&self, devices: u64) -> Result<(), BoxError> {
        let header = self.header()?;
        self.store(offset_of!(HeaderCells, fail_devices), header.fail_devices | devices)?;
        // The layer's thread sleeps on the request word; a request wakes it for both.
        self.ask_for_sample();
        Ok(())
    }

    fn store(&self, offset: usize, word: u64) -> io::Result<()> {
        self.file.write_all_at(&word.to_ne_bytes(), offset as u64)
    }
}

/// The address of a black box's request word in this process.
struct Doorbell {
    page: *mut libc::c_void,
}

const PAGE_BYTES: usize = 4096;

impl Doorbell {
    fn of(file: &File) -> Option<Self> {
        use rustix::mm::{MapFlags, ProtFlags, mmap};
        // SAFETY: a new mapping at an address of the kernel's choice overlaps nothing.
        let page = unsafe {
            mmap(std::ptr::null_mut(), PAGE_BYTES, ProtFlags::READ, MapFlags::SHARED, file, 0)
        };
        Some(Self { page: page.ok()? })
    }

    /// Wakes whoever sleeps on the low half of the request word.
    fn ring(&self) {
        let low = if cfg!(target_endian = "big") { 4 } else { 0 };
        let word = self.page.wrapping_byte_add(offset_of!(HeaderCells, sample_request) + low);
        // SAFETY: FUTEX_WAKE uses the address as a name only; a page that is gone is an error.
        unsafe { libc::syscall(libc::SYS_futex, word, libc::FUTEX_WAKE, i32::MAX, 0, 0, 0) };
    }
}

impl Drop for Doorbell {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `of`, has this size, and nothing refers to it any more.
        let _ = unsafe { rustix::mm::munmap(self.page, PAGE_BYTES) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_or_foreign_file_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("1-2.blackbox");
        std::fs::write(&path, "too short").expect("a file");
        let error = BoxFile::open(&path).expect("opens").snapshot().expect_err("no black box");
        assert_eq!(error.to_string(), "9 bytes are too few for a black box");
        std::fs::write(&path, vec![7; 8192]).expect("a file");
        let file = BoxFile::open(&path).expect("opens");
        assert!(file.header().is_err() && file.snapshot().is_err());
        assert_eq!(
            file.ask_for_sample(),
            None,
            "nothing is written into a file that is no black box"
        );
    }

    #[test]
    fn holes_are_read_as_zeros() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("1-2.blackbox");
        let file = File::create(&path).expect("a file");
        file.set_len(1 << 20).expect("its length");
        for offset in [3, 70_000, 300_000, (1 << 20) - 4] {
            file.write_all_at(b"data", offset).expect("written");
        }
        let mut bytes = vec![0; 1 << 20];
        BoxFile::open(&path).expect("opens").read_data(&mut bytes).expect("read");
        assert!(bytes == std::fs::read(&path).expect("read"), "the same as a plain read");
    }

    #[test]
    fn a_request_is_counted_up() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("1-2.blackbox");
        let mut bytes = vec![0; HeaderRecord::WORDS * 8];
        bytes[..8].copy_from_slice(&unwedge_trace::blackbox::MAGIC.to_ne_bytes());
        bytes[8..16].copy_from_slice(&unwedge_trace::blackbox::VERSION.to_ne_bytes());
        std::fs::write(&path, bytes).expect("a file");
        let file = BoxFile::open(&path).expect("opens");
        assert_eq!(file.ask_for_sample(), Some(1));
        assert_eq!(file.ask_for_sample(), Some(2));
        file.fail_devices(0b10).expect("written");
        file.fail_devices(0b01).expect("written");
        let header = file.header().expect("a header");
        assert_eq!((header.sample_request, header.fail_devices), (4, 0b11));
    }
}
