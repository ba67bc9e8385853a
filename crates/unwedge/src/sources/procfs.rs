//! What do the files of /proc say? Parsers of their text, and reads that fail as `None`.

use std::fs;
use std::path::Path;

/// The fields of `/proc/PID/stat` or `/proc/PID/task/TID/stat` that matter here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    /// The comm, which may hold spaces and parentheses.
    pub(crate) comm: String,
    /// `R`, `S`, `D`, `T`, `t`, `Z`, `X`, `I`.
    pub(crate) state: char,
    /// The parent process.
    pub(crate) parent: u32,
    /// Processor time in clock ticks, user and system.
    pub(crate) cpu_ticks: u64,
    /// When it started, in clock ticks since boot.
    pub(crate) start_ticks: u64,
}

impl Stat {
    /// Reads the text of the file.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (open, close) = (text.find('(')?, text.rfind(')')?);
        let comm = text.get(open + 1..close)?.to_owned();
        // Field 3 (state) is the first after the comm.
        let fields: Vec<&str> = text.get(close + 1..)?.split_ascii_whitespace().collect();
        let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
        Some(Self {
            comm,
            state: fields.first()?.chars().next()?,
            parent: u32::try_from(number(4)?).ok()?,
            cpu_ticks: number(14)?.saturating_add(number(15)?),
            start_ticks: number(22)?,
        })
    }

    /// Of a process.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        Self::parse(&lossy(&format!("/proc/{pid}/stat"))?)
    }

    /// Of a thread.
    pub(crate) fn of_thread(pid: u32, tid: u32) -> Option<Self> {
        Self::parse(&lossy(&format!("/proc/{pid}/task/{tid}/stat"))?)
    }
}

/// The text of `/proc/PID/task/TID/syscall`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SyscallLine {
    /// The thread runs.
    Running,
    /// It is blocked, but not in a system call.
    Blocked,
    /// It is in this call.
    In {
        /// The number.
        number: u64,
        /// The arguments.
        args: [u64; 6],
    },
}

impl SyscallLine {
    /// Reads the text of the file.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let first = words.next()?;
        if first == "running" {
            return Some(Self::Running);
        }
        let number: i64 = first.parse().ok()?;
        if number < 0 {
            return Some(Self::Blocked);
        }
        let mut args = [0; 6];
        for arg in &mut args {
            *arg = u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok()?;
        }
        Some(Self::In { number: number.cast_unsigned(), args })
    }

    /// Of a thread; `None` where it is gone or may not be asked.
    pub(crate) fn of(pid: u32, tid: u32) -> Option<Self> {
        Self::parse(&lossy(&format!("/proc/{pid}/task/{tid}/syscall"))?)
    }
}

/// Nanoseconds on a processor and the number of times it was picked, from `schedstat`.
pub(crate) fn parse_schedstat(text: &str) -> Option<(u64, u64)> {
    let mut words = text.split_ascii_whitespace();
    let ran = words.next()?.parse().ok()?;
    let picked = words.nth(1)?.parse().ok()?;
    Some((ran, picked))
}

/// [`parse_schedstat`] of a thread.
pub(crate) fn schedstat(pid: u32, tid: u32) -> Option<(u64, u64)> {
    parse_schedstat(&lossy(&format!("/proc/{pid}/task/{tid}/schedstat"))?)
}

/// The sum of voluntary and involuntary switches, from the text of `status`.
pub(crate) fn parse_switches(text: &str) -> Option<u64> {
    let mut switches = text.lines().filter_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.ends_with("voluntary_ctxt_switches").then(|| value.trim().parse::<u64>().ok())?
    });
    let first = switches.next()?;
    Some(first + switches.next()?)
}

/// [`parse_switches`] of a thread.
pub(crate) fn switches(pid: u32, tid: u32) -> Option<u64> {
    parse_switches(&lossy(&format!("/proc/{pid}/task/{tid}/status"))?)
}

