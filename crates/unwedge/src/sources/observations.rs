//! What was seen of a process from outside, beside its black box? Plain data for the recording.

/// One look at a process, taken while its black box was copied.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observations {
    /// When, in nanoseconds of `CLOCK_MONOTONIC`.
    pub(crate) now: u64,
    /// Whether the process lives.
    pub(crate) process: ProcessState,
    /// Its threads, by thread id; empty when they could not be looked at.
    pub(crate) threads: Vec<ThreadSeen>,
    /// Device index in the black box, and what its engine does.
    pub(crate) engines: Vec<(usize, EngineSeen)>,
}

/// Whether a process lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ProcessState {
    /// It runs, or could.
    Running,
    /// It has ended, or its pid names another process now.
    Gone,
    /// It is stopped by a signal or a tracer: its threads do nothing because they may not.
    Stopped,
    /// It could not be looked at.
    #[default]
    Unknown,
}

/// One thread as /proc shows it.
#[derive(Clone, Debug)]
pub(crate) struct ThreadSeen {
    /// Thread id.
    pub(crate) tid: u32,
    /// Its comm.
    pub(crate) name: String,
    /// `R`, `S`, `D`, `T`, `t`, `Z` or `X`, as in `/proc/PID/stat`.
    pub(crate) state: char,
    /// The system call it sleeps in, where it does and may be asked.
    pub(crate) in_syscall: Option<SyscallSeen>,
    /// For how long the same call, arguments and switch count have been seen. `None` where they
    /// changed, were seen once only, or the thread is in no call.
    pub(crate) stuck_ns: Option<u64>,
    /// The futex it waits on, if that is its call.
    pub(crate) futex: Option<FutexSeen>,
    /// The thread whose end it waits for (`pthread_join`).
    pub(crate) joins_tid: Option<u32>,
}

/// A system call and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SyscallSeen {
    /// Its number on this machine's architecture.
    pub(crate) number: u64,
    /// Its name, or `syscall N`.
    pub(crate) name: String,
    /// Its arguments.
    pub(crate) args: [u64; 6],
}

/// A futex wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FutexSeen {
    /// Where the word is in the process.
    pub(crate) address: u64,
    /// What it holds now.
    pub(crate) word: u32,
    /// The operation with its flags, as passed.
    pub(crate) operation: u32,
    /// The value that the wait expects.
    pub(crate) expected: u32,
    /// No timeout was given.
    pub(crate) infinite: bool,
    /// The thread that holds the lock, only where the word is part of a glibc mutex that names a
    /// live thread of this process. Never guessed.
    pub(crate) owner_tid: Option<u32>,
}

/// What a device's engine does, and how that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EngineSeen {
    /// It executes something.
    Working(String),
    /// It does nothing.
    Idle(String),
    /// That cannot be told.
    Unknown(String),
}
