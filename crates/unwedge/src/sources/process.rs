//! What do a process's threads do, as seen from outside? Two looks tell a stuck one from a busy one.
//!
//! Invariant: read only. No ptrace, no signal, no file descriptor of the process is opened.

use std::collections::HashMap;

use super::observations::{FutexSeen, ProcessState, SyscallSeen, ThreadSeen};
use super::procfs::{self, Stat, SyscallLine};
use super::syscall;

/// A process, named for good, and what its threads did at the looks before.
pub(crate) struct Process {
    pid: u32,
    start_ticks: u64,
    foreign: bool,
    still: HashMap<u32, Still>,
}

/// A thread's call, and since when it has been the same without being scheduled.
struct Still {
    call: (u64, [u64; 6]),
    switches: u64,
    since: u64,
}

impl Process {
    /// The process with this pid that started at this tick since boot.
    pub(crate) fn new(pid: u32, start_ticks: u64) -> Self {
        Self { pid, start_ticks, foreign: is_foreign(pid), still: HashMap::new() }
    }

    /// Its pid.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether it lives.
    pub(crate) fn state(&self) -> ProcessState {
        let Some(stat) = Stat::of(self.pid) else {
            let hidden = std::path::Path::new(&format!("/proc/{}", self.pid)).exists();
            return if hidden { ProcessState::Unknown } else { ProcessState::Gone };
        };
        if stat.start_ticks != self.start_ticks {
            return ProcessState::Gone;
        }
        match stat.state {
            'T' | 't' => ProcessState::Stopped,
            'Z' | 'X' if self.others_live() => ProcessState::Running,
            'Z' | 'X' => ProcessState::Gone,
            _ => ProcessState::Running,
        }
    }

    /// A main thread that called `pthread_exit` is a zombie while its process goes on.
    fn others_live(&self) -> bool {
        let tids = procfs::numbers(format!("/proc/{}/task", self.pid)).unwrap_or_default();
        tids.into_iter().filter(|tid| *tid != self.pid).any(|tid| {
            Stat::of_thread(self.pid, tid).is_some_and(|stat| !matches!(stat.state, 'Z' | 'X'))
        })
    }

    /// Looks at every thread; `now` is the present moment of `CLOCK_MONOTONIC`.
    pub(crate) fn look(&mut self, now: u64) -> Vec<ThreadSeen> {
        let tids = procfs::numbers(format!("/proc/{}/task", self.pid)).unwrap_or_default();
        self.still.retain(|tid, _| tids.binary_search(tid).is_ok());
        tids.iter().filter_map(|tid| self.look_at(*tid, &tids, now)).collect()
    }

    fn look_at(&mut self, tid: u32, tids: &[u32], now: u64) -> Option<ThreadSeen> {
        let stat = Stat::of_thread(self.pid, tid)?;
        let (call, stuck_ns) = self.glance(tid, now);
        let mut seen = ThreadSeen {
            tid,
            name: stat.comm,
            state: stat.state,
            in_syscall: None,
            stuck_ns,
            futex: None,
            joins_tid: None,
        };
        if let Some((number, args)) = call {
            let name =
                if self.foreign { format!("syscall {number}") } else { syscall::name(number) };
            if !self.foreign && number == libc::SYS_futex.cast_unsigned() {
                seen.futex = self.futex(&args, tids);
                seen.joins_tid = seen.futex.and_then(|futex| joined(&futex, tid, tids));
            }
            seen.in_syscall = Some(SyscallSeen { number, name, args });
        }
        Some(seen)
    }

    /// The call that a thread sleeps in, and for how long it has been seen there without a switch.
    fn glance(&mut self, tid: u32, now: u64) -> (Option<(u64, [u64; 6])>, Option<u64>) {
        let Some(SyscallLine::In { number, args }) = SyscallLine::of(self.pid, tid) else {
            self.still.remove(&tid);
            return (None, None);
        };
        let call = (number, args);
        let picked = procfs::schedstat(self.pid, tid).map(|(_, picked)| picked);
        let Some(switches) = picked.or_else(|| procfs::switches(self.pid, tid)) else {
            return (Some(call), None);
        };
        match self.still.get(&tid) {
            Some(still) if still.call == call && still.switches == switches => {
                (Some(call), Some(now.saturating_sub(still.since)))
            }
            _ => {
                self.still.insert(tid, Still { call, switches, since: now });
                (Some(call), None)
            }
        }
    }

    /// The moment since when a thread has been seen in one wait on a contended mutex: a futex that
    /// expects 2 and has no timeout. Cheap: one or two files of /proc.
    pub(crate) fn glance_at_lock(&mut self, tid: u32, now: u64) -> Option<(u64, u64)> {
        let (call, stuck) = self.glance(tid, now);
        let (number, args) = call?;
        let waits = !self.foreign
            && number == libc::SYS_futex.cast_unsigned()
            && is_plain_wait(args[1] as u32)
            && args[2] as u32 == CONTENDED;
        (waits && args[3] == 0).then(|| (args[0], now.saturating_sub(stuck.unwrap_or(0))))
    }

