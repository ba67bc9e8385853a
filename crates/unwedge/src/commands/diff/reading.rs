//! How is each of the two recordings read, at the same time as the other, and if need be a second time?

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use unwedge_readers::Format;
use unwedge_trace::Recording;
use unwedge_trace::row::Batch;

use crate::commands::explain::{black_box, is_black_box};
use crate::error::Error;
use crate::traces::{Choice, Ended, Input, Kept, Progress, Source};

/// Text that is kept of an input that comes only once. Bytes.
const KEPT_BYTES_MAX: usize = 64 << 20;

/// Formats whose recordings are what a ring still held, or a moment: they may begin and end anywhere.
const STRETCHES: [&Format; 4] = [
    &unwedge_readers::ftrace::FORMAT,
    &unwedge_readers::kernel::FORMAT,
    &unwedge_readers::go::FORMAT,
    &unwedge_readers::jvm::FORMAT,
];

/// One of the two.
pub(super) struct Reading {
    path: PathBuf,
    choice: Choice,
    /// Until it is read for the first time.
    input: Option<Input>,
    again: Again,
    pub(super) ended: Ended,
}

/// How it is read a second time.
enum Again {
    /// It lies at its path.
    Path,
    /// It came through a pipe.
    Kept(Kept),
    BlackBox(Recording),
}

impl Reading {
    /// Opens a path; `-` is standard input. The choice is for what is no recording of ours.
    ///
    /// # Errors
    /// When it cannot be read, or its format is not known.
    pub(super) fn open(path: &Path, choice: &Choice) -> Result<Self, Error> {
        let (choice, ended) = (choice.clone(), Ended::default());
        let reading = |choice, input, again| {
            Ok(Self { path: path.to_owned(), choice, input: Some(input), again, ended })
        };
        if is_black_box(path) {
            let recording = black_box(path, None)?.recording;
            let input = Input::of_recording(recording.clone());
            return reading(choice, input, Again::BlackBox(recording));
        }
        let source = Source::at(path)?;
        let ours = unwedge_readers::jsonl::FORMAT;
        let choice = if (ours.detect)(source.start()) { Choice::default() } else { choice };
        let input = Input::of(source, &choice)?;
        if path != Path::new("-") && (path.is_file() || path.is_dir()) {
            return reading(choice, input, Again::Path);
        }
        let (input, kept) = input.keep(KEPT_BYTES_MAX);
        reading(choice, input, Again::Kept(kept))
    }

    /// Whether it can be read as often as need be, without keeping anything.
    pub(super) fn lies_ready(&self) -> bool {
        !matches!(self.again, Again::Kept(_))
    }

    /// Reads it until `take` has enough, with so many threads that read ahead. What lies ready can be read again.
    ///
    /// # Errors
    /// When it has gone meanwhile.
    pub(super) fn read(
        &mut self,
        ahead: usize,
        progress: &Progress,
        take: impl FnMut(&Batch) -> ControlFlow<()> + Send,
    ) -> Result<(), Error> {
        let input = match self.input.take() {
            Some(input) => Some(input),
            None => self.again()?,
        };
        if let Some(input) = input {
            self.ended = input.until(ahead, progress, take);
        }
        Ok(())
    }

    /// Opens it once more; none if it came through a pipe and was too long to be kept.
    ///
    /// # Errors
    /// When it has gone meanwhile.
    pub(super) fn again(&self) -> Result<Option<Input>, Error> {
        match &self.again {
            Again::Path => Input::open(&self.path, &self.choice).map(Some),
            Again::Kept(kept) => kept.again(&self.path, &self.choice),
            Again::BlackBox(recording) => Ok(Some(Input::of_recording(recording.clone()))),
        }
    }

    /// Says what could not be read.
    ///
    /// # Errors
    /// When that was all.
    pub(super) fn tell(&self) -> Result<(), Error> {
        self.ended.tell(&self.path);
        self.ended.refuse_nothing(&self.path)
    }

    /// Whether it is a stretch of what happened.
    pub(super) fn is_stretch(&self) -> bool {
        let source = self.ended.source.as_str();
        source.starts_with("vulkan layer") || STRETCHES.iter().any(|format| format.title == source)
    }

    /// Whether its times are a guest's or a simulation's own. A store keeps the title of what it was made of.
    pub(super) fn has_virtual_clock(&self) -> bool {
        let guest = unwedge_readers::profile::GUEST_KERNEL.title;
        self.ended.has_virtual_clock || self.ended.source == guest
    }
}
