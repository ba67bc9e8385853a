//! Where is this process's black box? Opens it once, gives it away on fork, closes it at exit.
//!
//! When no file can be had, private memory takes its place: the hooks write as ever and nobody
//! reads. The file's pages are reserved before they are mapped, because writing to a page of a full
//! file system would kill the patient with SIGBUS.

use std::ffi::CString;
use std::os::fd::AsRawFd;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use unwedge_trace::blackbox::{
    BYTES, Blackbox, FLAG_CLOSED, FLAG_CRUMBS, FLAG_FAIL_MODE, FLAG_INJECT,
};

use crate::{clock, config, thread};

static MEMORY: AtomicPtr<u8> = AtomicPtr::new(std::ptr::null_mut());
static OWNER_PID: AtomicU32 = AtomicU32::new(0);
/// The file to unlink at exit, when nobody watches.
static FILE: Mutex<Option<PathBuf>> = Mutex::new(None);

/// The black box; the first call of a process opens it.
#[inline]
pub(crate) fn blackbox() -> Blackbox<'static> {
    let memory = MEMORY.load(Ordering::Acquire);
    if memory.is_null() {
        return open();
    }
    // SAFETY: MEMORY points to BYTES mapped bytes that are never unmapped.
    unsafe { Blackbox::over(memory) }
}

/// Opens a black box for this process if it has none of its own yet: at start, and after a fork.
pub(crate) fn ensure() {
    if OWNER_PID.load(Ordering::Acquire) != std::process::id() {
        open();
    }
}

#[cold]
fn open() -> Blackbox<'static> {
    static OPENING: Mutex<()> = Mutex::new(());
    let _guard = OPENING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let pid = std::process::id();
    let ready = MEMORY.load(Ordering::Acquire);
    if OWNER_PID.load(Ordering::Acquire) == pid && !ready.is_null() {
        // SAFETY: as in `blackbox`.
        return unsafe { Blackbox::over(ready) };
    }
    let start_ticks = start_ticks();
    let (memory, file) = match shared(pid, start_ticks) {
        Ok((memory, path)) => (memory, Some(path)),
        Err(why) => {
            eprintln!("unwedge: no black box, this process is not watched: {why}");
            (private(), None)
        }
    };
    // SAFETY: `memory` is a fresh mapping of BYTES zeroed bytes that is never unmapped.
    let blackbox = unsafe { Blackbox::over(memory) };
    blackbox.format(pid, start_ticks, clock::exact(), clock::unix(), &program_name());
    let config = config::config();
    let mut flags = 0;
    for (on, flag) in [
        (config.crumbs, FLAG_CRUMBS),
        (!config.inject.is_empty(), FLAG_INJECT),
        (config.fail, FLAG_FAIL_MODE),
    ] {
        flags |= if on { flag } else { 0 };
    }
    blackbox.header().flags.store(flags, Ordering::Relaxed);
    thread::forget();
    MEMORY.store(memory, Ordering::Release);
    let first = OWNER_PID.swap(pid, Ordering::AcqRel) == 0;
    *FILE.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = file;
    if first {
        // SAFETY: both handlers are plain functions of this library, which is never unloaded.
        unsafe {
            libc::pthread_atfork(None, None, Some(after_fork));
            libc::atexit(at_exit);
        }
    }
    blackbox
}

/// In a forked child: the parent's black box is not ours to write.
extern "C" fn after_fork() {
    MEMORY.store(private(), Ordering::Release);
    thread::forget();
}

/// The process ends in good order: nothing is left to explain.
extern "C" fn at_exit() {
    if OWNER_PID.load(Ordering::Acquire) != std::process::id() {
        return;
    }
    blackbox().header().flags.fetch_or(FLAG_CLOSED, Ordering::Relaxed);
    if config::config().folder.is_none()
        && let Ok(mut file) = FILE.try_lock()
        && let Some(path) = file.take()
    {
        let _ = std::fs::remove_file(path);
    }
}

