//! Where do the traces lie that are measured, and are they in memory when it matters?

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::{Engine, Kind, Wanted, generate};

/// Counted up when the generator writes something else than before: a folder of traces outlives it.
const EDITION: u32 = 1;
/// Bytes of the longest average line and of its part of a store, for the disk's sake.
const LINE_BYTES: u64 = 250;
const STORE_BYTES: u64 = 16;

/// The files of one kind and size.
pub(crate) struct Files {
    pub(crate) kind: Kind,
    pub(crate) events: u64,
    pub(crate) trace: PathBuf,
    pub(crate) bytes: u64,
    /// The same, but for the host's times; or why there is none.
    pub(crate) other: Result<PathBuf, String>,
    /// Where a store of the trace is written.
    pub(crate) store: PathBuf,
}

impl Files {
    /// Writes what is not there yet.
    pub(crate) fn get(folder: &Path, kind: Kind, events: u64) -> Result<Self, String> {
        let name = |rest: &str| folder.join(format!("{}-{events}-{EDITION}{rest}", kind.name()));
        let (trace, other, store) = (name(".jsonl"), name("-other.jsonl"), name(".store"));
        let fits = events * LINE_BYTES * 2 < memory_available();
        let absent = u64::from(!trace.exists()) + u64::from(fits && !other.exists());
        let needed = events * (absent * LINE_BYTES + STORE_BYTES);
        let free = free(folder)?;
        if free < needed {
            let mib = |bytes: u64| bytes >> 20;
            return Err(format!(
                "{} needs {} MiB for {} events, and has {}: name another folder with --dir, or fewer events with --events",
                folder.display(),
                mib(needed),
                events,
                mib(free)
            ));
        }
        let wanted = |host_seed| Wanted {
            kind,
            events,
            seed: 1,
            host_seed,
            engine: Engine::Wedging,
            producer_declared: false,
        };
        write(&wanted(1), &trace)?;
        let other = if fits {
            write(&wanted(2), &other)?;
            Ok(other)
        } else {
            Err("two such files are more than the memory, so it would measure the disk".to_owned())
        };
        let bytes = fs::metadata(&trace).map_err(|error| error.to_string())?.len();
        Ok(Self { kind, events, trace, bytes, other, store })
    }

    /// Takes them away.
    pub(crate) fn remove(&self) {
        let _ = fs::remove_file(&self.trace);
        if let Ok(other) = &self.other {
            let _ = fs::remove_file(other);
        }
        self.remove_store();
    }

    pub(crate) fn remove_store(&self) {
        // It is a folder, and there may be none.
        let _ = fs::remove_dir_all(&self.store);
    }

    /// Bytes of the store's files.
    pub(crate) fn store_bytes(&self) -> u64 {
        size(&self.store)
    }
}

/// Unfinished files have another name, so a file that is there is whole.
fn write(wanted: &Wanted, path: &Path) -> Result<(), String> {
    if path.exists() {
        return Ok(());
    }
    eprintln!("writing {}", path.display());
    let part = path.with_extension("part");
    generate::write(wanted, &part)?;
    fs::rename(&part, path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Reads a file, or the files of a folder, so that the system has them in memory.
pub(crate) fn warm(path: &Path) {
    let mut piece = vec![0; 1 << 20];
    for file in list(path) {
        // What cannot be read is found out by whoever is measured.
        let Ok(mut file) = File::open(file) else { continue };
        while file.read(&mut piece).is_ok_and(|count| count > 0) {}
    }
}

fn size(path: &Path) -> u64 {
    list(path).iter().filter_map(|file| fs::metadata(file).ok()).map(|file| file.len()).sum()
}

/// The file itself, or the files of a folder and of those in it.
fn list(path: &Path) -> Vec<PathBuf> {
    if !path.is_dir() {
        return vec![path.to_owned()];
    }
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.flat_map(|entry| list(&entry.path())).collect()
}

fn free(folder: &Path) -> Result<u64, String> {
    let disk =
        rustix::fs::statvfs(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(disk.f_bavail * disk.f_frsize)
}

/// Bytes that can be had without writing others away (`MemAvailable`).
fn memory_available() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}
