//! What does a whole process take? Wall time, processor time and memory, as the kernel counts them.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use serde_json::{Value, json};

use crate::bounded;

/// Of what a process prints, so much is looked at.
const PRINTED_BYTES_MAX: u64 = 64 << 10;

/// A process that has ended.
pub(crate) struct Spent {
    /// Its exit status; 128 and more for signals.
    pub(crate) status: i32,
    pub(crate) wall: Duration,
    /// User and system time of all its threads.
    pub(crate) cpu: Duration,
    /// The most memory that was resident at a time.
    pub(crate) peak_bytes: u64,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Spent {
    pub(crate) fn json(&self) -> Value {
        json!({
            "status": self.status,
            "wall_s": self.wall.as_secs_f64(),
            "cpu_s": self.cpu.as_secs_f64(),
            "peak_bytes": self.peak_bytes,
        })
    }
}

/// Runs it to its end, which must come within `limit`.
pub(crate) fn spend(command: &mut Command, limit: Duration) -> Result<Spent, String> {
    let said = format!("{:?}", command.get_program());
    let problem = |error: &dyn std::fmt::Display| format!("{said}: {error}");
    let folder = tempfile::tempdir().map_err(|error| problem(&error))?;
    let (stdout, stderr) = (folder.path().join("stdout"), folder.path().join("stderr"));
    let file = |path: &Path| File::create_new(path).map_err(|error| problem(&error));
    command.stdin(Stdio::null()).stdout(file(&stdout)?).stderr(file(&stderr)?);
    let begin = Instant::now();
    let mut child = command.spawn().map_err(|error| problem(&error))?;
    let handle = pidfd_open(Pid::from_child(&child), PidfdFlags::empty());
    let handle = handle.map_err(|error| problem(&error))?;
    let bound = Timespec { tv_sec: limit.as_secs().cast_signed(), tv_nsec: 0 };
    let ended = poll(&mut [PollFd::new(&handle, PollFlags::IN)], Some(&bound));
    let wall = begin.elapsed();
    if ended != Ok(1) {
        bounded::end(&mut child);
        return Err(format!("{said} did not end within {limit:?}"));
    }
    let (status, cpu, peak_bytes) =
        reap(child.id()).ok_or_else(|| problem(&"it cannot be reaped"))?;
    let (stdout, stderr) = (printed(&stdout), printed(&stderr));
    Ok(Spent { status, wall, cpu, peak_bytes, stdout, stderr })
}

/// Status, processor time and peak memory of a child that has ended.
fn reap(pid: u32) -> Option<(i32, Duration, u64)> {
    let mut status = 0;
    // SAFETY: all its fields are numbers, for which zero is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to variables of this function. It returns at once: the child has ended.
    let reaped =
        unsafe { libc::wait4(pid.cast_signed(), &raw mut status, libc::WNOHANG, &raw mut usage) };
    if reaped != pid.cast_signed() {
        return None;
    }
    let time = |time: libc::timeval| {
        Duration::from_secs(time.tv_sec.cast_unsigned())
            + Duration::from_micros(time.tv_usec.cast_unsigned())
    };
    let status = if libc::WIFEXITED(status) {
        libc::WEXITSTATUS(status)
    } else {
        128 + libc::WTERMSIG(status)
    };
    let peak_bytes = usage.ru_maxrss.cast_unsigned() * 1024;
    Some((status, time(usage.ru_utime) + time(usage.ru_stime), peak_bytes))
}

fn printed(path: &Path) -> String {
    let mut bytes = Vec::new();
    // A file that cannot be read is as good as nothing printed.
    let _ = File::open(path).and_then(|file| file.take(PRINTED_BYTES_MAX).read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(20);

    #[test]
    fn a_process_is_measured_as_a_whole() {
        let script = "head -c 30000000 /dev/zero | tail -c 20000000 | wc -c; echo oh >&2; exit 3";
        let spent = spend(Command::new("sh").args(["-c", script]), LIMIT).unwrap();
        assert_eq!((spent.status, spent.stdout.trim()), (3, "20000000"));
        assert_eq!(spent.stderr.trim(), "oh");
        // tail keeps what it prints in the end.
        assert!(spent.peak_bytes > 20_000_000, "{}", spent.peak_bytes);
        assert!(spent.cpu > Duration::ZERO && spent.wall > Duration::ZERO);
    }

    #[test]
    fn a_process_that_does_not_end_is_ended() {
        let problem = spend(Command::new("sleep").arg("60"), Duration::from_secs(1)).err();
        assert!(problem.unwrap().contains("did not end within"));
        let killed = spend(Command::new("sh").args(["-c", "kill -9 $$"]), LIMIT).unwrap();
        assert_eq!(killed.status, 137);
    }
}
