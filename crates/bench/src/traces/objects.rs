//! What do the threads of a varied trace wait for, and which calls do they make?

/// What an object is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A wait consumes its signal.
    Auto,
    /// Stays signalled until it is reset.
    Event,
    Semaphore,
    Mutant,
    /// Signals by itself.
    Timer,
    /// A critical section.
    Section,
}

impl Kind {
    /// As the format names it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto_event",
            Self::Event => "event",
            Self::Semaphore => "semaphore",
            Self::Mutant => "mutant",
            Self::Timer => "timer",
            Self::Section => "critsec",
        }
    }

    /// One of two calls that signal it.
    pub(crate) fn signalled_by(self, which: u64) -> &'static str {
        match (self, which) {
            (Self::Semaphore, 0) => "KeReleaseSemaphore",
            (Self::Semaphore, _) => "NtReleaseSemaphore",
            (Self::Mutant, 0) => "KeReleaseMutant",
            (Self::Mutant, _) => "NtReleaseMutant",
            (_, 0) => "KeSetEvent",
            _ => "NtSetEvent",
        }
    }
}

/// An object as it is now.
pub(crate) struct Object {
    pub(crate) kind: Kind,
    pub(crate) handle: u32,
    /// Signals that the next waits find.
    pub(crate) tokens: u32,
    pub(crate) waiters: u32,
    /// Whether no other thread may wait for it now.
    pub(crate) alone: bool,
}

/// All objects: handles of the kernel, and addresses in guest memory.
pub(crate) fn objects() -> Vec<Object> {
    let object = |kind, handle| Object { kind, handle, tokens: 0, waiters: 0, alone: false };
    let many = |kind, count: u32, first: u32, step: u32| {
        (0..count).map(move |index| object(kind, first + index * step))
    };
    many(Kind::Auto, 24, 0x1000, 4)
        .chain(many(Kind::Auto, 8, 0xbe8c_b000, 0x5c))
        .chain(many(Kind::Event, 16, 0x1080, 4))
        .chain(many(Kind::Semaphore, 16, 0x1100, 4))
        .chain(many(Kind::Mutant, 8, 0xf000_0010, 0x30))
        .chain(many(Kind::Timer, 8, 0x1180, 4))
        .chain(many(Kind::Section, 24, 0x82a1_f000, 0x1c))
        .collect()
}

/// Two hundred names of imports, short and long.
pub(crate) fn calls() -> Vec<String> {
    const FAMILIES: [&str; 10] =
        ["Ke", "Nt", "Rtl", "Ex", "Mm", "Ob", "Vd", "Xam", "XAudio", "Net"];
    const DEEDS: [&str; 20] = [
        "Get",
        "Query",
        "ReadFile",
        "WriteFile",
        "AllocatePool",
        "FreePool",
        "InitializeAnsiString",
        "CompareMemoryUlong",
        "RaiseIrqlToDpcLevel",
        "LowerIrql",
        "MapPhysicalMemory",
        "UnmapPhysicalMemory",
        "LookupThreadByThreadId",
        "ReferenceObjectByHandle",
        "DereferenceObject",
        "SetDisplayMode",
        "UserGetSigninState",
        "SubmitRenderDriverFrame",
        "DllSocketReceiveFrom",
        "Yield",
    ];
    let names = |family| DEEDS.iter().map(move |deed| format!("{family}{deed}"));
    FAMILIES.into_iter().flat_map(names).collect()
}
