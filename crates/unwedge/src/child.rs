//! The program that is run: found, started, told what the user's signals tell, waited for, ended.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM};

use crate::error::Error;
use crate::sources::process;
use crate::sources::procfs;

/// The file of the program, as a shell would find it.
///
/// # Errors
/// When there is none, or it cannot be executed.
pub(crate) fn find(program: &OsStr, path_variable: Option<OsString>) -> Result<PathBuf, Error> {
    let given = Path::new(program);
    if program.as_bytes().contains(&b'/') {
        return executable(given);
    }
    let folders: Vec<PathBuf> = path_variable.iter().flat_map(std::env::split_paths).collect();
    let mut refused = None;
    for folder in folders {
        match executable(&folder.join(given)) {
            Ok(path) => return Ok(path),
            Err(error @ Error::ProgramNotExecutable { .. }) => refused = refused.or(Some(error)),
            Err(_) => {}
        }
    }
    Err(refused.unwrap_or_else(|| Error::ProgramMissing(given.to_owned())))
}

fn executable(path: &Path) -> Result<PathBuf, Error> {
    let refuse = |why, hint| Error::ProgramNotExecutable { path: path.to_owned(), why, hint };
    let metadata = match path.metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return Err(refuse(
                "permission denied",
                "one of the folders on the way is closed to this user",
            ));
        }
        Err(_) => return Err(Error::ProgramMissing(path.to_owned())),
    };
    if metadata.is_dir() {
        return Err(refuse("it is a folder", "name the program in it"));
    }
    match rustix::fs::access(path, rustix::fs::Access::EXEC_OK) {
        Ok(()) => Ok(path.to_owned()),
        Err(_) => Err(refuse("not executable", "chmod +x makes it so, if it is a program")),
    }
}

/// What signals have told since the last look.
pub(crate) struct Signals {
    pipe: UnixStream,
    interrupts: Arc<AtomicBool>,
    forwarded: Vec<(Signal, Arc<AtomicBool>)>,
}

impl Signals {
    /// From here on a Ctrl-C is the program's, and SIGTERM and SIGHUP are passed on to it. Signals that
    /// were ignored stay ignored, for `nohup` and shells' background jobs.
    ///
    /// # Errors
    /// When handlers cannot be set.
    pub(crate) fn catch() -> io::Result<Self> {
        let ignored = ignored_signals();
        let (pipe, write) = UnixStream::pair()?;
        pipe.set_nonblocking(true)?;
        let interrupts = Arc::new(AtomicBool::new(false));
        let mut forwarded = Vec::new();
        for number in [SIGCHLD, SIGINT, SIGQUIT, SIGTERM, SIGHUP] {
            if number != SIGCHLD && ignored & 1 << (number - 1) != 0 {
                continue;
            }
            if number == SIGINT || number == SIGQUIT {
                signal_hook::flag::register(number, Arc::clone(&interrupts))?;
            } else if let (true, Some(signal)) = (number != SIGCHLD, Signal::from_named_raw(number))
            {
                let flag = Arc::new(AtomicBool::new(false));
                signal_hook::flag::register(number, Arc::clone(&flag))?;
                forwarded.push((signal, flag));
            }
            signal_hook::low_level::pipe::register(number, write.try_clone()?)?;
        }
        Ok(Self { pipe, interrupts, forwarded })
    }

    /// Sleeps until a signal comes, a child ends, or so many nanoseconds have passed.
    pub(crate) fn sleep(&mut self, ns: u64) {
        let timeout = Timespec {
            tv_sec: i64::try_from(ns / 1_000_000_000).unwrap_or(i64::MAX),
            tv_nsec: (ns % 1_000_000_000).cast_signed(),
        };
        let mut fds = [PollFd::new(&self.pipe, PollFlags::IN)];
        // An interrupted sleep is a short one.
        let _ = poll(&mut fds, Some(&timeout));
        let mut bytes = [0; 64];
        while self.pipe.read(&mut bytes).is_ok_and(|read| read == bytes.len()) {}
    }

    /// Whether the user has interrupted since the last look.
    pub(crate) fn interrupted(&self) -> bool {
        self.interrupts.swap(false, Ordering::Relaxed)
    }