    fn futex(&self, args: &[u64; 6], tids: &[u32]) -> Option<FutexSeen> {
        let (address, operation, expected) = (args[0], args[1] as u32, args[2] as u32);
        if !is_wait(operation) {
            return None;
        }
        let word = u32::from_ne_bytes(self.peek::<4>(address)?);
        let contended = is_plain_wait(operation) && expected == CONTENDED && word == CONTENDED;
        let owner_tid = contended.then(|| owner(&self.peek::<20>(address)?, tids)).flatten();
        Some(FutexSeen { address, word, operation, expected, infinite: args[3] == 0, owner_tid })
    }

    /// Copies bytes out of the process.
    fn peek<const N: usize>(&self, address: u64) -> Option<[u8; N]> {
        let mut bytes = [0_u8; N];
        let local = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: N };
        let remote = libc::iovec { iov_base: address as *mut libc::c_void, iov_len: N };
        // SAFETY: `local` names `bytes`, which is N bytes long and lives over the call; the remote
        // address is only looked up in the other process, and a bad one is an error.
        let read = unsafe {
            libc::process_vm_readv(
                self.pid.cast_signed(),
                &raw const local,
                1,
                &raw const remote,
                1,
                0,
            )
        };
        (read == N as isize).then_some(bytes)
    }
}

/// The value of a glibc mutex that is locked and has waiters.
const CONTENDED: u32 = 2;
const FUTEX_PRIVATE: u32 = libc::FUTEX_PRIVATE_FLAG as u32;
const FUTEX_COMMAND: u32 = libc::FUTEX_CMD_MASK as u32;

fn is_plain_wait(operation: u32) -> bool {
    operation & FUTEX_COMMAND == libc::FUTEX_WAIT as u32
}

fn is_wait(operation: u32) -> bool {
    is_plain_wait(operation) || operation & FUTEX_COMMAND == libc::FUTEX_WAIT_BITSET as u32
}

/// The owner in the bytes of a glibc `pthread_mutex_t` (lock, count, owner, users, kind: `int`s in
/// this order on 64 bits, nptl/bits/struct_mutex.h), or `None` when they do not look like one.
fn owner(bytes: &[u8; 20], tids: &[u32]) -> Option<u32> {
    let mut words = [0_u32; 5];
    for (word, four) in words.iter_mut().zip(bytes.chunks_exact(4)) {
        *word = u32::from_ne_bytes(four.try_into().ok()?);
    }
    let [_, count, owner, users, kind] = words;
    // Types 0 to 3 (timed, recursive, error-checking, adaptive), maybe process-shared (128) or with
    // its elision decided (256, 512); robust and priority-inheriting ones keep no 2 in their word.
    let plausible = kind & !0x383 == 0 && (kind & 3 == 1 || count == 0);
    (plausible && (1..1 << 20).contains(&users) && tids.binary_search(&owner).is_ok())
        .then_some(owner)
}

/// `pthread_join` of glibc sleeps, without a bound, on the joined thread's id, which the kernel
/// clears: the futex is shared, not private, and expects the id of a live thread.
fn joined(futex: &FutexSeen, tid: u32, tids: &[u32]) -> Option<u32> {
    let joins = futex.infinite
        && futex.operation & FUTEX_PRIVATE == 0
        && futex.word == futex.expected
        && futex.expected != tid
        && tids.binary_search(&futex.expected).is_ok();
    joins.then_some(futex.expected)
}

/// Processor time of a thread: exact where the kernel tells it, in clock ticks otherwise.
pub(crate) fn cpu_ns(pid: u32, tid: u32, ticks: u64) -> u64 {
    let exact = procfs::schedstat(pid, tid).map(|(ran, _)| ran);
    exact.unwrap_or_else(|| {
        ticks.saturating_mul(1_000_000_000 / rustix::param::clock_ticks_per_second().max(1))
    })
}

/// A 32-bit process on a 64-bit machine: its calls have other numbers and its mutexes another shape.
fn is_foreign(pid: u32) -> bool {
    use std::io::Read as _;
    let mut start = [0; 5];
    let read = std::fs::File::open(format!("/proc/{pid}/exe"))
        .and_then(|mut file| file.read_exact(&mut start));
    let class = if cfg!(target_pointer_width = "64") { 2 } else { 1 };
    read.is_ok() && start[..4] == *b"\x7fELF" && start[4] != class
}

