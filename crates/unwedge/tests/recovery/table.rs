//! Which faults can meet a frame, and what becomes of the program?

/// What becomes of a program after a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ends {
    /// It presents further frames and ends by itself, with status 0.
    Well,
    /// As [`Ends::Well`], because the fault has nothing to strike: no semaphore is signalled.
    Untouched,
    /// The driver waits inside `vkQueuePresentKHR` for what never comes. Mesa's software driver does that: it copies the image on
    /// the processor, and waits for the frame first. No bound of a wait reaches there.
    InsidePresent,
}

/// What becomes of the program that waits without a bound and expects every call to succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Raw {
    /// Its thread does not come back from a call.
    Hangs,
    /// It panics.
    Dies,
    /// It presents further frames and ends by itself.
    GoesOn,
}

/// A fault, and what becomes of the program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    /// Up to the position.
    what: &'static str,
    /// After the position.
    how: &'static str,
    /// If frames are presented as soon as they are submitted, as is the default.
    pub(crate) at_once: Ends,
    /// If frames are presented once they are executed (`PresentWhen::Executed`).
    pub(crate) patient: Ends,
    /// Before the program was moved to `unwedge-wait`.
    pub(crate) raw: Raw,
}

impl Fault {
    /// The fault at an occurrence, as the command line has it.
    pub(crate) fn at(&self, occurrence: u32) -> String {
        format!("{}:n={occurrence}{}", self.what, self.how)
    }
}

const fn fault(what: &'static str, how: &'static str, raw: Raw) -> Fault {
    Fault { what, how, at_once: Ends::Well, patient: Ends::Well, raw }
}

/// All of `unwedge help inject`, but for those of timeline semaphores, which a frame has none of.
///
/// Those without an end are `drop-signal`, `hold-submit` without a time, `device-lost` and `withhold-images`. What brings the program back: a lost signal
/// of a fence is met by the second rung (fresh fences, once the queue is idle), withheld images by the second as well (a new swapchain has
/// images of its own), lost devices and queues that stand still by the third.
pub(crate) const FAULTS: &[Fault] = &[
    fault("drop-signal:fence", "", Raw::Hangs),
    Fault {
        at_once: Ends::InsidePresent,
        patient: Ends::Untouched,
        ..fault("drop-signal:binary", "", Raw::Hangs)
    },
    fault("delay-signal:fence", ":for=300ms", Raw::GoesOn),
    Fault { patient: Ends::Untouched, ..fault("delay-signal:binary", ":for=300ms", Raw::GoesOn) },
    fault("acquire-timeout", "", Raw::Dies),
    fault("out-of-date:acquire", "", Raw::Dies),
    fault("out-of-date:present", "", Raw::Dies),
    fault("suboptimal:acquire", "", Raw::GoesOn),
    fault("suboptimal:present", "", Raw::GoesOn),
    fault("device-lost:submit", "", Raw::Dies),
    fault("device-lost:wait", "", Raw::Dies),
    fault("device-lost:acquire", "", Raw::Dies),
    fault("device-lost:present", "", Raw::Dies),
    Fault { at_once: Ends::InsidePresent, ..fault("hold-submit", "", Raw::Hangs) },
    fault("hold-submit", ":for=300ms", Raw::GoesOn),
    fault("withhold-images", "", Raw::Hangs),
    fault("fail-submit", "", Raw::Dies),
];