    /// A signal that is to be passed on.
    pub(crate) fn to_forward(&self) -> Option<Signal> {
        let came = self.forwarded.iter().find(|(_, flag)| flag.swap(false, Ordering::Relaxed));
        came.map(|(signal, _)| *signal)
    }
}

/// The mask of signals that this process was started with as ignored.
fn ignored_signals() -> u64 {
    let status = procfs::lossy("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// Starts the program in this process group, on this terminal.
///
/// # Errors
/// When the kernel refuses it.
pub(crate) fn start(
    path: &Path,
    arguments: &[OsString],
    variables: &[(&'static str, Option<OsString>)],
) -> Result<Child, Error> {
    use std::os::unix::process::CommandExt as _;
    let mut command = Command::new(path);
    command.arg0(arguments.first().map_or(path.as_os_str(), OsString::as_os_str));
    command.args(arguments.iter().skip(1));
    for (name, value) in variables {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.spawn().map_err(|source| Error::Spawn { path: path.to_owned(), source })
}

/// Sends a signal to a process that may be gone.
pub(crate) fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid.cast_signed()) {
        let _ = kill_process(pid, signal);
    }
}

/// Sends a signal to the program, while it lives, and to all that came from it.
pub(crate) fn signal_tree(root: Option<u32>, directory: &Path, what: Signal) {
    for pid in process::tree(root, &mark_of(directory)) {
        signal(pid, what);
    }
}

/// Whether anything that came from the program lives.
pub(crate) fn any_left(directory: &Path) -> bool {
    !process::tree(None, &mark_of(directory)).is_empty()
}

/// What every process of a run carries in its environment.
fn mark_of(directory: &Path) -> OsString {
    let mut mark = OsString::from("UNWEDGE_DIR=");
    mark.push(directory);
    mark
}

/// The exit status that stands for a program's: its own, or 128 and the signal's number.
pub(crate) fn exit_status(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| Some(128 + status.signal()?));
    code.and_then(|code| u8::try_from(code & 0xff).ok()).unwrap_or(126)
}

/// A signal's name and what it means, for a reader.
pub(crate) fn signal_name(number: i32) -> String {
    let name = match number {
        libc::SIGHUP => "SIGHUP",
        libc::SIGINT => "SIGINT",
        libc::SIGQUIT => "SIGQUIT",
        libc::SIGILL => "SIGILL, an illegal instruction",
        libc::SIGTRAP => "SIGTRAP",
        libc::SIGABRT => "SIGABRT, it aborted",
        libc::SIGBUS => "SIGBUS, a bad access to memory",
        libc::SIGFPE => "SIGFPE, an arithmetic error",
        libc::SIGKILL => "SIGKILL",
        libc::SIGSEGV => "SIGSEGV, a bad access to memory",
        libc::SIGPIPE => "SIGPIPE",
        libc::SIGALRM => "SIGALRM",
        libc::SIGTERM => "SIGTERM",
        libc::SIGXCPU => "SIGXCPU, too much processor time",
        libc::SIGSYS => "SIGSYS, a forbidden system call",
        _ => return format!("signal {number}"),
    };
    format!("signal {number} ({name})")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_error(program: &str, expected: &str) {
        let path = Some(OsString::from("/bin:/usr/bin"));
        let error = find(OsStr::new(program), path).expect_err(program);
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn programs_are_found_as_a_shell_finds_them() {
        let found = find(OsStr::new("sh"), Some("/nowhere:/bin".into())).expect("sh");
        assert_eq!(found, Path::new("/bin/sh"));
        check_error("no-such-program-here", "no-such-program-here: no such program");
        check_error("/no/such/program", "/no/such/program: no such program");
        check_error("/etc/passwd", "/etc/passwd: not executable");
        check_error("/etc", "/etc: it is a folder");
    }

    #[test]
    fn exit_statuses_are_the_shells() {
        assert_eq!(exit_status(ExitStatus::from_raw(3 << 8)), 3);
        assert_eq!(exit_status(ExitStatus::from_raw(libc::SIGSEGV)), 139);
    }
}
