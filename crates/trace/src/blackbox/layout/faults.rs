//! Which faults are there, and which struck?

use super::{Cells, Words};

record! {
    /// A fault that was injected.
    MarkRecord, MarkCells {
        /// When.
        at: u64,
        /// Its number in the fault table of the command ([`Fault`]).
        fault: u64,
        /// The call it struck.
        call: u64,
        /// The object it struck.
        handle: u64,
        /// Which occurrence that was.
        ordinal: u64,
        /// On which thread.
        tid: u64,
        /// Device index plus one.
        device: u64,
        /// Room for later.
        spare: u64,
    }
}

/// The faults, as numbers and as the names a user gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Fault {
    /// A fence's or a semaphore's signal never comes.
    DropSignal = 1,
    /// It comes late.
    DelaySignal = 2,
    /// An acquire times out.
    AcquireTimeout = 3,
    /// An acquire or a present returns `VK_ERROR_OUT_OF_DATE_KHR`.
    OutOfDate = 4,
    /// An acquire or a present returns `VK_SUBOPTIMAL_KHR`.
    Suboptimal = 5,
    /// The device is lost, and stays lost.
    DeviceLost = 6,
    /// A submit does not begin to execute.
    HoldSubmit = 7,
    /// The presentation engine gives no image any more.
    WithholdImages = 8,
    /// A submit fails and does nothing.
    FailSubmit = 9,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 9] = [
        Self::DropSignal,
        Self::DelaySignal,
        Self::AcquireTimeout,
        Self::OutOfDate,
        Self::Suboptimal,
        Self::DeviceLost,
        Self::HoldSubmit,
        Self::WithholdImages,
        Self::FailSubmit,
    ];

    /// The name in `--inject`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DropSignal => "drop-signal",
            Self::DelaySignal => "delay-signal",
            Self::AcquireTimeout => "acquire-timeout",
            Self::OutOfDate => "out-of-date",
            Self::Suboptimal => "suboptimal",
            Self::DeviceLost => "device-lost",
            Self::HoldSubmit => "hold-submit",
            Self::WithholdImages => "withhold-images",
            Self::FailSubmit => "fail-submit",
        }
    }

    /// The fault with this number.
    #[must_use]
    pub fn from_word(word: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| *fault as u64 == word)
    }
}