/// Engine name and busy nanoseconds of each `drm-engine-*` line of an fdinfo text, with the client
/// that they belong to.
pub(crate) fn parse_drm_fdinfo(text: &str) -> Option<(String, Vec<(String, u64)>)> {
    let field = |line: &str, name: &str| {
        Some(line.strip_prefix(name)?.strip_prefix(':')?.trim().to_owned())
    };
    let mut client = None;
    let mut driver = None;
    let mut device = None;
    let mut engines = Vec::new();
    for line in text.lines() {
        driver = driver.or_else(|| field(line, "drm-driver"));
        client = client.or_else(|| field(line, "drm-client-id"));
        device = device.or_else(|| field(line, "drm-pdev"));
        let engine = line.strip_prefix("drm-engine-").filter(|rest| !rest.starts_with("capacity-"));
        if let Some((name, value)) = engine.and_then(|rest| rest.split_once(':'))
            && let Some(ns) = value.trim().strip_suffix("ns").and_then(|ns| ns.trim().parse().ok())
        {
            engines.push((name.to_owned(), ns));
        }
    }
    let (driver, client) = (driver?, client?);
    // The client id is unique for a device; the descriptors that share it show the same counters.
    Some((format!("{driver} {} client {client}", device.unwrap_or_default()), engines))
}

/// The numeric names in a folder of /proc: processes or threads.
pub(crate) fn numbers(path: impl AsRef<Path>) -> Option<Vec<u32>> {
    let entries = fs::read_dir(path).ok()?;
    let mut numbers: Vec<u32> =
        entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    numbers.sort_unstable();
    Some(numbers)
}

/// The text of a file, with broken UTF-8 replaced: a comm is any bytes.
pub(crate) fn lossy(path: &str) -> Option<String> {
    Some(String::from_utf8_lossy(&fs::read(path).ok()?).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stat_line_with_parentheses_in_its_name_is_read() {
        let text =
            "8842 (a) (b c)) S 1 8842 8842 0 -1 4194304 1 0 0 0 18 19 0 0 20 0 7 0 123456 1 2 3";
        let expected = Stat {
            comm: "a) (b c)".to_owned(),
            state: 'S',
            parent: 1,
            cpu_ticks: 37,
            start_ticks: 123_456,
        };
        assert_eq!(Stat::parse(text), Some(expected));
        assert_eq!(Stat::parse("8842 (a) S 1 2"), None);
        assert_eq!(Stat::parse(""), None);
    }

    #[test]
    fn a_syscall_line_is_read() {
        let text = "202 0x55a13a1749ec 0x189 0x2 0x0 0x0 0xffffffff 0x7ffaf97fcd60 0x7ffb0655ff16";
        let args = [0x55a1_3a17_49ec, 0x189, 2, 0, 0, 0xffff_ffff];
        assert_eq!(SyscallLine::parse(text), Some(SyscallLine::In { number: 202, args }));
        assert_eq!(SyscallLine::parse("running\n"), Some(SyscallLine::Running));
        assert_eq!(SyscallLine::parse("-1 0x7ffe 0x7ffb"), Some(SyscallLine::Blocked));
        assert_eq!(SyscallLine::parse("202 0x1"), None);
    }

    #[test]
    fn counters_are_read() {
        assert_eq!(parse_schedstat("623180026 231650451 13285\n"), Some((623_180_026, 13_285)));
        let status = "Name:\tx\nvoluntary_ctxt_switches:\t7\nnonvoluntary_ctxt_switches:\t3\n";
        assert_eq!(parse_switches(status), Some(10));
        assert_eq!(parse_switches("Name:\tx\n"), None);
    }

    #[test]
    fn drm_engines_are_read() {
        let text = "pos:\t0\ndrm-driver:\tamdgpu\ndrm-client-id:\t9\ndrm-pdev:\t0000:03:00.0\n\
                    drm-engine-capacity-gfx:\t1\ndrm-engine-gfx:\t1500 ns\ndrm-engine-compute:\t0 ns\n";
        let engines = vec![("gfx".to_owned(), 1500), ("compute".to_owned(), 0)];
        assert_eq!(
            parse_drm_fdinfo(text),
            Some(("amdgpu 0000:03:00.0 client 9".to_owned(), engines))
        );
        assert_eq!(parse_drm_fdinfo("pos:\t0\nflags:\t02\n"), None);
    }
}
