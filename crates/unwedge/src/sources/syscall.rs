//! What is a system call called? The waiting ones by name, the rest by number.

/// The name of a call on this machine's architecture.
pub(crate) fn name(number: u64) -> String {
    let found = NAMES.iter().chain(OLD).find(|(known, _)| i64::try_from(number) == Ok(*known));
    found.map_or_else(|| format!("syscall {number}"), |(_, name)| (*name).to_owned())
}

macro_rules! names {
    ($($constant:ident $name:literal,)*) => {
        // The constants are `c_long`, which is `i64` wherever Vulkan programs run on 64 bits.
        const NAMES: &[(i64, &str)] = &[$((libc::$constant, $name),)*];
    };
}

names! {
    SYS_futex "futex",
    SYS_futex_waitv "futex_waitv",
    SYS_ppoll "ppoll",
    SYS_pselect6 "pselect6",
    SYS_epoll_pwait "epoll_pwait",
    SYS_epoll_pwait2 "epoll_pwait2",
    SYS_nanosleep "nanosleep",
    SYS_clock_nanosleep "clock_nanosleep",
    SYS_read "read",
    SYS_readv "readv",
    SYS_pread64 "pread64",
    SYS_write "write",
    SYS_writev "writev",
    SYS_pwrite64 "pwrite64",
    SYS_recvfrom "recvfrom",
    SYS_recvmsg "recvmsg",
    SYS_recvmmsg "recvmmsg",
    SYS_sendto "sendto",
    SYS_sendmsg "sendmsg",
    SYS_accept "accept",
    SYS_accept4 "accept4",
    SYS_connect "connect",
    SYS_ioctl "ioctl",
    SYS_fcntl "fcntl",
    SYS_flock "flock",
    SYS_fsync "fsync",
    SYS_fdatasync "fdatasync",
    SYS_wait4 "wait4",
    SYS_waitid "waitid",
    SYS_rt_sigtimedwait "rt_sigtimedwait",
    SYS_rt_sigsuspend "rt_sigsuspend",
    SYS_semop "semop",
    SYS_semtimedop "semtimedop",
    SYS_msgrcv "msgrcv",
    SYS_mq_timedreceive "mq_timedreceive",
    SYS_io_getevents "io_getevents",
    SYS_io_uring_enter "io_uring_enter",
    SYS_sched_yield "sched_yield",
    SYS_openat "openat",
    SYS_mmap "mmap",
    SYS_munmap "munmap",
    SYS_madvise "madvise",
}

/// Old calls that newer architectures do not have.
#[cfg(target_arch = "x86_64")]
const OLD: &[(i64, &str)] = &[
    (libc::SYS_poll, "poll"),
    (libc::SYS_select, "select"),
    (libc::SYS_epoll_wait, "epoll_wait"),
    (libc::SYS_pause, "pause"),
];
#[cfg(not(target_arch = "x86_64"))]
const OLD: &[(i64, &str)] = &[];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_have_names() {
        assert_eq!(name(libc::SYS_futex.cast_unsigned()), "futex");
        assert_eq!(name(99_999), "syscall 99999");
        assert_eq!(name(u64::MAX), format!("syscall {}", u64::MAX));
    }
}
