//! How did a pump end?

use std::fmt;

use crate::Error;

/// How far a [pump](crate::Uploads::pump) came.
#[must_use = "what was marked may not have been submitted"]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Uploaded {
    /// Everything that was marked is on the GPU: nothing is in flight, and there was nothing to submit.
    Clean,
    /// All that was marked has been submitted, as one batch that is now in flight. What is submitted to the same queue from
    /// now on comes after it.
    Submitted,
    /// The batch in flight was not reached within the bound. Nothing was recorded and nothing submitted: pump again.
    TimedOut,
}

/// Why nothing was uploaded. Whatever it is, what was marked stays dirty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UploadError<E> {
    /// The program could not record the batch, and said so. Nothing is in flight.
    Record(E),
    /// Vulkan said so. If the error [is fatal for the device](Error::is_fatal_for_device), every pump answers it again, and asks
    /// Vulkan nothing, until the device is forgotten.
    Vulkan(Error),
    /// The old device was forgotten, and there is no new one yet.
    NoDevice,
}

impl<E> From<Error> for UploadError<E> {
    fn from(error: Error) -> Self {
        Self::Vulkan(error)
    }
}

impl<E: fmt::Display> fmt::Display for UploadError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(error) => write!(f, "an upload cannot be recorded: {error}"),
            Self::Vulkan(error) => error.fmt(f),
            Self::NoDevice => f.write_str("there is no device to upload to"),
        }
    }
}

impl<E: std::error::Error + 'static> std::error::Error for UploadError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Record(error) => Some(error),
            Self::Vulkan(error) => Some(error),
            Self::NoDevice => None,
        }
    }
}