/// The process and all that descend from it, and all that carry `NAME=VALUE` in their environment:
/// those whose parent is gone. Parents come first.
pub(crate) fn tree(root: Option<u32>, variable: &std::ffi::OsStr) -> Vec<u32> {
    let pids = procfs::numbers("/proc").unwrap_or_default();
    let stats: Vec<(u32, u32)> =
        pids.iter().filter_map(|pid| Some((*pid, Stat::of(*pid)?.parent))).collect();
    let own = std::process::id();
    let mut tree: Vec<u32> = root.into_iter().collect();
    tree.extend(pids.iter().copied().filter(|pid| Some(*pid) != root && carries(*pid, variable)));
    let mut next = 0;
    while let Some(parent) = tree.get(next).copied() {
        for (pid, _) in stats.iter().filter(|(_, of)| *of == parent) {
            if !tree.contains(pid) {
                tree.push(*pid);
            }
        }
        next += 1;
    }
    tree.retain(|pid| *pid != own && *pid > 1);
    tree
}

fn carries(pid: u32, variable: &std::ffi::OsStr) -> bool {
    let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|entry| entry == variable.as_encoded_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mutex(words: [u32; 5]) -> [u8; 20] {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        bytes.try_into().expect("20 bytes")
    }

    #[test]
    fn a_mutex_names_its_owner_only_when_it_looks_like_one() {
        let tids = [100, 101];
        assert_eq!(owner(&mutex([2, 0, 101, 1, 0]), &tids), Some(101));
        assert_eq!(owner(&mutex([2, 3, 101, 1, 1]), &tids), Some(101));
        assert_eq!(owner(&mutex([2, 0, 102, 1, 0]), &tids), None, "no such thread");
        assert_eq!(owner(&mutex([2, 0, 101, 0, 0]), &tids), None, "no users");
        assert_eq!(owner(&mutex([2, 0, 101, 1, 16]), &tids), None, "robust");
        assert_eq!(owner(&mutex([2, 9, 101, 1, 0]), &tids), None, "a count without recursion");
        assert_eq!(owner(&mutex([2, 0, 101, 0x7ffb, 0x5555_5555]), &tids), None, "a pointer");
    }

    #[test]
    fn a_join_is_told_from_other_waits() {
        let wait = FutexSeen {
            address: 8,
            word: 101,
            operation: 265,
            expected: 101,
            infinite: true,
            owner_tid: None,
        };
        let tids = [100, 101];
        assert_eq!(joined(&wait, 100, &tids), Some(101));
        assert_eq!(joined(&FutexSeen { operation: 128, ..wait }, 100, &tids), None, "private");
        assert_eq!(joined(&FutexSeen { infinite: false, ..wait }, 100, &tids), None, "bounded");
        assert_eq!(joined(&FutexSeen { word: 0, ..wait }, 100, &tids), None, "ended");
        assert_eq!(joined(&wait, 100, &[100]), None, "no such thread");
    }

    #[test]
    fn this_process_is_seen_to_wait_for_a_lock_that_it_holds() {
        // A real glibc mutex, held by this thread while another one waits for it.
        struct Shared(std::cell::UnsafeCell<libc::pthread_mutex_t>);
        // SAFETY: a pthread mutex is made to be used by several threads.
        unsafe impl Sync for Shared {}
        static MUTEX: Shared = Shared(std::cell::UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER));
        // SAFETY: the mutex is static and initialised.
        unsafe { libc::pthread_mutex_lock(MUTEX.0.get()) };
        let waiter = std::thread::spawn(|| {
            // SAFETY: as above.
            unsafe {
                libc::pthread_mutex_lock(MUTEX.0.get());
                libc::pthread_mutex_unlock(MUTEX.0.get());
            }
        });
        let pid = std::process::id();
        let mut process = Process::new(pid, Stat::of(pid).expect("own stat").start_ticks);
        let holder = rustix::thread::gettid().as_raw_nonzero().get().cast_unsigned();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        let seen = loop {
            let now = std::time::Instant::now();
            let seen = process
                .look(now.duration_since(deadline - std::time::Duration::from_secs(20)).as_nanos()
                    as u64);
            let stuck = |thread: &&ThreadSeen| {
                thread.stuck_ns.is_some()
                    && thread.futex.is_some_and(|futex| futex.owner_tid == Some(holder))
            };
            if let Some(thread) = seen.iter().find(stuck) {
                break thread.clone();
            }
            assert!(now < deadline, "never seen: {seen:?}");
            std::thread::sleep(std::time::Duration::from_millis(20));
        };
        assert_eq!(process.state(), ProcessState::Running);
        assert_eq!(seen.in_syscall.map(|call| call.name).as_deref(), Some("futex"));
        // SAFETY: as above.
        unsafe { libc::pthread_mutex_unlock(MUTEX.0.get()) };
        waiter.join().expect("the waiter ends");
    }
}
