//! How did a wait end? A timeout is one of the answers, not an error.

/// Whether what was waited for came to pass.
#[must_use = "a wait that timed out has not happened: what it protects is still in use"]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Waited {
    /// It did.
    Reached,
    /// It did not within the bound. Nothing was changed: the same wait may be tried again.
    TimedOut,
}

impl Waited {
    /// Whether it came to pass.
    #[must_use]
    pub const fn is_reached(self) -> bool {
        matches!(self, Self::Reached)
    }
}

/// How many of several things must come to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Need {
    /// Every one. Of none at all, every one is there: an empty slice is [`Waited::Reached`] at once.
    All,
    /// At least one. Of none at all, none ever comes: an empty slice is [`Error::Nothing`](crate::Error::Nothing).
    Any,
}