fn private() -> *mut u8 {
    // SAFETY: a fresh anonymous mapping.
    let memory = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            BYTES,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
            -1,
            0,
        )
    };
    if memory == libc::MAP_FAILED {
        // Without 12 MiB of address space no Vulkan program lives either.
        std::process::abort();
    }
    memory.cast()
}

fn shared(pid: u32, start_ticks: u64) -> Result<(*mut u8, PathBuf), String> {
    let mut why = String::new();
    for folder in config::folders() {
        match shared_in(&folder, pid, start_ticks) {
            Ok(mapped) => return Ok(mapped),
            Err(error) => why = format!("{}: {error}", folder.display()),
        }
    }
    Err(why)
}

/// Black boxes of dead processes that are kept where nobody watches. They lie in memory.
const DEAD_BOXES_MAX: usize = 4;

/// Removes all but the newest boxes that dead processes left in the folder.
fn prune(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut dead: Vec<(std::time::SystemTime, PathBuf)> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "blackbox"))
        .filter(|path| {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let pid = name.split('-').next().and_then(|pid| pid.parse::<u32>().ok());
            pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists())
        })
        .filter_map(|path| Some((path.metadata().ok()?.modified().ok()?, path)))
        .collect();
    dead.sort();
    let excess = dead.len().saturating_sub(DEAD_BOXES_MAX);
    for (_, path) in dead.iter().take(excess) {
        let _ = std::fs::remove_file(path);
    }
}

fn shared_in(folder: &Path, pid: u32, ticks: u64) -> std::io::Result<(*mut u8, PathBuf)> {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt};
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    if config::config().folder.is_none() {
        // In a folder that all may write to, somebody else may have been first.
        let found = std::fs::symlink_metadata(folder)?;
        // SAFETY: getuid cannot fail and touches nothing.
        if !found.is_dir() || found.uid() != unsafe { libc::getuid() } {
            return Err(std::io::Error::other("it is not a folder of this user"));
        }
        prune(folder);
    }
    let path = folder.join(format!("{pid}-{ticks}.blackbox"));
    let hidden = folder.join(format!(".{pid}-{ticks}.new"));
    let result = map_new(&hidden);
    match result {
        // The name appears when the header is complete only as far as a reader can tell: the magic
        // is written last.
        Ok(memory) => {
            std::fs::rename(&hidden, &path).inspect_err(|_| {
                let _ = std::fs::remove_file(&hidden);
            })?;
            Ok((memory, path))
        }
        Err(error) => {
            let _ = std::fs::remove_file(&hidden);
            Err(error)
        }
    }
}

fn map_new(path: &Path) -> std::io::Result<*mut u8> {
    let name = CString::new(path.as_os_str().as_bytes())?;
    let flags = libc::O_RDWR | libc::O_CREAT | libc::O_TRUNC | libc::O_NOFOLLOW | libc::O_CLOEXEC;
    // SAFETY: `name` is a C string.
    let raw = unsafe { libc::open(name.as_ptr(), flags, 0o600) };
    if raw < 0 {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: `raw` was just opened and is owned by nobody else.
    let file = unsafe { OwnedFd::from_raw_fd(raw) };
    // SAFETY: plain call on an open file; it reserves every page or fails.
    let error = unsafe { libc::posix_fallocate(file.as_raw_fd(), 0, BYTES as libc::off_t) };
    if error != 0 {
        return Err(std::io::Error::from_raw_os_error(error));
    }
    // SAFETY: a fresh shared mapping of the whole file.
    let memory = unsafe {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        libc::mmap(std::ptr::null_mut(), BYTES, access, libc::MAP_SHARED, file.as_raw_fd(), 0)
    };
    if memory == libc::MAP_FAILED {
        return Err(std::io::Error::last_os_error());
    }
    Ok(memory.cast())
}

/// Field 22 of `/proc/self/stat`; the command name before it may hold anything, so count from its
/// closing parenthesis.
fn start_ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
    after.split_whitespace().nth(19).and_then(|field| field.parse().ok()).unwrap_or(0)
}

fn program_name() -> String {
    let exe = std::fs::read_link("/proc/self/exe").unwrap_or_default();
    exe.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
